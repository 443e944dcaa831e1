//! Token buckets for the requests of visitors, operators, addresses and sites. One table holds the sizes, and
//! [`TokenBuckets::charge`] is the only place that takes tokens: from all buckets of a request, or from none.
//!
//! Messages have limits of their own, set by owners (`Limits::messages`), and so do image uploads (`images`).

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::id::{AccountId, SiteId, VisitorId};
use crate::visitors::{Proof, VisitorSession};

/// Buckets held in memory.
const MAX_BUCKETS: usize = 200_000;
/// Buckets evicted at once when none of them is full.
const EVICTED: usize = MAX_BUCKETS / 10;

/// What is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Charge {
    /// A session start: a write, and an event on the operators' screens.
    Arrival,
    /// A hint: a signal on the screens of others.
    Hint,
    /// Any other request.
    Request,
}

/// Whose bucket it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum BucketKey {
    Visitor(SiteId, VisitorId, Proof),
    Operator(AccountId),
    Address(u128),
    Site(SiteId),
}

/// The size of a token bucket.
struct BucketSize {
    /// Capacity in tokens.
    burst: f64,
    /// Tokens refilled a second.
    per_second: f64,
}

impl BucketKey {
    /// The table of bucket sizes.
    fn size(&self, charge: Charge) -> BucketSize {
        let size = |burst, per_second| BucketSize { burst, per_second };
        match (self, charge) {
            // A page starts one session when it loads; a browser that restores sixty tabs is still let in.
            (BucketKey::Visitor(..) | BucketKey::Operator(_), Charge::Arrival) => size(60.0, 1.0),
            // Clients report typing every few seconds; opening a chat reports many messages as seen.
            (BucketKey::Visitor(..) | BucketKey::Operator(_), Charge::Hint) => size(60.0, 10.0),
            // Scrolling through a long history requests a page a few times a second.
            (BucketKey::Visitor(..) | BucketKey::Operator(_), Charge::Request) => size(300.0, 20.0),
            // An office behind one address: a dozen busy visitors, or a thousand calm ones.
            (BucketKey::Address(_), Charge::Arrival) => size(1_000.0, 20.0),
            (BucketKey::Address(_), Charge::Hint) => size(1_000.0, 100.0),
            (BucketKey::Address(_), Charge::Request) => size(5_000.0, 200.0),
            // All pages of a busy shop return at once after a restart; the rest of the server's capacity stays for
            // other sites.
            (BucketKey::Site(_), Charge::Arrival) => size(10_000.0, 500.0),
            (BucketKey::Site(_), Charge::Hint) => size(10_000.0, 1_000.0),
            (BucketKey::Site(_), Charge::Request) => size(20_000.0, 2_000.0),
        }
    }
}

/// The buckets that a request is charged to.
#[derive(Debug, Clone, Default)]
pub struct BucketKeys(Vec<BucketKey>);

impl BucketKeys {
    /// A visitor, by proof, and its site. Each proof of one visitor has its own bucket.
    pub fn visitor(session: &VisitorSession) -> BucketKeys {
        let visitor = BucketKey::Visitor(session.site_id, session.visitor_id, session.proof.clone());
        BucketKeys(vec![visitor, BucketKey::Site(session.site_id)])
    }

    /// A new visitor: its site.
    pub fn newcomer(site: SiteId) -> BucketKeys {
        BucketKeys(vec![BucketKey::Site(site)])
    }

    /// An operator.
    pub fn operator(account: AccountId) -> BucketKeys {
        BucketKeys(vec![BucketKey::Operator(account)])
    }

    /// Adds the client's network, if it is not shared.
    pub fn from(mut self, network: Option<u128>) -> BucketKeys {
        self.0.extend(network.map(BucketKey::Address));
        self
    }
}

/// All buckets. A missing bucket is full.
#[derive(Default)]
pub struct TokenBuckets(Mutex<HashMap<(BucketKey, Charge), Bucket>>);

struct Bucket {
    left: f64,
    at: Instant,
}

impl TokenBuckets {
    /// Takes one token from every bucket, or none at all.
    ///
    /// # Errors
    /// `TooManyRequests`, with the seconds until all buckets have a token.
    pub fn charge(&self, keys: &BucketKeys, charge: Charge, now: Instant) -> Result<()> {
        let mut buckets = self.buckets();
        evict(&mut buckets, now);
        let mut wait = 0.0_f64;
        for key in &keys.0 {
            let size = key.size(charge);
            let bucket = buckets.entry((key.clone(), charge)).or_insert(Bucket { left: size.burst, at: now });
            bucket.left = size.left_of(bucket, now);
            bucket.at = now;
            wait = wait.max((1.0 - bucket.left) / size.per_second);
        }
        if wait > 0.0 {
            return Err(Error::TooManyRequests { retry_after_s: (wait.ceil() as u64).max(1) });
        }
        for key in &keys.0 {
            if let Some(bucket) = buckets.get_mut(&(key.clone(), charge)) {
                bucket.left -= 1.0;
            }
        }
        Ok(())
    }

