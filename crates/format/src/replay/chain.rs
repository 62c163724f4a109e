//! Which journal objects count.
//!
//! One place in the line (`seq`) can be claimed by several objects: a put that failed and was made again, or a service that
//! crashed and started anew. The writer never acknowledges a batch before the one it follows, and a later start or
//! attempt replaces an earlier one only while that was not acknowledged. So at each place, of those that follow the
//! object chosen before, the one with the highest stamp counts and the others never did. One thing has more weight: what a
//! still later start went on behind, for it knew which one had counted.

use std::collections::{BTreeMap, BTreeSet};

use model::id::ObjectId;

use crate::journal::JournalHeader;

/// A place in the line that cannot be filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeqGap {
    /// The last place before it.
    pub after: u64,
    /// The next place with an object that counts. One more than `after` if only the link between the two is broken: the
    /// object at `after` is not the one that the next was written behind.
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
    /// What is missing.
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
        let (place, mut claims) = (*place, claims.clone());
        claims.sort_by_key(|header| (header.stamp, header.id));
        claims.dedup_by_key(|header| header.id);
        let next = place == seq + 1;
        let follows = |header: &&&JournalHeader| next && last.is_none_or(|id| header.prev == id);
        // What was written behind a replaced object, or by a start before that of the object chosen last, never counted. Any
        // other object proves that something before it is missing.
        let behind_gap = |header: &&&JournalHeader| header.start() >= start && !superseded.contains(&header.prev);
        let chosen = claims.iter().rfind(follows);
        let chosen = chosen.map(|chosen| gone_on_behind(&claims, places.get(&(place + 1)), follows).unwrap_or(chosen));
        let chosen = chosen.or_else(|| claims.iter().rfind(behind_gap)).copied();
        for claim in claims.iter().filter(|claim| chosen.is_none_or(|chosen| chosen.id != claim.id)) {
            found.superseded.push(claim.id);
            superseded.insert(claim.id);
        }
        let Some(chosen) = chosen else { continue };
        if !next || last.is_some_and(|last| chosen.prev != last) {
            found.gaps.push(SeqGap { after: seq, next: place });
        }
        found.ordered.push(chosen.id);
        (seq, last, start) = (place, Some(chosen.id), chosen.start());
    }
    found
}

/// The claim that a start later than all claims went on behind.
fn gone_on_behind<'a>(
    claims: &'a [&JournalHeader],
    next: Option<&Vec<&JournalHeader>>,
    follows: impl Fn(&&&JournalHeader) -> bool,
) -> Option<&'a &'a JournalHeader> {
    let latest = claims.iter().map(|claim| claim.start()).max()?;
    let witness =
        next?.iter().filter(|header| header.start() > latest).max_by_key(|header| (header.stamp, header.id))?;
    claims.iter().find(|claim| follows(claim) && claim.id == witness.prev)
}
