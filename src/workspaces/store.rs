//! SQL of workspaces.

use crate::error::Result;
use crate::id::WorkspaceId;
use crate::storage::{Store, Tx};
use crate::values;

use super::Workspace;

const INSERT: &str = "INSERT INTO workspaces (id, name, created_at) VALUES ($1, $2, $3)";
const INSERT_COUNTER: &str = "INSERT INTO workspace_counters (workspace_id, n, trimmed) VALUES ($1, 0, 0)";

const BY_ID: &str = "SELECT id, name, created_at FROM workspaces WHERE id = $1";
const SET_NAME: &str = "UPDATE workspaces SET name = $2 WHERE id = $1";
const DELETE: &str = "DELETE FROM workspaces WHERE id = $1";

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] = &[INSERT, INSERT_COUNTER, BY_ID, SET_NAME, DELETE];

pub(super) fn insert(tx: &mut Tx, workspace: &Workspace) -> Result<()> {
    let Workspace { id, name, created_at } = workspace;
    tx.run(INSERT, values![*id, name, *created_at])?;
    tx.run(INSERT_COUNTER, values![*id]).map(drop)
}

/// The workspace of this number.
///
/// # Errors
/// When the database fails.
pub async fn by_id(store: &Store, workspace: WorkspaceId) -> Result<Option<Workspace>> {
    store.one(BY_ID, values![workspace]).await
}

/// The same, in a transaction.
///
/// # Errors
/// When the database fails.
pub fn by_id_in(tx: &mut Tx, workspace: WorkspaceId) -> Result<Option<Workspace>> {
    tx.one(BY_ID, values![workspace])
}

pub(super) fn set_name(tx: &mut Tx, workspace: WorkspaceId, name: &str) -> Result<bool> {
    Ok(tx.run(SET_NAME, values![workspace, name])? > 0)
}

/// Removes a workspace with its members and invitations; its sites must be gone before.
///
/// # Errors
/// When the database fails.
pub fn delete(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    tx.run(DELETE, values![workspace]).map(drop)
}
