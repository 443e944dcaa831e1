//! How the log is kept.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::FromRow;

use crate::bulk_rows;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{ConversationId, SiteId, VisitorId};
use crate::storage::{Statement, Store, Tx, Value};
use crate::values;
use crate::visitors::Proof;

use super::{Event, Recorded, Scope};

const TAKE_NUMBERS: &str = "INSERT INTO site_counters (site_id, n) VALUES ($1, $2)
    ON CONFLICT (site_id) DO UPDATE SET n = site_counters.n + $2 RETURNING n";
const LAST_NUMBERS: &str = concat!(
    "SELECT c.site_id, c.n FROM ",
    bulk_rows!("$1"),
    " AS r CROSS JOIN site_counters AS c WHERE c.site_id = CAST(r.value ->> 0 AS BIGINT)"
);
const NOTE_NUMBERS: &str = concat!(
    "UPDATE site_counters SET n = CAST(r.value ->> 1 AS BIGINT) FROM ",
    bulk_rows!("$1"),
    " AS r WHERE site_counters.site_id = CAST(r.value ->> 0 AS BIGINT)"
);
const ADD: &str = concat!(
    "INSERT INTO events (site_id, n, conversation_id, visitor_id, proof, kind, body, at)
    SELECT CAST(r.value ->> 0 AS BIGINT), CAST(r.value ->> 1 AS BIGINT), CAST(r.value ->> 2 AS BIGINT),
        CAST(r.value ->> 3 AS BIGINT), r.value ->> 4, r.value ->> 5, r.value ->> 6, CAST(r.value ->> 7 AS BIGINT)
    FROM ",
    bulk_rows!("$1"),
    " AS r"
);
const ENDS: &str = "SELECT c.site_id, c.trimmed, c.n FROM site_counters AS c WHERE c.site_id = $1";
const OWNED_ENDS: &str = "SELECT c.site_id, c.trimmed, c.n FROM site_counters AS c JOIN sites AS s ON s.id = c.site_id
    WHERE s.owner_id = $1";
const AFTER: &str = "SELECT * FROM events WHERE site_id = $1 AND n > $2 AND n <= $3 ORDER BY n LIMIT $4";
const OF_CONVERSATION_AFTER: &str = "SELECT * FROM events WHERE site_id = $1 AND conversation_id = $2 AND n > $3
    AND n <= $4 ORDER BY n LIMIT $5";
// A message is its own event: its row holds its number, so nothing is written twice on the hot path.
const SENT_AFTER: &str = "SELECT m.site_id, m.n, m.conversation_id, m.seq, m.at, c.visitor_id, c.proof
    FROM messages AS m JOIN conversations AS c ON c.site_id = m.site_id AND c.id = m.conversation_id
    WHERE m.site_id = $1 AND m.n > $2 AND m.n <= $3 ORDER BY m.n LIMIT $4";
// The plus keeps the engine from walking the whole site's numbers: a conversation is short, a site's log is not.
const SENT_IN_CONVERSATION_AFTER: &str = "SELECT m.site_id, m.n, m.conversation_id, m.seq, m.at, c.visitor_id, c.proof
    FROM messages AS m JOIN conversations AS c ON c.site_id = m.site_id AND c.id = m.conversation_id
    WHERE m.site_id = $1 AND m.conversation_id = $2 AND +m.n > $3 AND +m.n <= $4 ORDER BY m.seq LIMIT $5";
// The plus keeps the engine from walking the whole log in the order of sites: little of it is old.
const OLDEST_KEPT: &str = "SELECT site_id, MAX(n) FROM events WHERE at < $1 GROUP BY +site_id";
const TRIM: &str = "DELETE FROM events WHERE site_id = $1 AND n <= $2";
const NOTE_TRIM: &str = "UPDATE site_counters SET trimmed = $2 WHERE site_id = $1 AND trimmed < $2";
const FORGET: &str = "DELETE FROM events WHERE site_id = $1";
const BREAK_OFF: &str = "UPDATE site_counters SET trimmed = n WHERE site_id = $1";

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] = &[
    TAKE_NUMBERS,
    LAST_NUMBERS,
    NOTE_NUMBERS,
    ADD,
    ENDS,
    OWNED_ENDS,
    AFTER,
    OF_CONVERSATION_AFTER,
    SENT_AFTER,
    SENT_IN_CONVERSATION_AFTER,
    OLDEST_KEPT,
    TRIM,
    NOTE_TRIM,
    FORGET,
    BREAK_OFF,
];

#[derive(FromRow)]
struct Row {
    site_id: SiteId,
    n: i64,
    conversation_id: Option<ConversationId>,
    visitor_id: Option<VisitorId>,
    proof: Option<String>,
    body: String,
    at: Millis,
}

impl Row {
    /// An event that this program does not know (written by a newer one) is left out.
    fn read(self) -> Option<Recorded> {
        let scope = Scope {
            conversation: self.conversation_id,
            visitor: self.visitor_id,
            proof: self.proof.as_deref().map(Proof::parse),
        };
        let event = serde_json::from_str(&self.body).ok()?;
        Some(Recorded { site: self.site_id, n: self.n, scope, event, at: self.at, message: None })
    }
}

