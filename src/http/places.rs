//! Who may connect: so many at once in all, and so many from one network.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Network;

use super::address::ClientAddress;

/// Connections that are open now.
#[derive(Clone, Default)]
pub struct Connections(Arc<AtomicUsize>);

impl Connections {
    /// How many.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many connections each network has.
type Taken = Mutex<HashMap<u128, usize>>;

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

    /// A place for the next connection, whosesoever. Waits until there is one.
    pub(super) async fn next(&self) -> Option<OwnedSemaphorePermit> {
        self.in_all.clone().acquire_owned().await.ok()
    }

    /// Gives it to a peer; none when its network has too many already.
    pub(super) fn give(&self, place: OwnedSemaphorePermit, peer: IpAddr) -> Option<Place> {
        let network = ClientAddress(peer).network();
        let counted = !is_this_machine(peer) && !self.proxies.iter().any(|proxy| proxy.contains(peer));
        if counted {
            let mut taken = locked(&self.taken);
            let count = taken.entry(network).or_default();
            if *count >= self.from_one {
                return None;
            }
            *count += 1;
        }
        self.open.0.fetch_add(1, Ordering::Relaxed);
        let taken = counted.then(|| (self.taken.clone(), network));
        Some(Place { open: self.open.clone(), taken, _in_all: place })
    }
}

/// What connects to this machine from itself has these addresses, unless it chooses another.
fn is_this_machine(peer: IpAddr) -> bool {
    matches!(peer.to_canonical(), IpAddr::V4(Ipv4Addr::LOCALHOST) | IpAddr::V6(Ipv6Addr::LOCALHOST))
}

/// A connection's place, for as long as it lives.
pub(super) struct Place {
    open: Connections,
    taken: Option<(Arc<Taken>, u128)>,
    _in_all: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.0.fetch_sub(1, Ordering::Relaxed);
        let Some((taken, network)) = &self.taken else { return };
        let mut taken = locked(taken);
        if let Some(count) = taken.get_mut(network) {
            *count -= 1;
            if *count == 0 {
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
}
