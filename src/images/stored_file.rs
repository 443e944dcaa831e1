//! Reading a file back. A picture is what was stored, or it is not shown.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::app::App;
use crate::error::{Error, Result};

use super::blobs::FileStamp;
use super::{BlobKey, store};

/// Pictures remembered as checked, about 200 bytes each.
const MAX_VERIFIED: usize = 16_384;

/// Pictures whose content was compared with what was stored, each with the file's listing then. A file that was written
/// to since has another listing and is compared again; what a disk changes by itself is found by `ocs doctor`.
pub(super) struct VerifiedFiles {
    // Held for a look-up only, never across an await.
    stamps: Mutex<HashMap<BlobKey, FileStamp>>,
    /// One comparison at a time: it reads the whole file and keeps a processor busy for milliseconds.
    verifying: Semaphore,
}

impl Default for VerifiedFiles {
    fn default() -> VerifiedFiles {
        VerifiedFiles { stamps: Mutex::default(), verifying: Semaphore::new(1) }
    }
}

impl VerifiedFiles {
    fn contains(&self, key: &BlobKey, stamp: FileStamp) -> bool {
        self.locked().get(key) == Some(&stamp)
    }

    /// Remembers a picture. A full map starts anew: what is looked at often is soon back.
    fn insert(&self, key: &BlobKey, stamp: FileStamp) {
        let mut stamps = self.locked();
        if stamps.len() >= MAX_VERIFIED {
            stamps.clear();
        }
        stamps.insert(key.clone(), stamp);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<BlobKey, FileStamp>> {
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stored file that somebody may see. It is not open.
pub struct StoredFile {
    key: BlobKey,
    stamp: FileStamp,
    known_image: Option<store::KnownImage>,
}

impl StoredFile {
    /// Finds a stored file. The random name is the permission: knowing it is being allowed to see it. Costs a look into
    /// the database and one into the folder.
    ///
    /// # Errors
    /// `NotFound` when there is no such file; a picture's missing file is reported in the log.
    pub async fn find(app: &App, key: BlobKey) -> Result<StoredFile> {
        let known_image = match key.is_picture() {
            true => Some(store::find(&app.store, key.name()).await?.ok_or(Error::NotFound)?),
            false => None,
        };
        match app.images.blobs.find(&key).await? {
            Some(stamp) => Ok(StoredFile { key, stamp, known_image }),
            None => {
                known_image.as_ref().inspect(|known_image| report(known_image));
                Err(Error::NotFound)
            }
        }
    }

    /// Length in bytes.
    pub fn length(&self) -> u64 {
        self.stamp.length
    }

    /// Makes sure that a picture's content is what was stored. It is read once, not at each look.
    ///
    /// # Errors
    /// `NotFound` when the disk has changed it; the log says which picture it is.
    pub async fn verify(&self, app: &App) -> Result<()> {
        let (verified, Some(known_image)) = (&app.images.verified_files, &self.known_image) else { return Ok(()) };
        if verified.contains(&self.key, self.stamp) {
            return Ok(());
        }
        let _one = verified.verifying.acquire().await.map_err(|_| Error::Unavailable)?;
        // Whoever waited beside another who asks for the same picture finds it checked.
        if verified.contains(&self.key, self.stamp) {
            return Ok(());
        }
        if !app.images.blobs.matches_hash(&self.key, &known_image.sha256).await? {
            report(known_image);
            return Err(Error::NotFound);
        }
        verified.insert(&self.key, self.stamp);
        Ok(())
    }

    /// Reads a part of it. The file is open only meanwhile, so that a slow reader holds no descriptor.
    ///
    /// # Errors
    /// `Unavailable` when the file has been removed or cut short since it was found.
    pub async fn read(&self, app: &App, start: u64, length: usize) -> Result<Bytes> {
        app.images.blobs.read(&self.key, start, length).await
    }
}

/// Do two stored pictures have the same content?
///
/// # Errors
/// When the database fails.
pub async fn has_same_content(app: &App, first: &str, second: &str) -> Result<bool> {
    if first == second {
        return Ok(true);
    }
    let (first, second) = (store::find(&app.store, first).await?, store::find(&app.store, second).await?);
    Ok(first.zip(second).is_some_and(|(first, second)| first.sha256 == second.sha256))
}

/// Puts a new picture where it belongs. It was just made, so its content is known to be right.
pub(super) async fn put_verified(app: &App, key: &BlobKey, bytes: Bytes) -> Result<()> {
    app.images.blobs.put(key, bytes).await?;
    if let Some(stamp) = app.images.blobs.find(key).await? {
        app.images.verified_files.insert(key, stamp);
    }
    Ok(())
}

fn report(known_image: &store::KnownImage) {
    let (site, image) = (known_image.site_id, known_image.id);
    tracing::error!(%site, %image, "a stored picture is missing or damaged; restore its file from a backup");
}
