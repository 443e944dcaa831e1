//! Who waits to be stored. Sites take turns, so that a site which sends as fast as it can keeps no other waiting: its
//! own line grows, and the others' next message is in the next commit.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::id::SiteId;

/// Sends that may wait over all sites. Beyond this the server says that it is overloaded, and nothing is stored.
const WAITING: usize = 16_384;
/// Sends that may wait of one site.
const WAITING_OF_SITE: usize = 4_096;
/// Sends of one site in one commit, where others were there lately: they wait for a short commit, not for a long one.
const SHARE: usize = 64;
/// How long others are remembered.
const LATELY: Duration = Duration::from_secs(1);

/// The lines of all sites.
pub(super) struct Queue<T> {
    lines: Mutex<Lines<T>>,
    come: Notify,
}

struct Lines<T> {
    /// No line is empty.
    of_site: HashMap<SiteId, VecDeque<T>>,
    /// Whose turn is next; each site that has a line, once.
    turns: VecDeque<SiteId>,
    waiting: usize,
    /// When more than one site was in a commit.
    shared_at: Option<Instant>,
    closed: bool,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Queue<T> {
        let (of_site, turns) = (HashMap::new(), VecDeque::new());
        let lines = Lines { of_site, turns, waiting: 0, shared_at: None, closed: false };
        Queue { lines: Mutex::new(lines), come: Notify::new() }
    }

    /// Puts one at the end of its site's line; false when there is no room.
    pub(super) fn push(&self, site: SiteId, one: T) -> bool {
        let mut lines = self.lines();
        let length = lines.of_site.get(&site).map_or(0, VecDeque::len);
        if lines.closed || lines.waiting >= WAITING || length >= WAITING_OF_SITE {
            return false;
        }
        if length == 0 {
            lines.turns.push_back(site);
        }
        lines.of_site.entry(site).or_default().push_back(one);
        lines.waiting += 1;
        drop(lines);
        self.come.notify_one();
        true
    }

    /// Waits for somebody, and takes at most `most`: one of each site after the other, each site's in order. Empty once
    /// the queue is closed and all are taken.
    pub(super) async fn next(&self, most: usize) -> Vec<T> {
        loop {
            {
                let mut lines = self.lines();
                if lines.waiting > 0 || lines.closed {
                    return lines.take(most, Instant::now());
                }
            }
            self.come.notified().await;
        }
    }

    /// Takes nobody any more.
    pub(super) fn close(&self) {
        self.lines().closed = true;
        self.come.notify_one();
    }

    fn lines(&self) -> MutexGuard<'_, Lines<T>> {
        // Nothing in here panics half-way.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Lines<T> {
    fn take(&mut self, most: usize, now: Instant) -> Vec<T> {
        if self.turns.len() > 1 {
            self.shared_at = Some(now);
        }
        let shared = self.shared_at.is_some_and(|at| now.saturating_duration_since(at) < LATELY);
        let mut rounds = if shared { SHARE } else { most };
        let mut taken = Vec::with_capacity(most.min(self.waiting));
        while rounds > 0 && taken.len() < most && !self.turns.is_empty() {
            for _ in 0..self.turns.len().min(most - taken.len()) {
                taken.extend(self.take_turn());
            }
            rounds -= 1;
        }
        self.waiting -= taken.len();
        taken
    }

    /// One of the site whose turn it is.
    fn take_turn(&mut self) -> Option<T> {
        let site = self.turns.pop_front()?;
        let line = self.of_site.get_mut(&site)?;
        let one = line.pop_front();
        if line.is_empty() {
            self.of_site.remove(&site);
        } else {
            self.turns.push_back(site);
        }
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOISY: SiteId = SiteId(1);
    const QUIET: SiteId = SiteId(2);

    #[tokio::test]
    async fn a_quiet_site_is_in_the_next_batch_however_many_others_wait() {
        let queue = Queue::new();
        (0..1_000).for_each(|n| assert!(queue.push(NOISY, n)));
        assert!(queue.push(QUIET, -1) && queue.push(QUIET, -2));
        assert_eq!(queue.next(8).await, [0, -1, 1, -2, 2, 3, 4, 5]);
        assert_eq!(queue.next(2).await, [6, 7], "and each site's own order holds");
    }

    #[tokio::test]
    async fn within_one_line_the_last_is_the_last() {
        // What it would be for the quiet site, were there no turns.
        let queue = Queue::new();
        (0..1_000).for_each(|n| assert!(queue.push(NOISY, n)));
        assert!(queue.push(NOISY, -1));
        let mut batches = 1;
        while !queue.next(8).await.contains(&-1) {
            batches += 1;
        }
        assert_eq!(batches, 126);
    }

    #[tokio::test]
    async fn beside_others_a_site_has_a_share_of_a_commit_and_alone_all_of_it() {
        let queue = Queue::new();
        (0..1_000).for_each(|n| assert!(queue.push(NOISY, n)));
        assert_eq!(queue.next(256).await.len(), 256, "nobody else is there");
        assert!(queue.push(QUIET, -1));
        assert_eq!(queue.next(256).await.len(), SHARE + 1);
        assert_eq!(queue.next(256).await.len(), SHARE, "the other may come again");
        let later = Instant::now() + LATELY;
        assert_eq!(queue.lines().take(256, later).len(), 256, "it did not");
    }

    #[tokio::test]
    async fn a_full_line_is_its_own_sites_trouble() {
        let queue = Queue::new();
        (0..WAITING_OF_SITE).for_each(|_| assert!(queue.push(NOISY, ())));
        assert!(!queue.push(NOISY, ()));
        assert!(queue.push(QUIET, ()));
        while queue.lines().waiting > 0 {
            queue.next(256).await;
        }
        assert!(queue.lines().of_site.is_empty(), "nothing is remembered");
        assert!(queue.lines().turns.is_empty());
        assert!(queue.push(NOISY, ()));
    }

    #[tokio::test]
    async fn all_lines_together_are_bounded() {
        let queue = Queue::new();
        let mut taken = 0;
        for site in 0..10 {
            taken += (0..WAITING_OF_SITE).filter(|_| queue.push(SiteId(site), ())).count();
        }
        assert_eq!(taken, WAITING);
        queue.close();
        assert!(!queue.push(SiteId(77), ()));
        while taken > 0 {
            taken -= queue.next(256).await.len();
        }
        assert_eq!(queue.next(256).await.len(), 0, "closed and empty");
    }
}
