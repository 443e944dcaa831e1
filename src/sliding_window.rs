//! In-memory rate limits: sliding windows for requests, and an exponential delay after wrong passwords.
//!
//! Time is the monotonic clock, passed by the caller. Maps are bounded: idle keys are evicted.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Events closer than this share one timestamp.
const SLOT: Duration = Duration::from_millis(100);
/// Keys held by one window.
const MAX_KEYS: usize = 200_000;

/// Sliding window: a limit of events by key, exact to 100 ms and never exceeded.
pub struct SlidingWindow<K> {
    window: Duration,
    counters: Mutex<Counters<K>>,
}

struct Counters<K> {
    by_key: HashMap<K, Counter>,
    sweep_at: usize,
}

#[derive(Default)]
struct Counter {
    slots: VecDeque<Slot>,
    total: usize,
}

struct Slot {
    first: Instant,
    last: Instant,
    count: usize,
}

impl<K: Eq + Hash + Clone> SlidingWindow<K> {
    /// A window of this length.
    pub fn new(window: Duration) -> SlidingWindow<K> {
        SlidingWindow { window, counters: Mutex::new(Counters { by_key: HashMap::new(), sweep_at: 1024 }) }
    }

    /// Counts one event, or refuses it.
    ///
    /// # Errors
    /// Whole seconds until an event is possible, at least 1.
    pub fn take(&self, key: K, limit: usize, now: Instant) -> Result<(), u64> {
        let mut counters = locked(&self.counters);
        counters.evict(self.window, now);
        let counter = counters.by_key.entry(key).or_default();
        counter.forget_old(self.window, now);
        if counter.total < limit {
            counter.add(now);
            return Ok(());
        }
        Err(counter.seconds_left(limit, self.window, now))
    }

    /// Uncounts the newest event of a key, because it did not happen.
    pub fn refund(&self, key: &K) {
        let mut counters = locked(&self.counters);
        let Some(counter) = counters.by_key.get_mut(key) else { return };
        let Some(slot) = counter.slots.back_mut() else { return };
        slot.count -= 1;
        counter.total -= 1;
        if slot.count == 0 {
            counter.slots.pop_back();
        }
    }

    /// Keys held in memory.
    pub fn keys(&self) -> usize {
        locked(&self.counters).by_key.len()
    }
}

/// A /48 gets this many times the limit of one of its /64 networks.
const MAX_NETWORKS: usize = 16;

impl SlidingWindow<u128> {
    /// Counts one event for a network and, for IPv6, for the /48 around it, whose owner has 65,536 networks.
    ///
    /// # Errors
    /// Whole seconds to wait, at least 1.
    pub fn take_for_network(&self, network: u128, limit: usize, now: Instant) -> Result<(), u64> {
        self.take(network, limit, now)?;
        let Some(surrounding_network) = surrounding_network(network) else { return Ok(()) };
        self.take(surrounding_network, limit.saturating_mul(MAX_NETWORKS), now).inspect_err(|_| self.refund(&network))
    }

    /// Uncounts the newest event of a network.
    pub fn refund_network(&self, network: u128) {
        self.refund(&network);
        if let Some(surrounding_network) = surrounding_network(network) {
            self.refund(&surrounding_network);
        }
    }
}

/// The /48 around an IPv6 network, marked by the last bit so that it differs from its first /64; `None` for IPv4.
fn surrounding_network(network: u128) -> Option<u128> {
    (network >> 64 != 0).then_some(network >> 80 << 80 | 1)
}

impl<K: Eq + Hash + Clone> Counters<K> {
    fn evict(&mut self, window: Duration, now: Instant) {
        if self.by_key.len() < self.sweep_at {
            return;
        }
        self.by_key.retain(|_, counter| counter.slots.back().is_some_and(|slot| slot.last + window > now));
        if self.by_key.len() >= MAX_KEYS {
            // Evict a tenth at once, so that a flood of keys does not sweep the map each time.
            let surplus: Vec<K> = self.by_key.keys().take(MAX_KEYS / 10).cloned().collect();
            surplus.iter().for_each(|key| drop(self.by_key.remove(key)));
        }
        self.sweep_at = (self.by_key.len() * 2).clamp(1024, MAX_KEYS);
    }
}

