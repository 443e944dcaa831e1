//! A second factor: beside the password, a code from a device. Ten codes on paper help when the device is lost.

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::{AccountId, SessionId};
use crate::secret::{Secret, digest};
use crate::storage::Tx;
use crate::vault::Vault;

use super::attempts::{Source, code_attempt};
use super::change_password::confirm;
use super::store::{self, SecondFactor};
use super::{Account, Accounts, session, totp};

/// Codes made at once.
const RECOVERY_CODES: usize = 10;
/// Random bytes of one: 80 bits, beyond guessing even for who holds the hashes.
const RECOVERY_BYTES: usize = 10;

/// What an authenticator app needs; shown once.
pub struct Enrolment {
    /// Base32, to be typed.
    pub secret: Secret,
    /// The same as a link that phones understand.
    pub url: Secret,
}

/// How an account is protected.
pub struct Protection {
    /// Is a code asked for?
    pub enabled: bool,
    /// Recovery codes that are left.
    pub recovery_codes_left: i64,
}

/// Is there a second factor?
///
/// # Errors
/// When the database fails.
pub async fn protection(accounts: &Accounts, account: AccountId) -> Result<Protection> {
    let enabled = store::second_factor(&accounts.store, account).await?.is_some_and(|factor| factor.enabled);
    Ok(Protection { enabled, recovery_codes_left: store::recovery_codes_left(&accounts.store, account).await? })
}

/// Makes a secret for the owner's device. Nothing changes at sign-in until a code has shown that it arrived.
///
/// # Errors
/// `WrongPassword`, `TooManyRequests`; `Conflict` when a second factor is on.
pub async fn begin_second_factor(accounts: &Accounts, account: &Account, password: &str) -> Result<Enrolment> {
    confirm(accounts, account, password).await?;
    let mut bytes = [0; totp::SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| Error::Internal("no random bytes".into()))?;
    let secret = Secret::new(totp::to_base32(&bytes));
    let sealed = accounts.vault.encrypt(&secret, &place(account.id))?;
    let owner = account.id;
    let act = move |tx: &mut Tx| {
        if store::second_factor_in(tx, owner)?.is_some_and(|factor| factor.enabled) {
            return Err(Error::Conflict("the second factor is on already; turn it off first"));
        }
        store::put_second_factor(tx, owner, sealed.clone())
    };
    accounts.store.write(act).await?;
    let label = url_part(&account.email);
    let url = format!("otpauth://totp/OCS:{label}?secret={}&issuer=OCS", secret.expose());
    Ok(Enrolment { secret, url: Secret::new(url) })
}

/// Turns it on with a first code, and makes the recovery codes. Whoever signed in with the password alone is out.
///
/// # Errors
/// `WrongCode`, `TooManyRequests`; `Conflict` when there is nothing to confirm.
pub async fn confirm_second_factor(
    accounts: &Accounts,
    by: &By,
    account: &Account,
    kept: SessionId,
    code: &str,
) -> Result<Vec<Secret>> {
    let attempt = code_attempt(&accounts.attempts, &account.email, Source::Session)?;
    let (vault, by, account, code) = (accounts.vault.clone(), by.clone(), account.id, code.to_owned());
    let act = move |tx: &mut Tx| {
        let factor = store::second_factor_in(tx, account)?.filter(|factor| !factor.enabled);
        let factor = factor.ok_or(Error::Conflict("there is no second factor to confirm; begin anew"))?;
        let step = matching_step(&vault, tx, account, &factor, &code)?.ok_or(Error::WrongCode)?;
        store::enable_second_factor(tx, account, step)?;
        let codes = new_codes(tx, account)?;
        session::end_others(tx, account, kept)?;
        audit::record(tx, &by, Action::SecondFactorOn, None, "")?;
        Ok(codes)
    };
    let codes = accounts.store.write(act).await?;
    attempt.succeeded();
    Ok(codes)
}

/// Replaces the recovery codes: those on the old paper are over, and so are the account's other sessions.
///
/// # Errors
/// `WrongPassword`, `WrongCode`, `TooManyRequests`.
pub async fn renew_recovery_codes(
    accounts: &Accounts,
    by: &By,
    account: &Account,
    kept: SessionId,
    (password, code): (&str, &str),
) -> Result<Vec<Secret>> {
    confirm(accounts, account, password).await?;
    let attempt = code_attempt(&accounts.attempts, &account.email, Source::Session)?;
    let (writer, account) = (by.clone(), account.id);
    let act = move |tx: &mut Tx| {
        let codes = new_codes(tx, account)?;
        session::end_others(tx, account, kept)?;
        audit::record(tx, &writer, Action::RecoveryCodesMade, None, "")?;
        Ok(codes)
    };
    let codes = write(accounts, by, account, Some(code), act).await?;
    attempt.succeeded();
    Ok(codes)
}

