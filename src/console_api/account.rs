//! Signing up, in and out; the operator's own account.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::header::{CACHE_CONTROL, HeaderValue, SET_COOKIE};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::accounts::view::{AccountView, SessionView};
use crate::accounts::{self, Account, Credentials, NewAccount, PasswordChange, Shown, SignedIn};
use crate::app::App;
use crate::config;
use crate::error::Result;
use crate::flows;
use crate::http::body::{self, Done, JsonBody, PathOf};
use crate::http::caller::{CurrentOperator, ServerAddress, SignInRequest, no_session_cookie, session_cookie};
use crate::id::{SessionId, SiteId};
use crate::images::{self, MAX_LOGO_BYTES};
use crate::members;
use crate::members::view::MembershipView;
use crate::secret::Secret;

/// Public facts about this server.
#[derive(Debug, Serialize, JsonSchema)]
pub struct About {
    /// Whether anybody may sign up.
    pub signup: config::Signup,
    /// No account exists yet: the first visitor creates one.
    pub empty: bool,
    /// Reached by plain http.
    pub insecure: bool,
    /// The program's version.
    pub version: &'static str,
}

/// The signed-in operator, and what their page needs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Me {
    /// The account.
    pub account: AccountView,
    /// Sent as `X-CSRF-Token` with every change.
    pub csrf: String,
    /// This session.
    pub session_id: SessionId,
    /// The workspaces in which they are active, the one joined first first.
    pub workspaces: Vec<MembershipView>,
    /// The public address, for snippets.
    pub public_url: String,
    /// Reached by plain http: the page warns.
    pub insecure: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignUp {
    email: String,
    password: String,
    name: Option<String>,
    /// Name of the company or team; absent: the person's.
    workspace: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    email: String,
    password: String,
    /// Two-factor or recovery code, if two-factor authentication is on.
    code: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangePassword {
    current: String,
    new: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteAccount {
    password: String,
    /// Two-factor or recovery code, if two-factor authentication is on.
    code: Option<String>,
}

/// Confirms the operator's identity: a code with two-factor authentication, else the password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirm {
    password: Option<String>,
    /// Two-factor or recovery code.
    code: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rename {
    name: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeEmail {
    email: String,
    password: String,
    /// Two-factor or recovery code, if two-factor authentication is on.
    code: Option<String>,
}

/// The token of a link that sets a new password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetToken {
    token: String,
}

/// The account that a link is for.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ResetOf {
    /// Its e-mail address.
    email: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetPassword {
    token: String,
    password: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Sessions {
    sessions: Vec<SessionView>,
}

pub(super) async fn about(State(app): State<App>, address: ServerAddress) -> Result<Json<About>> {
    let empty = !accounts::any_account(&app.accounts).await?;
    let insecure = address.is_insecure();
    Ok(Json(About { signup: app.config.signup, empty, insecure, version: env!("CARGO_PKG_VERSION") }))
}

pub(super) async fn sign_up(
    State(app): State<App>,
    request: SignInRequest,
    address: ServerAddress,
    JsonBody(asked): JsonBody<SignUp>,
) -> Result<Response> {
    let new = NewAccount { email: asked.email, password: asked.password, name: asked.name };
    let signed_in = flows::sign_up(&app.accounts, new, asked.workspace.as_deref(), request.place).await?;
    welcome(&app, signed_in, address).await
}

pub(super) async fn sign_in(
    State(app): State<App>,
    request: SignInRequest,
    address: ServerAddress,
    JsonBody(typed): JsonBody<SignIn>,
) -> Result<Response> {
    let typed = Credentials { email: typed.email, password: typed.password, code: typed.code };
    let before = request.token.as_ref().map(Secret::expose);
    let signed_in = accounts::sign_in(&app.accounts, typed, request.place, before).await?;
    welcome(&app, signed_in, address).await
}

pub(super) async fn sign_out(State(app): State<App>, operator: CurrentOperator) -> Result<Response> {
    accounts::sign_out(&app.accounts, operator.by(), operator.account, operator.session).await?;
    farewell(&app)
}

pub(super) async fn me(State(app): State<App>, operator: CurrentOperator, address: ServerAddress) -> Result<Response> {
    let me = me_of(&app, operator.account().clone(), (operator.session, operator.token()), address).await?;
    Ok(([NO_STORE], Json(me)).into_response())
}

pub(super) async fn change_password(
    State(app): State<App>,
    operator: CurrentOperator,
    JsonBody(asked): JsonBody<ChangePassword>,
) -> Result<Json<Done>> {
    let typed = PasswordChange { current: asked.current, new: asked.new };
    accounts::change_password(&app.accounts, operator.by(), operator.account(), operator.session, typed).await?;
    Ok(Json(Done {}))
}

pub(super) async fn confirm(
    State(app): State<App>,
    operator: CurrentOperator,
    JsonBody(shown): JsonBody<Confirm>,
) -> Result<Json<Done>> {
    let shown = accounts::Evidence { password: shown.password.as_deref(), code: shown.code.as_deref() };
    accounts::confirm(&app.accounts, operator.by(), operator.account(), operator.session, shown).await?;
    Ok(Json(Done {}))
}

pub(super) async fn delete_account(
    State(app): State<App>,
    operator: CurrentOperator,
    JsonBody(asked): JsonBody<DeleteAccount>,
) -> Result<Response> {
    let shown = Shown { password: &asked.password, code: asked.code.as_deref() };
    flows::delete_account(&app.accounts, operator.by(), operator.account(), shown).await?;
    farewell(&app)
}

pub(super) async fn rename(
    State(app): State<App>,
    operator: CurrentOperator,
    address: ServerAddress,
    JsonBody(asked): JsonBody<Rename>,
) -> Result<Json<Me>> {
    let account = accounts::rename(&app.accounts, operator.account, &asked.name).await?;
    me_of(&app, account, (operator.session, operator.token()), address).await.map(Json)
}

pub(super) async fn change_email(
    State(app): State<App>,
    operator: CurrentOperator,
    address: ServerAddress,
    JsonBody(asked): JsonBody<ChangeEmail>,
) -> Result<Json<Me>> {
    let shown = Shown { password: &asked.password, code: asked.code.as_deref() };
    let account = accounts::change_email(&app.accounts, operator.by(), operator.account(), shown, &asked.email).await?;
    me_of(&app, account, (operator.session, operator.token()), address).await.map(Json)
}

/// Tells whoever holds a link whose password it sets.
pub(super) async fn find_reset(State(app): State<App>, JsonBody(asked): JsonBody<ResetToken>) -> Result<Json<ResetOf>> {
    Ok(Json(ResetOf { email: accounts::find_reset(&app.accounts, &asked.token).await?.email }))
}

pub(super) async fn reset_password(
    State(app): State<App>,
    request: SignInRequest,
    JsonBody(asked): JsonBody<ResetPassword>,
) -> Result<Json<Done>> {
    accounts::reset_password(&app.accounts, &asked.token, &asked.password, &request.place).await?;
    Ok(Json(Done {}))
}

pub(super) async fn set_photo(
    State(app): State<App>,
    operator: CurrentOperator,
    address: ServerAddress,
    body: Body,
) -> Result<Json<Me>> {
    let operator = operator.without_permit();
    // Memory for uploads is shared fairly by site; what belongs to none counts for none.
    let mut reservation = app.images.upload_memory.open(SiteId(0), None);
    let bytes = body::read_with_reservation(body, MAX_LOGO_BYTES, |bytes| reservation.grow(bytes)).await?;
    let account = flows::set_photo(&app.accounts, &app.images, operator.account, bytes).await?;
    me_of(&app, account, (operator.session, operator.token()), address).await.map(Json)
}

pub(super) async fn remove_photo(
    State(app): State<App>,
    operator: CurrentOperator,
    address: ServerAddress,
) -> Result<Json<Me>> {
    let account = flows::remove_photo(&app.accounts, operator.account).await?;
    me_of(&app, account, (operator.session, operator.token()), address).await.map(Json)
}

pub(super) async fn sessions(State(app): State<App>, operator: CurrentOperator) -> Result<Json<Sessions>> {
    let sessions = accounts::sessions(&app.accounts, operator.account).await?;
    let sessions = sessions.into_iter().map(|session| SessionView::new(session, operator.session)).collect();
    Ok(Json(Sessions { sessions }))
}

pub(super) async fn end_session(
    State(app): State<App>,
    operator: CurrentOperator,
    PathOf(session): PathOf<SessionId>,
) -> Result<Json<Done>> {
    accounts::end_session(&app.accounts, operator.by(), operator.account, session).await?;
    Ok(Json(Done {}))
}

const NO_STORE: (hyper::header::HeaderName, HeaderValue) = (CACHE_CONTROL, HeaderValue::from_static("no-store"));

pub(super) async fn me_of(
    app: &App,
    account: Account,
    (session, token): (SessionId, &Secret),
    address: ServerAddress,
) -> Result<Me> {
    let workspaces = members::memberships(&app.store, account.id).await?;
    Ok(Me {
        workspaces: workspaces.into_iter().map(MembershipView::from).collect(),
        account: AccountView::new(account, images::logo_url),
        csrf: accounts::csrf_token(token.expose()),
        session_id: session,
        insecure: address.is_insecure(),
        public_url: address.0,
    })
}

pub(super) async fn welcome(app: &App, signed_in: SignedIn, address: ServerAddress) -> Result<Response> {
    let cookie = session_cookie(&app.config, &signed_in.token)?;
    let me = me_of(app, signed_in.account, (signed_in.session, &signed_in.token), address).await?;
    Ok(([NO_STORE, (SET_COOKIE, cookie)], Json(me)).into_response())
}

fn farewell(app: &App) -> Result<Response> {
    let cookie = no_session_cookie(&app.config)?;
    Ok(([NO_STORE, (SET_COOKIE, cookie)], Json(Done {})).into_response())
}
