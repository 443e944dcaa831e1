//! SQL of the event log.

use std::collections::{BTreeMap, BTreeSet};

use crate::bulk_rows;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{ConversationId, EventId, MessageId, SiteId, VisitorId, WorkspaceId};
use crate::record;
use crate::storage::{Reader, Store, Tx, Value};
use crate::values;

use super::{Event, EventNumbers, GlobalNumber, LogPosition, Proof, Recorded, Scope};

const TAKE_NUMBERS: &str = "INSERT INTO site_counters (site_id, n) VALUES ($1, $2)
    ON CONFLICT (site_id) DO UPDATE SET n = site_counters.n + $2 RETURNING n";
const LAST_NUMBERS: &str = concat!(
    "SELECT c.site_id, c.n FROM ",
    bulk_rows!("$1"),
    " AS r CROSS JOIN site_counters AS c WHERE c.site_id = CAST(r.value ->> 0 AS BIGINT)"
);
const SET_LAST_NUMBERS: &str = concat!(
    "UPDATE site_counters SET n = CAST(r.value ->> 1 AS BIGINT) FROM ",
    bulk_rows!("$1"),
    " AS r WHERE site_counters.site_id = CAST(r.value ->> 0 AS BIGINT)"
);
const ADD: &str = concat!(
    "INSERT INTO events (id, site_id, n, conversation_id, visitor_id, proof, kind, body, at)
    SELECT CAST(r.value ->> 0 AS BIGINT), CAST(r.value ->> 1 AS BIGINT), CAST(r.value ->> 2 AS BIGINT),
        CAST(r.value ->> 3 AS BIGINT), CAST(r.value ->> 4 AS BIGINT), r.value ->> 5, r.value ->> 6, r.value ->> 7,
        CAST(r.value ->> 8 AS BIGINT)
    FROM ",
    bulk_rows!("$1"),
    " AS r"
);
const SITE_RANGE: &str = "SELECT c.site_id, c.trimmed, c.n FROM site_counters AS c WHERE c.site_id = $1";
const RANGE: &str = "SELECT (SELECT COALESCE(MAX(id), 0) FROM messages) AS message,
    (SELECT COALESCE(MAX(id), 0) FROM events) AS event, CAST(i.value AS BIGINT) AS trimmed
    FROM instance AS i WHERE i.name = 'trimmed_event'";
const OF_CONVERSATION_AFTER: &str = "SELECT id, site_id, n, conversation_id, visitor_id, proof, body, at FROM events
    WHERE site_id = $1 AND conversation_id = $2 AND n > $3 AND n <= $4 ORDER BY n LIMIT $5";
// A message is its own event: its row has its numbers, so the hot path writes nothing twice.
//
// Events that a console missed are searched among the events of all sites: a short scan, however many sites it has.
const WORKSPACE_AFTER: &str = "SELECT e.id, e.site_id, e.n, e.conversation_id, e.visitor_id, e.proof, e.body, e.at
    FROM events AS e CROSS JOIN sites AS s
    WHERE e.id > $2 AND e.id <= $3 AND s.id = e.site_id AND s.workspace_id = $1 ORDER BY e.id LIMIT $4";
const WORKSPACE_SENT_AFTER: &str = "SELECT m.id, m.site_id, m.n, m.conversation_id, m.seq, m.at, c.visitor_id, c.proof
    FROM messages AS m CROSS JOIN sites AS s CROSS JOIN conversations AS c
    WHERE m.id > $2 AND m.id <= $3 AND s.id = m.site_id AND s.workspace_id = $1
        AND c.site_id = m.site_id AND c.id = m.conversation_id ORDER BY m.id LIMIT $4";
// The plus keeps the planner from scanning the site's whole log: a conversation is short, a site's log is not.
const SENT_IN_CONVERSATION_AFTER: &str =
    "SELECT m.id, m.site_id, m.n, m.conversation_id, m.seq, m.at, c.visitor_id, c.proof
    FROM messages AS m JOIN conversations AS c ON c.site_id = m.site_id AND c.id = m.conversation_id
    WHERE m.site_id = $1 AND m.conversation_id = $2 AND +m.n > $3 AND +m.n <= $4 ORDER BY m.seq LIMIT $5";
