//! Random choices that a seed repeats.

use std::sync::atomic::{AtomicU64, Ordering};

/// A sequence of choices (SplitMix64). Clones of a [`Random::branch`] do not disturb each other.
#[derive(Debug)]
pub struct Random(AtomicU64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Random {
        Random(AtomicU64::new(seed))
    }

    /// A sequence of its own for somebody.
    pub fn branch(&self) -> Random {
        Random::new(self.next())
    }

    /// The next number.
    pub fn next(&self) -> u64 {
        let step = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// True once in `n` times.
    pub fn once_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }
}
