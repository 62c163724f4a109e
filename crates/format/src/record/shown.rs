//! The bodies of changes that say what others get to see: links, grants, reports, the face of the service.

use model::{
    about::{AboutRow, Logo, SignUp},
    id::{AccountId, EntryId, GrantId, ReportId, ShareId},
    share::{GrantRow, Reason, ReportRow, ShareRow},
};

use super::{access::put_text, plans, rows::put_time};
use crate::{
    error::Result,
    wire::{Reader, put_blob, put_option, put_varint},
};

pub(super) fn put_share(bytes: &mut Vec<u8>, row: &ShareRow) {
    bytes.extend_from_slice(&row.id.0);
    bytes.extend_from_slice(&row.entry.0);
    bytes.extend_from_slice(&row.code);
    put_option(bytes, row.password.as_deref(), put_text);
    put_option(bytes, row.expires_us, put_time);
    put_option(bytes, row.downloads_max, put_varint);
    put_varint(bytes, row.downloads);
    put_time(bytes, row.made_us);
    put_option(bytes, row.ended_us, put_time);
    bytes.push(u8::from(row.receives));
    put_text(bytes, &row.words);
    put_option(bytes, row.off_us, put_time);
}

pub(super) fn take_share(reader: &mut Reader<'_>, shape: u8) -> Result<ShareRow> {
    let mut row = ShareRow {
        id: ShareId(reader.array("id")?),
        entry: EntryId(reader.array("entry")?),
        code: reader.array("code")?,
        password: reader.option("password", Reader::text)?,
        expires_us: reader.option("expires_us", Reader::i64)?,
        downloads_max: reader.option("downloads_max", Reader::varint)?,
        downloads: reader.varint("downloads")?,
        made_us: reader.i64("made_us")?,
        ended_us: reader.option("ended_us", Reader::i64)?,
        receives: false,
        words: String::new(),
        off_us: None,
    };
    // Shape 1 ends here.
    if shape > 1 {
        row.receives = reader.flag("receives")?;
        row.words = reader.text("words")?;
        row.off_us = reader.option("off_us", Reader::i64)?;
    }
    Ok(row)
}

pub(super) fn put_grant(bytes: &mut Vec<u8>, row: &GrantRow) {
    bytes.extend_from_slice(&row.id.0);
    bytes.extend_from_slice(&row.entry.0);
    bytes.extend_from_slice(&row.to.0);
    bytes.push(u8::from(row.writes));
    put_time(bytes, row.made_us);
    put_option(bytes, row.ended_us, put_time);
}

pub(super) fn take_grant(reader: &mut Reader<'_>) -> Result<GrantRow> {
    Ok(GrantRow {
        id: GrantId(reader.array("id")?),
        entry: EntryId(reader.array("entry")?),
        to: AccountId(reader.array("to")?),
        writes: reader.flag("writes")?,
        made_us: reader.i64("made_us")?,
        ended_us: reader.option("ended_us", Reader::i64)?,
    })
}

pub(super) fn put_report(bytes: &mut Vec<u8>, row: &ReportRow) {
    bytes.extend_from_slice(&row.id.0);
    bytes.extend_from_slice(&row.account.0);
    bytes.extend_from_slice(&row.share.0);
    bytes.push(match row.reason {
        Reason::Illegal => 0,
        Reason::Copyright => 1,
        Reason::Malware => 2,
        Reason::Other => 3,
    });
    put_text(bytes, &row.words);
    put_option(bytes, row.contact.as_deref(), put_text);
    put_time(bytes, row.made_us);
    put_option(bytes, row.settled_us, put_time);
}

pub(super) fn take_report(reader: &mut Reader<'_>) -> Result<ReportRow> {
    Ok(ReportRow {
        id: ReportId(reader.array("id")?),
        account: AccountId(reader.array("account")?),
        share: ShareId(reader.array("share")?),
        reason: match reader.u8("reason")? {
            0 => Reason::Illegal,
            1 => Reason::Copyright,
            2 => Reason::Malware,
            3 => Reason::Other,
            other => return Err(reader.value("reason", "0 to 3", other)),
        },
        words: reader.text("words")?,
        contact: reader.option("contact", Reader::text)?,
        made_us: reader.i64("made_us")?,
        settled_us: reader.option("settled_us", Reader::i64)?,
    })
}

pub(super) fn put_about(bytes: &mut Vec<u8>, row: &AboutRow) {
    put_option(bytes, row.name.as_deref(), put_text);
    bytes.push(match row.sign_up {
        SignUp::Invitation => 0,
        SignUp::Open => 1,
        SignUp::Closed => 2,
    });
    put_option(bytes, row.new_space_bytes, put_varint);
    put_option(bytes, row.colour, |bytes, colour| bytes.extend_from_slice(&colour));
    put_option(bytes, row.logo.as_ref(), |bytes, logo| {
        put_text(bytes, &logo.media_type);
        put_blob(bytes, &logo.bytes);
    });
    for text in [&row.contact, &row.imprint, &row.terms] {
        put_option(bytes, text.as_deref(), put_text);
    }
    plans::put_offers(bytes, row);
}

pub(super) fn take_about(reader: &mut Reader<'_>, shape: u8) -> Result<AboutRow> {
    let mut row = AboutRow {
        name: reader.option("name", Reader::text)?,
        sign_up: match reader.u8("sign_up")? {
            0 => SignUp::Invitation,
            1 => SignUp::Open,
            2 => SignUp::Closed,
            other => return Err(reader.value("sign_up", "0 to 2", other)),
        },
        new_space_bytes: reader.option("new_space_bytes", Reader::varint)?,
        colour: reader.option("colour", Reader::array)?,
        logo: reader.option("logo", |reader, field| {
            Ok(Logo { media_type: reader.text(field)?, bytes: reader.blob(field)?.to_vec() })
        })?,
        contact: reader.option("contact", Reader::text)?,
        imprint: reader.option("imprint", Reader::text)?,
        terms: reader.option("terms", Reader::text)?,
        ..AboutRow::default()
    };
    // Shape 2 knew neither plans nor files without an account.
    if shape > 2 {
        plans::take_offers(reader, &mut row)?;
    }
    Ok(row)
}
