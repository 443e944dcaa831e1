//! The authenticated operator behind a session cookie, and the CSRF and origin checks.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use hyper::header::{COOKIE, HeaderValue, ORIGIN, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};

use crate::accounts::{self, Account, Place, SESSION_DAYS};
use crate::app::App;
use crate::audit::By;
use crate::clock::Millis;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::fair_limit::{FairPermit, Tenant};
use crate::id::{AccountId, SessionId};
use crate::secret::Secret;
use crate::visitors::describe_browser;

use super::address::ClientAddress;
use super::origin;
use super::route::NeedsRecentConfirmation;

/// The header that carries the CSRF token.
const CSRF: &str = "x-csrf-token";
/// Longest prefix of a user agent that is parsed, in bytes.
const USER_AGENT_BYTES: usize = 512;

/// A signed-in operator. For a change, the origin and the session's CSRF token are checked.
#[derive(Debug, Clone)]
pub struct CurrentOperator {
    /// The account of the session.
    pub account: AccountId,
    /// The address they sign in with.
    pub email: String,
    /// The name that visitors see.
    pub name: String,
    /// The session.
    pub session: SessionId,
    confirmed_at: Millis,
    token: Secret,
    whole: Account,
    by: By,
    /// Held for as long as the request is at work.
    permits: Vec<Arc<FairPermit>>,
}

impl CurrentOperator {
    /// Checks that this session has confirmed its operator recently, for a change that needs it only if it weakens a policy.
    /// Elsewhere the route table requires it.
    ///
    /// # Errors
    /// `ConfirmationRequired` with what to show.
    pub async fn check_confirmed(&self, app: &App) -> Result<()> {
        accounts::check_confirmed(&app.accounts, self.account, self.confirmed_at).await
    }
    /// The account record.
    pub fn account(&self) -> &Account {
        &self.whole
    }

    /// The actor for the audit log.
    pub fn by(&self) -> &By {
        &self.by
    }

    /// Releases the concurrency permits. Call it before slow work that has a queue of its own.
    pub fn without_permit(self) -> CurrentOperator {
        CurrentOperator { permits: Vec::new(), ..self }
    }

    /// The session token from the cookie.
    pub fn token(&self) -> &Secret {
        &self.token
    }
}

impl CurrentOperator {
    /// Who sends this request. For a change, the origin and the session's CSRF token are checked.
    ///
    /// # Errors
    /// `NotSignedIn`, `ForbiddenOrigin`, `Csrf`.
    pub(super) async fn identify(parts: &mut Parts, app: &App) -> Result<CurrentOperator> {
        let token = session_token(&app.config, &parts.headers).ok_or(Error::NotSignedIn)?;
        let (whole, session) = accounts::signed_in(&app.accounts, token.expose()).await?;
        if is_change(&parts.method) {
            check_origin(&app.config, &parts.headers)?;
            let shown = parts.headers.get(CSRF).and_then(|value| value.to_str().ok()).unwrap_or_default();
            if !accounts::is_csrf_token(shown, token.expose()) {
                return Err(Error::Csrf);
            }
        }
        let Ok(address) = ClientAddress::from_request_parts(parts, app).await;
        Ok(CurrentOperator {
            by: By::at(whole.id, &address.0.to_string()),
            account: whole.id,
            email: whole.email.clone(),
            name: whole.name.clone(),
            session: session.id,
            confirmed_at: session.confirmed_at,
            token,
            whole,
            permits: Vec::new(),
        })
    }

    /// Checks the recent confirmation, where the route table asks for one.
    ///
    /// # Errors
    /// `ConfirmationRequired` with what to show.
    pub(super) async fn check_confirmation_asked_for(&self, parts: &Parts, app: &App) -> Result<()> {
        match parts.extensions.get::<NeedsRecentConfirmation>() {
            Some(NeedsRecentConfirmation) => self.check_confirmed(app).await,
            None => Ok(()),
        }
    }

    /// Waits for a permit of the tenant, which is held for as long as the request is at work. Where two are needed, the
    /// account's comes first, so that no two requests wait for each other.
    ///
    /// # Errors
    /// `Unavailable` when too many requests of the tenant wait already.
    pub(super) async fn wait_for(mut self, app: &App, tenant: Tenant) -> Result<CurrentOperator> {
        self.permits.push(Arc::new(app.fair_limit.acquire(tenant).await?));
        Ok(self)
    }
}

impl FromRequestParts<App> for CurrentOperator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<CurrentOperator> {
        let operator = CurrentOperator::identify(parts, app).await?;
        operator.check_confirmation_asked_for(parts, app).await?;
        let tenant = Tenant::Account(operator.account);
        operator.wait_for(app, tenant).await
    }
}

/// A request to sign in or sign up, from the console's own origin.
pub struct SignInRequest {
    /// The client's address and browser.
    pub place: Place,
    /// The session token that the browser already holds.
    pub token: Option<Secret>,
}

impl FromRequestParts<App> for SignInRequest {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<SignInRequest> {
        if is_change(&parts.method) {
            check_origin(&app.config, &parts.headers)?;
        }
        let Ok(address) = ClientAddress::from_request_parts(parts, app).await;
        let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let agent = agent.get(..USER_AGENT_BYTES).unwrap_or(agent);
        let place = Place { network: address.network(), address: address.0.to_string(), browser: browser(agent) };
        Ok(SignInRequest { place, token: session_token(&app.config, &parts.headers) })
    }
}

