//! Small public pictures: logos of sites and photos of people. Re-encoded like any image.

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::events::{self, Effect};
use crate::fair_limit::Tenant;
use crate::storage::Tx;

use super::reencode::reencode;
use super::thumbnail::make_thumbnail;
use super::{BlobKey, FileName, ImageHeader, Images, store};

/// Longest side of a stored logo, in pixels.
const MAX_LOGO_SIDE: u32 = 256;
/// Largest upload of a logo, in bytes.
pub const MAX_LOGO_BYTES: usize = 5 * 1024 * 1024;

/// Re-encodes and stores a logo of at most 256 pixels a side. Returns the file name for `Site::logo` or
/// `Account::photo`.
///
/// # Errors
/// `ImageTooLarge`, `TooManyPixels`, `AnimationTooLong`, `InvalidImage`, `StorageFull`.
pub async fn store_logo(images: &Images, tenant: Tenant, bytes: Bytes) -> Result<String> {
    if bytes.len() > MAX_LOGO_BYTES {
        return Err(Error::ImageTooLarge { limit: MAX_LOGO_BYTES });
    }
    let header = ImageHeader::of(&bytes)?;
    let work = move || make_thumbnail(&reencode(&bytes)?.still, MAX_LOGO_SIDE);
    let small = images.decode_limit.run(tenant, &header, work).await?;
    let name = FileName::random_logo(small.format);
    images.blobs.put(&BlobKey::logo(name.clone()), small.bytes.into()).await?;
    Ok(name.to_string())
}

/// Deletes a picture that is used no longer, in the transaction that changes its site or account.
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
