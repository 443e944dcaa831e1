//! Rate limits, counted in memory: sliding windows for what has a limit of its own, token buckets for everything else.

use std::time::Duration;

use crate::id::{SiteId, VisitorId};
use crate::sliding_window::SlidingWindow;

mod token_buckets;

pub use token_buckets::{BucketKeys, Charge, TokenBuckets};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// Calls of the compatible API that share a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiCall {
    /// Reading messages.
    Fetch,
    /// Writing a reply.
    Reply,
}

/// All rate limits of a running server.
pub struct RateLimits {
    /// Messages of a visitor a minute. Signed visitors are counted apart from anybody who types the same id.
    pub messages: SlidingWindow<(SiteId, VisitorId, bool)>,
    /// Calls of the compatible API a minute.
    pub api_calls: SlidingWindow<(SiteId, ApiCall)>,
    /// New visitor sessions an hour, by network.
    pub new_visitors: SlidingWindow<u128>,
    /// Token buckets for everything else that visitors, addresses and sites request.
    pub token_buckets: TokenBuckets,
}

impl Default for RateLimits {
    fn default() -> RateLimits {
        RateLimits {
            messages: SlidingWindow::new(MINUTE),
            api_calls: SlidingWindow::new(MINUTE),
            new_visitors: SlidingWindow::new(HOUR),
            token_buckets: TokenBuckets::default(),
        }
    }
}
