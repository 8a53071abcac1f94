//! slate-init: finds the set-up of a workspace and writes the files that make cleanslate its own.

use std::collections::BTreeMap;

use clap::Parser;
use plan::{
    Action, Config, Detected, EngineFacts, Examining, Exit, Fact, Fault, Files, FoundMigrations, FoundSeeds,
    Plan, Reading, ServerState, Step, Wants, World, words,
};
use shell::{Command, Shared, Unknown};

use crate::adopt;
use crate::devcontainer;
use crate::justfile::{self, Block, DAILY, Joins};
use crate::written;

/// The first `just` that knows modules without asking for them, and the first that imports what may be missing.
const MODULES: (u32, u32) = (1, 31);
const IMPORTS: (u32, u32) = (1, 21);

const CONFIGURATION: &str = "cleanslate.toml";
const RECIPES: &str = "cleanslate.just";

/// Finds the set-up and writes cleanslate.toml and the recipes
///
/// Shows what it found and each file it would write, asks once, and writes. Run again, it changes nothing.
#[derive(Debug, Parser)]
#[command(
    name = "slate-init",
    version,
    after_help = "\
Examples:
  slate-init --detect
  slate-init --dry-run
  slate-init --take up,down,clean
  slate-init --adopt          the database of the URL becomes this workspace's to change
  slate-init --remove

It never touches the project's .env, its compose files or what other recipes say, and no database but with --adopt: that \
writes its mark into the one that you name, and changes no row."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Init {
    /// Only print what was found, with the reason for each value
    #[arg(long, conflicts_with_all = ["take", "guard", "remove"])]
    detect: bool,
    /// Only print a JSON Schema of cleanslate.toml, for editors
    #[arg(long, conflicts_with_all = ["detect", "take", "guard", "remove"])]
    schema: bool,
    /// Take the place of recipes of these names; the old ones stay, private, as NAME-original
    #[arg(long, value_name = "RECIPE", value_delimiter = ',')]
    take: Vec<String>,
    /// Put slate-guard before recipes that destroy
    #[arg(long, value_name = "RECIPE", value_delimiter = ',')]
    guard: Vec<String>,
    /// Wire the Dev Container with this Feature: a folder beside devcontainer.json, or a registry's name
    #[arg(long, value_name = "FEATURE", conflicts_with_all = ["detect", "schema"])]
    devcontainer: Option<String>,
    /// Make a database of an external server this workspace's; NAME is its name, for where nobody can be asked
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "",
          conflicts_with_all = ["detect", "schema", "take", "guard", "devcontainer", "remove"])]
    adopt: Option<String>,
    /// Have git say after a checkout whose database this is; a hook that is there already stays as it is
    #[arg(long, conflicts_with_all = ["detect", "schema", "remove"])]
    hook: bool,
    /// Take everything out of the workspace that slate-init wrote
    #[arg(long, conflicts_with_all = ["take", "guard", "devcontainer"])]
    remove: bool,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Init {
    const NAME: &'static str = "slate-init";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        if self.adopt.is_some() {
            let looks = Wants { databases: true, running: true, ..Wants::default() };
            return Wants { contents: Reading::Live, lock: true, ..looks };
        }
        if self.remove {
            // Kept databases stand in its way; a server that can't be asked is a fact, no fault.
            return Wants { databases: true, files: true, examine: Examining::Seen, ..Wants::default() };
        }
        Wants { engine: EngineFacts::Nothing, detection: true, files: !self.detect, ..Wants::default() }
    }

    fn unknown(&self, world: &World) -> Vec<Unknown> {
        let is_written = world.files.as_ref().is_none_or(|files| files.texts.contains_key(CONFIGURATION));
        let (false, Some(found)) = (
            self.detect || self.schema || self.remove || self.adopt.is_some() || is_written,
            &world.detected,
        ) else {
            return Vec::new();
        };
        let migrations = match &found.migrations {
            None => Some(Unknown {
                question: "Folder of SQL migrations, where there is one".to_owned(),
                learn: |world, dir| change(world, |found| found.migrations = Some(sql(dir))),
            }),
            Some(migrations) if migrations.is_told() => None,
            Some(migrations) => Some(Unknown {
                question: format!(
                    "Variable that gives `{}` its database's address, where you know",
                    migrations.command
                ),
                learn: |world, name| {
                    change(world, |found| {
                        if let Some(migrations) = found.migrations.as_mut() {
                            migrations.variable = Some(name);
                        }
                    });
                },
            }),
        };
        let seeds = found.seeds.as_ref().is_none_or(|seeds| seeds.dir.is_none()).then(|| Unknown {
            question: "Folder of SQL seed files, where there is one".to_owned(),
            learn: |world, dir| {
                change(world, |found| {
                    found.seeds = Some(FoundSeeds { dir: Some(dir), command: None });
                });
            },
        });
        migrations.into_iter().chain(seeds).collect()
    }

    fn plan(&self, _config: &Config, world: &World) -> Result<Plan, Fault> {
        if let Some(given) = &self.adopt {
            return adopt::plan(Self::NAME, Some(given.as_str()).filter(|given| !given.is_empty()), world);
        }
        let found = world.detected.clone().unwrap_or_default();
        let mut plan = Plan::new(Self::NAME, found.project.as_str());
        if self.detect {
            plan.facts = facts(&found);
            plan.answer = serde_json::to_value(&found).ok();
            return Ok(plan);
        }
        if self.schema {
            plan.closing = written::SCHEMA.lines().map(str::to_owned).collect();
            plan.answer = serde_json::from_str(written::SCHEMA).ok();
            return Ok(plan);
        }
        let files = world.files.clone().unwrap_or_default();
        if self.remove {
            removal(world, &files, &mut plan)?;
        } else {
            plan.facts = facts(&found);
            self.installation(&found, &files, &mut plan)?;
        }
        if plan.steps.is_empty() {
            plan.closing.push("Nothing to do: all is as slate-init leaves it.".to_owned());
        } else {
            "Write this?".clone_into(&mut plan.question);
            plan.asks.push(format!("it changes {}", words::count(plan.steps.len() as u64, "file")));
        }
        Ok(plan)
    }
}

