//! Search finds the messages of an operator's sites that say certain words, the newest first, and the people who wrote them
//! (`people/`).
//!
//! An index (`index.rs`) is kept behind the messages and never on their way: what was said last is not in it yet and is
//! read directly. The index narrows; the text of a message decides (`query.rs`). A page of results is a bounded piece of
//! work, whatever there is to look through: when it is done without enough results, the next page goes on from there.

mod find;
mod index;
pub mod people;
mod query;
pub mod store;
pub mod stretches;
mod terms;
mod view;

pub use find::{Filter, Searches, find};
pub use index::{index, run};
pub use query::{QUERY_CHARACTERS, Query};
pub use store::SQL;
pub use view::{Found, FoundMessage, Piece};
