//! A fresh look at where the user's data is.

use plan::{Data, KeptPlace, Look};

use super::Real;
use crate::engine;
use crate::records::Records;

const CLUSTER: &str = "the local cluster";

impl Real<'_> {
    pub(super) fn look_for(&mut self, piece: &Data, look: &mut Look) {
        match piece {
            Data::Database { name, oid } => match self.databases(|databases| databases.name_of(*oid)) {
                Ok(Some(now)) => look.there.push(now.to_string()),
                Ok(None) => look.gone.push(name.to_string()),
                Err(_) => look.unknown.push(name.to_string()),
            },
            Data::Volume { name } => match self.engine().and_then(|context| engine::look(&context, name)) {
                Ok(names) if names.is_empty() => look.gone.push(name.to_string()),
                Ok(names) => look.there.extend(names),
                Err(_) => look.unknown.push(name.to_string()),
            },
            Data::Cluster => match self.cluster_folder() {
                Some(place) => look.there.push(place),
                None => look.gone.push(CLUSTER.to_owned()),
            },
        }
    }

    /// The cluster in its place, else where a clean moved it.
    fn cluster_folder(&self) -> Option<String> {
        if self.cluster().is_ok_and(|cluster| cluster.folder.exists()) {
            return Some(CLUSTER.to_owned());
        }
        let kept = Records::read(&self.world.workspace).ok()?.kept();
        kept.iter().rev().find_map(|kept| match &kept.place {
            KeptPlace::Cluster { folder } if folder.exists() => Some(folder.display().to_string()),
            _ => None,
        })
    }
}
