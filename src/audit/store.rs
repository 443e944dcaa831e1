//! SQL of the audit log. Entries are added; a trigger refuses updates; only age removes them.

use crate::clock::Millis;
use crate::error::Result;
use crate::id::{AccountId, AuditId};
use crate::storage::{Store, Tx};
use crate::values;

use super::Entry;

const INSERT: &str = "INSERT INTO audit (id, account_id, site_id, action, subject, network, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const OF_ACCOUNT: &str = "SELECT id, account_id, site_id, action, subject, network, at FROM audit
    WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
const ALL: &str = "SELECT id, account_id, site_id, action, subject, network, at FROM audit
    WHERE id < $1 ORDER BY id DESC LIMIT $2";
const TRIM: &str = "DELETE FROM audit WHERE id IN (SELECT a.id FROM audit AS a WHERE a.at < $1 ORDER BY a.at LIMIT $2)";

/// All statements of this file, for the test that prepares them.
pub const SQL: &[&str] = &[INSERT, OF_ACCOUNT, ALL, TRIM];

pub(super) fn insert(tx: &mut Tx, entry: &Entry) -> Result<()> {
    let Entry { id, account_id, site_id, action, subject, network, at } = entry;
    tx.run(INSERT, values![*id, *account_id, *site_id, action, subject, network, *at]).map(drop)
}

/// Entries of an account before the id `before`, newest first.
///
/// # Errors
/// When the database fails.
pub async fn of_account(store: &Store, account: AccountId, before: AuditId, limit: i64) -> Result<Vec<Entry>> {
    store.all(OF_ACCOUNT, values![account, before, limit]).await
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
