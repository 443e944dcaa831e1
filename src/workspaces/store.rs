//! SQL of workspaces.

use crate::error::Result;
use crate::id::WorkspaceId;
use crate::record;
use crate::storage::{Store, Tx};
use crate::values;

use super::Workspace;

const INSERT: &str = "INSERT INTO workspaces (id, name, created_at) VALUES ($1, $2, $3)";
const INSERT_COUNTER: &str = "INSERT INTO workspace_counters (workspace_id, n, trimmed) VALUES ($1, 0, 0)";

// The workspace of number 0 is nobody's: it has the sites that are deleted and not purged yet.
const BY_ID: &str = "SELECT id, name, created_at FROM workspaces WHERE id = $1 AND id > 0";
const ALL: &str = "SELECT (SELECT COUNT(*) FROM members AS m WHERE m.workspace_id = w.id) AS members,
        (SELECT COUNT(*) FROM sites AS s WHERE s.workspace_id = w.id) AS sites, w.id, w.name, w.created_at
    FROM workspaces AS w WHERE w.id > 0 ORDER BY w.id";
const SET_NAME: &str = "UPDATE workspaces SET name = $2 WHERE id = $1 AND id > 0";
const DELETE: &str = "DELETE FROM workspaces WHERE id = $1 AND id > 0";

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] = &[INSERT, INSERT_COUNTER, BY_ID, ALL, SET_NAME, DELETE];

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

/// A workspace, with the size of its team and the number of its sites.
#[derive(Debug, Clone)]
pub struct Counted {
    /// The workspace.
    pub workspace: Workspace,
    /// Its members, those who are deactivated included.
    pub members: i64,
    /// Its sites.
    pub sites: i64,
}
record!(Counted { members, sites; workspace });

/// Every workspace of this server, oldest first, for the operator of the machine.
///
/// # Errors
/// When the database fails.
pub async fn all(store: &Store) -> Result<Vec<Counted>> {
    store.all(ALL, []).await
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
