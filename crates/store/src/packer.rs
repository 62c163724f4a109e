//! Small files leave the journal: the packer lays their sealed segments whole in lanes of shared packs.
//!
//! It reads journal objects back from the targets (their hash proves every byte), gives each segment to the emptiest
//! data lane, and makes parity by columns as lanes fill. The pack is read back before its record, so that the journal
//! objects it relieves can be released. Files that were deleted meanwhile are passed over.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use catalogue::segments::{Journalled, JournalledCursor};
use erasure::Code;
use format::shard::ShardHeader;
use model::{
    Change, Scope,
    id::{MakeId, PackId, SegmentId},
    pack::{Location, Make, MakeState, Pack},
    scheme::CODEC_RS8,
};

use crate::{
    Inner, Store,
    error::{Error, Result},
    pack_writer::{LaneSink, Writing},
    pool::BUFFER_BYTES,
};

/// Most segments in one shared pack: bounds its index, which every shard carries.
const PACK_SEGMENTS_MAX: usize = 20_000;
/// How far lanes may fill unevenly before the shortest is padded along: the window of columns kept in memory.
const WINDOW_CELLS: u64 = 2;

impl Inner {
    /// Packs what waits in the journal, if enough or old enough; how many segments were packed.
    pub(crate) async fn pack_journalled(self: &Arc<Self>, everything: bool) -> Result<usize> {
        let (count, bytes) = self.catalogue.read(|tx| catalogue::segments::journalled_total(tx)).await?;
        if count == 0 {
            return Ok(0);
        }
        let topology = self.fleet.topology(self.now_us());
        let scheme = self.scheme_now(&topology)?;
        let full = u64::from(scheme.k) * self.settings.lane_bytes_max;
        if !everything && bytes < full && !self.upkeep.packing_is_due(self.now_us(), self.settings.pack_after_s) {
            return Ok(0);
        }
        let mut packed = 0;
        loop {
            let done = self.pack_once(full).await?;
            packed += done;
            let left = self.catalogue.read(|tx| catalogue::segments::journalled_total(tx)).await?.1;
            if done == 0 || (left < full && !everything) || left == 0 {
                break;
            }
        }
        self.upkeep.packed(self.now_us());
        Ok(packed)
    }

    /// Writes one shared pack of the oldest journalled segments.
    async fn pack_once(self: &Arc<Self>, full: u64) -> Result<usize> {
        // Leave room for lanes that fill unevenly.
        let take = full - full / 16;
        let waiting = self
            .catalogue
            .read(move |tx| {
                catalogue::segments::oldest_journalled(tx, None::<JournalledCursor>, PACK_SEGMENTS_MAX, take)
            })
            .await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let dead: Vec<SegmentId> = waiting.iter().filter(|(_, live)| !live).map(|(row, _)| row.segment).collect();
        let live: Vec<Journalled> = waiting.into_iter().filter(|(_, live)| *live).map(|(row, _)| row).collect();
        let count = live.len() + dead.len();
        if live.is_empty() {
            self.forget_journalled(dead).await?;
            return Ok(count);
        }
        let pack = self.write_shared(&live).await?;
        let id = pack.id;
        let now = self.world.clock.now();
        let (at, generation) = (self.service_time(), self.generation());
        Store(self.clone())
            .commit(move |tx, draft| {
                if !catalogue::intents::close(tx, id)? {
                    return Err(Error::IntentClosed { pack: id });
                }
                for segment in live.iter().map(|row| &row.segment).chain(&dead) {
                    catalogue::segments::delete_journalled(tx, *segment)?;
                }
                let proven = catalogue::packs::Finding {
                    state: MakeState::Good,
                    verified_us: Some(now.wall_us),
                    verified_at: at,
                    verified_generation: generation,
                };
                let makes = pack.makes.clone();
                for make in &makes {
                    catalogue::packs::set_finding(tx, id, make.make, &proven)?;
                }
                draft.change(Scope::Cluster, Change::Pack(pack));
                draft.change(Scope::Cluster, Change::Makes { pack: id, makes });
                Ok(())
            })
            .await?;
        Ok(count)
    }

