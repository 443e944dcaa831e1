//! How conversations are kept.

use std::collections::BTreeSet;

use crate::clock::Millis;
use crate::error::Result;
use crate::id::{ConversationId, SiteId, VisitorId, WorkspaceId};
use crate::record;
use crate::storage::{Reader, Store, Tx, Value};
use crate::values;
use crate::visitors::{Proof, VisitorSession};
use crate::{bulk_rows, id_rows};

use super::{Conversation, State, Watermarks};

/// The columns of [`Row`], of `conversations AS c`.
macro_rules! columns {
    () => {
        "c.workspace_id, c.site_id, c.id, c.public_id, c.visitor_id, c.proof, c.state, c.last_seq, c.visitor_delivered_seq,
            c.visitor_seen_seq, c.agent_delivered_seq, c.agent_seen_seq, c.unread_agent, c.unread_visitor, c.created_at,
            c.updated_at"
    };
}
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM conversations AS c WHERE ", $rest)
    };
}

const BY_ID: &str = select!("c.site_id = $1 AND c.id = $2");
const BY_PUBLIC_ID: &str = select!("c.site_id = $1 AND c.public_id = $2");
const OF_VISITOR: &str = select!("c.site_id = $1 AND c.visitor_id = $2 ORDER BY c.id");
const OF_PROOF: &str = select!("c.site_id = $1 AND c.visitor_id = $2 AND c.proof = $3 ORDER BY c.updated_at DESC");
const TRANSFER: &str =
    "UPDATE conversations SET visitor_id = $3, proof = $4, state = $5 WHERE site_id = $1 AND id = $2";
const SET_STATE: &str = "UPDATE conversations SET state = $3, updated_at = $4 WHERE site_id = $1 AND id = $2";
const MANY: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM ",
    bulk_rows!("$1"),
    " AS r CROSS JOIN conversations AS c
    WHERE c.site_id = CAST(r.value ->> 0 AS BIGINT) AND c.id = CAST(r.value ->> 1 AS BIGINT)"
);
const OF_VISITORS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM ",
    bulk_rows!("$1"),
    " AS r CROSS JOIN conversations AS c
    WHERE c.site_id = CAST(r.value ->> 0 AS BIGINT) AND c.visitor_id = CAST(r.value ->> 1 AS BIGINT)"
);
macro_rules! unanswered {
    ($select:expr, $rest:literal) => {
        concat!(
            "SELECT ",
            $select,
            " FROM conversations AS c
            WHERE c.site_id = $1 AND c.created_at >= $2 AND c.created_at <= $3 AND c.proof <> 'signed'
                AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.workspace_id = c.workspace_id
                    AND m.conversation_id = c.id AND m.author_kind <> 'visitor')
                AND NOT EXISTS (SELECT 1 FROM visitor_tokens AS t WHERE t.site_id = c.site_id
                    AND t.visitor_id = c.visitor_id AND (t.proof = c.proof OR c.proof = 'shared') AND t.created_at < $2)",
            $rest
        )
    };
}

const UNANSWERED: &str = unanswered!(columns!(), " AND c.id > $4 ORDER BY c.id LIMIT $5");
const COUNT_UNANSWERED: &str = unanswered!("COUNT(*)", "");
const REMOVE: &str = concat!("DELETE FROM conversations WHERE site_id = $1 AND id IN ", id_rows!("$2"));
const REMOVE_SOME: &str = "DELETE FROM conversations WHERE site_id = $1 AND id IN
    (SELECT c.id FROM conversations AS c WHERE c.site_id = $1 ORDER BY c.id LIMIT $2)";
// The named conversation of each row, and its visitor's others.
const WITH_SIBLINGS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM ",
    bulk_rows!("$1"),
    " AS r CROSS JOIN conversations AS a
    JOIN conversations AS c ON c.site_id = a.site_id AND c.visitor_id = a.visitor_id
    WHERE a.site_id = CAST(r.value ->> 0 AS BIGINT) AND a.id = CAST(r.value ->> 1 AS BIGINT)"
);
const ADD: &str = "INSERT INTO conversations
        (site_id, workspace_id, id, public_id, visitor_id, proof, state, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $7)";
