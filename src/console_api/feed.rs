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
use crate::http::caller::{CurrentOperator, check_origin};
use crate::hub::{OperatorHint, OperatorPass};
use crate::realtime;

/// A ticket that opens one socket.
#[derive(Serialize, schemars::JsonSchema)]
pub struct Ticket {
    /// For the hello frame; valid once, for 30 s.
    pub ticket: String,
}

fn pass(operator: &CurrentOperator) -> OperatorPass {
    let (workspace, sites, version) = (operator.workspace, operator.sites.clone(), operator.version);
    let (account, session, name) = (operator.account, operator.session, operator.name.clone());
    OperatorPass { workspace, sites, version, account, session, name }
}

/// Issues a ticket.
pub(super) async fn ticket(State(app): State<App>, operator: CurrentOperator) -> Json<Ticket> {
    Json(Ticket { ticket: app.tickets.issue(pass(&operator)) })
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
pub(super) async fn stream(State(app): State<App>, operator: CurrentOperator, headers: HeaderMap) -> Result<Response> {
    let cursor = headers.get("last-event-id").and_then(|cursor| cursor.to_str().ok()).unwrap_or_default().to_owned();
    realtime::operator_stream(&app, &pass(&operator), &cursor).await
}

/// Accepts a hint, when no socket is open.
pub(super) async fn hint(
    State(app): State<App>,
    operator: CurrentOperator,
    JsonBody(hint): JsonBody<OperatorHint>,
) -> Result<Json<Done>> {
    realtime::from_operator(&app, &pass(&operator), hint).await?;
    Ok(Json(Done {}))
}
