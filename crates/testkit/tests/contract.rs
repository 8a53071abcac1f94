//! The fake that the law is held against does what a real server does: the same steps on both, and the same comes of it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::time::Duration;

use plan::{
    Action, Built, DatabaseName, EngineFacts, Fault, KeptAs, Label, LabelKind, Machine as _, Marker,
    Migrations, Origin, Reading, RoleName, Seeding, Seeds, Since, Tool, Wants, World,
};
use testkit::{Fake, Shop, Stdin, offline};
use world::{Options, Real};

/// Where the real machine keeps its notes is told by the environment, which belongs to a whole process.
const PORT: &str = "CONTRACT_PORT";
const STEPS: u32 = 90;

#[test]
fn the_fake_does_what_a_real_server_does() {
    if offline("the fake against a real server") {
        return;
    }
    if std::env::var_os(PORT).is_some() {
        return compare();
    }
    let shop = Shop::open();
    let _ = shop.swap();
    let itself = std::env::current_exe().unwrap();
    let test = ["the_fake_does_what_a_real_server_does", "--exact", "--nocapture"];
    let launch = shop.sandbox().launch(itself).args(test).env(PORT, shop.port());
    let done = launch.env("PGPASSWORD", shop.password()).deadline(Duration::from_mins(4)).run(Stdin::Null);
    assert_eq!(done.code, 0, "{}\n{}", done.stdout, done.stderr);
}

fn discover() -> world::Found {
    let options = Options { root: None, timeout: Duration::from_secs(20), command: "contract" };
    let wants = Wants {
        engine: EngineFacts::Server,
        databases: true,
        contents: Reading::Rows,
        blueprint: true,
        running: true,
        ..Wants::default()
    };
    world::discover(&options, wants).unwrap()
}

fn name(suffix: &str) -> DatabaseName {
    DatabaseName::new(format!("shop{suffix}")).unwrap()
}

/// Our marker in a database.
#[derive(Debug, PartialEq, Eq)]
enum Marked {
    /// Nobody gets in.
    Unseen,
    Not,
    Of(String),
}

impl Marked {
    fn of(open: bool, blueprint: Option<String>) -> Self {
        if open { blueprint.map_or(Self::Not, Self::Of) } else { Self::Unseen }
    }
}

/// A database as far as both know it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    open: bool,
    limit: Option<u32>,
    comment: Option<String>,
    label: Option<LabelKind>,
    why: Option<bool>,
    rows: Option<u64>,
    built: bool,
    marker: Marked,
    unchanged: Option<bool>,
}

/// Tables, rows that a person typed, our marker, what it says; each only where it can be asked.
const INSIDE: &str = "
SELECT concat_ws('|', to_regclass('goods') IS NOT NULL, CASE WHEN to_regclass('goods') IS NULL THEN '0' ELSE
           (xpath('//c/text()', query_to_xml('SELECT count(*) AS c FROM goods WHERE id > 2', false, true, '')))[1]::text END,
       CASE WHEN to_regclass('cleanslate.marker') IS NOT NULL THEN
           (xpath('//m/text()', query_to_xml('SELECT marker->>''blueprint'' AS m FROM cleanslate.marker', false, true, '')))[1]::text END)";

/// What stands on the real server, through psql and through our own eyes.
fn real(found: &World, psql: &dyn Fn(&str, &str) -> String) -> BTreeMap<String, Seen> {
    let limits = psql("postgres", "SELECT datname || ' ' || datconnlimit FROM pg_database");
    let limits: BTreeMap<&str, &str> = limits.lines().filter_map(|line| line.split_once(' ')).collect();
    let databases = found.server.iter().flat_map(|server| &server.databases);
    let ours = databases.filter(|database| database.name.as_str() != "postgres");
    let seen = ours.map(|database| {
        let name = database.name.as_str();
        let inside = if database.open { psql(name, INSIDE) } else { String::new() };
        let mut inside = inside.split('|');
        let built = inside.next() == Some("t");
        let rows = inside.next().and_then(|rows| rows.parse().ok());
        let marker = Marked::of(database.open, inside.next().map(str::to_owned));
        let limit = limits[name].parse().ok();
        (name.to_owned(), Seen { open: database.open, limit, rows, built, marker, ..labelled(database) })
    });
    seen.collect()
}

