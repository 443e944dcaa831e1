//! Settings: defaults, then the file, then `OCS_…` variables, then flags. Only this file reads the environment.
//!
//! One table generates the struct, the parser, the example file and the page in `docs/`. The validator of a setting is
//! in brackets; an invalid value stops the program with the setting, the value and what is allowed.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::secret::Secret;

use check::{address, all, between, each, encryption_key, host_name, https_address, log_levels, web_origin};

mod check;
mod network;

pub(crate) use check::host_of;
pub use network::Network;

/// Whether anybody may sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Signup {
    /// Anybody can sign up.
    Open,
    /// Accounts are made with `ocs user add`.
    Closed,
}

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Plain text for people.
    Text,
    /// One JSON object for each line.
    Json,
}

/// An invalid setting and where it was set.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: `{key}` {reason}")]
pub struct ConfigError {
    origin: String,
    key: String,
    reason: String,
}

/// An environment variable that is probably a misspelt setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the variable {variable} is not a setting and has no effect; did you mean {meant}?")]
pub struct NearMiss {
    variable: String,
    meant: String,
}

/// Largest edit distance between a misspelt name and the setting that was probably meant.
const MAX_TYPO_DISTANCE: usize = 2;

/// Placeholder for a secret wherever settings are shown.
pub const HIDDEN: &str = "(hidden)";

/// The environment variable of a setting: `OCS_LISTEN` for `listen`.
pub fn variable_of(key: &str) -> String {
    format!("OCS_{}", key.to_ascii_uppercase())
}

/// A value that can be written as text in a file, a variable or a flag.
trait Setting: Sized {
    /// Parses the value, or says what is allowed.
    fn read(text: &str) -> Result<Self, String>;
    fn show(&self) -> String;
    /// The refused text, as an error may quote it.
    fn quote(text: &str) -> String {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(MAX_QUOTED_CHARS).collect();
        if text.is_empty() { "empty".into() } else { format!("`{shown}`") }
    }
}

/// Characters of a refused value that are quoted.
const MAX_QUOTED_CHARS: usize = 100;
/// Values of a list.
const MAX_LIST_VALUES: usize = 1_000;

/// One row of the table of settings.
pub struct Row {
    /// Name in the file; the variable is `OCS_` and the name in capitals.
    pub key: &'static str,
    /// What it does, with its unit and limits.
    pub doc: &'static str,
    /// Default as text; empty means unset.
    pub default: String,
}

