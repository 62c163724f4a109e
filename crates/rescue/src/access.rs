//! The places that can be read: folders, and firms' servers with the login that somebody handed over.
//!
//! A kit names places but holds no credentials, so that whoever finds it needs the firms as well. A firm, the operator or a trustee
//! hands a login over; [`Access`] brings places and logins together, from three mouths:
//! - *a person* names a place ([`Access::add`]): with the login under its address, or the one for all;
//! - *the kit* names places ([`Access::offer`]): the same, as the kit is the person's own;
//! - *an address book* names places: only with a login that stands under that very address. Books are believed without a
//!   signature, and nobody's book may call a common password to a server of its own.
//!
//! What stays closed for want of a login is kept by name ([`Access::shut`]): somebody may have one. Each server is behind layers
//! that wait, try again and in the end leave it alone; a folder is read as long as its disk takes.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use fleet::{Address, Login, Logins, Retry, Target, TimeLimits, Timeout, Tries};
use format::{Kit, KitAddress};
use model::world::World;

use crate::{
    known_addresses,
    patience::{Patience, Silence},
};

/// The driver's word for folders in kits and address books.
const FOLDER_DRIVER: &str = "dir";
/// Above the waits of the drivers, which watch whether bytes still come: a batch of the journal over a slow line at home takes
/// minutes and is no silence.
const LIMITS: TimeLimits =
    TimeLimits { probe_ms: 10_000, name_ms: 30_000, read_ms: 300_000, write_ms: 30_000, sync_ms: 60_000 };

/// Who named a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// The kit.
    Kit,
    /// An address book at a target.
    Book,
}

/// A place that is known and not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shut {
    /// The firm's name.
    pub provider: String,
    /// Where it is.
    pub address: String,
    /// Why it cannot be read even so; `None` where only a login is wanted.
    pub reason: Option<String>,
}

impl fmt::Display for Shut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, address, reason } = self;
        match reason {
            None => write!(
                f,
                "also kept at {address} ({provider}): whoever has a login there can name it with --target and --logins"
            ),
            Some(reason) => write!(f, "also kept at {address} ({provider}), which was not read: {reason}"),
        }
    }
}

struct Place {
    address: Address,
    text: String,
    login: Login,
    silence: Silence,
}

impl Place {
    fn new(address: Address, text: &str, login: Login) -> Self {
        Self { address, text: text.to_owned(), login, silence: Silence::default() }
    }
}

/// Places, each with the login for it.
pub struct Access {
    world: World,
    logins: Logins,
    places: Vec<Place>,
    shut: Vec<Shut>,
}

impl Access {
    /// No place yet, and these logins. Nothing is connected to before a target is used.
    pub fn new(logins: Logins, world: World) -> Self {
        Self { world, logins, places: Vec::new(), shut: Vec::new() }
    }

    /// Whether no place can be read.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Places that are known and stay closed.
    pub fn shut(&self) -> &[Shut] {
        &self.shut
    }

    /// Whether an address wants a login and none was given for it.
    ///
    /// # Errors
    /// Refused: it is no address.
    pub fn lacks_login(&self, text: &str) -> fleet::Result<bool> {
        let wants = !Address::parse(text)?.login_names().is_empty();
        Ok(wants && self.logins.for_address(text).is_empty())
    }

    /// Adds a folder.
    pub fn add_folder(&mut self, folder: PathBuf) {
        let text = folder.display().to_string();
        self.take(Place::new(Address::Directory(folder), &text, Login::default()));
    }

    /// Adds a place that a person named, with the login that was given for it.
    ///
    /// # Errors
    /// Refused: it is no address, or its login does not fit it.
    pub fn add(&mut self, text: &str) -> fleet::Result<()> {
        let login = self.logins.for_address(text).clone();
        self.add_with(text, login)
    }

