//! Removes old events; messages stay. A client that was offline for longer resyncs.

use crate::error::Result;
use crate::storage::{Store, remove_in_pieces};

use super::store;

/// Removes events older than `days`, in small transactions, and returns how many. Run it periodically.
///
/// # Errors
/// When the database fails.
pub async fn trim(store: &Store, days: u64) -> Result<u64> {
    let days = i64::try_from(days).unwrap_or(7);
    let moment = store.now().plus_seconds(-days * 86_400);
    // Before the removal: a client must never resume from a log with gaps.
    store.write(move |tx| store::set_trimmed(tx, moment)).await?;
    remove_in_pieces(store, move |tx, rows| store::trim(tx, moment, rows)).await
}
