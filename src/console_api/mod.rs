//! The door for operators: cookie session, changes from our own page only. One table says who may call what.

mod account;
mod conversations;
mod feed;
mod preview;
mod protection;
mod search;
mod sites;

use hyper::Method;

use crate::abuse::Removed;
use crate::conversations::{ConversationForOperator, Inbox};
use crate::http::body::Done;
use crate::http::route::AsksAgain::{EachTime, Never, WithinMinutes};
use crate::http::route::{Caller, Route};
use crate::images::Uploaded;
use crate::realtime::OperatorHint;
use crate::search::Found;
use crate::search::people::People;
use crate::sites::ConfigureSite;
use crate::sites::view::{NewChatKeyView, NewKeyView, SiteView};

pub use account::{About, Me};

/// The table of this door.
pub fn routes() -> Vec<Route> {
    [account_routes(), protection_routes(), site_routes(), conversation_routes(), feed_routes()]
        .into_iter()
        .flatten()
        .collect()
}

fn account_routes() -> Vec<Route> {
    use Caller::{Anyone, Operator};
    vec![
        Route::new(Method::GET, "/api/console/about", Anyone, account::about).gives::<About>(),
        Route::new(Method::POST, "/api/console/sign-up", Anyone, account::sign_up)
            .takes::<account::SignUp>()
            .gives::<Me>(),
        Route::new(Method::POST, "/api/console/sign-in", Anyone, account::sign_in)
            .takes::<account::SignIn>()
            .gives::<Me>(),
        Route::new(Method::POST, "/api/console/sign-out", Operator, account::sign_out)
            .asks_again(Never)
            .gives::<Done>(),
        Route::new(Method::GET, "/api/console/me", Operator, account::me).gives::<Me>(),
        Route::new(Method::POST, "/api/console/account/password", Operator, account::change_password)
            .asks_again(EachTime)
            .takes::<account::ChangePassword>()
            .gives::<Done>(),
        Route::new(Method::POST, "/api/console/account/confirm", Operator, account::confirm)
            .asks_again(EachTime)
            .takes::<account::Confirm>()
            .gives::<Done>(),
        Route::new(Method::POST, "/api/console/account/delete", Operator, account::delete_account)
            .asks_again(EachTime)
            .takes::<account::DeleteAccount>()
            .gives::<Done>(),
        Route::new(Method::POST, "/api/console/account/name", Operator, account::rename)
            .asks_again(Never)
            .takes::<account::Rename>()
            .gives::<Me>(),
        Route::new(Method::GET, "/api/console/account/sessions", Operator, account::sessions)
            .gives::<account::Sessions>(),
        Route::new(Method::DELETE, "/api/console/account/sessions/{session}", Operator, account::end_session)
            .asks_again(Never)
            .gives::<Done>(),
    ]
}

fn protection_routes() -> Vec<Route> {
    use Caller::Operator;
    const FACTOR: &str = "/api/console/account/second-factor";
    vec![
        Route::new(Method::GET, FACTOR, Operator, protection::state).gives::<protection::SecondFactorState>(),
        Route::new(Method::POST, FACTOR, Operator, protection::begin)
            .asks_again(EachTime)
            .takes::<protection::BeginSecondFactor>()
            .gives::<protection::SecondFactorSecret>(),
        Route::new(Method::POST, "/api/console/account/second-factor/confirm", Operator, protection::confirm)
            .asks_again(EachTime)
            .takes::<protection::ConfirmSecondFactor>()
            .gives::<protection::RecoveryCodes>(),
        Route::new(Method::POST, "/api/console/account/second-factor/codes", Operator, protection::renew_codes)
            .asks_again(EachTime)
            .takes::<protection::ShowBoth>()
            .gives::<protection::RecoveryCodes>(),
        Route::new(Method::POST, "/api/console/account/second-factor/off", Operator, protection::end)
            .asks_again(EachTime)
            .takes::<protection::ShowBoth>()
            .gives::<Done>(),
        Route::new(Method::GET, "/api/console/account/audit", Operator, protection::audit)
            .asks::<protection::Before>()
            .gives::<protection::AuditLines>(),
    ]
}

