//! How the next database comes to be: the spare, else a clone of the template, else a template built first. All of it
//! beside the live one, which serves on.

use plan::{
    Action, Built, Config, DatabaseName, Exit, Expect, Fault, Label, LabelKind, Marker, Migrations, Origin,
    Plan, Seeding, Seeds, Server, Step, World,
};

/// What the next database is to hold.
pub(crate) struct Recipe<'a> {
    pub config: &'a Config,
    pub world: &'a World,
    pub server: &'a Server,
    /// The seeds, unless they are left out.
    pub seeds: Option<Seeds>,
    /// The migration to stop at, instead of the last one.
    pub to: Option<String>,
}

impl Recipe<'_> {
    /// The hash that a template and a spare of these contents are known by.
    pub fn key(&self) -> Option<&str> {
        let blueprint = self.world.blueprint.as_ref().filter(|_| self.to.is_none())?;
        Some(if self.seeds.is_some() { &blueprint.hash } else { &blueprint.bare })
    }

    /// Plans the steps that make it, and says its name.
    ///
    /// # Errors
    /// No migrations are configured.
    pub fn make(&self, plan: &mut Plan) -> Result<DatabaseName, Fault> {
        match self.made(LabelKind::Spare) {
            Some((spare, _)) => {
                self.is_possible()?;
                Ok(spare.name.clone())
            }
            None => self.open(plan),
        }
    }

    /// As [`Self::make`], but never a spare: one that rows can be put into, under a name of its own.
    ///
    /// # Errors
    /// No migrations are configured.
    pub fn open(&self, plan: &mut Plan) -> Result<DatabaseName, Fault> {
        let Some(key) = self.key() else { return self.direct(plan) };
        self.is_possible()?;
        let (template, bytes) = match self.made(LabelKind::Template) {
            Some((template, label)) => {
                (template.name.clone(), label.built.as_ref().map_or(0, |built| built.bytes))
            }
            None => (self.build_template(plan, key), 0),
        };
        Ok(self.clone_of(plan, &template, bytes, "__next"))
    }

    /// The same without a template.
    ///
    /// # Errors
    /// No migrations are configured.
    pub fn direct(&self, plan: &mut Plan) -> Result<DatabaseName, Fault> {
        self.is_possible()?;
        Ok(self.build(plan, "__next"))
    }

    fn is_possible(&self) -> Result<(), Fault> {
        if self.config.migrations.tool.is_some() {
            return Ok(());
        }
        Err(Fault::new(Exit::Usage, "there is nothing to build a new database from")
            .cause("no migrations are configured")
            .state("nothing was changed")
            .hint("set migrations.tool and migrations.dir in cleanslate.toml"))
    }

    /// The spare or template of these contents.
    pub fn made(&self, kind: LabelKind) -> Option<(&plan::Database, &Label)> {
        let key = self.key()?;
        let fits = |(database, label): &(&plan::Database, &Label)| {
            label.blueprint() == Some(key) && !database.open && !database.stale_collation
        };
        self.world.beside(kind).find(fits)
    }

    /// Plans a template of these contents, where there is none.
    ///
    /// # Errors
    /// No migrations are configured.
    pub fn template(&self, plan: &mut Plan) -> Result<(), Fault> {
        self.is_possible()?;
        if let (Some(key), None) = (self.key(), self.made(LabelKind::Template)) {
            self.build_template(plan, key);
        }
        Ok(())
    }

    fn build_template(&self, plan: &mut Plan, key: &str) -> DatabaseName {
        let stem = format!("__base_{}", key.get(..8).unwrap_or(key));
        let template = self.build(plan, &stem);
        let built = Built { blueprint: key.to_owned(), fingerprint: None, bytes: 0 };
        let label = Label { built: Some(built), ..self.label(LabelKind::Template) };
        let seal = Action::SealTemplate { database: template.clone(), label };
        plan.steps.push(Step::new(seal, "the resets after this one only clone it"));
        template
    }

    /// A database from nothing, complete but for its name.
    fn build(&self, plan: &mut Plan, stem: &str) -> DatabaseName {
        let next = self.empty(plan, stem);
        let migrations = Migrations { to: self.to.clone(), ..self.config.migrations.clone() };
        let migrate = Action::Migrate { database: next.clone(), migrations };
        plan.steps.push(Step::new(migrate, "the baseline").weight(4));
        if let Some(seeds) = self.seeds.clone() {
            let seed = Action::Seed { database: next.clone(), seeds, seeding: Seeding::Always };
            plan.steps.push(Step::new(seed, "the rows that everybody starts with").weight(4));
        }
        plan.steps.push(self.stamp(&next));
        next
    }

    /// A database that holds nothing, with the label of one that is being built.
    pub fn empty(&self, plan: &mut Plan, stem: &str) -> DatabaseName {
        let next = self.free_name(stem, &mut plan.steps);
        let owner = self.world.live().map_or(&self.server.user, |live| &live.owner).clone();
        let label = self.label(LabelKind::Building);
        let create = Action::CreateDatabase { database: next.clone(), owner, label };
        let create = Step::new(create, "the present one serves until the new one stands");
        plan.steps.push(self.guarded(create, &next).weight(2));
        next
    }

    /// A clone of a template, marked, with the label of one that is being built.
    pub fn clone_of(&self, plan: &mut Plan, template: &DatabaseName, bytes: u64, stem: &str) -> DatabaseName {
        let next = self.copy_of(plan, template, bytes, stem);
        plan.steps.push(self.stamp(&next));
        next
    }

    /// As [`Self::clone_of`], with the marker that its original has.
    pub fn copy_of(&self, plan: &mut Plan, from: &DatabaseName, bytes: u64, stem: &str) -> DatabaseName {
        let next = self.free_name(stem, &mut plan.steps);
        plan.steps.push(self.copy(from, &next, bytes, "quicker than to build it again"));
        next
    }

    /// The step that clones.
    pub fn copy(&self, from: &DatabaseName, to: &DatabaseName, bytes: u64, why: &'static str) -> Step {
        let label = self.label(LabelKind::Building);
        let clone = Action::CloneDatabase { from: from.clone(), to: to.clone(), label, bytes };
        self.guarded(Step::new(clone, why).weight(3), to)
    }

    fn guarded(&self, step: Step, next: &DatabaseName) -> Step {
        step.expects(Expect::Server { system_identifier: self.server.system_identifier.clone() })
            .expects(Expect::NoDatabase { name: next.clone() })
            .amend(Action::DiscardDatabase { database: next.clone() })
    }

    fn stamp(&self, database: &DatabaseName) -> Step {
        let blueprint = self.world.blueprint.as_ref();
        let marker = Marker {
            workspace: self.world.workspace.id.clone(),
            system_identifier: self.server.system_identifier.clone(),
            origin: Origin::Built,
            blueprint: blueprint.filter(|_| self.to.is_none()).map(|blueprint| blueprint.hash.clone()),
            seeds: blueprint.filter(|_| self.seeds.is_some()).and_then(|blueprint| blueprint.seeds.clone()),
            at: self.world.now,
            fingerprint: None,
            models: blueprint.and_then(|blueprint| blueprint.models.clone()),
            counted: false,
            rows: None,
        };
        Step::new(Action::Stamp { database: database.clone(), marker }, "the next run knows whose it is")
    }

    pub fn label(&self, kind: LabelKind) -> Label {
        Label::new(&self.world.workspace.id, kind, &self.server.name, self.world.now)
    }

    /// A name for a new database. What an earlier run left half-built under it goes; anything else that has it stays.
    fn free_name(&self, stem: &str, steps: &mut Vec<Step>) -> DatabaseName {
        for n in 1.. {
            let suffix = if n == 1 { stem.to_owned() } else { format!("{stem}_{n}") };
            let name = self.server.name.suffixed(&suffix);
            let taken = self.server.databases.iter().find(|database| database.name == name);
            let Some(taken) = taken else { return name };
            let half_built = |label: &Label| {
                label.workspace == self.world.workspace.id && label.kind == LabelKind::Building
            };
            if taken.label.as_ref().is_some_and(half_built) {
                let discard = Action::DiscardDatabase { database: name.clone() };
                steps.push(Step::new(discard, "an earlier run did not finish it"));
                return name;
            }
        }
        self.server.name.suffixed(stem)
    }
}

