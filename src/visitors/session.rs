//! A visitor's credential: 32 random bytes, kept as a hash, bound to its site.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{KeyId, SiteId, TokenId, VisitorId};
use crate::secret;
use crate::sites::{IdentityMode, Site};
use crate::storage::Store;

use super::{Proof, TOKEN_RENEWED_AFTER_S, store};

/// Sessions kept in memory, so that a busy visitor costs no look-up per message.
const KEPT: usize = 20_000;

/// Who a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitorSession {
    /// The site it is good for.
    pub site_id: SiteId,
    /// Number of the token.
    pub token_id: TokenId,
    /// The visitor.
    pub visitor_id: VisitorId,
    /// `visitor_…`
    pub public_id: String,
    /// What the visitor has shown.
    pub proof: Proof,
    /// The identity secret that signed it, where it is signed: the session is good as long as the site has that secret.
    pub signed_by: Option<KeyId>,
    /// When the token was made.
    pub created_at: Millis,
    /// After this it has ended.
    pub expires_at: Millis,
    /// The token in whose place it came, until it is shown for the first time.
    pub replaces: Option<TokenId>,
}

impl VisitorSession {
    /// Who writes or brings something in this session.
    pub fn author(&self) -> (VisitorId, &Proof) {
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

    /// Was it signed with a secret that the site still has, if it was signed at all?
    pub fn is_trusted_by(&self, site: &Site) -> bool {
        self.proof != Proof::Signed || self.signed_by.is_some_and(|by| site.identity_secrets.contains(&by))
    }

    /// Is its token to be replaced by a new one?
    pub(crate) fn is_old(&self, now: Millis) -> bool {
        self.created_at.plus_seconds(TOKEN_RENEWED_AFTER_S) <= now
    }
}

/// Finds sessions by token. What is kept in memory is dropped in the same moment that a token ends.
#[derive(Default)]
pub struct Sessions(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    sessions: HashMap<[u8; 32], VisitorSession>,
    /// Counts ends: what was read before one is not kept after it.
    ends: u64,
}

impl Sessions {
    /// The session of a token.
    pub async fn find(&self, store: &Store, token: &str) -> Result<VisitorSession> {
        let digest = secret::digest(token);
        let (known, ends) = {
            let kept = self.kept();
            // One that looks over may have got more time meanwhile.
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

    /// Forgets the sessions that `ended` names.
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
        // Every change is whole, so a panic leaves nothing half-done.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
