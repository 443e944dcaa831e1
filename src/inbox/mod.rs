//! The list of an operator's conversations over all of its sites.

use std::collections::HashMap;

use serde::Serialize;

use crate::conversations::store as conversations;
use crate::conversations::{Conversation, ConversationForOperator, Filter, InboxPoint, State, StateFilter};
use crate::error::Result;
use crate::hub::Hub;
use crate::id::{ConversationId, SiteId, WorkspaceId};
use crate::members::SiteScope;
use crate::messages;
use crate::storage::Store;
use crate::visitors;

/// Counting stops here.
const MOST_COUNTED: i64 = 1_000;

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

/// Reads a page of a workspace's inbox.
pub async fn inbox(store: &Store, hub: &Hub, workspace: WorkspaceId, filter: &Filter, cursor: String) -> Result<Inbox> {
    let keys = recent_keys(store, workspace, filter).await?;
    let mut conversations = load_for_operator(store, hub, &keys).await?;
    conversations.sort_by_key(|c| std::cmp::Reverse((c.updated_at, c.site_id, c.id)));
    let full = keys.len() >= filter.limit as usize;
    let next = conversations.last().filter(|_| full).map(|c| InboxPoint(c.updated_at, c.site_id, c.id).to_text());
    let (open, unread) = counts(store, workspace, &filter.sites).await?;
    Ok(Inbox { conversations, next, counts: Counts { open, unread }, cursor })
}

async fn recent_keys(store: &Store, workspace: WorkspaceId, filter: &Filter) -> Result<Vec<(SiteId, ConversationId)>> {
    let states: &[State] = match filter.state {
        StateFilter::Open => &[State::Open],
        StateFilter::Closed => &[State::Closed],
        StateFilter::All => &[State::Open, State::Closed],
    };
    let sites = each_site(&filter.sites);
    let mut keys = Vec::new();
    for site in &sites {
        for state in states {
            keys.extend(conversations::recent(store, (workspace, *site), filter, *state).await?);
        }
    }
    if sites.len() * states.len() > 1 {
        let mut all: Vec<Conversation> = conversations::find_many(store, &keys).await?;
        all.sort_by_key(|c| std::cmp::Reverse((c.updated_at, c.site_id, c.id)));
        keys = all.iter().take(filter.limit as usize).map(|c| (c.site_id, c.id)).collect();
    }
    Ok(keys)
}

/// Each count is of at most 1,000.
async fn counts(store: &Store, workspace: WorkspaceId, sites: &SiteScope) -> Result<(i64, i64)> {
    let (mut open, mut unread) = (0, 0);
    for site in each_site(sites) {
        let (more_open, more_unread) = conversations::counts(store, workspace, site).await?;
        (open, unread) = (MOST_COUNTED.min(open + more_open), MOST_COUNTED.min(unread + more_unread));
    }
    Ok((open, unread))
}

/// What is asked for one after the other: all sites in one piece, or each of a few.
fn each_site(sites: &SiteScope) -> Vec<Option<SiteId>> {
    match sites.limit() {
        None => vec![None],
        Some(sites) => sites.iter().copied().map(Some).collect(),
    }
}

/// Loads conversations with what an operator sees beside them: visitor, presence, last line.
pub async fn load_for_operator(
    store: &Store,
    hub: &Hub,
    keys: &[(SiteId, ConversationId)],
) -> Result<Vec<ConversationForOperator>> {
    let found = conversations::find_many(store, keys).await?;
    let shown: Vec<_> = found.iter().map(|c| (c.site_id, c.visitor_id, &c.proof)).collect();
    let visitors = visitors::store::find_many(store, &shown).await?;
    let visitors: HashMap<_, _> = visitors.iter().map(|v| ((v.site_id, v.id, &v.proof), v)).collect();
    let last_keys: Vec<_> = found.iter().map(|c| (c.site_id, c.id, c.last_seq)).collect();
    let mut last = messages::last_lines(store, &last_keys).await?;
    let with_visitor = found.iter().filter_map(|c| Some((c, *visitors.get(&(c.site_id, c.visitor_id, &c.proof))?)));
    Ok(with_visitor
        .map(|(c, visitor)| {
            let online = hub.is_online(c.site_id, c.visitor_id, &c.proof);
            c.for_operator(visitor, online, last.remove(&(c.site_id, c.id)))
        })
        .collect())
}
