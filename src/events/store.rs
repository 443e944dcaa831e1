//! SQL of the event log.

use std::collections::BTreeSet;

use crate::clock::Millis;
use crate::error::Result;
use crate::id::{ConversationId, SiteId, VisitorId, WorkspaceId};
use crate::record;
use crate::storage::{Reader, Store, Tx, Value};
use crate::values;
use crate::{bulk_rows, id_rows};

use super::{Event, Proof, Recorded, Scope};

// A deleted site is in workspace 0, which has no counter.
const LOCK: &str = concat!(
    "SELECT s.id, c.workspace_id, c.n FROM sites AS s CROSS JOIN workspace_counters AS c
    WHERE c.workspace_id = s.workspace_id AND s.id IN ",
    id_rows!("$1")
);
const SET_LAST_NUMBERS: &str = concat!(
    "UPDATE workspace_counters SET n = CAST(r.value ->> 1 AS BIGINT) FROM ",
    bulk_rows!("$1"),
    " AS r WHERE workspace_counters.workspace_id = CAST(r.value ->> 0 AS BIGINT)"
);
const ADD: &str = concat!(
    "INSERT INTO events (workspace_id, site_id, n, conversation_id, visitor_id, proof, kind, body, at)
    SELECT CAST(r.value ->> 0 AS BIGINT), CAST(r.value ->> 1 AS BIGINT), CAST(r.value ->> 2 AS BIGINT),
        CAST(r.value ->> 3 AS BIGINT), CAST(r.value ->> 4 AS BIGINT), r.value ->> 5, r.value ->> 6, r.value ->> 7,
        CAST(r.value ->> 8 AS BIGINT)
    FROM ",
    bulk_rows!("$1"),
    " AS r"
);
const RANGE: &str = "SELECT c.trimmed, c.n FROM workspace_counters AS c WHERE c.workspace_id = $1";
const LAST_NUMBER: &str = "SELECT c.n FROM sites AS s CROSS JOIN workspace_counters AS c
    WHERE s.id = $1 AND c.workspace_id = s.workspace_id";
const OF_CONVERSATION_AFTER: &str =
    "SELECT e.workspace_id, e.site_id, e.n, e.conversation_id, e.visitor_id, e.proof, e.body, e.at
    FROM conversations AS c CROSS JOIN events AS e
    WHERE c.site_id = $1 AND c.id = $2 AND e.workspace_id = c.workspace_id AND e.conversation_id = c.id
        AND e.n > $3 AND e.n <= $4 ORDER BY e.n LIMIT $5";
// A message is its own event: its row has its number, so the hot path writes nothing twice. The plus keeps the planner to
// the conversation, which is short; the log of a site is not.
const SENT_IN_CONVERSATION_AFTER: &str =
    "SELECT m.workspace_id, m.site_id, m.n, m.conversation_id, m.seq, m.at, c.visitor_id, c.proof
    FROM conversations AS c CROSS JOIN messages AS m
    WHERE c.site_id = $1 AND c.id = $2 AND m.workspace_id = c.workspace_id AND m.conversation_id = c.id
        AND +m.n > $3 AND +m.n <= $4 ORDER BY m.seq LIMIT $5";

/// Rows of a site's log after a number and up to another, at most `$5` of each site, `$5` in all; `$2` lists the sites, and is
/// NULL for all of the workspace.
macro_rules! of_sites_after {
    ($select:literal, $table:literal, $join:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $select,
            " FROM sites AS s CROSS JOIN ",
            $table,
            " AS x",
            $join,
            " WHERE s.workspace_id = $1 AND (CAST($2 AS TEXT) IS NULL OR s.id IN ",
            id_rows!("$2"),
            ") AND x.workspace_id = s.workspace_id AND x.site_id = s.id AND x.n IN (SELECT y.n FROM ",
            $table,
            " AS y WHERE y.workspace_id = s.workspace_id AND y.site_id = s.id AND y.n > $3 AND y.n <= $4
                ORDER BY y.n LIMIT $5)",
            $rest,
            " ORDER BY x.n LIMIT $5"
        )
    };
}
const OF_SITES_AFTER: &str = of_sites_after!(
    "x.workspace_id, x.site_id, x.n, x.conversation_id, x.visitor_id, x.proof, x.body, x.at",
    "events",
    "",
    ""
);
const SENT_ON_SITES_AFTER: &str = of_sites_after!(
    "x.workspace_id, x.site_id, x.n, x.conversation_id, x.seq, x.at, c.visitor_id, c.proof",
    "messages",
    " CROSS JOIN conversations AS c",
    " AND c.site_id = x.site_id AND c.id = x.conversation_id"
);
// The plus keeps the planner from scanning the whole log in the order of workspaces: few events are old.
const LAST_BEFORE: &str = "SELECT workspace_id, MAX(n) FROM events WHERE at < $1 GROUP BY +workspace_id";
const SET_TRIMMED: &str = "UPDATE workspace_counters SET trimmed = $2 WHERE workspace_id = $1 AND trimmed < $2";
const TRIM: &str = "DELETE FROM events WHERE (workspace_id, site_id, n) IN
    (SELECT e.workspace_id, e.site_id, e.n FROM events AS e WHERE e.at < $1 ORDER BY e.at LIMIT $2)";
