//! A password that was stolen is not enough.

use hyper::Method;
use serde_json::{Value, json};

use crate::world::{Answer, Owner, World};

const PASSWORD: &str = "correct horse battery";

/// What an authenticator app shows, made by a hand of its own (RFC 4226, 6238).
pub fn code(secret: &str, at_ms: i64) -> String {
    let bits: String = secret
        .bytes()
        .map(|letter| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == letter).expect("base32"))
        .map(|value| format!("{value:05b}"))
        .collect();
    let bytes: Vec<u8> =
        bits.as_bytes().chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | (bit - b'0'))).collect();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    let tag = ring::hmac::sign(&key, &(at_ms / 30_000).to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().expect("four bytes")) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// Digits that are no code now.
fn wrong_code(secret: &str, now: i64) -> String {
    let near: Vec<String> = (-2..=2).map(|step| code(secret, now + step * 30_000)).collect();
    (0..).map(|number| format!("{number:06}")).find(|text| !near.contains(text)).expect("one of a million")
}

async fn sign_in(world: &World, code: Option<&str>) -> Answer {
    let mut body = json!({ "email": "otto@example.org", "password": PASSWORD });
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    world.http().json(Method::POST, "/api/console/sign-in", &[], &body).await
}

async fn post(owner: &Owner, path: &str, body: Value) -> Answer {
    owner.call(Method::POST, &format!("account/second-factor{path}"), body).await
}

/// Turns it on and says the secret and the recovery codes.
pub async fn protect(world: &World, owner: &Owner) -> (String, Vec<String>) {
    let begun = post(owner, "", json!({ "password": PASSWORD })).await;
    assert_eq!(begun.headers["cache-control"], "no-store");
    let secret = begun.ok()["secret"].as_str().expect("a secret").to_owned();
    let done = post(owner, "/confirm", json!({ "code": code(&secret, world.now()) })).await;
    assert_eq!(done.headers["cache-control"], "no-store");
    let codes = done.ok()["recovery_codes"].as_array().expect("a list").clone();
    world.pass(60);
    (secret, codes.iter().map(|code| code.as_str().expect("text").to_owned()).collect())
}

#[tokio::test]
async fn otto_turns_it_on_and_signs_in_with_a_code_that_works_once() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let thief = Owner::from(world.http().clone(), sign_in(&world, None).await);
    assert_eq!(otto.get("account/second-factor").await, json!({ "enabled": false, "recovery_codes_left": 0 }));

    assert_eq!(post(&otto, "", json!({ "password": "not my password" })).await.code(), "wrong_credentials");
    assert_eq!(post(&otto, "/confirm", json!({ "code": "123456" })).await.code(), "conflict", "nothing was begun");
    let begun = post(&otto, "", json!({ "password": PASSWORD })).await.ok();
    let secret = begun["secret"].as_str().expect("a secret");
    assert_eq!(begun["otpauth_url"], format!("otpauth://totp/OCS:otto%40example.org?secret={secret}&issuer=OCS"));
    sign_in(&world, None).await.ok();
    let wrong = wrong_code(secret, world.now());
    assert_eq!(post(&otto, "/confirm", json!({ "code": wrong })).await.code(), "wrong_code");
    let first = code(secret, world.now());
    post(&otto, "/confirm", json!({ "code": first })).await.ok();
    assert_eq!(otto.get("account/second-factor").await, json!({ "enabled": true, "recovery_codes_left": 10 }));
    assert_eq!(thief.call(Method::GET, "me", Value::Null).await.status, 401, "who had the password alone is out");

    let asked = sign_in(&world, None).await;
    assert_eq!((asked.status.as_u16(), asked.code().as_str()), (401, "second_factor_required"));
    assert!(asked.headers.get("set-cookie").is_none());
    assert_eq!(sign_in(&world, Some("")).await.code(), "second_factor_required");
    assert_eq!(sign_in(&world, Some(&first)).await.code(), "wrong_code", "it was used to turn it on");
    world.pass(30);
    let next = code(secret, world.now());
    sign_in(&world, Some(&next)).await.ok();
    assert_eq!(sign_in(&world, Some(&next)).await.code(), "wrong_code", "seen over a shoulder, it is worth nothing");
    let late = code(secret, world.now() - 60_000);
    assert_eq!(sign_in(&world, Some(&late)).await.code(), "wrong_code");
}

