//! Where bytes lie, and the two ways to get a byte range of a lane: from its shard, or from k other lanes.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Range,
    sync::{Arc, Mutex},
};

use bytes::{Bytes, BytesMut};
use erasure::Code;
use fleet::ObjectName;
use format::{
    name::shard_name,
    shard::{HEADER_BYTES, HashList, decode_hash_list, hash_list_bytes, lane_range_in_shard},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use model::{
    entry::{Content, Version},
    fleet::TargetState,
    id::{MakeId, PackId, SegmentId, TargetId},
    pack::{Location, Make, MakeState},
    units::HASH_BLOCK_BYTES,
};

use crate::{
    Inner,
    error::{Error, Result},
};

/// Where one segment lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In its version's row.
    Inline,
    /// In a journal object, until it is packed.
    Journal(JournalPlace),
    /// In a pack.
    Pack(PackPlace),
    /// No record says where.
    Nowhere,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalPlace {
    pub name: String,
    pub offset: u64,
    pub targets: Vec<TargetId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PackPlace {
    pub pack: PackId,
    pub k: u8,
    pub cell_bytes: u32,
    pub location: Location,
    pub makes: Arc<Vec<(Make, MakeState)>>,
}

/// Hash lists of makes that were read degraded or scrubbed lately: 16 bytes in 32 KiB of lane.
#[derive(Debug, Default)]
pub(crate) struct HashLists(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    lists: BTreeMap<MakeId, Arc<HashList>>,
    /// Oldest first.
    order: VecDeque<MakeId>,
}

/// A 64 MiB lane has 32 KiB of hashes: 256 lists are 8 MiB.
const HASH_LISTS_KEPT: usize = 256;

impl HashLists {
    fn get(&self, make: MakeId) -> Option<Arc<HashList>> {
        crate::locked(&self.0).lists.get(&make).cloned()
    }

    /// Reads it anew next time: scrub trusts nothing that was read before.
    pub(crate) fn forget(&self, make: MakeId) {
        let Kept { lists, order } = &mut *crate::locked(&self.0);
        if lists.remove(&make).is_some() {
            order.retain(|kept| *kept != make);
        }
    }

    fn keep(&self, make: MakeId, list: Arc<HashList>) {
        let Kept { lists, order } = &mut *crate::locked(&self.0);
        if lists.insert(make, list).is_none() {
            order.push_back(make);
        }
        while order.len() > HASH_LISTS_KEPT {
            if let Some(oldest) = order.pop_front() {
                lists.remove(&oldest);
            }
        }
    }
}

impl Inner {
    /// Where each segment of a version lies, in order.
    pub(crate) async fn locate(&self, version: &Version) -> Result<Vec<Place>> {
        if let Content::Inline { .. } = version.content {
            return Ok(vec![Place::Inline]);
        }
        let segments: Vec<_> = version.segments().iter().map(|segment| segment.id).collect();
        let read = move |tx: &mut catalogue::Tx<'_>| {
            let mut packs = BTreeMap::new();
            segments.iter().map(|segment| locate_one(tx, *segment, &mut packs)).collect::<catalogue::Result<Vec<_>>>()
        };
        Ok(self.catalogue.read(read).await?)
    }

    /// Where one segment lies now.
    pub(crate) async fn locate_again(&self, segment: SegmentId) -> Result<Place> {
        Ok(self.catalogue.read(move |tx| locate_one(tx, segment, &mut BTreeMap::new())).await?)
    }

    /// A range of an object at one target.
    pub(crate) async fn read_object(&self, target: TargetId, name: &str, range: Range<u64>) -> Result<Bytes> {
        let driver = self.driver(target)?;
        let name = ObjectName::parse(name)?;
        let (bytes, asked) = (range.end - range.start, self.asked(target));
        let read = driver.read(&name, range).await;
        let took_us = asked.ended();
        match &read {
            Ok(_) => self.speed.note(target, bytes, took_us, self.now_us()),
            Err(error) => self.fleet.failed(target, error, self.now_us()),
        }
        Ok(read?)
    }

    pub(crate) fn driver(&self, target: TargetId) -> Result<Arc<dyn fleet::Target>> {
        let missing = || fleet::Error::Down { target: target.to_string(), reason: "it is not configured".to_owned() };
        Ok(self.roster.get(target).ok_or_else(missing)?)
    }

    /// The make of a lane that is best read: good and at a target that is up; `None` if there is none.
    pub(crate) fn best_make(&self, place: &PackPlace, lane: u8) -> Option<Make> {
        self.best_make_but(place, lane, &BTreeSet::new())
    }

    /// As [`Self::best_make`], without those that were tried in vain.
    fn best_make_but(&self, place: &PackPlace, lane: u8, in_vain: &BTreeSet<MakeId>) -> Option<Make> {
        self.first_make(place, lane, in_vain, |target, make| match (target, make) {
            (_, MakeState::Bad) => None,
            (TargetState::Up, MakeState::Good) => Some(0),
            (TargetState::Up, MakeState::Suspect) => Some(1),
            (TargetState::Suspect, _) => Some(2),
            _ => None,
        })
    }

    /// A make of a lane that counts, if there is one.
    pub(crate) fn good_make(&self, place: &PackPlace, lane: u8) -> Option<Make> {
        self.first_make(place, lane, &BTreeSet::new(), |target, make| {
            (target == TargetState::Up && make == MakeState::Good).then_some(0)
        })
    }

    /// A make of a lane at a target that is believed down. It is asked when nothing else is left: a disk that fails to
    /// sync may still read, and a target may be back before the next probe says so.
    fn last_make(&self, place: &PackPlace, lane: u8, in_vain: &BTreeSet<MakeId>) -> Option<Make> {
        self.first_make(place, lane, in_vain, |target, make| {
            (target == TargetState::Down && make != MakeState::Bad).then_some(0)
        })
    }

    fn first_make(
        &self,
        place: &PackPlace,
        lane: u8,
        in_vain: &BTreeSet<MakeId>,
        rank: impl Fn(TargetState, MakeState) -> Option<u8>,
    ) -> Option<Make> {
        let of_lane = place.makes.iter().filter(|(make, _)| make.lane == lane && !in_vain.contains(&make.make));
        let ranked: Vec<_> =
            of_lane.filter_map(|(make, state)| Some((rank(self.fleet.state(make.target)?, *state)?, *make))).collect();
        // Few lanes have more than one make.
        if let [(_, only)] = ranked.as_slice() {
            return Some(*only);
        }
        let sources: Vec<_> = ranked.iter().map(|(rank, make)| self.source(make.target, *rank)).collect();
        plan::prefer(&sources).first().map(|best| ranked[*best].1)
    }

    /// A byte range of a lane as its shard holds it, unchecked.
    pub(crate) async fn read_lane(&self, pack: PackId, make: &Make, range: Range<u64>) -> Result<Bytes> {
        self.read_object(make.target, &shard_name(pack, make.lane, make.make), lane_range_in_shard(range)).await
    }

    /// The hash list of a make, proved by the root in its record.
    pub(crate) async fn hash_list(&self, pack: PackId, make: &Make) -> Result<Arc<HashList>> {
        if let Some(list) = self.hash_lists.get(make.make) {
            return Ok(list);
        }
        let at = HEADER_BYTES as u64 + make.lane_bytes;
        let range = at..at + hash_list_bytes(make.lane_bytes);
        let bytes = self.read_object(make.target, &shard_name(pack, make.lane, make.make), range).await?;
        let list = Arc::new(decode_hash_list(&bytes, make.lane_bytes, Some(&make.root))?);
        self.hash_lists.keep(make.make, list.clone());
        Ok(list)
    }

    /// A byte range of a lane, every 64 KiB block of it checked against its hash; zeros beyond the lane's end. The range
    /// is widened to whole blocks for the check: at most one block more on each side.
    pub(crate) async fn read_lane_checked(&self, pack: PackId, make: &Make, range: Range<u64>) -> Result<Bytes> {
        let block = HASH_BLOCK_BYTES as u64;
        let wide = range.start / block * block..range.end.next_multiple_of(block).min(make.lane_bytes);
        let zeros = || Bytes::from(vec![0; (range.end - range.start) as usize]);
        if wide.start >= make.lane_bytes {
            return Ok(zeros());
        }
        let list = self.hash_list(pack, make).await?;
        let bytes = self.read_lane(pack, make, wide.clone()).await?;
        for (i, piece) in bytes.chunks(HASH_BLOCK_BYTES).enumerate() {
            if !list.check((wide.start / block) as usize + i, piece) {
                return Err(Error::DamagedBlock { pack, lane: make.lane, block: wide.start / block + i as u64 });
            }
        }
        let from = (range.start - wide.start) as usize;
        let to = (range.end - wide.start) as usize;
        if to <= bytes.len() {
            return Ok(bytes.slice(from..to));
        }
        let mut padded = BytesMut::zeroed(to - from);
        if from < bytes.len() {
            padded[..bytes.len() - from].copy_from_slice(&bytes[from..]);
        }
        Ok(padded.freeze())
    }

    /// Notes that a lane could not be read: whether it is the target or the shard decides who is believed less.
    pub(crate) fn lane_failed(&self, pack: PackId, make: &Make, error: &Error) {
        let shard_is_bad = match error {
            Error::DamagedBlock { .. } | Error::Format(_) => true,
            Error::Fleet(error) => matches!(error.class(), model::Class::Missing | model::Class::Damaged),
            _ => false,
        };
        if shard_is_bad {
            self.note_bad_make(pack, *make);
        }
    }

    /// Makes byte ranges of lanes from the same ranges of k others, for each of `want` in order.
    ///
    /// # Errors
    /// Says which lanes were tried when fewer than k can be read.
    pub(crate) async fn reconstruct(
        &self,
        place: &PackPlace,
        want: &[(u8, Range<u64>)],
    ) -> std::result::Result<Vec<BytesMut>, String> {
        Ok(self.reconstruct_from(place, want).await?.0)
    }

    /// The same, and where what it was made from was read.
    ///
    /// # Errors
    /// As [`Self::reconstruct`].
    pub(crate) async fn reconstruct_from(
        &self,
        place: &PackPlace,
        want: &[(u8, Range<u64>)],
    ) -> std::result::Result<(Vec<BytesMut>, Vec<TargetId>), String> {
        let union = want.iter().fold(None, |all: Option<Range<u64>>, (_, range)| {
            Some(all.map_or(range.clone(), |all| all.start.min(range.start)..all.end.max(range.end)))
        });
        let Some(union) = union else { return Ok((Vec::new(), Vec::new())) };
        let mut lanes: Vec<u8> = place.makes.iter().map(|(make, _)| make.lane).collect();
        lanes.sort_unstable();
        lanes.dedup();
        let wanted: BTreeSet<u8> = want.iter().map(|(lane, _)| *lane).collect();
        // Lanes that are wanted are read last: they are wanted because reading them failed, or may be lying.
        let source = |lane: &u8| match self.best_make(place, *lane) {
            Some(make) => {
                let is_suspect = self.fleet.state(make.target) != Some(TargetState::Up);
                self.source(make.target, 2 * u8::from(wanted.contains(lane)) + u8::from(is_suspect))
            }
            None => plan::Source { doubt: 4, ..plan::Source::default() },
        };
        let sources: Vec<_> = lanes.iter().map(source).collect();
        let mut lanes: Vec<u8> = plan::prefer(&sources).into_iter().map(|index| lanes[index]).collect();
        let mut tried = String::new();
        let mut in_vain = BTreeSet::new();
        let mut from = Vec::new();
        let mut reading = FuturesUnordered::new();
        let mut have = zeros_of_ended_lanes(place, &wanted, &union);
        lanes.retain(|lane| !have.contains_key(lane));
        // Each lane, and whether it comes round again: then at targets that are believed down.
        let mut queue: VecDeque<(u8, bool)> = lanes.into_iter().map(|lane| (lane, false)).collect();
        // So many lanes are asked for beyond k, because others are slow: a firm that is silent may hold several.
        let mut spare = 0;
        loop {
            while have.len() + reading.len() < usize::from(place.k) + spare {
                let Some((lane, again)) = queue.pop_front() else { break };
                let make = match again {
                    true => self.last_make(place, lane, &in_vain),
                    false => self.best_make_but(place, lane, &in_vain),
                };
                match make {
                    Some(make) => {
                        let range = union.clone();
                        reading.push(async move {
                            let read = self.read_lane_checked(place.pack, &make, range).await;
                            (make, read)
                        });
                    }
                    None if again => tried.push_str(&format!("lane {lane}: no target that answers holds it; ")),
                    None => queue.push_back((lane, true)),
                }
            }
            if have.len() == usize::from(place.k) {
                break;
            }
            let first = reading.next();
            let read = match queue.is_empty() {
                true => Some(first.await),
                false => self.unless_all_late(first, union.end - union.start).await,
            };
            match read {
                None => spare += 1,
                Some(Some((make, Ok(bytes)))) => {
                    have.insert(make.lane, bytes);
                    from.push(make.target);
                }
                Some(Some((make, Err(error)))) => {
                    tried.push_str(&format!("lane {}: {error}; ", make.lane));
                    self.lane_failed(place.pack, &make, &error);
                    // The lane may have been made more than once.
                    in_vain.insert(make.make);
                    queue.push_back((make.lane, false));
                }
                Some(None) => {
                    return Err(format!("{} of {} lanes that are needed can be read ({tried})", have.len(), place.k));
                }
            }
        }
        let lanes: Vec<u8> = have.keys().copied().collect();
        let sources: Vec<&[u8]> = have.values().map(AsRef::as_ref).collect();
        let make: Vec<u8> = wanted.into_iter().collect();
        let code = Code::new(place.k, 0).map_err(|error| error.to_string())?;
        let rebuild = code.plan_rebuild(&lanes, &make).map_err(|error| error.to_string())?;
        let bytes = (union.end - union.start) as usize;
        let mut made: Vec<BytesMut> = make.iter().map(|_| BytesMut::zeroed(bytes)).collect();
        let mut outputs: Vec<&mut [u8]> = made.iter_mut().map(|buffer| buffer.as_mut()).collect();
        rebuild.run(&sources, &mut outputs);
        let made = want
            .iter()
            .map(|(lane, range)| {
                let at = make.iter().position(|made| made == lane).unwrap_or_default();
                let (begin, to) = ((range.start - union.start) as usize, (range.end - union.start) as usize);
                if begin == 0 && to == bytes && want.iter().filter(|(other, _)| other == lane).count() == 1 {
                    std::mem::take(&mut made[at])
                } else {
                    BytesMut::from(&made[at][begin..to])
                }
            })
            .collect();
        Ok((made, from))
    }
}

/// Lanes that end before a range are zeros there, by their records: nobody needs to be asked. At most k of them.
fn zeros_of_ended_lanes(place: &PackPlace, wanted: &BTreeSet<u8>, range: &Range<u64>) -> BTreeMap<u8, Bytes> {
    let ended = place.makes.iter().filter(|(make, _)| make.lane_bytes <= range.start && !wanted.contains(&make.lane));
    let lanes: BTreeSet<u8> = ended.map(|(make, _)| make.lane).collect();
    if lanes.is_empty() {
        return BTreeMap::new();
    }
    let zeros = Bytes::from(vec![0; (range.end - range.start) as usize]);
    lanes.into_iter().take(place.k.into()).map(|lane| (lane, zeros.clone())).collect()
}

fn locate_one(
    tx: &mut catalogue::Tx<'_>,
    segment: SegmentId,
    packs: &mut BTreeMap<PackId, PackPlace>,
) -> catalogue::Result<Place> {
    if let Some(placed) = catalogue::segments::location(tx, segment)? {
        let known = packs.entry(placed.pack).or_insert_with(|| PackPlace {
            pack: placed.pack,
            k: placed.k,
            cell_bytes: placed.cell_bytes,
            location: placed.location,
            makes: Arc::new(placed.makes.iter().map(|view| (view.make, view.finding.state)).collect()),
        });
        return Ok(Place::Pack(PackPlace { location: placed.location, ..known.clone() }));
    }
    let Some(journalled) = catalogue::segments::journalled(tx, segment)? else { return Ok(Place::Nowhere) };
    let Some(view) = catalogue::objects::view(tx, journalled.object)? else { return Ok(Place::Nowhere) };
    let good = view.copies.iter().filter(|copy| copy.finding.state != MakeState::Bad);
    Ok(Place::Journal(JournalPlace {
        name: view.object.name,
        offset: journalled.offset,
        targets: good.map(|copy| copy.target).collect(),
    }))
}
