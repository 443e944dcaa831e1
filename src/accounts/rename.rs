//! Another name, which visitors see beside the answers.

use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::storage::Tx;

use super::{Account, Accounts, sign_up, store};

/// Changes the name.
///
/// # Errors
/// A name that is empty or too long.
pub async fn rename(accounts: &Accounts, account: AccountId, name: &str) -> Result<Account> {
    let name = sign_up::name(name)?;
    let act = move |tx: &mut Tx| {
        let renamed = store::set_name(tx, account, &name)?;
        if renamed { Ok(()) } else { Err(Error::NotFound) }
    };
    accounts.store.write(act).await?;
    store::by_id(&accounts.store, account).await?.ok_or(Error::NotFound)
}
