//! The API of the widget: the script that a page loads, one address for changes, the event feed, and pages that embed
//! the widget. It is called from other origins, so every response allows reading from anywhere.

mod caller;
mod command;
mod feed;
pub mod page;
pub mod script;
mod upload;
mod welcome;

use hyper::Method;

use crate::http::body::Done;
use crate::http::route::{Caller, Route};
use crate::images::Uploaded;

pub use command::{Command, HistoryForVisitor, SentToVisitor, VisitorState};
pub use welcome::Welcome;

/// The routes of this API.
pub fn routes() -> Vec<Route> {
    use Caller::{Anyone, Visitor};
    let mut routes = vec![
        Route::new(Method::GET, "/api/widget/welcome", Anyone, welcome::welcome)
            .query::<welcome::WelcomeQuery>()
            .returns::<Welcome>(),
        // `start` is the one command without a token; every other command checks it.
        Route::new(Method::POST, "/api/widget", Visitor, command::command)
            .json_body::<Command>()
            .returns::<VisitorState>()
            .returns::<SentToVisitor>()
            .returns::<HistoryForVisitor>()
            .returns::<Done>(),
        Route::new(Method::OPTIONS, "/api/widget", Anyone, caller::preflight),
        Route::new(Method::POST, "/api/widget/images", Visitor, upload::upload).image_body().returns::<Uploaded>(),
        Route::new(Method::OPTIONS, "/api/widget/images", Anyone, caller::preflight),
        Route::new(Method::GET, "/api/widget/socket", Visitor, feed::socket),
        Route::new(Method::GET, "/api/widget/stream", Visitor, feed::stream).media_type("text/event-stream"),
        Route::new(Method::OPTIONS, "/api/widget/stream", Anyone, caller::preflight),
    ];
    routes.extend(script::routes());
    routes.extend(page::routes());
    routes
}
