//! `ocs site add`, `ocs site list`, `ocs site rename`, `ocs site pause`, `ocs site resume`, `ocs site remove`,
//! `ocs site keys`.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::accounts::Account;
use crate::app::App;
use crate::audit::By;
use crate::error::Error;
use crate::id::{SiteId, WorkspaceId};
use crate::members::{self, Role};
use crate::output::outln;
use crate::sites::{self, ConfigureSite, GRACE_S, Grant, Others};

use super::command::{Command, Output, account_of, explain, send, unexpected};
use super::{ConfigArgs, id, print_list, print_object, workspace};

#[derive(Subcommand)]
pub(super) enum Site {
    /// Add a site and print its keys
    Add(Add),
    /// List all sites
    List(List),
    /// Change the name of a site, which visitors see
    Rename {
        #[command(flatten)]
        one: One,
        /// Name that visitors see
        #[arg(long)]
        name: String,
    },
    /// Pause a site: its widget disappears from the pages and takes no messages
    Pause(One),
    /// Let a paused site go on
    Resume(One),
    /// Remove a site with its conversations and images. This can't be undone
    Remove {
        #[command(flatten)]
        one: One,
        /// The name of the site, typed, to show that you mean this one
        #[arg(long, value_name = "NAME")]
        yes_delete: String,
    },
    /// Replace a key of a site and print the new one; a new chat API key may read and reply, from anywhere
    Keys {
        #[command(flatten)]
        one: One,
        /// The key to replace: the public one in the snippet, or the secret ones of the chat API
        #[arg(long)]
        rotate: KeyKind,
        /// How long the old keys still work, in seconds, at most 30 days (2592000)
        #[arg(long, value_name = "SECONDS", default_value_t = GRACE_S)]
        grace: u32,
    },
}

#[derive(Args)]
pub(super) struct Add {
    #[command(flatten)]
    config_args: ConfigArgs,
    #[command(flatten)]
    place: AddPlace,
    /// Name that visitors see
    #[arg(long)]
    name: String,
    /// Print one JSON object with site_id, widget_key and chat_api_key
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct AddPlace {
    /// E-mail address of an account: the site is added to the workspace that it has owned longest
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    /// Id of the workspace, as `ocs workspace list` prints it
    #[arg(long, value_name = "ID", value_parser = id::<WorkspaceId>)]
    workspace: Option<WorkspaceId>,
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// Only the sites of this workspace
    #[arg(long, value_name = "ID", value_parser = id::<WorkspaceId>)]
    workspace: Option<WorkspaceId>,
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

/// What every command about one site takes.
#[derive(Args)]
pub(super) struct One {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// Id of the site, as `ocs site list` prints it
    #[arg(long, value_name = "ID", value_parser = id::<SiteId>)]
    site: SiteId,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A kind of key.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeyKind {
    Widget,
    Chat,
}

/// What is done with sites.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SiteCommand {
    Add { place: Place, name: String },
    List { workspace: Option<WorkspaceId> },
    Configure { site: SiteId, change: ConfigureSite },
    Remove { site: SiteId, typed: String },
    RotateKey { site: SiteId, kind: KeyKind, grace_s: u32 },
}

/// Where a site is added.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// The workspace that the account with this address has owned longest.
    OwnedBy(String),
    Workspace(WorkspaceId),
}

/// A new site in the output. The field names are a contract with scripts.
#[derive(Serialize, Deserialize)]
pub(super) struct SiteAdded {
    pub site_id: SiteId,
    pub widget_key: String,
    pub chat_api_key: String,
}

/// A site in the output. The field names are a contract with scripts.
#[derive(Serialize, Deserialize)]
pub(super) struct SiteOutput {
    pub site_id: SiteId,
    pub workspace_id: WorkspaceId,
    pub name: String,
    /// E-mail address of the workspace's first owner.
    pub owner: String,
    pub widget_key: String,
    pub paused: bool,
}

/// A new key in the output. The field names are a contract with scripts.
#[derive(Serialize, Deserialize)]
pub(super) struct KeyRotated {
    pub site_id: SiteId,
    pub kind: KeyKind,
    pub key: String,
    /// Seconds for which the old keys still work.
    pub grace_s: u32,
}

impl Site {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let pause = |paused| ConfigureSite { paused: Some(paused), ..ConfigureSite::default() };
        match self {
            Site::Add(add) => add.run().await,
            Site::List(list) => list.run().await,
            Site::Rename { one, name } => {
                let change = ConfigureSite { name: Some(name), ..ConfigureSite::default() };
                one.configure(change, "is renamed").await
            }
            Site::Pause(one) => one.configure(pause(true), "is paused").await,
            Site::Resume(one) => one.configure(pause(false), "goes on").await,
            Site::Remove { one, yes_delete } => {
                let command = SiteCommand::Remove { site: one.site, typed: yes_delete };
                one.run(command, "is removed; a running server purges its conversations and images").await
            }
            Site::Keys { one, rotate, grace } => {
                let command = SiteCommand::RotateKey { site: one.site, kind: rotate, grace_s: grace };
                one.run(command, "").await
            }
        }
    }
}

