//! The clock is passed as an argument, so that tests control the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970 UTC. For display and expiry; order comes from sequence numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// This moment plus some seconds; saturates.
    pub fn plus_seconds(self, seconds: i64) -> Millis {
        Millis(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// `YYYY-MM-DD HH:MM:SS` in UTC, the form of the compatible API.
    pub fn to_api_text(self) -> String {
        self.format("%Y-%m-%d %H:%M:%S")
    }

    /// `YYYYMMDD_HHMMSS` in UTC, the form inside image names.
    pub fn to_file_text(self) -> String {
        self.format("%Y%m%d_%H%M%S")
    }

    fn format(self, pattern: &str) -> String {
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        moment.strftime(pattern).to_string()
    }
}

/// Source of the time.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system clock.
    #[default]
    System,
    /// A clock controlled by a test.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// The current time.
    pub fn now(&self) -> Millis {
        match self {
            Clock::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Clock::Set(millis) => Millis(millis.load(Ordering::Relaxed)),
        }
    }

    /// A deadline `limit` from now.
    pub fn deadline(&self, limit: Duration) -> Deadline {
        Deadline { clock: self.clone(), begun: (self.now(), Instant::now()), limit }
    }
}

/// A deadline. With the system clock it is monotonic: changing the system time does not move it. With a test clock,
/// time passes only when the test advances it, however busy the machine is.
#[derive(Debug, Clone)]
pub struct Deadline {
    clock: Clock,
    begun: (Millis, Instant),
    limit: Duration,
}

impl Deadline {
    /// Whether the deadline has passed.
    pub fn has_passed(&self) -> bool {
        let (at, instant) = self.begun;
        match &self.clock {
            Clock::System => instant.elapsed() > self.limit,
            set @ Clock::Set(_) => {
                set.now().0.saturating_sub(at.0) > i64::try_from(self.limit.as_millis()).unwrap_or(i64::MAX)
            }
        }
    }
}
