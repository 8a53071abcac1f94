//! Findings that somebody accepted, with the reason, in a file that is committed.

use serde::{Deserialize, Serialize};

use super::finding::Finding;

/// The file's content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Accepted {
    pub accepted: Vec<Entry>,
}

/// One accepted difference: this one, and no other one of the same object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub object: String,
    pub aspect: String,
    /// What the sides had when it was accepted: once that changes, it is a finding again.
    pub sides: String,
    pub reason: String,
}

impl Accepted {
    /// # Errors
    /// What the file does not say right.
    pub fn read(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    /// Takes these findings in, with one reason.
    pub fn take(&mut self, findings: &[Finding], reason: &str) {
        for finding in findings {
            let entry = Entry {
                object: finding.object.clone(),
                aspect: finding.aspect.clone(),
                sides: sides(finding),
                reason: reason.to_owned(),
            };
            self.accepted.retain(|old| (&old.object, &old.aspect) != (&entry.object, &entry.aspect));
            self.accepted.push(entry);
        }
        self.accepted.sort_by(|a, b| (&a.object, &a.aspect).cmp(&(&b.object, &b.aspect)));
    }

    /// As the text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let head =
            "# Differences that slate-check leaves out. An entry counts while the sides are as it says.\n\n";
        format!("{head}{}", toml::to_string(self).unwrap_or_default())
    }

    fn holds(&self, finding: &Finding) -> bool {
        self.accepted.iter().any(|entry| {
            entry.object == finding.object && entry.aspect == finding.aspect && entry.sides == sides(finding)
        })
    }
}

/// The findings that nobody accepted, and how many somebody did.
#[must_use]
pub fn accepted(findings: Vec<Finding>, accepted: &Accepted) -> (Vec<Finding>, usize) {
    let before = findings.len();
    let left: Vec<Finding> = findings.into_iter().filter(|finding| !accepted.holds(finding)).collect();
    let count = before - left.len();
    (left, count)
}

fn sides(finding: &Finding) -> String {
    let one = |(side, value): (&super::Side, &Option<String>)| {
        format!("{side}: {}", value.as_deref().unwrap_or("nothing"))
    };
    finding.sides.iter().map(one).collect::<Vec<_>>().join("; ")
}