    /// Adds a place that a person named, with this login.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_with(&mut self, text: &str, login: Login) -> fleet::Result<()> {
        let place = Place::new(Address::parse(text)?, text, login);
        self.driver(&place)?;
        self.take(place);
        Ok(())
    }

    /// Adds those of `known` that can be read: folders that `is_there` says yes to, and servers with a login. Returns the
    /// addresses that are new.
    pub fn offer(
        &mut self,
        known: &[KitAddress],
        by: NamedBy,
        is_there: &mut (dyn FnMut(&Path) -> bool + Send),
    ) -> Vec<String> {
        let mut new = Vec::new();
        for KitAddress { provider, driver, address: text } in known {
            let stays = |reason| Shut { provider: provider.clone(), address: text.clone(), reason };
            let address = match (driver.as_str(), Address::parse(text)) {
                (FOLDER_DRIVER, _) => Address::Directory(PathBuf::from(text)),
                (_, Ok(Address::Directory(_))) => {
                    self.keep_shut(stays(Some(format!("this program knows no servers of the kind '{driver}'"))));
                    continue;
                }
                (_, Ok(address)) => address,
                (_, Err(error)) => {
                    self.keep_shut(stays(Some(error.to_string())));
                    continue;
                }
            };
            if self.places.iter().any(|place| place.address == address) {
                continue;
            }
            if let Address::Directory(folder) = &address {
                if is_there(folder) {
                    self.add_folder(folder.clone());
                    new.push(text.clone());
                }
                continue;
            }
            let login = match by {
                NamedBy::Kit => self.logins.for_address(text).clone(),
                NamedBy::Book => self.logins.own(text).cloned().unwrap_or_default(),
            };
            if login.is_empty() {
                self.keep_shut(stays(None));
                continue;
            }
            let place = Place::new(address, text, login);
            match self.driver(&place) {
                Ok(_) => {
                    self.take(place);
                    new.push(text.clone());
                }
                Err(error) => self.keep_shut(stays(Some(error.to_string()))),
            }
        }
        new
    }

    /// Adds what the kit names, then what address books at these places name, until nothing new appears. Returns the addresses
    /// that are new.
    ///
    /// # Errors
    /// As [`Self::targets`].
    pub async fn follow(
        &mut self,
        kit: &Kit,
        is_there: &mut (dyn FnMut(&Path) -> bool + Send),
    ) -> fleet::Result<Vec<String>> {
        let mut all = self.offer(&kit.addresses, NamedBy::Kit, is_there);
        loop {
            let known = known_addresses(kit, self.targets()?).await;
            let new = self.offer(&known, NamedBy::Book, is_there);
            if new.is_empty() {
                return Ok(all);
            }
            all.extend(new);
        }
    }

    /// Address and driver of each place, made anew with every call: a connection that a person's answer was waited for with is
    /// no connection any more.
    ///
    /// # Errors
    /// Refused: a driver cannot be made on this computer.
    pub fn targets(&self) -> fleet::Result<Vec<(String, Arc<dyn Target>)>> {
        self.places.iter().map(|place| Ok((place.text.clone(), self.driver(place)?))).collect()
    }

    fn take(&mut self, place: Place) {
        self.shut.retain(|shut| shut.address != place.text);
        self.places.retain(|known| known.address != place.address);
        self.places.push(place);
    }

    fn keep_shut(&mut self, new: Shut) {
        if !self.shut.iter().any(|shut| shut.address == new.address) {
            self.shut.push(new);
        }
    }

    fn driver(&self, place: &Place) -> fleet::Result<Arc<dyn Target>> {
        let driver = place.address.open(&place.login, &self.world)?;
        if let Address::Directory(_) = place.address {
            return Ok(driver);
        }
        let World { clock, entropy, timer } = &self.world;
        let timed = Timeout::over(driver, LIMITS, Arc::clone(timer));
        let tried = Retry::over(timed, Tries::default(), Arc::clone(timer), Arc::clone(entropy));
        Ok(Patience::over(tried, place.silence.clone(), Arc::clone(clock)))
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<_> = self.places.iter().map(|place| &place.text).collect();
        f.debug_struct("Access").field("places", &places).field("shut", &self.shut).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
