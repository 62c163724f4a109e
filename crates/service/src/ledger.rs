//! The ledger, for operators: what was noted, and what signs it.

use store::ledger::Entry;

use crate::{
    Service,
    error::{Error, Result},
    tokens::Caller,
};

/// Entries of one answer.
pub const LEDGER_PAGE: usize = 200;

/// An entry with the text that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// What it says.
    pub entry: Entry,
    /// Its text.
    pub text: String,
}

/// A signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpointed {
    /// The signed note.
    pub note: String,
    /// How many entries it signs.
    pub size: u64,
    /// What the signature is checked with.
    pub key: String,
}

impl Service {
    /// The entries behind the number `after`, at most [`LEDGER_PAGE`] of them.
    ///
    /// # Errors
    /// Refused if the caller is no operator.
    pub async fn ledger(&self, caller: &Caller, after: u64) -> Result<Vec<Noted>> {
        caller.must_operate()?;
        let rows = self.store.ledger(after, LEDGER_PAGE).await?;
        let noted = |text: String| Ok(Noted { entry: Entry::parse(&text).map_err(store::Error::from)?, text });
        rows.into_iter().map(|row| noted(row.text)).collect::<Result<_>>()
    }

    /// A checkpoint of all entries that there are now.
    ///
    /// # Errors
    /// Refused if the caller is no operator.
    pub async fn checkpoint(&self, caller: &Caller) -> Result<Checkpointed> {
        caller.must_operate()?;
        let (note, size) = self.store.checkpoint().await?;
        Ok(Checkpointed { note, size, key: self.store.ledger_key().to_string() })
    }
}

/// Notes what an operator did with a link.
pub(crate) fn note_link(
    tx: &catalogue::Tx<'_>,
    draft: &mut store::Draft,
    off: bool,
    fields: &[(&str, String)],
    now_us: i64,
) -> Result<()> {
    store::ledger::note(tx, draft, if off { "link.switched-off" } else { "link.switched-on" }, fields, now_us)
        .map(drop)
        .map_err(Error::from)
}