/// Turns it off: with the password and a code, so that neither a borrowed browser nor a stolen phone can. The account's
/// other sessions end.
///
/// # Errors
/// `WrongPassword`, `WrongCode`, `TooManyRequests`.
pub async fn end_second_factor(
    accounts: &Accounts,
    by: &By,
    account: &Account,
    kept: SessionId,
    (password, code): (&str, &str),
) -> Result<()> {
    confirm(accounts, account, password).await?;
    let attempt = code_attempt(&accounts.attempts, &account.email, Source::Session)?;
    let (writer, account) = (by.clone(), account.id);
    let act = move |tx: &mut Tx| {
        store::remove_second_factor(tx, account)?;
        session::end_others(tx, account, kept)?;
        audit::record(tx, &writer, Action::SecondFactorOff, None, "")
    };
    write(accounts, by, account, Some(code), act).await?;
    attempt.succeeded();
    Ok(())
}

/// Turns it off on the word of the machine's operator, for an owner who lost device and paper. All sessions stay.
///
/// # Errors
/// `NotFound` when there is none.
pub async fn remove_second_factor(accounts: &Accounts, account: AccountId) -> Result<()> {
    let act = move |tx: &mut Tx| {
        if !store::remove_second_factor(tx, account)? {
            return Err(Error::NotFound);
        }
        audit::record(tx, &By::on_machine(account), Action::SecondFactorOff, None, "")
    };
    accounts.store.write(act).await
}

/// Runs `act` in a write transaction for somebody whose account has no second factor, or who shows a code of it; the code is
/// used up with the same commit. A wrong code is recorded in the audit log, and nothing else happens: whoever tried it knows
/// the password.
///
/// # Errors
/// `SecondFactorRequired`, `WrongCode`; what `act` returns.
pub(super) async fn write<T: Send + 'static>(
    accounts: &Accounts,
    by: &By,
    account: AccountId,
    code: Option<&str>,
    mut act: impl FnMut(&mut Tx) -> Result<T> + Send + 'static,
) -> Result<T> {
    // What is shown of one's own account is no affair of the workspace in which it was asked for.
    let (vault, by, code) = (accounts.vault.clone(), by.clone().in_no_workspace(), code.map(str::to_owned));
    let body = move |tx: &mut Tx| match use_code(&vault, tx, &by, account, code.as_deref()) {
        Ok(()) => act(tx).map(Ok),
        Err(Error::WrongCode) => {
            audit::record(tx, &by, Action::SecondFactorFailed, None, "")?;
            Ok(Err(Error::WrongCode))
        }
        Err(error) => Err(error),
    };
    accounts.store.write(body).await?
}

/// A recovery code may stand in the place of the device's.
fn use_code(vault: &Vault, tx: &mut Tx, by: &By, account: AccountId, code: Option<&str>) -> Result<()> {
    let Some(factor) = store::second_factor_in(tx, account)?.filter(|factor| factor.enabled) else {
        return Ok(());
    };
    let code = code.map(str::trim).filter(|code| !code.is_empty()).ok_or(Error::SecondFactorRequired)?;
    // First, because it needs no master key, which may be lost as well.
    if store::use_recovery_code(tx, account, recovery_hash(account, code))? {
        return audit::record(tx, by, Action::RecoveryCodeUsed, None, "");
    }
    if let Some(step) = matching_step(vault, tx, account, &factor, code)? {
        return store::used_step(tx, account, step);
    }
    Err(Error::WrongCode)
}

fn matching_step(vault: &Vault, tx: &Tx, account: AccountId, factor: &SecondFactor, code: &str) -> Result<Option<i64>> {
    let secret = vault.decrypt(&factor.sealed, &place(account))?;
    let bytes = totp::from_base32(secret.expose()).ok_or_else(|| Error::Internal("a broken TOTP secret".into()))?;
    Ok(totp::step_of(&bytes, code, tx.now(), factor.last_step))
}

fn new_codes(tx: &mut Tx, account: AccountId) -> Result<Vec<Secret>> {
    store::remove_recovery_codes(tx, account)?;
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let mut bytes = [0; RECOVERY_BYTES];
        getrandom::fill(&mut bytes).map_err(|_| Error::Internal("no random bytes".into()))?;
        let letters = totp::to_base32(&bytes).to_lowercase();
        store::insert_recovery_code(tx, account, recovery_hash(account, &letters))?;
        codes.push(Secret::new(in_groups(&letters)));
    }
    Ok(codes)
}

/// Typed by hand: case, spaces and dashes do not matter.
fn recovery_hash(account: AccountId, code: &str) -> [u8; 32] {
    let letters: String = code.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    digest(&format!("recovery code of account {account}: {}", letters.to_lowercase()))
}

fn in_groups(letters: &str) -> String {
    let groups: Vec<&str> = (0..letters.len()).step_by(4).map(|at| &letters[at..letters.len().min(at + 4)]).collect();
    groups.join("-")
}

fn url_part(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

fn place(account: AccountId) -> String {
    format!("second factor of account {account}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_is_read_as_people_type_it() {
        let hash = recovery_hash(AccountId(1), "abcd-efgh-ijkl-mnop");
        assert_eq!(hash, recovery_hash(AccountId(1), " ABCD EFGH ijklmnop "));
        assert_ne!(hash, recovery_hash(AccountId(2), "abcd-efgh-ijkl-mnop"), "a code is its account's alone");
        assert_eq!(in_groups("abcdefghijklmnop"), "abcd-efgh-ijkl-mnop");
        assert_eq!(url_part("o+x@shop.example"), "o%2Bx%40shop.example");
    }
}
