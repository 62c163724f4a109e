//! The last resort: what shards say of themselves, where no record says where a segment lies.
//!
//! Every footer of every shard at every source is read, and the index before it. That is slow and proves nothing, and still
//! brings files home when the records of their packs are lost: the tags of their frames decide.

use std::collections::BTreeMap;

use format::{name::parse_shard_name, shard::decode_index};
use model::id::{PackId, SegmentId};

use crate::{
    lanes::{read_footer, unvouched},
    places::{KnownPack, Place, Places, Shape},
    sources::Sources,
};

/// Packs and places by the word of shards alone.
#[derive(Default)]
pub(crate) struct Scanned {
    packs: BTreeMap<PackId, KnownPack>,
    places: BTreeMap<SegmentId, Vec<Place>>,
}

impl Scanned {
    pub(crate) fn pack(&self, pack: PackId) -> Option<KnownPack> {
        self.packs.get(&pack).cloned()
    }

    pub(crate) fn of_segment(&self, segment: SegmentId) -> &[Place] {
        self.places.get(&segment).map_or(&[], Vec::as_slice)
    }
}

/// Reads what all shards say of wanted segments.
pub(crate) async fn scan(sources: &Sources, places: &Places) -> Scanned {
    let mut scanned = Scanned::default();
    for (name, held) in sources.list("shards/").await {
        let Some(shard) = parse_shard_name(&name) else { continue };
        for copy in held {
            let Some(footer) = read_footer(sources, copy.source, &name, copy.bytes).await else { continue };
            let header = footer.header;
            if (header.pack, header.lane, header.make) != (shard.pack, shard.lane, shard.make) {
                sources.note_bad_copy(copy.source, &name, "it is another shard");
                continue;
            }
            let shape = Shape { k: header.k, codec: header.codec, cell_bytes: header.cell_bytes };
            let pack = scanned.packs.entry(shard.pack).or_insert_with(|| KnownPack { shape, makes: Vec::new() });
            if pack.shape == shape && !pack.makes.iter().any(|known| known.make == shard.make) {
                pack.makes.push(unvouched(&footer));
            }
            let range = footer.index_at..footer.index_at.saturating_add(footer.index_bytes);
            if range.end > copy.bytes {
                continue;
            }
            let index = sources.read(copy.source, &name, range).await;
            let locations = index.ok().and_then(|bytes| decode_index(&bytes).ok()).unwrap_or_default();
            for location in locations.into_iter().filter(|location| places.wants(location.segment)) {
                let place = Place::Packed { pack: shard.pack, location };
                let known = scanned.places.entry(location.segment).or_default();
                if !known.contains(&place) {
                    known.push(place);
                }
            }
        }
    }
    let used: std::collections::BTreeSet<PackId> = scanned.places.values().flatten().filter_map(Place::pack).collect();
    scanned.packs.retain(|pack, _| used.contains(pack));
    scanned
}
