//! Delivered and seen receipts: accurate, stored and cheap. They are batched for a moment and written in one transaction.

use std::collections::HashMap;

use crate::error::Result;
use crate::events::{self, Counters, Event, Scope};
use crate::id::{ConversationId, SiteId};
use crate::storage::{Store, Tx, WriteBehind};

use super::{Conversation, Side, ThreadCache, Watermarks, store};

/// The kind of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ReceiptKind {
    Delivered,
    Seen,
}

/// A receipt: `side` has received or seen everything up to `seq`.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the fields are the sentence above")]
pub struct Receipt {
    pub site: SiteId,
    pub conversation: ConversationId,
    pub side: Side,
    pub kind: ReceiptKind,
    pub seq: i64,
}

/// Queues receipts and writes them behind.
pub struct Receipts(WriteBehind<Receipt>);

impl Receipts {
    /// Spawns the task that writes receipts.
    pub fn start(store: Store) -> Receipts {
        Receipts(WriteBehind::start("receipts", add, move |raised| {
            let store = store.clone();
            async move { store.write(move |tx| write(tx, &raised)).await }
        }))
    }

    /// Queues a receipt. Never waits: a full queue drops it, and the next receipt covers it, because both are watermarks.
    pub fn queue(&self, receipt: Receipt) {
        self.0.queue(receipt);
    }
}

type Key = (SiteId, ConversationId);
type Raised = HashMap<Key, Watermarks>;

fn add(raised: &mut Raised, receipt: Receipt) {
    let watermarks = raised.entry((receipt.site, receipt.conversation)).or_default();
    let raise = |mark: &mut i64| *mark = (*mark).max(receipt.seq);
    match (receipt.side, receipt.kind) {
        (Side::Visitor, ReceiptKind::Delivered) => raise(&mut watermarks.visitor_delivered),
        (Side::Agent, ReceiptKind::Delivered) => raise(&mut watermarks.agent_delivered),
        // Seen implies delivered.
        (Side::Visitor, ReceiptKind::Seen) => {
            raise(&mut watermarks.visitor_delivered);
            raise(&mut watermarks.visitor_seen);
        }
        (Side::Agent, ReceiptKind::Seen) => {
            raise(&mut watermarks.agent_delivered);
            raise(&mut watermarks.agent_seen);
        }
    }
}

fn write(tx: &mut Tx, raised: &Raised) -> Result<()> {
    let keys: Vec<Key> = raised.keys().copied().collect();
    let mut counters = Counters::lock(tx, &keys.iter().map(|(site, _)| *site).collect())?;
    tx.cache::<ThreadCache>().check(&counters);
    let mut by_site: HashMap<SiteId, Vec<(Scope, Event)>> = HashMap::new();
    for mut conversation in store::find_many_in(tx, &keys)? {
        let before = conversation.watermarks;
        let Some(raised) = raised.get(&(conversation.site_id, conversation.id)) else { continue };
        conversation.watermarks = before.raised(*raised, conversation.last_seq);
        if conversation.watermarks == before {
            continue;
        }
        store::raise(tx, &mut conversation)?;
        tx.cache::<ThreadCache>().update(&conversation);
        by_site.entry(conversation.site_id).or_default().extend(changes(&conversation, before));
    }
    for (site, events) in by_site {
        events::record_under(tx, &mut counters, site, events)?;
    }
    counters.write(tx);
    tx.cache::<ThreadCache>().confirm(&counters);
    Ok(())
}

impl Watermarks {
    /// Each watermark at its higher value, at most the last message.
    fn raised(self, raised: Watermarks, last_seq: i64) -> Watermarks {
        let higher = |now: i64, raised: i64| now.max(raised.min(last_seq));
        Watermarks {
            visitor_delivered: higher(self.visitor_delivered, raised.visitor_delivered),
            visitor_seen: higher(self.visitor_seen, raised.visitor_seen),
            agent_delivered: higher(self.agent_delivered, raised.agent_delivered),
            agent_seen: higher(self.agent_seen, raised.agent_seen),
        }
    }
}

/// One event for each side and watermark that rose; `seen` implies `delivered`.
fn changes(conversation: &Conversation, before: Watermarks) -> Vec<(Scope, Event)> {
    let (now, unread) = (conversation.watermarks, conversation.unread_agent);
    let (id, public_id) = (conversation.id, &conversation.public_id);
    let mut events = Vec::new();
    let sides = [
        (
            Side::Visitor,
            before.visitor_seen < now.visitor_seen,
            now.visitor_seen,
            before.visitor_delivered,
            now.visitor_delivered,
        ),
        (Side::Agent, before.agent_seen < now.agent_seen, now.agent_seen, before.agent_delivered, now.agent_delivered),
    ];
    for (by, seen_rose, seen, was_delivered, delivered) in sides {
        if delivered > was_delivered && !(seen_rose && seen >= delivered) {
            events.push(Event::Delivered { conversation_id: id, public_id: public_id.clone(), by, seq: delivered });
        }
        if seen_rose {
            events.push(Event::Seen { conversation_id: id, public_id: public_id.clone(), by, seq: seen, unread });
        }
    }
    let scope = Scope::conversation(id, conversation.visitor_id, conversation.proof.clone());
    events.into_iter().map(|event| (scope.clone(), event)).collect()
}
