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
use crate::http::caller::CurrentOperator;
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

pub(super) async fn list(State(app): State<App>, operator: CurrentOperator) -> Result<Json<Sites>> {
    let all = flows::details_of(&app.store, operator.workspace).await?;
    Ok(Json(Sites { sites: all.into_iter().map(SiteView::from).collect() }))
}

pub(super) async fn my_sites(State(app): State<App>, operator: CurrentOperator) -> Result<Json<MySites>> {
    Ok(Json(MySites { sites: flows::lines_of(&app.store, operator.workspace).await? }))
}

pub(super) async fn create(
    State(app): State<App>,
    operator: CurrentOperator,
    JsonBody(asked): JsonBody<CreateSite>,
) -> Result<Json<SiteCreated>> {
    let site = sites::create(&app.store, operator.by(), operator.workspace, &asked.name).await?;
    let site = flows::details(&app.store, site.id).await?.into();
    Ok(Json(SiteCreated { site }))
}

pub(super) async fn show(
    State(app): State<App>,
    operator: CurrentOperator,
    PathOf(site): PathOf<SiteId>,
) -> Result<Json<SiteView>> {
    operator.site(&app, site).await?;
    show_now(&app, site).await
}

pub(super) async fn configure(
    State(app): State<App>,
    operator: CurrentOperator,
    PathOf(site): PathOf<SiteId>,
    JsonBody(change): JsonBody<ConfigureSite>,
) -> Result<Json<SiteView>> {
    if operator.site(&app, site).await?.is_weakened_by(&change) {
        operator.check_confirmed(&app).await?;
    }
    sites::configure(&app.store, operator.by(), site, change).await?;
    show_now(&app, site).await
}

pub(super) async fn delete(
    State(app): State<App>,
    operator: CurrentOperator,
    PathOf(site): PathOf<SiteId>,
) -> Result<Json<Done>> {
    operator.site(&app, site).await?;
    sites::delete(&app.store, operator.by(), site).await?;
    Ok(Json(Done {}))
}

pub(super) async fn set_logo(
    State(app): State<App>,
    operator: CurrentOperator,
    PathOf(site): PathOf<SiteId>,
    body: Body,
) -> Result<Json<SiteView>> {
    let operator = operator.without_permit();
    operator.site(&app, site).await?;
    let mut reservation = app.images.upload_memory.open(site, None);
    let bytes = body::read_with_reservation(body, MAX_LOGO_BYTES, |bytes| reservation.grow(bytes)).await?;
    sites::set_logo(&app.images, &app.sites, operator.by(), site, bytes).await?;
    show_now(&app, site).await
}

pub(super) async fn remove_logo(
    State(app): State<App>,
    operator: CurrentOperator,
    PathOf(site): PathOf<SiteId>,
) -> Result<Json<SiteView>> {
    operator.site(&app, site).await?;
    sites::remove_logo(&app.store, operator.by(), site).await?;
    show_now(&app, site).await
}

pub(super) async fn make_chat_key(
    State(app): State<App>,
    operator: CurrentOperator,
    PathOf(site): PathOf<SiteId>,
    JsonBody(asked): JsonBody<MakeChatKey>,
) -> Result<Json<NewChatKeyView>> {
    operator.site(&app, site).await?;
    let grant = Grant::checked(asked.scope, &asked.networks, asked.expires_at, app.store.now())?;
    let others = if asked.beside { Others::Stay } else { Others::End(asked.grace_s.unwrap_or(GRACE_S)) };
    let made = sites::make_chat_key(&app.store, operator.by(), site, grant, others).await?;
    Ok(Json(NewChatKeyView::of(made)))
}

pub(super) async fn revoke_chat_key(
    State(app): State<App>,
    operator: CurrentOperator,
    PathOf((site, key)): PathOf<(SiteId, KeyId)>,
) -> Result<Json<Done>> {
    operator.site(&app, site).await?;
    sites::revoke_chat_key(&app.store, operator.by(), site, key).await?;
    Ok(Json(Done {}))
}

pub(super) async fn rotate_widget_key(
    State(app): State<App>,
    operator: CurrentOperator,
    PathOf(site): PathOf<SiteId>,
    JsonBody(asked): JsonBody<Rotate>,
) -> Result<Json<SiteView>> {
    operator.site(&app, site).await?;
    sites::rotate_widget_key(&app.store, operator.by(), site, asked.grace_s.unwrap_or(GRACE_S)).await?;
    show_now(&app, site).await
}

pub(super) async fn add_identity_secret(
    State(app): State<App>,
    operator: CurrentOperator,
    PathOf(site): PathOf<SiteId>,
) -> Result<Json<NewKeyView>> {
    operator.site(&app, site).await?;
    let new = sites::add_identity_secret(&app.store, &app.vault, operator.by(), site).await?;
    Ok(Json(new.into()))
}

pub(super) async fn delete_identity_secret(
    State(app): State<App>,
    operator: CurrentOperator,
    PathOf((site, secret)): PathOf<(SiteId, KeyId)>,
) -> Result<Json<Done>> {
    operator.site(&app, site).await?;
    sites::delete_identity_secret(&app.store, operator.by(), site, secret).await?;
    Ok(Json(Done {}))
}

pub(super) async fn clean_up(
    State(app): State<App>,
    operator: CurrentOperator,
    PathOf(site): PathOf<SiteId>,
) -> Result<Json<Removed>> {
    operator.site(&app, site).await?;
    Ok(Json(abuse::clean_up(&app.abuse, operator.by(), site).await?))
}

pub(super) async fn settle_attack(
    State(app): State<App>,
    operator: CurrentOperator,
    PathOf(site): PathOf<SiteId>,
) -> Result<Json<SiteView>> {
    operator.site(&app, site).await?;
    abuse::dismiss(&app.abuse, operator.by(), site).await?;
    show_now(&app, site).await
}

async fn show_now(app: &App, site: SiteId) -> Result<Json<SiteView>> {
    Ok(Json(flows::details(&app.store, site).await?.into()))
}
