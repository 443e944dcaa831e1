//! Databases of every schema that was released, as the product made them: today's program opens each and finds all of it.
//!
//! A fixture is a backup, its master key, and what the product answered when it was made. `make fixture` makes the one of
//! the newest schema.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use hyper::Method;
use ocs::clock::Clock;
use ocs::storage::{Folder, MIGRATIONS, Store, Tx, inspect, newest_schema};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::identity::{secret_of, signed, token_for};
use crate::images::{animation, png, upload};
use crate::second_factor::protect;
use crate::world::{Owner, Site, Visitor, World};

fn fixture(schema: i64) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/schema-{schema:04}"))
}

fn read_json(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).expect("the file")).expect("JSON")
}

/// The backup of a fixture, unpacked from its compression.
pub fn backup_of(schema: i64) -> Vec<u8> {
    let packed = File::open(fixture(schema).join("backup.tar.gz")).expect("the backup");
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut tar).expect("a whole file");
    tar
}

fn ocs(arguments: &[&str]) {
    let done = Command::new(env!("CARGO_BIN_EXE_ocs")).env_clear().args(arguments).output().expect("the program runs");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn every_schema_has_its_fixture() {
    for migration in MIGRATIONS {
        let there = fixture(migration.schema).join("remembered.json").exists();
        assert!(there, "schema {} has no fixture: `make fixture`", migration.schema);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_every_released_schema_is_opened_with_all_that_is_in_it() {
    for schema in MIGRATIONS.iter().map(|migration| migration.schema) {
        let mut world = stopped_at(schema).await;
        let data = world.data();
        let manifest = read_json(&data.join("manifest.json"));
        assert_eq!(manifest["schema"], schema);

        ocs(&["migrate", "--data", text(&data)]);
        let migrated = inspect(&data.join("ocs.db")).await.expect("a sound database");
        assert_eq!(migrated.schema, newest_schema());
        assert_eq!(migrated.epoch, manifest["epoch"]);
        assert_eq!(kept(json!(migrated.rows), schema), kept(manifest["rows"].clone(), schema));

        let remembered = read_json(&fixture(schema).join("remembered.json"));
        world.go_to(remembered["made_at"].as_i64().expect("a time"));
        world.start().await;
        if schema < ONE_LOG_FOR_EACH_WORKSPACE {
            numbered_anew(&world).await;
        }
        still_knows(&world, &remembered).await;
        if schema < ONE_LOG_FOR_EACH_WORKSPACE {
            old_cursors_load_anew(&world, &remembered).await;
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn a_backup_of_every_released_schema_is_restored_whole() {
    for schema in MIGRATIONS.iter().map(|migration| migration.schema) {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, data) = (folder.path().join("old.tar"), folder.path().join("data"));
        fs::write(&file, backup_of(schema)).expect("writes");
        ocs(&["restore", text(&file), "--data", text(&data)]);
        ocs(&["migrate", "--data", text(&data)]);
        let restored = inspect(&data.join("ocs.db")).await.expect("a sound database");
        fs::create_dir(folder.path().join("raw")).expect("a folder");
        tar::Archive::new(backup_of(schema).as_slice()).unpack(folder.path().join("raw")).expect("unpacks");
        let manifest = read_json(&folder.path().join("raw/manifest.json"));
        assert_eq!(kept(json!(restored.rows), schema), kept(manifest["rows"].clone(), schema));
        assert_ne!(restored.epoch, manifest["epoch"], "clients notice");
    }
}

/// The first schema with one log for each workspace; the stored events of those before are dropped.
const ONE_LOG_FOR_EACH_WORKSPACE: i64 = 9;

/// The counts of rows that a migration keeps.
fn kept(mut rows: Value, from: i64) -> Value {
    if from < ONE_LOG_FOR_EACH_WORKSPACE {
        rows.as_object_mut().expect("counts").remove("events");
    }
    rows
}

/// Messages are numbered 1, 2, 3 … in each workspace, in the order in which they were stored.
async fn numbered_anew(world: &World) {
    let astray = "SELECT COUNT(*) FROM (SELECT m.n, s.workspace_id = m.workspace_id AS own,
            ROW_NUMBER() OVER (PARTITION BY m.workspace_id ORDER BY m.id) AS place
        FROM messages AS m JOIN sites AS s ON s.id = m.site_id AND s.workspace_id > 0) AS numbered
        WHERE numbered.n <> numbered.place OR NOT numbered.own";
    let counters =
        "SELECT COUNT(*), COALESCE(SUM(c.n), 0), COALESCE(SUM(c.n <> c.trimmed), 0) FROM workspace_counters AS c";
    assert_eq!(world.store().one(astray, []).await.expect("an answer"), Some((0_i64,)));
    let workspaces: Option<(i64,)> =
        world.store().one("SELECT COUNT(*) FROM workspaces WHERE id > 0", []).await.expect("an answer");
    let messages: Option<(i64,)> = world.store().one("SELECT COUNT(*) FROM messages", []).await.expect("an answer");
    let (workspaces, messages) = (workspaces.expect("a row").0, messages.expect("a row").0);
    assert_eq!(world.store().one(counters, []).await.expect("an answer"), Some((workspaces, messages, 0_i64)));
}

/// A client that held a cursor of before is told to load anew, once.
async fn old_cursors_load_anew(world: &World, remembered: &Value) {
    let said = |name: &str| remembered[name].as_str().expect("text").to_owned();
    let otto = Owner::signed_in(world.http(), said("cookie"), said("csrf")).await;
    let held = remembered["answers"]["/api/console/conversations?state=all"]["cursor"].as_str().expect("a cursor");
    assert_eq!(otto.listen_from(held).await.next().await.expect("a frame")["type"], "resync");
    otto.listen().await.frame("welcome").await;
    let vera = come_back(world, &said("widget_key"), &said("visitor_token")).await;
    let held = remembered["vera"]["cursor"].as_str().expect("a cursor");
    assert_eq!(vera.listen_from(held).await.next().await.expect("a frame")["type"], "resync");
    vera.listen().await.frame("welcome").await;
}

/// Makes of the fixture of schema 5 a site with two identity secrets, whose visitor Vera signed, and wrote once without.
const SIGNED_AND_NOT: [&str; 6] = [
    "UPDATE visitors SET verified = TRUE WHERE id = 1",
    "UPDATE visitor_tokens SET proof = 'signed' WHERE visitor_id = 1",
    "UPDATE conversations SET proof = 'signed' WHERE visitor_id = 1",
    "INSERT INTO identity_secrets (site_id, id, sealed, last4, created_at)
        SELECT site_id, id + 1, sealed, 'leak', created_at FROM identity_secrets",
    "INSERT INTO visitor_tokens (site_id, id, visitor_id, token_hash, proof, created_at, last_seen_at, expires_at)
        SELECT site_id, 77, visitor_id, X'00', 'browser:elsewhere', created_at, last_seen_at, expires_at
        FROM visitor_tokens WHERE id = 1",
    "UPDATE visitors SET browser = 'Firefox' WHERE id = 1",
];

/// Before schema 6 whoever typed an id changed what was kept of its visitor, signed or not. What may be somebody else's
/// words is not shown as said by who signed, what nobody is shown any more is not kept, and a token that any of two
/// secrets may have signed is good no longer.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_is_known_to_have_said_is_not_taken_into_schema_6() {
    let mut world = stopped_at(5).await;
    let folder = Folder::open(&world.data()).expect("the data folder");
    let before = Store::open_at(&folder, Clock::System, &MIGRATIONS[..5]).await.expect("opens");
    let change = |tx: &mut Tx| SIGNED_AND_NOT.iter().try_for_each(|sql| tx.run(sql, []).map(drop));
    before.write(change).await.expect("a change");
    before.close().await;
    ocs(&["migrate", "--data", text(&world.data())]);
    let remembered = read_json(&fixture(5).join("remembered.json"));
    world.go_to(remembered["made_at"].as_i64().expect("a time"));
    world.start().await;

    let said = |name: &str| remembered[name].as_str().expect("text").to_owned();
    let otto = Owner::signed_in(world.http(), said("cookie"), said("csrf")).await;
    let vera = otto.get("sites/1/conversations/1").await["conversation"]["visitor"].clone();
    assert_eq!((&vera["verified"], &vera["claimed"]), (&json!(true), &json!(false)));
    for name in ["nickname", "email", "page", "browser", "locale", "timezone"] {
        assert_eq!(vera[name], Value::Null, "{name}");
    }
    assert_eq!(vera["attributes"], json!({}));

    let kept = "SELECT COUNT(*), SUM(nickname IS NULL AND email IS NULL AND attributes = '{}' AND page_url IS NULL
        AND page_title IS NULL AND page_referrer IS NULL AND browser IS NULL AND NOT mobile AND locale IS NULL
        AND timezone IS NULL) FROM visitors";
    assert_eq!(world.store().one(kept, []).await.expect("an answer"), Some((2_i64, 2_i64)), "those before are empty");

    // The token stays to tell who comes, and opens nothing before Vera has signed again.
    let bearer = format!("Bearer {}", said("visitor_token"));
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = json!({ "do": "send", "client_id": "leaked", "text": "still here" });
    let refused = world.http().send(Method::POST, "/api/widget", &headers, body.to_string()).await;
    assert_eq!(refused.code(), "invalid_token");
    world.pass(60);
    let shown = json!({ "code": crate::second_factor::code(&said("totp_secret"), world.now()) });
    otto.call(Method::POST, "account/confirm", shown).await.ok();
    otto.call(Method::DELETE, "sites/1/identity-secrets/3", json!({})).await.ok();
    let site = Site { id: 1, widget_key: said("widget_key"), chat_key: String::new() };
    let arrival = signed("vera", &token_for(&world, &secret_of(&otto, &site).await, "vera"));
    let vera = world.arrive(&site, arrival, Some(&said("visitor_token"))).await.expect("to be let in");
    assert!(vera.texts().contains(&"Is the blue lamp back?".to_owned()));
}

/// Where a site has one secret, that one signed the tokens that are not older than it.
#[tokio::test]
async fn a_token_from_before_schema_6_belongs_to_the_one_secret_that_may_have_signed_it() {
    let world = stopped_at(5).await;
    let folder = Folder::open(&world.data()).expect("the data folder");
    let before = Store::open_at(&folder, Clock::System, &MIGRATIONS[..5]).await.expect("opens");
    let change = |tx: &mut Tx| {
        tx.run("UPDATE visitor_tokens SET proof = 'signed'", [])?;
        tx.run("UPDATE identity_secrets SET created_at = created_at + 1", [])
    };
    before.write(change).await.expect("a change");
    before.close().await;
    let after = Store::open(&folder, Clock::System).await.expect("migrates");
    let by: Vec<(i64, Option<i64>)> =
        after.all("SELECT id, identity_secret FROM visitor_tokens ORDER BY id", []).await.expect("an answer");
    assert_eq!(by, [(1, None), (2, Some(2))]);
}

/// What an operator sent twice under one id, on two sites: ids are unique for their author in a workspace since schema 9.
const ONE_ID_ON_TWO_SITES: [&str; 2] = [
    "UPDATE sites SET workspace_id = (SELECT workspace_id FROM sites WHERE id = 1) WHERE workspace_id > 0",
    "INSERT INTO messages (id, site_id, n, conversation_id, seq, author_kind, author_id, client_id, text, at)
        SELECT 500 + s.id, s.id, 500, 500 + s.id, 1, 'operator', 1, 'same', 'on ' || s.id, 0
        FROM sites AS s WHERE s.workspace_id > 0",
];

#[tokio::test]
async fn an_id_that_an_operator_used_on_two_sites_is_kept_by_the_first() {
    let world = stopped_at(8).await;
    let folder = Folder::open(&world.data()).expect("the data folder");
    let before = Store::open_at(&folder, Clock::System, &MIGRATIONS[..8]).await.expect("opens");
    let change = |tx: &mut Tx| ONE_ID_ON_TWO_SITES.iter().try_for_each(|sql| tx.run(sql, []).map(drop));
    before.write(change).await.expect("a change");
    before.close().await;
    let after = Store::open(&folder, Clock::System).await.expect("migrates");
    let ids: Vec<(i64, String)> =
        after.all("SELECT id, client_id FROM messages WHERE id > 500 ORDER BY id", []).await.expect("an answer");
    assert_eq!(ids, [(501, "same".into()), (503, "same-503".into())]);
}

/// A world that is not running, on the data of a fixture.
async fn stopped_at(schema: i64) -> World {
    let mut world = World::new().await;
    world.stop().await;
    let data = world.data();
    fs::remove_dir_all(&data).expect("removes");
    tar::Archive::new(backup_of(schema).as_slice()).unpack(&data).expect("unpacks");
    fs::copy(fixture(schema).join("master.key"), data.join("master.key")).expect("copies");
    world
}

/// Everything is answered as it was; a later version may say more.
async fn still_knows(world: &World, remembered: &Value) {
    let said = |name: &str| remembered[name].as_str().expect("text").to_owned();
    let otto = Owner::signed_in(world.http(), said("cookie"), said("csrf")).await;
    for (path, then) in remembered["answers"].as_object().expect("answers") {
        holds(&ask(world, &otto, path).await, then, path);
    }
    for (path, then) in remembered["files"].as_object().expect("files") {
        assert_eq!(&json!(hash(world, path).await), then, "{path}");
    }
    let vera = come_back(world, &said("widget_key"), &said("visitor_token")).await;
    holds(&vera.state, &remembered["vera"], "vera");
    // What is sealed can be opened, and what is hashed fits.
    let mut body = json!({ "email": "otto@example.org", "password": "correct horse battery" });
    let sign_in = async |body: &Value| world.http().json(Method::POST, "/api/console/sign-in", &[], body).await;
    assert_eq!(sign_in(&body).await.code(), "second_factor_required");
    world.pass(60);
    body["code"] = json!(crate::second_factor::code(&said("totp_secret"), world.now()));
    sign_in(&body).await.ok();
    // And it goes on from there.
    vera.send("after", "And today?").await.ok();
    // What was said before there was a search is found, whether it is indexed yet or not.
    let lamp = ["Is the [blue] [lamp] back?"];
    assert_eq!(crate::search::search(&otto, "blue lamp").await, lamp);
    assert!(world.index().await > 2);
    assert_eq!(crate::search::search(&otto, "blue lamp").await, lamp);
}

#[track_caller]
fn holds(now: &Value, then: &Value, place: &str) {
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            for (name, then) in then {
                holds(now.get(name).unwrap_or(&Value::Null), then, &format!("{place} / {name}"));
            }
        }
        (Value::Array(now), Value::Array(then)) => {
            assert_eq!(now.len(), then.len(), "{place}");
            for (index, then) in then.iter().enumerate() {
                holds(&now[index], then, &format!("{place} / {index}"));
            }
        }
        // Opaque, but for the life of the database.
        (Value::String(now), Value::String(then)) if place.ends_with(" / cursor") => {
            assert_eq!(now.split('.').next(), then.split('.').next(), "{place}");
        }
        _ => assert_eq!(now, then, "{place}"),
    }
}

