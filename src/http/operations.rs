//! Endpoints for operating the server: liveness, readiness, metrics.

use std::fmt::Write;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, StatusCode};

use crate::app::App;
use crate::error::{Error, Result};

use super::address::Peer;
use super::route::{Caller, Route};

/// Response header with the random name of the running instance; see [`crate::app::Parts::instance`].
pub const INSTANCE: HeaderName = HeaderName::from_static("ocs-instance");

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/healthz", Caller::Anyone, healthz).media_type("text/plain"),
        Route::new(Method::GET, "/readyz", Caller::Anyone, readyz).media_type("text/plain"),
        Route::new(Method::GET, "/metrics", Caller::Anyone, metrics).media_type("text/plain"),
    ]
}

/// Liveness: the process responds and names its instance.
async fn healthz(State(app): State<App>) -> Response {
    let mut response = plain(StatusCode::OK, "ok\n".into());
    if let Ok(instance) = HeaderValue::from_str(&app.instance) {
        response.headers_mut().insert(INSTANCE, instance);
    }
    response
}

/// Readiness: the database responds and the server is not stopping.
async fn readyz(State(app): State<App>) -> Response {
    let stopping = *app.stopping.borrow();
    match app.store.ping().await {
        Ok(()) if !stopping => plain(StatusCode::OK, "ready\n".into()),
        Ok(()) => plain(StatusCode::SERVICE_UNAVAILABLE, "stopping\n".into()),
        Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n".into()),
    }
}

/// Headers that proxies add. A request with one of them does not come from the peer itself.
const FORWARDING_HEADERS: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

/// Metrics in the Prometheus text format, for direct requests from the `metrics_from` networks; 404 for others. No
/// label names a site or a person.
async fn metrics(
    State(app): State<App>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response> {
    let forwarded = FORWARDING_HEADERS.iter().any(|name| headers.contains_key(*name));
    if forwarded || !app.config.metrics_from.iter().any(|network| network.contains(peer.ip())) {
        return Err(Error::NotFound);
    }
    Ok(plain(StatusCode::OK, metrics_text(&app)))
}

fn metrics_text(app: &App) -> String {
    let (visitors, operators) = app.hub.counts();
    let rows = [
        ("ocs_connections", "gauge", "Open connections.", app.connections.count() as u64),
        ("ocs_visitor_lines", "gauge", "Visitors' pages that are connected.", visitors as u64),
        ("ocs_operator_lines", "gauge", "Consoles that are connected.", operators as u64),
        ("ocs_messages_stored_total", "counter", "Messages stored since the start.", app.appender.stored()),
        ("ocs_commits_total", "counter", "Commits that stored them.", app.appender.commits()),
        ("ocs_resident_bytes", "gauge", "Memory in use.", resident_bytes()),
    ];
    let mut text = String::new();
    for (name, kind, help, value) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    text
}

/// Resident memory in bytes, from /proc; 0 where there is none.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

fn plain(status: StatusCode, text: String) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (CACHE_CONTROL, "no-store")], text)
        .into_response()
}
