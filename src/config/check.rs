//! Validators of settings: each returns the value or says what is allowed.

use std::net::{Ipv4Addr, Ipv6Addr};

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
    if is_host_name(&name) && !name.contains('_') {
        Ok(name)
    } else {
        Err("each must be a host name such as chat.example".into())
    }
}

/// Whether the text is an ASCII host name of any case. Allows `_`, as browsers do. Not a name whose last label is a number:
/// browsers parse it as an IPv4 address (URL standard, "ends in a number").
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = |label: &str| {
        let hex = label.strip_prefix("0x").or(label.strip_prefix("0X"));
        label.bytes().all(|byte| byte.is_ascii_digit())
            || hex.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    name.len() <= 253 && name.split('.').all(is_label) && !name.rsplit('.').next().is_some_and(is_number)
}

/// A host name or IP address as it stands in a URL: ASCII, IPv6 in brackets.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => is_host_name(host) || host.parse::<Ipv4Addr>().is_ok(),
    }
}

/// The host of a URL's authority without user: a host name or an IP address (IPv6 in brackets), and after it a port or none.
/// None where it is not one, or the port is not 1 to 65535 without leading zeros.
pub(crate) fn host_of(text: &str) -> Option<&str> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port);
    (is_host(host) && port.is_none_or(is_port)).then_some(host)
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
    let right = "it must be 43 characters of URL-safe base64, which encode 32 random bytes, as in the file master.key";
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
    if !matches!(scheme, "http" | "https") || host_of(host).is_none() {
        return Err("write it like https://chat.example, without a path".into());
    }
    Ok(format!("{scheme}://{}", host.strip_suffix(default_port).unwrap_or(host)))
}
