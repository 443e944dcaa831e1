//! HTTP/2 by hand: many requests on one connection get nobody more than many connections would.

use std::time::Duration;

use bytes::Bytes;
use h2::client::{self, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream};
use hyper::{Method, Request};
use ocs::config::Config;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::connections::Raw;
use crate::images::{png, upload};
use crate::program::Program;
use crate::world::World;

/// Long after every time-out of these tests, and long before those that a server has by default.
const PATIENCE: Duration = Duration::from_secs(12);

fn impatient(config: &mut Config) {
    (config.head_seconds, config.idle_seconds, config.body_seconds) = (1, 2, 1);
}

/// A client whose streams take `window` bytes of each answer, and no more until they are asked for.
async fn connect(stream: TcpStream, window: u32) -> SendRequest<Bytes> {
    let shaken = client::Builder::new().initial_window_size(window).handshake(stream).await;
    let (sender, connection) = shaken.expect("http/2");
    // Answers pings as long as the test lives.
    tokio::spawn(async move { drop(connection.await) });
    sender
}

async fn open(world: &World, window: u32) -> SendRequest<Bytes> {
    connect(TcpStream::connect(world.address()).await.expect("a connection"), window).await
}

fn get(address: &str, path: &str) -> Request<()> {
    Request::builder().uri(format!("http://{address}{path}")).body(()).expect("a request")
}

/// As many requests at once as the server lets one connection have.
async fn ask(sender: &mut SendRequest<Bytes>, address: &str, path: &str, count: usize) -> Vec<ResponseFuture> {
    let mut asked = Vec::new();
    for _ in 0..count {
        let ready = timeout(Duration::from_millis(300), sender.clone().ready()).await;
        let Ok(Ok(mut ready)) = ready else { break };
        let Ok((answer, _)) = ready.send_request(get(address, path), true) else { break };
        asked.push(answer);
    }
    asked
}

/// Reads an answer's body without enlarging the stream's window. Returns its length, or how the stream ended.
async fn end_of(mut body: RecvStream) -> Result<usize, h2::Error> {
    let mut bytes = 0;
    while let Some(data) = body.data().await {
        bytes += data?.len();
    }
    Ok(bytes)
}

#[tokio::test]
async fn an_answer_that_is_not_read_is_held_for_a_while_only() {
    let world = World::with(impatient).await;
    let shop = world.owner("otto").await.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let image = upload(&world, &vera, png(600, 400)).await.ok()["image"]["url"].clone();
    let path = image.as_str().expect("a path");
    for window in [0, 1] {
        let mut sender = open(&world, window).await;
        let mut ready = sender.clone().ready().await.expect("ready");
        let (answer, _) = ready.send_request(get(world.address(), path), true).expect("goes up");
        let answer = timeout(PATIENCE, answer).await.expect("in time").expect("an answer");
        assert_eq!(answer.status(), 200);
        let ended = timeout(PATIENCE, end_of(answer.into_body())).await;
        let ended = ended.unwrap_or_else(|_| panic!("a stream with a window of {window} is held for ever"));
        assert!(ended.is_err(), "a window of {window}: the picture was not taken");
        // Nothing was taken: the stream alone is reset. One byte was taken: the rest of its frame is already being written,
        // which only the end of the connection stops.
        let health = ask(&mut sender, world.address(), "/healthz", 1).await;
        assert_eq!(health.len(), usize::from(window == 0), "a window of {window}: does the connection go on?");
    }
}

#[tokio::test]
async fn a_stream_that_waits_for_news_is_left_alone() {
    let world = World::with(impatient).await;
    let shop = world.owner("otto").await.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let sender = open(&world, 65_535).await;
    let request = Request::builder()
        .uri(format!("http://{}/api/widget/stream", world.address()))
        .header("authorization", format!("Bearer {}", vera.token))
        .header("last-event-id", vera.state["cursor"].as_str().expect("a cursor"));
    let mut ready = sender.ready().await.expect("ready");
    let (answer, _) = ready.send_request(request.body(()).expect("a request"), true).expect("goes up");
    let mut body = timeout(PATIENCE, answer).await.expect("in time").expect("an answer").into_body();
    let mut heard = String::new();
    // Silence is what is tested, so nothing happens that could be waited for. Longer than each time limit of this server.
    tokio::time::sleep(Duration::from_secs(4)).await;
    vera.send("v1", "Still there?").await.ok();
    while !heard.contains("Still there?") {
        let data = timeout(PATIENCE, body.data()).await.expect("news in time").expect("an open stream").expect("data");
        heard += &String::from_utf8_lossy(&data);
    }
}

