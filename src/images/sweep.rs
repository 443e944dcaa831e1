//! Removing what nobody needs: images that no message took within a day, and files whose rows are gone.

use std::time::Duration;

use crate::app::App;
use crate::error::Result;
use crate::storage::Tx;

use super::{BlobKey, Images, LOOSE_SECONDS, store};

/// Rows taken at once.
const BATCH: i64 = 200;
/// Time between two sweeps when nothing asks for one.
const PAUSE: Duration = Duration::from_secs(600);
/// An image can be sent until it is a day old; it is swept a while later, so that the two never meet.
const GRACE_SECONDS: i64 = 600;

/// Sweeps now and then, and at once when something was let go. Ends never; run it beside the server.
pub async fn run(app: App) {
    loop {
        if let Err(error) = sweep(&app).await {
            tracing::warn!(%error, "images that nobody needs could not be removed; trying again later");
        }
        let _ = tokio::time::timeout(PAUSE, app.images.leftovers.notified()).await;
    }
}

/// Sweeps once. Safe to break off and to run twice.
pub async fn sweep(app: &App) -> Result<()> {
    let before = app.store.now().plus_seconds(-LOOSE_SECONDS - GRACE_SECONDS);
    loop {
        let loose = store::loose(&app.store, before, BATCH).await?;
        if loose.is_empty() {
            break;
        }
        let mut tx = app.store.begin().await?;
        for (site, image) in loose {
            store::delete_loose(&mut tx, site, image).await?;
        }
        tx.commit().await?;
    }
    loop {
        let leftovers = store::leftovers(&app.store, BATCH).await?;
        if leftovers.is_empty() {
            return Ok(());
        }
        for (folder, name) in &leftovers {
            if let Some(key) = BlobKey::parse(folder, name) {
                app.images.blobs.delete(&key).await?;
            }
        }
        // The rows go last: a file is forgotten only when it is gone.
        let mut tx = app.store.begin().await?;
        for (folder, name) in &leftovers {
            store::forget_leftover(&mut tx, folder, name).await?;
        }
        tx.commit().await?;
    }
}

impl Images {
    /// Asks for a sweep once the transaction is durable.
    pub(super) fn wake_sweep_after(&self, tx: &mut Tx) {
        let leftovers = self.leftovers.clone();
        tx.after_commit(move || leftovers.notify_one());
    }
}
