//! Random secrets, and their hashes for storage.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// URL-safe base64 of `bytes` random bytes. 16 bytes cannot be guessed; credentials have 32.
///
/// # Panics
/// When the operating system has no random source: nothing safe can be done then.
pub fn random_text(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    getrandom::fill(&mut buffer).expect("the operating system provides random bytes");
    URL_SAFE_NO_PAD.encode(buffer)
}

/// The SHA-256 of a credential, as stored. Credentials are random, so neither salt nor key stretching is needed.
pub fn digest(credential: &str) -> [u8; 32] {
    Sha256::digest(credential.as_bytes()).into()
}

/// A secret in memory. `Debug` hides it, so that it never reaches a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps it.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself. Call it only where the secret is used.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
