//! What the product takes of its machine, as far as it holds on a busy one: CPU time and memory of a real server, counted
//! by `ocs bench`, and allocations. Rates and latencies are benchmarks and not asked for here. Each bound is shown to be one
//! that can be missed.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use hyper::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{Http, Owner};

/// The bounds are for a debug build, which is some ten times slower. They stand between what is and what a mistake of the
/// kind that they are for makes of it: a commit for each message, HTTP's task held beside each socket.
const CPU_OF_A_MESSAGE_US: f64 = 1_000.0;
const MEMORY_AT_START_MB: f64 = 15.0;
const MEMORY_AFTER_LOAD_MB: f64 = 64.0;
const MEMORY_OF_A_SOCKET: f64 = 8.0 * 1024.0;
/// A lone message asks the allocator so often, in a debug build: 430 times, and 460 where the machine is busy and the index
/// keeps up with it. How many share a commit depends on the machine.
const ALLOCATIONS_OF_A_MESSAGE: f64 = 600.0;
/// Visitors that a short run lets in.
const VISITORS: f64 = 64.0;
/// Streams that are compared with sockets; fewer than one address may open.
const STREAMS: usize = 150;
/// Peak memory per byte of a chat API body, however the body is written.
const PEAK_PER_BODY_BYTE: f64 = 8.0;

/// Figures of a run.
struct Figures(Value);

impl Figures {
    fn of(arguments: &[&str]) -> Figures {
        let folder = tempfile::tempdir().expect("a folder");
        let json = folder.path().join("figures.json");
        let place = folder.path().to_str().expect("a path");
        let done = Command::new(env!("CARGO_BIN_EXE_ocs"))
            .args(["bench", "--seconds", "1", "--idle-seconds", "1", "--sockets", "400", "--folder", place, "--json"])
            .arg(&json)
            .args(arguments)
            .output()
            .expect("a run");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Figures(serde_json::from_slice(&fs::read(&json).expect("figures")).expect("JSON"))
    }

    fn of_name(&self, name: &str) -> &Value {
        let mut figures = self.0["figures"].as_array().into_iter().flatten();
        figures.find(|figure| figure["name"] == name).unwrap_or_else(|| panic!("no {name} in {:#}", self.0))
    }
}

fn assert_within(figure: &Value, field: &str, most: f64) {
    let value = figure[field].as_f64().unwrap_or_else(|| panic!("no {field} in {figure}"));
    assert!(figure["failed"] == 0 && value <= most, "{field} may be {most}: {figure:#}");
}

#[test]
fn a_message_takes_its_share_of_cpu_and_the_server_stays_small() {
    let figures = Figures::of(&["--only", "fresh,send"]);
    assert_within(figures.of_name("fresh"), "value", MEMORY_AT_START_MB);
    assert_within(figures.of_name("send"), "server_cpu_us", CPU_OF_A_MESSAGE_US);
    assert_within(figures.of_name("memory"), "value", MEMORY_AFTER_LOAD_MB);
    let lone = Figures::of(&["--only", "send_1"]);
    let alone = lone.of_name("send_1")["server_cpu_us"].as_f64().expect("a figure");
    assert!(alone > CPU_OF_A_MESSAGE_US, "a commit for each message would go unnoticed: {alone}");
}

#[test]
fn an_idle_visitor_takes_little_memory_and_all_come_back() {
    let figures = Figures::of(&["--only", "idle,storm"]);
    assert_within(figures.of_name("idle_memory"), "value", MEMORY_OF_A_SOCKET);
    assert!(figures.of_name("storm")["value"].as_f64().is_some_and(|seconds| seconds > 0.0));
}

/// The same memory, where HTTP's task is held beside each visitor: that is what a stream is.
#[tokio::test]
async fn http_held_beside_each_idle_visitor_would_be_noticed() {
    let server = Counted::start();
    let http = Http::to(&server.address);
    let body = json!({ "email": "otto@example.org", "password": "correct horse battery", "name": "Otto" });
    let otto = Owner::from(http.clone(), http.json(Method::POST, "/api/console/sign-up", &[], &body).await);
    let shop = otto.site("Shop").await;
    let (mut requests, mut streams) = (Vec::new(), Vec::new());
    for n in 0..STREAMS {
        let start =
            json!({ "do": "start", "key": shop.widget_key, "external_id": format!("v{n}"), "anonymous": false });
        let state = http.json(Method::POST, "/api/widget", &[], &start).await.ok();
        let (token, cursor) = (state["token"].as_str().expect("a token"), state["cursor"].as_str().expect("a cursor"));
        requests.push(format!(
            "GET /api/widget/stream HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\nlast-event-id: {cursor}\r\n\r\n",
            server.address
        ));
    }
    let before = server.memory();
    for request in requests {
        let mut stream = TcpStream::connect(&server.address).await.expect("a connection");
        stream.write_all(request.as_bytes()).await.expect("goes up");
        let mut said = String::new();
        while !said.contains(r#""type":"beat""#) {
            let mut some = [0; 1_024];
            let count = stream.read(&mut some).await.expect("an answer");
            assert!(count > 0, "it ended: {said}");
            said.push_str(&String::from_utf8_lossy(&some[..count]));
        }
        streams.push(stream);
    }
    let each = (server.memory() - before) / STREAMS as f64;
    assert!(each > MEMORY_OF_A_SOCKET, "{each:.0} for a stream: a bound that this keeps is too wide");
}

/// A server whose allocations are counted.
struct Counted {
    folder: TempDir,
    address: String,
    server: Child,
}

