//! Live, and after a lost connection.

use hyper::Method;
use serde_json::json;

use crate::world::{Line, World};

#[tokio::test]
async fn a_page_that_was_away_gets_exactly_what_it_missed() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let mut page = vera.listen().await;
    vera.send("v1", "one").await.ok();
    assert_eq!(page.messages(1).await, ["one"]);
    let cursor = page.cursor.clone();
    drop(page);
    let id = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    // Somebody else's news is not hers.
    world.visitor(&shop, "wim").await.send("w1", "not for vera").await.ok();
    for i in 0..20 {
        otto.reply(&shop, id, &format!("o{i}"), &format!("while away {i}")).await.ok();
    }
    let mut page = vera.listen_from(&cursor).await;
    let missed = page.messages(20).await;
    assert_eq!(missed, (0..20).map(|i| format!("while away {i}")).collect::<Vec<_>>());
    vera.send("v2", "back").await.ok();
    assert_eq!(page.messages(1).await, ["back"]);
}

#[tokio::test]
async fn a_line_that_keeps_breaking_gets_on() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (shop, blog) = (otto.site("Shop").await, otto.site("Blog").await);
    let vera = world.visitor(&shop, "vera").await;
    let wim = world.visitor(&blog, "wim").await;
    let (page, console) = (vera.state["cursor"].clone(), otto.listen().await.start_cursor().await);
    vera.send("v", "to the shop").await.ok();
    wim.send("w", "to the blog").await.ok();
    let id = otto.inbox(&format!("site={}", shop.id)).await[0]["id"].as_i64().expect("a number");
    for turn in 0..40 {
        otto.reply(&shop, id, &format!("o{turn}"), &format!("answer {turn}")).await.ok();
    }
    let shops: Vec<String> =
        ["to the shop".to_owned()].into_iter().chain((0..40).map(|turn| format!("answer {turn}"))).collect();

    let heard = piece_by_piece(page.as_str().expect("a cursor"), async |cursor| vera.listen_from(cursor).await).await;
    assert_eq!(heard, shops);
    let mut heard = piece_by_piece(&console, async |cursor| otto.listen_from(cursor).await).await;
    let blogs = heard.iter().position(|text| text == "to the blog").expect("the other site's news");
    heard.remove(blogs);
    assert_eq!(heard, shops);
}

/// Hears at most three events on each line, and goes on with the cursor of the last one, until there is nothing more.
async fn piece_by_piece(from: &str, open: impl AsyncFn(&str) -> Line) -> Vec<String> {
    let (mut cursor, mut heard) = (from.to_owned(), Vec::new());
    for _ in 0..100 {
        let mut line = open(&cursor).await;
        line.frame("welcome").await;
        for _ in 0..3 {
            let frame = line.next().await.expect("a frame");
            match frame["type"].as_str() {
                Some("event") => {}
                Some("beat") => return heard,
                _ => continue,
            }
            if let Some(text) = frame["event"]["message"]["text"].as_str() {
                heard.push(text.to_owned());
            }
        }
        assert_ne!(line.cursor, cursor, "three events brought it nowhere");
        cursor = line.cursor;
    }
    panic!("it never catches up: {heard:?}");
}

