//! Which stretches of messages have a word at all, so that a search for what is rare passes over those that have not.
//!
//! A stretch is 512 message numbers in a row. Its terms are those of all its messages, each once, and begin as theirs do
//! (`../store.rs`), with a wider span: a stretch has a word once, however often it is said, so that a beginning gathers
//! little. A stretch in which something was removed says only that it must be looked at, until it is read again.

mod store;

use std::collections::BTreeSet;

use crate::error::Result;
use crate::id::MessageId;
use crate::storage::{Store, Term, Tx};

use super::store::{Progress, Said, Scope, after, in_span, site_term, word_term};
use super::terms::terms;

pub use store::SQL;
pub(super) use store::{fold, forget, forget_messages};

/// Message numbers of a stretch.
const STRETCH: i64 = 512;
/// Message numbers of a wide span: enough that ten million messages have three, and few enough that a beginning of one
/// letter is gathered in some milliseconds.
const WIDE: i64 = 1 << 22;
/// Wide spans that are asked for at once.
const AT_ONCE: i64 = 4;
/// Terms of a stretch. One with more must be looked at: writing them would keep others waiting.
const MOST: usize = 20_000;
/// The term of a stretch that must be looked at, whatever is looked for.
const ANYTHING: &str = "anything";
/// The term of a stretch that is to be read again.
const AGAIN: &str = "again";

/// Where a search goes on that found everything from a point on: just above the next stretch that may have all terms; and
/// where it goes on from there, so that what was said once takes one question. Where there is no such stretch any more, it
/// is where those begin that nothing is known of.
pub(super) async fn next(store: &Store, scope: Scope<'_>, terms: &[Term], point: MessageId) -> Result<[MessageId; 2]> {
    let terms: Vec<Term> = terms.iter().filter(|term| narrows(term)).cloned().collect();
    if terms.is_empty() {
        return Ok([point; 2]);
    }
    let last = point.0 - 1;
    let newest = last / WIDE;
    let oldest = (newest + 1 - AT_ONCE).max(0);
    let spans = (oldest..=newest).rev().map(|span| in_span(scope, span, &terms));
    let lists: Vec<_> = spans.chain([vec![Term::Whole(ANYTHING.into())]]).collect();
    let found = store::newest(store, &lists, oldest * WIDE / STRETCH..=last / STRETCH, 2).await?;
    let mut points = found.into_iter().map(|stretch| point.min(MessageId((stretch + 1) * STRETCH)));
    let mut next = || points.next().unwrap_or(MessageId(oldest * WIDE));
    Ok([next(), next()])
}

/// A single letter begins words in nearly every stretch, and gathering them all would take longer than a page may.
fn narrows(term: &Term) -> bool {
    !matches!(term, Term::Beginning(word) if word.len() <= 2 && word.chars().count() == 1)
}

/// A stretch as it was read.
pub(super) struct Stretch {
    number: i64,
    said: Vec<Said>,
}

/// A stretch that is due: one that is to be read again, or the next one when all of it is said and indexed.
pub(super) async fn due(store: &Store, progress: Progress) -> Result<Option<Stretch>> {
    let again = store::newest(store, &[vec![Term::Whole(AGAIN.into())]], 0..=i64::MAX, 1).await?;
    let next = Some(progress.stretched.0 / STRETCH).filter(|number| *number < (progress.indexed.0 + 1) / STRETCH);
    let Some(number) = again.first().copied().or(next) else { return Ok(None) };
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
            all.extend(terms(&said.text).iter().map(|word| word_term(said.workspace_id, span, word)));
            all.insert(site_term(said.workspace_id, span, said.site_id));
        }
        if all.len() > MOST { ANYTHING.to_owned() } else { Vec::from_iter(all).join(" ") }
    }

    /// Puts it into the index with its terms.
    pub(super) fn put(&self, tx: &mut Tx, terms: &str) {
        store::put(tx, self.number, self.said.len(), terms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{SiteId, WorkspaceId};

    #[test]
    fn a_stretch_has_each_word_once_and_must_be_looked_at_when_they_are_too_many() {
        let said = |id, workspace, text: String| Said {
            id: MessageId(id),
            site_id: SiteId(workspace + 1),
            workspace_id: WorkspaceId(workspace),
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
