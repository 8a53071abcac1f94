//! slate-snapshot: named copies of the workspace's database, on its server or in a file.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use plan::{
    Action, Config, Data, Database, EngineFacts, Exit, Expect, Fact, Fault, KeptAs, Label, LabelKind, Marker,
    Origin, Plan, Reading, Server, Step, Wants, World, guard, words,
};
use shell::{Command, Shared};

use crate::around::Around;
use crate::kept;
use crate::next::Recipe;
use crate::replace::{self, Swap};

/// Longest name of a snapshot, in characters: a list shows it in one line.
const LONGEST: usize = 80;

/// Saves the database under a name, brings such a copy back, and moves copies between machines by files
///
/// A snapshot is a database of its own on the same server, closed to connections. It stays until it is deleted.
#[derive(Debug, Parser)]
#[command(
    name = "slate-snapshot",
    version,
    after_help = "\
Examples:
  slate-snapshot save 'before the demo'      a copy; nobody gets in while it is made
  slate-snapshot restore 'before the demo'   a copy of it takes the name; see slate-undo
  slate-snapshot export shop.dump            the database into a file, mode 0600
  slate-snapshot import prod.sql.gz          what a dump holds becomes the database

It touches this workspace's own databases alone. A file that is there is never written over. A dump that is cut off, or \
that this Postgres does not understand, changes nothing."
)]
pub struct Snapshot {
    /// What to do
    #[arg(value_enum, default_value = "list", hide_default_value = true)]
    verb: Verb,
    /// The snapshot's name; a file for export and import
    #[arg(value_name = "NAME")]
    subject: Option<String>,
    /// With export: this snapshot instead of the database
    #[arg(long, value_name = "NAME")]
    of: Option<String>,
    #[command(flatten)]
    shared: Shared,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Verb {
    /// Every snapshot: age, size, baseline, Postgres
    List,
    /// Copy the database under a name
    Save,
    /// Bring a copy back under the database's name
    Restore,
    /// Remove a copy for good; asks
    Delete,
    /// Write the database into a compressed file
    Export,
    /// Make the database what a dump holds: SQL, .sql.gz or an archive of `pg_dump`
    Import,
}

impl Command for Snapshot {
    const NAME: &'static str = "slate-snapshot";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        let reads = matches!(self.verb, Verb::List | Verb::Delete);
        Wants {
            engine: EngineFacts::Server,
            databases: true,
            contents: if reads { Reading::Nothing } else { Reading::Rows },
            blueprint: true,
            lock: self.verb != Verb::List,
            running: true,
            ..Wants::default()
        }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        let server = guard::server(world)?;
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        if self.verb == Verb::List {
            plan.facts = list(world);
            return Ok(plan);
        }
        let server = guard::writable(world)?;
        let recipe = Recipe { config, world, server, seeds: None, to: None };
        match self.verb {
            Verb::List => {}
            Verb::Save => save(&mut plan, &recipe, &self.name()?)?,
            Verb::Restore => self.restore(&mut plan, &recipe, &self.name()?)?,
            Verb::Delete => delete(&mut plan, world, &self.name()?)?,
            Verb::Export => self.export(&mut plan, world, server)?,
            Verb::Import => self.import(&mut plan, &recipe)?,
        }
        Ok(plan)
    }
}

/// Every snapshot, the newest first.
fn list(world: &World) -> Vec<Fact> {
    let mut all: Vec<(&Database, &Label)> = world.beside(LabelKind::Saved).collect();
    all.sort_by_key(|(_, label)| std::cmp::Reverse(label.at));
    let line = |(database, label): &(&Database, &Label)| {
        let version =
            label.version.as_ref().map(|version| format!(", Postgres {version}")).unwrap_or_default();
        Fact::new(
            label.name.clone().unwrap_or_default(),
            format!("{}{version}", kept::line(database, label, world)),
        )
    };
    if all.is_empty() { vec![Fact::new("Saved", "nothing")] } else { all.iter().map(line).collect() }
}

