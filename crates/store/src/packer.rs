//! Small files leave the journal: the packer lays their sealed segments whole in lanes of shared packs.
//!
//! It reads journal objects back from the targets (their hash proves every byte) and fills a shared pack with the segments
//! in them. The pack is read back before its record, so that the journal objects it relieves can be released. Files that
//! were deleted meanwhile are passed over.

use std::sync::Arc;

use catalogue::segments::{Journalled, JournalledCursor};
use model::{id::SegmentId, pack::Pack};

use crate::{
    Inner, Store,
    error::{Error, Result},
    shared_pack::{PACK_SEGMENTS_MAX, Shared, record_shared, shared_bytes},
};

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
        let take = shared_bytes(full);
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
        let proven = self.proven_now();
        Store(self.clone())
            .commit(move |tx, draft| {
                record_shared(tx, draft, pack, &proven)?;
                for segment in live.iter().map(|row| &row.segment).chain(&dead) {
                    catalogue::segments::delete_journalled(tx, *segment)?;
                }
                Ok::<_, Error>(())
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
}
