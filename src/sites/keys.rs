//! Replacing and revoking keys, and noting that one was used.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::events::{self, Effect};
use crate::id::{KeyId, SiteId};
use crate::secret::{digest, random_text};
use crate::storage::{Kind, Store, Tx};

use super::directory::{Directory, Note};
use super::grant::Grant;
use super::key::{CHAT_KEY_PREFIX, ChatKey, LONGEST_GRACE_S, MOST_CHAT_KEYS, NewKey, WIDGET_KEY_PREFIX};
use super::store;

/// What becomes of a site's older chat API keys when a new one is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They go on working for so many seconds, so that scripts can be changed one by one.
    End(u32),
    /// They go on as they are: the new one is for something else.
    Stay,
}

/// Makes a new chat API key that opens what `grant` says.
///
/// # Errors
/// A grace that is too long; `Conflict` when there are many keys already; `NotFound`.
pub async fn make_chat_key(
    store: &Store,
    by: &By,
    site: SiteId,
    grant: Grant,
    others: Others,
) -> Result<(NewKey, ChatKey)> {
    let by = by.clone();
    let act = move |tx: &mut Tx| {
        store::by_id_in(tx, site)?.ok_or(Error::NotFound)?;
        if let Others::End(grace_s) = others {
            let end = tx.now().plus_seconds(check_grace(grace_s)?);
            store::expire_chat_keys(tx, site, end)?;
        }
        if store::count_chat_keys(tx, site)? >= MOST_CHAT_KEYS {
            return Err(Error::Conflict(
                "a site can have at most 20 chat API keys; revoke one that is not used any more",
            ));
        }
        let mut new = NewKey::make(tx.next_id(Kind::Key, KeyId)?, CHAT_KEY_PREFIX, tx.now());
        new.key.expires_at = grant.expires_at;
        let made = ChatKey { key: new.key.clone(), grant: grant.clone() };
        store::insert_chat_key(tx, site, digest(new.secret.expose()), &made)?;
        events::effect(tx, Effect::SiteChanged(site));
        audit::record(tx, &by, Action::ChatKeyMade, Some(site), &new.key.ending())?;
        super::changed(tx, site)?;
        Ok((new, made))
    };
    store.write(act).await
}

/// Revokes a chat API key now.
///
/// # Errors
/// `NotFound`.
pub async fn revoke_chat_key(store: &Store, by: &By, site: SiteId, key: KeyId) -> Result<()> {
    let by = by.clone();
    let act = move |tx: &mut Tx| {
        if !store::delete_chat_key(tx, site, key)? {
            return Err(Error::NotFound);
        }
        events::effect(tx, Effect::SiteChanged(site));
        audit::record(tx, &by, Action::ChatKeyRevoked, Some(site), &format!("number {key}"))?;
        super::changed(tx, site)
    };
    store.write(act).await
}

/// Makes a new widget key. The old one works for `grace_s` seconds more, so that pages can be changed one by one.
///
/// # Errors
/// A grace that is too long; `NotFound`.
pub async fn rotate_widget_key(store: &Store, by: &By, site: SiteId, grace_s: u32) -> Result<()> {
    let (by, grace) = (by.clone(), check_grace(grace_s)?);
    let act = move |tx: &mut Tx| {
        store::by_id_in(tx, site)?.ok_or(Error::NotFound)?;
        let end = tx.now().plus_seconds(grace);
        store::expire_widget_keys(tx, site, end)?;
        store::insert_widget_key(tx, site, &format!("{WIDGET_KEY_PREFIX}{}", random_text(16)))?;
        events::effect(tx, Effect::SiteChanged(site));
        audit::record(tx, &by, Action::WidgetKeyMade, Some(site), "")?;
        super::changed(tx, site)
    };
    store.write(act).await
}

/// Notes that a chat API key opened something: at most once a minute, and without making the caller wait.
pub fn note_use(directory: &Directory, site: SiteId, key: KeyId) {
    if !directory.should_note(Note::ChatKeyUsed(site, key), "") {
        return;
    }
    let store = directory.store().clone();
    tokio::spawn(async move {
        if let Err(error) = store.write(move |tx| store::used_chat_key(tx, site, key)).await {
            tracing::warn!(%error, "the last use of a chat API key was not noted");
        }
    });
}

fn check_grace(grace_s: u32) -> Result<i64> {
    if grace_s > LONGEST_GRACE_S {
        return Err(Error::invalid("grace_s", "at most 30 days (2,592,000 seconds)"));
    }
    Ok(i64::from(grace_s))
}
