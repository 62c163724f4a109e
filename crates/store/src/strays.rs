//! Strays: objects that lie at a target and that no list of ours leads to.
//!
//! The list of doomed shards is local. When a catalogue was rebuilt, or lost its tail in a crash, the record still says
//! that a pack is gone, and its shards still lie there. So after each start, and then once a day (`listing_every_s`), the names at
//! every target are read, some in each round; and all of them again in a scrub that a person asks for. This is the lowest rung of
//! the ladder ([`plan::scrub`]): what is recorded and not listed, or too short, is for [`crate::absent`]. A shard of a pack that a record declared gone is
//! put on the list again, with the whole grace time. Everything else is left alone: shards that no record knows, and names
//! that are none of ours, are counted and reported, never deleted. A copied object under a name as we write them is no
//! stray: a record of another life may be in it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use catalogue::{Tx, objects::ObjectRow};
use fleet::ObjectName;
use format::{
    FORMAT_MD_NAME,
    name::{parse_address_book_name, parse_checkpoint_name, parse_envelope_name, parse_journal_name, parse_shard_name},
    snapshot::parse_snapshot_name,
};
use model::{
    fleet::TargetState,
    id::{PackId, TargetId},
    units::ServiceTime,
};
use plan::scrub::rung_is_due;

use crate::{
    Inner, Store,
    absent::Listing,
    error::{Error, Result},
    gone::{release_stray, stray_of_gone},
    locked,
    reclaim::doom,
    schedule::Ended,
};

/// Names that are asked for in one round, of each target.
const PAGE: usize = 1_000;

/// Names of strays that a report spells out for each target.
const NAMED: usize = 3;

/// How far the names of each target were read since the start.
#[derive(Default)]
pub(crate) struct Walk(Mutex<BTreeMap<TargetId, Target>>);

#[derive(Clone, Default)]
struct Target {
    after: Option<ObjectName>,
    /// When the last name was read.
    ended: Option<ServiceTime>,
    /// What no record knew meanwhile.
    found: Found,
    /// What no record knew when all names were read the last time.
    last: Option<Found>,
    /// Something was left undecided, because nothing is destroyed now.
    undecided: bool,
}

#[derive(Clone, Default)]
struct Found {
    unknown: usize,
    /// The first of them.
    named: Vec<String>,
}

impl Target {
    /// Whether there is something to read.
    fn is_due(&self, now: ServiceTime, every_s: u64, decides: bool) -> bool {
        self.ended.is_none_or(|ended| rung_is_due(ended, now, every_s) || (self.undecided && decides))
    }

    /// What is said of it: that of all its names, once they were all read.
    fn said(&self) -> &Found {
        self.last.as_ref().filter(|_| self.ended.is_none()).unwrap_or(&self.found)
    }
}

/// What a name turned out to be.
enum Stray {
    /// It is ours: its pack is recorded, announced or on the list, or it is a copied object.
    None,
    /// A record says that its pack is gone.
    Gone(PackId),
    /// It opens, or was sealed for, an account that is gone for good.
    OfGone(ObjectRow),
    /// No record knows its pack, or it is no name of ours.
    Unknown,
}

fn is_copied(name: &str) -> bool {
    name == FORMAT_MD_NAME
        || parse_journal_name(name).is_some()
        || parse_envelope_name(name).is_some()
        || parse_address_book_name(name).is_some()
        || parse_checkpoint_name(name).is_some()
        || parse_snapshot_name(name).is_some()
}

fn judge(tx: &Tx<'_>, target: TargetId, name: &str, (now, grace_s): (ServiceTime, u64)) -> catalogue::Result<Stray> {
    let Some(shard) = parse_shard_name(name) else {
        if let Some(row) = stray_of_gone(tx, name, target, now, grace_s)? {
            return Ok(Stray::OfGone(row));
        }
        return Ok(if is_copied(name) { Stray::None } else { Stray::Unknown });
    };
    if catalogue::packs::gone(tx, shard.pack)?.is_some() {
        return Ok(if catalogue::doomed::is_doomed(tx, target, name)? { Stray::None } else { Stray::Gone(shard.pack) });
    }
    let known = catalogue::packs::is_known(tx, shard.pack)?
        || catalogue::intents::is_open(tx, shard.pack)?
        || catalogue::doomed::is_doomed(tx, target, name)?;
    Ok(if known { Stray::None } else { Stray::Unknown })
}

