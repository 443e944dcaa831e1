//! A real server on a free port, people who act, and a clock that a test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use ocs::clock::Clock;
use ocs::config::Config;
use ocs::serve::{Running, start};
use serde_json::{Value, json};

use crate::console_path::console_path;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Nothing that is awaited takes this long unless it is broken; the largest pictures beside other busy programs come near.
const PATIENCE: Duration = Duration::from_secs(180);

/// Sites of the same owner beside one, and their keys.
const MORE_SITES: [&str; 2] = [
    "INSERT INTO sites (id, workspace_id, name, look, welcome, messages_per_minute, api_per_minute, image_bytes,
        allowed_domains, identity_mode, created_at)
    SELECT r.value ->> 0, s.workspace_id, 'Site ' || (r.value ->> 0), s.look, s.welcome, s.messages_per_minute,
        s.api_per_minute, s.image_bytes, s.allowed_domains, s.identity_mode, s.created_at
    FROM json_each($1) AS r CROSS JOIN sites AS s WHERE s.id = $2",
    "INSERT INTO widget_keys (site_id, key, created_at)
    SELECT r.value ->> 0, r.value ->> 1, 0 FROM json_each($1) AS r WHERE $2 > 0",
];

/// A server and its data.
pub struct World {
    running: Option<Running>,
    config: Config,
    clock: Arc<AtomicI64>,
    http: Http,
    folder: TempDir,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: hyper::HeaderMap,
    /// The body as it came.
    pub bytes: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("{} is not JSON: {:?}", self.status, String::from_utf8_lossy(&self.bytes)))
    }

    /// The code of a refusal.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The body of a success.
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, String::from_utf8_lossy(&self.bytes));
        self.json()
    }
}

/// Sends requests to one server.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    address: String,
}

impl Http {
    /// To the server at `127.0.0.1:port`.
    pub fn to(address: &str) -> Http {
        Http { client: Client::builder(TokioExecutor::new()).build(HttpConnector::new()), address: address.to_owned() }
    }

    /// Sends a request as it is.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).expect("a request that can be sent");
        let sent = tokio::time::timeout(PATIENCE, self.client.request(request)).await.expect("an answer in time");
        let (parts, body) = sent.expect("an answer").into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    /// Sends JSON.
    pub async fn json(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(method, path, &all, body.to_string()).await
    }

    /// Asks for something.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }
}

impl World {
    /// A server with nothing in it.
    pub async fn new() -> World {
        World::with(|_| {}).await
    }

