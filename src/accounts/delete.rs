//! Leaving for good: the account goes, and its sites with all that was said on them.

use crate::app::App;
use crate::audit::{self, Action, By};
use crate::error::Result;
use crate::sites;

use super::attempts::{Attempt, Source, code_attempt};
use super::change_password::confirm;
use super::{Account, account_ended, second_factor, store};

/// Deletes an account whose owner shows the password once more, and a code where there is a second factor. Everything
/// happens, or nothing.
///
/// # Errors
/// `WrongCredentials`, `SecondFactorRequired`, `WrongCode`, `TooManyRequests`.
pub async fn delete(app: &App, by: &By, account: &Account, password: &str, code: Option<&str>) -> Result<()> {
    confirm(app, account, password).await?;
    let attempt = code.map(|_| code_attempt(app, &account.email, Source::Session)).transpose()?;
    let mut tx = second_factor::pass(app, app.store.begin().await?, by, account.id, code).await?;
    attempt.into_iter().for_each(Attempt::succeeded);
    sites::delete_all_of(app, &mut tx, by, account.id).await?;
    store::delete(&mut tx, account.id).await?;
    audit::record(&mut tx, by, Action::AccountDeleted, None, "").await?;
    let (app, account) = (app.clone(), account.id);
    tx.after_commit(move || account_ended(&app, account));
    tx.commit().await
}
