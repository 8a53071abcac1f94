//! The files against what a database was built from.

use jiff::Timestamp;

use crate::{Database, LabelKind, Marker, Origin, World};

/// How the live database stands to the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Baseline {
    /// No marker tells.
    Unmarked,
    /// The marker names this other workspace.
    Foreign(String),
    /// It was there since, and nobody knows what it was built from.
    Adopted(Timestamp),
    /// Nothing says what it should be built from.
    NoFiles,
    /// Of these very files, or of files that give the same.
    Current(Timestamp),
    /// Of these migrations, but the model files are others by now: a migration may be forgotten.
    ModelsChanged(Timestamp),
    /// Migrations or seeds are others by now.
    Stale(Timestamp),
}

/// Judges it. Files that were only reformatted are known by a template that was built from them since.
#[must_use]
pub fn baseline(live: &Database, world: &World) -> Baseline {
    let Some(marker) = &live.marker else { return Baseline::Unmarked };
    if marker.workspace != world.workspace.id {
        return Baseline::Foreign(marker.workspace.clone());
    }
    if marker.origin == Origin::Adopted {
        return Baseline::Adopted(marker.at);
    }
    let Some(blueprint) = &world.blueprint else { return Baseline::NoFiles };
    if marker.blueprint.as_ref() != Some(&blueprint.hash) && !is_same(marker, world) {
        return Baseline::Stale(marker.at);
    }
    if blueprint.models.is_some() && marker.models != blueprint.models {
        return Baseline::ModelsChanged(marker.at);
    }
    Baseline::Current(marker.at)
}

/// A template of the present files gives what the marked database was built with.
fn is_same(marker: &Marker, world: &World) -> bool {
    let Some(blueprint) = &world.blueprint else { return false };
    let of_these = world.beside(LabelKind::Template).filter_map(|(_, label)| label.built.as_ref());
    let mut of_these = of_these.filter(|built| built.blueprint == blueprint.hash);
    of_these.any(|built| built.fingerprint.is_some() && built.fingerprint == marker.fingerprint)
}
