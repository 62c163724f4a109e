//! Who compares what the service says with the reference and with the disks, after each step.
//!
//! - the tree is as the reference allows, deleted stays deleted;
//! - every acknowledged version can be read without any one provider. While one is hurt already, without that one; and what
//!   was acknowledged since it is known to be away, without any other one as well;
//! - nothing is called safe that is not;
//! - no two segments share a salt, so no nonce is used twice;
//! - what no record knows still lies where it lay.
//!
//! More seldom: every byte through the store, a rebuild, a rescue ([`crate::homecoming`]).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use model::id::{SegmentId, VersionId};
use store::Ladder;

use crate::{
    mirror::{Mirror, Place, at_once},
    truth::{Lanes, Truth, outside},
    world::{Broken, Step, World},
};

/// Versions whose standing is asked for at each look.
const STANDINGS: usize = 6;

/// What the auditor remembers.
#[derive(Default)]
pub struct Auditor {
    /// Its copy of the catalogue.
    pub mirror: Mirror,
    /// Its verdicts on what is on the disks.
    pub truth: Truth,
    /// Which segment has which salt.
    salts: BTreeMap<[u8; 32], SegmentId>,
    /// Objects that nobody recorded: disk, name, bytes.
    pub strangers: Vec<(usize, String, Bytes)>,
}

impl Auditor {
    /// The service was started again: its catalogue may have fallen back.
    pub fn begin_again(&mut self) {
        self.mirror = Mirror::default();
    }
}

/// One version, as far as reading it goes.
pub(crate) struct Reach {
    /// For each of its segments how many lanes are needed and which are right.
    pub(crate) parts: Vec<(u32, Lanes)>,
}

impl Reach {
    fn without(&self, gone: &BTreeSet<usize>) -> bool {
        self.parts.iter().all(|(k, lanes)| outside(lanes, gone) >= *k)
    }
}

impl World {
    /// Looks at everything that changed. `decided`: open outcomes are decided by what is seen now.
    ///
    /// # Errors
    /// [`Broken`], with the promise that was.
    pub fn audit(&mut self, decided: bool) -> Step {
        self.auditor.mirror.follow(&self.catalogue, self.account).map_err(|error| Broken(error.to_string()))?;
        let files = self.auditor.mirror.files();
        self.model.borrow_mut().compare(&files, decided).map_err(|what| Broken(format!("the tree: {what}")))?;
        self.check_salts()?;
        self.check_strangers()?;
        let must: Vec<VersionId> = self.model.borrow().must_read().map(|(_, version)| version).collect();
        let mut packs = BTreeMap::new();
        let mut reaches = BTreeMap::new();
        for version in must {
            let reach = self.reach(version, &mut packs)?;
            self.check_promise(version, &reach)?;
            reaches.insert(version, reach);
        }
        self.check_standings(&reaches)
    }

    fn check_salts(&mut self) -> Step {
        let Mirror { fresh, versions, .. } = &self.auditor.mirror;
        for segment in fresh.iter().filter_map(|id| versions.get(id)).flat_map(|version| version.segments()) {
            let known = *self.auditor.salts.entry(segment.salt).or_insert(segment.id);
            if known != segment.id {
                return Err(Broken(format!("segments {known} and {} share a salt: a nonce is used twice", segment.id)));
            }
        }
        Ok(())
    }

    fn check_strangers(&self) -> Step {
        for (disk, name, bytes) in &self.auditor.strangers {
            if self.disks[*disk].disk.bytes(name).as_ref() != Some(bytes) {
                return Err(Broken(format!("{name} on disk {disk}, which no record knows, was destroyed")));
            }
        }
        Ok(())
    }

    pub(crate) fn reach(&mut self, version: VersionId, packs: &mut BTreeMap<model::id::PackId, Lanes>) -> Step<Reach> {
        let Auditor { mirror, truth, .. } = &mut self.auditor;
        let Some(row) = mirror.versions.get(&version) else {
            return Err(Broken(format!("version {version} is not in the catalogue")));
        };
        let mut parts = Vec::new();
        for segment in row.segments() {
            match mirror.place(row, segment.id) {
                Place::Inline => {}
                Place::Pack(id, pack) => {
                    let lanes = packs.entry(id).or_insert_with(|| truth.lanes(&self.disks, &self.by_target, id, pack));
                    parts.push((u32::from(pack.k), lanes.clone()));
                }
                Place::Journal(object) => parts.push((1, truth.copies(&self.disks, object))),
                Place::Nowhere => {
                    return Err(Broken(format!("no row says where segment {} of version {version} lies", segment.id)));
                }
            }
        }
        Ok(Reach { parts })
    }

