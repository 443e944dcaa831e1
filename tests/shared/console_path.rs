//! Where the console finds what it asks for.

/// What there is of each workspace: everything else that the console asks for is below `/api/console/` itself.
const OF_WORKSPACE: [&str; 11] = [
    "sites",
    "my-sites",
    "conversations",
    "search",
    "people",
    "ticket",
    "stream",
    "hint",
    "members",
    "invitations",
    "audit",
];

/// The whole path of what a console asks for.
pub fn console_path(workspace: i64, path: &str) -> String {
    let name = path.split('?').next().unwrap_or_default();
    match OF_WORKSPACE.contains(&name) {
        true => format!("/api/console/workspaces/{workspace}/{path}"),
        false => format!("/api/console/{path}"),
    }
}
