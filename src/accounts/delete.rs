//! Leaving for good: the account goes, and its sites with all that was said on them.

use crate::app::App;
use crate::audit::{self, Action, By};
use crate::error::Result;
use crate::sites;

use super::change_password::confirm;
use super::{Account, account_ended, store};

/// Deletes an account whose owner shows the password once more. Everything happens, or nothing.
///
/// # Errors
/// `WrongCredentials`, `TooManyRequests`.
pub async fn delete(app: &App, by: &By, account: &Account, password: &str) -> Result<()> {
    confirm(app, account, password).await?;
    let mut tx = app.store.begin().await?;
    sites::delete_all_of(app, &mut tx, by, account.id).await?;
    store::delete(&mut tx, account.id).await?;
    audit::record(&mut tx, by, Action::AccountDeleted, None, "").await?;
    let (app, account) = (app.clone(), account.id);
    tx.after_commit(move || account_ended(&app, account));
    tx.commit().await
}
