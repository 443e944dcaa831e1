//! One log line for each request that failed, at most: the route's template, never the query, which can hold a key.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::Version;
use hyper::header::HOST;
use hyper::http::uri::Authority;

use crate::error::Error;

/// Refuses what does not say exactly one host (RFC 9112, section 3.2): a proxy in front might read another one.
pub async fn check_host(request: Request, next: Next) -> Response {
    let mut hosts = request.headers().get_all(HOST).iter();
    // Said once more where the target is a whole address: the same then.
    let target = request.uri().authority();
    let sound = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Authority::try_from(host.as_bytes())
            .is_ok_and(|host| !host.as_str().contains('@') && target.is_none_or(|target| *target == host)),
        (None, _) => request.version() != Version::HTTP_11,
        (Some(_), Some(_)) => false,
    };
    if sound { next.run(request).await } else { Error::InvalidRequest("say one Host".into()).into_response() }
}

/// Logs what a request came to.
pub async fn log(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let response = next.run(request).await;
    let (status, millis) = (response.status().as_u16(), begun.elapsed().as_millis() as u64);
    let route = route.as_deref().unwrap_or("(no route)");
    if response.status().is_server_error() {
        tracing::warn!(%method, route, status, millis, "request");
    } else {
        tracing::debug!(%method, route, status, millis, "request");
    }
    response
}