    /// A server with settings of its own.
    pub async fn with(set: impl FnOnce(&mut Config)) -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = Config { data: folder.path().join("data"), drain_seconds: 3, ..Config::default() };
        set(&mut config);
        let clock = Arc::new(AtomicI64::new(Clock::System.now().0));
        let http = Http::to("");
        let mut world = World { running: None, config, clock, http, folder };
        world.start().await;
        world
    }

    /// Starts the server on the world's data.
    pub async fn start(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        self.config.listen = address;
        self.http.address = address.to_string();
        let clock = Clock::Set(self.clock.clone());
        self.running = Some(
            start(self.config.clone(), listener, clock, ocs::cli::socket::listen).await.expect("the server starts"),
        );
    }

    /// Stops the server in good order.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// The data folder.
    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        &self.http.address
    }

    /// What sends requests.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// Lets time pass on the server's clock.
    pub fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// Sets the server's clock, in milliseconds.
    pub fn go_to(&self, at: i64) {
        self.clock.store(at, Ordering::Relaxed);
    }

    /// The running server's database.
    pub fn store(&self) -> &ocs::storage::Store {
        &self.running.as_ref().expect("a running server").app.store
    }

    /// Gives the owner of a site so many more, as no interface lets one make them.
    pub async fn more_sites(&self, of: &Site, count: i64) -> Vec<Site> {
        let first = 1_000_000;
        let sites: Vec<Site> = (first..first + count)
            .map(|id| Site { id, widget_key: format!("{}{id}", of.widget_key), chat_key: String::new() })
            .collect();
        let rows: Vec<(i64, &str)> = sites.iter().map(|site| (site.id, site.widget_key.as_str())).collect();
        let values = ocs::values![ocs::storage::Value::json(&rows), of.id];
        let add = move |tx: &mut ocs::storage::Tx| MORE_SITES.iter().try_for_each(|sql| tx.run(sql, &values).map(drop));
        self.store().write(add).await.expect("more sites");
        sites
    }

    /// Runs the chore that removes old events.
    pub async fn trim(&self) -> u64 {
        let running = self.running.as_ref().expect("a running server");
        ocs::events::trim(&running.app.store, running.app.config.event_days).await.expect("a trimmed log")
    }

    /// Purges the sites that were deleted, to its end.
    pub async fn purge(&self) {
        let running = self.running.as_ref().expect("a running server");
        ocs::flows::purge(&running.app.store).await.expect("a server that works");
    }

    /// How many rows of a table have this site.
    pub async fn rows_of(&self, sql: &'static str, site: i64) -> i64 {
        let row: Option<(i64,)> = self.store().one(sql, ocs::values![site]).await.expect("a count");
        row.expect("a count").0
    }

    /// Runs the chore that indexes what was said, to its end.
    pub async fn index(&self) -> usize {
        let running = self.running.as_ref().expect("a running server");
        ocs::search::index(&running.app.store).await.expect("an index")
    }

    /// For as long as it is held, the server is busy compressing another script.
    pub fn compressing(&self) -> tokio::sync::SemaphorePermit<'_> {
        let running = self.running.as_ref().expect("a running server");
        running.app.response_cache.compressing.try_acquire().expect("a free place")
    }

    /// Runs the chore that removes visitors' tokens that have ended.
    pub async fn end_expired_tokens(&self) -> u64 {
        let running = self.running.as_ref().expect("a running server");
        ocs::visitors::end_expired(&running.app.store).await.expect("a server that works")
    }

    /// Now, in milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// Somebody signs up.
    pub async fn owner(&self, name: &str) -> Owner {
        let email = format!("{name}@example.org");
        let body = json!({ "email": email, "password": "correct horse battery", "name": name });
        let answer = self.http.json(Method::POST, "/api/console/sign-up", &[], &body).await;
        Owner::from(self.http.clone(), answer)
    }

    /// Somebody signs in, for instance after a restart.
    pub async fn owner_again(&self, name: &str) -> Owner {
        let body = json!({ "email": format!("{name}@example.org"), "password": "correct horse battery" });
        let answer = self.http.json(Method::POST, "/api/console/sign-in", &[], &body).await;
        Owner::from(self.http.clone(), answer)
    }

    /// Somebody comes to a site for the first time, under a name that the site gives.
    pub async fn visitor(&self, site: &Site, external_id: &str) -> Visitor {
        self.arrive(site, json!({ "external_id": external_id, "anonymous": false }), None).await.expect("to be let in")
    }

    /// Somebody comes with the given fields of `start`, and this browser's token if it has one.
    pub async fn arrive(&self, site: &Site, fields: Value, token: Option<&str>) -> Result<Visitor, Answer> {
        self.arrive_by(site, fields, token, "").await
    }

    /// The same through a proxy, which names the address `from`.
    pub async fn arrive_by(
        &self,
        site: &Site,
        fields: Value,
        token: Option<&str>,
        from: &str,
    ) -> Result<Visitor, Answer> {
        let mut body = json!({ "do": "start", "key": site.widget_key });
        body.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        headers.extend((!from.is_empty()).then_some(("x-forwarded-for", from)));
        let answer = self.http.json(Method::POST, "/api/widget", &headers, &body).await;
        if !answer.status.is_success() {
            return Err(answer);
        }
        let state = answer.json();
        let new = state["token"].as_str().map(str::to_owned);
        let token = new.or(token.map(str::to_owned)).expect("a token, new or kept");
        Ok(Visitor { http: self.http.clone(), token, state })
    }
}

/// A signed-in operator.
#[derive(Clone)]
pub struct Owner {
    /// What sends its requests.
    pub http: Http,
    /// The session's cookie.
    pub cookie: String,
    /// The session's CSRF token.
    pub csrf: String,
    /// The workspace in which they work.
    pub workspace: i64,
}

