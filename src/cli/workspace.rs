//! `ocs workspace list`, `ocs workspace add`, `ocs workspace rename`, `ocs workspace remove`.

use std::collections::BTreeMap;

use anyhow::anyhow;
use clap::Subcommand;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::audit::By;
use crate::clock::Millis;
use crate::error::Error;
use crate::flows;
use crate::id::WorkspaceId;
use crate::members;
use crate::output::{count, outln};
use crate::workspaces;

use super::command::{Command, Output, account_of, explain, send, unexpected};
use super::{ConfigArgs, id, print_list, print_object};

#[derive(Subcommand)]
pub(super) enum Workspace {
    /// List all workspaces with their owners
    List {
        #[command(flatten)]
        config_args: ConfigArgs,
        /// Print a JSON list
        #[arg(long)]
        json: bool,
    },
    /// Add a workspace for an existing account, which owns it
    Add {
        #[command(flatten)]
        config_args: ConfigArgs,
        /// E-mail address of the owner's account
        #[arg(long, value_name = "EMAIL")]
        owner: String,
        /// Name that its members see
        #[arg(long)]
        name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Change the name of a workspace
    Rename {
        #[command(flatten)]
        config_args: ConfigArgs,
        /// Id of the workspace, as `ocs workspace list` prints it
        #[arg(long, value_name = "ID", value_parser = id::<WorkspaceId>)]
        workspace: WorkspaceId,
        /// Name that its members see
        #[arg(long)]
        name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Remove a workspace with all of its sites, conversations and images. This can't be undone
    Remove {
        #[command(flatten)]
        config_args: ConfigArgs,
        /// Id of the workspace, as `ocs workspace list` prints it
        #[arg(long, value_name = "ID", value_parser = id::<WorkspaceId>)]
        workspace: WorkspaceId,
        /// The name of the workspace, typed, to show that you mean this one
        #[arg(long, value_name = "NAME")]
        yes_delete: String,
        /// Print one JSON object: the workspace as it was
        #[arg(long)]
        json: bool,
    },
}

/// What is done with workspaces.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WorkspaceCommand {
    List,
    Add { owner: String, name: String },
    Rename { workspace: WorkspaceId, name: String },
    Remove { workspace: WorkspaceId, typed: String },
}

/// A workspace in the output. The field names are a contract with scripts.
#[derive(Serialize, Deserialize)]
pub(super) struct WorkspaceOutput {
    pub id: WorkspaceId,
    pub name: String,
    /// E-mail addresses.
    pub owners: Vec<String>,
    /// Number of members, those who are deactivated included.
    pub members: i64,
    /// Number of sites.
    pub sites: i64,
    pub created_at: Millis,
}

impl Workspace {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (config_args, json, command, done) = match self {
            Workspace::List { config_args, json } => (config_args, json, WorkspaceCommand::List, ""),
            Workspace::Add { config_args, owner, name, json } => {
                (config_args, json, WorkspaceCommand::Add { owner, name }, "is ready")
            }
            Workspace::Rename { config_args, workspace, name, json } => {
                (config_args, json, WorkspaceCommand::Rename { workspace, name }, "is renamed")
            }
            Workspace::Remove { config_args, workspace, yes_delete, json } => {
                let command = WorkspaceCommand::Remove { workspace, typed: yes_delete };
                (config_args, json, command, "is removed; a running server purges its conversations and images")
            }
        };
        match send(config_args.read()?, Command::Workspace(command)).await? {
            Output::Workspaces(all) if json => return print_list(&all),
            Output::Workspace(one) if json => return print_object(&one),
            Output::Workspaces(all) => all.iter().for_each(print),
            Output::Workspace(one) => outln!("workspace {} \"{}\" {done}", one.id, one.name),
            _ => return Err(unexpected()),
        }
        Ok(())
    }
}

fn print(workspace: &WorkspaceOutput) {
    let WorkspaceOutput { id, name, owners, members, sites, created_at } = workspace;
    let (members, sites) = (count(*members as usize, "member"), count(*sites as usize, "site"));
    outln!("{id:>6}  {}  {}  {members}, {sites}  {name}", created_at.to_api_text(), owners.join(", "));
}

pub(super) async fn execute(app: &App, command: WorkspaceCommand) -> anyhow::Result<Output> {
    let by = By::machine();
    Ok(match command {
        WorkspaceCommand::List => Output::Workspaces(list(app).await?),
        WorkspaceCommand::Add { owner, name } => {
            let owner = account_of(app, &owner).await?;
            let made = flows::create_workspace(&app.store, &by, &owner, &name).await.map_err(explain)?;
            Output::Workspace(find(app, made).await?)
        }
        WorkspaceCommand::Rename { workspace, name } => {
            check(app, workspace).await?;
            workspaces::rename(&app.store, &by.in_workspace(workspace), workspace, &name).await.map_err(explain)?;
            Output::Workspace(find(app, workspace).await?)
        }
        WorkspaceCommand::Remove { workspace, typed } => {
            let found = find(app, workspace).await?;
            flows::remove_workspace(&app.store, &by, workspace, &typed).await.map_err(|error| match error {
                Error::Invalid { .. } => anyhow!(
                    "--yes-delete must be the name of workspace {workspace} as `ocs workspace list` prints it; nothing was removed"
                ),
                other => explain(other),
            })?;
            Output::Workspace(found)
        }
    })
}

/// Checks that there is a workspace of this id.
pub(super) async fn check(app: &App, workspace: WorkspaceId) -> anyhow::Result<()> {
    let found = workspaces::store::by_id(&app.store, workspace).await.map_err(explain)?;
    found.map(drop).ok_or_else(|| missing(workspace))
}

async fn find(app: &App, workspace: WorkspaceId) -> anyhow::Result<WorkspaceOutput> {
    list(app).await?.into_iter().find(|one| one.id == workspace).ok_or_else(|| missing(workspace))
}

fn missing(workspace: WorkspaceId) -> anyhow::Error {
    anyhow!("there is no workspace {workspace}; see them with `ocs workspace list`")
}

async fn list(app: &App) -> anyhow::Result<Vec<WorkspaceOutput>> {
    let all = workspaces::store::all(&app.store).await.map_err(explain)?;
    let mut owners: BTreeMap<WorkspaceId, Vec<String>> = BTreeMap::new();
    for (workspace, email) in members::owners(&app.store).await.map_err(explain)? {
        owners.entry(workspace).or_default().push(email);
    }
    Ok(all
        .into_iter()
        .map(|workspaces::store::Counted { workspace, members, sites }| WorkspaceOutput {
            id: workspace.id,
            name: workspace.name,
            owners: owners.remove(&workspace.id).unwrap_or_default(),
            members,
            sites,
            created_at: workspace.created_at,
        })
        .collect())
}
