//! How sites and their keys are kept.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::clock::Millis;
use crate::config::Network;
use crate::error::{Error, Result};
use crate::id::{KeyId, SiteId, WorkspaceId};
use crate::record;
use crate::storage::{Store, Tx, Value};
use crate::values;

use super::grant::{Grant, KeyScope};
use super::key::{ChatKey, Key};
use super::{IdentityMode, Limits, Look, Site};

macro_rules! select_site {
    ($rest:literal) => {
        concat!(
            "SELECT id, workspace_id, name, paused,
                (SELECT key FROM widget_keys w WHERE w.site_id = sites.id AND w.expires_at IS NULL) AS widget_key,
                (SELECT MIN(i.id) FROM identity_secrets AS i WHERE i.site_id = sites.id) AS old_secret,
                (SELECT MAX(i.id) FROM identity_secrets AS i WHERE i.site_id = sites.id) AS new_secret,
                look, welcome, logo, messages_per_minute, api_per_minute, image_bytes, allowed_domains, identity_mode,
                opaque_agent_ids, seen_page, seen_page_at, created_at
            FROM sites ",
            $rest
        )
    };
}

// A site that is deleted belongs to nobody, whose number is 0, until it is purged.
const BY_ID: &str = select_site!("WHERE id = $1 AND workspace_id > 0");
const BY_WORKSPACE: &str = select_site!("WHERE workspace_id = $1 ORDER BY id");
const ALL: &str = select_site!("WHERE workspace_id > 0 ORDER BY id");
const COUNT_OF_WORKSPACE: &str = "SELECT COUNT(*) FROM sites WHERE workspace_id = $1";
const INSERT: &str = "INSERT INTO sites (id, workspace_id, name, look, welcome, messages_per_minute, api_per_minute,
    image_bytes, allowed_domains, identity_mode, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const UPDATE: &str = "UPDATE sites SET name = $2, paused = $3, look = $4, welcome = $5, logo = $6,
    messages_per_minute = $7, api_per_minute = $8, image_bytes = $9, allowed_domains = $10, identity_mode = $11,
    opaque_agent_ids = $12 WHERE id = $1";
const SEEN_PAGE: &str = "UPDATE sites SET seen_page = $2, seen_page_at = $3 WHERE id = $1";
const DISOWN: &str = "UPDATE sites SET deleted_from = workspace_id, workspace_id = 0, paused = TRUE WHERE id = $1";
const END_WIDGET_KEYS: &str = "DELETE FROM widget_keys WHERE site_id = $1";
const END_CHAT_KEYS: &str = "DELETE FROM chat_keys WHERE site_id = $1";
const END_IDENTITY_SECRETS: &str = "DELETE FROM identity_secrets WHERE site_id = $1";
const NEXT_DELETED: &str = "SELECT id FROM sites WHERE workspace_id = 0 ORDER BY id LIMIT 1";
const DELETE: &str = "DELETE FROM sites WHERE id = $1 AND workspace_id = 0";

const WIDGET_KEY: &str = "SELECT site_id, expires_at FROM widget_keys WHERE key = $1";
const INSERT_WIDGET_KEY: &str = "INSERT INTO widget_keys (site_id, key, created_at) VALUES ($1, $2, $3)";
const EXPIRE_WIDGET_KEYS: &str =
    "UPDATE widget_keys SET expires_at = $2 WHERE site_id = $1 AND (expires_at IS NULL OR expires_at > $2)";
const DROP_WIDGET_KEYS: &str = "DELETE FROM widget_keys WHERE site_id = $1 AND expires_at <= $2";

const CHAT_KEY: &str = "SELECT site_id, id, expires_at, scope, networks FROM chat_keys WHERE hash = $1";
const CHAT_KEYS: &str = "SELECT id, last4, created_at, last_used_at, expires_at, scope, networks FROM chat_keys
    WHERE site_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY id";