impl Owner {
    /// From the answer to a sign-up or sign-in.
    pub fn from(http: Http, answer: Answer) -> Owner {
        let cookie = answer.headers.get("set-cookie").and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default().to_owned();
        let me = answer.ok();
        let csrf = me["csrf"].as_str().expect("a CSRF token").to_owned();
        let workspace = me["workspaces"][0]["id"].as_i64().unwrap_or_default();
        Owner { http, cookie, csrf, workspace }
    }

    /// In a session that was begun before.
    pub async fn signed_in(http: &Http, cookie: String, csrf: String) -> Owner {
        let owner = Owner { http: http.clone(), cookie, csrf, workspace: 0 };
        let workspace = owner.get("me").await["workspaces"][0]["id"].as_i64().expect("a workspace");
        Owner { workspace, ..owner }
    }

    /// Calls the console's door.
    pub async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        let headers = [("cookie", self.cookie.as_str()), ("x-csrf-token", self.csrf.as_str())];
        let path = console_path(self.workspace, path);
        if method == Method::GET {
            return self.http.send(method, &path, &headers, "").await;
        }
        self.http.json(method, &path, &headers, &body).await
    }

    /// Asks the console's door.
    pub async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, Value::Null).await.ok()
    }

    /// Confirms the session with the password. Routes that ask again accept it for ten minutes.
    pub async fn confirm(&self) {
        let shown = json!({ "password": "correct horse battery" });
        self.call(Method::POST, "account/confirm", shown).await.ok();
    }

    /// Makes a site, and a key of its chat API.
    pub async fn site(&self, name: &str) -> Site {
        let made = self.call(Method::POST, "sites", json!({ "name": name })).await.ok();
        let id = made["site"]["id"].as_i64().expect("an id");
        let key = self.call(Method::POST, &format!("sites/{id}/chat-keys"), json!({})).await.ok();
        Site {
            id,
            widget_key: made["site"]["widget_key"].as_str().expect("a widget key").to_owned(),
            chat_key: key["secret"].as_str().expect("a secret").to_owned(),
        }
    }

    /// Changes a site.
    pub async fn configure(&self, site: &Site, change: Value) -> Value {
        self.call(Method::PATCH, &format!("sites/{}", site.id), change).await.ok()
    }

    /// Conversations of the inbox.
    pub async fn inbox(&self, query: &str) -> Vec<Value> {
        self.get(&format!("conversations?{query}")).await["conversations"].as_array().expect("a list").clone()
    }

    /// Answers in a conversation.
    pub async fn reply(&self, site: &Site, conversation: i64, client_id: &str, text: &str) -> Answer {
        let path = format!("sites/{}/conversations/{conversation}/messages", site.id);
        self.call(Method::POST, &path, json!({ "client_id": client_id, "text": text })).await
    }

    /// The texts of a thread, in order.
    pub async fn thread(&self, site: &Site, conversation: i64) -> Vec<String> {
        let thread = self.get(&format!("sites/{}/conversations/{conversation}?limit=200", site.id)).await;
        texts(&thread["messages"])
    }

    /// A console that listens from now on.
    pub async fn listen(&self) -> Line {
        let cursor = self.get("conversations?state=all").await["cursor"].as_str().expect("a cursor").to_owned();
        self.listen_from(&cursor).await
    }

    /// A console that goes on from a cursor.
    pub async fn listen_from(&self, cursor: &str) -> Line {
        let ticket = self.call(Method::POST, "ticket", json!({})).await.ok()["ticket"].clone();
        let mut line = Line::open(&self.http.address, "/api/console/socket").await;
        line.say(json!({ "type": "hello", "ticket": ticket, "cursor": cursor })).await;
        line
    }
}

/// A site, with both of its keys.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its number.
    pub id: i64,
    /// The public key.
    pub widget_key: String,
    /// The secret key.
    pub chat_key: String,
}

/// A visitor's browser.
pub struct Visitor {
    http: Http,
    /// Its token.
    pub token: String,
    /// The answer to its `start`.
    pub state: Value,
}

