//! Records events in a transaction, and publishes committed events to the relay.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::mpsc;

use crate::error::Result;
use crate::id::{EventId, SiteId};
use crate::storage::{Kind, Store, Tx};

use super::{Committed, Event, EventNumbers, GlobalNumber, Recorded, Scope, store};

/// The events of one commit, in order.
pub type Published = Vec<Recorded>;

/// The event log: the channel from commits to the relay, and a cache of each site's last number.
#[derive(Clone)]
pub struct Log {
    outlet: mpsc::UnboundedSender<Published>,
    /// The last number of each site's log, as published or read. Only this process writes, so the cache is exact.
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
            self.raise_last_number(event.site, event.numbers.n);
        }
        // The relay may have stopped while the server stops: clients resume from the stored log.
        drop(self.outlet.send(recorded));
    }

    /// The number of a site's last event, from the cache or the database; 0 when there is none.
    pub async fn last_number(&self, store: &Store, site: SiteId) -> Result<i64> {
        let known = self.last_numbers().get(&site).copied();
        if let Some(n) = known {
            return Ok(n);
        }
        let n = store::site_range(store, site).await?.map_or(0, |range| range.n);
        Ok(self.raise_last_number(site, n))
    }

    /// The last numbers of these sites' logs; `None` unless all are cached. Within a transaction they match the database: there
    /// is one writer, and each commit updates the cache before the next transaction begins.
    pub(crate) fn known_last_numbers(&self, sites: &BTreeSet<SiteId>) -> Option<BTreeMap<SiteId, i64>> {
        let last_numbers = self.last_numbers();
        sites.iter().map(|site| Some((*site, *last_numbers.get(site)?))).collect()
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
/// of a verb's transaction.
///
/// # Errors
/// When the database fails.
pub fn record(tx: &mut Tx, site: SiteId, events: Vec<(Scope, Event)>) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let last = store::take_numbers(tx, site, events.len())?;
    let first = last + 1 - i64::try_from(events.len()).unwrap_or(i64::MAX);
    let at = tx.now();
    let mut recorded = Vec::with_capacity(events.len());
    for (n, (scope, event)) in (first..).zip(events) {
        let numbers = EventNumbers { n, global: GlobalNumber::Event(tx.next_id(Kind::Event, EventId)?.0) };
        recorded.push(Recorded { site, numbers, scope, event, at, carried: None });
    }
    store::add(tx, &recorded);
    deliver(tx, recorded);
    Ok(())
}

/// Truncates the history of a site's log, because part of it was removed permanently: clients that were offline resync, and so
/// do connected consoles.
///
/// # Errors
/// When the database fails.
pub fn truncate_history(tx: &mut Tx, site: SiteId) -> Result<()> {
    store::truncate_history(tx, site)?;
    record(tx, site, vec![(Scope::site(), Event::HistoryTruncated)])
}

/// Delivers events that are already stored, once the transaction is durable.
pub(crate) fn deliver(tx: &mut Tx, recorded: Published) {
    tx.outcome::<Committed>().events.extend(recorded);
}
