//! An account is a person who owns sites and answers visitors; a session is one browser in which they are signed in.

use std::sync::Arc;

use crate::clock::Millis;
use crate::config::Signup;
use crate::id::{AccountId, SessionId};
use crate::record;
use crate::storage::Store;
use crate::vault::Vault;

mod email;
mod password;
mod attempts;
pub mod store;
pub mod view;
mod weak;
mod session;
mod sign_up;
mod sign_in;
mod sign_out;
mod change_email;
mod change_password;
mod reset;
mod write_confirmed;
mod confirm;
mod rename;
mod delete;
mod sessions;
mod totp;
mod second_factor;

pub use attempts::Attempts;
pub use change_email::change_email;
pub use change_password::{PasswordChange, change_password, set_password};
pub use confirm::{CONFIRMED_S, Evidence, check_confirmed, confirm};
pub use delete::delete;
pub use email::normalise as normalise_email;
pub use password::Passwords;
pub use rename::rename;
pub use reset::{create_reset, find_reset, reset_password};
pub use second_factor::{
    Enrolment, Protection, begin_second_factor, confirm_second_factor, end_second_factor, protection,
    remove_second_factor, renew_recovery_codes,
};
pub use session::{SESSION_DAYS, SignedIn, csrf_token, is_csrf_token, is_signed_in, signed_in};
pub use sessions::{any_account, end_session, list_accounts, sessions};
pub use sign_in::{Credentials, sign_in};
pub use sign_out::sign_out;
pub use sign_up::{NewAccount, add_account, find_account, find_account_by_id, sign_up};
pub use store::SQL;
pub use write_confirmed::{Shown, write_confirmed};

/// Longest name, in characters.
pub const NAME_GRAPHEMES: usize = 80;

/// What accounts need of the running product.
pub struct Accounts {
    /// The database.
    pub store: Store,
    /// Password hashes, few at a time.
    pub passwords: Passwords,
    /// What people tried lately.
    pub attempts: Attempts,
    /// Decrypts the secrets of two-factor authentication.
    pub vault: Arc<Vault>,
    /// Who may make an account.
    pub signup: Signup,
}

/// A person who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// Normalised e-mail address.
    pub email: String,
    /// Shown to visitors beside what they write.
    pub name: String,
    /// File name of their picture.
    pub photo: Option<String>,
    /// When it was made.
    pub created_at: Millis,
}
record!(Account { id, email, name, photo, created_at });

/// One browser in which somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// Whose it is.
    pub account_id: AccountId,
    /// Address that signed in.
    pub address: String,
    /// "Chromium 156 on Linux".
    pub browser: String,
    /// When somebody signed in.
    pub created_at: Millis,
    /// Last request, to the minute.
    pub last_seen_at: Millis,
    /// When somebody last showed in it that it is them.
    pub confirmed_at: Millis,
}
record!(Session { id, account_id, address, browser, created_at, last_seen_at, confirmed_at });

/// Where a sign-in comes from.
#[derive(Debug, Clone)]
pub struct Place {
    /// Network that limits count by.
    pub network: u128,
    /// Address, to be shown in the list of sessions.
    pub address: String,
    /// Browser in words, to be shown there too.
    pub browser: String,
}
