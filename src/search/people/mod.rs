//! Finds the people who wrote on a workspace's sites by name, e-mail address or id, those who came last first.
//!
//! A person's words are written in the transaction that writes the person (`store.rs`), so that somebody is found as they
//! are called now. The words narrow; what the person is called decides. A page is a bounded piece of work, as a page of
//! found messages is.

use serde::Serialize;

use crate::conversations::ConversationForOperator;
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::{ConversationId, PersonId, SiteId, WorkspaceId};
use crate::inbox;
use crate::members::SiteScope;
use crate::storage::{Store, Term, Tx};
use crate::visitors::Visitor;

use super::Query;
use super::find::{Searches, WORK};
use super::terms::terms;

pub mod store;

/// People looked at in one transaction where they were not indexed yet: those of a database from before there were words.
const BATCH: i64 = 100;

/// What is searched.
#[derive(Debug, Clone)]
pub struct PeopleFilter {
    /// What is looked for.
    pub query: Query,
    /// The sites that are searched.
    pub sites: SiteScope,
    /// Where a page before ended; none: from the newest person on.
    pub before: Option<PersonId>,
    /// Results of a page.
    pub limit: u32,
}

/// A page of found people.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct People {
    /// The newest conversation of each, those who first came last at the top.
    pub conversations: Vec<ConversationForOperator>,
    /// Pass as `before` to look further back, also where this page is empty; none when all was looked at.
    pub next: Option<String>,
    /// People are still being indexed: some are not found yet.
    pub indexing: bool,
}

impl PeopleFilter {
    /// Reads the token of a page.
    ///
    /// # Errors
    /// `Invalid`.
    pub fn point(text: &str) -> Result<PersonId> {
        let number = text.parse().ok().filter(|number| *number > 0);
        number.map(PersonId).ok_or_else(|| Error::invalid("before", "is not a page of this list"))
    }
}

/// What somebody is found by: what a console calls them.
fn said_of(visitor: &Visitor) -> String {
    let called = if visitor.anonymous { format!("visitor {}", visitor.id) } else { String::new() };
    let parts = [visitor.nickname.as_deref(), visitor.email.as_deref(), Some(&visitor.external_id)];
    // Lines, so that no two of them have a word together.
    parts.into_iter().flatten().chain([called.as_str(), &visitor.public_id]).collect::<Vec<_>>().join("\n")
}

/// Writes under which words a person is found, where they have changed; in the transaction that wrote the person.
///
/// # Errors
/// When the database fails.
pub fn index(tx: &mut Tx, workspace: WorkspaceId, visitor: &Visitor) -> Result<()> {
    let Some(person) = visitor.person else { return Ok(()) };
    store::put(tx, workspace, (visitor.site_id, person), &terms(&said_of(visitor)))
}

/// Indexes some people of a database that was made before there were words; answers whether there were any.
pub(super) async fn index_older(store: &Store) -> Result<bool> {
    let people = store::not_indexed(store, BATCH).await?;
    if people.is_empty() {
        return Ok(false);
    }
    let write = move |tx: &mut Tx| {
        for (workspace, site, visitor, proof) in &people {
            if let Some(visitor) = crate::visitors::store::by_id_in(tx, (*site, *visitor, proof))? {
                index(tx, *workspace, &visitor)?;
            }
        }
        Ok(true)
    };
    store.write(write).await
}

/// Finds people on the sites of a workspace.
///
/// # Errors
/// When the database cannot be read.
pub async fn find(
    store: &Store,
    hub: &Hub,
    searches: &Searches,
    workspace: WorkspaceId,
    filter: &PeopleFilter,
) -> Result<People> {
    if filter.query.is_empty() {
        return Ok(People { conversations: Vec::new(), next: None, indexing: false });
    }
    let _place = searches.place().await?;
    let deadline = store.clock().deadline(WORK);
    let point = match filter.before {
        Some(before) => before,
        None => store::end(store).await?,
    };
    let terms = filter.query.terms();
    let mut search = Search { store, workspace, filter, terms, point, found: Vec::new() };
    while search.point.0 > 1 {
        search.look().await?;
        if search.is_full() || deadline.has_passed() {
            break;
        }
    }
    let next = (search.point.0 > 1).then(|| search.point.to_string());
    let conversations = shown(store, hub, search.found).await?;
    let indexing = !store::not_indexed(store, 1).await?.is_empty();
    Ok(People { conversations, next, indexing })
}

struct Search<'a> {
    store: &'a Store,
    workspace: WorkspaceId,
    filter: &'a PeopleFilter,
    terms: Vec<Term>,
    /// Everybody from here on was looked at.
    point: PersonId,
    /// The newest conversation of each person found, at most as many as the page has results.
    found: Vec<(SiteId, ConversationId)>,
}

impl Search<'_> {
    fn is_full(&self) -> bool {
        self.found.len() == self.filter.limit as usize
    }

    /// Looks at the next people of the span below `point`.
    async fn look(&mut self) -> Result<()> {
        let asked = i64::from(self.filter.limit);
        let scope = (self.workspace, &self.filter.sites);
        let people = store::candidates(self.store, scope, &self.terms, self.point, asked).await?;
        for (visitor, conversation) in store::with_conversation(self.store, self.workspace, &people).await? {
            if self.filter.query.find(&said_of(&visitor)).is_none() {
                continue;
            }
            self.found.push((visitor.site_id, conversation));
            if let Some(person) = visitor.person.filter(|_| self.is_full()) {
                self.point = person;
                return Ok(());
            }
        }
        let last = people.last().filter(|_| people.len() as i64 == asked);
        self.point = last.map_or_else(|| store::span_end(self.point), |(person, _)| *person);
        Ok(())
    }
}

/// In the order in which they were found.
async fn shown(store: &Store, hub: &Hub, found: Vec<(SiteId, ConversationId)>) -> Result<Vec<ConversationForOperator>> {
    let mut loaded = inbox::load_for_operator(store, hub, &found).await?;
    loaded.sort_by_key(|c| found.iter().position(|key| *key == (c.site_id, c.id)));
    Ok(loaded)
}
