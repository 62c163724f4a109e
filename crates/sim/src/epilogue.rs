//! The end of a seed: where things lie, and what is said when more providers are lost than was promised.

use std::collections::BTreeSet;

use model::id::VersionId;
use store::Ladder;

use crate::{
    mirror::{Place, at_once},
    world::{Broken, PROVIDERS, Step, World},
};

impl World {
    /// Counts where versions lie and what became of packs.
    pub fn count_states(&self) {
        let mirror = &self.auditor.mirror;
        for version in mirror.versions.values() {
            let mut packs = BTreeSet::new();
            for segment in version.segments() {
                match mirror.place(version, segment.id) {
                    Place::Inline => self.count("lies: inline"),
                    Place::Journal(_) => self.count("lies: in the journal"),
                    Place::Pack(id, _) => {
                        packs.insert(id);
                    }
                    Place::Nowhere => self.count("lies: nowhere"),
                }
            }
            if packs.len() > 1 {
                self.count("lies: in several packs");
            }
        }
        for pack in mirror.packs.values() {
            let lanes: BTreeSet<u8> = pack.makes.iter().map(|make| make.lane).collect();
            if lanes.len() < pack.makes.len() {
                self.count("pack: a lane made twice");
            }
            if lanes.len() > usize::from(pack.k) + 2 {
                self.count("pack: more parity than at first");
            }
        }
        self.census.borrow_mut().add("pack: gone", mirror.packs_gone);
        self.census.borrow_mut().add("pack: moved", mirror.packs_moved);
        self.census.borrow_mut().add("lies: whole in a lane", mirror.located_whole);
        self.census.borrow_mut().add("lies: striped", mirror.located_striped);
        self.census.borrow_mut().add("lies: in the journal", mirror.seen_journalled);
    }

    /// Three providers are lost at once. Nothing was promised for that, but what cannot be read must not be called safe.
    ///
    /// # Errors
    /// [`Broken`] with the first version that is called what it is not.
    pub fn beyond_the_promise(&mut self) -> Step {
        if !self.chance.one_in(3) {
            return Ok(());
        }
        self.count("check: beyond the promise");
        let left: Vec<usize> = (0..PROVIDERS + self.grown).filter(|provider| !self.gone.contains(provider)).collect();
        let first = self.chance.below(left.len() as u64) as usize;
        let lost: BTreeSet<usize> = left.iter().cycle().skip(first).take(3).copied().collect();
        self.note(format!("providers {lost:?} are wiped at once"));
        for disk in self.disks.iter().filter(|disk| lost.contains(&disk.provider)) {
            disk.disk.wipe();
            self.auditor.truth.forget(disk.index);
        }
        self.auditor.strangers.clear();
        self.tick(false)?;
        let must: Vec<VersionId> = self.model.borrow().must_read().map(|(_, version)| version).collect();
        self.auditor.mirror.follow(&self.catalogue, self.account).map_err(|error| Broken(error.to_string()))?;
        let standings =
            at_once(self.store()?.standing(self.account, &must)).map_err(|error| Broken(error.to_string()))?;
        for (version, standing) in must.into_iter().zip(standings) {
            self.count(format!("stands: {:?}", standing.ladder));
            let client = self.client()?;
            let Some(content) = self.model.borrow().content(version) else { continue };
            let Some(read) = self.drive("reading what is left", client.read(version, 0, content.size))? else {
                continue;
            };
            let readable = read.is_ok();
            if read.is_ok_and(|bytes| bytes != content.bytes()) {
                return Err(Broken(format!("version {version} reads with wrong bytes after three losses")));
            }
            if !readable && standing.ladder > Ladder::AtRisk {
                return Err(Broken(format!(
                    "version {version} of {} bytes cannot be read after three losses and is called {:?}",
                    content.size, standing.ladder
                )));
            }
            match (readable, standing.ladder) {
                // A lane without bytes need not be there: the store can read more than it says.
                (true, Ladder::Unreadable) => self.count("beyond: read although called unreadable"),
                (false, Ladder::AtRisk) => self.count("beyond: not read although called at risk"),
                (true, _) => self.count("beyond: read"),
                (false, _) => self.count("beyond: not read"),
            }
        }
        Ok(())
    }
}
