//! Carries rows from a database that serves into the one that is to follow it: all of them out of one snapshot, and in the
//! end, when nobody else is connected any more, what was written since.

mod beside;
mod line;
mod loose;
mod proof;
mod record;
mod run;
mod table;

pub(crate) use line::{Line, Place};
pub(crate) use proof::unmet;
pub(crate) use record::read as record;
pub(crate) use run::{Carrier, Failure};
pub(crate) use table::quoted;