// The plus keeps the planner from scanning the whole log in site order: few events are old.
const OLDEST_KEPT: &str = "SELECT site_id, MAX(n), MAX(id) FROM events WHERE at < $1 GROUP BY +site_id";
const TRIM: &str = "DELETE FROM events WHERE id IN
    (SELECT e.id FROM events AS e WHERE e.site_id = $1 AND e.n <= $2 ORDER BY e.n LIMIT $3)";
const SET_TRIMMED_EVENT: &str = "UPDATE instance SET value = CAST($1 AS TEXT)
    WHERE name = 'trimmed_event' AND CAST(value AS BIGINT) < $1";
const SET_TRIMMED: &str = "UPDATE site_counters SET trimmed = $2 WHERE site_id = $1 AND trimmed < $2";
const TRUNCATE_HISTORY: &str = "UPDATE site_counters SET trimmed = n WHERE site_id = $1";

/// The statements of this file, for the test that prepares all of them.
pub const SQL: &[&str] = &[
    TAKE_NUMBERS,
    LAST_NUMBERS,
    SET_LAST_NUMBERS,
    ADD,
    SITE_RANGE,
    RANGE,
    OF_CONVERSATION_AFTER,
    WORKSPACE_AFTER,
    WORKSPACE_SENT_AFTER,
    SENT_IN_CONVERSATION_AFTER,
    OLDEST_KEPT,
    TRIM,
    SET_TRIMMED_EVENT,
    SET_TRIMMED,
    TRUNCATE_HISTORY,
];

struct Row {
    id: EventId,
    site_id: SiteId,
    n: i64,
    conversation_id: Option<ConversationId>,
    visitor_id: Option<VisitorId>,
    proof: Option<String>,
    body: String,
    at: Millis,
}
record!(Row { id, site_id, n, conversation_id, visitor_id, proof, body, at });

impl Row {
    /// `None` for an event of an unknown kind, which a newer version wrote.
    fn read(self) -> Option<Recorded> {
        let scope = Scope {
            conversation: self.conversation_id,
            visitor: self.visitor_id,
            proof: self.proof.as_deref().map(Proof::parse),
        };
        let event = serde_json::from_str(&self.body).ok()?;
        let numbers = EventNumbers { n: self.n, global: GlobalNumber::Event(self.id.0) };
        Some(Recorded { site: self.site_id, numbers, scope, event, at: self.at, carried: None })
    }
}

struct SentRow {
    id: MessageId,
    site_id: SiteId,
    n: i64,
    conversation_id: ConversationId,
    seq: i64,
    at: Millis,
    visitor_id: VisitorId,
    proof: String,
}
record!(SentRow { id, site_id, n, conversation_id, seq, at, visitor_id, proof });

impl From<SentRow> for Recorded {
    fn from(row: SentRow) -> Recorded {
        let (conversation_id, seq) = (row.conversation_id, row.seq);
        let scope = Scope::conversation(conversation_id, row.visitor_id, Proof::parse(&row.proof));
        let event = Event::MessageSent { conversation_id, seq };
        let numbers = EventNumbers { n: row.n, global: GlobalNumber::Message(row.id.0) };
        Recorded { site: row.site_id, numbers, scope, event, at: row.at, carried: None }
    }
}

/// Merges the messages and the other events of one site's log, in order.
fn merged(rows: Vec<Row>, sent: Vec<SentRow>) -> Vec<Recorded> {
    let mut all: Vec<Recorded> = rows.into_iter().filter_map(Row::read).collect();
    all.extend(sent.into_iter().map(Recorded::from));
    all.sort_by_key(|recorded| recorded.numbers.n);
    all
}

/// Merges the messages and the other events of many sites' logs, each given in the order of its ids. An event comes after the
/// latest message before it on its own site or on the site of an earlier event: this keeps the order of each site and of both
/// kinds of ids.
fn merged_over_sites(rows: Vec<Row>, sent: Vec<SentRow>) -> Vec<Recorded> {
    let messages: BTreeMap<(SiteId, i64), MessageId> = sent.iter().map(|row| ((row.site_id, row.n), row.id)).collect();
    let mut all: Vec<((MessageId, i64), Recorded)> =
        sent.into_iter().map(|row| ((row.id, 0), Recorded::from(row))).collect();
    let mut last = MessageId(0);
    for row in rows {
        let before = messages.range((row.site_id, 0)..(row.site_id, row.n)).next_back();
        last = before.map_or(last, |(_, id)| last.max(*id));
        let id = row.id.0;
        all.extend(row.read().map(|recorded| ((last, id), recorded)));
    }
    all.sort_by_key(|(order, _)| *order);
    all.into_iter().map(|(_, recorded)| recorded).collect()
}

