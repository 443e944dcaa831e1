//! What is shown of a person belongs to who has shown the same proof, and whoever wrote can be found.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};

use crate::identity::{secret_of, signed, token_for};
use crate::world::{Line, Owner, Site, Visitor, World};

/// Somebody comes with the given fields of `start` and a browser of its own.
async fn come(world: &World, site: &Site, fields: &Value, browser: &str) -> Visitor {
    let mut body = json!({ "do": "start", "key": site.widget_key, "anonymous": false });
    body.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
    let answer = world.http().json(Method::POST, "/api/widget", &[("user-agent", browser)], &body).await;
    Visitor::from(world.http().clone(), answer)
}

/// Everything that is shown of the conversation in which somebody wrote `text`: list, thread, search, chat API.
async fn shown(otto: &Owner, shop: &Site, text: &str) -> Value {
    let inbox = otto.inbox("state=all").await;
    let row = inbox.iter().find(|row| row["last_message"]["text"] == text).expect("a conversation").clone();
    let (id, word) = (row["id"].as_i64().expect("a number"), text.split(' ').next_back().expect("a word"));
    let api = format!("/api/chat_api.php?key={}&action=get_recent_messages&conversation_id={id}", shop.chat_key);
    json!({
        "row": row,
        "thread": otto.get(&format!("sites/{}/conversations/{id}", shop.id)).await,
        "found": otto.get(&format!("search?q={word}")).await,
        "api": otto.http.get(&api).await.ok(),
    })
}

/// What a console hears until a message says `text`, as it stands in its frames.
async fn heard_until(console: &mut Line, text: &str) -> Vec<Value> {
    let mut heard = Vec::new();
    loop {
        let frame = console.next().await.expect("a frame");
        if frame["event"]["message"]["text"] == text {
            return heard;
        }
        heard.extend(["event", "signal"].into_iter().filter_map(|part| frame.get(part).cloned()));
    }
}

#[tokio::test]
async fn a_stranger_who_types_a_verified_id_changes_nothing_that_is_shown_of_its_owner() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let secret = secret_of(&otto, &shop).await;
    let mut vera = signed("user_1", &token_for(&world, &secret, "user_1"));
    vera.as_object_mut().expect("an object").extend(
        json!({
            "nickname": "Vera", "email": "vera@shop.example", "attributes": { "plan": "gold" },
            "page": { "url": "https://shop.example/cart", "title": "Cart", "referrer": "https://search.example/" },
            "locale": "de", "timezone": "Europe/Berlin",
        })
        .as_object()
        .expect("an object")
        .clone(),
    );
    let firefox = "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0";
    let vera = come(&world, &shop, &vera, firefox).await;
    vera.send("v1", "where is my parcel").await.ok();
    let before = shown(&otto, &shop, "where is my parcel").await;

    world.pass(3_600);
    let mut console = otto.listen().await;
    console.frame("beat").await;
    let chrome = "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile";
    let claims = json!({
        "external_id": "user_1", "nickname": "Mallory", "email": "mallory@evil.example", "attributes": { "plan": "none" },
        "page": { "url": "https://evil.example/phish", "title": "Log in again", "referrer": "https://evil.example/" },
        "locale": "ru", "timezone": "Asia/Omsk",
    });
    let mallory = come(&world, &shop, &claims, chrome).await;
    assert_eq!(mallory.state["visitor"]["nickname"], "Mallory", "and not what the site calls Vera");
    let mut page = mallory.listen().await;
    page.frame("beat").await;
    let thread = before["thread"]["messages"][0]["seq"].clone();
    let of_vera = vera.state["conversations"][0]["id"].clone();
    for hint in [
        json!({ "type": "typing" }),
        json!({ "type": "page", "page": { "url": "https://evil.example/2", "title": "2", "referrer": "" } }),
        json!({ "type": "delivered", "conversation": of_vera, "seq": thread }),
        json!({ "type": "seen", "conversation": of_vera, "seq": thread }),
    ] {
        page.say(hint).await;
    }
    page.say(json!({ "type": "alive" })).await;
    let still = shown(&otto, &shop, "where is my parcel").await;
    assert_eq!(still, before, "with a page open that says it is hers");
    mallory.send("m1", "send it to me").await.ok();
    assert_eq!(shown(&otto, &shop, "where is my parcel").await, before, "nor by what they wrote");

    // What news says of a person names the proof that the conversation of that person has.
    let proof = before["row"]["visitor"]["proof"].as_str().expect("a proof");
    let about_people = |heard: &Value| match heard["kind"].as_str().expect("a kind") {
        "visitor_changed" => Some(heard["visitor"]["proof"].clone()),
        "presence" | "page" => Some(heard["proof"].clone()),
        _ => None,
    };
    let heard = heard_until(&mut console, "send it to me").await;
    let proofs: Vec<Value> = heard.iter().filter_map(about_people).collect();
    assert!(proofs.len() >= 3 && proofs.iter().all(|shown| shown.is_string() && shown != proof), "{heard:?}");

    // In its own thread stands what they claim, as claims.
    let row = async || shown(&otto, &shop, "send it to me").await["row"].clone();
    let moved = async {
        // Moves to another page are gathered and written a moment later.
        loop {
            let row = row().await;
            if row["visitor"]["page"]["title"] == "2" {
                return row;
            }
        }
    };
    let row = tokio::time::timeout(Duration::from_secs(30), moved).await.expect("the page that was moved to");
    assert_eq!((&row["visitor"]["nickname"], &row["visitor"]["claimed"]), (&json!("Mallory"), &json!(true)));
    assert_eq!(row["visitor"]["online"], true);
    assert_eq!(
        (&row["visitor"]["browser"], &row["visitor"]["mobile"]),
        (&json!("Chrome 140 on Android"), &json!(true))
    );
    assert_eq!(
        (&before["row"]["visitor"]["claimed"], &before["row"]["visitor"]["online"]),
        (&json!(false), &json!(false))
    );
}

