//! Old events go after some days; messages stay. A client that was away longer loads its state anew.

use crate::app::App;
use crate::error::Result;

use super::store;

/// Events removed in one transaction: the writer must not be held for long.
const STEP: i64 = 2_000;

/// Removes events older than `event_days`, a little at a time. Run now and then.
pub async fn trim(app: &App) -> Result<u64> {
    let days = i64::try_from(app.config.event_days).unwrap_or(7);
    let moment = app.store.now().plus_seconds(-days * 86_400);
    let mut removed = 0;
    let old = store::last_before(&app.store, moment).await?;
    let Some(newest) = old.iter().map(|(.., id)| *id).max() else { return Ok(0) };
    // First of all: a console must never take a log with holes for a whole one.
    let mut tx = app.store.begin().await?;
    store::note_trimmed(&mut tx, newest).await?;
    tx.commit().await?;
    for (site, last, _) in old {
        let mut upto = store::ends(&app.store, site).await?.map_or(last, |ends| ends.trimmed);
        while upto < last {
            upto = last.min(upto + STEP);
            let mut tx = app.store.begin().await?;
            removed += store::trim_to(&mut tx, site, upto).await?;
            tx.commit().await?;
        }
    }
    Ok(removed)
}
