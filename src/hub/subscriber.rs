//! A subscriber: one connected client and its bounded queue of events and signals.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::Notify;

use crate::error::ErrorCode;
use crate::id::{AccountId, SessionId, SiteId, WorkspaceId};
use crate::members::{Role, SiteScope};
use crate::sites::IdentityMode;
use crate::visitors::VisitorSession;

/// Maximum items queued for one client. A client that exceeds it reads too slowly: it is disconnected and resumes.
const QUEUE_LENGTH: usize = 256;
/// Maximum bytes queued for one client.
const QUEUE_BYTES: usize = 1024 * 1024;

/// Who a subscriber is.
#[derive(Debug, Clone)]
pub enum Principal {
    /// A visitor's browser.
    Visitor {
        /// Its session.
        session: VisitorSession,
        /// The identity mode of its site: what the session may see.
        mode: IdentityMode,
        /// The site's workspace, whose operators receive its presence.
        workspace: WorkspaceId,
        /// The origin of the customer's page; `None`: a page of this server, or a script.
        origin: Option<Box<str>>,
    },
    /// An operator's console.
    Operator {
        /// The workspace that the console shows.
        workspace: WorkspaceId,
        /// What this member may do in it.
        role: Role,
        /// Its sites that this member may see.
        sites: SiteScope,
        /// The account.
        account: AccountId,
        /// The session that opened it. The subscription ends with the session.
        session: SessionId,
    },
}

impl Principal {
    /// Whether both are the same person: a visitor with the same proof, or a member. Somebody who types another visitor's
    /// external id uses none of its connections.
    pub(crate) fn is_same_person(&self, other: &Principal) -> bool {
        match (self, other) {
            (Principal::Visitor { session, .. }, Principal::Visitor { session: other, .. }) => {
                session.proof == other.proof
            }
            (Principal::Operator { account, .. }, Principal::Operator { account: other, .. }) => account == other,
            (Principal::Visitor { .. }, Principal::Operator { .. })
            | (Principal::Operator { .. }, Principal::Visitor { .. }) => false,
        }
    }

    /// Whether this is a member who may see the site.
    pub(crate) fn looks_after(&self, site: SiteId) -> bool {
        matches!(self, Principal::Operator { sites, .. } if sites.contains(site))
    }

    /// Whether this is a member who may answer visitors of the site.
    pub(crate) fn answers_on(&self, site: SiteId) -> bool {
        matches!(self, Principal::Operator { role, .. } if *role >= Role::Operator) && self.looks_after(site)
    }
}

/// An item of the queue.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// An event: its number in the log, and its JSON.
    Event { n: i64, json: Arc<str> },
    /// A complete frame that is not in the log. All subscribers share its bytes.
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

/// Why the server ends a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The queue overflowed.
    TooSlow,
    /// The credential is no longer valid.
    Refused(ErrorCode),
    /// The client's access has changed: it must resync.
    Reload,
    /// The server is stopping.
    Restart,
}

/// One connected client.
pub struct Subscriber {
    pub(crate) id: u64,
    pub(crate) principal: Principal,
    /// A chat is visible there. Only a console is ever absent.
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

impl Subscriber {
    pub(crate) fn new(id: u64, principal: Principal, present: bool) -> Subscriber {
        Subscriber { id, principal, present: AtomicBool::new(present), queue: Mutex::default(), wake: Notify::new() }
    }

    /// Queues an event. A full queue ends the subscription: the client resumes from its cursor and misses nothing.
    pub(crate) fn deliver(&self, n: i64, json: Arc<str>) {
        self.push(Item::Event { n, json });
    }

    /// Queues a signal. It is dropped when the queue is half full.
    pub(crate) fn signal(&self, frame: Utf8Bytes) {
        if self.queue().items.len() < QUEUE_LENGTH / 2 {
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
            if queue.items.len() >= QUEUE_LENGTH || queue.bytes + size > QUEUE_BYTES {
                queue.ending = Some(Ending::TooSlow);
            } else {
                queue.bytes += size;
                queue.items.push_back(item);
            }
        }
        self.wake.notify_one();
    }

    /// Waits for the next item, or the reason why the subscription ends. Cancel-safe.
    pub(crate) async fn next(&self) -> Result<Item, Ending> {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.wake.notified().await;
        }
    }

    /// The next item or the end, without waiting; `None` when there is neither.
    pub(crate) fn take(&self) -> Option<Result<Item, Ending>> {
        let mut queue = self.queue();
        if let Some(ending) = queue.ending {
            return Some(Err(ending));
        }
        let item = queue.items.pop_front()?;
        queue.bytes -= item.bytes();
        if queue.items.is_empty() {
            // An idle subscriber keeps no buffer.
            queue.items = VecDeque::new();
        }
        Some(Ok(item))
    }

    /// Whether neither an item nor the end is queued.
    pub(crate) fn is_empty(&self) -> bool {
        let queue = self.queue();
        queue.items.is_empty() && queue.ending.is_none()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Never held across an await, and every change is complete, so a poisoned queue is still valid.
        self.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
