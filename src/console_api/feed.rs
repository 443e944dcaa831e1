//! Event feed of a console.

use axum::Json;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use hyper::header::HeaderMap;
use hyper::http::request::Parts;
use serde::Serialize;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::body::{Done, JsonBody};
use crate::http::caller::check_origin;
use crate::http::member::WorkspaceMember;
use crate::hub::{OperatorHint, OperatorPass};
use crate::realtime;

/// A ticket that opens one socket.
#[derive(Serialize, schemars::JsonSchema)]
pub struct Ticket {
    /// For the hello frame; valid once, for 30 s.
    pub ticket: String,
}

fn pass(member: &WorkspaceMember) -> OperatorPass {
    OperatorPass {
        workspace: member.workspace(),
        role: member.member.role,
        sites: member.member.sites.clone(),
        version: member.member.version,
        account: member.account,
        session: member.session,
        name: member.name.clone(),
    }
}

/// Issues a ticket.
pub(super) async fn ticket(State(app): State<App>, member: WorkspaceMember) -> Json<Ticket> {
    Json(Ticket { ticket: app.tickets.issue(pass(&member)) })
}

/// Opens the WebSocket, for the console's own origin; its first frame carries the ticket.
pub(super) async fn socket(State(app): State<App>, parts: Parts, upgrade: WebSocketUpgrade) -> Result<Response> {
    // Browsers always send `Origin` with a WebSocket handshake.
    if !parts.headers.contains_key(hyper::header::ORIGIN) {
        return Err(Error::ForbiddenOrigin);
    }
    check_origin(&app.config, &parts.headers)?;
    Ok(realtime::operator_socket(app, upgrade))
}

/// Opens the event stream, authenticated by the session cookie.
pub(super) async fn stream(State(app): State<App>, member: WorkspaceMember, headers: HeaderMap) -> Result<Response> {
    let cursor = headers.get("last-event-id").and_then(|cursor| cursor.to_str().ok()).unwrap_or_default().to_owned();
    realtime::operator_stream(&app, &pass(&member), &cursor).await
}

/// Accepts a hint, when no socket is open.
pub(super) async fn hint(
    State(app): State<App>,
    member: WorkspaceMember,
    JsonBody(hint): JsonBody<OperatorHint>,
) -> Result<Json<Done>> {
    realtime::from_operator(&app, &pass(&member), hint).await?;
    Ok(Json(Done {}))
}