#[cfg(test)]
mod tests {
    use plan::Database;

    use super::*;
    use crate::sample::{config, database, labelled, steps, with_databases};

    /// The steps that make the next database, and its name.
    fn made(beside: &[Database], seeds: bool, to: Option<&str>) -> (Vec<String>, String) {
        let (config, world) = (config(), with_databases(beside));
        let server = world.server.as_ref().unwrap();
        let seeds = config.seeds.usual().filter(|_| seeds && to.is_none());
        let recipe = Recipe { config: &config, world: &world, server, seeds, to: to.map(str::to_owned) };
        let mut plan = Plan::new("slate-reset", "shop");
        let name = recipe.make(&mut plan).unwrap();
        (steps(&plan), name.to_string())
    }

    fn clone(from: &str) -> [String; 2] {
        [format!("clone {from} to shop__next"), "mark shop__next as this workspace's".to_owned()]
    }

    #[test]
    fn the_spare_is_taken_as_it_is() {
        let spare = labelled("__spare", 3, LabelKind::Spare, "new");

        assert_eq!(made(&[spare], true, None), (Vec::new(), "shop__spare".to_owned()));
    }

    #[test]
    fn without_a_spare_the_template_is_cloned() {
        let template = labelled("__base_new", 2, LabelKind::Template, "new");

        assert_eq!(made(&[template], true, None).0, clone("shop__base_new"));
    }

