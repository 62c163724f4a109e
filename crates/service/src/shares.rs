//! Shares: links to a file or a folder, made by its owner, opened by anybody who has the address.
//!
//! A link follows the entry, not its path: it goes on when the file is renamed or moved, and ends when it, or a folder
//! above it, goes to the trash, for as long as it lies there. A guest acts with the rights of the link alone: what is asked for is looked up from the shared
//! entry downwards, never from the owner's root.

use catalogue::{Tx, access, accounts, entries, shares, shown, taken};
use model::{
    Change, Scope,
    entry::{EntryRow, Kind},
    id::{AccountId, ShareId},
    outgoing::EventKind,
    share::ShareRow,
};

use crate::{
    Service,
    error::{Error, Result},
    hooks::{self, Happened},
    paths::Path,
    places::Place,
    tokens::Caller,
    tree::{self, Found},
};

/// The most downloads that a share can be limited to; beyond it, leave the limit away.
const DOWNLOADS_MAX: u64 = 1_000_000_000;
/// The most characters of the words for whoever opens a link.
const WORDS_CHARS_MAX: usize = 500;

/// What a link's owner wants of it. In a change: what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The password that it takes, or none.
    pub password: Option<Option<String>>,
    /// When it ends by itself, microseconds since 1970, or never.
    pub expires_us: Option<Option<i64>>,
    /// How many whole downloads it is good for, or any number.
    pub downloads_max: Option<Option<u64>>,
    /// What is said to whoever opens it.
    pub words: Option<String>,
}

/// A share as its owner sees it.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Its row.
    pub row: ShareRow,
    /// Where its entry is now; `None`: in the trash, or gone.
    pub path: Option<String>,
    /// What its entry is, if there is one.
    pub kind: Option<Kind>,
    /// How often its page was opened.
    pub opened: u64,
}

/// A link that is open to whoever asked.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its row.
    pub row: ShareRow,
    /// What it shows.
    pub entry: EntryRow,
    /// The name of the account that made it; `None`: somebody without one left the file here.
    pub owner: Option<String>,
    account: AccountId,
    /// Bytes a second that its guests get, if that is limited.
    pub(crate) rate: Option<u64>,
}

impl Service {
    /// Makes a link to what is at `path`: it shows it, or if it `receives`, takes files into that folder and shows nothing.
    ///
    /// # Errors
    /// Missing if nothing is there; Refused for a password, a date or a limit that means nothing.
    pub async fn share(&self, caller: &Caller, path: Path, receives: bool, wish: Wish) -> Result<Shared> {
        let (account, now_us) = (caller.account, self.store.now().wall_us);
        let id = ShareId::random(self.store.entropy());
        let mut code = [0; 16];
        self.store.entropy().fill(&mut code);
        let (wish, place, store) = (self.checked(wish).await?, Place::from(caller), self.store.clone());
        self.store
            .commit(move |tx, draft| {
                let Found::Row(entry) = tree::at(tx, &place.changes(tx)?, &path)? else {
                    return Err(Error::BadShare { what: "share a folder in it: the whole tree has no link" });
                };
                if receives && entry.kind == Kind::File {
                    return Err(Error::BadShare { what: "files are asked for into a folder" });
                }
                let mut row = ShareRow {
                    id,
                    entry: entry.id,
                    code,
                    password: None,
                    expires_us: None,
                    downloads_max: None,
                    downloads: 0,
                    made_us: now_us,
                    ended_us: None,
                    receives,
                    words: String::new(),
                    off_us: None,
                };
                wish.apply(&mut row);
                draft.audit(Some(account), "shared", id.to_string());
                draft.change(Scope::Account(account), Change::Share(row.clone()));
                let what = of_share(EventKind::ShareMade, &row, Some(path.to_string()));
                hooks::happened(tx, store.entropy(), account, now_us, &what)?;
                Ok(Shared { row, path: Some(path.to_string()), kind: Some(entry.kind), opened: 0 })
            })
            .await
    }

