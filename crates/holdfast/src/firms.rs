//! Firms join by command: a provider, a target at it, another login; and the operator's kit that holds them all.
//!
//! A place is looked at before anything is written there. Refused are: a folder or bucket in which anything of others lies, a
//! target of another service, one that is known under another address (its marker says so), and a folder that touches another
//! target or the service's own. Then the store tries it ([`store::Store::join`]) and records it.
//!
//! From the first such change on the catalogue alone says who belongs to the fleet; the providers in a configuration file are
//! no longer read. Logins are sealed to the service identity before they go anywhere.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use fleet::{Address, Closed, Login, Target};
use format::{
    Identity, Marker, OperatorKit, OperatorTarget,
    envelope::{open_login, seal_login},
};
use gateway::shape::{Abilities, LoginSet, ProviderSet, TargetJoined};
use model::{
    Class,
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{ProviderId, TargetId},
    world::World,
};
use serde_json::{Value, json};
use store::{Joined, Joining};

use crate::{
    assemble::{Assembly, layered, one_disk, own_folders},
    config::{Config, Provider, check_labels, check_name, plain_path},
    error::{Error, Result},
    members::FOLDER_DRIVER,
    world,
};

/// The logins of all targets, opened; or why one cannot be.
pub type Logins = BTreeMap<TargetId, std::result::Result<Login, String>>;