#[tokio::test]
async fn a_wrong_password_never_says_that_there_is_a_second_factor() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (secret, _) = protect(&world, &otto).await;
    for code in [None, Some(code(&secret, world.now()))] {
        let body = json!({ "email": "otto@example.org", "password": "not my password", "code": code });
        let answer = world.http().json(Method::POST, "/api/console/sign-in", &[], &body).await;
        assert_eq!(answer.code(), "wrong_credentials");
    }
}

#[tokio::test]
async fn the_same_code_twice_at_once_opens_once() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (secret, _) = protect(&world, &otto).await;
    let code = code(&secret, world.now());
    let answers = futures_util::future::join_all((0..4).map(|_| sign_in(&world, Some(&code)))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status.is_success()).count(), 1);
}

#[tokio::test]
async fn guessing_codes_is_slow_even_with_the_password() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (secret, _) = protect(&world, &otto).await;
    let wrong = wrong_code(&secret, world.now());
    let mut tried = 0;
    loop {
        // A right password in between does not start the count anew.
        assert_eq!(sign_in(&world, None).await.code(), "second_factor_required");
        let answer = sign_in(&world, Some(&wrong)).await;
        if answer.code() == "too_many_requests" {
            // Counted from the last guess, which a slow machine made a while ago.
            let seconds: u64 = answer.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
            assert!((1..=30).contains(&seconds), "{seconds}");
            break;
        }
        assert_eq!(answer.code(), "wrong_code");
        tried += 1;
    }
    assert_eq!(tried, 5);
    assert_eq!(sign_in(&world, Some(&code(&secret, world.now()))).await.code(), "too_many_requests");
    let failed = otto.get("account/audit").await["lines"].as_array().expect("lines").clone();
    assert_eq!(
        failed.iter().filter(|line| line["action"] == "second_factor_failed").count(),
        5,
        "the owner can see it"
    );
}

#[tokio::test]
async fn deleting_the_account_asks_for_a_code_too() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let (secret, _) = protect(&world, &otto).await;
    let delete = async |code: Option<String>| {
        otto.call(Method::POST, "account/delete", json!({ "password": PASSWORD, "code": code })).await
    };
    assert_eq!(delete(None).await.code(), "second_factor_required");
    assert_eq!(delete(Some(wrong_code(&secret, world.now()))).await.code(), "wrong_code");
    let wrong = json!({ "password": "not my password", "code": code(&secret, world.now()) });
    assert_eq!(otto.call(Method::POST, "account/delete", wrong).await.code(), "wrong_credentials");
    assert_eq!(otto.get(&format!("sites/{}", shop.id)).await["name"], "Shop", "nothing is gone");
    delete(Some(code(&secret, world.now()))).await.ok();
    assert_eq!(sign_in(&world, None).await.code(), "wrong_credentials");
}

#[tokio::test]
async fn a_code_that_was_seen_in_one_place_works_in_no_other() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (secret, codes) = protect(&world, &otto).await;
    let seen = code(&secret, world.now());
    sign_in(&world, Some(&seen)).await.ok();
    let refused = async |typed: &str| {
        let body = json!({ "password": PASSWORD, "code": typed });
        for path in ["account/delete", "account/second-factor/off", "account/second-factor/codes"] {
            assert_eq!(otto.call(Method::POST, path, body.clone()).await.code(), "wrong_code", "{path}");
        }
    };
    refused(&seen).await;
    world.pass(60);
    let next = code(&secret, world.now());
    let body = json!({ "password": PASSWORD, "code": next });
    let renewed = otto.call(Method::POST, "account/second-factor/codes", body).await.ok();
    assert_eq!(sign_in(&world, Some(&next)).await.code(), "wrong_code", "it made recovery codes");
    assert_eq!(sign_in(&world, Some(&codes[0])).await.code(), "wrong_code", "of another sheet");
    world.pass(3_600);
    let paper = renewed["recovery_codes"][0].as_str().expect("a code").to_owned();
    sign_in(&world, Some(&paper)).await.ok();
    refused(&paper).await;
    world.pass(3_600);
    let body = json!({ "password": PASSWORD, "code": code(&secret, world.now()) });
    otto.call(Method::POST, "account/delete", body).await.ok();
}

