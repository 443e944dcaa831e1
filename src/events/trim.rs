//! Removes old events; messages stay. A client that was offline for longer resyncs.

use crate::error::Result;
use crate::id::SiteId;
use crate::storage::{Store, Tx, remove_in_pieces};

use super::store;

/// Removes events older than `days`, in small transactions, and returns how many. Run it periodically.
pub async fn trim(store: &Store, days: u64) -> Result<u64> {
    let days = i64::try_from(days).unwrap_or(7);
    let moment = store.now().plus_seconds(-days * 86_400);
    let mut removed = 0;
    let old = store::last_before(store, moment).await?;
    let Some(newest) = old.iter().map(|(.., id)| *id).max() else { return Ok(0) };
    // Before the removal: a console must never resume from a log with gaps.
    store.write(move |tx| store::set_trimmed(tx, newest)).await?;
    for (site, last, _) in old {
        removed += trim_site(store, site, last).await?;
    }
    Ok(removed)
}

/// Removes the events of a site up to a number, in small transactions, and returns how many.
///
/// # Errors
/// When the database fails.
pub async fn trim_site(store: &Store, site: SiteId, last: i64) -> Result<u64> {
    let trim = move |tx: &mut Tx, rows| {
        tx.keep_cache();
        store::trim_to(tx, site, last, rows)
    };
    remove_in_pieces(store, trim).await
}
