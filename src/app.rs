//! The application state that requests share.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};

use crate::abuse::Abuse;
use crate::accounts::{Accounts, Attempts, Passwords};
use crate::clock::Clock;
use crate::config::Config;
use crate::conversations::Receipts;
use crate::effects::Effects;
use crate::error::Error;
use crate::events::{Cursors, Log, Published};
use crate::fair_limit::FairLimit;
use crate::hub::{Hub, Tickets};
use crate::images::Images;
use crate::messages::Appender;
use crate::rate_limits::RateLimits;
use crate::response_cache::ResponseCaches;
use crate::search::Searches;
use crate::secret::random_text;
use crate::sites::Directory;
use crate::storage::{DataLock, Folder, LockError, Store};
use crate::vault::{Vault, VaultError};
use crate::visitors::{PageMoves, Sessions};

/// Handle of the running application. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The state of the running application.
pub struct Parts {
    /// Settings in force.
    pub config: Config,
    /// A random name of this run. `/healthz` returns it, so that `ocs doctor` knows which server answered.
    pub instance: String,
    /// The data folder.
    pub folder: Folder,
    /// The database.
    pub store: Store,
    /// Image files, and the limits on storing and decoding them.
    pub images: Arc<Images>,
    /// Cache of sites by id and key.
    pub sites: Directory,
    /// Wakes the task that purges deleted sites.
    pub deleted_sites: Arc<Notify>,
    /// Detection of floods of new visitors, and the proof of work against them.
    pub abuse: Arc<Abuse>,
    /// In-memory rate limits.
    pub rate_limits: RateLimits,
    /// Per-tenant concurrency limit of requests.
    pub fair_limit: Arc<FairLimit>,
    /// What signing in and changing accounts needs.
    pub accounts: Accounts,
    /// Encrypts and decrypts stored secrets.
    pub vault: Arc<Vault>,
    /// Caches of whole responses.
    pub response_cache: ResponseCaches,
    /// Cache of visitor sessions by token.
    pub visitors: Arc<Sessions>,
    /// The event log: the only way to record events.
    pub events: Log,
    /// Writes and reads the cursors of clients.
    pub cursors: Cursors,
    /// Stores messages in batches.
    pub appender: Appender,
    /// Concurrency limit of searches.
    pub searches: Searches,
    /// Stores delivered and seen receipts.
    pub receipts: Receipts,
    /// Stores the current pages of visitors.
    pub page_moves: PageMoves,
    /// Subscribers: everybody who is connected.
    pub hub: Arc<Hub>,
    /// One-time connection tickets of consoles.
    pub tickets: Tickets,
    /// Number of open connections.
    pub connections: ConnectionCount,
    /// Becomes true when the server starts to stop.
    pub stopping: watch::Receiver<bool>,
    /// Holds the exclusive lock on the data folder.
    pub lock: DataLock,
}

/// Connections that are open now.
#[derive(Clone, Default)]
pub struct ConnectionCount(pub(crate) Arc<AtomicUsize>);

impl ConnectionCount {
    /// How many.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why the application could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder cannot be made or read.
    #[error("the data folder {0} cannot be used: {1}")]
    Folder(PathBuf, std::io::Error),
    /// Another process holds the data folder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The data folder was in use and its database is missing or empty.
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

/// Internal causes are shown here, because the reader operates the machine.
fn explain(error: &Error) -> String {
    match error {
        Error::Internal(cause) => cause.clone(),
        other => other.to_string(),
    }
}

impl App {
    /// Locks the data folder and opens its contents, creating what is missing. Events are not delivered; for commands.
    ///
    /// # Errors
    /// Each says what is wrong and what to do.
    pub async fn open(config: Config, clock: Clock) -> Result<App, OpenError> {
        App::open_with_relay(config, clock, watch::channel(false).1).await.map(|(app, _)| app)
    }

    /// As [`App::open`], and also returns the receiver of committed events. `stopping` says when to disconnect clients.
    ///
    /// # Errors
    /// Each says what is wrong and what to do.
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
        let vault = Arc::new(Vault::open(&folder.master_key(), config.master_key.as_ref())?);
        let fair_limit = Arc::<FairLimit>::default();
        let (events, committed) = Log::open();
        let app = App::new(Parts {
            images: Arc::new(Images::open(&folder, store.clone(), fair_limit.clone()).map_err(unusable)?),
            accounts: Accounts {
                store: store.clone(),
                passwords: Passwords::default(),
                attempts: Attempts::default(),
                vault: vault.clone(),
                signup: config.signup,
            },
            sites: Directory::new(store.clone()),
            deleted_sites: Arc::default(),
            abuse: Arc::new(Abuse::new(store.clone(), config.attack_visitors_per_minute)),
            rate_limits: RateLimits::default(),
            fair_limit,
            visitors: Arc::default(),
            appender: Appender::start(store.clone()),
            receipts: Receipts::start(store.clone()),
            page_moves: PageMoves::start(store.clone()),
            searches: Searches::default(),
            hub: Arc::default(),
            connections: ConnectionCount::default(),
            tickets: Tickets::default(),
            response_cache: ResponseCaches::default(),
            cursors: Cursors::new(store.epoch(), &vault),
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

    /// Wraps the state, and starts applying the effects of committed transactions to it.
    pub fn new(parts: Parts) -> App {
        let effects = Effects {
            events: parts.events.clone(),
            sites: parts.sites.clone(),
            visitors: parts.visitors.clone(),
            hub: parts.hub.clone(),
            images: parts.images.clone(),
            deleted_sites: parts.deleted_sites.clone(),
            runtime: Handle::current(),
        };
        parts.store.on_commit(move |committed| effects.apply(committed));
        App(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
