//! Writes one pack: sealed bytes in, k + m shards out, parity made on the way.
//!
//! A *striped* pack takes one stream and alternates over the data lanes cell by cell (a *cell* is
//! `cell_bytes` of a lane). Every piece (a quarter of a cell) is added into the m parity cells as it passes and goes to
//! its lane's task at once, so memory is m parity cells and a few pieces, whatever the pack's length: bytes are never
//! gathered into columns. A lane's task hashes and writes beside the others.
//!
//! A target that fails loses its lane, not the pack: [`PackWriter::close`] says which lanes are durable, and the caller
//! decides whether that is safe.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use erasure::Code;
use format::{
    name::shard_name,
    shard::{LaneHasher, ShardHeader, encode_header, encode_tail},
};
use model::{
    Scheme,
    id::{MakeId, PackId, TargetId},
    pack::{Location, Make, Pack},
    scheme::CODEC_RS8,
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Inner,
    error::{Error, Result},
    pool::{BUFFER_BYTES, Grant},
};

enum LaneWork {
    Bytes(Bytes),
    Close(Arc<Vec<Location>>),
}

/// A shard that is durable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finished {
    pub lane_bytes: u64,
    pub root: [u8; 32],
}

pub(crate) struct LaneSink {
    target: TargetId,
    make: MakeId,
    work: mpsc::Sender<LaneWork>,
    /// `None`: the pack was given up.
    done: oneshot::Receiver<fleet::Result<Option<Finished>>>,
    failed: Arc<AtomicBool>,
}

impl LaneSink {
    /// Starts a shard: its task takes one piece while another is being written. `ahead`: the driver may hold a part more.
    pub fn start(inner: &Arc<Inner>, header: ShardHeader, target: TargetId, bytes_hint: u64, ahead: bool) -> Self {
        let (work, pieces) = mpsc::channel(1);
        let (send, done) = oneshot::channel();
        let failed = Arc::new(AtomicBool::new(false));
        let driver = inner.roster.get(target);
        let flag = failed.clone();
        let state = inner.clone();
        inner.world.timer.spawn(Box::pin(async move {
            let result = match driver {
                Some(driver) => write_shard(driver.as_ref(), header, bytes_hint, ahead, pieces).await,
                None => {
                    Err(fleet::Error::Down { target: target.to_string(), reason: "it is not configured".to_owned() })
                }
            };
            if let Err(error) = &result {
                state.fleet.failed(target, error, state.now_us());
                flag.store(true, Ordering::Release);
            }
            let _ = send.send(result);
        }));
        Self { target, make: header.make, work, done, failed }
    }

    pub async fn send(&self, bytes: Bytes) {
        // A task that ended has failed; its result is read when the pack closes.
        let _ = self.work.send(LaneWork::Bytes(bytes)).await;
    }

    pub async fn ask_close(&self, locations: &Arc<Vec<Location>>) {
        let _ = self.work.send(LaneWork::Close(locations.clone())).await;
    }

    /// Waits until the shard is durable or failed, and says why it did.
    pub async fn finish(self) -> fleet::Result<(TargetId, MakeId, Finished)> {
        drop(self.work);
        match self.done.await {
            Ok(Ok(Some(finished))) => Ok((self.target, self.make, finished)),
            Ok(Err(error)) => Err(error),
            Ok(Ok(None)) | Err(_) => Err(fleet::Error::Down {
                target: self.target.to_string(),
                reason: "the writing of a shard was given up".to_owned(),
            }),
        }
    }
}

async fn write_shard(
    target: &dyn fleet::Target,
    header: ShardHeader,
    bytes_hint: u64,
    ahead: bool,
    mut work: mpsc::Receiver<LaneWork>,
) -> fleet::Result<Option<Finished>> {
    let name = fleet::ObjectName::parse(shard_name(header.pack, header.lane, header.make))?;
    let mut writer = target.create(&name, bytes_hint).await?;
    if ahead {
        writer.work_ahead();
    }
    writer.write(Bytes::copy_from_slice(&encode_header(&header))).await?;
    let mut hasher = LaneHasher::new();
    loop {
        match work.recv().await {
            Some(LaneWork::Bytes(bytes)) => {
                hasher.update(&bytes);
                writer.write(bytes).await?;
            }
            Some(LaneWork::Close(locations)) => {
                let hashes = hasher.finish();
                writer.write(Bytes::from(encode_tail(&header, &hashes, &locations))).await?;
                writer.finish().await?;
                return Ok(Some(Finished { lane_bytes: hashes.lane_bytes, root: hashes.root() }));
            }
            // Nobody is to blame: the sender broke off, or another lane made the pack worthless.
            None => return Ok(None),
        }
    }
}

