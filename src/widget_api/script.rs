//! `GET /api/widget.js`: the launcher with one site inserted. Every page view of every customer requests it, so it is
//! built once for each change of the site and then served from a cache.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hyper::Method;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, REFERER, VARY,
};
use hyper::http::request::Parts;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::cpu_pool;
use crate::encoding::{Encoded, Encoding};
use crate::error::{Error, Result};
use crate::http::etag::conditional;
use crate::http::headers::{CROSS_ORIGIN_RESOURCE_POLICY, TIMING_ALLOW_ORIGIN};
use crate::http::route::{Caller, Route};
use crate::http::{dist, origin};
use crate::sites::{self, Locale, Look, Position, Scheme, Site, Variant};

/// Fresh for a minute, and stale for another while the browser revalidates: a new look appears within two minutes.
/// `immutable`: a reload within the minute does not revalidate (RFC 8246; over TLS). Otherwise WebKit would, and a page
/// would have no launcher while the server is down.
const CACHE_SHARED: HeaderValue = HeaderValue::from_static("public, max-age=60, stale-while-revalidate=60, immutable");
/// The same for responses that depend on the requesting page or host name.
const CACHE_PRIVATE: HeaderValue =
    HeaderValue::from_static("private, max-age=60, stale-while-revalidate=60, immutable");
/// An error is revalidated at once: somebody is fixing it.
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");
/// The web build's manifest file, which names the panel that belongs to the launcher.
const MANIFEST: &str = "widget/manifest.json";
/// Placeholder for the site in the launcher's source.
const SITE_PLACEHOLDER: &str = "__OCS_SITE__";

/// The launcher's settings. Short names, because every page view pays for them.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct LauncherSite<'a> {
    /// Widget key.
    k: &'a str,
    /// Origin of the server.
    o: &'a str,
    /// Site name.
    n: &'a str,
    /// variant, position, scheme, primary, primary_text, header, header_text
    l: (Variant, Position, Scheme, String, String, String, String),
    /// Path of the panel module.
    p: String,
    /// Its subresource integrity hash.
    i: String,
    /// 1 in the live preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<u8>,
    /// In the live preview: the greeting.
    #[serde(skip_serializing_if = "Option::is_none")]
    w: Option<&'a str>,
    /// In the live preview: path of the logo.
    #[serde(skip_serializing_if = "Option::is_none")]
    g: Option<String>,
}

/// The web build's manifest.
#[derive(Debug, Deserialize)]
struct Manifest {
    panel: String,
    integrity: String,
}

impl Manifest {
    /// A truncated manifest counts as missing: `NotFound`.
    fn read(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|_| Error::NotFound)
    }
}

/// The site. Without a key, the response is a script that explains the error in the page's console.
#[derive(Deserialize, schemars::JsonSchema)]
struct ScriptQuery {
    #[serde(default)]
    key: String,
}

/// The route of the script.
pub fn routes() -> Vec<Route> {
    let script = Route::new(Method::GET, "/api/widget.js", Caller::Anyone, serve);
    vec![script.query::<ScriptQuery>().media_type("text/javascript")]
}

/// Responds with the site's script, or with one that explains in the page's console why there is no chat.
async fn serve(State(app): State<App>, parts: Parts) -> Result<Response> {
    let site = match site_of_query(&app, &parts).await {
        Ok(site) => site,
        Err(Error::UnknownSite) => {
            return Ok(refusal("unknown site key. Copy the snippet again from My Sites in the console."));
        }
        Err(error) => return Err(error),
    };
    // Demo page and full-page chat are on every site, and say nothing about the owner's own pages.
    let page = page_origin(&parts).filter(|page| !origin::is_own(&app, &parts, page));
    if let Some(page) = &page
        && !site.allows_origin(page)
    {
        return Ok(refusal("this page's address is not among the allowed domains of this site, see My Sites."));
    }
    if site.paused {
        return Ok(refusal("this chat is paused. Its owner can switch it on in My Sites."));
    }
    if let Some(page) = &page {
        sites::saw_page(&app.sites, site.id, page);
    }
    let bound_to_page = !site.allowed_domains.is_empty();
    let script = match script(&app, site, origin::of_server(&app, &parts)).await {
        Ok(script) => script,
        Err(Error::NotFound) => return Ok(not_built()),
        Err(error) => return Err(error),
    };
    // Without a configured public address, the script contains the host name that this browser requested, so it must
    // not be shared.
    let shared = !bound_to_page && app.config.public_url.is_some();
    Ok(answer(&parts, &script, shared, bound_to_page))
}

