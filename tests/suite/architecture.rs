//! Imports only go down, files stay small, and the map names what exists.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders and files of `src/` from the ground up; each may use those before it. Names on one line may know each other.
const LAYERS: &[&[&str]] = &[
    &["id", "clock", "secret", "text", "error", "config", "logging", "output", "vault", "cpu_pool", "fair_limit"],
    &["storage"],
    &[
        "audit",
        "accounts",
        "sites",
        "visitors",
        "conversations",
        "images",
        "messages",
        "search",
        "abuse",
        "events",
        "app",
        "effects",
        "realtime",
        "http",
    ],
    &["widget_api", "console_api", "chat_api"],
    &["cli", "bench", "serve", "openapi"],
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

#[test]
fn imports_only_go_down() {
    let rank: BTreeMap<&str, usize> =
        LAYERS.iter().enumerate().flat_map(|(rank, names)| names.iter().map(move |name| (*name, rank))).collect();
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let place = place(&path);
        // The list of modules names them all, and so does the list of a running product's parts.
        if matches!(place.as_str(), "lib" | "main" | "app") {
            continue;
        }
        let own = *rank.get(place.as_str()).unwrap_or_else(|| panic!("{place} has no layer: add it to this test"));
        for used in code(&path).split("crate::").skip(1) {
            let name: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if rank.get(name.as_str()).is_some_and(|used| *used > own) {
                wrong.push(format!("{} uses {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
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
            "http" | "widget_api" | "console_api" | "chat_api" | "realtime" | "serve" | "bench"
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
