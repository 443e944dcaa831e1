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
mod unsettled;
mod view;
mod work;

pub use admit::admit;
pub use clean_up::{Removed, clean_up};
pub use end::{run, settle};
pub use flood::Floods;
pub use store::SQL;
pub use unsettled::unsettled;
pub use view::AttackView;
pub use work::{Challenge, Work};

/// What a running server knows of attacks.
pub struct Attacks {
    /// Floods under way.
    pub floods: Floods,
    /// The work that is asked for.
    pub work: Work,
}

impl Attacks {
    /// For sites on which so many new visitors a minute are an attack.
    pub fn new(visitors_per_minute: usize) -> Attacks {
        Attacks { floods: Floods::new(visitors_per_minute), work: Work::default() }
    }
}

/// Attacks on a site that its owner has not settled yet, as one span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attack {
    /// When the first was noticed.
    pub began_at: Millis,
    /// When the last ended; none: under way.
    pub ended_at: Option<Millis>,
}

/// Visitors that came in the minute before an attack was noticed are part of it.
const BEFORE_SECONDS: i64 = 60;

impl Attack {
    /// Who was seen first in this time may have come with the attack.
    pub fn span(&self, now: Millis) -> (Millis, Millis) {
        (self.began_at.plus_seconds(-BEFORE_SECONDS), self.ended_at.unwrap_or(now))
    }
}
