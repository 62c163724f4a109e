//! The bodies of leases and notices.

use model::{
    id::{AccountId, EntryId, LeaseId, NoticeId, ProviderId, TargetId},
    leases::{Desk, Document, LeaseRow, LeaseState, NoticeRow, NoticeState, Served, Server},
};

use super::{access::put_text, rows::put_time};
use crate::{
    error::Result,
    wire::{Reader, put_option, put_varint},
};

pub(super) fn put_lease(bytes: &mut Vec<u8>, row: &LeaseRow) {
    bytes.extend_from_slice(&row.id.0);
    bytes.extend_from_slice(&row.provider.0);
    put_text(bytes, &row.contract);
    put_varint(bytes, row.servers.len() as u64);
    for server in &row.servers {
        put_text(bytes, &server.name);
        put_text(bytes, &server.site);
        put_targets(bytes, &server.targets);
    }
    put_text(bytes, &row.price);
    put_option(bytes, row.month_micros, put_varint);
    put_text(bytes, &row.currency);
    put_text(bytes, &row.notice_address);
    put_varint(bytes, u64::from(row.notice_days));
    put_option(bytes, row.ends_us, put_time);
    put_option(bytes, row.paid_until_us, put_time);
    bytes.push(match row.state {
        LeaseState::Active => 0,
        LeaseState::Ending => 1,
        LeaseState::Ended => 2,
    });
    put_option(bytes, row.desk.as_ref(), |bytes, desk| {
        bytes.extend_from_slice(&desk.hash);
        bytes.extend_from_slice(&desk.account.0);
        put_time(bytes, desk.made_us);
    });
}

pub(super) fn take_lease(reader: &mut Reader<'_>) -> Result<LeaseRow> {
    Ok(LeaseRow {
        id: LeaseId(reader.array("id")?),
        provider: ProviderId(reader.array("provider")?),
        contract: reader.text("contract")?,
        servers: {
            let count = reader.count("servers", 3)?;
            (0..count).map(|_| take_server(reader)).collect::<Result<_>>()?
        },
        price: reader.text("price")?,
        month_micros: reader.option("month_micros", Reader::varint)?,
        currency: reader.text("currency")?,
        notice_address: reader.text("notice_address")?,
        notice_days: {
            let days = reader.varint("notice_days")?;
            u32::try_from(days).map_err(|_| reader.value("notice_days", "less than 2^32 days", days))?
        },
        ends_us: reader.option("ends_us", Reader::i64)?,
        paid_until_us: reader.option("paid_until_us", Reader::i64)?,
        state: match reader.u8("state")? {
            0 => LeaseState::Active,
            1 => LeaseState::Ending,
            2 => LeaseState::Ended,
            other => return Err(reader.value("state", "0 to 2", other)),
        },
        desk: reader.option("desk", |reader, field| {
            let (hash, account) = (reader.array(field)?, AccountId(reader.array(field)?));
            Ok(Desk { hash, account, made_us: reader.i64(field)? })
        })?,
    })
}

fn take_server(reader: &mut Reader<'_>) -> Result<Server> {
    Ok(Server { name: reader.text("servers")?, site: reader.text("servers")?, targets: take_targets(reader)? })
}

fn put_targets(bytes: &mut Vec<u8>, targets: &[TargetId]) {
    put_varint(bytes, targets.len() as u64);
    targets.iter().for_each(|target| bytes.extend_from_slice(&target.0));
}

fn take_targets(reader: &mut Reader<'_>) -> Result<Vec<TargetId>> {
    let count = reader.count("targets", 16)?;
    (0..count).map(|_| reader.array("targets").map(TargetId)).collect()
}

