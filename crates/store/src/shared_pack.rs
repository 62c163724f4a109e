//! A shared pack: sealed segments of small files, each whole in one lane.
//!
//! A segment goes to the end of the emptiest data lane, and parity is made by columns as lanes fill: what is kept in
//! memory is the window of columns in which some lanes are filled and others not yet. The packer fills such packs from
//! the journal, repack from packs that are mostly dead. Whoever fills one reads it back before it is recorded.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use catalogue::{Tx, packs::Finding};
use erasure::Code;
use format::shard::ShardHeader;
use model::{
    Change, Scope,
    id::{MakeId, PackId, SegmentId},
    pack::{Location, Make, MakeState, Pack},
    scheme::CODEC_RS8,
};

use crate::{
    Draft, Inner,
    error::{Error, Result},
    kinds::JobKind,
    pacer::Work,
    pack_writer::{LaneSink, Writing},
    pool::BUFFER_BYTES,
};

/// Most segments in one shared pack: bounds its index, which every shard carries.
pub(crate) const PACK_SEGMENTS_MAX: usize = 20_000;
/// How far lanes may fill unevenly before the shortest is padded along: the window of columns kept in memory.
const WINDOW_CELLS: u64 = 2;

/// Sealed bytes that a shared pack of `full` bytes takes: some room is left for lanes that fill unevenly.
pub(crate) const fn shared_bytes(full: u64) -> u64 {
    full - full / 16
}

/// A shared pack that is being filled.
pub(crate) struct Shared {
    inner: Arc<Inner>,
    pub id: PackId,
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
    /// Announces a pack and opens its shards.
    pub async fn open(inner: &Arc<Inner>) -> Result<Self> {
        let topology = inner.fleet.topology(inner.now_us());
        let placement = inner.place_pack(&topology)?;
        let id = PackId::random(inner.world.entropy.as_ref());
        let writing = inner.writing(id);
        inner.open_intent(id).await?;
        let cell_bytes = inner.settings.cell_bytes;
        let lanes = (0u8..).zip(&placement.lanes).map(|(lane, target)| {
            let make = MakeId::random(inner.world.entropy.as_ref());
            let k = placement.scheme.k;
            let header = ShardHeader { cluster: inner.cluster, pack: id, make, lane, k, codec: CODEC_RS8, cell_bytes };
            LaneSink::start(inner, header, *target, 0, false)
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
    pub async fn add(&mut self, segment: SegmentId, sealed: Bytes) {
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

    /// Ends the shards; the pack, if every one of them is durable.
    pub async fn close(mut self) -> Result<Pack> {
        let longest = self.filled.iter().copied().max().unwrap_or(0);
        self.flush(longest.max(self.base)).await;
        let locations = Arc::new(std::mem::take(&mut self.locations));
        for lane in &self.lanes {
            lane.ask_close(&locations).await;
        }
        let mut makes: BTreeMap<u8, Make> = BTreeMap::new();
        let mut failed = None;
        for (lane, sink) in (0u8..).zip(std::mem::take(&mut self.lanes)) {
            match sink.finish().await {
                Ok((target, make, finished)) => {
                    let make = Make { lane, make, target, lane_bytes: finished.lane_bytes, root: finished.root };
                    makes.insert(lane, make);
                }
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            // The journal still has every byte: begin again rather than record a hurt pack.
            let providers_up = self.inner.fleet.topology(self.inner.now_us()).healthy_providers().len();
            return Err(Error::Unsafe { providers_up, detail: format!("while packing, {error}") });
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

/// Records a shared pack that was read back, in a commit of its own or of what it replaces.
///
/// # Errors
/// [`Error::IntentClosed`] when the pack was given up meanwhile.
pub(crate) fn record_shared(tx: &mut Tx<'_>, draft: &mut Draft, pack: Pack, proven: &Finding) -> Result<()> {
    let id = pack.id;
    if !catalogue::intents::close(tx, id)? {
        return Err(Error::IntentClosed { pack: id });
    }
    let makes = pack.makes.clone();
    for make in &makes {
        catalogue::packs::set_finding(tx, id, make.make, proven)?;
    }
    draft.change(Scope::Cluster, Change::Pack(pack));
    draft.change(Scope::Cluster, Change::Makes { pack: id, makes });
    Ok(())
}

impl Inner {
    /// What is found of a make that was just read back.
    pub(crate) fn proven_now(&self) -> Finding {
        Finding {
            state: MakeState::Good,
            verified_us: Some(self.world.clock.now().wall_us),
            verified_at: self.service_time(),
            verified_generation: self.generation(),
        }
    }

    /// Reads every make of a pack just written; those that are not right do not count, and the pack must still be
    /// settled on the rest.
    pub(crate) async fn read_back(self: &Arc<Self>, pack: &Pack) -> Result<()> {
        for make in &pack.makes {
            if let Err(error) = self.check_shard(Work::waits(JobKind::Pack), pack.id, pack.k, make).await {
                return Err(Error::Unsafe {
                    providers_up: self.fleet.topology(self.now_us()).healthy_providers().len(),
                    detail: format!("a shard just written reads back wrong: {error}"),
                });
            }
        }
        Ok(())
    }
}
