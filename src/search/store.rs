//! How the index is kept.
//!
//! A term of the index is a word after its owner and a span of messages, `7o12w` and the word: so nobody's search touches
//! what others said, a beginning gathers the words of one span at most, and a search goes from span to span back in time.
//! The site of a message is a term as well, `7o12s` and its number.

use std::collections::BTreeSet;

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{ConversationId, MessageId, SiteId, WorkspaceId};
use crate::members::SiteScope;
use crate::record;
use crate::storage::{Store, Term, Tx, Value, all_of_any};
use crate::values;
use crate::{bulk_rows, fold_terms, has_terms, id_rows};

use super::stretches;

/// Message numbers of one span, over all owners: few enough that a beginning which everything has is gathered in a
/// millisecond, and enough that a page of what is said now and then asks for few.
const SPAN: i64 = 1 << 14;

// `stretched` is above all numbers where every message is in a stretch.
const PROGRESS: &str = "SELECT
    (SELECT COALESCE(MAX(id), 0) FROM messages) AS newest,
    (SELECT CAST(value AS BIGINT) FROM instance WHERE name = 'indexed_message') AS indexed,
    COALESCE((SELECT id FROM messages
        WHERE id > (SELECT CAST(value AS BIGINT) FROM instance WHERE name = 'last_stretched_message')
        ORDER BY id LIMIT 1), 9223372036854775807) AS stretched";
const SET_MARK: &str = "UPDATE instance SET value = CAST($1 AS TEXT) WHERE name = 'indexed_message'";
const NTH_AFTER: &str = "SELECT id FROM messages WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2";
const AFTER: &str = "SELECT m.id, m.site_id, s.workspace_id, m.text FROM messages AS m
    JOIN sites AS s ON s.id = m.site_id WHERE m.id > $1 ORDER BY m.id LIMIT $2";
// A message that was removed since its terms were made stays out.
const ADD: &str = concat!(
    "INSERT INTO message_terms (",
    has_terms!(row),
    ", terms) SELECT m.id, r.value ->> 1 FROM ",
    bulk_rows!("$1"),
    " AS r CROSS JOIN messages AS m WHERE m.id = CAST(r.value ->> 0 AS BIGINT)"
);
const FOLD: &str = fold_terms!("message_terms");
// The plus keeps the engine from walking all of the site's messages to find these.
const FORGET_MESSAGES: &str = concat!(
    "DELETE FROM message_terms WHERE ",
    has_terms!(row),
    " IN (SELECT m.id FROM messages AS m WHERE +m.site_id = $1 AND m.id IN ",
    id_rows!("$2"),
    ")"
);
const FORGET: &str = concat!(
    "DELETE FROM message_terms WHERE ",
    has_terms!(row),
    " IN (SELECT m.id FROM conversations AS c CROSS JOIN messages AS m WHERE c.site_id = $1 AND c.id IN ",
    id_rows!("$2"),
    " AND m.workspace_id = c.workspace_id AND m.conversation_id = c.id)"
);
const CANDIDATES: &str = concat!(
    "SELECT ",
    has_terms!(row),
    " FROM message_terms WHERE ",
    has_terms!("message_terms", "$1"),
    " AND ",
    has_terms!(row),
    " < $2 ORDER BY ",
    has_terms!(row),
    " DESC LIMIT $3"
);

/// A message as it is looked at, by somebody to whom its site belongs.
macro_rules! select {
    ($from:expr, $rest:expr) => {
        concat!(
            "SELECT m.id, m.site_id, m.conversation_id, m.seq, m.author_kind, m.author_name, m.text, m.at FROM ",
            $from,
            " JOIN sites AS s ON s.id = m.site_id AND s.workspace_id = $1
            WHERE (CAST($2 AS TEXT) IS NULL OR m.site_id IN ",
            id_rows!("$2"),
            ") ",
            $rest,
            " ORDER BY m.id DESC"
        )
    };
}

const BY_ID: &str = select!("messages AS m", concat!("AND m.id IN ", id_rows!("$3")));
const NOT_INDEXED: &str =
    select!("(SELECT * FROM messages AS n WHERE n.id > $3 AND n.id < $4 ORDER BY n.id DESC LIMIT $5) AS m", "");

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] =
    &[PROGRESS, SET_MARK, NTH_AFTER, AFTER, ADD, FOLD, FORGET_MESSAGES, FORGET, CANDIDATES, BY_ID, NOT_INDEXED];

/// Whose messages are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope<'a> {
    pub workspace: WorkspaceId,
    pub sites: &'a SiteScope,
}

impl Scope<'_> {
    /// The site, where it is one: the index can be asked for that alone.
    fn only_site(self) -> Option<SiteId> {
        self.sites.limit().filter(|sites| sites.len() == 1)?.first().copied()
    }
}

/// A message as it is looked at.
#[derive(Debug)]
pub(super) struct Row {
    pub id: MessageId,
    pub site_id: SiteId,
    pub conversation_id: ConversationId,
    pub seq: i64,
    pub author_kind: String,
    pub author_name: Option<String>,
    pub text: String,
    pub at: Millis,
}
record!(Row { id, site_id, conversation_id, seq, author_kind, author_name, text, at });