const GROW: &str = concat!(
    "UPDATE conversations SET state = r.value ->> 2, last_seq = CAST(r.value ->> 3 AS BIGINT),
        unread_agent = CAST(r.value ->> 4 AS BIGINT), unread_visitor = CAST(r.value ->> 5 AS BIGINT),
        updated_at = CAST(r.value ->> 6 AS BIGINT)
    FROM ",
    bulk_rows!("$1"),
    " AS r WHERE conversations.site_id = CAST(r.value ->> 0 AS BIGINT)
        AND conversations.id = CAST(r.value ->> 1 AS BIGINT)"
);
const RAISE: &str = "UPDATE conversations SET visitor_delivered_seq = $3, visitor_seen_seq = $4,
        agent_delivered_seq = $5, agent_seen_seq = $6,
        unread_agent = (SELECT COUNT(*) FROM messages AS m
            WHERE m.workspace_id = conversations.workspace_id AND m.conversation_id = conversations.id
            AND m.seq > $6 AND m.author_kind = 'visitor'),
        unread_visitor = (SELECT COUNT(*) FROM messages AS m
            WHERE m.workspace_id = conversations.workspace_id AND m.conversation_id = conversations.id
            AND m.seq > $4 AND m.author_kind <> 'visitor')
    WHERE site_id = $1 AND id = $2 RETURNING unread_agent, unread_visitor";
// A deleted site belongs to nobody at once; its conversations still name who had it, until they are purged.
macro_rules! not_deleted {
    () => {
        " AND c.site_id NOT IN (SELECT gone.id FROM sites AS gone WHERE gone.workspace_id = 0)"
    };
}
macro_rules! recent {
    ($of:literal) => {
        concat!(
            "SELECT c.site_id, c.id FROM conversations AS c
            WHERE ",
            $of,
            not_deleted!(),
            " AND c.state = $2 AND (c.updated_at, c.site_id, c.id) < ($3, $4, $5)
            ORDER BY c.updated_at DESC, c.site_id DESC, c.id DESC LIMIT $6"
        )
    };
}

const RECENT: &str = recent!("c.workspace_id = $1");
const RECENT_OF_SITE: &str = recent!("c.site_id = $1");
// The newest unread ones are on the sites whose own newest are newest: of the others one entry of an index is read. The
// plus keeps the engine to that index: most of a state is not unread.
macro_rules! unread_on_newest {
    ($where:literal) => {
        concat!(
            "x.workspace_id = $1 AND x.site_id = ",
            $where,
            " AND +x.state = $3 AND x.unread_agent > 0 AND (x.updated_at, x.site_id, x.id) < ($4, $5, $6)
            ORDER BY x.updated_at DESC"
        )
    };
}
const RECENT_UNREAD: &str = concat!(
    "SELECT c.site_id, c.id FROM (
        SELECT s.id, COALESCE((SELECT x.updated_at FROM conversations AS x WHERE ",
    unread_on_newest!("s.id"),
    " LIMIT 1), -1) AS at
        FROM sites AS s WHERE s.workspace_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR s.id = $2)
        ORDER BY at DESC, s.id DESC LIMIT $7) AS newest
    CROSS JOIN conversations AS c
    WHERE c.site_id = newest.id AND c.id IN (SELECT x.id FROM conversations AS x WHERE ",
    unread_on_newest!("newest.id"),
    ", x.id DESC LIMIT $7)
    ORDER BY c.updated_at DESC, c.site_id DESC, c.id DESC LIMIT $7"
);
// Counting stops at a thousand: nobody reads a larger number, and an inbox of a million must open as fast.
macro_rules! count {
    ($which:literal) => {
        concat!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM conversations AS c WHERE ",
            $which,
            not_deleted!(),
            " LIMIT 1000) AS some"
        )
    };
}
const COUNT_OPEN: &str = count!("c.workspace_id = $1 AND c.state = 'open'");
const COUNT_OPEN_OF_SITE: &str = count!("+c.workspace_id = $1 AND c.site_id = $2 AND c.state = 'open'");
const COUNT_UNREAD: &str = count!("c.workspace_id = $1 AND c.unread_agent > 0");
const COUNT_UNREAD_OF_SITE: &str = count!("c.workspace_id = $1 AND c.site_id = $2 AND c.unread_agent > 0");

/// The statements of this file, for the test that prepares all of them.
pub const SQL: &[&str] = &[
    BY_ID,
    BY_PUBLIC_ID,
    OF_VISITOR,
    OF_PROOF,
    UNANSWERED,
    COUNT_UNANSWERED,
    REMOVE,
    REMOVE_SOME,
    TRANSFER,
    SET_STATE,
    MANY,
    OF_VISITORS,
    WITH_SIBLINGS,
    ADD,
    GROW,
    RAISE,
    RECENT,
    RECENT_OF_SITE,
    RECENT_UNREAD,
    COUNT_OPEN,
    COUNT_OPEN_OF_SITE,
    COUNT_UNREAD,
    COUNT_UNREAD_OF_SITE,
];