impl One {
    async fn configure(self, change: ConfigureSite, done: &str) -> anyhow::Result<()> {
        let command = SiteCommand::Configure { site: self.site, change };
        self.run(command, done).await
    }

    /// `done`: how to say that it is done.
    async fn run(self, command: SiteCommand, done: &str) -> anyhow::Result<()> {
        match send(self.config_args.read()?, Command::Site(command)).await? {
            Output::Site(site) if self.json => return print_object(&site),
            Output::KeyRotated(rotated) if self.json => return print_object(&rotated),
            Output::Site(site) => outln!("site {} \"{}\" {done}", site.site_id, site.name),
            Output::KeyRotated(KeyRotated { kind, key, grace_s, .. }) => match kind {
                KeyKind::Widget => outln!("widget key:   {key}   (the old ones still work for {grace_s} s)"),
                KeyKind::Chat => {
                    outln!("chat API key: {key}   (shown only now; the old ones still work for {grace_s} s)");
                }
            },
            _ => return Err(unexpected()),
        }
        Ok(())
    }
}

impl Add {
    async fn run(self) -> anyhow::Result<()> {
        let place = match self.place {
            AddPlace { owner: Some(email), .. } => Place::OwnedBy(email),
            AddPlace { workspace: Some(workspace), .. } => Place::Workspace(workspace),
            AddPlace { owner: None, workspace: None } => bail!("add --owner EMAIL or --workspace ID"),
        };
        let command = Command::Site(SiteCommand::Add { place, name: self.name });
        let answer = send(self.config_args.read()?, command).await?;
        let Output::SiteAdded(added, url) = answer else { return Err(unexpected()) };
        if self.json {
            return print_object(&added);
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
        let command = Command::Site(SiteCommand::List { workspace: self.workspace });
        let Output::Sites(sites) = send(self.config_args.read()?, command).await? else {
            return Err(unexpected());
        };
        if self.json {
            return print_list(&sites);
        }
        for site in sites {
            let paused = if site.paused { "  (paused)" } else { "" };
            outln!("{:>6}  {}  {}  {}{paused}", site.site_id, site.widget_key, site.owner, site.name);
        }
        Ok(())
    }
}

pub(super) async fn execute(app: &App, command: SiteCommand) -> anyhow::Result<Output> {
    Ok(match command {
        SiteCommand::Add { place, name } => Output::SiteAdded(add(app, place, &name).await?, app.config.public_url()),
        SiteCommand::List { workspace } => Output::Sites(list(app, workspace).await?),
        SiteCommand::Configure { site, change } => {
            let found = find(app, site).await?;
            sites::configure(&app.store, &by(&found), site, change).await.map_err(explain)?;
            Output::Site(output(app, site).await?)
        }
        SiteCommand::Remove { site, typed } => {
            let found = find(app, site).await?;
            if found.name != typed.trim() {
                bail!("--yes-delete must be the name of site {site} as `ocs site list` prints it; nothing was removed");
            }
            let removed = output(app, site).await?;
            sites::delete(&app.store, &by(&found), site).await.map_err(explain)?;
            Output::Site(removed)
        }
        SiteCommand::RotateKey { site, kind, grace_s } => {
            let found = find(app, site).await?;
            let key = rotate(app, &found, kind, grace_s).await.map_err(explain_grace)?;
            Output::KeyRotated(KeyRotated { site_id: site, kind, key, grace_s })
        }
    })
}

async fn add(app: &App, place: Place, name: &str) -> anyhow::Result<SiteAdded> {
    let (by, workspace) = match place {
        Place::OwnedBy(email) => {
            let owner = account_of(app, &email).await?;
            (By::on_machine(owner.id), owned_workspace(app, &owner).await?)
        }
        Place::Workspace(workspace) => {
            workspace::check(app, workspace).await?;
            (By::machine(), workspace)
        }
    };
    let by = by.in_workspace(workspace);
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
    let email = &owner.email;
    first.with_context(|| format!("{email} owns no workspace; add one with `ocs workspace add --owner {email}`"))
}

/// `workspace`: only the sites of this one.
async fn list(app: &App, workspace: Option<WorkspaceId>) -> anyhow::Result<Vec<SiteOutput>> {
    let sites = match workspace {
        Some(workspace) => {
            workspace::check(app, workspace).await?;
            sites::sites_of(&app.store, workspace).await.map_err(explain)?
        }
        None => sites::all_sites(&app.store).await.map_err(explain)?,
    };
    let mut first_owners: BTreeMap<WorkspaceId, String> = BTreeMap::new();
    for (workspace, email) in members::owners(&app.store).await.map_err(explain)? {
        first_owners.entry(workspace).or_insert(email);
    }
    let output = |site: sites::Site| SiteOutput {
        site_id: site.id,
        workspace_id: site.workspace_id,
        owner: first_owners.get(&site.workspace_id).cloned().unwrap_or_default(),
        name: site.name,
        widget_key: site.widget_key,
        paused: site.paused,
    };
    Ok(sites.into_iter().map(output).collect())
}

async fn find(app: &App, site: SiteId) -> anyhow::Result<sites::Site> {
    sites::read_site(&app.store, site).await.map_err(|error| match error {
        Error::NotFound => missing(site),
        other => explain(other),
    })
}

async fn output(app: &App, site: SiteId) -> anyhow::Result<SiteOutput> {
    list(app, None).await?.into_iter().find(|one| one.site_id == site).ok_or_else(|| missing(site))
}

fn missing(site: SiteId) -> anyhow::Error {
    anyhow!("there is no site {site}; see them with `ocs site list`")
}

/// The operator of the machine, in the affairs of the site's workspace.
fn by(site: &sites::Site) -> By {
    By::machine().in_workspace(site.workspace_id)
}

/// Replaces a key and returns the new one.
async fn rotate(app: &App, site: &sites::Site, kind: KeyKind, grace_s: u32) -> Result<String, Error> {
    match kind {
        KeyKind::Widget => {
            sites::rotate_widget_key(&app.store, &by(site), site.id, grace_s).await?;
            Ok(sites::read_site(&app.store, site.id).await?.widget_key)
        }
        KeyKind::Chat => {
            let others = Others::End(grace_s);
            let (new, _) = sites::make_chat_key(&app.store, &by(site), site.id, Grant::default(), others).await?;
            Ok(new.secret.expose().to_owned())
        }
    }
}

/// The command line calls the field otherwise.
fn explain_grace(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid { field: "grace_s", reason } => anyhow!("--grace: {reason}"),
        other => explain(other),
    }
}
