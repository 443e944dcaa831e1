//! All errors of the product. Codes are stable; only `http::problem` maps them to HTTP.

use serde::{Deserialize, Serialize};

/// An error in the product's terms. Its text says what happened and what to do, and contains no secret.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A field or parameter is missing, of the wrong type or out of range.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field at fault.
        field: &'static str,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// The request as a whole cannot be read.
    #[error("the request could not be read: {0}")]
    InvalidRequest(String),
    /// The body exceeds the limit of its route.
    #[error("the request is larger than {limit} bytes")]
    TooLarge {
        /// Limit in bytes.
        limit: usize,
    },
    /// The form has too many fields.
    #[error("the form has more than {limit} fields; send only those that are documented")]
    TooManyFields {
        /// Limit of fields.
        limit: usize,
    },
    /// The thing does not exist or belongs to somebody else: the same answer for both.
    #[error("not found")]
    NotFound,
    /// The member's role does not allow it.
    #[error("your role in this workspace does not allow this; ask one of its admins or owners")]
    RoleRequired,
    /// Nobody would own the workspace any more.
    #[error("a workspace needs an owner; make somebody else the owner first, or delete the workspace")]
    LastOwner,
    /// The path exists, the method does not.
    #[error("this address does not take that method")]
    MethodNotAllowed,
    /// No session, or it has ended.
    #[error("please sign in")]
    NotSignedIn,
    /// Wrong e-mail address or password; which one is not said.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// Wrong password of a signed-in user: nothing else was asked for.
    #[error("the password is wrong")]
    WrongPassword,
    /// The password is right, and the account requires a two-factor code.
    #[error("this account asks for a code as well; enter the one that your authenticator app shows")]
    SecondFactorRequired,
    /// The two-factor code is wrong, expired or already used.
    #[error("this code is not right; wait for the next one, or use a recovery code")]
    WrongCode,
    /// The action needs a recent confirmation of identity, by this means.
    #[error("confirm that it is you: {0}")]
    ConfirmationRequired(Confirmation),
    /// The CSRF token is missing or from another session.
    #[error("this page is out of date; reload it and try again")]
    Csrf,
    /// The origin is not allowed to make this request.
    #[error("requests from this page's address are not allowed")]
    ForbiddenOrigin,
    /// Accounts are created on the command line only.
    #[error("sign-up is closed on this server; ask its operator for an account")]
    SignupClosed,
    /// No account can be created for this e-mail address.
    #[error("this address cannot be used; if you have an account with it already, sign in with that")]
    EmailTaken,
    /// The password is too short, too long, or among the most common ones.
    #[error(
        "The password must have 10 to 256 characters. Common passwords and your own name or address are refused, even with digits or signs added."
    )]
    WeakPassword,
    /// The visitor's token is unknown, expired or revoked: start anew.
    #[error("this chat session has ended; start a new one")]
    InvalidToken,
    /// No site has this widget key.
    #[error("unknown site key; copy the snippet again from My Sites")]
    UnknownSite,
    /// The owner has paused the site.
    #[error("this chat is paused")]
    SitePaused,
    /// The site requires a signed identity.
    #[error("this site chats with signed-in visitors only; an identityToken is required")]
    IdentityRequired,
    /// The identity token has a wrong signature, is expired, or names somebody else.
    #[error("the identityToken was refused: {0}")]
    InvalidIdentity(&'static str),
    /// The visitor exceeds the site's rate limit.
    #[error("sending too frequently")]
    SendingTooFrequently {
        /// Whole seconds until the next message is accepted.
        retry_after_s: u64,
    },
    /// Another rate limit is exceeded.
    #[error("too many requests, wait {retry_after_s}s")]
    TooManyRequests {
        /// Whole seconds to wait.
        retry_after_s: u64,
    },
    /// The site is under attack: a new visitor's browser must do a proof of work.
    #[error("this chat is under attack; do the work that is asked for, then come again")]
    WorkRequired {
        /// See `abuse::Challenge`.
        challenge: String,
        /// Required zero bits.
        bits: u32,
    },
    /// The message has neither text nor image.
    #[error("the message is empty")]
    EmptyMessage,
    /// Over `messages::TEXT_GRAPHEMES` or `messages::TEXT_BYTES`.
    #[error("the text is too long; 4,000 characters are allowed")]
    TextTooLong,
    /// Not a png, jpg, gif or webp, or damaged.
    #[error("this image cannot be used: {0}")]
    InvalidImage(&'static str),
    /// Exceeds the site's image size.
    #[error("the image is larger than {limit} bytes")]
    ImageTooLarge {
        /// Limit in bytes.
        limit: usize,
    },
    /// Exceeds `images::MAX_SIDE` or `images::MAX_FRAME_PIXELS`.
    #[error("the image has too many pixels; 8,000 a side and 30 million in all are allowed")]
    TooManyPixels,
    /// Exceeds `images::MAX_FRAMES`, or too many pixels in all frames together.
    #[error("the animation is too long; 500 frames and 200 million pixels in all of them together are allowed")]
    AnimationTooLong,
    /// The client id was used for another body, or the state changed meanwhile.
    #[error("{0}")]
    Conflict(&'static str),
    /// Two colours have too little contrast to read.
    #[error("{field}: this text would be hard to read; the nearest readable colour is {nearest}")]
    UnreadableColours {
        /// The text colour at fault.
        field: &'static str,
        /// The nearest colour that reaches 4.5:1.
        nearest: String,
    },
    /// The disk is full: nothing was stored.
    #[error("the server's storage is full; nothing was saved, please try again later")]
    StorageFull,
    /// A unique key of the database refused the change: `accounts.email`, or several columns. The verb that knows what it
    /// means answers something better; nobody else sees it.
    #[error("something went wrong on the server")]
    Unique(String),
    /// Another constraint of the database refused the change, such as a reference to a row that is gone. As above.
    #[error("something went wrong on the server")]
    Constraint(String),
    /// Storage or a worker is away for now: nothing was stored.
    #[error("temporarily unavailable; please try again")]
    Unavailable,
    /// A bug or a failed machine. The cause is logged, never sent to a client.
    #[error("something went wrong on the server")]
    Internal(String),
}

/// How a signed-in person confirms their identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// The account's password.
    Password,
    /// A two-factor code, if two-factor authentication is on.
    Code,
}

impl std::fmt::Display for Confirmation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Confirmation::Password => "enter your password, then try again",
            Confirmation::Code => "enter a code from your authenticator app, then try again",
        })
    }
}

