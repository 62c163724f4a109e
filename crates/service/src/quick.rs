//! Files without an account: anybody leaves one here for a while, where the operator has turned that on.
//!
//! They lie in an account of the service's own, which nobody signs in to: an operator sees it among people, with what it
//! takes, and can suspend it. Each file lies in a folder that is called as its link's code is. What is begun is an upload like
//! any other, whose way says which link it will be: the link is made in the commit that finishes it, so an unfinished one
//! leaves nothing, and a finished one is as firm as any file. The id of a link's row follows from the secret that removes it;
//! that secret is kept nowhere.
//!
//! A link ends by the wall clock. What it showed is erased in the next round, unless the clocks disagree.

use catalogue::{Tx, accounts, entries, limits, shares, shown, uploads};
use model::{
    Change, Scope,
    about::Quick,
    account::LimitsRow,
    entry::{EntryRow, ROOT},
    id::{AccountId, EntryId, ShareId},
    share::ShareRow,
};
use store::{Draft, UploadRow, UploadSpec};

use crate::{
    Service,
    error::{Error, Result},
    limits::admit,
    networks::{Knock, Network},
    paths::Path,
    places::Place,
    tokens::Caller,
    tree::Stamp,
    uploads::Progress,
};

/// What the account is called.
const ACCOUNT: &str = "Quick upload";
/// Uploads under way at a time.
const OPEN_MAX: usize = 100;
/// Links that are listed, and those that one round ends.
const LISTED: usize = 1_000;
const DAY_US: i64 = 86_400_000_000;
/// What an operator may set: bytes that SQLite and JSON keep exactly, and days.
const BYTES_MAX: u64 = 1 << 53;
const DAYS_MAX: u32 = 365;

/// Which link an upload will be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    code: [u8; 16],
    share: ShareId,
    expires_us: i64,
}

impl Ticket {
    /// As the way of an upload.
    pub(crate) fn name(&self) -> String {
        format!("quick {} {} {}", ShareId(self.code), self.share, self.expires_us)
    }

    fn read(way: &str) -> Option<Self> {
        let mut words = way.strip_prefix("quick ")?.split(' ');
        let code = ShareId::parse(words.next()?).ok()?.0;
        let share = ShareId::parse(words.next()?).ok()?;
        Some(Self { code, share, expires_us: words.next()?.parse().ok()? })
    }
}

/// An upload that may begin.
#[derive(Clone)]
pub struct QuickBegun {
    /// The link's code.
    pub code: [u8; 16],
    /// When the link ends.
    pub expires_us: i64,
    /// What removes the file before that.
    pub remove: String,
}

/// A file that somebody left, as an operator sees it.
#[derive(Clone, Debug)]
pub struct QuickFile {
    /// Its link.
    pub link: ShareRow,
    /// Its name, if it is still there.
    pub name: Option<String>,
    /// Its bytes.
    pub size: u64,
}

impl Service {
    /// Takes what somebody is going to leave here: one file of that name and size, for so many days.
    ///
    /// # Errors
    /// [`Error::QuickOff`]; [`Error::FileTooLarge`], [`Error::BadQuick`]; [`Error::TooManyQuick`] for one network, at a time or
    /// in a day; [`Error::QuickFull`].
    pub async fn begin_quick(
        &self,
        network: Option<Network>,
        name: String,
        size: u64,
        days: Option<u32>,
    ) -> Result<QuickBegun> {
        let path = Path::from_text(&name)?;
        if path.names().len() != 1 {
            return Err(Error::BadQuick { what: "one file is left here at a time, by its name alone" });
        }
        let (quick, account) = self.look(open).await?;
        let days = days.unwrap_or(quick.days_max);
        if size == 0 || !(1..=quick.days_max).contains(&days) {
            return Err(Error::BadQuick {
                what: "a file has at least one byte, and stays for some days, as many as are offered",
            });
        }
        if size > quick.file_bytes {
            return Err(Error::FileTooLarge { limit: quick.file_bytes });
        }
        self.knock(network, Knock::Quick).map_err(|_| Error::TooManyQuick)?;
        self.look(move |tx| fits(tx, account, size)).await?;
        if !self.take_today(received_by(account), size, quick.bytes_per_day).await? {
            return Err(Error::TooManyQuick);
        }
        let (mut code, mut secret) = ([0; 16], [0; 16]);
        self.store.entropy().fill(&mut code);
        self.store.entropy().fill(&mut secret);
        let remove = ShareId(secret).to_string();
        let expires_us = self.store.now().wall_us.saturating_add(i64::from(days).saturating_mul(DAY_US));
        let ticket = Ticket { code, share: share_of(&remove, &code), expires_us };
        let spec = UploadSpec {
            path: vec![ShareId(code).to_string(), name],
            length: Some(size),
            metadata: String::new(),
            way: ticket.name(),
        };
        let row = self.store.begin_upload(account, spec).await?;
        // Others may have begun at the same moment.
        if let Err(full) = self.look(move |tx| fits(tx, account, 0)).await {
            self.store.drop_upload(account, row.id).await?;
            return Err(full);
        }
        Ok(QuickBegun { code, expires_us, remove })
    }

