//! The documented compatible API, `/api/chat_api.php`: one address, two actions, a secret key.
//!
//! Checks run in this order: key and its networks, site, rate limit, action and the key's scope, method, body,
//! conversation, content.

mod answer;
mod body;
mod fetch;
mod key;
mod reply;

use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use hyper::Method;
use hyper::http::request::Parts;

use crate::app::App;
use crate::error::Error;
use crate::fair_limit::Tenant;
use crate::http::route::{Caller, Route};
use crate::rate_limits::ApiCall;
use crate::sites::{self, KeyScope};

pub use body::Reply;
pub use reply::decode as decode_image;

use answer::Refusal;
use body::Parameters;
use key::CurrentKey;

/// The documented address.
pub const PATH: &str = "/api/chat_api.php";
/// Other addresses of the API: scripts omit the extension, and libraries append a slash.
const ALIASES: &[&str] = &["/api/chat_api.php/", "/api/chat_api", "/api/chat_api/"];

/// The routes of this API. Each method has a row, because the key is checked before the method.
pub fn routes() -> Vec<Route> {
    let row =
        |method| Route::new(method, PATH, Caller::ChatKey, serve).aliases_at(ALIASES).error_schema::<answer::Refused>();
    vec![
        row(Method::GET).query_schema(fetch::query).returns::<fetch::Recent<'static>>(),
        row(Method::POST).query_schema(reply::query).json_body::<Reply>().or_form().returns::<reply::Sent>(),
        row(Method::PUT),
        row(Method::PATCH),
        row(Method::DELETE),
        Route::new(Method::OPTIONS, PATH, Caller::Anyone, options).aliases_at(ALIASES),
    ]
}

/// A documented action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    GetRecentMessages,
    ReplyAsAgent,
}

impl Action {
    fn parse(name: &str) -> Option<Action> {
        match name {
            "get_recent_messages" => Some(Action::GetRecentMessages),
            "reply_as_agent" => Some(Action::ReplyAsAgent),
            _ => None,
        }
    }

    fn counted_as(self) -> ApiCall {
        match self {
            Action::GetRecentMessages => ApiCall::Fetch,
            Action::ReplyAsAgent => ApiCall::Reply,
        }
    }

    fn is_within(self, scope: KeyScope) -> bool {
        match self {
            Action::GetRecentMessages => scope.may_read(),
            Action::ReplyAsAgent => scope.may_reply(),
        }
    }

    fn allows(self, method: &Method) -> bool {
        match self {
            Action::GetRecentMessages => matches!(*method, Method::GET | Method::HEAD),
            Action::ReplyAsAgent => *method == Method::POST,
        }
    }
}

async fn serve(State(app): State<App>, request: Request) -> Response {
    match act(&app, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn act(app: &App, request: Request) -> std::result::Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    let mut asked = Parameters::of_query(&parts);
    let body = if key::presented(&asked, &parts).is_none() || asked.get("action").is_none_or(str::is_empty) {
        asked.read_from_body(&parts, body).await?
    } else {
        body
    };
    let key = CurrentKey::find(app, &asked, &mut parts).await?;
    if key.site.paused {
        return Err(Error::SitePaused.into());
    }
    let action = asked.get("action").and_then(Action::parse);
    count(app, &key, action, &parts)?;
    let action = action.ok_or(Refusal::UnknownAction)?;
    if !action.is_within(key.scope) {
        return Err(Refusal::ActionNotAllowed);
    }
    sites::note_use(&app.sites, key.site.id, key.id);
    if !action.allows(&parts.method) {
        return Err(Error::MethodNotAllowed.into());
    }
    match action {
        Action::GetRecentMessages => {
            let _permit = app.fair_limit.acquire(Tenant::Workspace(key.site.workspace_id)).await?;
            Ok(fetch::recent(app, &key, &asked).await?)
        }
        Action::ReplyAsAgent => reply::reply(app, &key, &parts, body).await,
    }
}

/// Fetching and replying are counted separately against the site's limit. A call without a known action counts by its
/// method, so that guessing is limited, too.
fn count(app: &App, key: &CurrentKey, action: Option<Action>, parts: &Parts) -> std::result::Result<(), Refusal> {
    let guess = if parts.method == Method::POST { ApiCall::Reply } else { ApiCall::Fetch };
    let call = action.map_or(guess, Action::counted_as);
    let per_minute = key.site.limits.api_per_minute;
    let taken = app.rate_limits.api_calls.take((key.site.id, call), per_minute as usize, Instant::now());
    taken.map_err(|wait_s| Refusal::OverLimit { call, per_minute, wait_s })
}

/// Answers OPTIONS, without a key.
async fn options() -> Response {
    (hyper::StatusCode::NO_CONTENT, [(hyper::header::ALLOW, answer::ALLOWED)]).into_response()
}
