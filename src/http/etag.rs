//! Entity tags and `304 Not Modified`.

use axum::body::Body;
use axum::response::Response;
use hyper::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use hyper::{HeaderMap, StatusCode};

/// Whether `If-None-Match` names this tag.
pub fn matches(request: &HeaderMap, tag: &str) -> bool {
    let quoted = format!("\"{tag}\"");
    request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|list| {
        list.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == quoted)
    })
}

/// Sets the entity tag, and turns the response into a 304 when the client holds this version.
pub fn conditional(request: &HeaderMap, tag: &str, mut response: Response) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{tag}\"")) {
        response.headers_mut().insert(ETAG, value);
    }
    if matches(request, tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(hyper::header::CONTENT_LENGTH);
        response.headers_mut().remove(hyper::header::CONTENT_ENCODING);
    }
    response
}
