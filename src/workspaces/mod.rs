//! A workspace is the customer: it has sites, and members who look after them.

use crate::clock::Millis;
use crate::id::WorkspaceId;
use crate::record;

mod add;
mod rename;
pub mod store;

pub use add::add;
pub use rename::{name, rename};
pub use store::SQL;

/// Longest name, in characters.
pub const NAME_GRAPHEMES: usize = 80;

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its number.
    pub id: WorkspaceId,
    /// Its name, which its members see.
    pub name: String,
    /// When it was made.
    pub created_at: Millis,
}
record!(Workspace { id, name, created_at });