const INSERT_CHAT_KEY: &str =
    "INSERT INTO chat_keys (site_id, id, hash, last4, created_at, expires_at, scope, networks)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const EXPIRE_CHAT_KEYS: &str =
    "UPDATE chat_keys SET expires_at = $2 WHERE site_id = $1 AND (expires_at IS NULL OR expires_at > $2)";
const DROP_CHAT_KEYS: &str = "DELETE FROM chat_keys WHERE site_id = $1 AND expires_at <= $2";
const DELETE_CHAT_KEY: &str = "DELETE FROM chat_keys WHERE site_id = $1 AND id = $2";
const USED_CHAT_KEY: &str = "UPDATE chat_keys SET last_used_at = $3 WHERE site_id = $1 AND id = $2";

const IDENTITY_SECRETS: &str = "SELECT id, last4, created_at, last_used_at, NULL AS expires_at FROM identity_secrets
    WHERE site_id = $1 ORDER BY id";
const SEALED: &str = "SELECT id, sealed FROM identity_secrets WHERE site_id = $1 ORDER BY id";
const INSERT_IDENTITY_SECRET: &str =
    "INSERT INTO identity_secrets (site_id, id, sealed, last4, created_at) VALUES ($1, $2, $3, $4, $5)";
const DELETE_IDENTITY_SECRET: &str = "DELETE FROM identity_secrets WHERE site_id = $1 AND id = $2";

// A site's unread messages, of a thousand conversations at the most: nobody reads a larger number, and an owner who leaves
// a million unread sees the list as fast.
macro_rules! unread {
    ($workspace:literal, $site:literal) => {
        concat!(
            "SELECT COALESCE(SUM(some.unread_agent), 0) FROM (SELECT c.unread_agent FROM conversations AS c
                WHERE c.workspace_id = ",
            $workspace,
            " AND c.site_id = ",
            $site,
            " AND c.unread_agent > 0 LIMIT 1000) AS some"
        )
    };
}

const UNREAD: &str = unread!("(SELECT s.workspace_id FROM sites AS s WHERE s.id = $1)", "$1");

// What the list of a workspace's sites shows, in one piece: there may be very many.
const LINES: &str = concat!(
    "SELECT s.id, s.name, s.paused, s.look, s.image_bytes, s.seen_page, s.seen_page_at, (",
    unread!("$1", "s.id"),
    ") AS unread, EXISTS (SELECT 1 FROM attacks AS a WHERE a.site_id = s.id AND a.settled_at IS NULL) AS attacked
    FROM sites AS s WHERE s.workspace_id = $1 ORDER BY s.id"
);

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] = &[
    BY_ID,
    BY_WORKSPACE,
    ALL,
    COUNT_OF_WORKSPACE,
    INSERT,
    UPDATE,
    SEEN_PAGE,
    DISOWN,
    END_WIDGET_KEYS,
    END_CHAT_KEYS,
    END_IDENTITY_SECRETS,
    NEXT_DELETED,
    DELETE,
    WIDGET_KEY,
    INSERT_WIDGET_KEY,
    EXPIRE_WIDGET_KEYS,
    DROP_WIDGET_KEYS,
    CHAT_KEY,
    CHAT_KEYS,
    INSERT_CHAT_KEY,
    EXPIRE_CHAT_KEYS,
    DROP_CHAT_KEYS,
    DELETE_CHAT_KEY,
    USED_CHAT_KEY,
    IDENTITY_SECRETS,
    SEALED,
    INSERT_IDENTITY_SECRET,
    DELETE_IDENTITY_SECRET,
    UNREAD,
    LINES,
];

struct SiteRow {
    id: SiteId,
    workspace_id: WorkspaceId,
    name: String,
    paused: bool,
    widget_key: Option<String>,
    look: String,
    welcome: String,
    logo: Option<String>,
    messages_per_minute: i64,
    api_per_minute: i64,
    image_bytes: i64,
    allowed_domains: String,
    identity_mode: String,
    old_secret: Option<KeyId>,
    new_secret: Option<KeyId>,
    opaque_agent_ids: bool,
    seen_page: Option<String>,
    seen_page_at: Option<Millis>,
    created_at: Millis,
}
record!(SiteRow {
    id,
    workspace_id,
    name,
    paused,
    widget_key,
    old_secret,
    new_secret,
    look,
    welcome,
    logo,
    messages_per_minute,
    api_per_minute,
    image_bytes,
    allowed_domains,
    identity_mode,
    opaque_agent_ids,
    seen_page,
    seen_page_at,
    created_at,
});

