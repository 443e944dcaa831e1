//! The simulated participants: an owner with a temporary site, its visitors, and a script with its key.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use hyper::header::{COOKIE, SET_COOKIE};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::client::{self, Client, HttpRequest, Socket, source};
use crate::secret::random_text;

/// Session starts in parallel.
const CONCURRENT_STARTS: usize = 32;
/// Visitors from one address: below the default limit of a server.
const VISITORS_PER_ADDRESS: usize = 200;

/// The signed-in owner.
pub struct Owner {
    target: SocketAddr,
    client: Client,
    cookie: String,
    csrf: String,
    password: String,
    workspace: i64,
    /// The temporary site, once created.
    pub site: i64,
}

/// The site's keys, as the other participants need them.
pub struct SiteKeys {
    /// Public key of the widget.
    pub widget_key: String,
    /// Secret key of the chat API.
    pub chat_key: String,
}

/// A visitor with a session.
pub struct Visitor {
    /// Session token.
    pub token: String,
    /// Position in the event log from which its feed resumes.
    pub cursor: String,
}

impl Owner {
    /// Signs up a new account.
    pub async fn sign_up(target: SocketAddr) -> anyhow::Result<Owner> {
        let (email, password) = (format!("bench-{}@example.org", random_text(9)), random_text(24));
        let body = json!({ "email": email.to_lowercase(), "password": password, "name": "Bench" });
        Owner::handshake(target, "/api/console/sign-up", body, password)
            .await
            .context("no account could be made; where sign-up is closed, give --email and --password of an account")
    }

    /// Signs in to an existing account.
    pub async fn sign_in(target: SocketAddr, email: &str, password: &str) -> anyhow::Result<Owner> {
        let body = json!({ "email": email, "password": password });
        Owner::handshake(target, "/api/console/sign-in", body, password.to_owned()).await
    }

    async fn handshake(target: SocketAddr, path: &str, body: Value, password: String) -> anyhow::Result<Owner> {
        let mut client = Client::connect(target, None).await?;
        let answer = client.exchange(client::json(Method::POST, target, path, &[], &body)).await?;
        let cookie = answer.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let status = answer.status();
        let bytes = http_body_util::BodyExt::collect(answer.into_body()).await?.to_bytes();
        anyhow::ensure!(status == StatusCode::OK, "{path} answered {status}: {}", String::from_utf8_lossy(&bytes));
        let me: Value = serde_json::from_slice(&bytes)?;
        let csrf = me["csrf"].as_str().context("an answer without a CSRF token")?.to_owned();
        let workspace = me["workspaces"][0]["id"].as_i64().context("an account without a workspace")?;
        Ok(Owner { target, client, cookie, csrf, password, workspace, site: 0 })
    }

    /// Creates the site, with the highest allowed limits.
    pub async fn create_site(&mut self) -> anyhow::Result<SiteKeys> {
        let made = self.call(Method::POST, &self.below_workspace("sites"), &json!({ "name": "Bench" })).await?;
        self.site = made["site"]["id"].as_i64().context("a site without an id")?;
        let limits = json!({ "messages_per_minute": 600, "api_per_minute": 1_000_000, "image_bytes": 1_048_576 });
        self.call(Method::PATCH, &format!("sites/{}", self.site), &json!({ "limits": limits })).await?;
        let key = self.call(Method::POST, &format!("sites/{}/chat-keys", self.site), &json!({})).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("a site without keys");
        Ok(SiteKeys { widget_key: text(&made["site"]["widget_key"])?, chat_key: text(&key["secret"])? })
    }

    /// Reconnects to a restarted server.
    pub async fn reconnect(&mut self) -> anyhow::Result<()> {
        self.client = Client::connect(self.target, None).await?;
        Ok(())
    }

