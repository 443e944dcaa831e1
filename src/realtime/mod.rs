//! Delivery of committed events: live to connected subscribers, or replayed from the log when a client resumes.
//!
//! The hub never touches the database, and no lock is held across an await.

mod hints;
mod feed;
mod views;
mod relay;
mod resume;
mod socket;
mod stream;

pub use hints::{from_operator, from_visitor, show_page};
pub use relay::relay;
pub use socket::{operator_socket, visitor_socket};
pub use stream::{operator_stream, visitor_stream};

use std::time::Duration;

/// Heartbeat interval: below the 25–30 s after which proxies drop a silent connection.
pub const HEARTBEAT: Duration = Duration::from_secs(24);
/// A client that has sent nothing for this long is disconnected.
const SILENCE: Duration = Duration::from_secs(60);
/// Write timeout: the client is disconnected.
const WRITE_TIME: Duration = Duration::from_secs(15);
/// Timeout for the first frame.
const HELLO_TIME: Duration = Duration::from_secs(5);
/// Largest frame that a client may send.
const FRAME_BYTES: usize = 64 * 1024;
