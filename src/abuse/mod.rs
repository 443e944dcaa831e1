//! An attack is a flood of new visitors on one site. While it lasts, a new visitor's browser works for its entry and the
//! owner's consoles show it; afterwards what the flood left behind can be removed at once. No third party is asked.
//!
//! A false alarm is cheap: each new visitor's browser computes for a fraction of a second, unseen. Visitors that hold a
//! token and those with a signed identity are never asked.

use crate::clock::Millis;

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

/// What a running server knows of attacks.
pub struct Abuse {
    /// Floods under way.
    pub floods: Floods,
    /// The work that is asked for.
    pub proof_of_work: ProofOfWork,
}

impl Abuse {
    /// For sites on which so many new visitors a minute are an attack.
    pub fn new(visitors_per_minute: usize) -> Abuse {
        Abuse { floods: Floods::new(visitors_per_minute), proof_of_work: ProofOfWork::default() }
    }
}

/// Attacks on a site that its owner has not dismissed yet, as one span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attack {
    /// When the first was noticed.
    pub began_at: Millis,
    /// When the last ended; none: under way.
    pub ended_at: Option<Millis>,
}

/// Visitors that came in the minute before an attack was noticed are part of it.
const LEAD_SECONDS: i64 = 60;

impl Attack {
    /// Who was seen first in this time may have come with the attack.
    pub fn period(&self, now: Millis) -> (Millis, Millis) {
        (self.began_at.plus_seconds(-LEAD_SECONDS), self.ended_at.unwrap_or(now))
    }
}
