//! What somebody may see of their own account.

use serde::Serialize;

use crate::clock::Millis;
use crate::id::{AccountId, SessionId};

use super::{Account, Session};

/// The account that is signed in.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct AccountView {
    /// Its number.
    pub id: AccountId,
    /// Address to sign in with.
    pub email: String,
    /// Name that visitors see.
    pub name: String,
    /// Path of their picture.
    pub photo: Option<String>,
    /// When it was made.
    pub created_at: Millis,
}

impl AccountView {
    /// `photo_path` makes the path of a file name.
    pub fn new(account: Account, photo_path: fn(&str) -> String) -> AccountView {
        let Account { id, email, name, photo, created_at } = account;
        AccountView { id, email, name, photo: photo.as_deref().map(photo_path), created_at }
    }
}

/// One browser in which they are signed in.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct SessionView {
    /// Its number.
    pub id: SessionId,
    /// The one that asks.
    pub current: bool,
    /// When somebody signed in.
    pub created_at: Millis,
    /// Last request, to the minute.
    pub last_seen_at: Millis,
    /// Address that signed in.
    pub address: String,
    /// "Chromium 156 on Linux".
    pub browser: String,
}

impl SessionView {
    /// As the session `current` sees it.
    pub fn new(session: Session, current: SessionId) -> SessionView {
        let Session { id, account_id: _, address, browser, created_at, last_seen_at, confirmed_at: _ } = session;
        SessionView { id, current: id == current, created_at, last_seen_at, address, browser }
    }
}
