//! Old lines go after a year.

use crate::app::App;
use crate::error::Result;

use super::{DAYS, store};

/// Removes lines older than [`DAYS`] and says how many. Run now and then.
///
/// # Errors
/// When the database fails.
pub async fn trim(app: &App) -> Result<u64> {
    let mut tx = app.store.begin().await?;
    let moment = tx.now().plus_seconds(-DAYS * 86_400);
    let removed = store::remove_before(&mut tx, moment).await?;
    tx.commit().await?;
    Ok(removed)
}
