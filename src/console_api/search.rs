//! Search for messages and people.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::body::QueryOf;
use crate::http::member::WorkspaceMember;
use crate::id::SiteId;
use crate::members::SiteScope;
use crate::search::people::{self, People, PeopleFilter};
use crate::search::{self, Filter, Found, Query};

/// A search query and its page.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchQuery {
    /// Words that a message must contain, the last one possibly a prefix; at most 200 characters.
    q: String,
    site: Option<SiteId>,
    before: Option<String>,
    limit: Option<u32>,
}

impl SearchQuery {
    fn filter(self, sites: SiteScope) -> Result<Filter> {
        let limit = page_size(self.limit)?;
        let before = self.before.as_deref().map(Filter::point).transpose()?;
        Ok(Filter { query: Query::parse(&self.q)?, sites, before, limit })
    }
}

/// Finds messages on all sites of the operator, or on one.
pub(super) async fn search(
    State(app): State<App>,
    member: WorkspaceMember,
    QueryOf(query): QueryOf<SearchQuery>,
) -> Result<Json<Found>> {
    let sites = member.scope(&app, query.site).await?;
    let filter = query.filter(sites)?;
    search::find(&app.store, &app.hub, &app.searches, member.workspace(), &filter).await.map(Json)
}

/// A search query for people and its page.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PeopleQuery {
    /// Prefixes of words of a name, an e-mail address or an id; at most 200 characters.
    q: String,
    site: Option<SiteId>,
    before: Option<String>,
    limit: Option<u32>,
}

/// Finds people who wrote on all sites of the operator, or on one.
pub(super) async fn people(
    State(app): State<App>,
    member: WorkspaceMember,
    QueryOf(asked): QueryOf<PeopleQuery>,
) -> Result<Json<People>> {
    let limit = page_size(asked.limit)?;
    let before = asked.before.as_deref().map(PeopleFilter::point).transpose()?;
    let sites = member.scope(&app, asked.site).await?;
    let filter = PeopleFilter { query: Query::of_name(&asked.q)?, sites, before, limit };
    people::find(&app.store, &app.hub, &app.searches, member.workspace(), &filter).await.map(Json)
}

fn page_size(limit: Option<u32>) -> Result<u32> {
    let limit = limit.unwrap_or(30);
    if (1..=100).contains(&limit) { Ok(limit) } else { Err(Error::invalid("limit", "must be 1 to 100")) }
}
