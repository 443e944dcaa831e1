//! `ocs site add`, `ocs site list`.

use anyhow::Context;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use crate::accounts::Account;
use crate::app::App;
use crate::audit::By;
use crate::id::{SiteId, WorkspaceId};
use crate::members::{self, Role};
use crate::output::outln;
use crate::sites::{self, Grant, Others};

use super::ConfigArgs;
use super::command::{Command, Output, explain, send, unexpected};

#[derive(Subcommand)]
pub(super) enum Site {
    /// Add a site and print its keys
    Add(Add),
    /// List all sites
    List(List),
}

#[derive(Args)]
pub(super) struct Add {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// E-mail address of the owner's account
    #[arg(long, value_name = "EMAIL")]
    owner: String,
    /// Name that visitors see
    #[arg(long)]
    name: String,
    /// Print one JSON object with site_id, widget_key and chat_api_key
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

/// A new site in the output. The field names are a contract with scripts.
#[derive(Serialize, Deserialize)]
pub(super) struct SiteAdded {
    pub site_id: SiteId,
    pub widget_key: String,
    pub chat_api_key: String,
}

/// A site in the list.
#[derive(Serialize, Deserialize)]
pub(super) struct SiteOutput {
    pub site_id: SiteId,
    pub name: String,
    pub owner: String,
    pub widget_key: String,
    pub paused: bool,
}

impl Site {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Site::Add(add) => add.run().await,
            Site::List(list) => list.run().await,
        }
    }
}

impl Add {
    async fn run(self) -> anyhow::Result<()> {
        let command = Command::AddSite { owner: self.owner, name: self.name };
        let answer = send(self.config_args.read()?, command).await?;
        let Output::SiteAdded(added, url) = answer else { return Err(unexpected()) };
        if self.json {
            outln!("{}", serde_json::to_string(&added)?);
            return Ok(());
        }
        outln!("site {} is ready", added.site_id);
        outln!("widget key:   {}", added.widget_key);
        outln!("chat API key: {}   (shown only now)", added.chat_api_key);
        outln!("\nPut this into the <head> of each page:\n");
        outln!("<script async src=\"{url}/api/widget.js?key={}\"></script>", added.widget_key);
        Ok(())
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let Output::Sites(sites) = send(self.config_args.read()?, Command::ListSites).await? else {
            return Err(unexpected());
        };
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&sites)?);
            return Ok(());
        }
        for site in sites {
            let paused = if site.paused { "  (paused)" } else { "" };
            outln!("{:>6}  {}  {}  {}{paused}", site.site_id, site.widget_key, site.owner, site.name);
        }
        Ok(())
    }
}

pub(super) async fn add(app: &App, owner: Account, name: &str) -> anyhow::Result<SiteAdded> {
    let by = By::on_machine(owner.id);
    let workspace = owned_workspace(app, &owner).await?;
    let site =
        sites::create(&app.store, &by, workspace, name, app.config.sites_per_workspace).await.map_err(explain)?;
    let (chat_key, _) =
        sites::make_chat_key(&app.store, &by, site.id, Grant::default(), Others::Stay).await.map_err(explain)?;
    let chat_api_key = chat_key.secret.expose().to_owned();
    Ok(SiteAdded { site_id: site.id, widget_key: site.widget_key, chat_api_key })
}

/// The workspace that an account has owned longest.
pub(super) async fn owned_workspace(app: &App, owner: &Account) -> anyhow::Result<WorkspaceId> {
    let memberships = members::memberships(&app.store, owner.id).await.map_err(explain)?;
    let owned = memberships.iter().find(|membership| membership.member.role == Role::Owner);
    let first = owned.map(|membership| membership.member.workspace_id);
    first.with_context(|| format!("{} owns no workspace", owner.email))
}

pub(super) async fn list(app: &App) -> anyhow::Result<Vec<SiteOutput>> {
    let sites = sites::all_sites(&app.store).await.map_err(explain)?;
    let owners = members::owners(&app.store).await.map_err(explain)?;
    let owner = |workspace| owners.iter().find(|(owned, _)| *owned == workspace).map(|(_, email)| email.clone());
    Ok(sites
        .into_iter()
        .map(|site| SiteOutput {
            site_id: site.id,
            owner: owner(site.workspace_id).unwrap_or_default(),
            name: site.name,
            widget_key: site.widget_key,
            paused: site.paused,
        })
        .collect())
}
