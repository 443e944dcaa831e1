//! What is done with every request, in one layer: each layer adds allocations to each request.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::header::HOST;
use hyper::http::uri::Authority;
use hyper::{Method, StatusCode, Version};

use crate::error::Error;

use super::headers::{self, Hsts};

/// Checks the `Host` header, calls the route, adds security headers and logs the result.
pub async fn run(hsts: Hsts, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = if has_one_host(&request) {
        next.run(request).await
    } else {
        Error::InvalidRequest("say one Host".into()).into_response()
    };
    log(&method, route.as_ref(), response.status(), begun.elapsed());
    headers::add_security_headers(response, &hsts)
}

/// Whether the request has exactly one valid `Host` (RFC 9112, section 3.2): a proxy in front might read another one.
fn has_one_host(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    // With an absolute-form target, its authority must equal `Host`.
    let target = request.uri().authority();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => Authority::try_from(host.as_bytes())
            .is_ok_and(|host| !host.as_str().contains('@') && target.is_none_or(|target| *target == host)),
        (None, _) => request.version() != Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// Logs the route template and status; a warning for server errors. Never the query, which may hold a key.
fn log(method: &Method, route: Option<&MatchedPath>, status: StatusCode, took: Duration) {
    let route = route.map_or("(no route)", MatchedPath::as_str);
    let (code, millis) = (status.as_u16(), took.as_millis() as u64);
    if status.is_server_error() {
        tracing::warn!(%method, route, status = code, millis, "request");
    } else {
        tracing::debug!(%method, route, status = code, millis, "request");
    }
}
