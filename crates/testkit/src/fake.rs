//! A machine in memory, for plans about databases: it can fail before a step, lose a step's reply, or die, also in the
//! middle of a step that is made of several. `tests/contract.rs` proves it against a real server.

mod machine;
mod names;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use plan::{
    Action, Blueprint, Built, Contents, Database, DatabaseName, Effect, Exit, Fault, Git, Kind, Label,
    LabelKind, Marker, RoleName, Rows, Secret, Seeding, Server, ServerState, Since, TableChange, Workspace,
    World,
};

/// What goes wrong at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It fails and nothing happened.
    Fails,
    /// It happens, and we hear of a failure.
    LosesReply,
    /// The process dies before it; nothing is taken back.
    DiesBefore,
    /// The process dies in the middle of it, where it is made of several statements; else before it.
    DiesWithin,
    /// The process dies after it.
    DiesAfter,
}

/// A database in memory.
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a database has or has not")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    pub oid: u32,
    pub open: bool,
    pub comment: Option<String>,
    /// Its connection limit: what a database has beside its contents.
    pub limit: Option<u32>,
    /// Rows that a person typed.
    pub mine: u64,
    /// It holds the baseline.
    pub built: bool,
    /// And the seeds.
    pub seeded: bool,
    pub marker: Option<Marker>,
    /// Something else than a person's row was written since it was marked.
    pub filled: bool,
    /// How many of those rows it held when it was marked; a clone's counters are not its template's.
    pub counted: Option<u64>,
    /// Rows were carried to it, and it is not the live one yet.
    pub carried: bool,
    /// The branch that is noted beside its contents.
    pub branch: Option<String>,
}

/// Databases in memory, with trouble at one step.
#[derive(Debug, Clone)]
pub struct Fake {
    /// The id of the workspace that it belongs to.
    pub workspace: String,
    /// The workspace's own.
    pub live: DatabaseName,
    /// The hash of the migrations; the seeds are part of it.
    pub blueprint: String,
    pub databases: BTreeMap<DatabaseName, Held>,
    /// Our note about databases that may have no label yet.
    pub creating: BTreeSet<DatabaseName>,
    /// The highest number that was taken before its database went.
    pub last_kept: u32,
    /// The limit of a database when it was noted, by its oid.
    pub noted: BTreeMap<u32, Option<u32>>,
    pub trouble: Option<(usize, Trouble)>,
    performed: usize,
    dead: bool,
    /// The process has sessions of its own on the old and the new database.
    carries: bool,
    next_oid: u32,
}

impl Fake {
    /// A server with one database of the user's, holding so many rows.
    #[must_use]
    pub fn with(name: &DatabaseName, rows: u64) -> Self {
        let held = Held { oid: 1, open: true, mine: rows, built: true, seeded: true, ..Held::default() };
        Self {
            workspace: "w".to_owned(),
            live: name.clone(),
            blueprint: "first".to_owned(),
            databases: BTreeMap::from([(name.clone(), held)]),
            creating: BTreeSet::new(),
            last_kept: 0,
            noted: BTreeMap::new(),
            trouble: None,
            performed: 0,
            dead: false,
            carries: false,
            next_oid: 2,
        }
    }

    /// Everything works from here on.
    pub fn heal(&mut self) {
        (self.trouble, self.dead, self.performed, self.carries) = (None, false, 0, false);
    }

    /// What a fresh look would find.
    ///
    /// # Panics
    /// Never: its names are names.
    #[must_use]
    pub fn world(&self) -> World {
        let name = &self.live;
        let user = RoleName::new("app").expect("a role");
        let postgres = DatabaseName::new("postgres").expect("a name");
        let databases = self.databases.iter().map(|(name, held)| self.database(name, held, &user)).collect();
        let server = Server {
            kind: Kind::Local,
            state: ServerState::Running,
            address: None,
            user: user.clone(),
            password: Secret::default(),
            name: name.clone(),
            maintenance: postgres,
            system_identifier: "1".to_owned(),
            version: "17.1".to_owned(),
            standby: false,
            outside: plan::Outside::default(),
            databases,
        };
        let workspace = Workspace {
            root: "/shop".into(),
            id: self.workspace.clone(),
            state: "/state".into(),
            first: false,
            called: "slate-".to_owned(),
            on_top: Vec::new(),
        };
        World {
            now: jiff::Timestamp::UNIX_EPOCH,
            workspace,
            blueprint: Some(self.blueprint()),
            surroundings: plan::Surroundings::default(),
            detected: None,
            files: None,
            server: Some(server),
            engine: None,
            kept: Vec::new(),
            last_kept: self.last_kept,
            journal: Vec::new(),
            unfinished: Vec::new(),
            examined: plan::Examined::default(),
            captured: None,
            carried: self.carried(),
            git: Some(Self::git()),
            revisions: None,
            draft: None,
        }
    }

