//! Old lines go after a year.

use crate::app::App;
use crate::error::Result;
use crate::storage::Pieces;

use super::{DAYS, store};

/// Removes lines older than [`DAYS`] and says how many. Run now and then.
///
/// # Errors
/// When the database fails.
pub async fn trim(app: &App) -> Result<u64> {
    let (mut removed, mut pieces) = (0, Pieces::default());
    loop {
        let mut tx = app.store.begin().await?;
        let rows = pieces.begin();
        let moment = tx.now().plus_seconds(-DAYS * 86_400);
        let count = store::remove_before(&mut tx, moment, rows).await?;
        tx.commit().await?;
        removed += count as u64;
        if count < rows {
            return Ok(removed);
        }
        pieces.rest().await;
    }
}
