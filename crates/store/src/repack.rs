//! Repack: packs that are mostly dead are rewritten without their dead bytes.
//!
//! `plan::repack` says which. Their live segments are read as they are, sealed, every block checked, and laid in a new
//! shared pack; it is read back and recorded, and with that record the segments lie there. What is left behind is a pack
//! in which nothing lives: reclaim records its end, and deletes its shards after the grace time. So at every moment,
//! also in a crash, each segment is in the pack that the record names.
//!
//! Large files have packs of their own, which die as a whole or not at all: those are left alone. One new pack in a round
//! bounds the traffic.

use std::sync::Arc;

use bytes::Bytes;
use catalogue::packs::PackView;
use model::{
    id::PackId,
    pack::{Location, Pack},
};
use plan::RepackPolicy;

use crate::{
    Inner, Store,
    error::{Error, Result},
    kinds::JobKind,
    lanes::place_of,
    pacer::Work,
    shared_pack::{PACK_SEGMENTS_MAX, Shared, record_shared, shared_bytes},
};

/// Hollow packs that one round chooses from.
const CHOICE: usize = 200;

/// A segment on its way out of a pack.
#[derive(Clone, Copy)]
struct Move {
    from: PackId,
    location: Location,
}

impl Inner {
    /// Rewrites what is worth it, into one new pack; how many packs were emptied.
    pub(crate) async fn repack(self: &Arc<Self>) -> Result<usize> {
        let topology = self.fleet.topology(self.now_us());
        if !topology.spent_providers().is_empty() || self.gate().await?.pause(&topology).is_some() {
            // Every firm gets a part of what is written, so this waits for the last of their budgets; and while nothing may be
            // destroyed, what is left behind could not go.
            return Ok(0);
        }
        let hollow = self.hollow().await?;
        if hollow.is_empty() {
            return Ok(0);
        }
        let scheme = self.scheme_now(&topology)?;
        let policy = RepackPolicy {
            live_percent: self.settings.repack_below_percent,
            bytes_max: shared_bytes(u64::from(scheme.k) * self.settings.lane_bytes_max),
        };
        let views: Vec<_> = hollow.iter().map(|pack| crate::view::of_repack(pack, &topology)).collect();
        let chosen = plan::repack(&views, &policy);
        let packs: Vec<&PackView> = hollow.iter().filter(|pack| chosen.contains(&pack.id)).collect();
        let mut moves = Vec::new();
        let mut emptied = 0;
        for pack in &packs {
            let live = self.live_in(pack.id).await?;
            if emptied > 0 && moves.len() + live.len() > PACK_SEGMENTS_MAX {
                break;
            }
            moves.extend(live);
            emptied += 1;
        }
        if moves.is_empty() {
            return Ok(0);
        }
        let pack = self.rewrite(&packs[..emptied], &moves).await?;
        self.record_moved(pack, moves).await?;
        Ok(emptied)
    }

    /// Packs that are half dead or more and whose live segments each lie in one lane.
    async fn hollow(&self) -> Result<Vec<PackView>> {
        let read = |tx: &mut catalogue::Tx<'_>| {
            let mut found = Vec::new();
            for pack in catalogue::packs::hollow(tx, (0, PackId::default()), CHOICE)? {
                let occupants = catalogue::segments::of_pack(tx, pack.id)?;
                if occupants.iter().all(|occupant| !occupant.live || occupant.location.lane.is_some()) {
                    found.push(pack);
                }
            }
            Ok(found)
        };
        Ok(self.catalogue.read(read).await?)
    }

    async fn live_in(&self, from: PackId) -> Result<Vec<Move>> {
        let occupants = self.catalogue.read(move |tx| catalogue::segments::of_pack(tx, from)).await?;
        let live = occupants.into_iter().filter(|occupant| occupant.live);
        Ok(live.map(|occupant| Move { from, location: occupant.location }).collect())
    }

    /// Lays the segments in a new pack and reads it back.
    async fn rewrite(self: &Arc<Self>, packs: &[&PackView], moves: &[Move]) -> Result<Pack> {
        let shared = Shared::open(self).await?;
        let id = shared.id;
        let written = self.lay_moved(shared, packs, moves).await;
        if written.is_err() {
            self.give_up_pack(id).await?;
        }
        written
    }

    async fn lay_moved(self: &Arc<Self>, mut shared: Shared, packs: &[&PackView], moves: &[Move]) -> Result<Pack> {
        for Move { from, location } in moves {
            let Some(pack) = packs.iter().find(|pack| pack.id == *from) else { continue };
            let sealed = self.read_whole(pack, location).await?;
            let source = self.best_make(&place_of(pack), location.lane.unwrap_or_default()).map(|make| make.target);
            let read: Vec<_> = source.map(|target| (target, location.bytes)).into_iter().collect();
            self.pace(Work::waits(JobKind::Repack), location.bytes, &read).await;
            shared.add(location.segment, sealed).await;
        }
        let pack = shared.close().await?;
        self.read_back(&pack).await?;
        Ok(pack)
    }

    /// A segment that lies whole in one lane, from its shard or made from others; every block is checked.
    async fn read_whole(&self, pack: &PackView, location: &Location) -> Result<Bytes> {
        let lane = location.lane.unwrap_or_default();
        let range = location.offset..location.offset + location.bytes;
        let place = place_of(pack);
        if let Some(make) = self.best_make(&place, lane) {
            match self.read_lane_checked(pack.id, &make, range.clone()).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => self.lane_failed(pack.id, &make, &error),
            }
        }
        let unreadable = |detail: String| Error::Unreadable { segment: location.segment, detail };
        let mut made = self.reconstruct(&place, &[(lane, range)]).await.map_err(unreadable)?;
        made.pop().map(bytes::BytesMut::freeze).ok_or_else(|| unreadable("nothing was made".to_owned()))
    }

    /// Records the new pack, if every segment still lies where it was read.
    async fn record_moved(self: &Arc<Self>, pack: Pack, moves: Vec<Move>) -> Result<()> {
        let proven = self.proven_now();
        Store(self.clone())
            .commit(move |tx, draft| {
                for Move { from, location } in &moves {
                    if catalogue::segments::pack_of(tx, location.segment)? != Some(*from) {
                        return Err(Error::PackChanged { pack: *from });
                    }
                }
                record_shared(tx, draft, pack, &proven)
            })
            .await
    }
}
