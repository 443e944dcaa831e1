//! Reading a file back.

use crate::app::App;
use crate::error::{Error, Result};

use super::{BlobKey, StoredBlob};

/// Opens a stored file. The random name is the permission: knowing it is being allowed to see it.
///
/// # Errors
/// `NotFound` when there is no such file.
pub async fn fetch(app: &App, key: &BlobKey) -> Result<StoredBlob> {
    app.images.blobs.get(key).await?.ok_or(Error::NotFound)
}
