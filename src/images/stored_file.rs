//! Reading stored files. An image is served only if its content is what was stored.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

use super::blobs::FileStamp;
use super::{BlobKey, Images, store};

/// Images remembered as verified, about 200 bytes each.
const MAX_VERIFIED: usize = 16_384;

/// Images whose content was compared with its stored hash, each with the file's stamp at that time. A file that was
/// written to since has another stamp and is verified again. Silent disk corruption is found by `ocs doctor`.
pub(super) struct VerifiedFiles {
    // Never held across an await.
    stamps: Mutex<HashMap<BlobKey, FileStamp>>,
    /// One verification at a time: it reads the whole file and takes milliseconds of CPU.
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

    /// Remembers a verified file. A full map is cleared first: popular images soon return.
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

/// A stored file that may be served. It is not open.
pub struct StoredFile {
    key: BlobKey,
    stamp: FileStamp,
    known_image: Option<store::KnownImage>,
}

impl StoredFile {
    /// Finds a stored file. Knowing its random name grants access. Costs a database query and a file lookup.
    ///
    /// # Errors
    /// `NotFound` when there is no such file; a chat image whose file is missing is logged.
    pub async fn find(images: &Images, key: BlobKey) -> Result<StoredFile> {
        let known_image = match key.is_picture() {
            true => Some(store::find(&images.store, key.name()).await?.ok_or(Error::NotFound)?),
            false => None,
        };
        match images.blobs.find(&key).await? {
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

    /// Verifies an image's content against its stored hash, once.
    ///
    /// # Errors
    /// `NotFound` when the content has changed; the log names the image.
    pub async fn verify(&self, images: &Images) -> Result<()> {
        let (verified, Some(known_image)) = (&images.verified_files, &self.known_image) else { return Ok(()) };
        if verified.contains(&self.key, self.stamp) {
            return Ok(());
        }
        let _one = verified.verifying.acquire().await.map_err(|_| Error::Unavailable)?;
        // Another request may have verified it while this one waited.
        if verified.contains(&self.key, self.stamp) {
            return Ok(());
        }
        if !images.blobs.matches_hash(&self.key, &known_image.sha256).await? {
            report(known_image);
            return Err(Error::NotFound);
        }
        verified.insert(&self.key, self.stamp);
        Ok(())
    }

    /// Reads a part of the file. The file is open only during the call, so that a slow client holds no descriptor.
    ///
    /// # Errors
    /// `Unavailable` when the file was deleted or truncated since it was found.
    pub async fn read(&self, images: &Images, start: u64, length: usize) -> Result<Bytes> {
        images.blobs.read(&self.key, start, length).await
    }
}

/// Whether two stored images have the same content.
///
/// # Errors
/// The database fails.
pub async fn has_same_content(images: &Images, first: &str, second: &str) -> Result<bool> {
    if first == second {
        return Ok(true);
    }
    let (first, second) = (store::find(&images.store, first).await?, store::find(&images.store, second).await?);
    Ok(first.zip(second).is_some_and(|(first, second)| first.sha256 == second.sha256))
}

/// Stores a new image and remembers it as verified.
pub(super) async fn put_verified(images: &Images, key: &BlobKey, bytes: Bytes) -> Result<()> {
    images.blobs.put(key, bytes).await?;
    if let Some(stamp) = images.blobs.find(key).await? {
        images.verified_files.insert(key, stamp);
    }
    Ok(())
}

fn report(known_image: &store::KnownImage) {
    let (site, image) = (known_image.site_id, known_image.id);
    tracing::error!(%site, %image, "a stored image is missing or damaged; restore its file from a backup");
}
