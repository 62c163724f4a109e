//! Firms in a configuration file: `address` and `login` beside a folder's `path`.
//!
//! They come in once: at a first start, or by `holdfast fleet import`. From then on the catalogue alone says who belongs to
//! the fleet ([`crate::firms`]), and the logins lie in it, sealed; the files they were read from may go.

use std::path::{Path, PathBuf};

use fleet::{Address, Login, Roster};
use format::envelope::seal_login;
use model::{
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{ClusterId, TargetId},
    world::World,
};
use store::{LeftOut, Store};

use crate::{
    assemble::{Assembly, layered},
    command::{serve::shell, target::login_for},
    config::{Config, Provider},
    data::DataFolder,
    error::{Error, Result},
    firms::free_place,
};

/// A target at a firm, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Far {
    /// Where it is: `s3://…`, `sftp://…`, `webdav+https://…`.
    pub address: String,
    /// The file with its login, absolute.
    pub login: Option<PathBuf>,
}

impl Far {
    /// Its login. Nobody is asked for one: this may run in a service that somebody else talks to.
    ///
    /// # Errors
    /// Refused: no file is named, or it is none.
    pub fn login(&self) -> Result<Login> {
        let names = Address::parse(&self.address)?.login_names();
        match &self.login {
            None if !names.is_empty() => Err(Error::refused(format!("{} wants a login", self.address)).hint(format!(
                "name a file beside it, login = \"FILE\", with a line name=value for each of: {}",
                names.join(", ")
            ))),
            file => login_for(&self.address, file.as_deref()),
        }
    }
}

/// A place at a firm that was found free, before a cluster is founded on it.
pub struct Opened {
    row: TargetRow,
    login: Login,
}

/// Looks at every firm's place in a configuration and opens it; writes nothing there: the trial comes with the founding.
///
/// # Errors
/// Refused and Conflict: what is in the way, and where.
pub async fn open_all(config: &Config, rows: &[ProviderRow], roster: &Roster, world: &World) -> Result<Vec<Opened>> {
    let mut opened: Vec<Opened> = Vec::new();
    for provider in &config.providers {
        let Some(row) = rows.iter().find(|row| row.name == provider.name) else { continue };
        for far in &provider.far {
            let address = Address::parse(&far.address)?;
            if opened.iter().any(|other| other.row.address == far.address) {
                return Err(Error::refused(format!("{} is there twice", far.address))
                    .hint("each target needs a place of its own: what one firm loses must not be what another keeps"));
            }
            let login = far.login()?;
            let driver = layered(address.open(&login, world)?, world);
            // No cluster yet: whatever has a marker is somebody's.
            free_place(driver.as_ref(), &far.address, ClusterId::default(), &[]).await?;
            let id = TargetId::random(&*world.entropy);
            roster.insert(id, driver);
            let row = TargetRow {
                id,
                provider: row.id,
                address: far.address.clone(),
                driver: address.driver().to_owned(),
                generation: 1,
                state: TargetState::Up,
            };
            opened.push(Opened { row, login });
        }
    }
    Ok(opened)
}

/// The rows to found with.
pub fn rows(opened: &[Opened]) -> impl Iterator<Item = TargetRow> + '_ {
    opened.iter().map(|far| far.row.clone())
}

/// Keeps the logins of a cluster that was just founded, sealed to the service identity.
///
/// # Errors
/// The catalogue's own trouble.
pub async fn keep_logins(store: &Store, opened: &[Opened], recipient: &str) -> Result<()> {
    for Opened { row, login } in opened.iter().filter(|far| !far.login.is_empty()) {
        let Some(driver) = store.roster().get(row.id) else { continue };
        store.set_login(row.id, seal_login(row.id, &login.pairs(), recipient)?, driver).await?;
    }
    if !opened.is_empty() {
        store.keep_fleet().await?;
    }
    Ok(())
}

/// What the operator is told of firms that did not pass their trial at a first start.
pub fn left_out(failed: &[LeftOut], providers: &[ProviderRow], data: &DataFolder) -> Vec<String> {
    let said = |LeftOut { row, why }: &LeftOut| {
        let provider = providers.iter().find(|provider| provider.id == row.provider);
        let provider = provider.map_or("", |provider| provider.name.as_str());
        format!(
            "left out: provider '{provider}': {why}; once that is mended: holdfast target add {} {} --data {}",
            shell(Path::new(provider)),
            shell(Path::new(&row.address)),
            shell(data.root())
        )
    };
    failed.iter().map(said).collect()
}

impl Assembly {
    /// Lets the firms of a configuration join that are not in the fleet yet; their addresses.
    ///
    /// # Errors
    /// As [`Assembly::add_target`]; those before it have joined.
    pub async fn take_in_far(&self, providers: &[Provider]) -> Result<Vec<String>> {
        let mut joined = Vec::new();
        for provider in providers {
            for far in &provider.far {
                let address = far.address.clone();
                let is_it = move |row: &TargetRow| row.address == address && row.state != TargetState::Retired;
                if self.store.read(|tx| catalogue::fleet::targets(tx)).await?.iter().any(is_it) {
                    continue;
                }
                self.add_target(&provider.name, &far.address, far.login()?).await?;
                joined.push(far.address.clone());
            }
        }
        Ok(joined)
    }
}