/// A pack that is being written in striped order.
pub(crate) struct PackWriter {
    inner: Arc<Inner>,
    pub id: PackId,
    scheme: Scheme,
    cell_bytes: usize,
    piece_bytes: usize,
    code: Code,
    lanes: Vec<LaneSink>,
    /// `parity[j][p]`: piece p of the cell of parity lane j that is being gathered.
    parity: Vec<Vec<Vec<u8>>>,
    /// Next byte in striped order.
    at: u64,
    locations: Vec<Location>,
    grant: Grant,
    /// What drivers hold until their shards are durable.
    part_bytes: u64,
    _ahead: Option<Grant>,
    _writing: Writing,
}

/// What the driver that holds most holds for one shard, beyond the pieces that it is given.
fn part_bytes(inner: &Inner, targets: impl Iterator<Item = TargetId>) -> u64 {
    targets.map(|target| inner.roster.get(target).map_or(0, |driver| driver.abilities().part_bytes)).max().unwrap_or(0)
}

impl PackWriter {
    /// Bytes that a transfer holds while it writes a pack of `scheme`: the parity cells, two pieces for each lane that
    /// may be on their way, and the piece that is being filled.
    pub fn memory_bytes(scheme: Scheme, cell_bytes: u32) -> u64 {
        let cell = u64::from(cell_bytes);
        let piece = cell.min(BUFFER_BYTES as u64);
        u64::from(scheme.m) * cell + 2 * u64::from(scheme.lanes()) * piece + piece
    }

    /// Bytes that a pack written now would hold: [`Self::memory_bytes`], and what drivers hold beyond the pieces they are
    /// given (`Abilities::part_bytes`), for each lane.
    pub fn wanted_bytes(inner: &Inner) -> Result<u64> {
        let topology = inner.fleet.topology(inner.now_us());
        let scheme = inner.scheme_now(&topology)?;
        let parts = part_bytes(inner, topology.healthy().map(|view| view.id));
        // Nothing is drawn for an estimate: as if every lane lay at the target that holds most.
        Ok(Self::memory_bytes(scheme, inner.settings.cell_bytes) + u64::from(scheme.lanes()) * parts)
    }

    /// Announces a pack and opens its shards. `grant` covers [`Self::wanted_bytes`].
    pub async fn open(inner: &Arc<Inner>, grant: Grant) -> Result<Self> {
        let topology = inner.fleet.topology(inner.now_us());
        let placement = inner.place_pack(&topology)?;
        let scheme = placement.scheme;
        let id = PackId::random(inner.world.entropy.as_ref());
        let writing = inner.writing(id);
        inner.open_intent(id).await?;
        let code = inner.code(scheme)?;
        let cell_bytes = inner.settings.cell_bytes;
        let parts = u64::from(scheme.lanes()) * part_bytes(inner, placement.lanes.iter().copied());
        let ahead = if parts > 0 { inner.pool.spare(parts) } else { None };
        let lanes = (0u8..).zip(&placement.lanes).map(|(lane, target)| {
            let make = MakeId::random(inner.world.entropy.as_ref());
            let header =
                ShardHeader { cluster: inner.cluster, pack: id, make, lane, k: scheme.k, codec: CODEC_RS8, cell_bytes };
            LaneSink::start(inner, header, *target, 0, ahead.is_some())
        });
        let lanes = lanes.collect();
        let piece_bytes = (cell_bytes as usize).min(BUFFER_BYTES);
        let pieces = cell_bytes as usize / piece_bytes;
        let mut writer = Self {
            inner: inner.clone(),
            id,
            scheme,
            cell_bytes: cell_bytes as usize,
            piece_bytes,
            code,
            lanes,
            parity: Vec::new(),
            at: 0,
            locations: Vec::new(),
            grant,
            part_bytes: parts,
            _ahead: ahead,
            _writing: writing,
        };
        writer.parity =
            (0..scheme.m).map(|_| (0..pieces).map(|_| writer.parity_buffer()).collect::<Vec<_>>()).collect();
        Ok(writer)
    }

    fn parity_buffer(&self) -> Vec<u8> {
        let mut buffer = self.inner.pool.buffer();
        buffer.resize(self.piece_bytes, 0);
        buffer
    }

    /// Bytes of a piece: what [`Self::push`] takes at most.
    pub fn piece_bytes(&self) -> usize {
        self.piece_bytes
    }

    /// Sealed bytes that fit before the pack is full.
    pub fn room(&self) -> u64 {
        u64::from(self.scheme.k) * self.inner.settings.lane_bytes_max - self.at
    }

    /// Striped bytes so far.
    pub fn bytes(&self) -> u64 {
        self.at
    }

    /// Whether so many lanes failed that the pack should close on what it has.
    pub fn is_hurt(&self) -> bool {
        self.lanes.iter().any(|lane| lane.failed.load(Ordering::Acquire))
    }

    /// Notes that a segment's bytes lie at the last `bytes` of the pack.
    pub fn locate(&mut self, segment: model::id::SegmentId, offset: u64, bytes: u64) {
        self.locations.push(Location { segment, lane: None, offset, bytes });
    }

