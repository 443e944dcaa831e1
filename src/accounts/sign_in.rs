//! Showing who one is: with a password, and with a code where the account asks for one.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::secret::digest;
use crate::storage::Tx;

use super::attempts::{Attempt, Source, attempt, code_attempt};
use super::{Accounts, Place, SignedIn, email, second_factor, session, store};

/// What somebody typed.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Address.
    pub email: String,
    /// Password.
    pub password: String,
    /// Code of the second factor.
    pub code: Option<String>,
}

/// Begins a session. The token that the browser showed before, if any, is over: a planted one is never promoted.
///
/// # Errors
/// `WrongCredentials`, alike and after the same work for unknown addresses; `TooManyRequests`; with the right password,
/// `SecondFactorRequired` and `WrongCode`.
pub async fn sign_in(accounts: &Accounts, typed: Credentials, place: Place, before: Option<&str>) -> Result<SignedIn> {
    let Ok(email) = email::normalise(&typed.email) else {
        accounts.passwords.check(&typed.password, None).await?;
        return Err(Error::WrongCredentials);
    };
    let account = store::by_email(&accounts.store, &email).await?;
    let source = match &account {
        Some(account) if store::is_known_place(&accounts.store, account.id, &place.address).await? => {
            Source::KnownPlace(place.network)
        }
        _ => Source::Elsewhere(place.network),
    };
    let attempt = attempt(&accounts.attempts, &email, source)?;
    let stored = match &account {
        Some(account) => store::password(&accounts.store, account.id).await?,
        None => None,
    };
    if !accounts.passwords.check(&typed.password, stored.as_deref()).await? {
        return Err(Error::WrongCredentials);
    }
    attempt.succeeded();
    let account = account.ok_or(Error::WrongCredentials)?;
    let by = By::at(account.id, &place.address);
    let code = typed.code.as_deref().filter(|code| !code.trim().is_empty());
    let code_attempt = code.map(|_| code_attempt(&accounts.attempts, &email, source)).transpose()?;
    let old = match before {
        Some(token) => store::session(&accounts.store, digest(token), session::alive(accounts.store.now())).await?,
        None => None,
    };
    let (writer, owner) = (by.clone(), account.id);
    let act = move |tx: &mut Tx| {
        if store::password_in(tx, account.id)? != stored {
            // Changed while this one was being checked: all sessions of the old password are over, this one too.
            return Err(Error::WrongCredentials);
        }
        if let Some(old) = &old
            && store::end_session(tx, old.account_id, old.id)?
        {
            session::tell_ended(tx, vec![old.id]);
        }
        audit::record(tx, &writer, Action::SignedIn, None, &place.browser)?;
        session::begin(tx, account.clone(), &place)
    };
    let signed_in = second_factor::write(accounts, &by, owner, code, act).await?;
    code_attempt.into_iter().for_each(Attempt::succeeded);
    Ok(signed_in)
}
