//! Encryption of secrets that must be read back (unlike passwords). The master key is a file beside the database and
//! not in it, so that a stolen copy of the database decrypts nothing.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf;

use crate::error::{Error, Result};
use crate::secret::{Secret, digest, random_text};

/// First byte of a ciphertext: the version of its format.
const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
/// Different bytes that a key has at least.
const MIN_DIFFERENT_BYTES: usize = 16;
const KEY_ID_BYTES: usize = 8;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_LEN;

/// Why the master key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The file cannot be read or created.
    #[error("the master key {0} cannot be used: {1}")]
    File(String, io::Error),
    /// Not 32 bytes in URL-safe base64.
    #[error(
        "{0} does not hold a master key (43 characters of URL-safe base64); restore the right one from your backup"
    )]
    Unreadable(String),
}

/// AES-256-GCM under the master key.
pub struct Vault {
    key: LessSafeKey,
    /// What further keys are derived from (RFC 5869).
    root: hkdf::Prk,
    id: [u8; KEY_ID_BYTES],
}

impl Vault {
    /// Reads the key from `file`, creating it on the first start; `setting` takes precedence over the file.
    ///
    /// # Errors
    /// The key cannot be read or created.
    pub fn open(file: &Path, setting: Option<&Secret>) -> std::result::Result<Vault, VaultError> {
        if let Some(secret) = setting {
            return Vault::from_text(secret.expose())
                .ok_or_else(|| VaultError::Unreadable("the setting `master_key`".into()));
        }
        let name = file.display().to_string();
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(file).map_err(|error| VaultError::File(name.clone(), error))?
            }
            Err(error) => return Err(VaultError::File(name, error)),
        };
        Vault::from_text(text.trim()).ok_or(VaultError::Unreadable(name))
    }

    /// Whether the text can be a master key: 32 random bytes as 43 characters of URL-safe base64. Fewer than 16 different
    /// bytes mean that it was typed or repeated: among random keys it is about one in 10^15.
    pub fn is_key(text: &str) -> bool {
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        Vault::from_text(text).is_some() && bytes.iter().collect::<HashSet<_>>().len() >= MIN_DIFFERENT_BYTES
    }

    fn from_text(text: &str) -> Option<Vault> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == KEY_BYTES)?;
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&digest(&format!("ocs master key id {text}"))[..KEY_ID_BYTES]);
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"ocs").extract(&bytes);
        Some(Vault { key: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).ok()?), root, id })
    }

    /// A key of its own for one purpose, derived from the master key: AES-256-GCM.
    ///
    /// # Panics
    /// Never: the length of a key is one that can be derived.
    pub fn cipher_for(&self, purpose: &str) -> LessSafeKey {
        let derived = self.root.expand(&[purpose.as_bytes()], &AES_256_GCM).map(UnboundKey::from).map(LessSafeKey::new);
        derived.expect("32 bytes can be derived")
    }

    /// Encrypts `plain`. The `context` is authenticated: a ciphertext decrypts in its own context only.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn encrypt(&self, plain: &Secret, context: &str) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| Error::Internal("no random bytes".into()))?;
        let mut text = plain.expose().as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut text)
            .map_err(|_| Error::Internal("sealing failed".into()))?;
        Ok([&[VERSION][..], &self.id, &nonce, &text].concat())
    }

    /// Decrypts the output of [`Vault::encrypt`] with the same context.
    ///
    /// # Errors
    /// `Internal` when it was encrypted under another key or for another context, or was modified.
    pub fn decrypt(&self, encrypted: &[u8], context: &str) -> Result<Secret> {
        let broken = || Error::Internal(format!("{context} cannot be decrypted: it was changed"));
        let (head, body) = encrypted.split_at_checked(HEADER_BYTES).ok_or_else(broken)?;
        if head[0] != VERSION || head[1..=KEY_ID_BYTES] != self.id {
            return Err(Error::Internal(format!(
                "{context} was encrypted under another master key; put that key back"
            )));
        }
        let nonce = Nonce::try_assume_unique_for_key(&head[1 + KEY_ID_BYTES..]).map_err(|_| broken())?;
        let mut text = body.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(context), &mut text).map_err(|_| broken())?;
        String::from_utf8(plain.to_vec()).map(Secret::new).map_err(|_| broken())
    }
}

/// Creates the key file atomically, readable by its owner alone.
fn create(file: &Path) -> io::Result<String> {
    let text = random_text(KEY_BYTES);
    let partial = file.with_extension("key.partial");
    let _ = fs::remove_file(&partial);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&partial)?;
    writeln!(out, "{text}")?;
    out.sync_all()?;
    fs::rename(&partial, file)?;
    if let Some(folder) = file.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_vault() -> Vault {
        Vault::from_text(&random_text(KEY_BYTES)).expect("32 bytes")
    }

    #[test]
    fn only_the_same_key_and_context_decrypt() {
        let (vault, secret) = (new_vault(), Secret::new("ids_abc"));
        let encrypted = vault.encrypt(&secret, "site 1").expect("encrypts");
        assert_eq!(vault.decrypt(&encrypted, "site 1").expect("decrypts"), secret);
        assert!(vault.decrypt(&encrypted, "site 2").is_err());
        assert!(new_vault().decrypt(&encrypted, "site 1").is_err());
        let mut changed = encrypted.clone();
        *changed.last_mut().expect("not empty") ^= 1;
        assert!(vault.decrypt(&changed, "site 1").is_err());
        assert!(vault.decrypt(&encrypted[..10], "site 1").is_err());
    }
}
