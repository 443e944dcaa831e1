//! Who may connect: so many at once in all, and so many from one network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Network;

use super::address::ClientAddress;

/// Connections of one network that linger at once (see `lingering_close`); further ones are closed without it.
const MAX_LINGERING: usize = 32;

/// Connections that are open now.
#[derive(Clone, Default)]
pub struct ConnectionCount(Arc<AtomicUsize>);

impl ConnectionCount {
    /// How many.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// What each network holds.
type ByNetwork = Mutex<HashMap<u128, NetworkUse>>;

#[derive(Default)]
struct NetworkUse {
    /// Connections, and requests that share one with others.
    open: usize,
    /// Connections that linger.
    lingering: usize,
}

/// The places that a server has for connections.
pub(super) struct ConnectionLimits {
    total: Arc<Semaphore>,
    per_network: usize,
    by_network: Arc<ByNetwork>,
    /// Many people come through a proxy, also through one on this machine that nobody named: only the whole counts.
    proxies: Vec<Network>,
    open: ConnectionCount,
}

impl ConnectionLimits {
    /// So many in all and from one network, where `proxies` are no network of their own; `open` counts them.
    pub(super) fn new(
        total: usize,
        per_network: usize,
        proxies: Vec<Network>,
        open: ConnectionCount,
    ) -> ConnectionLimits {
        ConnectionLimits {
            total: Arc::new(Semaphore::new(total)),
            per_network,
            by_network: Arc::default(),
            proxies,
            open,
        }
    }

    /// Waits until the next connection, from any network, fits into the limit for all.
    pub(super) async fn accept(&self) -> Option<OwnedSemaphorePermit> {
        self.total.clone().acquire_owned().await.ok()
    }

    /// Gives it to a peer; none when its network has too many already.
    pub(super) fn admit(&self, permit: OwnedSemaphorePermit, peer: IpAddr) -> Option<ConnectionPermit> {
        let network = ClientAddress(peer).unshared_network(&self.proxies);
        let request_limit = RequestLimit {
            total: self.total.clone(),
            per_network: self.per_network,
            network: network.map(|network| (self.by_network.clone(), network)),
        };
        let permit = request_limit.count(permit)?;
        self.open.0.fetch_add(1, Ordering::Relaxed);
        Some(ConnectionPermit { open: self.open.clone(), request_limit, lingers: false, _permit: permit })
    }
}

/// A connection's place, for as long as it lives.
pub(super) struct ConnectionPermit {
    open: ConnectionCount,
    request_limit: RequestLimit,
    lingers: bool,
    _permit: RequestPermit,
}

impl ConnectionPermit {
    /// What gives places to further requests of this connection.
    pub(super) fn request_limit(&self) -> RequestLimit {
        self.request_limit.clone()
    }

    /// Counts this connection among those of its network that linger; false when those are enough.
    pub(super) fn start_lingering(&mut self) -> bool {
        let Some((by_network, network)) = &self.request_limit.network else { return true };
        let mut by_network = locked(by_network);
        let Some(used) = by_network.get_mut(network).filter(|used| !self.lingers && used.lingering < MAX_LINGERING)
        else {
            return false;
        };
        used.lingering += 1;
        self.lingers = true;
        true
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.open.0.fetch_sub(1, Ordering::Relaxed);
        if let Some((by_network, network)) = self.request_limit.network.as_ref().filter(|_| self.lingers)
            && let Some(used) = locked(by_network).get_mut(network)
        {
            used.lingering -= 1;
        }
    }
}

/// Gives places to requests that share a connection (HTTP/2): each that is under way beside another one counts as a
/// connection does, so that streams get nobody more than connections would.
#[derive(Clone)]
pub(super) struct RequestLimit {
    total: Arc<Semaphore>,
    per_network: usize,
    network: Option<(Arc<ByNetwork>, u128)>,
}

impl RequestLimit {
    /// A place for one more request; none when its network has too many, or there are too many in all.
    pub(super) fn try_acquire(&self) -> Option<RequestPermit> {
        let permit = self.total.clone().try_acquire_owned().ok()?;
        self.count(permit)
    }

    fn count(&self, permit: OwnedSemaphorePermit) -> Option<RequestPermit> {
        if let Some((by_network, network)) = &self.network {
            let mut by_network = locked(by_network);
            let used = by_network.entry(*network).or_default();
            if used.open >= self.per_network {
                return None;
            }
            used.open += 1;
        }
        Some(RequestPermit { network: self.network.clone(), _total: permit })
    }
}

/// One of its network's places, for as long as it is held.
pub(super) struct RequestPermit {
    network: Option<(Arc<ByNetwork>, u128)>,
    _total: OwnedSemaphorePermit,
}

impl Drop for RequestPermit {
    fn drop(&mut self) {
        let Some((by_network, network)) = &self.network else { return };
        let mut by_network = locked(by_network);
        if let Some(used) = by_network.get_mut(network) {
            used.open -= 1;
            if used.open == 0 {
                by_network.remove(network);
            }
        }
    }
}

/// Every change is one step, so a poisoned map is still good.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_network_has_its_share_and_a_proxy_only_the_whole() {
        let proxy: IpAddr = "10.0.0.7".parse().expect("an address");
        let proxies = vec![Network::from(proxy)];
        let open = ConnectionCount::default();
        let limits = ConnectionLimits::new(13, 2, proxies, open.clone());
        let mut held = Vec::new();
        let mut connect = async |from: &str| {
            let permit = limits.accept().await.expect("a permit");
            let admitted_permit = limits.admit(permit, from.parse().expect("an address"));
            let admitted = admitted_permit.is_some();
            held.extend(admitted_permit);
            admitted
        };
        assert!(connect("192.0.2.1").await && connect("192.0.2.1").await && !connect("192.0.2.1").await);
        assert!(connect("192.0.2.2").await, "another address has its own");
        assert!(connect("2001:db8::1").await && connect("2001:db8::ffff:1").await);
        assert!(!connect("2001:db8::2").await, "one /64 is one network");
        assert!(connect("2001:db8:0:1::2").await);
        assert!(connect("::ffff:10.0.0.7").await && connect("10.0.0.7").await && connect("10.0.0.7").await);
        assert!(
            connect("127.0.0.1").await && connect("127.0.0.1").await && connect("127.0.0.1").await,
            "this machine itself"
        );
        assert_eq!(open.count(), 12);
        held.clear();
        assert_eq!(open.count(), 0);
        assert!(locked(&limits.by_network).is_empty(), "nothing is remembered of who left");
    }

    #[tokio::test]
    async fn requests_that_share_a_connection_count_as_connections_do() {
        let limits = ConnectionLimits::new(9, 4, Vec::new(), ConnectionCount::default());
        let connect = async |from: &str| {
            let permit = limits.accept().await.expect("a permit");
            limits.admit(permit, from.parse().expect("an address"))
        };
        let mut first = connect("192.0.2.1").await.expect("a permit");
        let beside: Vec<RequestPermit> = std::iter::from_fn(|| first.request_limit().try_acquire()).collect();
        assert_eq!(beside.len(), 3, "four with the connection itself");
        assert!(connect("192.0.2.1").await.is_none(), "its network has its share");
        let local = connect("127.0.0.1").await.expect("a permit");
        let others: Vec<RequestPermit> = std::iter::from_fn(|| local.request_limit().try_acquire()).collect();
        assert_eq!(others.len(), 4, "as many as there are in all");
        assert!(first.start_lingering() && !first.start_lingering(), "once each");
        drop((beside, others, first, local));
        assert!(locked(&limits.by_network).is_empty(), "nothing is remembered of who left");
    }
}