impl Counter {
    fn forget_old(&mut self, window: Duration, now: Instant) {
        while self.slots.front().is_some_and(|slot| slot.last + window <= now) {
            self.total -= self.slots.pop_front().map_or(0, |slot| slot.count);
        }
    }

    fn add(&mut self, now: Instant) {
        self.total += 1;
        match self.slots.back_mut() {
            Some(slot) if now.saturating_duration_since(slot.first) < SLOT => {
                slot.last = slot.last.max(now);
                slot.count += 1;
            }
            _ => self.slots.push_back(Slot { first: now, last: now, count: 1 }),
        }
    }

    fn seconds_left(&self, limit: usize, window: Duration, now: Instant) -> u64 {
        let mut surplus = (self.total + 1).saturating_sub(limit);
        for slot in &self.slots {
            if slot.count >= surplus {
                return whole_seconds((slot.last + window).saturating_duration_since(now));
            }
            surplus -= slot.count;
        }
        whole_seconds(window)
    }
}

/// Delay after the first refusal; doubled with each further wrong attempt.
const FIRST_WAIT: Duration = Duration::from_secs(30);
const MAX_WAIT: Duration = Duration::from_secs(15 * 60);

/// Exponential delay: some free attempts in a quarter of an hour, then a delay that doubles up to 15 minutes. There is
/// no permanent lockout.
pub struct Throttle<K> {
    free: u32,
    strikes: Mutex<HashMap<K, Strikes>>,
}

struct Strikes {
    count: u32,
    last: Instant,
    until: Instant,
}

impl<K: Eq + Hash + Clone> Throttle<K> {
    /// A throttle with this many free attempts.
    pub fn new(free: u32) -> Throttle<K> {
        Throttle { free, strikes: Mutex::new(HashMap::new()) }
    }

    /// Counts an attempt before it is made, so that concurrent attempts cannot exceed the limit.
    ///
    /// # Errors
    /// Whole seconds to wait, at least 1.
    pub fn take(&self, key: K, now: Instant) -> Result<(), u64> {
        let mut strikes = locked(&self.strikes);
        if strikes.len() >= MAX_KEYS {
            strikes.retain(|_, known| known.until.max(known.last) + MAX_WAIT > now);
            if strikes.len() >= MAX_KEYS {
                // A flood of new keys must not end the delay of a key under attack: delayed keys are evicted last.
                strikes.retain(|_, known| known.until > now);
            }
            if strikes.len() >= MAX_KEYS {
                strikes.clear();
            }
        }
        let known = strikes.entry(key).or_insert(Strikes { count: 0, last: now, until: now });
        if known.until > now {
            return Err(whole_seconds(known.until - now));
        }
        if known.until.max(known.last) + MAX_WAIT <= now {
            known.count = 0;
        }
        known.count += 1;
        known.last = now;
        if known.count >= self.free {
            let doublings = (known.count - self.free).min(8);
            known.until = now + (FIRST_WAIT * 2u32.pow(doublings)).min(MAX_WAIT);
        }
        Ok(())
    }

    /// Uncounts one attempt, because it was right.
    pub fn undo(&self, key: &K) {
        let mut strikes = locked(&self.strikes);
        let Some(known) = strikes.get_mut(key) else { return };
        known.count = known.count.saturating_sub(1);
        if known.count < self.free {
            known.until = known.last;
        }
    }

    /// Forgets a key after its owner has authenticated.
    pub fn clear(&self, key: &K) {
        locked(&self.strikes).remove(key);
    }
}

fn whole_seconds(left: Duration) -> u64 {
    (left.as_millis().div_ceil(1000) as u64).max(1)
}

