//! My Sites: creating, changing and deleting sites and their keys.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::abuse::{self, Removed};
use crate::app::App;
use crate::clock::Millis;
use crate::error::Result;
use crate::flows::{self, SiteLine, SiteView};
use crate::http::body::{self, Done, JsonBody, PathOf};
use crate::http::member::{SiteMember, WorkspaceMember};
use crate::id::{KeyId, SiteId};
use crate::images::MAX_LOGO_BYTES;
use crate::sites::view::{NewChatKeyView, NewKeyView};
use crate::sites::{self, ConfigureSite, GRACE_S, Grant, KeyScope, Others};

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Sites {
    sites: Vec<SiteView>,
}

/// All sites of the account, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct MySites {
    sites: Vec<SiteLine>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateSite {
    name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SiteCreated {
    site: SiteView,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotate {
    /// Seconds for which older keys stay valid; a day when absent.
    grace_s: Option<u32>,
}

/// A new key of the compatible API. Defaults: all actions, from anywhere, without expiry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MakeChatKey {
    /// Seconds for which older keys stay valid; a day when absent.
    grace_s: Option<u32>,
    /// Older keys stay valid.
    #[serde(default)]
    beside: bool,
    /// Allowed actions.
    #[serde(default)]
    scope: KeyScope,
    /// Addresses and networks (`192.0.2.0/24`) that may use it, at most 20; empty: any.
    #[serde(default)]
    networks: Vec<String>,
    /// Expiry; never when absent.
    expires_at: Option<Millis>,
}

pub(super) async fn list(State(app): State<App>, member: WorkspaceMember) -> Result<Json<Sites>> {
    let all = flows::details_of(&app.store, (member.workspace(), &member.member.sites)).await?;
    Ok(Json(Sites { sites: all.into_iter().map(|site| SiteView::from(site).shown_to(member.member.role)).collect() }))
}

pub(super) async fn my_sites(State(app): State<App>, member: WorkspaceMember) -> Result<Json<MySites>> {
    Ok(Json(MySites { sites: flows::lines_of(&app.store, (member.workspace(), &member.member.sites)).await? }))
}

pub(super) async fn create(
    State(app): State<App>,
    member: WorkspaceMember,
    JsonBody(asked): JsonBody<CreateSite>,
) -> Result<Json<SiteCreated>> {
    member.member.check_all_sites()?;
    let site =
        sites::create(&app.store, member.by(), member.workspace(), &asked.name, app.config.sites_per_workspace).await?;
    let site = flows::details(&app.store, site.id).await?.into();
    Ok(Json(SiteCreated { site }))
}

pub(super) async fn show(State(app): State<App>, member: SiteMember) -> Result<Json<SiteView>> {
    let view: SiteView = flows::details(&app.store, member.site.id).await?.into();
    Ok(Json(view.shown_to(member.member.role)))
}

pub(super) async fn configure(
    State(app): State<App>,
    member: SiteMember,
    JsonBody(change): JsonBody<ConfigureSite>,
) -> Result<Json<SiteView>> {
    if member.site.is_weakened_by(&change) {
        member.check_confirmed(&app).await?;
    }
    sites::configure(&app.store, member.by(), member.site.id, change).await?;
    show_now(&app, member.site.id).await
}

pub(super) async fn delete(State(app): State<App>, member: SiteMember) -> Result<Json<Done>> {
    sites::delete(&app.store, member.by(), member.site.id).await?;
    Ok(Json(Done {}))
}

pub(super) async fn set_logo(State(app): State<App>, member: SiteMember, body: Body) -> Result<Json<SiteView>> {
    let member = member.without_permit();
    let mut reservation = app.images.upload_memory.open(member.site.id, None);
    let bytes = body::read_with_reservation(body, MAX_LOGO_BYTES, |bytes| reservation.grow(bytes)).await?;
    sites::set_logo(&app.images, &app.sites, member.by(), member.site.id, bytes).await?;
    show_now(&app, member.site.id).await
}

pub(super) async fn remove_logo(State(app): State<App>, member: SiteMember) -> Result<Json<SiteView>> {
    sites::remove_logo(&app.store, member.by(), member.site.id).await?;
    show_now(&app, member.site.id).await
}

pub(super) async fn make_chat_key(
    State(app): State<App>,
    member: SiteMember,
    JsonBody(asked): JsonBody<MakeChatKey>,
) -> Result<Json<NewChatKeyView>> {
    let grant = Grant::checked(asked.scope, &asked.networks, asked.expires_at, app.store.now())?;
    let others = if asked.beside { Others::Stay } else { Others::End(asked.grace_s.unwrap_or(GRACE_S)) };
    let made = sites::make_chat_key(&app.store, member.by(), member.site.id, grant, others).await?;
    Ok(Json(NewChatKeyView::of(made)))
}

pub(super) async fn revoke_chat_key(
    State(app): State<App>,
    member: SiteMember,
    PathOf((site, key)): PathOf<(SiteId, KeyId)>,
) -> Result<Json<Done>> {
    sites::revoke_chat_key(&app.store, member.by(), site, key).await?;
    Ok(Json(Done {}))
}

pub(super) async fn rotate_widget_key(
    State(app): State<App>,
    member: SiteMember,
    JsonBody(asked): JsonBody<Rotate>,
) -> Result<Json<SiteView>> {
    sites::rotate_widget_key(&app.store, member.by(), member.site.id, asked.grace_s.unwrap_or(GRACE_S)).await?;
    show_now(&app, member.site.id).await
}

pub(super) async fn add_identity_secret(State(app): State<App>, member: SiteMember) -> Result<Json<NewKeyView>> {
    let new = sites::add_identity_secret(&app.store, &app.vault, member.by(), member.site.id).await?;
    Ok(Json(new.into()))
}

pub(super) async fn delete_identity_secret(
    State(app): State<App>,
    member: SiteMember,
    PathOf((site, secret)): PathOf<(SiteId, KeyId)>,
) -> Result<Json<Done>> {
    sites::delete_identity_secret(&app.store, member.by(), site, secret).await?;
    Ok(Json(Done {}))
}

pub(super) async fn clean_up(State(app): State<App>, member: SiteMember) -> Result<Json<Removed>> {
    Ok(Json(abuse::clean_up(&app.abuse, member.by(), member.site.id).await?))
}

pub(super) async fn settle_attack(State(app): State<App>, member: SiteMember) -> Result<Json<SiteView>> {
    abuse::dismiss(&app.abuse, member.by(), member.site.id).await?;
    show_now(&app, member.site.id).await
}

async fn show_now(app: &App, site: SiteId) -> Result<Json<SiteView>> {
    Ok(Json(flows::details(&app.store, site).await?.into()))
}
