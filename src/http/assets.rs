//! Static files of the console and the widget, as built by `web/`.

use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
    VARY,
};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, StatusCode};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::error::Error;

use super::dist::{self, DistFile};
use super::etag::conditional;
use super::headers::{CROSS_ORIGIN_OPENER_POLICY, CROSS_ORIGIN_RESOURCE_POLICY, TIMING_ALLOW_ORIGIN};
use super::origin;
use super::route::{Caller, Route};
use crate::encoding::{Encoding, compress_once};

const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");
/// Files shorter than this are sent uncompressed, in bytes.
const MIN_COMPRESSED_BYTES: usize = 1_000;

/// Routes of the widget's files. The console is served by [`console`], the router's fallback.
pub fn routes() -> Vec<Route> {
    vec![Route::new(Method::GET, "/widget/{*path}", Caller::Anyone, widget).media_type("*/*")]
}

/// `GET /widget/…`: the panel and its parts, for pages of any origin.
async fn widget(OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Result<Response, Error> {
    let name = uri.path().strip_prefix("/widget/").unwrap_or_default();
    let path = format!("widget/{name}");
    let file = dist::file(&path).ok_or(Error::NotFound)?;
    let cache_control = if is_hashed(name) { FOREVER } else { REVALIDATE };
    let mut response = respond(&headers, &path, file, cache_control).await;
    let own = response.headers_mut();
    own.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
    own.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    own.insert(TIMING_ALLOW_ORIGIN, ANY_ORIGIN);
    Ok(response)
}

/// Fallback: a console file, or the console's single page for any console address.
pub async fn console(State(app): State<App>, request: axum::extract::Request) -> Response {
    let (parts, _) = request.into_parts();
    let path = parts.uri.path();
    if !matches!(parts.method, Method::GET | Method::HEAD) || is_reserved(path) {
        return Error::NotFound.into_response();
    }
    let name = format!("console{path}");
    match dist::file(&name) {
        Some(_) if path == "/index.html" => page(&app, &parts).await,
        Some(file) => {
            let cache_control = if path.starts_with("/_app/immutable/") { FOREVER } else { REVALIDATE };
            respond(&parts.headers, &name, file, cache_control).await
        }
        None if path.rsplit('/').next().is_some_and(|last| last.contains('.')) => Error::NotFound.into_response(),
        None => page(&app, &parts).await,
    }
}

/// Whether an address belongs to an API, so that an unknown one is a 404 and not a console page. `/chat/{widget_key}`
/// is a visitor page; the console owns `/chat` itself and what lies two levels below it.
fn is_reserved(path: &str) -> bool {
    ["/api", "/uploads", "/widget", "/demo"]
        .iter()
        .any(|prefix| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

async fn page(app: &App, parts: &Parts) -> Response {
    let Some(file) = dist::file("console/index.html") else { return not_built() };
    let policy = console_policy(&String::from_utf8_lossy(&file.bytes), &origin::of_server(app, parts));
    let mut response = respond(&parts.headers, "console/index.html", file, REVALIDATE).await;
    let own = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        own.insert(CONTENT_SECURITY_POLICY, policy);
    }
    own.insert(CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin"));
    own.insert(hyper::header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// Content security policy of the console page: its own files, its start script by hash, and its own server.
fn console_policy(html: &str, origin: &str) -> String {
    let hashes: String = inline_scripts(html)
        .map(|script| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(script.as_bytes()))))
        .collect();
    // Older browsers do not match `'self'` with WebSocket addresses. Both schemes are listed, because a proxy may
    // terminate TLS without saying so.
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    format!(
        "default-src 'none'; script-src 'self'{hashes}; style-src 'self'; img-src 'self' blob: data:; \
         connect-src 'self' ws://{host} wss://{host}; font-src 'self'; manifest-src 'self'; frame-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'"
    )
}

/// The text of each `<script>` without `src`.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script>")?;
        (!attributes.contains("src=")).then_some(script)
    })
}

/// Responds with a file in the best encoding that the browser accepts.
async fn respond(request: &HeaderMap, path: &str, file: DistFile, cache_control: HeaderValue) -> Response {
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    let compressible = mime.type_() == "text"
        || matches!(mime.subtype().as_str(), "javascript" | "json" | "svg" | "manifest+json" | "svg+xml");
    let charset = if mime.type_() == "text" { "; charset=utf-8" } else { "" };
    let encoding = if compressible { Encoding::negotiate(request) } else { Encoding::Plain };
    let (encoding, bytes) = encoded(path, &file, encoding).await;
    let tag = format!("{}{}", file.fingerprint(), encoding.suffix());
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(&format!("{}{charset}", mime.essence_str())) {
        headers.insert(CONTENT_TYPE, kind);
    }
    headers.insert(CACHE_CONTROL, cache_control);
    if let Some(token) = encoding.token() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(token));
    }
    if compressible {
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    conditional(request, &tag, response)
}

/// The encoding made by the web build, or one compressed here once.
async fn encoded(path: &str, file: &DistFile, encoding: Encoding) -> (Encoding, bytes::Bytes) {
    if encoding == Encoding::Plain {
        return (encoding, file.bytes.clone());
    }
    if let Some(built) = dist::file(&format!("{path}{}", encoding.suffix())) {
        return (encoding, built.bytes);
    }
    if file.bytes.len() < MIN_COMPRESSED_BYTES {
        return (Encoding::Plain, file.bytes.clone());
    }
    (encoding, compress_once(file.sha256, encoding, file.bytes.clone()).await)
}

/// Whether the name ends in a content hash of eight or more hexadecimal digits, as in `panel-0a1b2c3d.js`.
fn is_hashed(name: &str) -> bool {
    let stem = name.rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default();
    stem.rsplit_once('-').is_some_and(|(_, hash)| hash.len() >= 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn not_built() -> Response {
    const PAGE: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>OCS</title>\
        <h1>The server runs, its pages are not built</h1>\
        <p>This program was built without the console and the widget. To build them, install Node 20 or newer and run \
        <code>make web</code> in the source folder, then build and start the server again.\
        <p>Everything under <code>/api</code> works meanwhile.</html>";
    let kind = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (StatusCode::SERVICE_UNAVAILABLE, kind, PAGE).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_knows_the_start_script_by_its_hash() {
        let html = r#"<script src="/scheme.js"></script><div></div><script>alert(1)</script>"#;
        assert_eq!(inline_scripts(html).collect::<Vec<_>>(), ["alert(1)"]);
        let policy = console_policy(html, "https://chat.example");
        assert!(policy.contains("'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"), "{policy}");
        assert!(policy.contains("connect-src 'self' ws://chat.example wss://chat.example;"), "{policy}");
    }

    #[test]
    fn only_hashed_names_are_kept_for_good() {
        assert!(is_hashed("panel-0a1b2c3d.js"));
        assert!(is_hashed("packs/emoji-0a1b2c3d4e.js"));
        assert!(!is_hashed("manifest.json"));
        assert!(!is_hashed("panel-latest.js"));
    }

    #[test]
    fn api_paths_are_not_pages() {
        assert!(is_reserved("/api") && is_reserved("/uploads/x") && !is_reserved("/apiary") && !is_reserved("/"));
    }
}
