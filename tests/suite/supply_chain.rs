//! What is built in comes from where it is expected, and is what it was. `scripts/check-supply-chain` asks more: licences
//! and known weaknesses.

use std::fs;
use std::path::Path;

use serde_json::Value;

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_else(|_| panic!("{file} is missing"))
}

#[test]
fn every_crate_is_from_the_registry_and_has_its_hash() {
    for file in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let lock: toml::Table = read(file).parse().expect("TOML");
        let packages = lock["package"].as_array().expect("packages");
        assert!(packages.len() > 100, "{file} lists the packages");
        for package in packages {
            let text = |key: &str| package.get(key).and_then(toml::Value::as_str).unwrap_or_default();
            if matches!(text("name"), "ocs" | "ocs-fuzz") {
                continue;
            }
            let place = format!("{file}: {} {}", text("name"), text("version"));
            assert_eq!(text("source"), "registry+https://github.com/rust-lang/crates.io-index", "{place}");
            assert_eq!(text("checksum").len(), 64, "{place}");
        }
    }
}

#[test]
fn no_crate_that_we_do_without_came_in() {
    let rules: toml::Table = read("deny.toml").parse().expect("TOML");
    let denied = rules["bans"]["deny"].as_array().expect("a list").iter();
    let denied: Vec<&str> = denied.filter_map(|one| one["crate"].as_str()).collect();
    assert!(denied.contains(&"openssl"));
    for line in read("Cargo.lock").lines().filter_map(|line| line.strip_prefix("name = ")) {
        assert!(!denied.contains(&line.trim_matches('"')), "{line} is among the packages");
    }
}

#[test]
fn every_package_of_the_web_has_its_hash() {
    let lock: Value = serde_json::from_str(&read("web/package-lock.json")).expect("JSON");
    let packages = lock["packages"].as_object().expect("packages");
    let of_others = packages.iter().filter(|(path, it)| path.contains("node_modules/") && it["link"] != true);
    let without: Vec<&String> = of_others
        .filter(|(_, it)| !it["integrity"].as_str().is_some_and(|hash| hash.starts_with("sha512-")))
        .map(|(path, _)| path)
        .collect();
    assert!(without.is_empty(), "without a hash: {without:?}");
}

#[test]
fn every_tool_of_the_tests_has_its_hash() {
    let list = read("scripts/test-tools.txt");
    let names = list.lines().filter(|line| line.contains("=="));
    assert!(names.clone().count() > 10 && names.clone().all(|line| line.ends_with('\\')), "a hash follows each name");
    assert!(list.lines().all(|line| line.contains("==") || line.trim_start().starts_with("--hash=sha256:")), "{list}");
}

#[test]
fn the_unit_file_takes_away_what_the_service_does_not_need() {
    let unit = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/ocs.service")).expect("the unit");
    for line in [
        "DynamicUser=yes",
        "StateDirectoryMode=0700",
        "UMask=0077",
        "LimitCORE=0",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "NoNewPrivileges=yes",
        "MemoryDenyWriteExecute=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "SystemCallFilter=@system-service",
        "CapabilityBoundingSet=",
    ] {
        assert!(unit.lines().any(|one| one == line), "{line} is not there");
    }
}

/// No file of the program begins another one: what is sent can run nothing.
#[test]
fn the_program_starts_no_other_program() {
    let mut files = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else if !path.ends_with("bench/server.rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            assert!(!text.contains("process::Command") && !text.contains("Command::new("), "{}", path.display());
        }
    }
}
