//! The measured scenarios.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use hyper::Method;
use serde_json::json;

use super::Bench;
use super::client::{Client, Socket};
use super::connected_visitors;
use super::load::{self, Measured, RequestFactory};
use super::machine::{self, Cpu, memory};
use super::participants::{Owner, SiteKeys, Visitor};
use super::report::{Figure, Report};

/// Names for `--only`, in the order in which they run.
pub const NAMES: &[&str] = &[
    "limits",
    "fresh",
    "send_1",
    "send",
    "send_open",
    "heard",
    "fetch_20",
    "fetch_50",
    "reply",
    "fan_out",
    "flow",
    "idle",
    "heard_crowd",
    "storm",
    "cold_start",
];

/// Messages that one visitor may send in a minute, minus a reserve.
const MESSAGES_PER_VISITOR: u64 = 500;
/// Messages a second for which visitors are created.
const EXPECTED_RATE: u64 = 25_000;
/// Messages a second in delivery scenarios: light load.
const DELIVERY_RATE: u64 = 100;
/// A text of typical length.
pub const TEXT: &str = "Hello, I ordered the blue one in size M last week and would like to change it to size L, \
                    is that still possible before it is shipped? Thank you.";

/// The server under test and the participants.
pub struct Setup {
    /// Address of the server.
    pub target: SocketAddr,
    /// Its process id, if it runs on this machine.
    pub pid: Option<u32>,
    /// Owner of the site.
    pub owner: Owner,
    /// The site.
    pub shop: Arc<SiteKeys>,
    /// Senders.
    pub visitors: Arc<Vec<Arc<Visitor>>>,
    /// Second octet of our loopback addresses, different in each run, so that no rate limit remembers them.
    pub block: u8,
}

impl Setup {
    /// Creates the site and the visitors.
    pub async fn new(target: SocketAddr, pid: Option<u32>, mut owner: Owner, bench: &Bench) -> anyhow::Result<Setup> {
        let shop = Arc::new(owner.create_site().await?);
        let block = u8::try_from(std::process::id() % 200).unwrap_or(0) + 20;
        let wanted = EXPECTED_RATE * bench.seconds.min(60) / MESSAGES_PER_VISITOR;
        let count = usize::try_from(wanted).unwrap_or(0).max(bench.connections).clamp(64, 5_000);
        let visitors = Arc::new(shop.visitors(target, block, count).await?);
        Ok(Setup { target, pid, owner, shop, visitors, block })
    }

    /// Opens connections.
    pub async fn clients(&self, count: usize) -> anyhow::Result<Vec<Client>> {
        let connecting = (0..count).map(|_| Client::connect(self.target, None));
        stream::iter(connecting).buffered(32).try_collect().await
    }

    /// Builds messages of all visitors in turn.
    pub fn sending(&self) -> RequestFactory {
        let (target, visitors) = (self.target, self.visitors.clone());
        Arc::new(move |n| visitors[usize::try_from(n).unwrap_or(0) % visitors.len()].message(target, TEXT))
    }
}

/// Runs the selected scenarios.
pub async fn run(setup: &mut Setup, bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let time = Duration::from_secs(bench.seconds);
    if bench.wants("limits") {
        limits(bench, time.min(Duration::from_secs(3)), report).await?;
    }
    if bench.wants("send_1") {
        let what = "durable visitor messages, 1 connection";
        report.add(closed(setup, "send_1", what, 1, time, setup.sending()).await?);
    }
    if bench.wants("send") {
        let what = format!("durable visitor messages, {} connections", bench.connections);
        report.add(closed(setup, "send", &what, bench.connections, time, setup.sending()).await?);
        add_memory(setup.pid, "memory", "after that", report);
    }
    if bench.wants("send_open") {
        report.add(open(setup, bench, time).await?);
    }
    if bench.wants("heard") {
        delivery_latency(setup, time, report).await?;
    }
    for (name, limit) in [("fetch_20", 20), ("fetch_50", 50)] {
        if bench.wants(name) {
            report.add(fetch(setup, bench, name, limit, time).await?);
        }
    }
    if bench.wants("reply") {
        report.add(reply(setup, bench, time).await?);
    }
    connected_visitors::run(setup, bench, report).await
}

async fn limits(bench: &Bench, time: Duration, report: &mut Report) -> anyhow::Result<()> {
    let disk = machine::baseline_commits(&bench.folder, time).await?;
    report.add(Figure::rate("limit_disk", "this disk: a page written and synced, one after the other", &disk));
    let http = machine::baseline_http(bench.connections, time).await?;
    report.add(Figure::rate("limit_http", "this machine: a server that answers and does nothing", &http));
    Ok(())
}

async fn closed(
    setup: &Setup,
    name: &'static str,
    what: &str,
    connections: usize,
    time: Duration,
    make: RequestFactory,
) -> anyhow::Result<Figure> {
    let clients = setup.clients(connections).await?;
    let before = Cpu::now(setup.pid);
    let measured = load::closed(clients, time, make).await;
    Ok(Figure::rate(name, what, &measured).with_cpu(measured.done, &before, setup.pid))
}

async fn open(setup: &Setup, bench: &Bench, time: Duration) -> anyhow::Result<Figure> {
    let clients = setup.clients(bench.connections.max(64)).await?;
    let before = Cpu::now(setup.pid);
    let measured = load::open(clients, bench.rate, time, setup.sending()).await;
    let what = format!("durable visitor messages that leave by the clock, {} a second", bench.rate);
    Ok(Figure::rate("send_open", what, &measured).with_cpu(measured.done, &before, setup.pid))
}