async fn ask(world: &World, otto: &Owner, path: &str) -> Value {
    match path.strip_prefix("/api/console/") {
        Some(path) => otto.get(path).await,
        None => world.http().get(path).await.ok(),
    }
}

async fn hash(world: &World, path: &str) -> String {
    let answer = world.http().get(path).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.status);
    Sha256::digest(&answer.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn come_back(world: &World, widget_key: &str, token: &str) -> Visitor {
    let site = Site { id: 0, widget_key: widget_key.to_owned(), chat_key: String::new() };
    world.arrive(&site, json!({ "external_id": "vera", "anonymous": false }), Some(token)).await.expect("to be let in")
}

/// Writes the fixture of the newest schema. It is never written again: databases like it are out there.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes into tests/fixtures: make fixture"]
async fn make_the_fixture_of_the_newest_schema() {
    let target = fixture(newest_schema());
    assert!(!target.exists(), "{} is there; one that was released is never made again", target.display());
    let mut world = World::new().await;
    let mut remembered = live(&world).await;
    remembered["made_at"] = json!(world.now());
    world.stop().await;
    fs::create_dir_all(&target).expect("a folder");
    let tar = world.data().join("../backup.tar");
    ocs(&["backup", text(&tar), "--data", text(&world.data())]);
    let packed = File::create(target.join("backup.tar.gz")).expect("a file");
    let mut packer = flate2::write::GzEncoder::new(packed, flate2::Compression::best());
    std::io::copy(&mut File::open(tar).expect("the backup"), &mut packer).expect("packs");
    packer.finish().expect("packs");
    fs::copy(world.data().join("master.key"), target.join("master.key")).expect("copies");
    let text = serde_json::to_string_pretty(&remembered).expect("JSON");
    fs::write(target.join("remembered.json"), text + "\n").expect("writes");
}

/// Otto's day: a bit of everything that is kept. Says what the product answers at its end.
async fn live(world: &World) -> Value {
    let otto = world.owner("otto").await;
    let (totp_secret, _) = protect(world, &otto).await;
    let site = otto.site("Lamp Shop").await;
    furnish(world, &otto, &site).await;
    let vera = chat(world, &otto, &site).await;
    let gone = otto.site("Closed Shop").await;
    otto.call(Method::DELETE, &format!("sites/{}", gone.id), json!({})).await.ok();
    world.owner("nils").await.site("Bakery").await;

    let inbox = otto.inbox("state=all").await;
    let mut paths: Vec<String> = inbox
        .iter()
        .map(|one| format!("/api/console/sites/{}/conversations/{}?limit=200", one["site_id"], one["id"]))
        .collect();
    let vera = come_back(world, &site.widget_key, &vera.token).await;
    let rest = ["sites", "conversations?state=all", "account/second-factor", "account/sessions", "account/audit"];
    paths.extend(rest.map(|path| format!("/api/console/{path}")));
    paths.push(format!("/api/chat_api.php?action=get_recent_messages&key={}", site.chat_key));
    let (mut answers, mut files) = (Map::new(), Map::new());
    for path in paths {
        let answer = ask(world, &otto, &path).await;
        for url in urls(&answer) {
            files.insert(url.clone(), json!(hash(world, &url).await));
        }
        answers.insert(path, answer);
    }
    assert!(files.len() >= 5, "two pictures, their thumbnails and a logo");
    json!({
        "cookie": otto.cookie, "csrf": otto.csrf, "totp_secret": totp_secret,
        "widget_key": site.widget_key, "visitor_token": vera.token,
        "answers": answers, "files": files, "vera": vera.state,
    })
}

async fn furnish(world: &World, otto: &Owner, site: &Site) {
    let look = json!({ "variant": "bubble", "primary": "#166534", "header": "#166534" });
    let change = json!({
        "welcome": { "en": "Hello!", "fr": "Bonjour !" }, "allowed_domains": ["shop.example", "*.shop.example"],
        "opaque_agent_ids": true, "limits": { "messages_per_minute": 30, "api_per_minute": 90, "image_bytes": 2_000_000 },
    });
    let before = otto.get(&format!("sites/{}", site.id)).await["look"].clone();
    let mut whole = before.as_object().expect("a look").clone();
    whole.extend(look.as_object().expect("fields").clone());
    otto.configure(site, change).await;
    otto.configure(site, json!({ "look": whole })).await;
    otto.call(Method::POST, &format!("sites/{}/identity-secrets", site.id), json!({})).await.ok();
    otto.call(Method::POST, &format!("sites/{}/widget-key", site.id), json!({ "grace_s": 86_400 })).await.ok();
    let headers = [("cookie", otto.cookie.as_str()), ("x-csrf-token", otto.csrf.as_str())];
    let path = format!("/api/console/sites/{}/logo", site.id);
    world.http().send(Method::PUT, &path, &headers, png(60, 30)).await.ok();
}

/// Vera writes, sends pictures, is answered by Otto and by a script, and has seen some of it; what Noor asked without a
/// name was closed.
async fn chat(world: &World, otto: &Owner, site: &Site) -> Visitor {
    let about = json!({
        "external_id": "vera", "anonymous": false, "nickname": "Vera", "email": "vera@shop.example",
        "attributes": { "plan": "gold" }, "locale": "fr", "timezone": "Europe/Berlin",
        "page": { "url": "https://shop.example/cart", "title": "Your cart", "referrer": "" },
    });
    let vera = world.arrive(site, about, None).await.expect("to be let in");
    let sent = vera.send("v1", "Is the blue lamp back?").await.ok();
    let first = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    otto.reply(site, first, "o1", "It is, three are left.\n💙 שלום").await.ok();
    let mut console = otto.listen().await;
    let seen = json!({ "type": "seen", "conversation": sent["message"]["conversation"], "seq": 2 });
    vera.command(json!({ "do": "hint", "hint": seen })).await.ok();
    console.event("seen").await;
    world.pass(60);
    for (client_id, bytes) in [("v2", png(900, 20)), ("v3", animation(5))] {
        let image = upload(world, &vera, bytes).await.ok()["image"]["id"].clone();
        vera.command(json!({ "do": "send", "client_id": client_id, "image": image })).await.ok();
    }
    let body = json!({ "conversation_id": first, "content": "Seen by a script", "agent_name": "Agent Wang" });
    let path = format!("/api/chat_api.php?action=reply_as_agent&key={}", site.chat_key);
    world.http().json(Method::POST, &path, &[], &body).await.ok();
    let noor = json!({ "external_id": "k3Jt0pXw", "anonymous": true });
    world.arrive(site, noor, None).await.expect("to be let in").send("n1", "do you ship?").await.ok();
    let last = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    otto.call(Method::POST, &format!("sites/{}/conversations/{last}/close", site.id), json!({})).await.ok();
    vera
}

/// Addresses of files in an answer.
fn urls(answer: &Value) -> Vec<String> {
    match answer {
        Value::Object(fields) => fields.values().flat_map(urls).collect(),
        Value::Array(items) => items.iter().flat_map(urls).collect(),
        Value::String(text) if text.starts_with("/uploads/") => vec![text.clone()],
        _ => Vec::new(),
    }
}
