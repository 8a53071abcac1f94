//! A machine in memory, for plans about databases: it can fail before a step, lose a step's reply, or die.

use std::collections::BTreeMap;

use plan::{
    Action, Blueprint, Contents, Data, Database, DatabaseName, Effect, Exit, Expect, Fault, KeptAs, Kind,
    Label, LabelKind, Look, Machine, Marker, Outcome, RoleName, Rows, Said, Secret, Server, ServerState,
    Since, TableChange, Workspace, World,
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
    /// The process dies after it.
    DiesAfter,
}

/// A database in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub oid: u32,
    pub open: bool,
    pub comment: Option<String>,
    /// Rows that a person typed.
    pub mine: u64,
    /// Baseline and seeds.
    pub built: bool,
    pub marker: Option<Marker>,
}

/// Databases in memory, with trouble at one step.
#[derive(Debug, Clone)]
pub struct Fake {
    /// The workspace's own.
    pub live: DatabaseName,
    /// The hash of the migrations; the seeds are part of it.
    pub blueprint: String,
    pub databases: BTreeMap<DatabaseName, Held>,
    /// Our note about a database that may have no label yet.
    pub creating: Option<DatabaseName>,
    pub trouble: Option<(usize, Trouble)>,
    performed: usize,
    dead: bool,
    next_oid: u32,
}

impl Fake {
    /// A server with one database of the user's, holding so many rows.
    #[must_use]
    pub fn with(name: &DatabaseName, rows: u64) -> Self {
        let held = Held { oid: 1, open: true, comment: None, mine: rows, built: true, marker: None };
        Self {
            live: name.clone(),
            blueprint: "first".to_owned(),
            databases: BTreeMap::from([(name.clone(), held)]),
            creating: None,
            trouble: None,
            performed: 0,
            dead: false,
            next_oid: 2,
        }
    }

    /// Everything works from here on.
    pub fn heal(&mut self) {
        (self.trouble, self.dead, self.performed) = (None, false, 0);
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
            databases,
        };
        let workspace = Workspace {
            root: "/shop".into(),
            id: "w".to_owned(),
            state: "/state".into(),
            first: false,
            called: "slate-".to_owned(),
            on_top: Vec::new(),
        };
        World {
            now: jiff::Timestamp::UNIX_EPOCH,
            workspace,
            blueprint: Some(self.blueprint()),
            detected: None,
            files: None,
            server: Some(server),
            engine: None,
            kept: Vec::new(),
            last_kept: 0,
            journal: Vec::new(),
            unfinished: Vec::new(),
        }
    }

    fn blueprint(&self) -> Blueprint {
        Blueprint {
            hash: self.blueprint.clone(),
            bare: self.blueprint.clone(),
            seeds: None,
            models: None,
            migrations: Vec::new(),
            seed_files: Vec::new(),
        }
    }

    fn database(&self, name: &DatabaseName, held: &Held, owner: &RoleName) -> Database {
        let noted = || {
            let ours = held.comment.is_none() && self.creating.as_ref() == Some(name);
            let at = jiff::Timestamp::UNIX_EPOCH;
            ours.then(|| Label::new("w", LabelKind::Building, &self.live, at))
        };
        let rows = Rows { count: held.mine, exact: true };
        let contents = Contents {
            database: name.clone(),
            tables: 1,
            rows,
            bytes: 1,
            last_write: None,
            since: held.since(),
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
            marker: held.marker.clone(),
            contents: held.open.then_some(contents),
            sessions: Vec::new(),
            prepared: 0,
            slots: Vec::new(),
            active_slots: Vec::new(),
            stale_collation: false,
            subscriptions: 0,
        }
    }

    fn held(&mut self, name: &DatabaseName) -> Result<&mut Held, Fault> {
        self.databases.get_mut(name).ok_or_else(|| failed("there is no such database"))
    }

    fn act(&mut self, action: &Action) -> Result<(), Fault> {
        match action {
            Action::CreateDatabase { database, label, .. } => self.create(database, label, false, None)?,
            Action::CloneDatabase { from, to, label, .. } => {
                let template = self.held(from)?.clone();
                if template.open {
                    return Err(failed("somebody may write to it meanwhile"));
                }
                self.create(to, label, template.built, template.marker)?;
            }
            Action::SealTemplate { database, label } => {
                let held = self.held(database)?;
                (held.open, held.comment) = (false, Some(label.text()));
            }
            Action::Swap { live, kept, next, label, comment } => {
                self.swap([live, kept, next], label, comment.as_ref())?
            }
            Action::WeighKept { database, label } => self.weigh(database, label)?,
            Action::GiveUpDatabase { database, .. } => {
                self.must_be(database, &[LabelKind::Kept])?;
                self.databases.remove(database);
            }
            Action::Migrate { database, .. } => self.held(database)?.built = true,
            Action::Stamp { database, marker } => self.held(database)?.marker = Some(marker.clone()),
            Action::Label { database, label } => self.held(database)?.comment = Some(label.text()),
            Action::CloseDatabase { database } => self.held(database)?.open = false,
            Action::OpenDatabase { database } => self.held(database)?.open = true,
            Action::DropDatabase { database } => drop(self.databases.remove(database)),
            Action::DiscardDatabase { database } => {
                if self.databases.contains_key(database) {
                    let ours = [LabelKind::Building, LabelKind::Next, LabelKind::Template, LabelKind::Spare];
                    self.must_be(database, &ours)?;
                }
                self.databases.remove(database);
            }
            Action::RenameDatabase { from, to, comment } => {
                if self.databases.contains_key(to) {
                    return Err(failed("the name is taken"));
                }
                let mut held =
                    self.databases.remove(from).ok_or_else(|| failed("there is no such database"))?;
                held.comment.clone_from(comment);
                held.open = true;
                self.databases.insert(to.clone(), held);
            }
            // What changes no database here.
            Action::Seed { .. }
            | Action::CarryOver { .. }
            | Action::EndSessions { .. }
            | Action::NoteSettings { .. }
            | Action::Tidy
            | Action::AwaitServer => {}
            other if other.effect() == Effect::Reads => {}
            other => panic!("the fake does not know {other:?}"),
        }
        Ok(())
    }

    fn create(
        &mut self,
        database: &DatabaseName,
        label: &Label,
        built: bool,
        marker: Option<Marker>,
    ) -> Result<(), Fault> {
        if self.databases.contains_key(database) {
            return Err(failed("it exists"));
        }
        let comment = Some(label.text());
        let held = Held { oid: self.next_oid, open: true, comment, mine: 0, built, marker };
        self.next_oid += 1;
        self.databases.insert(database.clone(), held);
        Ok(())
    }

    fn swap(
        &mut self,
        [live, kept, next]: [&DatabaseName; 3],
        label: &Label,
        comment: Option<&String>,
    ) -> Result<(), Fault> {
        if self.databases.contains_key(kept) || !self.databases.contains_key(next) {
            return Err(failed("the names do not fit"));
        }
        let mut old = self.databases.remove(live).ok_or_else(|| failed("there is no such database"))?;
        let mut new = self.databases.remove(next).ok_or_else(|| failed("there is no such database"))?;
        (old.open, old.comment) = (true, Some(label.text()));
        (new.open, new.comment) = (true, comment.cloned());
        self.databases.insert(kept.clone(), old);
        self.databases.insert(live.clone(), new);
        Ok(())
    }

    fn weigh(&mut self, database: &DatabaseName, label: &Label) -> Result<(), Fault> {
        self.must_be(database, &[LabelKind::Kept])?;
        let held = self.held(database)?;
        if held.mine == 0 {
            self.databases.remove(database);
        } else {
            let kept = label.kept.clone().map(|kept| KeptAs { why: Some("changed".to_owned()), ..kept });
            held.comment = Some(Label { kept, ..label.clone() }.text());
        }
        Ok(())
    }

    fn must_be(&mut self, database: &DatabaseName, kinds: &[LabelKind]) -> Result<(), Fault> {
        let label = self.held(database)?.comment.as_deref().and_then(Label::read);
        let fits = label.is_some_and(|label| kinds.contains(&label.kind));
        if fits { Ok(()) } else { Err(failed("it does not carry our label")) }
    }
}