/// Delivery latency: from sending a message on one side until the other side's socket receives it.
async fn delivery_latency(setup: &mut Setup, time: Duration, report: &mut Report) -> anyhow::Result<()> {
    let count = DELIVERY_RATE * time.as_secs();
    let console = setup.owner.open_feed().await?;
    let mut clients = setup.clients(1).await?;
    let (target, visitors) = (setup.target, setup.visitors.clone());
    let send = |n: u64, text: String| visitors[usize::try_from(n).unwrap_or(0) % visitors.len()].message(target, &text);
    let measured = send_paced(&mut clients[0], console, count, send).await?;
    let what = format!("visitor sends until the console's socket has it, {DELIVERY_RATE} a second");
    report.add(Figure::latency("heard_console", what, &measured));

    let visitor = setup.visitors[0].clone();
    let first = clients[0].json(visitor.message(target, TEXT)).await?;
    let newest =
        clients[0].json(setup.shop.script(target, Method::GET, "get_recent_messages&limit=1", &json!({}))).await?;
    let conversation = newest["data"][0]["conversation_id"].clone();
    let page = Visitor { token: visitor.token.clone(), cursor: visitor.cursor.clone() };
    let page = page.open_feed(target, setup.block, 0).await?;
    anyhow::ensure!(first["message"]["seq"].as_i64().is_some(), "an answer without a message");
    let send = |_, text: String| {
        let body = json!({ "conversation_id": conversation, "content": text });
        setup.shop.script(target, Method::POST, "reply_as_agent", &body)
    };
    let measured = send_paced(&mut clients[0], page, count, send).await?;
    let what = format!("reply by API until the visitor's socket has it, {DELIVERY_RATE} a second");
    report.add(Figure::latency("heard_visitor", what, &measured));
    Ok(())
}

/// Sends at a fixed rate and waits for each message on the other side.
async fn send_paced(
    client: &mut Client,
    mut line: Socket,
    count: u64,
    send: impl Fn(u64, String) -> super::client::HttpRequest,
) -> anyhow::Result<Measured> {
    let start = Instant::now();
    let run = crate::secret::random_text(6);
    let mark = format!("{run} number ");
    let (left, mut leaving) = tokio::sync::mpsc::unbounded_channel::<Instant>();
    let delivery_latency = tokio::spawn({
        let mark = mark.clone();
        async move {
            let mut measured = Measured::new();
            while measured.done < count {
                let Some(frame) = line.next().await else { break };
                let text = frame["event"]["message"]["text"].as_str().unwrap_or_default();
                if text.starts_with(&mark) {
                    let now = Instant::now();
                    let Some(sent) = leaving.recv().await else { break };
                    measured.record(now - sent);
                }
            }
            measured.failed = count - measured.done;
            measured
        }
    });
    for n in 0..count {
        let due = start + Duration::from_nanos(n * 1_000_000_000 / DELIVERY_RATE);
        tokio::time::sleep_until(due.into()).await;
        let request = send(n, format!("{mark}{n}"));
        left.send(Instant::now()).map_err(|_| anyhow::anyhow!("the other side's socket was closed"))?;
        client.json(request).await?;
    }
    let mut measured = tokio::time::timeout(Duration::from_secs(10), delivery_latency).await??;
    measured.seconds = start.elapsed().as_secs_f64();
    Ok(measured)
}

async fn fetch(setup: &Setup, bench: &Bench, name: &'static str, limit: u32, time: Duration) -> anyhow::Result<Figure> {
    let (target, shop) = (setup.target, setup.shop.clone());
    let query = format!("get_recent_messages&limit={limit}");
    let make = move |_| shop.script(target, Method::GET, &query, &json!({}));
    let what = format!("get_recent_messages, {limit} messages, {} connections", bench.connections);
    closed(setup, name, &what, bench.connections, time, Arc::new(make)).await
}

async fn reply(setup: &Setup, bench: &Bench, time: Duration) -> anyhow::Result<Figure> {
    let (target, shop) = (setup.target, setup.shop.clone());
    let mut client = Client::connect(target, None).await?;
    client.json(setup.visitors[0].message(target, TEXT)).await?;
    let newest = client.json(shop.script(target, Method::GET, "get_recent_messages&limit=200", &json!({}))).await?;
    let lines = newest["data"].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<String> =
        lines.iter().filter_map(|line| line["conversation_id"].as_str().map(str::to_owned)).collect();
    ids.sort_unstable();
    ids.dedup();
    let make = move |n: u64| {
        let id = &ids[usize::try_from(n).unwrap_or(0) % ids.len()];
        shop.script(target, Method::POST, "reply_as_agent", &json!({ "conversation_id": id, "content": TEXT }))
    };
    let what = format!("durable reply_as_agent, {} connections", bench.connections);
    closed(setup, "reply", &what, bench.connections, time, Arc::new(make)).await
}

/// Adds the current memory of the server.
pub fn add_memory(pid: Option<u32>, name: &'static str, when: &str, report: &mut Report) {
    if let Some(memory) = memory(pid) {
        let what =
            format!("the server's own memory {when}; {:.1} MB with pages of files", memory.resident as f64 / 1e6);
        report.add(Figure::value(name, what, "MB", memory.anonymous as f64 / 1e6));
    }
}
