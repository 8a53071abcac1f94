//! The two plans of a capture: rows are written aside and proved, then the files take their place.

use plan::{
    Action, Built, Captured, Config, Database, DatabaseName, Exit, Expect, Fact, Fault, Label, LabelKind,
    Marker, Origin, Plan, SeedChange, Seeds, Server, Step, World, words,
};

use crate::seed::own_name;

/// The database that captured files are tried in; it may become a template.
const SCRATCH: &str = "__base_captured";

/// Writes the rows aside, and proves that they come back.
pub(crate) fn aside(
    plan: &mut Plan,
    config: &Config,
    world: &World,
    (server, live): (&Server, &Database),
    seeds: &Seeds,
    tables: &[String],
) -> Result<(), Fault> {
    let missing = |error: &str, key: &str| {
        Fault::new(Exit::Usage, error)
            .state("nothing was changed")
            .hint(format!("set {key} in cleanslate.toml"))
    };
    if config.migrations.tool.is_none() {
        return Err(missing(
            "there is nothing to prove a capture in: no migrations are configured",
            "migrations.tool",
        ));
    }
    if seeds.dir.is_none() {
        return Err(missing("there is no folder to write seeds into", "seeds.dir"));
    }
    plan.target = format!("Capture {} ({} server)", live.name, server.kind);
    plan.facts.push(Fact::new(
        "files",
        "shown once they are written aside and proved; asked about where one is there",
    ));
    if !live.open {
        let open = Action::OpenDatabase { database: live.name.clone() };
        plan.steps.push(Step::new(open, "an earlier run that did not end had closed it"));
    }
    let scratch = own_name(plan, world, server, SCRATCH);
    let label = Label::new(&world.workspace.id, LabelKind::Building, &server.name, world.now);
    let create = Action::CreateDatabase { database: scratch.clone(), owner: live.owner.clone(), label };
    let migrate = Action::Migrate { database: scratch.clone(), migrations: config.migrations.clone() };
    let capture = Action::CaptureSeeds {
        database: live.name.clone(),
        scratch: scratch.clone(),
        seeds: seeds.clone(),
        tables: tables.to_vec(),
        mask: config.seeds.mask.clone(),
    };
    let prove = Action::ProveCapture { scratch: scratch.clone(), seeds: seeds.clone() };
    let weight = 4 + live.bytes / 1_000_000;
    plan.steps.extend([
        Step::new(create, "the files are tried in it")
            .expects(Expect::Server { system_identifier: server.system_identifier.clone() })
            .expects(Expect::NoDatabase { name: scratch.clone() })
            .amend(Action::DiscardDatabase { database: scratch })
            .weight(2),
        Step::new(migrate, "rows of the migrations' own are told from yours").weight(4),
        Step::new(capture, "the database is only read").amend(Action::DiscardCapture).weight(weight),
        Step::new(prove, "what does not give the same rows is not kept").weight(weight),
    ]);
    Ok(())
}

/// Puts the proved files in their place. `is_whole`: they are what every fresh database gets.
pub(crate) fn keep(
    plan: &mut Plan,
    config: &Config,
    world: &World,
    server: &Server,
    seeds: &Seeds,
    is_whole: bool,
) -> Result<(), Fault> {
    let mut scratch = world.beside(LabelKind::Building).map(|(database, _)| database.name.clone());
    let scratch = scratch.find(|name| name.as_str().contains(SCRATCH));
    let (Some(captured), Some(scratch)) = (&world.captured, scratch) else {
        return Err(Fault::new(Exit::Failed, "nothing was captured")
            .cause("what was written aside is gone")
            .state("nothing was changed")
            .hint("run it again"));
    };
    let dir = seeds.dir.clone().unwrap_or_default();
    plan.target = format!("Capture {} into {dir}", server.name);
    plan.question = format!("Write over the files in {dir}?");
    tell(plan, captured, &dir);
    plan.steps.push(if captured.changes.is_empty() {
        Step::new(Action::DiscardCapture, "the files that are there are the same")
    } else {
        let keep = Action::KeepCapture { dir: dir.clone(), changes: captured.changes.clone() };
        Step::new(keep, "they are proved")
    });
    // What the files were proved in is what the next reset would build.
    if let Some(steps) = template(config, world, server, &scratch).filter(|_| is_whole) {
        plan.steps.extend(steps);
    } else {
        let discard = Action::DiscardDatabase { database: scratch };
        plan.steps.push(Step::new(discard, "it was made for the proof"));
    }
    let rows = words::count(captured.rows, "row");
    plan.closing.push(match captured.changes.len() as u64 {
        0 => format!("{dir} holds these {rows} already"),
        files => format!("{rows} in {dir}, {} changed, proved", words::count(files, "file")),
    });
    Ok(())
}

fn tell(plan: &mut Plan, captured: &Captured, dir: &str) {
    let text =
        format!("{} of {}", words::count(captured.rows, "row"), words::count(captured.tables, "table"));
    plan.facts.push(Fact::new("captured", text));
    if !captured.masked.is_empty() {
        plan.facts.push(Fact::new("masked", words::list(&captured.masked)));
    }
    for change in &captured.changes {
        let SeedChange { file, before, after, bytes, difference } = change;
        let verb = match (before, after) {
            (None, _) => "writes",
            (_, None) => "removes",
            _ => "writes over",
        };
        let size = if after.is_some() { format!(", {}", words::bytes(*bytes)) } else { String::new() };
        plan.facts.push(Fact::new(verb, format!("{dir}/{file}{size}")));
        plan.facts.extend(difference.iter().map(|line| Fact::new("", line)));
    }
    let replaced = captured.changes.iter().filter(|change| change.before.is_some()).count() as u64;
    if replaced > 0 {
        plan.asks.push(format!("{} there would be others, or gone", words::count(replaced, "file")));
    }
}

/// The steps that make a template of the database in which the files were proved; `None` where there is one already.
fn template(config: &Config, world: &World, server: &Server, scratch: &DatabaseName) -> Option<[Step; 2]> {
    let blueprint = world.blueprint.as_ref()?;
    let key = &blueprint.hash;
    let is_made = world.beside(LabelKind::Template).any(|(_, label)| label.blueprint() == Some(key.as_str()));
    if is_made || config.migrations.tool.is_none() {
        return None;
    }
    let marker = Marker {
        workspace: world.workspace.id.clone(),
        system_identifier: server.system_identifier.clone(),
        origin: Origin::Built,
        blueprint: Some(key.clone()),
        seeds: blueprint.seeds.clone(),
        at: world.now,
        fingerprint: None,
        models: blueprint.models.clone(),
        counted: false,
        rows: None,
    };
    let built = Built { blueprint: key.clone(), fingerprint: None, bytes: 0 };
    let label = Label::new(&world.workspace.id, LabelKind::Template, &server.name, world.now);
    let seal =
        Action::SealTemplate { database: scratch.clone(), label: Label { built: Some(built), ..label } };
    Some([
        Step::new(Action::Stamp { database: scratch.clone(), marker }, "the next run knows whose it is"),
        Step::new(seal, "it holds what the next reset would build"),
    ])
}
