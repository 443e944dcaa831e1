//! Bytes that no browser sends (RFC 6455, sections 5 to 8): the connection they came on ends, and no other.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::program::Program;
use crate::world::{Line, Owner, Site};

/// Longer than any answer takes, shorter than the server's own patience with silence.
const PATIENCE: Duration = Duration::from_secs(10);

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FIN: u8 = 0x80;
const ALIVE: &[u8] = br#"{"type":"alive"}"#;

/// What comes of some bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// A close frame or the end of the connection.
    Ends,
    /// An answer to a ping: the connection lives.
    Lives,
}
use End::{Ends, Lives};

/// A masked frame whose first byte is given.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = head(first, payload.len(), 0x80);
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    bytes.extend(mask);
    bytes.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
    bytes
}

fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    [head(first, payload.len(), 0), payload.to_vec()].concat()
}

fn head(first: u8, length: usize, mask: u8) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..=125 => bytes.push(mask | length as u8),
        126..=65_535 => {
            bytes.push(mask | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(mask | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes
}

/// A text whose length is written in more bytes than it needs.
fn wordy(payload: &[u8], length: &[u8]) -> Vec<u8> {
    [&[FIN | TEXT], length, &[0; 4], payload].concat()
}

/// Only the head of a frame that announces so much.
fn announced(length: u64) -> Vec<u8> {
    [&[FIN | TEXT, 0x80 | 127][..], &length.to_be_bytes(), &[1, 2, 3, 4]].concat()
}

/// The same for the last piece of a text.
fn announced_piece(length: u64) -> Vec<u8> {
    [&[FIN, 0x80 | 127][..], &length.to_be_bytes(), &[1, 2, 3, 4]].concat()
}

fn text(payload: &str) -> Vec<u8> {
    frame(FIN | TEXT, payload.as_bytes())
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes(), reason].concat())
}

type Case = (String, Vec<u8>, End);

fn case(name: impl Into<String>, bytes: Vec<u8>, end: End) -> Case {
    (name.into(), bytes, end)
}

