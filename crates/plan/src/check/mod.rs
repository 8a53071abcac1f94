//! Whether two or three catalogs agree: facts in, findings out. Pure.

mod accept;
mod catalog;
mod comparison;
mod definition;
mod finding;
mod fold;
mod hint;
mod meaning;
mod mention;
mod merge;
mod pair;
mod rename;
mod same;
mod severity;
mod shape;
mod token;
mod written;

pub use accept::{Accepted, accepted};
pub use catalog::{Catalog, Facts, Identity, Kind};
pub use comparison::{ACCEPTED, Comparison, Form, Place};
pub use finding::{Finding, Severity, Side};
pub use hint::{Described, Sources, hinted};
pub use meaning::meaning;
pub use merge::{absent, findings};
pub use written::{annotations, table};
