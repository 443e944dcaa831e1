//! Which stretches of messages have a word at all, so that a search for what is rare passes over those that have not.
//!
//! A stretch is 512 message numbers in a row. Its terms are those of all its messages, each once, and begin as theirs do
//! (`store.rs`), with a wider span: a stretch has a word once, however often it is said, so that a beginning gathers little.
//! A stretch in which something was removed says only that it must be looked at, until it is read again.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::id::{ConversationId, MessageId, SiteId};
use crate::storage::{Store, Term, Tx, Value, all_of_any};
use crate::values;
use crate::{fold_terms, has_terms, id_rows};

use super::store::{Said, Scope, after, in_span, site_term, word_term};
use super::terms::terms;

/// Message numbers of a stretch.
const STRETCH: i64 = 512;
/// Message numbers of a wide span: enough that ten million messages have three, and few enough that a beginning of one
/// letter is gathered in some milliseconds.
const WIDE: i64 = 1 << 22;
/// Wide spans that are asked for at once.
const AT_ONCE: i64 = 8;
/// Terms of a stretch. One with more must be looked at: writing them would keep others waiting.
const MOST: usize = 20_000;
/// The term of a stretch that must be looked at, whatever is looked for.
const ANYTHING: &str = "anything";
/// The term of a stretch that is to be read again.
const AGAIN: &str = "again";

const END: &str = "SELECT id FROM messages
    WHERE id > (SELECT CAST(value AS BIGINT) FROM instance WHERE name = 'last_stretched_message') ORDER BY id LIMIT 1";
const SET_MARK: &str = "UPDATE instance SET value = CAST($1 AS TEXT)
    WHERE name = 'last_stretched_message' AND CAST(value AS BIGINT) < $1";
const REMOVE: &str = concat!("DELETE FROM stretch_terms WHERE ", has_terms!(row), " = $1");
// What was removed since it was read stays out.
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
    " DESC LIMIT 1"
);

/// Two statements after which the stretches of some messages are to be read again.
macro_rules! again {
    ($which:expr) => {
        [
            concat!(
                "DELETE FROM stretch_terms WHERE ",
                has_terms!(row),
                " IN (SELECT m.id / $1 FROM messages AS m WHERE ",
                $which,
                ")"
            ),
            concat!(
                "INSERT INTO stretch_terms (",
                has_terms!(row),
                ", terms) SELECT DISTINCT m.id / $1, $2 FROM messages AS m WHERE ",
                $which,
                " AND m.id <= (SELECT CAST(value AS BIGINT) FROM instance WHERE name = 'last_stretched_message')"
            ),
        ]
    };
}

const FORGET_SITE: [&str; 2] = again!("m.site_id = $3");
const FORGET: [&str; 2] = again!(concat!("m.site_id = $3 AND m.conversation_id IN ", id_rows!("$4")));

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] =
    &[END, SET_MARK, REMOVE, ADD, FOLD, NEWEST, FORGET_SITE[0], FORGET_SITE[1], FORGET[0], FORGET[1]];

/// The first message whose stretch is not in the index yet; a number above all, if there is none.
pub(super) async fn end(store: &Store) -> Result<MessageId> {
    Ok(store.one::<(MessageId,)>(END, []).await?.map_or(MessageId(i64::MAX), |(id,)| id))
}

/// Where a search goes on that found everything from a point on: just above the next stretch that may have all terms.
pub(super) async fn next(store: &Store, scope: Scope, terms: &[Term], point: MessageId) -> Result<MessageId> {
    let last = point.0 - 1;
    let newest = last / WIDE;
    let oldest = (newest + 1 - AT_ONCE).max(0);
    let spans = (oldest..=newest).rev().map(|span| in_span(scope, span, terms));
    let lists: Vec<_> = spans.chain([vec![Term::Whole(ANYTHING.into())]]).collect();
    let stretches = [all_of_any(&lists), (oldest * WIDE / STRETCH).into(), (last / STRETCH).into()];
    let found: Option<(i64,)> = store.one(NEWEST, stretches).await?;
    Ok(found.map_or(MessageId(oldest * WIDE), |(stretch,)| point.min(MessageId((stretch + 1) * STRETCH))))
}

