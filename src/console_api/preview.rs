//! Live preview of a look: a page that runs the real widget, with sample messages and without network.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::body::QueryOf;
use crate::http::headers::CROSS_ORIGIN_RESOURCE_POLICY;
use crate::http::member::SiteMember;
use crate::sites::Look;
use crate::widget_api;

/// Style of a neutral page around the widget; its brightness is prepended.
const STYLE: &str = "\
:root{font:16px/1.5 system-ui,sans-serif}\
body{margin:0;padding:10vmin;background:Canvas}\
i{display:block;height:.8em;margin:0 0 .8em;border-radius:.4em;background:color-mix(in srgb,CanvasText 10%,Canvas)}\
i:first-child{width:40%;height:1.6em}i:last-of-type{width:65%}";

/// The draft to show.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    /// JSON of a `Look`; absent: the saved look.
    look: Option<String>,
    /// Absent: the saved greeting.
    welcome: Option<String>,
    /// Whether the page around the widget is light or dark; absent: the browser's preference.
    page: Option<Brightness>,
}

#[derive(Debug, Clone, Copy, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Brightness {
    Light,
    Dark,
}

pub(super) async fn page(State(_): State<App>, member: SiteMember, QueryOf(draft): QueryOf<Draft>) -> Result<Response> {
    let site = &member.site;
    let look = draft.look(&site.look)?;
    let look = serde_json::to_string(&look).map_err(|error| Error::Internal(error.to_string()))?;
    let welcome = draft.welcome.as_deref().map_or(String::new(), |text| format!("&amp;welcome={}", encoded(text)));
    let id = site.id;
    let scheme = match draft.page {
        Some(Brightness::Light) => "light",
        Some(Brightness::Dark) => "dark",
        None => "light dark",
    };
    let style = format!(":root{{color-scheme:{scheme}}}{STYLE}");
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Preview</title><style>{style}</style>\
         <script async src=\"/api/console/sites/{id}/preview.js?look={}{welcome}\"></script>\
         <body><i></i><i></i><i></i><i></i></body></html>",
        encoded(&look)
    );
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'sha256-{}'; img-src 'self' data: blob:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
        STANDARD.encode(Sha256::digest(&style))
    );
    let policy = HeaderValue::from_str(&policy).map_err(|error| Error::Internal(error.to_string()))?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (CONTENT_SECURITY_POLICY, policy),
    ];
    Ok((headers, html).into_response())
}

/// The script of that page.
pub(super) async fn script(
    State(app): State<App>,
    member: SiteMember,
    QueryOf(draft): QueryOf<Draft>,
    request: Request,
) -> Result<Response> {
    let site = &member.site;
    let look = draft.look(&site.look)?;
    let (parts, _) = request.into_parts();
    let mut response = widget_api::script::preview(&app, &parts, site, &look, draft.welcome.as_deref())?;
    // A site's script is public; this one is for the owner's page only.
    let headers = response.headers_mut();
    headers.remove(ACCESS_CONTROL_ALLOW_ORIGIN);
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    Ok(response)
}

impl Draft {
    /// An unreadable look is previewed, too, so that its owner sees why it is refused.
    fn look(&self, in_force: &Look) -> Result<Look> {
        match &self.look {
            None => Ok(in_force.clone()),
            Some(json) => serde_json::from_str(json).map_err(|error| Error::invalid("look", error.to_string())),
        }
    }
}

/// Percent-encodes, so that the text has no meaning in a query or in HTML.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            out.push(byte.into());
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}