    /// The caller's shares, newest first; those that were ended are not among them.
    ///
    /// # Errors
    /// As the store says.
    pub async fn shares(&self, caller: &Caller) -> Result<Vec<Shared>> {
        let account = caller.account;
        let all =
            move |tx: &Tx<'_>| shares::all(tx, account)?.into_iter().map(|row| shared(tx, account, row)).collect();
        let mut all: Vec<Shared> = self.look(all).await?;
        all.iter_mut().for_each(|shared| shared.opened += self.opened_since(account, shared.row.id));
        Ok(all)
    }

    /// Changes what a link takes; its address stays.
    ///
    /// # Errors
    /// Missing if the caller has no such share; Refused as in [`Service::share`].
    pub async fn change_share(&self, caller: &Caller, id: ShareId, wish: Wish) -> Result<Shared> {
        let account = caller.account;
        let wish = self.checked(wish).await?;
        let mut shared =
            self.change_row(account, id, Some(EventKind::ShareChanged), move |row| wish.apply(row)).await?;
        shared.opened += self.opened_since(account, id);
        Ok(shared)
    }

    /// Ends a link at once.
    ///
    /// # Errors
    /// Missing if the caller has no such share.
    pub async fn end_share(&self, caller: &Caller, id: ShareId) -> Result<()> {
        let now_us = self.store.now().wall_us;
        let ends = move |row: &mut ShareRow| row.ended_us = Some(now_us);
        let ended = self.change_row(caller.account, id, Some(EventKind::ShareEnded), ends).await?;
        let way = Place::way_of_link(ended.row.code);
        self.drop_uploads_by(caller.account, way).await
    }

    /// Opens a link. `pass`: what [`Service::link_pass`] gave for its password.
    ///
    /// # Errors
    /// [`Error::NoLink`], [`Error::LinkEnded`], [`Error::LinkPassword`].
    pub async fn link(&self, code: [u8; 16], pass: Option<&str>) -> Result<Link> {
        let now_us = self.store.now().wall_us;
        let link = self.look(move |tx| live(tx, &code, now_us)).await?;
        match &link.row.password {
            Some(hash) if pass.is_none_or(|pass| !is_pass(pass, &code, hash)) => Err(Error::LinkPassword),
            _ => Ok(link),
        }
    }

    /// What opens a link from now on, for whoever knows its password. It opens nothing any more once the password was changed.
    ///
    /// # Errors
    /// [`Error::LinkPassword`] if it is the wrong one, [`Error::TooManyAttempts`], and those of [`Service::link`].
    pub async fn link_pass(&self, code: [u8; 16], password: String) -> Result<String> {
        let now_us = self.store.now().wall_us;
        let link = self.look(move |tx| live(tx, &code, now_us)).await?;
        let Some(hash) = link.row.password.clone() else { return Ok(String::new()) };
        let subject = format!("share {}", link.row.id);
        let now_us = self.store.now().monotonic_us;
        if !self.passwords.matches(&subject, Some(hash.clone()), password, now_us).await? {
            return Err(Error::LinkPassword);
        }
        Ok(pass_of(&code, &hash).to_string())
    }

    async fn change_row(
        &self,
        account: AccountId,
        id: ShareId,
        told: Option<EventKind>,
        change: impl FnOnce(&mut ShareRow) + Send + 'static,
    ) -> Result<Shared> {
        let (store, now_us) = (self.store.clone(), self.store.now().wall_us);
        self.store
            .commit(move |tx, draft| {
                let row = shares::get(tx, account, id)?.filter(|row| row.ended_us.is_none());
                let mut row = row.ok_or(Error::NoShare)?;
                change(&mut row);
                draft.change(Scope::Account(account), Change::Share(row.clone()));
                if row.ended_us.is_some() {
                    taken::forget(tx, id)?;
                }
                let shared = shared(tx, account, row)?;
                if let Some(kind) = told {
                    let what = of_share(kind, &shared.row, shared.path.clone());
                    hooks::happened(tx, store.entropy(), account, now_us, &what)?;
                }
                Ok(shared)
            })
            .await
    }

