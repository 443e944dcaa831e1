//! Throughput of signals: visitors move from page to page, and each of the owner's consoles is notified of each move.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt, TryStreamExt, stream};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::Bench;
use super::machine::Cpu;
use super::participants::Visitor;
use super::report::{Figure, Report};
use super::scenarios::Setup;

/// Moving visitors.
pub const MOVING_VISITORS: usize = 4_000;
/// Consoles that receive the signals: as many as one operator may open.
const CONSOLES: usize = 20;
/// Interval between two moves of one visitor: just below the ten hints a second that a page may send.
const MOVE_INTERVAL: Duration = Duration::from_millis(112);
/// Warm-up before measuring.
const WARM_UP: Duration = Duration::from_secs(1);
/// Part of each page signal.
const PAGE_SIGNAL: &[u8] = br#""kind":"page""#;
const HINT: &str = r#"{"type":"page","page":{"url":"https://shop.example/shoes","title":"Shoes","referrer":""}}"#;

type Up = SplitSink<WebSocketStream<TcpStream>, Message>;
type Down = SplitStream<WebSocketStream<TcpStream>>;

/// Moves all `visitors` for the configured time and counts the signals received by consoles.
pub async fn run(
    setup: &mut Setup,
    bench: &Bench,
    visitors: &[Arc<Visitor>],
    report: &mut Report,
) -> anyhow::Result<()> {
    let (received, mut tasks) = (Arc::<AtomicU64>::default(), JoinSet::new());
    for _ in 0..CONSOLES {
        let (up, down) = setup.owner.open_feed().await?.split();
        tasks.spawn(count(up, down, received.clone()));
    }
    let (target, block) = (setup.target, setup.block);
    let opening = visitors.iter().enumerate().map(|(n, visitor)| visitor.open_feed(target, block, n));
    let mut pages = stream::iter(opening).buffer_unordered(64);
    let start = Instant::now() + WARM_UP;
    let mut n = 0;
    while let Some(page) = pages.try_next().await? {
        let (up, down) = page.split();
        tasks.spawn(move_about(up, start + MOVE_INTERVAL.mul_f64(f64::from(n % 1_000) / 1e3)));
        tasks.spawn(down.for_each(|_| async {}));
        n += 1;
    }
    tokio::time::sleep_until(start + WARM_UP).await;
    let (before, at, cpu) = (received.load(Ordering::Relaxed), Instant::now(), Cpu::now(setup.pid));
    tokio::time::sleep(Duration::from_secs(bench.seconds)).await;
    let count = received.load(Ordering::Relaxed) - before;
    let rate = count as f64 / at.elapsed().as_secs_f64();
    let what = format!("deliveries to {CONSOLES} consoles of the moves of {n} visitors");
    report.add(Figure::value("flow", what, "/s", rate).with_cpu(count, &cpu, setup.pid));
    tasks.shutdown().await;
    Ok(())
}

async fn move_about(mut up: Up, start: Instant) {
    let mut moves = interval_at(start, MOVE_INTERVAL);
    loop {
        moves.tick().await;
        if up.send(Message::text(HINT)).await.is_err() {
            return;
        }
    }
}

/// Both halves are held: the socket lives as long as this task.
async fn count(_up: Up, mut down: Down, received: Arc<AtomicU64>) {
    while let Some(Ok(message)) = down.next().await {
        if let Message::Text(text) = message
            && text.as_bytes().windows(PAGE_SIGNAL.len()).any(|part| part == PAGE_SIGNAL)
        {
            received.fetch_add(1, Ordering::Relaxed);
        }
    }
}
