//! Purging deleted sites. A deleted site belongs to nobody from that moment on; what was in it goes piece by piece, children
//! first. Its row goes last and is what remembers the work, also over a restart.

use std::time::Duration;

use crate::app::App;
use crate::error::Result;
use crate::id::SiteId;
use crate::storage::{Pieces, Tx};
use crate::{accounts, conversations, events, images, messages, visitors};

use super::store;

/// Time until a purge that failed is tried again.
const PAUSE: Duration = Duration::from_secs(60);

/// Purges sites as they are deleted. Never returns; spawn it as a background task.
pub async fn run(app: App) {
    loop {
        if let Err(error) = purge(&app).await {
            tracing::warn!(%error, "a deleted site could not be purged; trying again later");
        }
        let _ = tokio::time::timeout(PAUSE, app.deleted_sites.notified()).await;
    }
}

/// Purges every deleted site to its end. Safe to break off and to run twice.
///
/// # Errors
/// When the database fails.
pub async fn purge(app: &App) -> Result<()> {
    while let Some(site) = store::next_deleted(&app.store).await? {
        let mut pieces = Pieces::default();
        loop {
            let mut tx = app.store.begin().await?;
            let is_gone = remove_piece(app, &mut tx, site, pieces.begin()).await?;
            tx.commit().await?;
            pieces.rest().await;
            if is_gone {
                break;
            }
        }
    }
    Ok(())
}

/// Removes at most so many rows of a site, and the site itself once nothing else is left. Returns whether it is gone.
async fn remove_piece(app: &App, tx: &mut Tx, site: SiteId, rows: i64) -> Result<bool> {
    let mut left = rows;
    left -= images::forget_some(app, tx, site, left).await?;
    left -= messages::store::forget_some(tx, site, left).await?;
    left -= events::store::forget_some(tx, site, left).await?;
    left -= conversations::store::forget_some(tx, site, left).await?;
    left -= visitors::store::forget_some(tx, site, left).await?;
    if left <= 0 {
        // Nobody talks in it any more: what is remembered of other sites stays right.
        tx.keep_memory();
        return Ok(false);
    }
    store::delete(tx, site).await?;
    accounts::store::remove_nobody(tx).await?;
    Ok(true)
}
