//! Changes of what was ordered of targets.

use crate::{
    error::Result,
    tx::{Int, Tx},
};
use model::orders::TargetOrders;

pub(super) fn orders(tx: &mut Tx<'_>, revision: u64, row: &TargetOrders) -> Result<()> {
    let order = row.evacuation;
    let done = order.and_then(|order| order.evacuated);
    tx.run(
        "INSERT INTO target_orders (target, revision, cordoned, evacuation, ordered_us, by_us, paused, evacuated_us,
           packs_read, packs_listed, objects_read, objects_listed, retired_us, keeps_shards)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (target) DO UPDATE SET revision = excluded.revision, cordoned = excluded.cordoned,
           evacuation = excluded.evacuation, ordered_us = excluded.ordered_us, by_us = excluded.by_us,
           paused = excluded.paused, evacuated_us = excluded.evacuated_us, packs_read = excluded.packs_read,
           packs_listed = excluded.packs_listed, objects_read = excluded.objects_read,
           objects_listed = excluded.objects_listed, retired_us = excluded.retired_us,
           keeps_shards = excluded.keeps_shards
         WHERE excluded.revision >= target_orders.revision",
        (
            row.target.0,
            Int(revision),
            row.cordoned,
            order.map(|order| order.id.0),
            order.map(|order| order.ordered_us),
            order.map(|order| order.by_us),
            order.map(|order| order.paused),
            done.map(|done| done.at_us),
            done.map(|done| Int(done.packs_read)),
            done.map(|done| Int(done.packs_listed)),
            done.map(|done| Int(done.objects_read)),
            done.map(|done| Int(done.objects_listed)),
            row.retirement.map(|end| end.ordered_us),
            row.retirement.map(|end| end.keeps_shards),
        ),
    )?;
    Ok(())
}
