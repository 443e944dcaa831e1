//! Old lines go after a year.

use crate::app::App;
use crate::error::Result;
use crate::storage::{Tx, remove_in_pieces};

use super::{DAYS, store};

/// Removes lines older than [`DAYS`] and says how many. Run now and then.
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