#[tokio::test]
async fn what_was_claimed_before_somebody_signed_is_never_shown_as_signed() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let secret = secret_of(&otto, &shop).await;
    let claims = json!({ "external_id": "user_2", "nickname": "The Boss", "email": "boss@shop.example" });
    let early = come(&world, &shop, &claims, "").await;
    early.send("b1", "give me a discount").await.ok();
    let token = token_for(&world, &secret, "user_2");
    let signed = world.arrive(&shop, signed("user_2", &token), Some(&early.token)).await.expect("to be let in");
    assert_eq!(signed.texts(), ["give me a discount"]);
    let row = otto.inbox("").await.remove(0);
    assert_eq!((&row["verified"], &row["visitor"]["claimed"]), (&json!(true), &json!(false)));
    assert_eq!((&row["visitor"]["nickname"], &row["visitor"]["email"]), (&Value::Null, &Value::Null));
}

/// The names under which people are found, page by page.
async fn found(otto: &Owner, query: &str) -> Vec<String> {
    let (mut names, mut before) = (Vec::new(), String::new());
    loop {
        let page = otto.get(&format!("people?{query}{before}")).await;
        let rows = page["conversations"].as_array().expect("a list");
        names.extend(rows.iter().map(|row| row["visitor"]["external_id"].as_str().expect("an id").to_owned()));
        let Some(next) = page["next"].as_str() else { return names };
        before = format!("&before={next}");
    }
}

/// Somebody with a name and an address writes.
async fn writes(world: &World, site: &Site, id: &str, nickname: &str, email: &str) -> Visitor {
    let who = json!({ "external_id": id, "nickname": nickname, "email": email });
    let visitor = come(world, site, &who, "").await;
    visitor.send("1", "hello").await.ok();
    visitor
}

#[tokio::test]
async fn everybody_who_wrote_is_found_by_name_address_or_id() {
    let world = World::new().await;
    let (otto, nils) = (world.owner("otto").await, world.owner("nils").await);
    let (shop, cafe) = (otto.site("Shop").await, otto.site("Cafe").await);
    writes(&world, &nils.site("Bakery").await, "u0", "Søren elsewhere", "soren@nils.example").await;
    writes(&world, &shop, "u1", "Søren Larsen", "larsen@mail.example").await;
    writes(&world, &shop, "u2", "SOREN K", "kierkegaard@mail.example").await;
    writes(&world, &cafe, "u3", "Bo Sørensen", "bo@cafe.example").await;
    writes(&world, &cafe, "cus_Nff99", "So\u{308}ren", "x@cafe.example").await;
    writes(&world, &shop, "u5", "田中太郎", "tanaka@mail.example").await;
    come(&world, &shop, &json!({ "external_id": "u6", "nickname": "Søren the silent" }), "").await;
    // Old and closed ones are found as well.
    let first = otto.inbox("").await.pop().expect("a conversation");
    let close = format!("sites/{}/conversations/{}/close", first["site_id"], first["id"]);
    otto.call(Method::POST, &close, json!({})).await.ok();

    let all = ["cus_Nff99", "u3", "u2", "u1"];
    for query in ["q=soren", "q=S%C3%B8ren", "q=SOREN&limit=1", "q=s%C3%B8re&limit=3"] {
        assert_eq!(found(&otto, query).await, all, "{query}");
    }
    assert_eq!(found(&otto, "q=lars+sor").await, ["u1"], "each word may be a beginning, in any order");
    assert_eq!(found(&otto, "q=kierkegaard%40mail.example").await, ["u2"]);
    assert_eq!(found(&otto, "q=mail.example").await, ["u5", "u2", "u1"]);
    assert_eq!(found(&otto, "q=cus_nff").await, ["cus_Nff99"]);
    assert_eq!(found(&otto, "q=%E5%A4%AA%E9%83%8E").await, ["u5"], "in the middle of a name without spaces");
    assert_eq!(found(&otto, &format!("q=soren&site={}", cafe.id)).await, ["cus_Nff99", "u3"]);
    assert!(found(&otto, "q=soren+nobody").await.is_empty());
    assert!(found(&otto, "q=%25_%27%22*").await.is_empty(), "signs are no commands");
    assert_eq!(found(&nils, "q=soren").await, ["u0"]);
    let foreign = nils.call(Method::GET, &format!("people?q=soren&site={}", cafe.id), Value::Null).await;
    assert_eq!(foreign.status, 404);
    for refused in [format!("q={}", "a".repeat(201)), "q=a&limit=101".into(), "q=a&before=x".into()] {
        let answer = otto.call(Method::GET, &format!("people?{refused}"), Value::Null).await;
        assert_eq!(answer.status, 400, "{refused}");
    }
}

