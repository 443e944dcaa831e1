//! What the real program writes down, when it writes down everything: no secret, no address, nothing that was said.

use std::fs;

use hyper::Method;
use serde_json::{Value, json};

use crate::program::Program;
use crate::world::{Line, Owner};

#[tokio::test]
async fn nothing_secret_is_logged_even_when_everything_is() {
    const PASSWORD: &str = "marker-password-7f3a";
    const SAID: &str = "marker-text-51c9";
    let program = Program::start("trace");
    let http = &program.http;
    let body = json!({ "email": "marker-mail@example.org", "password": PASSWORD, "name": "marker-name" });
    let otto = Owner::from(http.clone(), http.json(Method::POST, "/api/console/sign-up", &[], &body).await);
    let wrong = json!({ "email": "marker-mail@example.org", "password": "marker-wrong-02bd" });
    assert_eq!(http.json(Method::POST, "/api/console/sign-in", &[], &wrong).await.status, 401);
    let shop = otto.site("marker-shop").await;
    let secret = otto.call(Method::POST, &format!("sites/{}/identity-secrets", shop.id), json!({})).await.ok();
    let begun = otto.call(Method::POST, "account/second-factor", json!({ "password": PASSWORD })).await.ok();
    let ticket = otto.call(Method::POST, "ticket", json!({})).await.ok()["ticket"].clone();

    let start = json!({ "do": "start", "key": shop.widget_key, "external_id": "marker-visitor", "anonymous": false,
        "nickname": "marker-nick", "email": "marker-vera@example.org",
        "page": { "url": "https://shop.example/marker-page", "title": "marker-title", "referrer": "" } });
    let forwarded = [("x-forwarded-for", "203.0.113.77"), ("user-agent", "marker-agent")];
    let state = http.json(Method::POST, "/api/widget", &forwarded, &start).await.ok();
    let token = state["token"].as_str().expect("a token").to_owned();
    let bearer = format!("Bearer {token}");
    let visitor = [("authorization", bearer.as_str())];
    let send = json!({ "do": "send", "client_id": "marker-client", "text": SAID });
    http.json(Method::POST, "/api/widget", &visitor, &send).await.ok();
    let broken = json!({ "do": "send", "client_id": "x", "text": { "marker-broken": 1 } });
    assert_eq!(http.json(Method::POST, "/api/widget", &visitor, &broken).await.status, 400);
    let fetched = format!("/api/chat_api.php?action=get_recent_messages&key={}", shop.chat_key);
    assert_eq!(http.get(&fetched).await.status, 200);
    let unknown = "/api/chat_api.php?action=get_recent_messages&key=chat_marker-wrong-key";
    assert_eq!(http.get(unknown).await.status, 401);
    let mut line = Line::open(&program.address, "/api/widget/socket").await;
    line.say(json!({ "type": "hello", "token": token, "cursor": state["cursor"] })).await;
    line.frame("welcome").await;
    let mut console = Line::open(&program.address, "/api/console/socket").await;
    console.say(json!({ "type": "hello", "ticket": ticket, "cursor": "" })).await;
    console.next().await.expect("a frame");
    console.say(json!({ "type": "nonsense", "marker-frame": 1 })).await;
    let session = otto.cookie.split_once('=').expect("a cookie").1.to_owned();
    let picture = [("authorization", bearer.as_str()), ("content-type", "image/png")];
    assert_eq!(http.send(Method::POST, "/api/widget/images", &picture, "marker-picture").await.status, 400);

    let log = program.log();
    assert!(log.contains("/api/console/sign-up"), "the log says what was asked: {log}");
    let master = fs::read_to_string(program.data().join("master.key")).expect("the key");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let hidden = [
        session,
        otto.csrf.clone(),
        token,
        shop.chat_key.clone(),
        shop.widget_key.clone(),
        text(&secret["secret"]),
        text(&begun["secret"]),
        text(&ticket),
        master.trim().to_owned(),
        "marker-".to_owned(),
        "203.0.113.77".to_owned(),
    ];
    for hidden in hidden {
        let found = log.lines().find(|line| line.contains(&hidden));
        assert!(found.is_none(), "{hidden} stands in the log: {found:?}");
    }
    assert!(!log.contains('\u{1b}') || log.contains("INFO"), "colours alone are control characters");
}

#[tokio::test]
async fn a_crash_leaves_no_core_and_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let program = Program::start("info");
    let limits = fs::read_to_string(format!("/proc/{}/limits", program.id())).expect("its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line").to_owned();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    for file in ["ocs.db", "ocs.lock", "master.key", "ocs.sock"] {
        let mode = fs::metadata(program.data().join(file)).expect(file).permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}: {mode:o}");
    }
}
