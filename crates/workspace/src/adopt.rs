//! `slate-init --adopt`: the database of an external server becomes this workspace's, because somebody says so.

use plan::{
    Action, Database, Exit, Expect, Fact, Fault, Kind, Marker, Origin, Plan, Server, Step, World, guard,
    words,
};

/// Shows what is there, and has the name typed: on a terminal, or as `given` on the command line.
pub(crate) fn plan(command: &'static str, given: Option<&str>, world: &World) -> Result<Plan, Fault> {
    let server = guard::server(world)?;
    let name = server.name.as_str();
    possible(server, given)?;
    let mut plan = Plan::new(command, name);
    plan.target = format!("Adopt {} of {}", name, server.masked_url());
    plan.facts = facts(server, world);
    if let Some(live) = world.live() {
        guard::own_database(live, &world.workspace)?;
        let own = |marker: &Marker| marker.system_identifier == server.system_identifier;
        if live.marker.as_ref().is_some_and(own) && server.outside.adopted {
            plan.closing.push(format!("`{name}` is this workspace's already"));
            return Ok(plan);
        }
        if !live.open {
            return Err(refused(format!("`{name}` lets nobody in")).cause("what is in it can't be shown"));
        }
    }
    plan.question = format!("Adopt {name}?");
    // A name on the command line is one that somebody typed.
    if given.is_none() {
        plan.asks.push("afterwards reset, rebuild and undo may replace it".to_owned());
        plan.typed = true;
    }
    plan.steps = steps(server, world);
    plan.closing.push(format!("`{name}` is this workspace's; next: {}", world.workspace.command("up")));
    Ok(plan)
}

fn possible(server: &Server, given: Option<&str>) -> Result<(), Fault> {
    if server.kind != Kind::External {
        return Err(Fault::new(Exit::Usage, format!("a {} server needs no adoption", server.kind))
            .cause("what proves that it is this workspace's is beside it: its folder or its container")
            .state("nothing was changed"));
    }
    if let Some(given) = given.filter(|given| *given != server.name.as_str()) {
        return Err(Fault::new(Exit::Usage, format!("the database is not called `{given}`"))
            .cause(format!("{} is `{}`", server.masked_url(), server.name))
            .state("nothing was changed"));
    }
    if server.standby {
        return Err(refused(format!("`{}` can't be adopted here", server.name))
            .cause("this server is a read-only standby")
            .hint("set the address of the primary"));
    }
    match &server.outside.pooled {
        Some(why) => Err(refused(format!("`{}` can't be adopted through a pooler", server.name))
            .cause(why)
            .hint("SLATE_DATABASE_URL or database.url: the address of the server itself")),
        None => Ok(()),
    }
}

fn refused(error: String) -> Fault {
    Fault::new(Exit::Refused, error).state("nothing was changed")
}

/// All that tells somebody whether this is the database that they mean.
fn facts(server: &Server, world: &World) -> Vec<Fact> {
    let mut facts =
        vec![Fact::new("server", format!("{}, Postgres {}", server.masked_url(), server.version))];
    if server.address.as_ref().is_some_and(plan::Address::is_loopback) {
        facts.push(Fact::new("", "an address of this machine, which may be one end of a tunnel"));
    }
    facts.push(match world.live() {
        None => Fact::new("database", "not there yet: it is created"),
        Some(live) => Fact::new("database", contents(live, world)),
    });
    if let Some(live) = world.live() {
        facts.push(Fact::new("owner", live.owner.to_string()));
        let who: Vec<String> = live.sessions.iter().map(plan::Session::who).collect();
        let who = if who.is_empty() { "nobody now".to_owned() } else { words::list(who) };
        facts.push(Fact::new("connected", who));
    }
    let others = server.databases.iter().filter(|database| database.name != server.name);
    let others = others.filter(|database| database.name != server.maintenance).count() as u64;
    facts.push(Fact::new("beside it", words::count(others, "other database")));
    facts.extend(
        server
            .outside
            .lacks
            .iter()
            .map(|lack| Fact::new("lacks", format!("{}; as a superuser: {}", lack.what, lack.grant))),
    );
    facts
}

fn contents(live: &Database, world: &World) -> String {
    match &live.contents {
        Some(contents) if contents.last_write.is_some() => contents.line(world.now),
        Some(contents) => format!("{}, last write not to be seen by this role", contents.line(world.now)),
        None => format!("{}, which can't be read", words::bytes(live.bytes)),
    }
}

fn steps(server: &Server, world: &World) -> Vec<Step> {
    let database = server.name.clone();
    let marker = Marker {
        workspace: world.workspace.id.clone(),
        system_identifier: server.system_identifier.clone(),
        // Whoever filled it: every row is theirs.
        origin: Origin::Adopted,
        blueprint: None,
        seeds: None,
        at: world.now,
        fingerprint: None,
        models: None,
        counted: false,
        rows: None,
    };
    let adopt = Action::AdoptDatabase { database: database.clone(), marker };
    let adopt = Step::new(adopt, "somebody said that it is this workspace's");
    let identity = Expect::Server { system_identifier: server.system_identifier.clone() };
    if let Some(live) = world.live() {
        let this = Expect::Database { name: database, oid: live.oid };
        return vec![adopt.expects(identity).expects(this)];
    }
    let create = Action::EnsureDatabase { database: database.clone() };
    let create = Step::new(create, "there is none of that name").expects(identity);
    vec![create.expects(Expect::NoDatabase { name: database }), adopt]
}
