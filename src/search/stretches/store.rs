//! The rows of the index of stretches: each has its stretch's number.

use std::ops::RangeInclusive;

use crate::error::Result;
use crate::id::{ConversationId, MessageId, SiteId};
use crate::storage::{Store, Term, Tx, Value, all_of_any};
use crate::values;
use crate::{fold_terms, has_terms, id_rows};

use super::{AGAIN, ANYTHING, STRETCH};

const SET_MARK: &str = "UPDATE instance SET value = CAST($1 AS TEXT)
    WHERE name = 'last_stretched_message' AND CAST(value AS BIGINT) < $1";
const REMOVE: &str = concat!("DELETE FROM stretch_terms WHERE ", has_terms!(row), " = $1");
// Where a message was removed since the stretch was read, it is to be read again.
const ADD: &str = concat!(
    "INSERT INTO stretch_terms (",
    has_terms!(row),
    ", terms) SELECT $1, CASE WHEN COUNT(*) = $4 THEN $5 ELSE $6 END FROM messages WHERE id >= $2 AND id < $3"
);
const FOLD: &str = fold_terms!("stretch_terms");
const NEWEST: &str = concat!(
    "SELECT ",
    has_terms!(row),
    " FROM stretch_terms WHERE ",
    has_terms!("stretch_terms", "$1"),
    " AND ",
    has_terms!(row),
    " >= $2 AND ",
    has_terms!(row),
    " <= $3 ORDER BY ",
    has_terms!(row),
    " DESC LIMIT $4"
);

/// Two statements after which the stretches of some messages are to be read again.
macro_rules! again {
    ($from:literal, $which:expr) => {
        [
            concat!(
                "DELETE FROM stretch_terms WHERE ",
                has_terms!(row),
                " IN (SELECT m.id / $1 FROM ",
                $from,
                " WHERE ",
                $which,
                ")"
            ),
            concat!(
                "INSERT INTO stretch_terms (",
                has_terms!(row),
                ", terms) SELECT DISTINCT m.id / $1, $2 FROM ",
                $from,
                " WHERE ",
                $which,
                " AND m.id <= (SELECT CAST(value AS BIGINT) FROM instance WHERE name = 'last_stretched_message')"
            ),
        ]
    };
}

const FORGET_MESSAGES: [&str; 2] = again!("messages AS m", concat!("+m.site_id = $3 AND m.id IN ", id_rows!("$4")));
const FORGET: [&str; 2] = again!(
    "conversations AS c CROSS JOIN messages AS m",
    concat!(
        "c.site_id = $3 AND c.id IN ",
        id_rows!("$4"),
        " AND m.workspace_id = c.workspace_id AND m.conversation_id = c.id"
    )
);

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] =
    &[SET_MARK, REMOVE, ADD, FOLD, NEWEST, FORGET_MESSAGES[0], FORGET_MESSAGES[1], FORGET[0], FORGET[1]];

/// The newest of some stretches that have all terms of one of the lists, the newest first.
pub(super) async fn newest(
    store: &Store,
    lists: &[Vec<Term>],
    of: RangeInclusive<i64>,
    limit: i64,
) -> Result<Vec<i64>> {
    let (first, last) = of.into_inner();
    let rows: Vec<(i64,)> = store.all(NEWEST, [all_of_any(lists), first.into(), last.into(), limit.into()]).await?;
    Ok(rows.into_iter().map(|(stretch,)| stretch).collect())
}

/// Puts a stretch of so many messages into the index, and moves the mark.
pub(super) fn put(tx: &mut Tx, number: i64, messages: usize, terms: &str) {
    let (begin, end) = (number * STRETCH, (number + 1) * STRETCH);
    let messages = i64::try_from(messages).unwrap_or(i64::MAX);
    tx.enqueue(REMOVE, values![number]);
    tx.enqueue(ADD, values![number, begin, end, messages, terms, unread()]);
    tx.enqueue(SET_MARK, values![end - 1]);
}

/// Keeps the index in few parts.
pub(in crate::search) fn fold(tx: &mut Tx) {
    tx.enqueue(FOLD, []);
}

/// The terms of a stretch that is to be read again.
fn unread() -> String {
    format!("{ANYTHING} {AGAIN}")
}

/// Removes what messages say. To be asked for before they are removed.
pub(in crate::search) fn forget_messages(tx: &mut Tx, site: SiteId, messages: &[MessageId]) {
    for sql in FORGET_MESSAGES {
        tx.enqueue(sql, values![STRETCH, unread(), site, Value::ids(messages)]);
    }
}

/// Removes what the messages of conversations say. To be asked for before they are removed.
pub(in crate::search) fn forget(tx: &mut Tx, site: SiteId, conversations: &[ConversationId]) {
    for sql in FORGET {
        tx.enqueue(sql, values![STRETCH, unread(), site, Value::ids(conversations)]);
    }
}