    /// The place that the bytes of a begun upload go to.
    ///
    /// # Errors
    /// [`Error::NoLink`] if none of this code is under way.
    pub async fn quick_place(&self, code: [u8; 16]) -> Result<Place> {
        self.look(move |tx| {
            let account = shown::about(tx)?.quick_account.ok_or(Error::NoLink)?;
            let (ticket, _) = under_way(tx, account, &code)?.ok_or(Error::NoLink)?;
            Ok(Place::quick(account, ticket))
        })
        .await
    }

    /// The one upload that a place of that kind is for, as its sender begins it by the protocol.
    pub(crate) async fn begun_quick(&self, place: &Place, ticket: Ticket, length: Option<u64>) -> Result<Progress> {
        let account = place.account();
        let found = self.look(move |tx| under_way(tx, account, &ticket.code)).await?;
        let (_, row) = found.ok_or(Error::NoLink)?;
        if length != row.length {
            return Err(Error::BadQuick { what: "say the same length as when you asked for the link" });
        }
        self.settle(place, row).await
    }

    /// Removes what its sender left, finished or not.
    ///
    /// # Errors
    /// [`Error::NoLink`] if there is none of this code, or `remove` is not its secret.
    pub async fn remove_quick(&self, code: [u8; 16], remove: &str) -> Result<()> {
        let share = share_of(remove, &code);
        let (account, link, upload) = self
            .look(move |tx| {
                let account = shown::about(tx)?.quick_account.ok_or(Error::NoLink)?;
                let upload = under_way(tx, account, &code)?.filter(|(ticket, _)| ticket.share == share);
                let link = shares::get(tx, account, share)?.filter(|row| row.code == code && row.ended_us.is_none());
                Ok((account, link, upload))
            })
            .await?;
        match (link, upload) {
            (Some(link), _) => self.end_quick(account, link).await,
            (None, Some((_, row))) => Ok(self.store.drop_upload(account, row.id).await?),
            (None, None) => Err(Error::NoLink),
        }
    }

    /// Says what may be left here, or that nothing may. What is there stays until its end.
    ///
    /// # Errors
    /// Refused if the caller is no operator, or for numbers that mean nothing.
    pub(crate) async fn set_quick(&self, caller: &Caller, quick: Option<Quick>) -> Result<()> {
        caller.must_operate()?;
        let account = match quick {
            None => None,
            Some(quick) => {
                let numbers = [quick.file_bytes, quick.space_bytes, quick.bytes_per_day];
                if numbers.into_iter().any(|number| !(1..=BYTES_MAX).contains(&number))
                    || !(1..=DAYS_MAX).contains(&quick.days_max)
                {
                    return Err(Error::BadQuick { what: "bytes are 1 to 2^53, days 1 to 365" });
                }
                Some(self.quick_account().await?)
            }
        };
        let own = caller.account;
        self.store
            .commit(move |tx, draft| {
                let mut row = shown::about(tx)?;
                row.quick = quick;
                row.quick_account = account.or(row.quick_account);
                if let (Some(account), Some(quick)) = (account, quick) {
                    let row = LimitsRow { space_bytes: Some(quick.space_bytes), ..limits::of(tx, account)? };
                    draft.change(Scope::Cluster, Change::Limits(row));
                }
                draft.audit(
                    Some(own),
                    if quick.is_some() { "quick uploads on" } else { "quick uploads off" },
                    String::new(),
                );
                draft.change(Scope::Cluster, Change::About(row));
                Ok(())
            })
            .await
    }

