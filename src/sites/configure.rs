//! Changing what the owner may set: name, look, greeting, limits, domains, identity; pausing and going on.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::audit::{self, Action, By};
use crate::config::host_of;
use crate::error::{Error, Result};
use crate::events::{self, Effect};
use crate::id::SiteId;
use crate::storage::{Store, Tx};
use crate::text;

use super::{IdentityMode, Limits, Locale, Look, Site, store};

/// Longest name, in characters.
pub const NAME_GRAPHEMES: usize = 80;
/// Longest greeting, in characters.
pub const WELCOME_GRAPHEMES: usize = 500;
/// Most host names in the list of allowed domains.
pub const MOST_DOMAINS: usize = 100;

/// What to change; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigureSite {
    /// New name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Pause, or go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// New look, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<Look>,
    /// New greetings, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub welcome: Option<BTreeMap<Locale, String>>,
    /// New limits, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// New list of host names, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_domains: Option<Vec<String>>,
    /// What an unsigned external id opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_mode: Option<IdentityMode>,
    /// Hide the caller's key in the compatible API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque_agent_ids: Option<bool>,
}

/// Changes a site: all of the change, or nothing when one part is refused.
///
/// # Errors
/// The first field that is refused; `UnreadableColours` with the nearest readable one.
pub async fn configure(store: &Store, by: &By, site: SiteId, change: ConfigureSite) -> Result<()> {
    let by = by.clone();
    let act = move |tx: &mut Tx| {
        let mut after = store::by_id_in(tx, site)?.ok_or(Error::NotFound)?;
        apply(&mut after, change.clone())?;
        store::update(tx, &after)?;
        events::effect(tx, Effect::PolicyChanged(site));
        audit::record(tx, &by, Action::SiteChanged, Some(site), &parts_of(&change))?;
        super::changed(tx, site)
    };
    store.write(act).await
}

/// What a change touches, for the audit log.
fn parts_of(change: &ConfigureSite) -> String {
    let ConfigureSite { name, paused, look, welcome, limits, allowed_domains, identity_mode, opaque_agent_ids } =
        change;
    let parts = [
        (name.is_some(), "name"),
        (*paused == Some(true), "paused"),
        (*paused == Some(false), "not paused"),
        (look.is_some(), "look"),
        (welcome.is_some(), "welcome"),
        (limits.is_some(), "limits"),
        (allowed_domains.is_some(), "allowed domains"),
        (identity_mode.is_some(), "identity mode"),
        (opaque_agent_ids.is_some(), "opaque agent ids"),
    ];
    parts.into_iter().filter(|(changed, _)| *changed).map(|(_, part)| part).collect::<Vec<_>>().join(", ")
}

fn apply(site: &mut Site, change: ConfigureSite) -> Result<()> {
    if let Some(text) = change.name {
        site.name = name(&text)?;
    }
    if let Some(look) = change.look {
        look.check()?;
        site.look = look;
    }
    if let Some(texts) = change.welcome {
        site.welcome = welcome(texts)?;
    }
    if let Some(limits) = change.limits {
        check_limits(&limits)?;
        site.limits = limits;
    }
    if let Some(domains) = change.allowed_domains {
        site.allowed_domains = allowed_domains(&domains)?;
    }
    site.paused = change.paused.unwrap_or(site.paused);
    site.identity_mode = change.identity_mode.unwrap_or(site.identity_mode);
    site.opaque_agent_ids = change.opaque_agent_ids.unwrap_or(site.opaque_agent_ids);
    Ok(())
}

/// A site's name as it is kept.
pub(super) fn name(asked: &str) -> Result<String> {
    let name = text::line(asked);
    match text::graphemes(&name) {
        0 => Err(Error::invalid("name", "give the site a name")),
        1..=NAME_GRAPHEMES => Ok(name),
        _ => Err(Error::invalid("name", format!("at most {NAME_GRAPHEMES} characters"))),
    }
}

fn welcome(texts: BTreeMap<Locale, String>) -> Result<BTreeMap<Locale, String>> {
    let cleaned = texts.into_iter().map(|(locale, text)| (locale, text::lines(&text)));
    let kept: BTreeMap<_, _> = cleaned.filter(|(_, text)| !text.is_empty()).collect();
    if kept.values().any(|text| text::graphemes(text) > WELCOME_GRAPHEMES) {
        return Err(Error::invalid("welcome", format!("at most {WELCOME_GRAPHEMES} characters in each language")));
    }
    Ok(kept)
}

