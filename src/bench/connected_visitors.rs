//! Visitors with an open chat: their memory, fan-out to all of them, delivery latency beside them, signals to consoles,
//! and reconnection of all at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Bench;
use super::client::Socket;
use super::load::{self, Measured, RequestFactory};
use super::machine::{self, Cpu, memory};
use super::page_moves;
use super::participants::Visitor;
use super::report::{Figure, Report};
use super::scenarios::{Setup, add_memory};

/// Sockets that receive one event.
const FAN_OUT_SOCKETS: usize = 1_000;
/// Events in a fan-out run.
const ROUNDS: usize = 5;
/// The server announces an operator as offline after three seconds; then one can come online again.
const OFFLINE_DELAY: Duration = Duration::from_secs(4);
/// Connections opened concurrently.
const CONCURRENT_CONNECTS: usize = 256;
/// A frame that takes longer is lost.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Part of the signal that an operator is online.
const OPERATOR_IS_HERE: &str = r#""online":true"#;

/// Connected pages that read their events.
struct ConnectedPages {
    pages: JoinSet<()>,
    /// Times at which pages received the online signal.
    online_signals: mpsc::UnboundedReceiver<Instant>,
}

impl ConnectedPages {
    /// Connects all visitors; the caller measures how long it takes.
    async fn gather(setup: &Setup, visitors: &[Arc<Visitor>]) -> anyhow::Result<ConnectedPages> {
        let (target, block) = (setup.target, setup.block);
        let opening = visitors.iter().enumerate().map(|(n, visitor)| visitor.open_feed(target, block, n));
        let mut lines = stream::iter(opening).buffer_unordered(CONCURRENT_CONNECTS);
        let (sender, online_signals) = mpsc::unbounded_channel();
        let mut pages = JoinSet::new();
        while let Some(line) = lines.try_next().await? {
            pages.spawn(read(line, sender.clone()));
        }
        Ok(ConnectedPages { pages, online_signals })
    }

    fn count(&self) -> usize {
        self.pages.len()
    }

    /// Disconnects all at once.
    async fn leave(mut self) {
        self.pages.shutdown().await;
    }
}

async fn read(mut line: Socket, sender: mpsc::UnboundedSender<Instant>) {
    while let Some(frame) = line.next_text().await {
        if frame.contains(OPERATOR_IS_HERE) && sender.send(Instant::now()).is_err() {
            return;
        }
    }
}

/// Runs the selected scenarios with the configured number of visitors.
pub async fn run(setup: &mut Setup, bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    if bench.sockets == 0 {
        return Ok(());
    }
    let visitors = setup.shop.visitors(setup.target, setup.block, bench.sockets).await?;
    if bench.wants("fan_out") {
        let listeners = bench.sockets.min(FAN_OUT_SOCKETS);
        let bare = machine::baseline_fan_out(listeners, ROUNDS, OFFLINE_DELAY).await?;
        report.add(Figure::latency(
            "limit_fan_out",
            format!("this machine: one frame to {listeners} sockets, the last"),
            &bare,
        ));
        fan_out(setup, &visitors[..listeners], report).await?;
    }
    if bench.wants("flow") {
        page_moves::run(setup, bench, &visitors[..bench.sockets.min(page_moves::MOVING_VISITORS)], report).await?;
    }
    if ["idle", "heard_crowd", "storm"].iter().all(|name| !bench.wants(name)) {
        return Ok(());
    }
    let connected = idle(setup, bench, &visitors, report).await?;
    if bench.wants("heard_crowd") {
        delivery_latency(setup, bench, connected.count(), report).await?;
    }
    connected.leave().await;
    if bench.wants("storm") {
        reconnect_all(setup, &visitors, report).await?;
    }
    Ok(())
}

/// An operator comes online, and every page is notified: one event to all sockets.
async fn fan_out(setup: &mut Setup, visitors: &[Arc<Visitor>], report: &mut Report) -> anyhow::Result<()> {
    let mut connected = ConnectedPages::gather(setup, visitors).await?;
    let (mut each, mut last) = (Measured::new(), Measured::new());
    for _ in 0..ROUNDS {
        tokio::time::sleep(OFFLINE_DELAY).await;
        while connected.online_signals.try_recv().is_ok() {}
        let (mut console, hello) = setup.owner.open_socket().await?;
        let start = Instant::now();
        console.send_frame(&hello).await?;
        let mut latest = start;
        for _ in 0..connected.count() {
            let delivery_latency = timeout(TIMEOUT, connected.online_signals.recv()).await.ok().flatten();
            let Some(delivery_latency) = delivery_latency else {
                each.failed += 1;
                continue;
            };
            each.record(delivery_latency - start);
            latest = latest.max(delivery_latency);
        }
        last.record(latest - start);
        drop(console);
    }
    let count = connected.count();
    report.add(Figure::latency("fan_out", format!("an operator comes until each of {count} pages knows"), &each));
    report.add(Figure::latency("fan_out_last", format!("the same, the last of {count} pages"), &last));
    connected.leave().await;
    Ok(())
}

