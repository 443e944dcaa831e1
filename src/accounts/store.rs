//! How accounts and sessions are kept.

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{AccountId, SessionId};
use crate::record;
use crate::storage::{Store, Tx};
use crate::values;

use super::{Account, Session};

const BY_ID: &str = "SELECT id, email, name, photo, created_at FROM accounts WHERE id = $1";
const BY_EMAIL: &str = "SELECT id, email, name, photo, created_at FROM accounts WHERE email = $1";
const ALL: &str = "SELECT id, email, name, photo, created_at FROM accounts WHERE id > 0 ORDER BY id";
const ANY: &str = "SELECT id FROM accounts WHERE id > 0 LIMIT 1";
const PASSWORD: &str = "SELECT password_hash FROM accounts WHERE id = $1";
const INSERT: &str = "INSERT INTO accounts (id, email, name, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)";
const SET_PASSWORD: &str = "UPDATE accounts SET password_hash = $2 WHERE id = $1";
const SET_NAME: &str = "UPDATE accounts SET name = $2 WHERE id = $1";
const SET_PHOTO: &str = "UPDATE accounts SET photo = $2 WHERE id = $1";
const SET_EMAIL: &str = "UPDATE accounts SET email = $2 WHERE id = $1";
const PUT_RESET: &str = "INSERT INTO password_resets (account_id, token_hash, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (account_id) DO UPDATE SET token_hash = $2, expires_at = $3";
const BY_RESET: &str = "SELECT a.id, a.email, a.name, a.photo, a.created_at FROM password_resets AS r
    JOIN accounts AS a ON a.id = r.account_id WHERE r.token_hash = $1 AND r.expires_at > $2";
const USE_RESET: &str = "DELETE FROM password_resets WHERE token_hash = $1 AND expires_at > $2";
const REMOVE_RESET: &str = "DELETE FROM password_resets WHERE account_id = $1";
const DELETE: &str = "DELETE FROM accounts WHERE id = $1";

const SESSION: &str = "SELECT id, account_id, address, browser, created_at, last_seen_at, confirmed_at FROM sessions
    WHERE token_hash = $1 AND expires_at > $2 AND last_seen_at > $3";
const SESSIONS: &str = "SELECT id, account_id, address, browser, created_at, last_seen_at, confirmed_at FROM sessions
    WHERE account_id = $1 AND expires_at > $2 AND last_seen_at > $3 ORDER BY last_seen_at DESC, id DESC";
const KNOWN_PLACE: &str = "SELECT id FROM sessions WHERE account_id = $1 AND address = $2 LIMIT 1";
const INSERT_SESSION: &str = "INSERT INTO sessions (id, account_id, token_hash, address, browser, created_at,
    last_seen_at, confirmed_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $7)";
const CONFIRMED: &str = "UPDATE sessions SET confirmed_at = $3 WHERE account_id = $1 AND id = $2";
const SEEN: &str = "UPDATE sessions SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2";
const END_SESSION: &str = "DELETE FROM sessions WHERE account_id = $1 AND id = $2";
const END_OTHERS: &str = "DELETE FROM sessions WHERE account_id = $1 AND id <> $2 RETURNING id";
const END_SURPLUS: &str = "DELETE FROM sessions WHERE account_id = $1 AND (expires_at <= $2 OR last_seen_at <= $3
    OR id NOT IN (SELECT id FROM sessions WHERE account_id = $1 ORDER BY last_seen_at DESC, id DESC LIMIT $4))
    RETURNING id";

const SECOND_FACTOR: &str = "SELECT sealed, enabled, last_step FROM second_factors WHERE account_id = $1";
const PUT_SECOND_FACTOR: &str = "INSERT INTO second_factors (account_id, sealed, enabled, last_step, created_at)
    VALUES ($1, $2, FALSE, 0, $3)
    ON CONFLICT (account_id) DO UPDATE SET sealed = $2, enabled = FALSE, last_step = 0, created_at = $3";
