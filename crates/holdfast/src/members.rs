//! Who belongs to the fleet: what the configuration names, against what is recorded and what lies in the folders.
//!
//! A decision without side effects: rows, a configuration and one look at each folder that is not known yet go in;
//! rows to record and targets to open come out. The rules:
//! - what is recorded is never forgotten: a provider or target that the file no longer names is left closed, so it is *down*;
//! - a known target is known by its path. It is opened whatever its folder holds now: a missing marker is *down*, not new;
//! - a path that is new must lead to an empty folder, or to a target of ours that was moved there;
//! - anything else in a new folder is refused, and nothing in it is touched.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use format::Marker;
use model::{
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{ClusterId, ProviderId, TargetId},
    world::Entropy,
};

use crate::{
    config::Provider,
    error::{Error, Result},
};

/// The driver of folders.
pub const FOLDER_DRIVER: &str = "dir";

/// What was found at a path that no recorded target has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// No folder is there.
    Missing,
    /// An empty folder.
    Empty,
    /// A target of some cluster.
    Marked(Marker),
    /// A folder with something in it but no marker that can be read.
    Taken(String),
}

/// The fleet as the catalogue records it.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// `None` before the first start.
    pub cluster: Option<ClusterId>,
    /// All providers.
    pub providers: Vec<ProviderRow>,
    /// All targets.
    pub targets: Vec<TargetRow>,
}

/// What follows.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// Providers to record: new ones, and those whose labels changed.
    pub providers: Vec<ProviderRow>,
    /// Targets to record: moved ones.
    pub moved: Vec<TargetRow>,
    /// Targets to record and to open: new ones.
    pub new: Vec<TargetRow>,
    /// Targets to open: known ones, under the path that the file gives.
    pub known: Vec<TargetRow>,
    /// Names of providers that are recorded but not named in the file: down.
    pub absent: Vec<String>,
}

/// The paths of the configuration that no recorded target has: those that must be looked at.
pub fn unknown_paths(recorded: &Recorded, providers: &[Provider]) -> Vec<PathBuf> {
    let paths = providers.iter().flat_map(|provider| &provider.paths);
    paths.filter(|path| recorded.at(path).is_none()).cloned().collect()
}

/// Decides. `looks` has an entry for each of [`unknown_paths`]; `elsewhere` is the marker that a recorded target's old
/// folder still carries, if it is this target's.
///
/// # Errors
/// Refused: which folder or provider does not fit, and why.
pub fn compare(
    recorded: &Recorded,
    providers: &[Provider],
    looks: &BTreeMap<PathBuf, Look>,
    elsewhere: impl Fn(&TargetRow) -> Option<Marker>,
    entropy: &dyn Entropy,
) -> Result<Members> {
    let mut members = Members::default();
    for provider in providers {
        let id = members.provider(recorded, provider, entropy);
        for path in &provider.paths {
            if let Some(row) = recorded.at(path) {
                members.known_target(recorded, row, id, provider)?;
                continue;
            }
            match looks.get(path).unwrap_or(&Look::Missing) {
                Look::Empty => members.new.push(new_row(TargetId::random(entropy), id, path)),
                Look::Marked(marker) => members.marked(recorded, marker, id, provider, path, &elsewhere)?,
                Look::Missing => {
                    return Err(Error::refused(format!("the folder {} of provider '{}' does not exist", path.display(), provider.name))
                        .hint(format!("make it first (`mkdir -p {}`) once its disk is mounted; it is not made here, so that an unmounted disk is never mistaken for an empty one", path.display())));
                }
                Look::Taken(what) => {
                    return Err(Error::refused(format!(
                        "the folder {} of provider '{}' is not empty and carries no marker of this service ({what}); nothing in it was touched",
                        path.display(),
                        provider.name
                    ))
                    .hint("name an empty folder"));
                }
            }
        }
    }
    let named = |row: &&ProviderRow| !providers.iter().any(|provider| provider.name == row.name);
    members.absent = recorded.providers.iter().filter(named).map(|row| row.name.clone()).collect();
    Ok(members)
}

