//! Turns at work: an account has so many requests under way at once, whatever they ask for, and the visitors of its sites
//! as many; the rest of theirs wait, and nobody else does. Messages take turns in a queue of their own (`messages::queue`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};
use crate::id::AccountId;

/// Requests of one account at work. The one writer of the database serves in order: so many may stand before another's.
const DEFAULT_CONCURRENCY: usize = 4;
/// Requests of one account at work or waiting. Further ones are told to come back.
const MAX_QUEUED: usize = 4_096;

/// Who is at work.
pub struct FairLimit {
    concurrency: usize,
    queues: Arc<Queues>,
}

impl Default for FairLimit {
    /// For requests.
    fn default() -> FairLimit {
        FairLimit::new(DEFAULT_CONCURRENCY)
    }
}

type Queues = Mutex<HashMap<Tenant, Queue>>;

/// Who stands in a line. Visitors who come again and again hold up other visitors of the sites, not their console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tenant {
    /// The account's own: its consoles and scripts.
    Account(AccountId),
    /// Those of the visitors of its sites.
    Visitors(AccountId),
}

struct Queue {
    semaphore: Arc<Semaphore>,
    pending: usize,
}

/// A request's turn, for as long as it is held.
pub struct FairPermit {
    _permit: OwnedSemaphorePermit,
    _entry: QueueEntry,
}

impl std::fmt::Debug for FairPermit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Turn")
    }
}

impl FairLimit {
    /// With so many at work at once in each line.
    pub fn new(concurrency: usize) -> FairLimit {
        FairLimit { concurrency, queues: Arc::default() }
    }

    /// Waits for a turn in this line. Never take a second one while holding one: all might.
    ///
    /// # Errors
    /// `Unavailable` when too many wait in it already.
    pub async fn acquire(&self, tenant: Tenant) -> Result<FairPermit> {
        let (semaphore, entry) = {
            let mut queues = locked(&self.queues);
            let new = || Queue { semaphore: Arc::new(Semaphore::new(self.concurrency)), pending: 0 };
            let queue = queues.entry(tenant).or_insert_with(new);
            if queue.pending >= MAX_QUEUED {
                return Err(Error::Unavailable);
            }
            queue.pending += 1;
            (queue.semaphore.clone(), QueueEntry { queues: self.queues.clone(), tenant })
        };
        let permit = semaphore.acquire_owned().await.map_err(|_| Error::Unavailable)?;
        Ok(FairPermit { _permit: permit, _entry: entry })
    }
}

/// Counted in a line.
struct QueueEntry {
    queues: Arc<Queues>,
    tenant: Tenant,
}

impl Drop for QueueEntry {
    fn drop(&mut self) {
        let mut queues = locked(&self.queues);
        if let Some(queue) = queues.get_mut(&self.tenant) {
            queue.pending -= 1;
            if queue.pending == 0 {
                queues.remove(&self.tenant);
            }
        }
    }
}

/// Every change is one step, so a poisoned map is still good.
fn locked(queues: &Queues) -> MutexGuard<'_, HashMap<Tenant, Queue>> {
    queues.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const NOISY: Tenant = Tenant::Visitors(AccountId(1));
    const QUIET: Tenant = Tenant::Account(AccountId(2));

    fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn an_account_waits_for_itself_alone() {
        let limit = FairLimit::default();
        let mut held = Vec::new();
        for _ in 0..DEFAULT_CONCURRENCY {
            held.push(limit.acquire(NOISY).await.expect("a turn"));
        }
        let mut next = std::pin::pin!(limit.acquire(NOISY));
        assert!(poll_once(next.as_mut()).is_pending(), "one too many at once");
        drop(limit.acquire(QUIET).await.expect("another account's is free"));
        drop(limit.acquire(Tenant::Account(AccountId(1))).await.expect("the account's own is free"));
        held.pop();
        drop(next.await.expect("whoever waited has it"));
        held.clear();
        assert!(locked(&limit.queues).is_empty(), "nothing is remembered of who left");
    }

    #[tokio::test]
    async fn a_line_is_bounded_and_who_leaves_makes_room() {
        let limit = FairLimit::default();
        let mut held = Vec::new();
        for _ in 0..DEFAULT_CONCURRENCY {
            held.push(limit.acquire(NOISY).await.expect("a turn"));
        }
        let mut waiting: Vec<_> = (DEFAULT_CONCURRENCY..MAX_QUEUED).map(|_| Box::pin(limit.acquire(NOISY))).collect();
        assert!(waiting.iter_mut().all(|one| poll_once(one.as_mut()).is_pending()));
        assert!(matches!(limit.acquire(NOISY).await, Err(Error::Unavailable)));
        waiting.clear();
        held.clear();
        drop(limit.acquire(NOISY).await.expect("a turn"));
    }
}