    /// The sets of providers that a version must survive the loss of.
    fn losses(&self, version: VersionId) -> Vec<BTreeSet<usize>> {
        let providers: BTreeSet<usize> = self.disks.iter().map(|disk| disk.provider).collect();
        match &self.victim {
            None => providers.into_iter().map(|provider| BTreeSet::from([provider])).collect(),
            Some(victim) => {
                let since = self.model.borrow().acknowledged_in(version);
                if victim.is_plain && since.is_some_and(|since| since > victim.since) {
                    providers.into_iter().map(|other| BTreeSet::from([victim.provider, other])).collect()
                } else {
                    vec![BTreeSet::from([victim.provider])]
                }
            }
        }
    }

    fn check_promise(&self, version: VersionId, reach: &Reach) -> Step {
        for gone in self.losses(version) {
            if !reach.without(&gone) {
                return Err(Broken(format!(
                    "version {version} cannot be read without providers {gone:?}; it has {:?}; victim: {:?}",
                    reach.parts, self.victim
                )));
            }
        }
        Ok(())
    }

    fn check_standings(&mut self, reaches: &BTreeMap<VersionId, Reach>) -> Step {
        let all: Vec<VersionId> = reaches.keys().copied().collect();
        let first = self.chance.below(all.len() as u64) as usize;
        let asked: Vec<VersionId> = all.iter().cycle().skip(first).take(STANDINGS.min(all.len())).copied().collect();
        let standings =
            at_once(self.store()?.standing(self.account, &asked)).map_err(|error| Broken(error.to_string()))?;
        for (version, standing) in asked.iter().zip(standings) {
            self.count(format!("stands: {:?}", standing.ladder));
            let Some(reach) = reaches.get(version).filter(|_| standing.ladder >= Ladder::Safe) else { continue };
            let comfort = match &self.victim {
                Some(victim) => reach.without(&BTreeSet::from([victim.provider])),
                None => self.losses(*version).iter().all(|gone| reach.without(gone)),
            };
            if !comfort {
                return Err(Broken(format!(
                    "version {version} is called {:?} and is not: {:?}",
                    standing.ladder, reach.parts
                )));
            }
        }
        Ok(())
    }

    /// All packs and versions are settled in truth, as the service said: any provider, and then any one shard.
    ///
    /// # Errors
    /// [`Broken`] with the first that is not.
    pub fn check_settled(&mut self) -> Step {
        let must: Vec<VersionId> = self.model.borrow().must_read().map(|(_, version)| version).collect();
        let providers: BTreeSet<usize> = self.disks.iter().map(|disk| disk.provider).collect();
        let mut packs = BTreeMap::new();
        for version in must {
            let reach = self.reach(version, &mut packs)?;
            for provider in &providers {
                let gone = BTreeSet::from([*provider]);
                if let Some((k, lanes)) = reach.parts.iter().find(|(k, lanes)| outside(lanes, &gone) < k + 1) {
                    return Err(Broken(format!(
                        "everything is called settled, but of version {version} only {} of {k} + 1 lanes are right without \
                         provider {provider}: {lanes:?}",
                        outside(lanes, &gone)
                    )));
                }
            }
        }
        Ok(())
    }

    /// Reads versions whole through the store and compares every byte.
    ///
    /// # Errors
    /// [`Broken`] with the first that is wrong or cannot be read.
    pub fn check_bytes(&mut self, share: u64) -> Step {
        let must: Vec<VersionId> = self.model.borrow().must_read().map(|(_, version)| version).collect();
        for version in must {
            if !self.chance.one_in(share) {
                continue;
            }
            let client = self.client()?;
            let Some(content) = self.model.borrow().content(version) else { continue };
            let Some(read) = self.drive("reading all", client.read(version, 0, content.size))? else { continue };
            match read {
                Ok(bytes) if bytes == content.bytes() => {}
                Ok(_) => return Err(Broken(format!("version {version} reads with wrong bytes"))),
                Err(error) => return Err(Broken(format!("version {version} cannot be read: {error}"))),
            }
        }
        Ok(())
    }
}
