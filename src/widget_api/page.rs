//! Pages with the widget: the demo page with the pasted snippet, and the full-page chat.

use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::body::PathOf;
use crate::http::origin;
use crate::http::route::{Caller, Route};
use crate::sites::{Locale, Site};
use crate::visitors::SAMPLE_ID;

const STYLE: &str = "\
:root{color-scheme:light dark;font:16px/1.6 system-ui,sans-serif}body{max-width:44rem;margin:3rem auto;padding:0 1.25rem}\
h1{font-size:1.6rem}pre{padding:1rem;overflow:auto;border:1px solid color-mix(in srgb,currentColor 25%,transparent);\
border-radius:8px;font-size:.875rem}";

/// Routes of the pages.
pub fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/demo/{widget_key}", Caller::Anyone, demo).media_type("text/html"),
        Route::new(Method::GET, "/chat/{widget_key}", Caller::Anyone, chat).media_type("text/html"),
    ]
}

/// A plain page with the unchanged snippet, as on a customer's page.
async fn demo(State(app): State<App>, PathOf(key): PathOf<String>, parts: Parts) -> Result<Response> {
    let Some(site) = known(&app, &key).await? else { return Ok(unknown()) };
    let origin = origin::of_server(&app, &parts);
    let script = loader(&origin, &site.widget_key);
    let shown = escape(&snippet(&origin, &site.widget_key));
    let known = escape(&known_visitors());
    let name = escape(&site.name);
    let paused = if site.paused { "<p><strong>This chat is paused: nothing is drawn here.</strong></p>" } else { "" };
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <title>Demo page of {name}</title><style>{STYLE}</style>\n<script>{script}</script>\n</head><body>\
         <h1>Demo page of {name}</h1>{paused}\
         <p>This page stands for your website. The chat is in the corner: open it and write something. Then open the \
         <a href=\"/\">console</a> in another window, and answer.</p>\
         <p>This is all that your own pages need, inside <code>&lt;head&gt;</code>:</p><pre><code>{shown}</code></pre>\
         <p>Only if people sign in on your website, and only on pages where somebody is signed in, put this before it, \
         without the two slashes and with that person’s own id and name:</p><pre><code>{known}</code></pre>\
         </body></html>\n"
    );
    let policy = policy(&origin, &[&script], &format!("style-src {}", hash(STYLE)));
    Ok(page(html, &policy))
}

/// The chat over the whole window: for links in mails, and for pages that cannot embed the widget. It is the same
/// widget, so it needs JavaScript.
async fn chat(State(app): State<App>, PathOf(key): PathOf<String>, parts: Parts) -> Result<Response> {
    let Some(site) = known(&app, &key).await? else { return Ok(unknown()) };
    let origin = origin::of_server(&app, &parts);
    const OPTIONS: &str = "window.OCS={mode:'page'};";
    const BARE: &str = ":root{color-scheme:light dark}body{margin:0}";
    let html = format!(
        "<!doctype html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1, viewport-fit=cover\">\
         <meta name=\"robots\" content=\"noindex\"><title>{name}</title><style>{BARE}</style><script>{OPTIONS}</script>\
         <script async src=\"{origin}/api/widget.js?key={key}\"></script></head><body>\
         <noscript>This chat needs JavaScript.</noscript></body></html>\n",
        language = language(&parts),
        name = escape(&site.name),
        key = site.widget_key,
    );
    let policy = policy(&origin, &[OPTIONS], &format!("style-src {}", hash(BARE)));
    Ok(page(html, &policy))
}

/// The required part of the documented snippet, with this server and site. Valid when pasted unchanged.
fn snippet(origin: &str, key: &str) -> String {
    format!("<script>{}</script>", loader(origin, key))
}

/// The optional part, commented out: an example value would make all visitors one person.
fn known_visitors() -> String {
    format!("<script>\n// window.OCS = {{ externalId: '{SAMPLE_ID}', nickname: 'THEIR NAME' }};\n</script>")
}

fn loader(origin: &str, key: &str) -> String {
    format!(
        "(function(){{\n  var s = document.createElement('script');\n  s.src = '{origin}/api/widget.js?key={key}';\n  \
         s.async = true; document.head.appendChild(s);\n}})();"
    )
}

/// Content security policy of a page with the widget: our origin, and the inline scripts by hash.
fn policy(origin: &str, scripts: &[&str], more: &str) -> String {
    let hashes: String = scripts.iter().map(|script| format!("{} ", hash(script))).collect();
    let sockets = origin.replacen("http", "ws", 1);
    format!(
        "default-src 'none'; script-src {hashes}'self' {origin}; connect-src 'self' {origin} {sockets}; \
         img-src 'self' {origin} data: blob:; media-src 'self' {origin} blob:; {more}; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

async fn known(app: &App, key: &str) -> Result<Option<std::sync::Arc<Site>>> {
    match app.sites.by_widget_key(key).await {
        Ok(site) => Ok(Some(site)),
        Err(Error::UnknownSite) => Ok(None),
        Err(error) => Err(error),
    }
}

fn unknown() -> Response {
    let html = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Unknown chat</title>\
                <h1>There is no chat at this address</h1><p>Copy the link again from My Sites in the console.</html>";
    (StatusCode::NOT_FOUND, Html(html)).into_response()
}

fn page(html: String, policy: &str) -> Response {
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The widget sends the page's address to its own server; other sites receive only the origin.
    headers.insert(hyper::header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
    insert(response, CONTENT_SECURITY_POLICY, policy)
}

fn insert(mut response: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// The browser's preferred language, if the widget supports it.
fn language(parts: &Parts) -> &'static str {
    let wanted = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match Locale::nearest(wanted.split([',', ';']).next().unwrap_or_default()) {
        Locale::English => "en",
        Locale::SimplifiedChinese => "zh-CN",
        Locale::Spanish => "es",
        Locale::French => "fr",
        Locale::Japanese => "ja",
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snippet_is_the_documented_one_without_its_sample_visitor() {
        let expected = "<script>(function(){\n  var s = document.createElement('script');\n  \
            s.src = 'https://HOST/api/widget.js?key=SITE_KEY';\n  s.async = true; document.head.appendChild(s);\n})();</script>";
        assert_eq!(snippet("https://HOST", "SITE_KEY"), expected);
        let known = known_visitors();
        let lines: Vec<&str> = known.lines().collect();
        assert!(lines[1].starts_with("//") && lines.len() == 3, "pasted unchanged it does nothing: {lines:?}");
    }

    #[test]
    fn the_policy_names_both_kinds_of_connection() {
        let policy = policy("https://chat.example", &["x"], "style-src 'none'");
        assert!(policy.contains("connect-src 'self' https://chat.example wss://chat.example;"), "{policy}");
        assert_eq!(escape("<b>\"'&"), "&lt;b&gt;&quot;&#39;&amp;");
    }
}
