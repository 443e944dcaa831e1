//! Reading a file back. A picture is what was stored, or it is not shown.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::app::App;
use crate::error::{Error, Result};

use super::blobs::Listing;
use super::{BlobKey, store};

/// Pictures remembered as checked, about 200 bytes each.
const REMEMBERED: usize = 16_384;

/// Pictures whose content was compared with what was stored, each with the file's listing then. A file that was written
/// to since has another listing and is compared again; what a disk changes by itself is found by `ocs doctor`.
pub(super) struct Checked {
    // Held for a look-up only, never across an await.
    listings: Mutex<HashMap<BlobKey, Listing>>,
    /// One comparison at a time: it reads the whole file and keeps a processor busy for milliseconds.
    checking: Semaphore,
}

impl Default for Checked {
    fn default() -> Checked {
        Checked { listings: Mutex::default(), checking: Semaphore::new(1) }
    }
}

impl Checked {
    fn has(&self, key: &BlobKey, listing: Listing) -> bool {
        self.locked().get(key) == Some(&listing)
    }

    /// Remembers a picture. A full map starts anew: what is looked at often is soon back.
    fn keep(&self, key: &BlobKey, listing: Listing) {
        let mut listings = self.locked();
        if listings.len() >= REMEMBERED {
            listings.clear();
        }
        listings.insert(key.clone(), listing);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<BlobKey, Listing>> {
        self.listings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stored file that somebody may see. It is not open.
pub struct Stored {
    key: BlobKey,
    listing: Listing,
    known: Option<store::Known>,
}

impl Stored {
    /// Finds a stored file. The random name is the permission: knowing it is being allowed to see it. Costs a look into
    /// the database and one into the folder.
    ///
    /// # Errors
    /// `NotFound` when there is no such file; a picture's missing file is reported in the log.
    pub async fn find(app: &App, key: BlobKey) -> Result<Stored> {
        let known = match key.is_picture() {
            true => Some(store::known(&app.store, key.name()).await?.ok_or(Error::NotFound)?),
            false => None,
        };
        match app.images.blobs.find(&key).await? {
            Some(listing) => Ok(Stored { key, listing, known }),
            None => {
                known.as_ref().inspect(|known| report(known));
                Err(Error::NotFound)
            }
        }
    }

    /// Length in bytes.
    pub fn length(&self) -> u64 {
        self.listing.length
    }

    /// Makes sure that a picture's content is what was stored. It is read once, not at each look.
    ///
    /// # Errors
    /// `NotFound` when the disk has changed it; the log says which picture it is.
    pub async fn check(&self, app: &App) -> Result<()> {
        let (checked, Some(known)) = (&app.images.checked, &self.known) else { return Ok(()) };
        if checked.has(&self.key, self.listing) {
            return Ok(());
        }
        let _one = checked.checking.acquire().await.map_err(|_| Error::Unavailable)?;
        // Whoever waited beside another who asks for the same picture finds it checked.
        if checked.has(&self.key, self.listing) {
            return Ok(());
        }
        if !app.images.blobs.is_whole(&self.key, &known.sha256).await? {
            report(known);
            return Err(Error::NotFound);
        }
        checked.keep(&self.key, self.listing);
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
pub async fn is_same(app: &App, one: &str, other: &str) -> Result<bool> {
    if one == other {
        return Ok(true);
    }
    let (one, other) = (store::known(&app.store, one).await?, store::known(&app.store, other).await?);
    Ok(one.zip(other).is_some_and(|(one, other)| one.sha256 == other.sha256))
}

/// Puts a new picture where it belongs. It was just made, so its content is known to be right.
pub(super) async fn put_checked(app: &App, key: &BlobKey, bytes: Bytes) -> Result<()> {
    app.images.blobs.put(key, bytes).await?;
    if let Some(listing) = app.images.blobs.find(key).await? {
        app.images.checked.keep(key, listing);
    }
    Ok(())
}

fn report(known: &store::Known) {
    let (site, image) = (known.site_id, known.id);
    tracing::error!(%site, %image, "a stored picture is missing or damaged; restore its file from a backup");
}