/// Copies the live database. Postgres copies none that somebody is connected to.
fn save(plan: &mut Plan, recipe: &Recipe<'_>, name: &str) -> Result<(), Fault> {
    let (world, server) = (recipe.world, recipe.server);
    let live = live(world)?;
    if found(world, name).is_ok() {
        return Err(usage(format!("there is a snapshot `{name}` already"))
            .hint(world.workspace.command(&format!("snapshot delete {}", words::shell(name)))));
    }
    plan.target = format!("Save {} on {}", live.name, replace::place(server, world));
    plan.question = format!("Save {}?", live.name);
    let contents = live.contents.as_ref();
    plan.facts.push(Fact::new(
        "saves",
        contents.map_or_else(|| words::bytes(live.bytes), |one| one.line(world.now)),
    ));
    replace::disconnects(plan, live);
    if !live.sessions.is_empty() {
        plan.facts.push(Fact::new("", "they are cut off, and nobody gets in while it is copied"));
    }
    plan.data.push(Data::Database { name: live.name.clone(), oid: live.oid });
    let (n, saved) = replace::put_by_name(world, server, "__saved_");
    let marker = live.marker.as_ref();
    let built = marker.and_then(|marker| {
        let (blueprint, fingerprint) = (marker.blueprint.clone()?, marker.fingerprint.clone());
        Some(plan::Built { blueprint, fingerprint, bytes: live.bytes })
    });
    let rows = contents.map(|contents| contents.rows);
    let kept = KeptAs { n, bytes: live.bytes, rows, by: "save".to_owned(), why: None };
    let label = Label {
        built,
        kept: Some(kept),
        name: Some(name.to_owned()),
        version: Some(server.version.clone()),
        ..recipe.label(LabelKind::Saved)
    };
    let expect = Expect::Database { name: live.name.clone(), oid: live.oid };
    let [close, open, end] = quiet(live);
    plan.steps.extend([
        Step::new(close, "a pool would come back at once").expects(expect).amend(open.clone()),
        Step::new(end, "Postgres copies no database that is in use").bound(),
        recipe.copy(&live.name, &saved, live.bytes, "it was asked for").weight(1 + live.bytes / 1_000_000),
        Step::new(open, "it is copied").bound(),
        Step::new(Action::CloseDatabase { database: saved.clone() }, "a snapshot stays as it is"),
        Step::new(Action::Label { database: saved, label }, "from here on it is listed"),
    ]);
    let back = world.workspace.command(&format!("snapshot restore {}", words::shell(name)));
    plan.closing.push(format!("Saved; it stays until it is deleted: {back}"));
    Ok(())
}

/// Close it, open it again, end who is on it.
fn quiet(database: &Database) -> [Action; 3] {
    let database = &database.name;
    [
        Action::CloseDatabase { database: database.clone() },
        Action::OpenDatabase { database: database.clone() },
        Action::EndSessions { database: database.clone() },
    ]
}

/// Removes a snapshot, which nothing brings back.
fn delete(plan: &mut Plan, world: &World, name: &str) -> Result<(), Fault> {
    let (database, label) = found(world, name)?;
    plan.facts.push(Fact::new("removes", kept::line(database, label, world)));
    plan.question = format!("Delete {name}?");
    kept::give_up(plan, database, label, "it was asked for");
    plan.closing.push(format!("`{name}` is deleted"));
    Ok(())
}

impl Snapshot {
    /// A clone of the snapshot takes the live name; the snapshot itself stays.
    fn restore(&self, plan: &mut Plan, recipe: &Recipe<'_>, name: &str) -> Result<(), Fault> {
        let world = recipe.world;
        let (saved, label) = found(world, name)?;
        plan.target = format!("Restore {} on {}", recipe.server.name, replace::place(recipe.server, world));
        plan.question = format!("Restore {name}?");
        plan.facts.push(Fact::new("restores", kept::line(saved, label, world)));
        let bytes = label.kept.as_ref().map_or(0, |kept| kept.bytes);
        if saved.open {
            let close = Action::CloseDatabase { database: saved.name.clone() };
            plan.steps.push(Step::new(close, "an export that did not end had opened it"));
            plan.steps
                .push(Step::new(Action::EndSessions { database: saved.name.clone() }, "nobody uses it"));
        }
        let built = world.live().and_then(|live| live.marker.as_ref()?.blueprint.as_deref());
        let stale = built.is_none() || built != label.blueprint();
        let around = Around::new(Self::NAME, recipe.config, world, stale)?;
        let next = recipe.copy_of(plan, &saved.name, bytes, "__next");
        self.replace(plan, recipe, &next, &around, "restore")?;
        plan.closing.insert(0, format!("`{}` is what `{name}` holds", recipe.server.name));
        Ok(())
    }

    /// The complete next database takes the live name, by a swap where there is a live one.
    fn replace(
        &self,
        plan: &mut Plan,
        recipe: &Recipe<'_>,
        next: &plan::DatabaseName,
        around: &Around<'_>,
        by: &'static str,
    ) -> Result<(), Fault> {
        let (world, server) = (recipe.world, recipe.server);
        let live = world.live();
        if let Some(live) = live {
            guard::own_database(live, &world.workspace)?;
            guard::renamable(live)?;
            replace::tell(plan, live, world);
        }
        around.before(plan);
        match live {
            Some(live) => {
                let (n, kept) = Swap { world, server, live, next, by, carry: true, rest: None }.plan(plan);
                if self.shared.no_undo {
                    replace::give_up(plan, live, n, kept);
                    plan.facts.push(Fact::new("no way back", "--no-undo keeps nothing"));
                } else {
                    let back = world.workspace.command("undo");
                    plan.facts
                        .push(Fact::new("keeps", format!("the old one as {kept}: {back} brings it back")));
                    plan.closing.push(format!("The old one is kept: {back}"));
                }
            }
            None => replace::take_name(plan, server, next, None),
        }
        around.tell(plan);
        around.after(plan);
        around.still(plan);
        Ok(())
    }

