//! A fleet that the person names: looked at before anything is written, played on, and given back as it was found.
//!
//! Nothing that lies there is wiped to play a wipe: the firm is fenced off, which to the service is the same. With `--wipe` what the
//! play wrote there goes as well, and only that.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use fleet::{Address, Closed, Login, Noted, Target};
use model::{
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{ClusterId, ProviderId, TargetId},
    world::World,
};
use store::Settings;

use super::{firms::Lying, scene::Timeline};
use crate::{
    assemble::layered,
    config::{Config, Provider},
    error::{Error, Result},
    firms::free_place,
};

/// A fleet of a file.
pub struct Given {
    /// Its providers.
    pub providers: Vec<ProviderRow>,
    /// The settings of the file, as quick as a play wants them.
    pub settings: Settings,
    /// The provider that is taken away.
    pub lost: String,
    places: Vec<Lent>,
}

/// A place of a firm.
struct Lent {
    row: TargetRow,
    provider: String,
    address: Address,
    login: Login,
    target: Arc<Noted>,
}

impl Given {
    /// Reads the file and looks at every place in it; writes nothing. `lost` is the provider to take away, the second of the file if
    /// nothing is said. No place may touch one of the folders `own`.
    ///
    /// # Errors
    /// Refused and Conflict: what is in the way, and where.
    pub async fn look(file: &Path, lost: Option<String>, own: &[PathBuf], world: &World) -> Result<Self> {
        let config = Config::read(file)?;
        config.check_paths(own)?;
        let lost = lost.or_else(|| config.providers.get(1).map(|provider| provider.name.clone())).unwrap_or_default();
        enough(&config.providers, &lost).map_err(|why| {
            Error::refused(why).hint("one firm goes, and everything must be settled on those that stay: three firms, or two with two targets each")
        })?;
        let (mut providers, mut places): (Vec<ProviderRow>, Vec<Lent>) = (Vec::new(), Vec::new());
        for provider in &config.providers {
            let id = ProviderId::random(&*world.entropy);
            providers.push(ProviderRow { id, name: provider.name.clone(), labels: provider.labels.clone() });
            let mut wanted: Vec<(String, Login)> =
                provider.paths.iter().map(|path| (path.display().to_string(), Login::default())).collect();
            for far in &provider.far {
                wanted.push((far.address.clone(), far.login()?));
            }
            for (text, login) in wanted {
                if places.iter().any(|other| other.row.address == text) {
                    return Err(
                        Error::refused(format!("{text} is there twice")).hint("each target needs a place of its own")
                    );
                }
                places.push(Lent::look(&provider.name, id, text, login, world).await?);
            }
        }
        let settings = Settings { pack_after_s: 1, down_wait_s: 5, upkeep_every_ms: 500, ..config.settings };
        Ok(Self { providers, settings, lost, places })
    }

    /// The rows of its targets, and each opened.
    pub fn opened(&self) -> impl Iterator<Item = (TargetRow, Arc<dyn Target>)> + '_ {
        self.places.iter().map(|place| (place.row.clone(), Arc::clone(&place.target) as Arc<dyn Target>))
    }

    /// `amber 1, birch 2`.
    pub fn told(&self) -> String {
        let count = |name: &str| self.places.iter().filter(|place| place.provider == name).count();
        let firms: Vec<_> = self.providers.iter().map(|row| format!("{} {}", row.name, count(&row.name))).collect();
        firms.join(", ")
    }

    /// Whether shards were written at the firm that goes.
    pub fn has_shards(&self) -> bool {
        self.of_the_lost().any(|place| place.target.has_shards())
    }

    /// What the firm that goes says that it holds.
    ///
    /// # Errors
    /// As the firm says.
    pub async fn lying(&self) -> Result<Lying> {
        let mut found = Lying::default();
        for place in self.of_the_lost() {
            let mut count = |name: &str, bytes| found.count(name.split('/').next().unwrap_or(""), bytes);
            place.target.listed(&mut count).await?;
        }
        Ok(found)
    }

    /// Takes the firm away.
    pub fn fence_off(&self) {
        self.of_the_lost().for_each(|place| place.target.fence_off());
    }

    /// Deletes what was written at the firm that is fenced off, and nothing else. How many objects.
    ///
    /// # Errors
    /// As the firm says.
    pub async fn wipe(&self) -> Result<usize> {
        let mut deleted = 0;
        for place in self.of_the_lost() {
            deleted += place.target.clear().await?.0;
        }
        Ok(deleted)
    }

    /// The place of an address for whoever has only a kit and the logins: the firm that went is not there.
    pub fn open_for_rescue(&self, known: &str, world: &World) -> Arc<dyn Target> {
        let closed = |reason: &str| Arc::new(Closed::new(known.to_owned(), reason.to_owned())) as Arc<dyn Target>;
        match self.places.iter().find(|place| place.row.address == known) {
            Some(place) if place.provider == self.lost => closed("its firm was taken away in this play"),
            Some(place) => match place.address.open(&place.login, world) {
                Ok(driver) => layered(driver, world),
                Err(error) => closed(&error.to_string()),
            },
            None => closed("it is in no fleet of this play"),
        }
    }

    /// Removes everything that was written to any place, and says so; whether all of it went.
    pub async fn clear(&self, timeline: &Timeline) -> bool {
        self.places.iter().for_each(|place| place.target.fence_off());
        let (mut deleted, mut aside, mut all) = (0, 0, true);
        for place in &self.places {
            match place.target.clear().await {
                Ok((objects, set_aside)) => {
                    deleted += objects;
                    aside += set_aside;
                }
                Err(error) => {
                    all = false;
                    let (objects, address) = (place.target.objects(), &place.row.address);
                    timeline.tell(&format!("not cleared: {address}: {error}"));
                    timeline
                        .tell(&format!("there may be {objects} objects and a marker of this play; nobody needs them"));
                }
            }
        }
        if all {
            timeline.tell(&format!(
                "{deleted} objects of this play are deleted; its {} places are given back as they were found",
                self.places.len()
            ));
        }
        if aside > 0 {
            timeline.tell(&format!("{aside} bad objects that were set aside stay in 'aside' for you to look at"));
        }
        all
    }

    /// Says what is left where.
    pub fn keep(&self, timeline: &Timeline) {
        for place in &self.places {
            timeline.tell(&format!("kept: {} objects at {}", place.target.objects(), place.row.address));
        }
        timeline.tell("no other play and no service takes these places until they are emptied");
    }

    fn of_the_lost(&self) -> impl Iterator<Item = &Lent> {
        self.places.iter().filter(|place| place.provider == self.lost)
    }
}

