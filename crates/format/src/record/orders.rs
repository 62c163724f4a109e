//! The body of what was ordered of a target.

use model::{
    id::{OrderId, TargetId},
    orders::{Evacuated, Evacuation, Retirement, TargetOrders},
};

use super::rows::put_time;
use crate::{
    error::Result,
    wire::{Reader, put_option, put_varint},
};

pub(super) fn put_orders(bytes: &mut Vec<u8>, row: &TargetOrders) {
    bytes.extend_from_slice(&row.target.0);
    bytes.push(u8::from(row.cordoned));
    put_option(bytes, row.evacuation, |bytes, order| {
        bytes.extend_from_slice(&order.id.0);
        put_time(bytes, order.ordered_us);
        put_time(bytes, order.by_us);
        bytes.push(u8::from(order.paused));
        put_option(bytes, order.evacuated, |bytes, done| {
            put_time(bytes, done.at_us);
            for count in [done.packs_read, done.packs_listed, done.objects_read, done.objects_listed] {
                put_varint(bytes, count);
            }
        });
    });
    put_option(bytes, row.retirement, |bytes, end| {
        put_time(bytes, end.ordered_us);
        bytes.push(u8::from(end.keeps_shards));
    });
}

pub(super) fn take_orders(reader: &mut Reader<'_>) -> Result<TargetOrders> {
    Ok(TargetOrders {
        target: TargetId(reader.array("target")?),
        cordoned: reader.flag("cordoned")?,
        evacuation: reader.option("evacuation", |reader, field| {
            Ok(Evacuation {
                id: OrderId(reader.array(field)?),
                ordered_us: reader.i64(field)?,
                by_us: reader.i64(field)?,
                paused: reader.flag(field)?,
                evacuated: reader.option(field, |reader, field| {
                    Ok(Evacuated {
                        at_us: reader.i64(field)?,
                        packs_read: reader.varint(field)?,
                        packs_listed: reader.varint(field)?,
                        objects_read: reader.varint(field)?,
                        objects_listed: reader.varint(field)?,
                    })
                })?,
            })
        })?,
        retirement: reader.option("retirement", |reader, field| {
            Ok(Retirement { ordered_us: reader.i64(field)?, keeps_shards: reader.flag(field)? })
        })?,
    })
}
