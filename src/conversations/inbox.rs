//! The list of an operator's conversations over all of its sites.

use std::collections::HashMap;

use serde::Serialize;

use crate::app::App;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{AccountId, ConversationId, SiteId};
use crate::messages;
use crate::visitors;

use super::store::{self, InboxPoint};
use super::{Conversation, ConversationForOperator, State};

/// Which states a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum StateFilter {
    Open,
    Closed,
    All,
}

/// Which conversations a page of the inbox shows.
#[derive(Debug, Clone)]
pub struct Filter {
    /// One site, or all.
    pub site: Option<SiteId>,
    /// Open, closed or all.
    pub state: StateFilter,
    /// Only those with something unread.
    pub unread: bool,
    /// Changed before this.
    pub before: InboxPoint,
    /// Rows, 1 to 200.
    pub limit: u32,
}

/// A page of the inbox.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Inbox {
    /// Most recently changed first.
    pub conversations: Vec<ConversationForOperator>,
    /// Pass as `before` for the next page; none at the end.
    pub next: Option<String>,
    /// Counts over the asked sites.
    pub counts: Counts,
    /// Live events go on from here.
    pub cursor: String,
}

/// How much there is to do: conversations, each counted up to 1,000.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Counts {
    /// Open conversations.
    pub open: i64,
    /// Conversations with something unread.
    pub unread: i64,
}

impl InboxPoint {
    /// Above everything.
    pub const TOP: InboxPoint = InboxPoint(Millis(i64::MAX), SiteId(i64::MAX), ConversationId(i64::MAX));

    /// As a page token.
    pub fn to_text(self) -> String {
        format!("{}.{}.{}", self.0.0, self.1, self.2)
    }

    /// Reads a page token.
    pub fn parse(text: &str) -> Result<InboxPoint> {
        let numbers: Vec<i64> = text.split('.').filter_map(|part| part.parse().ok()).collect();
        let [at, site, id] = numbers[..] else { return Err(Error::invalid("before", "is not a page of this list")) };
        Ok(InboxPoint(Millis(at), SiteId(site), ConversationId(id)))
    }
}

/// Reads a page of an owner's inbox.
pub async fn inbox(app: &App, owner: AccountId, filter: &Filter, cursor: String) -> Result<Inbox> {
    let keys = recent_keys(app, owner, filter).await?;
    let mut conversations = load_for_operator(app, &keys).await?;
    conversations.sort_by_key(|c| std::cmp::Reverse((c.updated_at, c.site_id, c.id)));
    let full = keys.len() >= filter.limit as usize;
    let next = conversations.last().filter(|_| full).map(|c| InboxPoint(c.updated_at, c.site_id, c.id).to_text());
    let (open, unread) = store::counts(&app.store, owner, filter.site).await?;
    Ok(Inbox { conversations, next, counts: Counts { open, unread }, cursor })
}

async fn recent_keys(app: &App, owner: AccountId, filter: &Filter) -> Result<Vec<(SiteId, ConversationId)>> {
    let states: &[State] = match filter.state {
        StateFilter::Open => &[State::Open],
        StateFilter::Closed => &[State::Closed],
        StateFilter::All => &[State::Open, State::Closed],
    };
    let mut keys = Vec::new();
    for state in states {
        keys.extend(store::recent(&app.store, owner, filter, *state).await?);
    }
    if states.len() > 1 {
        let mut all: Vec<Conversation> = store::find_many(&app.store, &keys).await?;
        all.sort_by_key(|c| std::cmp::Reverse((c.updated_at, c.site_id, c.id)));
        keys = all.iter().take(filter.limit as usize).map(|c| (c.site_id, c.id)).collect();
    }
    Ok(keys)
}

/// Loads conversations with what an operator sees beside them: visitor, presence, last line.
pub async fn load_for_operator(app: &App, keys: &[(SiteId, ConversationId)]) -> Result<Vec<ConversationForOperator>> {
    let conversations = store::find_many(&app.store, keys).await?;
    let shown: Vec<_> = conversations.iter().map(|c| (c.site_id, c.visitor_id, &c.proof)).collect();
    let visitors = visitors::store::find_many(&app.store, &shown).await?;
    let visitors: HashMap<_, _> = visitors.iter().map(|v| ((v.site_id, v.id, &v.proof), v)).collect();
    let last_keys: Vec<_> = conversations.iter().map(|c| (c.site_id, c.id, c.last_seq)).collect();
    let mut last = messages::last_lines(&app.store, &last_keys).await?;
    let with_visitor =
        conversations.iter().filter_map(|c| Some((c, *visitors.get(&(c.site_id, c.visitor_id, &c.proof))?)));
    Ok(with_visitor
        .map(|(c, visitor)| {
            let online = app.hub.is_online(c.site_id, c.visitor_id, &c.proof);
            c.for_operator(visitor, online, last.remove(&(c.site_id, c.id)))
        })
        .collect())
}
