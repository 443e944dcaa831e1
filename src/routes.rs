//! All routes of all APIs in one table: the router, the description and the tests of access are made from it.

use crate::http::route::Route;
use crate::http::{assets, operations, uploads};
use crate::{chat_api, console_api, widget_api};

/// All routes.
pub fn all_routes() -> Vec<Route> {
    let apis = [
        widget_api::routes(),
        console_api::routes(),
        chat_api::routes(),
        uploads::routes(),
        assets::routes(),
        operations::routes(),
    ];
    apis.into_iter().flatten().collect()
}
