//! Fills a database with SQL, because no load could fill it in time. The server is stopped meanwhile.

use anyhow::Context;

use crate::clock::Clock;
use crate::id::SiteId;
use crate::storage::{Folder, Store, Tx};
use crate::values;

/// Ids created here start above all ids that a server assigns.
const FIRST_ID: i64 = 1_000_000_000;
/// Messages in one transaction.
const CHUNK: i64 = 50_000;

/// The integers from `$2` up to below `$3`.
macro_rules! numbers {
    ($rest:literal) => {
        concat!("WITH RECURSIVE i (k) AS (SELECT $2 UNION ALL SELECT k + 1 FROM i WHERE k + 1 < $3) ", $rest)
    };
}

// Site 0 is measured and has half of the conversations. Conversation 0 has a tenth of all messages, the others have
// twenty each. The measured workspace has $5 of the other sites; the rest are in workspaces with ten sites each.
const WORKSPACES: &str = numbers!(
    "INSERT INTO workspaces (id, name, created_at) SELECT $4 + i.k, 'Grown', i.k FROM i WHERE i.k % 10 = $1 * 0"
);
const COUNTERS: &str = numbers!(
    "INSERT INTO workspace_counters (workspace_id, n, trimmed)
    SELECT $4 + i.k, $1 * 0, 0 FROM i WHERE i.k % 10 = 0"
);
const SITES: &str = numbers!(
    "INSERT INTO sites (id, workspace_id, name, look, welcome, messages_per_minute, api_per_minute, image_bytes,
        allowed_domains, identity_mode, created_at)
    SELECT $4 + i.k, CASE WHEN i.k < $5 THEN s.workspace_id ELSE $4 + i.k - i.k % 10 END, s.name, s.look, s.welcome, s.messages_per_minute, s.api_per_minute, s.image_bytes,
        s.allowed_domains, s.identity_mode, s.created_at
    FROM i CROSS JOIN sites AS s WHERE s.id = $1"
);
const VISITORS: &str = numbers!(
    "INSERT INTO visitors (site_id, id, public_id, external_id, anonymous, first_seen_at, last_seen_at)
    SELECT CASE WHEN i.k % 2 = 0 THEN $1 ELSE $4 + i.k % $5 END, $4 + i.k, 'visitor_grown_' || i.k, 'grown-' || i.k,
        TRUE, i.k, i.k FROM i"
);
const CONVERSATIONS: &str = numbers!(
    "INSERT INTO conversations (site_id, workspace_id, id, public_id, visitor_id, proof, state, last_seq, unread_agent,
        created_at, updated_at)
    SELECT CASE WHEN i.k % 2 = 0 THEN $1 ELSE $4 + i.k % $5 END,
        (SELECT s.workspace_id FROM sites AS s WHERE s.id = CASE WHEN i.k % 2 = 0 THEN $1 ELSE $4 + i.k % $5 END), $4 + i.k, 'c_grown_' || i.k, $4 + i.k, 'browser:grown',
        CASE WHEN i.k % 3 = 0 THEN 'open' ELSE 'closed' END, 20, i.k % 4, i.k, i.k FROM i"
);
const MESSAGES: &str = numbers!(
    "INSERT INTO messages (id, workspace_id, site_id, n, conversation_id, seq, author_kind, author_id, client_id, text, at)
    SELECT $8 + i.k, s.workspace_id, s.id, $7 + i.k,
        CASE WHEN i.k % 10 = 0 THEN $4 ELSE $4 + i.k / 20 END,
        CASE WHEN i.k % 10 = 0 THEN 100 + i.k / 10 ELSE 1 + i.k % 20 END,
        'visitor', $4 + i.k / 20, lower(hex(randomblob(8))), $6 || i.k, i.k
    FROM i CROSS JOIN sites AS s
    WHERE s.id = CASE WHEN i.k % 10 = 0 OR (i.k / 20) % 2 = 0 THEN $1 ELSE $4 + (i.k / 20) % $5 END"
);
const LAST_SEQ: &str = "UPDATE conversations SET last_seq = 100 + $3 / 10 WHERE site_id = $1 AND id = $2";
const LAST_NUMBERS: &str = "UPDATE workspace_counters SET n = $1
    WHERE workspace_id = (SELECT s.workspace_id FROM sites AS s WHERE s.id = $2) OR workspace_id >= $3";

// Message ids continue the server's own, because search walks them in order.
const MESSAGE_NUMBERS: &str = "SELECT next FROM id_blocks WHERE kind = 'message'";
const LAST_MESSAGE: &str = "INSERT INTO id_blocks (kind, next) VALUES ('message', $1)
    ON CONFLICT (kind) DO UPDATE SET next = $1";

/// Id of the long conversation.
pub const LONG_CONVERSATION: i64 = FIRST_ID;

/// Size of the filled database.
#[derive(Debug, Clone, Copy, Default)]
pub struct Size {
    /// Messages.
    pub messages: i64,
    /// Sites besides the measured one.
    pub sites: i64,
    /// How many of them the measured account owns, at most.
    pub owned: i64,
}

/// Fills a database from one size to another. `text` is the text of every message, followed by its number.
pub async fn grow(folder: &std::path::Path, site: SiteId, from: Size, to: Size, text: &str) -> anyhow::Result<()> {
    let folder = Folder::open(folder).context("the data folder cannot be read")?;
    let store = Store::open(&folder, Clock::System).await?;
    let fill = move |tx: &mut Tx| {
        if from.sites < to.sites {
            tx.run(WORKSPACES, values![0, from.sites, to.sites, FIRST_ID])?;
            tx.run(COUNTERS, values![0, from.sites, to.sites, FIRST_ID])?;
            tx.run(SITES, values![site, from.sites, to.sites, FIRST_ID, to.owned])?;
        }
        let (first, last) = ((from.messages + 19) / 20, (to.messages + 19) / 20);
        tx.run(VISITORS, values![site, first, last, FIRST_ID, to.sites])?;
        tx.run(CONVERSATIONS, values![site, first, last, FIRST_ID, to.sites])
    };
    store.write(fill).await?;
    // Above all numbers that the server gave since it was filled to the size before.
    let numbers = FIRST_ID + 10 * from.messages;
    let first: Option<(i64,)> = store.one(MESSAGE_NUMBERS, []).await?;
    let ids = first.map_or(1, |(next,)| next) - from.messages;
    let mut begin = from.messages;
    while begin < to.messages {
        let end = to.messages.min(begin + CHUNK);
        let values = values![site, begin, end, FIRST_ID, to.sites, text, numbers, ids];
        store.write(move |tx| tx.run(MESSAGES, &values)).await?;
        store.checkpoint().await?;
        begin = end;
    }
    let finish = move |tx: &mut Tx| {
        tx.run(LAST_SEQ, values![site, LONG_CONVERSATION, to.messages])?;
        tx.run(LAST_MESSAGE, values![ids + to.messages])?;
        tx.run(LAST_NUMBERS, values![numbers + to.messages, site, FIRST_ID])
    };
    store.write(finish).await?;
    crate::search::index(&store).await?;
    store.close().await;
    Ok(())
}
