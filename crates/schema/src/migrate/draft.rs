//! Migrations that are written for somebody to read first: the next one, and the one that stands for all.

use plan::check::Side;
use plan::{
    Action, Config, DatabaseName, Draft, Exit, Fact, Fault, Plan, Revision, Revisions, Server, Step, Tool,
    World, guard, words,
};
use shell::Command as _;

use super::review::Review;
use super::{From, Migrate, live, one_head, scratch, usage};

/// Databases for the draft of the next migration, and the draft.
pub(super) fn revision(config: &Config, world: &World, chain: &Revisions, name: &str) -> Result<Plan, Fault> {
    if config.migrations.tool == Some(Tool::Command) {
        return Err(usage("a command does not tell how a migration is written"));
    }
    let server = guard::writable(world)?;
    guard::unedited(world)?;
    one_head(chain, world)?;
    let mut plan = Plan::new(Migrate::NAME, server.name.as_str());
    scratch::discard(&mut plan, world, server);
    let database = migrated(&mut plan, config, world, server);
    let alembic = config.migrations.tool == Some(Tool::Alembic);
    let open = world.live().filter(|live| live.open).map(|live| live.name.clone());
    let like = match &config.models.command {
        _ if alembic => None,
        Some(_) => Some(modelled(&mut plan, world, server, Some(&database))),
        None => open,
    };
    let path = if alembic { String::new() } else { next_path(config, chain, name, world)? };
    let draft = Action::DraftRevision { name: name.to_owned(), path, database, like };
    plan.steps.push(Step::new(draft, "it is shown before it is kept").weight(4));
    Ok(plan)
}

/// Databases for the draft of the baseline, and the draft.
pub(super) fn baseline(config: &Config, world: &World, chain: &Revisions, from: From) -> Result<Plan, Fault> {
    if config.migrations.tool == Some(Tool::Command) {
        return Err(usage("a command does not tell how a migration is written"));
    }
    let server = guard::writable(world)?;
    guard::unedited(world)?;
    one_head(chain, world)?;
    let root = chain.files.first().ok_or_else(|| usage("there is no migration to write anew"))?;
    if let Some(file) = chain.files.iter().find(|file| file.released) {
        return Err(Fault::new(Exit::Refused, format!("{} is released", file.path))
            .cause("a baseline would be written in its place")
            .state("nothing was changed")
            .hint(world.workspace.command("migrate new NAME")));
    }
    let mut plan = Plan::new(Migrate::NAME, server.name.as_str());
    scratch::discard(&mut plan, world, server);
    let alembic = config.migrations.tool == Some(Tool::Alembic);
    let (side, source, present) = match from {
        From::Migrations => (Side::Migrations, migrated(&mut plan, config, world, server), None),
        From::Live => (Side::Live, live(world)?.1.name.clone(), None),
        From::Models if !alembic && config.models.command.is_none() => {
            return Err(
                usage("models.command is missing").cause("only SQLAlchemy's models are known without one")
            );
        }
        From::Models => {
            // The models know nothing of extensions.
            let database = migrated(&mut plan, config, world, server);
            let source = modelled(&mut plan, world, server, Some(&database));
            (Side::Models, source, Some(database))
        }
    };
    let scratch = scratch::create(&mut plan, world, server, "proof");
    // Databases that are at the end of the chain are at the baseline that stands for it, then.
    let id = if alembic { chain.files.last().unwrap_or(root) } else { root };
    let (path, id) = (root.path.clone(), id.id.clone());
    let draft = Action::DraftBaseline { from: side, source, present, scratch, path, id };
    plan.steps.push(Step::new(draft, "it is shown before it is kept").weight(8));
    Ok(plan)
}

/// What alembic would run for these.
pub(super) fn statements(world: &World, chain: &Revisions, files: &[&Revision]) -> Option<Plan> {
    let (first, last) = (files.first()?, files.last()?);
    let server = world.server.as_ref()?;
    let mut plan = Plan::new(Migrate::NAME, server.name.as_str());
    let known = |parent: &&String| chain.files.iter().any(|file| file.id == **parent);
    let target = match first.parents.iter().find(known) {
        Some(parent) => format!("{parent}:{}", last.id),
        None => last.id.clone(),
    };
    let draft = Action::DraftStatements { database: server.name.clone(), target };
    plan.steps.push(Step::new(draft, "they are reviewed before they run"));
    Some(plan)
}

fn migrated(plan: &mut Plan, config: &Config, world: &World, server: &Server) -> DatabaseName {
    let database = scratch::create(plan, world, server, "migrations");
    let migrate = Action::Migrate { database: database.clone(), migrations: config.migrations.clone() };
    plan.steps.push(Step::new(migrate, "what the files build").weight(4));
    database
}

fn modelled(plan: &mut Plan, world: &World, server: &Server, after: Option<&DatabaseName>) -> DatabaseName {
    let database = scratch::create(plan, world, server, "models");
    let build = Action::BuildModels { database: database.clone(), after: after.cloned() };
    plan.steps.push(Step::new(build, "what the models describe").weight(4));
    database
}

fn drafted(world: &World) -> Result<&Draft, Fault> {
    let missing = || Fault::new(Exit::Failed, "there is no draft").state("nothing was changed");
    world.draft.as_ref().ok_or_else(missing)
}

