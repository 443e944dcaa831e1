//! Every way to refuse. Codes are stable; only `http::problem` turns them into HTTP.

use serde::{Deserialize, Serialize};

/// What went wrong, in the product's terms. The text says what happened and what to do, and holds no secret.
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
    /// The body is over the limit of its route.
    #[error("the request is larger than {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// The form has more fields than are read.
    #[error("the form has more than {limit} fields; send only those that are documented")]
    TooManyFields {
        /// Fields allowed.
        limit: usize,
    },
    /// No such thing, or not yours: both answer alike.
    #[error("not found")]
    NotFound,
    /// The path exists, the method does not.
    #[error("this address does not take that method")]
    MethodNotAllowed,
    /// No session, or it has ended.
    #[error("please sign in")]
    NotSignedIn,
    /// Wrong e-mail address or password; which one is not said.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// The password is right and the account asks for a code as well.
    #[error("this account asks for a code as well; enter the one that your authenticator app shows")]
    SecondFactorRequired,
    /// The code is wrong, over, or was used before.
    #[error("this code is not right; wait for the next one, or use a recovery code")]
    WrongCode,
    /// What was asked for needs somebody who has shown in the last minutes that it is them, by this.
    #[error("confirm that it is you: {0}")]
    ConfirmationRequired(Confirmation),
    /// The CSRF token is missing or from another session.
    #[error("this page is out of date; reload it and try again")]
    Csrf,
    /// The request came from a page that may not make it.
    #[error("requests from this page's address are not allowed")]
    ForbiddenOrigin,
    /// New accounts are made on the command line only.
    #[error("sign-up is closed on this server; ask its operator for an account")]
    SignupClosed,
    /// An account cannot be made for this address.
    #[error("this address cannot be used for a new account; if you have one already, sign in")]
    EmailTaken,
    /// The password is too short, too long, or among those that are guessed first.
    #[error(
        "Use 10 to 256 characters. Common passwords and your own name or address are refused, even with digits or signs added."
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
    /// The site wants a signed identity and none was given.
    #[error("this site chats with signed-in visitors only; an identityToken is required")]
    IdentityRequired,
    /// The identity token is wrongly signed, expired, or for somebody else.
    #[error("the identityToken was refused: {0}")]
    InvalidIdentity(&'static str),
    /// The visitor is over the site's limit.
    #[error("sending too frequently")]
    SendingTooFrequently {
        /// Whole seconds until the next message is taken.
        retry_after_s: u64,
    },
    /// Another limit is reached.
    #[error("too many requests, wait {retry_after_s}s")]
    TooManyRequests {
        /// Whole seconds to wait.
        retry_after_s: u64,
    },
    /// The site is under attack: a new visitor's browser does some work first.
    #[error("this chat is under attack; do the work that is asked for, then come again")]
    WorkRequired {
        /// See `abuse::Challenge`.
        challenge: String,
        /// Zero bits that are asked for.
        bits: u32,
    },
    /// Neither text nor image.
    #[error("the message is empty")]
    EmptyMessage,
    /// Over `messages::TEXT_GRAPHEMES` or `messages::TEXT_BYTES`.
    #[error("the text is too long; 4,000 characters are allowed")]
    TextTooLong,
    /// Not a png, jpg, gif or webp, or damaged.
    #[error("this image cannot be used: {0}")]
    InvalidImage(&'static str),
    /// Over the site's image size cap.
    #[error("the image is larger than {limit} bytes")]
    ImageTooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// Over `images::MAX_SIDE` or `images::MAX_FRAME_PIXELS`.
    #[error("the image has too many pixels; 8,000 a side and 30 million in all are allowed")]
    TooManyPixels,
    /// Over `images::MAX_FRAMES`, or too many pixels in all of them together.
    #[error("the animation is too long; 500 frames and 200 million pixels in all of them together are allowed")]
    AnimationTooLong,
    /// The same client id was used for another body, or the state moved meanwhile.
    #[error("{0}")]
    Conflict(&'static str),
    /// Two colours of a look cannot be read on each other.
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
    /// A defect. The cause goes to the log, never to a stranger.
    #[error("something went wrong on the server")]
    Internal(String),
}

/// How somebody who is signed in shows that it is them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// The account's password.
    Password,
    /// A code of the second factor, where there is one.
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

/// What a verb answers.
pub type Result<T> = std::result::Result<T, Error>;

/// The stable code of an error on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each code is described at its Error variant")]
pub enum ErrorCode {
    InvalidRequest,
    TooLarge,
    NotFound,
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
            Error::MethodNotAllowed => ErrorCode::MethodNotAllowed,
            Error::NotSignedIn => ErrorCode::NotSignedIn,
            Error::WrongCredentials => ErrorCode::WrongCredentials,
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

    /// Seconds that a client should wait, where waiting helps.
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
