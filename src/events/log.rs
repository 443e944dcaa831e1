//! Records events in a transaction, and publishes committed events to the relay.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::mpsc;

use crate::error::Result;
use crate::id::SiteId;
use crate::storage::{Store, Tx};

use super::{Committed, Counters, Event, Recorded, Scope, store};

/// The events of one commit, in order.
pub type Published = Vec<Recorded>;

/// The event log: the channel from commits to the relay, and a cache of the last number of each site's events.
#[derive(Clone)]
pub struct Log {
    outlet: mpsc::UnboundedSender<Published>,
    /// For each site a number that only an event of the site raises, as published or read: it is at least its last event's.
    /// Only this process writes, so the cache is exact.
    last_numbers: Arc<Mutex<HashMap<SiteId, i64>>>,
}

/// Maximum sites in the cache of last numbers.
const CACHED_SITES: usize = 100_000;

impl Log {
    /// A log and the receiver of its committed events, in commit order. The channel is unbounded on purpose: a commit must
    /// never wait for subscribers, and the relay only fills bounded queues.
    pub fn open() -> (Log, mpsc::UnboundedReceiver<Published>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Log { outlet: sender, last_numbers: Arc::default() }, receiver)
    }

    /// Updates the last numbers and sends the events to the relay. Call it after their commit.
    pub fn publish(&self, recorded: Published) {
        for event in &recorded {
            self.raise_last_number(event.site, event.n);
        }
        // The relay may have stopped while the server stops: clients resume from the stored log.
        drop(self.outlet.send(recorded));
    }

    /// A number that rises with every event of the site, and with no other; 0 when the site is deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_number(&self, store: &Store, site: SiteId) -> Result<i64> {
        let known = self.last_numbers().get(&site).copied();
        if let Some(n) = known {
            return Ok(n);
        }
        let n = store::last_number(store, site).await?.unwrap_or(0);
        Ok(self.raise_last_number(site, n))
    }

    /// Raises a site's cached last number and returns the higher one.
    fn raise_last_number(&self, site: SiteId, n: i64) -> i64 {
        let mut last_numbers = self.last_numbers();
        if last_numbers.len() >= CACHED_SITES {
            last_numbers.clear();
        }
        let end = last_numbers.entry(site).or_insert(n);
        *end = n.max(*end);
        *end
    }

    fn last_numbers(&self) -> MutexGuard<'_, HashMap<SiteId, i64>> {
        // Every change is one insert, so a poisoned map is still valid.
        self.last_numbers.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Records events of one site: numbers them, stores them, and delivers them once the transaction is durable. The last step
/// of a verb's transaction. Nobody hears of a deleted site, so its events are not recorded.
///
/// # Errors
/// When the database fails.
pub fn record(tx: &mut Tx, site: SiteId, events: Vec<(Scope, Event)>) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let mut counters = Counters::lock(tx, &BTreeSet::from([site]))?;
    record_under(tx, &mut counters, site, events)?;
    counters.write(tx);
    Ok(())
}

/// As [`record`], with the numbers of counters that the transaction has locked and writes itself.
///
/// # Errors
/// When the database fails.
pub fn record_under(tx: &mut Tx, counters: &mut Counters, site: SiteId, events: Vec<(Scope, Event)>) -> Result<()> {
    let Ok(workspace) = counters.workspace(site) else { return Ok(()) };
    let at = tx.now();
    let mut recorded = Vec::with_capacity(events.len());
    for (scope, event) in events {
        let n = counters.next(workspace)?;
        recorded.push(Recorded { workspace, site, n, scope, event, at, carried: None });
    }
    store::add(tx, &recorded);
    deliver(tx, recorded);
    Ok(())
}

/// Delivers events that are already stored, once the transaction is durable.
pub(crate) fn deliver(tx: &mut Tx, recorded: Published) {
    tx.outcome::<Committed>().events.extend(recorded);
}
