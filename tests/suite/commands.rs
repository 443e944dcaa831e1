//! The command line, through the real program: what the machine's operator types, and what comes out.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse";

/// A folder of its own for each story, gone at its end.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Place {
        Place(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `ocs` with its data in `data`, typing `input`; `~` is a space within a word.
    pub fn ocs(&self, command: &str, input: &str) -> Done {
        let mut words = command.split(' ').map(|word| word.replace('~', " "));
        let mut run = Command::new(env!("CARGO_BIN_EXE_ocs"));
        run.current_dir(self.0.path()).env_clear().env("OCS_DATA", "data").args(&mut words);
        let mut child = run
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // A command that reads nothing may have ended already.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        Done(child.wait_with_output().expect("the program ends"))
    }

    fn serve(&self) -> Server {
        self.serve_on("data")
    }

    fn serve_on(&self, data: &str) -> Server {
        self.serve_with(data, &[])
    }

    fn serve_with(&self, data: &str, more: &[&str]) -> Server {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let child = Command::new(env!("CARGO_BIN_EXE_ocs"))
            .current_dir(self.0.path())
            .env_clear()
            .args(["serve", "--data", data, "--listen", &address.to_string()])
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let server = Server { child, address };
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(server.address).is_err() || !self.path(data).join("ocs.sock").exists() {
            assert!(Instant::now() < end, "the server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Done(Output);

impl Done {
    #[track_caller]
    pub fn fine(self) -> String {
        let errors = String::from_utf8_lossy(&self.0.stderr).into_owned();
        assert!(self.0.status.success(), "refused: {errors}");
        String::from_utf8(self.0.stdout).expect("text")
    }

    /// What a refused command says; nothing of it goes to standard output.
    #[track_caller]
    fn refused(self) -> String {
        assert!(!self.0.status.success(), "not refused: {}", String::from_utf8_lossy(&self.0.stdout));
        String::from_utf8(self.0.stderr).expect("text")
    }

    #[track_caller]
    fn json(self) -> Value {
        serde_json::from_str(&self.fine()).expect("one JSON value and nothing else")
    }
}

#[test]
fn otto_gets_an_account_and_a_site_with_the_server_stopped_and_running() {
    let place = Place::new();
    place.ocs("user add --email Otto@Shop.example --password-stdin --name Otto~B", PASSWORD).fine();
    let stopped = place.ocs("site add --owner otto@shop.example --name Lamp~Shop --json", "").json();
    assert_site(&stopped);

    let server = place.serve();
    let mode = fs::metadata(place.path("data/ocs.sock")).expect("a socket file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "others may not give commands");
    place.ocs("user add --email vera@shop.example --password-stdin", PASSWORD).fine();
    let running = place.ocs("site add --owner otto@shop.example --name Clay --json", "").json();
    assert_site(&running);
    let while_running = (place.ocs("user list", "").fine(), place.ocs("site list --json", "").json());
    drop(server);

    assert_eq!((place.ocs("user list", "").fine(), place.ocs("site list --json", "").json()), while_running);
    let (users, sites) = while_running;
    assert!(users.contains("otto@shop.example  Otto B") && users.contains("vera@shop.example  vera"), "{users}");
    let names: Vec<_> = sites.as_array().expect("a list").iter().map(|site| site["name"].clone()).collect();
    assert_eq!(names, ["Lamp Shop", "Clay"]);
    assert_eq!(sites[0]["widget_key"], stopped["widget_key"]);
}

#[track_caller]
fn assert_site(site: &Value) {
    let keys: Vec<&String> = site.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["chat_api_key", "site_id", "widget_key"]);
    assert!(site["site_id"].is_i64() && site["chat_api_key"].as_str().is_some_and(|key| key.starts_with("chat_")));
}

#[test]
fn commands_at_the_same_time_wait_for_each_other() {
    let place = Place::new();
    place.ocs("user add --email otto@shop.example --password-stdin", PASSWORD).fine();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| place.ocs("site add --owner otto@shop.example --name Shop --json", "").json());
        }
    });
    assert_eq!(place.ocs("site list --json", "").json().as_array().map(Vec::len), Some(4));
}

