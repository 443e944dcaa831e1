//! Removes expired tokens and ends their open connections.

use crate::error::Result;
use crate::events::{self, Effect};
use crate::storage::{Store, Tx, remove_in_pieces};

use super::store;

/// Removes expired tokens and returns how many. Run it periodically.
///
/// # Errors
/// When the database fails.
pub async fn end_expired(store: &Store) -> Result<u64> {
    let remove = |tx: &mut Tx, rows| {
        let ended = store::remove_expired(tx, rows)?;
        let removed = ended.len() as i64;
        if removed > 0 {
            events::effect(tx, Effect::TokensEnded(ended));
        }
        Ok(removed)
    };
    remove_in_pieces(store, remove).await
}
