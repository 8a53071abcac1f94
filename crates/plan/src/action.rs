//! Everything that cleanslate can do to a machine. There is no power beside these.

use std::path::PathBuf;

use serde::Serialize;

use crate::carry::{Rules, Stage};
use crate::check::{Comparison, Side};
use crate::{
    ContainerName, DatabaseName, Hook, Label, Marker, Migrations, Reload, RoleName, SeedChange, Seeds,
    ServiceName, VolumeName,
};

/// One power over the user's machine, with all it needs to be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Have Compose make the containers of these services as its own `up` makes them, and start none.
    MakeServices {
        services: Vec<ServiceName>,
    },
    /// Start each of these as soon as what it needs holds, and wait until the awaited ones answer.
    StartServices {
        services: Vec<ServiceName>,
        awaited: Vec<ServiceName>,
    },
    /// Record a volume of unknown origin as this workspace's, because somebody said so.
    AdoptVolume {
        volume: VolumeName,
    },
    StartContainers {
        containers: Vec<ContainerName>,
    },
    /// Seconds that each gets to stop by itself: 0 ends it at once, `None` is what Docker knows of it.
    StopContainers {
        containers: Vec<ContainerName>,
        grace: Option<u32>,
    },
    RestartContainer {
        container: ContainerName,
        service: ServiceName,
        grace: u32,
    },
    /// Have a service take its new code by the way of `restart.inside`.
    Reload {
        service: String,
        #[serde(serialize_with = "crate::reload::shown")]
        by: Reload,
    },
    /// Wait until a service answers: its URL, else its own healthcheck, else that it runs.
    AwaitService {
        service: ServiceName,
        url: Option<String>,
    },
    /// All at the same time.
    RemoveContainers {
        containers: Vec<ContainerName>,
    },
    /// Networks and volumes that nobody uses any more, all at the same time.
    RemoveRest {
        networks: Vec<String>,
        volumes: Vec<VolumeName>,
    },
    /// Copy a volume that nobody writes to into a new one, and compare the two.
    CopyVolume {
        from: VolumeName,
        to: VolumeName,
        n: u32,
        image: String,
    },
    RemoveVolume {
        volume: VolumeName,
    },
    /// Make a volume again from its copy, and compare the two.
    RestoreVolume {
        from: VolumeName,
        to: VolumeName,
        labels: std::collections::BTreeMap<String, String>,
        image: String,
    },
    /// A kept copy whose original is back.
    ForgetVolume {
        copy: VolumeName,
        n: u32,
    },
    /// Give up a kept copy that nothing else holds.
    GiveUpCopy {
        copy: VolumeName,
        n: u32,
    },

    /// initdb for the private cluster.
    CreateCluster,
    StartCluster,
    StopCluster,
    /// Move the private cluster aside.
    KeepCluster {
        n: u32,
    },
    /// Move a kept cluster back.
    RestoreCluster {
        folder: PathBuf,
        n: u32,
    },
    RemoveCluster,
    /// A kept cluster that nobody wants any more, or whose time is over.
    ForgetCluster {
        folder: PathBuf,
        n: u32,
    },

    /// Wait until the server takes a login over TCP and answers twice with the same start time.
    AwaitServer,
    CreateDatabase {
        database: DatabaseName,
        owner: RoleName,
        label: Label,
    },
    /// A new database with all that a template holds, which is closed, so that nobody writes to it meanwhile.
    CloneDatabase {
        from: DatabaseName,
        to: DatabaseName,
        label: Label,
        /// Bytes, which decide how Postgres copies; 0 where they are not known.
        bytes: u64,
    },
    /// As [`Self::CloneDatabase`], for one holder of a lease, with what `like` has beside its contents. Any number of runs
    /// do so at the same time: none waits for another, nor for whoever changes the workspace's own database.
    LeaseDatabase {
        from: DatabaseName,
        to: DatabaseName,
        like: Option<DatabaseName>,
        label: Label,
        bytes: u64,
    },
    /// Drop a leased database that was given back.
    DropLease {
        database: DatabaseName,
    },
    /// Drop leased databases whose lease is over. One that another run drops, or that can't go now, stays for the next.
    SweepLeases {
        databases: Vec<DatabaseName>,
    },
    /// Make a template of a complete database: planner statistics, size and fingerprint on its label, and closed.
    SealTemplate {
        database: DatabaseName,
        label: Label,
    },
    /// Create the workspace's own database where it is missing.
    EnsureDatabase {
        database: DatabaseName,
    },
    /// Stop at a database that holds rows and has no mark of this workspace: somebody else filled it.
    ProveUnclaimed {
        database: DatabaseName,
    },
    Migrate {
        database: DatabaseName,
        migrations: Migrations,
    },
    /// Migrate a database that holds no table yet; where a service does so at its own start, wait for it instead.
    EnsureBaseline {
        database: DatabaseName,
        migrations: Migrations,
    },
    Seed {
        database: DatabaseName,
        seeds: Seeds,
        seeding: Seeding,
    },
    /// Write rows of a database aside as files of a set of seeds, masked columns apart. `scratch` holds what the
    /// migrations alone give.
    CaptureSeeds {
        database: DatabaseName,
        scratch: DatabaseName,
        seeds: Seeds,
        tables: Vec<String>,
        mask: Vec<String>,
    },
    /// Load what was captured into the scratch database, and compare every table with what it was captured from.
    ProveCapture {
        scratch: DatabaseName,
        seeds: Seeds,
    },
    /// Put captured files in the place of those that were shown.
    KeepCapture {
        dir: String,
        changes: Vec<SeedChange>,
    },
    /// Remove what a capture wrote aside.
    DiscardCapture,
    /// Write our marker into a database.
    Stamp {
        database: DatabaseName,
        marker: Marker,
    },
    /// Write our marker into a database that has none: built where this run filled it, else adopted.
    EnsureMarker {
        database: DatabaseName,
        blueprint: Option<String>,
        seeds: Option<String>,
    },
    /// Make a database of an external server this workspace's, because somebody said so: our marker in it, and our note.
    AdoptDatabase {
        database: DatabaseName,
        marker: Marker,
    },
    /// Comment on a database that is ours to label.
    Label {
        database: DatabaseName,
        label: Label,
    },
    /// Give a new database what the one it replaces has beside its contents: owner, limit, rights, settings.
    CarryOver {
        from: DatabaseName,
        to: DatabaseName,
    },
    /// Copy the rows that fit from one database into a new one, which holds the migrations' own rows and maybe seeds.
    CarryRows {
        from: DatabaseName,
        to: DatabaseName,
        rules: Rules,
        stage: Stage,
    },
    /// Drop a database that our own label says is being built: it holds nothing of anybody's.
    DiscardDatabase {
        database: DatabaseName,
    },
    /// Let nobody in any more.
    CloseDatabase {
        database: DatabaseName,
    },
    OpenDatabase {
        database: DatabaseName,
    },
    /// End every session on it, and wait until they are gone.
    EndSessions {
        database: DatabaseName,
    },
    DropDatabase {
        database: DatabaseName,
    },
    /// Give a database the live name and the live comment, in one transaction.
    RenameDatabase {
        from: DatabaseName,
        to: DatabaseName,
        comment: Option<String>,
    },

    /// Apply the migrations to a scratch database, as one side of a comparison.
    BuildMigrations {
        database: DatabaseName,
        migrations: Migrations,
    },
    /// Create what the models describe in a scratch database, after the extensions of another one.
    BuildModels {
        database: DatabaseName,
        after: Option<DatabaseName>,
    },
    /// Write and read a row of each model in a scratch database, in a transaction that is rolled back.
    TryModels {
        database: DatabaseName,
    },
    /// Read the catalogs of some databases, and say where they differ.
    Compare(Comparison),
    /// Write what was found into the file of accepted differences.
    Accept {
        reason: String,
    },
    /// In one transaction, the live database becomes a kept one and the next one takes its name, with its comment.
    Swap {
        live: DatabaseName,
        kept: DatabaseName,
        next: DatabaseName,
        label: Label,
        comment: Option<String>,
    },
    /// Compare a kept database with what it was built from, now that nobody is on it: drop it when it is proved the
    /// same, else say on its label what changed.
    WeighKept {
        database: DatabaseName,
        label: Label,
    },
    /// Note how a database's settings are, so that a change of them is seen later.
    NoteSettings {
        database: DatabaseName,
    },
    /// Note on a database which git branch it belongs to.
    NoteBranch {
        database: DatabaseName,
        branch: String,
    },
    /// Write what a database holds into a file that is not there yet.
    ExportDatabase {
        database: DatabaseName,
        file: PathBuf,
    },
    /// Load a dump into a new database that holds nothing.
    ImportDatabase {
        database: DatabaseName,
        file: PathBuf,
    },
    /// Drop a kept database that nobody wants any more.
    GiveUpDatabase {
        database: DatabaseName,
        n: u32,
    },
    /// The user's own command from `[[before_reset]]` or `[[after_reset]]`.
    RunHook {
        hook: Hook,
    },
    /// Start again what ran before and does not any more.
    KeepRunning {
        containers: Vec<ContainerName>,
    },
    /// Without holding the terminal: weigh what is kept, clone the next spare, collect what nothing uses.
    Tidy,

    /// Write a file of the workspace that is still as it was, or remove it where `after` is `None`. Where `recipes` are
    /// named, `just` proves first that nothing else of the justfile changes.
    WriteFile {
        path: String,
        before: Option<String>,
        after: Option<String>,
        recipes: Option<Vec<String>>,
    },

    /// Write what the next migration would be into our own folder: by alembic, from the models against a database that the
    /// migrations made; else as statements that bring it to another one.
    DraftRevision {
        name: String,
        path: String,
        database: DatabaseName,
        like: Option<DatabaseName>,
    },
    /// Write a database's whole schema as one migration into our own folder, and prove it in an empty one.
    DraftBaseline {
        from: Side,
        source: DatabaseName,
        /// Of the present migrations, where the source is another one.
        present: Option<DatabaseName>,
        scratch: DatabaseName,
        path: String,
        id: String,
    },
    /// Have alembic tell the statements that it would run.
    DraftStatements {
        database: DatabaseName,
        target: String,
    },
    /// Apply pending migrations to the live database.
    Upgrade {
        database: DatabaseName,
        to: Option<String>,
        /// They are known to lose no row.
        adds: bool,
    },
    /// Take the last migrations of the live database back.
    Downgrade {
        database: DatabaseName,
        target: String,
    },
    /// Note that a database is at the one migration that the files hold now.
    AdoptBaseline {
        database: DatabaseName,
    },
    /// Note on the live database that it is of the files as they are.
    NoteBlueprint {
        database: DatabaseName,
    },

    /// psql, for a person.
    OpenPsql {
        database: DatabaseName,
        arguments: Vec<String>,
    },
}

/// When seeds are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seeding {
    Always,
    /// Only when no table of the user's holds a row.
    WhenEmpty,
    /// In the place of the rows that the tables hold which the files fill.
    Again,
}
