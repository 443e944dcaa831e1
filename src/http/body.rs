//! Reading request bodies: bounded and typed. Shapes refuse unknown fields with `deny_unknown_fields`.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::error::{Error, Result};

use super::timeouts::BodyTimeout;

/// Largest JSON body in bytes, unless the route sets another limit.
pub const JSON_BYTES: usize = 64 * 1024;

/// The empty response `{}`.
#[derive(Debug, Default, serde::Serialize, schemars::JsonSchema)]
pub struct Done {}

/// A JSON body of at most `LIMIT` bytes. The content type must be JSON, which also blocks plain cross-site forms.
pub struct JsonBody<T, const LIMIT: usize = JSON_BYTES>(pub T);

impl<T: DeserializeOwned, const LIMIT: usize> FromRequest<App> for JsonBody<T, LIMIT> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &App) -> Result<Self> {
        if !media_type(&request).is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
            return Err(Error::InvalidRequest("send Content-Type: application/json".into()));
        }
        let bytes = read(request.into_body(), LIMIT).await?;
        object(&bytes).map(JsonBody)
    }
}

/// Parses a JSON object. serde alone would accept an array with the fields in order.
///
/// # Errors
/// `InvalidRequest`, with what is wrong and where.
pub fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(Error::InvalidRequest("send a JSON object".into()));
    }
    serde_json::from_slice(bytes).map_err(|error| Error::InvalidRequest(error.to_string()))
}

/// Query parameters.
pub struct QueryOf<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for QueryOf<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<QueryOf<T>> {
        let Query(query) =
            Query::from_request_parts(parts, app).await.map_err(|error| Error::InvalidRequest(error.body_text()))?;
        Ok(QueryOf(query))
    }
}

/// Path parameters. A parameter that cannot be parsed is a 404.
pub struct PathOf<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for PathOf<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<PathOf<T>> {
        let Path(path) = Path::from_request_parts(parts, app).await.map_err(|_| Error::NotFound)?;
        Ok(PathOf(path))
    }
}

/// Reads a whole body of at most `limit` bytes.
///
/// # Errors
/// `TooLarge`; `InvalidRequest` when it takes too long or ends early.
pub async fn read(body: Body, limit: usize) -> Result<Bytes> {
    read_with_reservation(body, limit, |_| Ok(())).await
}

/// As [`read`], but asks `reserve` for memory for each part as it arrives.
///
/// # Errors
/// As [`read`], and what `reserve` answers.
pub async fn read_with_reservation(
    mut body: Body,
    limit: usize,
    mut reserve: impl FnMut(usize) -> Result<()>,
) -> Result<Bytes> {
    let announced = usize::try_from(hyper::body::Body::size_hint(&body).lower()).unwrap_or(usize::MAX);
    // Refuse by `Content-Length` before reading.
    if announced > limit {
        return Err(Error::TooLarge { limit });
    }
    // The operating system commits pages when they are written, so unsent bytes cost no memory.
    let mut whole = Vec::with_capacity(announced);
    while let Some(frame) = body.frame().await {
        let Ok(part) = frame.map_err(|error| body_error(&error))?.into_data() else { continue };
        if whole.len() + part.len() > limit {
            return Err(Error::TooLarge { limit });
        }
        reserve(part.len())?;
        whole.extend_from_slice(&part);
    }
    Ok(whole.into())
}

/// Maps a body read error to `InvalidRequest`, with the reason.
pub fn body_error(error: &axum::Error) -> Error {
    let reason = if caused_by::<BodyTimeout>(error) { "the body took too long" } else { "the body ended early" };
    Error::InvalidRequest(reason.into())
}

fn caused_by<E: std::error::Error + 'static>(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<E>())
}

/// The media type of a request, without parameters.
pub fn media_type<B>(request: &hyper::Request<B>) -> Option<&str> {
    media_type_of(request.headers())
}

/// The media type in `Content-Type`, without parameters.
pub fn media_type_of(headers: &hyper::HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}
