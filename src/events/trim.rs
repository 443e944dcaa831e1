//! Old events go after some days; messages stay. A client that was away longer loads its state anew.

use crate::app::App;
use crate::error::Result;

use super::store;

/// Removes events older than `event_days`. Run now and then.
pub async fn trim(app: &App) -> Result<u64> {
    let days = i64::try_from(app.config.event_days).unwrap_or(7);
    let mut tx = app.store.begin().await?;
    let moment = tx.now().plus_seconds(-days * 86_400);
    let mut removed = 0;
    for (site, n) in store::last_before(&mut tx, moment).await? {
        removed += store::trim_to(&mut tx, site, n).await?;
    }
    tx.commit().await?;
    Ok(removed)
}
