//! The project's own scripts, where somebody new meets them.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output};

fn script(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "scripts", name].iter().collect()
}

fn text(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

#[test]
fn all_missing_tools_are_named_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["bash", "sort", "head", "awk", "tr", "env"] {
        let path = ["/usr/bin", "/bin"].map(|folder| PathBuf::from(folder).join(name));
        let path = path.iter().find(|path| path.exists()).expect(name);
        symlink(path, folder.path().join(name)).expect("a link");
    }
    let done =
        Command::new("/bin/bash").arg(script("check-tools")).env("PATH", folder.path()).output().expect("it runs");
    let said = text(&done);
    assert!(!done.status.success());
    for part in ["Rust 1.95", "Node 20.19", "a C compiler"] {
        assert!(said.contains(part), "{part} is missing in: {said}");
    }
    assert!(!said.contains("rustup update"), "there is no rustup here: {said}");
}

#[test]
fn a_check_that_fails_hides_none_after_it() {
    let done = Command::new(script("run-checks")).args(["no-such-check", "tools", "help"]).output().expect("it runs");
    let said = text(&done);
    assert!(!done.status.success(), "{said}");
    assert!(said.contains("FAILED  no-such-check") && said.contains("ok      help"), "{said}");
    assert!(said.ends_with("\n2 passed, 1 failed\n"), "{said}");
}
