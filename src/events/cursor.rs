//! A client's position in the log of its workspace. Opaque to clients: they store it and send it back.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};

use crate::error::{Error, Result};
use crate::id::{ConversationId, SiteId, WorkspaceId};
use crate::vault::Vault;

/// Whose cursor it is. Another's is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A visitor's page.
    Page(SiteId),
    /// A script with a chat API key, and its list: all messages of the site, or those of one conversation. Who has read the one
    /// list has not read the other.
    Script(SiteId, Option<ConversationId>),
    /// A console.
    Console {
        /// The workspace that it shows.
        workspace: WorkspaceId,
        /// The member's version: with another one, what she may see has changed.
        version: i64,
        /// The member is limited to some sites.
        limited: bool,
    },
}

impl Holder {
    /// Whether the log has events of others that are none of its business. Its cursor is sealed, and moves only with its own
    /// events and when it connects: otherwise it would tell how busy the others are.
    pub fn is_sealed(self) -> bool {
        !matches!(self, Holder::Console { limited: false, .. })
    }

    fn context(self, epoch: &str) -> String {
        match self {
            Holder::Page(site) => format!("cursor {epoch} page {site}"),
            Holder::Script(site, None) => format!("cursor {epoch} script {site}"),
            Holder::Script(site, Some(conversation)) => format!("cursor {epoch} script {site} {conversation}"),
            Holder::Console { workspace, version, .. } => format!("cursor {epoch} console {workspace} {version}"),
        }
    }
}

/// Writes and reads cursors. Each begins with the epoch of the database; what follows is `workspace.version.n`, or the number
/// sealed with a random nonce, of which all have one length.
pub struct Cursors {
    epoch: Arc<str>,
    /// Of its own, because more cursors are sealed than one key may seal secrets (2^32). Should two nonces of cursors ever
    /// be the same, these two numbers can be compared, and nothing else is lost.
    cipher: LessSafeKey,
}

impl Cursors {
    /// For the database of this epoch.
    pub fn new(epoch: &str, vault: &Vault) -> Cursors {
        Cursors { epoch: epoch.into(), cipher: vault.cipher_for("cursors") }
    }

    /// The cursor of a holder who has received everything up to `n`. It consists of letters, digits, `-`, `_` and `.`.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn write(&self, holder: Holder, n: i64) -> Result<String> {
        let epoch = &self.epoch;
        if let Holder::Console { workspace, version, limited: false } = holder {
            return Ok(format!("{epoch}.{workspace}.{version}.{n}"));
        }
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| Error::Internal("no random bytes".into()))?;
        let mut number = n.to_be_bytes().to_vec();
        let context = holder.context(epoch);
        self.cipher
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut number)
            .map_err(|_| Error::Internal("sealing failed".into()))?;
        Ok(format!("{epoch}.{}", URL_SAFE_NO_PAD.encode([&nonce[..], &number].concat())))
    }

    /// Up to where the holder has received everything; `None` when the cursor is not this holder's, or of another epoch.
    pub fn read(&self, holder: Holder, cursor: &str) -> Option<i64> {
        let rest = cursor.strip_prefix(&*self.epoch)?.strip_prefix('.')?;
        if let Holder::Console { workspace, version, limited: false } = holder {
            let n = rest.strip_prefix(&format!("{workspace}.{version}."))?;
            return n.parse().ok().filter(|n| *n >= 0);
        }
        let sealed = URL_SAFE_NO_PAD.decode(rest).ok()?;
        let (nonce, number) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut number = number.to_vec();
        let number = self.cipher.open_in_place(nonce, Aad::from(holder.context(&self.epoch)), &mut number).ok()?;
        Some(i64::from_be_bytes(number.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{Secret, random_text};

    const FULL: Holder = Holder::Console { workspace: WorkspaceId(7), version: 2, limited: false };
    const LIMITED: Holder = Holder::Console { workspace: WorkspaceId(7), version: 2, limited: true };

    fn cursors() -> Cursors {
        let vault = Vault::open(std::path::Path::new("unused"), Some(&Secret::new(random_text(32)))).expect("a key");
        Cursors::new("life", &vault)
    }

    #[test]
    fn it_is_read_as_it_is_written_and_by_its_holder_alone() {
        let (cursors, other) = (cursors(), cursors());
        let newer = Holder::Console { workspace: WorkspaceId(7), version: 3, limited: true };
        let newer_full = Holder::Console { workspace: WorkspaceId(7), version: 3, limited: false };
        let elsewhere = Holder::Console { workspace: WorkspaceId(8), version: 2, limited: false };
        let all = [
            FULL,
            LIMITED,
            newer,
            newer_full,
            elsewhere,
            Holder::Page(SiteId(7)),
            Holder::Page(SiteId(8)),
            Holder::Script(SiteId(7), None),
            Holder::Script(SiteId(7), Some(ConversationId(7))),
            Holder::Script(SiteId(7), Some(ConversationId(8))),
        ];
        for holder in all {
            for n in [0, 1, 40, i64::MAX] {
                let text = cursors.write(holder, n).expect("random bytes");
                assert!(text.len() < 80 && text.starts_with("life."), "{text}");
                assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{text}");
                for reader in all {
                    assert_eq!(cursors.read(reader, &text), (reader == holder).then_some(n), "{reader:?} {text}");
                }
                assert!(!holder.is_sealed() || other.read(holder, &text).is_none(), "another key");
            }
        }
        for text in ["", "life", "life.", "life.7", "life.7.2", "life.7.2.", "life.7.2.-1", "life.7.2.x", "other.7.2.1"]
        {
            assert!(all.iter().all(|holder| cursors.read(*holder, text).is_none()), "{text:?}");
        }
    }

    /// Pages held a site and a number once, and consoles two numbers, or one for each of their sites.
    #[test]
    fn what_clients_held_before_is_not_read() {
        let cursors = cursors();
        for text in ["life.7-2", "life.7.2", "life.40.2", "life.1-4.2-9.3-1", "life.0.0"] {
            for holder in [FULL, LIMITED, Holder::Page(SiteId(7))] {
                assert!(cursors.read(holder, text).is_none(), "{text:?}");
            }
        }
    }

    #[test]
    fn a_sealed_one_says_nothing_of_the_number() {
        let cursors = cursors();
        for holder in [LIMITED, Holder::Page(SiteId(7))] {
            let texts: Vec<String> =
                [1, 1, 2, 1_000_000].map(|n| cursors.write(holder, n).expect("random bytes")).into();
            assert!(texts.iter().all(|text| text.len() == texts[0].len()), "{texts:?}");
            assert_ne!(texts[0], texts[1], "the same number twice looks like another");
        }
    }
}
