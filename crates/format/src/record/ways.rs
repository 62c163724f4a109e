//! The bodies of changes that say which ways lead into an account beside its password.

use model::{
    id::{AccountId, PasskeyId},
    ways::{IdentityRow, PasskeyRow},
};

use super::{access::put_text, rows::put_time};
use crate::{
    error::Result,
    wire::{Reader, put_blob, put_option},
};

pub(super) fn put_passkey(bytes: &mut Vec<u8>, row: &PasskeyRow) {
    bytes.extend_from_slice(&row.id.0);
    bytes.extend_from_slice(&row.account.0);
    put_text(bytes, &row.label);
    put_text(bytes, &row.host);
    put_blob(bytes, &row.credential);
    put_blob(bytes, &row.key);
    bytes.extend_from_slice(&row.counter.to_le_bytes());
    put_time(bytes, row.made_us);
    put_option(bytes, row.ended_us, put_time);
}

pub(super) fn take_passkey(reader: &mut Reader<'_>) -> Result<PasskeyRow> {
    Ok(PasskeyRow {
        id: PasskeyId(reader.array("id")?),
        account: AccountId(reader.array("account")?),
        label: reader.text("label")?,
        host: reader.text("host")?,
        credential: reader.blob("credential")?.to_vec(),
        key: reader.blob("key")?.to_vec(),
        counter: reader.u32("counter")?,
        made_us: reader.i64("made_us")?,
        ended_us: reader.option("ended_us", Reader::i64)?,
    })
}

pub(super) fn put_identity(bytes: &mut Vec<u8>, row: &IdentityRow) {
    bytes.extend_from_slice(&row.account.0);
    put_text(bytes, &row.issuer);
    put_text(bytes, &row.subject);
    put_text(bytes, &row.name);
    put_time(bytes, row.made_us);
    put_option(bytes, row.ended_us, put_time);
}

pub(super) fn take_identity(reader: &mut Reader<'_>) -> Result<IdentityRow> {
    Ok(IdentityRow {
        account: AccountId(reader.array("account")?),
        issuer: reader.text("issuer")?,
        subject: reader.text("subject")?,
        name: reader.text("name")?,
        made_us: reader.i64("made_us")?,
        ended_us: reader.option("ended_us", Reader::i64)?,
    })
}
