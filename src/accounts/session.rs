//! Being signed in: who a token belongs to, how long it lasts, and the token that shows that a request comes from our
//! own page.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::events::{self, Effect};
use crate::id::{AccountId, SessionId};
use crate::secret::{Secret, digest, random_text};
use crate::storage::{Kind, Store, Tx};

use super::store::{self, Alive};
use super::{Account, Accounts, Place, Session};

/// Days after which a session ends, used or not.
pub const SESSION_DAYS: i64 = 90;
/// Days after which an unused session ends.
const IDLE_DAYS: i64 = 14;
/// Sessions of one account; the one unused longest makes room.
const MOST_SESSIONS: i64 = 50;
/// How often the last request is written down.
const SEEN_AGAIN_MS: i64 = 60_000;
const DAY_S: i64 = 24 * 60 * 60;

/// Somebody who has just signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub account: Account,
    /// In which session.
    pub session: SessionId,
    /// What their browser shows from now on.
    pub token: Secret,
}

/// Who this token belongs to. Asked anew for each request: a session that was ended is over at once.
///
/// # Errors
/// `NotSignedIn`.
pub async fn signed_in(accounts: &Accounts, token: &str) -> Result<(Account, Session)> {
    let session =
        store::session(&accounts.store, digest(token), alive(accounts.store.now())).await?.ok_or(Error::NotSignedIn)?;
    let account = store::by_id(&accounts.store, session.account_id).await?.ok_or(Error::NotSignedIn)?;
    if accounts.store.now().0 - session.last_seen_at.0 >= SEEN_AGAIN_MS {
        note_seen(accounts.store.clone(), session.id);
    }
    Ok((account, session))
}

/// Has this session of the account not ended?
///
/// # Errors
/// When the database fails.
pub async fn is_signed_in(accounts: &Accounts, account: AccountId, session: SessionId) -> Result<bool> {
    let sessions = store::sessions(&accounts.store, account, alive(accounts.store.now())).await?;
    Ok(sessions.iter().any(|one| one.id == session))
}

/// Two requests at once may both write; the second changes nothing.
fn note_seen(store: Store, session: SessionId) {
    tokio::spawn(async move {
        if let Err(error) = store.write(move |tx| store::seen(tx, session)).await {
            tracing::warn!(%error, "the last request of a session was not noted");
        }
    });
}

/// Begins a session with a new token, in the transaction that proved who asks.
pub(super) fn begin(tx: &mut Tx, account: Account, place: &Place) -> Result<SignedIn> {
    let token = random_text(32);
    let now = tx.now();
    let session = Session {
        id: tx.next_id(Kind::Session, SessionId)?,
        account_id: account.id,
        address: place.address.clone(),
        browser: place.browser.clone(),
        created_at: now,
        last_seen_at: now,
        // With the password, and with a code where there is a second factor.
        confirmed_at: now,
    };
    store::insert_session(tx, &session, digest(&token), now.plus_seconds(SESSION_DAYS * DAY_S))?;
    let ended = store::end_surplus(tx, account.id, alive(now), MOST_SESSIONS)?;
    tell_ended(tx, ended);
    Ok(SignedIn { account, session: session.id, token: Secret::new(token) })
}

/// Ends the account's sessions but one: what proved them has changed.
pub(super) fn end_others(tx: &mut Tx, account: AccountId, kept: SessionId) -> Result<()> {
    let ended = store::end_others(tx, account, kept)?;
    tell_ended(tx, ended);
    Ok(())
}

/// Closes what is open under these sessions once `tx` is durable.
pub(super) fn tell_ended(tx: &mut Tx, ended: Vec<SessionId>) {
    if !ended.is_empty() {
        events::effect(tx, Effect::SessionsEnded(ended));
    }
}

pub(super) fn alive(now: Millis) -> Alive {
    Alive { now, seen_after: now.plus_seconds(-IDLE_DAYS * DAY_S) }
}

/// What a page of ours knows and another cannot: derived from the session's token, which scripts never see.
pub fn csrf_token(session_token: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(session_token.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(b"ocs csrf 1");
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// Is this the CSRF token of that session?
pub fn is_csrf_token(shown: &str, session_token: &str) -> bool {
    csrf_token(session_token).as_bytes().ct_eq(shown.as_bytes()).into()
}
