//! What is only told: status, history, review.

use plan::{Config, Fact, Finding, Plan, Revision, Revisions, World, words};
use serde_json::json;

use super::review::Review;
use super::{Migrate, line};
use shell::Command as _;

/// How the live database stands to the files, and the files to each other.
pub(super) fn status(config: &Config, world: &World, chain: &Revisions) -> Plan {
    let mut plan = Plan::new(Migrate::NAME, world.name().map_or("migrations", plan::DatabaseName::as_str));
    let ids =
        |files: &mut dyn Iterator<Item = &Revision>| files.map(|file| file.id.clone()).collect::<Vec<_>>();
    let files = chain.files.iter();
    let applied = ids(&mut files.clone().filter(|file| file.applied));
    let pending = if chain.told { ids(&mut chain.pending()) } else { Vec::new() };
    let edited = ids(&mut files.clone().filter(|file| file.edited));
    let heads = ids(&mut chain.heads());
    let released = ids(&mut files.clone().filter(|file| file.released));
    let tool = config.migrations.tool.map(|tool| tool.to_string()).unwrap_or_default();
    let count = |list: &[String]| words::count(list.len() as u64, "migration");
    let at = match (chain.told, world.live()) {
        (true, _) => count(&applied),
        (false, Some(_)) => "not told: the database keeps no record of them".to_owned(),
        (false, None) => "not told: the database can't be read now".to_owned(),
    };
    plan.facts.extend([Fact::new("tool", &tool), Fact::new("applied", at)]);
    if let Some(last) = files.clone().rfind(|file| file.applied) {
        plan.facts.push(Fact::new("at", line(last)));
    }
    if !released.is_empty() {
        plan.facts.push(Fact::new("released", count(&released)));
    }
    plan.findings = findings(world, chain);
    if plan.findings.is_empty() && chain.told {
        plan.facts.push(Fact::new("clean", "nothing is pending, nothing was edited"));
    }
    plan.answer = Some(json!({
        "command": Migrate::NAME, "ok": true, "tool": tool, "told": chain.told, "applied": applied, "pending": pending,
        "edited": edited, "heads": heads, "unknown": chain.unknown, "missing": chain.missing, "released": released,
        "broken": chain.broken, "findings": plan.findings,
    }));
    plan
}

fn findings(world: &World, chain: &Revisions) -> Vec<Finding> {
    let command = |verb: &str| world.workspace.command(verb);
    let mut out = Vec::new();
    for file in chain.pending().filter(|_| chain.told) {
        out.push(Finding::new(
            "pending",
            line(file),
            "the database was not built with it",
            command("migrate up"),
        ));
    }
    for file in chain.files.iter().filter(|file| file.edited) {
        let because = "the text that was applied is another one";
        out.push(Finding::new("edited since applied", line(file), because, command("rebuild")));
    }
    let heads: Vec<&str> = chain.heads().map(|file| file.id.as_str()).collect();
    if heads.len() > 1 {
        let because = "no file follows any of them";
        out.push(Finding::new("several heads", heads.join(", "), because, "alembic merge heads"));
    }
    for parent in &chain.missing {
        let because = "a file says that it follows it, and no file is it";
        out.push(Finding::new("missing", parent, because, "bring its file back, or correct down_revision"));
    }
    for id in &chain.unknown {
        out.push(Finding::new(
            "unknown",
            id,
            "the database was built with it, and no file is it",
            command("switch"),
        ));
    }
    for path in &chain.broken {
        let because = "its hash is another one than when it was released";
        out.push(Finding::new("released and edited", path, because, command("migrate new NAME")));
    }
    out
}

/// Every migration in its order.
pub(super) fn history(chain: &Revisions) -> Plan {
    let mut plan = Plan::new(Migrate::NAME, "migrations");
    let state = |file: &Revision| match (file.edited, file.applied, chain.told) {
        (true, ..) => "edited",
        (_, true, _) => "applied",
        (_, _, true) => "pending",
        _ => "",
    };
    let released = |file: &Revision| if file.released { ", released" } else { "" };
    let facts = chain.files.iter().map(|file| Fact::new(state(file), line(file) + released(file)));
    plan.facts = facts.collect();
    if plan.facts.is_empty() {
        plan.facts.push(Fact::new("Migrations", "none"));
    }
    plan.answer = Some(json!({ "command": Migrate::NAME, "ok": true, "migrations": chain.files }));
    plan
}

/// What some migrations would do.
pub(super) fn review(files: &[&Revision], review: &Review) -> Plan {
    let mut plan = Plan::new(Migrate::NAME, "migrations");
    plan.facts = files.iter().map(|file| Fact::new("reviews", line(file))).collect();
    plan.facts.extend(review.locks.clone());
    plan.facts.extend(review.unclear.iter().map(|what| Fact::new("can't tell", what)));
    plan.findings.clone_from(&review.findings);
    if review.findings.is_empty() && review.unclear.is_empty() {
        plan.facts.push(Fact::new("fine", "no row is lost, and nothing waits long"));
    }
    let locks: Vec<&str> = review.locks.iter().map(|fact| fact.text.as_str()).collect();
    plan.answer = Some(json!({
        "command": Migrate::NAME, "ok": true, "locks": locks, "loses": review.loses, "unclear": review.unclear,
        "findings": review.findings,
    }));
    plan
}