impl Counted {
    fn start() -> Counted {
        let folder = tempfile::tempdir().expect("a folder");
        let (library, count) = (folder.path().join("allocations.so"), folder.path().join("count"));
        compile(&library);
        File::create(&count).and_then(|file| file.set_len(4_096)).expect("a page to count in");
        let address = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").to_string();
        let mut server = Command::new(env!("CARGO_BIN_EXE_ocs"))
            .args(["serve", "--listen", &address, "--set", "new_visitors_per_hour=100000", "--set", "log=error"])
            .args(["--set", "attack_visitors_per_minute=100000", "--data"])
            .arg(folder.path().join("data"))
            .env("LD_PRELOAD", &library)
            .env("ALLOCATIONS", &count)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server");
        let ready = BufReader::new(server.stdout.take().expect("its words")).lines().next();
        assert!(ready.is_some_and(|line| line.is_ok_and(|line| line.contains("ready"))), "it did not start");
        Counted { folder, address, server }
    }

    /// Bytes that are its own, and not of files.
    fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.id())).expect("its state");
        kilobytes(&status, "RssAnon:") * 1024.0
    }

    /// Bytes by which resident memory rose at most while `work` ran.
    async fn peak_during<T>(&self, work: impl Future<Output = T>) -> (f64, T) {
        let process = format!("/proc/{}", self.server.id());
        let status = || fs::read_to_string(format!("{process}/status")).expect("its state");
        // proc(5): 5 sets the peak back to what is resident now.
        fs::write(format!("{process}/clear_refs"), "5").expect("its peak starts anew");
        let before = kilobytes(&status(), "VmRSS:");
        let done = work.await;
        ((kilobytes(&status(), "VmHWM:") - before) * 1024.0, done)
    }

    fn so_far(&self) -> u64 {
        let mut bytes = [0; 8];
        let count = File::open(self.folder.path().join("count")).expect("the count");
        count.read_exact_at(&mut bytes, 0).expect("eight bytes");
        u64::from_ne_bytes(bytes)
    }

    async fn stored(&self) -> u64 {
        let metrics = Http::to(&self.address).get("/metrics").await;
        let text = String::from_utf8(metrics.bytes.to_vec()).expect("text");
        let line = text.lines().find_map(|line| line.strip_prefix("ocs_messages_stored_total "));
        line.expect("the counter").parse().expect("a number")
    }

    /// What a run asks of the allocator, and how many messages it stores.
    async fn during(&self, only: &str) -> (u64, u64) {
        let (allocations, messages) = (self.so_far(), self.stored().await);
        Figures::of(&["--url", &format!("http://{}", self.address), "--only", only]);
        (self.so_far() - allocations, self.stored().await - messages)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn kilobytes(status: &str, field: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn compile(library: &Path) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/allocations.c");
    let done = Command::new("cc").args(["-O2", "-shared", "-fPIC", "-o"]).arg(library).arg(source).status();
    assert!(done.expect("a C compiler").success());
}

#[tokio::test]
async fn a_message_asks_the_allocator_only_so_often() {
    let server = Counted::start();
    let (coming, none) = server.during("fresh").await;
    let (all, messages) = server.during("send_1").await;
    assert_eq!(none, 0);
    // Without what its people's coming takes.
    let each = all.saturating_sub(coming) as f64 / messages as f64;
    assert!(each < ALLOCATIONS_OF_A_MESSAGE, "{each:.0} for each message");
    let arrival = coming as f64 / VISITORS;
    assert!(arrival > ALLOCATIONS_OF_A_MESSAGE, "{arrival:.0} for an arrival: a bound that this keeps is too wide");
}

/// Mallory has a key. Bodies of a million tiny fields take memory for their bytes, not for their fields.
#[tokio::test]
async fn a_body_of_many_tiny_fields_takes_memory_for_its_bytes_alone() {
    let server = Counted::start();
    let http = Http::to(&server.address);
    let body = json!({ "email": "mallory@example.org", "password": "correct horse battery", "name": "Mallory" });
    let mallory = Owner::from(http.clone(), http.json(Method::POST, "/api/console/sign-up", &[], &body).await);
    let shop = mallory.site("Shop").await;
    let limits = json!({ "messages_per_minute": 20, "api_per_minute": 1000, "image_bytes": 3 << 20 });
    mallory.configure(&shop, json!({ "limits": limits })).await;
    let path = format!("/api/chat_api.php?action=reply_as_agent&key={}", shop.chat_key);
    let form = "application/x-www-form-urlencoded";
    let part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n";
    let mut most = 0.0;
    let mebibytes = |text: &str| text.repeat((4 << 20) / text.len());
    for (kind, body, status) in [
        (form, mebibytes("a&"), 400),
        (form, mebibytes("content&"), 400),
        ("multipart/form-data; boundary=x", format!("{}--x--", mebibytes(part)), 400),
        ("application/json", format!(r#"{{"x":[{}0],"conversation_id":1,"content":"Hello"}}"#, mebibytes("0,")), 404),
        ("application/json", format!(r#"{{"content":[{}0]}}"#, mebibytes("0,")), 400),
        ("application/json", format!(r#"{{{}"content":"Hello"}}"#, mebibytes(r#""a":0,"#)), 400),
        ("application/json", format!(r#"{{"x":{}{}}}"#, "[".repeat(2 << 20), "]".repeat(2 << 20)), 400),
    ] {
        let (bytes, start) = (body.len() as f64, body[..20].to_owned());
        let (peak, answer) = server.peak_during(http.send(Method::POST, &path, &[("content-type", kind)], body)).await;
        assert_eq!(answer.status, status, "{start}: {}", String::from_utf8_lossy(&answer.bytes));
        let each = peak / bytes;
        // Later bodies are read into memory that earlier ones have left.
        most = f64::max(most, each);
        assert!(each < PEAK_PER_BODY_BYTE, "{start}: {each:.1} for each byte");
    }
    assert!(most > 1.0, "{most:.1} for each byte: not even the body was seen");
}
