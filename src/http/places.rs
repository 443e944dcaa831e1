//! Who may connect: so many at once in all, and so many from one network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Network;

use super::address::ClientAddress;

/// Connections of one network that linger at once (see `linger`); further ones are closed without it.
const LINGERING: usize = 32;

/// Connections that are open now.
#[derive(Clone, Default)]
pub struct Connections(Arc<AtomicUsize>);

impl Connections {
    /// How many.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// What each network holds.
type Taken = Mutex<HashMap<u128, Held>>;

#[derive(Default)]
struct Held {
    /// Connections, and requests that share one with others.
    places: usize,
    /// Connections that linger.
    lingering: usize,
}

/// The places that a server has for connections.
pub(super) struct Places {
    in_all: Arc<Semaphore>,
    from_one: usize,
    taken: Arc<Taken>,
    /// Many people come through a proxy, also through one on this machine that nobody named: only the whole counts.
    proxies: Vec<Network>,
    open: Connections,
}

impl Places {
    /// So many in all and from one network, where `proxies` are no network of their own; `open` counts them.
    pub(super) fn new(in_all: usize, from_one: usize, proxies: Vec<Network>, open: Connections) -> Places {
        Places { in_all: Arc::new(Semaphore::new(in_all)), from_one, taken: Arc::default(), proxies, open }
    }

    /// Waits until the next connection, from any network, fits into the limit for all.
    pub(super) async fn next(&self) -> Option<OwnedSemaphorePermit> {
        self.in_all.clone().acquire_owned().await.ok()
    }

    /// Gives it to a peer; none when its network has too many already.
    pub(super) fn give(&self, place: OwnedSemaphorePermit, peer: IpAddr) -> Option<Place> {
        let network = ClientAddress(peer).own_network(&self.proxies);
        let more = More {
            in_all: self.in_all.clone(),
            from_one: self.from_one,
            network: network.map(|network| (self.taken.clone(), network)),
        };
        let share = more.share(place)?;
        self.open.0.fetch_add(1, Ordering::Relaxed);
        Some(Place { open: self.open.clone(), more, lingers: false, _share: share })
    }
}

/// A connection's place, for as long as it lives.
pub(super) struct Place {
    open: Connections,
    more: More,
    lingers: bool,
    _share: Share,
}

impl Place {
    /// What gives places to further requests of this connection.
    pub(super) fn more(&self) -> More {
        self.more.clone()
    }

    /// Counts this connection among those of its network that linger; false when those are enough.
    pub(super) fn linger(&mut self) -> bool {
        let Some((taken, network)) = &self.more.network else { return true };
        let mut taken = locked(taken);
        let Some(held) = taken.get_mut(network).filter(|held| !self.lingers && held.lingering < LINGERING) else {
            return false;
        };
        held.lingering += 1;
        self.lingers = true;
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.0.fetch_sub(1, Ordering::Relaxed);
        if let Some((taken, network)) = self.more.network.as_ref().filter(|_| self.lingers)
            && let Some(held) = locked(taken).get_mut(network)
        {
            held.lingering -= 1;
        }
    }
}

/// Gives places to requests that share a connection (HTTP/2): each that is under way beside another one counts as a
/// connection does, so that streams get nobody more than connections would.
#[derive(Clone)]
pub(super) struct More {
    in_all: Arc<Semaphore>,
    from_one: usize,
    network: Option<(Arc<Taken>, u128)>,
}

impl More {
    /// A place for one more request; none when its network has too many, or there are too many in all.
    pub(super) fn take(&self) -> Option<Share> {
        let place = self.in_all.clone().try_acquire_owned().ok()?;
        self.share(place)
    }

    fn share(&self, place: OwnedSemaphorePermit) -> Option<Share> {
        if let Some((taken, network)) = &self.network {
            let mut taken = locked(taken);
            let held = taken.entry(*network).or_default();
            if held.places >= self.from_one {
                return None;
            }
            held.places += 1;
        }
        Some(Share { network: self.network.clone(), _in_all: place })
    }
}

/// One of its network's places, for as long as it is held.
pub(super) struct Share {
    network: Option<(Arc<Taken>, u128)>,
    _in_all: OwnedSemaphorePermit,
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some((taken, network)) = &self.network else { return };
        let mut taken = locked(taken);
        if let Some(held) = taken.get_mut(network) {
            held.places -= 1;
            if held.places == 0 {
                taken.remove(network);
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
        let open = Connections::default();
        let places = Places::new(13, 2, proxies, open.clone());
        let mut held = Vec::new();
        let mut come = async |from: &str| {
            let place = places.next().await.expect("a place in all");
            let given = places.give(place, from.parse().expect("an address"));
            let came = given.is_some();
            held.extend(given);
            came
        };
        assert!(come("192.0.2.1").await && come("192.0.2.1").await && !come("192.0.2.1").await);
        assert!(come("192.0.2.2").await, "another address has its own");
        assert!(come("2001:db8::1").await && come("2001:db8::ffff:1").await);
        assert!(!come("2001:db8::2").await, "one /64 is one network");
        assert!(come("2001:db8:0:1::2").await);
        assert!(come("::ffff:10.0.0.7").await && come("10.0.0.7").await && come("10.0.0.7").await);
        assert!(come("127.0.0.1").await && come("127.0.0.1").await && come("127.0.0.1").await, "this machine itself");
        assert_eq!(open.count(), 12);
        held.clear();
        assert_eq!(open.count(), 0);
        assert!(locked(&places.taken).is_empty(), "nothing is remembered of who left");
    }

    #[tokio::test]
    async fn requests_that_share_a_connection_count_as_connections_do() {
        let places = Places::new(9, 4, Vec::new(), Connections::default());
        let come = async |from: &str| {
            let place = places.next().await.expect("a place in all");
            places.give(place, from.parse().expect("an address"))
        };
        let mut first = come("192.0.2.1").await.expect("a place");
        let beside: Vec<Share> = std::iter::from_fn(|| first.more().take()).collect();
        assert_eq!(beside.len(), 3, "four with the connection itself");
        assert!(come("192.0.2.1").await.is_none(), "its network has its share");
        let local = come("127.0.0.1").await.expect("a place");
        let others: Vec<Share> = std::iter::from_fn(|| local.more().take()).collect();
        assert_eq!(others.len(), 4, "as many as there are in all");
        assert!(first.linger() && !first.linger(), "once each");
        drop((beside, others, first, local));
        assert!(locked(&places.taken).is_empty(), "nothing is remembered of who left");
    }
}
