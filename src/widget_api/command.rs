//! All changes by visitors, at one address, so that a browser sends one CORS preflight.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::header::{HeaderMap, USER_AGENT};
use serde::{Deserialize, Serialize};

use crate::abuse;
use crate::app::App;
use crate::conversations::{self, Conversation, ConversationForVisitor};
use crate::error::{Error, Result};
use crate::events::{self, Holder};
use crate::fair_limit::Tenant;
use crate::flows::{self, StartedSession};
use crate::http::address::ClientAddress;
use crate::http::body::{Done, JsonBody};
use crate::hub::VisitorHint;
use crate::messages::{self, Author, Body, ClientId, Draft, History, MessageForVisitor, Outgoing, Target};
use crate::rate_limits::{BucketKeys, Charge};
use crate::realtime;
use crate::sites::Site;
use crate::visitors::{self, NetworkBucket, Start, VisitorForVisitor, VisitorSession};

use super::caller::{AnyOrigin, CurrentVisitor, PageOrigin, bearer, current};
use super::welcome::Welcome;

/// Messages in a state or in a page of history.
const PAGE: u32 = 50;

/// Largest body in bytes. A `start` may carry more than is stored: it is truncated instead of refused.
const COMMAND_BYTES: usize = 256 * 1024;

/// A visitor's command.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Start or resume a session, or change the visitor's identity.
    Start(Box<Start>),
    /// Send a message.
    Send(Send),
    /// Load older messages.
    History(Before),
    /// Send a hint, when no socket is open.
    Hint(Hint),
    /// End this session.
    Logout(Nothing),
}

/// A message to send: text or an uploaded image.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Send {
    client_id: ClientId,
    text: Option<String>,
    image: Option<String>,
}

/// A page of history.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Before {
    before: Point,
}

/// A position in the visitor's thread.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    conversation: String,
    seq: i64,
}

/// A hint.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    hint: VisitorHint,
}

/// A command without fields.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Everything that a panel shows, and the cursor from which events continue.
#[derive(Serialize, schemars::JsonSchema)]
pub struct VisitorState {
    /// A new token that replaces the old one.
    pub token: Option<String>,
    /// The visitor.
    pub visitor: VisitorForVisitor,
    /// Conversations that the visitor may read.
    pub conversations: Vec<ConversationForVisitor>,
    /// The newest messages, oldest first.
    pub messages: Vec<MessageForVisitor>,
    /// Whether older messages exist.
    pub more: bool,
    /// Events continue from here.
    pub cursor: String,
    /// The site.
    pub welcome: Welcome,
    /// Optional fields of `start` that were truncated or dropped, each with the reason, for the page's console.
    pub mended: Vec<String>,
}

/// Response to `send`.
#[derive(Serialize, schemars::JsonSchema)]
pub struct SentToVisitor {
    /// The message as stored.
    pub message: MessageForVisitor,
}

/// Response to `history`.
#[derive(Serialize, schemars::JsonSchema)]
pub struct HistoryForVisitor {
    /// Oldest first.
    pub messages: Vec<MessageForVisitor>,
    /// Whether older messages exist.
    pub more: bool,
}

/// Executes a visitor's command.
pub(super) async fn command(
    State(app): State<App>,
    page: PageOrigin,
    address: ClientAddress,
    headers: HeaderMap,
    body: Result<JsonBody<Command, COMMAND_BYTES>>,
) -> Response {
    AnyOrigin(act(&app, page, address, &headers, body).await).into_response()
}

async fn act(
    app: &App,
    page: PageOrigin,
    address: ClientAddress,
    headers: &HeaderMap,
    body: Result<JsonBody<Command, COMMAND_BYTES>>,
) -> Result<Response> {
    let JsonBody(command) = body?;
    let token = bearer(headers);
    // Boxed, except sending: the future of a request would otherwise be as large as its largest branch.
    if let Command::Start(start) = command {
        let started = Box::pin(start_session(app, &page, address, headers, *start)).await?;
        return Ok(Json(started).into_response());
    }
    let CurrentVisitor { session, site } = current(app, token.as_deref(), &page).await?;
    // Messages and hints have rate limits of their own.
    if matches!(command, Command::History(_) | Command::Logout(_)) {
        let keys = BucketKeys::visitor(&session).from(address.unshared_network(&app.config.trusted_proxies));
        app.rate_limits.token_buckets.charge(&keys, Charge::Request, Instant::now())?;
    }
    match command {
        // Messages queue fairly where they wait to be stored.
        Command::Send(send) => Ok(Json(send_message(app, &site, session, send).await?).into_response()),
        // Hints only read, as on a socket.
        Command::Hint(Hint { hint }) => {
            Box::pin(realtime::from_visitor(app, &site, &session, address, hint)).await?;
            Ok(Json(Done {}).into_response())
        }
        other => Box::pin(act_otherwise(app, &site, &session, other)).await,
    }
}

async fn act_otherwise(app: &App, site: &Site, session: &VisitorSession, command: Command) -> Result<Response> {
    let _permit = app.fair_limit.acquire(Tenant::Visitors(site.workspace_id)).await?;
    Ok(match command {
        Command::Start(_) | Command::Send(_) | Command::Hint(_) => return Err(Error::InvalidToken),
        Command::History(Before { before }) => Json(history(app, site, session, before).await?).into_response(),
        Command::Logout(_) => {
            visitors::end_session(&app.store, session).await?;
            Json(Done {}).into_response()
        }
    })
}

