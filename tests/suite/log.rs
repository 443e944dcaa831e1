//! One log for each workspace: its numbers, and what a cursor says to whom.

use serde_json::{Value, json};

use crate::world::{Line, Owner, Site, World};

/// Every number of every workspace, of messages and of other events, in order.
const NUMBERS: &str = "SELECT workspace_id, n FROM messages UNION ALL SELECT workspace_id, n FROM events ORDER BY 1, 2";

async fn change(world: &World, sql: &'static str) {
    world.store().write(move |tx| tx.run(sql, [])).await.expect("a change");
}

/// Limits the one member of Otto's workspace to his first site, which no interface of this version does.
async fn limit_to_first_site(world: &World) {
    change(
        world,
        "UPDATE members SET version = version + 1, sites = '[' || (SELECT MIN(s.id) FROM sites AS s
            WHERE s.workspace_id = members.workspace_id) || ']'",
    )
    .await;
}

#[tokio::test]
async fn numbers_follow_on_over_all_sites_of_a_workspace() {
    let world = World::new().await;
    let (otto, anna) = (world.owner("otto").await, world.owner("anna").await);
    let (shop, blog, other) = (otto.site("Shop").await, otto.site("Blog").await, anna.site("Other").await);
    let mut visitors = Vec::new();
    for (turn, site) in [&shop, &blog, &other].into_iter().cycle().take(12).enumerate() {
        visitors.push(world.visitor(site, &format!("v{turn}")).await);
    }
    let together = visitors.iter().map(|visitor| visitor.send("one", "hello"));
    futures_util::future::join_all(together).await.into_iter().for_each(|sent| drop(sent.ok()));
    for row in otto.inbox("").await {
        let (id, of) = (row["id"].as_i64().expect("a number"), row["site_id"].as_i64().expect("a site"));
        let site = if of == shop.id { &shop } else { &blog };
        otto.reply(site, id, &format!("o{id}"), "yes?").await.ok();
    }
    otto.configure(&shop, json!({ "opaque_agent_ids": true })).await;
    let numbers: Vec<(i64, i64)> = world.store().all(NUMBERS, []).await.expect("numbers");
    let ends: Vec<(i64, i64)> = world
        .store()
        .all("SELECT workspace_id, n FROM workspace_counters ORDER BY workspace_id", [])
        .await
        .expect("counters");
    let expected: Vec<(i64, i64)> = ends.iter().flat_map(|(workspace, n)| (1..=*n).map(|n| (*workspace, n))).collect();
    assert_eq!(numbers, expected);
    assert!(ends.iter().all(|(_, n)| *n > 4), "{ends:?}");
}

/// What an idle client is told until its second heartbeat. Cursors are told apart by their length, and by whether they change.
async fn idle(mut line: Line) -> Vec<Value> {
    let (mut told, mut before, mut beats) = (Vec::new(), String::new(), 0);
    while beats < 2 {
        let mut frame = line.next().await.expect("a frame");
        beats += usize::from(frame["type"] == "beat");
        if let Some(cursor) = frame["cursor"].as_str().map(str::to_owned) {
            frame["cursor"] = json!((cursor.len(), cursor == before));
            before = cursor;
        }
        told.push(frame);
    }
    told
}