impl Init {
    fn installation(&self, found: &Detected, files: &Files, plan: &mut Plan) -> Result<(), Fault> {
        let mut write = |path: &str, after: String, recipes: Option<Vec<String>>, why| {
            let before = files.texts.get(path).cloned();
            if before.as_ref() != Some(&after) {
                let path = path.to_owned();
                plan.steps
                    .push(Step::new(Action::WriteFile { path, before, after: Some(after), recipes }, why));
            }
        };
        // What is configured is the user's from then on.
        if !files.texts.contains_key(CONFIGURATION) {
            write(CONFIGURATION, written::configuration(found), None, "the set-up, to be read and mended");
        }
        let (block, taken) = self.block(files)?;
        match joined(files, &block, &taken)? {
            Ok((name, text, recipes)) => {
                write(RECIPES, written::recipes(&block), None, "every recipe of ours, as a module");
                write(&name, text, Some(recipes), "joins the module");
            }
            Err(why) => plan.facts.push(Fact::new("recipes", why)),
        }
        let left: Vec<&str> = DAILY
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !block.daily.iter().any(|daily| daily == name))
            .collect();
        if let Some(feature) = &self.devcontainer {
            let wired = devcontainer::wiring(found, files, feature)
                .map_err(|why| usage("the Dev Container was not wired".to_owned()).cause(why))?;
            for (path, text) in wired {
                write(path, text, None, "the container opens with its database ready");
            }
        } else if let Some(name) = devcontainer::file(files) {
            let text = format!("{name} stays as it is: --devcontainer FEATURE wires it");
            plan.facts.push(Fact::new("container", text));
        }
        match files.hook.as_ref().filter(|_| self.hook) {
            Some(path) if files.texts.get(path).is_some_and(|text| text != written::HOOK) => {
                let text = format!("{path} is yours and stays: add `slate-switch --remind` to it");
                plan.facts.push(Fact::new("hook", text));
            }
            Some(path) => write(path, written::HOOK.to_owned(), None, "git says whose database this is"),
            None if self.hook => plan.facts.push(Fact::new("hook", "there is no git here")),
            None => {}
        }
        if !left.is_empty() && files.justfile.is_some() {
            let names = left.join(",");
            let text = format!(
                "{} of your justfile stay yours; `slate-init --take {names}` takes their place",
                words::list(&left)
            );
            plan.facts.push(Fact::new("recipes", text));
        }
        Ok(())
    }

    /// What stands in the block, with what earlier runs put there, and which of the user's recipes are renamed.
    fn block(&self, files: &Files) -> Result<(Block, Vec<String>), Fault> {
        let text = files
            .justfile
            .as_ref()
            .and_then(|name| files.texts.get(name))
            .map(String::as_str)
            .unwrap_or_default();
        let (earlier, mut taken) = justfile::present(text).unwrap_or_default();
        let names: Vec<&String> =
            files.just.names.iter().filter(|name| !earlier.daily.contains(name)).collect();
        let has = |name: &str| names.iter().any(|there| *there == name);
        for name in &self.take {
            if !DAILY.iter().any(|(daily, _)| daily == name) {
                let known = words::list(DAILY.iter().map(|(name, _)| name));
                return Err(usage(format!("`{name}` is no recipe of cleanslate's"))
                    .cause(format!("{known} can be taken")));
            }
            if has(name) && !taken.contains(name) {
                taken.push(name.clone());
            }
        }
        let mut guarded = earlier.guarded;
        for name in &self.guard {
            if !has(name) {
                return Err(usage(format!("there is no recipe `{name}` to guard")));
            }
            if !guarded.contains(name) {
                guarded.push(name.clone());
            }
        }
        let free = |name: &str| !has(name) || taken.iter().any(|taken| taken == name);
        let daily = DAILY.iter().map(|(name, _)| (*name).to_owned()).filter(|name| free(name)).collect();
        let has_modules = files.just.version.is_none_or(|version| version >= MODULES);
        // What an older just of somebody's joined stays so: theirs goes on reading it.
        let joins = match justfile::present(text) {
            Some((earlier, _)) => earlier.joins,
            None if has_modules => Joins::Module,
            None => Joins::Import,
        };
        Ok((Block { joins, daily, guarded }, taken))
    }
}

