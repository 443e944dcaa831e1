//! Signing up, in and out, and what a stranger with a list of passwords meets.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::console_path::console_path;
use crate::world::{Answer, Owner, World};

const PASSWORD: &str = "correct horse battery";
const DAY: i64 = 24 * 60 * 60;

async fn sign_in(world: &World, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    world.http().json(Method::POST, "/api/console/sign-in", &[], &body).await
}

async fn signed_in(world: &World, name: &str) -> Owner {
    Owner::from(world.http().clone(), sign_in(world, &format!("{name}@example.org"), PASSWORD).await)
}

async fn status(owner: &Owner) -> StatusCode {
    owner.call(Method::GET, "me", Value::Null).await.status
}

#[tokio::test]
async fn otto_signs_up_leaves_and_comes_back() {
    let world = World::new().await;
    let about = world.http().get("/api/console/about").await.ok();
    assert_eq!((&about["signup"], &about["insecure"]), (&json!("open"), &json!(true)));

    let otto = world.owner("otto").await;
    let me = otto.get("me").await;
    assert_eq!(me["account"]["email"], "otto@example.org");
    assert_eq!(me["csrf"], otto.csrf.as_str());
    let left = otto.call(Method::POST, "sign-out", json!({})).await;
    assert!(left.headers["set-cookie"].to_str().expect("text").contains("Max-Age=0"));
    assert_eq!(status(&otto).await, 401, "the cookie is worth nothing now, wherever it was copied");

    let again = sign_in(&world, "  Otto@EXAMPLE.org ", PASSWORD).await;
    assert_eq!(again.headers["cache-control"], "no-store");
    let again = Owner::from(world.http().clone(), again);
    assert_eq!(again.get("me").await["account"], me["account"]);
    assert_ne!(again.cookie, otto.cookie);
}

#[tokio::test]
async fn what_cannot_be_an_account_is_refused_with_the_field() {
    let world = World::new().await;
    world.owner("otto").await;
    for (body, code, field) in [
        (json!({ "email": "vera", "password": PASSWORD }), "invalid_request", "email"),
        (json!({ "email": "vera@example.org", "password": "short" }), "weak_password", "password"),
        (json!({ "email": "vera@example.org", "password": "password123" }), "weak_password", "password"),
        (json!({ "email": "veronica@example.org", "password": "Veronica2026" }), "weak_password", "password"),
        (json!({ "email": "vera@example.org", "password": "x".repeat(257) }), "weak_password", "password"),
        (
            json!({ "email": "vera@example.org", "password": PASSWORD, "name": "x".repeat(81) }),
            "invalid_request",
            "name",
        ),
        (json!({ "email": "OTTO@example.org", "password": PASSWORD }), "email_taken", "email"),
    ] {
        let answer = world.http().json(Method::POST, "/api/console/sign-up", &[], &body).await;
        assert_eq!((answer.code().as_str(), &answer.json()["error"]["field"]), (code, &json!(field)), "{body}");
    }
    let sly = json!({ "email": "vera@example.org", "password": PASSWORD, "id": 1 });
    let answer = world.http().json(Method::POST, "/api/console/sign-up", &[], &sly).await;
    assert_eq!(answer.code(), "invalid_request", "unknown fields are refused");
}

#[tokio::test]
async fn a_closed_server_takes_no_strangers() {
    let world = World::with(|config| config.signup = ocs::config::Signup::Closed).await;
    assert_eq!(world.http().get("/api/console/about").await.ok()["signup"], "closed");
    let body = json!({ "email": "vera@example.org", "password": PASSWORD });
    assert_eq!(world.http().json(Method::POST, "/api/console/sign-up", &[], &body).await.code(), "signup_closed");
}

#[tokio::test]
async fn guessing_is_slow_and_tells_nothing() {
    let world = World::new().await;
    world.owner("otto").await;
    let mut answers = Vec::new();
    for email in ["otto@example.org", "nobody@example.org"] {
        for _ in 0..10 {
            let answer = sign_in(&world, email, "wrong password").await;
            assert_eq!(answer.status, 401);
            answers.push(answer.bytes);
        }
        let wait = sign_in(&world, email, PASSWORD).await;
        assert_eq!(wait.code(), "too_many_requests");
        // Counted from the last guess, which a slow machine made a while ago.
        let seconds: u64 = wait.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((1..=30).contains(&seconds), "{seconds}");
        answers.push(wait.code().into());
    }
    assert_eq!(answers[..11], answers[11..], "an address without an account is answered alike");
    world.owner("vera").await;
    sign_in(&world, "vera@example.org", PASSWORD).await.ok();
}

