//! How much an account may keep: asked before bytes are taken, and decided in the transaction that makes them a file.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use catalogue::{Tx, accounts, limits};
use futures_util::{Stream, StreamExt};
use model::{Change, Scope, account::LimitsRow, id::AccountId};

use crate::{
    Service,
    error::{Error, Result},
    tokens::Caller,
};

/// Refuses what would not fit an account. `more`: plaintext bytes that are to come.
///
/// # Errors
/// [`Error::Quota`].
pub(crate) fn admit(tx: &Tx<'_>, account: AccountId, more: u64) -> Result<()> {
    let Some(limit) = limits::of(tx, account)?.space_bytes else { return Ok(()) };
    let used = limits::used_bytes(tx, account)?;
    if more <= limit.saturating_sub(used) { Ok(()) } else { Err(Error::Quota { used, limit }) }
}

/// How many bytes more an account may take; `None`: as many as there is room for.
pub(crate) fn left(tx: &Tx<'_>, account: AccountId) -> Result<Option<u64>> {
    let limit = limits::of(tx, account)?.space_bytes;
    limit.map(|limit| Ok(limit.saturating_sub(limits::used_bytes(tx, account)?))).transpose()
}

/// `body`, broken off where it grows beyond `left` bytes; and whether it was.
pub(crate) fn cut<S>(
    body: S,
    left: Option<u64>,
) -> (impl Stream<Item = std::io::Result<Bytes>> + Send + Unpin, Arc<AtomicBool>)
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
{
    let is_over = Arc::new(AtomicBool::new(false));
    let (mut left, over) = (left.unwrap_or(u64::MAX), Arc::clone(&is_over));
    let counted = body.map(move |piece| {
        let piece = piece?;
        match left.checked_sub(piece.len() as u64) {
            Some(rest) => left = rest,
            None => {
                over.store(true, Ordering::Relaxed);
                return Err(std::io::Error::from(std::io::ErrorKind::QuotaExceeded));
            }
        }
        Ok(piece)
    });
    (counted, is_over)
}

impl Service {
    /// Says how many bytes the account of this name may keep; `None`: as many as there is room for. What it has stays,
    /// also if that is more.
    ///
    /// # Errors
    /// Refused if the caller is no operator; Missing if there is no such account.
    pub async fn set_quota(&self, caller: &Caller, name: String, space_bytes: Option<u64>) -> Result<()> {
        caller.must_operate()?;
        let own = caller.account;
        // What SQLite and JSON both keep exactly.
        if space_bytes.is_some_and(|bytes| bytes > 1 << 53) {
            return Err(Error::BadQuota);
        }
        self.store
            .commit(move |tx, draft| {
                let account = accounts::by_name(tx, &name)?.ok_or(Error::NoAccount { name })?.id;
                let row = LimitsRow { space_bytes, ..limits::of(tx, account)? };
                draft.audit(Some(own), "quota set", account.to_string());
                draft.change(Scope::Cluster, Change::Limits(row));
                Ok(())
            })
            .await
    }
}
