//! Taking a picture in: check, clean, make a thumbnail, keep. It belongs to no message yet.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::error::{Error, Result};
use crate::sites::Site;
use crate::storage::Kind;
use crate::toil;
use crate::visitors::VisitorSession;

use super::clean::{Cleaned, clean};
use super::fetch::put_checked;
use super::thumbnail::{THUMB_SIDE, shrink};
use super::{BlobKey, Format, Image, ImageName, Uploader, store};
use crate::id::ImageId;

/// Accepts an uploaded file of the site's size at most. What comes back is stored and synced.
///
/// # Errors
/// `ImageTooLarge`, `InvalidImage`, `StorageFull`.
pub async fn accept(app: &App, site: &Site, uploader: Uploader, bytes: Bytes) -> Result<Image> {
    check(site, &bytes)?;
    keep(app, site, uploader, bytes).await
}

/// The same for a visitor, of whom an hour takes only so much.
///
/// # Errors
/// Also `TooManyRequests`, when the hour is used up.
pub async fn accept_from_visitor(app: &App, site: &Site, session: &VisitorSession, bytes: Bytes) -> Result<Image> {
    check(site, &bytes)?;
    app.images.budgets.take(site.id, session, bytes.len())?;
    keep(app, site, Uploader::Visitor(session.visitor_id), bytes).await
}

fn check(site: &Site, bytes: &Bytes) -> Result<()> {
    let limit = site.limits.image_bytes as usize;
    if bytes.len() > limit {
        return Err(Error::ImageTooLarge { limit });
    }
    if Format::of(bytes).is_none() {
        return Err(Error::InvalidImage("only png, jpg and gif are taken"));
    }
    Ok(())
}

async fn keep(app: &App, site: &Site, uploader: Uploader, bytes: Bytes) -> Result<Image> {
    let picture = prepare(app, bytes).await?;
    let now = app.store.now();
    let name = ImageName::random(uploader, now, picture.format);
    // A name of its own: an equal name means that there is no thumbnail beside the image.
    let thumb = match &picture.thumb {
        Some((format, _)) => ImageName::random(uploader, now, *format),
        None => name.clone(),
    };

    // The row goes first: whatever is left of an upload that breaks off is then known to the sweep.
    let mut tx = app.store.begin().await?;
    let image = Image {
        id: tx.next_id(Kind::Image, ImageId).await?,
        name,
        thumb,
        width: picture.width,
        height: picture.height,
        animated: picture.animated,
    };
    let file = store::File { bytes: picture.bytes.len(), sha256: Sha256::digest(&picture.bytes).into() };
    store::insert(&mut tx, site.id, &image, uploader, &file).await?;
    tx.commit().await?;

    put_checked(app, &BlobKey::image(&image.name), picture.bytes.into()).await?;
    if let Some((_, bytes)) = picture.thumb {
        app.images.blobs.put(&BlobKey::thumb(&image.thumb), bytes.into()).await?;
    }
    Ok(image)
}

/// A cleaned picture with its thumbnail.
struct Picture {
    format: Format,
    bytes: Vec<u8>,
    /// `None` where the picture is small and still: it is its own thumbnail.
    thumb: Option<(Format, Vec<u8>)>,
    width: u32,
    height: u32,
    animated: bool,
}

async fn prepare(app: &App, bytes: Bytes) -> Result<Picture> {
    on_worker(app, move || {
        let Cleaned { format, bytes, still, animated } = clean(&bytes)?;
        let (width, height) = (still.width(), still.height());
        let needs_thumb = animated || width.max(height) > THUMB_SIDE;
        let thumb = if needs_thumb { Some(shrink(&still, THUMB_SIDE)?) } else { None };
        Ok(Picture { format, bytes, thumb: thumb.map(|small| (small.format, small.bytes)), width, height, animated })
    })
    .await
}

/// Runs one picture's work on a worker thread, as many at once as there are cores.
pub(super) async fn on_worker<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let permit = app.images.workers.clone().acquire_owned().await.map_err(|_| Error::Unavailable)?;
    // The permit goes along: a caller that leaves does not free the core that is still at work.
    let work = move || {
        let _permit = permit;
        work()
    };
    toil::done(work).await.unwrap_or_else(|| {
        tracing::error!("an image decoder panicked");
        Err(Error::InvalidImage("the file is damaged"))
    })
}