/// What the fake holds.
fn faked(fake: &Fake) -> BTreeMap<String, Seen> {
    let world = fake.world();
    let seen = world.server.iter().flat_map(|server| &server.databases).map(|database| {
        let held = &fake.databases[&database.name];
        let blueprint = held.marker.as_ref().and_then(|marker| marker.blueprint.clone());
        let seen = Seen {
            open: held.open,
            limit: held.limit,
            rows: held.open.then_some(held.mine),
            built: held.open && held.built,
            marker: Marked::of(held.open, blueprint),
            ..labelled(database)
        };
        (database.name.to_string(), seen)
    });
    seen.collect()
}

/// What a plan would read.
fn labelled(database: &plan::Database) -> Seen {
    let kept = database.label.as_ref().and_then(|label| label.kept.as_ref());
    let since = database.contents.as_ref().map(|contents| &contents.since);
    Seen {
        open: false,
        limit: None,
        comment: database.comment.clone().filter(|comment| Label::read(comment).is_none()),
        label: database.label.as_ref().map(|label| label.kind),
        why: kept.map(|kept| kept.why.is_some()),
        rows: None,
        built: false,
        marker: Marked::Unseen,
        unchanged: since.map(|since| *since == Since::Unchanged),
    }
}

/// Numbers without an order, the same each time.
struct Dice(u64);

impl Dice {
    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        &all[usize::try_from(self.0 % all.len() as u64).unwrap()]
    }
}

/// Any step on any of a few databases, most of them sensible.
fn step(dice: &mut Dice, fake: &Fake, world: &World) -> Action {
    let names = ["", "__a", "__b"].map(name);
    let pick = |dice: &mut Dice, there: bool| {
        let fits: Vec<_> = names.iter().filter(|name| fake.databases.contains_key(name) == there).collect();
        let any = fits.is_empty() || *dice.of(&[true, false, false, false, false, false]);
        if any { dice.of(&names).clone() } else { (*dice.of(&fits)).clone() }
    };
    let (database, other) = (pick(dice, true), pick(dice, false));
    let kinds =
        [LabelKind::Building, LabelKind::Template, LabelKind::Spare, LabelKind::Kept, LabelKind::Kept];
    let kind = *dice.of(&kinds);
    let mut label = Label::new(&world.workspace.id, kind, &name(""), world.now);
    label.built = Some(Built { blueprint: "b".to_owned(), fingerprint: None, bytes: 0 });
    if kind == LabelKind::Kept {
        label.kept = Some(KeptAs { n: 1, bytes: 1, rows: None, by: "reset".to_owned(), why: None });
    }
    let owner = RoleName::new("shop").unwrap();
    let comment = Some("our shop".to_owned()).filter(|_| *dice.of(&[true, false]));
    let next = names.iter().find(|next| **next != database && fake.databases.contains_key(*next));
    let next = next.cloned().unwrap_or_else(|| pick(dice, true));
    match dice.of(&[0, 1, 1, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 10, 11, 12, 13, 14, 15, 16]) {
        0 => Action::CreateDatabase { database: other, owner, label },
        1 => Action::CloneDatabase { from: database, to: other, label, bytes: 0 },
        2 => Action::SealTemplate { database, label },
        3 => Action::Swap { live: database, kept: other, next, label, comment },
        4 => Action::WeighKept { database, label },
        5 => Action::Migrate { database, migrations: migrations() },
        6 => Action::Seed { database, seeds: seeds(), seeding: Seeding::Always },
        7 => Action::Stamp { database, marker: marker(world) },
        8 => Action::NoteSettings { database },
        9 => Action::CarryOver { from: database, to: other },
        10 => Action::Label { database, label },
        11 => Action::CloseDatabase { database },
        12 => Action::OpenDatabase { database },
        13 => Action::DropDatabase { database },
        14 => Action::DiscardDatabase { database },
        15 => Action::RenameDatabase { from: database, to: other, comment },
        _ => Action::GiveUpDatabase { database, n: 1 },
    }
}

