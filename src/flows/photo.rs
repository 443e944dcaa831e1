//! The picture of a person, which colleagues see. It is cleaned and kept like the logo of a site.

use bytes::Bytes;

use crate::accounts::{self, Account, Accounts};
use crate::error::{Error, Result};
use crate::fair_limit::Tenant;
use crate::id::AccountId;
use crate::images::{self, Images};
use crate::storage::Tx;

/// Cleans a picture and shows it from now on.
///
/// # Errors
/// A picture that cannot be used; `NotFound`.
pub async fn set_photo(accounts: &Accounts, images: &Images, account: AccountId, bytes: Bytes) -> Result<Account> {
    let name = images::store_logo(images, Tenant::Account(account), bytes).await?;
    replace(accounts, account, Some(name)).await
}

/// Shows initials again.
///
/// # Errors
/// `NotFound`.
pub async fn remove_photo(accounts: &Accounts, account: AccountId) -> Result<Account> {
    replace(accounts, account, None).await
}

async fn replace(accounts: &Accounts, account: AccountId, name: Option<String>) -> Result<Account> {
    accounts.store.write(move |tx| replace_in(tx, account, name.as_deref())).await?;
    accounts::find_account_by_id(accounts, account).await
}

/// The same, in a transaction.
pub(super) fn replace_in(tx: &mut Tx, account: AccountId, name: Option<&str>) -> Result<()> {
    let before = accounts::store::replace_photo(tx, account, name)?.ok_or(Error::NotFound)?;
    before.as_deref().map_or(Ok(()), |before| images::remove_logo(tx, before))
}