#[test]
fn mistakes_are_refused_with_what_to_do() {
    let place = Place::new();
    assert!(place.ocs("user list", "").refused().contains("--data"), "there is no data folder yet");
    place.ocs("user add --email otto@shop.example --password-stdin", PASSWORD).fine();
    for (command, input, says) in [
        ("user add --email otto@shop.example --password-stdin", PASSWORD, "ocs user password"),
        ("user add --email vera@shop.example --password-stdin", "short", "10 to 256"),
        ("user add --email vera@shop.example --password-stdin", "two lines\nof text", "one line"),
        ("user add --email vera --password-stdin", PASSWORD, "otto@shop.example"),
        ("user add --email vera@shop.example", PASSWORD, "--password-stdin"),
        ("user password --email vera@shop.example --password-stdin", PASSWORD, "ocs user list"),
        ("site add --owner vera@shop.example --name Shop", "", "ocs user add"),
        ("site add --owner otto@shop.example --name ~", "", "name"),
        ("site add --owner otto@shop.example --name Shop --set colour=red", "", "docs/configuration.md"),
        ("site add --owner otto@shop.example --name Shop --set signup", "", "KEY=VALUE"),
        ("serve --set public_url=chat.example", "", "https://chat.example"),
        ("serve --listen nowhere", "", "127.0.0.1:8080"),
    ] {
        let text = place.ocs(command, input).refused();
        assert!(text.contains(says), "`{command}` says: {text}");
    }
    assert_eq!(place.ocs("user list --json", "").json().as_array().map(Vec::len), Some(1), "nothing was half done");
}

