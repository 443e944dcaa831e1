//! Security headers. Each answer that needs its own says so; this fills in the rest.

use axum::response::Response;
use hyper::HeaderMap;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use crate::config::Config;

/// Which pages may load this as a part of theirs.
pub const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Whether other windows can reach into this one.
pub const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
/// Who may see how long a file took to load.
pub const TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Nothing that a page of ours asks for, nor that anything it shows may ask for.
const DENIED_FEATURES: HeaderValue = HeaderValue::from_static(
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), \
     midi=(), payment=(), usb=(), browsing-topics=()",
);
/// For what is no page: nothing in it runs, loads or can be framed.
pub const INERT: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
);

/// How long browsers shall come by https alone; none where nothing is said.
#[derive(Debug, Clone)]
pub struct Hsts(Option<HeaderValue>);

impl Hsts {
    /// As the settings say. By plain http browsers would pass it over.
    pub fn of(config: &Config) -> Hsts {
        let seconds = config.hsts_days * 24 * 60 * 60;
        let said = seconds > 0 && config.public_url().starts_with("https://");
        // Digits and letters of our own.
        Hsts(said.then(|| HeaderValue::from_str(&format!("max-age={seconds}")).ok()).flatten())
    }
}

/// Fills in what the answer does not say itself.
pub fn add_security_headers(mut response: Response, hsts: &Hsts) -> Response {
    fill_defaults(response.headers_mut());
    if let Some(value) = &hsts.0 {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, value.clone());
    }
    response
}

fn fill_defaults(headers: &mut HeaderMap) {
    let framed = headers.contains_key(CONTENT_SECURITY_POLICY);
    headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    // What may be kept says so itself: an answer that forgets to speak of it is kept by nobody.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.entry(PERMISSIONS_POLICY).or_insert(DENIED_FEATURES);
    headers.entry(CROSS_ORIGIN_RESOURCE_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(INERT);
    if !framed {
        headers.entry(X_FRAME_OPTIONS).or_insert(HeaderValue::from_static("DENY"));
    }
}