#[tokio::test]
async fn a_console_of_many_sites_gets_on_too() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let mut sites = Vec::new();
    for turn in 0..18 {
        sites.push(otto.site(&format!("Shop {turn}")).await);
    }
    let before = otto.listen().await.start_cursor().await;
    for (turn, site) in sites.iter().enumerate() {
        world.visitor(site, "vera").await.send("v", &format!("to {turn}")).await.ok();
    }
    let mut line = otto.listen_from(&before).await;
    line.frame("welcome").await;
    let mut last = (String::new(), 0);
    for turn in 0..18 {
        assert_eq!(line.messages(1).await, [format!("to {turn}")]);
        if line.cursor != before && line.cursor != last.0 {
            last = (line.cursor.clone(), turn);
        }
    }
    assert!(last.1 > 0, "no event says how far it brings the console");
    let rest = otto.listen_from(&last.0).await.messages(17 - last.1).await;
    assert_eq!(rest, (last.1 + 1..18).map(|turn| format!("to {turn}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_console_catches_up_over_all_of_its_sites_new_ones_too() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let mut console = otto.listen().await;
    console.frame("welcome").await;
    let cursor = console.cursor.clone();
    drop(console);
    let blog = otto.site("Blog").await;
    world.visitor(&shop, "vera").await.send("v1", "to the shop").await.ok();
    world.visitor(&blog, "wim").await.send("w1", "to the blog").await.ok();
    let mut console = otto.listen_from(&cursor).await;
    let mut heard = console.messages(2).await;
    heard.sort();
    assert_eq!(heard, ["to the blog", "to the shop"]);
}

/// Three thousand sites: their console opens, and goes on from any event in the middle, on a line that keeps breaking.
#[tokio::test]
async fn a_console_of_thousands_of_sites_misses_nothing_and_hears_nothing_twice() {
    let world = World::new().await;
    let (otto, anna) = (world.owner("otto").await, world.owner("anna").await);
    let first = otto.site("Shop").await;
    let sites = world.more_sites(&first, 3_000).await;
    assert_eq!(otto.get("my-sites").await["sites"].as_array().expect("a list").len(), 3_001);
    let before = otto.listen().await.start_cursor().await;
    assert!(before.len() < 80, "{} bytes: {before:.200}", before.len());
    let elsewhere = world.visitor(&anna.site("Elsewhere").await, "eve").await;
    let mut visitors = Vec::new();
    for site in sites.iter().step_by(150) {
        visitors.push(world.visitor(site, "vera").await);
    }
    let mut said = Vec::new();
    for turn in 0..3 {
        for (place, visitor) in visitors.iter().enumerate() {
            said.push(format!("{turn} on {place}"));
            visitor.send(&format!("v{turn}"), &said[said.len() - 1]).await.ok();
        }
        elsewhere.send(&format!("e{turn}"), "not for otto").await.ok();
    }
    let heard = piece_by_piece(&before, async |cursor| otto.listen_from(cursor).await).await;
    assert_eq!(heard, said);
    let newest: Vec<i64> =
        otto.inbox("limit=50").await.iter().map(|c| c["site_id"].as_i64().expect("a site")).collect();
    assert_eq!(newest, sites.iter().step_by(150).rev().map(|site| site.id).collect::<Vec<_>>());
    assert_eq!(otto.get("conversations").await["counts"], json!({ "open": 20, "unread": 20 }));
    let of_one = otto.inbox(&format!("site={}", sites[150].id)).await;
    assert_eq!(of_one.iter().map(|c| &c["unread"]).collect::<Vec<_>>(), [3]);
}

/// What happens in other workspaces is not in its log; what happens in its own and is for nobody, its beats carry it past.
#[tokio::test]
async fn a_quiet_console_does_not_fall_behind() {
    let world = World::new().await;
    let (otto, anna) = (world.owner("otto").await, world.owner("anna").await);
    let shop = otto.site("Shop").await;
    let mut console = otto.listen().await;
    console.frame("beat").await;
    let before = console.cursor.clone();
    world.visitor(&anna.site("Elsewhere").await, "eve").await.send("e", "not for otto").await.ok();
    let for_nobody = ocs::events::Event::ConversationsRemoved;
    let record = move |tx: &mut ocs::storage::Tx| {
        let site = ocs::id::SiteId(shop.id);
        ocs::events::record(tx, site, vec![(ocs::events::Scope::site(), for_nobody.clone())])
    };
    world.store().write(record).await.expect("an event");
    console.frame("beat").await;
    assert_ne!(console.cursor, before);
    assert_eq!(console.cursor, otto.get("conversations").await["cursor"]);
}

#[tokio::test]
async fn a_console_that_is_too_far_behind_loads_anew() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let before = otto.listen().await.start_cursor().await;
    let skip = "UPDATE workspace_counters SET n = n + 30000";
    world.store().write(move |tx| tx.run(skip, [])).await.expect("numbers are skipped");
    vera.send("v", "hello").await.ok();
    assert_eq!(otto.listen_from(&before).await.next().await.expect("a frame")["type"], "resync");
    otto.listen().await.frame("welcome").await;
}

#[tokio::test]
async fn a_cursor_of_the_other_side_or_of_an_older_program_means_load_anew() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    vera.send("v1", "one").await.ok();
    let consoles = otto.listen().await.start_cursor().await;
    let pages = vera.state["cursor"].as_str().expect("a cursor");
    let epoch = pages.split('.').next().expect("an epoch");
    assert_eq!(vera.listen_from(&consoles).await.next().await.expect("a frame")["type"], "resync");
    // A number for each site, as consoles held them.
    for cursor in [pages, epoch, &format!("{pages}.900-1"), &format!("{epoch}.1-1.2-2.3-3"), "otherlife.1.1"] {
        assert_eq!(otto.listen_from(cursor).await.next().await.expect("a frame")["type"], "resync", "{cursor}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_life_or_too_old_means_load_anew() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    vera.send("v1", "one").await.ok();
    for cursor in ["", "nonsense", "otherlife.1-1", "....", "x.1-"] {
        let mut page = vera.listen_from(cursor).await;
        assert_eq!(page.next().await.expect("a frame")["type"], "resync", "{cursor:?}");
        assert!(page.next().await.is_none());
    }
    // A log that is shorter than it was, as after a restored backup.
    let ahead = vera.state["cursor"].as_str().expect("a cursor");
    vera.listen_from(ahead).await.frame("welcome").await;
    world.store().write(|tx| tx.run("UPDATE workspace_counters SET n = 0", [])).await.expect("a shorter log");
    assert_eq!(vera.listen_from(ahead).await.next().await.expect("a frame")["type"], "resync");
}

#[tokio::test]
async fn after_the_kept_days_a_cursor_is_too_old_and_the_messages_are_still_there() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    vera.send("v1", "one").await.ok();
    let console = otto.listen().await.start_cursor().await;
    world.pass(8 * 86_400);
    assert!(world.trim().await > 0);
    // It heard all that was removed, and goes on.
    otto.listen_from(&console).await.frame("welcome").await;
    let behind = console.rsplit_once('.').expect("an event's number").0.to_owned() + ".0";
    assert_eq!(otto.listen_from(&behind).await.next().await.expect("a frame")["type"], "resync");
    assert_eq!(vera.listen().await.next().await.expect("a frame")["type"], "resync");
    let token = vera.token.clone();
    let named = json!({ "external_id": "vera", "anonymous": false });
    let vera = world.arrive(&shop, named, Some(&token)).await.expect("to be let in");
    assert_eq!(vera.texts(), ["one"]);
    vera.listen().await.frame("welcome").await;
}

#[tokio::test]
async fn restarting_the_server_loses_nothing_and_says_come_back() {
    let mut world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let mut page = vera.listen().await;
    vera.send("v1", "before").await.ok();
    assert_eq!(page.messages(1).await, ["before"]);
    let ((), bye) = tokio::join!(world.stop(), page.frame("bye"));
    assert_eq!(bye["reason"], "restart");
    assert!(bye["retry_after_ms"].as_i64().expect("milliseconds") <= 4_000);
    world.start().await;
    let token = vera.token.clone();
    let named = json!({ "external_id": "vera", "anonymous": false });
    let vera = world.arrive(&shop, named, Some(&token)).await.expect("the token still holds");
    assert_eq!(vera.texts(), ["before"]);
    let mut again = vera.listen_from(&page.cursor).await;
    again.frame("welcome").await;
    vera.send("v2", "after").await.ok();
    assert_eq!(again.messages(1).await, ["after"]);
}

/// An unnamed visitor is called by number: "Visitor 17".
#[tokio::test]
async fn visitors_are_numbered_on_after_a_restart() {
    let mut world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    world.visitor(&shop, "one").await.send("a", "hello").await.ok();
    world.stop().await;
    world.start().await;
    world.visitor(&shop, "two").await.send("b", "hello").await.ok();
    let otto = world.owner_again("otto").await;
    let ids: Vec<i64> =
        otto.inbox("").await.iter().map(|row| row["visitor"]["id"].as_i64().expect("a number")).collect();
    assert_eq!(ids[0], ids[1] + 1, "{ids:?}");
}

#[tokio::test]
async fn wrong_first_frames_are_refused() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let hellos = [
        (json!({ "type": "hello", "token": "wrong", "cursor": "" }), "invalid_token"),
        (json!({ "type": "typing" }), "invalid_request"),
        (json!({ "type": "hello", "token": vera.token, "cursor": "", "admin": true }), "invalid_request"),
        (json!([1, 2, 3]), "invalid_request"),
    ];
    for (hello, code) in hellos {
        let mut line = Line::open(world.address(), "/api/widget/socket").await;
        line.say(hello.clone()).await;
        let refused = line.next().await.expect("a frame");
        assert_eq!((&refused["type"], &refused["code"]), (&json!("refused"), &json!(code)), "{hello}");
        assert!(line.next().await.is_none(), "and the line ends");
    }
    // A ticket works once.
    let ticket = otto.call(Method::POST, "ticket", json!({})).await.ok()["ticket"].clone();
    for expected in ["resync", "refused"] {
        let mut line = Line::open(world.address(), "/api/console/socket").await;
        line.say(json!({ "type": "hello", "ticket": ticket, "cursor": "" })).await;
        assert_eq!(line.next().await.expect("a frame")["type"], expected);
    }
}