const REMOVE: &str = concat!(
    "DELETE FROM events WHERE (workspace_id, site_id, n) IN (SELECT e.workspace_id, e.site_id, e.n
        FROM conversations AS c CROSS JOIN events AS e
        WHERE c.site_id = $1 AND c.id IN ",
    id_rows!("$2"),
    " AND e.workspace_id = c.workspace_id AND e.conversation_id = c.id)"
);
const REMOVE_SOME: &str = "DELETE FROM events WHERE (workspace_id, site_id, n) IN
    (SELECT e.workspace_id, e.site_id, e.n FROM sites AS s CROSS JOIN events AS e
    WHERE s.id = $1 AND e.workspace_id = s.deleted_from AND e.site_id = s.id ORDER BY e.n LIMIT $2)";

/// The statements of this file, for the test that prepares all of them.
pub const SQL: &[&str] = &[
    LOCK,
    SET_LAST_NUMBERS,
    ADD,
    RANGE,
    LAST_NUMBER,
    OF_CONVERSATION_AFTER,
    SENT_IN_CONVERSATION_AFTER,
    OF_SITES_AFTER,
    SENT_ON_SITES_AFTER,
    LAST_BEFORE,
    SET_TRIMMED,
    TRIM,
    REMOVE,
    REMOVE_SOME,
];

struct Row {
    workspace_id: WorkspaceId,
    site_id: SiteId,
    n: i64,
    conversation_id: Option<ConversationId>,
    visitor_id: Option<VisitorId>,
    proof: Option<String>,
    body: String,
    at: Millis,
}
record!(Row { workspace_id, site_id, n, conversation_id, visitor_id, proof, body, at });

impl Row {
    /// `None` for an event of an unknown kind, which a newer version wrote.
    fn read(self) -> Option<Recorded> {
        let scope = Scope {
            conversation: self.conversation_id,
            visitor: self.visitor_id,
            proof: self.proof.as_deref().map(Proof::parse),
        };
        let event = serde_json::from_str(&self.body).ok()?;
        let (workspace, site) = (self.workspace_id, self.site_id);
        Some(Recorded { workspace, site, n: self.n, scope, event, at: self.at, carried: None })
    }
}

struct SentRow {
    workspace_id: WorkspaceId,
    site_id: SiteId,
    n: i64,
    conversation_id: ConversationId,
    seq: i64,
    at: Millis,
    visitor_id: VisitorId,
    proof: String,
}
record!(SentRow { workspace_id, site_id, n, conversation_id, seq, at, visitor_id, proof });

impl From<SentRow> for Recorded {
    fn from(row: SentRow) -> Recorded {
        let (conversation_id, seq) = (row.conversation_id, row.seq);
        let scope = Scope::conversation(conversation_id, row.visitor_id, Proof::parse(&row.proof));
        let event = Event::MessageSent { conversation_id, seq };
        let (workspace, site) = (row.workspace_id, row.site_id);
        Recorded { workspace, site, n: row.n, scope, event, at: row.at, carried: None }
    }
}

/// Messages and other events in the order of the log.
fn merged(rows: Vec<Row>, sent: Vec<SentRow>) -> Vec<Recorded> {
    let mut all: Vec<Recorded> = rows.into_iter().filter_map(Row::read).collect();
    all.extend(sent.into_iter().map(Recorded::from));
    all.sort_by_key(|recorded| recorded.n);
    all
}

