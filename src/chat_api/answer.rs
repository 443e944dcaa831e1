//! Answers in the documented form, and the whole table of refusals.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use serde::Serialize;

use crate::error::Error;

/// Methods that one or the other action takes.
pub(super) const ALLOWED: &str = "GET, HEAD, POST, OPTIONS";
/// The documented wait, in words and in seconds.
const WAIT: u64 = 3;

/// Why a call was refused: what only this door knows, or what the product says.
#[derive(Debug)]
pub(super) enum Refusal {
    /// No key in the query or a header.
    MissingKey,
    /// No key of any site, or no longer one.
    InvalidKey,
    /// The key is good, and not from this address.
    AddressNotAllowed,
    /// None of the documented actions.
    UnknownAction,
    /// The key is good, and not for this action.
    ActionNotAllowed,
    /// Everything else.
    Because(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Because(error)
    }
}

impl Refusal {
    fn words(&self) -> (StatusCode, &'static str) {
        match self {
            Refusal::MissingKey => (StatusCode::UNAUTHORIZED, "missing key"),
            Refusal::InvalidKey => (StatusCode::UNAUTHORIZED, "invalid key"),
            Refusal::AddressNotAllowed => (StatusCode::FORBIDDEN, "address not allowed"),
            Refusal::ActionNotAllowed => (StatusCode::FORBIDDEN, "action not allowed"),
            Refusal::UnknownAction => (StatusCode::BAD_REQUEST, "unknown action"),
            Refusal::Because(error) => words(error),
        }
    }
}

fn words(error: &Error) -> (StatusCode, &'static str) {
    match error {
        Error::SitePaused => (StatusCode::FORBIDDEN, "site paused"),
        Error::TooManyRequests { .. } | Error::SendingTooFrequently { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "too many requests, wait 3s")
        }
        Error::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
        Error::NotFound => (StatusCode::NOT_FOUND, "conversation not found"),
        Error::EmptyMessage => (StatusCode::BAD_REQUEST, "empty content"),
        Error::InvalidImage(_) => (StatusCode::BAD_REQUEST, "invalid image"),
        // The body's cap follows from the image's: what is over it can only be an image.
        Error::ImageTooLarge { .. } | Error::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "image too large"),
        Error::TextTooLong => (StatusCode::PAYLOAD_TOO_LARGE, "content too long"),
        Error::StorageFull | Error::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "temporarily unavailable"),
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
        _ => (StatusCode::BAD_REQUEST, "invalid request"),
    }
}

/// Every refusal of this door.
#[derive(Serialize, schemars::JsonSchema)]
pub(super) struct Refused {
    success: bool,
    message: &'static str,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Refusal::Because(Error::Internal(cause)) = &self {
            tracing::error!(%cause, "a call of the compatible API failed");
        }
        let (status, message) = self.words();
        let mut response = json(&Refused { success: false, message });
        *response.status_mut() = status;
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(WAIT));
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                response.headers_mut().insert(ALLOW, HeaderValue::from_static(ALLOWED));
            }
            _ => {}
        }
        response
    }
}

/// Any answer: JSON that nobody keeps.
pub(super) fn json(value: &impl Serialize) -> Response {
    answer(to_text(value).into())
}

/// JSON as text.
pub(super) fn to_text(value: &impl Serialize) -> Vec<u8> {
    // Our own types: strings, booleans and lists, which always serialise.
    serde_json::to_vec(value).unwrap_or_default()
}

/// An answer of JSON text.
pub(super) fn answer(text: Bytes) -> Response {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
