//! How messages are kept.

use std::sync::Arc;

use crate::clock::Millis;
use crate::error::Result;
use crate::id::{AccountId, ConversationId, ImageId, KeyId, MessageId, SiteId, VisitorId, WorkspaceId};
use crate::images::{Image, ImageName, ImageView};
use crate::record;
use crate::storage::{Store, Tx, Value};
use crate::values;
use crate::{bulk_rows, id_rows};

use super::{Author, ClientId, Message};

/// A message with what its views need from beside it. Its conversation says which workspace it is in.
macro_rules! select {
    ($from:expr, $rest:expr) => {
        concat!(
            "SELECT m.workspace_id, m.site_id, m.n, m.conversation_id, c.public_id AS conversation_public_id,
                v.public_id AS visitor_public_id, m.seq, m.author_kind, m.author_id, m.author_name, m.client_id, m.text,
                m.image_id, i.name AS image_name, i.thumb_name, i.width, i.height, i.animated, m.at
            FROM ",
            $from,
            " JOIN visitors AS v ON v.site_id = c.site_id AND v.id = c.visitor_id
            LEFT JOIN images AS i ON i.site_id = m.site_id AND i.id = m.image_id ",
            $rest
        )
    };
}

/// Messages first, then the conversation of each.
macro_rules! with_conversation {
    () => {
        "messages AS m JOIN conversations AS c ON c.site_id = m.site_id AND c.id = m.conversation_id"
    };
}

const BEFORE: &str = select!(
    "conversations AS c CROSS JOIN messages AS m",
    "WHERE c.site_id = $1 AND c.id = $2 AND m.workspace_id = c.workspace_id AND m.conversation_id = c.id
        AND m.seq < $3 AND +m.n < $4 ORDER BY m.seq DESC LIMIT $5"
);
const RECENT: &str = select!(
    concat!("sites AS s CROSS JOIN ", with_conversation!()),
    "WHERE s.id = $1 AND m.workspace_id = s.workspace_id AND m.site_id = s.id ORDER BY m.n DESC LIMIT $2"
);
const AFTER: &str = select!(
    concat!("sites AS s CROSS JOIN ", with_conversation!()),
    "WHERE s.id = $1 AND m.workspace_id = s.workspace_id AND m.site_id = s.id AND m.n > $2 ORDER BY m.n LIMIT $3"
);
// The last message that was received is sought from the end, so that what is read are the newer ones, not the whole
// conversation.
const AFTER_IN_CONVERSATION: &str = select!(
    "conversations AS c CROSS JOIN messages AS m",
    "WHERE c.site_id = $1 AND c.id = $2 AND m.workspace_id = c.workspace_id AND m.conversation_id = c.id
        AND m.seq > COALESCE((SELECT o.seq FROM messages AS o WHERE o.workspace_id = c.workspace_id
            AND o.conversation_id = c.id AND +o.n <= $3 ORDER BY o.seq DESC LIMIT 1), 0)
        ORDER BY m.seq LIMIT $4"
);
const AT: &str = select!(
    concat!(bulk_rows!("$1"), " AS r CROSS JOIN conversations AS c CROSS JOIN messages AS m"),
    "WHERE c.site_id = CAST(r.value ->> 0 AS BIGINT) AND c.id = CAST(r.value ->> 1 AS BIGINT)
        AND m.workspace_id = c.workspace_id AND m.conversation_id = c.id AND m.seq = CAST(r.value ->> 2 AS BIGINT)"
);
const KNOWN: &str = select!(
    concat!(bulk_rows!("$1"), " AS r CROSS JOIN ", with_conversation!()),
    "WHERE m.workspace_id = CAST(r.value ->> 0 AS BIGINT) AND m.author_kind = r.value ->> 1
        AND m.author_id = CAST(r.value ->> 2 AS BIGINT) AND m.client_id = r.value ->> 3"
);
const ADD: &str = concat!(
    "INSERT INTO messages (id, workspace_id, site_id, n, conversation_id, seq, author_kind, author_id, author_name,
        client_id, text, image_id, at)
    SELECT CAST(r.value ->> 0 AS BIGINT), CAST(r.value ->> 1 AS BIGINT), CAST(r.value ->> 2 AS BIGINT),
        CAST(r.value ->> 3 AS BIGINT), CAST(r.value ->> 4 AS BIGINT), CAST(r.value ->> 5 AS BIGINT), r.value ->> 6,
        CAST(r.value ->> 7 AS BIGINT), r.value ->> 8, r.value ->> 9, r.value ->> 10, CAST(r.value ->> 11 AS BIGINT),
        CAST(r.value ->> 12 AS BIGINT)
    FROM ",
    bulk_rows!("$1"),
    " AS r"
);
const FORGET_OF: &str = concat!(
    "DELETE FROM messages WHERE id IN (SELECT m.id FROM conversations AS c CROSS JOIN messages AS m
        WHERE c.site_id = $1 AND c.id IN ",
    id_rows!("$2"),
    " AND m.workspace_id = c.workspace_id AND m.conversation_id = c.id)"
);
// An id that the new author has used already gets another name: ids are unique for their author.
const TRANSFER: &str = "UPDATE messages SET author_id = $3, client_id = CASE
        WHEN EXISTS (SELECT 1 FROM messages AS o WHERE o.workspace_id = messages.workspace_id AND o.author_kind = 'visitor'
            AND o.author_id = $3 AND o.client_id = messages.client_id) THEN messages.client_id || '-' || messages.id
        ELSE messages.client_id END
    WHERE id IN (SELECT m.id FROM conversations AS c CROSS JOIN messages AS m WHERE c.site_id = $1 AND c.id = $2
        AND m.workspace_id = c.workspace_id AND m.conversation_id = c.id AND m.author_kind = 'visitor')";
