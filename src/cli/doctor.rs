//! `ocs doctor`: diagnoses problems, changes nothing, and says what to do.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use crate::app::OpenError;
use crate::clock::{Clock, Millis};
use crate::config::{Config, HIDDEN};
use crate::images::{self, BlobKey, ImageName};
use crate::output::{count, outln};
use crate::storage::{self, DataLock, Folder, LockError};
use crate::vault::Vault;

use super::ConfigArgs;
use super::command::{Command, Output, Serving, unexpected};
use super::probe::{ProbeResult, probe};
use super::socket;

/// Timeout for a running server to report its settings.
const SETTINGS_TIMEOUT: Duration = Duration::from_secs(5);
/// Below this much free space, images and the write-ahead log soon do not fit.
const LOW_DISK_BYTES: u64 = 1024 * 1024 * 1024;
/// Tables whose rows are counted, with the noun for one row.
const COUNTED_TABLES: [(&str, &str); 3] =
    [("sites", "site"), ("conversations", "conversation"), ("messages", "message")];
/// The program was built after this time (2026-01-01): an earlier clock is wrong.
const EARLIEST_TIME: Millis = Millis(1_767_225_600_000);

#[derive(Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    config_args: ConfigArgs,
}

/// A finding: fine, worth knowing, or a problem.
enum Finding {
    Fine(String),
    Hint(String),
    Wrong(String),
}

use Finding::{Fine, Hint, Wrong};

impl Doctor {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config_args.read()?;
        let mut findings = vec![clock()];
        if config.data.exists() {
            let folder = Folder::open(&config.data).map_err(|error| OpenError::Folder(config.data.clone(), error))?;
            let server = serving(&folder).await;
            findings.push(public_url(server.config().unwrap_or(&config)));
            findings.extend(server.config().unwrap_or(&config).warnings().into_iter().map(Hint));
            findings.extend([private(folder.path()), room(folder.path()), master_key(&folder, &config, &server)]);
            findings.push(listening(&config, &server).await);
            findings.push(server.into_finding());
            findings.push(database(&folder).await);
            findings.push(pictures(&folder).await);
        } else {
            findings.push(public_url(&config));
            findings.extend(config.warnings().into_iter().map(Hint));
            let data = config.data.display();
            // Nobody mistypes the default.
            findings.push(if config.data == Config::default().data {
                Hint(format!("{data} does not exist yet; the first start makes it"))
            } else {
                Wrong(format!(
                    "{data} does not exist; check --data, or start the server once: the first start makes the folder"
                ))
            });
        }
        for finding in &findings {
            match finding {
                Fine(text) => outln!("ok     {text}"),
                Hint(text) => outln!("hint   {text}"),
                Wrong(text) => outln!("WRONG  {text}"),
            }
        }
        let wrong = findings.iter().filter(|finding| matches!(finding, Wrong(_))).count();
        anyhow::ensure!(wrong == 0, "{wrong} of {} failed", count(findings.len(), "check"));
        Ok(())
    }
}

fn clock() -> Finding {
    let now = Clock::System.now();
    let text = format!("the clock says {} UTC", now.to_api_text());
    if now > EARLIEST_TIME { Fine(text) } else { Wrong(format!("{text}; set it, for instance with an NTP service")) }
}

fn public_url(config: &Config) -> Finding {
    let url = config.public_url();
    if config.public_url.is_none() && config.acme_domains.is_empty() {
        return Hint(format!("public_url is not set; snippets will say {url}"));
    }
    if url.starts_with("http://") {
        return Hint(format!(
            "{url} is plain http: anybody on the way can read along; put TLS in front or set tls_cert"
        ));
    }
    Fine(format!("browsers reach this server as {url}"))
}

/// Which process uses the data folder.
enum Server {
    Nobody,
    /// A server that reported its settings.
    Serving {
        holder: String,
        instance: String,
        config: Box<Config>,
        has_master_key: bool,
    },
    /// Another command, a server that is starting or stopping, or another version.
    Silent {
        holder: String,
        why: String,
    },
    Unknown(LockError),
}

/// Asks the server that holds the folder for its settings, which may differ from this command's.
async fn serving(folder: &Folder) -> Server {
    let holder = match DataLock::take(folder) {
        Ok(_) => return Server::Nobody,
        Err(LockError::Held { holder }) => holder,
        Err(error) => return Server::Unknown(error),
    };
    match send_over_socket(folder).await {
        Ok((instance, config, has_master_key)) => {
            Server::Serving { holder, instance, config: Box::new(config), has_master_key }
        }
        Err(error) => Server::Silent { holder, why: format!("{error:#}") },
    }
}

async fn send_over_socket(folder: &Folder) -> anyhow::Result<(String, Config, bool)> {
    let stream = socket::connect(&folder.socket()).await.context("it takes no commands")?;
    let answer = tokio::time::timeout(SETTINGS_TIMEOUT, socket::send_over_socket(stream, &Command::Serving));
    let answer = answer.await.context("it did not answer in time")??;
    let Output::Serving(Serving { instance, settings }) = answer else { return Err(unexpected()) };
    let is_secret = |text: &str| text == HIDDEN;
    let has_master_key = settings.iter().any(|(key, text)| key == "master_key" && is_secret(text));
    let reported: Vec<(&str, String)> =
        settings.iter().filter(|(_, text)| !is_secret(text)).map(|(key, text)| (key.as_str(), text.clone())).collect();
    Ok((instance, Config::load(None, std::iter::empty(), &reported)?, has_master_key))
}

