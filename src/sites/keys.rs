//! Replacing and revoking keys, and noting that one was used.

use crate::app::App;
use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::{KeyId, SiteId};
use crate::secret::{digest, random_text};
use crate::storage::Kind;

use super::directory::{Directory, Note};
use super::key::{CHAT_KEY_PREFIX, LONGEST_GRACE_S, NewKey, WIDGET_KEY_PREFIX};
use super::store;

/// Makes a new chat API key. Older ones go on working for `grace_s` seconds, so that scripts can be changed one by one.
///
/// # Errors
/// A grace that is too long; `NotFound`.
pub async fn rotate_chat_key(app: &App, by: &By, site: SiteId, grace_s: u32) -> Result<NewKey> {
    let grace = check_grace(grace_s)?;
    let mut tx = app.store.begin().await?;
    store::by_id_in(&mut tx, site).await?.ok_or(Error::NotFound)?;
    let new = NewKey::make(tx.next_id(Kind::Key, KeyId).await?, CHAT_KEY_PREFIX, tx.now());
    let end = tx.now().plus_seconds(grace);
    store::expire_chat_keys(&mut tx, site, end).await?;
    store::insert_chat_key(&mut tx, site, digest(new.secret.expose()), &new.key).await?;
    app.sites.forget_after(&mut tx, site);
    audit::record(&mut tx, by, Action::ChatKeyMade, Some(site), &new.key.ending()).await?;
    super::changed(app, &mut tx, site).await?;
    tx.commit().await?;
    Ok(new)
}

/// Revokes a chat API key now.
///
/// # Errors
/// `NotFound`.
pub async fn revoke_chat_key(app: &App, by: &By, site: SiteId, key: KeyId) -> Result<()> {
    let mut tx = app.store.begin().await?;
    if !store::delete_chat_key(&mut tx, site, key).await? {
        return Err(Error::NotFound);
    }
    app.sites.forget_after(&mut tx, site);
    audit::record(&mut tx, by, Action::ChatKeyRevoked, Some(site), &format!("number {key}")).await?;
    super::changed(app, &mut tx, site).await?;
    tx.commit().await
}

/// Makes a new widget key. The old one works for `grace_s` seconds more, so that pages can be changed one by one.
///
/// # Errors
/// A grace that is too long; `NotFound`.
pub async fn rotate_widget_key(app: &App, by: &By, site: SiteId, grace_s: u32) -> Result<()> {
    let grace = check_grace(grace_s)?;
    let mut tx = app.store.begin().await?;
    store::by_id_in(&mut tx, site).await?.ok_or(Error::NotFound)?;
    let end = tx.now().plus_seconds(grace);
    store::expire_widget_keys(&mut tx, site, end).await?;
    store::insert_widget_key(&mut tx, site, &format!("{WIDGET_KEY_PREFIX}{}", random_text(16))).await?;
    app.sites.forget_after(&mut tx, site);
    audit::record(&mut tx, by, Action::WidgetKeyMade, Some(site), "").await?;
    super::changed(app, &mut tx, site).await?;
    tx.commit().await
}

/// Notes that a chat API key opened something: at most once a minute, and without making the caller wait.
pub(super) fn note_use(directory: &Directory, site: SiteId, key: KeyId) {
    if !directory.should_note(Note::ChatKeyUsed(site, key), "") {
        return;
    }
    let store = directory.store().clone();
    tokio::spawn(async move {
        let written = async {
            let mut tx = store.begin().await?;
            store::used_chat_key(&mut tx, site, key).await?;
            tx.commit().await
        };
        if let Err(error) = written.await {
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