macro_rules! settings {
    ($( $(#[doc = $doc:literal])+ $key:ident: $kind:ty $([$check:expr])? = $default:expr, )*) => {
        /// The settings of a server.
        #[derive(Debug, Clone)]
        pub struct Config { $( $(#[doc = $doc])+ pub $key: $kind, )* }

        impl Default for Config {
            fn default() -> Config { Config { $( $key: $default, )* } }
        }

        impl Config {
            /// Sets one value from text.
            fn set(&mut self, key: &str, text: &str) -> Result<(), String> {
                match key {
                    $( stringify!($key) => {
                        let value = <$kind>::read(text);
                        $( let value = value.and_then($check); )?
                        self.$key = value.map_err(|right| format!("is {}; {right}", <$kind>::quote(text)))?;
                    } )*
                    _ => return Err("is not a setting; see docs/configuration.md for all of them".into()),
                }
                Ok(())
            }

            /// All settings with their documentation and defaults.
            pub fn table() -> Vec<Row> {
                let defaults = Config::default();
                vec![ $( Row {
                    key: stringify!($key),
                    doc: concat!($($doc, "\n"),+).trim(),
                    default: defaults.$key.show(),
                }, )* ]
            }

            /// The settings in force, as key and text.
            pub fn effective(&self) -> Vec<(&'static str, String)> {
                vec![ $( (stringify!($key), self.$key.show()), )* ]
            }
        }
    };
}

settings! {
    /// Address and port to listen on.
    listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080)),
    /// Folder that holds everything: database, images, keys. Created when missing, readable by its owner alone.
    data: PathBuf = PathBuf::from("data"),
    /// Address under which browsers reach this server, such as `https://chat.example`. Used in snippets and for the
    /// check where console requests come from. Unset: `http://` and the listen address (`https://` with TLS).
    public_url: Option<String> [each(web_origin)] = None,
    /// `open`: anybody can sign up. `closed`: accounts are added with `ocs user add`.
    signup: Signup = Signup::Open,
    /// Addresses or networks of reverse proxies, such as `127.0.0.1, 10.0.0.0/8`. `X-Forwarded-For` is trusted only
    /// from these.
    trusted_proxies: Vec<Network> = Vec::new(),
    /// Addresses or networks that may read `/metrics`. They must connect directly: requests with forwarding headers are
    /// refused.
    metrics_from: Vec<Network> = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
    /// Certificate chain (PEM) for built-in TLS. Needs `tls_key`.
    tls_cert: Option<PathBuf> = None,
    /// Private key (PEM) for built-in TLS.
    tls_key: Option<PathBuf> = None,
    /// Host names to get certificates for by ACME, such as `chat.example`. Needs port 443 reachable from outside.
    acme_domains: Vec<String> [all(host_name)] = Vec::new(),
    /// Contact address for the certificate authority.
    acme_email: Option<String> [each(address)] = None,
    /// Directory of the certificate authority.
    acme_directory: String [https_address] = "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
    /// Connections served at once; more wait in the system's backlog. Fewer if the system allows the process fewer open
    /// files, of which 128, but at most half, are reserved for other things; the log says so. 1 to 1,000,000.
    max_connections: usize [between(1, 1_000_000)] = 20_000,
    /// Connections from one address (IPv6: one /64); further ones are closed at once. Connections of `trusted_proxies`
    /// and of this machine itself (127.0.0.1, ::1) count only in `max_connections`. 1 to 1,000,000.
    max_connections_per_address: usize [between(1, 1_000_000)] = 1_000,
    /// Seconds for a request's head to arrive, from its first byte. 1 to 365.
    head_seconds: u64 [between(1, 365)] = 10,
    /// Seconds that a connection may stay idle between two requests. 1 to 365.
    idle_seconds: u64 [between(1, 365)] = 60,
    /// Seconds for a request's body to arrive; after 20 s, at least 1 KiB/s on average. 1 to 365.
    body_seconds: u64 [between(1, 365)] = 60,
    /// Days for which browsers use https only (`Strict-Transport-Security`), counted from their last visit by https.
    /// For this host, not for its subdomains. 0: the header is not sent. 0 to 365.
    hsts_days: u64 [between(0, 365)] = 0,
    /// New visitor sessions an hour from one address (IPv6: one /64, and 16 times as many from the /48 around it). Resumes are not counted. 1 to 1,000,000.
    new_visitors_per_hour: usize [between(1, 1_000_000)] = 300,
    /// New visitor sessions a minute on one site that count as an attack: from then on, and until ten minutes were
    /// calm, a new visitor's browser does a short proof of work before it is let in. Signed visitors and resumed
    /// sessions are not counted. 1 to 1,000,000.
    attack_visitors_per_minute: usize [between(1, 1_000_000)] = 120,
    /// Sites that one workspace may have. 1 to 10,000.
    sites_per_workspace: usize [between(1, 10_000)] = 1_000,
    /// Days that events are kept for clients that were offline; messages are kept for good. 1 to 365.
    event_days: u64 [between(1, 365)] = 7,
    /// Seconds that a stopping server gives its clients to disconnect. 0 to 60.
    drain_seconds: u64 [between(0, 60)] = 8,
    /// `text` for people, `json` for machines.
    log_format: LogFormat = LogFormat::Text,
    /// Key that encrypts stored secrets (43 characters of URL-safe base64), if it should not be in the data folder.
    /// Unset: the file `master.key` there, created on the first start.
    master_key: Option<Secret> [each(encryption_key)] = None,
    /// What is logged, as `level` or `module=level` items such as `info,ocs=debug`.
    log: String [log_levels] = "info".to_owned(),
}

impl Config {
    /// Reads `file` (if given), the environment and `flags` (key and text); later sources win. Variables that name no
    /// setting are ignored: orchestrators set `OCS_PORT` or `OCS_SERVICE_HOST` for a service called `ocs`, and a
    /// website keeps its own variables beside the server's.
    ///
    /// # Errors
    /// The first setting that is unknown (in the file or a flag) or invalid, with its source.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: &[(&str, String)],
    ) -> Result<Config, ConfigError> {
        let mut config = Config::default();
        if let Some(path) = file {
            config.read_file(path)?;
        }
        for (name, text) in environment {
            if let Some(key) = Config::key_of_variable(&name) {
                config.apply("environment", &key, &text)?;
            }
        }
        for (key, text) in flags {
            config.apply("command line", key, text)?;
        }
        Ok(config)
    }

    /// The settings of this process: from `file` or the file in `OCS_CONFIG`, the environment, and `flags`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn of_process(file: Option<&Path>, flags: &[(&str, String)]) -> Result<Config, ConfigError> {
        let named = std::env::var_os("OCS_CONFIG").filter(|name| !name.is_empty()).map(PathBuf::from);
        let mut variables = Vec::new();
        for (name, text) in std::env::vars_os() {
            // Setting names are ASCII, so a name that is not UTF-8 is not one.
            let Some(name) = name.into_string().ok().filter(|name| Config::key_of_variable(name).is_some()) else {
                continue;
            };
            let text = text.into_string().map_err(|_| ConfigError {
                origin: "environment".into(),
                key: name.clone(),
                reason: "must be UTF-8".into(),
            })?;
            variables.push((name, text));
        }
        Config::load(file.or(named.as_deref()), variables.into_iter(), flags)
    }

    /// The setting of a variable such as `OCS_LISTEN`.
    fn key_of_variable(name: &str) -> Option<String> {
        let key = name.strip_prefix("OCS_")?.to_ascii_lowercase();
        Config::table().iter().any(|row| row.key == key).then_some(key)
    }

    /// Warnings about settings that work and are hardly meant, each with what to do.
    pub fn warnings(&self) -> Vec<String> {
        let wide = self.trusted_proxies.iter().filter(|network| network.is_nearly_everybody());
        wide.map(|network| {
            format!(
                "trusted_proxies holds {network}: whoever connects can claim any address in X-Forwarded-For, and pass every \
                 limit by address; name your proxies alone"
            )
        })
        .collect()
    }

    /// Variables that nearly name a setting, such as `OCS_LISTN`. They have no effect, so the caller warns.
    pub fn near_misses(names: impl Iterator<Item = String>) -> Vec<NearMiss> {
        let settings: Vec<String> =
            Config::table().iter().map(|row| row.key).chain(["config"]).map(variable_of).collect();
        names
            .filter(|name| name.starts_with("OCS_") && !settings.contains(name))
            .filter_map(|variable| {
                let distance = |setting: &&String| strsim::osa_distance(setting, &variable);
                let meant =
                    settings.iter().min_by_key(distance).filter(|setting| distance(setting) <= MAX_TYPO_DISTANCE)?;
                Some(NearMiss { meant: meant.clone(), variable })
            })
            .collect()
    }

    /// Whether this server terminates TLS.
    pub fn has_tls(&self) -> bool {
        self.tls_cert.is_some() || !self.acme_domains.is_empty()
    }

    /// The public address, without a trailing slash.
    pub fn public_url(&self) -> String {
        match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None if self.acme_domains.is_empty() => {
                let scheme = if self.tls_cert.is_some() { "https" } else { "http" };
                // 0.0.0.0 and [::] mean "every address" and cannot be opened in a browser.
                match self.listen.ip().is_unspecified() {
                    true => format!("{scheme}://localhost:{}", self.listen.port()),
                    false => format!("{scheme}://{}", self.listen),
                }
            }
            None => format!("https://{}", self.acme_domains[0]),
        }
    }

    /// Parses the text of a settings file; `origin` names it in errors.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn of_text(origin: &str, text: &str) -> Result<Config, ConfigError> {
        let mut config = Config::default();
        config.read_text(origin, text)?;
        Ok(config)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let origin = path.display().to_string();
        let unreadable = |error: std::io::Error| ConfigError {
            origin: origin.clone(),
            key: "file".into(),
            reason: format!("cannot be read: {error}"),
        };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        self.read_text(&origin, &text)
    }

    fn read_text(&mut self, origin: &str, text: &str) -> Result<(), ConfigError> {
        let fail = |reason: String| ConfigError { origin: origin.into(), key: "file".into(), reason };
        let table: toml::Table = text.parse().map_err(|error| fail(format!("is not TOML: {error}")))?;
        for (key, value) in table {
            let refused = |reason: &str| ConfigError { origin: origin.into(), key: key.clone(), reason: reason.into() };
            let text =
                plain(&value).ok_or_else(|| refused("must be one value, or a list of values with nothing nested"))?;
            self.apply(origin, &key, &text)?;
        }
        Ok(())
    }

    fn apply(&mut self, origin: &str, key: &str, text: &str) -> Result<(), ConfigError> {
        let done = self.set(key, text.trim());
        done.map_err(|reason| ConfigError { origin: origin.into(), key: key.into(), reason })
    }
}

