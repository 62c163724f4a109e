//! Which journal objects count.
//!
//! One place in the line (`seq`) can be claimed by several objects: a put that failed and was made again, or a service that
//! crashed and started anew. The writer never acknowledges a batch before the one it follows, and a later start or
//! attempt replaces an earlier one only while that was not acknowledged. So at each place, of those that follow the
//! object chosen before, the one with the highest stamp counts and the others never did. One thing has more weight: the
//! object behind, for who wrote it knew which one had counted. If that is none of those that are left, it was released: an
//! object goes once snapshots cover it. So a gap in the line is no loss by itself; revisions tell whether one is.

use std::collections::{BTreeMap, BTreeSet};

use model::id::ObjectId;

use crate::journal::JournalHeader;

/// Places in the line that cannot be filled: their objects were released, or are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeqGap {
    /// The last place before it.
    pub after: u64,
    /// The next place with an object that counts.
    pub next: u64,
}

/// The journal objects of one epoch, sorted out.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Chain {
    /// The epoch that was sorted out: the latest among the headers.
    pub epoch: u64,
    /// What counts, in order, also behind gaps.
    pub ordered: Vec<ObjectId>,
    /// What was replaced and never counted.
    pub superseded: Vec<ObjectId>,
    /// What is missing between them.
    pub gaps: Vec<SeqGap>,
    /// Objects of earlier epochs: sort them out by a call of their own.
    pub earlier: Vec<ObjectId>,
}

/// Sorts out journal objects: those of the latest epoch among `headers`, behind place `after.0`, where object `after.1` is if
/// that is known (a snapshot's `made_at_seq` knows only the place; before an epoch's first object come place 0 and zeros).
pub fn chain(headers: &[JournalHeader], after: (u64, Option<ObjectId>)) -> Chain {
    let epoch = headers.iter().map(|header| header.epoch).max().unwrap_or_default();
    let mut found = Chain { epoch, ..Chain::default() };
    let mut places: BTreeMap<u64, Vec<&JournalHeader>> = BTreeMap::new();
    for header in headers {
        if header.epoch < epoch {
            found.earlier.push(header.id);
        } else if header.seq > after.0 {
            places.entry(header.seq).or_default().push(header);
        }
    }
    let (mut seq, mut last) = after;
    if seq == 0 {
        last = Some(ObjectId::default());
    }
    let mut start = 0;
    let mut superseded = BTreeSet::new();
    for (place, claims) in &places {
        let mut claims = claims.clone();
        claims.sort_by_key(|header| (header.stamp, header.id));
        claims.dedup_by_key(|header| header.id);
        let next = *place == seq + 1;
        let follows = |header: &&JournalHeader| next && last.is_none_or(|id| header.prev == id);
        // What was written behind a replaced object, or by a start before that of the object chosen last, never counted.
        let may_follow = |header: &&JournalHeader| header.start() >= start && !superseded.contains(&header.prev);
        let mut able: Vec<_> = claims.iter().copied().filter(follows).collect();
        if able.is_empty() {
            able = claims.iter().copied().filter(may_follow).collect();
        }
        let chosen = decide(&claims, &able, places.get(&(place + 1)).map_or(&[], Vec::as_slice));
        for claim in claims.iter().filter(|claim| chosen.is_none_or(|chosen| chosen.id != claim.id)) {
            found.superseded.push(claim.id);
            superseded.insert(claim.id);
        }
        let Some(chosen) = chosen else { continue };
        if !next || last.is_some_and(|last| chosen.prev != last) {
            found.gaps.push(SeqGap { after: seq, next: *place });
        }
        found.ordered.push(chosen.id);
        (seq, last, start) = (*place, Some(chosen.id), chosen.start());
    }
    found
}

/// Which of the `claims` to a place counts: one of those `able` to, sorted by stamp, or none of them.
fn decide<'a>(
    claims: &[&JournalHeader],
    able: &[&'a JournalHeader],
    behind: &[&JournalHeader],
) -> Option<&'a JournalHeader> {
    let highest = able.last().copied()?;
    let witness = behind.iter().max_by_key(|header| (header.stamp, header.id));
    let Some(witness) = witness.filter(|witness| witness.start() >= highest.start()) else { return Some(highest) };
    if claims.iter().all(|claim| claim.id != witness.prev) {
        return None;
    }
    let known = able.iter().copied().find(|claim| claim.id == witness.prev);
    known.filter(|_| witness.start() > highest.start()).or(Some(highest))
}