/// Reads and opens the logins that a catalogue holds.
///
/// # Errors
/// The catalogue's own trouble.
pub async fn logins(catalogue: &catalogue::Catalogue, service: &Identity) -> Result<Logins> {
    let sealed = catalogue.read(|tx| catalogue::logins::all(tx)).await?;
    let open = |target: TargetId, bytes: &[u8]| match open_login(bytes, service) {
        Ok((of, pairs)) if of == target => Ok(Login::new(pairs)),
        Ok(_) => Err("it is another target's".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    Ok(sealed.into_iter().map(|(target, bytes)| (target, open(target, &bytes))).collect())
}

/// The driver of a recorded target. One whose address or login cannot be used is [`Closed`]: down, with the reason and the
/// remedy in every report, while all others go on.
pub fn recorded_driver(row: &TargetRow, logins: &Logins, world: &World) -> Arc<dyn Target> {
    let again = format!("give it with `holdfast target login '{}'`", row.address);
    let opened = match (row.driver.as_str(), logins.get(&row.id)) {
        (FOLDER_DRIVER, _) => Address::Directory(PathBuf::from(&row.address)).open(&Login::default(), world),
        (_, Some(Ok(login))) => Address::parse(&row.address).and_then(|address| address.open(login, world)),
        (_, Some(Err(error))) => {
            let reason = format!("its recorded login cannot be opened ({error}); {again}");
            return Arc::new(Closed::new(row.address.clone(), reason));
        }
        (_, None) => {
            let reason = format!("its login is not known here; {again}");
            return Arc::new(Closed::new(row.address.clone(), reason));
        }
    };
    match opened {
        Ok(driver) => layered(driver, world),
        Err(error) => {
            let reason = format!("as it is recorded it cannot be used ({error}); if that is its login, {again}");
            Arc::new(Closed::new(row.address.clone(), reason))
        }
    }
}

/// A place that was looked at and is free.
pub struct Vacant {
    /// Its row, to be recorded.
    pub row: TargetRow,
    /// Its driver, opened.
    pub driver: Arc<dyn Target>,
    /// The marker that an earlier attempt of this service left.
    pub marker: Option<Bytes>,
    /// Its login, sealed.
    pub login: Option<Vec<u8>>,
}

impl Assembly {
    /// Adds a provider, or changes its labels.
    ///
    /// # Errors
    /// Refused: a name or label that cannot be.
    pub async fn add_provider(&self, name: &str, labels: Vec<(String, String)>) -> Result<Value> {
        check_name(name).map_err(Error::refused)?;
        check_labels(&labels).map_err(Error::refused)?;
        let rows = self.store.read(|tx| catalogue::fleet::providers(tx)).await?;
        let known = rows.iter().find(|row| row.name == name);
        let id = known.map_or_else(|| ProviderId::random(&*self.world.entropy), |row| row.id);
        let mut merged: BTreeMap<_, _> = known.into_iter().flat_map(|row| row.labels.clone()).collect();
        merged.extend(labels);
        merged.retain(|_, value| !value.is_empty());
        let labels = merged.into_iter().collect();
        self.store.grow(vec![ProviderRow { id, name: name.to_owned(), labels }], Vec::new(), Vec::new()).await?;
        self.store.keep_fleet().await?;
        Ok(json!(ProviderSet { provider: name.to_owned(), new: known.is_none() }))
    }

    /// Sets what a provider asks, by labels.
    ///
    /// # Errors
    /// Missing: no such provider. Refused: what is no price.
    pub async fn set_price(&self, name: &str, labels: Vec<(String, String)>) -> Result<Value> {
        if self.store.provider(name).is_none() {
            return Err(Error::new(Class::Missing, format!("there is no provider '{name}'"))
                .hint("`holdfast fleet` shows the providers"));
        }
        self.add_provider(name, labels).await
    }

    /// Adds a target at a provider.
    ///
    /// # Errors
    /// Missing: no such provider. Refused and Conflict: what is in the way, and where; nothing is recorded then.
    pub async fn add_target(&self, provider: &str, address: &str, login: Login) -> Result<Value> {
        let rows = self.store.read(|tx| catalogue::fleet::providers(tx)).await?;
        let row = rows.iter().find(|row| row.name == provider).ok_or_else(|| {
            Error::new(Class::Missing, format!("there is no provider '{provider}'"))
                .hint(format!("`holdfast provider add {provider}` makes it"))
        })?;
        let vacant = self.look_at_place(row.id, address, &login).await?;
        let Vacant { row, driver, marker, login } = vacant;
        let address = row.address.clone();
        let joined = self.store.join(Joining { row, driver, login }, marker).await?;
        self.store.keep_fleet().await?;
        self.store.set_trial(one_disk(&self.store.read(|tx| catalogue::fleet::targets(tx)).await?));
        Ok(told(provider, &address, &joined))
    }

    /// Gives a target another login.
    ///
    /// # Errors
    /// Missing: no such target. What the target says when the login does not fit; the old one stays then.
    pub async fn set_login(&self, address: &str, login: Login) -> Result<Value> {
        let rows = self.store.read(|tx| catalogue::fleet::targets(tx)).await?;
        let row = rows.into_iter().find(|row| row.address == address && row.state != TargetState::Retired);
        let row = row.ok_or_else(|| {
            Error::new(Class::Missing, format!("there is no target {address}"))
                .hint("`holdfast fleet` shows the addresses")
        })?;
        let opened = Address::parse(address)?.open(&login, &self.world)?;
        let driver = layered(opened, &self.world);
        driver.probe().await.map_err(|error| {
            Error::new(error.class(), error).hint("the login was not changed; what the service uses now stays")
        })?;
        let recipient = self.data.identity()?.recipient();
        self.store.set_login(row.id, seal_login(row.id, &login.pairs(), &recipient)?, driver).await?;
        Ok(json!(LoginSet { address: address.to_owned() }))
    }

    /// What goes into an operator's kit; it is noted that one was made.
    ///
    /// # Errors
    /// Damaged: a login does not open.
    pub async fn operator_kit(&self) -> Result<OperatorKit> {
        let identity = self.data.identity()?;
        let (providers, targets, sealed) = self
            .store
            .read(|tx| {
                Ok((catalogue::fleet::providers(tx)?, catalogue::fleet::targets(tx)?, catalogue::logins::all(tx)?))
            })
            .await?;
        let mut logins = BTreeMap::new();
        for (target, bytes) in sealed {
            let address = || targets.iter().find(|row| row.id == target).map_or("a target", |row| row.address.as_str());
            let (_, login) = open_login(&bytes, &identity).map_err(|error| {
                Error::new(error.class(), format!("the login of {} cannot be opened: {error}", address()))
                    .hint(format!("give it again with `holdfast target login '{}'`", address()))
            })?;
            logins.insert(target, login);
        }
        let name =
            |id: ProviderId| providers.iter().find(|row| row.id == id).map_or(String::new(), |row| row.name.clone());
        let targets = targets.into_iter().filter(|row| row.state != TargetState::Retired).map(|row| OperatorTarget {
            target: row.id,
            provider: name(row.provider),
            login: logins.remove(&row.id).unwrap_or_default(),
            driver: row.driver,
            address: row.address,
        });
        let made_us = world::wall_us();
        let kit = OperatorKit { cluster: self.store.cluster(), identity, targets: targets.collect(), made_us };
        self.store.note_operator_kit(made_us).await?;
        Ok(kit)
    }

    /// Looks at a place that is to become a target; changes nothing.
    async fn look_at_place(&self, provider: ProviderId, text: &str, login: &Login) -> Result<Vacant> {
        let (address, text) = self.plain_address(text)?;
        let known = self.store.read(|tx| catalogue::fleet::targets(tx)).await?;
        let known: Vec<_> = known.into_iter().filter(|row| row.state != TargetState::Retired).collect();
        if known.iter().any(|row| row.address == text) {
            return Err(Error::new(Class::Conflict, format!("{text} is a target already")));
        }
        if let Address::Directory(path) = &address {
            self.check_folder(path, &known)?;
        }
        let driver = layered(address.open(login, &self.world)?, &self.world);
        let marker = free_place(driver.as_ref(), &text, self.store.cluster(), &known).await?;
        let id = TargetId::random(&*self.world.entropy);
        let recipient = self.data.identity()?.recipient();
        let login = match login.is_empty() {
            true => None,
            false => Some(seal_login(id, &login.pairs(), &recipient)?),
        };
        let driver_word = address.driver().to_owned();
        let row = TargetRow { id, provider, address: text, driver: driver_word, generation: 1, state: TargetState::Up };
        Ok(Vacant { row, driver, marker, login })
    }

    /// An address as it is recorded: a folder by its absolute path.
    fn plain_address(&self, text: &str) -> Result<(Address, String)> {
        match Address::parse(text.trim())? {
            Address::Directory(path) => {
                let path = plain_path(self.data.root(), &path);
                Ok((Address::Directory(path.clone()), path.display().to_string()))
            }
            other => Ok((other, text.trim().to_owned())),
        }
    }

    /// A folder that touches no other target and nothing of the service's own.
    fn check_folder(&self, path: &Path, known: &[TargetRow]) -> Result<()> {
        let folders = known.iter().filter(|row| row.driver == FOLDER_DRIVER).map(|row| PathBuf::from(&row.address));
        let paths: Vec<PathBuf> = folders.chain([path.to_owned()]).collect();
        let provider = Provider { name: "the fleet".to_owned(), labels: Vec::new(), paths, far: Vec::new() };
        Config { settings: store::Settings::default(), providers: vec![provider] }.check_paths(&own_folders(&self.data))
    }
}

/// Makes sure that nothing of others lies at a place; the marker that an earlier attempt of this service left there.
///
/// # Errors
/// Conflict: what lies there. What the firm says when it cannot be looked at.
pub async fn free_place(
    driver: &dyn Target,
    text: &str,
    cluster: model::id::ClusterId,
    known: &[TargetRow],
) -> Result<Option<Bytes>> {
    let untouched = "nothing there was touched";
    let probe = driver.probe().await.map_err(|error| Error::new(error.class(), error))?;
    let refused =
        |class, why: String, hint: &str| Err(Error::new(class, format!("{text} {why}; {untouched}")).hint(hint));
    let mut ours = false;
    if let Some(bytes) = &probe.marker {
        let Ok(marker) = Marker::decode(bytes) else {
            return refused(Class::Conflict, "holds a marker that cannot be read".to_owned(), "name an empty place");
        };
        if marker.cluster != cluster {
            let hint = "name an empty place; to take that service over, use `holdfast rebuild`";
            return refused(Class::Conflict, "is a target of another Holdfast service".to_owned(), hint);
        }
        if let Some(row) = known.iter().find(|row| row.id == marker.target) {
            let why = format!("is the target {} under another address", row.address);
            return refused(Class::Conflict, why, "one place counts once, whatever it is called");
        }
        ours = true;
    }
    let found = driver.occupant().await.map_err(|error| Error::new(error.class(), error))?;
    match found {
        Some(name) if !(ours && (name == format::FORMAT_MD_NAME || name.starts_with("trial"))) => refused(
            Class::Conflict,
            format!("is not empty: it holds '{name}'"),
            "name an empty folder, bucket or prefix of a bucket; what lies there belongs to somebody",
        ),
        _ => Ok(probe.marker),
    }
}

/// What is said of a target that joined.
fn told(provider: &str, address: &str, joined: &Joined) -> Value {
    let abilities = joined.abilities;
    json!(TargetJoined {
        provider: provider.to_owned(),
        address: address.to_owned(),
        free_bytes: joined.free_bytes,
        abilities: Abilities {
            durable_rename: abilities.durable_rename,
            no_clobber: abilities.no_clobber,
            server_checksum: abilities.server_checksum,
            lock: abilities.lock,
            free_space: abilities.free_space,
        },
    })
}