    /// Two branches, and the first is checked out.
    fn git() -> Git {
        let branches = ["main", "feature"].map(str::to_owned).to_vec();
        Git { branch: branches.first().cloned(), branches, ..Git::default() }
    }

    fn blueprint(&self) -> Blueprint {
        Blueprint {
            hash: self.blueprint.clone(),
            bare: format!("{} bare", self.blueprint),
            seeds: None,
            models: None,
            migrations: Vec::new(),
            seed_files: Vec::new(),
        }
    }

    fn database(&self, name: &DatabaseName, held: &Held, owner: &RoleName) -> Database {
        let noted = || {
            let ours = held.comment.is_none() && self.creating.contains(name);
            let at = jiff::Timestamp::UNIX_EPOCH;
            ours.then(|| Label::new(&self.workspace, LabelKind::Building, &self.live, at))
        };
        let rows = Rows { count: held.mine, exact: true };
        let contents = Contents {
            database: name.clone(),
            tables: 1,
            rows,
            bytes: 1,
            last_write: None,
            since: self.since(held),
        };
        Database {
            name: name.clone(),
            oid: held.oid,
            owner: owner.clone(),
            bytes: 1,
            open: held.open,
            broken: false,
            label: held.comment.as_deref().and_then(Label::read).or_else(noted),
            comment: held.comment.clone(),
            marker: held.marker.clone().filter(|_| held.open && *name == self.live),
            contents: (held.open && *name == self.live).then_some(contents),
            sessions: Vec::new(),
            prepared: 0,
            slots: Vec::new(),
            active_slots: Vec::new(),
            stale_collation: false,
            subscriptions: 0,
            branch: held.branch.clone(),
        }
    }

    fn act(&mut self, action: &Action) -> Result<(), Fault> {
        match action {
            Action::CreateDatabase { database, label, .. } => {
                let empty = Held { comment: Some(label.text()), ..Held::default() };
                self.create(database, empty)?;
            }
            Action::CloneDatabase { from, to, label, .. } => {
                let template = self.held(from)?.clone();
                let comment = Some(label.text());
                self.create(to, Held { comment, limit: None, counted: None, branch: None, ..template })?;
            }
            Action::SealTemplate { database, label } => self.seal(database, label)?,
            Action::Swap { live, kept, next, label, comment } => {
                self.swap([live, kept, next], label, comment.as_ref())?;
            }
            Action::WeighKept { database, label } => self.weigh(database, label)?,
            Action::GiveUpDatabase { database, n } => {
                self.last_kept = self.last_kept.max(*n);
                self.must_be(database, &[LabelKind::Kept, LabelKind::Parked, LabelKind::Saved])?;
                self.databases.remove(database);
            }
            Action::Migrate { database, .. } => {
                let held = self.inside(database).filter(|held| !held.built);
                let held = held.ok_or_else(|| failed("its tables exist"))?;
                (held.built, held.filled) = (true, true);
            }
            Action::Seed { database, seeding, .. } => {
                let again = *seeding != Seeding::Always;
                let held = self.inside(database).filter(|held| held.built && (again || !held.seeded));
                let held = held.ok_or_else(|| failed("no table, or rows of that key"))?;
                (held.seeded, held.filled) = (true, true);
            }
            Action::Stamp { database, marker } => self.stamp(database, marker)?,
            Action::NoteSettings { database } => self.note(database),
            Action::CarryRows { from, to, stage, .. } => self.carry_rows(from, to, *stage)?,
            Action::CarryOver { .. }
            | Action::NoteBranch { .. }
            | Action::ImportDatabase { .. }
            | Action::ExportDatabase { .. } => self.act_inside(action)?,
            // Postgres only warns of a comment on a database that is not there.
            Action::Label { database, label } => {
                self.databases
                    .get_mut(database)
                    .into_iter()
                    .for_each(|held| held.comment = Some(label.text()));
            }
            Action::CloseDatabase { database } => self.held(database)?.open = false,
            Action::OpenDatabase { database } => self.held(database)?.open = true,
            Action::DropDatabase { database } => {
                self.held(database)?;
                self.databases.remove(database);
            }
            Action::DiscardDatabase { database } => self.discard(database)?,
            Action::RenameDatabase { from, to, comment } => self.rename(from, to, comment.as_ref())?,
            // What changes no database here.
            Action::EndSessions { .. } | Action::Tidy => {}
            other if other.effect() == Effect::Reads => {}
            other => panic!("the fake does not know {other:?}"),
        }
        Ok(())
    }

