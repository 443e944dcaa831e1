//! Removing what nobody needs: images that no message took within a day, and files whose rows are gone.

use std::time::Duration;

use crate::app::App;
use crate::error::Result;
use crate::storage::Tx;

use super::{BlobKey, Images, UNATTACHED_SECONDS, store};

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
        let _ = tokio::time::timeout(PAUSE, app.images.orphaned_files.notified()).await;
    }
}

/// Sweeps once. Safe to break off and to run twice.
pub async fn sweep(app: &App) -> Result<()> {
    let before = app.store.now().plus_seconds(-UNATTACHED_SECONDS - GRACE_SECONDS);
    loop {
        let unattached = store::unattached(&app.store, before, BATCH).await?;
        if unattached.is_empty() {
            break;
        }
        let mut tx = app.store.begin().await?;
        for (site, image) in unattached {
            store::delete_unattached(&mut tx, site, image).await?;
        }
        tx.commit().await?;
    }
    loop {
        let orphaned_files = store::orphaned_files(&app.store, BATCH).await?;
        if orphaned_files.is_empty() {
            return Ok(());
        }
        for (folder, name) in &orphaned_files {
            if let Some(key) = BlobKey::parse(folder, name) {
                app.images.blobs.delete(&key).await?;
            }
        }
        // The rows go last: a file is forgotten only when it is gone.
        let mut tx = app.store.begin().await?;
        for (folder, name) in &orphaned_files {
            store::forget_orphaned_file(&mut tx, folder, name).await?;
        }
        tx.commit().await?;
    }
}

impl Images {
    /// Asks for a sweep once the transaction is durable.
    pub(super) fn sweep_after_commit(&self, tx: &mut Tx) {
        let orphaned_files = self.orphaned_files.clone();
        tx.after_commit(move || orphaned_files.notify_one());
    }
}