async fn site_of_query(app: &App, parts: &Parts) -> Result<Arc<Site>> {
    let query = axum::extract::Query::<ScriptQuery>::try_from_uri(&parts.uri).map_err(|_| Error::UnknownSite)?;
    app.sites.by_widget_key(&query.key).await
}

/// Origin of the requesting page, such as `https://shop.example:8443`, from its Referer.
fn page_origin(parts: &Parts) -> Option<String> {
    let referer = parts.headers.get(REFERER)?.to_str().ok()?;
    let (scheme, rest) = referer.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let known = matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains('@');
    known.then(|| format!("{scheme}://{}", host.to_ascii_lowercase()))
}

fn answer(parts: &Parts, script: &Encoded, shared: bool, bound_to_page: bool) -> Response {
    let (encoding, body) = script.body(Encoding::negotiate(&parts.headers));
    let rule = if shared { CACHE_SHARED } else { CACHE_PRIVATE };
    let vary = if bound_to_page { "Accept-Encoding, Referer" } else { "Accept-Encoding" };
    let mut response = open_to_all(Body::from(body), rule);
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static(vary));
    if let Some(token) = encoding.token() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(token));
    }
    conditional(&parts.headers, &format!("{}{}", script.tag, encoding.suffix()), response)
}

/// A script that only logs the reason. Status 200, so that the page's console shows this line only.
fn refusal(why: &'static str) -> Response {
    open_to_all(Body::from(format!("console.warn(\"OCS chat: {why}\");\n")), NO_CACHE)
}

/// An incomplete build would show a button that opens nothing; instead the operator of the server is told what to do.
fn not_built() -> Response {
    let line = "console.error(\"OCS chat: this server was built without its widget; run `make web`.\");\n";
    open_to_all(Body::from(line), NO_CACHE)
}

fn open_to_all(body: Body, rule: HeaderValue) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(CACHE_CONTROL, rule);
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    headers.insert(TIMING_ALLOW_ORIGIN, ANY_ORIGIN);
    response
}

/// The script of a site for the server origin that it calls. `NotFound` when the web is not built completely.
async fn script(app: &App, site: Arc<Site>, origin: String) -> Result<Arc<Encoded>> {
    let launcher = dist::file("launcher.js").ok_or(Error::NotFound)?;
    let manifest = dist::file(MANIFEST).ok_or(Error::NotFound)?;
    let built = combine_hashes(launcher.sha256, manifest.sha256);
    let key = (site.id, origin);
    // The cached script is valid while the directory returns the same site record.
    let find =
        || app.response_cache.scripts.get(&key, |(made_from, web)| Arc::ptr_eq(made_from, &site) && *web == built);
    if let Some(script) = find() {
        return Ok(script);
    }
    let plain = write(&launcher.bytes, &site_json(&launcher_site(&site, &site.look, &key.1, &manifest.bytes)?)?)?;
    // Concurrent requests get an uncompressed script: a queue of made-up host names would delay every site.
    let Ok(_permit) = app.response_cache.compressing.try_acquire() else { return Ok(Arc::new(Encoded::plain(plain))) };
    // Another request may have built it meanwhile.
    if let Some(script) = find() {
        return Ok(script);
    }
    let script = cpu_pool::run(move || Arc::new(Encoded::compress(plain))).await;
    let script = script.ok_or_else(|| Error::Internal("a script could not be compressed".into()))?;
    app.response_cache.scripts.insert(key, (site, built), script.clone());
    Ok(script)
}

