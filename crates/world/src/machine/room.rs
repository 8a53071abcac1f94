//! Whether a copy of a database finds room beside its original.

use plan::{DatabaseName, Exit, Fault, Kind, words};

use super::Real;
use crate::engine;

/// Bytes that a copy takes beside its own: one file of the write-ahead log.
const BESIDE: u64 = 16 * 1024 * 1024;

/// Up to so many bytes a container is not asked: the question would take longer than the copy.
const UNASKED: u64 = 256_000_000;

impl Real<'_> {
    /// A server whose disk is full stops, so a copy that can't fit is not begun. What can't be known is no obstacle.
    pub(super) fn has_room(&self, to: &DatabaseName, bytes: u64) -> Result<(), Fault> {
        let Some(free) = self.free(bytes).filter(|free| *free < bytes.saturating_add(BESIDE)) else {
            return Ok(());
        };
        let (bytes, free) = (words::bytes(bytes), words::bytes(free));
        Err(Fault::new(Exit::Refused, format!("there is no room for `{to}`"))
            .cause(format!("a copy takes {bytes}, and {free} are free where the server keeps its databases"))
            .hint(format!(
                "{} gives up what is kept",
                self.world.workspace.command("undo --gc --older-than 0")
            )))
    }

    /// Bytes that are free where the server's data directory is.
    fn free(&self, bytes: u64) -> Option<u64> {
        match self.server.as_ref()?.kind {
            Kind::Local => {
                let found = rustix::fs::statvfs(&self.cluster().ok()?.folder).ok()?;
                Some(found.f_bavail.saturating_mul(found.f_frsize))
            }
            Kind::External => None,
            Kind::Compose => self.engine.as_ref().filter(|_| bytes > UNASKED).and_then(engine::room),
        }
    }
}