#[tokio::test]
async fn people_are_found_as_they_are_called_now_and_not_after_they_are_gone() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let guest = world.arrive(&shop, json!({ "external_id": "v_77aa", "anonymous": true }), None).await.expect("in");
    guest.send("g1", "hello").await.ok();
    let number = otto.inbox("").await[0]["visitor"]["id"].clone();
    assert_eq!(found(&otto, &format!("q=visitor+{number}")).await, ["v_77aa"], "as the list calls them");
    let named = json!({ "external_id": "u7", "anonymous": false, "nickname": "Ada" });
    let ada = world.arrive(&shop, named, Some(&guest.token)).await.expect("in");
    assert_eq!(found(&otto, "q=ada").await, ["u7"]);
    assert!(found(&otto, "q=v_77aa").await.is_empty());
    let renamed = json!({ "external_id": "u7", "anonymous": false, "nickname": "Grace" });
    world.arrive(&shop, renamed, Some(&ada.token)).await.expect("in");
    assert!(found(&otto, "q=ada").await.is_empty());
    assert_eq!(found(&otto, "q=grace").await, ["u7"]);
    otto.call(Method::DELETE, &format!("sites/{}", shop.id), json!({})).await.ok();
    assert!(found(&otto, "q=grace").await.is_empty());
}

/// Adds 100,000 people with one conversation each, stored as the product stores them. Every 10,000th is called Søren.
const CROWD: [&str; 5] = [
    "INSERT INTO visitors (site_id, id, public_id, external_id, anonymous, first_seen_at, last_seen_at)
    WITH RECURSIVE numbers (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100999)
    SELECT $1, n, 'visitor_p' || n, 'user_' || n, FALSE, n, n FROM numbers",
    "INSERT INTO people (site_id, id, visitor_id, proof, nickname, email, first_seen_at, last_seen_at, indexed)
    SELECT site_id, id, id, 'browser:b', CASE WHEN id % 10000 = 0 THEN 'Søren ' ELSE 'Anna ' END || id,
        'u' || id || '@mail.example', id, id, TRUE FROM visitors WHERE site_id = $1",
    "INSERT INTO conversations (site_id, workspace_id, id, public_id, visitor_id, proof, state, created_at, updated_at)
    SELECT v.site_id, s.workspace_id, v.id, 'c' || v.id, v.id, 'browser:b', 'open', v.id, v.id
    FROM visitors AS v JOIN sites AS s ON s.id = v.site_id WHERE v.site_id = $1",
    "INSERT INTO people_words (workspace_id, span, word, person_id, site_id)
    SELECT s.workspace_id, p.id / 16384, words.word, p.id, p.site_id FROM people AS p JOIN sites AS s ON s.id = p.site_id
    CROSS JOIN (SELECT 'user' AS word UNION SELECT 'visitor' UNION SELECT 'mail' UNION SELECT 'example') AS words
    WHERE p.site_id = $1
    UNION ALL SELECT s.workspace_id, p.id / 16384, CASE WHEN p.id % 10000 = 0 THEN 'soren' ELSE 'anna' END, p.id, p.site_id
    FROM people AS p JOIN sites AS s ON s.id = p.site_id WHERE p.site_id = $1
    UNION ALL SELECT s.workspace_id, p.id / 16384, kind.word || p.id, p.id, p.site_id
    FROM people AS p JOIN sites AS s ON s.id = p.site_id
    CROSS JOIN (SELECT '' AS word UNION SELECT 'u' UNION SELECT 'p') AS kind WHERE p.site_id = $1",
    "INSERT INTO id_blocks (kind, next) SELECT 'person', 101100 WHERE $1 > 0
    ON CONFLICT (kind) DO UPDATE SET next = 101100",
];

/// Says what a search costs; the figures stand in docs/decisions. Which rows a search may read is held by `engines`.
#[tokio::test]
#[ignore = "measures"]
async fn somebody_is_found_among_a_hundred_thousand() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let add =
        move |tx: &mut ocs::storage::Tx| CROWD.iter().try_for_each(|sql| tx.run(sql, ocs::values![shop.id]).map(drop));
    world.store().write(add).await.expect("a crowd");
    assert_eq!(found(&otto, "q=soren").await.len(), 10);
    for query in ["soren", "s", "anna", "user_77", "u77123@mail.example", "anna+user+mail", "nobody", "a"] {
        let mut took = Vec::new();
        for _ in 0..11 {
            let begun = std::time::Instant::now();
            otto.get(&format!("people?q={query}")).await;
            took.push(begun.elapsed());
        }
        took.sort_unstable();
        println!("{query}: {:?}, at most {:?}", took[5], took[10]);
    }
}
