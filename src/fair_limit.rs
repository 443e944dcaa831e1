//! Concurrency limit: at most four requests of an account, four of a workspace, and four of its sites' visitors, run at once.
//! Others queue without delaying other tenants. Messages have a queue of their own (`messages::queue`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};
use crate::id::{AccountId, WorkspaceId};

/// Concurrent requests of a tenant. The database has one writer, which serves in order: so many may be ahead of another
/// tenant's request.
const DEFAULT_CONCURRENCY: usize = 4;
/// Requests of a tenant that run or wait. Further ones are refused.
const MAX_QUEUED: usize = 4_096;

/// Limits the concurrent requests of each tenant.
pub struct FairLimit {
    concurrency: usize,
    queues: Arc<Queues>,
}

impl Default for FairLimit {
    /// The limit for requests.
    fn default() -> FairLimit {
        FairLimit::new(DEFAULT_CONCURRENCY)
    }
}

type Queues = Mutex<HashMap<Tenant, Queue>>;

/// A unit of fairness. Visitors who send many requests delay other visitors of the workspace's sites, not its console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tenant {
    /// Requests of an account, whatever the workspace: none of its members holds up the others.
    Account(AccountId),
    /// The workspace's own requests: its consoles and scripts.
    Workspace(WorkspaceId),
    /// Requests of the visitors of the workspace's sites.
    Visitors(WorkspaceId),
}

struct Queue {
    semaphore: Arc<Semaphore>,
    pending: usize,
}

/// A permit to run, released on drop.
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
    /// A limit of `concurrency` running requests for each tenant.
    pub fn new(concurrency: usize) -> FairLimit {
        FairLimit { concurrency, queues: Arc::default() }
    }

    /// Waits for a permit of this tenant. Whoever needs two acquires the account's first and the
    /// workspace's second; any other order can deadlock.
    ///
    /// # Errors
    /// `Unavailable` when too many requests of the tenant wait already.
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

/// A place in a tenant's queue, given up on drop.
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

/// Ignores poisoning: every update is a single step, so the map is valid after a panic.
fn locked(queues: &Queues) -> MutexGuard<'_, HashMap<Tenant, Queue>> {
    queues.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const NOISY: Tenant = Tenant::Visitors(WorkspaceId(1));
    const QUIET: Tenant = Tenant::Workspace(WorkspaceId(2));

    fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn a_tenant_waits_for_its_own_requests_only() {
        let limit = FairLimit::default();
        let mut held = Vec::new();
        for _ in 0..DEFAULT_CONCURRENCY {
            held.push(limit.acquire(NOISY).await.expect("a permit"));
        }
        let mut next = std::pin::pin!(limit.acquire(NOISY));
        assert!(poll_once(next.as_mut()).is_pending(), "one too many at once");
        drop(limit.acquire(QUIET).await.expect("another account's is free"));
        drop(limit.acquire(Tenant::Workspace(WorkspaceId(1))).await.expect("the workspace's own is free"));
        held.pop();
        drop(next.await.expect("the queued request gets the permit"));
        held.clear();
        assert!(locked(&limit.queues).is_empty(), "nothing is remembered of who left");
    }

    #[tokio::test]
    async fn a_queue_is_bounded_and_leaving_frees_a_slot() {
        let limit = FairLimit::default();
        let mut held = Vec::new();
        for _ in 0..DEFAULT_CONCURRENCY {
            held.push(limit.acquire(NOISY).await.expect("a permit"));
        }
        let mut waiting: Vec<_> = (DEFAULT_CONCURRENCY..MAX_QUEUED).map(|_| Box::pin(limit.acquire(NOISY))).collect();
        assert!(waiting.iter_mut().all(|one| poll_once(one.as_mut()).is_pending()));
        assert!(matches!(limit.acquire(NOISY).await, Err(Error::Unavailable)));
        waiting.clear();
        held.clear();
        drop(limit.acquire(NOISY).await.expect("a permit"));
    }
}