impl SiteRow {
    fn site(self) -> Result<Site> {
        Ok(Site {
            id: self.id,
            workspace_id: self.workspace_id,
            name: self.name,
            paused: self.paused,
            widget_key: self.widget_key.unwrap_or_default(),
            look: read(&self.look)?,
            welcome: read::<BTreeMap<_, _>>(&self.welcome)?,
            logo: self.logo,
            limits: Limits {
                messages_per_minute: limit(self.messages_per_minute)?,
                api_per_minute: limit(self.api_per_minute)?,
                image_bytes: limit(self.image_bytes)?,
            },
            allowed_domains: read(&self.allowed_domains)?,
            identity_mode: IdentityMode::parse(&self.identity_mode)
                .ok_or_else(|| Error::Internal("an unknown identity mode is stored".into()))?,
            // Two at the most, or one that is both.
            identity_secrets: self.old_secret.into_iter().chain(self.new_secret).collect(),
            opaque_agent_ids: self.opaque_agent_ids,
            seen_page: self.seen_page.zip(self.seen_page_at),
            created_at: self.created_at,
        })
    }
}

fn limit(n: i64) -> Result<u32> {
    u32::try_from(n).map_err(|_| Error::Internal("a limit is out of range".into()))
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| Error::Internal(format!("a stored site cannot be read: {error}")))
}

fn write<T: serde::Serialize>(value: &T) -> Result<Value> {
    serde_json::to_string(value).map(Value::Text).map_err(|error| Error::Internal(error.to_string()))
}

pub(super) async fn by_id(store: &Store, site: SiteId) -> Result<Option<Site>> {
    store.one::<SiteRow>(BY_ID, values![site]).await?.map(SiteRow::site).transpose()
}

pub(super) fn by_id_in(tx: &mut Tx, site: SiteId) -> Result<Option<Site>> {
    tx.one::<SiteRow>(BY_ID, values![site])?.map(SiteRow::site).transpose()
}

pub(super) async fn of_workspace(store: &Store, workspace: WorkspaceId) -> Result<Vec<Site>> {
    store.all::<SiteRow>(BY_WORKSPACE, values![workspace]).await?.into_iter().map(SiteRow::site).collect()
}

pub(super) fn of_workspace_in(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<Site>> {
    tx.all::<SiteRow>(BY_WORKSPACE, values![workspace])?.into_iter().map(SiteRow::site).collect()
}

/// A site as the list of a workspace's sites shows it.
pub struct LineRow {
    /// Its number.
    pub id: SiteId,
    /// Its name.
    pub name: String,
    /// The widget draws nothing and no message is taken.
    pub paused: bool,
    look: String,
    image_bytes: i64,
    /// The last page that loaded the widget.
    pub seen_page: Option<String>,
    /// When it did.
    pub seen_page_at: Option<Millis>,
    /// Visitors' messages that no operator has seen.
    pub unread: i64,
    /// There is an attack that the owner has not dismissed.
    pub attacked: bool,
}
record!(LineRow { id, name, paused, look, image_bytes, seen_page, seen_page_at, unread, attacked });

impl LineRow {
    /// Its look.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    pub fn look(&self) -> Result<Look> {
        read(&self.look)
    }

    /// Largest picture.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    pub fn image_bytes(&self) -> Result<u32> {
        limit(self.image_bytes)
    }
}

pub(super) async fn lines_of(store: &Store, workspace: WorkspaceId) -> Result<Vec<LineRow>> {
    store.all(LINES, values![workspace]).await
}

pub(super) async fn all(store: &Store) -> Result<Vec<Site>> {
    store.all::<SiteRow>(ALL, []).await?.into_iter().map(SiteRow::site).collect()
}