    /// What moves contents in or out, or what is beside them.
    fn act_inside(&mut self, action: &Action) -> Result<(), Fault> {
        match action {
            Action::CarryOver { from, to } => {
                let beside = self.databases.get(from).map(|held| (held.limit, held.branch.clone()));
                if let Some((limit, branch)) = beside {
                    let to = self.held(to)?;
                    (to.limit, to.branch) = (limit.or(to.limit), branch);
                }
            }
            Action::NoteBranch { database, branch } => self.held(database)?.branch = Some(branch.clone()),
            Action::ImportDatabase { database, .. } => {
                let held = self.inside(database).filter(|held| !held.built);
                let held = held.ok_or_else(|| failed("it holds tables"))?;
                (held.built, held.filled) = (true, true);
            }
            Action::ExportDatabase { database, .. } => {
                self.inside(database).ok_or_else(|| failed("nobody gets in"))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// As far as a process came that died in the middle.
    fn begin(&mut self, action: &Action) -> Result<(), Fault> {
        match action {
            Action::CreateDatabase { database, .. } | Action::CloneDatabase { to: database, .. } => {
                self.act(action)?;
                self.held(database)?.comment = None;
                self.creating.insert(database.clone());
                Ok(())
            }
            Action::SealTemplate { database, .. }
            | Action::WeighKept { database, .. }
            | Action::GiveUpDatabase { database, .. }
            | Action::DiscardDatabase { database } => {
                // Each refuses and reads first; then nobody else gets in.
                self.clone().act(action)?;
                self.databases.get_mut(database).into_iter().for_each(|held| held.open = false);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn create(&mut self, database: &DatabaseName, held: Held) -> Result<(), Fault> {
        if self.databases.contains_key(database) {
            return Err(failed("it exists"));
        }
        self.databases.insert(database.clone(), Held { oid: self.next_oid, open: true, ..held });
        self.next_oid += 1;
        Ok(())
    }

    fn seal(&mut self, database: &DatabaseName, label: &Label) -> Result<(), Fault> {
        let held = self.inside(database).ok_or_else(|| failed("nobody gets in"))?;
        let fingerprint = held.marker.as_ref().and_then(|marker| marker.fingerprint.clone());
        let built = label.built.clone().map(|built| Built { fingerprint, bytes: 1, ..built });
        (held.open, held.comment) = (false, Some(Label { built, ..label.clone() }.text()));
        Ok(())
    }

    fn stamp(&mut self, database: &DatabaseName, marker: &Marker) -> Result<(), Fault> {
        let catalog = format!("what {} gives", self.blueprint);
        let held = self.inside(database).ok_or_else(|| failed("nobody gets in"))?;
        let there = held.marker.take().and_then(|there| there.fingerprint);
        let fingerprint = marker.fingerprint.clone().or(there).or(Some(catalog));
        held.marker = Some(Marker { fingerprint, ..marker.clone() });
        (held.filled, held.counted) = (false, Some(held.mine));
        Ok(())
    }

    fn note(&mut self, database: &DatabaseName) {
        if let Some(held) = self.databases.get(database) {
            self.noted.entry(held.oid).or_insert(held.limit);
        }
    }

    fn discard(&mut self, database: &DatabaseName) -> Result<(), Fault> {
        let noted = self.creating.contains(database);
        if self.databases.get(database).is_some_and(|held| !(noted && held.comment.is_none())) {
            let ours = [LabelKind::Building, LabelKind::Template, LabelKind::Spare];
            self.must_be(database, &ours)?;
        }
        self.databases.remove(database);
        self.creating.remove(database);
        Ok(())
    }

    fn must_be(&mut self, database: &DatabaseName, kinds: &[LabelKind]) -> Result<(), Fault> {
        let label = self.held(database)?.comment.as_deref().and_then(Label::read);
        let fits =
            label.is_some_and(|label| label.workspace == self.workspace && kinds.contains(&label.kind));
        if fits { Ok(()) } else { Err(failed("it does not carry our label")) }
    }

    fn held(&mut self, name: &DatabaseName) -> Result<&mut Held, Fault> {
        self.databases.get_mut(name).ok_or_else(|| failed("there is no such database"))
    }

    /// One that lets us in.
    fn inside(&mut self, name: &DatabaseName) -> Option<&mut Held> {
        self.databases.get_mut(name).filter(|held| held.open)
    }

    fn since(&self, held: &Held) -> Since {
        let unknown = |why: &str| Since::Unknown { why: why.to_owned() };
        let Some(noted) = self.noted.get(&held.oid) else { return unknown("its settings were not noted") };
        let Some(counted) = held.counted.filter(|_| held.marker.is_some()) else {
            return unknown("it was not built here");
        };
        if !held.filled && held.mine == counted && *noted == held.limit {
            return Since::Unchanged;
        }
        let users = TableChange { table: "users".to_owned(), inserted: held.mine, updated: 0, deleted: 0 };
        Since::Changed { tables: vec![users], beside: Vec::new() }
    }
}

fn failed(why: &str) -> Fault {
    Fault::new(Exit::Failed, "it failed").cause(why)
}
