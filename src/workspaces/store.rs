//! SQL of workspaces.

use crate::error::Result;
use crate::storage::Tx;
use crate::values;

use super::Workspace;

const INSERT: &str = "INSERT INTO workspaces (id, name, created_at) VALUES ($1, $2, $3)";
const INSERT_COUNTER: &str = "INSERT INTO workspace_counters (workspace_id, n, trimmed) VALUES ($1, 0, 0)";

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] = &[INSERT, INSERT_COUNTER];

pub(super) fn insert(tx: &mut Tx, workspace: &Workspace) -> Result<()> {
    let Workspace { id, name, created_at } = workspace;
    tx.run(INSERT, values![*id, name, *created_at])?;
    tx.run(INSERT_COUNTER, values![*id]).map(drop)
}
