//! The files against what a database was built from.

use jiff::Timestamp;

use crate::{Database, LabelKind, Marker, Origin, World};

/// How the live database stands to the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Baseline {
    /// No marker tells.
    Unmarked,
    /// The marker names this other workspace.
    Foreign(String),
    /// It was there since, and nobody knows what it was built from.
    Adopted(Timestamp),
    /// Nothing says what it should be built from.
    NoFiles,
    /// Of these very files, or of files that give the same.
    Current(Timestamp),
    /// Of these migrations, but the model files are others by now: a migration may be forgotten.
    ModelsChanged(Timestamp),
    /// Migrations or seeds are others by now.
    Stale(Timestamp),
}

/// Judges it. Files that were only reformatted are known by a template that was built from them since.
#[must_use]
pub fn baseline(live: &Database, world: &World) -> Baseline {
    let Some(marker) = &live.marker else { return Baseline::Unmarked };
    if marker.workspace != world.workspace.id {
        return Baseline::Foreign(marker.workspace.clone());
    }
    if marker.origin == Origin::Adopted {
        return Baseline::Adopted(marker.at);
    }
    let Some(blueprint) = &world.blueprint else { return Baseline::NoFiles };
    if marker.blueprint.as_ref() != Some(&blueprint.hash) && !is_same(marker, world) {
        return Baseline::Stale(marker.at);
    }
    if blueprint.models.is_some() && marker.models != blueprint.models {
        return Baseline::ModelsChanged(marker.at);
    }
    Baseline::Current(marker.at)
}

/// A template of the present files gives what the marked database was built with.
fn is_same(marker: &Marker, world: &World) -> bool {
    let Some(blueprint) = &world.blueprint else { return false };
    let of_these = world.beside(LabelKind::Template).filter_map(|(_, label)| label.built.as_ref());
    let mut of_these = of_these.filter(|built| built.blueprint == blueprint.hash);
    of_these.any(|built| built.fingerprint.is_some() && built.fingerprint == marker.fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Blueprint, Built, DatabaseName, Kind, Label, RoleName, Secret, Server, ServerState, Surroundings,
        Workspace,
    };

    fn marker() -> Marker {
        Marker {
            workspace: "w".to_owned(),
            system_identifier: "7".to_owned(),
            origin: Origin::Built,
            blueprint: Some("old".to_owned()),
            seeds: None,
            at: Timestamp::UNIX_EPOCH,
            fingerprint: Some("same".to_owned()),
            models: Some("models".to_owned()),
            counted: false,
            rows: None,
        }
    }

    fn database(name: &str, marker: Option<Marker>) -> Database {
        Database {
            name: DatabaseName::new(name).unwrap(),
            oid: 1,
            owner: RoleName::new("app").unwrap(),
            bytes: 1,
            open: true,
            broken: false,
            comment: None,
            label: None,
            marker,
            contents: None,
            sessions: Vec::new(),
            prepared: 0,
            slots: Vec::new(),
            active_slots: Vec::new(),
            stale_collation: false,
            subscriptions: 0,
            branch: None,
        }
    }

    /// Files of this hash, and a template of the hash `new` whose catalog has this fingerprint.
    fn world(files: &str, models: &str, fingerprint: &str) -> World {
        let of = DatabaseName::new("shop").unwrap();
        let built =
            Built { blueprint: "new".to_owned(), fingerprint: Some(fingerprint.to_owned()), bytes: 1 };
        let label = Label::new("w", LabelKind::Template, &of, Timestamp::UNIX_EPOCH);
        let label = Some(Label { built: Some(built), ..label });
        let template = Database { label, ..database("shop__base", None) };
        let server = Server {
            kind: Kind::Local,
            state: ServerState::Running,
            address: None,
            user: RoleName::new("app").unwrap(),
            password: Secret::default(),
            name: of.clone(),
            maintenance: of,
            system_identifier: "7".to_owned(),
            version: "17.1".to_owned(),
            standby: false,
            outside: crate::Outside::default(),
            databases: vec![template],
        };
        let blueprint = Blueprint {
            hash: files.to_owned(),
            bare: "bare".to_owned(),
            seeds: None,
            models: Some(models.to_owned()),
            migrations: Vec::new(),
            seed_files: Vec::new(),
        };
        World {
            now: Timestamp::UNIX_EPOCH,
            workspace: Workspace {
                root: "/shop".into(),
                id: "w".to_owned(),
                state: "/state".into(),
                first: false,
                called: "slate-".to_owned(),
                on_top: Vec::new(),
            },
            surroundings: Surroundings::default(),
            detected: None,
            files: None,
            blueprint: Some(blueprint),
            server: Some(server),
            engine: None,
            kept: Vec::new(),
            last_kept: 0,
            journal: Vec::new(),
            unfinished: Vec::new(),
            examined: crate::Examined::default(),
            carried: None,
            captured: None,
            git: None,
            revisions: None,
            draft: None,
        }
    }

    fn judged(marker: Option<Marker>, world: &World) -> Baseline {
        baseline(&database("shop", marker), world)
    }

    const THEN: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn the_same_files_or_files_that_give_the_same_are_current() {
        assert_eq!(judged(Some(marker()), &world("old", "models", "other")), Baseline::Current(THEN));
        assert_eq!(judged(Some(marker()), &world("new", "models", "same")), Baseline::Current(THEN));
    }

    #[test]
    fn other_files_are_stale_unless_a_template_proves_them_the_same() {
        assert_eq!(judged(Some(marker()), &world("new", "models", "other")), Baseline::Stale(THEN));
        assert_eq!(judged(Some(marker()), &world("newer", "models", "same")), Baseline::Stale(THEN));
    }

    #[test]
    fn other_models_over_the_same_migrations_are_told() {
        assert_eq!(judged(Some(marker()), &world("old", "edited", "x")), Baseline::ModelsChanged(THEN));
    }

    #[test]
    fn who_made_it_comes_before_what_is_in_it() {
        let world = world("old", "models", "same");
        let foreign = Marker { workspace: "another".to_owned(), ..marker() };
        let adopted = Marker { origin: Origin::Adopted, ..marker() };

        assert_eq!(judged(None, &world), Baseline::Unmarked);
        assert_eq!(judged(Some(foreign), &world), Baseline::Foreign("another".to_owned()));
        assert_eq!(judged(Some(adopted), &world), Baseline::Adopted(THEN));
        assert_eq!(judged(Some(marker()), &World { blueprint: None, ..world }), Baseline::NoFiles);
    }
}