impl Lent {
    /// Looks at a place and opens it.
    async fn look(provider: &str, id: ProviderId, text: String, login: Login, world: &World) -> Result<Self> {
        let address = Address::parse(&text)?;
        let driver = layered(address.open(&login, world)?, world);
        // No cluster yet: whatever has a marker is somebody's.
        free_place(driver.as_ref(), &text, ClusterId::default(), &[]).await?;
        let row = TargetRow {
            id: TargetId::random(&*world.entropy),
            provider: id,
            address: text,
            driver: address.driver().to_owned(),
            generation: 1,
            state: TargetState::Up,
        };
        Ok(Self { row, provider: provider.to_owned(), address, login, target: Noted::over(driver) })
    }
}

/// Whether everything can be settled again once a provider is gone; the error says why not.
fn enough(providers: &[Provider], lost: &str) -> std::result::Result<(), String> {
    if !providers.iter().any(|provider| provider.name == lost) {
        return Err(format!("there is no provider '{lost}' in that fleet"));
    }
    let stay: Vec<_> = providers.iter().filter(|provider| provider.name != lost).collect();
    let owner = |provider: &Provider| {
        let label = provider.labels.iter().find(|(label, _)| label == "owner");
        label.map_or_else(|| provider.name.clone(), |(_, owner)| owner.clone())
    };
    let owners: BTreeSet<String> = stay.iter().map(|provider| owner(provider)).collect();
    let targets = |one: &String| -> usize {
        let own = stay.iter().filter(|provider| owner(provider) == *one);
        own.map(|provider| provider.paths.len() + provider.far.len()).sum()
    };
    match owners.len() {
        0 | 1 => Err(format!("without '{lost}' one firm would be left")),
        2 if owners.iter().any(|one| targets(one) < 2) => {
            Err(format!("without '{lost}' two firms would be left, and not both have two targets"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::enough;
    use crate::config::Provider;

    #[test]
    fn what_stays_must_be_able_to_hold_everything() {
        let check = |targets: &[(&str, usize, &str)], lost: &str, expected: Option<&str>| {
            let provider = |(name, count, owner): &(&str, usize, &str)| Provider {
                name: (*name).to_owned(),
                labels: Vec::from_iter((!owner.is_empty()).then(|| ("owner".to_owned(), (*owner).to_owned()))),
                paths: (0..*count).map(|at| format!("/{name}/{at}").into()).collect(),
                far: Vec::new(),
            };
            let providers: Vec<_> = targets.iter().map(provider).collect();
            let found = enough(&providers, lost).err();
            assert_eq!(found.is_some(), expected.is_some(), "{targets:?}: {found:?}");
            assert!(expected.is_none_or(|words| found.unwrap_or_default().contains(words)), "{targets:?}");
        };
        check(&[("a", 1, ""), ("b", 1, ""), ("c", 1, ""), ("d", 1, "")], "b", None);
        check(&[("a", 2, ""), ("b", 1, ""), ("c", 2, "")], "b", None);
        check(&[("a", 1, ""), ("b", 1, ""), ("c", 2, "")], "b", Some("two targets"));
        check(&[("a", 2, ""), ("b", 2, "")], "b", Some("one firm"));
        check(&[("a", 2, "x"), ("b", 2, ""), ("c", 2, "x")], "b", Some("one firm"));
        check(&[("a", 2, ""), ("b", 2, ""), ("c", 2, "")], "d", Some("no provider"));
    }
}
