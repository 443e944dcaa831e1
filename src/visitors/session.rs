//! A visitor's credential: 32 random bytes, stored as a hash, bound to its site.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{KeyId, SiteId, TokenId, VisitorId};
use crate::secret;
use crate::sites::{IdentityMode, Site};
use crate::storage::Store;

use super::{Proof, TOKEN_RENEWED_AFTER_S, store};

/// Maximum cached sessions. The cache saves an active visitor's look-up for each message.
const KEPT: usize = 20_000;

/// The session of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitorSession {
    /// The site for which it is valid.
    pub site_id: SiteId,
    /// The token's id.
    pub token_id: TokenId,
    /// The visitor.
    pub visitor_id: VisitorId,
    /// `visitor_…`
    pub public_id: String,
    /// The visitor's proof.
    pub proof: Proof,
    /// The identity secret that signed it, if signed. The session is valid as long as the site has that secret.
    pub signed_by: Option<KeyId>,
    /// When the token was created.
    pub created_at: Millis,
    /// When it expires.
    pub expires_at: Millis,
    /// The token in whose place it came, until it is shown for the first time.
    pub replaces: Option<TokenId>,
}

impl VisitorSession {
    /// The visitor, and the proof under which this session acts for it.
    pub fn identity(&self) -> (VisitorId, &Proof) {
        (self.visitor_id, &self.proof)
    }

    /// The proofs under which a site shows what this session says. Where everybody who names an id shares its history, that
    /// thread is shown with what was said last.
    pub fn shown_by(&self, mode: IdentityMode) -> Vec<&Proof> {
        let shared = (mode == IdentityMode::Shared && self.proof != Proof::Shared).then_some(&Proof::Shared);
        [Some(&self.proof), shared].into_iter().flatten().collect()
    }

    /// May this session of a site go on now, on a page of this origin? Judged on each use, by the site as it stands now.
    ///
    /// # Errors
    /// As [`Site::check_page`]; `InvalidToken` where the secret that signed it was deleted; `IdentityRequired` where it is
    /// not signed and must be.
    pub fn check(&self, site: &Site, origin: Option<&str>) -> Result<()> {
        site.check_page(origin)?;
        if !self.is_trusted_by(site) {
            return Err(Error::InvalidToken);
        }
        if site.identity_mode == IdentityMode::SignedOnly && self.proof != Proof::Signed {
            return Err(Error::IdentityRequired);
        }
        Ok(())
    }

    /// Whether it is unsigned, or signed with a secret that the site still has.
    pub fn is_trusted_by(&self, site: &Site) -> bool {
        self.proof != Proof::Signed || self.signed_by.is_some_and(|by| site.identity_secrets.contains(&by))
    }

    /// Whether its token must be renewed.
    pub(crate) fn is_old(&self, now: Millis) -> bool {
        self.created_at.plus_seconds(TOKEN_RENEWED_AFTER_S) <= now
    }
}

/// Finds sessions by token, through a cache. A cached session is dropped as soon as its token ends.
#[derive(Default)]
pub struct Sessions(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    sessions: HashMap<[u8; 32], VisitorSession>,
    /// Number of invalidations: a session read before one is not cached after it.
    ends: u64,
}

impl Sessions {
    /// The session of a token.
    pub async fn find(&self, store: &Store, token: &str) -> Result<VisitorSession> {
        let digest = secret::digest(token);
        let (known, ends) = {
            let kept = self.kept();
            // A session that looks expired may have been extended meanwhile.
            (kept.sessions.get(&digest).filter(|known| known.expires_at >= store.now()).cloned(), kept.ends)
        };
        let session = match known {
            Some(session) => session,
            None => {
                let session = store::session(store, &digest).await?.ok_or(Error::InvalidToken)?;
                self.keep(digest, session.clone(), ends);
                session
            }
        };
        if session.expires_at < store.now() { Err(Error::InvalidToken) } else { Ok(session) }
    }

    /// Drops cached sessions that `ended` selects.
    pub fn forget(&self, ended: impl Fn(&VisitorSession) -> bool) {
        let mut kept = self.kept();
        kept.ends += 1;
        kept.sessions.retain(|_, session| !ended(session));
    }

    fn keep(&self, digest: [u8; 32], session: VisitorSession, ends: u64) {
        let mut kept = self.kept();
        if kept.ends != ends {
            return;
        }
        if kept.sessions.len() >= KEPT {
            kept.sessions.clear();
        }
        kept.sessions.insert(digest, session);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Every change is complete, so a poisoned cache is still valid.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
