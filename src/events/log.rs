//! Recording in a transaction, and handing what was committed to whoever relays it.

use tokio::sync::mpsc;

use crate::error::Result;
use crate::id::SiteId;
use crate::storage::Tx;

use super::{Event, Recorded, Scope, store};

/// Events of one commit, in order.
pub type Published = Vec<Recorded>;

/// The event log: the only way to record, and the way from commits to the relay.
#[derive(Clone)]
pub struct Log(mpsc::UnboundedSender<Published>);

impl Log {
    /// A log and the end at which its committed events come out, in commit order. The channel is unbounded on purpose: a
    /// commit must never wait for its listeners, and the relay does nothing slower than filling bounded seats.
    pub fn open() -> (Log, mpsc::UnboundedReceiver<Published>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Log(sender), receiver)
    }

    /// Records events of one site: numbers them, stores them, and has them told once the transaction is durable.
    /// The last thing a verb does before it commits.
    pub async fn record(&self, tx: &mut Tx, site: SiteId, events: Vec<(Scope, Event)>) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let last = store::take_numbers(tx, site, events.len()).await?;
        let first = last + 1 - i64::try_from(events.len()).unwrap_or(i64::MAX);
        let at = tx.now();
        let recorded: Vec<Recorded> = (first..)
            .zip(events)
            .map(|(n, (scope, event))| Recorded { site, n, scope, event, at, message: None })
            .collect();
        store::add(tx, &recorded).await?;
        self.publish_after(tx, recorded);
        Ok(())
    }

    /// Tells events that are stored already, once the transaction is durable.
    pub(crate) fn publish_after(&self, tx: &mut Tx, recorded: Published) {
        let log = self.clone();
        // Nobody listens while the server stops: the stored log has it.
        tx.after_commit(move || drop(log.0.send(recorded)));
    }
}
