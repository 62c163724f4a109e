//! Entries of the ledger: each is added behind the last one.

use super::Clash;
use crate::{
    error::{Error, Result},
    ledger,
    tx::{Int, Tx},
};
use model::ledger::LedgerEntry;

pub(super) fn entry(tx: &mut Tx<'_>, revision: u64, entry: &LedgerEntry, clash: Clash) -> Result<()> {
    if clash == Clash::Refuse {
        let expected = ledger::last(tx)?.map_or(0, |last| last.n) + 1;
        if entry.n != expected {
            return Err(Error::NotNext { expected, got: entry.n });
        }
    }
    // In a rebuild two texts may turn up for one number: the fold reports that, and here as there the later one counts.
    tx.run(
        "INSERT INTO ledger (n, revision, text) VALUES (?1, ?2, ?3)
         ON CONFLICT (n) DO UPDATE SET revision = excluded.revision, text = excluded.text
         WHERE excluded.revision >= ledger.revision",
        (Int(entry.n), Int(revision), &entry.text),
    )?;
    Ok(())
}