fn frames_that_are_wrong() -> Vec<Case> {
    let mut cases = vec![
        case("an unmasked text", unmasked(FIN | TEXT, ALIVE), Ends),
        case("an unmasked ping", unmasked(FIN | PING, b""), Ends),
        case("an unmasked close", unmasked(FIN | CLOSE, &1000u16.to_be_bytes()), Ends),
        case("a binary frame", frame(FIN | BINARY, ALIVE), Ends),
        case("a ping of 126 bytes", frame(FIN | PING, &[0; 126]), Ends),
        case("a pong of 126 bytes", frame(FIN | PONG, &[0; 126]), Ends),
        case("a close of 126 bytes", frame(FIN | CLOSE, &[3, 232].repeat(63)), Ends),
        case("a ping in pieces", frame(PING, b"a"), Ends),
        case("a pong in pieces", frame(PONG, b"a"), Ends),
        case("a close in pieces", frame(CLOSE, &1000u16.to_be_bytes()), Ends),
        case("a piece of nothing", frame(FIN, ALIVE), Ends),
        case("a middle piece of nothing", frame(0, ALIVE), Ends),
        case("a text within a text", [frame(TEXT, b"{"), text("{}")].concat(), Ends),
        case("binary within a text", [frame(TEXT, b"{"), frame(FIN | BINARY, b"}")].concat(), Ends),
        case("a close of one byte", frame(FIN | CLOSE, &[3]), Ends),
        case("a close with bad UTF-8", close(1000, b"\xff"), Ends),
        case("64 KiB and a byte", text(&"x".repeat(64 * 1024 + 1)), Ends),
        case("64 KiB and a byte in pieces", [frame(TEXT, &[b' '; 40_000]), frame(FIN, &[b' '; 40_000])].concat(), Ends),
        case("a million pieces of nothing", [frame(TEXT, b""), frame(0, &[b' '; 100]).repeat(1_000)].concat(), Ends),
        case("4 GiB announced", announced(1 << 32), Ends),
        case("the longest length", announced(i64::MAX as u64), Ends),
        case("a negative length", announced(u64::MAX), Ends),
        case("only the high bit of a length", announced(1 << 63), Ends),
        case("the high bit over a length that fits", announced(1 << 63 | ALIVE.len() as u64), Ends),
        case("65 KiB announced by a piece", [frame(TEXT, b"{"), announced_piece(65 * 1024)].concat(), Ends),
        case("a first piece twice", [frame(TEXT, b"{"), frame(TEXT, b"}")].concat(), Ends),
        case("an end twice", [frame(TEXT, &ALIVE[..3]), frame(FIN, &ALIVE[3..]), frame(FIN, b"")].concat(), Ends),
        case("a piece unmasked", [frame(TEXT, &ALIVE[..3]), unmasked(FIN, &ALIVE[3..])].concat(), Ends),
        case("a piece with a reserved bit", [frame(TEXT, &ALIVE[..3]), frame(FIN | 0x40, &ALIVE[3..])].concat(), Ends),
        case("an unmasked ping between pieces", [frame(TEXT, b"{"), unmasked(FIN | PING, b"")].concat(), Ends),
        case("a ping in pieces between pieces", [frame(TEXT, b"{"), frame(PING, b"x")].concat(), Ends),
        case("a reserved opcode between pieces", [frame(TEXT, b"{"), frame(FIN | 3, b"")].concat(), Ends),
        case("a close between pieces", [frame(TEXT, b"{"), close(1000, b"")].concat(), Ends),
        case("a binary in pieces", [frame(BINARY, &ALIVE[..3]), frame(FIN, &ALIVE[3..])].concat(), Ends),
        case("an unmasked pong", unmasked(FIN | PONG, b""), Ends),
        case("a close whose reason is cut in a character", close(1000, b"\xe2\x82"), Ends),
    ];
    for bit in [0x40, 0x20, 0x10] {
        cases.push(case(format!("reserved bit {bit:#x} on a text"), frame(FIN | TEXT | bit, ALIVE), Ends));
        cases.push(case(format!("reserved bit {bit:#x} on a ping"), frame(FIN | PING | bit, b""), Ends));
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        cases.push(case(format!("opcode {opcode}"), frame(FIN | opcode, b""), Ends));
    }
    for bit in [0x40, 0x20, 0x10] {
        cases.push(case(format!("reserved bit {bit:#x} on a close"), frame(FIN | CLOSE | bit, b""), Ends));
    }
    for opcode in [3, 11] {
        cases.push(case(format!("opcode {opcode} in pieces"), frame(opcode, b"x"), Ends));
    }
    for code in [0, 1, 999, 1004, 1005, 1006, 1012, 1015, 1016, 2000, 2999, 5000, 65_535] {
        cases.push(case(format!("close code {code}"), close(code, b""), Ends));
    }
    cases
}

fn texts_that_are_wrong() -> Vec<Case> {
    let bad_utf8: &[(&str, &[u8])] = &[
        ("a lone byte", b"\xff"),
        ("a lone tail", b"\x80"),
        ("a cut character", b"\xe2\x82"),
        ("overlong", b"\xc0\xaf"),
        ("overlong in three", b"\xe0\x80\xaf"),
        ("half a pair", b"\xed\xa0\x80"),
        ("beyond the last", b"\xf4\x90\x80\x80"),
        ("five bytes", b"\xf8\x88\x80\x80\x80"),
    ];
    let mut cases: Vec<Case> =
        bad_utf8.iter().map(|(name, bytes)| case(format!("UTF-8: {name}"), frame(FIN | TEXT, bytes), Ends)).collect();
    cases.push(case("UTF-8: broken over pieces", [frame(TEXT, b"\xe2\x82"), frame(FIN, b"\x41")].concat(), Ends));
    for (name, bytes) in [("in two bytes", "é"), ("in three", "€"), ("in four", "😀")] {
        let cut = frame(TEXT, &bytes.as_bytes()[..1]);
        cases.push(case(format!("UTF-8: a character {name} cut by the end"), [cut, frame(FIN, b"")].concat(), Ends));
    }
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    for wrong in [
        "",
        " ",
        "null",
        "1",
        "\"alive\"",
        "{}",
        "{\"type\":null}",
        "{\"type\":\"nonsense\"}",
        "{\"type\":\"ALIVE\"}",
        "{\"type\":\"alive\",\"more\":1}",
        "{\"type\":\"alive\"",
        "{\"type\":\"alive\"}x",
        "{'type':'alive'}",
        "{\"type\":\"alive\",\"type\":\"alive\"}",
        "{\"type\":\"hello\",\"token\":\"x\",\"cursor\":\"\"}",
        "{\"type\":\"seen\",\"conversation\":\"x\",\"seq\":\"1\"}",
        "{\"type\":\"seen\",\"conversation\":1,\"seq\":1}",
        "{\"type\":\"seen\",\"conversation\":\"x\",\"seq\":1e99}",
        "{\"type\":\"page\",\"page\":{},\"more\":1}",
        deep.as_str(),
        "{\"type\":\"seen\",\"conversation\":\"x\",\"seq\":99999999999999999999}",
        "\u{feff}{\"type\":\"alive\"}",
    ] {
        cases.push(case(format!("text {:.40}", wrong), text(wrong), Ends));
    }
    cases.push(case("more hints than a person makes", text("{\"type\":\"alive\"}").repeat(100), Ends));
    cases
}

