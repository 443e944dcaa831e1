//! What one stranger can cost: so many arrivals, hints and bytes, whoever else comes meanwhile.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hyper::Method;
use serde_json::{Value, json};

use crate::connections::Raw;
use crate::images::{png, upload};
use crate::program::Program;
use crate::world::World;

/// The largest picture that an owner may allow.
const LARGEST: usize = 20 * 1024 * 1024;

/// A site that takes it.
fn wide() -> Value {
    json!({ "limits": { "messages_per_minute": 20, "api_per_minute": 60, "image_bytes": LARGEST } })
}

#[tokio::test]
async fn one_token_resumes_so_often_and_others_come_meanwhile() {
    let world = World::new().await;
    let shop = world.owner("otto").await.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let mut refused = 0;
    for n in 0..160 {
        let fields = json!({ "external_id": "vera", "anonymous": false, "nickname": format!("Vera {n}") });
        if let Err(answer) = world.arrive(&shop, fields, Some(&vera.token)).await {
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (429, "too_many_requests"));
            assert!(answer.headers.contains_key("retry-after"));
            refused += 1;
        }
    }
    assert!(refused > 80, "only {refused} of 160 resumes were refused");
    vera.send("v1", "Still here").await.ok();
    world.visitor(&shop, "john").await.send("j1", "Me too").await.ok();
    // Who types her id has a budget of its own.
    world.visitor(&shop, "vera").await;
}

/// A connection gets twenty refusals at once, and twenty a second after those.
#[tokio::test]
async fn who_is_refused_again_and_again_waits() {
    let world = World::new().await;
    let shop = world.owner("otto").await.site("Shop").await;
    let mut vera = world.visitor(&shop, "vera").await;
    vera.token = "an invented one".into();
    let begun = Instant::now();
    for _ in 0..80 {
        assert_eq!(vera.command(json!({ "do": "hint", "hint": { "type": "typing" } })).await.status, 401);
    }
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(3), "80 refusals took {took:?}");
}

#[tokio::test]
async fn hints_have_one_budget_whatever_carries_them() {
    let world = World::new().await;
    let shop = world.owner("otto").await.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let mut page = vera.listen().await;
    page.frame("welcome").await;
    let mut refused = 0;
    // At once: a connection that is refused often is answered slowly, and more would come back meanwhile.
    for n in 0..10 {
        let hints = (0..40).map(|m| {
            let page = json!({ "url": format!("https://shop.example/{n}/{m}"), "title": "Shop", "referrer": "" });
            vera.command(json!({ "do": "hint", "hint": { "type": "page", "page": page } }))
        });
        refused += join_all(hints).await.iter().filter(|answer| answer.status == 429).count();
    }
    assert!(refused > 200, "only {refused} of 400 hints were refused");
    // More than come back meanwhile.
    for _ in 0..60 {
        page.say(json!({ "type": "typing" })).await;
    }
    assert_eq!(page.frame("bye").await["reason"], "too_many", "a socket is no way around it");
    let john = world.visitor(&shop, "john").await;
    john.command(json!({ "do": "hint", "hint": { "type": "typing" } })).await.ok();
}

#[tokio::test]
async fn an_operators_hints_have_one_budget_whatever_carries_them() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let mut console = otto.listen().await;
    console.frame("welcome").await;
    let hints = (0..200).map(|n| {
        let hint = json!({ "type": "present", "present": n % 2 == 0 });
        otto.call(Method::POST, "hint", hint)
    });
    let refused = join_all(hints).await.iter().filter(|answer| answer.status == 429).count();
    assert!(refused > 80, "only {refused} of 200 hints were refused");
    // More than come back meanwhile.
    for n in 0..60 {
        console.say(json!({ "type": "present", "present": n % 2 == 0 })).await;
    }
    assert_eq!(console.frame("bye").await["reason"], "too_many", "a socket is no way around it");
    let anna = world.owner("anna").await;
    anna.call(Method::POST, "hint", json!({ "type": "alive" })).await.ok();
}

