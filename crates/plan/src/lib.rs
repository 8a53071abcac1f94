//! What cleanslate would do, as data.
//!
//! This crate is pure: no files, processes, sockets, clocks, randomness, environment or printing. A command reads a
//! [`Config`] and a [`World`] and answers with a [`Plan`]; consent turns it into an [`Approved`] plan; [`execute`]
//! hands its steps to a [`Machine`] one by one and tells a listener about each [`Event`].

mod action;
mod address;
pub mod carry;
mod changes;
pub mod check;
mod config;
mod consent;
mod detected;
mod disclosure;
mod effect;
mod event;
mod examined;
mod execute;
mod fault;
mod files;
mod finding;
mod git;
pub mod guard;
mod lease;
mod loss;
mod marker;
mod mend;
mod name;
mod outside;
mod ownership;
mod phrase;
mod reload;
mod revisions;
mod secret;
mod seeds;
mod service;
mod settings;
mod staleness;
mod step;
mod surroundings;
mod url;
mod wants;
pub mod words;
mod world;

pub use action::{Action, Seeding};
pub use address::Address;
pub use changes::{Since, TableChange};
pub use config::{Config, Confirm, Home, Kind, Migrations, Source, Sources, Tool, variable_of, variables};
pub use consent::{Approved, Flags, Need, Question, approve};
pub use detected::{Detected, FoundBackend, FoundDatabase, FoundMigrations, FoundSeeds, FoundVolume};
pub use disclosure::{Disclosed, Disclosure, Form};
pub use effect::Effect;
pub use event::{Event, Outcome};
pub use examined::{Blocking, Examined, Examining, Lagging, Room, TakenPort};
pub use execute::{Look, Machine, Report, Said, execute, withdraw};
pub use fault::{Exit, Fault};
pub use files::{Files, Just, difference};
pub use finding::Finding;
pub use git::{Git, Move};
pub use lease::{Holder, Holding, Lease, UNSEEN};
pub use loss::{Contents, Loss, Rows, VolumeLoss};
pub use marker::{Built, KeptAs, Label, LabelKind, Marker, Origin};
pub use mend::mend;
pub use name::{BadName, ContainerName, DatabaseName, RoleName, ServiceName, VolumeName, literal};
pub use outside::{Lack, Outside};
pub use ownership::{Stack, Whose, network, stack, volume};
pub use reload::{Reload, Signal, Signalled};
pub use revisions::{Draft, RELEASED, Revision, Revisions, slug};
pub use secret::{Secret, masked};
pub use seeds::{
    Captured, Reference, SeedChange, SeedCommand, SeedSettings, Seeds, csv_name, csv_table, fills, in_order,
};
pub use service::{Condition, Dependency, Described, Healthcheck, Service};
pub use settings::{Hook, ModelSettings, RebuildSettings, UNDO_DAYS, UNDO_SIZE, UndoSettings};
pub use staleness::{Baseline, baseline};
pub use step::{Data, Expect, Fact, Plan, Step, Undo};
pub use surroundings::{Surroundings, Told, own_scheme, scheme};
pub use url::Url;
pub use wants::{EngineFacts, Reading, Wants};
pub use world::{
    Blueprint, Compose, Container, Database, Engine, Health, Kept, KeptPlace, Logged, Mount, MountKind,
    Network, Server, ServerState, Session, Volume, Workspace, World,
};
