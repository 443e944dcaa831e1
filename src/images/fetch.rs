//! Reading a file back. A picture is what was stored, or it is not shown.

use crate::app::App;
use crate::error::{Error, Result};

use super::{BlobKey, StoredBlob, store};

/// Opens a stored file. The random name is the permission: knowing it is being allowed to see it.
///
/// # Errors
/// `NotFound` when there is no such file, or a picture's content is not what was stored: the disk has changed it, and the
/// log says which one it is.
pub async fn fetch(app: &App, key: &BlobKey) -> Result<StoredBlob> {
    if !key.is_picture() {
        return app.images.blobs.get(key).await?.ok_or(Error::NotFound);
    }
    let known = store::known(&app.store, key.name()).await?.ok_or(Error::NotFound)?;
    let whole = app.images.blobs.get_whole(key, &known.sha256).await?;
    if whole.is_none() {
        let (site, image) = (known.site_id, known.id);
        tracing::error!(%site, %image, "a stored picture is missing or damaged; restore its file from a backup");
    }
    whole.ok_or(Error::NotFound)
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
