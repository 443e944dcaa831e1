//! One log line for each request that failed, at most: the route's template, never the query, which can hold a key.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

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
