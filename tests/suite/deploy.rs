//! The files in `deploy/`, run as systemd would run them, with folders of the test in place of the system's.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::commands::Place;

/// What the deployment files call things, and where they are in a test. Longer names first: one begins with another.
fn in_place(place: &Place, text: &str) -> String {
    let at = |name: &str| place.path(name).display().to_string();
    text.replace("/usr/local/bin/ocs", env!("CARGO_BIN_EXE_ocs"))
        .replace("/var/lib/ocs-backups", &at("backups"))
        .replace("/var/lib/ocs", &at("data"))
        .replace("/etc/ocs", &at("etc"))
}

/// A unit as it would be installed here.
fn unit(place: &Place, name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name);
    in_place(place, &fs::read_to_string(path).expect("a unit"))
}

/// The command of a key such as `ExecStart`, as words; quoted ones stay whole, and `%%` is one `%`.
fn command(unit: &str, key: &str) -> Command {
    let line = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).expect(key);
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.replace("%%", "%")],
    });
    let words: Vec<String> = words.collect();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command
}

struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Installs the example settings with `lines` in them, and starts what the unit starts.
fn start(place: &Place, lines: &str) -> Service {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("ocs.example.toml");
    let example = fs::read_to_string(example).expect("the example");
    fs::create_dir_all(place.path("etc")).expect("a folder");
    fs::write(place.path("etc/ocs.toml"), format!("{example}\n{lines}")).expect("written");
    let mut run = command(&unit(place, "ocs.service"), "ExecStart");
    // As `EnvironmentFile=` does.
    for line in fs::read_to_string(place.path("etc/env")).unwrap_or_default().lines() {
        run.envs(line.split_once('='));
    }
    let service = Service(run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the service starts"));
    let end = Instant::now() + Duration::from_secs(20);
    while !place.path("data/ocs.sock").exists() {
        assert!(Instant::now() < end, "the service does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
    service
}

#[test]
fn the_service_goes_by_its_settings_file_and_its_secrets_file() {
    let place = Place::new();
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    fs::create_dir_all(place.path("etc")).expect("a folder");
    fs::write(place.path("etc/env"), "OCS_SIGNUP=closed\nOCS_PUBLIC_URL=https://chat.example\n").expect("written");
    let _service = start(&place, &format!("listen = \"{free}\"\npublic_url = \"https://not.example\"\n"));
    let doctor = place.ocs("doctor", "").fine();
    assert!(doctor.contains(&format!("the server answers at {free}")), "{doctor}");
    assert!(doctor.contains("browsers reach this server as https://chat.example"), "{doctor}");
}

#[test]
fn the_nightly_backup_can_be_restored_and_old_ones_go() {
    let place = Place::new();
    let _service = start(&place, "listen = \"127.0.0.1:0\"\n");
    place.ocs("demo", "").fine();
    fs::create_dir(place.path("backups")).expect("a folder");
    let month = Duration::from_secs(30 * 24 * 3600);
    for (name, age) in [("ocs-20260101-031700.tar", month), ("ocs-20260131-031700.tar", Duration::ZERO)] {
        let file = fs::File::create(place.path("backups").join(name)).expect("a file");
        file.set_modified(SystemTime::now() - age).expect("a time");
    }
    let backup = unit(&place, "ocs-backup.service");
    for key in ["ExecStart", "ExecStartPost"] {
        let done = command(&backup, key).output().expect("it runs");
        assert!(done.status.success(), "{key}: {}", String::from_utf8_lossy(&done.stderr));
    }
    let mut names: Vec<String> = fs::read_dir(place.path("backups"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("plain"))
        .collect();
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(names[0], "ocs-20260131-031700.tar", "the one of today stays, the month-old one goes");
    place.ocs(&format!("restore backups/{} --data fresh", names[1]), "").fine();
    assert_eq!(place.ocs("site list --json --data fresh", "").fine(), place.ocs("site list --json", "").fine());
}

/// `systemd-analyze` comes with Debian's package systemd; `make test` installs it.
#[test]
fn systemd_understands_the_units() {
    let place = Place::new();
    let names = ["ocs.service", "ocs-backup.service", "ocs-backup.timer"];
    for name in names {
        fs::write(place.path(name), unit(&place, name)).expect("written");
    }
    let done = Command::new("systemd-analyze").arg("verify").args(names.map(|name| place.path(name))).output();
    let done = done.expect("systemd-analyze is installed (Debian: apt-get install systemd)");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && said.is_empty(), "{said}");
}

#[test]
fn litestream_copies_the_database_of_the_service() {
    let read = |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name));
    let (unit, litestream) = (read("ocs.service").expect("a unit"), read("litestream.yml").expect("a file"));
    assert!(unit.contains("--data /var/lib/ocs\n") && litestream.contains("path: /var/lib/ocs/ocs.db\n"));
}