    /// Lays the next piece, at a multiple of the piece length; only the last one of a pack may be shorter.
    pub async fn push(&mut self, piece: Bytes) {
        let cell = self.cell_bytes as u64;
        let lane = ((self.at / cell) % u64::from(self.scheme.k)) as u8;
        let index = ((self.at % cell) as usize) / self.piece_bytes;
        {
            let mut columns: Vec<&mut [u8]> = self.parity.iter_mut().map(|cell| cell[index].as_mut_slice()).collect();
            if lane == 0 {
                self.code.set(0, &piece, &mut columns);
            } else {
                self.code.add(lane, &piece, &mut columns);
            }
        }
        self.at += piece.len() as u64;
        self.lanes[usize::from(lane)].send(piece).await;
        if lane == self.scheme.k - 1 && self.at.is_multiple_of(self.piece_bytes as u64) {
            self.send_parity(index, self.piece_bytes).await;
        }
    }

    async fn send_parity(&mut self, index: usize, bytes: usize) {
        for j in 0..usize::from(self.scheme.m) {
            let fresh = self.parity_buffer();
            let mut full = std::mem::replace(&mut self.parity[j][index], fresh);
            full.truncate(bytes);
            let piece = self.inner.pool.share(full);
            self.lanes[usize::from(self.scheme.k) + j].send(piece).await;
        }
    }

    /// Sends what parity the unfinished column has: as long as its longest cell, which is lane 0's.
    async fn flush_column(&mut self) {
        let cell = self.cell_bytes as u64;
        let column = cell * u64::from(self.scheme.k);
        let in_column = self.at % column;
        if in_column == 0 {
            return;
        }
        let longest = in_column.min(cell) as usize;
        let last_lane_starts = column - cell;
        let sent = if in_column > last_lane_starts {
            ((in_column - last_lane_starts) as usize) / self.piece_bytes * self.piece_bytes
        } else {
            0
        };
        let mut from = sent;
        while from < longest {
            let bytes = (longest - from).min(self.piece_bytes);
            self.send_parity(from / self.piece_bytes, bytes).await;
            from += self.piece_bytes;
        }
    }

    /// Ends the shards and waits until each is durable or failed. Gives back what it held itself before it waits.
    pub async fn close(mut self) -> Result<Closed> {
        self.flush_column().await;
        self.parity.clear();
        let locations = Arc::new(std::mem::take(&mut self.locations));
        for lane in &self.lanes {
            lane.ask_close(&locations).await;
        }
        let lanes = std::mem::take(&mut self.lanes);
        self.grant.shrink_to(self.part_bytes);
        let mut makes = Vec::with_capacity(lanes.len());
        for (lane, sink) in (0u8..).zip(lanes) {
            // A lane that failed is simply not there: what is left decides whether the pack is safe.
            if let Ok((target, make, finished)) = sink.finish().await {
                makes.push(Make { lane, make, target, lane_bytes: finished.lane_bytes, root: finished.root });
            }
        }
        let pack = Pack {
            id: self.id,
            k: self.scheme.k,
            codec: CODEC_RS8,
            cell_bytes: self.cell_bytes as u32,
            makes,
            locations: locations.as_ref().clone(),
        };
        Ok(Closed { pack, _writing: self._writing })
    }
}

/// A pack whose shards are all durable or failed.
#[derive(Debug)]
pub(crate) struct Closed {
    pub pack: Pack,
    _writing: Writing,
}

/// Says that somebody still writes this pack; dropping it lets reclaim give the pack up.
#[derive(Debug)]
pub(crate) struct Writing {
    pack: PackId,
    open: Weak<Inner>,
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(inner) = self.open.upgrade() {
            crate::locked(&inner.being_written).remove(&self.pack);
        }
    }
}

impl Inner {
    /// Where a full pack written now would lie.
    pub(crate) fn place_pack(&self, topology: &plan::Topology) -> Result<plan::Placement> {
        let scheme = self.scheme_now(topology)?;
        let wish = plan::Wish { scheme, aim: plan::Aim::Settled, lane_bytes: self.settings.lane_bytes_max };
        let sets = self.sets(topology);
        plan::place(&wish, topology, sets.as_deref(), self.world.entropy.as_ref()).map_err(|error| Error::Unsafe {
            providers_up: topology.healthy_providers().len(),
            detail: error.to_string(),
        })
    }

    pub(crate) fn writing(self: &Arc<Self>, pack: PackId) -> Writing {
        crate::locked(&self.being_written).insert(pack);
        Writing { pack, open: Arc::downgrade(self) }
    }

    pub(crate) fn is_being_written(&self, pack: PackId) -> bool {
        crate::locked(&self.being_written).contains(&pack)
    }
}

#[cfg(test)]
mod tests {
    use model::units::CELL_BYTES;

    use super::PackWriter;

    #[test]
    fn a_transfer_holds_at_most_16_mib_in_every_scheme_offered() {
        for providers in 2..=12 {
            for scheme in plan::offered(providers) {
                let bytes = PackWriter::memory_bytes(*scheme, CELL_BYTES as u32);
                assert!(bytes <= 16 << 20, "{scheme} on {providers}: {bytes}");
            }
        }
    }
}