    async fn forget_journalled(self: &Arc<Self>, segments: Vec<SegmentId>) -> Result<()> {
        Store(self.clone())
            .commit(move |tx, _| {
                for segment in &segments {
                    catalogue::segments::delete_journalled(tx, *segment)?;
                }
                Ok::<_, Error>(())
            })
            .await
    }

    /// Writes a shared pack and reads every shard back.
    async fn write_shared(self: &Arc<Self>, rows: &[Journalled]) -> Result<Pack> {
        let shared = Shared::open(self).await?;
        let id = shared.id;
        let written = self.fill_shared(shared, rows).await;
        if written.is_err() {
            self.give_up_pack(id).await?;
        }
        written
    }

    async fn fill_shared(self: &Arc<Self>, mut shared: Shared, rows: &[Journalled]) -> Result<Pack> {
        let mut at = 0;
        while at < rows.len() {
            let object = rows[at].object;
            let end = at + rows[at..].iter().take_while(|row| row.object == object).count();
            let view = self.catalogue.read(move |tx| catalogue::objects::view(tx, object)).await?;
            let targets: Vec<_> = view.iter().flat_map(|view| &view.copies).map(|copy| copy.target).collect();
            let name = view.map(|view| view.object.name).unwrap_or_default();
            let Some((_, bytes)) = self.read_journal(&name, &targets).await else {
                return Err(Error::Unreadable {
                    segment: rows[at].segment,
                    detail: format!("no copy of the journal object {name} can be read whole"),
                });
            };
            for row in &rows[at..end] {
                let range = row.offset as usize..(row.offset + row.bytes) as usize;
                if range.end > bytes.len() {
                    return Err(Error::Unreadable { segment: row.segment, detail: "beyond its object".to_owned() });
                }
                shared.add(row.segment, bytes.slice(range)).await;
            }
            at = end;
        }
        let pack = shared.close().await?;
        self.read_back(&pack).await?;
        Ok(pack)
    }

    /// Reads every make of a pack just written; those that are not right do not count, and the pack must still be
    /// settled on the rest.
    pub(crate) async fn read_back(self: &Arc<Self>, pack: &Pack) -> Result<()> {
        for make in &pack.makes {
            if let Err(error) = self.check_shard(pack.id, pack.k, make).await {
                return Err(Error::Unsafe {
                    providers_up: self.fleet.topology(self.now_us()).healthy_providers().len(),
                    detail: format!("a shard just written reads back wrong: {error}"),
                });
            }
        }
        Ok(())
    }
}

/// A shared pack that is being filled.
struct Shared {
    inner: Arc<Inner>,
    id: PackId,
    code: Code,
    k: usize,
    lanes: Vec<LaneSink>,
    filled: Vec<u64>,
    /// Parity by window: `parity[j]` covers lane bytes from `base`.
    parity: Vec<Vec<u8>>,
    base: u64,
    cell: u64,
    locations: Vec<Location>,
    _writing: Writing,
}

impl Shared {
    async fn open(inner: &Arc<Inner>) -> Result<Self> {
        let topology = inner.fleet.topology(inner.now_us());
        let scheme = inner.scheme_now(&topology)?;
        let wish = plan::Wish { scheme, aim: plan::Aim::Settled, lane_bytes: inner.settings.lane_bytes_max };
        let placement = plan::place(&wish, &topology, None, inner.world.entropy.as_ref())
            .map_err(|error| Error::Plan { detail: error.to_string() })?;
        let id = PackId::random(inner.world.entropy.as_ref());
        let writing = inner.writing(id);
        inner.open_intent(id).await?;
        let cell_bytes = inner.settings.cell_bytes;
        let lanes = (0u8..).zip(&placement.lanes).map(|(lane, target)| {
            let make = MakeId::random(inner.world.entropy.as_ref());
            let k = placement.scheme.k;
            let header = ShardHeader { cluster: inner.cluster, pack: id, make, lane, k, codec: CODEC_RS8, cell_bytes };
            LaneSink::start(inner, header, *target, 0)
        });
        let lanes: Vec<_> = lanes.collect();
        let k = usize::from(placement.scheme.k);
        Ok(Self {
            code: inner.code(placement.scheme)?,
            inner: inner.clone(),
            id,
            k,
            filled: vec![0; k],
            parity: vec![Vec::new(); lanes.len() - k],
            lanes,
            base: 0,
            cell: u64::from(cell_bytes),
            locations: Vec::new(),
            _writing: writing,
        })
    }

