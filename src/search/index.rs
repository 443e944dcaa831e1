//! Keeping the index behind the messages: many at once, in transactions of its own, and at rest while much is sent.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::messages::Appender;
use crate::storage::{Store, Tx};

use super::store::{Progress, Said, add, after, entry, fold, nth_after, progress};
use super::terms::terms;
use super::{people, stretches};

/// Messages that are indexed together, at most: some 1.5 ms of the writer, in which a message has to wait.
const BATCH: i64 = 128;
/// Fewer than these are not worth a commit: a search reads them one by one.
const LEAST: i64 = 100;
/// Text that is indexed together, in bytes, but for one message: what is in one commit, all others wait for.
const BATCH_BYTES: usize = 50_000;
/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// Where more than this is sent in a millisecond, the index waits: sending has the machine for itself.
const BUSY: u128 = 1;
/// So far behind it waits no longer.
const FAR_BEHIND: i64 = 100_000;

/// Indexes what was said. Ends never; run it beside the server.
pub async fn run(store: Store, appender: Appender) {
    let mut rest = PAUSE;
    loop {
        let before = appender.stored();
        tokio::time::sleep(rest).await;
        let sent = appender.stored() - before;
        let begun = Instant::now();
        rest = match go_on(&store, u128::from(sent) > BUSY * rest.as_millis()).await {
            Ok(false) => PAUSE,
            // The writer is there for others at least as long.
            Ok(true) => begun.elapsed(),
            Err(error) => {
                tracing::warn!(%error, "messages could not be indexed; trying again");
                PAUSE
            }
        };
    }
}

/// Indexes a batch and a stretch, where they are due; answers whether any was.
async fn go_on(store: &Store, busy: bool) -> Result<bool> {
    let least = if busy { FAR_BEHIND } else { LEAST };
    let older = !busy && people::index_older(store).await?;
    let now = progress(store).await?;
    // Numbers have gaps, so that there may be fewer.
    let batch = now.newest.0 - now.indexed.0 >= least && nth_after(store, now.indexed, LEAST).await?.is_some();
    if batch {
        index_batch(store, now).await?;
    }
    let stretch = !busy || now.indexed.0 - now.stretched.0 >= least;
    Ok((stretch && index_stretch(store, now).await?) || batch || older)
}

/// Indexes all that was said and answers how many messages, however few.
///
/// # Errors
/// When the database fails; what was indexed before stays.
pub async fn index(store: &Store) -> Result<usize> {
    let mut all = 0;
    loop {
        match index_batch(store, progress(store).await?).await? {
            0 => break,
            some => all += some,
        }
    }
    while index_stretch(store, progress(store).await?).await? {}
    while people::index_older(store).await? {}
    Ok(all)
}

/// Indexes the next messages, at most a batch; answers how many.
async fn index_batch(store: &Store, now: Progress) -> Result<usize> {
    let said = short(after(store, now.indexed, BATCH).await?);
    let Some(last) = said.last().map(|said| said.id) else { return Ok(0) };
    let count = said.len();
    // Before the writer is asked for, and on a thread that nobody waits for.
    let entries = tokio::task::spawn_blocking(move || {
        said.iter().filter_map(|said| entry(said, &terms(&said.text))).collect::<Vec<_>>()
    });
    let entries = entries.await.map_err(|error| Error::Internal(format!("indexing broke off: {error}")))?;
    let write = move |tx: &mut Tx| {
        add(tx, &entries, last);
        Ok(())
    };
    store.write(write).await?;
    // By itself it would fold much at once, now and then, and a message would wait for it.
    let write = |tx: &mut Tx| {
        fold(tx);
        Ok(())
    };
    store.write(write).await?;
    store.checkpoint_between_pieces().await?;
    Ok(count)
}

/// Indexes a stretch, if one is due.
async fn index_stretch(store: &Store, now: Progress) -> Result<bool> {
    let Some(stretch) = stretches::due(store, now).await? else { return Ok(false) };
    let terms = tokio::task::spawn_blocking(move || (stretch.terms(), stretch));
    let (terms, stretch) = terms.await.map_err(|error| Error::Internal(format!("indexing broke off: {error}")))?;
    let write = move |tx: &mut Tx| {
        // Few terms and little to fold, which one commit has room for.
        stretch.put(tx, &terms);
        stretches::fold(tx);
        Ok(())
    };
    store.write(write).await?;
    Ok(true)
}

/// As many of these as make a batch.
fn short(mut said: Vec<Said>) -> Vec<Said> {
    let sizes = said.iter().scan(0, |bytes, said| {
        *bytes += said.text.len();
        Some(*bytes)
    });
    let fitting = sizes.take_while(|bytes| *bytes <= BATCH_BYTES).count();
    said.truncate(fitting.max(1));
    said
}
