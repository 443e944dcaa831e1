//! A request that is refused before its body was read is answered all the same: the client sees the refusal, and no reset;
//! directly, and behind the proxies of docs/proxies.md.

use std::io::Write;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clients::lines_of;
use crate::connections::Raw;
use crate::proxies::Proxy;
use crate::tls::tls_world;
use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(30);
const TRIES: usize = 50;
const CURL_TRIES: usize = 5;
/// Larger than all buffers on the way together.
const LARGE: usize = 1024 * 1024;

/// What is asked, and how it is refused.
const REFUSALS: &[(&str, &str)] = &[
    ("POST /api/widget/images HTTP/1.1\r\nContent-Type: image/png\r\n", "401"),
    ("POST /api/widget/images HTTP/1.1\r\nAuthorization: Bearer wrong\r\nContent-Type: image/png\r\n", "401"),
    ("PUT /api/console/sites/1/logo HTTP/1.1\r\nContent-Type: image/png\r\n", "401"),
    ("POST /api/chat_api.php?action=reply_as_agent&key=wrong HTTP/1.1\r\nContent-Type: application/json\r\n", "401"),
    ("POST /api/widget HTTP/1.1\r\nContent-Type: application/json\r\n", "413"),
    ("POST /api/widget HTTP/1.1\r\nContent-Type: text/plain\r\n", "400"),
    ("GET /uploads/logos/none.png HTTP/1.1\r\n", "404"),
    ("DELETE /healthz HTTP/1.1\r\n", "405"),
];

/// Sends all of the body before it reads a word, as simple clients do. What came back: its status, or what went wrong.
async fn ask(address: &str, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!("{head}Host: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    if let Err(error) = stream.write_all(head.as_bytes()).await {
        return format!("the head: {error}");
    }
    if let Err(error) = stream.write_all(body).await {
        return format!("the body: {error}");
    }
    let mut answer = Vec::new();
    match timeout(PATIENCE, stream.read_to_end(&mut answer)).await {
        Err(_) => "no end".to_owned(),
        Ok(Err(error)) => format!("the answer: {error}"),
        Ok(Ok(_)) => {
            let answer = String::from_utf8_lossy(&answer).into_owned();
            answer.split(' ').nth(1).unwrap_or("nothing").to_owned()
        }
    }
}

async fn every_refusal_is_seen(address: &str, bytes: usize) {
    let body = vec![b'x'; bytes];
    for (head, status) in REFUSALS {
        let answers = stream::iter(0..TRIES).map(|_| ask(address, head, &body)).buffer_unordered(8);
        let others: Vec<String> = answers.filter(|answer| std::future::ready(answer != status)).collect().await;
        assert!(others.is_empty(), "{head}: {} of {TRIES} were no {status}: {:?}", others.len(), others[0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_seen_however_large_the_body() {
    let world = World::new().await;
    every_refusal_is_seen(world.address(), 4 * LARGE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_seen_behind_nginx() {
    let world = World::new().await;
    every_refusal_is_seen(&Proxy::nginx(world.address()).address, LARGE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_seen_behind_caddy() {
    let world = World::new().await;
    every_refusal_is_seen(&Proxy::caddy(world.address()).address, LARGE).await;
}

/// curl drops an answer whose stream is reset while it sends. It sends `Expect: 100-continue` with bodies above 1 MB only.
async fn curl_sees_every_refusal(base: &str, options: &[&str], bytes: usize) {
    let mut body = tempfile::NamedTempFile::new().expect("a file");
    body.write_all(&vec![b'x'; bytes]).expect("written");
    for (head, status) in REFUSALS {
        let mut lines = head.lines();
        let words: Vec<&str> = lines.next().expect("a request line").split(' ').collect();
        let (method, path) = (words[0], words[1]);
        let mut arguments: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        arguments.extend(["--silent", "--show-error", "--insecure", "--max-time", "30"].map(str::to_owned));
        arguments.extend(["--output", "/dev/null", "--write-out", "%{http_code}\\n"].map(str::to_owned));
        arguments.extend(lines.flat_map(|header| ["--header".to_owned(), header.to_owned()]));
        arguments.extend(["--data-binary".to_owned(), format!("@{}", body.path().display())]);
        arguments.extend(["--request".to_owned(), method.to_owned(), format!("{base}{path}")]);
        // Each time anew: curl 7.88 cannot use a connection twice that began as HTTP/2 without TLS.
        for _ in 0..CURL_TRIES {
            let arguments = arguments.clone();
            let statuses = lines_of("curl", move |command| {
                command.args(arguments);
            });
            assert_eq!(statuses.await, [*status], "{base} {head} {bytes} bytes");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_sees_a_refusal_over_http2() {
    let world = World::new().await;
    let base = format!("http://{}", world.address());
    for bytes in [LARGE / 2, 4 * LARGE] {
        curl_sees_every_refusal(&base, &["--http2-prior-knowledge"], bytes).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_sees_a_refusal_over_our_own_tls() {
    let (world, _) = tls_world().await;
    let base = format!("https://{}", world.address());
    for bytes in [LARGE / 2, 4 * LARGE] {
        curl_sees_every_refusal(&base, &["--http2"], bytes).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_sees_a_refusal_behind_caddy_with_expect() {
    let world = World::new().await;
    let proxy = Proxy::caddy(world.address());
    let base = format!("http://{}", proxy.address);
    for _ in 0..4 {
        curl_sees_every_refusal(&base, &[], 4 * LARGE).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn php_sees_a_refusal_over_http2() {
    let (secure, _) = tls_world().await;
    let plain = World::new().await;
    let (secure, plain) = (format!("https://{}", secure.address()), format!("http://{}", plain.address()));
    let statuses = lines_of("php", move |command| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/refused.php");
        command.args([script, &secure, &plain]);
    });
    let statuses = statuses.await;
    assert!(statuses.len() >= 18 && statuses.iter().all(|line| line == "401 on HTTP/2"), "{statuses:?}");
}

/// What is read after a refusal is bounded: in bytes, in silence, and in how many of one address are waited for at once.
#[tokio::test]
async fn nobody_holds_a_place_by_what_is_not_read() {
    let world = World::new().await;
    let head = "POST /api/widget/images HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000\r\n\r\n";
    // Somebody who sends without end.
    let endless = async {
        let mut raw = Raw::open(&world).await;
        raw.say(head.as_bytes()).await;
        let piece = vec![b'x'; LARGE];
        let mut sent = 0;
        while raw.0.write_all(&piece).await.is_ok() {
            sent += LARGE;
        }
        sent
    };
    let sent = timeout(PATIENCE, endless).await.expect("it is cut off");
    assert!(sent <= 96 * LARGE, "{sent} bytes were read for nothing");
    // Some who say nothing more: each is let go soon; those beyond an address's share at once.
    let mut silent = Vec::new();
    for _ in 0..100 {
        let mut raw = Raw::from(&world, "127.0.0.9").await;
        raw.say(head.as_bytes()).await;
        silent.push(raw);
    }
    let open = async || {
        let figures = String::from_utf8(world.http().get("/metrics").await.bytes.to_vec()).expect("text");
        let line = figures.lines().find_map(|line| line.strip_prefix("ocs_connections ")).expect("a figure").to_owned();
        line.parse::<usize>().expect("a number")
    };
    let begun = Instant::now();
    while open().await > 40 {
        assert!(begun.elapsed() < Duration::from_secs(4), "{} connections are waited for", open().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    while open().await > 2 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} hold their places", open().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