#[tokio::test]
async fn signing_out_ends_the_open_console() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    otto.site("Shop").await;
    let mut console = otto.listen().await;
    console.frame("welcome").await;
    otto.call(Method::POST, "sign-out", json!({})).await.ok();
    assert_eq!(console.frame("refused").await["code"], "not_signed_in");
    assert!(console.next().await.is_none());
}

#[tokio::test]
async fn the_stream_tells_the_same_as_the_socket() {
    use http_body_util::BodyExt;
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let stream = tokio::net::TcpStream::connect(world.address()).await.expect("a connection");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream)).await.expect("http");
    tokio::spawn(connection);
    let request = hyper::Request::get("/api/widget/stream")
        .header("host", world.address())
        .header("authorization", format!("Bearer {}", vera.token))
        .header("last-event-id", vera.state["cursor"].as_str().expect("a cursor"))
        .body(http_body_util::Empty::<hyper::body::Bytes>::new())
        .expect("a request");
    let answer = sender.send_request(request).await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
    let mut body = answer.into_body();
    vera.send("v1", "over the stream").await.ok();
    let mut text = String::new();
    while !text.contains("over the stream") {
        let frame = tokio::time::timeout(std::time::Duration::from_secs(10), body.frame()).await.expect("news in time");
        text += &String::from_utf8_lossy(&frame.expect("a frame").expect("no error").into_data().expect("data"));
    }
    assert!(text.starts_with("data: {\"type\":\"welcome\""), "{text}");
}

