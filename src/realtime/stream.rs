//! The same frames as a server-sent stream, for networks that block WebSockets. Hints go up by POST.

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

use super::line::{Line, Next};
use crate::hub::OperatorPass;

/// Opens a visitor's stream. `origin` is the origin of the foreign page that asks; `cursor` is where the events go on.
///
/// # Errors
/// `InvalidToken` where the site is gone, `Unavailable` where too many wait, and what [`Line::visitor`] refuses.
pub async fn visitor_stream(
    app: &App,
    session: VisitorSession,
    origin: Option<&str>,
    cursor: &str,
) -> Result<Response> {
    let site = app.sites.by_id(session.site_id).await.map_err(Error::not_found_as(Error::InvalidToken))?;
    let _permit = app.fair_limit.acquire(Tenant::Visitors(site.owner_id)).await?;
    Ok(answer(Line::visitor(app, session, &site, origin, cursor).await?))
}

/// An operator's stream. Nobody sees a chat on it until its console says so.
pub async fn operator_stream(app: &App, pass: &OperatorPass, cursor: &str) -> Result<Response> {
    Ok(answer(Line::operator(app, pass, cursor, false).await?))
}

fn answer(line: Line) -> Response {
    let frames = stream::unfold(Some(line), |line| async move {
        let mut line = line?;
        Some(match line.next().await {
            Next::Frame(frame) => (data(&frame), Some(line)),
            Next::Last(frame, _) => (data(&frame), None),
        })
    });
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx holds answers back by default; this is its own switch for one answer.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// JSON has no raw line breaks, so one frame is one `data:` line.
fn data(frame: &str) -> std::result::Result<Bytes, Infallible> {
    Ok(Bytes::from(format!("data: {frame}\n\n")))
}
