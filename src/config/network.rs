//! Address ranges (CIDR).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Setting;

/// An IPv4 or IPv6 network in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl Network {
    /// Parses an address, or a network such as `192.0.2.0/24`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Network, String> {
        let network = <Network as Setting>::read(text.get(..64).unwrap_or(text).trim())?;
        Ok(Network { base: network.base.to_canonical(), ..network })
    }

    /// Whether it holds more addresses than any private network: more than 10.0.0.0/8 or fc00::/7.
    pub(super) fn is_nearly_everybody(&self) -> bool {
        self.bits < if self.base.is_ipv4() { 8 } else { 7 }
    }

    /// Whether `address` is inside.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (base, address, width) = match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => (u128::from(base.to_bits()), u128::from(address.to_bits()), 32),
            (IpAddr::V6(base), IpAddr::V6(address)) => (base.to_bits(), address.to_bits(), 128),
            _ => return false,
        };
        let shift = width - u32::from(self.bits);
        shift >= 128 || base >> shift == address >> shift
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = if self.base.is_ipv4() { 32 } else { 128 };
        if self.bits == whole { write!(f, "{}", self.base) } else { write!(f, "{}/{}", self.base, self.bits) }
    }
}

impl From<Ipv4Addr> for Network {
    fn from(address: Ipv4Addr) -> Network {
        IpAddr::from(address).into()
    }
}

impl From<Ipv6Addr> for Network {
    fn from(address: Ipv6Addr) -> Network {
        IpAddr::from(address).into()
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Network {
        Network { base: address, bits: if address.is_ipv4() { 32 } else { 128 } }
    }
}

impl Setting for Network {
    fn read(text: &str) -> Result<Network, String> {
        let (base, bits) = text.split_once('/').map_or((text, None), |(base, bits)| (base, Some(bits)));
        let base: IpAddr =
            base.parse().map_err(|_| format!("`{text}` is not an address or network such as 10.0.0.0/8"))?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), str::parse).ok().filter(|bits| *bits <= width);
        let bits = bits.ok_or_else(|| format!("`{text}` has a prefix length that is not 0 to {width}"))?;
        Ok(Network { base, bits })
    }
    fn show(&self) -> String {
        format!("{}/{}", self.base, self.bits)
    }
}
