//! New lanes from old ones: any lane of a pack is made from k others, cell by cell.
//!
//! Every block is checked before it enters the decoder, and what was written is read back before anybody names it. Repair
//! makes lanes that are missing, a writer adds parity to a pack that lost targets while it was written.

use std::{ops::Range, sync::Arc};

use bytes::{Bytes, BytesMut};
use format::shard::ShardHeader;
use futures_util::future::join_all;
use model::{
    id::MakeId,
    pack::{Make, MakeState, Pack},
};
use plan::NewLane;

use crate::{
    Inner,
    error::{Error, Result},
    kinds::JobKind,
    locate::PackPlace,
    pacer::Work,
    pack_writer::LaneSink,
};

/// Bytes of a lane that are made at once.
const STEP_BYTES: u64 = 1 << 20;

impl Inner {
    /// Makes these lanes, copied or from k others, and reads them back; `work` is told how far it is.
    pub(crate) async fn make_lanes(
        self: &Arc<Self>,
        work: Work,
        place: &PackPlace,
        codec: u8,
        locations: Vec<model::pack::Location>,
        write: &[NewLane],
    ) -> Result<Vec<Make>> {
        let lane_bytes = place.makes.iter().map(|(make, _)| make.lane_bytes).max().unwrap_or(0);
        let known = |lane: u8| place.makes.iter().find(|(make, _)| make.lane == lane).map(|(make, _)| make.lane_bytes);
        let sinks: Vec<(NewLane, u64, LaneSink)> = write
            .iter()
            .map(|new| {
                let make = MakeId::random(self.world.entropy.as_ref());
                let header = ShardHeader {
                    cluster: self.cluster,
                    pack: place.pack,
                    make,
                    lane: new.lane,
                    k: place.k,
                    codec,
                    cell_bytes: place.cell_bytes,
                };
                // A parity lane is as long as the longest data lane.
                let bytes = known(new.lane).unwrap_or_else(|| lane_length(new.lane, place, &locations, lane_bytes));
                (*new, bytes, LaneSink::start(self, header, new.target, bytes, false))
            })
            .collect();
        let mut at = 0;
        while at < lane_bytes {
            let end = (at + STEP_BYTES).min(lane_bytes);
            let made = self.copied_or_made(work, place, write, at..end).await.map_err(|detail| Error::Unreadable {
                segment: locations.first().map(|location| location.segment).unwrap_or_default(),
                detail,
            })?;
            for ((_, bytes, sink), made) in sinks.iter().zip(made) {
                let keep = bytes.saturating_sub(at).min(made.len() as u64) as usize;
                if keep > 0 {
                    sink.send(made.slice(..keep)).await;
                }
            }
            at = end;
        }
        let locations = Arc::new(locations);
        for (_, _, sink) in &sinks {
            sink.ask_close(&locations).await;
        }
        let mut made = Vec::with_capacity(sinks.len());
        for (new, _, sink) in sinks {
            let (target, make, finished) = sink.finish().await?;
            made.push(Make { lane: new.lane, make, target, lane_bytes: finished.lane_bytes, root: finished.root });
        }
        for make in &made {
            let read_back = self.check_shard(work, place.pack, place.k, make).await;
            if let Err(Error::Fleet(fleet::Error::Missing { .. })) = &read_back {
                self.fleet.dropped(make.target, self.now_us());
            }
            read_back?;
        }
        Ok(made)
    }

    /// A range of each lane: copied where a good make of it can be read, which costs one read instead of k, and made from
    /// k others where not. `work` is told what is read, and written of it.
    async fn copied_or_made(
        &self,
        work: Work,
        place: &PackPlace,
        write: &[NewLane],
        range: Range<u64>,
    ) -> std::result::Result<Vec<Bytes>, String> {
        let copy = async |new: &NewLane| {
            let make = self.good_make(place, new.lane)?;
            match self.read_lane_checked(place.pack, &make, range.clone()).await {
                Ok(bytes) => Some((make.target, bytes)),
                Err(error) => {
                    self.lane_failed(place.pack, &make, &error);
                    None
                }
            }
        };
        let copied = join_all(write.iter().map(copy)).await;
        let absent = write.iter().zip(&copied).filter(|(_, copied)| copied.is_none());
        let want: Vec<_> = absent.map(|(new, _)| (new.lane, range.clone())).collect();
        let read = write.len() - want.len() + if want.is_empty() { 0 } else { usize::from(place.k) };
        let (made, sources) = self.reconstruct_from(place, &want).await?;
        let mut made = made.into_iter().map(BytesMut::freeze);
        let step = range.end - range.start;
        let moved = step * (read + write.len()) as u64;
        let sources = sources.into_iter().chain(copied.iter().flatten().map(|(target, _)| *target));
        let at: Vec<_> = sources.chain(write.iter().map(|new| new.target)).map(|target| (target, step)).collect();
        self.pace(work, moved, &at).await;
        self.upkeep.jobs.did(work.kind.progress(), moved);
        copied
            .into_iter()
            .map(|copied| {
                copied.map(|(_, bytes)| bytes).or_else(|| made.next()).ok_or_else(|| "a lane is missing".to_owned())
            })
            .collect()
    }

