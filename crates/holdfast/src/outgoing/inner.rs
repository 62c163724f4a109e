//! Which addresses are inner: machines that only those inside should reach, this one among them.
//!
//! A webhook's address is a stranger's word, and we stand inside. So only what the registry calls globally reachable is
//! spoken to, and what carries an IPv4 address inside an IPv6 one is judged by that. Sources: IANA's registries of special-purpose
//! addresses for IPv4 and IPv6 (RFC 6890 and its updates), RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Whether an address is inner, or this machine's own.
pub fn is_inner(address: IpAddr) -> bool {
    let special = match address {
        IpAddr::V4(four) => is_special_four(four),
        IpAddr::V6(six) => is_special_six(six),
    };
    special || is_own(address)
}

fn is_special_four(address: Ipv4Addr) -> bool {
    match address.octets() {
        // This host, private, shared by carriers (CGNAT), loopback, link-local, private.
        [0 | 10 | 127, ..] | [100, 64..=127, ..] | [169, 254, ..] | [172, 16..=31, ..] | [192, 168, ..] => true,
        // Protocol assignments, documentation, 6to4 relays, benchmarks.
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => true,
        _ => false,
    }
}

fn is_special_six(address: Ipv6Addr) -> bool {
    let four = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_special_four(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // Mapped, and NAT64's well-known prefix: what is meant is the IPv4 address at the end.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => four(high, low),
        // 6to4 carries it behind the prefix.
        [0x2002, high, low, ..] => four(high, low),
        // Protocol assignments, Teredo among them; documentation.
        [0x2001, ..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x3fff, ..=0x0fff, ..] => true,
        // Of the rest only 2000::/3 is global: not local, link-local, multicast, unspecified, other NAT64.
        [first, ..] => !(0x2000..=0x3fff).contains(&first),
    }
}

/// Whether this machine has the address: then it can be bound to.
fn is_own(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::is_inner;

    #[test]
    fn inner_addresses_are_known_in_every_dress() {
        for inner in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:0a00:0001::1",
            "2002:7f00:0001::",
            "2001::1",
            "2001:db8::1",
            "100::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
            "3fff::1",
        ] {
            assert!(is_inner(inner.parse().unwrap()), "{inner}");
        }
        for outer in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:0101:0101::1",
        ] {
            assert!(!is_inner(outer.parse().unwrap()), "{outer}");
        }
    }
}
