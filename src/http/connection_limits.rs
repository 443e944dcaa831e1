//! Connection limits: in total, and for each client network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::app::ConnectionCount;
use crate::config::Network;

use super::address::ClientAddress;

/// Lingering connections of one network at once (see `lingering_close`). Further ones close without lingering.
const MAX_LINGERING: usize = 32;

/// What each network has open.
type ByNetwork = Mutex<HashMap<u128, NetworkUse>>;

#[derive(Default)]
struct NetworkUse {
    /// Connections, and requests beyond the first on a shared connection.
    open: usize,
    /// Connections in a lingering close.
    lingering: usize,
}

/// The connection limits of a server.
pub(super) struct ConnectionLimits {
    total: Arc<Semaphore>,
    per_network: usize,
    by_network: Arc<ByNetwork>,
    /// Many people share a proxy, also an unlisted one on this machine; only the total limit applies to these.
    proxies: Vec<Network>,
    open: ConnectionCount,
}

impl ConnectionLimits {
    /// Allows `total` connections, and `per_network` from each network that is not in `proxies`; `open` counts them.
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

    /// Waits until a connection fits the total limit.
    pub(super) async fn accept(&self) -> Option<OwnedSemaphorePermit> {
        self.total.clone().acquire_owned().await.ok()
    }

    /// Admits a peer; `None` when its network has too many connections.
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

/// An open connection's permit. Dropping it frees the connection's share of the limits.
pub(super) struct ConnectionPermit {
    open: ConnectionCount,
    request_limit: RequestLimit,
    lingers: bool,
    _permit: RequestPermit,
}

impl ConnectionPermit {
    /// The limit for further requests on this connection.
    pub(super) fn request_limit(&self) -> RequestLimit {
        self.request_limit.clone()
    }

    /// Counts this connection as lingering; false when its network has too many lingering connections.
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

/// Limits concurrent requests on a shared connection (HTTP/2). Each concurrent request beyond the first counts as a
/// connection, so that streams give nobody more than connections would.
#[derive(Clone)]
pub(super) struct RequestLimit {
    total: Arc<Semaphore>,
    per_network: usize,
    network: Option<(Arc<ByNetwork>, u128)>,
}

impl RequestLimit {
    /// A permit for one more request; `None` when its network or the server has reached its limit.
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

/// A share of the total and of the network's limit, freed on drop.
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

/// Ignores poisoning: every update is a single step, so the map is valid after a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_network_has_a_limit_and_a_proxy_only_the_total() {
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
    async fn requests_on_one_connection_count_as_connections() {
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
