//! Maps `Error` to HTTP responses. Only this file knows status codes, and what a stranger may be told.

use axum::Json;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER};
use serde::Serialize;

use crate::error::{Confirmation, Error, ErrorCode};

/// The error body of all APIs except the compatible API.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ErrorBody {
    /// What was refused and why.
    pub error: Problem,
}

/// What was refused and why.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Problem {
    /// Stable machine code.
    pub code: ErrorCode,
    /// Message for people; safe to show.
    pub message: String,
    /// Whole seconds to wait before trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// The field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    /// The nearest readable colour, where colours were refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// The proof of work to do before trying again, when required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work: Option<Work>,
}

/// The proof of work that a browser does to enter a site that is under attack.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Work {
    /// Find a whole number so that SHA-256 of `challenge:number` begins with `bits` zero bits, and answer
    /// `challenge:number`.
    pub challenge: String,
    /// Required zero bits.
    pub bits: u32,
}

/// The HTTP status of each code.
pub fn status(code: ErrorCode) -> StatusCode {
    use ErrorCode as Code;
    match code {
        Code::InvalidRequest | Code::WeakPassword | Code::EmptyMessage | Code::InvalidImage => StatusCode::BAD_REQUEST,
        Code::UnreadableColours => StatusCode::UNPROCESSABLE_ENTITY,
        Code::NotSignedIn
        | Code::WrongCredentials
        | Code::SecondFactorRequired
        | Code::WrongCode
        | Code::InvalidToken
        | Code::InvalidIdentity => StatusCode::UNAUTHORIZED,
        Code::ConfirmationRequired
        | Code::RoleRequired
        | Code::Csrf
        | Code::ForbiddenOrigin
        | Code::SignupClosed
        | Code::SitePaused
        | Code::IdentityRequired => StatusCode::FORBIDDEN,
        Code::NotFound | Code::UnknownSite => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::EmailTaken | Code::Conflict | Code::LastOwner => StatusCode::CONFLICT,
        Code::TooLarge | Code::TextTooLong | Code::ImageTooLarge | Code::TooManyPixels | Code::AnimationTooLong => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        Code::SendingTooFrequently | Code::TooManyRequests | Code::WorkRequired => StatusCode::TOO_MANY_REQUESTS,
        Code::StorageFull | Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Problem {
        let (field, nearest) = match error {
            Error::Invalid { field, .. } => (Some(*field), None),
            Error::UnreadableColours { field, nearest } => (Some(*field), Some(nearest.clone())),
            Error::EmailTaken => (Some("email"), None),
            Error::WeakPassword => (Some("password"), None),
            Error::WrongCode | Error::SecondFactorRequired => (Some("code"), None),
            Error::ConfirmationRequired(Confirmation::Code) => (Some("code"), None),
            Error::ConfirmationRequired(Confirmation::Password) => (Some("password"), None),
            _ => (None, None),
        };
        let work = match error {
            Error::WorkRequired { challenge, bits } => Some(Work { challenge: challenge.clone(), bits: *bits }),
            _ => None,
        };
        let (message, retry_after_s) = (error.to_string(), error.retry_after_s());
        Problem { code: error.code(), message, retry_after_s, field, nearest, work }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Some(cause) = self.cause() {
            tracing::error!(%cause, "a request failed");
        }
        let mut response = (status(self.code()), Json(ErrorBody { error: Problem::from(&self) })).into_response();
        if let Some(seconds) = self.retry_after_s() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