    /// Never held across an await. Ignores poisoning: a bucket is at worst slightly off after a panic.
    fn buckets(&self) -> MutexGuard<'_, HashMap<(BucketKey, Charge), Bucket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BucketSize {
    fn left_of(&self, bucket: &Bucket, now: Instant) -> f64 {
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.left + since * self.per_second).min(self.burst)
    }

    /// Time until the bucket is full.
    fn until_full(&self, bucket: &Bucket, now: Instant) -> Duration {
        Duration::from_secs_f64((self.burst - self.left_of(bucket, now)) / self.per_second)
    }
}

/// Evicts full buckets and, if that is not enough, the tenth that refills soonest: a client that creates many buckets
/// evicts its own, and gains nothing.
fn evict(buckets: &mut HashMap<(BucketKey, Charge), Bucket>, now: Instant) {
    if buckets.len() < MAX_BUCKETS {
        return;
    }
    let until_full = |(key, charge): &(BucketKey, Charge), bucket: &Bucket| key.size(*charge).until_full(bucket, now);
    buckets.retain(|key, bucket| !until_full(key, bucket).is_zero());
    if buckets.len() <= MAX_BUCKETS - EVICTED {
        return;
    }
    let mut debts: Vec<Duration> = buckets.iter().map(|(key, bucket)| until_full(key, bucket)).collect();
    let (smaller, line, _) = debts.select_nth_unstable(EVICTED);
    let line = *line;
    // Of the buckets at the threshold, evict only as many as needed.
    let mut at_line = EVICTED - smaller.iter().filter(|debt| **debt < line).count();
    buckets.retain(|key, bucket| match until_full(key, bucket).cmp(&line) {
        Ordering::Less => false,
        Ordering::Equal if at_line > 0 => {
            at_line -= 1;
            false
        }
        Ordering::Equal | Ordering::Greater => true,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(n: i64) -> BucketKey {
        BucketKey::Visitor(SiteId(1), VisitorId(n), Proof::Signed)
    }

    fn spend(token_buckets: &TokenBuckets, keys: &[BucketKey], times: usize, now: Instant) -> usize {
        let keys = BucketKeys(keys.to_vec());
        (0..times).filter(|_| token_buckets.charge(&keys, Charge::Hint, now).is_ok()).count()
    }

    #[test]
    fn buckets_refill_to_their_capacity() {
        let (token_buckets, start) = (TokenBuckets::default(), Instant::now());
        assert_eq!(spend(&token_buckets, &[visitor(1)], 100, start), 60);
        assert_eq!(spend(&token_buckets, &[visitor(1)], 100, start + Duration::from_secs(2)), 20);
        assert_eq!(spend(&token_buckets, &[visitor(1)], 100, start + Duration::from_secs(3_600)), 60);
        assert_eq!(spend(&token_buckets, &[visitor(2)], 100, start), 60, "everybody has their own");
    }

    #[test]
    fn all_buckets_are_charged_or_none() {
        let (token_buckets, start) = (TokenBuckets::default(), Instant::now());
        let (address, one) = (BucketKey::Address(7), visitor(1));
        let many: usize = (0..100).map(|n| spend(&token_buckets, &[visitor(n), address.clone()], 60, start)).sum();
        assert_eq!(many, 1_000, "the address has its own line");
        let refused = token_buckets.charge(&BucketKeys(vec![visitor(1_000), address]), Charge::Hint, start);
        assert!(matches!(refused, Err(Error::TooManyRequests { retry_after_s: 1 })), "{refused:?}");
        assert_eq!(spend(&token_buckets, &[visitor(1_000)], 100, start), 60, "who was refused has not paid");
        assert_eq!(spend(&token_buckets, &[one], 100, start), 0);
    }

    #[test]
    fn memory_is_bounded() {
        let (token_buckets, start) = (TokenBuckets::default(), Instant::now());
        for n in 0..=MAX_BUCKETS as i64 {
            spend(&token_buckets, &[visitor(n)], 1, start);
        }
        assert!(token_buckets.buckets().len() <= MAX_BUCKETS);
        let later = start + Duration::from_secs(60);
        for n in 0..MAX_BUCKETS as i64 {
            spend(&token_buckets, &[visitor(-n)], 1, later);
        }
        assert!(token_buckets.buckets().len() <= MAX_BUCKETS);
    }

    #[test]
    fn creating_buckets_refills_none() {
        let (token_buckets, start) = (TokenBuckets::default(), Instant::now());
        for n in 1..=500 {
            assert_eq!(spend(&token_buckets, &[visitor(-n)], 60, start), 60);
        }
        for n in 0..MAX_BUCKETS as i64 + 50_000 {
            spend(&token_buckets, &[visitor(n)], 1, start);
        }
        let refilled = (1..=500_i64).filter(|n| spend(&token_buckets, &[visitor(-n)], 1, start) > 0).count();
        assert_eq!(refilled, 0, "what is owed is forgotten last");
    }
}
