//! Who takes part: owners with their sites, visitors, scripts; and what each can read.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use crate::client::{Client, Reply, Sending, json as json_request, request};
use crate::console_path::console_path;

/// A signed-in owner.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Where the server is.
    pub target: SocketAddr,
    /// The session's cookie.
    pub cookie: String,
    /// Its CSRF token.
    pub csrf: String,
    /// Its address.
    pub email: String,
    /// Its workspace.
    pub workspace: i64,
}

/// Everybody's.
pub const PASSWORD: &str = "correct horse battery";

impl Owner {
    /// Makes an account.
    pub async fn sign_up(target: SocketAddr, name: &str) -> Result<Owner> {
        let email = format!("{name}@example.org");
        let body = json!({ "email": email, "password": PASSWORD, "name": name });
        Owner::enter(target, "/api/console/sign-up", &body, email.clone()).await
    }

    /// A session more of the same account.
    pub async fn sign_in_again(&self) -> Result<Owner> {
        let body = json!({ "email": self.email, "password": PASSWORD });
        Owner::enter(self.target, "/api/console/sign-in", &body, self.email.clone()).await
    }

    async fn enter(target: SocketAddr, path: &str, body: &Value, email: String) -> Result<Owner> {
        let mut client = Client::new(target);
        let (cookie, me) = client.sign_in(json_request(Method::POST, target, path, &[], body)).await?;
        let csrf = me["csrf"].as_str().context("an answer without a CSRF token")?.to_owned();
        let workspace = me["workspaces"][0]["id"].as_i64().context("an account without a workspace")?;
        Ok(Owner { target, cookie, csrf, email, workspace })
    }

    /// A call of the console's door.
    pub fn sending(&self, method: Method, path: &str, body: &Value) -> Sending {
        let headers = [("cookie", self.cookie.as_str()), ("x-csrf-token", self.csrf.as_str())];
        let path = console_path(self.workspace, path);
        if method == Method::GET {
            return request(method, self.target, &path, &headers, "");
        }
        json_request(method, self.target, &path, &headers, body)
    }

    /// A picture's upload.
    pub fn upload(&self, path: &str, bytes: Bytes) -> Sending {
        let headers = [("cookie", self.cookie.as_str()), ("x-csrf-token", self.csrf.as_str())];
        request(Method::POST, self.target, &format!("/api/console/{path}"), &headers, bytes)
    }

    /// Calls the console's door on a connection of its own.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Reply {
        Client::new(self.target).send(self.sending(method, path, body)).await
    }

    /// Asks the console's door.
    pub async fn get(&self, client: &mut Client, path: &str) -> Result<Value> {
        client.send(self.sending(Method::GET, path, &Value::Null)).await.ok().with_context(|| path.to_owned())
    }

    /// Makes a site with wide limits.
    pub async fn open_site(&self, number: usize) -> Result<Site> {
        let made = self.call(Method::POST, "sites", &json!({ "name": format!("Site {number}") })).await.ok()?;
        let id = made["site"]["id"].as_i64().context("a site without an id")?;
        let limits = json!({ "messages_per_minute": 600, "api_per_minute": 1_000_000, "image_bytes": 1_048_576 });
        self.call(Method::PATCH, &format!("sites/{id}"), &json!({ "limits": limits })).await.ok()?;
        let key = self.call(Method::POST, &format!("sites/{id}/chat-keys"), &json!({})).await.ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("a site without keys");
        Ok(Site {
            number,
            id,
            widget_key: text(&made["site"]["widget_key"])?,
            chat_key: text(&key["secret"])?,
            owner: self.clone(),
        })
    }
}

/// A site and its owner.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its place among the sites of the test.
    pub number: usize,
    /// Its number on the server.
    pub id: i64,
    /// Public key.
    pub widget_key: String,
    /// Secret key.
    pub chat_key: String,
    /// Who owns it.
    pub owner: Owner,
}

/// A visitor's browser.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Number of its site.
    pub site: usize,
    /// The name that its page gives.
    pub name: String,
    /// Its token.
    pub token: String,
    /// Where its news goes on from.
    pub cursor: String,
    start: Value,
}

impl Site {
    /// A visitor comes for the first time.
    pub async fn visitor(&self, client: &mut Client, name: &str) -> Result<Visitor> {
        let start = json!({ "do": "start", "key": self.widget_key, "external_id": name, "anonymous": false });
        let target = self.owner.target;
        let state = client.send(json_request(Method::POST, target, "/api/widget", &[], &start)).await.ok()?;
        let text = |name: &str| state[name].as_str().map(str::to_owned).context("an answer without a token");
        Ok(Visitor { site: self.number, name: name.to_owned(), token: text("token")?, cursor: text("cursor")?, start })
    }

    /// A script's reply.
    pub fn script_reply(&self, conversation: i64, key: &str, text: &str) -> Sending {
        let path = format!("/api/chat_api.php?action=reply_as_agent&key={}", self.chat_key);
        let body = json!({ "conversation_id": conversation, "content": text });
        json_request(Method::POST, self.owner.target, &path, &[("idempotency-key", key)], &body)
    }

    /// What a script reads: the newest messages.
    pub fn script_fetch(&self, limit: usize) -> Sending {
        let path = format!("/api/chat_api.php?action=get_recent_messages&key={}&limit={limit}", self.chat_key);
        request(Method::GET, self.owner.target, &path, &[], "")
    }
}

impl Visitor {
    /// A command.
    pub fn command(&self, target: SocketAddr, body: &Value) -> Sending {
        let bearer = format!("Bearer {}", self.token);
        json_request(Method::POST, target, "/api/widget", &[("authorization", &bearer)], body)
    }

    /// A message.
    pub fn text(&self, target: SocketAddr, client_id: &str, text: &str) -> Sending {
        self.command(target, &json!({ "do": "send", "client_id": client_id, "text": text }))
    }

    /// Comes back with its token.
    pub fn again(&self, target: SocketAddr) -> Sending {
        self.command(target, &self.start)
    }

    /// A picture's upload.
    pub fn upload(&self, target: SocketAddr, bytes: Bytes) -> Sending {
        let bearer = format!("Bearer {}", self.token);
        request(Method::POST, target, "/api/widget/images", &[("authorization", &bearer)], bytes)
    }

    /// Everything that it may read, oldest first, and where news goes on from.
    pub async fn log(&self, client: &mut Client, target: SocketAddr) -> Result<(Vec<Value>, String)> {
        let state = client.send(self.again(target)).await.ok()?;
        let mut messages = state["messages"].as_array().cloned().unwrap_or_default();
        let mut more = state["more"].as_bool() == Some(true);
        while let Some(first) = messages.first().filter(|_| more) {
            let before = json!({ "conversation": first["conversation"], "seq": first["seq"] });
            let command = self.command(target, &json!({ "do": "history", "before": before }));
            let page = client.send(command).await.ok()?;
            more = page["more"].as_bool() == Some(true);
            let mut older = page["messages"].as_array().cloned().unwrap_or_default();
            older.append(&mut messages);
            messages = older;
        }
        Ok((messages, state["cursor"].as_str().context("a state without a cursor")?.to_owned()))
    }
}

/// What a message says: its text, or `image:` and the image's id.
pub fn body_of(message: &Value) -> String {
    match message["image"]["id"].as_str() {
        Some(id) => format!("image:{id}"),
        None => message["text"].as_str().unwrap_or_default().to_owned(),
    }
}