    /// A wish whose password is hashed and whose limits mean something.
    async fn checked(&self, wish: Wish) -> Result<Wish> {
        let now_us = self.store.now().wall_us;
        if wish.expires_us.flatten().is_some_and(|end| end <= now_us) {
            return Err(Error::BadShare { what: "the end of a link lies in the future" });
        }
        if wish.downloads_max.flatten().is_some_and(|max| !(1..=DOWNLOADS_MAX).contains(&max)) {
            return Err(Error::BadShare {
                what: "a link is good for 1 to 1,000,000,000 downloads, or without a limit",
            });
        }
        if wish.words.as_ref().is_some_and(|words| words.chars().count() > WORDS_CHARS_MAX) {
            return Err(Error::BadShare { what: "words for whoever opens a link have at most 500 characters" });
        }
        let password = match wish.password {
            Some(Some(password)) => Some(Some(self.passwords.hash_any(self.store.entropy(), password).await?)),
            other => other,
        };
        Ok(Wish { password, ..wish })
    }
}

impl Link {
    /// The account that made it.
    pub(crate) fn account(&self) -> AccountId {
        self.account
    }
}

impl Service {
    /// What an open link shows or takes.
    pub fn linked(&self, link: &Link) -> Place {
        Place::linked(link, self.store.now().wall_us)
    }
}

impl Wish {
    /// Sets what is wished for; the password is hashed by now.
    fn apply(&self, row: &mut ShareRow) {
        if let Some(password) = &self.password {
            row.password.clone_from(password);
        }
        row.expires_us = self.expires_us.unwrap_or(row.expires_us);
        row.downloads_max = self.downloads_max.unwrap_or(row.downloads_max);
        if let Some(words) = &self.words {
            row.words.clone_from(words);
        }
    }
}

/// What a webhook is told of a link: never its code.
fn of_share(kind: EventKind, row: &ShareRow, path: Option<String>) -> Happened {
    Happened { kind, path, size: None, entry: Some(row.entry), version: None, share: Some(row.id) }
}

fn shared(tx: &Tx<'_>, account: AccountId, row: ShareRow) -> Result<Shared> {
    let path = tree::path_of(tx, account, row.entry)?;
    let kind = entries::get(tx, account, row.entry)?.map(|entry| entry.kind);
    let opened = taken::opened(tx, row.id)?;
    Ok(Shared { row, path, kind, opened })
}

/// The link of this code, if it is good at a time of the wall clock, whatever it asks of a guest.
pub(crate) fn live(tx: &Tx<'_>, code: &[u8; 16], at_us: i64) -> Result<Link> {
    let (account, row) = shares::by_code(tx, code)?.ok_or(Error::NoLink)?;
    let suspended = access::sign_in(tx, account)?.is_some_and(|row| row.suspended_us.is_some());
    let over = row.ended_us.is_some() || row.expires_us.is_some_and(|end| at_us >= end);
    if over || suspended || tree::names_to(tx, account, row.entry)?.is_none() {
        return Err(Error::LinkEnded);
    }
    if row.off_us.is_some() {
        return Err(Error::LinkOff);
    }
    if row.downloads_max.is_some_and(|max| row.downloads >= max) {
        return Err(if row.receives { Error::RequestFull } else { Error::LinkEnded });
    }
    let entry = entries::get(tx, account, row.entry)?.ok_or(Error::LinkEnded)?;
    let left = shown::about(tx)?.quick_account == Some(account);
    let owner = if left { None } else { accounts::by_id(tx, account)?.map(|row| row.name) };
    Ok(Link { row, entry, owner, account, rate: None })
}

/// What proves that its bearer knew the link's password when its hash was this one.
fn pass_of(code: &[u8; 16], hash: &str) -> blake3::Hash {
    let mut proof = blake3::Hasher::new_derive_key("holdfast/v1/link pass");
    proof.update(code).update(hash.as_bytes());
    proof.finalize()
}

/// Compares in constant time.
fn is_pass(pass: &str, code: &[u8; 16], hash: &str) -> bool {
    blake3::Hash::from_hex(pass).is_ok_and(|pass| pass == pass_of(code, hash))
}