    /// The account that such files lie in, made when it is first needed.
    async fn quick_account(&self) -> Result<AccountId> {
        let known = self.look(|tx| match shown::about(tx)?.quick_account {
            Some(account) => Ok(accounts::by_id(tx, account)?.map(|row| row.id)),
            None => Ok(None),
        });
        if let Some(account) = known.await? {
            return Ok(account);
        }
        let made = self
            .store
            .make_account_and(ACCOUNT, true, |tx, draft, account| {
                let mut row = shown::about(tx)?;
                row.quick_account = Some(account.id);
                draft.change(Scope::Cluster, Change::About(row));
                Ok::<_, Error>(())
            })
            .await?;
        Ok(made.id)
    }

    /// What was left here and has not ended, newest first, for an operator.
    ///
    /// # Errors
    /// Refused if the caller is no operator.
    pub async fn quick_files(&self, caller: &Caller) -> Result<(Option<Quick>, Vec<QuickFile>)> {
        caller.must_operate()?;
        self.look(|tx| {
            let about = shown::about(tx)?;
            let Some(account) = about.quick_account else { return Ok((about.quick, Vec::new())) };
            let mut files = Vec::new();
            for link in shares::all(tx, account)?.into_iter().take(LISTED) {
                let listed = entries::listed(tx, account, link.entry)?;
                let size = listed.as_ref().and_then(|listed| listed.version.as_ref()).map_or(0, |version| version.size);
                files.push(QuickFile { link, name: listed.map(|listed| listed.entry.name), size });
            }
            Ok((about.quick, files))
        })
        .await
    }

    /// Switches the link of such a file off or on, for an operator.
    ///
    /// # Errors
    /// Refused if the caller is no operator; [`Error::NoLink`].
    pub async fn switch_quick(&self, caller: &Caller, code: [u8; 16], off: bool) -> Result<()> {
        caller.must_operate()?;
        let (own, now_us) = (caller.account, self.store.now().wall_us);
        self.store
            .commit(move |tx, draft| {
                let quick = shown::about(tx)?.quick_account;
                let found = shares::by_code(tx, &code)?.filter(|(account, _)| Some(*account) == quick);
                let (account, row) = found.ok_or(Error::NoLink)?;
                draft.audit(Some(own), if off { "link switched off" } else { "link switched on" }, row.id.to_string());
                crate::ledger::note_link(tx, draft, off, &[("link", row.id.to_string())], now_us)?;
                let off_us = off.then(|| row.off_us.unwrap_or(now_us));
                draft.change(Scope::Account(account), Change::Share(ShareRow { off_us, ..row }));
                Ok(())
            })
            .await
    }

    /// Erases what lies behind links whose time is over; how many files.
    pub(crate) async fn expire_quick(&self) -> Result<usize> {
        let now_us = self.store.now().wall_us;
        let due = self.look(move |tx| {
            let Some(account) = shown::about(tx)?.quick_account else { return Ok(Vec::new()) };
            let over = |row: &ShareRow| row.expires_us.is_some_and(|end| end <= now_us);
            let due = shares::all(tx, account)?.into_iter().filter(over).take(LISTED);
            Ok(due.map(|row| (account, row)).collect::<Vec<_>>())
        });
        let due = due.await?;
        if !self.store.clocks_agree() {
            return Ok(0);
        }
        let count = due.len();
        for (account, row) in due {
            self.end_quick(account, row).await?;
        }
        Ok(count)
    }

