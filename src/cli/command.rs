//! Commands that need the data folder, and their outputs. A command runs in this process, or in the server that holds
//! the folder.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use serde::{Deserialize, Serialize};

use crate::accounts::{self, Account, NewAccount};
use crate::app::{App, OpenError};
use crate::audit::{self, Action, By};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Error;
use crate::flows;
use crate::id::WorkspaceId;
use crate::storage::{Folder, LockError};

use super::audit::{AuditOf, AuditOutput, read as read_audit};
use super::backup::{self, BackedUp};
use super::demo::{self, DemoCreated};
use super::member::{self, InvitedOutput, MemberCommand, MemberOutput};
use super::site::{self, KeyRotated, SiteAdded, SiteCommand, SiteOutput};
use super::socket;
use super::user::{ResetOutput, UserOutput};
use super::workspace::{self, WorkspaceCommand, WorkspaceOutput};

/// How long to wait for the process that holds the data folder, and the delay between attempts.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// A command that needs the data folder. Its JSON form is used between two processes of the same version and is not a
/// contract.
#[derive(Serialize, Deserialize)]
#[serde(tag = "do", content = "with", rename_all = "snake_case")]
pub(super) enum Command {
    AddUser {
        email: String,
        password: String,
        name: Option<String>,
    },
    SetPassword {
        email: String,
        password: String,
    },
    /// Prints a link that sets a new password.
    CreateReset {
        email: String,
    },
    ListUsers,
    EndSecondFactor {
        email: String,
    },
    Workspace(WorkspaceCommand),
    Member {
        workspace: WorkspaceId,
        command: MemberCommand,
    },
    Site(SiteCommand),
    Backup {
        file: PathBuf,
    },
    Demo {
        password: String,
    },
    Audit {
        of: AuditOf,
        limit: i64,
    },
    Serving,
}

/// The output of a command.
#[derive(Serialize, Deserialize)]
#[serde(tag = "done", content = "with", rename_all = "snake_case")]
pub(super) enum Output {
    User(UserOutput),
    Users(Vec<UserOutput>),
    ResetCreated(ResetOutput),
    Workspace(WorkspaceOutput),
    Workspaces(Vec<WorkspaceOutput>),
    Member(MemberOutput),
    Members(Vec<MemberOutput>),
    Invited(InvitedOutput),
    /// The site, and the server's public address.
    SiteAdded(SiteAdded, String),
    Site(SiteOutput),
    Sites(Vec<SiteOutput>),
    KeyRotated(KeyRotated),
    BackedUp(BackedUp),
    DemoCreated(DemoCreated),
    Audited(Vec<AuditOutput>),
    Serving(Serving),
}

/// Answer of the server that holds a data folder.
#[derive(Serialize, Deserialize)]
pub(super) struct Serving {
    /// Its instance name, as in the answer of `/healthz`.
    pub instance: String,
    /// The settings in force as text, without secrets.
    pub settings: Vec<(String, String)>,
}

/// Executes a command: here if the data folder is free, else in the server that holds it.
pub(super) async fn send(config: Config, command: Command) -> anyhow::Result<Output> {
    if !config.data.exists() && !matches!(command, Command::AddUser { .. } | Command::Demo { .. }) {
        bail!("there is no data folder {}; name the right one with --data", config.data.display());
    }
    let end = Instant::now() + LOCK_TIMEOUT;
    loop {
        let holder = match App::open(config.clone(), Clock::System).await {
            Ok(app) => {
                let answer = execute(&app, command).await;
                app.store.close().await;
                return answer;
            }
            Err(OpenError::Lock(LockError::Held { holder })) => holder,
            Err(error) => return Err(error.into()),
        };
        let socket = Folder::open(&config.data)?.socket();
        match socket::connect(&socket).await {
            Ok(stream) => return socket::send_over_socket(stream, &command).await,
            // A server that is still starting, or another command that has nearly finished.
            Err(_) if Instant::now() < end => tokio::time::sleep(RETRY_DELAY).await,
            Err(error) => bail!(
                "{holder} holds the data folder {} and takes no commands at {}: {error}",
                config.data.display(),
                socket.display()
            ),
        }
    }
}

/// Executes a command in the process that holds the data folder.
pub(super) async fn execute(app: &App, command: Command) -> anyhow::Result<Output> {
    Ok(match command {
        Command::AddUser { email, password, name } => {
            let added = flows::add_account(&app.accounts, NewAccount { email: email.clone(), password, name }).await;
            let account = added.map_err(|error| match error {
                Error::EmailTaken => anyhow!(
                    "{email} has an account already; change its password with `ocs user password --email {email}`"
                ),
                other => explain(other),
            })?;
            Output::User(account.into())
        }
        Command::SetPassword { email, password } => {
            let account = account_of(app, &email).await?;
            accounts::set_password(&app.accounts, account.id, &password).await.map_err(explain)?;
            Output::User(account.into())
        }
        Command::CreateReset { email } => {
            let account = account_of(app, &email).await?;
            let token = accounts::create_reset(&app.accounts, &account).await.map_err(explain)?;
            let link = format!("{}/reset#{}", app.config.public_url(), token.expose());
            Output::ResetCreated(ResetOutput { email: account.email, link })
        }
        Command::ListUsers => {
            let accounts = accounts::list_accounts(&app.accounts).await.map_err(explain)?;
            Output::Users(accounts.into_iter().map(UserOutput::from).collect())
        }
        Command::EndSecondFactor { email } => {
            let account = account_of(app, &email).await?;
            accounts::remove_second_factor(&app.accounts, account.id).await.map_err(|error| match error {
                Error::NotFound => anyhow!("{email} does not use two-factor authentication"),
                other => explain(other),
            })?;
            Output::User(account.into())
        }
        Command::Workspace(command) => workspace::execute(app, command).await?,
        Command::Member { workspace, command } => member::execute(app, workspace, command).await?,
        Command::Site(command) => site::execute(app, command).await?,
        Command::Backup { file } => {
            audit::note(&app.store, &By::machine(), Action::BackupMade, "").await.map_err(explain)?;
            Output::BackedUp(backup::write(app, &file).await?)
        }
        Command::Audit { of, limit } => Output::Audited(read_audit(app, of, limit).await?),
        Command::Demo { password } => Output::DemoCreated(demo::fill(app, &password).await?),
        Command::Serving => Output::Serving(Serving {
            instance: app.instance.clone(),
            settings: app.config.effective().into_iter().map(|(key, text)| (key.to_owned(), text)).collect(),
        }),
    })
}

/// The account of an address.
pub(super) async fn account_of(app: &App, email: &str) -> anyhow::Result<Account> {
    accounts::find_account(&app.accounts, email).await.map_err(|error| match error {
        Error::NotFound => anyhow!(
            "{email} has no account; see them with `ocs user list`, or add it with `ocs user add --email {email}`"
        ),
        other => explain(other),
    })
}

/// Shows internal causes: the operator of the machine may know them, unlike strangers.
pub(super) fn explain(error: Error) -> anyhow::Error {
    match error {
        Error::Internal(cause) => anyhow!(cause),
        other => anyhow!(other),
    }
}

/// The output does not match the command, because two versions of the program met.
pub(super) fn unexpected() -> anyhow::Error {
    anyhow!("the running server sent an unexpected answer; use the same version of ocs for both")
}
