//! Adding a workspace.

use crate::error::Result;
use crate::id::WorkspaceId;
use crate::storage::{Kind, Tx};
use crate::text;

use super::{NAME_GRAPHEMES, Workspace, store};

/// Adds a workspace without members, as part of making the account that will own it.
///
/// # Errors
/// When the database fails.
pub fn add(tx: &mut Tx, name: &str) -> Result<Workspace> {
    // Accounts and workspaces share one block of numbers: no number is ever both's.
    let id = tx.next_id(Kind::Account, WorkspaceId)?;
    let workspace = Workspace { id, name: text::cut(name, NAME_GRAPHEMES), created_at: tx.now() };
    store::insert(tx, &workspace)?;
    Ok(workspace)
}