/// The address under which this browser reached the server; snippets use it.
pub struct ServerAddress(pub String);

impl ServerAddress {
    /// Whether the address is plain http.
    pub fn is_insecure(&self) -> bool {
        !self.0.starts_with("https://")
    }
}

impl FromRequestParts<App> for ServerAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> std::result::Result<ServerAddress, Infallible> {
        Ok(ServerAddress(origin::of_server(app, parts)))
    }
}

fn browser(agent: &str) -> String {
    describe_browser(agent).0.unwrap_or_default()
}

fn is_change(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Checks that a change comes from the console's own origin. Browsers send `Origin` with every change and pages cannot
/// forge it. A client without `Origin` is not a browser and has no access to other people's cookies.
///
/// # Errors
/// `ForbiddenOrigin`.
pub fn check_origin(config: &Config, headers: &HeaderMap) -> Result<()> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text("sec-fetch-site");
    let Some(shown) = headers.get(ORIGIN) else {
        return if matches!(site, None | Some("same-origin" | "none")) { Ok(()) } else { Err(Error::ForbiddenOrigin) };
    };
    let shown = shown.to_str().map_err(|_| Error::ForbiddenOrigin)?;
    let ours = shown == config.public_url() || site == Some("same-origin") || is_host(config, headers, shown);
    if ours { Ok(()) } else { Err(Error::ForbiddenOrigin) }
}

/// Without a configured public address, any host name of the server is its own origin.
fn is_host(config: &Config, headers: &HeaderMap, shown: &str) -> bool {
    let host = shown.split_once("://").map(|(_, host)| host);
    config.public_url.is_none() && host.is_some() && host == origin::host(headers)
}

/// The name of the session cookie. The `__Host-` prefix makes browsers accept it from this host over TLS only.
fn cookie_name(config: &Config) -> &'static str {
    if is_secure(config) { "__Host-ocs_session" } else { "ocs_session" }
}

/// Whether browsers reach this server by https.
fn is_secure(config: &Config) -> bool {
    config.public_url().starts_with("https://")
}

fn session_token(config: &Config, headers: &HeaderMap) -> Option<Secret> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    let (_, token) = cookies.find(|(name, _)| *name == cookie_name(config))?;
    Some(Secret::new(token)).filter(|token| token.expose().len() <= 100)
}

/// The `Set-Cookie` value that stores a session token.
///
/// # Errors
/// None in practice: tokens are made of plain characters.
pub fn session_cookie(config: &Config, token: &Secret) -> Result<HeaderValue> {
    set_cookie(config, token.expose(), SESSION_DAYS * 24 * 60 * 60)
}

/// The `Set-Cookie` value that removes the session cookie.
///
/// # Errors
/// None in practice.
pub fn no_session_cookie(config: &Config) -> Result<HeaderValue> {
    set_cookie(config, "", 0)
}

fn set_cookie(config: &Config, value: &str, max_age: i64) -> Result<HeaderValue> {
    let secure = if is_secure(config) { "; Secure" } else { "" };
    let name = cookie_name(config);
    let text = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).map_err(|error| Error::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(config: &Config, headers: &[(&'static str, &'static str)]) -> bool {
        let pairs = headers
            .iter()
            .map(|(name, value)| (hyper::header::HeaderName::from_static(name), HeaderValue::from_static(value)));
        check_origin(config, &pairs.collect()).is_ok()
    }

    #[test]
    fn changes_come_from_our_own_pages() {
        let config = Config { public_url: Some("https://chat.example/".into()), ..Config::default() };
        assert!(allows(&config, &[("origin", "https://chat.example")]));
        assert!(allows(&config, &[("origin", "https://x.example"), ("sec-fetch-site", "same-origin")]));
        assert!(allows(&config, &[]), "no browser");
        assert!(!allows(&config, &[("origin", "https://evil.example")]));
        assert!(!allows(&config, &[("origin", "https://evil.example"), ("host", "evil.example")]));
        assert!(!allows(&config, &[("origin", "null")]));
        assert!(!allows(&config, &[("sec-fetch-site", "cross-site")]));
        assert!(!allows(&config, &[("sec-fetch-site", "same-site")]));
    }

    #[test]
    fn an_unconfigured_server_is_reached_under_any_name() {
        let config = Config::default();
        assert!(allows(&config, &[("origin", "http://box.lan:8080"), ("host", "box.lan:8080")]));
        assert!(!allows(&config, &[("origin", "http://evil.example"), ("host", "box.lan:8080")]));
        assert!(!allows(&config, &[("origin", "null"), ("host", "null")]));
    }

    #[test]
    fn the_cookie_is_bound_to_the_host_over_tls() {
        let config = Config { public_url: Some("https://chat.example".into()), ..Config::default() };
        let cookie = session_cookie(&config, &Secret::new("abc")).expect("plain");
        let cookie = cookie.to_str().expect("plain");
        assert_eq!(cookie, "__Host-ocs_session=abc; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax; Secure");
        let plain = session_cookie(&Config::default(), &Secret::new("abc")).expect("plain");
        assert!(plain.to_str().expect("plain").starts_with("ocs_session=abc; "));
        let headers = [(COOKIE, HeaderValue::from_static("a=b; __Host-ocs_session=abc; ocs_session=planted"))];
        let headers: HeaderMap = headers.into_iter().collect();
        assert_eq!(session_token(&config, &headers), Some(Secret::new("abc")));
    }
}