fn a_letter_at_a_time(whole: &str) -> Vec<u8> {
    let bytes = whole.as_bytes();
    let last = bytes.len() - 1;
    let piece = |(at, byte): (usize, &u8)| {
        frame(if at == 0 { TEXT } else { 0 } | if at == last { FIN } else { 0 }, std::slice::from_ref(byte))
    };
    bytes.iter().enumerate().flat_map(piece).collect()
}

fn frames_that_are_right() -> Vec<Case> {
    let pieces = [frame(TEXT, &ALIVE[..3]), frame(0, b""), frame(0, &ALIVE[3..7]), frame(FIN, &ALIVE[7..])].concat();
    let between = [frame(TEXT, &ALIVE[..3]), frame(FIN | PING, b"x"), frame(FIN, &ALIVE[3..])].concat();
    let interleaved = [
        frame(TEXT, &ALIVE[..3]),
        frame(FIN | PING, b"x"),
        frame(FIN | PONG, b"y"),
        frame(0, &ALIVE[3..7]),
        frame(FIN | PING, b""),
        frame(FIN, &ALIVE[7..]),
    ]
    .concat();
    let pieces_of_two = [frame(TEXT, &ALIVE[..3]), frame(FIN, &ALIVE[3..])].concat();
    let in_nine_bytes = [&[0x80 | 127][..], &(ALIVE.len() as u64).to_be_bytes()].concat();
    let unmasking = [&[FIN | TEXT, 0x80 | ALIVE.len() as u8, 0, 0, 0, 0], ALIVE].concat();
    vec![
        case("a hint", frame(FIN | TEXT, ALIVE), Lives),
        case("a hint in pieces", pieces, Lives),
        case("a hint with a ping between its pieces", between, Lives),
        case("a mask of zeroes", unmasking, Lives),
        case("a ping of 125 bytes", frame(FIN | PING, &[7; 125]), Lives),
        case("a pong that nobody asked for", frame(FIN | PONG, b"hello"), Lives),
        case("a hundred pings", frame(FIN | PING, b"").repeat(100), Lives),
        case(
            "about a conversation that is not there",
            text("{\"type\":\"seen\",\"conversation\":\"x\",\"seq\":1}"),
            Lives,
        ),
        case(
            "a mark before the beginning",
            text("{\"type\":\"seen\",\"conversation\":\"x\",\"seq\":-9223372036854775808}"),
            Lives,
        ),
        case("spaces around a hint", text(&format!("{}{{\"type\":\"alive\"}}", " ".repeat(60_000))), Lives),
        case(
            "a character cut between pieces",
            a_letter_at_a_time("{\"type\":\"seen\",\"conversation\":\"€😀\",\"seq\":1}"),
            Lives,
        ),
        case("a hint in pieces of one byte", a_letter_at_a_time("{\"type\":\"alive\"}"), Lives),
        case("pings and pongs between all pieces", interleaved, Lives),
        case("a hint after a hint in pieces", [pieces_of_two, text("{\"type\":\"alive\"}")].concat(), Lives),
        // Section 5.2 forbids clients to write these; there is one way to read them, and our library does.
        case("a length in three bytes that fits one", wordy(ALIVE, &[0x80 | 126, 0, ALIVE.len() as u8]), Lives),
        case("a length in nine bytes that fits one", wordy(ALIVE, &in_nine_bytes), Lives),
        case("close code 1000", close(1000, b"bye"), Ends),
        case("a close with the longest reason", close(1000, &[b'x'; 123]), Ends),
        case("words after a close", [close(1000, b""), text("{\"type\":\"nonsense\"}")].concat(), Ends),
        case("a close without a code", frame(FIN | CLOSE, b""), Ends),
        case("close code 4999", close(4999, b""), Ends),
    ]
}

