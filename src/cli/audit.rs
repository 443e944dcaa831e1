//! `ocs audit`: prints the audit log of accounts, sites and keys.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::accounts;
use crate::app::App;
use crate::audit::store;
use crate::audit::view::AuditLine;
use crate::error::Result;
use crate::id::{AccountId, AuditId};
use crate::output::outln;

use super::ConfigArgs;
use super::command::{Command, Output, send, unexpected};

#[derive(Args)]
pub(super) struct Audit {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// Only entries that concern this account
    #[arg(long)]
    email: Option<String>,
    /// Number of entries to print, the newest ones
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    limit: i64,
    /// Print a JSON list
    #[arg(long)]
    json: bool,
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
        let command = Command::Audit { email: self.email, limit: self.limit };
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
pub(super) async fn read(app: &App, account: Option<AccountId>, limit: i64) -> Result<Vec<AuditOutput>> {
    let end = AuditId(i64::MAX);
    let mut entries = match account {
        Some(account) => store::of_account(&app.store, account, end, limit).await?,
        None => store::newest(&app.store, end, limit).await?,
    };
    entries.reverse();
    let accounts = accounts::list_accounts(&app.accounts).await?;
    let email = |id| accounts.iter().find(|account| Some(account.id) == id).map(|account| account.email.clone());
    let line = |entry: crate::audit::Entry| AuditOutput {
        email: email(entry.account_id).unwrap_or_default(),
        line: AuditLine::from(entry),
    };
    Ok(entries.into_iter().map(line).collect())
}