#[test]
fn who_reads_no_further_hears_no_more_and_nothing_breaks() {
    let place = Place::new();
    place.ocs("user add --email otto@shop.example --password-stdin", PASSWORD).fine();
    let ocs = |arguments: &[&str], output: Stdio| {
        let mut run = Command::new(env!("CARGO_BIN_EXE_ocs"));
        run.current_dir(place.0.path()).env_clear().env("OCS_DATA", "data").args(arguments);
        run.stdin(Stdio::null()).stdout(output).stderr(Stdio::piped()).spawn().expect("the program starts")
    };
    for arguments in [&["describe"][..], &["settings", "--markdown"], &["user", "list"], &["backup", "copy"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let done = Done(ocs(arguments, writer.into()).wait_with_output().expect("the program ends"));
        let said = String::from_utf8_lossy(&done.0.stderr).into_owned();
        assert!(done.0.status.success() && !said.contains("panicked"), "{arguments:?}: {said}");
    }
    assert!(place.path("copy").exists(), "what was asked for is done");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
    let done = Done(ocs(&["describe"], full.into()).wait_with_output().expect("the program ends"));
    assert!(done.refused().contains("cannot be written"), "half of an answer is not passed off as one");
}

#[test]
fn a_long_path_is_no_hindrance() {
    let place = Place::new();
    let data = format!("{}/data", "long-".repeat(30));
    place.ocs(&format!("user add --email otto@shop.example --password-stdin --data {data}"), PASSWORD).fine();
    let _server = place.serve_on(&data);
    assert!(place.ocs(&format!("user list --data {data}"), "").fine().contains("otto@shop.example"));
}

#[test]
fn commands_beside_a_server_speak_of_its_own_address() {
    let place = Place::new();
    place.ocs("user add --email otto@shop.example --password-stdin", PASSWORD).fine();
    let server = place.serve();
    let url = format!("http://{}", server.address);
    let added = place.ocs("site add --owner otto@shop.example --name Shop", "").fine();
    assert!(added.contains(&format!("{url}/api/widget.js?key=")), "{added}");
    let demo = place.ocs("demo --yes", "").fine();
    assert!(demo.contains(&format!("open {url}/")) && demo.contains(&format!("{url}/api/widget.js")), "{demo}");
    assert!(!demo.contains(":8080") && !added.contains(":8080"), "the default address is not the server's");
    let doctor = place.ocs("doctor", "").fine();
    assert!(doctor.contains(&format!("the server answers at {}", server.address)), "{doctor}");
    assert!(!doctor.contains(":8080"), "{doctor}");
}

#[test]
fn the_doctor_tells_who_answers() {
    let place = Place::new();
    place.ocs("user add --email otto@shop.example --password-stdin", PASSWORD).fine();
    // Accepts connections, and is no OCS.
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = other.local_addr().expect("an address");
    let command = format!("doctor --set listen={address}");
    assert!(says_wrong(place.ocs(&command, "")).contains("another program listens"));
    drop(other);
    assert!(place.ocs(&command, "").fine().contains("is free to listen on"));

    let neighbour = Place::new();
    let server = neighbour.serve();
    let command = format!("doctor --set listen={}", server.address);
    assert!(says_wrong(place.ocs(&command, "")).contains("an OCS server with another data folder"));
}

#[test]
fn the_doctor_knows_a_server_that_does_tls() {
    let place = Place::new();
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(["chat.example".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate");
    fs::write(place.path("cert.pem"), certificate.pem()).expect("written");
    fs::write(place.path("key.pem"), key.serialize_pem()).expect("written");
    fs::write(
        place.path("ocs.toml"),
        "tls_cert = \"cert.pem\"\ntls_key = \"key.pem\"\npublic_url = \"https://chat.example\"\n",
    )
    .expect("written");
    let server = place.serve_with("data", &["--config", "ocs.toml"]);
    let doctor = place.ocs("doctor", "").fine();
    assert!(doctor.contains(&format!("the server answers at {}", server.address)), "{doctor}");
    assert!(doctor.contains("browsers reach this server as https://chat.example"), "{doctor}");
}

/// What a doctor that found something wrong says about it.
#[track_caller]
fn says_wrong(done: Done) -> String {
    assert!(!done.0.status.success());
    let said = String::from_utf8_lossy(&done.0.stdout).into_owned();
    said.lines().filter(|line| line.starts_with("WRONG")).collect()
}

#[test]
fn a_variable_of_somebody_else_stops_nothing_and_a_slip_is_named() {
    let place = Place::new();
    let ocs = |name: &str, text: &str| {
        let mut run = Command::new(env!("CARGO_BIN_EXE_ocs"));
        run.current_dir(place.0.path()).env_clear().env(name, text).args(["doctor"]);
        let done = run.output().expect("the program ends");
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    for (name, text) in
        [("OCS_IDENTITY_SECRET", "s"), ("OCS_PORT", "tcp://10.0.0.7:8080"), ("OCS_SERVICE_HOST", "10.0.0.7")]
    {
        assert_eq!(ocs(name, text), (true, String::new()), "{name}");
    }
    let (fine, said) = ocs("OCS_LISTN", "0.0.0.0:80");
    assert!(fine && said.contains("did you mean OCS_LISTEN?"), "{said}");
    let (fine, said) = ocs("OCS_LISTEN", "nowhere");
    assert!(!fine && said.contains("`listen`"), "{said}");
}

#[test]
fn a_file_is_no_data_folder() {
    let place = Place::new();
    fs::write(place.path("chats.tar"), "a backup").expect("writes");
    for command in ["doctor", "serve --listen 127.0.0.1:0", "migrate", "user list", "site list"] {
        let said = place.ocs(&format!("{command} --data chats.tar"), "").refused();
        assert!(said.contains("chats.tar") && said.contains("name a folder with --data"), "{command}: {said}");
    }
}

#[test]
fn only_one_server_has_a_data_folder() {
    let place = Place::new();
    let _server = place.serve();
    assert!(place.ocs("serve --listen 127.0.0.1:1", "").refused().contains("stop it first"));
    assert!(place.ocs("migrate", "").refused().contains("stop it first"));
}

#[test]
fn a_backup_of_a_running_server_becomes_a_new_one() {
    let place = Place::new();
    place.ocs("demo", "").fine();
    let server = place.serve();
    let said = place.ocs("backup chats.tar", "").fine();
    assert!(said.contains("master.key is NOT in this file"), "{said}");
    assert!(place.ocs("backup chats.tar", "").refused().contains("exists already"));
    assert!(place.ocs("restore chats.tar", "").refused().contains("not empty"), "the folder that is served");
    drop(server);

    let kept = place.ocs("site list --json", "").json();
    place.ocs("restore chats.tar --data fresh", "").fine();
    assert!(!place.path("fresh/master.key").exists());
    assert_eq!(place.ocs("site list --json --data fresh", "").json(), kept);
    assert!(place.ocs("doctor --data fresh", "").fine().contains("13 messages"));
    assert_ne!(epoch(&place.path("fresh/ocs.db")), epoch(&place.path("data/ocs.db")), "clients notice the restore");
}

fn epoch(database: &Path) -> String {
    let inspect = ocs::storage::inspect(database);
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(inspect).expect("a sound database").epoch
}

#[test]
fn a_broken_backup_is_refused_and_leaves_nothing() {
    let place = Place::new();
    place.ocs("demo", "").fine();
    place.ocs("backup whole.tar", "").fine();
    let whole = fs::read(place.path("whole.tar")).expect("the backup");
    fs::write(place.path("cut.tar"), &whole[..whole.len() / 2]).expect("writes");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle..middle + 4096].fill(0xa5);
    fs::write(place.path("flipped.tar"), &flipped).expect("writes");
    fs::write(place.path("other.tar"), "not a backup at all").expect("writes");
    for file in ["cut.tar", "flipped.tar", "other.tar", "missing.tar"] {
        place.ocs(&format!("restore {file} --data fresh"), "").refused();
        let left: Vec<String> = fs::read_dir(place.0.path())
            .expect("the folder")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.contains("fresh"))
            .collect();
        assert!(left.is_empty(), "{file} left {left:?}");
    }
}

/// A backup whose entries are `parts`: a path as it stands in the file, a kind, and what a link names.
fn crafted(manifest: &[u8], parts: &[(&str, tar::EntryType, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(manifest.len() as u64);
    tar.append_data(&mut header, "manifest.json", manifest).expect("in memory");
    for (path, kind, link) in parts {
        let mut header = tar::Header::new_gnu();
        // Written by hand: the library itself refuses such names.
        header.as_gnu_mut().expect("a GNU header").name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_gnu_mut().expect("a GNU header").linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(if kind.is_file() { 5 } else { 0 });
        header.set_cksum();
        tar.append(&header, if kind.is_file() { &b"owned"[..] } else { b"" }).expect("in memory");
    }
    tar.into_inner().expect("in memory")
}

#[test]
fn a_backup_that_somebody_made_up_writes_nothing_outside_and_is_refused() {
    use tar::EntryType;
    let place = Place::new();
    place.ocs("demo", "").fine();
    place.ocs("backup whole.tar", "").fine();
    let whole = fs::read(place.path("whole.tar")).expect("the backup");
    let mut archive = tar::Archive::new(whole.as_slice());
    let first = archive.entries().expect("entries").next().expect("one").expect("readable");
    let mut manifest = Vec::new();
    std::io::Read::read_to_end(&mut { first }, &mut manifest).expect("reads");
    let outside = place.path("outside");
    let absolute = outside.to_str().expect("plain").to_owned();
    let (file, twice) = (EntryType::Regular, [("ocs.db", EntryType::Regular, ""), ("ocs.db", EntryType::Regular, "")]);
    let evil: Vec<Vec<(&str, EntryType, &str)>> = vec![
        vec![("../outside", file, "")],
        vec![("images/../../outside", file, "")],
        vec![(&absolute, file, "")],
        vec![("images", EntryType::Symlink, ".."), ("images/outside", file, "")],
        vec![("images/away", EntryType::Symlink, ".."), ("images/away/outside", file, "")],
        vec![("images/a", EntryType::Link, "../whole.tar"), ("images/a", file, "")],
        vec![("ocs.db", EntryType::Symlink, "../outside"), ("ocs.db", file, "")],
        vec![("ocs.db", EntryType::GNUSparse, "")],
        vec![("images/pipe", EntryType::Fifo, "")],
        vec![("master.key", file, "")],
        vec![("manifest.json", file, "")],
        twice.to_vec(),
    ];
    for parts in evil {
        fs::write(place.path("evil.tar"), crafted(&manifest, &parts)).expect("writes");
        place.ocs("restore evil.tar --data fresh", "").refused();
        assert!(!outside.exists(), "{parts:?} wrote outside");
        assert_eq!(fs::read(place.path("whole.tar")).expect("the backup"), whole, "{parts:?} wrote into another file");
        assert!(!place.path("fresh").exists() && !place.path(".fresh-restoring").exists(), "{parts:?} left something");
    }
}

#[test]
fn the_demo_says_how_to_sign_in() {
    let place = Place::new();
    let said = place.ocs("demo", "").fine();
    assert!(
        said.contains("demo@example.com") && said.contains("password") && said.contains("widget.js?key="),
        "{said}"
    );
    assert_eq!(place.ocs("site list --json", "").json().as_array().map(Vec::len), Some(2));
    assert!(said.contains("delete the account"), "{said}");
    assert!(place.ocs("demo", "").refused().contains("made before"));
}

#[test]
fn the_demo_does_not_go_into_a_folder_in_use_by_itself() {
    let place = Place::new();
    place.ocs("user add --email olga@shop.example --password-stdin", "a longer password\n").fine();
    let refused = place.ocs("demo", "").refused();
    assert!(refused.contains("1 account") && refused.contains("--yes"), "{refused}");
    assert_eq!(place.ocs("site list --json", "").json().as_array().map(Vec::len), Some(0));
    place.ocs("demo --yes", "").fine();
}

#[test]
fn a_password_that_is_refused_is_called_a_password() {
    let place = Place::new();
    let refused = place.ocs("user add --email olga@shop.example --password-stdin", "short\n").refused();
    assert!(refused.contains("password must have 10 to 256 characters"), "{refused}");
}

#[test]
fn the_doctor_takes_a_missing_folder_for_a_mistake_unless_it_is_the_default() {
    let place = Place::new();
    assert!(place.ocs("doctor", "").fine().contains("the first start makes it"));
    let done = place.ocs("doctor --data typo", "");
    assert!(String::from_utf8_lossy(&done.0.stdout).contains("typo does not exist; check --data"));
    done.refused();
}

#[test]
fn the_doctor_sees_an_open_folder() {
    let place = Place::new();
    assert!(place.ocs("doctor", "").fine().contains("does not exist yet"));
    place.ocs("demo", "").fine();
    assert!(place.ocs("doctor", "").fine().contains("readable by its owner alone"));
    fs::set_permissions(place.path("data"), fs::Permissions::from_mode(0o755)).expect("chmod");
    let done = place.ocs("doctor", "");
    assert!(String::from_utf8_lossy(&done.0.stdout).contains("chmod 700"));
    done.refused();
}

#[test]
fn an_owner_who_lost_the_device_is_helped_and_it_is_written_down() {
    let place = Place::new();
    place.ocs("user add --email otto@shop.example --password-stdin", PASSWORD).fine();
    place.ocs("site add --owner otto@shop.example --name Shop --json", "").fine();
    let _server = place.serve();
    place.ocs("user password --email otto@shop.example --password-stdin", "another password").fine();
    let none = place.ocs("user totp-off --email otto@shop.example", "").refused();
    assert!(none.contains("does not use two-factor authentication"), "{none}");
    let lines = place.ocs("audit --json", "").json();
    let actions: Vec<_> = lines.as_array().expect("a list").iter().map(|line| line["action"].clone()).collect();
    assert_eq!(actions, ["account_made", "site_made", "chat_key_made", "password_changed"]);
    let text = place.ocs("audit --email otto@shop.example --limit 1", "").fine();
    assert!(
        text.contains("command line") && text.contains("password_changed") && !text.contains("site_made"),
        "{text}"
    );
}

/// Plays a story with the server stopped, and again beside a running one. Otto and Vera have accounts, and each owns a
/// workspace.
fn stopped_and_running(story: impl Fn(&Place)) {
    for running in [false, true] {
        let place = Place::new();
        place.ocs("user add --email otto@shop.example --password-stdin", PASSWORD).fine();
        place.ocs("user add --email vera@shop.example --password-stdin", PASSWORD).fine();
        let _server = running.then(|| place.serve());
        story(&place);
    }
}

/// A field of each entry in a list.
#[track_caller]
fn each(list: &Value, field: &str) -> Vec<Value> {
    list.as_array().expect("a list").iter().map(|entry| entry[field].clone()).collect()
}

#[track_caller]
fn assert_fields(object: &Value, fields: &[&str]) {
    let keys: Vec<&String> = object.as_object().expect("an object").keys().collect();
    assert_eq!(keys, fields);
}

/// What was done in a workspace, oldest first. All of it was done on the command line, by nobody's account.
#[track_caller]
fn audited(place: &Place, workspace: &Value) -> Vec<Value> {
    let entries = place.ocs(&format!("audit --workspace {workspace} --json"), "").json();
    assert!(each(&entries, "network").iter().chain(&each(&entries, "email")).all(|field| field == ""), "{entries}");
    each(&entries, "action")
}

#[test]
fn the_operator_of_the_machine_looks_after_workspaces() {
    stopped_and_running(|place| {
        let added = place.ocs("workspace add --owner otto@shop.example --name Agency --json", "").json();
        assert_fields(&added, &["created_at", "id", "members", "name", "owners", "sites"]);
        assert_eq!((&added["name"], &added["owners"]), (&json!("Agency"), &json!(["otto@shop.example"])));
        let id = &added["id"];
        place.ocs(&format!("site add --workspace {id} --name Shop"), "").fine();
        let renamed = place.ocs(&format!("workspace rename --workspace {id} --name Old~Studio --json"), "").json();
        assert_eq!((&renamed["id"], &renamed["name"]), (id, &json!("Old Studio")));
        let list = place.ocs("workspace list", "").fine();
        assert!(list.contains("otto@shop.example  1 member, 1 site  Old Studio"), "{list}");

        let refused = place.ocs(&format!("workspace remove --workspace {id} --yes-delete Agency"), "").refused();
        assert!(refused.contains("ocs workspace list") && refused.contains("nothing was removed"), "{refused}");
        assert_eq!(place.ocs("workspace list --json", "").json().as_array().map(Vec::len), Some(3));
        let remove = format!("workspace remove --workspace {id} --yes-delete Old~Studio --json");
        assert_eq!(place.ocs(&remove, "").json(), renamed, "as it was");
        let left = place.ocs("workspace list --json", "").json();
        assert!(left.as_array().map(Vec::len) == Some(2) && !each(&left, "id").contains(id), "{left}");
        assert_eq!(place.ocs("site list --json", "").json(), json!([]));
        assert_eq!(
            audited(place, id),
            [
                "workspace_created",
                "site_made",
                "chat_key_made",
                "workspace_renamed",
                "site_deleted",
                "workspace_deleted"
            ]
        );
    });
}

#[test]
fn the_operator_of_the_machine_looks_after_a_team() {
    stopped_and_running(|place| {
        let workspace = &place.ocs("workspace list --json", "").json()[0]["id"];
        let site = |name: &str| {
            place.ocs(&format!("site add --workspace {workspace} --name {name} --json"), "").json()["site_id"].clone()
        };
        let (shop, studio) = (site("Shop"), site("Studio"));
        let ask = |verb: &str, rest: &str| {
            place.ocs(format!("member {verb} --workspace {workspace} --json {rest}").trim_end(), "")
        };
        let member = |verb: &str, rest: &str| ask(verb, rest).json();
        let vera = "--email vera@shop.example";

        let added = member("add", &format!("{vera} --role operator --site {shop}"));
        let fields = ["account_id", "active", "created_at", "email", "name", "role", "sites", "workspace_id"];
        assert_fields(&added, &fields);
        assert_eq!(
            (&added["role"], &added["sites"], &added["name"]),
            (&json!("operator"), &json!([shop]), &json!("vera"))
        );
        let list = place.ocs(&format!("member list --workspace {workspace}"), "").fine();
        assert!(list.contains("owner     otto@shop.example  otto  all sites"), "{list}");
        assert!(list.contains(&format!("operator  vera@shop.example  vera  sites {shop}")), "{list}");
        assert_eq!(each(&member("list", ""), "email"), ["otto@shop.example", "vera@shop.example"]);

        assert_eq!(member("sites", &format!("{vera} --site {shop} --site {studio}"))["sites"], json!([shop, studio]));
        assert_eq!(member("sites", &format!("{vera} --all"))["sites"], json!(null));
        assert_eq!(member("role", &format!("{vera} --role admin"))["role"], "admin");
        assert_eq!(member("deactivate", vera)["active"], false);
        assert!(place.ocs(&format!("member list --workspace {workspace}"), "").fine().contains("(deactivated)"));
        assert_eq!(member("activate", vera)["active"], true);

        for (verb, rest) in [("role", " --role admin"), ("deactivate", ""), ("remove", "")] {
            let refused = ask(verb, &format!("--email otto@shop.example{rest}")).refused();
            assert!(refused.contains("needs an owner; make somebody else the owner first"), "{verb}: {refused}");
        }
        member("role", &format!("{vera} --role owner"));
        assert_eq!(member("remove", "--email otto@shop.example")["role"], "owner");
        assert_eq!(each(&member("list", ""), "email"), ["vera@shop.example"]);
        assert!(ask("remove", vera).refused().contains("needs an owner"));
        let team = audited(place, workspace).split_off(4);
        assert_eq!(
            team,
            [
                "member_added",
                "member_changed",
                "member_changed",
                "member_changed",
                "member_changed",
                "member_changed",
                "member_changed",
                "member_removed"
            ]
        );
    });
}

#[test]
fn the_operator_of_the_machine_invites_somebody() {
    stopped_and_running(|place| {
        let workspace = &place.ocs("workspace list --json", "").json()[0]["id"];
        let invite = format!("member invite --workspace {workspace} --for Pia~P --role viewer");
        let invited = place.ocs(&format!("{invite} --days 3 --json"), "").json();
        let fields = ["expires_at", "invitation_id", "link", "note", "role", "sites", "workspace_id"];
        assert_fields(&invited, &fields);
        assert_eq!(
            (&invited["note"], &invited["role"], &invited["sites"]),
            (&json!("Pia P"), &json!("viewer"), &json!(null))
        );
        let said = place.ocs(&invite, "").fine();
        assert!(said.contains("Pia P can join with this link; it works once") && said.contains("/invite#"), "{said}");
        assert_eq!(audited(place, workspace), ["member_invited", "member_invited"]);
    });
}

#[test]
fn the_link_of_the_operator_of_the_machine_opens() {
    let place = Place::new();
    place.ocs("user add --email otto@shop.example --password-stdin --name Agency", PASSWORD).fine();
    let server = place.serve();
    let workspace = &place.ocs("workspace list --json", "").json()[0]["id"];
    let invite = format!("member invite --workspace {workspace} --for Pia --role viewer --json");
    let link = place.ocs(&invite, "").json()["link"].as_str().expect("a link").to_owned();
    let (url, token) = link.split_once("/invite#").expect("a token");
    assert_eq!(url, format!("http://{}", server.address));
    let offer = post(&server, "/api/console/invitation", &json!({ "token": token }));
    assert!(offer.contains(r#""workspace":"Agency""#) && offer.contains(r#""invited_by":"""#), "{offer}");
}

/// The whole answer to a request that needs no session.
fn post(server: &Server, path: &str, body: &Value) -> String {
    let (address, body) = (server.address, body.to_string());
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: close\r\n");
    let head = format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn the_operator_of_the_machine_looks_after_sites() {
    stopped_and_running(|place| {
        let workspace = &place.ocs("workspace list --json", "").json()[1]["id"];
        let added = place.ocs(&format!("site add --workspace {workspace} --name Shop --json"), "").json();
        assert_site(&added);
        let id = &added["site_id"];
        let site = |words: &str, end: &str| place.ocs(&format!("site {words} --site {id} --json{end}"), "").json();
        place.ocs("site add --owner otto@shop.example --name Other", "").fine();
        let list = place.ocs(&format!("site list --workspace {workspace} --json"), "").json();
        assert_fields(&list[0], &["name", "owner", "paused", "site_id", "widget_key", "workspace_id"]);
        assert_eq!(
            (each(&list, "site_id"), each(&list, "owner")),
            (vec![id.clone()], vec![json!("vera@shop.example")])
        );

        assert_eq!(site("rename", " --name Lamp~Shop")["name"], "Lamp Shop");
        assert_eq!(site("pause", "")["paused"], true);
        assert!(place.ocs("site list", "").fine().contains("Lamp Shop  (paused)"));
        assert_eq!(site("resume", "")["paused"], false);

        let widget = site("keys", " --rotate widget --grace 60");
        assert_fields(&widget, &["grace_s", "key", "kind", "site_id"]);
        assert_eq!((&widget["kind"], &widget["grace_s"]), (&json!("widget"), &json!(60)));
        assert_ne!(widget["key"], added["widget_key"]);
        let list = place.ocs(&format!("site list --workspace {workspace} --json"), "").json();
        assert_eq!(list[0]["widget_key"], widget["key"], "the snippet is shown with the new key");
        let chat = site("keys", " --rotate chat");
        assert_eq!((&chat["kind"], &chat["grace_s"]), (&json!("chat"), &json!(86_400)));
        assert!(
            chat["key"].as_str().is_some_and(|key| key.starts_with("chat_")) && chat["key"] != added["chat_api_key"]
        );
        let long = place.ocs(&format!("site keys --site {id} --rotate chat --grace 2592001"), "").refused();
        assert!(long.contains("--grace: at most 30 days"), "{long}");

        let refused = place.ocs(&format!("site remove --site {id} --yes-delete Shop"), "").refused();
        assert!(refused.contains("ocs site list") && refused.contains("nothing was removed"), "{refused}");
        assert_eq!(site("remove", " --yes-delete Lamp~Shop")["name"], "Lamp Shop");
        assert_eq!(each(&place.ocs("site list --json", "").json(), "name"), ["Other"]);
        assert_eq!(
            audited(place, workspace),
            [
                "site_made",
                "chat_key_made",
                "site_changed",
                "site_changed",
                "site_changed",
                "widget_key_made",
                "chat_key_made",
                "site_deleted"
            ]
        );
    });
}

#[test]
fn mistakes_with_teams_are_refused_with_what_to_do() {
    stopped_and_running(|place| {
        let own = &place.ocs("workspace list --json", "").json()[0]["id"];
        let site = place.ocs("site add --owner vera@shop.example --name Hers --json", "").json()["site_id"].clone();
        for (command, says) in [
            ("workspace add --owner pia@shop.example --name Agency", "ocs user list"),
            ("workspace add --owner otto@shop.example --name ~", "give the workspace a name"),
            ("workspace rename --workspace 99 --name Agency", "ocs workspace list"),
            ("workspace rename --workspace 0 --name Agency", "a whole number above 0"),
            ("workspace remove --workspace 99 --yes-delete Agency", "ocs workspace list"),
            ("workspace remove --workspace OWN", "--yes-delete"),
            ("member list --workspace 99", "ocs workspace list"),
            ("member add --workspace 99 --email vera@shop.example --role viewer", "ocs workspace list"),
            ("member add --workspace OWN --email pia@shop.example --role viewer", "ocs member invite"),
            ("member add --workspace OWN --email otto@shop.example --role viewer", "ocs member list"),
            ("member add --workspace OWN --email vera@shop.example --role boss", "viewer, operator, admin, owner"),
            ("member add --workspace OWN --email vera@shop.example --role viewer --site SITE", "no site"),
            ("member invite --workspace OWN --for ~ --role viewer", "for whom it is"),
            ("member invite --workspace OWN --for Pia --role viewer --days 31", "1 to 30 days"),
            ("member invite --workspace OWN --for Pia --role owner --site SITE", "an owner looks after all sites"),
            ("member role --workspace OWN --email vera@shop.example --role admin", "ocs member list"),
            ("member sites --workspace OWN --email otto@shop.example", "--all"),
            ("member sites --workspace OWN --email otto@shop.example --all --site SITE", "cannot be used with"),
            ("site add --name Shop", "--workspace"),
            ("site add --workspace OWN --owner otto@shop.example --name Shop", "cannot be used with"),
            ("site add --workspace 99 --name Shop", "ocs workspace list"),
            ("site list --workspace 99", "ocs workspace list"),
            ("site pause --site 99", "ocs site list"),
            ("site keys --site SITE", "--rotate"),
            ("audit --workspace OWN --email otto@shop.example", "cannot be used with"),
        ] {
            let command = command.replace("OWN", &own.to_string()).replace("SITE", &site.to_string());
            let text = place.ocs(&command, "").refused();
            assert!(text.contains(says), "`{command}` says: {text}");
        }
        assert_eq!(audited(place, own), Vec::<Value>::new(), "nothing was half done");
    });
}

/// A folder with chats and pictures in `data`.
fn with_pictures() -> Place {
    let place = Place::new();
    fs::write(place.path("old.tar"), crate::schemas::backup_of(1)).expect("writes");
    place.ocs("restore old.tar", "").fine();
    place.ocs("migrate", "").fine();
    place
}

#[test]
fn a_database_that_something_else_kept_becomes_a_new_folder() {
    let place = with_pictures();
    fs::copy(place.path("data/ocs.db"), place.path("kept.db")).expect("copies");
    let said = place.ocs("restore kept.db --images data/images --data fresh", "").fine();
    assert!(!said.contains("missing"), "{said}");
    assert!(place.ocs("doctor --data fresh", "").fine().contains("6 messages"));
    assert_ne!(epoch(&place.path("fresh/ocs.db")), epoch(&place.path("data/ocs.db")), "clients notice");
    assert_eq!(files_below(&place.path("fresh/images")), files_below(&place.path("data/images")));

    let said = place.ocs("restore kept.db --data bare", "").fine();
    assert!(said.contains("5 image files are missing"), "{said}");
    assert!(place.ocs("restore old.tar --images data/images --data x", "").refused().contains("database file"));
    fs::write(place.path("kept.db-wal"), "not folded in").expect("writes");
    assert!(place.ocs("restore kept.db --data x", "").refused().contains("kept.db-wal"));
    assert!(!place.path("x").exists());
}

fn files_below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            found.extend(files_below(&entry.path()));
        } else {
            found.push((entry.file_name().into_string().expect("a name"), fs::read(entry.path()).expect("a file")));
        }
    }
    found.sort();
    found
}

/// The disk is as full as a limit on the size of files makes it: a write fails as it does there.
#[test]
fn a_backup_and_a_restore_that_do_not_fit_leave_nothing() {
    let place = with_pictures();
    let before = files_below(&place.path("data/images"));
    let database = bytes_in_use(&place.path("data/ocs.db"));
    fs::create_dir(place.path("target")).expect("a folder");
    // Too little for the copy of the database, and enough for that but not for the file.
    for kilobytes in [64, database / 1024 + 1] {
        let said = limited(&place, kilobytes, &["backup", "target/chats.tar"]);
        assert!(said.contains("full") || said.contains("large"), "{said}");
        assert_eq!(fs::read_dir(place.path("target")).expect("a folder").count(), 0, "{said}");
    }
    limited(&place, 64, &["restore", "old.tar", "--data", "target/fresh"]);
    assert_eq!(fs::read_dir(place.path("target")).expect("a folder").count(), 0);
    assert_eq!(files_below(&place.path("data/images")), before);
    assert!(place.ocs("doctor", "").fine().contains("6 messages"), "what is served is untouched");
    place.ocs("backup target/chats.tar", "").fine();
}

/// What a copy of a database takes: a migration leaves pages that are free.
fn bytes_in_use(database: &Path) -> u64 {
    let conn = rusqlite::Connection::open(database).expect("a database");
    let in_use = "SELECT (c.page_count - f.freelist_count) * s.page_size
        FROM pragma_page_count AS c, pragma_freelist_count AS f, pragma_page_size AS s";
    conn.query_row(in_use, [], |row| row.get::<_, i64>(0)).expect("pages").unsigned_abs()
}

/// What `ocs` says when no file may grow over this size.
fn limited(place: &Place, kilobytes: u64, arguments: &[&str]) -> String {
    let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" \"$@\"");
    let mut run = Command::new("bash");
    run.current_dir(place.0.path()).env("OCS_DATA", "data").args(["-c", &script, env!("CARGO_BIN_EXE_ocs")]);
    Done(run.args(arguments).output().expect("the program runs")).refused()
}
