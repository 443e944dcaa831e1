//! SQL of the audit log. Entries are added; a trigger refuses updates; only age removes them.

use std::collections::BTreeSet;

use crate::clock::Millis;
use crate::error::Result;
use crate::id::{AccountId, AuditId, SiteId, WorkspaceId};
use crate::id_rows;
use crate::storage::{Store, Tx, Value};
use crate::values;

use super::Entry;
use super::view::WorkspaceAuditEntry;

const INSERT: &str = "INSERT INTO audit (id, account_id, workspace_id, site_id, action, subject, network, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const OF_ACCOUNT: &str = "SELECT id, account_id, workspace_id, site_id, action, subject, network, at FROM audit
    WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
const OF_WORKSPACE: &str = concat!(
    "SELECT e.id, e.action, e.account_id, a.name AS account_name, e.site_id, e.subject, e.network, e.at
    FROM audit AS e LEFT JOIN accounts AS a ON a.id = e.account_id
    WHERE e.workspace_id = $1 AND (CAST($2 AS TEXT) IS NULL OR e.site_id IN ",
    id_rows!("$2"),
    ") AND e.id < $3 ORDER BY e.id DESC LIMIT $4"
);
const ALL: &str = "SELECT id, account_id, workspace_id, site_id, action, subject, network, at FROM audit
    WHERE id < $1 ORDER BY id DESC LIMIT $2";
const TRIM: &str = "DELETE FROM audit WHERE id IN (SELECT a.id FROM audit AS a WHERE a.at < $1 ORDER BY a.at LIMIT $2)";

/// All statements of this file, for the test that prepares them.
pub const SQL: &[&str] = &[INSERT, OF_ACCOUNT, OF_WORKSPACE, ALL, TRIM];

pub(super) fn insert(tx: &mut Tx, entry: &Entry) -> Result<()> {
    let Entry { id, account_id, workspace_id, site_id, action, subject, network, at } = entry;
    tx.run(INSERT, values![*id, *account_id, *workspace_id, *site_id, action, subject, network, *at]).map(drop)
}

/// Entries of an account before the id `before`, newest first.
///
/// # Errors
/// When the database fails.
pub async fn of_account(store: &Store, account: AccountId, before: AuditId, limit: i64) -> Result<Vec<Entry>> {
    store.all(OF_ACCOUNT, values![account, before, limit]).await
}

/// Entries of a workspace before the id `before`, newest first. `sites`: only what concerns these; `None`: everything.
///
/// # Errors
/// When the database fails.
pub async fn of_workspace(
    store: &Store,
    workspace: WorkspaceId,
    sites: Option<&BTreeSet<SiteId>>,
    before: AuditId,
    limit: i64,
) -> Result<Vec<WorkspaceAuditEntry>> {
    store.all(OF_WORKSPACE, values![workspace, sites.map(Value::json), before, limit]).await
}

/// Entries of the whole server, newest first.
///
/// # Errors
/// When the database fails.
pub async fn newest(store: &Store, before: AuditId, limit: i64) -> Result<Vec<Entry>> {
    store.all(ALL, values![before, limit]).await
}

pub(super) fn remove_before(tx: &mut Tx, moment: Millis, limit: i64) -> Result<i64> {
    tx.run(TRIM, values![moment, limit]).map(|removed| removed as i64)
}
