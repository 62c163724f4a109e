//! How much an account may take: asked before bytes are taken, and decided in the transaction that makes them a file.
//!
//! What holds is its plan's, with its own quota above the plan's space. What comes by a grant or a request is kept by its
//! owner, so the owner's limits count.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use catalogue::{Tx, accounts, limits, plans, space, uploads};
use futures_util::{Stream, StreamExt};
use model::{Change, Scope, account::LimitsRow, id::AccountId};

use crate::{
    Service,
    error::{Error, Result},
    places::Place,
    tokens::Caller,
};

/// What holds for an account; what is `None` is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InForce {
    /// The plan's name.
    pub plan: Option<String>,
    /// Plaintext bytes of all versions together.
    pub space_bytes: Option<u64>,
    /// Plaintext bytes of one file.
    pub file_bytes: Option<u64>,
    /// Days until a file goes to the trash.
    pub keep_days: Option<u32>,
    /// Bytes that guests may take through its links in a day.
    pub link_bytes_per_day: Option<u64>,
    /// Bytes a second that they get together.
    pub guest_bytes_per_s: Option<u64>,
}

/// What holds for an account now.
pub(crate) fn in_force(tx: &Tx<'_>, account: AccountId) -> Result<InForce> {
    let own = limits::of(tx, account)?;
    let plan = own.plan.as_deref().map(|name| plans::of(tx, name)).transpose()?.flatten();
    let name = plan.as_ref().map(|plan| plan.name.clone());
    let plan = plan.unwrap_or_default();
    Ok(InForce {
        plan: name,
        space_bytes: own.space_bytes.or(plan.space_bytes),
        file_bytes: plan.file_bytes,
        keep_days: plan.keep_days,
        link_bytes_per_day: plan.link_bytes_per_day,
        guest_bytes_per_s: plan.guest_bytes_per_s,
    })
}

/// What counts against an account's space: its versions, and what came of uploads that have not said how long they will be.
/// Those that have said so must fit together when they begin; of the others nobody knows before they end.
fn taken(tx: &Tx<'_>, account: AccountId) -> Result<u64> {
    let arrived = uploads::received_without_length(tx, account)?;
    Ok(limits::used_bytes(tx, account)?.saturating_add(arrived))
}

/// Refuses what would not fit an account. `more`: plaintext bytes that are to come.
///
/// # Errors
/// [`Error::Quota`].
pub(crate) fn admit(tx: &Tx<'_>, account: AccountId, more: u64) -> Result<()> {
    let Some(limit) = in_force(tx, account)?.space_bytes else { return Ok(()) };
    let used = taken(tx, account)?;
    if more <= limit.saturating_sub(used) { Ok(()) } else { Err(Error::Quota { used, limit }) }
}

/// Refuses a file that is larger than an account may keep.
///
/// # Errors
/// [`Error::FileTooLarge`].
pub(crate) fn admit_file(tx: &Tx<'_>, account: AccountId, size: u64) -> Result<()> {
    match in_force(tx, account)?.file_bytes {
        Some(limit) if size > limit => Err(Error::FileTooLarge { limit }),
        _ => Ok(()),
    }
}

/// How much of a body of unknown length is taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Room {
    /// What the account has left.
    pub space: Option<u64>,
    /// What the file may still grow by, and the limit of the whole file.
    file: Option<(u64, u64)>,
}

/// Beyond what a body was to grow.
#[derive(Clone, Copy)]
enum Beyond {
    /// The account's space.
    Space,
    /// The limit of one file.
    File { limit: u64 },
}

impl Room {
    /// For a file of which `had` bytes are there, while `open` others are on their way.
    pub(crate) fn of(tx: &Tx<'_>, account: AccountId, had: u64, open: u64) -> Result<Self> {
        let limits = in_force(tx, account)?;
        let used = taken(tx, account)?;
        Ok(Self {
            space: limits.space_bytes.map(|limit| limit.saturating_sub(used).saturating_sub(open)),
            file: limits.file_bytes.map(|limit| (limit.saturating_sub(had), limit)),
        })
    }
}

/// Whether a body was broken off, and why.
pub(crate) struct Cut(Arc<OnceLock<Beyond>>);

/// `body`, broken off where it grows beyond its room.
pub(crate) fn cut<S>(body: S, room: Room) -> (impl Stream<Item = std::io::Result<Bytes>> + Send + Unpin, Cut)
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
{
    let mut left = room.space;
    let takes = move |bytes: u64| match left.map(|left| left.checked_sub(bytes)) {
        Some(None) => false,
        Some(rest) => {
            left = rest;
            true
        }
        None => true,
    };
    cut_where(body, room, takes)
}

/// The same where the space is not this body's alone: `takes` says whether so many bytes more fit.
pub(crate) fn cut_where<S>(
    body: S,
    room: Room,
    mut takes: impl FnMut(u64) -> bool + Send + Unpin,
) -> (impl Stream<Item = std::io::Result<Bytes>> + Send + Unpin, Cut)
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
{
    let beyond = Arc::new(OnceLock::new());
    let (mut file, said) = (room.file, Arc::clone(&beyond));
    let counted = body.map(move |piece| {
        let piece = piece?;
        let bytes = piece.len() as u64;
        let found = match &mut file {
            Some((left, limit)) if *left < bytes => Some(Beyond::File { limit: *limit }),
            _ if !takes(bytes) => Some(Beyond::Space),
            Some((left, _)) => {
                *left -= bytes;
                None
            }
            None => None,
        };
        match found {
            None => Ok(piece),
            Some(found) => {
                let _ = said.set(found);
                Err(std::io::Error::from(std::io::ErrorKind::QuotaExceeded))
            }
        }
    });
    (counted, Cut(beyond))
}

impl Service {
    /// The bytes that the caller's account takes, and how many of them are no file as it is now.
    ///
    /// # Errors
    /// As the store says.
    pub async fn space(&self, caller: &Caller) -> Result<(u64, space::Kept)> {
        let account = caller.account;
        self.look(move |tx| Ok((limits::used_bytes(tx, account)?, space::kept(tx, account)?))).await
    }

    /// Says why a body was broken off, if it was: more came than its sender had said.
    pub(crate) async fn whole(&self, place: &Place, cut: &Cut) -> Result<()> {
        match cut.0.get() {
            None => Ok(()),
            Some(Beyond::File { limit }) => Err(Error::FileTooLarge { limit: *limit }),
            Some(Beyond::Space) => {
                let account = place.account();
                self.look(move |tx| admit(tx, account, u64::MAX)).await.map_err(|error| place.told(error))
            }
        }
    }

    /// Says how many bytes the account of this name may keep; `None`: what its plan says. What it has stays, also if that
    /// is more.
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
