//! Removing what nobody needs: images that no message took within a day, and files whose rows are gone.

use std::time::Duration;

use crate::app::App;
use crate::error::Result;
use crate::storage::Tx;

use super::{BlobKey, Images, UNATTACHED_SECONDS, store};

/// Rows taken at once.
const BATCH: i64 = 200;
/// Time between two sweeps when nothing asks for one.
const SWEEP_INTERVAL: Duration = Duration::from_secs(600);
/// An image can be sent until it is a day old; it is swept a while later, so that the two never meet.
const GRACE_SECONDS: i64 = 600;

/// Sweeps now and then, and at once when something was let go. Ends never; run it beside the server.
pub async fn run(app: App) {
    loop {
        if let Err(error) = sweep(&app).await {
            tracing::warn!(%error, "images that nobody needs could not be removed; trying again later");
        }
        let _ = tokio::time::timeout(SWEEP_INTERVAL, app.images.orphaned_files.notified()).await;
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
        let delete = move |tx: &mut Tx| {
            unattached.iter().try_for_each(|(site, image)| store::delete_unattached(tx, *site, *image))
        };
        app.store.write(delete).await?;
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
        let forget = move |tx: &mut Tx| {
            orphaned_files.iter().try_for_each(|(folder, name)| store::forget_orphaned_file(tx, folder, name))
        };
        app.store.write(forget).await?;
    }
}

impl Images {
    /// Asks for a sweep now.
    pub fn wake_sweep(&self) {
        self.orphaned_files.notify_one();
    }
}
