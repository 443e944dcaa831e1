//! The secrets with which a site signs who its visitors are.

use std::sync::Arc;

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::events::{self, Effect};
use crate::id::{KeyId, SiteId};
use crate::secret::Secret;
use crate::storage::{Kind, Store, Tx};
use crate::vault::Vault;

use super::key::{IDENTITY_SECRET_PREFIX, MOST_IDENTITY_SECRETS, NewKey};
use super::store;

/// Makes a secret. Two are valid at once, so that the old one can go after the site signs with the new one.
///
/// # Errors
/// `Conflict` when there are two already; `NotFound`.
pub async fn add_identity_secret(store: &Store, vault: &Arc<Vault>, by: &By, site: SiteId) -> Result<NewKey> {
    let (vault, by) = (vault.clone(), by.clone());
    let act = move |tx: &mut Tx| {
        store::by_id_in(tx, site)?.ok_or(Error::NotFound)?;
        if store::identity_secrets_in(tx, site)?.len() >= MOST_IDENTITY_SECRETS {
            return Err(Error::Conflict(
                "there are two identity secrets already; delete the one that is not used any more",
            ));
        }
        let new = NewKey::make(tx.next_id(Kind::Key, KeyId)?, IDENTITY_SECRET_PREFIX, tx.now());
        let sealed = vault.encrypt(&new.secret, &place(site, new.key.id))?;
        store::insert_identity_secret(tx, site, sealed, &new.key)?;
        events::effect(tx, Effect::SiteChanged(site));
        audit::record(tx, &by, Action::IdentitySecretMade, Some(site), &new.key.ending())?;
        super::changed(tx, site)?;
        Ok(new)
    };
    store.write(act).await
}

/// Deletes a secret: what it signed is refused from now on, and who was let in by it must sign anew.
///
/// # Errors
/// `NotFound`.
pub async fn delete_identity_secret(store: &Store, by: &By, site: SiteId, secret: KeyId) -> Result<()> {
    let by = by.clone();
    let act = move |tx: &mut Tx| {
        if !store::delete_identity_secret(tx, site, secret)? {
            return Err(Error::NotFound);
        }
        events::effect(tx, Effect::PolicyChanged(site));
        audit::record(tx, &by, Action::IdentitySecretDeleted, Some(site), &format!("number {secret}"))?;
        super::changed(tx, site)
    };
    store.write(act).await
}

/// The secrets that may have signed an identity now. Whole, prefix included, they are the HMAC key.
///
/// # Errors
/// When none of those that are kept can be unsealed.
pub async fn identity_secrets(store: &Store, vault: &Vault, site: SiteId) -> Result<Vec<(KeyId, Secret)>> {
    let mut secrets = Vec::new();
    let mut failure = None;
    for (id, sealed) in store::sealed(store, site).await? {
        match vault.decrypt(&sealed, &place(site, id)) {
            Ok(secret) => secrets.push((id, secret)),
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(error) if secrets.is_empty() => Err(error),
        _ => Ok(secrets),
    }
}

fn place(site: SiteId, secret: KeyId) -> String {
    format!("identity secret {secret} of site {site}")
}
