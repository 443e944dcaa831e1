//! Another name, which visitors see beside the answers.

use crate::app::App;
use crate::error::{Error, Result};
use crate::id::AccountId;

use super::{Account, sign_up, store};

/// Changes the name.
///
/// # Errors
/// A name that is empty or too long.
pub async fn rename(app: &App, account: AccountId, name: &str) -> Result<Account> {
    let name = sign_up::name(name)?;
    let mut tx = app.store.begin().await?;
    if !store::set_name(&mut tx, account, &name).await? {
        return Err(Error::NotFound);
    }
    tx.commit().await?;
    store::by_id(&app.store, account).await?.ok_or(Error::NotFound)
}