impl Recorded {
    /// All targets that are not given up.
    pub fn open(&self) -> Vec<TargetRow> {
        self.targets.iter().filter(|row| row.state != TargetState::Retired).cloned().collect()
    }

    /// The target at a path, unless it was retired.
    fn at(&self, path: &Path) -> Option<&TargetRow> {
        self.targets.iter().find(|row| row.state != TargetState::Retired && Path::new(&row.address) == path)
    }

    fn provider_name(&self, id: ProviderId) -> &str {
        self.providers.iter().find(|row| row.id == id).map_or("an unknown provider", |row| row.name.as_str())
    }
}

impl Members {
    /// The provider's id; a row to record if it is new or has other labels now.
    fn provider(&mut self, recorded: &Recorded, provider: &Provider, entropy: &dyn Entropy) -> ProviderId {
        let known = recorded.providers.iter().find(|row| row.name == provider.name);
        let id = known.map_or_else(|| ProviderId::random(entropy), |row| row.id);
        if known.is_none_or(|row| row.labels != provider.labels) {
            self.providers.push(ProviderRow { id, name: provider.name.clone(), labels: provider.labels.clone() });
        }
        id
    }

    fn known_target(
        &mut self,
        recorded: &Recorded,
        row: &TargetRow,
        id: ProviderId,
        provider: &Provider,
    ) -> Result<()> {
        if row.provider != id {
            return Err(Error::refused(format!(
                "target {} belongs to provider '{}', the configuration gives it to '{}'",
                row.address,
                recorded.provider_name(row.provider),
                provider.name
            ))
            .hint("a target cannot change hands: what it keeps was counted for its own provider; give the other one a new folder"));
        }
        self.known.push(row.clone());
        Ok(())
    }

    /// A new path that leads to a target of some cluster.
    fn marked(
        &mut self,
        recorded: &Recorded,
        marker: &Marker,
        id: ProviderId,
        provider: &Provider,
        path: &Path,
        elsewhere: &impl Fn(&TargetRow) -> Option<Marker>,
    ) -> Result<()> {
        let refused = |why: String, hint: &str| {
            Err(Error::refused(format!("the folder {} {why}; nothing in it was touched", path.display())).hint(hint))
        };
        if recorded.cluster != Some(marker.cluster) {
            return refused(
                format!("is a target of another Holdfast service ({})", marker.cluster),
                "name an empty folder; to take that service over, use `holdfast rebuild` with its service identity",
            );
        }
        let Some(row) = recorded.targets.iter().find(|row| row.id == marker.target) else {
            return refused(
                "is a target of this service that its catalogue does not know".to_owned(),
                "was it being added when the service was killed? then empty it; else the catalogue may be an old copy: `holdfast rebuild` makes a new one from the targets",
            );
        };
        if row.provider != id {
            return self.known_target(recorded, row, id, provider);
        }
        let age = |marker: &Marker| (marker.epoch, marker.generation);
        // An older one is an old copy: what it keeps is known to be stale, and it is not in the configuration.
        let doubled = elsewhere(row).is_some_and(|other| age(&other) >= age(marker));
        if doubled || self.known.iter().chain(&self.moved).any(|other| other.id == row.id) {
            return refused(
                format!("is a copy of the target {}, which is still there", row.address),
                "take one of the two away",
            );
        }
        let moved = TargetRow { address: address(path), ..row.clone() };
        self.moved.push(moved.clone());
        self.known.push(moved);
        Ok(())
    }
}

fn new_row(id: TargetId, provider: ProviderId, path: &Path) -> TargetRow {
    let driver = FOLDER_DRIVER.to_owned();
    TargetRow { id, provider, address: address(path), driver, generation: 0, state: TargetState::Up }
}

fn address(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
#[path = "members_tests.rs"]
mod tests;
