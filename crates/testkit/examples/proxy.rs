//! A far line to a server, for measuring by hand: `proxy SERVER DELAY_MS BYTES_PER_S`, one way each; prints where it listens.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::Duration;

use testkit::proxy::{Proxy, Way};

fn main() {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().unwrap_or_else(|| panic!("usage: proxy SERVER DELAY_MS BYTES_PER_S"));
    let (server, delay_ms, rate) = (next(), next().parse().unwrap(), next().parse().unwrap());
    let proxy = Proxy::start(server.parse().unwrap()).unwrap();
    for way in [Way::Up, Way::Down] {
        proxy.delay(way, Duration::from_millis(delay_ms));
        proxy.rate(way, Some(rate));
    }
    println!("{}", proxy.address());
    // Until the other end of its input goes.
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
}