    #[test]
    fn without_a_template_one_is_built_and_sealed_before_it_is_cloned() {
        let (told, name) = made(&[], true, None);

        let built = ["create", "migrate", "seed", "mark", "seal template", "clone"];
        let begins = |(told, built): (&String, &&str)| told.starts_with(&format!("{built} shop__base_new"));
        assert!(told.iter().zip(&built).all(|pair| begins(pair) || pair.0.starts_with("mark")), "{told:?}");
        assert_eq!((told.len(), name.as_str()), (7, "shop__next"));
        assert_eq!(told[5..], clone("shop__base_new"));
    }

    #[test]
    fn an_open_template_and_one_of_an_old_collation_are_built_again() {
        let mut open = labelled("__base_new", 2, LabelKind::Template, "new");
        open.open = true;
        let mut stale = labelled("__base_new", 2, LabelKind::Template, "new");
        stale.stale_collation = true;

        for template in [open, stale] {
            // Its name is taken.
            assert!(made(&[template], true, None).0[0].starts_with("create shop__base_new_2"));
        }
    }

    #[test]
    fn without_seeds_it_is_another_template() {
        let template = labelled("__base_new", 2, LabelKind::Template, "new");

        let (told, _) = made(&[template], false, None);

        assert_eq!(told[0], "create shop__base_bare");
        assert!(told.iter().all(|told| !told.starts_with("seed")), "{told:?}");
    }

    #[test]
    fn a_version_is_built_for_once_and_no_template_is_left() {
        let (told, _) = made(&[labelled("__spare", 3, LabelKind::Spare, "new")], true, Some("2"));

        assert_eq!(told, ["create shop__next", "migrate shop__next", "mark shop__next as this workspace's"]);
    }

    #[test]
    fn a_half_built_one_goes_and_any_other_keeps_its_name() {
        let template = labelled("__base_new", 2, LabelKind::Template, "new");
        let half = labelled("__next", 3, LabelKind::Building, "new");

        let (told, _) = made(&[template.clone(), half], true, None);
        let (_, beside) = made(&[template, database("__next", 3)], true, None);

        assert_eq!(told[0], "discard shop__next");
        assert_eq!(beside, "shop__next_2");
    }
}