    /// Ends a link and erases its file with the folder around it.
    async fn end_quick(&self, account: AccountId, link: ShareRow) -> Result<()> {
        let stamp = Stamp::of(&self.store);
        let erased = self
            .store
            .commit(move |tx, draft| {
                let folder = match entries::get(tx, account, link.entry)? {
                    Some(file) if file.parent != ROOT => entries::get(tx, account, file.parent)?,
                    other => other,
                };
                let id = folder.as_ref().map(|row| row.id);
                if let Some(row) = folder {
                    let row = EntryRow { trashed: Some(stamp.trashed()), ..row };
                    draft.change(Scope::Account(account), Change::Entry(row));
                }
                let ended_us = Some(stamp.wall_us);
                draft.change(Scope::Account(account), Change::Share(ShareRow { ended_us, ..link }));
                Ok::<_, Error>(id)
            })
            .await?;
        match erased {
            Some(id) => self.erase(account, id).await,
            None => Ok(()),
        }
    }
}

/// Makes the link of a file that came whole, in the commit that makes the file.
pub(crate) fn show(draft: &mut Draft, account: AccountId, ticket: Ticket, entry: EntryId, now_us: i64) {
    let row = ShareRow {
        id: ticket.share,
        entry,
        code: ticket.code,
        password: None,
        expires_us: Some(ticket.expires_us),
        downloads_max: None,
        downloads: 0,
        made_us: now_us,
        ended_us: None,
        receives: false,
        words: String::new(),
        off_us: None,
    };
    draft.change(Scope::Account(account), Change::Share(row));
}

/// What may be left here, and in whose name it lies.
///
/// # Errors
/// [`Error::QuickOff`].
pub(crate) fn open(tx: &Tx<'_>) -> Result<(Quick, AccountId)> {
    let about = shown::about(tx)?;
    let (quick, account) = about.quick.zip(about.quick_account).ok_or(Error::QuickOff)?;
    let suspended = catalogue::access::sign_in(tx, account)?.is_some_and(|row| row.suspended_us.is_some());
    if suspended || accounts::by_id(tx, account)?.is_none() { Err(Error::QuickOff) } else { Ok((quick, account)) }
}

/// Refuses what would not fit beside everything that is there and under way.
fn fits(tx: &Tx<'_>, account: AccountId, more: u64) -> Result<()> {
    let open = uploads::of_account(tx, account)?;
    if open.len() > OPEN_MAX || (more > 0 && open.len() == OPEN_MAX) {
        return Err(Error::TooManyQuick);
    }
    let all = open.iter().fold(more, |all, row| all.saturating_add(row.length.unwrap_or(0)));
    admit(tx, account, all).map_err(|error| match error {
        Error::Quota { .. } => Error::QuickFull,
        other => other,
    })
}

/// The upload of this code that is under way.
fn under_way(tx: &Tx<'_>, account: AccountId, code: &[u8; 16]) -> Result<Option<(Ticket, UploadRow)>> {
    let mut found =
        uploads::of_account(tx, account)?.into_iter().filter_map(|row| Some((Ticket::read(&row.way)?, row)));
    Ok(found.find(|(ticket, _)| ticket.code == *code))
}

/// The id of a link's row: who knows `remove` knows it, and nobody else.
fn share_of(remove: &str, code: &[u8; 16]) -> ShareId {
    let mut proof = blake3::Hasher::new_derive_key("holdfast/v1/quick remove");
    proof.update(code).update(remove.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&proof.finalize().as_bytes()[..16]);
    ShareId(id)
}

/// Under which key the bytes are counted that are left in a day: those that links bring have the account's own.
fn received_by(account: AccountId) -> AccountId {
    AccountId(account.0.map(|byte| !byte))
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The code opens the link.
        f.debug_struct("Ticket").field("expires_us", &self.expires_us).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for QuickBegun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QuickBegun").field("expires_us", &self.expires_us).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{ShareId, Ticket, share_of};

    #[test]
    fn a_ticket_comes_back() {
        let ticket = Ticket { code: [7; 16], share: ShareId([9; 16]), expires_us: 5 };
        assert_eq!(Ticket::read(&ticket.name()), Some(ticket));
        for way in ["", "link 07", "quick 07 09 5", "quick"] {
            assert_eq!(Ticket::read(way), None, "{way}");
        }
    }

    #[test]
    fn only_the_secret_of_the_very_link_removes_it() {
        assert_ne!(share_of("a", &[1; 16]), share_of("b", &[1; 16]));
        assert_ne!(share_of("a", &[1; 16]), share_of("a", &[2; 16]));
    }
}