/// The next migration goes into the project's folder.
pub(super) fn write(world: &World) -> Result<Plan, Fault> {
    let server = guard::writable(world)?;
    let draft = drafted(world)?;
    let mut plan = Plan::new(Migrate::NAME, server.name.as_str());
    plan.target = format!("Write {}", draft.path);
    if let Some(said) = &draft.said {
        plan.facts.push(Fact::new("hook", format!("failed, and the file is whole without it: {said}")));
    }
    plan.facts.extend(draft.differs.iter().map(|why| Fact::new("note", why)));
    match &draft.sql {
        Some(sql) => plan.facts.extend(Review::of(sql, "SQL").facts()),
        None => {
            plan.facts.push(Fact::new("can't tell", "alembic does not tell the statements (upgrade --sql)"));
        }
    }
    let write = Action::WriteFile {
        path: draft.path.clone(),
        before: None,
        after: Some(draft.text.clone()),
        recipes: None,
    };
    plan.steps.push(Step::new(write, "it was asked for"));
    scratch::discard(&mut plan, world, server);
    if !draft.text.is_empty() {
        plan.asks.push("a program wrote it: read it first".to_owned());
    }
    plan.question = format!("Keep {}?", draft.path);
    plan.closing.push(format!("{} is there: {}", draft.path, world.workspace.command("migrate up")));
    Ok(plan)
}

/// The baseline takes the place of the whole chain, and what was at the chain's end is at the baseline.
pub(super) fn replace(config: &Config, world: &World, chain: &Revisions, from: From) -> Result<Plan, Fault> {
    let server = guard::writable(world)?;
    let draft = drafted(world)?;
    let root = chain.files.first().ok_or_else(|| usage("there is no migration to write anew"))?;
    if let Some(first) = draft.differs.first() {
        let more = draft.differs.len() - 1;
        let more = if more == 0 {
            String::new()
        } else {
            format!(", and {} more", words::count(more as u64, "difference"))
        };
        return Err(Fault::new(Exit::Differs, "the new baseline does not give what it was written from")
            .cause(format!("{first}{more}"))
            .state("nothing was changed")
            .hint(world.workspace.command("check")));
    }
    let mut plan = Plan::new(Migrate::NAME, server.name.as_str());
    plan.target = format!("Write {} anew", root.path);
    if let Some(said) = &draft.said {
        plan.facts.push(Fact::new("hook", format!("failed, and the file is whole without it: {said}")));
    }
    let side = match from {
        From::Migrations => "the migrations",
        From::Models => "the models",
        From::Live => "the live database",
    };
    plan.facts.push(Fact::new("proved", format!("a database built from it has 0 findings against {side}")));
    for file in chain.files.iter().skip(1) {
        plan.facts.push(Fact::new("replaces", &file.path));
    }
    for what in &draft.leaves {
        plan.facts
            .push(Fact::new("leaves out", format!("{what}: the present migrations make it, no model does")));
    }
    let edit = |file: &Revision, after: Option<String>| Action::WriteFile {
        path: file.path.clone(),
        before: Some(file.text.clone()),
        after,
        recipes: None,
    };
    if draft.text != root.text {
        plan.steps.push(Step::new(edit(root, Some(draft.text.clone())), "it stands for all"));
        plan.asks.push("a program wrote it: read it first".to_owned());
    }
    for file in chain.files.iter().skip(1) {
        plan.steps.push(Step::new(edit(file, None), "it is in the baseline"));
    }
    adopt(&mut plan, config, world, chain, from);
    scratch::discard(&mut plan, world, server);
    plan.question = format!("Keep {}?", root.path);
    plan.closing.push(format!("{} is the baseline", root.path));
    Ok(plan)
}

/// A live database that has everything the baseline has needs no rebuild.
fn adopt(plan: &mut Plan, config: &Config, world: &World, chain: &Revisions, from: From) {
    let Some(live) = world.live().filter(|live| guard::own_database(live, &world.workspace).is_ok()) else {
        return;
    };
    let is_whole = chain.told && chain.files.iter().all(|file| file.applied && !file.edited);
    if from == From::Models || config.migrations.tool == Some(Tool::Command) || !is_whole {
        plan.closing.push(format!("`{}` is as it was: {}", live.name, world.workspace.command("rebuild")));
        return;
    }
    let database = live.name.clone();
    let adopt = Action::AdoptBaseline { database: database.clone() };
    plan.facts.push(Fact::new("adopts", format!("{database}: it was at the end of the chain")));
    plan.steps.push(Step::new(adopt, "it has all that the baseline has"));
    plan.steps.push(Step::new(Action::NoteBlueprint { database }, "it is of these files from here on"));
}

/// A file for the next migration, named as the ones before it are.
fn next_path(config: &Config, chain: &Revisions, name: &str, world: &World) -> Result<String, Fault> {
    let last = chain.files.last().map(Revision::name).unwrap_or_default();
    let digits = last.find(|c: char| !c.is_ascii_digit()).unwrap_or(last.len());
    let (number, rest) = last.split_at(digits);
    let by_time = number.len() >= 12 || (last.is_empty() && config.migrations.tool == Some(Tool::Sqlx));
    let number = if by_time {
        world.now.strftime("%Y%m%d%H%M%S").to_string()
    } else {
        let next = number.parse::<u64>().unwrap_or(0) + 1;
        format!("{next:0width$}", width = number.len())
    };
    let separator = if rest.starts_with('-') { '-' } else { '_' };
    let end = if last.ends_with(".up.sql") { ".up.sql" } else { ".sql" };
    let dir = config.migrations.dir.as_deref().unwrap_or_default().trim_end_matches('/');
    let file = format!("{number}{separator}{}{end}", plan::slug(name));
    if config.migrations.tool == Some(Tool::Sql) && file.as_str() < last {
        return Err(usage(format!("`{file}` would apply before `{last}`"))
            .cause("a folder of SQL files applies in the order of their names")
            .hint("give the files numbers with zeros in front: 009, 010"));
    }
    Ok(format!("{dir}/{file}"))
}
