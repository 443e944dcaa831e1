//! Security headers. A response that needs its own value sets it; the defaults are added here.

use axum::response::Response;
use hyper::HeaderMap;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use crate::config::Config;

/// Which origins may embed the resource.
pub const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Whether other windows keep a reference to this one.
pub const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
/// Which origins may read the resource's load timing.
pub const TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Denies all powerful browser features to our pages and to what they embed.
const DENIED_FEATURES: HeaderValue = HeaderValue::from_static(
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), \
     midi=(), payment=(), usb=(), browsing-topics=()",
);
/// Policy for anything that is not a page: no scripts, no loads, no framing.
pub const INERT: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
);

/// The `Strict-Transport-Security` value; none when it is not configured.
#[derive(Debug, Clone)]
pub struct Hsts(Option<HeaderValue>);

impl Hsts {
    /// The value from the settings; none over plain http, where browsers ignore it.
    pub fn of(config: &Config) -> Hsts {
        let seconds = config.hsts_days * 24 * 60 * 60;
        let said = seconds > 0 && config.public_url().starts_with("https://");
        // ASCII digits and letters only.
        Hsts(said.then(|| HeaderValue::from_str(&format!("max-age={seconds}")).ok()).flatten())
    }
}

/// Adds the security headers that the response does not set.
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
    // Cacheable responses say so; everything else is `no-store`.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.entry(PERMISSIONS_POLICY).or_insert(DENIED_FEATURES);
    headers.entry(CROSS_ORIGIN_RESOURCE_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(INERT);
    if !framed {
        headers.entry(X_FRAME_OPTIONS).or_insert(HeaderValue::from_static("DENY"));
    }
}
