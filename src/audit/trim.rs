//! Old lines go after a year.

use futures_util::FutureExt;

use crate::app::App;
use crate::error::Result;
use crate::storage::remove_in_pieces;

use super::{DAYS, store};

/// Removes lines older than [`DAYS`] and says how many. Run now and then.
///
/// # Errors
/// When the database fails.
pub async fn trim(app: &App) -> Result<u64> {
    remove_in_pieces(&app.store, move |tx, rows| {
        async move {
            let moment = tx.now().plus_seconds(-DAYS * 86_400);
            store::remove_before(tx, moment, rows).await
        }
        .boxed()
    })
    .await
}
