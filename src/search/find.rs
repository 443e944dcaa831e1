//! A page of results: a bounded piece of work, from the newest message back in time.

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::clock::Deadline;
use crate::conversations::Side;
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::{MessageId, WorkspaceId};
use crate::inbox;
use crate::members::SiteScope;
use crate::storage::{Store, Term};

use super::store::{self, Progress, Row, Scope};
use super::stretches;
use super::view::line;
use super::{Found, FoundMessage, Query};

/// Searches at work over all accounts: the other readers of the database are for the chat.
const AT_ONCE: usize = 2;
/// A page that took this long is answered with what it has.
pub(super) const WORK: Duration = Duration::from_millis(50);
/// Spans that are looked through at once where the ones before had nothing: asking costs as much as one of them.
const SPANS: i64 = 8;
/// Messages without terms in the index yet that are read one by one.
const READ: i64 = 2_000;

/// Searches at work.
pub struct Searches(Semaphore);

impl Default for Searches {
    fn default() -> Searches {
        Searches(Semaphore::new(AT_ONCE))
    }
}

impl Searches {
    /// A place among the searches at work.
    pub(super) async fn place(&self) -> Result<SemaphorePermit<'_>> {
        self.0.acquire().await.map_err(|_| Error::Unavailable)
    }
}

/// What is searched.
#[derive(Debug, Clone)]
pub struct Filter {
    /// What is looked for.
    pub query: Query,
    /// The sites that are searched.
    pub sites: SiteScope,
    /// Where a page before ended; none: from the newest message on.
    pub before: Option<MessageId>,
    /// Results of a page.
    pub limit: u32,
}

impl Filter {
    /// Reads the token of a page.
    ///
    /// # Errors
    /// `Invalid`.
    pub fn point(text: &str) -> Result<MessageId> {
        let number = text.parse().ok().filter(|number| *number > 0);
        number.map(MessageId).ok_or_else(|| Error::invalid("before", "is not a page of this list"))
    }
}

/// Finds messages on the sites of a workspace.
///
/// # Errors
/// When the database cannot be read.
pub async fn find(
    store: &Store,
    hub: &Hub,
    searches: &Searches,
    workspace: WorkspaceId,
    filter: &Filter,
) -> Result<Found> {
    if filter.query.is_empty() {
        return Ok(Found { messages: Vec::new(), next: None, indexing: false });
    }
    let _place = searches.place().await?;
    let progress = store::progress(store).await?;
    let mut search = Search {
        store,
        scope: Scope { workspace, sites: &filter.sites },
        filter,
        point: filter.before.unwrap_or(MessageId(progress.newest.0 + 1)),
        found: Vec::new(),
        second: None,
        deadline: store.clock().deadline(WORK),
    };
    search.run(progress).await?;
    let next = (search.point.0 > 1).then(|| search.point.to_string());
    let indexing = progress.newest.0 - progress.indexed.0 > READ
        && store::nth_after(store, progress.indexed, READ + 1).await?.is_some();
    Ok(Found { messages: shown(store, hub, search.found).await?, next, indexing })
}

struct Search<'a> {
    store: &'a Store,
    scope: Scope<'a>,
    filter: &'a Filter,
    /// Everything from here on was looked at.
    point: MessageId,
    found: Vec<Match>,
    /// Where the search goes on after the next stretch, if that is known.
    second: Option<MessageId>,
    deadline: Deadline,
}

/// A message, and where it says what is looked for.
type Match = (Row, Vec<Range<usize>>);

impl Search<'_> {
    async fn run(&mut self, Progress { indexed, stretched, .. }: Progress) -> Result<()> {
        let terms = self.filter.query.terms();
        if self.point.0 > indexed.0 + 1 {
            let rows = store::not_indexed(self.store, self.scope, (indexed, self.point), READ).await?;
            self.take(rows, MessageId(indexed.0 + 1)).await?;
        }
        let mut spans = 1;
        while self.goes_on() && self.point.0 > 1 {
            let asked = self.missing();
            let ids = store::candidates(self.store, self.scope, &terms, (self.point, spans), asked).await?;
            let full = ids.len() == asked;
            let end = ids.last().copied().filter(|_| full);
            let end = end.unwrap_or(store::spans_below(self.point, spans));
            spans = if ids.is_empty() { SPANS.min(spans * 2) } else { 1 };
            self.take(store::by_id(self.store, self.scope, &ids).await?, end).await?;
            if !full && (2..=stretched.0).contains(&self.point.0) && self.goes_on() && self.pass_over(&terms).await? {
                spans = 1;
            }
        }
        Ok(())
    }

    /// Goes on at the next stretch that may have all terms; answers whether that is further back.
    async fn pass_over(&mut self, terms: &[Term]) -> Result<bool> {
        let next = match self.second.take().filter(|second| *second <= self.point) {
            Some(second) => second,
            None => {
                let [next, second] = stretches::next(self.store, self.scope, terms, self.point).await?;
                self.second = Some(second);
                next
            }
        };
        let further = next < self.point;
        self.point = self.point.min(next);
        Ok(further)
    }

    fn missing(&self) -> usize {
        (self.filter.limit as usize).saturating_sub(self.found.len())
    }

    fn goes_on(&self) -> bool {
        self.missing() > 0 && !self.deadline.has_passed()
    }

    /// Reads messages, which are all that may be found down to `end`.
    async fn take(&mut self, rows: Vec<Row>, end: MessageId) -> Result<()> {
        if rows.is_empty() {
            self.point = end;
            return Ok(());
        }
        let (query, missing, deadline) = (self.filter.query.clone(), self.missing(), self.deadline.clone());
        // Texts may be long, and this thread has others to serve.
        let reading = tokio::task::spawn_blocking(move || read(&query, rows, missing, &deadline));
        let (found, stopped) =
            reading.await.map_err(|error| Error::Internal(format!("a search broke off: {error}")))?;
        self.found.extend(found);
        self.point = stopped.unwrap_or(end);
        Ok(())
    }
}

/// Reads messages until enough of them say what is looked for or the deadline has passed, at least one; answers these, and
/// the last message that was read where others were left.
fn read(query: &Query, rows: Vec<Row>, most: usize, deadline: &Deadline) -> (Vec<Match>, Option<MessageId>) {
    let mut found = Vec::new();
    let mut rows = rows.into_iter().peekable();
    while let Some(row) = rows.next() {
        let last = row.id;
        if let Some(places) = query.find(&row.text) {
            found.push((row, places));
        }
        if rows.peek().is_some() && (found.len() == most || deadline.has_passed()) {
            return (found, Some(last));
        }
    }
    (found, None)
}

/// Found messages with what an operator sees beside them.
async fn shown(store: &Store, hub: &Hub, found: Vec<Match>) -> Result<Vec<FoundMessage>> {
    let mut keys: Vec<_> = found.iter().map(|(row, _)| (row.site_id, row.conversation_id)).collect();
    keys.sort_unstable();
    keys.dedup();
    let conversations = inbox::load_for_operator(store, hub, &keys).await?;
    let visitors: HashMap<_, _> = conversations.into_iter().map(|c| ((c.site_id, c.id), c.visitor)).collect();
    let view = |(row, places): Match| {
        Some(FoundMessage {
            visitor: visitors.get(&(row.site_id, row.conversation_id))?.clone(),
            site_id: row.site_id,
            conversation_id: row.conversation_id,
            seq: row.seq,
            from: if row.author_kind == "visitor" { Side::Visitor } else { Side::Agent },
            line: line(&row.text, &places),
            name: row.author_name,
            at: row.at,
        })
    };
    Ok(found.into_iter().filter_map(view).collect())
}
