//! `ocs bench`: what this machine can do with this program, measured through its public APIs by simulated visitors,
//! operators and scripts. Each figure is reported next to the machine's own limit from the same run, because without it
//! the figure says more about the machine than about the program.

mod client;
mod connected_visitors;
mod page_moves;
mod growth;
mod load;
mod machine;
mod participants;
mod report;
mod scenarios;
mod server;
mod store;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use participants::Owner;
use report::Report;
use scenarios::Setup;
use server::OwnServer;

/// Longest run of one scenario, in seconds.
const MAX_SECONDS: u64 = 120;
/// Most idle sockets; a process may open about 20,000 files.
const MAX_SOCKETS: usize = 18_000;

/// Measure what this machine can carry
#[derive(Args)]
pub struct Bench {
    /// Server to measure, such as http://127.0.0.1:8080 [default: a temporary one, in a folder below the current one]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Account that owns the temporary site [default: a new one, deleted at the end]
    #[arg(long, requires = "password")]
    email: Option<String>,
    /// Its password
    #[arg(long)]
    password: Option<String>,
    /// Process id of the server, for its memory and CPU time [default: read from the data folder]
    #[arg(long)]
    pid: Option<u32>,
    /// Data folder of the measured server, to find its process
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the temporary server keeps its data: on the disk to measure
    #[arg(long, value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Seconds of each scenario, 1 to 120
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Connections that send concurrently
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Messages a second in open-loop scenarios
    #[arg(long, default_value_t = 1_000)]
    rate: u64,
    /// Idle visitors whose memory is measured
    #[arg(long, default_value_t = 1_000)]
    sockets: usize,
    /// Seconds for which the idle visitors' CPU time is measured: two heartbeats and more [default: 45]
    #[arg(long, default_value_t = 45, hide_default_value = true)]
    idle_seconds: u64,
    /// Messages up to which the temporary server's database is filled, to see whether latency grows [default: none]
    #[arg(long, value_name = "MESSAGES", default_value_t = 0, hide_default_value = true)]
    growth: i64,
    /// Average number of messages of one site of that database: fewer make more sites
    #[arg(long, value_name = "MESSAGES", default_value_t = 1_000)]
    messages_a_site: i64,
    /// All sites of that database belong to the measured account, instead of ten
    #[arg(long)]
    one_owner: bool,
    /// Scenarios to run, comma-separated [default: all]
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Also write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Bench {
    /// Runs the scenarios and prints the figures.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses a request that it should accept.
    pub async fn run(self) -> anyhow::Result<()> {
        self.check()?;
        let mut report = Report::default();
        let mut own = match &self.url {
            Some(_) => None,
            None => Some(OwnServer::start(&self.folder).await?),
        };
        let target = match &self.url {
            Some(url) => address(url).await?,
            None => own.as_ref().map(OwnServer::address).context("the own server has an address")?,
        };
        let pid = self
            .pid
            .or_else(|| own.as_ref().map(OwnServer::pid))
            .or_else(|| self.data.as_deref().and_then(server::holder));
        if self.wants("fresh") {
            scenarios::add_memory(pid, "fresh", "before anybody came", &mut report);
        }
        let owner = self.owner(target).await?;
        let mut setup = Setup::new(target, pid, owner, &self).await?;
        let result = scenarios::run(&mut setup, &self, &mut report).await;
        if own.is_none() {
            setup.owner.clean_up(self.email.is_none()).await?;
        }
        result?;
        if let Some(own) = own.as_mut()
            && self.wants("cold_start")
        {
            report.add(own.cold_start().await?);
        }
        if let Some(own) = own.as_mut() {
            growth::run(&mut setup, own, &self, &mut report).await?;
        }
        report.print();
        if let Some(path) = &self.json {
            std::fs::write(path, report.json()).with_context(|| format!("{} cannot be written", path.display()))?;
        }
        Ok(())
    }

    fn check(&self) -> anyhow::Result<()> {
        if ![self.seconds, self.idle_seconds].iter().all(|seconds| (1..=MAX_SECONDS).contains(seconds)) {
            bail!("--seconds and --idle-seconds take 1 to {MAX_SECONDS}");
        }
        if !(1..=1_000).contains(&self.connections) || self.sockets > MAX_SOCKETS || !(1..=50_000).contains(&self.rate)
        {
            bail!("--connections takes 1 to 1000, --sockets up to {MAX_SOCKETS}, --rate 1 to 50000");
        }
        if !(1..=100_000).contains(&self.messages_a_site) {
            bail!("--messages-a-site takes 1 to 100000");
        }
        let unknown = self.only.iter().find(|name| !scenarios::NAMES.contains(&name.as_str()));
        if let Some(name) = unknown {
            bail!("there is no scenario {name}; there are {}", scenarios::NAMES.join(", "));
        }
        Ok(())
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == name)
    }

    async fn owner(&self, target: SocketAddr) -> anyhow::Result<Owner> {
        match (&self.email, &self.password) {
            (Some(email), Some(password)) => Owner::sign_in(target, email, password).await,
            _ => Owner::sign_up(target).await,
        }
    }
}

async fn address(url: &str) -> anyhow::Result<SocketAddr> {
    let Some(host) = url.trim_end_matches('/').strip_prefix("http://") else {
        bail!("--url takes http://host:port: what is measured is the server, without TLS and without a proxy");
    };
    let host = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    tokio::net::lookup_host(&host).await?.next().with_context(|| format!("{host} is not known"))
}
