//! What a target no longer holds of what is recorded of it, or holds too short.
//!
//! Objects are written once and never replaced, so a copy of a target that is older than it should be differs from the
//! records by what is *not there*: a listing finds that out, without reading a byte. Names are compared whenever
//! [`crate::strays`] reads them: after each start, once a day, in a scrub that a person asks for, and before a target counts again whose
//! marker was missing. That may have been a disk that was not mounted; or a firm wiped everything and put a copy of last
//! week's back, marker and all, and then nothing but the missing names would tell.
//!
//! What is not listed is asked for by its name before it is believed to be gone: it may have been written in between. What is
//! listed with a length that it cannot have is read, and that decides. **A name and a length prove nothing**: what is listed as it
//! should be keeps the proof that it had.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::Tx;
use fleet::ObjectName;
use format::{
    name::{parse_shard_name, shard_name},
    shard::shard_bytes,
};
use futures_util::{StreamExt, stream};
use model::{
    fleet::TargetState,
    id::{ObjectId, PackId, TargetId},
    pack::{Make, MakeState},
};

use crate::{
    Inner,
    error::{Error, Result},
    scrub::Verdict,
};

/// Packs whose makes are looked up at once.
const PACKS: usize = 200;
/// Absent objects that are asked for, and written down, at the same time.
const ASKED_AT_ONCE: usize = 32;

/// A stretch of names as a target listed it.
pub(crate) struct Listing {
    /// The name before the first one; empty at the start.
    pub from: String,
    /// The last name, `None` if none follow.
    pub upto: Option<String>,
    /// All names in between, with the length of each object.
    pub names: BTreeMap<String, u64>,
}

impl Listing {
    fn covers(&self, name: &str) -> bool {
        name > self.from.as_str() && self.upto.as_deref().is_none_or(|upto| name <= upto)
    }

    /// What is wrong with an object, as far as a listing shows: `fits` says which lengths it may have.
    fn judge(&self, name: &str, fits: impl Fn(u64) -> bool) -> Option<Wrong> {
        match self.names.get(name) {
            None => self.covers(name).then_some(Wrong::Absent),
            Some(bytes) => (!fits(*bytes)).then_some(Wrong::Length),
        }
    }

    /// The packs of which shards may lie in the stretch: those after the first, up to the second. Shards sort by pack.
    fn packs(&self) -> Option<(PackId, PackId)> {
        let of = |name: &str| parse_shard_name(name).map(|shard| u128::from_be_bytes(shard.pack.0));
        let first = match of(&self.from) {
            Some(pack) => pack.saturating_sub(1),
            None if self.from.as_str() < SHARDS => 0,
            None => return None,
        };
        let last = match self.upto.as_deref() {
            Some(upto) if upto < SHARDS => return None,
            upto => upto.and_then(of).unwrap_or(u128::MAX),
        };
        Some((PackId(first.to_be_bytes()), PackId(last.to_be_bytes())))
    }
}

/// What all names of shards begin with.
const SHARDS: &str = "shards/";

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Absent,
    Length,
}

/// Something that is recorded and was not listed as it should be.
enum Absent {
    Make(PackId, Make, Wrong),
    Copy(ObjectId, String, Wrong),
}

fn absent_makes(tx: &Tx<'_>, target: TargetId, listing: &Listing, packs: &[PackId]) -> catalogue::Result<Vec<Absent>> {
    let mut absent = Vec::new();
    for pack in packs {
        for view in catalogue::packs::makes(tx, *pack)? {
            if view.make.target != target || view.finding.state == MakeState::Bad {
                continue;
            }
            let name = shard_name(*pack, view.make.lane, view.make.make);
            // How long its index is no record says: this much it has with the shortest.
            let least = shard_bytes(view.make.lane_bytes, 0);
            absent.extend(
                listing.judge(&name, |bytes| bytes >= least).map(|wrong| Absent::Make(*pack, view.make, wrong)),
            );
        }
    }
    Ok(absent)
}

