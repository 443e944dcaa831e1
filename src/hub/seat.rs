//! A seat: one connected client, and the bounded queue of what it has not been told yet.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::Notify;

use crate::error::ErrorCode;
use crate::events::Place;
use crate::id::{AccountId, SessionId};
use crate::sites::IdentityMode;
use crate::visitors::VisitorSession;

/// Things that may wait for one client. More means that it reads too slowly: it is sent away and resumes.
const WAITING: usize = 256;
/// Bytes that may wait for one client.
const WAITING_BYTES: usize = 1024 * 1024;

/// Who sits there.
#[derive(Debug, Clone)]
pub enum Who {
    /// A visitor's browser.
    Visitor {
        /// Its session.
        session: VisitorSession,
        /// What the session opens on its site.
        mode: IdentityMode,
        /// The site's owner, who hears of its presence.
        owner: AccountId,
        /// The origin of the foreign page it is on; none: a page of ours, or a script.
        origin: Option<Box<str>>,
    },
    /// An operator's console.
    Operator {
        /// The account.
        account: AccountId,
        /// The session that opened it; the seat ends with it.
        session: SessionId,
    },
}

impl Who {
    /// Do both come with the same proof? Those who type somebody's external id take none of the owner's places.
    pub(crate) fn is_as_proven(&self, other: &Who) -> bool {
        match (self, other) {
            (Who::Visitor { session, .. }, Who::Visitor { session: other, .. }) => session.proof == other.proof,
            (Who::Operator { .. }, Who::Operator { .. }) => true,
            (Who::Visitor { .. }, Who::Operator { .. }) | (Who::Operator { .. }, Who::Visitor { .. }) => false,
        }
    }
}

/// Something to tell.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// An event: its place in the log and its JSON.
    Event { place: Place, json: Arc<str> },
    /// A whole frame that is not in the log; its bytes are shared by all who hear it.
    Signal(Utf8Bytes),
}

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Item::Event { json, .. } => json.len(),
            Item::Signal(frame) => frame.len(),
        }
    }
}

/// How a seat ends from the server's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The queue overflowed.
    TooSlow,
    /// The credential ended.
    Refused(ErrorCode),
    /// What it may see has changed: load anew.
    Reload,
    /// The server stops.
    Restart,
}

/// One connected client.
pub struct Seat {
    pub(crate) id: u64,
    pub(crate) who: Who,
    /// Somebody can see a chat there. Only a console is ever absent.
    pub(crate) present: AtomicBool,
    queue: Mutex<Queue>,
    wake: Notify,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
    ending: Option<Ending>,
}

impl Seat {
    pub(crate) fn new(id: u64, who: Who, present: bool) -> Seat {
        Seat { id, who, present: AtomicBool::new(present), queue: Mutex::default(), wake: Notify::new() }
    }

    /// Adds an event. A full queue ends the seat: the client resumes from its cursor and misses nothing.
    pub(crate) fn tell(&self, place: Place, json: Arc<str>) {
        self.push(Item::Event { place, json });
    }

    /// Adds a signal; dropped where the client is behind already.
    pub(crate) fn signal(&self, frame: Utf8Bytes) {
        if self.queue().items.len() < WAITING / 2 {
            self.push(Item::Signal(frame));
        }
    }

    pub(crate) fn end(&self, ending: Ending) {
        self.queue().ending.get_or_insert(ending);
        self.wake.notify_one();
    }

    fn push(&self, item: Item) {
        let size = item.bytes();
        {
            let mut queue = self.queue();
            if queue.ending.is_some() {
                return;
            }
            if queue.items.len() >= WAITING || queue.bytes + size > WAITING_BYTES {
                queue.ending = Some(Ending::TooSlow);
            } else {
                queue.bytes += size;
                queue.items.push_back(item);
            }
        }
        self.wake.notify_one();
    }

    /// The next thing to tell, or how it ends. Safe to drop while waiting.
    pub(crate) async fn next(&self) -> Result<Item, Ending> {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.wake.notified().await;
        }
    }

    /// The same, where there is something without waiting.
    pub(crate) fn take(&self) -> Option<Result<Item, Ending>> {
        let mut queue = self.queue();
        if let Some(ending) = queue.ending {
            return Some(Err(ending));
        }
        let item = queue.items.pop_front()?;
        queue.bytes -= item.bytes();
        if queue.items.is_empty() {
            // An idle seat keeps no buffer.
            queue.items = VecDeque::new();
        }
        Some(Ok(item))
    }

    /// Does nothing wait, not even the end?
    pub(crate) fn is_empty(&self) -> bool {
        let queue = self.queue();
        queue.items.is_empty() && queue.ending.is_none()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Never held across an await, and every change is whole, so a poisoned queue is still good.
        self.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