/// A neighbour is another site of the workspace, whose events are in the same log.
#[tokio::test]
async fn nobody_reads_from_a_cursor_how_busy_a_neighbour_is() {
    let told = async |busy: bool| {
        let world = World::new().await;
        let otto = world.owner("otto").await;
        let (shop, neighbour) = (otto.site("Shop").await, otto.site("Neighbour").await);
        let vera = world.visitor(&shop, "vera").await;
        vera.send("v", "hello").await.ok();
        limit_to_first_site(&world).await;
        let vera = world
            .arrive(&shop, json!({ "external_id": "vera", "anonymous": false }), Some(&vera.token))
            .await
            .expect("to be let in");
        let (page, console) = (vera.listen().await, otto.listen().await);
        let page_away = vera.state["cursor"].as_str().expect("a cursor").to_owned();
        let console_away = otto.listen().await.start_cursor().await;
        if busy {
            change(&world, "UPDATE workspace_counters SET n = n + 1234567").await;
            let wim = world.visitor(&neighbour, "wim").await;
            for turn in 0..5 {
                wim.send(&format!("w{turn}"), "not for vera").await.ok();
            }
        }
        let (on_page, on_console) = tokio::join!(idle(page), idle(console));
        // And one who was away in the meantime.
        let (page, console) = (vera.listen_from(&page_away).await, otto.listen_from(&console_away).await);
        let (page_back, console_back) = tokio::join!(first_beat(page), first_beat(console));
        (on_page, on_console, page_back, console_back)
    };
    let (quiet, busy) = tokio::join!(told(false), told(true));
    assert_eq!(quiet, busy);
    let beats = |told: &[Value]| told.iter().filter(|frame| frame["type"] == "beat").cloned().collect::<Vec<_>>();
    assert_eq!(beats(&quiet.0)[1]["cursor"][1], true, "a heartbeat leaves a page's cursor");
    assert_eq!(beats(&quiet.1)[1]["cursor"][1], true, "and that of a member who is limited to some sites");
}

/// What a client is told when it comes back, until it has caught up.
async fn first_beat(mut line: Line) -> Vec<Value> {
    let mut told = Vec::new();
    loop {
        let mut frame = line.next().await.expect("a frame");
        let last = frame["type"] == "beat";
        if let Some(cursor) = frame["cursor"].as_str().map(str::len) {
            frame["cursor"] = json!(cursor);
        }
        told.push(frame);
        if last {
            return told;
        }
    }
}

#[tokio::test]
async fn a_member_limited_to_a_site_hears_of_it_and_of_no_other() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (shop, neighbour) = (otto.site("Shop").await, otto.site("Neighbour").await);
    let (vera, wim) = (world.visitor(&shop, "vera").await, world.visitor(&neighbour, "wim").await);
    limit_to_first_site(&world).await;
    let mut console = otto.listen().await;
    wim.send("w1", "to the neighbour").await.ok();
    vera.send("v1", "to the shop").await.ok();
    assert_eq!(console.messages(1).await, ["to the shop"]);
    let away = console.cursor.clone();
    drop(console);
    // However much there was elsewhere, she misses nothing of her own and needs not load anew.
    change(&world, "UPDATE workspace_counters SET n = n + 1234567").await;
    wim.send("w2", "to the neighbour again").await.ok();
    vera.send("v2", "to the shop again").await.ok();
    let mut console = otto.listen_from(&away).await;
    console.frame("welcome").await;
    assert_eq!(console.messages(1).await, ["to the shop again"]);
}

/// A site that she got while she was away arrives with its past.
#[tokio::test]
async fn a_member_whose_sites_changed_while_away_loads_anew() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    otto.site("Shop").await;
    let held = otto.listen().await.start_cursor().await;
    otto.listen_from(&held).await.frame("welcome").await;
    change(&world, "UPDATE members SET version = version + 1").await;
    assert_eq!(otto.listen_from(&held).await.next().await.expect("a frame")["type"], "resync");
    limit_to_first_site(&world).await;
    let limited = otto.listen().await.start_cursor().await;
    otto.listen_from(&limited).await.frame("welcome").await;
    change(&world, "UPDATE members SET version = version + 1, sites = NULL").await;
    assert_eq!(otto.listen_from(&limited).await.next().await.expect("a frame")["type"], "resync");
    otto.listen().await.frame("welcome").await;
}

/// The same person, in the log of another workspace.
#[tokio::test]
async fn a_cursor_of_another_workspace_means_load_anew() {
    let world = World::new().await;
    let (otto, anna) = (world.owner("otto").await, world.owner("anna").await);
    let (shop, _): (Site, Site) = (otto.site("Shop").await, anna.site("Other").await);
    world.visitor(&shop, "vera").await.send("v", "hello").await.ok();
    let held: String = listening(&anna).await;
    assert_eq!(otto.listen_from(&held).await.next().await.expect("a frame")["type"], "resync");
}

async fn listening(owner: &Owner) -> String {
    owner.listen().await.start_cursor().await
}