const ENABLE_SECOND_FACTOR: &str = "UPDATE second_factors SET enabled = TRUE, last_step = $2 WHERE account_id = $1";
const USED_STEP: &str = "UPDATE second_factors SET last_step = $2 WHERE account_id = $1";
const REMOVE_SECOND_FACTOR: &str = "DELETE FROM second_factors WHERE account_id = $1";
const RECOVERY_CODES_LEFT: &str = "SELECT COUNT(*) FROM recovery_codes WHERE account_id = $1";
const INSERT_RECOVERY_CODE: &str = "INSERT INTO recovery_codes (account_id, hash) VALUES ($1, $2)";
const USE_RECOVERY_CODE: &str = "DELETE FROM recovery_codes WHERE account_id = $1 AND hash = $2";
const REMOVE_RECOVERY_CODES: &str = "DELETE FROM recovery_codes WHERE account_id = $1";

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] = &[
    BY_ID,
    BY_EMAIL,
    ALL,
    ANY,
    PASSWORD,
    INSERT,
    SET_PASSWORD,
    SET_NAME,
    SET_PHOTO,
    SET_EMAIL,
    PUT_RESET,
    BY_RESET,
    USE_RESET,
    REMOVE_RESET,
    DELETE,
    SESSION,
    SESSIONS,
    KNOWN_PLACE,
    INSERT_SESSION,
    CONFIRMED,
    SEEN,
    END_SESSION,
    END_OTHERS,
    END_SURPLUS,
    SECOND_FACTOR,
    PUT_SECOND_FACTOR,
    ENABLE_SECOND_FACTOR,
    USED_STEP,
    REMOVE_SECOND_FACTOR,
    RECOVERY_CODES_LEFT,
    INSERT_RECOVERY_CODE,
    USE_RECOVERY_CODE,
    REMOVE_RECOVERY_CODES,
];

/// Until when a session must have been made and seen to count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Alive {
    pub now: Millis,
    pub seen_after: Millis,
}

pub(super) async fn by_id(store: &Store, account: AccountId) -> Result<Option<Account>> {
    store.one(BY_ID, values![account]).await
}

pub(super) async fn by_email(store: &Store, email: &str) -> Result<Option<Account>> {
    store.one(BY_EMAIL, values![email]).await
}

pub(super) async fn all(store: &Store) -> Result<Vec<Account>> {
    store.all(ALL, []).await
}

pub(super) async fn any(store: &Store) -> Result<bool> {
    Ok(store.one::<(AccountId,)>(ANY, []).await?.is_some())
}

pub(super) async fn password(store: &Store, account: AccountId) -> Result<Option<String>> {
    Ok(store.one::<(String,)>(PASSWORD, values![account]).await?.map(|(hash,)| hash))
}

pub(super) fn password_in(tx: &mut Tx, account: AccountId) -> Result<Option<String>> {
    Ok(tx.one::<(String,)>(PASSWORD, values![account])?.map(|(hash,)| hash))
}

pub(super) fn insert(tx: &mut Tx, account: &Account, password_hash: &str) -> Result<()> {
    let values = values![account.id, &account.email, &account.name, password_hash, account.created_at];
    match tx.run(INSERT, values) {
        Err(Error::Unique(columns)) if columns == "accounts.email" => Err(Error::EmailTaken),
        done => done.map(drop),
    }
}

pub(super) fn set_password(tx: &mut Tx, account: AccountId, password_hash: &str) -> Result<bool> {
    Ok(tx.run(SET_PASSWORD, values![account, password_hash])? > 0)
}

pub(super) fn set_name(tx: &mut Tx, account: AccountId, name: &str) -> Result<bool> {
    Ok(tx.run(SET_NAME, values![account, name])? > 0)
}

/// Replaces the file name of an account's photo and says which one it was; `None`: there is no such account.
///
/// # Errors
/// When the database fails.
pub fn replace_photo(tx: &mut Tx, account: AccountId, photo: Option<&str>) -> Result<Option<Option<String>>> {
    let before: Option<Account> = tx.one(BY_ID, values![account])?;
    let Some(before) = before else { return Ok(None) };
    tx.run(SET_PHOTO, values![account, photo])?;
    Ok(Some(before.photo))
}

pub(super) fn set_email(tx: &mut Tx, account: AccountId, email: &str) -> Result<()> {
    match tx.run(SET_EMAIL, values![account, email]) {
        Err(Error::Unique(columns)) if columns == "accounts.email" => Err(Error::EmailTaken),
        done => done.map(drop),
    }
}

pub(super) fn put_reset(tx: &mut Tx, account: AccountId, token_hash: [u8; 32], expires_at: Millis) -> Result<()> {
    tx.run(PUT_RESET, values![account, token_hash, expires_at]).map(drop)
}

pub(super) async fn by_reset(store: &Store, token_hash: [u8; 32], now: Millis) -> Result<Option<Account>> {
    store.one(BY_RESET, values![token_hash, now]).await
}

/// Uses a link up; false: it works no longer.
pub(super) fn use_reset(tx: &mut Tx, token_hash: [u8; 32]) -> Result<bool> {
    let now = tx.now();
    Ok(tx.run(USE_RESET, values![token_hash, now])? > 0)
}

pub(super) fn remove_reset(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.run(REMOVE_RESET, values![account]).map(drop)
}

/// Its sessions go with it; its sites must be gone before.
pub(super) fn delete(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.run(DELETE, values![account]).map(drop)
}