/// A socket by hand, from the handshake on.
struct Raw(TcpStream);

impl Raw {
    async fn open(address: &str) -> Raw {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let request = format!(
            "GET /api/widget/socket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("goes up");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.expect("an answer"));
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        Raw(stream)
    }

    async fn say(&mut self, bytes: &[u8]) {
        // The server may have ended it already.
        let _ = self.0.write_all(bytes).await;
    }

    /// The next frame: its opcode and payload; none at the end.
    async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.0.read_u8().await.ok()?;
        let length = match self.0.read_u8().await.ok()? {
            126 => usize::from(self.0.read_u16().await.ok()?),
            127 => usize::try_from(self.0.read_u64().await.ok()?).ok()?,
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await.ok()?;
        Some((first & 15, payload))
    }

    /// Says who it is, and is let in.
    async fn enter(address: &str, token: &str, cursor: &Value) -> Raw {
        let mut raw = Raw::open(address).await;
        raw.say(&text(&json!({ "type": "hello", "token": token, "cursor": cursor }).to_string())).await;
        let (_, welcome) = raw.next().await.expect("a welcome");
        assert!(String::from_utf8_lossy(&welcome).contains("welcome"), "{}", String::from_utf8_lossy(&welcome));
        raw
    }

    /// What became of it: a ping of ours is answered, or it is over.
    async fn outcome(&mut self) -> End {
        self.say(&frame(FIN | PING, b"still there?")).await;
        loop {
            match self.next().await {
                Some((PONG, payload)) if payload == b"still there?" => return Lives,
                Some((CLOSE, _)) | None => return Ends,
                Some(_) => {}
            }
        }
    }
}

/// A visitor of its own, so that nobody's limits are shared.
pub async fn visitor(program: &Program, shop: &Site, name: &str) -> (String, Value) {
    let body = json!({ "do": "start", "key": shop.widget_key, "external_id": name, "anonymous": false });
    let state = program.http.json(Method::POST, "/api/widget", &[], &body).await.ok();
    (state["token"].as_str().expect("a token").to_owned(), state["cursor"].clone())
}

/// Otto's account and his shop.
pub async fn open_shop(program: &Program) -> (Owner, Site) {
    let body = json!({ "email": "otto@example.org", "password": "correct horse battery", "name": "otto" });
    let otto =
        Owner::from(program.http.clone(), program.http.json(Method::POST, "/api/console/sign-up", &[], &body).await);
    let shop = otto.site("Shop").await;
    (otto, shop)
}

/// Vera's page listens through all of it, and hears what Otto's console hears: her own message, at the end.
async fn still_well(program: &Program, mut page: Line, token: &str) {
    let bearer = format!("Bearer {token}");
    let body = json!({ "do": "send", "client_id": "after-it-all", "text": "Still here" });
    program.http.json(Method::POST, "/api/widget", &[("authorization", &bearer)], &body).await.ok();
    assert_eq!(page.messages(1).await, ["Still here"]);
    let log = program.log();
    assert!(!log.contains("panicked"), "{log}");
}

async fn vera_listens(program: &Program, shop: &Site) -> (Line, String) {
    let (token, cursor) = visitor(program, shop, "vera").await;
    let mut page = Line::open(&program.address, "/api/widget/socket").await;
    page.say(json!({ "type": "hello", "token": token, "cursor": cursor })).await;
    page.frame("welcome").await;
    (page, token)
}

/// Each case on a connection of its own, with everybody else listening through it.
async fn come_out_as_they_should(cases: Vec<Case>) {
    let program = Program::start("info");
    let (_otto, shop) = open_shop(&program).await;
    let (page, vera) = vera_listens(&program, &shop).await;
    let mut wrong = Vec::new();
    for (turn, (name, bytes, end)) in cases.iter().enumerate() {
        let (token, cursor) = visitor(&program, &shop, &format!("visitor-{turn}")).await;
        let mut raw = Raw::enter(&program.address, &token, &cursor).await;
        raw.say(bytes).await;
        let outcome = tokio::time::timeout(PATIENCE, raw.outcome()).await;
        if outcome.ok() != Some(*end) {
            wrong.push(format!("{name}: not {end:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    still_well(&program, page, &vera).await;
}

#[tokio::test]
async fn what_is_no_frame_of_ours_ends_its_own_connection_alone() {
    let cases = [frames_that_are_wrong(), texts_that_are_wrong()].concat();
    assert!((100..119).contains(&cases.len()), "{} are too few, or as many as an attack", cases.len());
    come_out_as_they_should(cases).await;
}

#[tokio::test]
async fn frames_that_are_right_in_unusual_ways_are_taken() {
    let cases = frames_that_are_right();
    assert!(cases.len() >= 20, "{}", cases.len());
    come_out_as_they_should(cases).await;
}

/// Requests that do not quite ask for a WebSocket (RFC 6455, section 4.2.1).
#[tokio::test]
async fn a_handshake_that_is_not_whole_opens_nothing() {
    const WHOLE: &[(&str, &str)] = &[
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let program = Program::start("info");
    let (_otto, shop) = open_shop(&program).await;
    let (page, vera) = vera_listens(&program, &shop).await;
    let with = |name: &str, value: &str| -> String {
        let header =
            |(known, usual): &(&str, &str)| format!("{known}: {}\r\n", if *known == name { value } else { usual });
        WHOLE.iter().map(header).collect()
    };
    let without = |name: &str| -> String {
        WHOLE.iter().filter(|(known, _)| *known != name).map(|(name, value)| format!("{name}: {value}\r\n")).collect()
    };
    let whole = with("", "");
    let mut cases = vec![
        ("as browsers send it", "GET", "1.1", whole.clone(), true),
        ("a list of connection words", "GET", "1.1", with("Connection", "keep-alive, upgrade"), true),
        ("capitals", "GET", "1.1", with("Upgrade", "WebSocket"), true),
        (
            "an extension that nobody has",
            "GET",
            "1.1",
            format!("{whole}Sec-WebSocket-Extensions: nonsense; x=1\r\n"),
            true,
        ),
        ("compression offered", "GET", "1.1", format!("{whole}Sec-WebSocket-Extensions: permessage-deflate\r\n"), true),
        ("a protocol that nobody has", "GET", "1.1", format!("{whole}Sec-WebSocket-Protocol: soap\r\n"), true),
        ("a POST", "POST", "1.1", format!("{whole}Content-Length: 0\r\n"), false),
        ("HTTP/1.0", "GET", "1.0", whole.clone(), false),
        ("version 8", "GET", "1.1", with("Sec-WebSocket-Version", "8"), false),
        ("version 14", "GET", "1.1", with("Sec-WebSocket-Version", "14"), false),
        ("no version in words", "GET", "1.1", with("Sec-WebSocket-Version", "x"), false),
        ("another protocol", "GET", "1.1", with("Upgrade", "h2c"), false),
        ("a connection that closes", "GET", "1.1", with("Connection", "close"), false),
    ];
    cases.extend(WHOLE.iter().map(|(name, _)| ("something left out", "GET", "1.1", without(name), false)));
    for (name, method, version, headers, opens) in cases {
        let mut stream = TcpStream::connect(&program.address).await.expect("a connection");
        let request =
            format!("{method} /api/widget/socket HTTP/{version}\r\nHost: {}\r\n{headers}\r\n", program.address);
        stream.write_all(request.as_bytes()).await.expect("goes up");
        let mut head = Vec::new();
        let whole_head = async {
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.expect("an answer"));
            }
        };
        tokio::time::timeout(PATIENCE, whole_head).await.expect("an answer in time");
        let head = String::from_utf8_lossy(&head).to_lowercase();
        assert_eq!(head.starts_with("http/1.1 101"), opens, "{name}: {headers}{head}");
        assert!(
            !head.contains("sec-websocket-extensions") && !head.contains("sec-websocket-protocol"),
            "{name}: {head}"
        );
        assert!(opens || head.starts_with("http/1.1 4") || head.starts_with("http/1.0 4"), "{name}: {head}");
    }
    still_well(&program, page, &vera).await;
}

#[tokio::test]
async fn a_first_frame_that_is_no_hello_is_the_last() {
    let program = Program::start("info");
    let (_otto, shop) = open_shop(&program).await;
    let (page, vera) = vera_listens(&program, &shop).await;
    let (token, _) = visitor(&program, &shop, "max").await;
    let hello = |more: &str| format!("{{\"type\":\"hello\",\"token\":\"{token}\",\"cursor\":\"\"{more}}}");
    let mut cases = frames_that_are_wrong();
    cases.retain(|(name, ..)| !name.contains("announced") && !name.contains("length"));
    cases.extend(texts_that_are_wrong());
    cases.extend([
        case("a hello with more in it", text(&hello(",\"site_id\":1")), Ends),
        case("a token of another kind", text("{\"type\":\"hello\",\"token\":{},\"cursor\":\"\"}"), Ends),
        case("no token", text("{\"type\":\"hello\",\"cursor\":\"\"}"), Ends),
        case("an operator's hello", text("{\"type\":\"hello\",\"ticket\":\"x\",\"cursor\":\"\"}"), Ends),
        case("a token that nobody has", text("{\"type\":\"hello\",\"token\":\"x\",\"cursor\":\"\"}"), Ends),
        case(
            "a long token",
            text(&format!("{{\"type\":\"hello\",\"token\":\"{}\",\"cursor\":\"\"}}", "x".repeat(60_000))),
            Ends,
        ),
        case("a ping before the hello", frame(FIN | PING, b""), Ends),
    ]);
    for (name, bytes, _) in &cases {
        let mut raw = Raw::open(&program.address).await;
        raw.say(bytes).await;
        let over = tokio::time::timeout(PATIENCE, async {
            while let Some((opcode, payload)) = raw.next().await {
                if opcode == CLOSE {
                    break;
                }
                let said = String::from_utf8_lossy(&payload).into_owned();
                assert!(!said.contains("welcome"), "{name}: {said}");
            }
        });
        assert!(over.await.is_ok(), "{name}: it stays open");
    }
    still_well(&program, page, &vera).await;
}

#[tokio::test]
async fn silent_slow_and_half_open_connections_stand_in_nobodys_way() {
    let program = Program::start("info");
    let (_otto, shop) = open_shop(&program).await;
    let (page, vera) = vera_listens(&program, &shop).await;
    let mut held = Vec::new();
    for turn in 0..300 {
        let mut stream = TcpStream::connect(&program.address).await.expect("a connection");
        let begun: &[u8] = match turn % 4 {
            0 => b"",
            1 => b"GET /api/widget HTTP/1.1\r\nHost: x\r\nX-Slow: ",
            2 => b"POST /api/widget HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{",
            _ => b"GET /api/widget/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        };
        stream.write_all(begun).await.expect("goes up");
        held.push(stream);
    }
    let begun = std::time::Instant::now();
    still_well(&program, page, &vera).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());

    // A socket that never says who it is, is let go.
    let mut silent = held.pop().expect("the last one is a socket");
    let over = tokio::time::timeout(PATIENCE, async {
        let mut rest = Vec::new();
        silent.read_to_end(&mut rest).await.map(|_| rest)
    });
    let rest = over.await.expect("it ends").unwrap_or_default();
    assert!(String::from_utf8_lossy(&rest).contains("the first frame must be a hello"));
}

/// RFC 6455, section 5.5.1: who is told that a socket closes says so too, with the same code, and then it is over.
#[tokio::test]
async fn a_close_is_answered_with_its_code() {
    let program = Program::start("info");
    let (_otto, shop) = open_shop(&program).await;
    let (token, cursor) = visitor(&program, &shop, "vera").await;
    for code in [1000u16, 1001, 4000] {
        for greeted in [true, false] {
            let mut raw = match greeted {
                true => Raw::enter(&program.address, &token, &cursor).await,
                false => Raw::open(&program.address).await,
            };
            raw.say(&close(code, b"bye")).await;
            let goodbye = async {
                loop {
                    match raw.next().await {
                        Some((CLOSE, payload)) => return Some(payload),
                        Some(_) => {}
                        None => return None,
                    }
                }
            };
            let goodbye = tokio::time::timeout(PATIENCE, goodbye).await.expect("an answer or the end");
            let said =
                goodbye.as_deref().and_then(|payload| payload.first_chunk()).map(|code| u16::from_be_bytes(*code));
            assert_eq!(said, Some(code), "greeted: {greeted}");
            assert!(raw.next().await.is_none(), "then it is over");
        }
    }
}
