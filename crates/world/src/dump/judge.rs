//! What psql and `pg_restore` complain of, and which of it is no obstacle: a role that is not here, an extension that this
//! Postgres has not, a setting that only newer ones know.

use std::collections::BTreeMap;

use plan::{Exit, Fault, words};

use super::Ended;

/// How many complaints are told before the rest is only counted.
const TOLD: usize = 5;

/// All that was heard.
#[derive(Debug, Default)]
pub(super) struct Judge {
    /// What is left out, and how often it was wanted.
    left_out: BTreeMap<String, u64>,
    faults: Vec<String>,
}

impl Judge {
    /// One line of psql's or `pg_restore`'s.
    pub fn hear(&mut self, line: &str) {
        let Some(error) = error(line) else { return };
        match harmless(error) {
            Some(what) if what.is_empty() => {}
            Some(what) => *self.left_out.entry(what).or_default() += 1,
            None => self.faults.push(error.to_owned()),
        }
    }

    /// # Errors
    /// Something else did not go in: then nothing counts as gone in.
    pub fn verdict(&self, attempt: &str, ended: Ended, version: &str) -> Result<(), Fault> {
        let fault = |cause: String| Err(Fault::new(Exit::Failed, attempt).cause(cause));
        let filtered = ended.filtered.unwrap_or_default();
        if let Some(refused) = filtered.refused {
            return Err(Fault::new(Exit::Refused, attempt).cause(refused));
        }
        if let Err(why) = ended.unpacked {
            return fault(format!("it is cut off or damaged: {why}"));
        }
        if filtered.cut_off {
            return fault("it is cut off: its end is missing".to_owned());
        }
        if let Some(newer) = self.faults.iter().find(|fault| fault.starts_with("unsupported version")) {
            return fault(format!("a newer pg_dump made it than the one of Postgres {version}: {newer}"));
        }
        if !self.faults.is_empty() {
            let named = self.faults.iter().take(TOLD).cloned().collect::<Vec<_>>().join("; ");
            let more = self.faults.len().saturating_sub(TOLD) as u64;
            let more =
                if more > 0 { format!("; {} more", words::count(more, "error")) } else { String::new() };
            let from =
                filtered.from.map(|from| format!(" (dumped from Postgres {from}, and this is {version})"));
            return fault(format!("{named}{more}{}", from.unwrap_or_default()));
        }
        match ended.run {
            // pg_restore counts what it left out as a failure.
            Err(why) if self.left_out.is_empty() => fault(why.to_string()),
            _ => Ok(()),
        }
    }

    /// What a person has to know of it.
    pub fn left_out(&self) -> Vec<String> {
        self.left_out
            .iter()
            .map(|(what, many)| format!("left out: {what} ({})", words::count(*many, "statement")))
            .collect()
    }
}

/// The message of a line that is an error.
fn error(line: &str) -> Option<&str> {
    let said = match line.split_once("ERROR:").or_else(|| line.split_once("FATAL:")) {
        Some((_, said)) => said,
        None => line
            .strip_prefix("pg_restore: error:")
            .or_else(|| line.split_once(": error:").map(|(_, said)| said))?,
    };
    Some(said.trim())
}

/// What is left out, where an import may go on without it; nothing to tell where it is empty.
fn harmless(error: &str) -> Option<String> {
    let quoted = || error.split('"').nth(1).unwrap_or_default();
    let role = |name: &str| {
        Some(format!("role `{name}` is not here: what it owned is yours, and its rights are gone"))
    };
    let no_role = error.starts_with("role ") && error.ends_with(" does not exist");
    if no_role || error.starts_with("must be member of role") || error.starts_with("must be able to SET ROLE")
    {
        role(quoted())
    } else if error.starts_with("unrecognized configuration parameter ") {
        Some(format!("setting `{}` is not known to this Postgres", quoted()))
    } else if error.starts_with("extension ") && error.ends_with(" is not available") {
        Some(format!("extension `{}` is not on this server", quoted()))
    } else if (error.starts_with("extension ") && error.ends_with(" does not exist"))
        || (error.starts_with("schema \"public\"") && error.ends_with(" already exists"))
        || error.starts_with("must be owner of extension ")
        || error == "must be owner of schema public"
    {
        Some(String::new())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_role_is_left_out_and_a_missing_type_is_a_fault() {
        let mut judge = Judge::default();
        for line in [
            "psql:<stdin>:12: ERROR:  role \"bob\" does not exist",
            "pg_restore: error: could not execute query: ERROR:  role \"bob\" does not exist",
            "pg_restore: error: could not execute query: ERROR:  schema \"public\" already exists",
            "psql:<stdin>:3: NOTICE:  table \"x\" does not exist, skipping",
        ] {
            judge.hear(line);
        }

        let role = "left out: role `bob` is not here: what it owned is yours, and its rights are gone (2 statements)";
        assert_eq!(judge.left_out(), [role]);
        assert_eq!(judge.faults, [""; 0]);
        judge.hear("psql:<stdin>:14: ERROR:  type \"geometry\" does not exist");
        judge.hear("pg_restore: error: could not read from input file: end of file");
        assert_eq!(judge.faults.len(), 2);
    }
}