/// The script for the live preview: an unsaved look and greeting, sample messages, and no network.
///
/// # Errors
/// `NotFound` when the web is not built completely.
pub fn preview(app: &App, parts: &Parts, site: &Site, look: &Look, welcome: Option<&str>) -> Result<Response> {
    let launcher = dist::file("launcher.js").ok_or(Error::NotFound)?;
    let origin = origin::of_server(app, parts);
    let manifest = dist::file(MANIFEST).ok_or(Error::NotFound)?;
    let mut shown = launcher_site(site, look, &origin, &manifest.bytes)?;
    shown.v = Some(1);
    shown.w = welcome.or_else(|| Some(site.welcome_for(Locale::English)));
    shown.g = site.logo.as_deref().map(crate::images::logo_url);
    let script = write(&launcher.bytes, &site_json(&shown)?)?;
    Ok(open_to_all(Body::from(script), HeaderValue::from_static("no-store")))
}

fn launcher_site<'a>(site: &'a Site, look: &Look, origin: &'a str, manifest: &[u8]) -> Result<LauncherSite<'a>> {
    let manifest = Manifest::read(manifest)?;
    let colour = |colour| String::from(colour);
    Ok(LauncherSite {
        k: &site.widget_key,
        o: origin,
        n: &site.name,
        l: (
            look.variant,
            look.position,
            look.scheme,
            colour(look.primary),
            colour(look.primary_text),
            colour(look.header),
            colour(look.header_text),
        ),
        p: manifest.panel,
        i: manifest.integrity,
        v: None,
        w: None,
        g: None,
    })
}

fn site_json(site: &LauncherSite<'_>) -> Result<String> {
    let json = serde_json::to_string(site).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(escape(&json))
}

/// Escapes JSON for use inside a script, in a file or in a page.
fn escape(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

fn write(launcher: &[u8], site: &str) -> Result<String> {
    let launcher = std::str::from_utf8(launcher).map_err(|_| Error::Internal("the launcher is not UTF-8".into()))?;
    Ok(launcher.replace(SITE_PLACEHOLDER, site))
}

fn combine_hashes(one: [u8; 32], other: [u8; 32]) -> [u8; 32] {
    std::array::from_fn(|at| one[at] ^ other[at].rotate_left(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_name_cannot_leave_its_string() {
        let name = "</script><script>alert(1)//\u{2028}\"'\\";
        let json = escape(&serde_json::to_string(name).expect("text is JSON"));
        assert!(!json.contains('<') && !json.contains('\u{2028}'), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).expect("still JSON"), name);
    }

    #[test]
    fn half_a_web_build_is_no_widget() {
        let manifest = br#"{"panel":"/widget/panel-1.js","integrity":"sha256-x"}"#;
        assert_eq!(Manifest::read(manifest).expect("whole").panel, "/widget/panel-1.js");
        for half in [&manifest[..0], &manifest[..30], b"{}"] {
            assert!(matches!(Manifest::read(half), Err(Error::NotFound)), "{}", String::from_utf8_lossy(half));
        }
    }

    #[test]
    fn the_page_is_known_by_its_referer() {
        let origin = |referer: &str| {
            let request = hyper::Request::builder().header(REFERER, referer).body(()).expect("a request");
            page_origin(&request.into_parts().0)
        };
        assert_eq!(origin("https://Shop.example:8443/cart?x=1"), Some("https://shop.example:8443".into()));
        assert_eq!(origin("https://shop.example"), Some("https://shop.example".into()));
        assert_eq!(origin("android-app://shop.example/"), None);
        assert_eq!(origin("https://user@shop.example/"), None);
    }
}
