//! Who knocks too often, by where they come from.
//!
//! Beside the limits by name and link ([`crate::passwords`]) there is one by network, because whoever guesses one password for a
//! thousand names never meets the others. Only wrong guesses count, so that a school behind one address signs in at eight. A
//! network is an IPv4 address or an IPv6 prefix of 64 bits: what one subscriber has.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    PasskeyFault, Service,
    error::{Error, Result},
};

const HOUR_US: u64 = 3_600_000_000;
/// Networks that are remembered; those whose hour is over make room, then any.
const NETWORKS_MAX: usize = 20_000;

/// What somebody may do so many times an hour from one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Knock {
    /// Guess wrong: a password, a second factor, a passkey, a link's password.
    WrongGuess,
    /// Make an account where anybody may.
    NewAccount,
    /// Report a link.
    Report,
    /// Say that a password was forgotten.
    Forgotten,
    /// Leave a file without an account.
    Quick,
}

impl Knock {
    /// How often in an hour.
    const fn most(self) -> u32 {
        match self {
            Self::WrongGuess => 100,
            Self::NewAccount | Self::Report | Self::Forgotten => 10,
            Self::Quick => 30,
        }
    }
}

/// Where a request comes from, as far as limits care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network([u8; 8]);

impl Network {
    /// The network of an address; `None` for this machine itself, from which everybody comes who comes through a proxy that
    /// nobody told us of.
    pub fn of(address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        if address.is_loopback() {
            return None;
        }
        let mut prefix = [0; 8];
        match address {
            IpAddr::V4(four) => prefix[4..].copy_from_slice(&four.octets()),
            IpAddr::V6(six) => prefix.copy_from_slice(&six.octets()[..8]),
        }
        Some(Self(prefix))
    }
}

/// What networks did in their current hours.
#[derive(Clone, Default)]
pub(crate) struct Networks(Arc<Mutex<HashMap<(Network, Knock), Hour>>>);

#[derive(Clone, Copy)]
struct Hour {
    since_us: u64,
    count: u32,
}

impl Networks {
    /// Whether one more is all right; counted by [`Networks::count`].
    fn admit(&self, network: Network, knock: Knock, now_us: u64) -> Result<()> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(network, knock)).copied();
        let Some(hour) = seen.filter(|hour| now_us.saturating_sub(hour.since_us) < HOUR_US) else { return Ok(()) };
        if hour.count < knock.most() {
            return Ok(());
        }
        let left_us = hour.since_us.saturating_add(HOUR_US).saturating_sub(now_us);
        Err(Error::TooManyAttempts { wait_s: left_us.div_ceil(1_000_000) })
    }

    fn count(&self, network: Network, knock: Knock, now_us: u64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (network, knock);
        if seen.len() >= NETWORKS_MAX && !seen.contains_key(&key) {
            seen.retain(|_, hour| now_us.saturating_sub(hour.since_us) < HOUR_US);
            if seen.len() >= NETWORKS_MAX {
                // Somebody has more networks than we have room: the limits by name still hold.
                seen.clear();
            }
        }
        let hour = seen.entry(key).or_insert(Hour { since_us: now_us, count: 0 });
        if now_us.saturating_sub(hour.since_us) >= HOUR_US {
            *hour = Hour { since_us: now_us, count: 0 };
        }
        hour.count = hour.count.saturating_add(1);
    }
}

impl Service {
    /// Counts something that a network may do so many times an hour; `None` is not counted.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`], with the rest of the hour.
    pub fn knock(&self, network: Option<Network>, knock: Knock) -> Result<()> {
        let Some(network) = network else { return Ok(()) };
        let now_us = self.store.now().monotonic_us;
        self.networks.admit(network, knock, now_us)?;
        self.networks.count(network, knock, now_us);
        Ok(())
    }

    /// Runs `guess`, unless too many from this network were wrong; a wrong one is counted.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`], and those of `guess`.
    pub async fn guess<T>(&self, network: Option<Network>, guess: impl Future<Output = Result<T>>) -> Result<T> {
        let Some(network) = network else { return guess.await };
        self.networks.admit(network, Knock::WrongGuess, self.store.now().monotonic_us)?;
        let result = guess.await;
        if let Err(
            Error::BadLogin
            | Error::BadSecond
            | Error::LinkPassword
            | Error::Passkey(PasskeyFault::Refused { .. } | PasskeyFault::Copied),
        ) = result
        {
            self.networks.count(network, Knock::WrongGuess, self.store.now().monotonic_us);
        }
        result
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{HOUR_US, Knock, NETWORKS_MAX, Network, Networks};

    fn network(text: &str) -> Option<Network> {
        Network::of(text.parse().unwrap())
    }

    #[test]
    fn one_subscriber_is_one_network() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::2"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        for own in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(network(own), None, "{own}");
        }
    }

    #[test]
    fn an_hour_holds_so_many_and_no_more() {
        let (networks, one, other) =
            (Networks::default(), network("192.0.2.1").unwrap(), network("192.0.2.2").unwrap());
        for at in 0..10 {
            networks.admit(one, Knock::Report, at).unwrap();
            networks.count(one, Knock::Report, at);
        }
        assert!(networks.admit(one, Knock::Report, 11).is_err());
        assert!(networks.admit(other, Knock::Report, 11).is_ok());
        assert!(networks.admit(one, Knock::WrongGuess, 11).is_ok());
        assert!(networks.admit(one, Knock::Report, HOUR_US).is_ok());
    }

    #[test]
    fn memory_is_bounded_whoever_comes() {
        let networks = Networks::default();
        for number in 0..2 * u32::try_from(NETWORKS_MAX).unwrap() {
            networks.count(Network::of(number.to_be_bytes().into()).unwrap_or(Network([9; 8])), Knock::WrongGuess, 0);
        }
        assert!(networks.0.lock().unwrap().len() <= NETWORKS_MAX);
    }
}