const SOME: &str = "SELECT m.id FROM sites AS s CROSS JOIN messages AS m
    WHERE s.id = $1 AND m.workspace_id = s.deleted_from AND m.site_id = s.id ORDER BY m.n LIMIT $2";
const FORGET: &str = concat!("DELETE FROM messages WHERE +site_id = $1 AND id IN ", id_rows!("$2"));

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] =
    &[BEFORE, RECENT, AFTER, AFTER_IN_CONVERSATION, AT, KNOWN, ADD, TRANSFER, SOME, FORGET, FORGET_OF];

struct Row {
    workspace_id: WorkspaceId,
    site_id: SiteId,
    n: i64,
    conversation_id: ConversationId,
    conversation_public_id: String,
    visitor_public_id: String,
    seq: i64,
    author_kind: String,
    author_id: i64,
    author_name: Option<String>,
    client_id: String,
    text: String,
    image_id: Option<ImageId>,
    image_name: Option<String>,
    thumb_name: Option<String>,
    width: Option<i64>,
    height: Option<i64>,
    animated: Option<bool>,
    at: Millis,
}
record!(Row {
    workspace_id,
    site_id,
    n,
    conversation_id,
    conversation_public_id,
    visitor_public_id,
    seq,
    author_kind,
    author_id,
    author_name,
    client_id,
    text,
    image_id,
    image_name,
    thumb_name,
    width,
    height,
    animated,
    at
});

impl Row {
    fn image(&self) -> Option<ImageView> {
        let pixels = |side: Option<i64>| u32::try_from(side.unwrap_or(0)).unwrap_or(0);
        let image = Image {
            id: self.image_id?,
            name: ImageName::parse(self.image_name.as_deref()?)?,
            thumb: ImageName::parse(self.thumb_name.as_deref()?)?,
            width: pixels(self.width),
            height: pixels(self.height),
            animated: self.animated.unwrap_or(false),
        };
        Some(ImageView::from(&image))
    }

    fn author(&self) -> Author {
        let name = self.author_name.clone().unwrap_or_default();
        match self.author_kind.as_str() {
            "operator" => Author::Operator { account: AccountId(self.author_id), name },
            "api" => Author::Api { key: KeyId(self.author_id), name },
            _ => Author::Visitor(VisitorId(self.author_id)),
        }
    }
}

impl From<Row> for Message {
    fn from(row: Row) -> Message {
        let (image, author) = (row.image(), row.author());
        Message {
            workspace_id: row.workspace_id,
            site_id: row.site_id,
            n: row.n,
            conversation_id: row.conversation_id,
            conversation_public_id: row.conversation_public_id.into(),
            seq: row.seq,
            author,
            // What is stored was checked when it came; an empty one can only be a hand-edited database.
            client_id: ClientId::parse(&row.client_id).unwrap_or_else(|_| ClientId::random()),
            text: row.text,
            image,
            at: row.at,
        }
    }
}

fn messages(rows: Vec<Row>) -> Vec<Message> {
    rows.into_iter().map(Message::from).collect()
}

/// Newest first: messages of a conversation below a `seq` and a log number.
pub(super) async fn before(
    store: &Store,
    (site, conversation): (SiteId, ConversationId),
    (seq, n): (i64, i64),
    limit: u32,
) -> Result<Vec<Message>> {
    store.all(BEFORE, values![site, conversation, seq, n, i64::from(limit)]).await.map(messages)
}