/// A TOML value as the text of a variable: lists become comma-separated. `None` when it is nested.
fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::Array(items) => items.iter().map(single).collect::<Option<Vec<_>>>().map(|items| items.join(", ")),
        other => single(other),
    }
}

fn single(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::Array(_) | toml::Value::Table(_) => None,
        toml::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

impl Setting for SocketAddr {
    fn read(text: &str) -> Result<SocketAddr, String> {
        text.parse().map_err(|_| "it must be an address and a port, such as 127.0.0.1:8080".into())
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for PathBuf {
    fn read(text: &str) -> Result<PathBuf, String> {
        if text.is_empty() { Err("it must be a path".into()) } else { Ok(PathBuf::from(text)) }
    }
    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Setting for String {
    fn read(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }
    fn show(&self) -> String {
        self.clone()
    }
}

impl Setting for Secret {
    fn read(text: &str) -> Result<Secret, String> {
        Ok(Secret::new(text))
    }
    fn show(&self) -> String {
        HIDDEN.to_owned()
    }
    fn quote(_: &str) -> String {
        "not a key".to_owned()
    }
}

impl<T: Setting> Setting for Option<T> {
    fn read(text: &str) -> Result<Option<T>, String> {
        if text.is_empty() { Ok(None) } else { T::read(text).map(Some) }
    }
    fn show(&self) -> String {
        self.as_ref().map(T::show).unwrap_or_default()
    }
    fn quote(text: &str) -> String {
        T::quote(text)
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn read(text: &str) -> Result<Vec<T>, String> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        if items.clone().count() > MAX_LIST_VALUES {
            return Err(format!("it must be a list of at most {MAX_LIST_VALUES} values"));
        }
        items.map(T::read).collect()
    }
    fn show(&self) -> String {
        self.iter().map(T::show).collect::<Vec<_>>().join(", ")
    }
}

impl Setting for usize {
    fn read(text: &str) -> Result<usize, String> {
        text.parse().map_err(|_| "it must be a whole number".into())
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for u64 {
    fn read(text: &str) -> Result<u64, String> {
        text.parse().map_err(|_| "it must be a whole number".into())
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for Signup {
    fn read(text: &str) -> Result<Signup, String> {
        match text {
            "open" => Ok(Signup::Open),
            "closed" => Ok(Signup::Closed),
            _ => Err("it must be `open` or `closed`".into()),
        }
    }
    fn show(&self) -> String {
        match self {
            Signup::Open => "open".into(),
            Signup::Closed => "closed".into(),
        }
    }
}

impl Setting for LogFormat {
    fn read(text: &str) -> Result<LogFormat, String> {
        match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("it must be `text` or `json`".into()),
        }
    }
    fn show(&self) -> String {
        match self {
            LogFormat::Text => "text".into(),
            LogFormat::Json => "json".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(key: &str, text: &str) -> Result<Config, String> {
        Config::load(None, std::iter::empty(), &[(key, text.to_owned())]).map_err(|error| error.to_string())
    }

    #[test]
    fn the_public_address_is_kept_as_browsers_send_it() {
        let kept = |text: &str| with("public_url", text).expect(text).public_url();
        assert_eq!(kept("https://Chat.Example:443/"), "https://chat.example");
        assert_eq!(kept("http://10.0.0.7:8080"), "http://10.0.0.7:8080");
        assert_eq!(kept("http://[::1]:80"), "http://[::1]");
        for bad in [
            "chat.example",
            "https://",
            "https://chat.example/app",
            "ftp://chat.example",
            "https://a@b",
            "https://bücher.example",
        ] {
            let error = with("public_url", bad).expect_err(bad);
            assert!(error.starts_with("command line: `public_url`"), "{error}");
        }
    }

    #[test]
    fn flags_go_before_the_environment_and_secrets_are_not_shown() {
        const KEY: &str = "bAchBzOKMeyZu7A3Tj-yKsisNQxjume_SwJSZ20i89U";
        let environment =
            [("OCS_LISTEN", "0.0.0.0:1"), ("OCS_MASTER_KEY", KEY), ("OCS_SIGNUP", "closed"), ("PATH", "/bin")];
        let environment = environment.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let config = Config::load(None, environment.into_iter(), &[("listen", "0.0.0.0:2".into())]).expect("valid");
        assert_eq!((config.listen.port(), config.signup), (2, Signup::Closed));
        assert!(config.effective().contains(&("master_key", "(hidden)".into())));
        assert!(!format!("{config:?}").contains(KEY));
        let refused = with("master_key", "abc").expect_err("no key");
        assert!(!refused.contains("abc") && refused.contains("`master_key` is not a key; it must be 43"), "{refused}");
        assert!(with("colour", "red").expect_err("unknown").contains("docs/configuration.md"));
    }

    #[test]
    fn foreign_variables_are_ignored_and_near_misses_reported() {
        let foreign = [
            ("OCS_IDENTITY_SECRET", "0123"),
            ("OCS_PORT", "tcp://10.0.0.7:8080"),
            ("OCS_PORT_8080_TCP_PROTO", "tcp"),
            ("OCS_SERVICE_HOST", "10.0.0.7"),
            ("OCS_SERVICE_PORT", "8080"),
            ("OCS_LISTN", "0.0.0.0:1"),
        ];
        let variables = || foreign.map(|(name, text)| (name.to_owned(), text.to_owned())).into_iter();
        let config = Config::load(None, variables(), &[]).expect("foreign variables stop nothing");
        assert_eq!(config.effective(), Config::default().effective());
        let warned = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned());
            Config::near_misses(names).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            warned(&foreign.map(|(name, _)| name)),
            ["the variable OCS_LISTN is not a setting and has no effect; did you mean OCS_LISTEN?"]
        );
        assert!(warned(&["OCS_PUBLICURL"])[0].contains("OCS_PUBLIC_URL"));
        assert!(warned(&["OCS_CONFG"])[0].contains("OCS_CONFIG"));
        assert!(warned(&["OCS_CONFIG", "OCS_LOG", "PATH", "LISTEN"]).is_empty());
    }

    #[test]
    fn without_a_public_address_the_snippet_names_one_that_can_be_opened() {
        let url = |listen: &str| with("listen", listen).expect(listen).public_url();
        assert_eq!(url("0.0.0.0:8080"), "http://localhost:8080");
        assert_eq!(url("[::]:8080"), "http://localhost:8080");
        assert_eq!(url("192.0.2.7:8080"), "http://192.0.2.7:8080");
    }

    #[test]
    fn lists_are_read_and_nested_ones_refused() {
        let read = |text: &str| Config::of_text("ocs.toml", text).map_err(|error| error.to_string());
        let flat = read("trusted_proxies = [\"10.0.0.0/8\", \"::1\"]").expect("a list");
        assert_eq!(flat.trusted_proxies.len(), 2);
        for nested in [
            "trusted_proxies = [[\"10.0.0.0/8\"], \"::1\"]",
            "acme_domains = [{ name = \"chat.example\" }]",
            "acme_domains = [[]]",
            "log = { level = \"info\" }",
            "[data]\npath = \"x\"",
        ] {
            let error = read(nested).expect_err(nested);
            assert!(error.contains("nothing nested") && error.starts_with("ocs.toml: `"), "{nested}: {error}");
        }
    }
}