#[tokio::test]
async fn a_recovery_code_stands_in_for_a_lost_device_once() {
    let mut world = World::new().await;
    let otto = world.owner("otto").await;
    let (_, codes) = protect(&world, &otto).await;
    assert_eq!(codes.len(), 10);
    let typed = codes[3].to_uppercase().replace('-', " ");
    sign_in(&world, Some(&typed)).await.ok();
    assert_eq!(sign_in(&world, Some(&codes[3])).await.code(), "wrong_code");
    assert_eq!(otto.get("account/second-factor").await["recovery_codes_left"], 9);

    // With another master key the device's codes cannot be checked; paper works on.
    world.stop().await;
    std::fs::remove_file(world.data().join("master.key")).expect("the key");
    world.start().await;
    let back = Owner::from(world.http().clone(), sign_in(&world, Some(&codes[0])).await);
    let off = post(&back, "/off", json!({ "password": PASSWORD, "code": codes[1] })).await;
    assert_eq!(off.ok(), json!({}));
    sign_in(&world, None).await.ok();
}

#[tokio::test]
async fn new_codes_and_turning_it_off_need_password_and_code() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let (secret, old) = protect(&world, &otto).await;
    assert_eq!(post(&otto, "", json!({ "password": PASSWORD })).await.code(), "conflict", "it is on already");
    let now = || code(&secret, world.now());
    for path in ["/codes", "/off"] {
        let wrong = post(&otto, path, json!({ "password": "not my password", "code": now() })).await;
        assert_eq!(wrong.code(), "wrong_credentials", "{path}");
        let wrong = post(&otto, path, json!({ "password": PASSWORD, "code": wrong_code(&secret, world.now()) })).await;
        assert_eq!(wrong.code(), "wrong_code", "{path}");
        let none = post(&otto, path, json!({ "password": PASSWORD, "code": "" })).await;
        assert_eq!(none.code(), "second_factor_required", "{path}");
    }
    let new = post(&otto, "/codes", json!({ "password": PASSWORD, "code": now() })).await.ok();
    assert_ne!(new["recovery_codes"][0], old[0]);
    assert_eq!(sign_in(&world, Some(&old[0])).await.code(), "wrong_code", "the old paper is worth nothing");
    world.pass(30);
    assert_eq!(post(&otto, "/off", json!({ "password": PASSWORD, "code": now() })).await.ok(), json!({}));
    assert_eq!(otto.get("account/second-factor").await, json!({ "enabled": false, "recovery_codes_left": 0 }));
    sign_in(&world, None).await.ok();
}

#[tokio::test]
async fn neither_the_secret_nor_a_recovery_code_lies_readable_on_the_disk() {
    let mut world = World::new().await;
    let otto = world.owner("otto").await;
    let (secret, codes) = protect(&world, &otto).await;
    world.stop().await;
    let database = std::fs::read(world.data().join("ocs.db")).expect("the database");
    for hidden in [secret, codes[0].clone(), codes[0].replace('-', "")] {
        assert!(!database.windows(hidden.len()).any(|window| window.eq_ignore_ascii_case(hidden.as_bytes())));
    }
}

#[tokio::test]
async fn the_machines_operator_helps_who_lost_both() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    protect(&world, &otto).await;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ocs"));
    command.args(["user", "totp-off", "--email", "otto@example.org", "--data"]).arg(world.data()).env_clear();
    assert!(
        tokio::task::spawn_blocking(move || command.output())
            .await
            .expect("a thread")
            .expect("the program runs")
            .status
            .success()
    );
    sign_in(&world, None).await.ok();
    let lines = otto.get("account/audit").await["lines"].clone();
    assert_eq!((&lines[1]["action"], &lines[1]["network"]), (&json!("second_factor_off"), &json!("")));
}
