//! Old events go after some days; messages stay. A client that was away longer loads its state anew.

use crate::app::App;
use crate::error::Result;
use crate::id::SiteId;
use crate::storage::{Tx, remove_in_pieces};

use super::store;

/// Removes events older than `event_days`, a little at a time. Run now and then.
pub async fn trim(app: &App) -> Result<u64> {
    let days = i64::try_from(app.config.event_days).unwrap_or(7);
    let moment = app.store.now().plus_seconds(-days * 86_400);
    let mut removed = 0;
    let old = store::last_before(&app.store, moment).await?;
    let Some(newest) = old.iter().map(|(.., id)| *id).max() else { return Ok(0) };
    // First of all: a console must never take a log with holes for a whole one.
    app.store.write(move |tx| store::note_trimmed(tx, newest)).await?;
    for (site, last, _) in old {
        removed += trim_site(app, site, last).await?;
    }
    Ok(removed)
}

/// Removes the events of a site up to a number, piece by piece, and says how many.
///
/// # Errors
/// When the database fails.
pub async fn trim_site(app: &App, site: SiteId, last: i64) -> Result<u64> {
    let trim = move |tx: &mut Tx, rows| {
        tx.keep_cache();
        store::trim_to(tx, site, last, rows)
    };
    remove_in_pieces(&app.store, trim).await
}