impl Server {
    fn config(&self) -> Option<&Config> {
        if let Server::Serving { config, .. } = self { Some(config) } else { None }
    }

    fn into_finding(self) -> Finding {
        match self {
            Server::Nobody => Fine("no server is using the data folder".into()),
            Server::Serving { holder, .. } => {
                Fine(format!("{holder} is serving the data folder; its own settings were checked"))
            }
            Server::Silent { holder, why } => Hint(format!("{holder} is using the data folder: {why}")),
            Server::Unknown(error) => Wrong(error.to_string()),
        }
    }
}

/// What answers at the configured address: this folder's server, if one is running.
async fn listening(config: &Config, server: &Server) -> Finding {
    let address = server.config().unwrap_or(config).listen;
    let other = "choose another address with --listen";
    match (server, probe(address, server.config().unwrap_or(config).has_tls()).await) {
        (Server::Serving { instance, .. }, ProbeResult::Instance(found)) if found == *instance => {
            Fine(format!("the server answers at {address}"))
        }
        (Server::Serving { .. }, ProbeResult::Instance(_) | ProbeResult::Another) => Wrong(format!(
            "the server says that it listens at {address}, and another program answers there; stop that one"
        )),
        (Server::Serving { .. }, ProbeResult::Nobody) => {
            Wrong(format!("the server says that it listens at {address}, and does not answer there; restart it"))
        }
        (Server::Nobody, ProbeResult::Instance(_)) => {
            Wrong(format!("an OCS server with another data folder answers at {address}; {other}"))
        }
        (Server::Nobody, ProbeResult::Another) => Wrong(format!("another program listens at {address}; {other}")),
        (Server::Nobody, ProbeResult::Nobody) => Fine(format!("{address} is free to listen on")),
        (Server::Silent { .. } | Server::Unknown(_), _) => Hint(format!(
            "{address} was not checked: the process that uses the data folder did not say where it listens"
        )),
    }
}

#[cfg(unix)]
fn private(folder: &Path) -> Finding {
    use std::os::unix::fs::PermissionsExt;
    let Ok(status) = std::fs::metadata(folder) else { return Wrong(format!("{} cannot be read", folder.display())) };
    let mode = status.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Fine(format!("{} is readable by its owner alone", folder.display()));
    }
    Wrong(format!("others on this machine can look into {} (mode {mode:o}); run: chmod 700 {0}", folder.display()))
}

#[cfg(not(unix))]
fn private(folder: &Path) -> Finding {
    Hint(format!("make sure that nobody else can read {}", folder.display()))
}

#[cfg(unix)]
fn room(folder: &Path) -> Finding {
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let text = format!("{} MiB are free for {}", free / (1024 * 1024), folder.display());
            if free >= LOW_DISK_BYTES { Fine(text) } else { Wrong(format!("{text}; make room, or sending will fail")) }
        }
        Err(error) => Hint(format!("the free room could not be read: {error}")),
    }
}

#[cfg(not(unix))]
fn room(_: &Path) -> Finding {
    Hint("look at the free room of the disk yourself".into())
}

fn master_key(folder: &Folder, config: &Config, server: &Server) -> Finding {
    if matches!(server, Server::Serving { has_master_key: true, .. }) {
        return Fine("the server was given its master key as a setting; keep a copy apart from the backups".into());
    }
    if config.master_key.is_none() && !folder.master_key().exists() {
        return Hint("there is no master.key yet; the first start makes it".into());
    }
    match Vault::open(&folder.master_key(), config.master_key.as_ref()) {
        Ok(_) => Fine("the master key can be read; keep a copy apart from the backups".into()),
        Err(error) => Wrong(error.to_string()),
    }
}

/// Compares every attached image with its stored hash.
async fn pictures(folder: &Folder) -> Finding {
    if !folder.database().exists() {
        return Hint("there are no pictures yet".into());
    }
    let Ok(known) = storage::pictures(&folder.database()).await else {
        return Hint("the pictures cannot be compared, because the database cannot be read".into());
    };
    let all = known;
    let known = all.len();
    let is_bad = |(name, sha256): &(String, Vec<u8>)| {
        let key = ImageName::parse(name).map(|name| BlobKey::image(&name));
        key.is_none_or(|key| !images::matches_hash(&folder.images(), &key, sha256).unwrap_or(false))
    };
    let bad: Vec<String> = all.into_iter().filter(is_bad).map(|(name, _)| name).collect();
    match bad.first() {
        None if known == 1 => Fine("the one picture is what was stored".into()),
        None => Fine(format!("all {known} pictures are what was stored")),
        Some(first) => Wrong(format!(
            "{} of {known} pictures are missing or damaged, such as {first}; put their files back from a backup",
            bad.len()
        )),
    }
}

async fn database(folder: &Folder) -> Finding {
    if !folder.database().exists() {
        return Hint("there is no database yet; the first start makes it".into());
    }
    let newest = storage::newest_schema();
    match storage::inspect(&folder.database()).await {
        Ok(found) if found.schema > newest => Wrong(format!(
            "the database has schema {}, newer than this program's {newest}; use the newer ocs",
            found.schema
        )),
        Ok(found) => {
            let rows = |table: &str| found.rows.get(table).map_or(0, |rows| *rows as usize);
            let counts = COUNTED_TABLES.map(|(table, noun)| count(rows(table), noun)).join(", ");
            Fine(format!("the database is sound (schema {}): {counts}", found.schema))
        }
        Err(error) => Wrong(format!("{}; restore a backup with `ocs restore`", super::command::explain(error))),
    }
}
