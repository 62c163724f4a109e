//! The body of a plan, and what the service's face says of plans and of files without an account.

use model::{
    about::{AboutRow, Quick},
    id::AccountId,
    plans::PlanRow,
};

use super::{access::put_text, rows::put_time};
use crate::{
    error::Result,
    wire::{Reader, put_option, put_varint},
};

pub(super) fn put_plan(bytes: &mut Vec<u8>, row: &PlanRow) {
    put_text(bytes, &row.name);
    put_option(bytes, row.space_bytes, put_varint);
    put_option(bytes, row.file_bytes, put_varint);
    put_option(bytes, row.keep_days.map(u64::from), put_varint);
    put_option(bytes, row.link_bytes_per_day, put_varint);
    put_option(bytes, row.guest_bytes_per_s, put_varint);
    put_option(bytes, row.ended_us, put_time);
}

pub(super) fn take_plan(reader: &mut Reader<'_>) -> Result<PlanRow> {
    Ok(PlanRow {
        name: reader.text("name")?,
        space_bytes: reader.option("space_bytes", Reader::varint)?,
        file_bytes: reader.option("file_bytes", Reader::varint)?,
        keep_days: reader.option("keep_days", take_days)?,
        link_bytes_per_day: reader.option("link_bytes_per_day", Reader::varint)?,
        guest_bytes_per_s: reader.option("guest_bytes_per_s", Reader::varint)?,
        ended_us: reader.option("ended_us", Reader::i64)?,
    })
}

/// What shape 3 of the service's face added.
pub(super) fn put_offers(bytes: &mut Vec<u8>, row: &AboutRow) {
    put_option(bytes, row.new_plan.as_deref(), put_text);
    put_option(bytes, row.quick, |bytes, quick| {
        put_varint(bytes, quick.file_bytes);
        put_varint(bytes, u64::from(quick.days_max));
        put_varint(bytes, quick.space_bytes);
        put_varint(bytes, quick.bytes_per_day);
    });
    put_option(bytes, row.quick_account, |bytes, account| bytes.extend_from_slice(&account.0));
}

pub(super) fn take_offers(reader: &mut Reader<'_>, row: &mut AboutRow) -> Result<()> {
    row.new_plan = reader.option("new_plan", Reader::text)?;
    row.quick = reader.option("quick", |reader, field| {
        Ok(Quick {
            file_bytes: reader.varint(field)?,
            days_max: take_days(reader, field)?,
            space_bytes: reader.varint(field)?,
            bytes_per_day: reader.varint(field)?,
        })
    })?;
    row.quick_account = reader.option("quick_account", |reader, field| reader.array(field).map(AccountId))?;
    Ok(())
}

fn take_days(reader: &mut Reader<'_>, field: &'static str) -> Result<u32> {
    let days = reader.varint(field)?;
    u32::try_from(days).map_err(|_| reader.value(field, "less than 2^32 days", days))
}
