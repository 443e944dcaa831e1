//! Starting and stopping the server, in order.

use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::middleware::from_fn;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Error;
use crate::http::route::router;
use crate::http::server::Server;
use crate::http::timeouts::{BODY_GRACE_TIME, Timeouts, UNREAD_RESPONSE_TIME};
use crate::http::{assets, file_descriptors, headers, middleware, tls};
use crate::output::outln;
use crate::routes::all_routes;
use crate::{abuse, audit, events, flows, images, realtime, search, visitors};

/// Interval between checkpoints of the write-ahead log.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(5);
/// Interval between checkpoints under load, so that the commit that finds the log full, and everything waiting for it,
/// has little left to do. At 64 connections the p99 of a message was 7.5 ms instead of 11.
const BUSY_CHECKPOINT_INTERVAL: Duration = Duration::from_millis(100);
/// Message commits between two checkpoints that count as load.
const BUSY_COMMITS: u64 = 20;
/// Interval between trims of the event log.
const TRIM_INTERVAL: Duration = Duration::from_secs(3_600);

/// All APIs as one service.
pub fn service(app: &App) -> Router {
    let hsts = headers::Hsts::of(&app.config);
    router(all_routes())
        .fallback(assets::console)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(from_fn(move |request, next| middleware::run(hsts.clone(), request, next)))
        .with_state(app.clone())
}

/// A running server.
pub struct Running {
    /// Its application state.
    pub app: App,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    background_tasks: Vec<JoinHandle<()>>,
}

/// Starts to take commands of the machine's operator for a running server, and returns the task that does so.
pub type TakeCommands = fn(&App) -> std::io::Result<JoinHandle<()>>;

/// Opens the data folder and serves on `listener`.
///
/// # Errors
/// Each says what is wrong and what to do.
pub async fn start(
    config: Config,
    listener: TcpListener,
    clock: Clock,
    take_commands: TakeCommands,
) -> anyhow::Result<Running> {
    // With port 0 the system chose a port; snippets and `ocs doctor` use it.
    let listen = listener.local_addr().context("the address to listen on cannot be read")?;
    let config = Config { listen, ..config };
    let (stop, stopping) = watch::channel(false);
    let (app, committed) = App::open_with_relay(config, clock, stopping.clone()).await?;
    let tls = tls::acceptor(&app.config, &app.folder)?;
    let background_tasks = vec![
        tokio::spawn(realtime::relay(app.clone(), committed)),
        tokio::spawn(images::run(app.images.clone())),
        tokio::spawn(abuse::run(app.abuse.clone())),
        tokio::spawn(search::run(app.store.clone(), app.appender.clone())),
        tokio::spawn(flows::run_purge(app.store.clone(), app.deleted_sites.clone())),
        tokio::spawn(checkpoint(app.clone())),
        tokio::spawn(trim(app.clone())),
        take_commands(&app).context("the command socket cannot be made in the data folder")?,
    ];
    let server = Server {
        listener,
        tls,
        router: service(&app),
        max_connections: app.config.max_connections,
        max_connections_per_address: app.config.max_connections_per_address,
        proxies: app.config.trusted_proxies.clone(),
        timeouts: timeouts(&app.config),
        stopping,
        connections: app.connections.clone(),
    };
    let server = tokio::spawn(server.run());
    Ok(Running { app, stop, server, background_tasks })
}

fn timeouts(config: &Config) -> Timeouts {
    let seconds = |seconds: u64| Duration::from_secs(seconds.max(1));
    let (head, idle, body) = (seconds(config.head_seconds), seconds(config.idle_seconds), seconds(config.body_seconds));
    Timeouts { head, idle, body, grace: BODY_GRACE_TIME, unread: UNREAD_RESPONSE_TIME.min(idle) }
}

impl Running {
    /// Stops: refuses new connections, tells clients to reconnect within seconds, finishes requests in flight, and
    /// closes the database. Takes at most `drain_seconds` and a little.
    pub async fn stop(self) {
        // Without receivers there is nothing to stop.
        let _ = self.stop.send(true);
        self.app.hub.close();
        let _ = self.server.await;
        let drain = Duration::from_secs(self.app.config.drain_seconds);
        let empty = async {
            while self.app.connections.count() > 0 || self.app.hub.counts() != (0, 0) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(drain, empty).await.is_err() {
            tracing::warn!("some clients did not disconnect in time");
        }
        for chore in &self.background_tasks {
            chore.abort();
        }
        for chore in self.background_tasks {
            // Aborted on purpose.
            let _ = chore.await;
        }
        self.app.store.close().await;
    }
}

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// Each says what is wrong and what to do.
pub async fn run(mut config: Config, take_commands: TakeCommands) -> anyhow::Result<()> {
    config.max_connections = file_descriptors::connection_limit(config.max_connections);
    let address = config.listen;
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; is another program using that port? (--listen changes it)")
    })?;
    let running = start(config, listener, Clock::System, take_commands).await?;
    announce(&running.app);
    asked_to_stop().await;
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

fn announce(app: &App) {
    let url = app.config.public_url();
    for warning in app.config.warnings() {
        tracing::warn!("{warning}");
    }
    tracing::info!(%url, data = %app.folder.path().display(), version = env!("CARGO_PKG_VERSION"), "serving");
    outln!("OCS is ready at {url}");
    outln!("  First step: open {url}/signup, make an account and create your site.");
    outln!("  Each site's page has its snippet and a link to a demo page where you can try the chat.");
    if !url.starts_with("https://") && !app.config.listen.ip().is_loopback() {
        outln!("  Warning: without https, passwords and messages can be read on the way. See docs/configuration.md.");
    }
}

async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

async fn checkpoint(app: App) {
    let mut pause = CHECKPOINT_INTERVAL;
    loop {
        let before = app.appender.commits();
        tokio::time::sleep(pause).await;
        if let Err(error) = app.store.checkpoint().await {
            tracing::warn!(%error, "the write-ahead log could not be checkpointed; retrying");
        }
        pause =
            if app.appender.commits() - before > BUSY_COMMITS { BUSY_CHECKPOINT_INTERVAL } else { CHECKPOINT_INTERVAL };
    }
}

async fn trim(app: App) {
    loop {
        if let Err(error) = events::trim(&app.store, app.config.event_days).await {
            tracing::warn!(%error, "old events could not be removed; retrying later");
        }
        if let Err(error) = audit::trim(&app.store).await {
            tracing::warn!(%error, "old entries of the audit log could not be removed; retrying later");
        }
        if let Err(error) = visitors::end_expired(&app.store).await {
            tracing::warn!(%error, "expired visitor sessions could not be removed; retrying later");
        }
        tokio::time::sleep(TRIM_INTERVAL).await;
    }
}