    fn export(&self, plan: &mut Plan, world: &World, server: &Server) -> Result<(), Fault> {
        let file = self.file()?;
        let saved = self.of.as_deref().map(|name| found(world, name)).transpose()?;
        let (database, what) = if let Some((saved, label)) = saved {
            (saved, kept::line(saved, label, world))
        } else {
            let live = live(world)?;
            let contents = live.contents.as_ref().map(|contents| contents.line(world.now));
            (live, contents.unwrap_or_else(|| words::bytes(live.bytes)))
        };
        plan.target = format!("Export from {}", replace::place(server, world));
        plan.facts.push(Fact::new("exports", what));
        plan.data.push(Data::Database { name: database.name.clone(), oid: database.oid });
        let [close, open, end] = quiet(database);
        let expect = Expect::Database { name: database.name.clone(), oid: database.oid };
        if !database.open {
            let why = "Postgres reads no closed database";
            let step = Step::new(open, why).expects(expect.clone());
            plan.steps.push(if saved.is_some() { step.amend(close.clone()) } else { step });
        }
        let export = Action::ExportDatabase { database: database.name.clone(), file };
        plan.steps.push(
            Step::new(export, "it was asked for").expects(expect).weight(1 + database.bytes / 1_000_000),
        );
        if saved.is_some() {
            plan.steps.push(Step::new(close, "a snapshot stays as it is"));
            plan.steps.push(Step::new(end, "our own has read it").bound());
        }
        Ok(())
    }

    /// What the file holds is loaded aside; only what is whole takes the live name.
    fn import(&self, plan: &mut Plan, recipe: &Recipe<'_>) -> Result<(), Fault> {
        let (world, server) = (recipe.world, recipe.server);
        let file = self.file()?;
        plan.target = format!("Import into {} on {}", server.name, replace::place(server, world));
        plan.question = format!("Import {}?", file.display());
        plan.facts.push(Fact::new("imports", file.display().to_string()));
        let around = Around::new(Self::NAME, recipe.config, world, true)?;
        let next = recipe.empty(plan, "__next");
        let import = Action::ImportDatabase { database: next.clone(), file };
        plan.steps.push(Step::new(import, "beside the present one, which serves on").weight(20));
        let marker = Marker {
            workspace: world.workspace.id.clone(),
            system_identifier: server.system_identifier.clone(),
            // Nobody knows what it was built from: every row in it is the user's.
            origin: Origin::Adopted,
            blueprint: None,
            seeds: None,
            at: world.now,
            fingerprint: None,
            models: None,
            counted: false,
            rows: None,
        };
        let stamp = Action::Stamp { database: next.clone(), marker };
        plan.steps.push(Step::new(stamp, "the next run knows whose it is"));
        self.replace(plan, recipe, &next, &around, "import")?;
        plan.closing.insert(0, format!("`{}` is what the file holds", server.name));
        Ok(())
    }

    fn name(&self) -> Result<String, Fault> {
        let name = self.subject.clone().ok_or_else(|| {
            usage("which snapshot?".to_owned()).cause("its name is missing").hint("slate-snapshot list")
        })?;
        let why = match name.chars().count() {
            0 => "it is empty",
            many if many > LONGEST => "it has more than 80 characters",
            _ if name.chars().any(char::is_control) => "it holds a control character",
            _ => return Ok(name),
        };
        Err(usage("that is no name for a snapshot".to_owned()).cause(why))
    }

    fn file(&self) -> Result<PathBuf, Fault> {
        let file = self.subject.clone().filter(|file| !file.is_empty());
        file.map(PathBuf::from).ok_or_else(|| usage("which file?".to_owned()).cause("its path is missing"))
    }
}

/// The snapshot of this name; the newest, should two runs at once have made two.
fn found<'a>(world: &'a World, name: &str) -> Result<(&'a Database, &'a Label), Fault> {
    let all = || world.beside(LabelKind::Saved).filter_map(|one| Some((one.1.name.as_deref()?, one)));
    let named = all().filter(|(known, _)| *known == name).map(|(_, one)| one);
    named.max_by_key(|(_, label)| label.at).ok_or_else(|| {
        let fault = usage(format!("there is no snapshot `{name}`"));
        match words::nearest(name, all().map(|(known, _)| known)) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint(world.workspace.command("snapshot list")),
        }
    })
}

/// The workspace's own database, fit to be copied.
fn live(world: &World) -> Result<&Database, Fault> {
    let name = world.name().map(ToString::to_string).unwrap_or_default();
    let live = world.live().ok_or_else(|| {
        Fault::new(Exit::NotReady, format!("there is no `{name}` now"))
            .state("nothing was changed")
            .hint(world.workspace.command("up"))
    })?;
    guard::own_database(live, &world.workspace)?;
    guard::renamable(live)?;
    Ok(live)
}

fn usage(error: String) -> Fault {
    Fault::new(Exit::Usage, error).state("nothing was changed")
}