impl Inner {
    /// Reads the next names at every target that is up, until each was read to its end within the time of a listing; with
    /// `everything` all of them. A target that does not list now is passed over, and goes on from there when it lists again.
    pub(crate) async fn find_strays(self: &Arc<Self>, everything: bool) -> Result<Ended> {
        let (now, every_s) = (self.service_time(), self.settings.listing_every_s);
        let topology = self.fleet.topology(self.now_us());
        let decides = self.gate().await?.pause(&topology).is_none();
        let mut ended = Ended::Well;
        for live in self.fleet.all().into_iter().filter(|live| live.state == TargetState::Up) {
            let (target, mut walk) = (live.row.id, self.walked(live.row.id));
            if !walk.is_due(now, every_s, decides) {
                continue;
            }
            if walk.ended.is_some() {
                walk = Target { last: Some(walk.found), ..Target::default() };
                locked(&self.strays.0).insert(target, walk);
            }
            while self.walked(target).ended.is_none() {
                if self.is_stopping() {
                    return Err(Error::Stopping);
                }
                match self.next_names(target, decides).await {
                    Err(Error::Fleet(error)) => {
                        self.fleet.failed(target, &error, self.now_us());
                        ended = Ended::Failed(format!("{} does not list its names: {error}", live.row.address));
                        break;
                    }
                    read => read?,
                }
                if !everything {
                    break;
                }
            }
            if self.walked(target).ended.is_none() {
                ended = ended.max(Ended::More);
            }
        }
        let said: Vec<String> = locked(&self.strays.0)
            .iter()
            .filter(|(_, walk)| walk.said().unknown > 0)
            .map(|(target, walk)| {
                let address = self.fleet.live(*target).map(|live| live.row.address).unwrap_or_default();
                format!("{} at {address} ({})", walk.said().unknown, walk.said().named.join(", "))
            })
            .collect();
        let found = format!("strays: {}; no record knows them, and they are left alone", said.join("; "));
        self.upkeep.finding("strays", (!said.is_empty()).then_some(found));
        Ok(ended)
    }

    /// Reads all names again.
    pub(crate) async fn find_strays_again(self: &Arc<Self>) -> Result<()> {
        locked(&self.strays.0).clear();
        self.find_strays(true).await.map(drop)
    }

    fn walked(&self, target: TargetId) -> Target {
        locked(&self.strays.0).get(&target).cloned().unwrap_or_default()
    }

    /// Reads all names of one target, from the first one on.
    pub(crate) async fn read_all_names(self: &Arc<Self>, target: TargetId) -> Result<()> {
        locked(&self.strays.0).remove(&target);
        while self.walked(target).ended.is_none() {
            self.next_names(target, true).await?;
        }
        Ok(())
    }

    /// Reads a page of names. While nothing is destroyed (`decides` is false) nothing is decided either.
    async fn next_names(self: &Arc<Self>, target: TargetId, decides: bool) -> Result<()> {
        let mut walk = self.walked(target);
        let page = self.driver(target)?.list("", walk.after.as_ref(), PAGE).await?;
        let from = walk.after.take().map_or_else(String::new, |name| name.to_string());
        walk.after = page.objects.last().map(|listed| listed.name.clone());
        let ends = !page.more || walk.after.is_none();
        walk.ended = ends.then(|| self.service_time());
        let upto = walk.after.as_ref().filter(|_| !ends).map(ToString::to_string);
        let names = page.objects.iter().map(|listed| (listed.name.to_string(), listed.bytes)).collect();
        self.find_absent(target, Listing { from, upto, names }).await?;
        let (at, grace_s) = (self.service_time(), self.settings.grace_s);
        let judged = move |tx: &mut Tx<'_>| {
            let (mut gone, mut keys, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
            for listed in page.objects {
                let name = listed.name.to_string();
                match judge(tx, target, &name, (at, grace_s))? {
                    Stray::None => {}
                    Stray::Gone(pack) => gone.push((pack, name)),
                    Stray::OfGone(row) => keys.push(row),
                    Stray::Unknown => unknown.push(name),
                }
            }
            Ok((gone, keys, unknown))
        };
        let (gone, keys, unknown) = self.catalogue.read(judged).await?;
        walk.found.unknown += unknown.len();
        let room = NAMED - walk.found.named.len();
        walk.found.named.extend(unknown.into_iter().take(room));
        let decided = !gone.is_empty() || !keys.is_empty();
        walk.undecided |= decided && !decides;
        if decided && decides {
            Store(self.clone())
                .commit(move |tx, _| {
                    for (pack, name) in gone {
                        if catalogue::packs::gone(tx, pack)?.is_some() {
                            doom(tx, target, name, "reclaimed", at, grace_s)?;
                        }
                    }
                    keys.iter().try_for_each(|row| release_stray(tx, row, target))?;
                    Ok::<_, Error>(())
                })
                .await?;
        }
        locked(&self.strays.0).insert(target, walk);
        Ok(())
    }
}
