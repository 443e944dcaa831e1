//! Leaving for good: the account goes, and its sites with all that was said on them.

use crate::app::App;
use crate::audit::{self, Action, By};
use crate::error::Result;
use crate::events::{self, Effect};
use crate::sites;
use crate::storage::Tx;

use super::attempts::{Attempt, Source, code_attempt};
use super::change_password::confirm;
use super::{Account, second_factor, store};

/// Deletes an account whose owner shows the password once more, and a code where there is a second factor. Everything
/// happens, or nothing.
///
/// # Errors
/// `WrongCredentials`, `SecondFactorRequired`, `WrongCode`, `TooManyRequests`.
pub async fn delete(app: &App, by: &By, account: &Account, password: &str, code: Option<&str>) -> Result<()> {
    confirm(app, account, password).await?;
    let attempt = code.map(|_| code_attempt(app, &account.email, Source::Session)).transpose()?;
    let (writer, account) = (by.clone(), account.id);
    let act = move |tx: &mut Tx| {
        sites::delete_all_of(tx, &writer, account)?;
        store::delete(tx, account)?;
        events::effect(tx, Effect::AccountEnded(account));
        audit::record(tx, &writer, Action::AccountDeleted, None, "")
    };
    second_factor::write(app, by, account, code, act).await?;
    attempt.into_iter().for_each(Attempt::succeeded);
    Ok(())
}
