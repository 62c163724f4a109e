//! The end of an account: decided by its owner or an operator, done a grace later, taken back until then.
//!
//! The grace runs on service time, as all destruction does: a jump of the wall clock deletes nobody. When it is over
//! everything that opens the account ends in one commit, then its files are erased page by page; broken off, the next round
//! goes on. Until that is done the row stays, under a name that nobody had: its name is free again. The last commit says that
//! the account is gone for good; no replay brings it back, and a grace later its key is destroyed everywhere.

use catalogue::{Tx, access, accounts, entries, shares, uploads};
use model::{
    Change, Scope,
    account::{AccountRow, Leaving, Role, SignInRow, TokenRow},
    entry::{EntryRow, ROOT},
    id::AccountId,
    share::ShareRow,
    units::ServiceTime,
};
use store::Draft;

use crate::{
    Service,
    error::{Error, Result},
    grants, hooks,
    mail::{self, Telling},
    tokens::{Caller, role_of},
    tree::Stamp,
    ways,
};

/// From the decision to the deed.
pub(crate) const GRACE_S: u64 = 14 * 86_400;
/// Entries that are put into the trash in one commit.
const PAGE: usize = 500;

impl Service {
    /// Decides that the caller's account is to be deleted; when that will be, if the service runs until then.
    ///
    /// # Errors
    /// [`Error::BadLogin`], [`Error::SecondNeeded`], [`Error::BadSecond`]; [`Error::LastOperator`] if nobody else runs the
    /// service.
    pub async fn leave(&self, caller: &Caller, password: String, second: Option<&str>) -> Result<i64> {
        self.shown(caller, password, second).await?;
        let account = caller.account;
        self.decide(account, account, true).await
    }

    /// Takes the decision back.
    ///
    /// # Errors
    /// As the store says.
    pub async fn stay(&self, caller: &Caller) -> Result<()> {
        self.decide(caller.account, caller.account, false).await.map(drop)
    }

    /// Decides it for another account, or takes it back.
    ///
    /// # Errors
    /// Refused if the caller is no operator or means their own account; Missing if there is none of that name.
    pub async fn set_leaving(&self, caller: &Caller, name: String, leaves: bool) -> Result<()> {
        caller.must_operate()?;
        let account =
            self.look(move |tx| Ok(accounts::by_name(tx, &name)?.ok_or(Error::NoAccount { name })?.id)).await?;
        if account == caller.account {
            return Err(Error::OwnAccount);
        }
        self.decide(caller.account, account, leaves).await.map(drop)
    }

    async fn decide(&self, actor: AccountId, account: AccountId, leaves: bool) -> Result<i64> {
        let (at, wall_us) = (self.store.service_time(), self.store.now().wall_us);
        let post = self.post.clone();
        let due_us = self
            .store
            .commit(move |tx, draft| {
                if accounts::by_id(tx, account)?.is_none_or(|row| is_gone(&row)) {
                    // What began to be erased is not stopped half-way.
                    return Err(Error::NoSuchId);
                }
                let row = row_of(tx, account, wall_us)?;
                if leaves && row.role == Role::Operator && is_last_operator(tx, account)? {
                    return Err(Error::LastOperator);
                }
                let leaving = leaves.then(|| row.leaving.unwrap_or(Leaving { at, wall_us }));
                if let (Some(leaving), None) = (leaving, row.leaving) {
                    let at_us = due_us(leaving, at, wall_us);
                    mail::tell(post.as_ref(), tx, account, &Telling::Leaves { at_us })?;
                }
                if actor != account {
                    let what = if leaves { "account.leaves" } else { "account.stays" };
                    store::ledger::note(tx, draft, what, &[("account", account.to_string())], wall_us)?;
                }
                draft.audit(Some(actor), if leaves { "account leaves" } else { "account stays" }, account.to_string());
                draft.change(Scope::Cluster, Change::SignIn(SignInRow { leaving, ..row }));
                Ok::<_, Error>(leaving.map_or(0, |leaving| due_us(leaving, at, wall_us)))
            })
            .await?;
        self.ring();
        Ok(due_us)
    }

