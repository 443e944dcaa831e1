//! Detection of floods of new visitors, and the difficulty of the proof of work.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::id::SiteId;
use crate::sliding_window::SlidingWindow;

const MINUTE: Duration = Duration::from_secs(60);
/// An attack ends after this long without a busy minute.
const CALM_TIME: Duration = Duration::from_secs(600);
/// Initial difficulty in bits: 2^14 hashes take a desktop browser about 50 ms.
const FIRST_BITS: u32 = 14;
/// Highest difficulty: 2^18 hashes take a cheap phone some seconds. Beyond it new visitors are refused, instead of
/// making people wait longer.
const MAX_BITS: u32 = 18;
/// New visitors admitted a minute, whatever work they do: this many times the threshold of an attack.
const ADMITTED_FACTOR: usize = 10;

/// Sites under attack.
pub struct Floods {
    visitors_per_minute: usize,
    arrivals: SlidingWindow<SiteId>,
    sites: Mutex<HashMap<SiteId, Flood>>,
}

/// The admission decision for a new visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// No attack: admitted.
    Open,
    /// This visitor reveals the attack. Proof of work of so many bits is required.
    Closing(u32),
    /// Under attack: proof of work of so many bits is required.
    Closed(u32),
}

/// One attack, counted by minute.
struct Flood {
    bits: u32,
    minute: Instant,
    /// New visitors without proof of work in this minute.
    asked: usize,
    /// New visitors with proof of work in this minute.
    admitted: usize,
    busy: Instant,
}

impl Flood {
    fn begin(now: Instant) -> Flood {
        Flood { bits: FIRST_BITS, minute: now, asked: 0, admitted: 0, busy: now }
    }

    /// Advances to the current minute. Each bit of difficulty halves what the same machines can send.
    fn advance(&mut self, now: Instant, busy: usize) {
        if now.saturating_duration_since(self.minute) < MINUTE {
            return;
        }
        if self.asked.max(self.admitted) >= busy {
            self.busy = now;
        }
        if self.admitted >= busy {
            self.bits = (self.bits + 1).min(MAX_BITS);
        } else if self.admitted < busy / 2 {
            self.bits = (self.bits - 1).max(FIRST_BITS);
        }
        (self.minute, self.asked, self.admitted) = (now, 0, 0);
    }

    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.busy) >= CALM_TIME
    }
}

impl Floods {
    /// Detects an attack at this many new visitors a minute on one site.
    pub fn new(visitors_per_minute: usize) -> Floods {
        Floods { visitors_per_minute, arrivals: SlidingWindow::new(MINUTE), sites: Mutex::default() }
    }

    /// Counts a new visitor without proof of work.
    pub fn on_new_visitor(&self, site: SiteId, now: Instant) -> Gate {
        if let Some(flood) = self.sites().get_mut(&site) {
            flood.advance(now, self.visitors_per_minute);
            flood.asked += 1;
            return Gate::Closed(flood.bits);
        }
        if self.arrivals.take(site, self.visitors_per_minute, now).is_ok() {
            return Gate::Open;
        }
        // Of two concurrent visitors, one starts the attack.
        let mut sites = self.sites();
        let known = sites.contains_key(&site);
        let bits = sites.entry(site).or_insert_with(|| Flood::begin(now)).bits;
        if known { Gate::Closed(bits) } else { Gate::Closing(bits) }
    }

    /// Counts a new visitor with a valid proof of work.
    ///
    /// # Errors
    /// Seconds to wait, because too many were admitted.
    pub fn admit(&self, site: SiteId, now: Instant) -> Result<(), u64> {
        let mut sites = self.sites();
        // The attack has ended meanwhile.
        let Some(flood) = sites.get_mut(&site) else { return Ok(()) };
        flood.advance(now, self.visitors_per_minute);
        if flood.admitted >= self.visitors_per_minute * ADMITTED_FACTOR {
            return Err((MINUTE - now.saturating_duration_since(flood.minute).min(MINUTE)).as_secs() + 1);
        }
        flood.admitted += 1;
        Ok(())
    }

    /// Whether the site is under attack.
    pub fn is_under_way(&self, site: SiteId) -> bool {
        self.sites().contains_key(&site)
    }

    /// Removes and returns the sites whose attack has ended.
    pub(super) fn remove_ended(&self, now: Instant) -> Vec<SiteId> {
        let mut over = Vec::new();
        self.sites().retain(|site, flood| {
            flood.advance(now, self.visitors_per_minute);
            let ended = flood.is_over(now);
            if ended {
                over.push(*site);
            }
            !ended
        });
        over
    }

    fn sites(&self) -> MutexGuard<'_, HashMap<SiteId, Flood>> {
        // Never held across an await. Ignores poisoning: every update is complete.
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: SiteId = SiteId(1);

    #[test]
    fn a_flood_closes_the_gate_once_and_calm_opens_it() {
        let floods = Floods::new(3);
        let start = Instant::now();
        assert_eq!([0; 3].map(|_| floods.on_new_visitor(SITE, start)), [Gate::Open; 3]);
        assert_eq!(floods.on_new_visitor(SITE, start), Gate::Closing(FIRST_BITS));
        assert_eq!(floods.on_new_visitor(SITE, start), Gate::Closed(FIRST_BITS));
        assert_eq!(floods.on_new_visitor(SiteId(2), start), Gate::Open, "another site has its own");
        assert!(floods.remove_ended(start + CALM_TIME - MINUTE).is_empty());
        assert_eq!(floods.remove_ended(start + CALM_TIME + MINUTE), [SITE]);
        assert_eq!(floods.on_new_visitor(SITE, start + CALM_TIME + MINUTE), Gate::Open);
    }

    #[test]
    fn difficulty_rises_under_load_and_falls_after() {
        let floods = Floods::new(4);
        let mut now = Instant::now();
        (0..5).for_each(|_| _ = floods.on_new_visitor(SITE, now));
        for bits in FIRST_BITS..=MAX_BITS + 2 {
            assert_eq!(floods.on_new_visitor(SITE, now), Gate::Closed(bits.min(MAX_BITS)));
            (0..4).for_each(|_| floods.admit(SITE, now).expect("below the ceiling"));
            now += MINUTE;
        }
        floods.on_new_visitor(SITE, now);
        assert_eq!(floods.on_new_visitor(SITE, now + MINUTE), Gate::Closed(MAX_BITS - 1));
    }

    #[test]
    fn admissions_are_bounded_whatever_work_is_done() {
        let floods = Floods::new(2);
        let now = Instant::now();
        (0..3).for_each(|_| _ = floods.on_new_visitor(SITE, now));
        let admitted = (0..100).filter(|_| floods.admit(SITE, now).is_ok()).count();
        assert_eq!(admitted, 2 * ADMITTED_FACTOR);
        assert_eq!(floods.admit(SITE, now), Err(61));
    }
}
