//! Storing an uploaded image: check, re-encode, make a thumbnail, write. The image is not attached to a message yet.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::events::Proof;
use crate::fair_limit::Tenant;
use crate::id::{ImageId, SiteId, VisitorId, WorkspaceId};
use crate::storage::{Kind, Tx};

use super::reencode::{Reencoded, reencode};
use super::stored_file::put_verified;
use super::thumbnail::{MAX_THUMBNAIL_SIDE, make_thumbnail};
use super::upload_quota::Cost;
use super::{BlobKey, Format, Image, ImageHeader, ImageName, Images, Uploader, store};

/// The site that an image is uploaded to.
#[derive(Debug, Clone, Copy)]
pub struct UploadTarget {
    /// The site.
    pub site: SiteId,
    /// Its owner: the tenant whose concurrency limit the work counts against.
    pub workspace: WorkspaceId,
    /// Largest file that it takes, in bytes.
    pub max_bytes: usize,
}

/// Accepts an upload of at most the site's image size. The returned image is stored and synced. Call it without a
/// concurrency permit: decoding has a limit of its own, and a request permit is acquired only to write the result.
///
/// # Errors
/// `ImageTooLarge`, `TooManyPixels`, `AnimationTooLong`, `InvalidImage`, `StorageFull`.
pub async fn accept(images: &Images, site: UploadTarget, uploader: Uploader, bytes: Bytes) -> Result<Image> {
    let header = check(site, &bytes)?;
    keep(images, site, uploader, bytes, &header).await
}

/// As [`accept`], for a visitor: charges the hourly quotas of the visitor, the site, and the network if it is not
/// shared.
///
/// # Errors
/// Also `TooManyRequests`, when a quota is used up.
pub async fn accept_from_visitor(
    images: &Images,
    site: UploadTarget,
    visitor: (VisitorId, &Proof),
    network: Option<u128>,
    bytes: Bytes,
) -> Result<Image> {
    let checked = check(site, &bytes);
    // An image refused by its headers is charged as well, though it costs no decoding.
    let pixels = checked.as_ref().map_or(0, |header| header.pixels);
    images.upload_quota.charge(
        (site.site, visitor.0, visitor.1),
        network,
        Cost { bytes: bytes.len() as u64, pixels },
    )?;
    keep(images, site, Uploader::Visitor(visitor.0), bytes, &checked?).await
}

fn check(site: UploadTarget, bytes: &Bytes) -> Result<ImageHeader> {
    let limit = site.max_bytes;
    if bytes.len() > limit {
        return Err(Error::ImageTooLarge { limit });
    }
    ImageHeader::of(bytes)
}

async fn keep(
    images: &Images,
    site: UploadTarget,
    uploader: Uploader,
    bytes: Bytes,
    header: &ImageHeader,
) -> Result<Image> {
    let tenant = match uploader {
        Uploader::Visitor(_) => Tenant::Visitors(site.workspace),
        Uploader::Operator(_) | Uploader::Api(_) => Tenant::Workspace(site.workspace),
    };
    let picture = images.decode_limit.run(tenant, header, move || prepare(&bytes)).await?;
    let _permit = images.fair_limit.acquire(tenant).await?;
    let now = images.store.now();
    let name = ImageName::random(uploader, now, picture.format);
    // A name of its own: an equal name means that there is no separate thumbnail.
    let thumb = match &picture.thumb {
        Some((format, _)) => ImageName::random(uploader, now, *format),
        None => name.clone(),
    };

    // The row is written first, so that the sweep knows the files of an interrupted upload.
    let file = store::File { bytes: picture.bytes.len(), sha256: Sha256::digest(&picture.bytes).into() };
    let (site, width, height, animated) = (site.site, picture.width, picture.height, picture.animated);
    let insert = move |tx: &mut Tx| {
        let id = tx.next_id(Kind::Image, ImageId)?;
        let image = Image { id, name: name.clone(), thumb: thumb.clone(), width, height, animated };
        store::insert(tx, site, &image, uploader, &file)?;
        Ok(image)
    };
    let image = images.store.write(insert).await?;

    put_verified(images, &BlobKey::image(&image.name), picture.bytes.into()).await?;
    if let Some((_, bytes)) = picture.thumb {
        images.blobs.put(&BlobKey::thumb(&image.thumb), bytes.into()).await?;
    }
    Ok(image)
}

/// A re-encoded image and its thumbnail.
struct Picture {
    format: Format,
    bytes: Vec<u8>,
    /// `None` if the image is small and still: it is its own thumbnail.
    thumb: Option<(Format, Vec<u8>)>,
    width: u32,
    height: u32,
    animated: bool,
}

fn prepare(bytes: &[u8]) -> Result<Picture> {
    let Reencoded { format, bytes, still, animated } = reencode(bytes)?;
    let (width, height) = (still.width(), still.height());
    let needs_thumb = animated || width.max(height) > MAX_THUMBNAIL_SIDE;
    let thumb = if needs_thumb { Some(make_thumbnail(&still, MAX_THUMBNAIL_SIDE)?) } else { None };
    Ok(Picture { format, bytes, thumb: thumb.map(|small| (small.format, small.bytes)), width, height, animated })
}