    /// Adds parity to a pack that is being closed, until it is safe; all makes that count then.
    pub(crate) async fn strengthen(self: &Arc<Self>, pack: &Pack) -> Result<Vec<Make>> {
        let mut makes = pack.makes.clone();
        let providers_up = || self.fleet.topology(self.now_us()).healthy_providers().len();
        let deadline_us = self.now_us() + self.settings.write_deadline_s * 1_000_000;
        // With fewer than k lanes there is nothing to make others from, and no telling how long they were.
        let lanes: std::collections::BTreeSet<u8> = makes.iter().map(|make| make.lane).collect();
        if lanes.len() < usize::from(pack.k) {
            let detail = format!("{} of {} lanes were written before targets failed", lanes.len(), pack.k);
            return Err(Error::Unsafe { providers_up: providers_up(), detail });
        }
        loop {
            let topology = self.fleet.topology(self.now_us());
            let view = plan::PackView {
                id: pack.id,
                k: pack.k,
                lane_bytes: makes.iter().map(|make| make.lane_bytes).max().unwrap_or(0),
                lanes: makes
                    .iter()
                    .map(|make| plan::LaneView {
                        lane: make.lane,
                        make: make.make,
                        target: make.target,
                        state: MakeState::Good,
                        proven: None,
                    })
                    .collect(),
                held: false,
                acknowledged: false,
            };
            if plan::Spread::of_pack(&view, &topology).is_safe() {
                return Ok(makes);
            }
            let detail = |detail: String| Error::Unsafe { providers_up: providers_up(), detail };
            if self.now_us() > deadline_us {
                return Err(detail("no targets took the missing lanes in time".to_owned()));
            }
            let added = plan::place_added(&view, plan::Aim::Settled, &topology, self.world.entropy.as_ref())
                .or_else(|_| plan::place_added(&view, plan::Aim::Safe, &topology, self.world.entropy.as_ref()))
                .map_err(|error| detail(error.to_string()))?;
            let place = PackPlace {
                pack: pack.id,
                k: pack.k,
                cell_bytes: pack.cell_bytes,
                location: pack.locations.first().copied().unwrap_or(model::pack::Location {
                    segment: model::id::SegmentId::default(),
                    lane: None,
                    offset: 0,
                    bytes: 0,
                }),
                makes: Arc::new(makes.iter().map(|make| (*make, MakeState::Good)).collect()),
            };
            match self
                .make_lanes(Work::hurries(JobKind::Repair), &place, pack.codec, pack.locations.clone(), &added)
                .await
            {
                Ok(made) => makes.extend(made),
                Err(error @ Error::Unreadable { .. }) => return Err(detail(error.to_string())),
                // The target that failed is down now: plan again without it.
                Err(_) => self.world.timer.sleep(10_000).await,
            }
        }
    }
}

/// A pack as a place to read from, whatever lies in it.
pub(crate) fn place_of(view: &catalogue::packs::PackView) -> PackPlace {
    let nothing = model::pack::Location { segment: model::id::SegmentId::default(), lane: None, offset: 0, bytes: 0 };
    PackPlace {
        pack: view.id,
        k: view.k,
        cell_bytes: view.cell_bytes,
        location: nothing,
        makes: Arc::new(view.makes.iter().map(|view| (view.make, view.finding.state)).collect()),
    }
}

/// How long a lane is that no make is known of: a data lane ends where its last segment does, a parity lane is as long
/// as the longest.
fn lane_length(lane: u8, place: &PackPlace, locations: &[model::pack::Location], longest: u64) -> u64 {
    if lane >= place.k {
        return longest;
    }
    let cell = u64::from(place.cell_bytes);
    let ends = locations.iter().map(|location| match location.lane {
        Some(own) if own == lane => location.offset + location.bytes,
        Some(_) => 0,
        None => format::shard::lane_lengths(place.k, cell, location.offset + location.bytes)[usize::from(lane)],
    });
    ends.max().unwrap_or(0)
}
