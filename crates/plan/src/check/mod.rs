//! Whether two or three catalogs agree: facts in, findings out. Pure.

mod accept;
mod alias;
mod catalog;
mod comparison;
mod definition;
mod finding;
mod fold;
mod hint;
mod meaning;
mod mention;
mod merge;
mod negation;
mod pair;
mod remedy;
mod rename;
mod same;
mod severity;
mod shape;
mod statement;
mod token;
mod tried;
mod written;

pub use accept::{Accepted, accepted};
pub use catalog::{Catalog, Facts, Identity, Kind, Unseen};
pub use comparison::{ACCEPTED, Comparison, Form, Place};
pub use finding::{Finding, Severity, Side};
pub use hint::{Described, Sources, hinted};
pub use meaning::meaning;
pub use merge::{absent, findings};
pub(crate) use token::{Token, tokens};
pub use tried::{Tried, refused};
pub use written::{annotations, table};