/// One of each, as plans have them: a template, a clone of it, a swap, and the end of all that was.
fn script(world: &World) -> Vec<Action> {
    let (shop, a, b, c) = (name(""), name("__a"), name("__b"), name("__c"));
    let owner = RoleName::new("shop").unwrap();
    let label = |kind| Label::new(&world.workspace.id, kind, &name(""), world.now);
    let kept = KeptAs { n: 1, bytes: 1, rows: None, by: "reset".to_owned(), why: None };
    let kept = Label { kept: Some(kept), ..label(LabelKind::Kept) };
    let built = Built { blueprint: "b".to_owned(), fingerprint: None, bytes: 0 };
    let template = Label { built: Some(built), ..label(LabelKind::Template) };
    let create = |database: &DatabaseName| Action::CreateDatabase {
        database: database.clone(),
        owner: owner.clone(),
        label: label(LabelKind::Building),
    };
    let stamp = |database: &DatabaseName| Action::Stamp { database: database.clone(), marker: marker(world) };
    let clone = |to: &DatabaseName| Action::CloneDatabase {
        from: a.clone(),
        to: to.clone(),
        label: label(LabelKind::Building),
        bytes: 0,
    };
    let swap = |kept_name: &DatabaseName, next: &DatabaseName| Action::Swap {
        live: name(""),
        kept: kept_name.clone(),
        next: next.clone(),
        label: kept.clone(),
        comment: Some("our shop".to_owned()),
    };
    vec![
        create(&a),
        Action::Migrate { database: a.clone(), migrations: migrations() },
        Action::Seed { database: a.clone(), seeds: seeds(), seeding: Seeding::Always },
        stamp(&a),
        Action::SealTemplate { database: a.clone(), label: template },
        clone(&b),
        stamp(&b),
        Action::RenameDatabase { from: b.clone(), to: shop.clone(), comment: Some("our shop".to_owned()) },
        clone(&b),
        stamp(&b),
        Action::CarryOver { from: shop.clone(), to: b.clone() },
        Action::CloseDatabase { database: shop.clone() },
        Action::EndSessions { database: shop.clone() },
        swap(&c, &b),
        Action::NoteSettings { database: shop.clone() },
        // Nobody changed it, so it goes.
        Action::WeighKept { database: c.clone(), label: kept.clone() },
        clone(&b),
        swap(&c, &b),
        // A clone that was not marked is not known.
        Action::NoteSettings { database: shop.clone() },
        swap(&b, &c),
        Action::WeighKept { database: b.clone(), label: kept.clone() },
        Action::GiveUpDatabase { database: b, n: 1 },
        Action::DiscardDatabase { database: c },
        Action::OpenDatabase { database: shop.clone() },
        Action::DiscardDatabase { database: a },
        Action::DropDatabase { database: shop },
    ]
}

fn seeds() -> Seeds {
    Seeds { dir: Some("seeds".to_owned()), ..Seeds::default() }
}

fn migrations() -> Migrations {
    Migrations { tool: Some(Tool::Sql), dir: Some("migrations".to_owned()), ..Migrations::default() }
}

fn marker(world: &World) -> Marker {
    Marker {
        workspace: world.workspace.id.clone(),
        system_identifier: "1".to_owned(),
        origin: Origin::Built,
        blueprint: Some("b".to_owned()),
        seeds: None,
        at: world.now,
        fingerprint: None,
        models: None,
        counted: false,
        rows: None,
    }
}

