//! Deletes images that were not attached within a day, and orphaned files.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::storage::Tx;

use super::{BlobKey, Images, UNATTACHED_SECONDS, store};

/// Rows of one batch.
const BATCH: i64 = 200;
/// Interval between sweeps when nothing requests one.
const SWEEP_INTERVAL: Duration = Duration::from_secs(600);
/// An image can be attached until it is a day old; it is deleted ten minutes later, so that the two cannot race.
const GRACE_SECONDS: i64 = 600;

/// Sweeps periodically, and at once when files were orphaned. Never returns; spawn it as a background task.
pub async fn run(images: Arc<Images>) {
    loop {
        if let Err(error) = sweep(&images).await {
            tracing::warn!(%error, "unattached images or orphaned files could not be removed; retrying later");
        }
        let _ = tokio::time::timeout(SWEEP_INTERVAL, images.orphaned_files.notified()).await;
    }
}

/// Sweeps once. Safe to interrupt and to run concurrently.
pub async fn sweep(images: &Images) -> Result<()> {
    let before = images.store.now().plus_seconds(-UNATTACHED_SECONDS - GRACE_SECONDS);
    loop {
        let unattached = store::unattached(&images.store, before, BATCH).await?;
        if unattached.is_empty() {
            break;
        }
        let delete = move |tx: &mut Tx| {
            unattached.iter().try_for_each(|(site, image)| store::delete_unattached(tx, *site, *image))
        };
        images.store.write(delete).await?;
    }
    loop {
        let orphaned_files = store::orphaned_files(&images.store, BATCH).await?;
        if orphaned_files.is_empty() {
            return Ok(());
        }
        for (folder, name) in &orphaned_files {
            if let Some(key) = BlobKey::parse(folder, name) {
                images.blobs.delete(&key).await?;
            }
        }
        // The rows go last: a file is forgotten only when it is gone.
        let forget = move |tx: &mut Tx| {
            orphaned_files.iter().try_for_each(|(folder, name)| store::forget_orphaned_file(tx, folder, name))
        };
        images.store.write(forget).await?;
    }
}

impl Images {
    /// Asks for a sweep now.
    pub fn wake_sweep(&self) {
        self.orphaned_files.notify_one();
    }
}