pub(super) async fn session(store: &Store, token_hash: [u8; 32], alive: Alive) -> Result<Option<Session>> {
    store.one(SESSION, values![token_hash, alive.now, alive.seen_after]).await
}

pub(super) async fn sessions(store: &Store, account: AccountId, alive: Alive) -> Result<Vec<Session>> {
    store.all(SESSIONS, values![account, alive.now, alive.seen_after]).await
}

pub(super) async fn is_known_place(store: &Store, account: AccountId, address: &str) -> Result<bool> {
    Ok(store.one::<(i64,)>(KNOWN_PLACE, values![account, address]).await?.is_some())
}

pub(super) fn insert_session(tx: &mut Tx, session: &Session, token_hash: [u8; 32], expires_at: Millis) -> Result<()> {
    let values = values![
        session.id,
        session.account_id,
        token_hash,
        &session.address,
        &session.browser,
        session.created_at,
        expires_at,
    ];
    tx.run(INSERT_SESSION, values).map(drop)
}

/// Somebody showed in this session that it is them.
pub(super) fn confirmed(tx: &mut Tx, account: AccountId, session: SessionId) -> Result<()> {
    let now = tx.now();
    tx.run(CONFIRMED, values![account, session, now]).map(drop)
}

pub(super) fn seen(tx: &mut Tx, session: SessionId) -> Result<()> {
    let now = tx.now();
    tx.run(SEEN, values![session, now]).map(drop)
}

pub(super) fn end_session(tx: &mut Tx, account: AccountId, session: SessionId) -> Result<bool> {
    Ok(tx.run(END_SESSION, values![account, session])? > 0)
}

/// Ends all sessions but `kept` and says which ended.
pub(super) fn end_others(tx: &mut Tx, account: AccountId, kept: SessionId) -> Result<Vec<SessionId>> {
    Ok(tx.all(END_OTHERS, values![account, kept])?.into_iter().map(|(session,)| session).collect())
}

/// Ends what is over anyway, and the oldest above `most`. Says which ended.
pub(super) fn end_surplus(tx: &mut Tx, account: AccountId, alive: Alive, most: i64) -> Result<Vec<SessionId>> {
    let rows: Vec<(SessionId,)> = tx.all(END_SURPLUS, values![account, alive.now, alive.seen_after, most])?;
    Ok(rows.into_iter().map(|(session,)| session).collect())
}

/// The second factor of an account.
#[derive(Debug, Clone)]
pub(super) struct SecondFactor {
    pub sealed: Vec<u8>,
    pub enabled: bool,
    pub last_step: i64,
}
record!(SecondFactor { sealed, enabled, last_step });

pub(super) async fn second_factor(store: &Store, account: AccountId) -> Result<Option<SecondFactor>> {
    store.one(SECOND_FACTOR, values![account]).await
}

pub(super) fn second_factor_in(tx: &mut Tx, account: AccountId) -> Result<Option<SecondFactor>> {
    tx.one(SECOND_FACTOR, values![account])
}

/// Keeps a secret that no code has confirmed yet.
pub(super) fn put_second_factor(tx: &mut Tx, account: AccountId, sealed: Vec<u8>) -> Result<()> {
    let now = tx.now();
    tx.run(PUT_SECOND_FACTOR, values![account, sealed, now]).map(drop)
}

pub(super) fn enable_second_factor(tx: &mut Tx, account: AccountId, step: i64) -> Result<()> {
    tx.run(ENABLE_SECOND_FACTOR, values![account, step]).map(drop)
}

pub(super) fn used_step(tx: &mut Tx, account: AccountId, step: i64) -> Result<()> {
    tx.run(USED_STEP, values![account, step]).map(drop)
}

/// With its recovery codes.
pub(super) fn remove_second_factor(tx: &mut Tx, account: AccountId) -> Result<bool> {
    remove_recovery_codes(tx, account)?;
    Ok(tx.run(REMOVE_SECOND_FACTOR, values![account])? > 0)
}

pub(super) async fn recovery_codes_left(store: &Store, account: AccountId) -> Result<i64> {
    Ok(store.one::<(i64,)>(RECOVERY_CODES_LEFT, values![account]).await?.map_or(0, |(left,)| left))
}

pub(super) fn insert_recovery_code(tx: &mut Tx, account: AccountId, hash: [u8; 32]) -> Result<()> {
    tx.run(INSERT_RECOVERY_CODE, values![account, hash]).map(drop)
}

/// Uses one up; false: there is no such code.
pub(super) fn use_recovery_code(tx: &mut Tx, account: AccountId, hash: [u8; 32]) -> Result<bool> {
    Ok(tx.run(USE_RECOVERY_CODE, values![account, hash])? > 0)
}

pub(super) fn remove_recovery_codes(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.run(REMOVE_RECOVERY_CODES, values![account]).map(drop)
}
