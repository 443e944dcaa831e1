//! The member behind a console's request: the one place that proves what somebody may touch in a workspace.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use hyper::http::request::Parts;

use crate::app::App;
use crate::audit::By;
use crate::error::{Error, Result};
use crate::fair_limit::Tenant;
use crate::id::{AccountId, Id, SiteId, WorkspaceId};
use crate::members::{self, Actor, Member, Role, SiteScope};
use crate::sites::Site;

use super::caller::CurrentOperator;
use super::route::RequiredRole;

/// A signed-in member of the workspace in the path, with at least the role that the route table asks for.
#[derive(Debug, Clone)]
pub struct WorkspaceMember {
    operator: CurrentOperator,
    /// The membership: workspace, role and sites.
    pub member: Member,
    by: By,
}

impl WorkspaceMember {
    async fn prove(parts: &mut Parts, app: &App, workspace: WorkspaceId, site: Option<SiteId>) -> Result<Self> {
        let operator = CurrentOperator::identify(parts, app).await?;
        let RequiredRole(role) = parts.extensions.get().copied().ok_or_else(|| Error::Internal("no role".into()))?;
        // Before the wait, so that strangers do not queue here.
        let account = operator.account;
        find(app, (workspace, site), account, role).await?;
        operator.check_confirmation_asked_for(parts, app).await?;
        let operator = operator.wait_for(app, Tenant::Account(account)).await?;
        let operator = operator.wait_for(app, Tenant::Workspace(workspace)).await?;
        // After it, because the wait may be long, and the membership may have changed meanwhile.
        let member = find(app, (workspace, site), account, role).await?;
        let by = operator.by().clone().in_workspace(workspace);
        Ok(WorkspaceMember { operator, member, by })
    }

    /// The workspace.
    pub fn workspace(&self) -> WorkspaceId {
        self.member.workspace_id
    }

    /// A site of the workspace that the member looks after.
    ///
    /// # Errors
    /// `NotFound`, also for the sites of others.
    pub async fn site(&self, app: &App, site: SiteId) -> Result<Arc<Site>> {
        let site = app.sites.by_id(site).await?;
        let own = site.workspace_id == self.workspace() && self.member.sites.contains(site.id);
        if own { Ok(site) } else { Err(Error::NotFound) }
    }

    /// The sites that a list is asked for: one of the member's, or all of them.
    ///
    /// # Errors
    /// `NotFound` for the site of others.
    pub async fn scope(&self, app: &App, site: Option<SiteId>) -> Result<SiteScope> {
        match site {
            None => Ok(self.member.sites.clone()),
            Some(site) => Ok(SiteScope::of(Some(vec![self.site(app, site).await?.id]))),
        }
    }

    /// The same member, as who changes the team.
    pub fn actor(&self) -> Actor {
        Actor::Member(self.member.clone())
    }

    /// The actor for the audit log of the workspace.
    pub fn by(&self) -> &By {
        &self.by
    }

    /// Releases the concurrency permits. Call it before slow work that has a queue of its own.
    pub fn without_permit(self) -> WorkspaceMember {
        WorkspaceMember { operator: self.operator.without_permit(), ..self }
    }
}

impl Deref for WorkspaceMember {
    type Target = CurrentOperator;
    fn deref(&self) -> &CurrentOperator {
        &self.operator
    }
}

impl FromRequestParts<App> for WorkspaceMember {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<WorkspaceMember> {
        let workspace = path_id(parts, "workspace").await?;
        WorkspaceMember::prove(parts, app, workspace, None).await
    }
}

/// A signed-in member who looks after the site in the path, with at least the role that the route table asks for.
#[derive(Debug, Clone)]
pub struct SiteMember {
    member: WorkspaceMember,
    /// The site.
    pub site: Arc<Site>,
}

impl SiteMember {
    /// Releases the concurrency permit. Call it before slow work that has a queue of its own.
    pub fn without_permit(self) -> SiteMember {
        SiteMember { member: self.member.without_permit(), ..self }
    }
}

impl Deref for SiteMember {
    type Target = WorkspaceMember;
    fn deref(&self) -> &WorkspaceMember {
        &self.member
    }
}

impl FromRequestParts<App> for SiteMember {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<SiteMember> {
        let id = path_id(parts, "site").await?;
        let Ok(site) = app.sites.by_id(id).await else {
            // A stranger is told to sign in, whether the site exists or not.
            CurrentOperator::identify(parts, app).await?;
            return Err(Error::NotFound);
        };
        let member = WorkspaceMember::prove(parts, app, site.workspace_id, Some(id)).await?;
        Ok(SiteMember { member, site })
    }
}

/// The membership of a person who looks after the site, if there is one, with at least this role.
async fn find(
    app: &App,
    (workspace, site): (WorkspaceId, Option<SiteId>),
    account: AccountId,
    role: Role,
) -> Result<Member> {
    let member = members::find(&app.store, workspace, account).await?;
    if site.is_some_and(|site| !member.sites.contains(site)) {
        return Err(Error::NotFound);
    }
    member.check_role(role)?;
    Ok(member)
}

async fn path_id<T: Id>(parts: &mut Parts, name: &str) -> Result<T> {
    let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| Error::NotFound)?;
    let (_, text) = params.iter().find(|(key, _)| *key == name).ok_or(Error::NotFound)?;
    text.parse().map(T::from_number).map_err(|_| Error::NotFound)
}