    /// Builds console requests, by their path below the workspace's.
    pub fn console_requests(&self) -> impl Fn(&str) -> HttpRequest + Send + Sync + 'static {
        let (target, cookie, workspace) = (self.target, self.cookie.clone(), self.workspace);
        move |path| {
            let headers = [(COOKIE.as_str(), cookie.as_str())];
            let path = format!("/api/console/workspaces/{workspace}/{path}");
            client::request(Method::GET, target, &path, &headers, "")
        }
    }

    /// A console that receives events from now on.
    pub async fn open_feed(&mut self) -> anyhow::Result<Socket> {
        let (line, hello) = self.open_socket().await?;
        line.handshake(&hello).await
    }

    /// Opens a console's socket, and returns the hello frame that is still to be sent.
    pub async fn open_socket(&mut self) -> anyhow::Result<(Socket, Value)> {
        let inbox = self.call(Method::GET, &self.below_workspace("conversations?limit=1"), &Value::Null).await?;
        let ticket = self.call(Method::POST, &self.below_workspace("ticket"), &json!({})).await?;
        let hello = json!({ "type": "hello", "ticket": ticket["ticket"], "cursor": inbox["cursor"] });
        let headers = [("origin", format!("http://{}", self.target)), ("cookie", self.cookie.clone())];
        Ok((Socket::open(self.target, None, "/api/console/socket", &headers).await?, hello))
    }

    /// Deletes the site, and the account if it was created for this run.
    pub async fn clean_up(&mut self, account: bool) -> anyhow::Result<()> {
        self.call(Method::DELETE, &format!("sites/{}", self.site), &json!({})).await?;
        if account {
            let body = json!({ "password": self.password });
            self.call(Method::POST, "account/delete", &body).await?;
        }
        Ok(())
    }

    fn below_workspace(&self, path: &str) -> String {
        format!("workspaces/{}/{path}", self.workspace)
    }

    async fn call(&mut self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        let headers = [(COOKIE.as_str(), self.cookie.as_str()), ("x-csrf-token", self.csrf.as_str())];
        let path = format!("/api/console/{path}");
        self.client.json(client::json(method, self.target, &path, &headers, body)).await
    }
}

impl SiteKeys {
    /// New visitors, from many addresses.
    pub async fn visitors(&self, target: SocketAddr, block: u8, count: usize) -> anyhow::Result<Vec<Arc<Visitor>>> {
        let groups = stream::iter((0..count).step_by(VISITORS_PER_ADDRESS)).map(|first| async move {
            let mut client = Client::connect(target, source(target, block, first / VISITORS_PER_ADDRESS)).await?;
            let mut group = Vec::new();
            for _ in first..count.min(first + VISITORS_PER_ADDRESS) {
                group.push(Arc::new(self.arrive(&mut client, target).await?));
            }
            anyhow::Ok(group)
        });
        let groups: Vec<_> = groups.buffer_unordered(CONCURRENT_STARTS).try_collect().await?;
        Ok(groups.into_iter().flatten().collect())
    }

    async fn arrive(&self, client: &mut Client, target: SocketAddr) -> anyhow::Result<Visitor> {
        let start = json!({
            "do": "start", "key": self.widget_key, "external_id": random_text(12), "anonymous": true,
            "page": { "url": "https://shop.example/", "title": "Shop", "referrer": "" }, "locale": "en",
        });
        let state = client.json(client::json(Method::POST, target, "/api/widget", &[], &start)).await?;
        let text = |name: &str| state[name].as_str().map(str::to_owned).context("an answer without a token");
        Ok(Visitor { token: text("token")?, cursor: text("cursor")? })
    }

    /// A call of the compatible API.
    pub fn script(&self, target: SocketAddr, method: Method, query: &str, body: &Value) -> HttpRequest {
        let path = format!("/api/chat_api.php?action={query}&key={}", self.chat_key);
        if method == Method::GET {
            return client::request(method, target, &path, &[], "");
        }
        client::json(method, target, &path, &[], body)
    }
}

impl Visitor {
    /// A page that receives events.
    pub async fn open_feed(&self, target: SocketAddr, block: u8, n: usize) -> anyhow::Result<Socket> {
        let hello = json!({ "type": "hello", "token": self.token, "cursor": self.cursor });
        Socket::open(target, source(target, block, n), "/api/widget/socket", &[]).await?.handshake(&hello).await
    }

    /// A message of about 160 bytes.
    pub fn message(&self, target: SocketAddr, text: &str) -> HttpRequest {
        let body = json!({ "do": "send", "client_id": random_text(16), "text": text });
        client::command(target, &self.token, &body)
    }
}