/// The range of a site's log.
#[derive(Debug, Clone, Copy)]
pub struct SiteRange {
    /// The site.
    pub site_id: SiteId,
    /// Events up to this number are removed.
    pub trimmed: i64,
    /// The last event.
    pub n: i64,
}
record!(SiteRange { site_id, trimmed, n });

/// The range of the whole log.
#[derive(Debug, Clone, Copy)]
pub struct LogRange {
    /// Events up to this id are removed. Messages stay.
    pub trimmed: i64,
    /// The last message and the last event.
    pub end: LogPosition,
}

/// Allocates the next numbers of a site's log and returns the last one.
pub fn take_numbers(tx: &mut Tx, site: SiteId, count: usize) -> Result<i64> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let row: Option<(i64,)> = tx.one(TAKE_NUMBERS, values![site, count])?;
    row.map(|(n,)| n).ok_or_else(|| Error::Internal("a site without a counter".into()))
}

/// The last number of each site's log. Deleted sites are left out.
///
/// # Errors
/// When the database fails.
pub fn last_numbers(tx: &mut Tx, sites: &BTreeSet<SiteId>) -> Result<BTreeMap<SiteId, i64>> {
    let rows: Vec<_> = sites.iter().map(|site| (site,)).collect();
    Ok(tx.all(LAST_NUMBERS, values![Value::json(&rows)])?.into_iter().collect())
}

/// Stores the last number of each site's log, after this transaction assigned numbers itself.
pub fn set_last_numbers(tx: &mut Tx, last: &BTreeMap<SiteId, i64>) {
    let rows: Vec<_> = last.iter().collect();
    tx.enqueue(SET_LAST_NUMBERS, values![Value::json(&rows)]);
}

/// Stores numbered events. Events of messages are not stored: the message's own row represents them.
pub fn add(tx: &mut Tx, events: &[Recorded]) {
    let rows: Vec<_> = events
        .iter()
        .filter(|e| !matches!(e.event, Event::MessageSent { .. }))
        .map(|e| {
            let body = serde_json::to_string(&e.event).unwrap_or_default();
            let proof = e.scope.proof.as_ref().map(Proof::to_text);
            let EventNumbers { n, global: GlobalNumber::Event(id) | GlobalNumber::Message(id) } = e.numbers;
            (id, e.site, n, e.scope.conversation, e.scope.visitor, proof, e.event.kind(), body, e.at)
        })
        .collect();
    if !rows.is_empty() {
        tx.enqueue(ADD, values![Value::json(&rows)]);
    }
}

/// The range of one site's log; `None` when the site is deleted.
pub async fn site_range(store: &Store, site: SiteId) -> Result<Option<SiteRange>> {
    store.one(SITE_RANGE, values![site]).await
}

/// The range of the whole log.
pub async fn range(store: &Store) -> Result<LogRange> {
    let row: Option<(i64, i64, i64)> = store.one(RANGE, []).await?;
    let (message, event, trimmed) = row.ok_or_else(|| Error::Internal("the database has no trimmed_event".into()))?;
    Ok(LogRange { trimmed, end: LogPosition { message, event: event.max(trimmed) } })
}

/// Events of a workspace's sites after one position and up to another; `None` when there are `limit` or more messages, or `limit`
/// or more other events.
pub async fn of_workspace_after(
    store: &Store,
    workspace: WorkspaceId,
    (after, upto): (LogPosition, LogPosition),
    limit: i64,
) -> Result<Option<Vec<Recorded>>> {
    let both = move |reader: &mut Reader| {
        let rows: Vec<Row> = reader.all(WORKSPACE_AFTER, values![workspace, after.event, upto.event, limit])?;
        let sent: Vec<SentRow> =
            reader.all(WORKSPACE_SENT_AFTER, values![workspace, after.message, upto.message, limit])?;
        Ok((rows, sent))
    };
    let (rows, sent) = store.read(both).await?;
    let few = rows.len().max(sent.len()) < usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(few.then(|| merged_over_sites(rows, sent)))
}