async fn start_session(
    app: &App,
    page: &PageOrigin,
    address: ClientAddress,
    headers: &HeaderMap,
    start: Start,
) -> Result<VisitorState> {
    let site = app.sites.by_widget_key(&start.key).await?;
    page.check(&site)?;
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let work = start.work.clone();
    let mut request = start.check(agent, app.store.now())?;
    request.network = Some(NetworkBucket::of(address.network()));
    let old = match bearer(headers) {
        // A token that expired or belongs to another site is ignored: the visitor starts a new session.
        Some(token) => {
            match app.visitors.find(&app.store, &token).await {
                Ok(old) => Some(old).filter(|old| old.site_id == site.id && old.is_trusted_by(&site)),
                Err(Error::InvalidToken) => None,
                // The token may be good: who shows it must not become somebody new because the storage failed.
                Err(error) => return Err(error),
            }
        }
        None => None,
    };
    let keys = old.as_ref().map_or_else(|| BucketKeys::newcomer(site.id), BucketKeys::visitor);
    let keys = keys.from(address.unshared_network(&app.config.trusted_proxies));
    app.rate_limits.token_buckets.charge(&keys, Charge::Arrival, Instant::now())?;
    // After the rate limit: a refused request does not queue.
    let _permit = app.fair_limit.acquire(Tenant::Visitors(site.workspace_id)).await?;
    if !flows::is_known(&app.store, old.as_ref(), &request).await? {
        let taken = app.rate_limits.new_visitors.take_for_network(
            address.network(),
            app.config.new_visitors_per_hour,
            Instant::now(),
        );
        taken.map_err(|retry_after_s| Error::TooManyRequests { retry_after_s })?;
        // An invalid signature is refused later.
        if request.identity_token.is_none() {
            abuse::admit(&app.abuse, &site, work.as_deref()).inspect_err(|_| {
                // The same visitor retries with its proof of work.
                app.rate_limits.new_visitors.refund_network(address.network());
            })?;
        }
    }
    let language = request.locale.clone().unwrap_or_default();
    let mended = request.mended.clone();
    let started = flows::start_session(&app.store, &app.vault, &site, old, request).await?;
    if let Some(page) = &started.visitor.page {
        realtime::show_page(app, &site, &started.session, page);
    }
    state(app, &site, started, mended, &language).await
}

/// Reads the state. The cursor is read first: later events may be in both, and clients deduplicate messages.
async fn state(
    app: &App,
    site: &Site,
    started: StartedSession,
    mended: Vec<String>,
    language: &str,
) -> Result<VisitorState> {
    let range = events::store::range(&app.store, site.workspace_id).await?.ok_or(Error::UnknownSite)?;
    let conversations = readable(app, site, &started.session).await?;
    let History { messages, more } = messages::newest(&app.store, &conversations, PAGE).await?;
    let verified = started.session.proof == visitors::Proof::Signed;
    let (external_id, nickname) = (started.visitor.external_id, started.visitor.nickname);
    Ok(VisitorState {
        token: started.token,
        visitor: VisitorForVisitor { external_id, nickname, verified },
        conversations: conversations.iter().map(Conversation::for_visitor).collect(),
        messages: messages.iter().map(messages::Message::for_visitor).collect(),
        more,
        cursor: app.cursors.write(Holder::Page(site.id), range.n)?,
        welcome: Welcome::of(app, site, language),
        mended,
    })
}

async fn readable(app: &App, site: &Site, session: &VisitorSession) -> Result<Vec<Conversation>> {
    let mut conversations = conversations::store::of_visitor(&app.store, session).await?;
    conversations.retain(|conversation| conversation.is_visible_to(session, site.identity_mode));
    Ok(conversations)
}

async fn send_message(app: &App, site: &Site, session: VisitorSession, send: Send) -> Result<SentToVisitor> {
    let body = Body::of(send.text.as_deref(), send.image.as_deref())?;
    let signed = session.proof == visitors::Proof::Signed;
    let (key, limit) = ((site.id, session.visitor_id, signed), site.limits.messages_per_minute as usize);
    let taken = app.rate_limits.messages.take(key, limit, Instant::now());
    taken.map_err(|retry_after_s| Error::SendingTooFrequently { retry_after_s })?;
    let author = Author::Visitor(session.visitor_id);
    let target = Target::Thread { visitor: session.visitor_id, proof: session.proof, mode: site.identity_mode };
    let drafts = vec![Draft { client_id: send.client_id, body }];
    let stored = messages::send(&app.appender, Outgoing { site: site.id, target, author, drafts }).await;
    if stored.is_err() {
        // A message that was not stored does not count.
        app.rate_limits.messages.refund(&key);
    }
    let message = stored?.pop().ok_or_else(|| Error::Internal("a stored message is missing".into()))?;
    Ok(SentToVisitor { message: message.for_visitor() })
}

async fn history(app: &App, site: &Site, session: &VisitorSession, before: Point) -> Result<HistoryForVisitor> {
    let conversations = readable(app, site, session).await?;
    let point = conversations.iter().find(|c| c.public_id == before.conversation).ok_or(Error::NotFound)?;
    let History { messages, more } = messages::before(&app.store, &conversations, (point.id, before.seq), PAGE).await?;
    Ok(HistoryForVisitor { messages: messages.iter().map(messages::Message::for_visitor).collect(), more })
}
