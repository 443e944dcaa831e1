//! The address under which a browser reached this server.

use hyper::HeaderMap;
use hyper::header::HOST;
use hyper::http::request::Parts;

use crate::app::App;
use crate::config::host_of;

use super::address::Peer;

/// The origin for links and scripts: the configured public address, or else the requested host name, so that a server
/// on a LAN or on localhost works under each of its names.
pub fn of_server(app: &App, parts: &Parts) -> String {
    if app.config.public_url.is_some() {
        return app.config.public_url();
    }
    let authority = || parts.uri.authority().map(|host| host.as_str()).filter(|host| host_of(host).is_some());
    let Some(host) = host(&parts.headers).or_else(authority) else {
        return app.config.public_url();
    };
    format!("{}://{host}", if is_secure(app, parts) { "https" } else { "http" })
}

/// Returns whether `page` is the origin of this server, under the requested host name or the configured URL.
pub fn is_own(app: &App, parts: &Parts, page: &str) -> bool {
    let asked = host(&parts.headers).or_else(|| parts.uri.authority().map(|authority| authority.as_str()));
    let page_host = page.split_once("://").map(|(_, host)| host);
    page == of_server(app, parts) || asked.zip(page_host).is_some_and(|(asked, page)| asked.eq_ignore_ascii_case(page))
}

/// The requested host name and port, if valid: it is written into policies and scripts.
pub fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(HOST)?.to_str().ok().filter(|host| host_of(host).is_some())
}

fn is_secure(app: &App, parts: &Parts) -> bool {
    if app.config.public_url().starts_with("https://") {
        return true;
    }
    let peer = parts.extensions.get::<Peer>().map(|Peer(address)| address.ip());
    let by_proxy = peer.is_some_and(|peer| app.config.trusted_proxies.iter().any(|network| network.contains(peer)));
    let proto = parts.headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    by_proxy && proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https"))
}
