//! The client address of a request: the socket's peer, or the address that a trusted proxy forwards.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::FromRequestParts;
use hyper::HeaderMap;
use hyper::http::request::Parts;

use crate::app::App;
use crate::config::Network;

/// The TCP peer. The server loop adds it to each request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The network that limits are counted by: one IPv4 address, or one IPv6 /64.
    pub fn network(self) -> u128 {
        match self.0.to_canonical() {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits() >> 64 << 64,
        }
    }

    /// The network for limits, or `None` where many people may share it: a trusted proxy, or this machine itself,
    /// because an unlisted proxy may run on it.
    pub fn unshared_network(self, proxies: &[Network]) -> Option<u128> {
        let this_machine =
            matches!(self.0.to_canonical(), IpAddr::V4(Ipv4Addr::LOCALHOST) | IpAddr::V6(Ipv6Addr::LOCALHOST));
        let shared = this_machine || proxies.iter().any(|proxy| proxy.contains(self.0));
        (!shared).then(|| self.network())
    }
}

impl FromRequestParts<App> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<ClientAddress, Infallible> {
        let peer = parts.extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |Peer(address)| address.ip());
        Ok(ClientAddress(resolve(peer, &parts.headers, &app.config.trusted_proxies)))
    }
}

/// The right-most `X-Forwarded-For` hop that is not a trusted proxy. The header counts only if the peer is a trusted
/// proxy. The walk ends at a hop that cannot be parsed, because anybody may have written what precedes it.
pub fn resolve(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let trusted = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().map(|line| line.to_str().unwrap_or("unreadable")).collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(',')).map(hop);
    let mut client = peer;
    while trusted(client)
        && let Some(Some(next)) = hops.next()
    {
        client = next;
    }
    // Every hop is a proxy: the client runs on one of them.
    if trusted(client) { peer } else { client }.to_canonical()
}

/// Parses an address as proxies write it: optionally with a port, optionally in brackets.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn client(forwarded: &[&'static str]) -> String {
        let proxies = [Network::from(IpAddr::from([10, 0, 0, 1])), Network::from(IpAddr::from([10, 0, 0, 2]))];
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        resolve(IpAddr::from([10, 0, 0, 1]), &headers, &proxies).to_string()
    }

    #[test]
    fn the_last_hop_that_is_no_proxy_is_the_client() {
        assert_eq!(client(&["6.6.6.6, 1.2.3.4, 10.0.0.2"]), "1.2.3.4");
        assert_eq!(client(&["6.6.6.6", "1.2.3.4"]), "1.2.3.4");
        assert_eq!(client(&["6.6.6.6, 1.2.3.4:5678"]), "1.2.3.4");
        assert_eq!(client(&["6.6.6.6, [2001:db8::1]:5678"]), "2001:db8::1");
        assert_eq!(client(&["6.6.6.6, [2001:db8::1]"]), "2001:db8::1");
        assert_eq!(client(&[]), "10.0.0.1");
    }

    #[test]
    fn hops_before_an_unreadable_one_are_not_trusted() {
        for last in ["6.6.6.6, unknown", "6.6.6.6, ", "6.6.6.6, _hidden", "6.6.6.6, 1.2.3.4.5"] {
            assert_eq!(client(&[last]), "10.0.0.1", "{last}");
        }
        assert_eq!(client(&["6.6.6.6, unknown, 10.0.0.2"]), "10.0.0.1");
    }
}
