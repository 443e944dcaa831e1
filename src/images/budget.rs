//! How much one visitor may upload. Attempts count, also those that are refused: decoding is what costs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::id::{SiteId, VisitorId};
use crate::visitors::{Proof, VisitorSession};

/// Images an hour.
pub const IMAGES_PER_HOUR: u32 = 60;
/// Bytes an hour.
pub const BYTES_PER_HOUR: u64 = 50 * 1024 * 1024;
const HOUR_SECONDS: i64 = 3_600;
/// Visitors remembered; the map is cleared of past hours when it grows beyond this.
const REMEMBERED: usize = 50_000;

/// What each visitor used of its hour. An hour begins with the first upload.
pub struct Budgets {
    clock: Clock,
    // Held for a look-up only, never across an await.
    used: Mutex<HashMap<Key, Used>>,
}

/// Who is signed is counted apart from all who type the same id.
type Key = (SiteId, VisitorId, bool);

#[derive(Debug, Clone, Copy)]
struct Used {
    until: Millis,
    images: u32,
    bytes: u64,
}

impl Budgets {
    pub(super) fn new(clock: Clock) -> Budgets {
        Budgets { clock, used: Mutex::default() }
    }

    /// Takes one image of that size from the visitor's budget, or says how long to wait.
    pub(super) fn take(&self, site: SiteId, session: &VisitorSession, bytes: usize) -> Result<()> {
        self.take_of((site, session.visitor_id, session.proof == Proof::Signed), bytes)
    }

    fn take_of(&self, key: Key, bytes: usize) -> Result<()> {
        let now = self.clock.now();
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.retain(|_, used| used.until > now);
            if all.len() >= REMEMBERED {
                all.clear();
            }
        }
        let fresh = Used { until: now.plus_seconds(HOUR_SECONDS), images: 0, bytes: 0 };
        let used = all.entry(key).or_insert(fresh);
        // Also when the clock was set back by more than the hour.
        if used.until <= now || used.until > fresh.until {
            *used = fresh;
        }
        let bytes = used.bytes.saturating_add(bytes as u64);
        if used.images >= IMAGES_PER_HOUR || bytes > BYTES_PER_HOUR {
            let wait = u64::try_from(used.until.0 - now.0).unwrap_or(0).div_ceil(1000);
            return Err(Error::TooManyRequests { retry_after_s: wait.max(1) });
        }
        used.images += 1;
        used.bytes = bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[test]
    fn an_hour_holds_sixty_images_or_fifty_megabytes() {
        let time = Arc::new(AtomicI64::new(1_000_000));
        let budgets = Budgets::new(Clock::Set(time.clone()));
        let key = |visitor, signed| (SiteId(1), VisitorId(visitor), signed);
        let (vera, otto) = (key(1, false), key(2, false));
        for _ in 0..IMAGES_PER_HOUR {
            budgets.take_of(vera, 10).expect("within the budget");
        }
        let refused = budgets.take_of(vera, 10);
        assert!(matches!(refused, Err(Error::TooManyRequests { retry_after_s: 3600 })), "{refused:?}");
        budgets.take_of(otto, 10).expect("another visitor has its own");
        assert!(budgets.take_of(otto, 50 * 1024 * 1024).is_err());
        budgets.take_of(key(1, true), 10).expect("who is signed has its own");
        time.fetch_add(3_600_000, Ordering::Relaxed);
        budgets.take_of(vera, 10).expect("a new hour");
    }
}