fn change(world: &mut World, change: impl FnOnce(&mut Detected)) {
    if let Some(found) = world.detected.as_mut() {
        change(found);
    }
}

/// A folder of SQL files, as somebody names it.
fn sql(dir: String) -> FoundMigrations {
    FoundMigrations { tool: "sql".to_owned(), dir, home: "host".to_owned(), ..FoundMigrations::default() }
}

fn usage(error: String) -> Fault {
    Fault::new(Exit::Usage, error).state("nothing was changed")
}

/// The justfile with our block: its name, its text, and the names that may differ; or why it is left alone.
#[expect(clippy::type_complexity, reason = "one of two answers, used once")]
fn joined(
    files: &Files,
    block: &Block,
    taken: &[String],
) -> Result<Result<(String, String, Vec<String>), String>, Fault> {
    let Some(version) = files.just.version else {
        return Ok(Err("there is no `just` to join recipes with: the binaries work without".to_owned()));
    };
    if version < IMPORTS {
        let (major, minor) = version;
        return Ok(Err(format!(
            "just {major}.{minor} can't join recipes, 1.21 or newer can: cargo install just"
        )));
    }
    if let Some(fault) = &files.just.fault {
        return Err(Fault::new(Exit::Usage, "just does not accept the justfile")
            .cause(fault)
            .state("nothing was changed")
            .hint("just --list"));
    }
    let name = files.justfile.clone().unwrap_or_else(|| "justfile".to_owned());
    let text = files.texts.get(&name).map(String::as_str).unwrap_or_default();
    let mut names = written::names(block.joins);
    let there = files.just.names.iter().find(|name| names.contains(name));
    if let (None, Some(name)) = (justfile::present(text), there) {
        return Ok(Err(format!("`{name}` is taken in the justfile: the binaries work without")));
    }
    let text = justfile::with(text, block, taken).map_err(usage)?;
    names.extend(block.daily.iter().cloned());
    names.extend(taken.iter().map(|name| justfile::original(name)));
    names.extend(block.guarded.iter().cloned());
    names.extend(block.guarded.iter().map(|name| justfile::guard(name)));
    Ok(Ok((name, text, names)))
}

/// A file's text now, what stays of it, and the recipes that stay in it.
type Leaving = (String, Option<String>, Option<Vec<String>>);

