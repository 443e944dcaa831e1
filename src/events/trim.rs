//! Old events go after some days; messages stay. A client that was away longer loads its state anew.

use crate::error::Result;
use crate::id::SiteId;
use crate::storage::{Store, Tx, remove_in_pieces};

use super::store as log;

/// Removes events older than `days`, a little at a time. Run now and then.
pub async fn trim(store: &Store, days: u64) -> Result<u64> {
    let days = i64::try_from(days).unwrap_or(7);
    let moment = store.now().plus_seconds(-days * 86_400);
    let mut removed = 0;
    let old = log::last_before(store, moment).await?;
    let Some(newest) = old.iter().map(|(.., id)| *id).max() else { return Ok(0) };
    // First of all: a console must never take a log with holes for a whole one.
    store.write(move |tx| log::note_trimmed(tx, newest)).await?;
    for (site, last, _) in old {
        removed += trim_site(store, site, last).await?;
    }
    Ok(removed)
}

/// Removes the events of a site up to a number, piece by piece, and says how many.
///
/// # Errors
/// When the database fails.
pub async fn trim_site(store: &Store, site: SiteId, last: i64) -> Result<u64> {
    let trim = move |tx: &mut Tx, rows| {
        tx.keep_cache();
        log::trim_to(tx, site, last, rows)
    };
    remove_in_pieces(store, trim).await
}