#[tokio::test]
async fn many_guesses_at_once_count_as_many() {
    let world = World::new().await;
    world.owner("otto").await;
    let tries = (0..20).map(|_| sign_in(&world, "otto@example.org", "wrong password"));
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 10);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 10);
}

#[tokio::test]
async fn changes_come_from_our_own_page_and_this_session() {
    let world = World::new().await;
    let (otto, vera) = (world.owner("otto").await, world.owner("vera").await);
    let sites = console_path(otto.workspace, "sites");
    let ours = format!("http://{}", world.address());
    let made = async |headers: &[(&str, &str)]| {
        let mut all = vec![("cookie", otto.cookie.as_str())];
        all.extend_from_slice(headers);
        let answer = world.http().json(Method::POST, &sites, &all, &json!({ "name": "Shop" })).await;
        if answer.status.is_success() { "made".to_owned() } else { answer.code() }
    };
    let csrf = ("x-csrf-token", otto.csrf.as_str());
    assert_eq!(made(&[csrf]).await, "made");
    assert_eq!(made(&[csrf, ("origin", &ours)]).await, "made");
    assert_eq!(made(&[csrf, ("origin", "http://box.lan"), ("host", "box.lan")]).await, "made");
    assert_eq!(made(&[]).await, "csrf");
    assert_eq!(made(&[("x-csrf-token", &vera.csrf)]).await, "csrf");
    assert_eq!(made(&[csrf, ("origin", "https://evil.example")]).await, "forbidden_origin");
    assert_eq!(made(&[csrf, ("origin", "null")]).await, "forbidden_origin");
    assert_eq!(made(&[csrf, ("sec-fetch-site", "cross-site")]).await, "forbidden_origin");

    let form = [("cookie", otto.cookie.as_str()), csrf, ("content-type", "text/plain")];
    let answer = world.http().send(Method::POST, &sites, &form, r#"{"name":"Shop"}"#).await;
    assert_eq!(answer.code(), "invalid_request", "a cross-site form cannot send JSON");
    let body = json!({ "email": "otto@example.org", "password": PASSWORD });
    let foreign = [("origin", "https://evil.example")];
    let answer = world.http().json(Method::POST, "/api/console/sign-in", &foreign, &body).await;
    assert_eq!(answer.code(), "forbidden_origin", "nobody is signed in by another page");
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_the_host() {
    let world = World::with(|config| config.public_url = Some("https://chat.example".into())).await;
    let body = json!({ "email": "otto@example.org", "password": PASSWORD });
    let answer = world.http().json(Method::POST, "/api/console/sign-up", &[], &body).await;
    let cookie = answer.headers["set-cookie"].to_str().expect("text").to_owned();
    assert!(cookie.starts_with("__Host-ocs_session="), "{cookie}");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.split("; ").any(|word| word == part), "{part} in {cookie}");
    }
    let otto = Owner::from(world.http().clone(), answer);
    let sites = console_path(otto.workspace, "sites");
    assert_eq!(otto.get("me").await["insecure"], false);
    let planted = otto.cookie.replace("__Host-", "");
    let answer = world.http().send(Method::GET, "/api/console/me", &[("cookie", &planted)], "").await;
    assert_eq!(answer.status, 401);
    let csrf = ("x-csrf-token", otto.csrf.as_str());
    let lan = [("cookie", otto.cookie.as_str()), csrf, ("origin", "http://box.lan"), ("host", "box.lan")];
    let answer = world.http().json(Method::POST, &sites, &lan, &json!({ "name": "Shop" })).await;
    assert_eq!(answer.code(), "forbidden_origin", "a configured address is the only one");
}

#[tokio::test]
async fn a_new_password_ends_every_other_session_and_its_lines() {
    let world = World::new().await;
    let here = world.owner("otto").await;
    let lost = signed_in(&world, "otto").await;
    let mut lost_line = lost.listen().await;
    lost_line.frame("welcome").await;
    let mut line = here.listen().await;
    line.frame("welcome").await;

    let wrong = json!({ "current": "not my password", "new": "an even better one" });
    assert_eq!(here.call(Method::POST, "account/password", wrong).await.code(), "wrong_credentials");
    let weak = json!({ "current": PASSWORD, "new": "short" });
    assert_eq!(here.call(Method::POST, "account/password", weak).await.code(), "weak_password");
    let common = json!({ "current": PASSWORD, "new": "password123" });
    assert_eq!(here.call(Method::POST, "account/password", common).await.code(), "weak_password");
    assert_eq!(status(&lost).await, 200);

    let right = json!({ "current": PASSWORD, "new": "an even better one" });
    assert_eq!(here.call(Method::POST, "account/password", right).await.ok(), json!({}));
    assert_eq!(lost_line.frame("refused").await["code"], "not_signed_in");
    assert_eq!((status(&lost).await.as_u16(), status(&here).await.as_u16()), (401, 200));
    assert_eq!(sign_in(&world, "otto@example.org", PASSWORD).await.code(), "wrong_credentials");
    sign_in(&world, "otto@example.org", "an even better one").await.ok();
    here.site("Shop").await;
    line.event("site_changed").await;
}