/// Ignores poisoning: counters are at worst slightly off after a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3_600);

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_window_slides() {
        let (window, start) = (SlidingWindow::new(MINUTE), Instant::now());
        assert_eq!(window.take('v', 2, start), Ok(()));
        assert_eq!(window.take('v', 2, start + ms(30_000)), Ok(()));
        assert_eq!(window.take('v', 2, start + ms(59_999)), Err(1));
        assert_eq!(window.take('v', 2, start + ms(60_000)), Ok(()));
        assert_eq!(window.take('v', 2, start + ms(60_001)), Err(30));
        assert_eq!(window.take('w', 2, start + ms(60_001)), Ok(()));
    }

    #[test]
    fn never_more_than_the_limit_in_any_window() {
        let (window, start) = (SlidingWindow::new(MINUTE), Instant::now());
        let mut taken: Vec<u64> = Vec::new();
        for at in (0..180_000).step_by(37) {
            if window.take((), 20, start + ms(at)).is_ok() {
                taken.push(at);
            }
        }
        assert!(taken.windows(21).all(|run| run[20] - run[0] >= 60_000), "{taken:?}");
        assert!(taken.len() >= 57, "three windows let nearly sixty through: {}", taken.len());
    }

    #[test]
    fn a_lowered_limit_counts_at_once_and_a_refund_makes_room() {
        let (window, start) = (SlidingWindow::new(MINUTE), Instant::now());
        for at in 0..5 {
            assert_eq!(window.take((), 5, start + ms(at * 10_000)), Ok(()));
        }
        assert_eq!(window.take((), 2, start + ms(40_000)), Err(50));
        window.refund(&());
        assert_eq!(window.take((), 5, start + ms(40_000)), Ok(()));
        assert_eq!(window.take((), 5, start + ms(40_000)), Err(20));
    }

    #[test]
    fn many_networks_of_one_customer_get_no_more_than_some() {
        let (window, start) = (SlidingWindow::new(HOUR), Instant::now());
        let network = |n: u128| 0x2001_0db8_0001_u128 << 80 | n << 64;
        let taken = (0..1_000).filter(|n| window.take_for_network(network(*n), 2, start).is_ok()).count();
        assert_eq!(taken, 2 * MAX_NETWORKS, "one each, until all of them have theirs");
        assert!(window.take_for_network(network(0), 2, start).is_err());
        window.refund_network(network(1));
        assert_eq!(window.take_for_network(network(1), 2, start), Ok(()));
        let elsewhere = 0x2001_0db8_0002_u128 << 80;
        assert_eq!(window.take_for_network(elsewhere, 2, start), Ok(()));
        // Addresses of IPv4 have nothing around them.
        assert!((0..1_000).all(|n| window.take_for_network(n, 2, start).is_ok()));
    }

    #[test]
    fn idle_keys_are_forgotten() {
        let (window, start) = (SlidingWindow::new(MINUTE), Instant::now());
        (0..1024).for_each(|key| assert_eq!(window.take(key, 1, start), Ok(())));
        assert_eq!(window.take(9999, 1, start + ms(61_000)), Ok(()));
        assert_eq!(window.keys(), 1);
    }

    #[test]
    fn wrong_passwords_make_a_growing_wait() {
        let (throttle, start) = (Throttle::new(3), Instant::now());
        (0..3).for_each(|_| assert_eq!(throttle.take("otto", start), Ok(())));
        assert_eq!(throttle.take("otto", start), Err(30));
        assert_eq!(throttle.take("otto", start + ms(30_000)), Ok(()));
        assert_eq!(throttle.take("otto", start + ms(30_000)), Err(60));
        throttle.clear(&"otto");
        assert_eq!(throttle.take("otto", start + ms(30_000)), Ok(()));
        let later = start + ms(30_000) + MAX_WAIT;
        (0..3).for_each(|_| assert_eq!(throttle.take("otto", later), Ok(())));
        assert!(throttle.take("otto", later).is_err());
    }

    #[test]
    fn a_flood_of_names_does_not_end_the_wait_of_one() {
        let (throttle, start) = (Throttle::new(2), Instant::now());
        (0..2).for_each(|_| assert_eq!(throttle.take(0, start), Ok(())));
        (1..=MAX_KEYS).for_each(|name| assert_eq!(throttle.take(name, start), Ok(())));
        assert!(throttle.take(0, start).is_err());
        assert!(locked(&throttle.strikes).len() < MAX_KEYS, "and memory is bounded");
    }

    #[test]
    fn a_right_password_is_not_held_against_its_network() {
        let (throttle, start) = (Throttle::new(2), Instant::now());
        for _ in 0..10 {
            assert_eq!(throttle.take(7, start), Ok(()));
            throttle.undo(&7);
        }
    }
}