/// What a person does beside us.
fn meanwhile(dice: &mut Dice, n: u32, fake: &mut Fake, psql: &dyn Fn(&str, &str) -> String) {
    let database = dice.of(&["", "__a", "__b"].map(name)).clone();
    let Some(held) = fake.databases.get_mut(&database) else { return };
    if *dice.of(&[true, false]) && held.open && held.built {
        held.mine += 1;
        let _ = psql(database.as_str(), &format!("INSERT INTO goods VALUES ({}, 'vase')", 1000 + n));
    } else {
        held.limit = Some(5 + n);
        let _ = psql("postgres", &format!("ALTER DATABASE {} CONNECTION LIMIT {}", database.quoted(), 5 + n));
    }
}

/// Waits until our own questions' sessions are gone: who is connected may have written, and so counts.
fn quiet(psql: &dyn Fn(&str, &str) -> String) {
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'shop%' AND backend_type = 'client backend'";
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while psql("postgres", others) != "0" {
        assert!(std::time::Instant::now() < until, "somebody stays");
    }
}

/// The same steps on both; after each the same databases stand in the same way.
fn compare() {
    let psql = |database: &str, sql: &str| {
        let mut psql = std::process::Command::new(testkit::program("psql"));
        let port = std::env::var(PORT).unwrap();
        psql.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "shop", "-p", &port]);
        let output = psql.args(["-d", database, "-c", sql]).output().unwrap();
        assert!(output.status.success(), "{database}: {sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    };
    let found = discover();
    let mut fake = Fake::with(&name(""), 0);
    fake.workspace.clone_from(&found.world.workspace.id);
    let (mut dice, mut done) = (Dice(0x5eed), BTreeMap::<String, [u32; 2]>::new());
    for database in found.world.server.iter().flat_map(|server| &server.databases) {
        if database.name.as_str() != "postgres" {
            let drop = Action::DropDatabase { database: database.name.clone() };
            let _ = Real::new(&found, Duration::from_secs(20)).perform(&drop, &mut |_| ());
        }
    }
    fake.databases.clear();
    let script = script(&found.world);
    for n in 0..STEPS {
        let found = discover();
        let scripted = script.get(usize::try_from(n).unwrap()).cloned();
        let plays = scripted.is_none();
        let action = scripted.unwrap_or_else(|| step(&mut dice, &fake, &found.world));
        let mut machine = Real::new(&found, Duration::from_secs(20));
        let real_end = machine.perform(&action, &mut |_| ());
        // Whatever became of it, the next step of the same run, or what takes it back, is heard.
        let again = machine.perform(&Action::EndSessions { database: name("__none") }, &mut |_| ());
        assert!(again.is_ok(), "after step {n}: {action:?}\n{real_end:?}\n{again:?}");
        drop(machine);
        let fake_end = fake.perform(&action, &mut |_| ());
        let told = |end: &Result<plan::Outcome, Fault>| end.as_ref().map(|_| ()).map_err(ToString::to_string);
        assert_eq!(
            real_end.is_ok(),
            fake_end.is_ok(),
            "step {n}: {action:?}\nreal {:?}\nfake {:?}\n{:#?}",
            told(&real_end),
            told(&fake_end),
            faked(&fake)
        );
        let count = done.entry(format!("{action:?}").split(' ').next().unwrap().to_owned()).or_default();
        count[usize::from(real_end.is_err())] += 1;
        quiet(&psql);
        assert_eq!(real(&discover().world, &psql), faked(&fake), "after step {n}: {action:?}\n{real_end:?}");
        if plays && n % 3 == 0 {
            meanwhile(&mut dice, n, &mut fake, &psql);
        }
    }
    eprintln!("{done:#?}");
    for (action, [worked, _]) in &done {
        assert!(*worked > 0, "{action} never worked, so nothing was compared: {done:#?}");
    }
}
