//! A large site is deleted, and its rows are removed beside people who chat.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use hyper::Method;
use serde_json::json;

use crate::noise::times;
use crate::people::Visitor;
use crate::world::{Cast, Run, World, until};

/// Messages of the deleted site: enough to fill the write-ahead log to its limit twice.
const MESSAGES: i64 = 60_000;
/// In the long set, a send beside a purge takes at most so many times its lone 99th percentile, or [`ENOUGH`] where that is more.
const FACTOR: u32 = 3;
/// What nobody notices; a debug build on a busy machine has such moments by itself.
const ENOUGH: Duration = Duration::from_millis(60);
/// Most bytes of the write-ahead log. At 131 MB each commit runs a checkpoint itself.
const LOG: u64 = 120_000_000;
/// The purge takes at most this long.
const PATIENCE: Duration = Duration::from_secs(120);
/// Visitors that send at the same time.
const SIDE_BY_SIDE: usize = 3;
/// Sends of each in one measurement.
const SENDS: usize = 100;
/// Groups of visitors take turns, to stay below the limit of messages a minute.
const GROUPS: usize = 4;

/// FT62: a site with many messages is purged. Control: its rows are there when the deletion is answered, so that the purge
/// runs beside the sends that are measured.
pub async fn beside_chat(run: &Run) -> Result<String> {
    let cast = Cast { sites: 2, visitors: GROUPS * SIDE_BY_SIDE, readers: false, pictures: false };
    let mut world = World::new(run, cast).await?;
    let large = world.sites[0].clone();
    world.server.stop().await?;
    world.tamper(&[&many_messages(large.id)]).await?;
    world.server.start().await?;
    let indexed = async || count(&world, INDEXED).is_ok_and(|indexed| indexed == 1);
    until("the messages are indexed", PATIENCE, indexed).await?;

    let quiet: Vec<&[Visitor]> = world.visitors[cast.visitors..].chunks(SIDE_BY_SIDE).collect();
    let mut before = measure(&world, quiet[0], "before").await?;
    let begun = Instant::now();
    large.owner.call(Method::DELETE, &format!("sites/{}", large.id), &json!({})).await.ok()?;
    let rows = format!("SELECT COUNT(*) FROM (SELECT 1 FROM messages WHERE site_id = {} LIMIT 1)", large.id);
    ensure!(count(&world, &rows)? > 0, "CONTROL the site is gone before anybody sends");
    let (mut beside, mut log) = (Vec::new(), 0);
    for (round, group) in quiet.iter().cycle().enumerate() {
        beside.extend(measure(&world, group, &format!("beside-{round}")).await?);
        log = log.max(std::fs::metadata(world.server.data.join("ocs.db-wal"))?.len());
        if count(&world, &rows)? == 0 {
            break;
        }
        ensure!(begun.elapsed() < PATIENCE, "{MESSAGES} messages are not removed after {PATIENCE:?}");
    }
    let took = begun.elapsed();
    let mut after = measure(&world, quiet[1], "after").await?;
    let alone = percentile(&mut before).max(percentile(&mut after));
    let sends = beside.len();
    let beside = percentile(&mut beside);
    let figures = format!(
        "{MESSAGES} messages removed within {took:.0?}; 99 of 100 sends alone within {alone:.1?}, beside it {beside:.1?} \
         ({sends} sends); a log of {} MB",
        log / 1_000_000
    );
    ensure!(log <= LOG, "the log grows until commits run checkpoints: {figures}");
    // The long set has the machine for itself; beside other programs a percentile shows those.
    ensure!(!run.long || beside <= (alone * FACTOR).max(ENOUGH), "the purge is felt: {figures}");
    Ok(figures)
}

/// All but the last few messages, which wait for others, are in the search index.
const INDEXED: &str = "SELECT (SELECT CAST(value AS BIGINT) FROM instance WHERE name = 'indexed_message')
    > (SELECT MAX(id) FROM messages) - 200";

/// Messages whose rows lie on pages all over the indexes, as those of a busy site do.
fn many_messages(site: i64) -> String {
    format!(
        "WITH RECURSIVE g (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM g WHERE x < {MESSAGES})
         INSERT INTO messages (id, workspace_id, site_id, n, conversation_id, seq, author_kind, author_id, client_id, text, at)
         SELECT 1000000 + x, (SELECT workspace_id FROM sites WHERE id = {site}), {site}, 1000000 + x, 1000000 + x % 20000, 1 + x / 20000, 'visitor', 1,
             hex(randomblob(8)), 'Where is parcel ' || x || ' of my order?', 0 FROM g;
         UPDATE id_blocks SET next = 2000000 WHERE kind = 'message';
         UPDATE workspace_counters SET n = 3000000 WHERE workspace_id = (SELECT workspace_id FROM sites WHERE id = {site});"
    )
}

/// How long each send took.
async fn measure(world: &World, visitors: &[Visitor], what: &str) -> Result<Vec<Duration>> {
    Ok(try_join_all(visitors.iter().map(|visitor| times(world, visitor, what, SENDS))).await?.concat())
}

/// The 99th percentile.
fn percentile(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100 - 1]
}

/// A number from the database beside the running server.
fn count(world: &World, query: &str) -> Result<i64> {
    let access = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let conn = rusqlite::Connection::open_with_flags(world.server.data.join("ocs.db"), access)?;
    conn.query_row(query, [], |row| row.get(0)).context("a number")
}