/// A message that is to be indexed.
#[derive(Debug)]
pub(super) struct Said {
    pub id: MessageId,
    pub site_id: SiteId,
    pub workspace_id: WorkspaceId,
    pub text: String,
}
record!(Said { id, site_id, workspace_id, text });

/// How far the indexes have come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    /// The last message of all.
    pub newest: MessageId,
    /// The last one whose terms are in the index.
    pub indexed: MessageId,
    /// The first one whose stretch is not in the index yet; a number above all, if there is none.
    pub stretched: MessageId,
}
record!(Progress { newest, indexed, stretched });

/// How far the indexes have come.
pub(super) async fn progress(store: &Store) -> Result<Progress> {
    store.one(PROGRESS, []).await?.ok_or_else(|| Error::Internal("the index has no mark".into()))
}

/// The message that is so many after another; none, when there are not so many.
pub(super) async fn nth_after(store: &Store, mark: MessageId, count: i64) -> Result<Option<MessageId>> {
    Ok(store.one::<(MessageId,)>(NTH_AFTER, values![mark, count - 1]).await?.map(|(id,)| id))
}

/// The next messages after one, the oldest first.
pub(super) async fn after(store: &Store, mark: MessageId, limit: i64) -> Result<Vec<Said>> {
    store.all(AFTER, values![mark, limit]).await
}

/// A message's number, and what the index keeps of it.
pub(super) type Entry = (MessageId, String);

/// What the index keeps of a message: nothing, where it has no words.
pub(super) fn entry(said: &Said, words: &BTreeSet<String>) -> Option<Entry> {
    let span = said.id.0 / SPAN;
    let terms = words.iter().map(|word| word_term(said.workspace_id, span, word));
    let terms: Vec<String> = terms.chain([site_term(said.workspace_id, span, said.site_id)]).collect();
    (!words.is_empty()).then(|| (said.id, terms.join(" ")))
}

/// Puts messages into the index, and moves the mark.
pub(super) fn add(tx: &mut Tx, entries: &[Entry], mark: MessageId) {
    tx.enqueue(ADD, values![Value::json(&entries)]);
    tx.enqueue(SET_MARK, values![mark]);
}

/// Keeps the index in few parts, so that looking something up stays cheap. More often than parts are added to it.
pub(super) fn fold(tx: &mut Tx) {
    tx.enqueue(FOLD, []);
}

pub(super) fn word_term(workspace: WorkspaceId, span: i64, word: &str) -> String {
    format!("{workspace}o{span}w{word}")
}

pub(super) fn site_term(workspace: WorkspaceId, span: i64, site: SiteId) -> String {
    format!("{workspace}o{span}s{site}")
}

/// Where the last of so many spans begins, of which the first has the message before this one.
pub(super) fn spans_below(point: MessageId, spans: i64) -> MessageId {
    MessageId((((point.0 - 1).div_euclid(SPAN) + 1 - spans) * SPAN).max(0))
}

/// The newest messages below a point, within so many spans, that have all terms.
pub(super) async fn candidates(
    store: &Store,
    scope: Scope<'_>,
    terms: &[Term],
    (point, spans): (MessageId, i64),
    limit: usize,
) -> Result<Vec<MessageId>> {
    let newest = (point.0 - 1).div_euclid(SPAN);
    let lists: Vec<_> =
        (spans_below(point, spans).0 / SPAN..=newest).rev().map(|span| in_span(scope, span, terms)).collect();
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows: Vec<(MessageId,)> = store.all(CANDIDATES, [all_of_any(&lists), point.into(), limit.into()]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// What is asked for in a span.
pub(super) fn in_span(scope: Scope<'_>, span: i64, terms: &[Term]) -> Vec<Term> {
    let site = scope.only_site().map(|site| Term::Whole(site_term(scope.workspace, span, site)));
    let words = terms.iter().map(|term| match term {
        Term::Whole(word) => Term::Whole(word_term(scope.workspace, span, word)),
        Term::Beginning(word) => Term::Beginning(word_term(scope.workspace, span, word)),
    });
    site.into_iter().chain(words).collect()
}

/// Messages by number, the newest first; those of others are left out.
pub(super) async fn by_id(store: &Store, scope: Scope<'_>, ids: &[MessageId]) -> Result<Vec<Row>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    store.all(BY_ID, values![scope.workspace, scope.sites.limit().map(Value::json), Value::ids(ids)]).await
}

/// Of the newest `most` messages that are not indexed yet and below a point, those in scope, the newest first.
pub(super) async fn not_indexed(
    store: &Store,
    scope: Scope<'_>,
    (mark, point): (MessageId, MessageId),
    most: i64,
) -> Result<Vec<Row>> {
    store.all(NOT_INDEXED, values![scope.workspace, scope.sites.limit().map(Value::json), mark, point, most]).await
}

/// Removes messages from the index. To be asked for before the messages are removed.
pub fn forget_messages(tx: &mut Tx, site: SiteId, messages: &[MessageId]) {
    tx.enqueue(FORGET_MESSAGES, values![site, Value::ids(messages)]);
    stretches::forget_messages(tx, site, messages);
}

/// Removes the messages of conversations from the index. To be asked for before the messages are removed.
pub fn forget(tx: &mut Tx, site: SiteId, conversations: &[ConversationId]) {
    tx.enqueue(FORGET, values![site, Value::ids(conversations)]);
    stretches::forget(tx, site, conversations);
}
