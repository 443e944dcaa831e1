//! What a request may touch.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use tokio::sync::{Notify, mpsc, watch};

use crate::abuse::Abuse;
use crate::accounts::Passwords;
use crate::clock::Clock;
use crate::config::Config;
use crate::conversations::Marks;
use crate::effects;
use crate::error::Error;
use crate::events::{Log, Published};
use crate::fair_limit::FairLimit;
use crate::http::connection_limits::ConnectionCount;
use crate::http::rate_limits::RateLimits;
use crate::http::response_cache::ResponseCaches;
use crate::images::Images;
use crate::messages::Appender;
use crate::realtime::{Hub, Tickets};
use crate::search::Searches;
use crate::secret::random_text;
use crate::sites::Directory;
use crate::storage::{DataLock, Folder, LockError, Store};
use crate::vault::{Vault, VaultError};
use crate::visitors::{Moves, Sessions};

/// The running product. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of a running product.
pub struct Parts {
    /// Settings in force.
    pub config: Config,
    /// A random name of this run of the server. `/healthz` tells it, so that `ocs doctor` knows who answered.
    pub instance: String,
    /// The data folder.
    pub folder: Folder,
    /// The database.
    pub store: Store,
    /// Pictures: where they are, and how many are worked on at once.
    pub images: Images,
    /// Sites by number and key.
    pub sites: Directory,
    /// Wakes the task that purges deleted sites.
    pub deleted_sites: Notify,
    /// Floods of new visitors, and the work that keeps them away.
    pub abuse: Abuse,
    /// Counters of what people may do in a while.
    pub rate_limits: RateLimits,
    /// Whose requests are at work.
    pub fair_limit: FairLimit,
    /// Password hashes, few at a time.
    pub passwords: Passwords,
    /// Opens what is kept sealed.
    pub vault: Vault,
    /// Answers that are made once and given many times.
    pub response_cache: ResponseCaches,
    /// Visitors by token.
    pub visitors: Sessions,
    /// What happened: the only way to record events.
    pub events: Log,
    /// Stores messages, those that wait together.
    pub appender: Appender,
    /// Searches at work.
    pub searches: Searches,
    /// Stores what was delivered and seen.
    pub marks: Marks,
    /// Stores which pages visitors are on.
    pub moves: Moves,
    /// Everybody who is connected.
    pub hub: Arc<Hub>,
    /// One-time tickets of consoles.
    pub tickets: Tickets,
    /// Counts open connections.
    pub connections: ConnectionCount,
    /// Becomes true when the server begins to stop.
    pub stopping: watch::Receiver<bool>,
    /// Nobody else serves this folder.
    pub lock: DataLock,
}

/// Why the product could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder cannot be made or read.
    #[error("the data folder {0} cannot be used: {1}")]
    Folder(PathBuf, std::io::Error),
    /// Another process has it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// There was a database.
    #[error(
        "{0} was in use, and its ocs.db is missing or empty; put the file back (with ocs.db-wal if there is one), or \
         restore a backup into a new folder; to begin anew, start with another --data folder"
    )]
    Lost(PathBuf),
    /// The database cannot be opened.
    #[error("the database cannot be opened: {}", explain(.0))]
    Store(Error),
    /// The master key cannot be read or made.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Here the cause is for the machine's operator, who is no stranger.
fn explain(error: &Error) -> String {
    match error {
        Error::Internal(cause) => cause.clone(),
        other => other.to_string(),
    }
}

impl App {
    /// Takes the data folder and opens what is in it, making what is missing. Nothing is relayed: for commands.
    ///
    /// # Errors
    /// What stands in the way, in words that say what to do.
    pub async fn open(config: Config, clock: Clock) -> Result<App, OpenError> {
        App::open_with_relay(config, clock, watch::channel(false).1).await.map(|(app, _)| app)
    }

    /// As [`App::open`], with the end at which committed events come out. `stopping` tells when to let clients go.
    ///
    /// # Errors
    /// What stands in the way, in words that say what to do.
    pub async fn open_with_relay(
        config: Config,
        clock: Clock,
        stopping: watch::Receiver<bool>,
    ) -> Result<(App, mpsc::UnboundedReceiver<Published>), OpenError> {
        let unusable = |error| OpenError::Folder(config.data.clone(), error);
        let folder = Folder::open(&config.data).map_err(unusable)?;
        if folder.lost_its_database() {
            return Err(OpenError::Lost(config.data.clone()));
        }
        let lock = DataLock::take(&folder)?;
        let store = Store::open(&folder, clock.clone()).await.map_err(OpenError::Store)?;
        let vault = Vault::open(&folder.master_key(), config.master_key.as_ref())?;
        let (events, committed) = Log::open();
        let app = App::new(Parts {
            images: Images::open(&folder, clock).map_err(unusable)?,
            sites: Directory::new(store.clone()),
            deleted_sites: Notify::new(),
            abuse: Abuse::new(config.attack_visitors_per_minute),
            rate_limits: RateLimits::default(),
            fair_limit: FairLimit::default(),
            passwords: Passwords::default(),
            visitors: Sessions::default(),
            appender: Appender::start(store.clone(), events.clone()),
            marks: Marks::start(store.clone()),
            moves: Moves::start(store.clone()),
            searches: Searches::default(),
            hub: Arc::default(),
            connections: ConnectionCount::default(),
            tickets: Tickets::default(),
            response_cache: ResponseCaches::default(),
            events,
            stopping,
            vault,
            lock,
            store,
            folder,
            config,
            instance: random_text(12),
        });
        Ok((app, committed))
    }

    /// Puts the parts together. What transactions leave is applied to them from now on.
    pub fn new(parts: Parts) -> App {
        let app = App(Arc::new(parts));
        effects::apply_after_commits(&app);
        app
    }

    /// Points at the product without keeping it alive.
    pub(crate) fn downgrade(&self) -> Weak<Parts> {
        Arc::downgrade(&self.0)
    }

    /// The product that a weak pointer points at, while it lives.
    pub(crate) fn upgrade(weak: &Weak<Parts>) -> Option<App> {
        weak.upgrade().map(App)
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
