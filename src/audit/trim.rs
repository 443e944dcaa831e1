//! Removal of old entries.

use crate::app::App;
use crate::error::Result;
use crate::storage::{Tx, remove_in_pieces};

use super::{DAYS, store};

/// Removes entries older than [`DAYS`] and returns how many. Called periodically.
///
/// # Errors
/// When the database fails.
pub async fn trim(app: &App) -> Result<u64> {
    let trim = |tx: &mut Tx, rows| {
        let moment = tx.now().plus_seconds(-DAYS * 86_400);
        store::remove_before(tx, moment, rows)
    };
    remove_in_pieces(&app.store, trim).await
}
