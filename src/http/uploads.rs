//! Pictures in and out: reading an upload in bounds, and serving what is stored.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use hyper::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
};
use hyper::{HeaderMap, Method};
use tokio::io::AsyncReadExt;

use crate::app::App;
use crate::error::{Error, Result};
use crate::id::SiteId;
use crate::images::{self, BlobKey, FileName, ImageName, StoredBlob};

use super::body;
use super::body::PathOf;
use super::etag::conditional;
use super::headers::CROSS_ORIGIN_RESOURCE_POLICY;
use super::route::{Caller, Route};

/// Read from disk at once.
const PIECE: usize = 64 * 1024;

/// Images, their small forms, and logos. The name is the permission.
pub fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/uploads/chat_images/{name}", Caller::Anyone, image).answers("image/*"),
        Route::new(Method::GET, "/uploads/chat_images/thumbs/{name}", Caller::Anyone, thumb).answers("image/*"),
        Route::new(Method::GET, "/uploads/logos/{name}", Caller::Anyone, logo).answers("image/*"),
    ]
}

/// Reads an image of at most `limit` bytes that is uploaded to `site`, from `network` where that is somebody's own, holding
/// room in memory for what came while `take` works on it.
///
/// # Errors
/// `ImageTooLarge`, `Unavailable` when too many uploads are under way, and what `take` answers.
pub async fn with_upload<T>(
    app: &App,
    (site, network): (SiteId, Option<u128>),
    body: Body,
    limit: usize,
    take: impl AsyncFnOnce(Bytes) -> Result<T>,
) -> Result<T> {
    let mut held = app.images.room.open(site, network);
    match body::read_as_it_comes(body, limit, |bytes| held.grow(bytes)).await {
        Err(Error::TooLarge { .. }) => Err(Error::ImageTooLarge { limit }),
        bytes => take(bytes?).await,
    }
}

async fn image(State(app): State<App>, PathOf(name): PathOf<String>, headers: HeaderMap) -> Result<Response> {
    let name = ImageName::parse(&name).ok_or(Error::NotFound)?;
    serve(&app, &BlobKey::image(&name), &headers).await
}

async fn thumb(State(app): State<App>, PathOf(name): PathOf<String>, headers: HeaderMap) -> Result<Response> {
    let name = ImageName::parse(&name).ok_or(Error::NotFound)?;
    serve(&app, &BlobKey::thumb(&name), &headers).await
}

async fn logo(State(app): State<App>, PathOf(name): PathOf<String>, headers: HeaderMap) -> Result<Response> {
    let name = FileName::parse_logo(&name).ok_or(Error::NotFound)?;
    serve(&app, &BlobKey::logo(name), &headers).await
}

/// The file with a type that only its key decides, harmless even when it is opened as a page.
async fn serve(app: &App, key: &BlobKey, request: &HeaderMap) -> Result<Response> {
    let (body, length) = match images::fetch(app, key).await? {
        StoredBlob::Bytes(bytes) => (Body::from(bytes.clone()), bytes.len() as u64),
        StoredBlob::File(file, length) => (pieces(file, length), length),
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(key.content_type())),
        (CONTENT_LENGTH, HeaderValue::from(length)),
        (CACHE_CONTROL, HeaderValue::from_static(key.cache_rule())),
        (CONTENT_DISPOSITION, HeaderValue::from_static("inline")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        (CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin")),
    ];
    // A name is never given twice, so it names the content.
    Ok(conditional(request, key.name(), (headers, body).into_response()))
}

/// A file piece by piece: a slow reader holds 64 KiB, not the whole picture.
fn pieces(file: tokio::fs::File, length: u64) -> Body {
    Body::from_stream(stream::try_unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return Ok::<_, std::io::Error>(None);
        }
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        file.read_exact(&mut piece).await?;
        let left = left - piece.len() as u64;
        Ok(Some((Bytes::from(piece), (file, left))))
    }))
}
