//! Hourly upload quotas of visitors. Refused attempts count, too, because reading and decoding is the cost.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events::Proof;
use crate::id::{SiteId, VisitorId};

/// Images of a visitor an hour.
pub const IMAGES_PER_HOUR: u64 = 60;
/// Bytes of a visitor an hour.
pub const BYTES_PER_HOUR: u64 = 50 * 1024 * 1024;
/// Pixels of a visitor an hour, in all frames: sixty photos of 12 megapixels. They stand for CPU time and are known
/// before any is spent.
pub const PIXELS_PER_HOUR: u64 = 720_000_000;
/// Quotas of a network, which may be an office, and of a site, in multiples of a visitor's.
const NETWORK_SHARES: u64 = 4;
const SITE_SHARES: u64 = 40;
const HOUR_SECONDS: i64 = 3_600;
/// Visitors, networks and sites held in memory; expired ones are evicted beyond this.
const MAX_KEYS: usize = 50_000;

/// Usage by visitor, network and site. An hour starts with the first upload.
pub struct UploadQuota {
    clock: Clock,
    // Never held across an await.
    used: Mutex<HashMap<QuotaKey, Used>>,
}

/// Whose quota it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum QuotaKey {
    /// A visitor. Signed visitors are counted apart from anybody who types the same id.
    Visitor(SiteId, VisitorId, bool),
    Network(u128),
    Site(SiteId),
}

impl QuotaKey {
    /// The quota in multiples of a visitor's.
    fn shares(self) -> u64 {
        match self {
            QuotaKey::Visitor(..) => 1,
            QuotaKey::Network(_) => NETWORK_SHARES,
            QuotaKey::Site(_) => SITE_SHARES,
        }
    }
}

/// The cost of one upload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Length in bytes.
    pub bytes: u64,
    /// Pixels in all frames.
    pub pixels: u64,
}

#[derive(Debug, Clone, Copy)]
struct Used {
    until: Millis,
    images: u64,
    bytes: u64,
    pixels: u64,
}

impl Used {
    fn with(self, cost: Cost) -> Used {
        let (bytes, pixels) = (self.bytes.saturating_add(cost.bytes), self.pixels.saturating_add(cost.pixels));
        Used { images: self.images + 1, bytes, pixels, ..self }
    }

    fn is_within(&self, shares: u64) -> bool {
        self.images <= IMAGES_PER_HOUR * shares
            && self.bytes <= BYTES_PER_HOUR * shares
            && self.pixels <= PIXELS_PER_HOUR * shares
    }
}

impl UploadQuota {
    pub(super) fn new(clock: Clock) -> UploadQuota {
        UploadQuota { clock, used: Mutex::default() }
    }

    /// Charges one image to the visitor, its site, and its network if it is not shared.
    ///
    /// # Errors
    /// `TooManyRequests` with the seconds to wait; then nothing is charged.
    pub(super) fn charge(
        &self,
        (site, visitor, proof): (SiteId, VisitorId, &Proof),
        network: Option<u128>,
        cost: Cost,
    ) -> Result<()> {
        let visitor = QuotaKey::Visitor(site, visitor, *proof == Proof::Signed);
        let mut keys = vec![visitor, QuotaKey::Site(site)];
        keys.extend(network.map(QuotaKey::Network));
        self.charge_all(&keys, cost)
    }

    fn charge_all(&self, keys: &[QuotaKey], cost: Cost) -> Result<()> {
        let now = self.clock.now();
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() + keys.len() > MAX_KEYS {
            all.retain(|_, used| used.until > now);
            if all.len() + keys.len() > MAX_KEYS {
                all.clear();
            }
        }
        let fresh = Used { until: now.plus_seconds(HOUR_SECONDS), images: 0, bytes: 0, pixels: 0 };
        let after = |key: &QuotaKey| {
            // The second condition holds if the clock was set back by more than an hour.
            let used = all.get(key).filter(|used| used.until > now && used.until <= fresh.until);
            (*key, used.copied().unwrap_or(fresh).with(cost))
        };
        let then: Vec<(QuotaKey, Used)> = keys.iter().map(after).collect();
        let over = then.iter().filter(|(key, used)| !used.is_within(key.shares())).map(|(_, used)| used.until).max();
        if let Some(until) = over {
            let wait = u64::try_from(until.0 - now.0).unwrap_or(0).div_ceil(1000);
            return Err(Error::TooManyRequests { retry_after_s: wait.max(1) });
        }
        all.extend(then);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    const SMALL: Cost = Cost { bytes: 10, pixels: 12 };

    #[test]
    fn an_hour_holds_sixty_images_or_fifty_megabytes() {
        let time = Arc::new(AtomicI64::new(1_000_000));
        let quota = UploadQuota::new(Clock::Set(time.clone()));
        let keys = |visitor, signed| {
            let visitor = QuotaKey::Visitor(SiteId(1), VisitorId(visitor), signed);
            [visitor, QuotaKey::Network(7), QuotaKey::Site(SiteId(1))]
        };
        let (vera, otto) = (keys(1, false), keys(2, false));
        for _ in 0..IMAGES_PER_HOUR {
            quota.charge_all(&vera, SMALL).expect("within the budget");
        }
        let refused = quota.charge_all(&vera, SMALL);
        assert!(matches!(refused, Err(Error::TooManyRequests { retry_after_s: 3600 })), "{refused:?}");
        quota.charge_all(&otto, SMALL).expect("another visitor has its own");
        assert!(quota.charge_all(&otto, Cost { bytes: 50 * 1024 * 1024, pixels: 1 }).is_err());
        quota.charge_all(&keys(1, true), SMALL).expect("who is signed has its own");
        time.fetch_add(3_600_000, Ordering::Relaxed);
        quota.charge_all(&vera, SMALL).expect("a new hour");
    }

    #[test]
    fn pixels_count_and_new_names_do_not_help_a_network_or_a_site() {
        let quota = UploadQuota::new(Clock::Set(Arc::new(AtomicI64::new(1_000_000))));
        let half = Cost { bytes: 1, pixels: PIXELS_PER_HOUR / 2 };
        let mut visitors = 1..;
        let mut come = |site, network, times: u64| {
            let visitor = QuotaKey::Visitor(SiteId(site), VisitorId(visitors.next().unwrap_or(0)), false);
            let keys = [visitor, QuotaKey::Network(network), QuotaKey::Site(SiteId(site))];
            (0..times).map(|_| quota.charge_all(&keys, half).is_ok()).collect::<Vec<_>>()
        };
        assert_eq!(come(1, 1, 3), [true, true, false], "one visitor");
        for _ in 1..NETWORK_SHARES {
            assert_eq!(come(1, 1, 2), [true, true]);
        }
        assert_eq!(come(1, 1, 1), [false], "the network has had its part, under whatever name");
        assert_eq!(come(2, 1, 1), [false], "on whatever site");
        for network in 2..=u128::from(SITE_SHARES - NETWORK_SHARES + 1) {
            assert_eq!(come(1, network, 2), [true, true], "others of this site");
        }
        assert_eq!(come(1, 99, 1), [false], "the site has had its part");
        assert_eq!(come(2, 99, 1), [true], "another site has its own");
    }
}
