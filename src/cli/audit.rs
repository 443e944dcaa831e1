//! `ocs audit`: prints the audit log of accounts, sites and keys.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::accounts;
use crate::app::App;
use crate::audit::view::{AuditLine, WorkspaceAuditEntry};
use crate::audit::{Entry, store};
use crate::id::{AccountId, AuditId, WorkspaceId};
use crate::output::outln;

use super::command::{Command, Output, account_of, explain, send, unexpected};
use super::{ConfigArgs, id};

#[derive(Args)]
pub(super) struct Audit {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// Only entries that concern this account
    #[arg(long, conflicts_with = "workspace")]
    email: Option<String>,
    /// Only entries of this workspace, which may be deleted
    #[arg(long, value_name = "ID", value_parser = id::<WorkspaceId>)]
    workspace: Option<WorkspaceId>,
    /// Number of entries to print, the newest ones
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    limit: i64,
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

/// Which entries are printed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AuditOf {
    /// All.
    Server,
    /// Those of the account with this address.
    Account(String),
    /// Those of a workspace.
    Workspace(WorkspaceId),
}

/// An entry in the output.
#[derive(Serialize, Deserialize)]
pub(super) struct AuditOutput {
    /// Empty for the whole server, or a deleted account.
    pub email: String,
    #[serde(flatten)]
    pub line: AuditLine,
}

impl Audit {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let of = match (self.email, self.workspace) {
            (Some(email), _) => AuditOf::Account(email),
            (None, Some(workspace)) => AuditOf::Workspace(workspace),
            (None, None) => AuditOf::Server,
        };
        let command = Command::Audit { of, limit: self.limit };
        let Output::Audited(lines) = send(self.config_args.read()?, command).await? else { return Err(unexpected()) };
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&lines)?);
            return Ok(());
        }
        for AuditOutput { email, line } in lines {
            let site = line.site_id.map(|site| format!(" site {site}")).unwrap_or_default();
            let from = if line.network.is_empty() { "command line" } else { &line.network };
            outln!("{}  {from:<18}  {email:<28}  {}{site}  {}", line.at.to_api_text(), line.action, line.subject);
        }
        Ok(())
    }
}

/// Entries, oldest first, so that the newest appear above the prompt.
pub(super) async fn read(app: &App, of: AuditOf, limit: i64) -> anyhow::Result<Vec<AuditOutput>> {
    let end = AuditId(i64::MAX);
    let mut entries: Vec<(Option<AccountId>, AuditLine)> = match of {
        AuditOf::Server => {
            store::newest(&app.store, end, limit).await.map_err(explain)?.into_iter().map(line).collect()
        }
        AuditOf::Account(email) => {
            let account = account_of(app, &email).await?.id;
            let entries = store::of_account(&app.store, account, end, limit).await.map_err(explain)?;
            entries.into_iter().map(line).collect()
        }
        AuditOf::Workspace(workspace) => {
            let entries = store::of_workspace(&app.store, workspace, None, end, limit).await.map_err(explain)?;
            entries.into_iter().map(workspace_line).collect()
        }
    };
    entries.reverse();
    let accounts = accounts::list_accounts(&app.accounts).await.map_err(explain)?;
    let email = |id| accounts.iter().find(|account| Some(account.id) == id).map(|account| account.email.clone());
    Ok(entries.into_iter().map(|(id, line)| AuditOutput { email: email(id).unwrap_or_default(), line }).collect())
}

fn line(entry: Entry) -> (Option<AccountId>, AuditLine) {
    (entry.account_id, AuditLine::from(entry))
}

fn workspace_line(entry: WorkspaceAuditEntry) -> (Option<AccountId>, AuditLine) {
    let WorkspaceAuditEntry { id, action, account_id, account_name: _, site_id, subject, network, at } = entry;
    (account_id, AuditLine { id, action, site_id, subject, network, at })
}
