//! Imports only go down, files stay small, and the map names what exists.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders and files of `src/` from the ground up, each on a row of its own: it may use those before it, and none after it.
const LAYERS: &[&str] = &[
    // Knows nothing of the product.
    "id",
    "clock",
    "error",
    "secret",
    "text",
    "output",
    "vault",
    "config",
    "logging",
    "cpu_pool",
    "encoding",
    "fair_limit",
    "sliding_window",
    "storage",
    // Know ids only.
    "events",
    "audit",
    // Nouns.
    "accounts",
    "workspaces",
    "members",
    "images",
    "sites",
    "visitors",
    "conversations",
    "messages",
    // What spans nouns.
    "hub",
    "effects",
    "inbox",
    "search",
    "abuse",
    "flows",
    "rate_limits",
    "response_cache",
    // A running product, and those who speak with the world.
    "app",
    "http",
    "realtime",
    "widget_api",
    "console_api",
    "chat_api",
    "routes",
    "openapi",
    "serve",
    "bench",
    "cli",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The first name below `src/`: `messages` for `src/messages/send.rs`.
fn place(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).expect("a source file");
    let first = inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a readable file");
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

/// The names after `crate::` in a piece of code, also those in braces.
fn imported(code: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for used in code.split("crate::").skip(1) {
        let list = used.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or(used, |(list, _)| list);
        let one = list.len() == used.len();
        let parts: Vec<&str> = if one { vec![list] } else { list.split(',').collect() };
        for part in parts {
            let part = part.trim_start();
            let end = part.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(part.len());
            names.push(&part[..end]);
        }
    }
    names
}

/// Imports that go up: each as "place uses name". A circle needs one, so there is none either.
fn upward<'a>(sources: impl Iterator<Item = (String, &'a str)>) -> Vec<String> {
    let rank = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    let mut wrong = Vec::new();
    for (place, code) in sources {
        let own = rank(&place).unwrap_or_else(|| panic!("{place} has no row in LAYERS: give it one"));
        for name in imported(code) {
            if rank(name).is_some_and(|used| used > own) {
                wrong.push(format!("{place} uses {name}"));
            }
        }
    }
    wrong
}

#[test]
fn imports_only_go_down() {
    let files: Vec<(String, String)> =
        sources(&root().join("src")).iter().map(|path| (place(path), code(path))).collect();
    // The list of modules names them all.
    let files = files.iter().filter(|(place, _)| !matches!(place.as_str(), "lib" | "main"));
    let wrong = upward(files.map(|(place, code)| (place.clone(), code.as_str())));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_import_that_goes_up_is_found_however_it_is_written() {
    for planted in [
        "use crate::realtime;",
        "use crate::realtime::relay;",
        "use crate::{error, realtime};",
        "fn f() { crate::realtime::relay() }",
        "use crate::{\n    realtime::relay,\n    sites,\n};",
    ] {
        let found = upward([("messages".to_owned(), planted)].into_iter());
        assert_eq!(found, ["messages uses realtime"], "{planted}");
    }
    let down = [("realtime".to_owned(), "use crate::{error, messages};")];
    assert!(upward(down.into_iter()).is_empty());
    let circle = [("sites".to_owned(), "use crate::visitors;"), ("visitors".to_owned(), "use crate::sites;")];
    assert_eq!(upward(circle.into_iter()), ["sites uses visitors"]);
}

#[test]
fn views_and_stores_do_nothing_by_themselves() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let code = code(&path);
        if matches!(name.as_str(), "view.rs" | "store.rs")
            && ["crate::app", "crate::http", "crate::realtime"].iter().any(|used| code.contains(used))
        {
            wrong.push(path.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_stores_know_sql_and_only_apis_know_http() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let (place, code) = (place(&path), code(&path));
        let is_store = place == "storage" || path.file_name().is_some_and(|name| name == "store.rs");
        let is_api = matches!(
            place.as_str(),
            "hub" | "http" | "widget_api" | "console_api" | "chat_api" | "realtime" | "serve" | "bench"
        );
        if !is_store && ["\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE "].iter().any(|sql| code.contains(sql)) {
            wrong.push(format!("{} holds SQL", path.display()));
        }
        if !is_api && code.contains("axum::") {
            wrong.push(format!("{} knows HTTP", path.display()));
        }
        if path.file_name().is_some_and(|name| name != "problem.rs")
            && !matches!(place.as_str(), "http" | "chat_api" | "widget_api" | "bench")
            && code.contains("StatusCode::")
        {
            wrong.push(format!("{} knows status codes", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_stay_small() {
    let large: Vec<String> = sources(&root().join("src"))
        .iter()
        .map(|path| (path, code(path).lines().count()))
        .filter(|(_, lines)| *lines > 500)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(large.is_empty(), "{large:#?}");
}

#[test]
fn every_path_named_in_the_map_exists() {
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"] {
        let Ok(text) = fs::read_to_string(root().join(page)) else { continue };
        for name in text.split('`').skip(1).step_by(2) {
            let is_path =
                ["src/", "tests/", "docs/", "web/", "e2e/", "migrations/"].iter().any(|top| name.starts_with(top));
            if is_path && !name.contains(['*', '{', '<', ' ', '…']) && !name.contains("dist") {
                assert!(root().join(name).exists(), "{page} names {name}, which does not exist");
            }
        }
    }
}