/// Events of one conversation after one number and up to another: at most `limit` messages and `limit` other events.
pub async fn of_conversation_after(
    store: &Store,
    site: SiteId,
    conversation: ConversationId,
    (n, upto): (i64, i64),
    limit: i64,
) -> Result<Vec<Recorded>> {
    let values = values![site, conversation, n, upto, limit];
    let both = move |reader: &mut Reader| {
        let rows: Vec<Row> = reader.all(OF_CONVERSATION_AFTER, &values)?;
        let sent: Vec<SentRow> = reader.all(SENT_IN_CONVERSATION_AFTER, &values)?;
        Ok(merged(rows, sent))
    };
    store.read(both).await
}

/// For each site, the last event before a time: its number on the site and in the whole database.
pub(super) async fn last_before(store: &Store, moment: Millis) -> Result<Vec<(SiteId, i64, i64)>> {
    store.all(OLDEST_KEPT, values![moment]).await
}

/// Stores the id up to which events of the whole database are about to be removed.
pub(super) fn set_trimmed(tx: &mut Tx, event: i64) -> Result<()> {
    tx.run(SET_TRIMMED_EVENT, values![event]).map(drop)
}

/// Removes up to `limit` of a site's events up to a number, oldest first. Returns how many.
pub(super) fn trim_to(tx: &mut Tx, site: SiteId, n: i64, limit: i64) -> Result<i64> {
    tx.run(SET_TRIMMED, values![site, n])?;
    tx.run(TRIM, values![site, n, limit]).map(|removed| removed as i64)
}

/// Removes up to `limit` events of a deleted site, oldest first. Returns how many.
pub fn delete_batch(tx: &mut Tx, site: SiteId, limit: i64) -> Result<i64> {
    tx.run(TRIM, values![site, i64::MAX, limit]).map(|removed| removed as i64)
}

/// Truncates the history of a site's log: pages that were offline resync. A trim removes the rows afterwards.
pub(super) fn truncate_history(tx: &mut Tx, site: SiteId) -> Result<()> {
    tx.run(TRUNCATE_HISTORY, values![site]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: i64, site: i64, n: i64) -> Row {
        let body = serde_json::to_string(&Event::SiteChanged).expect("JSON");
        let (id, site_id, at) = (EventId(id), SiteId(site), Millis(0));
        Row { id, site_id, n, conversation_id: None, visitor_id: None, proof: None, body, at }
    }

    fn message(id: i64, site: i64, n: i64) -> SentRow {
        let (id, site_id, conversation_id) = (MessageId(id), SiteId(site), ConversationId(1));
        SentRow {
            id,
            site_id,
            n,
            conversation_id,
            seq: n,
            at: Millis(0),
            visitor_id: VisitorId(1),
            proof: "signed".into(),
        }
    }

    /// Every log of six entries on two sites.
    #[test]
    fn the_log_of_many_sites_keeps_the_order_of_each_site_and_of_both_numbers() {
        for pattern in 0..1 << 12 {
            let (mut rows, mut sent, mut ends) = (Vec::new(), Vec::new(), [0; 2]);
            for turn in 0..6 {
                let (site, is_message) = (pattern >> (2 * turn) & 1, pattern >> (2 * turn) & 2 != 0);
                ends[site] += 1;
                if is_message {
                    sent.push(message(sent.len() as i64 + 1, site as i64, ends[site]));
                } else {
                    rows.push(event(rows.len() as i64 + 1, site as i64, ends[site]));
                }
            }
            let (mut position, mut last) = (LogPosition::default(), [0; 2]);
            for Recorded { site, numbers, .. } in merged_over_sites(rows, sent) {
                assert!(!position.contains(numbers.global), "{pattern:b}: a cursor would skip {numbers:?}");
                position = position.with(numbers.global);
                let before = std::mem::replace(&mut last[site.0 as usize], numbers.n);
                assert_eq!(numbers.n, before + 1, "{pattern:b}");
            }
            assert_eq!(position.message + position.event, 6);
        }
    }
}
