//! Turns at work: an account has so many requests under way at once, whatever they ask for, and the visitors of its sites
//! as many; the rest of theirs wait, and nobody else does. Messages take turns in a queue of their own (`messages::queue`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};
use crate::id::AccountId;

/// Requests of one account at work. The one writer of the database serves in order: so many may stand before another's.
const AT_ONCE: usize = 4;
/// Requests of one account at work or waiting. Further ones are told to come back.
const IN_LINE: usize = 4_096;

/// Who is at work.
pub struct Turns {
    at_once: usize,
    lines: Arc<Lines>,
}

impl Default for Turns {
    /// For requests.
    fn default() -> Turns {
        Turns::new(AT_ONCE)
    }
}

type Lines = Mutex<HashMap<Whose, Line>>;

/// Who stands in a line. Visitors who come again and again hold up other visitors of the sites, not their console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whose {
    /// The account's own: its consoles and scripts.
    Own(AccountId),
    /// Those of the visitors of its sites.
    Visitors(AccountId),
}

struct Line {
    places: Arc<Semaphore>,
    waiting_or_at_work: usize,
}

/// A request's turn, for as long as it is held.
pub struct Turn {
    _place: OwnedSemaphorePermit,
    _in_line: InLine,
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Turn")
    }
}

impl Turns {
    /// With so many at work at once in each line.
    pub fn new(at_once: usize) -> Turns {
        Turns { at_once, lines: Arc::default() }
    }

    /// Waits for a turn in this line. Never take a second one while holding one: all might.
    ///
    /// # Errors
    /// `Unavailable` when too many wait in it already.
    pub async fn take(&self, whose: Whose) -> Result<Turn> {
        let (places, in_line) = {
            let mut lines = locked(&self.lines);
            let new = || Line { places: Arc::new(Semaphore::new(self.at_once)), waiting_or_at_work: 0 };
            let line = lines.entry(whose).or_insert_with(new);
            if line.waiting_or_at_work >= IN_LINE {
                return Err(Error::Unavailable);
            }
            line.waiting_or_at_work += 1;
            (line.places.clone(), InLine { lines: self.lines.clone(), whose })
        };
        let place = places.acquire_owned().await.map_err(|_| Error::Unavailable)?;
        Ok(Turn { _place: place, _in_line: in_line })
    }
}

/// Counted in a line.
struct InLine {
    lines: Arc<Lines>,
    whose: Whose,
}

impl Drop for InLine {
    fn drop(&mut self) {
        let mut lines = locked(&self.lines);
        if let Some(line) = lines.get_mut(&self.whose) {
            line.waiting_or_at_work -= 1;
            if line.waiting_or_at_work == 0 {
                lines.remove(&self.whose);
            }
        }
    }
}

/// Every change is one step, so a poisoned map is still good.
fn locked(lines: &Lines) -> MutexGuard<'_, HashMap<Whose, Line>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const NOISY: Whose = Whose::Visitors(AccountId(1));
    const QUIET: Whose = Whose::Own(AccountId(2));

    fn begun<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn an_account_waits_for_itself_alone() {
        let turns = Turns::default();
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(turns.take(NOISY).await.expect("a turn"));
        }
        let mut next = std::pin::pin!(turns.take(NOISY));
        assert!(begun(next.as_mut()).is_pending(), "one too many at once");
        drop(turns.take(QUIET).await.expect("another account's is free"));
        drop(turns.take(Whose::Own(AccountId(1))).await.expect("the account's own is free"));
        held.pop();
        drop(next.await.expect("whoever waited has it"));
        held.clear();
        assert!(locked(&turns.lines).is_empty(), "nothing is remembered of who left");
    }

    #[tokio::test]
    async fn a_line_is_bounded_and_who_leaves_makes_room() {
        let turns = Turns::default();
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(turns.take(NOISY).await.expect("a turn"));
        }
        let mut waiting: Vec<_> = (AT_ONCE..IN_LINE).map(|_| Box::pin(turns.take(NOISY))).collect();
        assert!(waiting.iter_mut().all(|one| begun(one.as_mut()).is_pending()));
        assert!(matches!(turns.take(NOISY).await, Err(Error::Unavailable)));
        waiting.clear();
        held.clear();
        drop(turns.take(NOISY).await.expect("a turn"));
    }
}
