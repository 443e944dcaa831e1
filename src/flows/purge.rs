//! Purging deleted sites. A deleted site belongs to nobody from that moment on; what was in it goes piece by piece, children
//! first. Its row goes last and is what remembers the work, also over a restart.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::error::Result;
use crate::id::SiteId;
use crate::storage::{Store, Tx, remove_in_pieces};
use crate::{accounts, conversations, events, images, messages, search, sites, visitors};

/// Time until a purge that failed is tried again.
const PAUSE: Duration = Duration::from_secs(60);

/// Purges sites as they are deleted. Never returns; spawn it as a background task.
pub async fn run(store: Store, deleted_sites: Arc<Notify>) {
    loop {
        if let Err(error) = purge(&store).await {
            tracing::warn!(%error, "a deleted site could not be purged; trying again later");
        }
        let _ = tokio::time::timeout(PAUSE, deleted_sites.notified()).await;
    }
}

/// Purges every deleted site to its end. Safe to break off and to run twice.
///
/// # Errors
/// When the database fails.
pub async fn purge(store: &Store) -> Result<()> {
    while let Some(site) = sites::next_deleted(store).await? {
        remove_in_pieces(store, move |tx, rows| remove_piece(tx, site, rows)).await?;
    }
    Ok(())
}

/// Removes at most so many rows of a site, and the site itself where nothing else is left: then it returns fewer than `rows`.
/// Rows that go with a visitor by a cascade (`people`, `people_words`) are not counted.
fn remove_piece(tx: &mut Tx, site: SiteId, rows: i64) -> Result<i64> {
    let mut left = rows;
    left -= images::delete_batch(tx, site, left)?;
    left -= remove_messages(tx, site, left)?;
    left -= events::store::delete_batch(tx, site, left)?;
    left -= conversations::store::delete_batch(tx, site, left)?;
    left -= visitors::store::forget_some(tx, site, left)?;
    if left <= 0 {
        // Nobody talks in it any more: what is remembered of other sites stays right.
        tx.keep_cache();
        return Ok(rows - left);
    }
    sites::delete_row(tx, site)?;
    accounts::store::remove_nobody(tx)?;
    Ok(rows - left)
}

/// Removes the first messages of a site, at most so many, and what the index of words has of them.
fn remove_messages(tx: &mut Tx, site: SiteId, limit: i64) -> Result<i64> {
    let messages = messages::store::first(tx, site, limit)?;
    if !messages.is_empty() {
        search::store::forget_messages(tx, site, &messages);
        messages::store::remove(tx, site, &messages)?;
    }
    Ok(messages.len() as i64)
}
