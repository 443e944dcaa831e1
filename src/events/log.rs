//! Recording in a transaction, and handing what was committed to whoever relays it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::mpsc;

use crate::error::Result;
use crate::id::{EventId, SiteId};
use crate::storage::{Kind, Store, Tx};

use super::{Committed, Event, Number, Place, Recorded, Scope, store};

/// Events of one commit, in order.
pub type Published = Vec<Recorded>;

/// The event log: the way from commits to the relay, and where each site's log ends.
#[derive(Clone)]
pub struct Log {
    outlet: mpsc::UnboundedSender<Published>,
    /// Where the log of each site ends, as far as this process has told or asked. One process writes, so it knows.
    ends: Arc<Mutex<HashMap<SiteId, i64>>>,
}

/// Sites whose end is kept in memory.
const KEPT_ENDS: usize = 100_000;

impl Log {
    /// A log and the end at which its committed events come out, in commit order. The channel is unbounded on purpose: a
    /// commit must never wait for its listeners, and the relay does nothing slower than filling bounded seats.
    pub fn open() -> (Log, mpsc::UnboundedReceiver<Published>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Log { outlet: sender, ends: Arc::default() }, receiver)
    }

    /// Notes where the logs of these events end, and hands them to whoever relays them. Called after their commit.
    pub fn publish(&self, recorded: Published) {
        for event in &recorded {
            self.note_end(event.site, event.place.n);
        }
        // Nobody listens while the server stops: the stored log has it.
        drop(self.outlet.send(recorded));
    }

    /// The number of a site's last event; 0 when there is none.
    pub async fn end(&self, store: &Store, site: SiteId) -> Result<i64> {
        let known = self.ends().get(&site).copied();
        if let Some(n) = known {
            return Ok(n);
        }
        let n = store::ends(store, site).await?.map_or(0, |ends| ends.n);
        Ok(self.note_end(site, n))
    }

    /// The last numbers of these sites' logs, where they are all known. Inside a transaction they are the numbers that it
    /// sees: nobody else writes, and each commit notes its own before the next one begins.
    pub(crate) fn known_ends(&self, sites: &BTreeSet<SiteId>) -> Option<BTreeMap<SiteId, i64>> {
        let ends = self.ends();
        sites.iter().map(|site| Some((*site, *ends.get(site)?))).collect()
    }

    /// Notes where a log ends; answers the furthest that is known.
    fn note_end(&self, site: SiteId, n: i64) -> i64 {
        let mut ends = self.ends();
        if ends.len() >= KEPT_ENDS {
            ends.clear();
        }
        let end = ends.entry(site).or_insert(n);
        *end = n.max(*end);
        *end
    }

    fn ends(&self) -> MutexGuard<'_, HashMap<SiteId, i64>> {
        // Every change is one insert, so a poisoned map is still good.
        self.ends.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Records events of one site: numbers them, stores them, and has them delivered once the transaction is durable. The last
/// thing that a verb does in its transaction.
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
        let place = Place { n, number: Number::Event(tx.next_id(Kind::Event, EventId)?.0) };
        recorded.push(Recorded { site, place, scope, event, at, carried: None });
    }
    store::add(tx, &recorded);
    deliver(tx, recorded);
    Ok(())
}

/// Ends the past of a site's log, because something of it was removed for good: whoever was away loads anew, and so do the
/// consoles that listen.
///
/// # Errors
/// When the database fails.
pub fn break_off(tx: &mut Tx, site: SiteId) -> Result<()> {
    store::break_off(tx, site)?;
    record(tx, site, vec![(Scope::site(), Event::BrokenOff)])
}

/// Has events delivered that are stored already, once the transaction is durable.
pub(crate) fn deliver(tx: &mut Tx, recorded: Published) {
    tx.outcome::<Committed>().events.extend(recorded);
}
