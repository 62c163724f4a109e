//! Where a request comes from: the other end of its connection, or what a proxy says that the operator has named.
//!
//! Anybody can write `X-Forwarded-For`. It is read only where the other end is one of [`Proxies`], and from its end: each proxy
//! adds the address that it saw, so the last one that is no proxy of ours is the first that one of ours vouches for.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::{Arc, Once},
};

use hyper::{header::HeaderName, http::request::Parts};
use service::Network;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Said once, not with each request.
static UNNAMED: Once = Once::new();

/// The other end of a request's connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The proxies in front of the service.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Arc<[Range]>);

impl Proxies {
    /// These ones.
    pub fn new(ranges: Vec<Range>) -> Self {
        Self(ranges.into())
    }

    /// Whether an address is one of theirs.
    pub fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.has(address))
    }
}

/// Addresses with a common beginning: `10.0.0.0/8`, `::1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    address: IpAddr,
    bits: u8,
}

impl FromStr for Range {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = "write an address, or one with the length of its prefix: 10.0.0.7, 10.0.0.0/8, fd00::/8";
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| bad)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| bad)?;
        if bits > most {
            return Err(bad);
        }
        Ok(Self { address, bits })
    }
}

impl Range {
    /// Whether an address begins so.
    pub fn has(&self, address: IpAddr) -> bool {
        // Both at the high end of 128 bits, so that a prefix is what a shift leaves.
        let wide = |address: IpAddr| match address {
            IpAddr::V4(four) => u128::from(four.to_bits()) << 96,
            IpAddr::V6(six) => six.to_bits(),
        };
        let address = address.to_canonical();
        let differ = wide(address) ^ wide(self.address);
        address.is_ipv4() == self.address.is_ipv4() && differ.checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
    }
}

/// An address, with a port or without: both are written.
fn address_of(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// The network that a request comes from; `None` if that cannot be known.
pub fn network(parts: &Parts) -> Option<Network> {
    let peer = parts.extensions.get::<Peer>()?.0;
    let Some(proxies) = parts.extensions.get::<Proxies>().filter(|proxies| proxies.has(peer)) else {
        if peer.to_canonical().is_loopback() && parts.headers.contains_key(&FORWARDED_FOR) {
            UNNAMED.call_once(|| {
                tracing::warn!(%peer, "a proxy that nobody named says where requests come from: name it with `serve --proxy`, else guesses are not limited by network");
            });
        }
        return Network::of(peer);
    };
    let said: Vec<&str> = parts
        .headers
        .get_all(&FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for text in said.into_iter().rev() {
        // What is no address was written by somebody who is no proxy of ours.
        let address = address_of(text.trim())?;
        if !proxies.has(address) {
            return Network::of(address);
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use hyper::Request;
    use service::Network;

    use super::{Peer, Proxies, Range, network};

    fn from(peer: &str, forwarded: &[&str]) -> Option<Network> {
        let mut request = Request::builder();
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(Peer(peer.parse().unwrap()));
        parts.extensions.insert(Proxies::new(vec!["127.0.0.1".parse().unwrap(), "10.0.0.0/8".parse().unwrap()]));
        network(&parts)
    }

    fn of(text: &str) -> Option<Network> {
        Network::of(text.parse().unwrap())
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        assert_eq!(from("192.0.2.7", &["198.51.100.1"]), of("192.0.2.7"), "no proxy of ours");
        assert_eq!(from("127.0.0.1", &["198.51.100.1"]), of("198.51.100.1"));
        assert_eq!(
            from("10.1.2.3", &["203.0.113.9, 198.51.100.1, 10.9.9.9"]),
            of("198.51.100.1"),
            "the last that is none"
        );
        assert_eq!(from("10.1.2.3", &["203.0.113.9", "198.51.100.1"]), of("198.51.100.1"));
        assert_eq!(from("::ffff:127.0.0.1", &["2001:db8::1"]), of("2001:db8::1"));
        assert_eq!(from("127.0.0.1", &["198.51.100.1:4711"]), of("198.51.100.1"));
        assert_eq!(from("127.0.0.1", &["[2001:db8::1]:4711"]), of("2001:db8::1"));
        assert_eq!(from("127.0.0.1", &["[2001:db8::1]"]), of("2001:db8::1"));
        assert_eq!(from("127.0.0.1", &["203.0.113.9, nonsense"]), None);
        assert_eq!(from("127.0.0.1", &[]), None);
    }

    #[test]
    fn ranges() {
        let has = |range: &str, address: &str| range.parse::<Range>().unwrap().has(address.parse().unwrap());
        assert!(has("10.0.0.0/8", "10.255.0.1") && !has("10.0.0.0/8", "11.0.0.1"));
        assert!(has("0.0.0.0/0", "192.0.2.1") && !has("0.0.0.0/0", "::1"));
        assert!(has("fd00::/8", "fdff::1") && !has("fd00::/8", "fe00::1") && has("::1", "::1"));
        assert!(has("192.0.2.1", "192.0.2.1") && !has("192.0.2.1", "192.0.2.2"));
        for bad in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "host"] {
            assert!(bad.parse::<Range>().is_err(), "{bad}");
        }
    }
}