#[tokio::test]
async fn an_address_pays_for_hints_whatever_carries_them() {
    const ADDRESS: &str = "192.0.2.7";
    let world = World::with(|config| config.trusted_proxies = vec![IpAddr::from([127, 0, 0, 1]).into()]).await;
    let shop = world.owner("otto").await.site("Shop").await;
    let mut pages = Vec::new();
    for n in 0..40 {
        let fields = json!({ "external_id": format!("v{n}"), "anonymous": false });
        let visitor = world.arrive_by(&shop, fields, None, ADDRESS).await.expect("to be let in");
        let mut page = visitor.listen_by(ADDRESS).await;
        page.frame("welcome").await;
        pages.push(page);
    }
    // Nobody comes to the end of their own; all of them together spend twice what an address has.
    for page in &mut pages {
        for _ in 0..55 {
            page.say(json!({ "type": "alive" })).await;
        }
    }
    let last = pages.last_mut().expect("a page");
    assert_eq!(last.frame("bye").await["reason"], "too_many", "sockets cost an address nothing");
    let elsewhere = world.visitor(&shop, "vera").await;
    elsewhere.command(json!({ "do": "hint", "hint": { "type": "alive" } })).await.ok();
}

#[tokio::test]
async fn room_for_uploads_is_taken_by_what_came() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    otto.configure(&shop, wide()).await;
    let vera = world.visitor(&shop, "vera").await;
    let john = world.visitor(&shop, "john").await;
    let head = format!(
        "POST /api/widget/images HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: image/png\r\n\
         Content-Length: {LARGEST}\r\n\r\n\u{1}PNG",
        vera.token
    );
    let mut held = Vec::new();
    for _ in 0..40 {
        let mut raw = Raw::open(&world).await;
        raw.say(head.as_bytes()).await;
        held.push(raw);
    }
    for _ in 0..5 {
        upload(&world, &john, png(300, 200)).await.ok();
    }
}

/// One address has its share of the room, however many visitors it makes.
#[tokio::test]
async fn one_address_leaves_room_for_others() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (sent, mut held) = (vec![b'x'; 18 * 1024 * 1024], Vec::new());
    for n in 0..8 {
        let shop = otto.site(&format!("Shop {n}")).await;
        otto.configure(&shop, wide()).await;
        let vera = world.visitor(&shop, "vera").await;
        let mut raw = Raw::from(&world, "127.0.0.9").await;
        let head = format!(
            "POST /api/widget/images HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: image/png\r\n\
             Content-Length: {}\r\n\r\n",
            vera.token,
            sent.len() + 1
        );
        raw.say(head.as_bytes()).await;
        raw.say(&sent).await;
        held.push(raw);
    }
    let answered = join_all(held.iter_mut().map(async |raw| {
        let mut answer = [0; 12];
        let read = tokio::io::AsyncReadExt::read_exact(&mut raw.0, &mut answer);
        tokio::time::timeout(Duration::from_secs(3), read).await.is_ok_and(|read| read.is_ok())
    }));
    let refused = answered.await.into_iter().filter(|answered| *answered).count();
    assert!(refused >= 4, "144 MiB of one address are held: {refused} uploads were refused");
}

/// Memory that hashing needs goes back to the system.
#[tokio::test]
async fn passwords_leave_no_memory_behind() {
    let program = Program::start("info");
    let (_otto, _shop) = crate::framing::open_shop(&program).await;
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a figure").to_owned();
        line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") / 1024
    };
    let before = resident();
    let tries = (0..24).map(|n| {
        let body = json!({ "email": format!("nobody{n}@example.org"), "password": "not the password" });
        let http = program.http.clone();
        async move { http.json(Method::POST, "/api/console/sign-in", &[], &body).await.status }
    });
    let statuses = join_all(tries).await;
    // On a busy machine some wait too long for their turn.
    assert!(statuses.iter().all(|status| matches!(status.as_u16(), 401 | 429 | 503)), "{statuses:?}");
    assert!(statuses.iter().filter(|status| status.as_u16() == 401).count() > 2, "{statuses:?}");
    let after = resident();
    assert!(after < before + 16, "{before} MiB became {after} MiB");
}