fn site_routes() -> Vec<Route> {
    use Caller::{Operator, SiteOwner};
    vec![
        Route::new(Method::GET, "/api/console/my-sites", Operator, sites::my_sites).gives::<sites::MySites>(),
        Route::new(Method::GET, "/api/console/sites", Operator, sites::list).gives::<sites::Sites>(),
        Route::new(Method::POST, "/api/console/sites", Operator, sites::create)
            .asks_again(Never)
            .takes::<sites::CreateSite>()
            .gives::<sites::SiteCreated>(),
        Route::new(Method::GET, "/api/console/sites/{site}", SiteOwner, sites::show).gives::<SiteView>(),
        Route::new(Method::PATCH, "/api/console/sites/{site}", SiteOwner, sites::configure)
            .asks_again(Never)
            .takes::<ConfigureSite>()
            .gives::<SiteView>(),
        Route::new(Method::DELETE, "/api/console/sites/{site}", SiteOwner, sites::delete)
            .asks_again(WithinMinutes)
            .gives::<Done>(),
        Route::new(Method::PUT, "/api/console/sites/{site}/logo", SiteOwner, sites::set_logo)
            .asks_again(Never)
            .takes_picture()
            .gives::<SiteView>(),
        Route::new(Method::DELETE, "/api/console/sites/{site}/logo", SiteOwner, sites::remove_logo)
            .asks_again(Never)
            .gives::<SiteView>(),
        Route::new(Method::POST, "/api/console/sites/{site}/chat-keys", SiteOwner, sites::make_chat_key)
            .asks_again(WithinMinutes)
            .takes::<sites::MakeChatKey>()
            .gives::<NewChatKeyView>(),
        Route::new(Method::DELETE, "/api/console/sites/{site}/chat-keys/{key}", SiteOwner, sites::revoke_chat_key)
            .asks_again(WithinMinutes)
            .gives::<Done>(),
        Route::new(Method::POST, "/api/console/sites/{site}/widget-key", SiteOwner, sites::rotate_widget_key)
            .asks_again(WithinMinutes)
            .takes::<sites::Rotate>()
            .gives::<SiteView>(),
        Route::new(Method::POST, "/api/console/sites/{site}/identity-secrets", SiteOwner, sites::add_identity_secret)
            .asks_again(WithinMinutes)
            .gives::<NewKeyView>(),
        Route::new(
            Method::DELETE,
            "/api/console/sites/{site}/identity-secrets/{secret}",
            SiteOwner,
            sites::delete_identity_secret,
        )
        .asks_again(WithinMinutes)
        .gives::<Done>(),
        Route::new(Method::POST, "/api/console/sites/{site}/attack/clean-up", SiteOwner, sites::clean_up)
            .asks_again(WithinMinutes)
            .gives::<Removed>(),
        Route::new(Method::POST, "/api/console/sites/{site}/attack/settle", SiteOwner, sites::settle_attack)
            .asks_again(Never)
            .gives::<SiteView>(),
        Route::new(Method::GET, "/api/console/sites/{site}/preview", SiteOwner, preview::page)
            .asks::<preview::Draft>()
            .answers("text/html"),
        Route::new(Method::GET, "/api/console/sites/{site}/preview.js", SiteOwner, preview::script)
            .asks::<preview::Draft>()
            .answers("text/javascript"),
    ]
}

fn conversation_routes() -> Vec<Route> {
    use Caller::{Operator, SiteOwner};
    const ONE: &str = "/api/console/sites/{site}/conversations/{conversation}";
    vec![
        Route::new(Method::GET, "/api/console/conversations", Operator, conversations::inbox)
            .asks::<conversations::InboxQuery>()
            .gives::<Inbox>(),
        Route::new(Method::GET, "/api/console/search", Operator, search::search)
            .asks::<search::SearchQuery>()
            .gives::<Found>(),
        Route::new(Method::GET, "/api/console/people", Operator, search::people)
            .asks::<search::PeopleQuery>()
            .gives::<People>(),
        Route::new(Method::GET, ONE, SiteOwner, conversations::thread)
            .asks::<conversations::ThreadQuery>()
            .gives::<conversations::Thread>(),
        Route::new(
            Method::POST,
            "/api/console/sites/{site}/conversations/{conversation}/messages",
            SiteOwner,
            conversations::reply,
        )
        .asks_again(Never)
        .takes::<conversations::Reply>()
        .gives::<conversations::SentToOperator>(),
        Route::new(
            Method::POST,
            "/api/console/sites/{site}/conversations/{conversation}/close",
            SiteOwner,
            conversations::close,
        )
        .asks_again(Never)
        .gives::<ConversationForOperator>(),
        Route::new(
            Method::POST,
            "/api/console/sites/{site}/conversations/{conversation}/reopen",
            SiteOwner,
            conversations::reopen,
        )
        .asks_again(Never)
        .gives::<ConversationForOperator>(),
        Route::new(Method::POST, "/api/console/sites/{site}/images", SiteOwner, conversations::upload)
            .asks_again(Never)
            .takes_picture()
            .gives::<Uploaded>(),
    ]
}

fn feed_routes() -> Vec<Route> {
    use Caller::Operator;
    vec![
        Route::new(Method::POST, "/api/console/ticket", Operator, feed::ticket)
            .asks_again(Never)
            .gives::<feed::Ticket>(),
        Route::new(Method::GET, "/api/console/socket", Operator, feed::socket),
        Route::new(Method::GET, "/api/console/stream", Operator, feed::stream).answers("text/event-stream"),
        Route::new(Method::POST, "/api/console/hint", Operator, feed::hint)
            .asks_again(Never)
            .takes::<OperatorHint>()
            .gives::<Done>(),
    ]
}
