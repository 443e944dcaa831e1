//! Purges deleted sites. A deleted site has no owner from that moment on; its rows are removed in small transactions, children
//! first. The site's own row is removed last, so that a purge continues after a restart.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::error::Result;
use crate::id::SiteId;
use crate::storage::{Store, Tx, remove_in_pieces};
use crate::{conversations, events, images, messages, search, sites, visitors};

/// Delay before a failed purge is retried.
const PAUSE: Duration = Duration::from_secs(60);

/// Purges deleted sites. Never returns; spawn it as a background task.
pub async fn run(store: Store, deleted_sites: Arc<Notify>) {
    loop {
        if let Err(error) = purge(&store).await {
            tracing::warn!(%error, "a deleted site could not be purged; trying again later");
        }
        let _ = tokio::time::timeout(PAUSE, deleted_sites.notified()).await;
    }
}

/// Purges every deleted site completely. Idempotent, and safe to interrupt.
///
/// # Errors
/// When the database fails.
pub async fn purge(store: &Store) -> Result<()> {
    while let Some(site) = sites::next_deleted(store).await? {
        remove_in_pieces(store, move |tx, rows| remove_piece(tx, site, rows)).await?;
    }
    Ok(())
}

/// Removes up to `rows` rows of a site, and the site itself when nothing else is left: then it returns fewer than `rows`.
/// Rows removed by a visitor's cascade (`people`, `people_words`) are not counted.
fn remove_piece(tx: &mut Tx, site: SiteId, rows: i64) -> Result<i64> {
    let mut left = rows;
    left -= images::delete_batch(tx, site, left)?;
    left -= remove_messages(tx, site, left)?;
    left -= events::store::delete_batch(tx, site, left)?;
    left -= conversations::store::delete_batch(tx, site, left)?;
    left -= visitors::store::delete_batch(tx, site, left)?;
    if left <= 0 {
        return Ok(rows - left);
    }
    sites::delete_row(tx, site)?;
    Ok(rows - left)
}

/// Removes up to `limit` messages of a site and their entries in the search index.
fn remove_messages(tx: &mut Tx, site: SiteId, limit: i64) -> Result<i64> {
    let messages = messages::store::first(tx, site, limit)?;
    if !messages.is_empty() {
        search::store::forget_messages(tx, site, &messages);
        messages::store::remove(tx, site, &messages)?;
    }
    Ok(messages.len() as i64)
}
