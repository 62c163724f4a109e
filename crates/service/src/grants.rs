//! Grants: what one account lets another see of its files, or change.
//!
//! The bytes stay the owner's: they count for the owner's quota, go to the owner's trash, and are opened under the owner's
//! key. A grant follows the entry wherever it is moved; either side ends it at once.

use catalogue::{Tx, accounts, entries, shown, versions};
use model::{
    Change, Scope,
    entry::{EntryRow, Kind, Version},
    id::{AccountId, GrantId},
    share::GrantRow,
};

use crate::{
    Service,
    error::{Error, Result},
    leaving,
    paths::Path,
    places::Place,
    tokens::Caller,
    tree::{self, Found},
};

/// The most grants that an account gives at a time.
const GRANTS_MAX: usize = 10_000;
/// The most that one account is given at a time, by all others together.
const GIVEN_MAX: usize = 1_000;

/// A grant as who gave it sees it.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its row.
    pub row: GrantRow,
    /// The name of the account that it was given to.
    pub to: String,
    /// Where its entry is now; `None`: in the trash, or gone.
    pub path: Option<String>,
    /// What its entry is, if there is one.
    pub kind: Option<Kind>,
}

/// A grant as who it was given to sees it.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its row.
    pub row: GrantRow,
    /// The name of the account that gave it.
    pub from: String,
    /// What it shows.
    pub entry: EntryRow,
    /// For a file: what readers get.
    pub version: Option<Version>,
}

impl Service {
    /// Lets the account `to` see what is at `path`, and change what is in it if it `writes`. Given again, the rights are
    /// changed.
    ///
    /// # Errors
    /// Missing if nothing is there or nobody has that name; Refused for the whole tree, for a file that may be changed, and
    /// for oneself.
    pub async fn grant(&self, caller: &Caller, path: Path, to: String, writes: bool) -> Result<Given> {
        let (account, now_us) = (caller.account, self.store.now().wall_us);
        let id = GrantId::random(self.store.entropy());
        let (place, post) = (Place::from(caller), self.post.clone());
        let given = self
            .store
            .commit(move |tx, draft| {
                let Found::Row(entry) = tree::at(tx, &place.changes(tx)?, &path)? else {
                    return Err(Error::BadShare { what: "share a folder in it: the whole tree is yours alone" });
                };
                let there = accounts::by_name(tx, &to)?.ok_or(Error::NoAccount { name: to })?;
                if there.id == account {
                    return Err(Error::GrantToSelf);
                }
                check(&entry, writes)?;
                let given = shown::grants(tx, account)?;
                let before = given.iter().find(|row| row.entry == entry.id && row.to == there.id);
                if before.is_none() && given.len() >= GRANTS_MAX {
                    return Err(Error::BadShare { what: "10,000 grants are the most at a time; end some first" });
                }
                if before.is_none() && shown::grants_to(tx, there.id)?.len() >= GIVEN_MAX {
                    return Err(Error::BadShare {
                        what: "very much is shared with this account already; it has to let some of it go",
                    });
                }
                if let (Some(post), None) = (&post, before) {
                    post.tell_grant(tx, account, there.id)?;
                }
                let row = match before {
                    Some(row) => GrantRow { writes, ..row.clone() },
                    None => GrantRow { id, entry: entry.id, to: there.id, writes, made_us: now_us, ended_us: None },
                };
                draft.audit(Some(account), "granted", row.id.to_string());
                draft.change(Scope::Account(account), Change::Grant(row.clone()));
                Ok(Given { row, to: there.name, path: Some(path.to_string()), kind: Some(entry.kind) })
            })
            .await;
        self.ring();
        given
    }

    /// What the caller lets others see, newest first.
    ///
    /// # Errors
    /// As the store says.
    pub async fn grants(&self, caller: &Caller) -> Result<Vec<Given>> {
        let account = caller.account;
        self.look(move |tx| shown::grants(tx, account)?.into_iter().map(|row| given(tx, account, row)).collect()).await
    }

    /// Changes what a grant allows.
    ///
    /// # Errors
    /// Missing if the caller gave no such grant; Refused where a file would be changed.
    pub async fn change_grant(&self, caller: &Caller, id: GrantId, writes: bool) -> Result<Given> {
        let account = caller.account;
        self.store
            .commit(move |tx, draft| {
                let row = live(tx, account, id)?;
                if let Some(entry) = entries::get(tx, account, row.entry)? {
                    check(&entry, writes)?;
                }
                let row = GrantRow { writes, ..row };
                draft.change(Scope::Account(account), Change::Grant(row.clone()));
                given(tx, account, row)
            })
            .await
    }