/// Result of a verb.
pub type Result<T> = std::result::Result<T, Error>;

/// The stable error code on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each code is described at its Error variant")]
pub enum ErrorCode {
    InvalidRequest,
    TooLarge,
    NotFound,
    RoleRequired,
    LastOwner,
    MethodNotAllowed,
    NotSignedIn,
    WrongCredentials,
    SecondFactorRequired,
    WrongCode,
    ConfirmationRequired,
    Csrf,
    ForbiddenOrigin,
    SignupClosed,
    EmailTaken,
    WeakPassword,
    InvalidToken,
    UnknownSite,
    SitePaused,
    IdentityRequired,
    InvalidIdentity,
    SendingTooFrequently,
    TooManyRequests,
    WorkRequired,
    EmptyMessage,
    TextTooLong,
    InvalidImage,
    ImageTooLarge,
    TooManyPixels,
    AnimationTooLong,
    Conflict,
    UnreadableColours,
    StorageFull,
    Unavailable,
    Internal,
}

impl Error {
    /// For `map_err`: what was not found means `other` here; a failing database still means that.
    pub fn not_found_as(other: Error) -> impl FnOnce(Error) -> Error {
        move |error| if matches!(error, Error::NotFound) { other } else { error }
    }

    /// The code that clients match on.
    pub fn code(&self) -> ErrorCode {
        match self {
            Error::Invalid { .. } | Error::InvalidRequest(_) | Error::TooManyFields { .. } => ErrorCode::InvalidRequest,
            Error::TooLarge { .. } => ErrorCode::TooLarge,
            Error::NotFound => ErrorCode::NotFound,
            Error::RoleRequired => ErrorCode::RoleRequired,
            Error::LastOwner => ErrorCode::LastOwner,
            Error::MethodNotAllowed => ErrorCode::MethodNotAllowed,
            Error::NotSignedIn => ErrorCode::NotSignedIn,
            Error::WrongCredentials | Error::WrongPassword => ErrorCode::WrongCredentials,
            Error::SecondFactorRequired => ErrorCode::SecondFactorRequired,
            Error::WrongCode => ErrorCode::WrongCode,
            Error::ConfirmationRequired(_) => ErrorCode::ConfirmationRequired,
            Error::Csrf => ErrorCode::Csrf,
            Error::ForbiddenOrigin => ErrorCode::ForbiddenOrigin,
            Error::SignupClosed => ErrorCode::SignupClosed,
            Error::EmailTaken => ErrorCode::EmailTaken,
            Error::WeakPassword => ErrorCode::WeakPassword,
            Error::InvalidToken => ErrorCode::InvalidToken,
            Error::UnknownSite => ErrorCode::UnknownSite,
            Error::SitePaused => ErrorCode::SitePaused,
            Error::IdentityRequired => ErrorCode::IdentityRequired,
            Error::InvalidIdentity(_) => ErrorCode::InvalidIdentity,
            Error::SendingTooFrequently { .. } => ErrorCode::SendingTooFrequently,
            Error::TooManyRequests { .. } => ErrorCode::TooManyRequests,
            Error::WorkRequired { .. } => ErrorCode::WorkRequired,
            Error::EmptyMessage => ErrorCode::EmptyMessage,
            Error::TextTooLong => ErrorCode::TextTooLong,
            Error::InvalidImage(_) => ErrorCode::InvalidImage,
            Error::ImageTooLarge { .. } => ErrorCode::ImageTooLarge,
            Error::TooManyPixels => ErrorCode::TooManyPixels,
            Error::AnimationTooLong => ErrorCode::AnimationTooLong,
            Error::Conflict(_) => ErrorCode::Conflict,
            Error::UnreadableColours { .. } => ErrorCode::UnreadableColours,
            Error::StorageFull => ErrorCode::StorageFull,
            Error::Unavailable => ErrorCode::Unavailable,
            Error::Unique(_) | Error::Constraint(_) | Error::Internal(_) => ErrorCode::Internal,
        }
    }

    /// Seconds to wait before a retry, if a retry helps.
    pub fn retry_after_s(&self) -> Option<u64> {
        match self {
            Error::SendingTooFrequently { retry_after_s } | Error::TooManyRequests { retry_after_s } => {
                Some(*retry_after_s)
            }
            Error::StorageFull | Error::Unavailable => Some(3),
            _ => None,
        }
    }

    /// What a defect was caused by, for the log alone.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Error::Unique(cause) | Error::Constraint(cause) | Error::Internal(cause) => Some(cause),
            _ => None,
        }
    }

    /// A refused field.
    pub fn invalid(field: &'static str, reason: impl Into<String>) -> Error {
        Error::Invalid { field, reason: reason.into() }
    }
}
