//! The built web files: embedded in release builds, read from `web/dist` in debug builds. They may be missing, so that
//! a checkout compiles and runs without Node.

use bytes::Bytes;
use rust_embed::Embed;

use crate::encoding::fingerprint;

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/web/dist"]
#[allow_missing = true]
struct Dist;

/// A file of the built web.
pub struct DistFile {
    /// Its content.
    pub bytes: Bytes,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
}

/// Finds a file by its path below `web/dist`.
pub fn file(path: &str) -> Option<DistFile> {
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) || path.contains('\\') {
        return None;
    }
    let found = Dist::get(path)?;
    let bytes = match found.data {
        std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Some(DistFile { bytes, sha256: found.metadata.sha256_hash() })
}

impl DistFile {
    /// The first half of the content's SHA-256 as text, which identifies the content.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.sha256)
    }
}
