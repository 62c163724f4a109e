//! The bodies of changes: one row each, field by field, as `docs/format.md` lists them.

use model::{
    account::{AccountRow, KitRow},
    entry::{Content, EntryRow, Kind, SegmentRef, Trashed, Version},
    fleet::{ConstraintRow, ProviderRow, TargetRow, TargetState},
    id::{AccountId, EntryId, KitId, MakeId, PackId, ProviderId, SegmentId, TargetId, VersionId},
    pack::{Location, Make, Pack},
    units::ServiceTime,
};

use crate::{
    error::Result,
    wire::{Reader, put_blob, put_option, put_varint},
};

/// In a location: alternates over all data lanes.
const STRIPED: u8 = 0xff;

pub(super) fn put_account(bytes: &mut Vec<u8>, row: &AccountRow) {
    bytes.extend_from_slice(&row.id.0);
    put_blob(bytes, row.name.as_bytes());
    bytes.push(u8::from(row.managed));
    put_time(bytes, row.made_us);
}

pub(super) fn take_account(reader: &mut Reader<'_>) -> Result<AccountRow> {
    Ok(AccountRow {
        id: AccountId(reader.array("id")?),
        name: reader.text("name")?,
        managed: reader.flag("managed")?,
        made_us: reader.i64("made_us")?,
    })
}

pub(super) fn put_provider(bytes: &mut Vec<u8>, row: &ProviderRow) {
    bytes.extend_from_slice(&row.id.0);
    put_blob(bytes, row.name.as_bytes());
    put_varint(bytes, row.labels.len() as u64);
    for (label, value) in &row.labels {
        put_blob(bytes, label.as_bytes());
        put_blob(bytes, value.as_bytes());
    }
}

pub(super) fn take_provider(reader: &mut Reader<'_>) -> Result<ProviderRow> {
    let (id, name) = (ProviderId(reader.array("id")?), reader.text("name")?);
    let count = reader.count("labels", 2)?;
    let labels = (0..count).map(|_| Ok((reader.text("labels")?, reader.text("labels")?))).collect::<Result<_>>()?;
    Ok(ProviderRow { id, name, labels })
}

pub(super) fn put_constraint(bytes: &mut Vec<u8>, row: &ConstraintRow) {
    put_blob(bytes, row.label.as_bytes());
    bytes.push(u8::from(row.holds));
    put_time(bytes, row.changed_us);
}

pub(super) fn take_constraint(reader: &mut Reader<'_>) -> Result<ConstraintRow> {
    Ok(ConstraintRow { label: reader.text("label")?, holds: reader.flag("holds")?, changed_us: reader.i64("changed")? })
}

pub(super) fn put_target(bytes: &mut Vec<u8>, row: &TargetRow) {
    bytes.extend_from_slice(&row.id.0);
    bytes.extend_from_slice(&row.provider.0);
    put_blob(bytes, row.address.as_bytes());
    put_blob(bytes, row.driver.as_bytes());
    put_varint(bytes, row.generation);
    bytes.push(match row.state {
        TargetState::Up => 0,
        TargetState::Down => 1,
        TargetState::Suspect => 2,
        TargetState::Lost => 3,
        TargetState::Retired => 4,
    });
}

pub(super) fn take_target(reader: &mut Reader<'_>) -> Result<TargetRow> {
    Ok(TargetRow {
        id: TargetId(reader.array("id")?),
        provider: ProviderId(reader.array("provider")?),
        address: reader.text("address")?,
        driver: reader.text("driver")?,
        generation: reader.varint("generation")?,
        state: match reader.u8("state")? {
            0 => TargetState::Up,
            1 => TargetState::Down,
            2 => TargetState::Suspect,
            3 => TargetState::Lost,
            4 => TargetState::Retired,
            other => return Err(reader.value("state", "0 to 4", other)),
        },
    })
}

pub(super) fn put_pack(bytes: &mut Vec<u8>, pack: &Pack) {
    bytes.extend_from_slice(&pack.id.0);
    bytes.extend_from_slice(&[pack.k, pack.codec]);
    bytes.extend_from_slice(&pack.cell_bytes.to_le_bytes());
    put_makes(bytes, &pack.makes);
    put_varint(bytes, pack.locations.len() as u64);
    for location in &pack.locations {
        bytes.extend_from_slice(&location.segment.0);
        bytes.push(location.lane.unwrap_or(STRIPED));
        put_varint(bytes, location.offset);
        put_varint(bytes, location.bytes);
    }
}

pub(super) fn take_pack(reader: &mut Reader<'_>) -> Result<Pack> {
    let id = PackId(reader.array("id")?);
    let (k, codec) = (reader.u8("k")?, reader.u8("codec")?);
    let cell_bytes = reader.u32("cell_bytes")?;
    let makes = take_makes(reader)?;
    let count = reader.count("locations", 19)?;
    let mut locations = Vec::with_capacity(count);
    for _ in 0..count {
        let segment = SegmentId(reader.array("segment")?);
        let lane = reader.u8("location lane")?;
        let (offset, bytes) = (reader.varint("offset")?, reader.varint("bytes")?);
        locations.push(Location { segment, lane: (lane != STRIPED).then_some(lane), offset, bytes });
    }
    Ok(Pack { id, k, codec, cell_bytes, makes, locations })
}

pub(super) fn put_makes(bytes: &mut Vec<u8>, makes: &[Make]) {
    put_varint(bytes, makes.len() as u64);
    for make in makes {
        bytes.push(make.lane);
        bytes.extend_from_slice(&make.make.0);
        bytes.extend_from_slice(&make.target.0);
        put_varint(bytes, make.lane_bytes);
        bytes.extend_from_slice(&make.root);
    }
}