    /// Lays a segment whole at the end of the emptiest lane.
    async fn add(&mut self, segment: SegmentId, sealed: Bytes) {
        let lane = (0..self.k).min_by_key(|lane| self.filled[*lane]).unwrap_or(0);
        let offset = self.filled[lane];
        self.locations.push(Location { segment, lane: Some(lane as u8), offset, bytes: sealed.len() as u64 });
        self.lay(lane, sealed).await;
        let lowest = self.filled.iter().copied().min().unwrap_or(0);
        if lowest >= self.base + WINDOW_CELLS * self.cell {
            self.flush(lowest / self.cell * self.cell).await;
        }
    }

    async fn lay(&mut self, lane: usize, bytes: Bytes) {
        let from = (self.filled[lane] - self.base) as usize;
        let to = from + bytes.len();
        for parity in &mut self.parity {
            if parity.len() < to {
                parity.resize(to, 0);
            }
        }
        let mut columns: Vec<&mut [u8]> = self.parity.iter_mut().map(|parity| &mut parity[from..to]).collect();
        self.code.add(lane as u8, &bytes, &mut columns);
        self.filled[lane] += bytes.len() as u64;
        self.lanes[lane].send(bytes).await;
    }

    /// Sends the parity of all columns below `to`.
    async fn flush(&mut self, to: u64) {
        let count = (to - self.base) as usize;
        for j in 0..self.parity.len() {
            let cut = count.min(self.parity[j].len());
            let rest = self.parity[j].split_off(cut);
            let done = Bytes::from(std::mem::replace(&mut self.parity[j], rest));
            let mut at = 0;
            while at < done.len() {
                let end = (at + BUFFER_BYTES).min(done.len());
                self.lanes[self.k + j].send(done.slice(at..end)).await;
                at = end;
            }
        }
        self.base = to;
    }

    async fn close(mut self) -> Result<Pack> {
        let longest = self.filled.iter().copied().max().unwrap_or(0);
        self.flush(longest.max(self.base)).await;
        let locations = Arc::new(std::mem::take(&mut self.locations));
        for lane in &self.lanes {
            lane.ask_close(&locations).await;
        }
        let mut makes: BTreeMap<u8, Make> = BTreeMap::new();
        let mut failed = 0;
        for (lane, sink) in (0u8..).zip(std::mem::take(&mut self.lanes)) {
            match sink.finish().await {
                Ok((target, make, finished)) => {
                    let make = Make { lane, make, target, lane_bytes: finished.lane_bytes, root: finished.root };
                    makes.insert(lane, make);
                }
                Err(_) => failed += 1,
            }
        }
        if failed > 0 {
            // The journal still has every byte: begin again rather than record a hurt pack.
            let providers_up = self.inner.fleet.topology(self.inner.now_us()).healthy_providers().len();
            return Err(Error::Unsafe { providers_up, detail: format!("{failed} targets failed while packing") });
        }
        Ok(Pack {
            id: self.id,
            k: self.k as u8,
            codec: CODEC_RS8,
            cell_bytes: self.cell as u32,
            makes: makes.into_values().collect(),
            locations: locations.as_ref().clone(),
        })
    }
}