/// Memory and CPU of visitors with an idle chat.
async fn idle(
    setup: &Setup,
    bench: &Bench,
    visitors: &[Arc<Visitor>],
    report: &mut Report,
) -> anyhow::Result<ConnectedPages> {
    let (before, start) = (memory(setup.pid), Instant::now());
    let connected = ConnectedPages::gather(setup, visitors).await?;
    let rate = connected.count() as f64 / start.elapsed().as_secs_f64();
    report.add(Figure::value("connect", format!("{} visitors connected and let in", connected.count()), "/s", rate));
    tokio::time::sleep(Duration::from_secs(1)).await;
    if let (Some(before), Some(after)) = (before, memory(setup.pid)) {
        let each = after.anonymous.saturating_sub(before.anonymous) as f64 / connected.count() as f64;
        report.add(Figure::value("idle_memory", "server's memory for each idle visitor's socket", "B", each));
    }
    add_memory(setup.pid, "idle_total", "with all of them", report);
    let cpu = Cpu::now(setup.pid);
    tokio::time::sleep(Duration::from_secs(bench.idle_seconds)).await;
    let used = Cpu::now(setup.pid).of_process(&cpu) / bench.idle_seconds as f64 * 100.0;
    report.add(Figure::value("idle_cpu", "of one core, with all of them idle and answering heartbeats", "%", used));
    Ok(connected)
}

/// Latency of messages at a fixed rate beside the connected visitors, until the console's socket has each.
async fn delivery_latency(
    setup: &mut Setup,
    bench: &Bench,
    connected: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let console = setup.owner.open_feed().await?;
    let (start, mark) = (Instant::now(), format!("{} at ", crate::secret::random_text(6)));
    let (sender, mut delivery_latency) = mpsc::unbounded_channel();
    let listening = tokio::spawn(open_feed(console, mark.clone(), start, sender));
    let (target, visitors) = (setup.target, setup.visitors.clone());
    let make: RequestFactory = Arc::new(move |n| {
        let text = format!("{mark}{}", start.elapsed().as_micros());
        visitors[usize::try_from(n).unwrap_or(0) % visitors.len()].message(target, &text)
    });
    let clients = setup.clients(bench.connections).await?;
    let before = Cpu::now(setup.pid);
    let sent = load::open(clients, bench.rate, Duration::from_secs(bench.seconds), make).await;
    let mut measured = Measured::new();
    while measured.done < sent.done {
        let Ok(Some(took)) = timeout(TIMEOUT, delivery_latency.recv()).await else { break };
        measured.record(took);
    }
    listening.abort();
    measured.failed = sent.failed + sent.done - measured.done;
    let what = format!("visitor sends until the console has it, {} a second among {connected} connected", bench.rate);
    report.add(Figure::latency("heard_crowd", what, &measured).with_cpu(measured.done, &before, setup.pid));
    Ok(())
}

async fn open_feed(mut console: Socket, mark: String, start: Instant, sender: mpsc::UnboundedSender<Duration>) {
    while let Some(frame) = console.next().await {
        let text = frame["event"]["message"]["text"].as_str().unwrap_or_default();
        let Some(sent) = text.strip_prefix(&mark).and_then(|sent| sent.parse().ok()) else { continue };
        if sender.send(start.elapsed().saturating_sub(Duration::from_micros(sent))).is_err() {
            return;
        }
    }
}

/// All visitors reconnect at once, each with its token and cursor.
async fn reconnect_all(setup: &Setup, visitors: &[Arc<Visitor>], report: &mut Report) -> anyhow::Result<()> {
    let (before, start) = (Cpu::now(setup.pid), Instant::now());
    let connected = ConnectedPages::gather(setup, visitors).await?;
    let count = connected.count();
    let what = format!("{count} visitors come back at once, until the last is let in");
    let figure = Figure::value("storm", what, "s", start.elapsed().as_secs_f64());
    report.add(figure.with_cpu(count as u64, &before, setup.pid));
    connected.leave().await;
    Ok(())
}
