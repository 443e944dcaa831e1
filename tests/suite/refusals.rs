//! A request that is refused before its body was read is answered all the same: the client sees the refusal, and no reset;
//! directly, and behind the proxies of docs/proxies.md.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::connections::Raw;
use crate::proxies::Proxy;
use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(30);
const TRIES: usize = 50;
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
