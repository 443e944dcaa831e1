//! Admission of new visitors during an attack.

use std::time::Instant;

use crate::error::{Error, Result};
use crate::id::SiteId;
use crate::sites::{self, Site};
use crate::storage::{Store, Tx};

use super::flood::Gate;
use super::{Abuse, Challenge, store};

/// Admits a new visitor if the site is calm or the proof of work is valid. `answer`: the proof of work, if any.
///
/// # Errors
/// `WorkRequired` with a challenge; `TooManyRequests` when too many were admitted in this minute.
pub fn admit(abuse: &Abuse, site: &Site, answer: Option<&str>) -> Result<()> {
    let (now, site) = (Instant::now(), site.id);
    if answer.is_some_and(|answer| abuse.proof_of_work.verify(site, answer, abuse.store.now())) {
        return abuse.floods.admit(site, now).map_err(|retry_after_s| Error::TooManyRequests { retry_after_s });
    }
    let bits = match abuse.floods.on_new_visitor(site, now) {
        Gate::Open => return Ok(()),
        Gate::Closed(bits) => bits,
        Gate::Closing(bits) => {
            record_start(&abuse.store, site);
            bits
        }
    };
    let Challenge { challenge, bits } = abuse.proof_of_work.challenge(site, bits, abuse.store.now());
    Err(Error::WorkRequired { challenge, bits })
}

/// Records the attack and notifies the owner's consoles, in the background.
fn record_start(store: &Store, site: SiteId) {
    tracing::warn!(%site, "too many new visitors: an attack; each must now do a proof of work");
    let store = store.clone();
    tokio::spawn(async move {
        let act = move |tx: &mut Tx| {
            store::begin(tx, site)?;
            sites::changed(tx, site)
        };
        if let Err(error) = store.write(act).await {
            tracing::warn!(%error, "an attack was not noted; it is kept away all the same");
        }
    });
}
