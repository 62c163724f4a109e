//! The walk of the census: each pack and object looked at once, and then the files that lie in what is not as it should be.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use catalogue::{Tx, objects::ObjectKind};
use model::id::{AccountId, ObjectId, PackId, ProviderId, SegmentId, VersionId};
use plan::{Ladder, Outlook, Spread, Topology};

use super::{Count, PAGE_ROWS, Without};
use crate::view::Torn;

/// A walk under way.
pub(super) struct Walk {
    pub count: Count,
    losses: Vec<BTreeSet<ProviderId>>,
    /// Each outlook once: few sets make few of them.
    known: BTreeMap<Outlook, u32>,
    pub harm: Harm,
}

/// What is not as it should be, now or after a loss: all that files are measured by.
pub(super) struct Harm {
    pub topology: Topology,
    pub firms: Vec<ProviderId>,
    /// The topology after each loss.
    rests: Vec<Topology>,
    outlooks: Vec<Outlook>,
    /// By id.
    packs: Vec<(PackId, u32)>,
    objects: BTreeMap<ObjectId, u32>,
}

/// Some versions of files that are harmed, and where to go on.
pub(super) struct Files {
    pub outlooks: Vec<Outlook>,
    pub next: Option<(AccountId, VersionId)>,
}

impl Walk {
    pub fn new(topology: Topology, firms: Vec<ProviderId>) -> Self {
        let losses: Vec<_> = firms.iter().map(|firm| BTreeSet::from([*firm])).collect();
        let rests = losses.iter().map(|gone| topology.without(gone)).collect();
        let fleet = topology.targets().map(|target| (target.id, target.provider, target.state)).collect();
        let without = firms.iter().map(|firm| (*firm, Without::default())).collect();
        Self {
            count: Count { fleet, without, key_copies: u64::MAX, ..Count::default() },
            losses,
            known: BTreeMap::new(),
            harm: Harm { topology, firms, rests, outlooks: vec![], packs: vec![], objects: BTreeMap::new() },
        }
    }

    pub fn pack(&mut self, pack: &catalogue::packs::PackView) {
        for view in &pack.makes {
            *self.count.stored.entry(view.make.target).or_default() += view.make.lane_bytes;
        }
        let view = crate::view::of_pack(pack);
        let topology = &self.harm.topology;
        let outlook = Outlook::of_pack(&view, topology, &self.losses);
        self.count.census.packs.count(outlook.now, Spread::of_pack(&view, topology).margin());
        if outlook.now < Ladder::Settled {
            self.count.effort.add_pack(&view, topology);
        }
        for (firm, state) in self.harm.firms.iter().zip(&outlook.after) {
            self.count.without.entry(*firm).or_default().packs.count(*state);
        }
        if !outlook.is_fine() {
            let number = self.number(outlook);
            self.harm.packs.push((pack.id, number));
        }
    }

    pub fn object(&mut self, found: &catalogue::objects::ObjectView, is_spare: bool, copies: usize) {
        for copy in &found.copies {
            *self.count.stored.entry(copy.target).or_default() += found.object.bytes;
        }
        if found.object.released.is_some() {
            return;
        }
        self.count.journal_objects += u64::from(found.object.kind == ObjectKind::Journal || is_spare);
        if is_spare {
            return;
        }
        let view = crate::view::of_object(found);
        let topology = &self.harm.topology;
        let outlook = Outlook::of_object(&view, topology, &self.losses);
        let spread = Spread::of_object(&view, topology);
        self.count.census.objects.count(outlook.now, spread.margin());
        if outlook.now < Ladder::Settled {
            self.count.effort.add_object(&view, topology, copies);
        }
        if found.object.kind == ObjectKind::Envelope {
            self.count.key_copies = self.count.key_copies.min(spread.distinct() as u64);
        }
        for (firm, state) in self.harm.firms.iter().zip(&outlook.after) {
            self.count.without.entry(*firm).or_default().records.count(*state);
        }
        if !outlook.is_fine() {
            let number = self.number(outlook);
            self.harm.objects.insert(view.id, number);
        }
    }

    fn number(&mut self, outlook: Outlook) -> u32 {
        let outlook = outlook.coarse();
        let outlooks = &mut self.harm.outlooks;
        *self.known.entry(outlook).or_insert_with_key(|outlook| {
            outlooks.push(outlook.clone());
            // There are no more of them than packs, and a pack takes more than a bit of memory.
            u32::try_from(outlooks.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

impl Harm {
    /// Whether all is as it should be, and no file has to be looked at.
    pub fn is_none(&self) -> bool {
        self.packs.is_empty() && self.objects.is_empty()
    }

    /// Where the next versions stand that are harmed.
    pub fn files(&self, tx: &Tx<'_>, after: (AccountId, VersionId)) -> catalogue::Result<Files> {
        let page = catalogue::versions::parts(tx, after, PAGE_ROWS)?;
        let next = page.last().filter(|_| page.len() == PAGE_ROWS).map(|last| (last.account, last.id));
        let mut torn = BTreeMap::new();
        let mut outlooks = Vec::new();
        for version in page {
            let mut file = Outlook::unharmed(self.firms.len());
            for segment in version.segments {
                if let Some(part) = self.of_segment(tx, segment, &mut torn)? {
                    file.worsen(&part);
                }
            }
            if !file.is_fine() {
                outlooks.push(file);
            }
        }
        Ok(Files { outlooks, next })
    }

    /// Where a segment stands; `None`: as it should.
    fn of_segment(
        &self,
        tx: &Tx<'_>,
        segment: SegmentId,
        torn: &mut BTreeMap<PackId, Option<catalogue::packs::PackView>>,
    ) -> catalogue::Result<Option<Outlook>> {
        let outlook = |number: &u32| self.outlooks.get(*number as usize);
        let Some((pack, location)) = catalogue::segments::place(tx, segment)? else {
            let row = if self.objects.is_empty() { None } else { catalogue::segments::journalled(tx, segment)? };
            return Ok(row.and_then(|row| self.objects.get(&row.object).and_then(outlook).cloned()));
        };
        let found = self.packs.binary_search_by_key(&pack, |(id, _)| *id).ok();
        let Some(found) = found.and_then(|index| outlook(&self.packs[index].1)) else { return Ok(None) };
        if !found.is_grave() {
            return Ok(Some(found.clone()));
        }
        // What lies on lanes that are left can be read even so.
        let view = match torn.entry(pack) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(catalogue::packs::view(tx, pack)?),
        };
        let Some(view) = view else { return Ok(Some(found.clone())) };
        let stands = |state: Ladder, topology: &Topology| match state {
            Ladder::Unreadable => Torn::of(view, topology).map_or(state, |torn| torn.state_of(&location)),
            _ => state,
        };
        Ok(Some(Outlook {
            now: stands(found.now, &self.topology),
            after: found.after.iter().zip(&self.rests).map(|(state, rest)| stands(*state, rest)).collect(),
        }))
    }
}