impl Inner {
    /// Compares a stretch of names with what is recorded of it. What is gone is bad from now on, for repair to make again.
    pub(crate) async fn find_absent(self: &std::sync::Arc<Self>, target: TargetId, listing: Listing) -> Result<()> {
        let listing = std::sync::Arc::new(listing);
        let of_copies = listing.clone();
        let copies = self.catalogue.read(move |tx| {
            let names = catalogue::objects::names_at(tx, target, &of_copies.from, of_copies.upto.as_deref())?;
            let wrong = names.into_iter().filter_map(|(object, name, length)| {
                let wrong = of_copies.judge(&name, |bytes| bytes == length)?;
                Some(Absent::Copy(object, name, wrong))
            });
            Ok(wrong.collect::<Vec<_>>())
        });
        self.ask_for(target, copies.await?).await?;
        let Some((mut after, last)) = listing.packs() else { return Ok(()) };
        loop {
            if self.is_stopping() {
                return Err(Error::Stopping);
            }
            let listing = listing.clone();
            let look = move |tx: &mut Tx<'_>| {
                let packs = catalogue::packs::at_target(tx, target, after, PACKS)?;
                Ok((absent_makes(tx, target, &listing, &packs)?, packs.last().copied()))
            };
            let (absent, reached) = self.catalogue.read(look).await?;
            self.ask_for(target, absent).await?;
            match reached {
                Some(pack) if pack < last => after = pack,
                _ => return Ok(()),
            }
        }
    }

    /// Asks a target for each by its name, reads what has a wrong length, and writes down what is not as it should be.
    async fn ask_for(self: &std::sync::Arc<Self>, target: TargetId, absent: Vec<Absent>) -> Result<()> {
        let driver = self.driver(target)?;
        let mut asked = stream::iter(absent)
            .map(|absent| {
                let driver = driver.clone();
                async move {
                    let (name, wrong) = match &absent {
                        Absent::Make(pack, make, wrong) => (shard_name(*pack, make.lane, make.make), *wrong),
                        Absent::Copy(_, name, wrong) => (name.clone(), *wrong),
                    };
                    if wrong == Wrong::Length {
                        return self.read_odd(target, absent).await;
                    }
                    if driver.stat(&ObjectName::parse(name)?).await?.is_some() {
                        return Ok(());
                    }
                    match absent {
                        Absent::Make(pack, make, _) => self.write_down(pack, make, Verdict::Missing).await.map(drop),
                        Absent::Copy(object, ..) => {
                            self.write_down_copy(object, target, Verdict::Missing).await.map(drop)
                        }
                    }
                }
            })
            .buffer_unordered(ASKED_AT_ONCE);
        while let Some(result) = asked.next().await {
            result?;
            // A target that holds nothing any more lacks all that is recorded of it: that takes long, and is looked at again.
            if self.is_stopping() {
                return Err(Error::Stopping);
            }
        }
        Ok(())
    }

    /// Reads something whole and writes down what it is.
    async fn read_odd(self: &std::sync::Arc<Self>, target: TargetId, odd: Absent) -> Result<()> {
        match odd {
            Absent::Make(pack, make, _) => {
                let view = self.catalogue.read(move |tx| catalogue::packs::view(tx, pack)).await?;
                let Some(view) = view else { return Ok(()) };
                self.judge_and_write_down(pack, view.k, make).await
            }
            Absent::Copy(object, ..) => {
                let view = self.catalogue.read(move |tx| catalogue::objects::view(tx, object)).await?;
                let Some(view) = view else { return Ok(()) };
                self.check_copy(&view.object, target).await
            }
        }
    }

    /// Compares the names of targets whose marker was missing and is there again; then they may count.
    pub(crate) async fn compare_unmarked(self: &std::sync::Arc<Self>) -> Result<()> {
        let back = |live: &crate::fleet_state::Live| live.unmarked && live.state == TargetState::Suspect;
        let mut compared = BTreeSet::new();
        let mut first = Ok(());
        for live in self.fleet.all().into_iter().filter(back) {
            match self.read_all_names(live.row.id).await {
                Ok(()) => _ = compared.insert(live.row.id),
                Err(error) => first = first.and(Err(error)),
            }
        }
        if !compared.is_empty() {
            compared.iter().for_each(|target| self.fleet.compared(*target));
            self.probe_these(&compared).await;
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use format::name::shard_name;
    use model::id::{MakeId, PackId};

    use super::Listing;

    fn check(from: &str, upto: Option<&str>, packs: Option<(u128, u128)>) {
        let listing = Listing { from: from.to_owned(), upto: upto.map(str::to_owned), names: BTreeMap::new() };
        let found = listing.packs().map(|(first, last)| (u128::from_be_bytes(first.0), u128::from_be_bytes(last.0)));
        assert_eq!(found, packs, "{from} {upto:?}");
    }

    #[test]
    fn a_stretch_of_names_asks_for_the_packs_in_it() {
        let shard = |pack: u128| shard_name(PackId(pack.to_be_bytes()), 1, MakeId([1; 16]));
        check("", None, Some((0, u128::MAX)));
        check("", Some("journal/1"), None);
        check("journal/1", Some(&shard(7)), Some((0, 7)));
        check(&shard(7), Some(&shard(9)), Some((6, 9)));
        check(&shard(7), Some("snapshots/1"), Some((6, u128::MAX)));
        check("snapshots/1", None, None);
    }
}
