//! The door for operators: cookie session, changes from our own page only. One table says who may call what.

mod account;
mod preview;
mod sites;

use hyper::Method;

use crate::http::route::{Caller, Route};
use crate::sites::ConfigureSite;
use crate::sites::view::{NewKeyView, SiteView};

pub use account::{About, Me};

/// An answer that says nothing but "done": `{}`.
#[derive(Debug, Default, serde::Serialize, schemars::JsonSchema)]
pub struct Done {}

/// The table of this door.
pub fn routes() -> Vec<Route> {
    [account_routes(), site_routes()].into_iter().flatten().collect()
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
        Route::new(Method::POST, "/api/console/sign-out", Operator, account::sign_out).gives::<Done>(),
        Route::new(Method::GET, "/api/console/me", Operator, account::me).gives::<Me>(),
        Route::new(Method::POST, "/api/console/account/password", Operator, account::change_password)
            .takes::<account::ChangePassword>()
            .gives::<Done>(),
        Route::new(Method::POST, "/api/console/account/delete", Operator, account::delete_account)
            .takes::<account::DeleteAccount>()
            .gives::<Done>(),
        Route::new(Method::POST, "/api/console/account/name", Operator, account::rename)
            .takes::<account::Rename>()
            .gives::<Me>(),
        Route::new(Method::GET, "/api/console/account/sessions", Operator, account::sessions)
            .gives::<account::Sessions>(),
        Route::new(Method::DELETE, "/api/console/account/sessions/{session}", Operator, account::end_session)
            .gives::<Done>(),
    ]
}

fn site_routes() -> Vec<Route> {
    use Caller::{Operator, SiteOwner};
    vec![
        Route::new(Method::GET, "/api/console/sites", Operator, sites::list).gives::<sites::Sites>(),
        Route::new(Method::POST, "/api/console/sites", Operator, sites::create)
            .takes::<sites::CreateSite>()
            .gives::<sites::SiteCreated>(),
        Route::new(Method::GET, "/api/console/sites/{site}", SiteOwner, sites::show).gives::<SiteView>(),
        Route::new(Method::PATCH, "/api/console/sites/{site}", SiteOwner, sites::configure)
            .takes::<ConfigureSite>()
            .gives::<SiteView>(),
        Route::new(Method::DELETE, "/api/console/sites/{site}", SiteOwner, sites::delete).gives::<Done>(),
        Route::new(Method::PUT, "/api/console/sites/{site}/logo", SiteOwner, sites::set_logo).gives::<SiteView>(),
        Route::new(Method::DELETE, "/api/console/sites/{site}/logo", SiteOwner, sites::remove_logo).gives::<SiteView>(),
        Route::new(Method::POST, "/api/console/sites/{site}/chat-keys", SiteOwner, sites::rotate_chat_key)
            .takes::<sites::Rotate>()
            .gives::<NewKeyView>(),
        Route::new(Method::DELETE, "/api/console/sites/{site}/chat-keys/{key}", SiteOwner, sites::revoke_chat_key)
            .gives::<Done>(),
        Route::new(Method::POST, "/api/console/sites/{site}/widget-key", SiteOwner, sites::rotate_widget_key)
            .takes::<sites::Rotate>()
            .gives::<SiteView>(),
        Route::new(Method::POST, "/api/console/sites/{site}/identity-secrets", SiteOwner, sites::add_identity_secret)
            .gives::<NewKeyView>(),
        Route::new(
            Method::DELETE,
            "/api/console/sites/{site}/identity-secrets/{secret}",
            SiteOwner,
            sites::delete_identity_secret,
        )
        .gives::<Done>(),
        Route::new(Method::GET, "/api/console/sites/{site}/preview", SiteOwner, preview::page),
    ]
}
