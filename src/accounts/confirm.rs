//! Showing once more, in a session that is open already, that it is still oneself: with a code where the account has a second
//! factor, else with the password. Ten minutes after its sign-in or last
//! confirmation, a session that was stolen or left open makes no keys and deletes no sites.

use crate::audit::{self, Action, By};
use crate::clock::Millis;
use crate::error::{Confirmation, Error, Result};
use crate::id::{AccountId, SessionId};
use crate::storage::Tx;

use super::attempts::{Source, code_attempt};
use super::{Account, Accounts, change_password, second_factor, store};

/// Seconds for which a confirmation, or the sign-in itself, counts in its session: 10 minutes.
pub const CONFIRMED_S: i64 = 600;

/// Is this confirmation still good?
///
/// # Errors
/// `ConfirmationRequired` with what to show.
pub async fn check_confirmed(accounts: &Accounts, account: AccountId, confirmed_at: Millis) -> Result<()> {
    if accounts.store.now() < confirmed_at.plus_seconds(CONFIRMED_S) {
        return Ok(());
    }
    let coded = second_factor::protection(accounts, account).await?.enabled;
    Err(Error::ConfirmationRequired(if coded { Confirmation::Code } else { Confirmation::Password }))
}

/// What somebody shows to confirm a session.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The password, in clear.
    pub password: Option<&'a str>,
    /// A code of the second factor, or a recovery code.
    pub code: Option<&'a str>,
}

/// Confirms a session for the next minutes. Tries count as those of signing in do.
///
/// # Errors
/// `WrongPassword`, `WrongCode`, `TooManyRequests`; `ConfirmationRequired` where the wrong one of both was shown.
pub async fn confirm(
    accounts: &Accounts,
    by: &By,
    account: &Account,
    session: SessionId,
    shown: Evidence<'_>,
) -> Result<()> {
    let coded = second_factor::protection(accounts, account.id).await?.enabled;
    let (writer, owner) = (by.clone(), account.id);
    let act = move |tx: &mut Tx| {
        store::confirmed(tx, owner, session)?;
        audit::record(tx, &writer, Action::SessionConfirmed, None, "")
    };
    match (coded, shown.password, shown.code) {
        (true, _, Some(code)) => {
            let attempt = code_attempt(&accounts.attempts, &account.email, Source::Session)?;
            second_factor::write(accounts, by, owner, Some(code), act).await?;
            attempt.succeeded();
            Ok(())
        }
        (false, Some(password), _) => {
            change_password::confirm(accounts, account, password).await?;
            accounts.store.write(act).await
        }
        (true, _, None) => Err(Error::ConfirmationRequired(Confirmation::Code)),
        (false, None, _) => Err(Error::ConfirmationRequired(Confirmation::Password)),
    }
}
