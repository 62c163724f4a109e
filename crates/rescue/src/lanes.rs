//! Bytes of one pack's lanes: as they lie there, or proven by their hashes and made again where they are lost.
//!
//! Two ways to read, for two grades of trust:
//! - [`Lanes::plain`] reads just the bytes asked for. Whoever unseals frames from them needs no hash, and healthy lanes
//!   cost nothing beyond their reading.
//! - [`Lanes::proven`] reads whole 64 KiB blocks, checks each against the make's hash list, and makes lost blocks from
//!   the same blocks of k other lanes. Nothing unproven enters the decoder.
//!
//! A block row is the same block of all lanes: damage is repaired row by row, so that a pack with one bad block in every
//! lane is still whole as long as no row lacks more than its parity.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use format::{
    HashList, LaneHasher,
    name::{parse_shard_name, shard_name},
    shard::{
        FOOTER_BYTES, Footer, HEADER_BYTES, decode_footer, decode_hash_list, hash_list_bytes, lane_range_in_shard,
    },
};
use futures_util::future::join_all;
use model::{
    Class,
    id::{MakeId, PackId, TargetId},
};

use crate::{
    finding::Finding,
    places::{Candidate, KnownPack, Shape},
    run::{BLOCK, Run, Runs, better, blocks, hull, is_block},
    sources::Sources,
};

/// How much of a lane is hashed at once when its hash list has to be made anew.
const REHASH_BYTES: u64 = 4 << 20;

/// A pack that is being read, and what was learned about its shards meanwhile.
pub(crate) struct Lanes {
    pub(crate) pack: PackId,
    pub(crate) shape: Shape,
    code: erasure::Code,
    learned: Mutex<Learned>,
}

#[derive(Default)]
struct Learned {
    candidates: Vec<Candidate>,
    /// Where a make was found.
    found: BTreeMap<MakeId, usize>,
    /// Sources that do not have a make, or did not give it.
    absent: BTreeSet<(MakeId, usize)>,
    /// Lanes that no source could give: decoded from now on without asking again.
    lost: BTreeSet<u8>,
    /// Hash lists whose root is the recorded one; `None` where there is none to be had.
    lists: BTreeMap<MakeId, Option<Arc<HashList>>>,
    /// The last rebuild: the same lanes are mostly lost again.
    rebuild: Option<erasure::Rebuild>,
    widened: bool,
}