fn check_limits(limits: &Limits) -> Result<()> {
    if !Limits::MESSAGES_PER_MINUTE.contains(&limits.messages_per_minute) {
        return Err(Error::invalid("messages_per_minute", "1 to 600 messages a minute"));
    }
    if !Limits::API_PER_MINUTE.contains(&limits.api_per_minute) {
        return Err(Error::invalid("api_per_minute", "1 to 1,000,000 calls a minute"));
    }
    if !Limits::IMAGE_BYTES.contains(&limits.image_bytes) {
        return Err(Error::invalid("image_bytes", "64 KiB (65,536) to 20 MiB (20,971,520)"));
    }
    Ok(())
}

fn allowed_domains(asked: &[String]) -> Result<Vec<String>> {
    let mut domains: Vec<String> = Vec::new();
    for text in asked.iter().filter(|text| !text::is_blank(text)) {
        let domain = domain(text)?;
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    if domains.is_empty() && !asked.is_empty() {
        let reason = "the list has no host name in it; send an empty list to allow every page";
        return Err(Error::invalid("allowed_domains", reason));
    }
    if domains.len() > MOST_DOMAINS {
        return Err(Error::invalid("allowed_domains", format!("at most {MOST_DOMAINS} host names")));
    }
    Ok(domains)
}

/// A host name as browsers write it. People paste whole addresses: what is not the host name is cut off.
fn domain(asked: &str) -> Result<String> {
    let lower = asked.trim().to_lowercase();
    let refuse = |reason: &str| Err(Error::invalid("allowed_domains", format!("`{}` {reason}", text::cut(asked, 100))));
    let rest = lower.strip_prefix("https://").or(lower.strip_prefix("http://")).unwrap_or(&lower);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default().trim_end_matches('.');
    if !authority.is_ascii() {
        return refuse("must be written the way browsers send it, beginning with `xn--`");
    }
    let wildcard = authority.strip_prefix("*.");
    let Some(host) = host_of(wildcard.unwrap_or(authority)) else {
        return refuse("is not a host name; write it like shop.example or *.shop.example");
    };
    match wildcard {
        None => Ok(host.to_owned()),
        Some(_) if host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok() => {
            refuse("is an IP address, and nothing is below one; write the address alone")
        }
        Some(_) if !host.contains('.') => {
            refuse("would allow the pages of every website below that ending; write it like *.shop.example")
        }
        Some(_) => Ok(format!("*.{host}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_addresses_become_host_names() {
        let kept = |text: &str| domain(text).expect(text);
        assert_eq!(kept(" https://Shop.Example:8443/cart?x=1 "), "shop.example");
        assert_eq!(kept("*.shop.example"), "*.shop.example");
        assert_eq!(kept("localhost:3000"), "localhost");
        assert_eq!(kept("127.0.0.1"), "127.0.0.1");
        assert_eq!(kept("http://[::1]:8080"), "[::1]");
        for bad in ["bücher.example", "*", "*.*.example", "a b", "-x.example", "shop..example", "*.[::1]"] {
            assert!(domain(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn empty_and_doubled_entries_are_dropped() {
        let asked = ["shop.example".to_owned(), " ".to_owned(), "SHOP.example".to_owned()];
        assert_eq!(allowed_domains(&asked).expect("valid"), ["shop.example"]);
    }

    #[test]
    fn limits_and_texts_have_bounds() {
        let limits = |change: fn(&mut Limits)| {
            let mut limits = Limits::default();
            change(&mut limits);
            check_limits(&limits)
        };
        assert!(limits(|_| ()).is_ok());
        assert!(limits(|l| l.messages_per_minute = 0).is_err());
        assert!(limits(|l| l.messages_per_minute = 601).is_err());
        assert!(limits(|l| l.api_per_minute = 1_000_001).is_err());
        assert!(limits(|l| l.image_bytes = 65_535).is_err());
        assert!(limits(|l| l.image_bytes = 20 * 1024 * 1024).is_ok());
        assert!(name(&"é".repeat(80)).is_ok());
        assert!(name(&"é".repeat(81)).is_err());
        assert!(name(" \u{200b} ").is_err());
        let texts = |text: &str| welcome([(Locale::French, text.to_owned())].into());
        assert!(texts("   ").expect("empty is none").is_empty());
        assert!(texts(&"x".repeat(501)).is_err());
    }
}
