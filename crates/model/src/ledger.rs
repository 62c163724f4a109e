//! The ledger: what was said and done to the service, in one line of entries.

/// One entry as it is kept. What its text means is `format::ledger`'s business; it is never changed and never goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Its number: 1, 2, 3, …
    pub n: u64,
    /// Its text, at most [`LedgerEntry::BYTES_MAX`] bytes.
    pub text: String,
}

impl LedgerEntry {
    /// Longest text of an entry, in bytes.
    pub const BYTES_MAX: usize = 64 << 10;
}
