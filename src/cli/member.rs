//! `ocs member list`, `ocs member add`, `ocs member invite`, `ocs member role`, `ocs member sites`,
//! `ocs member deactivate`, `ocs member activate`, `ocs member remove`.

use anyhow::{Context, anyhow};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::audit::By;
use crate::clock::Millis;
use crate::error::Error;
use crate::id::{AccountId, InvitationId, SiteId, WorkspaceId};
use crate::members::store::Named;
use crate::members::{self, Actor, MemberChange, NewInvitation, Role};
use crate::output::outln;

use super::command::{Command, Output, account_of, explain, send, unexpected};
use super::{ConfigArgs, id, print_list, print_object, workspace};

#[derive(Subcommand)]
pub(super) enum Member {
    /// List the members of a workspace
    List(Team),
    /// Make an existing account a member
    Add {
        #[command(flatten)]
        team: Team,
        #[command(flatten)]
        person: Person,
        #[command(flatten)]
        grant: Grant,
    },
    /// Print a link that makes whoever opens it a member, once; it also lets in somebody without an account
    Invite {
        #[command(flatten)]
        team: Team,
        /// For whom it is: a name or an address, which the team sees beside the invitation
        #[arg(long = "for", value_name = "NOTE")]
        note: String,
        #[command(flatten)]
        grant: Grant,
        /// Days for which the link works, 1 to 30
        #[arg(long, value_name = "N", default_value_t = 7)]
        days: i64,
    },
    /// Change what a member may do
    Role {
        #[command(flatten)]
        team: Team,
        #[command(flatten)]
        person: Person,
        #[arg(long, value_parser = role(), help = ROLE)]
        role: Role,
    },
    /// Change which sites a member looks after
    Sites {
        #[command(flatten)]
        team: Team,
        #[command(flatten)]
        person: Person,
        #[command(flatten)]
        scope: Scope,
    },
    /// Keep somebody out without removing them from the team
    Deactivate {
        #[command(flatten)]
        team: Team,
        #[command(flatten)]
        person: Person,
    },
    /// Let a deactivated member work again
    Activate {
        #[command(flatten)]
        team: Team,
        #[command(flatten)]
        person: Person,
    },
    /// Remove somebody from the team; what they wrote stays under their name
    Remove {
        #[command(flatten)]
        team: Team,
        #[command(flatten)]
        person: Person,
    },
}

/// What every command of a team takes.
#[derive(Args)]
pub(super) struct Team {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// Id of the workspace, as `ocs workspace list` prints it
    #[arg(long, value_name = "ID", value_parser = id::<WorkspaceId>)]
    workspace: WorkspaceId,
    /// Print JSON: one object, or a list for `list`
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Person {
    /// E-mail address of the account
    #[arg(long)]
    email: String,
}

/// The help of `--role`.
const ROLE: &str = "viewer: reads conversations; operator: answers them; admin: also changes settings and invites; \
    owner: may do everything";

#[derive(Args)]
pub(super) struct Grant {
    #[arg(long, value_parser = role(), help = ROLE)]
    role: Role,
    /// Id of a site to look after; may be repeated [default: all sites, those added later included]
    #[arg(long = "site", value_name = "ID", value_parser = id::<SiteId>)]
    sites: Vec<SiteId>,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Scope {
    /// All sites, those added later included
    #[arg(long)]
    all: bool,
    /// Id of a site to look after, instead of the present ones; may be repeated
    #[arg(long = "site", value_name = "ID", value_parser = id::<SiteId>)]
    sites: Vec<SiteId>,
}

/// What is done with the members of a workspace.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MemberCommand {
    List,
    /// `sites`: `None` for all.
    Add {
        email: String,
        role: Role,
        sites: Option<Vec<SiteId>>,
    },
    /// `sites`: `None` for all.
    Invite {
        note: String,
        role: Role,
        sites: Option<Vec<SiteId>>,
        days: i64,
    },
    Change {
        email: String,
        to: ChangeTo,
    },
    Remove {
        email: String,
    },
}

/// What becomes of a member.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChangeTo {
    Role(Role),
    /// `None` for all.
    Sites(Option<Vec<SiteId>>),
    Active(bool),
}

/// A member in the output. The field names are a contract with scripts.
#[derive(Serialize, Deserialize)]
pub(super) struct MemberOutput {
    pub workspace_id: WorkspaceId,
    pub account_id: AccountId,
    pub email: String,
    pub name: String,
    pub role: Role,
    /// Null: all.
    pub sites: Option<Vec<SiteId>>,
    pub active: bool,
    pub created_at: Millis,
}

/// An invitation in the output. The field names are a contract with scripts.
#[derive(Serialize, Deserialize)]
pub(super) struct InvitedOutput {
    pub workspace_id: WorkspaceId,
    pub invitation_id: InvitationId,
    pub note: String,
    pub role: Role,
    /// Null: all.
    pub sites: Option<Vec<SiteId>>,
    pub expires_at: Millis,
    /// Shown only now.
    pub link: String,
}

impl From<Named> for MemberOutput {
    fn from(Named { member, name, email, photo: _ }: Named) -> MemberOutput {
        MemberOutput {
            workspace_id: member.workspace_id,
            account_id: member.account_id,
            email,
            name,
            role: member.role,
            sites: member.sites.list(),
            active: member.active,
            created_at: member.created_at,
        }
    }
}