/// The range of a workspace's log.
#[derive(Debug, Clone, Copy)]
pub struct LogRange {
    /// Events up to this number may be removed. Messages stay.
    pub trimmed: i64,
    /// The last event.
    pub n: i64,
}
record!(LogRange { trimmed, n });

/// The workspace of each site and the last number of its log. Deleted sites are left out.
pub(super) fn lock(tx: &mut Tx, sites: &BTreeSet<SiteId>) -> Result<Vec<(SiteId, WorkspaceId, i64)>> {
    tx.all(LOCK, values![Value::json(&sites)])
}

/// Stores the last number of each workspace's log.
pub(super) fn set_last_numbers(tx: &mut Tx, last: &[(WorkspaceId, i64)]) {
    tx.enqueue(SET_LAST_NUMBERS, values![Value::json(&last)]);
}

/// Stores numbered events. Events of messages are not stored: the message's own row represents them.
pub fn add(tx: &mut Tx, events: &[Recorded]) {
    let rows: Vec<_> = events
        .iter()
        .filter(|e| !matches!(e.event, Event::MessageSent { .. }))
        .map(|e| {
            let body = serde_json::to_string(&e.event).unwrap_or_default();
            let proof = e.scope.proof.as_ref().map(Proof::to_text);
            let kind = e.event.kind();
            (e.workspace, e.site, e.n, e.scope.conversation, e.scope.visitor, proof, kind, body, e.at)
        })
        .collect();
    if !rows.is_empty() {
        tx.enqueue(ADD, values![Value::json(&rows)]);
    }
}

/// The range of a workspace's log; `None` when there is no such workspace.
///
/// # Errors
/// When the database fails.
pub async fn range(store: &Store, workspace: WorkspaceId) -> Result<Option<LogRange>> {
    store.one(RANGE, values![workspace]).await
}

/// The last number of the log that a site's events are in; `None` when the site is deleted.
pub(super) async fn last_number(store: &Store, site: SiteId) -> Result<Option<i64>> {
    Ok(store.one::<(i64,)>(LAST_NUMBER, values![site]).await?.map(|(n,)| n))
}

/// Events of a workspace after one number and up to another, in order, of all of its sites or of some; `None` when there are
/// `limit` or more messages, or `limit` or more other events.
///
/// # Errors
/// When the database fails.
pub async fn of_sites_after(
    store: &Store,
    (workspace, sites): (WorkspaceId, Option<&BTreeSet<SiteId>>),
    (n, upto): (i64, i64),
    limit: i64,
) -> Result<Option<Vec<Recorded>>> {
    let values = values![workspace, sites.map(Value::json), n, upto, limit];
    let both = move |reader: &mut Reader| {
        let rows: Vec<Row> = reader.all(OF_SITES_AFTER, &values)?;
        let sent: Vec<SentRow> = reader.all(SENT_ON_SITES_AFTER, &values)?;
        Ok((rows, sent))
    };
    let (rows, sent) = store.read(both).await?;
    let few = rows.len().max(sent.len()) < usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(few.then(|| merged(rows, sent)))
}

/// Events of one conversation after one number and up to another: at most `limit` messages and `limit` other events.
///
/// # Errors
/// When the database fails.
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

/// Records that events from before a time are about to be removed.
pub(super) fn set_trimmed(tx: &mut Tx, before: Millis) -> Result<()> {
    let old: Vec<(WorkspaceId, i64)> = tx.all(LAST_BEFORE, values![before])?;
    old.into_iter().try_for_each(|(workspace, n)| tx.run(SET_TRIMMED, values![workspace, n]).map(drop))
}

/// Removes up to `limit` events from before a time, oldest first. Returns how many.
pub(super) fn trim(tx: &mut Tx, before: Millis, limit: i64) -> Result<i64> {
    tx.run(TRIM, values![before, limit]).map(|removed| removed as i64)
}

/// Removes the events of conversations that are about to be removed.
///
/// # Errors
/// When the database fails.
pub fn remove(tx: &mut Tx, site: SiteId, conversations: &[ConversationId]) -> Result<()> {
    tx.run(REMOVE, values![site, Value::ids(conversations)]).map(drop)
}

/// Removes up to `limit` events of a deleted site, oldest first. Returns how many.
///
/// # Errors
/// When the database fails.
pub fn delete_batch(tx: &mut Tx, site: SiteId, limit: i64) -> Result<i64> {
    tx.run(REMOVE_SOME, values![site, limit]).map(|removed| removed as i64)
}
