//! Long removals in pieces: other writers get their turn in between, so that nobody's message waits long.

use std::time::{Duration, Instant};

/// Most rows of one piece.
const MOST_ROWS: i64 = 500;
/// Fewest rows of one piece.
const FEWEST_ROWS: i64 = 50;
/// How long a piece should hold the writer.
const PIECE: Duration = Duration::from_millis(4);
/// A removal rests this many times as long as its last piece took.
const REST: u32 = 3;

/// The pace of one long removal. Pieces grow and shrink so that each takes about 4 ms on this machine.
pub struct Pieces {
    rows: i64,
    begun: Instant,
}

impl Default for Pieces {
    fn default() -> Pieces {
        Pieces { rows: 100, begun: Instant::now() }
    }
}

impl Pieces {
    /// Begins a piece, for which the writer is held already. Returns how many rows it may remove.
    pub fn begin(&mut self) -> i64 {
        self.begun = Instant::now();
        self.rows
    }

    /// Ends a piece that is committed, and lets others write.
    pub async fn rest(&mut self) {
        let took = self.begun.elapsed();
        self.rows = if took > PIECE { self.rows / 2 } else { self.rows * 5 / 4 }.clamp(FEWEST_ROWS, MOST_ROWS);
        tokio::time::sleep(took * REST).await;
    }
}
