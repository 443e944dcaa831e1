//! Load generation and latency. Closed loop: each connection sends after its response. Open loop: requests are sent at
//! a fixed rate, and latency counts from the scheduled time, so that a stalled server cannot hide.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::client::{Client, HttpRequest};

/// A response that takes longer is a failure.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The result of a load.
pub struct Measured {
    /// Successful responses.
    pub done: u64,
    /// Refusals and lost connections.
    pub failed: u64,
    /// Duration in seconds.
    pub seconds: f64,
    /// Latency of each success, in microseconds.
    pub latency: Histogram<u64>,
}

impl Measured {
    /// An empty result.
    pub fn new() -> Measured {
        let latency = Histogram::new_with_bounds(1, 120_000_000, 3).expect("the bounds are in order");
        Measured { done: 0, failed: 0, seconds: 0.0, latency }
    }

    /// Records a success.
    pub fn record(&mut self, took: Duration) {
        self.done += 1;
        self.latency.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1));
    }

    fn merge(&mut self, other: &Measured) {
        self.done += other.done;
        self.failed += other.failed;
        // Both histograms have the same bounds.
        let _ = self.latency.add(&other.latency);
    }

    /// Successes a second.
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.seconds.max(1e-9)
    }
}

/// Builds the n-th request.
pub type RequestFactory = Arc<dyn Fn(u64) -> HttpRequest + Send + Sync>;

/// Closed loop: each connection sends, waits for the response, and repeats.
pub async fn closed(connections: Vec<Client>, time: Duration, make: RequestFactory) -> Measured {
    let next = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for mut client in connections {
        let (next, make) = (next.clone(), make.clone());
        workers.spawn(async move {
            let mut measured = Measured::new();
            while start.elapsed() < time {
                let request = make(next.fetch_add(1, Ordering::Relaxed));
                let sent = Instant::now();
                if !send_recorded(&mut client, request, &mut measured, sent).await {
                    break;
                }
            }
            measured
        });
    }
    finish(workers, start).await
}

/// Open loop: requests are sent at a fixed rate, whatever happens to earlier ones.
pub async fn open(connections: Vec<Client>, rate: u64, time: Duration, make: RequestFactory) -> Measured {
    let next = Arc::new(AtomicU64::new(0));
    let all = rate * time.as_secs();
    let start = Instant::now() + Duration::from_millis(50);
    let mut workers = JoinSet::new();
    for mut client in connections {
        let (next, make) = (next.clone(), make.clone());
        workers.spawn(async move {
            let mut measured = Measured::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= all {
                    break;
                }
                let due = start + Duration::from_nanos(n * 1_000_000_000 / rate);
                sleep_until(due).await;
                if !send_recorded(&mut client, make(n), &mut measured, due).await {
                    break;
                }
            }
            measured
        });
    }
    finish(workers, start).await
}

/// Sends a request and records the result; false when the connection is unusable.
async fn send_recorded(client: &mut Client, request: HttpRequest, measured: &mut Measured, since: Instant) -> bool {
    match timeout(TIMEOUT, client.send(request)).await {
        Ok(Ok((status, _))) if status.is_success() => {
            measured.record(since.elapsed());
            true
        }
        Ok(Ok(_)) => {
            measured.failed += 1;
            true
        }
        _ => {
            measured.failed += 1;
            false
        }
    }
}

async fn finish(mut workers: JoinSet<Measured>, start: Instant) -> Measured {
    let mut all = Measured::new();
    while let Some(measured) = workers.join_next().await {
        match measured {
            Ok(measured) => all.merge(&measured),
            Err(_) => all.failed += 1,
        }
    }
    all.seconds = start.elapsed().as_secs_f64();
    all
}
