//! How the words of people are kept: after their owner and a span of people, so that nobody's search touches the people of
//! others, and a beginning that everybody has gathers one span's at most.

use std::collections::{BTreeSet, HashMap};

use crate::bulk_rows;
use crate::error::Result;
use crate::id::{ConversationId, PersonId, SiteId, VisitorId, WorkspaceId};
use crate::id_rows;
use crate::members::SiteScope;
use crate::record;
use crate::storage::{Store, Term, Tx, Value};
use crate::values;
use crate::visitors::{self, Proof, Visitor};

/// Numbers of people in one span.
const SPAN: i64 = 1 << 14;

const WORDS: &str = "SELECT word FROM people_words WHERE site_id = $1 AND person_id = $2";
const REMOVE_WORDS: &str = "DELETE FROM people_words WHERE site_id = $1 AND person_id = $2";
const ADD_WORDS: &str = concat!(
    "INSERT INTO people_words (workspace_id, span, word, person_id, site_id)
    SELECT $1, $2, r.value ->> 0, $3, $4 FROM ",
    bulk_rows!("$5"),
    " AS r"
);
const INDEXED: &str = "UPDATE people SET indexed = TRUE WHERE site_id = $1 AND id = $2 AND NOT indexed";
const NOT_INDEXED: &str = "SELECT s.workspace_id, p.site_id, p.visitor_id, p.proof FROM people AS p
    JOIN sites AS s ON s.id = p.site_id WHERE NOT p.indexed ORDER BY p.id DESC LIMIT $1";
const END: &str = "SELECT next FROM id_blocks WHERE kind = 'person'";
// A row of the parameter says from where to where one word must be, and which of the words it is; a person has them all.
const CANDIDATES: &str = concat!(
    "SELECT w.person_id, w.site_id FROM ",
    bulk_rows!("$1"),
    " AS r CROSS JOIN people_words AS w
    WHERE w.workspace_id = $2 AND w.span = $3 AND w.word >= r.value ->> 0 AND w.word < r.value ->> 1
        AND w.person_id < $4 AND (CAST($5 AS TEXT) IS NULL OR w.site_id IN ",
    id_rows!("$5"),
    ")
    GROUP BY w.person_id, w.site_id HAVING COUNT(DISTINCT r.value ->> 2) = $6 ORDER BY w.person_id DESC LIMIT $7"
);
// The conversation that changed last, of each who has one.
const LAST_CONVERSATIONS: &str = concat!(
    "SELECT p.site_id, p.visitor_id, p.proof, (SELECT c.id FROM conversations AS c
            WHERE c.site_id = p.site_id AND c.visitor_id = p.visitor_id AND c.proof = p.proof
            ORDER BY c.updated_at DESC, c.id DESC LIMIT 1) AS conversation_id
    FROM ",
    bulk_rows!("$1"),
    " AS r CROSS JOIN people AS p
    JOIN sites AS s ON s.id = p.site_id AND s.workspace_id = $2
    WHERE p.site_id = CAST(r.value ->> 1 AS BIGINT) AND p.id = CAST(r.value ->> 0 AS BIGINT)"
);

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] = &[WORDS, REMOVE_WORDS, ADD_WORDS, INDEXED, NOT_INDEXED, END, CANDIDATES, LAST_CONVERSATIONS];

/// Below this number are all people of the database.
pub(super) async fn end(store: &Store) -> Result<PersonId> {
    Ok(store.one::<(PersonId,)>(END, []).await?.map_or(PersonId(1), |(next,)| next))
}

/// Where the span that begins below a point ends.
pub(super) fn span_end(point: PersonId) -> PersonId {
    PersonId((point.0 - 1) / SPAN * SPAN)
}

/// Writes a person's words in place of those that it had.
pub(super) fn put(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (site, person): (SiteId, PersonId),
    words: &BTreeSet<String>,
) -> Result<()> {
    let had: Vec<(String,)> = tx.all(WORDS, values![site, person])?;
    if had.len() == words.len() && had.iter().all(|(word,)| words.contains(word)) {
        return Ok(());
    }
    tx.run(REMOVE_WORDS, values![site, person])?;
    let rows: Vec<_> = words.iter().map(|word| (word,)).collect();
    tx.run(ADD_WORDS, values![workspace, person.0 / SPAN, person, site, Value::json(&rows)])?;
    tx.run(INDEXED, values![site, person]).map(drop)
}

/// A person by whose site, visitor and proof it is, with the site's owner.
pub(super) type Whole = (WorkspaceId, SiteId, VisitorId, Proof);

/// People whose words were never written, the newest first.
pub(super) async fn not_indexed(store: &Store, limit: i64) -> Result<Vec<Whole>> {
    let rows: Vec<(WorkspaceId, SiteId, VisitorId, String)> = store.all(NOT_INDEXED, values![limit]).await?;
    Ok(rows
        .into_iter()
        .map(|(workspace, site, visitor, proof)| (workspace, site, visitor, Proof::parse(&proof)))
        .collect())
}

/// People of the span below `point` who may be called so, the newest first.
pub(super) async fn candidates(
    store: &Store,
    (workspace, sites): (WorkspaceId, &SiteScope),
    terms: &[Term],
    point: PersonId,
    limit: i64,
) -> Result<Vec<(PersonId, SiteId)>> {
    // Words are letters and digits, all of them between these two.
    let range = |(at, term): (usize, &Term)| match term {
        Term::Whole(word) => (word.clone(), format!("{word}\u{1}"), at),
        Term::Beginning(word) => (word.clone(), format!("{word}\u{10ffff}"), at),
    };
    let ranges: Vec<_> = terms.iter().enumerate().map(range).collect();
    let span = (point.0 - 1) / SPAN;
    let values = values![
        Value::json(&ranges),
        workspace,
        span,
        point,
        sites.limit().map(Value::json),
        terms.len() as i64,
        limit
    ];
    store.all(CANDIDATES, values).await
}

struct Last {
    site_id: SiteId,
    visitor_id: VisitorId,
    proof: String,
    conversation_id: Option<ConversationId>,
}
record!(Last { site_id, visitor_id, proof, conversation_id });

/// Those of some people of a workspace who have a conversation, with the one that changed last; the newest person first.
pub(super) async fn with_conversation(
    store: &Store,
    workspace: WorkspaceId,
    people: &[(PersonId, SiteId)],
) -> Result<Vec<(Visitor, ConversationId)>> {
    let rows: Vec<Last> = store.all(LAST_CONVERSATIONS, values![Value::json(&people), workspace]).await?;
    let talking = rows
        .into_iter()
        .filter_map(|row| Some(((row.site_id, row.visitor_id, Proof::parse(&row.proof)), row.conversation_id?)));
    let talking: HashMap<(SiteId, VisitorId, Proof), ConversationId> = talking.collect();
    let shown: Vec<_> = talking.keys().map(|(site, visitor, proof)| (*site, *visitor, proof)).collect();
    let visitors = visitors::store::find_many(store, &shown).await?;
    let last = |visitor: &Visitor| talking.get(&(visitor.site_id, visitor.id, visitor.proof.clone())).copied();
    let mut found: Vec<_> = visitors.into_iter().filter_map(|visitor| Some((last(&visitor)?, visitor))).collect();
    found.sort_by_key(|(_, visitor)| std::cmp::Reverse(visitor.person));
    Ok(found.into_iter().map(|(conversation, visitor)| (visitor, conversation)).collect())
}