impl Lanes {
    /// `None` if no codec reads such a pack.
    pub(crate) fn open(pack: PackId, known: KnownPack) -> Option<Self> {
        if known.shape.codec != model::scheme::CODEC_RS8 {
            return None;
        }
        let code = erasure::Code::new(known.shape.k, 0).ok()?;
        let learned = Learned { candidates: known.makes, ..Learned::default() };
        Some(Self { pack, shape: known.shape, code, learned: Mutex::new(learned) })
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn candidates(&self) -> Vec<Candidate> {
        self.learned().candidates.clone()
    }

    fn of_lane(&self, lane: u8) -> Vec<Candidate> {
        self.learned().candidates.iter().filter(|candidate| candidate.lane == lane).copied().collect()
    }

    /// Reads exactly these ranges, in parallel, unproven. `None` as soon as one lane cannot give its range.
    pub(crate) async fn plain(&self, sources: &Sources, ranges: &BTreeMap<u8, Range<u64>>) -> Option<Runs> {
        if ranges.keys().any(|lane| self.learned().lost.contains(lane)) {
            return None;
        }
        let reads = ranges.iter().map(|(lane, range)| async move {
            let bytes = self.read_lane(sources, *lane, range.clone()).await?;
            Some((*lane, Run { start: range.start, bytes, bad: BTreeSet::new() }))
        });
        join_all(reads).await.into_iter().collect()
    }

    /// A range of a lane from the first make and source that give it.
    async fn read_lane(&self, sources: &Sources, lane: u8, range: Range<u64>) -> Option<Bytes> {
        for candidate in self.of_lane(lane) {
            if range.end > candidate.lane_bytes {
                continue;
            }
            for source in self.where_of(sources, &candidate) {
                if let Some(bytes) = self.read_at(sources, &candidate, source, range.clone()).await {
                    return Some(bytes);
                }
            }
        }
        self.learned().lost.insert(lane);
        None
    }

    /// The sources that may have a make, the likeliest first.
    fn where_of(&self, sources: &Sources, candidate: &Candidate) -> Vec<usize> {
        let likely = sources.likely(candidate.target);
        let learned = self.learned();
        let found = learned.found.get(&candidate.make).copied();
        let rest = likely.into_iter().filter(|source| Some(*source) != found);
        found.into_iter().chain(rest).filter(|source| !learned.absent.contains(&(candidate.make, *source))).collect()
    }

    /// A range of a make's lane at one source, or `None` and a lesson.
    async fn read_at(
        &self,
        sources: &Sources,
        candidate: &Candidate,
        source: usize,
        range: Range<u64>,
    ) -> Option<Bytes> {
        let name = shard_name(self.pack, candidate.lane, candidate.make);
        match sources.read(source, &name, lane_range_in_shard(range)).await {
            Ok(bytes) => {
                if self.learned().found.insert(candidate.make, source) != Some(source)
                    && let Some(target) = candidate.target
                {
                    sources.remember(target, source);
                }
                Some(bytes)
            }
            Err(error) => {
                if error.class() != Class::Missing {
                    sources.note_failed(source, &name, &error);
                }
                self.learned().absent.insert((candidate.make, source));
                None
            }
        }
    }

    /// Reads `ranges` as whole blocks, proven by hashes, and makes from other lanes what is lost. Blocks that cannot be had
    /// are marked bad in what is returned.
    pub(crate) async fn proven(&self, sources: &Sources, ranges: &BTreeMap<u8, Range<u64>>) -> Runs {
        let Some(hull) = hull(ranges) else { return Runs::new() };
        let needed: BTreeSet<u8> = ranges.keys().copied().collect();
        let reads = needed.iter().map(|lane| async { (*lane, self.proven_lane(sources, *lane, hull.clone()).await) });
        let mut runs: Runs = join_all(reads).await.into_iter().collect();
        let lacking: BTreeSet<u64> = runs.values().flat_map(|run| run.bad.iter().copied()).collect();
        let (Some(first), Some(last)) = (lacking.first(), lacking.last()) else { return runs };
        let part = first * BLOCK..((last + 1) * BLOCK).min(hull.end);
        let k = usize::from(self.shape.k);
        let mut others: Vec<u8> = self.candidates().iter().map(|candidate| candidate.lane).collect();
        others.sort_unstable();
        others.dedup();
        others.retain(|lane| !needed.contains(lane));
        others.reverse();
        loop {
            let good = |row: &u64| runs.values().filter(|run| !run.bad.contains(row)).count();
            let deficit = lacking.iter().map(|row| k.saturating_sub(good(row))).max().unwrap_or(0);
            if deficit == 0 || others.is_empty() {
                break;
            }
            let next = others.split_off(others.len().saturating_sub(deficit));
            let reads = next.iter().map(|lane| async { (*lane, self.proven_lane(sources, *lane, part.clone()).await) });
            runs.extend(join_all(reads).await);
        }
        self.decode(&needed, &lacking, &mut runs);
        runs.retain(|lane, _| needed.contains(lane));
        runs
    }

    /// One lane's blocks of `hull`, from whichever makes and sources have them right.
    async fn proven_lane(&self, sources: &Sources, lane: u8, hull: Range<u64>) -> Run {
        let mut best = Run { start: hull.start, bytes: Bytes::new(), bad: blocks(&hull).collect() };
        for candidate in self.of_lane(lane) {
            let range = hull.start.min(candidate.lane_bytes)..hull.end.min(candidate.lane_bytes);
            if range.is_empty() {
                // The lane ends before: zeros follow, for the decoder as for everybody.
                return Run { bad: BTreeSet::new(), ..best };
            }
            let Some(list) = self.hash_list(sources, &candidate).await else { continue };
            for source in self.where_of(sources, &candidate) {
                let Some(bytes) = self.read_at(sources, &candidate, source, range.clone()).await else { continue };
                let bad: BTreeSet<u64> =
                    blocks(&range).filter(|block| !is_block(&list, *block, &bytes, &range)).collect();
                if !bad.is_empty() {
                    let name = shard_name(self.pack, lane, candidate.make);
                    sources.note_bad_copy(source, &name, format!("{} of its blocks are damaged", bad.len()));
                }
                best = better(best, Run { start: range.start, bytes, bad });
                if best.bad.is_empty() {
                    return best;
                }
            }
        }
        best
    }

    /// The hash list of a make: one whose root is the candidate's. If every copy of the list is damaged, the lane is read
    /// whole and hashed: its root decides then.
    async fn hash_list(&self, sources: &Sources, candidate: &Candidate) -> Option<Arc<HashList>> {
        if let Some(known) = self.learned().lists.get(&candidate.make) {
            return known.clone();
        }
        let start = HEADER_BYTES as u64 + candidate.lane_bytes;
        let range = start..start + hash_list_bytes(candidate.lane_bytes);
        let name = shard_name(self.pack, candidate.lane, candidate.make);
        let mut found = None;
        let mut readable = Vec::new();
        for source in self.where_of(sources, candidate) {
            let bytes = match sources.read(source, &name, range.clone()).await {
                Ok(bytes) => bytes,
                Err(error) if error.class() == Class::Missing => continue,
                // Its end is cut off; the lane may still be there.
                Err(_) => {
                    readable.push(source);
                    continue;
                }
            };
            match decode_hash_list(&bytes, candidate.lane_bytes, Some(&candidate.root)) {
                Ok(list) => {
                    found = Some(list);
                    break;
                }
                Err(error) => {
                    sources.note_bad_copy(source, &name, error);
                    readable.push(source);
                }
            }
        }
        if found.is_none() {
            for source in readable {
                found = self.rehash(sources, candidate, source).await;
                if found.is_some() {
                    break;
                }
            }
        }
        let found = found.map(Arc::new);
        self.learned().lists.insert(candidate.make, found.clone());
        found
    }

    /// Hashes a lane as it lies at a source; `None` unless its root is the candidate's.
    async fn rehash(&self, sources: &Sources, candidate: &Candidate, source: usize) -> Option<HashList> {
        let mut hasher = LaneHasher::new();
        while hasher.lane_bytes() < candidate.lane_bytes {
            let start = hasher.lane_bytes();
            let end = candidate.lane_bytes.min(start + REHASH_BYTES);
            hasher.update(&self.read_at(sources, candidate, source, start..end).await?);
        }
        let list = hasher.finish();
        (list.root() == candidate.root).then_some(list)
    }

    /// Makes the lacking rows of needed lanes from k lanes that have them, neighbours with the same lanes in one go.
    fn decode(&self, needed: &BTreeSet<u8>, lacking: &BTreeSet<u64>, runs: &mut Runs) {
        let k = usize::from(self.shape.k);
        let mut jobs: Vec<(Range<u64>, Vec<u8>, Vec<u8>)> = Vec::new();
        for row in lacking {
            let (good, bad): (Vec<_>, Vec<_>) = runs.iter().partition(|(_, run)| !run.bad.contains(row));
            let have: Vec<u8> = good.into_iter().map(|(lane, _)| *lane).take(k).collect();
            let want: Vec<u8> = bad.into_iter().map(|(lane, _)| *lane).filter(|lane| needed.contains(lane)).collect();
            if have.len() < k {
                continue;
            }
            match jobs.last_mut() {
                Some((rows, h, w)) if rows.end == *row && *h == have && *w == want => rows.end = row + 1,
                _ => jobs.push((*row..row + 1, have, want)),
            }
        }
        for (rows, have, want) in jobs {
            let inputs: Vec<&[u8]> = have.iter().map(|lane| runs[lane].rows(&rows)).collect();
            let mut made = vec![vec![0; ((rows.end - rows.start) * BLOCK) as usize]; want.len()];
            let mut outputs: Vec<&mut [u8]> = made.iter_mut().map(Vec::as_mut_slice).collect();
            self.rebuild(&have, &want).run(&inputs, &mut outputs);
            for (lane, bytes) in want.into_iter().zip(made) {
                runs.get_mut(&lane).expect("wanted lanes are among the runs").patch(&rows, &bytes);
            }
        }
    }

    fn rebuild(&self, have: &[u8], want: &[u8]) -> erasure::Rebuild {
        let mut learned = self.learned();
        match &learned.rebuild {
            Some(rebuild) if rebuild.have() == have && rebuild.want() == want => rebuild.clone(),
            _ => {
                let rebuild = self.code.plan_rebuild(have, want).expect("k distinct lanes of the codec");
                learned.rebuild.insert(rebuild).clone()
            }
        }
    }

    /// How many lanes some source gives, and which recorded ones none does, with the target that has them.
    pub(crate) fn standing(&self, sources: &Sources) -> (u8, Vec<(u8, TargetId)>) {
        let mut there = BTreeSet::new();
        let mut lacking = BTreeMap::new();
        for candidate in self.candidates() {
            let listed = !matches!(self.learned().lists.get(&candidate.make), Some(None));
            if listed && !self.where_of(sources, &candidate).is_empty() {
                there.insert(candidate.lane);
            } else if let Some(target) = candidate.target {
                lacking.entry(candidate.lane).or_insert(target);
            }
        }
        lacking.retain(|lane, _| !there.contains(lane));
        (there.len() as u8, lacking.into_iter().collect())
    }

    /// Looks for shards of this pack that no record names, at all sources. Returns whether there are any. They are believed
    /// as far as their own footers go; frame tags decide.
    pub(crate) async fn widen(&self, sources: &Sources) -> bool {
        if std::mem::replace(&mut self.learned().widened, true) {
            return self.candidates().iter().any(|candidate| candidate.target.is_none());
        }
        let prefix = shard_name(self.pack, 0, MakeId::default());
        let prefix = prefix.split_once('.').map_or(prefix.as_str(), |(before, _)| before);
        let mut found = Vec::new();
        for (name, held) in sources.list(&format!("{prefix}.")).await {
            let known = parse_shard_name(&name)
                .is_none_or(|shard| self.candidates().iter().any(|candidate| candidate.make == shard.make));
            if known {
                continue;
            }
            for copy in held {
                if let Some(footer) = read_footer(sources, copy.source, &name, copy.bytes).await
                    && footer.header.pack == self.pack
                    && (footer.header.k, footer.header.cell_bytes) == (self.shape.k, self.shape.cell_bytes)
                {
                    found.push(unvouched(&footer));
                    break;
                }
            }
        }
        let mut learned = self.learned();
        found.iter().for_each(|candidate| _ = learned.lost.remove(&candidate.lane));
        learned.candidates.extend(found);
        let any = learned.candidates.iter().any(|candidate| candidate.target.is_none());
        if any {
            sources.note(Finding::Unvouched { pack: self.pack });
        }
        any
    }

    /// The blocks around a range of one candidate's lane, proven by its own hash list alone.
    pub(crate) async fn of_candidate(&self, sources: &Sources, candidate: &Candidate, hull: Range<u64>) -> Option<Run> {
        let range = hull.start.min(candidate.lane_bytes)..hull.end.min(candidate.lane_bytes);
        if range.is_empty() {
            return Some(Run { start: hull.start, bytes: Bytes::new(), bad: BTreeSet::new() });
        }
        let list = self.hash_list(sources, candidate).await?;
        for source in self.where_of(sources, candidate) {
            if let Some(bytes) = self.read_at(sources, candidate, source, range.clone()).await
                && blocks(&range).all(|block| is_block(&list, block, &bytes, &range))
            {
                return Some(Run { start: range.start, bytes, bad: BTreeSet::new() });
            }
        }
        None
    }

    /// Makes `needed` from exactly these k runs.
    pub(crate) fn decode_from(&self, chosen: &Runs, needed: &BTreeSet<u8>, hull: &Range<u64>) -> Runs {
        let rows: BTreeSet<u64> = blocks(hull).collect();
        let mut runs = chosen.clone();
        for lane in needed {
            let lost = Run { start: hull.start, bytes: Bytes::new(), bad: rows.clone() };
            runs.entry(*lane).or_insert(lost);
        }
        self.decode(needed, &rows, &mut runs);
        runs
    }
}

/// A shard's footer, if it has one that is whole.
pub(crate) async fn read_footer(sources: &Sources, source: usize, name: &str, bytes: u64) -> Option<Footer> {
    let start = bytes.checked_sub(FOOTER_BYTES as u64)?;
    let read = sources.read(source, name, start..bytes).await;
    let bytes = read.map_err(|error| sources.note_failed(source, name, &error)).ok()?;
    decode_footer(&bytes).map_err(|error| sources.note_bad_copy(source, name, error)).ok()
}

/// What a footer says of its make.
pub(crate) fn unvouched(footer: &Footer) -> Candidate {
    let Footer { header, lane_bytes, root, .. } = *footer;
    Candidate { lane: header.lane, make: header.make, lane_bytes, root, target: None }
}
