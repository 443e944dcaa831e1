//! Image uploads and downloads: reading an upload within limits, and serving stored files.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use hyper::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
};
use hyper::{HeaderMap, Method};

use crate::app::App;
use crate::error::{Error, Result};
use crate::id::SiteId;
use crate::images::{BlobKey, FileName, ImageName, StoredFile};

use super::body;
use super::body::PathOf;
use super::etag;
use super::headers::CROSS_ORIGIN_RESOURCE_POLICY;
use super::route::{Caller, Route};

/// Size of one read from disk, in bytes.
const READ_CHUNK_BYTES: usize = 64 * 1024;

/// Routes of images, thumbnails and logos. Knowing the random name grants access.
pub fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/uploads/chat_images/{name}", Caller::Anyone, image).media_type("image/*"),
        Route::new(Method::GET, "/uploads/chat_images/thumbs/{name}", Caller::Anyone, thumb).media_type("image/*"),
        Route::new(Method::GET, "/uploads/logos/{name}", Caller::Anyone, logo).media_type("image/*"),
    ]
}

/// Reads an uploaded image of at most `limit` bytes, reserving memory for received bytes (for the site, and for
/// `network` if it is not shared) until `process` returns.
///
/// # Errors
/// `ImageTooLarge`, `Unavailable` when too many uploads are in progress, and the errors of `process`.
pub async fn with_upload<T>(
    app: &App,
    (site, network): (SiteId, Option<u128>),
    body: Body,
    limit: usize,
    process: impl AsyncFnOnce(Bytes) -> Result<T>,
) -> Result<T> {
    let mut reservation = app.images.upload_memory.open(site, network);
    match body::read_with_reservation(body, limit, |bytes| reservation.grow(bytes)).await {
        Err(Error::TooLarge { .. }) => Err(Error::ImageTooLarge { limit }),
        bytes => process(bytes?).await,
    }
}

async fn image(State(app): State<App>, PathOf(name): PathOf<String>, headers: HeaderMap) -> Result<Response> {
    let name = ImageName::parse(&name).ok_or(Error::NotFound)?;
    serve(&app, BlobKey::image(&name), &headers).await
}

async fn thumb(State(app): State<App>, PathOf(name): PathOf<String>, headers: HeaderMap) -> Result<Response> {
    let name = ImageName::parse(&name).ok_or(Error::NotFound)?;
    serve(&app, BlobKey::thumb(&name), &headers).await
}

async fn logo(State(app): State<App>, PathOf(name): PathOf<String>, headers: HeaderMap) -> Result<Response> {
    let name = FileName::parse_logo(&name).ok_or(Error::NotFound)?;
    serve(&app, BlobKey::logo(name), &headers).await
}

/// Responds with a stored file. Its key decides the media type, and a sandbox policy makes it harmless as a page. The
/// file is opened only when the client reads, and not at all for a `HEAD` or a 304.
async fn serve(app: &App, key: BlobKey, request: &HeaderMap) -> Result<Response> {
    let stored = StoredFile::find(&app.images, key.clone()).await?;
    // Names are never reused, so the name is a strong entity tag.
    if !etag::matches(request, key.name()) {
        stored.verify(&app.images).await?;
    }
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(key.content_type())),
        (CONTENT_LENGTH, HeaderValue::from(stored.length())),
        (CACHE_CONTROL, HeaderValue::from_static(key.cache_control())),
        (CONTENT_DISPOSITION, HeaderValue::from_static("inline")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        (CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin")),
    ];
    let body = chunks(app.clone(), stored);
    Ok(etag::conditional(request, key.name(), (headers, body).into_response()))
}

/// Streams a file in chunks, each read when the client can take it: a slow reader holds 64 KiB and no descriptor.
fn chunks(app: App, stored: StoredFile) -> Body {
    Body::from_stream(stream::try_unfold((app, stored, 0), |(app, stored, start)| async move {
        let length = READ_CHUNK_BYTES.min(usize::try_from(stored.length() - start).unwrap_or(READ_CHUNK_BYTES));
        if length == 0 {
            return Ok::<_, Error>(None);
        }
        let chunk = stored.read(&app.images, start, length).await?;
        Ok(Some((chunk, (app, stored, start + length as u64))))
    }))
}
