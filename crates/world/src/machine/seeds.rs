//! Captures rows as seeds: aside first, proved there, and only then in the place of the files that are there.

use plan::{Action, DatabaseName, Exit, Fault, Outcome, Said, Seeding, Seeds, words};

use super::Real;
use super::reach::no_server;
use crate::carry::Place;
use crate::databases::fault;
use crate::postgres::unless_asked;
use crate::seeds::{self, Failure, Order, Record};
use crate::workspace::make_folder;

impl Real<'_> {
    pub(super) fn perform_on_seeds(
        &mut self,
        action: &Action,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        let workspace = &self.world.workspace;
        match action {
            Action::CaptureSeeds { database, scratch, seeds, tables, mask } => {
                self.capture([database, scratch], seeds, tables, mask, said)
            }
            Action::ProveCapture { scratch, seeds } => self.prove_capture(scratch, seeds, said),
            Action::KeepCapture { dir, changes } => {
                seeds::keep(workspace, &workspace.root, dir, changes).map(|()| Outcome::default())
            }
            _ => seeds::discard(workspace).map(|()| Outcome::default()),
        }
    }

    fn place(&self, database: &DatabaseName) -> Result<Place, Fault> {
        let postgres = self.postgres.as_ref().ok_or_else(no_server)?;
        Ok(Place { options: postgres.options(database), timeout: self.timeout })
    }

    fn capture(
        &mut self,
        [database, scratch]: [&DatabaseName; 2],
        set: &Seeds,
        tables: &[String],
        mask: &[String],
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        self.connect()?;
        let workspace = &self.world.workspace;
        let attempt = format!("the rows of `{database}` were not captured");
        let disk = |why: std::io::Error| Fault::new(Exit::Failed, attempt.clone()).cause(why.to_string());
        // What a run that was killed left.
        seeds::discard(workspace)?;
        let folder = seeds::folder(workspace);
        make_folder(&folder, 0o700)?;
        let dir = workspace.root.join(set.dir.as_deref().unwrap_or_default());
        let there: Vec<String> = seeds::names(&dir).collect();
        let order = Order { tables, mask, there: &there, folder: &folder };
        let (live, bare) = (self.place(database)?, self.place(scratch)?);
        let postgres = self.postgres.as_ref().ok_or_else(no_server)?;
        let mut tell = |done, total| said(Said::Progress { done, total });
        let work = seeds::capture(&live, &bare, &order, &mut tell);
        let record = postgres.block_on(unless_asked(work)).map_err(|failure| match failure {
            Failure::Server(error) => fault(&attempt, &error),
            Failure::Disk(why) => disk(why),
            Failure::Told(fault) => fault,
        })?;
        // The proof loads the whole folder as it would be.
        for file in &record.stay {
            let file_there = dir.canonicalize().unwrap_or_else(|_| dir.clone()).join(file);
            std::os::unix::fs::symlink(file_there, folder.join(file)).map_err(disk)?;
        }
        let record = Record { dir: set.dir.clone().unwrap_or_default(), ..record };
        record.write(workspace)?;
        Ok(Outcome::detail(words::count(record.rows(), "row")))
    }

    fn prove_capture(
        &mut self,
        scratch: &DatabaseName,
        set: &Seeds,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        let workspace = &self.world.workspace;
        let gone = || seeds::unproved("they are gone".to_owned());
        let record = Record::read(workspace).ok_or_else(gone)?;
        let aside = Seeds {
            dir: Some(seeds::folder(workspace).display().to_string()),
            commands: set.commands.clone(),
        };
        self.build(|builder| builder.seed(scratch, &aside, Seeding::Always, said)).map_err(|fault| {
            match fault.exit {
                Exit::Declined => fault,
                _ => seeds::unproved(fault.cause.unwrap_or(fault.error)),
            }
        })?;
        let place = self.place(scratch)?;
        let postgres = self.postgres.as_ref().ok_or_else(no_server)?;
        let proved = postgres.block_on(unless_asked(seeds::prove(&place, &record)));
        let differs = proved.map_err(|error| fault("the captured rows were not compared", &error))?;
        if let Some(why) = differs {
            return Err(seeds::unproved(why));
        }
        Record { proved: true, ..record }.write(workspace)?;
        Ok(Outcome::detail("they give the same rows"))
    }
}