#[tokio::test]
async fn a_ticket_of_a_session_that_ended_opens_nothing() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let ticket = otto.call(Method::POST, "ticket", json!({})).await.ok()["ticket"].clone();
    let cursor = otto.get("conversations?state=all").await["cursor"].clone();
    otto.call(Method::POST, "sign-out", json!({})).await.ok();
    let mut line = Line::open(world.address(), "/api/console/socket").await;
    line.say(json!({ "type": "hello", "ticket": ticket, "cursor": cursor })).await;
    assert_eq!(line.next().await.expect("a frame")["type"], "refused");
}

/// What the next visitor is told about somebody being there, and what an open page hears.
async fn operators_online(world: &World, shop: &crate::world::Site) -> bool {
    let welcome = format!("/api/widget/welcome?key={}", shop.widget_key);
    world.http().get(&welcome).await.ok()["operators_online"] == true
}

#[tokio::test]
async fn we_are_online_while_somebody_can_see_a_chat() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    let mut page = vera.listen().await;
    page.frame("welcome").await;

    let cursor = otto.get("conversations").await["cursor"].as_str().expect("a cursor").to_owned();
    let ticket = otto.call(Method::POST, "ticket", json!({})).await.ok()["ticket"].clone();
    let mut hidden = Line::open(world.address(), "/api/console/socket").await;
    hidden.say(json!({ "type": "hello", "ticket": ticket, "cursor": cursor, "present": false })).await;
    hidden.frame("welcome").await;
    assert!(!operators_online(&world, &shop).await, "a tab out of sight");

    let mut inbox = otto.listen().await;
    inbox.frame("welcome").await;
    assert_eq!(page.signal("operators").await["online"], true);
    assert!(operators_online(&world, &shop).await);
    inbox.say(json!({ "type": "present", "present": false })).await;
    assert_eq!(page.signal("operators").await["online"], false);
    assert!(!operators_online(&world, &shop).await);
    hidden.say(json!({ "type": "present", "present": true })).await;
    assert_eq!(page.signal("operators").await["online"], true);
    // The one in sight goes; the other is still connected, and still out of sight.
    drop(hidden);
    assert_eq!(page.signal("operators").await["online"], false);

    // Hidden or not, a console hears what happens.
    vera.send("v1", "Anybody there?").await.ok();
    assert_eq!(inbox.messages(1).await, ["Anybody there?"]);
}
