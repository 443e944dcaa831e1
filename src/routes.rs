//! All routes of all APIs in one table: the router, the description, the table of roles and the tests of access are made from
//! it.

use std::fmt::Write;

use crate::http::route::{Caller, Reconfirm, Route};
use crate::http::{assets, operations, uploads};
use crate::members::Role;
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

/// Who may do what in a workspace, as a page of Markdown: `docs/roles.md`.
pub fn roles_page() -> String {
    let mut page = "\
# Who may do what in a workspace

Made by `make bless` from the route table (`src/console_api/mod.rs`); the same table is what the server goes by. A member may do
it in the sites that they look after; everywhere else the answer is 404, alike for what is missing and what is foreign. *Confirms*
says when a member shows again who they are: with the password or, with two-factor authentication, a code.

| | Viewer | Operator | Admin | Owner | Confirms |
| --- | :-: | :-: | :-: | :-: | --- |
"
    .to_owned();
    for route in all_routes() {
        let (Caller::Member(least) | Caller::SiteMember(least)) = route.caller else { continue };
        let may =
            [Role::Viewer, Role::Operator, Role::Admin, Role::Owner].map(|role| if role >= least { "✓" } else { "" });
        let confirms = match route.reconfirm {
            None | Some(Reconfirm::Never) => "",
            Some(Reconfirm::Recently) => "if not within the last 10 minutes",
            Some(Reconfirm::ToWeaken) => "to weaken a policy",
            Some(Reconfirm::EveryTime) => "every time",
        };
        let path = route.path.trim_start_matches("/api/console");
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| `{} {path}` | {} | {confirms} |", route.method, may.join(" | "));
    }
    page.trim_end().to_owned()
}
