//! The server-sent events transport: the same frames, for networks that block WebSockets. Hints are sent by POST.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

use crate::app::App;
use crate::error::{Error, Result};
use crate::fair_limit::Tenant;
use crate::visitors::VisitorSession;

use super::feed::{Feed, Next};
use crate::hub::OperatorPass;

/// Opens a visitor's stream. `origin` is the origin of the customer's page; events resume after `cursor`.
///
/// # Errors
/// `InvalidToken` when the site is deleted, `Unavailable` when too many requests queue, and the errors of [`Feed::visitor`].
pub async fn visitor_stream(
    app: &App,
    session: VisitorSession,
    origin: Option<&str>,
    cursor: &str,
) -> Result<Response> {
    let site = app.sites.by_id(session.site_id).await.map_err(Error::not_found_as(Error::InvalidToken))?;
    let _permit = app.fair_limit.acquire(Tenant::Visitors(site.workspace_id)).await?;
    Ok(response(Feed::visitor(app, session, &site, origin, cursor).await?))
}

/// Opens an operator's stream. No chat is visible on it until its console sends presence.
pub async fn operator_stream(app: &App, pass: &OperatorPass, cursor: &str) -> Result<Response> {
    Ok(response(Feed::operator(app, pass, cursor, false).await?))
}

fn response(feed: Feed) -> Response {
    let frames = stream::unfold(Some(feed), |feed| async move {
        let mut feed = feed?;
        Some(match feed.next().await {
            Next::Frame(frame) => (data(&frame), Some(feed)),
            Next::Last(frame, _) => (data(&frame), None),
        })
    });
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx buffers responses by default; this header turns it off for one response.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// One frame as one `data:` line: JSON contains no raw line breaks.
fn data(frame: &str) -> std::result::Result<Bytes, Infallible> {
    Ok(Bytes::from(format!("data: {frame}\n\n")))
}
