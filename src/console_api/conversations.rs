//! Inbox and threads.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::conversations::{self, ConversationForOperator, Filter, InboxPoint, StateFilter};
use crate::error::{Error, Result};
use crate::events;
use crate::http::body::{JsonBody, PathOf, QueryOf};
use crate::http::member::{SiteMember, WorkspaceMember};
use crate::http::uploads::with_upload;
use crate::id::{ConversationId, SiteId};
use crate::images::{self, ImageView, Uploaded, Uploader};
use crate::inbox::{self, Inbox};
use crate::members::SiteScope;
use crate::messages::{self, Author, ClientId, Draft, History, MessageForOperator, Outgoing, Target};

type ConversationPath = PathOf<(SiteId, ConversationId)>;

/// A page of the inbox.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InboxQuery {
    state: Option<String>,
    site: Option<SiteId>,
    unread: Option<bool>,
    before: Option<String>,
    limit: Option<u32>,
}

impl InboxQuery {
    fn filter(self, sites: SiteScope) -> Result<Filter> {
        let state = match self.state.as_deref().unwrap_or("open") {
            "open" => StateFilter::Open,
            "closed" => StateFilter::Closed,
            "all" => StateFilter::All,
            _ => return Err(Error::invalid("state", "must be open, closed or all")),
        };
        let before = self.before.as_deref().map_or(Ok(InboxPoint::TOP), InboxPoint::parse)?;
        Ok(Filter { sites, state, unread: self.unread.unwrap_or(false), before, limit: page_size(self.limit)? })
    }
}

fn page_size(limit: Option<u32>) -> Result<u32> {
    let limit = limit.unwrap_or(50);
    if (1..=200).contains(&limit) { Ok(limit) } else { Err(Error::invalid("limit", "must be 1 to 200")) }
}

/// Responds with a page of the inbox. The cursor is read first: later events may be in both.
pub(super) async fn inbox(
    State(app): State<App>,
    member: WorkspaceMember,
    QueryOf(query): QueryOf<InboxQuery>,
) -> Result<Json<Inbox>> {
    let sites = member.scope(&app, query.site).await?;
    let filter = query.filter(sites)?;
    let range = events::store::range(&app.store, member.workspace()).await?.ok_or(Error::NotFound)?;
    let cursor = app.cursors.write(member.member.cursor_holder(), range.n)?;
    inbox::inbox(&app.store, &app.hub, member.workspace(), &filter, cursor).await.map(Json)
}

/// A page of a thread.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ThreadQuery {
    before_seq: Option<i64>,
    limit: Option<u32>,
}

/// A conversation and a page of its messages.
#[derive(Serialize, schemars::JsonSchema)]
pub struct Thread {
    /// The conversation.
    pub conversation: ConversationForOperator,
    /// Oldest first.
    pub messages: Vec<MessageForOperator>,
    /// Whether older messages exist.
    pub more: bool,
}

/// Responds with a page of a thread, the newest by default.
pub(super) async fn thread(
    State(app): State<App>,
    _: SiteMember,
    PathOf((site, id)): ConversationPath,
    QueryOf(query): QueryOf<ThreadQuery>,
) -> Result<Json<Thread>> {
    let limit = page_size(query.limit)?;
    let conversation = conversations::store::find(&app.store, site, id).await?.ok_or(Error::NotFound)?;
    let own = [conversation];
    let History { messages, more } = match query.before_seq {
        Some(seq) => messages::before(&app.store, &own, (id, seq), limit).await?,
        None => messages::newest(&app.store, &own, limit).await?,
    };
    let conversation = shown(&app, site, id).await?;
    Ok(Json(Thread { conversation, messages: messages.iter().map(messages::Message::for_operator).collect(), more }))
}

async fn shown(app: &App, site: SiteId, id: ConversationId) -> Result<ConversationForOperator> {
    inbox::load_for_operator(&app.store, &app.hub, &[(site, id)]).await?.pop().ok_or(Error::NotFound)
}

/// An operator's message: text or an uploaded image.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    client_id: ClientId,
    text: Option<String>,
    image: Option<String>,
}

/// The stored message.
#[derive(Serialize, schemars::JsonSchema)]
pub struct SentToOperator {
    /// The message.
    pub message: MessageForOperator,
}

/// Sends an operator's message.
pub(super) async fn reply(
    State(app): State<App>,
    member: SiteMember,
    PathOf((site, id)): ConversationPath,
    JsonBody(reply): JsonBody<Reply>,
) -> Result<Json<SentToOperator>> {
    // Messages queue fairly where they wait to be stored.
    let member = member.without_permit();
    let body = messages::Body::of(reply.text.as_deref(), reply.image.as_deref())?;
    let author = Author::Operator { account: member.account, name: member.name.clone() };
    let drafts = vec![Draft { client_id: reply.client_id, body }];
    let outgoing = Outgoing { site, target: Target::Conversation(id), author, drafts };
    let message = messages::send(&app.appender, outgoing).await?.pop();
    let message = message.ok_or_else(|| Error::Internal("a stored message is missing".into()))?;
    Ok(Json(SentToOperator { message: message.for_operator() }))
}

/// Closes a conversation.
pub(super) async fn close(
    State(app): State<App>,
    _: SiteMember,
    PathOf((site, id)): ConversationPath,
) -> Result<Json<ConversationForOperator>> {
    conversations::close(&app.store, site, id).await?;
    shown(&app, site, id).await.map(Json)
}

/// Reopens a conversation.
pub(super) async fn reopen(
    State(app): State<App>,
    _: SiteMember,
    PathOf((site, id)): ConversationPath,
) -> Result<Json<ConversationForOperator>> {
    conversations::reopen(&app.store, site, id).await?;
    shown(&app, site, id).await.map(Json)
}

/// Accepts an operator's image: the raw bytes as the body.
pub(super) async fn upload(State(app): State<App>, member: SiteMember, body: Body) -> Result<Json<Uploaded>> {
    let member = member.without_permit();
    let site = &member.site;
    let (limit, uploader) = (site.limits.image_bytes as usize, Uploader::Operator(member.account));
    let image = with_upload(&app, (site.id, None), body, limit, async |bytes| {
        images::accept(&app.images, site.upload_target(), uploader, bytes).await
    })
    .await?;
    Ok(Json(Uploaded { image: ImageView::from(&image) }))
}
