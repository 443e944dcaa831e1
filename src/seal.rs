//! Secrets that must be read back (unlike passwords) are kept sealed under the master key, which lies beside the
//! database and not in it: a stolen copy of the database opens none of them.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::error::{Error, Result};
use crate::secret::{Secret, digest, random_text};

/// First byte of everything sealed, so that the form can change.
const FORM: u8 = 1;
const KEY_BYTES: usize = 32;
const KEY_ID_BYTES: usize = 8;
const HEAD_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_LEN;

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file cannot be read or made.
    #[error("the master key {0} cannot be used: {1}")]
    File(String, io::Error),
    /// Not 32 bytes in URL-safe base64.
    #[error(
        "{0} does not hold a master key (43 characters of URL-safe base64); restore the right one from your backup"
    )]
    Unreadable(String),
}

/// The master key in use.
pub struct Seal {
    key: LessSafeKey,
    id: [u8; KEY_ID_BYTES],
}

impl Seal {
    /// Reads the key from `file`, making it on the first start; `given` (the setting) goes before the file.
    ///
    /// # Errors
    /// When the key cannot be read or made.
    pub fn open(file: &Path, given: Option<&Secret>) -> std::result::Result<Seal, SealError> {
        if let Some(secret) = given {
            return Seal::from_text(secret.expose())
                .ok_or_else(|| SealError::Unreadable("the setting `master_key`".into()));
        }
        let name = file.display().to_string();
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(file).map_err(|error| SealError::File(name.clone(), error))?
            }
            Err(error) => return Err(SealError::File(name, error)),
        };
        Seal::from_text(text.trim()).ok_or(SealError::Unreadable(name))
    }

    /// Is this the text of a master key: 32 bytes as 43 characters of URL-safe base64?
    pub fn is_key(text: &str) -> bool {
        Seal::from_text(text).is_some()
    }

    fn from_text(text: &str) -> Option<Seal> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == KEY_BYTES)?;
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&digest(&format!("ocs master key id {text}"))[..KEY_ID_BYTES]);
        Some(Seal { key: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).ok()?), id })
    }

    /// Seals `plain` for one place: what is sealed for another cannot be put there.
    ///
    /// # Errors
    /// When the machine has no random bytes.
    pub fn close(&self, plain: &Secret, place: &str) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| Error::Internal("no random bytes".into()))?;
        let mut text = plain.expose().as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut text)
            .map_err(|_| Error::Internal("sealing failed".into()))?;
        Ok([&[FORM][..], &self.id, &nonce, &text].concat())
    }

    /// Opens what [`Seal::close`] sealed for the same place.
    ///
    /// # Errors
    /// When it was sealed under another key or for another place, or was changed.
    pub fn open_sealed(&self, sealed: &[u8], place: &str) -> Result<Secret> {
        let broken = || Error::Internal(format!("{place} cannot be unsealed: it was changed"));
        let (head, body) = sealed.split_at_checked(HEAD_BYTES).ok_or_else(broken)?;
        if head[0] != FORM || head[1..=KEY_ID_BYTES] != self.id {
            return Err(Error::Internal(format!("{place} was sealed under another master key; put that key back")));
        }
        let nonce = Nonce::try_assume_unique_for_key(&head[1 + KEY_ID_BYTES..]).map_err(|_| broken())?;
        let mut text = body.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(place), &mut text).map_err(|_| broken())?;
        String::from_utf8(plain.to_vec()).map(Secret::new).map_err(|_| broken())
    }
}

/// Makes the key file: complete and readable by its owner alone, or not there at all.
fn make(file: &Path) -> io::Result<String> {
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

    fn seal() -> Seal {
        Seal::from_text(&random_text(KEY_BYTES)).expect("32 bytes")
    }

    #[test]
    fn only_the_same_key_and_place_open_it() {
        let (ours, secret) = (seal(), Secret::new("ids_abc"));
        let sealed = ours.close(&secret, "site 1").expect("seals");
        assert_eq!(ours.open_sealed(&sealed, "site 1").expect("opens"), secret);
        assert!(ours.open_sealed(&sealed, "site 2").is_err());
        assert!(seal().open_sealed(&sealed, "site 1").is_err());
        let mut changed = sealed.clone();
        *changed.last_mut().expect("not empty") ^= 1;
        assert!(ours.open_sealed(&changed, "site 1").is_err());
        assert!(ours.open_sealed(&sealed[..10], "site 1").is_err());
    }
}
