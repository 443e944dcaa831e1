//! How news travels: committed events to everybody who may hear them, at once, or later from the log.
//!
//! The hub never touches the database, and no lock is held across an await.

mod hints;
mod line;
mod news;
mod relay;
mod resume;
mod socket;
mod stream;

pub use hints::{from_operator, from_visitor, show_page};
pub use relay::relay;
pub use socket::{operator_socket, visitor_socket};
pub use stream::{operator_stream, visitor_stream};

use std::time::Duration;

/// A beat goes to every client this often: below the 25–30 s after which proxies drop a silent link.
pub const BEAT: Duration = Duration::from_secs(24);
/// A client that has not been heard for this long is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// A frame that cannot be written for this long means that the client is gone.
const WRITE_TIME: Duration = Duration::from_secs(15);
/// Time for the first frame.
const HELLO_TIME: Duration = Duration::from_secs(5);
/// Largest frame that a client may send.
const FRAME_BYTES: usize = 64 * 1024;
