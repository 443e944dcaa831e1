//! Site logos: re-encoded like any image, and small.

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::events::{self, Effect};
use crate::fair_limit::Tenant;
use crate::id::WorkspaceId;
use crate::storage::Tx;

use super::reencode::reencode;
use super::thumbnail::make_thumbnail;
use super::{BlobKey, FileName, ImageHeader, Images, store};

/// Longest side of a stored logo, in pixels.
const MAX_LOGO_SIDE: u32 = 256;
/// Largest upload of a logo, in bytes.
pub const MAX_LOGO_BYTES: usize = 5 * 1024 * 1024;

/// Re-encodes and stores a logo of at most 256 pixels a side. Returns the file name for `Site::logo`.
///
/// # Errors
/// `ImageTooLarge`, `TooManyPixels`, `AnimationTooLong`, `InvalidImage`, `StorageFull`.
pub async fn store_logo(images: &Images, workspace: WorkspaceId, bytes: Bytes) -> Result<String> {
    if bytes.len() > MAX_LOGO_BYTES {
        return Err(Error::ImageTooLarge { limit: MAX_LOGO_BYTES });
    }
    let header = ImageHeader::of(&bytes)?;
    let work = move || make_thumbnail(&reencode(&bytes)?.still, MAX_LOGO_SIDE);
    let small = images.decode_limit.run(Tenant::Workspace(workspace), &header, work).await?;
    let name = FileName::random_logo(small.format);
    images.blobs.put(&BlobKey::logo(name.clone()), small.bytes.into()).await?;
    Ok(name.to_string())
}

/// Deletes a logo that the site no longer uses, in the transaction that changes the site.
pub fn remove_logo(tx: &mut Tx, name: &str) -> Result<()> {
    if let Some(name) = FileName::parse_logo(name) {
        store::orphan_file(tx, &BlobKey::logo(name))?;
        events::effect(tx, Effect::FilesOrphaned);
    }
    Ok(())
}

/// URL path of a logo.
pub fn logo_url(name: &str) -> String {
    format!("/uploads/logos/{name}")
}
