//! An attack is a flood of new visitors on one site. During an attack, a new visitor's browser does a proof of work
//! before it is let in, and the owner's consoles show the attack; afterwards everything that it left can be removed at
//! once. No third party is involved.
//!
//! A false alarm is cheap: each new visitor's browser computes for a fraction of a second, invisibly. Visitors with a
//! session token or a signed identity are never challenged.

use crate::clock::Millis;
use crate::storage::Store;

mod admit;
mod clean_up;
mod end;
mod flood;
pub mod store;
mod pending;
mod view;
mod proof_of_work;

pub use admit::admit;
pub use clean_up::{Removed, clean_up};
pub use end::{dismiss, run};
pub use flood::Floods;
pub use pending::pending_attack;
pub use proof_of_work::{Challenge, ProofOfWork};
pub use store::SQL;
pub use view::AttackView;

/// State of attack detection.
pub struct Abuse {
    store: Store,
    /// Attacks in progress.
    pub floods: Floods,
    /// Challenges and their verification.
    pub proof_of_work: ProofOfWork,
}

impl Abuse {
    /// Detects an attack at this many new visitors a minute on one site.
    pub fn new(store: Store, visitors_per_minute: usize) -> Abuse {
        Abuse { store, floods: Floods::new(visitors_per_minute), proof_of_work: ProofOfWork::default() }
    }
}

/// Attacks on a site that its owner has not dismissed, as one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attack {
    /// Start of the first attack.
    pub began_at: Millis,
    /// End of the last attack; `None` while in progress.
    pub ended_at: Option<Millis>,
}

/// Visitors of the minute before detection belong to the attack.
const LEAD_SECONDS: i64 = 60;

impl Attack {
    /// The period in which new visitors may belong to the attack.
    pub fn period(&self, now: Millis) -> (Millis, Millis) {
        (self.began_at.plus_seconds(-LEAD_SECONDS), self.ended_at.unwrap_or(now))
    }
}