    /// Ends a grant at once.
    ///
    /// # Errors
    /// Missing if the caller gave no such grant.
    pub async fn end_grant(&self, caller: &Caller, id: GrantId) -> Result<()> {
        let account = caller.account;
        self.end_it(account, account, id).await
    }

    /// Gives back what another account lets the caller see.
    ///
    /// # Errors
    /// [`Error::NoGrant`].
    pub async fn leave_grant(&self, caller: &Caller, id: GrantId) -> Result<()> {
        let to = caller.account;
        let owner = self.store.read(move |tx| shown::granter(tx, to, id)).await?.ok_or(Error::NoGrant)?;
        self.end_it(owner, to, id).await
    }

    async fn end_it(&self, owner: AccountId, actor: AccountId, id: GrantId) -> Result<()> {
        let now_us = self.store.now().wall_us;
        self.store
            .commit(move |tx, draft| {
                let row = live(tx, owner, id)?;
                draft.audit(Some(actor), "grant ended", id.to_string());
                draft.change(Scope::Account(owner), Change::Grant(GrantRow { ended_us: Some(now_us), ..row }));
                Ok::<_, Error>(())
            })
            .await?;
        self.drop_uploads_by(owner, Place::way_of_grant(id)).await
    }

    /// What others let the caller see now, newest first.
    ///
    /// # Errors
    /// As the store says.
    pub async fn granted(&self, caller: &Caller) -> Result<Vec<Received>> {
        let to = *caller;
        self.look(move |tx| {
            let mut found = Vec::new();
            for (owner, row) in shown::grants_to(tx, to.account)? {
                let top = match Place::granted(owner, row.id, &to).sees(tx) {
                    Ok(top) => top,
                    // In the trash, or its owner is suspended: it may come back.
                    Err(Error::NoGrant) => continue,
                    Err(error) => return Err(error),
                };
                let Some(entry) = top.row else { continue };
                let version = match entry.kind {
                    Kind::File => versions::current(tx, owner, entry.id)?,
                    Kind::Folder => None,
                };
                let from = accounts::by_id(tx, owner)?.map(|row| row.name).unwrap_or_default();
                found.push(Received { row, from, entry, version });
            }
            Ok(found)
        })
        .await
    }

    /// The place that a grant opens to the caller.
    ///
    /// # Errors
    /// [`Error::NoGrant`].
    pub async fn granted_place(&self, caller: &Caller, id: GrantId) -> Result<Place> {
        let to = *caller;
        self.look(move |tx| {
            let owner = shown::granter(tx, to.account, id)?.ok_or(Error::NoGrant)?;
            let place = Place::granted(owner, id, &to);
            place.sees(tx).map(|_| place)
        })
        .await
    }
}

/// A grant that its owner has not ended.
fn live(tx: &Tx<'_>, account: AccountId, id: GrantId) -> Result<GrantRow> {
    shown::grant(tx, account, id)?.filter(|row| row.ended_us.is_none()).ok_or(Error::NoShare)
}

fn check(entry: &EntryRow, writes: bool) -> Result<()> {
    if writes && entry.kind == Kind::File {
        return Err(Error::BadShare {
            what: "a single file can be shown, not changed by others; share the folder that it is in",
        });
    }
    Ok(())
}

fn given(tx: &Tx<'_>, account: AccountId, row: GrantRow) -> Result<Given> {
    let to = accounts::by_id(tx, row.to)?.map(|row| row.name).unwrap_or_default();
    let path = tree::path_of(tx, account, row.entry)?;
    let kind = entries::get(tx, account, row.entry)?.map(|entry| entry.kind);
    Ok(Given { row, to, path, kind })
}

/// Ends what an account lets others see and what others let it see, for an account that goes.
pub(crate) fn end_all(tx: &Tx<'_>, draft: &mut store::Draft, account: AccountId, now_us: i64) -> Result<()> {
    let mut ends = |owner: AccountId, row: GrantRow| {
        draft.change(Scope::Account(owner), Change::Grant(GrantRow { ended_us: Some(now_us), ..row }));
    };
    shown::grants(tx, account)?.into_iter().for_each(|row| ends(account, row));
    for (owner, row) in shown::grants_to(tx, account)? {
        // An owner who is gone too has no key to write with.
        if accounts::by_id(tx, owner)?.is_some_and(|row| !leaving::is_gone(&row)) {
            ends(owner, row);
        }
    }
    Ok(())
}