impl Held {
    fn since(&self) -> Since {
        if self.built && self.mine == 0 {
            return Since::Unchanged;
        }
        let users = TableChange { table: "users".to_owned(), inserted: self.mine, updated: 0, deleted: 0 };
        Since::Changed { tables: vec![users], beside: Vec::new() }
    }
}

fn failed(why: &str) -> Fault {
    Fault::new(Exit::Failed, "it failed").cause(why)
}

impl Machine for Fake {
    fn verify(&mut self, expect: &Expect) -> Result<(), Fault> {
        let holds = match expect {
            Expect::Database { name, oid } => self.databases.get(name).is_some_and(|held| held.oid == *oid),
            Expect::NoDatabase { name } => !self.databases.contains_key(name),
            _ => true,
        };
        if self.dead || holds { Ok(()) } else { Err(failed("it changed")) }
    }

    fn perform(&mut self, action: &Action, _said: &mut dyn FnMut(Said<'_>)) -> Result<Outcome, Fault> {
        if self.dead {
            return Err(failed("the process is gone"));
        }
        let here = self.performed;
        self.performed += 1;
        let trouble = self.trouble.filter(|(step, _)| *step == here).map(|(_, trouble)| trouble);
        match trouble {
            Some(Trouble::Fails) => return Err(failed("trouble")),
            Some(Trouble::DiesBefore) => self.dead = true,
            _ => self.act(action)?,
        }
        self.dead |= trouble == Some(Trouble::DiesAfter);
        if self.dead || trouble == Some(Trouble::LosesReply) {
            Err(failed("the reply was lost"))
        } else {
            Ok(Outcome::default())
        }
    }

    fn look(&mut self, data: &[Data]) -> Look {
        let mut look = Look::default();
        for piece in data {
            let Data::Database { name, oid } = piece else { continue };
            match self.databases.iter().find(|(_, held)| held.oid == *oid) {
                Some((now, _)) => look.there.push(now.to_string()),
                None => look.gone.push(name.to_string()),
            }
        }
        look
    }

    fn interrupted(&self) -> bool {
        false
    }
}