pub(super) fn put_notice(bytes: &mut Vec<u8>, row: &NoticeRow) {
    bytes.extend_from_slice(&row.id.0);
    put_option(bytes, row.provider, |bytes, id| bytes.extend_from_slice(&id.0));
    put_option(bytes, row.lease, |bytes, id| bytes.extend_from_slice(&id.0));
    bytes.push(match row.from {
        Served::AtDesk => 0,
        Served::ByLetter => 1,
        Served::ToFirm => 2,
        Served::Raised => 3,
    });
    put_text(bytes, &row.cause);
    put_text(bytes, &row.addressee);
    put_varint(bytes, row.servers.len() as u64);
    row.servers.iter().for_each(|server| put_text(bytes, server));
    put_targets(bytes, &row.targets);
    put_option(bytes, row.deadline_us, put_time);
    put_text(bytes, &row.text);
    bytes.extend_from_slice(&row.content);
    put_option(bytes, row.document.as_ref(), put_document);
    bytes.push(match row.state {
        NoticeState::Received => 0,
        NoticeState::Acknowledged => 1,
        NoticeState::Planned => 2,
        NoticeState::Done => 3,
        NoticeState::Superseded => 4,
        NoticeState::InForce => 5,
        NoticeState::Released => 6,
    });
    put_time(bytes, row.made_us);
    put_option(bytes, row.acknowledged, |bytes, (who, when)| {
        bytes.extend_from_slice(&who.0);
        put_time(bytes, when);
    });
    put_time(bytes, row.changed_us);
    put_option(bytes, row.supersedes, |bytes, id| bytes.extend_from_slice(&id.0));
}

fn put_document(bytes: &mut Vec<u8>, document: &Document) {
    put_text(bytes, &document.name);
    bytes.extend_from_slice(&document.sha256);
    put_varint(bytes, document.bytes);
    put_option(bytes, document.kept, |bytes, (account, entry)| {
        bytes.extend_from_slice(&account.0);
        bytes.extend_from_slice(&entry.0);
    });
}

pub(super) fn take_notice(reader: &mut Reader<'_>) -> Result<NoticeRow> {
    Ok(NoticeRow {
        id: NoticeId(reader.array("id")?),
        provider: reader.option("provider", |reader, field| reader.array(field).map(ProviderId))?,
        lease: reader.option("lease", |reader, field| reader.array(field).map(LeaseId))?,
        from: match reader.u8("from")? {
            0 => Served::AtDesk,
            1 => Served::ByLetter,
            2 => Served::ToFirm,
            3 => Served::Raised,
            other => return Err(reader.value("from", "0 to 3", other)),
        },
        cause: reader.text("cause")?,
        addressee: reader.text("addressee")?,
        servers: {
            let count = reader.count("servers", 1)?;
            (0..count).map(|_| reader.text("servers")).collect::<Result<_>>()?
        },
        targets: take_targets(reader)?,
        deadline_us: reader.option("deadline_us", Reader::i64)?,
        text: reader.text("text")?,
        content: reader.array("content")?,
        document: reader.option("document", take_document)?,
        state: match reader.u8("state")? {
            0 => NoticeState::Received,
            1 => NoticeState::Acknowledged,
            2 => NoticeState::Planned,
            3 => NoticeState::Done,
            4 => NoticeState::Superseded,
            5 => NoticeState::InForce,
            6 => NoticeState::Released,
            other => return Err(reader.value("state", "0 to 6", other)),
        },
        made_us: reader.i64("made_us")?,
        acknowledged: reader
            .option("acknowledged", |reader, field| Ok((AccountId(reader.array(field)?), reader.i64(field)?)))?,
        changed_us: reader.i64("changed_us")?,
        supersedes: reader.option("supersedes", |reader, field| reader.array(field).map(NoticeId))?,
    })
}

fn take_document(reader: &mut Reader<'_>, field: &'static str) -> Result<Document> {
    Ok(Document {
        name: reader.text(field)?,
        sha256: reader.array(field)?,
        bytes: reader.varint(field)?,
        kept: reader
            .option(field, |reader, field| Ok((AccountId(reader.array(field)?), EntryId(reader.array(field)?))))?,
    })
}
