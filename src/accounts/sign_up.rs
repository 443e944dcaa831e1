//! Making an account: by a stranger where that is open, or by the machine's operator.

use std::time::Instant;

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::storage::{Kind, Tx};
use crate::text;

use super::{Account, Accounts, NAME_GRAPHEMES, Place, SignedIn, email, session, store};

/// Accounts an hour from one network.
const SIGN_UPS_PER_HOUR: usize = 100;

/// Who wants an account.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Address to sign in with.
    pub email: String,
    /// Password in clear, to be hashed.
    pub password: String,
    /// Shown to visitors; absent: the address up to the `@`.
    pub name: Option<String>,
}

/// Makes an account and signs its owner in. `add_more` adds what belongs to the account, in the same transaction. Who may
/// sign up is for the caller to decide.
///
/// # Errors
/// `TooManyRequests`, `EmailTaken`, `WeakPassword`, a field that is refused.
pub async fn sign_up(
    accounts: &Accounts,
    new: NewAccount,
    place: Place,
    mut add_more: impl FnMut(&mut Tx, &Account) -> Result<()> + Send + 'static,
) -> Result<SignedIn> {
    let checked = check(new)?;
    let taken = accounts.attempts.sign_ups.take_for_network(place.network, SIGN_UPS_PER_HOUR, Instant::now());
    taken.map_err(|retry_after_s| Error::TooManyRequests { retry_after_s })?;
    let hash = accounts.passwords.hash(&checked.password, &[&checked.email, &checked.name]).await?;
    let act = move |tx: &mut Tx| {
        let account = insert(tx, &checked, &hash)?;
        audit::record(tx, &By::at(account.id, &place.address), Action::AccountMade, None, &account.email)?;
        add_more(tx, &account)?;
        session::begin(tx, account, &place)
    };
    accounts.store.write(act).await
}

/// Makes an account on the word of the machine's operator, also where sign-up is closed. `add_more` as in [`sign_up`].
///
/// # Errors
/// `EmailTaken`, `WeakPassword`, a field that is refused.
pub async fn add_account(
    accounts: &Accounts,
    new: NewAccount,
    mut add_more: impl FnMut(&mut Tx, &Account) -> Result<()> + Send + 'static,
) -> Result<Account> {
    let checked = check(new)?;
    let hash = accounts.passwords.hash(&checked.password, &[&checked.email, &checked.name]).await?;
    let act = move |tx: &mut Tx| {
        let account = insert(tx, &checked, &hash)?;
        audit::record(tx, &By::on_machine(account.id), Action::AccountMade, None, &account.email)?;
        add_more(tx, &account)?;
        Ok(account)
    };
    accounts.store.write(act).await
}

/// The account of an address.
///
/// # Errors
/// `NotFound`.
pub async fn find_account(accounts: &Accounts, email: &str) -> Result<Account> {
    store::by_email(&accounts.store, &email::normalise(email)?).await?.ok_or(Error::NotFound)
}

/// The account of this number.
///
/// # Errors
/// `NotFound`.
pub async fn find_account_by_id(accounts: &Accounts, account: AccountId) -> Result<Account> {
    store::by_id(&accounts.store, account).await?.ok_or(Error::NotFound)
}

struct Checked {
    email: String,
    name: String,
    password: String,
}

fn check(new: NewAccount) -> Result<Checked> {
    let email = email::normalise(&new.email)?;
    let name = match new.name.filter(|name| !name.trim().is_empty()) {
        Some(asked) => name(&asked)?,
        None => text::cut(email.split('@').next().unwrap_or_default(), NAME_GRAPHEMES),
    };
    Ok(Checked { email, name, password: new.password })
}

/// A person's name as it is kept.
pub(super) fn name(asked: &str) -> Result<String> {
    let name = text::line(asked);
    match text::graphemes(&name) {
        0 => Err(Error::invalid("name", "a name is needed; visitors see it")),
        1..=NAME_GRAPHEMES => Ok(name),
        _ => Err(Error::invalid("name", format!("at most {NAME_GRAPHEMES} characters"))),
    }
}

fn insert(tx: &mut Tx, checked: &Checked, password_hash: &str) -> Result<Account> {
    let id = tx.next_id(Kind::Account, AccountId)?;
    let account =
        Account { id, email: checked.email.clone(), name: checked.name.clone(), photo: None, created_at: tx.now() };
    store::insert(tx, &account, password_hash)?;
    Ok(account)
}