/// Takes out what earlier runs wrote, and stops where data is kept.
fn removal(world: &World, files: &Files, plan: &mut Plan) -> Result<(), Fault> {
    let databases = words::count(world.put_by().count() as u64, "kept database");
    let copies = words::count(world.kept.len() as u64, "kept copy");
    let many: Vec<String> = [databases, copies].into_iter().filter(|many| !many.starts_with("0 ")).collect();
    if !many.is_empty() {
        let many = words::list(&many);
        return Err(Fault::new(Exit::Refused, "cleanslate was not removed")
            .cause(format!("{many} of your data would be left without a command that brings it back"))
            .state("nothing was changed")
            .hint(world.workspace.command("undo --list")));
    }
    let is_asked = world.server.as_ref().is_none_or(|server| server.state != ServerState::Stopped);
    if !(is_asked && world.examined.faults.is_empty()) {
        let text = "Postgres could not be asked: databases that it keeps stay there, with their labels";
        plan.facts.push(Fact::new("not looked", text));
    }
    let mut texts: BTreeMap<String, Leaving> = BTreeMap::new();
    for name in [CONFIGURATION, RECIPES] {
        if let Some(text) = files.texts.get(name) {
            texts.insert(name.to_owned(), (text.clone(), None, None));
        }
    }
    let theirs = files.justfile.as_ref().and_then(|name| Some((name, files.texts.get(name)?)));
    if let Some((name, text)) = theirs
        && let Some((block, taken)) = justfile::present(text)
    {
        let rest = justfile::without(text);
        let names = written::names(block.joins)
            .into_iter()
            .chain(block.daily)
            .chain(taken.iter().map(|name| justfile::original(name)));
        let guards = block.guarded.iter().map(|name| justfile::guard(name));
        let names: Vec<String> = names.chain(guards).chain(block.guarded.iter().cloned()).collect();
        let after = (!rest.is_empty()).then_some(rest);
        let recipes = (after.is_some() && files.just.version.is_some()).then_some(names);
        texts.insert(name.clone(), (text.clone(), after, recipes));
    }
    for (path, before, after) in devcontainer::unwiring(files) {
        texts.insert(path.to_owned(), (before, after, None));
    }
    if let Some((path, text)) = files.hook.as_ref().and_then(|path| Some((path, files.texts.get(path)?)))
        && text == written::HOOK
    {
        texts.insert(path.clone(), (text.clone(), None, None));
    }
    // The justfile first: without its module it would only lack recipes.
    for (path, (before, after, recipes)) in texts.into_iter().rev() {
        let action = Action::WriteFile { path, before: Some(before), after, recipes };
        plan.steps.push(Step::new(action, "slate-init wrote it"));
    }
    Ok(())
}

/// What was found, for a person.
fn facts(found: &Detected) -> Vec<Fact> {
    let why = |key: &str| found.because.get(key).map(|why| format!("  ({why})")).unwrap_or_default();
    let mut facts = vec![Fact::new("project", format!("{}{}", found.project, why("project")))];
    match &found.database {
        Some(database) => {
            facts.push(Fact::new(
                "compose files",
                format!("{}{}", found.compose_files.join(", "), why("compose_files")),
            ));
            facts.push(Fact::new("postgres", format!("{}{}", database.service, why("database.service"))));
            facts.push(Fact::new("database", format!("{}{}", database.name, why("database.name"))));
            facts.push(Fact::new("user", format!("{}{}", database.user, why("database.user"))));
            let volume = &database.volume;
            let name = volume.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            facts.push(Fact::new("volume", format!("{}{name}{}", volume.kind, why("database.volume"))));
        }
        None => facts.push(Fact::new("postgres", "none in compose files")),
    }
    if let Some(backend) = &found.backend {
        facts.push(Fact::new("backend", format!("{}{}", backend.service, why("backend.service"))));
    }
    if let Some(migrations) = &found.migrations {
        facts.push(Fact::new(
            "migrations",
            format!("{}: {}{}", migrations.tool, migrations.dir, why("migrations.tool")),
        ));
        let place = format!("{} in {}{}", migrations.command, migrations.home, why("migrations.command"));
        facts.push(Fact::new("applied by", place));
    }
    facts.extend(found.unread.iter().map(|what| Fact::new("not read", what)));
    facts.extend(found.noticed.iter().map(|what| Fact::new("left alone", what)));
    facts
}
