//! Responses of the compatible API, and its table of errors.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use serde::Serialize;

use crate::error::Error;
use crate::rate_limits::ApiCall;

/// Methods accepted by any action.
pub(super) const ALLOWED: &str = "GET, HEAD, POST, OPTIONS";
/// The remaining quota and the limit (draft-ietf-httpapi-ratelimit-headers-10).
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// See [`RATE_LIMIT`].
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Why a call was refused: an error of this API, or of the product.
#[derive(Debug)]
pub(super) enum Refusal {
    /// No key in the query or a header.
    MissingKey,
    /// The key is unknown or revoked.
    InvalidKey,
    /// The key is valid, but not from this address.
    AddressNotAllowed,
    /// The action is not documented.
    UnknownAction,
    /// The key is valid, but not for this action.
    ActionNotAllowed,
    /// The site's rate limit is exceeded.
    OverLimit {
        /// The counted calls.
        call: ApiCall,
        /// Calls allowed a minute.
        per_minute: u32,
        /// Whole seconds until a call is allowed.
        wait_s: u64,
    },
    /// The `Idempotency-Key` was used for another reply.
    IdempotencyKeyReused,
    /// Any other error.
    Because(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Because(error)
    }
}

impl Refusal {
    fn words(&self) -> (StatusCode, Cow<'static, str>) {
        let (status, words) = match self {
            Refusal::MissingKey => (StatusCode::UNAUTHORIZED, "missing key"),
            Refusal::InvalidKey => (StatusCode::UNAUTHORIZED, "invalid key"),
            Refusal::AddressNotAllowed => (StatusCode::FORBIDDEN, "address not allowed"),
            Refusal::ActionNotAllowed => (StatusCode::FORBIDDEN, "action not allowed"),
            Refusal::UnknownAction => (StatusCode::BAD_REQUEST, "unknown action"),
            Refusal::IdempotencyKeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "idempotency key reused"),
            Refusal::OverLimit { wait_s, .. } => return too_many(*wait_s),
            Refusal::Because(
                Error::TooManyRequests { retry_after_s } | Error::SendingTooFrequently { retry_after_s },
            ) => {
                return too_many(*retry_after_s);
            }
            Refusal::Because(Error::TooManyFields { limit }) => {
                return (StatusCode::BAD_REQUEST, format!("more than {limit} fields").into());
            }
            Refusal::Because(error) => words(error),
        };
        (status, words.into())
    }

    fn retry_after_s(&self) -> Option<u64> {
        match self {
            Refusal::OverLimit { wait_s, .. } => Some(*wait_s),
            Refusal::Because(error) => error.retry_after_s(),
            Refusal::MissingKey
            | Refusal::InvalidKey
            | Refusal::AddressNotAllowed
            | Refusal::UnknownAction
            | Refusal::ActionNotAllowed
            | Refusal::IdempotencyKeyReused => None,
        }
    }
}

fn too_many(wait_s: u64) -> (StatusCode, Cow<'static, str>) {
    (StatusCode::TOO_MANY_REQUESTS, format!("too many requests, wait {wait_s}s").into())
}

fn words(error: &Error) -> (StatusCode, &'static str) {
    match error {
        Error::SitePaused => (StatusCode::FORBIDDEN, "site paused"),
        Error::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
        Error::NotFound => (StatusCode::NOT_FOUND, "conversation not found"),
        Error::EmptyMessage => (StatusCode::BAD_REQUEST, "empty content"),
        Error::InvalidImage(_) => (StatusCode::BAD_REQUEST, "invalid image"),
        // The body's limit follows from the image's: only an image can exceed it.
        Error::ImageTooLarge { .. } | Error::TooManyPixels | Error::AnimationTooLong | Error::TooLarge { .. } => {
            (StatusCode::PAYLOAD_TOO_LARGE, "image too large")
        }
        Error::TextTooLong => (StatusCode::PAYLOAD_TOO_LARGE, "content too long"),
        Error::StorageFull | Error::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "temporarily unavailable"),
        Error::Unique(_) | Error::Constraint(_) | Error::Internal(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal error")
        }
        _ => (StatusCode::BAD_REQUEST, "invalid request"),
    }
}

/// An error of this API.
#[derive(Serialize, schemars::JsonSchema)]
pub(super) struct Refused {
    success: bool,
    message: Cow<'static, str>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Refusal::Because(error) = &self
            && let Some(cause) = error.cause()
        {
            tracing::error!(%cause, "a call of the compatible API failed");
        }
        let (status, message) = self.words();
        let mut response = json(&Refused { success: false, message });
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_s() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static(ALLOWED));
        }
        if let Refusal::OverLimit { call, per_minute, wait_s } = &self {
            let name = match call {
                ApiCall::Fetch => "fetch",
                ApiCall::Reply => "reply",
            };
            let fields = [
                (RATE_LIMIT, format!("\"{name}\";r=0;t={wait_s}")),
                (RATE_LIMIT_POLICY, format!("\"{name}\";q={per_minute};w=60")),
            ];
            for (field, value) in fields {
                // ASCII digits and names only.
                headers.extend(HeaderValue::from_str(&value).ok().map(|value| (field, value)));
            }
        }
        response
    }
}

/// A JSON response.
pub(super) fn json(value: &impl Serialize) -> Response {
    answer(to_text(value).into())
}

/// Serialises to JSON.
pub(super) fn to_text(value: &impl Serialize) -> Vec<u8> {
    // Our own types always serialise: strings, booleans and lists.
    serde_json::to_vec(value).unwrap_or_default()
}

/// A response with JSON text.
pub(super) fn answer(text: Bytes) -> Response {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