pub(super) fn take_makes(reader: &mut Reader<'_>) -> Result<Vec<Make>> {
    let count = reader.count("makes", 66)?;
    let take = |_| {
        Ok(Make {
            lane: reader.u8("lane")?,
            make: MakeId(reader.array("make")?),
            target: TargetId(reader.array("target")?),
            lane_bytes: reader.varint("lane_bytes")?,
            root: reader.array("root")?,
        })
    };
    (0..count).map(take).collect()
}

pub(super) fn put_kit(bytes: &mut Vec<u8>, row: &KitRow) {
    bytes.extend_from_slice(&row.id.0);
    put_blob(bytes, row.recipient.as_bytes());
    put_time(bytes, row.made_us);
    put_option(bytes, row.revoked_us, put_time);
    put_option(bytes, row.tested_us, put_time);
}

pub(super) fn take_kit(reader: &mut Reader<'_>) -> Result<KitRow> {
    Ok(KitRow {
        id: KitId(reader.array("id")?),
        recipient: reader.text("recipient")?,
        made_us: reader.i64("made_us")?,
        revoked_us: reader.option("revoked_us", Reader::i64)?,
        tested_us: reader.option("tested_us", Reader::i64)?,
    })
}

pub(super) fn put_entry(bytes: &mut Vec<u8>, row: &EntryRow) {
    bytes.extend_from_slice(&row.id.0);
    bytes.extend_from_slice(&row.parent.0);
    put_blob(bytes, row.name.as_bytes());
    bytes.push(match row.kind {
        Kind::Folder => 0,
        Kind::File => 1,
    });
    put_time(bytes, row.modified_us);
    put_option(bytes, row.trashed, |bytes, trashed| {
        put_varint(bytes, trashed.at.0);
        put_time(bytes, trashed.wall_us);
    });
    put_option(bytes, row.current, |bytes, version| bytes.extend_from_slice(&version.0));
}

pub(super) fn take_entry(reader: &mut Reader<'_>) -> Result<EntryRow> {
    Ok(EntryRow {
        id: EntryId(reader.array("id")?),
        parent: EntryId(reader.array("parent")?),
        name: reader.text("name")?,
        kind: match reader.u8("entry kind")? {
            0 => Kind::Folder,
            1 => Kind::File,
            other => return Err(reader.value("entry kind", "0 or 1", other)),
        },
        modified_us: reader.i64("modified_us")?,
        trashed: reader.option("trashed", |reader, field| {
            Ok(Trashed { at: ServiceTime(reader.varint(field)?), wall_us: reader.i64(field)? })
        })?,
        current: reader.option("current", |reader, field| reader.array(field).map(VersionId))?,
    })
}

pub(super) fn put_version(bytes: &mut Vec<u8>, version: &Version) {
    bytes.extend_from_slice(&version.id.0);
    bytes.extend_from_slice(&version.entry.0);
    put_varint(bytes, version.size);
    put_time(bytes, version.modified_us);
    put_time(bytes, version.made_us);
    put_blob(bytes, version.media_type.as_bytes());
    bytes.extend_from_slice(&version.blake3);
    bytes.extend_from_slice(&version.crc32.to_le_bytes());
    put_option(bytes, version.sha256, |bytes, hash| bytes.extend_from_slice(&hash));
    bytes.extend_from_slice(&version.key);
    match &version.content {
        Content::Inline { segment, sealed } => {
            bytes.push(0);
            put_segment(bytes, segment);
            put_blob(bytes, sealed);
        }
        Content::Segments(segments) => {
            bytes.push(1);
            put_varint(bytes, segments.len() as u64);
            segments.iter().for_each(|segment| put_segment(bytes, segment));
        }
    }
    put_option(bytes, version.replaced, |bytes, at| put_varint(bytes, at.0));
}

pub(super) fn take_version(reader: &mut Reader<'_>) -> Result<Version> {
    Ok(Version {
        id: VersionId(reader.array("id")?),
        entry: EntryId(reader.array("entry")?),
        size: reader.varint("size")?,
        modified_us: reader.i64("modified_us")?,
        made_us: reader.i64("made_us")?,
        media_type: reader.text("media_type")?,
        blake3: reader.array("blake3")?,
        crc32: reader.u32("crc32")?,
        sha256: reader.option("sha256", Reader::array)?,
        key: reader.array("key")?,
        content: take_content(reader)?,
        replaced: reader.option("replaced", |reader, field| reader.varint(field).map(ServiceTime))?,
    })
}

fn take_content(reader: &mut Reader<'_>) -> Result<Content> {
    match reader.u8("content")? {
        0 => Ok(Content::Inline { segment: take_segment(reader)?, sealed: reader.blob("sealed")?.to_vec() }),
        1 => {
            let count = reader.count("segments", 49)?;
            Ok(Content::Segments((0..count).map(|_| take_segment(reader)).collect::<Result<_>>()?))
        }
        other => Err(reader.value("content", "0 or 1", other)),
    }
}

fn put_segment(bytes: &mut Vec<u8>, segment: &SegmentRef) {
    bytes.extend_from_slice(&segment.id.0);
    bytes.extend_from_slice(&segment.salt);
    put_varint(bytes, segment.plain_bytes);
}

fn take_segment(reader: &mut Reader<'_>) -> Result<SegmentRef> {
    Ok(SegmentRef {
        id: SegmentId(reader.array("segment")?),
        salt: reader.array("salt")?,
        plain_bytes: reader.varint("plain_bytes")?,
    })
}

pub(super) fn put_time(bytes: &mut Vec<u8>, time_us: i64) {
    bytes.extend_from_slice(&time_us.to_le_bytes());
}