struct Row {
    workspace_id: WorkspaceId,
    site_id: SiteId,
    id: ConversationId,
    public_id: String,
    visitor_id: VisitorId,
    proof: String,
    state: String,
    last_seq: i64,
    visitor_delivered_seq: i64,
    visitor_seen_seq: i64,
    agent_delivered_seq: i64,
    agent_seen_seq: i64,
    unread_agent: i64,
    unread_visitor: i64,
    created_at: Millis,
    updated_at: Millis,
}
record!(Row {
    workspace_id,
    site_id,
    id,
    public_id,
    visitor_id,
    proof,
    state,
    last_seq,
    visitor_delivered_seq,
    visitor_seen_seq,
    agent_delivered_seq,
    agent_seen_seq,
    unread_agent,
    unread_visitor,
    created_at,
    updated_at
});

impl From<Row> for Conversation {
    fn from(row: Row) -> Conversation {
        Conversation {
            workspace_id: row.workspace_id,
            site_id: row.site_id,
            id: row.id,
            public_id: row.public_id,
            visitor_id: row.visitor_id,
            proof: Proof::parse(&row.proof),
            state: State::parse(&row.state),
            last_seq: row.last_seq,
            watermarks: Watermarks {
                visitor_delivered: row.visitor_delivered_seq,
                visitor_seen: row.visitor_seen_seq,
                agent_delivered: row.agent_delivered_seq,
                agent_seen: row.agent_seen_seq,
            },
            unread_agent: row.unread_agent,
            unread_visitor: row.unread_visitor,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A conversation of a site.
pub async fn find(store: &Store, site: SiteId, id: ConversationId) -> Result<Option<Conversation>> {
    Ok(store.one::<Row>(BY_ID, values![site, id]).await?.map(Conversation::from))
}

/// A conversation of a site, by its public id.
pub async fn find_public(store: &Store, site: SiteId, public_id: &str) -> Result<Option<Conversation>> {
    Ok(store.one::<Row>(BY_PUBLIC_ID, values![site, public_id]).await?.map(Conversation::from))
}

/// All conversations of a session's visitor, oldest first; the caller filters by what the session may read.
pub async fn of_visitor(store: &Store, session: &VisitorSession) -> Result<Vec<Conversation>> {
    let rows = store.all::<Row>(OF_VISITOR, values![session.site_id, session.visitor_id]).await?;
    Ok(rows.into_iter().map(Conversation::from).collect())
}

/// Several conversations at once, in no order.
pub async fn find_many(store: &Store, keys: &[(SiteId, ConversationId)]) -> Result<Vec<Conversation>> {
    let rows = store.all::<Row>(MANY, values![Value::json(&keys)]).await?;
    Ok(rows.into_iter().map(Conversation::from).collect())
}

pub(crate) fn find_in(tx: &mut Tx, site: SiteId, id: ConversationId) -> Result<Option<Conversation>> {
    Ok(tx.one::<Row>(BY_ID, values![site, id])?.map(Conversation::from))
}

/// Several conversations at once, as the transaction sees them.
pub(crate) fn find_many_in(tx: &mut Tx, keys: &[(SiteId, ConversationId)]) -> Result<Vec<Conversation>> {
    let rows = tx.all::<Row>(MANY, values![Value::json(&keys)])?;
    Ok(rows.into_iter().map(Conversation::from).collect())
}

/// Several conversations and all others of their visitors. In no order, some perhaps twice.
///
/// # Errors
/// When the database fails.
pub fn with_siblings(tx: &mut Tx, keys: &BTreeSet<(SiteId, ConversationId)>) -> Result<Vec<Conversation>> {
    let rows = tx.all::<Row>(WITH_SIBLINGS, values![Value::json(&keys)])?;
    Ok(rows.into_iter().map(Conversation::from).collect())
}

/// All conversations of several visitors, in no order.
///
/// # Errors
/// When the database fails.
pub fn of_visitors(tx: &mut Tx, visitors: &BTreeSet<(SiteId, VisitorId)>) -> Result<Vec<Conversation>> {
    let rows = tx.all::<Row>(OF_VISITORS, values![Value::json(&visitors)])?;
    Ok(rows.into_iter().map(Conversation::from).collect())
}

/// The conversations of one visitor and proof, the most recent first.
pub(crate) fn of_proof(tx: &mut Tx, site: SiteId, visitor: VisitorId, proof: &Proof) -> Result<Vec<Conversation>> {
    let rows = tx.all::<Row>(OF_PROOF, values![site, visitor, proof.to_text()])?;
    Ok(rows.into_iter().map(Conversation::from).collect())
}

pub(crate) fn transfer(tx: &mut Tx, thread: &Conversation, to: VisitorId, proof: &Proof, state: State) -> Result<()> {
    tx.run(TRANSFER, values![thread.site_id, thread.id, to, proof.to_text(), state.as_str()]).map(drop)
}

pub(crate) fn set_state(tx: &mut Tx, site: SiteId, id: ConversationId, state: State) -> Result<()> {
    let now = tx.now();
    tx.run(SET_STATE, values![site, id, state.as_str(), now]).map(drop)
}

/// Stores a new, open, empty conversation.
pub fn add(tx: &mut Tx, new: &Conversation) {
    let values = values![
        new.site_id,
        new.workspace_id,
        new.id,
        &new.public_id,
        new.visitor_id,
        new.proof.to_text(),
        new.created_at
    ];
    tx.enqueue(ADD, values);
}

/// Writes what sending changed in several conversations: state, last number, unread counts, time.
pub fn grow(tx: &mut Tx, conversations: &[&Conversation]) {
    let rows: Vec<_> = conversations
        .iter()
        .map(|c| (c.site_id, c.id, c.state.as_str(), c.last_seq, c.unread_agent, c.unread_visitor, c.updated_at))
        .collect();
    tx.enqueue(GROW, values![Value::json(&rows)]);
}

/// Writes raised watermarks and recounts unread messages.
pub(crate) fn raise(tx: &mut Tx, conversation: &mut Conversation) -> Result<()> {
    let watermarks = conversation.watermarks;
    let (delivered, seen) = (watermarks.visitor_delivered, watermarks.visitor_seen);
    let values = values![
        conversation.site_id,
        conversation.id,
        delivered,
        seen,
        watermarks.agent_delivered,
        watermarks.agent_seen
    ];
    if let Some((for_agent, for_visitor)) = tx.one(RAISE, values)? {
        (conversation.unread_agent, conversation.unread_visitor) = (for_agent, for_visitor);
    }
    Ok(())
}

/// Start of an inbox page: conversations updated before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InboxPoint(pub Millis, pub SiteId, pub ConversationId);

/// Conversations of a workspace, or of one of its sites, in one state, most recently changed first.
pub(crate) async fn recent(
    store: &Store,
    (workspace, site): (WorkspaceId, Option<SiteId>),
    filter: &super::Filter,
    state: State,
) -> Result<Vec<(SiteId, ConversationId)>> {
    let InboxPoint(at, before, id) = filter.before;
    let (state, limit) = (state.as_str(), i64::from(filter.limit));
    if filter.unread {
        return store.all(RECENT_UNREAD, values![workspace, site, state, at, before, id, limit]).await;
    }
    match site {
        Some(site) => store.all(RECENT_OF_SITE, values![site, state, at, before, id, limit]).await,
        None => store.all(RECENT, values![workspace, state, at, before, id, limit]).await,
    }
}

/// How many conversations are open, and how many have something unread; each counted up to 1,000.
pub(crate) async fn counts(store: &Store, workspace: WorkspaceId, site: Option<SiteId>) -> Result<(i64, i64)> {
    let both = move |reader: &mut Reader| {
        let mut count = |sql, values: &[Value]| Ok(reader.one::<(i64,)>(sql, values)?.map_or(0, |(n,)| n));
        match site {
            Some(site) => {
                let values = values![workspace, site];
                Ok((count(COUNT_OPEN_OF_SITE, &values)?, count(COUNT_UNREAD_OF_SITE, &values)?))
            }
            None => Ok((count(COUNT_OPEN, &values![workspace])?, count(COUNT_UNREAD, &values![workspace])?)),
        }
    };
    store.read(both).await
}

/// Unanswered conversations with a higher id that were started in a time range by a browser that was new then and had no
/// signed identity.
pub fn unanswered(
    tx: &mut Tx,
    site: SiteId,
    (from, to): (Millis, Millis),
    after: ConversationId,
    limit: i64,
) -> Result<Vec<Conversation>> {
    let rows: Vec<Row> = tx.all(UNANSWERED, values![site, from, to, after, limit])?;
    Ok(rows.into_iter().map(Conversation::from).collect())
}

/// The number of those conversations.
pub async fn count_unanswered(store: &Store, site: SiteId, (from, to): (Millis, Millis)) -> Result<i64> {
    Ok(store.one::<(i64,)>(COUNT_UNANSWERED, values![site, from, to]).await?.map_or(0, |(count,)| count))
}

/// Removes up to `limit` conversations of a deleted site. Returns how many.
pub fn delete_batch(tx: &mut Tx, site: SiteId, limit: i64) -> Result<i64> {
    tx.run(REMOVE_SOME, values![site, limit]).map(|removed| removed as i64)
}

/// Removes conversations whose messages are removed already.
pub fn remove(tx: &mut Tx, site: SiteId, conversations: &[ConversationId]) -> Result<()> {
    tx.run(REMOVE, values![site, Value::ids(conversations)]).map(drop)
}
