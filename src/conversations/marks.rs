//! Delivered and seen: true, stored, and cheap. Hints are gathered for a moment and written in one transaction.

use std::collections::HashMap;

use crate::error::Result;
use crate::events::{self, Event, Scope};
use crate::id::{ConversationId, SiteId};
use crate::storage::{Gathered, Store, Tx};

use super::{Conversation, Side, Threads, Watermarks, store};

/// What a side has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Mark {
    Delivered,
    Seen,
}

/// A hint: `side` has reached `seq`.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the fields are the sentence above")]
pub struct Reached {
    pub site: SiteId,
    pub conversation: ConversationId,
    pub side: Side,
    pub mark: Mark,
    pub seq: i64,
}

/// Takes hints.
pub struct Marks(Gathered<Reached>);

impl Marks {
    /// Starts gathering.
    pub fn start(store: Store) -> Marks {
        Marks(Gathered::start("delivered and seen marks", add, move |wanted| {
            let store = store.clone();
            async move { store.write(move |tx| write(tx, &wanted)).await }
        }))
    }

    /// Notes a hint. Never waits: they are watermarks, and the next one covers one that was dropped.
    pub fn note(&self, reached: Reached) {
        self.0.add(reached);
    }
}

type Key = (SiteId, ConversationId);
type Wanted = HashMap<Key, Watermarks>;

fn add(wanted: &mut Wanted, hint: Reached) {
    let marks = wanted.entry((hint.site, hint.conversation)).or_default();
    let raise = |mark: &mut i64| *mark = (*mark).max(hint.seq);
    match (hint.side, hint.mark) {
        (Side::Visitor, Mark::Delivered) => raise(&mut marks.visitor_delivered),
        (Side::Agent, Mark::Delivered) => raise(&mut marks.agent_delivered),
        // What was seen was delivered.
        (Side::Visitor, Mark::Seen) => {
            raise(&mut marks.visitor_delivered);
            raise(&mut marks.visitor_seen);
        }
        (Side::Agent, Mark::Seen) => {
            raise(&mut marks.agent_delivered);
            raise(&mut marks.agent_seen);
        }
    }
}

fn write(tx: &mut Tx, wanted: &Wanted) -> Result<()> {
    let keys: Vec<Key> = wanted.keys().copied().collect();
    let mut by_site: HashMap<SiteId, Vec<(Scope, Event)>> = HashMap::new();
    for mut conversation in store::find_many_in(tx, &keys)? {
        let before = conversation.marks;
        let Some(asked) = wanted.get(&(conversation.site_id, conversation.id)) else { continue };
        conversation.marks = before.raised(*asked, conversation.last_seq);
        if conversation.marks == before {
            continue;
        }
        store::raise(tx, &mut conversation)?;
        tx.cache::<Threads>().update(&conversation);
        by_site.entry(conversation.site_id).or_default().extend(changes(&conversation, before));
    }
    for (site, events) in by_site {
        events::record(tx, site, events)?;
    }
    tx.keep_cache();
    Ok(())
}

impl Watermarks {
    /// Each mark at its higher value, never beyond the last message.
    fn raised(self, asked: Watermarks, last_seq: i64) -> Watermarks {
        let higher = |now: i64, asked: i64| now.max(asked.min(last_seq));
        Watermarks {
            visitor_delivered: higher(self.visitor_delivered, asked.visitor_delivered),
            visitor_seen: higher(self.visitor_seen, asked.visitor_seen),
            agent_delivered: higher(self.agent_delivered, asked.agent_delivered),
            agent_seen: higher(self.agent_seen, asked.agent_seen),
        }
    }
}

/// One event for each side and mark that rose; `seen` stands for `delivered` as well.
fn changes(conversation: &Conversation, before: Watermarks) -> Vec<(Scope, Event)> {
    let (now, unread) = (conversation.marks, conversation.unread_agent);
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