pub(super) fn count_of_workspace(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(tx.one::<(i64,)>(COUNT_OF_WORKSPACE, values![workspace])?.map_or(0, |(count,)| count))
}

/// The site, its widget key and its row in the event log's counters.
pub(super) fn insert(tx: &mut Tx, site: &Site) -> Result<()> {
    let limits = &site.limits;
    let values = values![
        site.id,
        site.workspace_id,
        &site.name,
        write(&site.look)?,
        write(&site.welcome)?,
        i64::from(limits.messages_per_minute),
        i64::from(limits.api_per_minute),
        i64::from(limits.image_bytes),
        write(&site.allowed_domains)?,
        site.identity_mode.as_str(),
        site.created_at,
    ];
    tx.run(INSERT, values)?;
    insert_widget_key(tx, site.id, &site.widget_key)
}

pub(super) fn update(tx: &mut Tx, site: &Site) -> Result<()> {
    let limits = &site.limits;
    let values = values![
        site.id,
        &site.name,
        site.paused,
        write(&site.look)?,
        write(&site.welcome)?,
        site.logo.as_deref(),
        i64::from(limits.messages_per_minute),
        i64::from(limits.api_per_minute),
        i64::from(limits.image_bytes),
        write(&site.allowed_domains)?,
        site.identity_mode.as_str(),
        site.opaque_agent_ids,
    ];
    tx.run(UPDATE, values).map(drop)
}

pub(super) fn seen_page(tx: &mut Tx, site: SiteId, origin: &str) -> Result<()> {
    let now = tx.now();
    tx.run(SEEN_PAGE, values![site, origin, now]).map(drop)
}

/// Takes a site from its owner, with all of its keys, until it is purged.
pub(super) fn disown(tx: &mut Tx, site: SiteId) -> Result<()> {
    for sql in [DISOWN, END_WIDGET_KEYS, END_CHAT_KEYS, END_IDENTITY_SECRETS] {
        tx.run(sql, values![site])?;
    }
    Ok(())
}

/// The first site that is deleted and not purged yet.
pub async fn next_deleted(store: &Store) -> Result<Option<SiteId>> {
    Ok(store.one::<(SiteId,)>(NEXT_DELETED, []).await?.map(|(site,)| site))
}

/// Removes the row of a deleted site. Everything else of it is gone before.
pub fn delete(tx: &mut Tx, site: SiteId) -> Result<()> {
    tx.run(DELETE, values![site]).map(drop)
}

pub(super) async fn widget_key(store: &Store, key: &str) -> Result<Option<(SiteId, Option<Millis>)>> {
    store.one(WIDGET_KEY, values![key]).await
}

pub(super) fn insert_widget_key(tx: &mut Tx, site: SiteId, key: &str) -> Result<()> {
    let now = tx.now();
    tx.run(INSERT_WIDGET_KEY, values![site, key, now]).map(drop)
}

/// All keys of the site stop working at `end`; those that have already stopped are removed.
pub(super) fn expire_widget_keys(tx: &mut Tx, site: SiteId, end: Millis) -> Result<()> {
    let now = tx.now();
    tx.run(EXPIRE_WIDGET_KEYS, values![site, end])?;
    tx.run(DROP_WIDGET_KEYS, values![site, now]).map(drop)
}

struct GrantRow {
    scope: String,
    networks: Option<String>,
}
record!(GrantRow { scope, networks });

impl GrantRow {
    fn grant(self, expires_at: Option<Millis>) -> Result<Grant> {
        let unreadable = || Error::Internal("a stored chat API key cannot be read".into());
        let networks: Vec<String> = self.networks.as_deref().map_or(Ok(Vec::new()), read)?;
        let networks = networks.iter().map(|text| Network::parse(text).map_err(|_| unreadable()));
        Ok(Grant {
            scope: KeyScope::parse(&self.scope).ok_or_else(unreadable)?,
            networks: networks.collect::<Result<_>>()?,
            expires_at,
        })
    }
}

struct ChatKeyRow {
    key: Key,
    grant: GrantRow,
}
record!(ChatKeyRow {; key, grant });

