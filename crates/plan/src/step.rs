//! A plan: what would be done, why, and what it would take. Dry run, question, bars, JSON, report and an error's
//! `state:` all come from this one value.

use serde::Serialize;

use crate::{Action, ContainerName, DatabaseName, Disclosure, Effect, Finding, Loss, VolumeName};

/// What a command would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The binary: `slate-reset`.
    pub command: &'static str,
    /// The command line that would say the same again, for hints.
    pub again: String,
    /// What a person types where there is no way back: the name of the database, or of the project.
    pub subject: String,
    /// Where it is, in one line: server, project, version.
    pub target: String,
    /// What to show before the question, as label and text.
    pub facts: Vec<Fact>,
    /// `Reset shop?`
    pub question: String,
    /// The subject's name is typed although nothing is lost: somebody else's may be meant.
    pub typed: bool,
    /// Why it asks even though undo would take it back; empty when it need not.
    pub asks: Vec<String>,
    /// Work of others that only `--force` or a person at the terminal may cut.
    pub in_the_way: Vec<String>,
    pub loss: Loss,
    /// Where the user's data is while the plan runs, to be looked up again when something fails.
    pub data: Vec<Data>,
    pub steps: Vec<Step>,
    /// What is wrong: a plan of a check that found something ends with exit 10.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What `--json` prints instead of the report: the one thing that was asked for.
    #[serde(skip)]
    pub answer: Option<serde_json::Value>,
    /// What is printed although it holds a password. In no journal and no other output.
    #[serde(skip)]
    pub discloses: Option<Disclosure>,
    /// What to print once all is done: results first, the way back last.
    pub closing: Vec<String>,
}

/// A line that is shown before the question, or is all that a command has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    pub label: String,
    pub text: String,
}

impl Fact {
    pub fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self { label: label.into(), text: text.into() }
    }
}

/// One action and all that is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    #[serde(flatten)]
    pub action: Action,
    pub why: &'static str,
    /// What must still hold right before it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expects: Vec<Expect>,
    /// What takes it back, for a step that destroys. Without one its loss is for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
    /// Done when a later step fails before the point of no return.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amend: Option<Action>,
    /// Share of the bar; bytes where they are known.
    pub weight: u64,
    /// Follows the step before it without a stop: an interrupt waits.
    pub bound: bool,
}

/// A fact of the plan that is looked at again right before a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "expect", rename_all = "kebab-case")]
pub enum Expect {
    /// This name belongs to this database still.
    Database {
        name: DatabaseName,
        oid: u32,
    },
    NoDatabase {
        name: DatabaseName,
    },
    /// There is no more in it than was agreed to.
    NoMoreRows {
        name: DatabaseName,
        rows: u64,
    },
    /// The container of this id.
    Container {
        name: ContainerName,
        id: String,
    },
    /// The volume made at this time, mounted by nobody but these containers.
    Volume {
        name: VolumeName,
        created: String,
    },
    NoVolume {
        name: VolumeName,
    },
    /// The copy is complete: it was compared, and recorded.
    Copied {
        volume: VolumeName,
        copy: VolumeName,
    },
    /// The server answers with this `pg_control_system()` identifier.
    Server {
        system_identifier: String,
    },
}

/// The way back from a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "undo", rename_all = "kebab-case")]
pub enum Undo {
    /// A complete copy.
    Copy { volume: VolumeName },
    /// A complete copy of each.
    Copies { volumes: Vec<VolumeName> },
    /// `compose up` makes it again, with nothing of the user's in it.
    Up,
    /// The rows are somewhere else, complete.
    Elsewhere { name: String },
}

/// Where user data is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "data", rename_all = "kebab-case")]
pub enum Data {
    Database { name: DatabaseName, oid: u32 },
    Volume { name: VolumeName },
    Cluster,
}

impl Step {
    /// A step that expects nothing and weighs 1.
    ///
    /// ```
    /// use plan::{Action, Step};
    /// let step = Step::new(Action::AwaitServer, "the seeds need it").weight(10);
    /// assert!(step.expects.is_empty() && step.weight == 10);
    /// ```
    #[must_use]
    pub fn new(action: Action, why: &'static str) -> Self {
        Self { action, why, expects: Vec::new(), undo: None, amend: None, weight: 1, bound: false }
    }

    #[must_use]
    pub fn expects(mut self, expect: Expect) -> Self {
        self.expects.push(expect);
        self
    }

    #[must_use]
    pub fn undo(mut self, undo: Undo) -> Self {
        self.undo = Some(undo);
        self
    }

    #[must_use]
    pub fn amend(mut self, action: Action) -> Self {
        self.amend = Some(action);
        self
    }

    #[must_use]
    pub fn weight(mut self, weight: u64) -> Self {
        self.weight = weight.max(1);
        self
    }

    #[must_use]
    pub fn bound(mut self) -> Self {
        self.bound = true;
        self
    }
}

impl Plan {
    /// An empty plan: nothing to do, nothing to say.
    #[must_use]
    pub fn new(command: &'static str, subject: impl Into<String>) -> Self {
        Self {
            command,
            again: command.to_owned(),
            subject: subject.into(),
            target: String::new(),
            facts: Vec::new(),
            question: String::new(),
            typed: false,
            asks: Vec::new(),
            in_the_way: Vec::new(),
            loss: Loss::default(),
            data: Vec::new(),
            steps: Vec::new(),
            findings: Vec::new(),
            answer: None,
            discloses: None,
            closing: Vec::new(),
        }
    }

    /// Whether something is destroyed that nothing brings back.
    #[must_use]
    pub fn is_for_good(&self) -> bool {
        let for_good = |step: &Step| step.action.effect() == Effect::Destroys && step.undo.is_none();
        self.steps.iter().any(for_good)
    }

    /// Whether it changes anything at all.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        self.steps.iter().all(|step| step.action.effect() == Effect::Reads)
    }
}