    /// Deletes the accounts whose grace is over; how many that were. One that cannot be deleted now keeps no other from it,
    /// and is tried again by the next call.
    ///
    /// # Errors
    /// The last trouble there was; all others were tried.
    pub async fn part_with_accounts(&self) -> Result<usize> {
        let now = self.store.service_time();
        let due = self.look(move |tx| due(tx, now)).await?;
        let (mut gone, mut failed) = (0, None);
        for account in due {
            match self.part_with(account).await {
                Ok(parted) => gone += usize::from(parted),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(gone), Err)
    }

    /// Deletes one; false if somebody took the decision back meanwhile.
    async fn part_with(&self, account: AccountId) -> Result<bool> {
        let (now, now_us) = (self.store.service_time(), self.store.now().wall_us);
        let closed = self
            .store
            .commit(move |tx, draft| {
                let is_gone = accounts::by_id(tx, account)?.is_none_or(|row| is_gone(&row));
                // Others may have taken an hour to erase since the list was made.
                if !is_gone && !access::sign_in(tx, account)?.is_some_and(|row| is_over(&row, now)) {
                    return Ok(false);
                }
                close(tx, draft, account, now_us)?;
                draft.audit(None, "account closed", account.to_string());
                Ok::<_, Error>(true)
            })
            .await?;
        if !closed {
            return Ok(false);
        }
        self.known.forget();
        for kit in self.store.kits(account).await?.into_iter().filter(|kit| kit.revoked_us.is_none()) {
            self.store.revoke_kit(account, kit.id).await?;
        }
        for upload in self.store.read(move |tx| uploads::of_account(tx, account)).await? {
            self.store.drop_upload(account, upload.id).await?;
        }
        loop {
            let stamp = Stamp::of(&self.store);
            let ids = self
                .store
                .commit(move |tx, draft| {
                    let mut ids = Vec::new();
                    for row in entries::children(tx, account, ROOT, "", PAGE)? {
                        ids.push(row.id);
                        let row = EntryRow { trashed: Some(stamp.trashed()), ..row };
                        draft.change(Scope::Account(account), Change::Entry(row));
                    }
                    Ok::<_, Error>(ids)
                })
                .await?;
            if ids.is_empty() {
                break;
            }
        }
        loop {
            let page = self.store.read(move |tx| entries::trash(tx, account, None, PAGE)).await?;
            if page.is_empty() {
                break;
            }
            for row in page {
                self.erase(account, row.id).await?;
            }
        }
        // Last: until now the next round would have gone on. From here on the store's upkeep sees to its key.
        let at = self.store.service_time();
        self.store
            .commit(move |tx, draft| {
                let is_empty = entries::children(tx, account, ROOT, "", 1)?.is_empty()
                    && entries::trash(tx, account, None, 1)?.is_empty()
                    && uploads::of_account(tx, account)?.is_empty();
                if !is_empty {
                    // Something came meanwhile, by a way that was open: the next round takes it.
                    return Ok(false);
                }
                draft.audit(None, "account deleted", account.to_string());
                store::ledger::note(tx, draft, "account.deleted", &[("account", account.to_string())], now_us)?;
                draft.account_gone(account, at);
                Ok::<_, Error>(true)
            })
            .await
    }
}

/// Ends everything that opens an account and everything that it shows, and frees its name.
fn close(tx: &mut Tx<'_>, draft: &mut Draft, account: AccountId, now_us: i64) -> Result<()> {
    for row in access::tokens(tx, account)? {
        draft.change(Scope::Cluster, Change::Token(TokenRow { ended_us: Some(now_us), ..row }));
    }
    for row in shares::all(tx, account)? {
        draft.change(Scope::Account(account), Change::Share(ShareRow { ended_us: Some(now_us), ..row }));
    }
    grants::end_all(tx, draft, account, now_us)?;
    mail::end(tx, draft, account)?;
    hooks::end_all(tx, draft, account, now_us)?;
    ways::end_all(tx, draft, account, now_us)?;
    access::end_sessions(tx, account, None)?;
    let row = row_of(tx, account, now_us)?;
    let suspended_us = Some(row.suspended_us.unwrap_or(now_us));
    let row = SignInRow { role: Role::User, password: None, suspended_us, second: None, ..row };
    draft.change(Scope::Cluster, Change::SignIn(row));
    let found = accounts::by_id(tx, account)?.filter(|row| !is_gone(row));
    if let Some(row) = found {
        draft.change(Scope::Cluster, Change::Account(AccountRow { name: gone_name(account), ..row }));
    }
    Ok(())
}

/// Accounts whose grace is over, and those that are closed and not gone: a round broke off.
fn due(tx: &Tx<'_>, now: ServiceTime) -> Result<Vec<AccountId>> {
    let mut found = Vec::new();
    for (account, sign_in) in access::accounts(tx)? {
        let id = account.id;
        if is_gone(&account) || sign_in.is_some_and(|row| is_over(&row, now)) {
            found.push(id);
        }
    }
    Ok(found)
}

fn is_over(row: &SignInRow, now: ServiceTime) -> bool {
    row.leaving.is_some_and(|leaving| now.0 >= leaving.at.0.saturating_add(GRACE_S))
}

/// When an account will be deleted, by the clock on the wall.
pub(crate) fn due_us(leaving: Leaving, now: ServiceTime, wall_us: i64) -> i64 {
    let left_s = leaving.at.0.saturating_add(GRACE_S).saturating_sub(now.0);
    wall_us.saturating_add(i64::try_from(left_s).unwrap_or(i64::MAX).saturating_mul(1_000_000))
}

/// Whether an account was deleted: its row only stands for it.
pub(crate) fn is_gone(row: &AccountRow) -> bool {
    row.name == gone_name(row.id)
}

/// What names of deleted accounts begin with; nobody is given such a name.
pub(crate) const GONE: &str = "deleted ";

/// What a deleted account is called.
fn gone_name(account: AccountId) -> String {
    format!("{GONE}{account}")
}

/// How an account is signed in to; one that never was gets the row that says so.
pub(crate) fn row_of(tx: &Tx<'_>, account: AccountId, now_us: i64) -> Result<SignInRow> {
    let found = access::sign_in(tx, account)?;
    Ok(match found {
        Some(row) => row,
        None => SignInRow {
            account,
            role: role_of(tx, account)?,
            password: None,
            suspended_us: None,
            changed_us: now_us,
            second: None,
            leaving: None,
        },
    })
}

fn is_last_operator(tx: &Tx<'_>, account: AccountId) -> Result<bool> {
    let runs = |row: &SignInRow| {
        let open = row.suspended_us.is_none() && row.leaving.is_none() && row.password.is_some();
        open && row.role == Role::Operator && row.account != account
    };
    Ok(!access::accounts(tx)?.iter().any(|(_, sign_in)| sign_in.as_ref().is_some_and(runs)))
}
