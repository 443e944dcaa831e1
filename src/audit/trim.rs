//! Removal of old entries.

use crate::error::Result;
use crate::storage::{Store, Tx, remove_in_pieces};

use super::DAYS;
use super::store::remove_before;

/// Removes entries older than [`DAYS`] and returns how many. Called periodically.
///
/// # Errors
/// When the database fails.
pub async fn trim(store: &Store) -> Result<u64> {
    let trim = |tx: &mut Tx, rows| {
        let moment = tx.now().plus_seconds(-DAYS * 86_400);
        remove_before(tx, moment, rows)
    };
    remove_in_pieces(store, trim).await
}
