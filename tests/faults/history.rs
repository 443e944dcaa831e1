//! What the drivers did: noted before it is done, synced, and with what came of it.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde_json::json;
use sha2::{Digest, Sha256};

/// What came of a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nobody knows (yet).
    Unknown,
    /// It was answered: stored, with its `seq` where the door tells it.
    Acked(Option<i64>),
    /// Every try was refused: nothing may be stored.
    Refused(String),
}

/// One send.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its id.
    pub client_id: String,
    /// Number of the site.
    pub site: usize,
    /// The visitor whose conversation it goes to.
    pub conversation: String,
    /// Who wrote it.
    pub author: String,
    /// What it says: a text, or `image:` and the image's id.
    pub body: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Content hash of the attached picture, as it was served when the send was acknowledged.
    pub picture: Option<(String, String)>,
}

/// All sends, in order, also in a file.
pub struct History {
    kept: Mutex<Kept>,
}

struct Kept {
    file: File,
    sent: Vec<Sent>,
    by_id: HashMap<String, usize>,
    acked: u64,
}

impl History {
    /// Nothing yet.
    pub fn new(path: &Path) -> Result<History> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(History { kept: Mutex::new(Kept { file, sent: Vec::new(), by_id: HashMap::new(), acked: 0 }) })
    }

    /// Notes a send that is about to be made. It is in the file, synced, before it is made.
    pub fn about_to(&self, sent: Sent) -> Result<()> {
        let mut kept = self.kept();
        let t = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
        let Sent { client_id, conversation, author, body, .. } = &sent;
        let line = json!({ "client_id": client_id, "conversation": conversation, "author": author, "hash": hash(body), "t": t });
        writeln!(kept.file, "{line}")?;
        kept.file.sync_data()?;
        let index = kept.sent.len();
        kept.by_id.insert(sent.client_id.clone(), index);
        kept.sent.push(sent);
        Ok(())
    }

    /// Notes what came of it.
    pub fn came_of(&self, client_id: &str, outcome: Outcome) -> Result<()> {
        let mut kept = self.kept();
        writeln!(kept.file, "{}", json!({ "client_id": client_id, "outcome": format!("{outcome:?}") }))?;
        kept.acked += u64::from(matches!(outcome, Outcome::Acked(_)));
        if let Some(index) = kept.by_id.get(client_id).copied() {
            kept.sent[index].outcome = outcome;
        }
        Ok(())
    }

    /// Notes how an attached picture is served.
    pub fn shows(&self, client_id: &str, url: &str, hash: String) {
        let mut kept = self.kept();
        if let Some(index) = kept.by_id.get(client_id).copied() {
            kept.sent[index].picture = Some((url.to_owned(), hash));
        }
    }

    /// All sends.
    pub fn all(&self) -> Vec<Sent> {
        self.kept().sent.clone()
    }

    /// Sends that were acknowledged.
    pub fn acked(&self) -> u64 {
        self.kept().acked
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names a content.
pub fn hash(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}
