//! Leftovers: shards that lie at a target and that no list of ours leads to.
//!
//! The list of doomed shards is local. When a catalogue was rebuilt, or lost its tail in a crash, the record still says
//! that a pack is gone, and its shards still lie there. So after each start the names at every target are read once, some
//! in each round. A shard of a pack that a record declared gone is put on the list again, with the whole grace time.
//! Everything else is left alone: what no record knows is counted and reported, never deleted.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use catalogue::Tx;
use fleet::ObjectName;
use format::name::{ShardName, parse_shard_name, shard_name};
use model::{fleet::TargetState, id::TargetId};

use crate::{
    Inner, Store,
    error::{Error, Result},
    locked,
    reclaim::doom,
};

/// Names that are asked for in one round, of each target.
const PAGE: usize = 1_000;

/// How far the names of each target were read since the start.
#[derive(Default)]
pub(crate) struct Walk(Mutex<BTreeMap<TargetId, Target>>);

#[derive(Clone, Default)]
struct Target {
    after: Option<ObjectName>,
    ended: bool,
    unknown: usize,
}

/// What a name turned out to be.
enum Leftover {
    /// Its pack is recorded, announced or on the list.
    None,
    /// A record says that its pack is gone.
    Gone,
    /// No record knows its pack.
    Unknown,
}

fn judge(tx: &Tx<'_>, target: TargetId, shard: &ShardName, name: &str) -> catalogue::Result<Leftover> {
    if catalogue::packs::gone(tx, shard.pack)?.is_some() {
        return Ok(if catalogue::doomed::is_doomed(tx, target, name)? { Leftover::None } else { Leftover::Gone });
    }
    let known = catalogue::packs::is_known(tx, shard.pack)?
        || catalogue::intents::is_open(tx, shard.pack)?
        || catalogue::doomed::is_doomed(tx, target, name)?;
    Ok(if known { Leftover::None } else { Leftover::Unknown })
}

impl Inner {
    /// Reads the next names at every target that is up, until each was read to its end; with `everything` all of them.
    pub(crate) async fn find_leftovers(self: &Arc<Self>, everything: bool) -> Result<()> {
        for live in self.fleet.all().into_iter().filter(|live| live.state == TargetState::Up) {
            let target = live.row.id;
            while !self.walked(target).ended {
                self.next_names(target).await?;
                if !everything {
                    break;
                }
            }
        }
        let unknown: usize = locked(&self.leftovers.0).values().map(|target| target.unknown).sum();
        let found = format!("{unknown} shards at targets belong to no pack that a record knows; they are left alone");
        self.upkeep.finding("leftovers", (unknown > 0).then_some(found));
        Ok(())
    }

    fn walked(&self, target: TargetId) -> Target {
        locked(&self.leftovers.0).get(&target).cloned().unwrap_or_default()
    }

    async fn next_names(self: &Arc<Self>, target: TargetId) -> Result<()> {
        let mut walk = self.walked(target);
        let page = self.driver(target)?.list("shards/", walk.after.as_ref(), PAGE).await?;
        walk.after = page.objects.last().map(|listed| listed.name.clone());
        walk.ended = !page.more || walk.after.is_none();
        let shards: Vec<ShardName> =
            page.objects.iter().filter_map(|listed| parse_shard_name(listed.name.as_str())).collect();
        let judged = move |tx: &mut Tx<'_>| {
            let (mut gone, mut unknown) = (Vec::new(), 0);
            for shard in shards {
                let name = shard_name(shard.pack, shard.lane, shard.make);
                match judge(tx, target, &shard, &name)? {
                    Leftover::None => {}
                    Leftover::Gone => gone.push((shard.pack, name)),
                    Leftover::Unknown => unknown += 1,
                }
            }
            Ok((gone, unknown))
        };
        let (gone, unknown) = self.catalogue.read(judged).await?;
        walk.unknown += unknown;
        if !gone.is_empty() {
            let (at, grace_s) = (self.service_time(), self.settings.grace_s);
            Store(self.clone())
                .commit(move |tx, _| {
                    for (pack, name) in gone {
                        if catalogue::packs::gone(tx, pack)?.is_some() {
                            doom(tx, target, name, "reclaimed", at, grace_s)?;
                        }
                    }
                    Ok::<_, Error>(())
                })
                .await?;
        }
        locked(&self.leftovers.0).insert(target, walk);
        Ok(())
    }
}
