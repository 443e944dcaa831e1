//! The team of a workspace: its members and their invitations.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::accounts::{NewAccount, Shown};
use crate::app::App;
use crate::error::Result;
use crate::flows;
use crate::http::body::{Done, JsonBody, PathOf};
use crate::http::caller::{CurrentOperator, ServerAddress, SignInRequest};
use crate::http::member::WorkspaceMember;
use crate::id::{AccountId, InvitationId, SiteId, WorkspaceId};
use crate::images;
use crate::members::view::{InvitationView, MemberView, OfferView};
use crate::members::{self, MemberChange, NewInvitation, Role};
use crate::sites;

use super::account::{Me, me_of, welcome};

/// Days for which an invitation works, unless it says otherwise.
const DAYS: i64 = 7;

/// The members whom the viewer may know of, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Members {
    members: Vec<MemberView>,
}

/// A change of a member; what is absent stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeMember {
    role: Option<Role>,
    /// The new sites; null: all.
    #[serde(default, deserialize_with = "present")]
    sites: Option<Option<Vec<SiteId>>>,
    active: Option<bool>,
}

/// Tells `null` from absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Option<Vec<SiteId>>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Transfer {
    account_id: AccountId,
    password: String,
    /// Two-factor or recovery code, if two-factor authentication is on.
    code: Option<String>,
}

/// The open invitations that the viewer may know of, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Invitations {
    invitations: Vec<InvitationView>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Invite {
    /// For whom it is: a name or an address; 1 to 120 characters.
    note: String,
    role: Role,
    /// The sites; null: all.
    sites: Option<Vec<SiteId>>,
    /// Days for which the link works, 1 to 30; 7 when absent.
    days: Option<i64>,
}

/// A new invitation, and its link, which is shown once.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Invited {
    invitation: InvitationView,
    link: String,
}

/// The token of an invitation's link.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InvitationToken {
    token: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignUpInvited {
    token: String,
    email: String,
    password: String,
    name: Option<String>,
}

pub(super) async fn list(State(app): State<App>, member: WorkspaceMember) -> Result<Json<Members>> {
    let all = members::colleagues(&app.store, &member.member).await?;
    Ok(Json(Members { members: all.into_iter().map(|named| view(&app, &member, named)).collect() }))
}

pub(super) async fn change(
    State(app): State<App>,
    member: WorkspaceMember,
    PathOf((_, account)): PathOf<(WorkspaceId, AccountId)>,
    JsonBody(asked): JsonBody<ChangeMember>,
) -> Result<Json<MemberView>> {
    let change = MemberChange { role: asked.role, sites: asked.sites, active: asked.active };
    members::change(&app.store, member.by(), &member.actor(), account, change).await?;
    one(&app, &member, account).await
}

pub(super) async fn remove(
    State(app): State<App>,
    member: WorkspaceMember,
    PathOf((_, account)): PathOf<(WorkspaceId, AccountId)>,
) -> Result<Json<Done>> {
    members::remove(&app.store, member.by(), &member.actor(), account).await?;
    Ok(Json(Done {}))
}

pub(super) async fn transfer(
    State(app): State<App>,
    member: WorkspaceMember,
    JsonBody(asked): JsonBody<Transfer>,
) -> Result<Json<MemberView>> {
    let shown = Shown { password: &asked.password, code: asked.code.as_deref() };
    let who = (member.account(), &member.member);
    members::transfer(&app.accounts, member.by(), who, shown, asked.account_id).await?;
    one(&app, &member, member.account).await
}

pub(super) async fn invitations(State(app): State<App>, member: WorkspaceMember) -> Result<Json<Invitations>> {
    let all = members::invitations(&app.store, &member.member).await?;
    Ok(Json(Invitations { invitations: all.into_iter().map(InvitationView::from).collect() }))
}

pub(super) async fn invite(
    State(app): State<App>,
    member: WorkspaceMember,
    address: ServerAddress,
    JsonBody(asked): JsonBody<Invite>,
) -> Result<Json<Invited>> {
    let new =
        NewInvitation { note: asked.note, role: asked.role, sites: asked.sites, days: asked.days.unwrap_or(DAYS) };
    let (invitation, token) = members::invite(&app.store, member.by(), &member.actor(), new).await?;
    let invitation = InvitationView::new(invitation, member.name.clone());
    Ok(Json(Invited { invitation, link: format!("{}/invite#{}", address.0, token.expose()) }))
}

pub(super) async fn withdraw(
    State(app): State<App>,
    member: WorkspaceMember,
    PathOf((_, invitation)): PathOf<(WorkspaceId, InvitationId)>,
) -> Result<Json<Done>> {
    members::withdraw(&app.store, member.by(), &member.member, invitation).await?;
    Ok(Json(Done {}))
}

/// Tells whoever holds a link what it offers.
pub(super) async fn offer(
    State(app): State<App>,
    JsonBody(asked): JsonBody<InvitationToken>,
) -> Result<Json<OfferView>> {
    let named = members::invitation(&app.store, &asked.token).await?;
    let names = match named.invitation.sites.list() {
        None => None,
        Some(sites) => Some(sites::names_of(&app.sites, &sites).await),
    };
    Ok(Json(OfferView::new(named, names)))
}

pub(super) async fn accept(
    State(app): State<App>,
    operator: CurrentOperator,
    address: ServerAddress,
    JsonBody(asked): JsonBody<InvitationToken>,
) -> Result<Json<Me>> {
    members::join(&app.store, operator.by(), operator.account, &asked.token).await?;
    me_of(&app, operator.account().clone(), (operator.session, operator.token()), address).await.map(Json)
}

pub(super) async fn sign_up(
    State(app): State<App>,
    request: SignInRequest,
    address: ServerAddress,
    JsonBody(asked): JsonBody<SignUpInvited>,
) -> Result<Response> {
    let new = NewAccount { email: asked.email, password: asked.password, name: asked.name };
    let signed_in = flows::sign_up_invited(&app.accounts, new, request.place, &asked.token).await?;
    welcome(&app, signed_in, address).await
}

async fn one(app: &App, viewer: &WorkspaceMember, account: AccountId) -> Result<Json<MemberView>> {
    let named = members::member_of(&app.store, &viewer.member, account).await?;
    Ok(Json(view(app, viewer, named)))
}

fn view(app: &App, viewer: &WorkspaceMember, named: members::store::Named) -> MemberView {
    let online = app.hub.is_member_online(viewer.workspace(), named.member.account_id);
    MemberView::new(named, &viewer.member, online, images::logo_url)
}
