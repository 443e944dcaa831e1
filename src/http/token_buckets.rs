//! Budgets: what visitors, addresses and sites may cost. One table says how much of each thing each payer may spend, and
//! [`TokenBuckets::charge`] is the one place where it is spent: all payers of a request pay, or none.
//!
//! Messages have budgets of their own, which owners set (`Limits::messages`), and so have pictures (`images`).

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::id::{AccountId, SiteId, VisitorId};
use crate::visitors::{Proof, VisitorSession};

/// Buckets kept at most.
const MAX_BUCKETS: usize = 200_000;
/// Buckets that are forgotten at once where none of them is full.
const EVICTED: usize = MAX_BUCKETS / 10;

/// What is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Charge {
    /// An arrival: a write, and an event on the operators' screens.
    Arrival,
    /// A hint: a signal on the screens of others.
    Hint,
    /// Anything else that is looked up.
    Request,
}

/// Who pays.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum BucketKey {
    Visitor(SiteId, VisitorId, Proof),
    Operator(AccountId),
    Address(u128),
    Site(SiteId),
}

/// A token bucket.
struct BucketSize {
    /// Things that may be spent at once.
    burst: f64,
    /// Things that come back each second.
    per_second: f64,
}

impl BucketKey {
    /// The table.
    fn size(&self, charge: Charge) -> BucketSize {
        let size = |burst, per_second| BucketSize { burst, per_second };
        match (self, charge) {
            // A page arrives once when it loads; a browser that restores sixty tabs is still let in.
            (BucketKey::Visitor(..) | BucketKey::Operator(_), Charge::Arrival) => size(60.0, 1.0),
            // Clients report typing every few seconds; a chat that is opened reports many messages as seen.
            (BucketKey::Visitor(..) | BucketKey::Operator(_), Charge::Hint) => size(60.0, 10.0),
            // Somebody who scrolls through a long history asks for a page a few times a second.
            (BucketKey::Visitor(..) | BucketKey::Operator(_), Charge::Request) => size(300.0, 20.0),
            // An office behind one address: a dozen busy visitors, or a thousand calm ones.
            (BucketKey::Address(_), Charge::Arrival) => size(1_000.0, 20.0),
            (BucketKey::Address(_), Charge::Hint) => size(1_000.0, 100.0),
            (BucketKey::Address(_), Charge::Request) => size(5_000.0, 200.0),
            // All pages of a busy shop that come back at once after a restart; what remains for other sites is the rest of
            // what one server does.
            (BucketKey::Site(_), Charge::Arrival) => size(10_000.0, 500.0),
            (BucketKey::Site(_), Charge::Hint) => size(10_000.0, 1_000.0),
            (BucketKey::Site(_), Charge::Request) => size(20_000.0, 2_000.0),
        }
    }
}

/// Who makes a request, as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct BucketKeys(Vec<BucketKey>);

impl BucketKeys {
    /// A visitor with its session, and its site. Who comes with another proof pays apart.
    pub fn visitor(session: &VisitorSession) -> BucketKeys {
        let visitor = BucketKey::Visitor(session.site_id, session.visitor_id, session.proof.clone());
        BucketKeys(vec![visitor, BucketKey::Site(session.site_id)])
    }

    /// Somebody new on a site.
    pub fn newcomer(site: SiteId) -> BucketKeys {
        BucketKeys(vec![BucketKey::Site(site)])
    }

    /// An operator.
    pub fn operator(account: AccountId) -> BucketKeys {
        BucketKeys(vec![BucketKey::Operator(account)])
    }

    /// And the network that it comes from, where that is one's own.
    pub fn from(mut self, network: Option<u128>) -> BucketKeys {
        self.0.extend(network.map(BucketKey::Address));
        self
    }
}

/// What everybody has left. Whoever is not in it has spent nothing lately.
#[derive(Default)]
pub struct TokenBuckets(Mutex<HashMap<(BucketKey, Charge), Bucket>>);

struct Bucket {
    left: f64,
    at: Instant,
}

impl TokenBuckets {
    /// Charges all payers for one thing, or none of them.
    ///
    /// # Errors
    /// `TooManyRequests`, with the seconds until all of them can pay.
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

    /// Held for a look-up only; a bucket that a panic left is at worst a little off.
    fn buckets(&self) -> MutexGuard<'_, HashMap<(BucketKey, Charge), Bucket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BucketSize {
    fn left_of(&self, bucket: &Bucket, now: Instant) -> f64 {
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.left + since * self.per_second).min(self.burst)
    }

    /// How long it takes until everything that was spent has come back.
    fn until_full(&self, bucket: &Bucket, now: Instant) -> Duration {
        Duration::from_secs_f64((self.burst - self.left_of(bucket, now)) / self.per_second)
    }
}

/// Forgets who owes nothing and, where that is not enough, the tenth of all whose debts are paid back soonest: whoever makes
/// many buckets pushes out their own, and gets nothing back.
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
    // Of those who owe as much as the line, only as many as it takes.
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
    fn what_is_spent_comes_back_and_never_more() {
        let (token_buckets, start) = (TokenBuckets::default(), Instant::now());
        assert_eq!(spend(&token_buckets, &[visitor(1)], 100, start), 60);
        assert_eq!(spend(&token_buckets, &[visitor(1)], 100, start + Duration::from_secs(2)), 20);
        assert_eq!(spend(&token_buckets, &[visitor(1)], 100, start + Duration::from_secs(3_600)), 60);
        assert_eq!(spend(&token_buckets, &[visitor(2)], 100, start), 60, "everybody has their own");
    }

    #[test]
    fn all_payers_pay_or_none() {
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
    fn whoever_makes_buckets_refills_none() {
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