#[derive(FromRow)]
struct SentRow {
    site_id: SiteId,
    n: i64,
    conversation_id: ConversationId,
    seq: i64,
    at: Millis,
    visitor_id: VisitorId,
    proof: String,
}

impl From<SentRow> for Recorded {
    fn from(row: SentRow) -> Recorded {
        let (conversation_id, seq) = (row.conversation_id, row.seq);
        let scope = Scope::conversation(conversation_id, row.visitor_id, Proof::parse(&row.proof));
        let event = Event::MessageSent { conversation_id, seq };
        Recorded { site: row.site_id, n: row.n, scope, event, at: row.at, message: None }
    }
}

/// The two parts of the log as one, in order.
fn merged(rows: Vec<Row>, sent: Vec<SentRow>) -> Vec<Recorded> {
    let mut all: Vec<Recorded> = rows.into_iter().filter_map(Row::read).collect();
    all.extend(sent.into_iter().map(Recorded::from));
    all.sort_by_key(|recorded| recorded.n);
    all
}

/// How far back a site's log reaches, and where it ends.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct Ends {
    /// The site.
    pub site_id: SiteId,
    /// Everything up to this is gone.
    pub trimmed: i64,
    /// The last event.
    pub n: i64,
}

/// Takes the next numbers of a site's log; answers the last of them.
pub async fn take_numbers(tx: &mut Tx, site: SiteId, count: usize) -> Result<i64> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let row: Option<(i64,)> = tx.one(TAKE_NUMBERS, values![site, count]).await?;
    row.map(|(n,)| n).ok_or_else(|| Error::Internal("a site without a counter".into()))
}

/// Asks for the last number of each site's log: rows of a site and its number. A site that is gone is left out.
pub fn last_numbers(sites: &BTreeSet<SiteId>) -> Statement {
    let rows: Vec<_> = sites.iter().map(|site| (site,)).collect();
    Statement::new(LAST_NUMBERS, values![Value::json(&rows)])
}

/// Notes the last number of each site's log, after numbers were given by hand in this transaction.
pub fn note_numbers(tx: &mut Tx, last: &BTreeMap<SiteId, i64>) {
    let rows: Vec<_> = last.iter().collect();
    tx.later(NOTE_NUMBERS, values![Value::json(&rows)]);
}

/// Stores events whose numbers were taken. Those of messages are not stored: the message's own row is their place.
pub fn add(tx: &mut Tx, events: &[Recorded]) {
    let rows: Vec<_> = events
        .iter()
        .filter(|e| !matches!(e.event, Event::MessageSent { .. }))
        .map(|e| {
            let body = serde_json::to_string(&e.event).unwrap_or_default();
            let proof = e.scope.proof.as_ref().map(Proof::to_text);
            (e.site, e.n, e.scope.conversation, e.scope.visitor, proof, e.event.kind(), body, e.at)
        })
        .collect();
    if !rows.is_empty() {
        tx.later(ADD, values![Value::json(&rows)]);
    }
}

/// The ends of one site's log.
pub async fn ends(store: &Store, site: SiteId) -> Result<Option<Ends>> {
    store.one(ENDS, values![site]).await
}

/// The ends of the logs of all sites of an owner.
pub async fn owned_ends(store: &Store, owner: crate::id::AccountId) -> Result<Vec<Ends>> {
    store.all(OWNED_ENDS, values![owner]).await
}

/// Events of a site after one number and up to another, at most `limit` of messages and of all others.
pub async fn after(store: &Store, site: SiteId, n: i64, upto: i64, limit: i64) -> Result<Vec<Recorded>> {
    let rows: Vec<Row> = store.all(AFTER, values![site, n, upto, limit]).await?;
    let sent: Vec<SentRow> = store.all(SENT_AFTER, values![site, n, upto, limit]).await?;
    Ok(merged(rows, sent))
}

/// Events of one conversation after one number and up to another, limited likewise.
pub async fn of_conversation_after(
    store: &Store,
    site: SiteId,
    conversation: ConversationId,
    (n, upto): (i64, i64),
    limit: i64,
) -> Result<Vec<Recorded>> {
    let values = values![site, conversation, n, upto, limit];
    let rows: Vec<Row> = store.all(OF_CONVERSATION_AFTER, values.clone()).await?;
    let sent: Vec<SentRow> = store.all(SENT_IN_CONVERSATION_AFTER, values).await?;
    Ok(merged(rows, sent))
}

/// For each site, the last event older than a moment.
pub(super) async fn last_before(store: &Store, moment: Millis) -> Result<Vec<(SiteId, i64)>> {
    store.all(OLDEST_KEPT, values![moment]).await
}

pub(super) async fn trim_to(tx: &mut Tx, site: SiteId, n: i64) -> Result<u64> {
    tx.run(NOTE_TRIM, values![site, n]).await?;
    tx.run(TRIM, values![site, n]).await
}

/// Removes a site's log with the site.
pub async fn forget_site(tx: &mut Tx, site: SiteId) -> Result<()> {
    tx.run(FORGET, values![site]).await.map(drop)
}

/// Ends the past of a site's log: whoever was away loads anew, because something of it was removed for good.
pub async fn break_off(tx: &mut Tx, site: SiteId) -> Result<()> {
    tx.run(BREAK_OFF, values![site]).await?;
    tx.run(FORGET, values![site]).await.map(drop)
}
