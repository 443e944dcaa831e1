//! Passwords: Argon2id, few at a time, and as much work for an account that does not exist.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::Semaphore;

use crate::cpu_pool;
use crate::error::{Error, Result};

use super::weak::is_weak;

/// Characters a password may have. The cap keeps long ones from costing more than the hash.
const LENGTH: std::ops::RangeInclusive<usize> = 10..=256;
/// Memory of one hash in KiB, passes, lanes: the OWASP minimum for Argon2id, about 25 ms on a small machine.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes at once. More would take the processor from the chat.
const AT_ONCE: usize = 2;
/// A sign-in that has waited so long for its turn is told to come back.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Makes and checks password hashes.
pub struct Passwords {
    gate: Arc<Semaphore>,
    /// The hash that is checked where there is no account.
    nobody: OnceLock<String>,
}

impl Default for Passwords {
    fn default() -> Passwords {
        Passwords { gate: Arc::new(Semaphore::new(AT_ONCE)), nobody: OnceLock::new() }
    }
}

impl Passwords {
    /// Hashes a new password. `about` is what is known of its owner, which it must not be.
    ///
    /// # Errors
    /// `WeakPassword`; `Unavailable` when too many wait.
    pub async fn hash(&self, password: &str, about: &[&str]) -> Result<String> {
        if !LENGTH.contains(&password.chars().count()) || is_weak(password, about) {
            return Err(Error::WeakPassword);
        }
        let password = password.to_owned();
        self.work(move || hash(&password)).await?
    }

    /// Is this the password behind `stored`? `None`: there is no account, which takes as long.
    ///
    /// # Errors
    /// `Unavailable` when too many wait.
    pub async fn check(&self, password: &str, stored: Option<&str>) -> Result<bool> {
        // Too long to be one: hashed all the same, cut to size.
        let possible = password.chars().count() <= *LENGTH.end();
        let password: String = password.chars().take(*LENGTH.end()).collect();
        let known = stored.is_some();
        let against = match (stored, self.nobody.get()) {
            (Some(stored), _) => stored.to_owned(),
            (None, Some(nobody)) => nobody.clone(),
            (None, None) => {
                let made = self.work(|| hash("nobody's password")).await??;
                self.nobody.get_or_init(|| made).clone()
            }
        };
        let right = self.work(move || is_right(&password, &against)).await?;
        Ok(right && known && possible)
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let turn = tokio::time::timeout(LONGEST_WAIT, self.gate.clone().acquire_owned());
        let permit = turn.await.map_err(|_| Error::Unavailable)?.map_err(|_| Error::Unavailable)?;
        // The permit goes with the work: a caller that hangs up does not make room before the work is done.
        let done = cpu_pool::run(move || {
            let done = work();
            drop(permit);
            done
        });
        done.await.ok_or_else(|| Error::Internal("a password could not be worked on".into()))
    }
}

fn hash(password: &str) -> Result<String> {
    let internal = |error: &dyn std::fmt::Display| Error::Internal(error.to_string());
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| Error::Internal("no random bytes".into()))?;
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| internal(&error))?;
    let hashed = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(|error| internal(&error))?,
        salt: Some(Salt::new(&salt).map_err(|error| internal(&error))?),
        hash: Some(
            output(password, &salt, params).ok_or_else(|| Error::Internal("a password cannot be hashed".into()))?,
        ),
    };
    Ok(hashed.to_string())
}

fn is_right(password: &str, stored: &str) -> bool {
    let Ok(stored) = PasswordHash::new(stored) else { return false };
    let (Ok(params), Some(salt), Some(right)) = (Params::try_from(&stored), stored.salt, stored.hash) else {
        return false;
    };
    // Outputs are compared in constant time.
    output(password, &salt, params).is_some_and(|output| output == right)
}

fn output(password: &str, salt: &[u8], params: Params) -> Option<Output> {
    let mut memory = memory(params.block_count());
    let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut out, &mut memory).ok()?;
    Output::new(&out).ok()
}

/// Memory for one hash that goes back to the system afterwards. The C library keeps what is freed for later, for each thread,
/// unless it is larger than 32 MiB (mallopt(3), `M_MMAP_THRESHOLD`): so much is asked for, and only what is needed is touched.
fn memory(blocks: usize) -> Vec<Block> {
    const GIVEN_BACK: usize = 33 * 1024 * 1024;
    let mut memory = Vec::with_capacity(blocks.max(GIVEN_BACK / Block::SIZE));
    memory.resize(blocks, Block::new());
    memory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_passes() {
        let passwords = Passwords::default();
        let stored = passwords.hash("correct horse", &[]).await.expect("hashes");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.check("correct horse", Some(&stored)).await.expect("checks"));
        assert!(!passwords.check("correct horsf", Some(&stored)).await.expect("checks"));
        assert!(!passwords.check("nobody's password", None).await.expect("checks"));
    }

    #[tokio::test]
    async fn length_is_bounded() {
        let passwords = Passwords::default();
        assert!(matches!(passwords.hash("kX9#vLq2T", &[]).await, Err(Error::WeakPassword)));
        assert!(matches!(passwords.hash(&"kX9#vLq2Tzé".repeat(25), &[]).await, Err(Error::WeakPassword)));
        let longest = format!("{}kX9#vLq2Tz", "é".repeat(246));
        let stored = passwords.hash(&longest, &[]).await.expect("hashes");
        assert!(!passwords.check(&format!("{longest}x"), Some(&stored)).await.expect("checks"));
    }
}
