//! Event feed of a visitor's page.

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{State, ws::rejection::WebSocketUpgradeRejection};
use axum::response::{IntoResponse, Response};
use hyper::header::HeaderMap;

use crate::app::App;
use crate::error::Error;
use crate::http::address::ClientAddress;
use crate::realtime;

use super::caller::{AnyOrigin, CurrentVisitor, PageOrigin, bearer};

/// Opens the WebSocket; its first frame carries the token.
pub(super) async fn socket(
    State(app): State<App>,
    page: PageOrigin,
    address: ClientAddress,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    match upgrade {
        Ok(upgrade) => realtime::visitor_socket(app, upgrade, page.0, address),
        Err(_) => AnyOrigin(Error::InvalidRequest("this address takes WebSocket connections".into())).into_response(),
    }
}

/// Opens the event stream; token and cursor are headers.
pub(super) async fn stream(
    State(app): State<App>,
    page: PageOrigin,
    visitor: CurrentVisitor,
    headers: HeaderMap,
) -> Response {
    let cursor = headers.get("last-event-id").and_then(|cursor| cursor.to_str().ok()).unwrap_or_default().to_owned();
    let opened = realtime::visitor_stream(&app, visitor.session, page.0.as_deref(), &cursor).await;
    // The session may have ended before the subscription existed, so check it again, mostly from the cache.
    let token = bearer(&headers).unwrap_or_default();
    let still = app.visitors.find(&app.store, &token).await;
    AnyOrigin(still.and(opened)).into_response()
}