/// Newest first: messages of a site, each with the public id of its conversation's visitor.
pub(super) async fn recent(store: &Store, site: SiteId, limit: u32) -> Result<Vec<(Message, String)>> {
    let rows: Vec<Row> = store.all(RECENT, values![site, i64::from(limit)]).await?;
    Ok(with_visitors(rows))
}

/// Newest first: messages of one conversation, each with the public id of its visitor.
pub(super) async fn recent_of(
    store: &Store,
    site: SiteId,
    conversation: ConversationId,
    limit: u32,
) -> Result<Vec<(Message, String)>> {
    let rows: Vec<Row> = store.all(BEFORE, values![site, conversation, i64::MAX, i64::MAX, i64::from(limit)]).await?;
    Ok(with_visitors(rows))
}

/// Oldest first: messages of a site after a log number, each with the public id of its conversation's visitor.
pub(super) async fn after(store: &Store, site: SiteId, n: i64, limit: u32) -> Result<Vec<(Message, String)>> {
    let rows: Vec<Row> = store.all(AFTER, values![site, n, i64::from(limit)]).await?;
    Ok(with_visitors(rows))
}

/// Oldest first: messages of one conversation after a log number, each with the public id of its visitor.
pub(super) async fn after_of(
    store: &Store,
    (site, conversation): (SiteId, ConversationId),
    n: i64,
    limit: u32,
) -> Result<Vec<(Message, String)>> {
    let rows: Vec<Row> = store.all(AFTER_IN_CONVERSATION, values![site, conversation, n, i64::from(limit)]).await?;
    Ok(with_visitors(rows))
}

fn with_visitors(rows: Vec<Row>) -> Vec<(Message, String)> {
    rows.into_iter().map(|row| (row.visitor_public_id.clone(), row)).map(|(id, row)| (row.into(), id)).collect()
}

/// The messages at the given places, in no order.
pub async fn at(store: &Store, places: &[(SiteId, ConversationId, i64)]) -> Result<Vec<Message>> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    store.all(AT, values![Value::json(&places)]).await.map(messages)
}

/// What identifies a message for its author.
pub(super) type AuthorKey = (WorkspaceId, &'static str, i64, ClientId);

/// Those of the given messages that are stored already.
pub(super) fn known(tx: &mut Tx, keys: &[AuthorKey]) -> Result<Vec<Message>> {
    tx.all(KNOWN, values![Value::json(&keys)]).map(messages)
}

/// The stored messages of some client ids of one author, in the order of their numbers.
pub(super) async fn of_keys(store: &Store, keys: &[AuthorKey]) -> Result<Vec<Message>> {
    let mut found: Vec<Message> = store.all(KNOWN, values![Value::json(&keys)]).await.map(messages)?;
    found.sort_by_key(|message| message.n);
    Ok(found)
}

/// A message about to be stored.
pub(super) struct New {
    pub id: MessageId,
    pub message: Arc<Message>,
    pub image: Option<ImageId>,
}

pub(super) fn add(tx: &mut Tx, news: &[New]) {
    let rows: Vec<_> = news
        .iter()
        .map(|new| {
            let m = &new.message;
            let (kind, number, name) = (m.author.kind(), m.author.number(), m.author.name());
            (
                new.id,
                m.workspace_id,
                m.site_id,
                m.n,
                m.conversation_id,
                m.seq,
                kind,
                number,
                name,
                &m.client_id,
                &m.text,
                new.image,
                m.at,
            )
        })
        .collect();
    tx.enqueue(ADD, values![Value::json(&rows)]);
}

/// Makes another visitor the author of what the visitor of a conversation wrote, so that a retry is still recognised.
pub fn transfer(tx: &mut Tx, (site, conversation): (SiteId, ConversationId), to: VisitorId) -> Result<()> {
    tx.run(TRANSFER, values![site, conversation, to]).map(drop)
}

/// The first messages of a deleted site, at most so many.
///
/// # Errors
/// When the database fails.
pub fn first(tx: &mut Tx, site: SiteId, limit: i64) -> Result<Vec<MessageId>> {
    Ok(tx.all(SOME, values![site, limit])?.into_iter().map(|(id,)| id).collect())
}

/// Removes messages of a deleted site. The index of words must have let them go before: it finds them by their rows.
///
/// # Errors
/// When the database fails.
pub fn remove(tx: &mut Tx, site: SiteId, messages: &[MessageId]) -> Result<()> {
    tx.run(FORGET, values![site, Value::ids(messages)]).map(drop)
}

/// Removes the messages of conversations that are to be removed. The index of words must have let them go before.
pub fn forget(tx: &mut Tx, site: SiteId, conversations: &[ConversationId]) -> Result<()> {
    tx.run(FORGET_OF, values![site, Value::ids(conversations)]).map(drop)
}