/// A stretch as it was read.
pub(super) struct Stretch {
    number: i64,
    said: Vec<Said>,
}

/// A stretch that is due: to be read again, or the next one, when all of it is said and indexed.
pub(super) async fn due(store: &Store, indexed: MessageId) -> Result<Option<Stretch>> {
    let again = all_of_any(&[vec![Term::Whole(AGAIN.into())]]);
    let again: Option<(i64,)> = store.one(NEWEST, [again, 0.into(), i64::MAX.into()]).await?;
    let next = end(store).await?.0 / STRETCH;
    let next = Some(next).filter(|number| number * STRETCH + STRETCH - 1 <= indexed.0);
    let Some(number) = again.map(|(number,)| number).or(next) else { return Ok(None) };
    let mut said = after(store, MessageId(number * STRETCH - 1), STRETCH).await?;
    said.retain(|said| said.id.0 / STRETCH == number);
    Ok(Some(Stretch { number, said }))
}

impl Stretch {
    /// What the index keeps of it.
    pub(super) fn terms(&self) -> String {
        let mut all = BTreeSet::new();
        for said in &self.said {
            let span = said.id.0 / WIDE;
            all.extend(terms(&said.text).iter().map(|word| word_term(said.owner_id, span, word)));
            all.insert(site_term(said.owner_id, span, said.site_id));
        }
        if all.len() > MOST { ANYTHING.to_owned() } else { Vec::from_iter(all).join(" ") }
    }

    /// Puts it into the index with its terms, and moves the mark.
    pub(super) fn put(&self, tx: &mut Tx, terms: String) {
        let (begin, end) = (self.number * STRETCH, (self.number + 1) * STRETCH);
        let count = i64::try_from(self.said.len()).unwrap_or(i64::MAX);
        tx.later(REMOVE, values![self.number]);
        tx.later(ADD, values![self.number, begin, end, count, terms, unread()]);
        tx.later(SET_MARK, values![end - 1]);
    }
}

/// Keeps the index in few parts.
pub(super) fn fold(tx: &mut Tx) {
    tx.later(FOLD, []);
}

/// The terms of a stretch that is to be read again.
fn unread() -> String {
    format!("{ANYTHING} {AGAIN}")
}

/// Removes what a site's messages say. To be asked for before they are removed.
pub(super) fn forget_site(tx: &mut Tx, site: SiteId) {
    for sql in FORGET_SITE {
        tx.later(sql, values![STRETCH, unread(), site]);
    }
}

/// Removes what the messages of conversations say. To be asked for before they are removed.
pub(super) fn forget(tx: &mut Tx, site: SiteId, conversations: &[ConversationId]) {
    for sql in FORGET {
        tx.later(sql, values![STRETCH, unread(), site, Value::ids(conversations)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::AccountId;

    #[test]
    fn a_stretch_has_each_word_once_and_must_be_looked_at_when_they_are_too_many() {
        let said = |id, owner, text: String| Said {
            id: MessageId(id),
            site_id: SiteId(owner + 1),
            owner_id: AccountId(owner),
            text,
        };
        let mut stretch = Stretch { number: 0, said: vec![said(1, 7, "An order".into()), said(2, 7, "ORDER".into())] };
        assert_eq!(stretch.terms(), "7o0s8 7o0wan 7o0worder");
        stretch.said.push(said(3, 8, "order".into()));
        assert_eq!(stretch.terms(), "7o0s8 7o0wan 7o0worder 8o0s9 8o0worder");
        let numbers: Vec<String> = (0..MOST).map(|number| number.to_string()).collect();
        stretch.said.push(said(4, 8, numbers.join(" ")));
        assert_eq!(stretch.terms(), ANYTHING);
    }
}
