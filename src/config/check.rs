//! Validators of settings: each returns the value or says what is allowed.

use std::net::IpAddr;

use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::secret::Secret;
use crate::vault::Vault;

/// A number within bounds.
pub(super) fn between<N: Copy + PartialOrd + std::fmt::Display>(least: N, most: N) -> impl Fn(N) -> Result<N, String> {
    move |number| {
        let is_within = (least..=most).contains(&number);
        if is_within { Ok(number) } else { Err(format!("it must be a number from {least} to {most}")) }
    }
}

/// Validates a value, if set.
pub(super) fn each<T>(check: impl Fn(T) -> Result<T, String>) -> impl Fn(Option<T>) -> Result<Option<T>, String> {
    move |value| value.map(&check).transpose()
}

/// Validates every value of a list.
pub(super) fn all<T>(check: impl Fn(T) -> Result<T, String>) -> impl Fn(Vec<T>) -> Result<Vec<T>, String> {
    move |values| values.into_iter().map(&check).collect()
}

/// A public host name, in lower case.
pub(super) fn host_name(name: String) -> Result<String, String> {
    let name = name.to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = name.len() <= 253 && name.split('.').all(is_label) && name.parse::<IpAddr>().is_err();
    if is_name { Ok(name) } else { Err("each must be a host name such as chat.example".into()) }
}

/// An e-mail address, as certificate authorities accept it.
pub(super) fn address(text: String) -> Result<String, String> {
    let is_plain = text.len() <= 254 && text.bytes().all(|byte| byte.is_ascii_graphic());
    match text.split_once('@') {
        Some((name, host)) if is_plain && !name.is_empty() && host_name(host.into()).is_ok() => Ok(text),
        _ => Err("it must be an e-mail address such as otto@chat.example".into()),
    }
}

/// An https address with a path; http on this machine only, for testing an authority.
pub(super) fn https_address(url: String) -> Result<String, String> {
    let local =
        |rest: &&str| rest.starts_with("127.0.0.1") || rest.starts_with("localhost") || rest.starts_with("[::1]");
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://").filter(local));
    let is_address =
        |rest: &str| !rest.is_empty() && rest.len() <= 2_048 && rest.bytes().all(|byte| byte.is_ascii_graphic());
    match rest {
        Some(rest) if is_address(rest) => Ok(url),
        _ => Err("it must be an address that begins with https://".into()),
    }
}

/// A master key.
pub(super) fn encryption_key(key: Secret) -> Result<Secret, String> {
    let right = "it must be 43 characters of URL-safe base64, as in the file master.key";
    if Vault::is_key(key.expose()) { Ok(key) } else { Err(right.into()) }
}

/// Log levels, for all modules or for one. The logger's shorter forms are refused, because a misspelt level would be
/// one of them.
pub(super) fn log_levels(text: String) -> Result<String, String> {
    let is_level = |level: &str| {
        !level.is_empty() && level.parse::<LevelFilter>().is_ok() && !level.bytes().any(|byte| byte.is_ascii_digit())
    };
    let is_module = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-'))
    };
    let is_item = |item: &str| match item.trim().split_once('=') {
        Some((module, level)) => is_module(module) && is_level(level),
        None => is_level(item.trim()),
    };
    if text.len() <= 1_024 && text.split(',').all(is_item) && text.parse::<Targets>().is_ok() {
        return Ok(text);
    }
    Err("it must be levels (off, error, warn, info, debug, trace) such as `info` or `info,ocs=debug`".into())
}

/// An origin, spelt as browsers send it, because it is compared with theirs.
pub(super) fn web_origin(url: String) -> Result<String, String> {
    let lower = url.to_lowercase();
    let bare = lower.trim_end_matches('/');
    let (scheme, host) = bare.split_once("://").unwrap_or_default();
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let is_host = host.is_ascii() && !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ', '\\', ',']);
    if !matches!(scheme, "http" | "https") || !is_host {
        return Err("write it like https://chat.example, without a path".into());
    }
    Ok(format!("{scheme}://{}", host.strip_suffix(default_port).unwrap_or(host)))
}
