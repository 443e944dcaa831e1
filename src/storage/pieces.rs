//! Long removals in pieces: other writers get their turn in between, so that nobody's message waits long.

use std::time::{Duration, Instant};

use crate::error::Result;

use super::{Store, Tx};

/// Most rows of one piece, without those that go with them by a cascade.
const MOST_ROWS: i64 = 500;
/// Rows of the first piece.
const FIRST_ROWS: i64 = 100;
/// Fewest rows of one piece.
const FEWEST_ROWS: i64 = 50;
/// How long a piece should hold the writer.
const PIECE: Duration = Duration::from_millis(4);
/// A removal rests this many times as long as its last piece took.
const REST: u32 = 3;

/// Removes rows in pieces, each in a transaction of its own, and returns how many. `remove` removes at most so many rows and
/// returns their number; fewer than it might means that nothing is left. Pieces grow and shrink so that each takes about 4 ms
/// on this machine.
///
/// # Errors
/// When the database fails, and what `remove` answers. Pieces that are committed stay removed.
pub async fn remove_in_pieces(
    store: &Store,
    remove: impl Fn(&mut Tx, i64) -> Result<i64> + Clone + Send + 'static,
) -> Result<u64> {
    let (mut removed, mut rows) = (0, FIRST_ROWS);
    loop {
        let remove = remove.clone();
        let (count, begun) = store
            .write(move |tx| {
                // The writer is held from here on, until after the commit.
                let begun = Instant::now();
                Ok((remove(tx, rows)?, begun))
            })
            .await?;
        let took = begun.elapsed();
        removed += count as u64;
        tokio::time::sleep(took * REST).await;
        store.checkpoint_between_pieces().await?;
        if count < rows {
            return Ok(removed);
        }
        rows = if took > PIECE { rows / 2 } else { rows * 5 / 4 }.clamp(FEWEST_ROWS, MOST_ROWS);
    }
}
