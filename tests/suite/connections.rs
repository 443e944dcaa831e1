//! The server loop on raw sockets: who is too slow goes, who is too many waits outside, and nobody else notices.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use ocs::config::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::world::World;

/// Long after every time-out of these tests, and long before those that a server has by default.
const PATIENCE: Duration = Duration::from_secs(8);
const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

fn impatient(config: &mut Config) {
    (config.head_seconds, config.idle_seconds, config.body_seconds) = (1, 2, 1);
}

/// A connection by hand.
pub struct Raw(pub TcpStream);

impl Raw {
    /// From this machine.
    pub async fn open(world: &World) -> Raw {
        Raw(TcpStream::connect(world.address()).await.expect("a connection"))
    }

    /// From another address of this machine.
    pub async fn from(world: &World, address: &str) -> Raw {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::new(address.parse().expect("an address"), 0)).expect("an address of this machine");
        Raw(socket.connect(world.address().parse().expect("an address")).await.expect("a connection"))
    }

    /// Sends bytes as they are.
    pub async fn say(&mut self, bytes: &[u8]) {
        // It may be over already.
        let _ = self.0.write_all(bytes).await;
    }

    /// The whole of the next answer to a health question; none when the connection ends instead.
    async fn answer(&mut self) -> Option<String> {
        let mut text = Vec::new();
        while !text.ends_with(b"ok\n") {
            let byte = timeout(PATIENCE, self.0.read_u8()).await.expect("an answer or an end").ok()?;
            text.push(byte);
        }
        Some(String::from_utf8(text).expect("text"))
    }

    /// Everything until the server closes it; none when it stays open.
    pub async fn end(&mut self) -> Option<Vec<u8>> {
        let mut rest = Vec::new();
        match timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.ok()? {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
            _ => Some(rest),
        }
    }
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let world = World::with(impatient).await;
    for begun in [&b""[..], b"G", b"PRI", b"PRI * HTTP/2.0\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let mut raw = Raw::open(&world).await;
        raw.say(begun).await;
        let rest = raw.end().await;
        assert!(rest.is_some(), "{:?} holds its place for ever", String::from_utf8_lossy(begun));
    }
    // Word by word is no better.
    let mut raw = Raw::open(&world).await;
    let (mut reading, mut writing) = raw.0.split();
    let drip = async {
        loop {
            if writing.write_all(b"X-Slow: 1\r\n").await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let mut rest = Vec::new();
    let ended = async {
        tokio::select! { ended = reading.read_to_end(&mut rest) => drop(ended), () = drip => {} }
    };
    timeout(PATIENCE, ended).await.expect("a head that never ends is not waited for");
    assert_eq!(world.http().get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_kept_connection_waits_a_while_and_then_goes() {
    let world = World::with(|config| {
        impatient(config);
        config.idle_seconds = 3;
    })
    .await;
    let mut raw = Raw::open(&world).await;
    for _ in 0..2 {
        raw.say(REQUEST).await;
        assert!(raw.answer().await.is_some_and(|answer| answer.starts_with("HTTP/1.1 200")));
        // The wait itself is what is tested: longer than a head may take, shorter than a connection may idle.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
    raw.say(REQUEST).await;
    assert!(raw.answer().await.is_some(), "silence between requests is not held against it");
    assert_eq!(raw.end().await.as_deref(), Some(&b""[..]), "but not for ever");
    // The next head, once begun, has the time of a head.
    let mut raw = Raw::open(&world).await;
    raw.say(REQUEST).await;
    raw.answer().await.expect("an answer");
    raw.say(b"GET /healthz HTTP/1.1\r\n").await;
    let begun = std::time::Instant::now();
    raw.end().await.expect("it ends");
    assert!(
        begun.elapsed() < Duration::from_millis(2_900),
        "it had the time of an idle connection: {:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_body_that_does_not_come_is_refused() {
    let world = World::with(impatient).await;
    let shop = world.owner("otto").await.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let token = format!("Authorization: Bearer {}\r\n", vera.token);
    for (path, kind) in [("/api/widget", "application/json"), ("/api/widget/images", "image/png")] {
        let mut raw = Raw::open(&world).await;
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: x\r\n{token}Content-Type: {kind}\r\nContent-Length: 100\r\n\r\n{{");
        raw.say(head.as_bytes()).await;
        let rest = raw.end().await.expect("it ends");
        let rest = String::from_utf8_lossy(&rest);
        assert!(rest.starts_with("HTTP/1.1 400") && rest.contains("the body took too long"), "{path}: {rest}");
    }
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_not_waited_for() {
    let world = World::new().await;
    let mut raw = Raw::open(&world).await;
    raw.say(format!("{POST}Content-Length: 10000000000\r\n\r\n{{").as_bytes()).await;
    let rest = raw.end().await.expect("an answer at once");
    assert!(rest.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&rest));
}

const POST: &str = "POST /api/widget HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

/// What two programs might read as two different things is one refusal, and nothing after it is taken for a request.
#[tokio::test]
async fn no_request_hides_in_another() {
    let world = World::new().await;
    let hidden = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let post = |headers: &str, body: &str| format!("{POST}{headers}\r\n\r\n{body}{hidden}");
    let get = |head: &str| format!("{head}\r\n\r\n");
    for request in [
        post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        post("Content-Length: 2\r\nContent-Length: 40", "{}"),
        post("Content-Length: 2, 2", "{}"),
        post("Content-Length: -1", "{}"),
        post("Content-Length: +2", "{}"),
        post("Content-Length: 0x2", "{}"),
        post("Content-Length : 2", "{}"),
        post("Content-Length: 99999999999999999999", "{}"),
        post("Transfer-Encoding: xchunked", "0\r\n\r\n"),
        post("Transfer-Encoding: identity", "{}"),
        post("Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
        post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"),
        post("Transfer-Encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked", "-2\r\n{}\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked", "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked", "2\n{}\n0\n\n"),
        get("GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b"),
        get("GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\rb"),
        get("GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\0b"),
        get("GET /healthz"),
        get("GET /healthz HTTP/2.0\r\nHost: x"),
    ] {
        let mut raw = Raw::open(&world).await;
        raw.say(request.as_bytes()).await;
        let said = String::from_utf8_lossy(&raw.end().await.unwrap_or_else(|| panic!("it stays open: {request}")))
            .into_owned();
        assert!(said.starts_with("HTTP/1.1 400"), "{request}\n{said}");
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{request}\n{said}");
    }
}

/// Read by its `Transfer-Encoding` alone (RFC 9112, section 6.1).
#[tokio::test]
async fn a_request_of_two_lengths_is_the_last_of_its_connection() {
    let world = World::new().await;
    let hidden = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let (length, encoding) = ("Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n");
    for both in [[length, encoding].concat(), [encoding, length].concat()] {
        for body in ["0\r\n\r\n", "2\r\nab\r\n0\r\n\r\n"] {
            let mut raw = Raw::open(&world).await;
            raw.say(format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{both}\r\n{body}{hidden}").as_bytes()).await;
            let said = String::from_utf8_lossy(&raw.end().await.expect("an end")).into_owned();
            assert!(said.starts_with("HTTP/1.1 200") && said.contains("connection: close"), "{both}{body}: {said}");
            assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{both}{body}: {said}");
        }
    }
}

#[tokio::test]
async fn a_request_says_one_host() {
    let world = World::new().await;
    for (head, status) in [
        ("GET /healthz HTTP/1.1\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nHost: a\"><script>\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nHost: me@evil.example\r\n", "400"),
        ("GET http://a.example/healthz HTTP/1.1\r\nHost: b.example\r\n", "400"),
        ("GET http://me@a.example/healthz HTTP/1.1\r\nHost: a.example\r\n", "400"),
        ("GET http://A.example/healthz HTTP/1.1\r\nHost: a.example\r\n", "200"),
        ("GET /healthz HTTP/1.1\r\nHost: [::1]:8080\r\n", "200"),
        ("GET /healthz HTTP/1.1\r\nHost: my_box.lan\r\n", "200"),
        ("GET /healthz HTTP/1.0\r\n", "200"),
    ] {
        let mut raw = Raw::open(&world).await;
        raw.say(format!("{head}Connection: close\r\n\r\n").as_bytes()).await;
        let said = String::from_utf8_lossy(&raw.end().await.expect("an end")).into_owned();
        assert!(said.split(' ').nth(1) == Some(status), "{head}: {said}");
        assert!(!said.contains("<script>"), "{said}");
    }
}

#[tokio::test]
async fn lines_outlive_every_time_out() {
    let world = World::with(impatient).await;
    let shop = world.owner("otto").await.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let mut page = vera.listen().await;
    page.frame("welcome").await;
    let mut stream = Raw::open(&world).await;
    let head = format!(
        "GET /api/widget/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nLast-Event-ID: {}\r\n\r\n",
        vera.token,
        vera.state["cursor"].as_str().expect("a cursor")
    );
    stream.say(head.as_bytes()).await;
    // Longer than head, idle and body time together.
    tokio::time::sleep(Duration::from_secs(5)).await;
    vera.send("v1", "Still there?").await.ok();
    assert_eq!(page.messages(1).await, ["Still there?"]);
    let mut heard = String::new();
    while !heard.contains("Still there?") {
        let mut some = [0; 4096];
        let count = timeout(PATIENCE, stream.0.read(&mut some)).await.expect("news in time").expect("an open stream");
        assert!(count > 0, "the stream ended: {heard}");
        heard += &String::from_utf8_lossy(&some[..count]);
    }
}

#[tokio::test]
async fn one_address_has_its_share_of_connections() {
    let world = World::with(|config| config.max_connections_per_address = 3).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut raw = Raw::from(&world, "127.0.0.9").await;
        raw.say(REQUEST).await;
        raw.answer().await.expect("an answer");
        held.push(raw);
    }
    let mut fourth = Raw::from(&world, "127.0.0.9").await;
    fourth.say(REQUEST).await;
    assert_eq!(fourth.answer().await, None, "one more than its share");
    let mut other = Raw::from(&world, "127.0.0.10").await;
    other.say(REQUEST).await;
    assert!(other.answer().await.is_some(), "another address has its own share");
    // Whoever leaves makes room.
    drop(held.pop());
    let room = async {
        loop {
            let mut next = Raw::from(&world, "127.0.0.9").await;
            next.say(REQUEST).await;
            if next.answer().await.is_some() {
                break;
            }
        }
    };
    timeout(PATIENCE, room).await.expect("the place is given again");
}

#[tokio::test]
async fn a_web_socket_keeps_its_place() {
    let world = World::with(|config| config.max_connections_per_address = 2).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut raw = Raw::from(&world, "127.0.0.9").await;
        raw.say(
            b"GET /api/widget/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await;
        let mut answer = [0; 12];
        timeout(PATIENCE, raw.0.read_exact(&mut answer)).await.expect("in time").expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 101");
        held.push(raw);
    }
    let mut third = Raw::from(&world, "127.0.0.9").await;
    third.say(REQUEST).await;
    assert_eq!(third.answer().await, None, "sockets are not counted");
}

#[tokio::test]
async fn a_proxys_connections_count_only_among_all() {
    let world = World::with(|config| {
        config.max_connections_per_address = 2;
        config.trusted_proxies = vec![std::net::IpAddr::from([127, 0, 0, 9]).into()];
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..6 {
        let mut raw = Raw::from(&world, "127.0.0.9").await;
        raw.say(REQUEST).await;
        assert!(raw.answer().await.is_some());
        held.push(raw);
    }
}

#[tokio::test]
async fn beyond_the_most_connections_others_wait_and_are_served_later() {
    let world = World::with(|config| {
        impatient(config);
        config.max_connections = 4;
    })
    .await;
    // They hold all places and say nothing; each is let go, and whoever waited is served.
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(Raw::open(&world).await);
    }
    let mut waiting = Raw::open(&world).await;
    waiting.say(REQUEST).await;
    assert!(waiting.answer().await.is_some(), "silent connections shut others out");
}
