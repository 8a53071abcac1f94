//! How the machine in memory performs a step, with trouble at one of them.

use plan::{Action, Data, Expect, Fault, Look, Machine, Outcome, Said};

use super::{Fake, Trouble, failed};

impl Machine for Fake {
    fn verify(&mut self, expect: &Expect) -> Result<(), Fault> {
        let holds = match expect {
            Expect::Database { name, oid } => self.databases.get(name).is_some_and(|held| held.oid == *oid),
            Expect::NoDatabase { name } => !self.databases.contains_key(name),
            Expect::NoMoreRows { name, rows } => {
                self.databases.get(name).is_some_and(|held| held.mine <= *rows)
            }
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
            Some(Trouble::DiesWithin) => {
                self.dead = true;
                self.begin(action)?;
            }
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
