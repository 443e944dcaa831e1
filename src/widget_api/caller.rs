//! Authentication of visitors: the token, and the origin of the customer's page.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, AUTHORIZATION, HeaderMap, HeaderValue, ORIGIN,
};
use hyper::http::request::Parts;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::origin;
use crate::sites::Site;
use crate::visitors::VisitorSession;

/// A visitor with a valid token, on a page that is allowed to embed the site's widget.
pub struct CurrentVisitor {
    /// The session.
    pub session: VisitorSession,
    /// Its site, whose settings allow the session.
    pub site: Arc<Site>,
}

impl FromRequestParts<App> for CurrentVisitor {
    type Rejection = AnyOrigin<Error>;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> std::result::Result<CurrentVisitor, AnyOrigin<Error>> {
        let Ok(page) = PageOrigin::from_request_parts(parts, app).await;
        let token = bearer(&parts.headers);
        current(app, token.as_deref(), &page).await.map_err(AnyOrigin)
    }
}

/// Authenticates a token.
pub(super) async fn current(app: &App, token: Option<&str>, page: &PageOrigin) -> Result<CurrentVisitor> {
    let session = app.visitors.find(&app.store, token.ok_or(Error::InvalidToken)?).await?;
    let site = app.sites.by_id(session.site_id).await.map_err(Error::not_found_as(Error::InvalidToken))?;
    session.check(&site, page.0.as_deref())?;
    Ok(CurrentVisitor { session, site })
}

/// The bearer token of a request.
pub(super) fn bearer(headers: &HeaderMap) -> Option<String> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(|token| token.trim().to_owned())
}

/// The origin of the customer's page; `None` for the server's own pages and for scripts.
#[derive(Debug, Clone)]
pub struct PageOrigin(pub Option<String>);

impl PageOrigin {
    /// Whether this page may embed the widget of `site`.
    pub fn check(&self, site: &Site) -> Result<()> {
        site.check_page(self.0.as_deref())
    }
}

impl FromRequestParts<App> for PageOrigin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> std::result::Result<PageOrigin, Infallible> {
        let page = parts.headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).map(str::to_owned);
        Ok(PageOrigin(page.filter(|page| *page != origin::of_server(app, parts))))
    }
}

/// A response readable by any origin (CORS). This API has no cookies, so every origin may read it.
pub struct AnyOrigin<T>(pub T);

impl<T: IntoResponse> IntoResponse for AnyOrigin<T> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
        headers.entry("cache-control").or_insert(HeaderValue::from_static("no-store"));
        response
    }
}

/// Answers a CORS preflight; valid for two hours, the longest that Chromium caches it.
pub(super) async fn preflight() -> AnyOrigin<impl IntoResponse> {
    let allowed = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, Last-Event-ID"),
        (ACCESS_CONTROL_MAX_AGE, "7200"),
    ];
    AnyOrigin((StatusCode::NO_CONTENT, allowed))
}
