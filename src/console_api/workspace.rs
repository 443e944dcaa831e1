//! Workspaces: making, renaming, leaving and deleting them; what their members did.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::accounts::Shown;
use crate::app::App;
use crate::audit::{self, view::WorkspaceAuditEntry};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::flows;
use crate::http::body::{Done, JsonBody, QueryOf};
use crate::http::caller::CurrentOperator;
use crate::http::member::WorkspaceMember;
use crate::id::{AuditId, SiteId, WorkspaceId};
use crate::members::view::MembershipView;
use crate::members::{self, Role};
use crate::workspaces;

/// Entries on a page of the audit log.
const PAGE: i64 = 50;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateWorkspace {
    name: String,
}

/// A workspace as one of its members sees it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct WorkspaceView {
    id: WorkspaceId,
    name: String,
    created_at: Millis,
    /// What the viewer may do in it.
    role: Role,
    /// The sites that the viewer looks after; null: all.
    sites: Option<Vec<SiteId>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteWorkspace {
    password: String,
    /// Two-factor or recovery code, if two-factor authentication is on.
    code: Option<String>,
    /// The name of the workspace, typed.
    name: String,
}

/// The audit log of a workspace, newest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct WorkspaceAudit {
    entries: Vec<WorkspaceAuditEntry>,
    /// Whether older entries exist.
    more: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Before {
    before: Option<AuditId>,
}

pub(super) async fn create(
    State(app): State<App>,
    operator: CurrentOperator,
    JsonBody(asked): JsonBody<CreateWorkspace>,
) -> Result<Json<MembershipView>> {
    let id = flows::create_workspace(&app.store, operator.by(), operator.account(), &asked.name).await?;
    let all = members::memberships(&app.store, operator.account).await?;
    let made = all.into_iter().find(|membership| membership.member.workspace_id == id).ok_or(Error::NotFound)?;
    Ok(Json(made.into()))
}

pub(super) async fn show(State(app): State<App>, member: WorkspaceMember) -> Result<Json<WorkspaceView>> {
    let workspace = workspaces::store::by_id(&app.store, member.workspace()).await?.ok_or(Error::NotFound)?;
    Ok(Json(WorkspaceView {
        id: workspace.id,
        name: workspace.name,
        created_at: workspace.created_at,
        role: member.member.role,
        sites: member.member.sites.list(),
    }))
}

pub(super) async fn rename(
    State(app): State<App>,
    member: WorkspaceMember,
    JsonBody(asked): JsonBody<CreateWorkspace>,
) -> Result<Json<WorkspaceView>> {
    member.member.check_all_sites()?;
    workspaces::rename(&app.store, member.by(), member.workspace(), &asked.name).await?;
    show(State(app), member).await
}

pub(super) async fn delete(
    State(app): State<App>,
    member: WorkspaceMember,
    JsonBody(asked): JsonBody<DeleteWorkspace>,
) -> Result<Json<Done>> {
    let shown = Shown { password: &asked.password, code: asked.code.as_deref() };
    let who = (member.account(), &member.member);
    flows::delete_workspace(&app.accounts, member.by(), who, shown, &asked.name).await?;
    Ok(Json(Done {}))
}

pub(super) async fn leave(State(app): State<App>, member: WorkspaceMember) -> Result<Json<Done>> {
    members::leave(&app.store, member.by(), &member.member).await?;
    Ok(Json(Done {}))
}

/// A member with limited sites reads what happened on those alone.
pub(super) async fn audit(
    State(app): State<App>,
    member: WorkspaceMember,
    QueryOf(asked): QueryOf<Before>,
) -> Result<Json<WorkspaceAudit>> {
    let before = asked.before.unwrap_or(AuditId(i64::MAX));
    let sites = &member.member.sites;
    let mut entries =
        audit::store::of_workspace(&app.store, member.workspace(), sites.limit(), before, PAGE + 1).await?;
    let more = entries.len() as i64 > PAGE;
    entries.truncate(PAGE as usize);
    Ok(Json(WorkspaceAudit { entries, more }))
}
