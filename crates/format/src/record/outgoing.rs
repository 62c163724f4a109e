//! The bodies of changes that say what goes out by itself: addresses for mail, webhooks.

use model::{
    id::{AccountId, WebhookId},
    outgoing::{Confirmed, EventKind, Language, MailRow, SwitchedOff, WantedMail, WebhookRow},
};

use super::{access::put_text, rows::put_time};
use crate::{
    error::Result,
    wire::{Reader, put_option, put_varint},
};

pub(super) fn put_mail(bytes: &mut Vec<u8>, row: &MailRow) {
    bytes.extend_from_slice(&row.account.0);
    put_option(bytes, row.confirmed.as_ref(), |bytes, confirmed| {
        put_text(bytes, &confirmed.address);
        put_time(bytes, confirmed.since_us);
    });
    put_option(bytes, row.wanted.as_ref(), |bytes, wanted| {
        put_text(bytes, &wanted.address);
        bytes.extend_from_slice(&wanted.hash);
        put_time(bytes, wanted.expires_us);
    });
    bytes.push(match row.language {
        Language::English => 0,
        Language::German => 1,
    });
}

pub(super) fn take_mail(reader: &mut Reader<'_>) -> Result<MailRow> {
    Ok(MailRow {
        account: AccountId(reader.array("account")?),
        confirmed: reader.option("confirmed", |reader, field| {
            Ok(Confirmed { address: reader.text(field)?, since_us: reader.i64(field)? })
        })?,
        wanted: reader.option("wanted", |reader, field| {
            let (address, hash) = (reader.text(field)?, reader.array(field)?);
            Ok(WantedMail { address, hash, expires_us: reader.i64(field)? })
        })?,
        language: match reader.u8("language")? {
            0 => Language::English,
            1 => Language::German,
            other => return Err(reader.value("language", "0 or 1", other)),
        },
    })
}

pub(super) fn put_webhook(bytes: &mut Vec<u8>, row: &WebhookRow) {
    bytes.extend_from_slice(&row.id.0);
    put_text(bytes, &row.address);
    bytes.extend_from_slice(&row.secret);
    put_varint(bytes, row.events.len() as u64);
    bytes.extend(row.events.iter().map(|event| match event {
        EventKind::FileStored => 0,
        EventKind::ShareMade => 1,
        EventKind::ShareChanged => 2,
        EventKind::ShareEnded => 3,
        EventKind::RequestReceived => 4,
        EventKind::NoticeWaits => 5,
    }));
    put_text(bytes, &row.label);
    put_time(bytes, row.made_us);
    put_option(bytes, row.ended_us, put_time);
    put_option(bytes, row.off.as_ref(), |bytes, off| {
        put_time(bytes, off.at_us);
        put_text(bytes, &off.why);
    });
}

pub(super) fn take_webhook(reader: &mut Reader<'_>, shape: u8) -> Result<WebhookRow> {
    let row = WebhookRow {
        id: WebhookId(reader.array("id")?),
        address: reader.text("address")?,
        secret: reader.array("secret")?,
        events: {
            let count = reader.count("events", 1)?;
            (0..count).map(|_| take_event(reader)).collect::<Result<_>>()?
        },
        label: reader.text("label")?,
        made_us: reader.i64("made_us")?,
        ended_us: reader.option("ended_us", Reader::i64)?,
        off: reader
            .option("off", |reader, field| Ok(SwitchedOff { at_us: reader.i64(field)?, why: reader.text(field)? }))?,
    };
    // Shape 3 added an event, and is written for it alone.
    let is_new = row.events.contains(&EventKind::NoticeWaits);
    if is_new == (shape == 3) { Ok(row) } else { Err(reader.value("events", "5 in shape 3, and only there", shape)) }
}

fn take_event(reader: &mut Reader<'_>) -> Result<EventKind> {
    Ok(match reader.u8("events")? {
        0 => EventKind::FileStored,
        1 => EventKind::ShareMade,
        2 => EventKind::ShareChanged,
        3 => EventKind::ShareEnded,
        4 => EventKind::RequestReceived,
        5 => EventKind::NoticeWaits,
        other => return Err(reader.value("events", "0 to 5", other)),
    })
}