#[tokio::test]
async fn a_session_is_ended_from_another_browser() {
    let mut world = World::new().await;
    let (here, vera) = (world.owner("otto").await, world.owner("vera").await);
    let phone = signed_in(&world, "otto").await;
    let mut line = phone.listen().await;
    line.frame("welcome").await;
    let sessions = here.get("account/sessions").await["sessions"].as_array().expect("a list").clone();
    assert_eq!(sessions.len(), 2);
    let other = sessions.iter().find(|session| session["current"] == false).expect("the phone");
    let path = format!("account/sessions/{}", other["id"]);

    assert_eq!(vera.call(Method::DELETE, &path, json!({})).await.code(), "not_found", "it is not Vera's");
    assert_eq!(here.call(Method::DELETE, &path, json!({})).await.ok(), json!({}));
    assert_eq!(line.frame("refused").await["code"], "not_signed_in");
    assert_eq!(status(&phone).await, 401);
    assert_eq!(here.call(Method::DELETE, &path, json!({})).await.code(), "not_found");
    world.stop().await;
    world.start().await;
    let answer = world.http().send(Method::GET, "/api/console/me", &[("cookie", &phone.cookie)], "").await;
    assert_eq!(answer.status, 401, "also after a restart");
}

#[tokio::test]
async fn signing_in_ends_the_session_that_the_browser_had() {
    let world = World::new().await;
    let before = world.owner("otto").await;
    let body = json!({ "email": "otto@example.org", "password": PASSWORD });
    let cookie = [("cookie", before.cookie.as_str())];
    let answer = world.http().json(Method::POST, "/api/console/sign-in", &cookie, &body).await;
    let after = Owner::from(world.http().clone(), answer);
    assert_eq!((status(&before).await.as_u16(), status(&after).await.as_u16()), (401, 200));
}

#[tokio::test]
async fn a_session_ends_unused_after_two_weeks_and_used_after_ninety_days() {
    let world = World::new().await;
    let (used, idle) = (world.owner("otto").await, world.owner("vera").await);
    for _ in 0..6 {
        world.pass(13 * DAY);
        // The last request is written after its answer.
        while used.get("account/sessions").await["sessions"][0]["last_seen_at"] != world.now() {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(status(&idle).await, 401);
    world.pass(11 * DAY);
    assert_eq!(status(&used).await, 200);
    world.pass(DAY + 1);
    assert_eq!(status(&used).await, 401, "ninety days are over");
}

#[tokio::test]
async fn otto_changes_his_name() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let renamed = otto.call(Method::POST, "account/name", json!({ "name": " Otto\u{202e} B.\n" })).await.ok();
    assert_eq!(renamed["account"]["name"], "Otto B.");
    assert_eq!(otto.get("me").await, renamed);
    assert_eq!(otto.call(Method::POST, "account/name", json!({ "name": "\u{200b}" })).await.code(), "invalid_request");
}

#[tokio::test]
async fn a_deleted_account_is_gone_with_its_sites() {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let vera = world.visitor(&shop, "vera").await;
    vera.send("v1", "Hello").await.ok();
    let mut line = otto.listen().await;
    line.frame("welcome").await;

    let wrong = json!({ "password": "not my password" });
    assert_eq!(otto.call(Method::POST, "account/delete", wrong).await.code(), "wrong_credentials");
    assert_eq!(otto.call(Method::POST, "account/delete", json!({ "password": PASSWORD })).await.ok(), json!({}));
    assert_eq!(line.frame("refused").await["code"], "not_signed_in");
    assert_eq!(status(&otto).await, 401);
    assert_eq!(sign_in(&world, "otto@example.org", PASSWORD).await.code(), "wrong_credentials");
    assert_eq!(vera.send("v2", "Still there?").await.code(), "invalid_token");
    let welcome = format!("/api/widget/welcome?key={}", shop.widget_key);
    assert_eq!(world.http().get(&welcome).await.code(), "unknown_site");

    let again = world.owner("otto").await;
    assert_eq!(again.get("sites").await["sites"], json!([]), "the address is free, and nothing of before is there");
}