impl Member {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (team, command, done) = self.command();
        let Team { config_args, workspace, json } = team;
        match send(config_args.read()?, Command::Member { workspace, command }).await? {
            Output::Members(all) if json => return print_list(&all),
            Output::Member(one) if json => return print_object(&one),
            Output::Invited(invited) if json => return print_object(&invited),
            Output::Members(all) => all.iter().for_each(print),
            Output::Member(one) => outln!("{} {done} (workspace {workspace})", one.email),
            Output::Invited(invited) => {
                let end = invited.expires_at.to_api_text();
                outln!("{} can join with this link; it works once, until {end} UTC:\n", invited.note);
                outln!("{}", invited.link);
            }
            _ => return Err(unexpected()),
        }
        Ok(())
    }

    /// The team, what to do with it, and how to say that it is done.
    fn command(self) -> (Team, MemberCommand, &'static str) {
        let change = |Person { email }, to| MemberCommand::Change { email, to };
        match self {
            Member::List(team) => (team, MemberCommand::List, ""),
            Member::Add { team, person, grant: Grant { role, sites } } => {
                (team, MemberCommand::Add { email: person.email, role, sites: scope(sites) }, "is a member now")
            }
            Member::Invite { team, note, grant: Grant { role, sites }, days } => {
                (team, MemberCommand::Invite { note, role, sites: scope(sites), days }, "")
            }
            Member::Role { team, person, role } => (team, change(person, ChangeTo::Role(role)), "has the new role"),
            Member::Sites { team, person, scope: Scope { all: _, sites } } => {
                (team, change(person, ChangeTo::Sites(scope(sites))), "has the new sites")
            }
            Member::Deactivate { team, person } => (team, change(person, ChangeTo::Active(false)), "is deactivated"),
            Member::Activate { team, person } => (team, change(person, ChangeTo::Active(true)), "is active"),
            Member::Remove { team, person } => {
                (team, MemberCommand::Remove { email: person.email }, "is a member no longer")
            }
        }
    }
}

/// No `--site` means all.
fn scope(sites: Vec<SiteId>) -> Option<Vec<SiteId>> {
    Some(sites).filter(|sites| !sites.is_empty())
}

fn role() -> impl TypedValueParser<Value = Role> {
    let roles = [Role::Viewer, Role::Operator, Role::Admin, Role::Owner].map(Role::as_str);
    PossibleValuesParser::new(roles).map(|text| Role::parse(&text))
}

fn print(member: &MemberOutput) {
    let MemberOutput { account_id, email, name, role, sites, active, .. } = member;
    let sites = sites.as_ref().map_or("all sites".to_owned(), |sites| {
        let ids: Vec<String> = sites.iter().map(ToString::to_string).collect();
        format!("sites {}", ids.join(", "))
    });
    let deactivated = if *active { "" } else { "  (deactivated)" };
    outln!("{account_id:>6}  {:<8}  {email}  {name}  {sites}{deactivated}", role.as_str());
}

pub(super) async fn execute(app: &App, workspace: WorkspaceId, command: MemberCommand) -> anyhow::Result<Output> {
    workspace::check(app, workspace).await?;
    let (actor, by) = (Actor::Machine(workspace), By::machine().in_workspace(workspace));
    Ok(match command {
        MemberCommand::List => {
            let all = members::all_members(&app.store, workspace).await.map_err(explain)?;
            Output::Members(all.into_iter().map(MemberOutput::from).collect())
        }
        MemberCommand::Add { email, role, sites } => {
            let account = account_of(app, &email)
                .await
                .context("only an account can be added; `ocs member invite` prints a link that also lets others in")?;
            members::add(&app.store, &by, (workspace, account.id), role, sites).await.map_err(|error| match error {
                Error::Conflict(reason) => {
                    anyhow!("{reason}; see its members with `ocs member list --workspace {workspace}`")
                }
                other => explain(other),
            })?;
            Output::Member(find(app, workspace, &email).await?)
        }
        MemberCommand::Invite { note, role, sites, days } => {
            let new = NewInvitation { note, role, sites, days };
            let (made, token) = members::invite(&app.store, &by, &actor, new).await.map_err(explain)?;
            Output::Invited(InvitedOutput {
                workspace_id: workspace,
                invitation_id: made.id,
                note: made.note,
                role: made.role,
                sites: made.sites.list(),
                expires_at: made.expires_at,
                link: format!("{}/invite#{}", app.config.public_url(), token.expose()),
            })
        }
        MemberCommand::Change { email, to } => {
            let member = find(app, workspace, &email).await?;
            let change = match to {
                ChangeTo::Role(role) => MemberChange { role: Some(role), ..MemberChange::default() },
                ChangeTo::Sites(sites) => MemberChange { sites: Some(sites), ..MemberChange::default() },
                ChangeTo::Active(active) => MemberChange { active: Some(active), ..MemberChange::default() },
            };
            members::change(&app.store, &by, &actor, member.account_id, change).await.map_err(explain)?;
            Output::Member(find(app, workspace, &email).await?)
        }
        MemberCommand::Remove { email } => {
            let member = find(app, workspace, &email).await?;
            members::remove(&app.store, &by, &actor, member.account_id).await.map_err(explain)?;
            Output::Member(member)
        }
    })
}

async fn find(app: &App, workspace: WorkspaceId, email: &str) -> anyhow::Result<MemberOutput> {
    let account = account_of(app, email).await?;
    let all = members::all_members(&app.store, workspace).await.map_err(explain)?;
    let found = all.into_iter().find(|named| named.member.account_id == account.id);
    found.map(MemberOutput::from).ok_or_else(|| {
        anyhow!(
            "{email} is no member of workspace {workspace}; see its members with `ocs member list --workspace {workspace}`"
        )
    })
}