struct OpenedRow {
    site_id: SiteId,
    id: KeyId,
    expires_at: Option<Millis>,
    grant: GrantRow,
}
record!(OpenedRow { site_id, id, expires_at; grant });

pub(super) async fn chat_key(store: &Store, hash: [u8; 32]) -> Result<Option<(SiteId, KeyId, Grant)>> {
    let row: Option<OpenedRow> = store.one(CHAT_KEY, values![hash]).await?;
    row.map(|row| Ok((row.site_id, row.id, row.grant.grant(row.expires_at)?))).transpose()
}

fn chat_key_of(row: ChatKeyRow) -> Result<ChatKey> {
    let grant = row.grant.grant(row.key.expires_at)?;
    Ok(ChatKey { key: row.key, grant })
}

pub(super) async fn chat_keys(store: &Store, site: SiteId) -> Result<Vec<ChatKey>> {
    store.all::<ChatKeyRow>(CHAT_KEYS, values![site, store.now()]).await?.into_iter().map(chat_key_of).collect()
}

pub(super) fn count_chat_keys(tx: &mut Tx, site: SiteId) -> Result<usize> {
    let now = tx.now();
    Ok(tx.all::<ChatKeyRow>(CHAT_KEYS, values![site, now])?.len())
}

pub(super) fn insert_chat_key(tx: &mut Tx, site: SiteId, hash: [u8; 32], new: &ChatKey) -> Result<()> {
    let ChatKey { key, grant } = new;
    let networks: Vec<String> = grant.networks.iter().map(Network::to_string).collect();
    let networks = if networks.is_empty() { None } else { Some(write(&networks)?) };
    let values = values![
        site,
        key.id,
        hash,
        &key.last4,
        key.created_at,
        key.expires_at,
        grant.scope.as_str(),
        networks.unwrap_or(Value::Null),
    ];
    tx.run(INSERT_CHAT_KEY, values).map(drop)
}

/// All keys of the site stop working at `end`; those that have already stopped are removed.
pub(super) fn expire_chat_keys(tx: &mut Tx, site: SiteId, end: Millis) -> Result<()> {
    let now = tx.now();
    tx.run(EXPIRE_CHAT_KEYS, values![site, end])?;
    tx.run(DROP_CHAT_KEYS, values![site, now]).map(drop)
}

pub(super) fn delete_chat_key(tx: &mut Tx, site: SiteId, key: KeyId) -> Result<bool> {
    Ok(tx.run(DELETE_CHAT_KEY, values![site, key])? > 0)
}

pub(super) fn used_chat_key(tx: &mut Tx, site: SiteId, key: KeyId) -> Result<()> {
    let now = tx.now();
    tx.run(USED_CHAT_KEY, values![site, key, now]).map(drop)
}

pub(super) async fn identity_secrets(store: &Store, site: SiteId) -> Result<Vec<Key>> {
    store.all(IDENTITY_SECRETS, values![site]).await
}

pub(super) fn identity_secrets_in(tx: &mut Tx, site: SiteId) -> Result<Vec<Key>> {
    tx.all(IDENTITY_SECRETS, values![site])
}

pub(super) async fn sealed(store: &Store, site: SiteId) -> Result<Vec<(KeyId, Vec<u8>)>> {
    store.all(SEALED, values![site]).await
}

pub(super) fn insert_identity_secret(tx: &mut Tx, site: SiteId, sealed: Vec<u8>, key: &Key) -> Result<()> {
    tx.run(INSERT_IDENTITY_SECRET, values![site, key.id, sealed, &key.last4, key.created_at]).map(drop)
}

pub(super) fn delete_identity_secret(tx: &mut Tx, site: SiteId, key: KeyId) -> Result<bool> {
    Ok(tx.run(DELETE_IDENTITY_SECRET, values![site, key])? > 0)
}

pub(super) async fn unread(store: &Store, site: SiteId) -> Result<i64> {
    Ok(store.one::<(i64,)>(UNREAD, values![site]).await?.map_or(0, |(sum,)| sum))
}