/// A refusal of a body that stops coming: a whole answer, and then the stream is given up without blame (RFC 9113, 8.1).
#[tokio::test]
async fn a_refusal_comes_before_the_body_is_sent() {
    let world = World::new().await;
    let mut sender = open(&world, 65_535).await;
    let mut uploads = Vec::new();
    for _ in 0..20 {
        let request =
            Request::builder().method(Method::POST).uri(format!("http://{}/api/widget/images", world.address()));
        let mut ready = sender.clone().ready().await.expect("ready");
        let (answer, mut upload) = ready.send_request(request.body(()).expect("a request"), false).expect("goes up");
        upload.send_data(Bytes::from(vec![b'x'; 200_000]), false).expect("goes up");
        uploads.push((answer, upload));
    }
    for (answer, mut upload) in uploads {
        let answer = timeout(PATIENCE, answer).await.expect("in time").expect("an answer");
        assert_eq!(answer.status(), 401);
        let text = end_of(answer.into_body()).await.expect("a whole answer");
        assert!(text > 0);
        let reason = timeout(PATIENCE, std::future::poll_fn(|cx| upload.poll_reset(cx))).await.expect("in time");
        assert_eq!(reason.ok(), Some(Reason::NO_ERROR));
    }
    assert_eq!(ask(&mut sender, world.address(), "/healthz", 1).await.len(), 1, "the connection goes on");
}

#[tokio::test]
async fn streams_count_as_connections_of_their_address() {
    let world = World::with(|config| config.max_connections_per_address = 8).await;
    let shop = world.owner("otto").await.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let image = upload(&world, &vera, png(600, 400)).await.ok()["image"]["url"].clone();
    let path = image.as_str().expect("a path");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.9:0".parse().expect("an address")).expect("an address of this machine");
    let stream = socket.connect(world.address().parse().expect("an address")).await.expect("a connection");
    let mut sender = connect(stream, 0).await;
    let mut statuses = Vec::new();
    let asked = ask(&mut sender, world.address(), path, 20).await;
    assert_eq!(asked.len(), 20);
    for answer in asked {
        let answer = timeout(PATIENCE, answer).await.expect("in time").expect("an answer");
        statuses.push(answer.status().as_u16());
        // Kept, so that its stream stays open.
        std::mem::forget(answer);
    }
    let refused = statuses.iter().filter(|status| **status == 503).count();
    assert_eq!(refused, 12, "eight of one address: {statuses:?}");
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Requests that are taken back at once (CVE-2023-44487), in one go and one after the other.
#[tokio::test]
async fn a_flood_of_resets_ends_its_own_connection() {
    const HEADERS: u8 = 1;
    const RESET: u8 = 3;
    const SETTINGS: u8 = 4;
    const WHOLE: u8 = 0x5;
    let world = World::new().await;
    for at_once in [100, 1] {
        let mut raw = Raw::open(&world).await;
        raw.say(&[&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, b"")].concat()).await;
        // `GET http://x/readyz`, as HPACK writes it.
        let get = [&[0x82, 0x86, 0x04, 7][..], b"/readyz", &[0x41, 1, b'x']].concat();
        let mut asked = 0;
        while asked < 2_000 {
            let pairs = (0..at_once).flat_map(|n| {
                let stream = 2 * (asked + n) + 1;
                [frame(HEADERS, WHOLE, stream, &get), frame(RESET, 0, stream, &8u32.to_be_bytes())].concat()
            });
            if raw.0.write_all(&pairs.collect::<Vec<u8>>()).await.is_err() {
                break;
            }
            asked += at_once;
            tokio::task::yield_now().await;
        }
        assert!(raw.end().await.is_some(), "{at_once} at once: it goes on for ever");
        assert_eq!(world.http().get("/healthz").await.status, 200);
    }
}

/// Twelve connections ask for one picture on as many streams as they get, take nothing of it, and answer every ping.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_that_nobody_takes_hold_no_files() {
    let program = Program::start("info");
    let (_otto, shop) = crate::framing::open_shop(&program).await;
    let (token, _) = crate::framing::visitor(&program, &shop, "vera").await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "image/png")];
    let image = program.http.send(Method::POST, "/api/widget/images", &headers, png(1_200, 900)).await.ok();
    let path = image["image"]["url"].as_str().expect("a path").to_owned();
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", program.id())).expect("its descriptors").count();
    let before = descriptors();
    let mut held = Vec::new();
    for _ in 0..12 {
        let stream = TcpStream::connect(&program.address).await.expect("a connection");
        let mut sender = connect(stream, 0).await;
        let asked = ask(&mut sender, &program.address, &path, 32).await;
        assert_eq!(asked.len(), 32);
        held.push((sender, asked));
    }
    for (_, asked) in &mut held {
        for answer in asked.drain(..) {
            let answer = timeout(PATIENCE, answer).await.expect("in time").expect("an answer");
            std::mem::forget(answer);
        }
    }
    let more = descriptors().saturating_sub(before);
    assert!(more < 60, "12 connections hold {more} descriptors");
    assert_eq!(program.http.get("/healthz").await.status, 200);
}
