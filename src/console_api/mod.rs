//! The API of the console: cookie sessions, changes from the console's own origin only. One table says who may call
//! what.

mod account;
mod conversations;
mod feed;
mod preview;
mod protection;
mod search;
mod sites;
mod team;
mod workspace;

use hyper::Method;

use crate::abuse::Removed;
use crate::conversations::ConversationForOperator;
use crate::flows::SiteView;
use crate::http::body::Done;
use crate::http::route::Reconfirm::{EveryTime, Never, Recently, ToWeaken};
use crate::http::route::{Caller, Route};
use crate::hub::OperatorHint;
use crate::images::Uploaded;
use crate::inbox::Inbox;
use crate::members::Role;
use crate::members::view::{MemberView, MembershipView, OfferView};
use crate::search::Found;
use crate::search::people::People;
use crate::sites::ConfigureSite;
use crate::sites::view::{NewChatKeyView, NewKeyView};

pub use account::{About, Me};

/// The routes of this API.
pub fn routes() -> Vec<Route> {
    [
        account_routes(),
        protection_routes(),
        link_routes(),
        workspace_routes(),
        team_routes(),
        site_routes(),
        conversation_routes(),
        feed_routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn account_routes() -> Vec<Route> {
    use Caller::{Anyone, Operator};
    vec![
        Route::new(Method::GET, "/api/console/about", Anyone, account::about).returns::<About>(),
        Route::new(Method::POST, "/api/console/sign-up", Anyone, account::sign_up)
            .json_body::<account::SignUp>()
            .returns::<Me>(),
        Route::new(Method::POST, "/api/console/sign-in", Anyone, account::sign_in)
            .json_body::<account::SignIn>()
            .returns::<Me>(),
        Route::new(Method::POST, "/api/console/sign-out", Operator, account::sign_out)
            .reconfirm(Never)
            .returns::<Done>(),
        Route::new(Method::GET, "/api/console/me", Operator, account::me).returns::<Me>(),
        Route::new(Method::POST, "/api/console/account/password", Operator, account::change_password)
            .reconfirm(EveryTime)
            .json_body::<account::ChangePassword>()
            .returns::<Done>(),
        Route::new(Method::POST, "/api/console/account/confirm", Operator, account::confirm)
            .reconfirm(EveryTime)
            .json_body::<account::Confirm>()
            .returns::<Done>(),
        Route::new(Method::POST, "/api/console/account/delete", Operator, account::delete_account)
            .reconfirm(EveryTime)
            .json_body::<account::DeleteAccount>()
            .returns::<Done>(),
        Route::new(Method::POST, "/api/console/account/name", Operator, account::rename)
            .reconfirm(Never)
            .json_body::<account::Rename>()
            .returns::<Me>(),
        Route::new(Method::POST, "/api/console/account/email", Operator, account::change_email)
            .reconfirm(EveryTime)
            .json_body::<account::ChangeEmail>()
            .returns::<Me>(),
        Route::new(Method::PUT, "/api/console/account/photo", Operator, account::set_photo)
            .reconfirm(Never)
            .image_body()
            .returns::<Me>(),
        Route::new(Method::DELETE, "/api/console/account/photo", Operator, account::remove_photo)
            .reconfirm(Never)
            .returns::<Me>(),
        Route::new(Method::GET, "/api/console/account/sessions", Operator, account::sessions)
            .returns::<account::Sessions>(),
        Route::new(Method::DELETE, "/api/console/account/sessions/{session}", Operator, account::end_session)
            .reconfirm(Never)
            .returns::<Done>(),
    ]
}

fn protection_routes() -> Vec<Route> {
    use Caller::Operator;
    const FACTOR: &str = "/api/console/account/second-factor";
    vec![
        Route::new(Method::GET, FACTOR, Operator, protection::state).returns::<protection::SecondFactorState>(),
        Route::new(Method::POST, FACTOR, Operator, protection::begin)
            .reconfirm(EveryTime)
            .json_body::<protection::BeginSecondFactor>()
            .returns::<protection::SecondFactorSecret>(),
        Route::new(Method::POST, "/api/console/account/second-factor/confirm", Operator, protection::confirm)
            .reconfirm(EveryTime)
            .json_body::<protection::ConfirmSecondFactor>()
            .returns::<protection::RecoveryCodes>(),
        Route::new(Method::POST, "/api/console/account/second-factor/codes", Operator, protection::renew_codes)
            .reconfirm(EveryTime)
            .json_body::<protection::ShowBoth>()
            .returns::<protection::RecoveryCodes>(),
        Route::new(Method::POST, "/api/console/account/second-factor/off", Operator, protection::end)
            .reconfirm(EveryTime)
            .json_body::<protection::ShowBoth>()
            .returns::<Done>(),
        Route::new(Method::GET, "/api/console/account/audit", Operator, protection::audit)
            .query::<protection::Before>()
            .returns::<protection::AuditLines>(),
    ]
}

/// What the links do that are given to people: invitations, and setting a new password.
fn link_routes() -> Vec<Route> {
    use Caller::{Anyone, Operator};
    vec![
        Route::new(Method::POST, "/api/console/invitation", Anyone, team::offer)
            .json_body::<team::InvitationToken>()
            .returns::<OfferView>(),
        Route::new(Method::POST, "/api/console/invitation/sign-up", Anyone, team::sign_up)
            .json_body::<team::SignUpInvited>()
            .returns::<Me>(),
        Route::new(Method::POST, "/api/console/invitation/accept", Operator, team::accept)
            .reconfirm(Never)
            .json_body::<team::InvitationToken>()
            .returns::<Me>(),
        Route::new(Method::POST, "/api/console/reset", Anyone, account::find_reset)
            .json_body::<account::ResetToken>()
            .returns::<account::ResetOf>(),
        Route::new(Method::POST, "/api/console/reset/password", Anyone, account::reset_password)
            .json_body::<account::ResetPassword>()
            .returns::<Done>(),
    ]
}

fn workspace_routes() -> Vec<Route> {
    use Caller::{Member, Operator};
    const ONE: &str = "/api/console/workspaces/{workspace}";
    vec![
        Route::new(Method::POST, "/api/console/workspaces", Operator, workspace::create)
            .reconfirm(Never)
            .json_body::<workspace::CreateWorkspace>()
            .returns::<MembershipView>(),
        Route::new(Method::GET, ONE, Member(Role::Viewer), workspace::show).returns::<workspace::WorkspaceView>(),
        Route::new(Method::PATCH, ONE, Member(Role::Admin), workspace::rename)
            .reconfirm(Never)
            .json_body::<workspace::CreateWorkspace>()
            .returns::<workspace::WorkspaceView>(),
        Route::new(Method::DELETE, ONE, Member(Role::Owner), workspace::delete)
            .reconfirm(EveryTime)
            .json_body::<workspace::DeleteWorkspace>()
            .returns::<Done>(),
        Route::new(Method::POST, "/api/console/workspaces/{workspace}/leave", Member(Role::Viewer), workspace::leave)
            .reconfirm(Never)
            .returns::<Done>(),
        Route::new(Method::GET, "/api/console/workspaces/{workspace}/audit", Member(Role::Admin), workspace::audit)
            .query::<workspace::Before>()
            .returns::<workspace::WorkspaceAudit>(),
    ]
}

fn team_routes() -> Vec<Route> {
    use Caller::Member;
    const MEMBERS: &str = "/api/console/workspaces/{workspace}/members";
    const MEMBER: &str = "/api/console/workspaces/{workspace}/members/{account}";
    const INVITATIONS: &str = "/api/console/workspaces/{workspace}/invitations";
    const INVITATION: &str = "/api/console/workspaces/{workspace}/invitations/{invitation}";
    vec![
        Route::new(Method::GET, MEMBERS, Member(Role::Viewer), team::list).returns::<team::Members>(),
        Route::new(Method::PATCH, MEMBER, Member(Role::Admin), team::change)
            .reconfirm(Recently)
            .json_body::<team::ChangeMember>()
            .returns::<MemberView>(),
        Route::new(Method::DELETE, MEMBER, Member(Role::Admin), team::remove).reconfirm(Recently).returns::<Done>(),
        Route::new(Method::POST, "/api/console/workspaces/{workspace}/transfer", Member(Role::Owner), team::transfer)
            .reconfirm(EveryTime)
            .json_body::<team::Transfer>()
            .returns::<MemberView>(),
        Route::new(Method::GET, INVITATIONS, Member(Role::Admin), team::invitations).returns::<team::Invitations>(),
        Route::new(Method::POST, INVITATIONS, Member(Role::Admin), team::invite)
            .reconfirm(Recently)
            .json_body::<team::Invite>()
            .returns::<team::Invited>(),
        Route::new(Method::DELETE, INVITATION, Member(Role::Admin), team::withdraw).reconfirm(Never).returns::<Done>(),
    ]
}

fn site_routes() -> Vec<Route> {
    use Caller::{Member, SiteMember};
    vec![
        Route::new(Method::GET, "/api/console/workspaces/{workspace}/my-sites", Member(Role::Viewer), sites::my_sites)
            .returns::<sites::MySites>(),
        Route::new(Method::GET, "/api/console/workspaces/{workspace}/sites", Member(Role::Viewer), sites::list)
            .returns::<sites::Sites>(),
        Route::new(Method::POST, "/api/console/workspaces/{workspace}/sites", Member(Role::Admin), sites::create)
            .reconfirm(Never)
            .json_body::<sites::CreateSite>()
            .returns::<sites::SiteCreated>(),
        Route::new(Method::GET, "/api/console/sites/{site}", SiteMember(Role::Viewer), sites::show)
            .returns::<SiteView>(),
        Route::new(Method::PATCH, "/api/console/sites/{site}", SiteMember(Role::Admin), sites::configure)
            .reconfirm(ToWeaken)
            .json_body::<ConfigureSite>()
            .returns::<SiteView>(),
        Route::new(Method::DELETE, "/api/console/sites/{site}", SiteMember(Role::Admin), sites::delete)
            .reconfirm(Recently)
            .returns::<Done>(),
        Route::new(Method::PUT, "/api/console/sites/{site}/logo", SiteMember(Role::Admin), sites::set_logo)
            .reconfirm(Never)
            .image_body()
            .returns::<SiteView>(),
        Route::new(Method::DELETE, "/api/console/sites/{site}/logo", SiteMember(Role::Admin), sites::remove_logo)
            .reconfirm(Never)
            .returns::<SiteView>(),
        Route::new(Method::POST, "/api/console/sites/{site}/chat-keys", SiteMember(Role::Admin), sites::make_chat_key)
            .reconfirm(Recently)
            .json_body::<sites::MakeChatKey>()
            .returns::<NewChatKeyView>(),
        Route::new(
            Method::DELETE,
            "/api/console/sites/{site}/chat-keys/{key}",
            SiteMember(Role::Admin),
            sites::revoke_chat_key,
        )
        .reconfirm(Recently)
        .returns::<Done>(),
        Route::new(
            Method::POST,
            "/api/console/sites/{site}/widget-key",
            SiteMember(Role::Admin),
            sites::rotate_widget_key,
        )
        .reconfirm(Recently)
        .json_body::<sites::Rotate>()
        .returns::<SiteView>(),
        Route::new(
            Method::POST,
            "/api/console/sites/{site}/identity-secrets",
            SiteMember(Role::Admin),
            sites::add_identity_secret,
        )
        .reconfirm(Recently)
        .returns::<NewKeyView>(),
        Route::new(
            Method::DELETE,
            "/api/console/sites/{site}/identity-secrets/{secret}",
            SiteMember(Role::Admin),
            sites::delete_identity_secret,
        )
        .reconfirm(Recently)
        .returns::<Done>(),
        Route::new(Method::POST, "/api/console/sites/{site}/attack/clean-up", SiteMember(Role::Admin), sites::clean_up)
            .reconfirm(Recently)
            .returns::<Removed>(),
        Route::new(
            Method::POST,
            "/api/console/sites/{site}/attack/settle",
            SiteMember(Role::Admin),
            sites::settle_attack,
        )
        .reconfirm(Never)
        .returns::<SiteView>(),
        Route::new(Method::GET, "/api/console/sites/{site}/preview", SiteMember(Role::Admin), preview::page)
            .query::<preview::Draft>()
            .media_type("text/html"),
        Route::new(Method::GET, "/api/console/sites/{site}/preview.js", SiteMember(Role::Admin), preview::script)
            .query::<preview::Draft>()
            .media_type("text/javascript"),
    ]
}

fn conversation_routes() -> Vec<Route> {
    use Caller::{Member, SiteMember};
    const ONE: &str = "/api/console/sites/{site}/conversations/{conversation}";
    vec![
        Route::new(
            Method::GET,
            "/api/console/workspaces/{workspace}/conversations",
            Member(Role::Viewer),
            conversations::inbox,
        )
        .query::<conversations::InboxQuery>()
        .returns::<Inbox>(),
        Route::new(Method::GET, "/api/console/workspaces/{workspace}/search", Member(Role::Viewer), search::search)
            .query::<search::SearchQuery>()
            .returns::<Found>(),
        Route::new(Method::GET, "/api/console/workspaces/{workspace}/people", Member(Role::Viewer), search::people)
            .query::<search::PeopleQuery>()
            .returns::<People>(),
        Route::new(Method::GET, ONE, SiteMember(Role::Viewer), conversations::thread)
            .query::<conversations::ThreadQuery>()
            .returns::<conversations::Thread>(),
        Route::new(
            Method::POST,
            "/api/console/sites/{site}/conversations/{conversation}/messages",
            SiteMember(Role::Operator),
            conversations::reply,
        )
        .reconfirm(Never)
        .json_body::<conversations::Reply>()
        .returns::<conversations::SentToOperator>(),
        Route::new(
            Method::POST,
            "/api/console/sites/{site}/conversations/{conversation}/close",
            SiteMember(Role::Operator),
            conversations::close,
        )
        .reconfirm(Never)
        .returns::<ConversationForOperator>(),
        Route::new(
            Method::POST,
            "/api/console/sites/{site}/conversations/{conversation}/reopen",
            SiteMember(Role::Operator),
            conversations::reopen,
        )
        .reconfirm(Never)
        .returns::<ConversationForOperator>(),
        Route::new(Method::POST, "/api/console/sites/{site}/images", SiteMember(Role::Operator), conversations::upload)
            .reconfirm(Never)
            .image_body()
            .returns::<Uploaded>(),
    ]
}

fn feed_routes() -> Vec<Route> {
    use Caller::{Member, Operator};
    vec![
        Route::new(Method::POST, "/api/console/workspaces/{workspace}/ticket", Member(Role::Viewer), feed::ticket)
            .reconfirm(Never)
            .returns::<feed::Ticket>(),
        Route::new(Method::GET, "/api/console/socket", Operator, feed::socket),
        Route::new(Method::GET, "/api/console/workspaces/{workspace}/stream", Member(Role::Viewer), feed::stream)
            .media_type("text/event-stream"),
        Route::new(Method::POST, "/api/console/workspaces/{workspace}/hint", Member(Role::Viewer), feed::hint)
            .reconfirm(Never)
            .json_body::<OperatorHint>()
            .returns::<Done>(),
    ]
}
