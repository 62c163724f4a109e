//! The body of an entry of the ledger.

use model::ledger::LedgerEntry;

use super::access::put_text;
use crate::{
    error::Result,
    wire::{Reader, put_varint},
};

pub(super) fn put_entry(bytes: &mut Vec<u8>, entry: &LedgerEntry) {
    put_varint(bytes, entry.n);
    put_text(bytes, &entry.text);
}

pub(super) fn take_entry(reader: &mut Reader<'_>) -> Result<LedgerEntry> {
    Ok(LedgerEntry { n: reader.varint("n")?, text: reader.text("text")? })
}
