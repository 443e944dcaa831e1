//! The API of the console: cookie sessions, changes from the console's own origin only. One table says who may call
//! what.

mod account;
mod conversations;
mod feed;
mod preview;
mod protection;
mod search;
mod sites;

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
use crate::search::Found;
use crate::search::people::People;
use crate::sites::ConfigureSite;
use crate::sites::view::{NewChatKeyView, NewKeyView};

pub use account::{About, Me};

/// The routes of this API.
pub fn routes() -> Vec<Route> {
    [account_routes(), protection_routes(), site_routes(), conversation_routes(), feed_routes()]
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

fn site_routes() -> Vec<Route> {
    use Caller::{Operator, SiteOwner};
    vec![
        Route::new(Method::GET, "/api/console/my-sites", Operator, sites::my_sites).returns::<sites::MySites>(),
        Route::new(Method::GET, "/api/console/sites", Operator, sites::list).returns::<sites::Sites>(),
        Route::new(Method::POST, "/api/console/sites", Operator, sites::create)
            .reconfirm(Never)
            .json_body::<sites::CreateSite>()
            .returns::<sites::SiteCreated>(),
        Route::new(Method::GET, "/api/console/sites/{site}", SiteOwner, sites::show).returns::<SiteView>(),
        Route::new(Method::PATCH, "/api/console/sites/{site}", SiteOwner, sites::configure)
            .reconfirm(ToWeaken)
            .json_body::<ConfigureSite>()
            .returns::<SiteView>(),
        Route::new(Method::DELETE, "/api/console/sites/{site}", SiteOwner, sites::delete)
            .reconfirm(Recently)
            .returns::<Done>(),
        Route::new(Method::PUT, "/api/console/sites/{site}/logo", SiteOwner, sites::set_logo)
            .reconfirm(Never)
            .image_body()
            .returns::<SiteView>(),
        Route::new(Method::DELETE, "/api/console/sites/{site}/logo", SiteOwner, sites::remove_logo)
            .reconfirm(Never)
            .returns::<SiteView>(),
        Route::new(Method::POST, "/api/console/sites/{site}/chat-keys", SiteOwner, sites::make_chat_key)
            .reconfirm(Recently)
            .json_body::<sites::MakeChatKey>()
            .returns::<NewChatKeyView>(),
        Route::new(Method::DELETE, "/api/console/sites/{site}/chat-keys/{key}", SiteOwner, sites::revoke_chat_key)
            .reconfirm(Recently)
            .returns::<Done>(),
        Route::new(Method::POST, "/api/console/sites/{site}/widget-key", SiteOwner, sites::rotate_widget_key)
            .reconfirm(Recently)
            .json_body::<sites::Rotate>()
            .returns::<SiteView>(),
        Route::new(Method::POST, "/api/console/sites/{site}/identity-secrets", SiteOwner, sites::add_identity_secret)
            .reconfirm(Recently)
            .returns::<NewKeyView>(),
        Route::new(
            Method::DELETE,
            "/api/console/sites/{site}/identity-secrets/{secret}",
            SiteOwner,
            sites::delete_identity_secret,
        )
        .reconfirm(Recently)
        .returns::<Done>(),
        Route::new(Method::POST, "/api/console/sites/{site}/attack/clean-up", SiteOwner, sites::clean_up)
            .reconfirm(Recently)
            .returns::<Removed>(),
        Route::new(Method::POST, "/api/console/sites/{site}/attack/settle", SiteOwner, sites::settle_attack)
            .reconfirm(Never)
            .returns::<SiteView>(),
        Route::new(Method::GET, "/api/console/sites/{site}/preview", SiteOwner, preview::page)
            .query::<preview::Draft>()
            .media_type("text/html"),
        Route::new(Method::GET, "/api/console/sites/{site}/preview.js", SiteOwner, preview::script)
            .query::<preview::Draft>()
            .media_type("text/javascript"),
    ]
}

fn conversation_routes() -> Vec<Route> {
    use Caller::{Operator, SiteOwner};
    const ONE: &str = "/api/console/sites/{site}/conversations/{conversation}";
    vec![
        Route::new(Method::GET, "/api/console/conversations", Operator, conversations::inbox)
            .query::<conversations::InboxQuery>()
            .returns::<Inbox>(),
        Route::new(Method::GET, "/api/console/search", Operator, search::search)
            .query::<search::SearchQuery>()
            .returns::<Found>(),
        Route::new(Method::GET, "/api/console/people", Operator, search::people)
            .query::<search::PeopleQuery>()
            .returns::<People>(),
        Route::new(Method::GET, ONE, SiteOwner, conversations::thread)
            .query::<conversations::ThreadQuery>()
            .returns::<conversations::Thread>(),
        Route::new(
            Method::POST,
            "/api/console/sites/{site}/conversations/{conversation}/messages",
            SiteOwner,
            conversations::reply,
        )
        .reconfirm(Never)
        .json_body::<conversations::Reply>()
        .returns::<conversations::SentToOperator>(),
        Route::new(
            Method::POST,
            "/api/console/sites/{site}/conversations/{conversation}/close",
            SiteOwner,
            conversations::close,
        )
        .reconfirm(Never)
        .returns::<ConversationForOperator>(),
        Route::new(
            Method::POST,
            "/api/console/sites/{site}/conversations/{conversation}/reopen",
            SiteOwner,
            conversations::reopen,
        )
        .reconfirm(Never)
        .returns::<ConversationForOperator>(),
        Route::new(Method::POST, "/api/console/sites/{site}/images", SiteOwner, conversations::upload)
            .reconfirm(Never)
            .image_body()
            .returns::<Uploaded>(),
    ]
}

fn feed_routes() -> Vec<Route> {
    use Caller::Operator;
    vec![
        Route::new(Method::POST, "/api/console/ticket", Operator, feed::ticket)
            .reconfirm(Never)
            .returns::<feed::Ticket>(),
        Route::new(Method::GET, "/api/console/socket", Operator, feed::socket),
        Route::new(Method::GET, "/api/console/stream", Operator, feed::stream).media_type("text/event-stream"),
        Route::new(Method::POST, "/api/console/hint", Operator, feed::hint)
            .reconfirm(Never)
            .json_body::<OperatorHint>()
            .returns::<Done>(),
    ]
}