impl Visitor {
    /// From the answer to a first `start`.
    pub fn from(http: Http, answer: Answer) -> Visitor {
        let state = answer.ok();
        let token = state["token"].as_str().expect("a token").to_owned();
        Visitor { http, token, state }
    }

    /// Gives a command.
    pub async fn command(&self, body: Value) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        self.http.json(Method::POST, "/api/widget", &[("authorization", &bearer)], &body).await
    }

    /// Sends a text.
    pub async fn send(&self, client_id: &str, text: &str) -> Answer {
        self.command(json!({ "do": "send", "client_id": client_id, "text": text })).await
    }

    /// The texts of the state it was given.
    pub fn texts(&self) -> Vec<String> {
        texts(&self.state["messages"])
    }

    /// A page that listens from the state on.
    pub async fn listen(&self) -> Line {
        self.listen_from(self.state["cursor"].as_str().expect("a cursor")).await
    }

    /// A page that goes on from a cursor.
    pub async fn listen_from(&self, cursor: &str) -> Line {
        let mut line = Line::open(&self.http.address, "/api/widget/socket").await;
        line.say(json!({ "type": "hello", "token": self.token, "cursor": cursor })).await;
        line
    }

    /// A page that listens through a proxy, which names the address `from`.
    pub async fn listen_by(&self, from: &str) -> Line {
        let mut line = Line::open_with(&self.http.address, "/api/widget/socket", &[("x-forwarded-for", from)]).await;
        line.say(json!({ "type": "hello", "token": self.token, "cursor": self.state["cursor"] })).await;
        line
    }
}

/// The texts of a list of messages.
pub fn texts(messages: &Value) -> Vec<String> {
    let messages = messages.as_array().expect("a list of messages");
    messages.iter().map(|message| message["text"].as_str().unwrap_or_default().to_owned()).collect()
}

/// One WebSocket, from the client's side.
pub struct Line {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The last cursor held.
    pub cursor: String,
}

impl Line {
    /// Opens a socket and says nothing yet.
    pub async fn open(address: &str, path: &str) -> Line {
        Line::open_from(address, path, &format!("http://{address}")).await
    }

    /// Opens a socket as a page of another origin would.
    pub async fn open_from(address: &str, path: &str, origin: &str) -> Line {
        Line::open_with(address, path, &[("origin", origin)]).await
    }

    /// Opens a socket with these headers.
    async fn open_with(address: &str, path: &str, headers: &[(&'static str, &str)]) -> Line {
        let mut request = format!("ws://{address}{path}").into_client_request().expect("an address");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        let (socket, _) = tokio_tungstenite::connect_async(request).await.expect("a socket");
        Line { socket, cursor: String::new() }
    }

    /// Sends a frame.
    pub async fn say(&mut self, frame: Value) {
        self.socket.send(Message::text(frame.to_string())).await.expect("a frame that goes up");
    }

    /// The next frame; none at the end.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a frame in time")?;
            if let Ok(Message::Text(text)) = frame {
                let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
                if let Some(cursor) = frame["cursor"].as_str().filter(|cursor| !cursor.is_empty()) {
                    self.cursor = cursor.to_owned();
                }
                return Some(frame);
            } else if !matches!(frame, Ok(Message::Ping(_) | Message::Pong(_))) {
                return None;
            }
        }
    }

    /// Where it begins: the cursor of the welcome.
    pub async fn start_cursor(mut self) -> String {
        self.frame("welcome").await["cursor"].as_str().expect("a cursor").to_owned()
    }

    /// The next frame of a type.
    pub async fn frame(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await.unwrap_or_else(|| panic!("the line ended before a {kind}"));
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// The next event of a kind.
    pub async fn event(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.frame("event").await;
            if frame["event"]["kind"] == kind {
                return frame["event"].clone();
            }
        }
    }

    /// The next signal of a kind.
    pub async fn signal(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.frame("signal").await;
            if frame["signal"]["kind"] == kind {
                return frame["signal"].clone();
            }
        }
    }

    /// The texts of the next messages.
    pub async fn messages(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.len() < count {
            let event = self.event("message_sent").await;
            texts.push(event["message"]["text"].as_str().unwrap_or_default().to_owned());
        }
        texts
    }
}
