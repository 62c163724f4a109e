//! The end of an account's key.
//!
//! A record says that an account is gone for good ([`model::Change::AccountGone`]). A grace of service time later its key
//! goes from everywhere: from memory, from the catalogue, and with every envelope of it from the targets: those of all
//! generations, since an old one opens for a kit that was revoked as it did before. Its address books and snapshots go
//! with them. Then whatever of the account lies on a disk that comes back years later is sealed for nobody.
//!
//! The record comes first and the bytes last, what is deleted counts for the budget of all destruction, and while that is
//! paused nothing goes. Each step finds out anew what is left to do, so one that breaks off is gone on with. A target that
//! is away gives its copies up when it is back: they stay on the list of what was released. What no list knows is found by
//! its name, here and by [`crate::strays`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use catalogue::{
    Tx,
    objects::{ObjectKind, ObjectRow, ObjectView},
};
use format::{
    name::{EnvelopeName, parse_address_book_name, parse_envelope_name},
    snapshot::parse_snapshot_name,
};
use model::{
    Change, Scope,
    fleet::TargetState,
    id::{AccountId, TargetId},
    units::ServiceTime,
};
use plan::reclaim::delete_budget;

use crate::{
    Draft, Inner, Store,
    copies::unverified,
    error::{Error, Result},
    locked, meta,
};

/// Accounts of which nothing is left to be released, once that was read. The catalogue keeps it over starts: asking every target
/// for the names of every account that ever ended is no work for each start. What comes back with an old disk is a stray.
#[derive(Default)]
pub(crate) struct Destroyed(Mutex<Option<BTreeSet<AccountId>>>);

/// Whether the grace of an account that is gone is over. One that went in an earlier life of the catalogue, whose service
/// time was another, waits for a whole grace of this one.
fn is_over(gone: ServiceTime, now: ServiceTime, grace_s: u64) -> bool {
    let since = if gone > now { 0 } else { gone.0 };
    now.0 >= since.saturating_add(grace_s)
}

/// Whose copied object has this name, if one account alone has to do with it.
fn account_of(name: &str) -> Option<AccountId> {
    let scope = parse_envelope_name(name)
        .or_else(|| parse_address_book_name(name))
        .map(|name| name.scope)
        .or_else(|| parse_snapshot_name(name).map(|name| name.scope))?;
    match scope {
        Scope::Account(account) => Some(account),
        Scope::Cluster => None,
    }
}

/// An account's envelope or address book by its name.
fn opener(name: &str) -> Option<(ObjectKind, EnvelopeName)> {
    let envelope = parse_envelope_name(name).map(|name| (ObjectKind::Envelope, name));
    envelope.or_else(|| parse_address_book_name(name).map(|name| (ObjectKind::AddressBook, name)))
}

/// What lies at a target, opens an account whose key is to be gone, and is on no list. Snapshots that no list knows are left
/// alone: without the key nobody reads them.
pub(crate) fn stray_of_gone(
    tx: &Tx<'_>,
    name: &str,
    target: TargetId,
    now: ServiceTime,
    grace_s: u64,
) -> catalogue::Result<Option<ObjectRow>> {
    let Some((kind, EnvelopeName { scope: Scope::Account(account), id, .. })) = opener(name) else { return Ok(None) };
    let Some(gone) = catalogue::accounts::gone(tx, account)? else { return Ok(None) };
    let is_listed =
        catalogue::objects::view(tx, id)?.is_some_and(|view| view.copies.iter().any(|at| at.target == target));
    let row = ObjectRow { id, kind, name: name.to_owned(), bytes: 0, hash: [0; 32], released: Some(now) };
    Ok((!is_listed && is_over(gone, now, grace_s)).then_some(row))
}

/// Puts such an object on the list of what goes.
pub(crate) fn release_stray(tx: &mut Tx<'_>, row: &ObjectRow, target: TargetId) -> catalogue::Result<()> {
    if catalogue::objects::view(tx, row.id)?.is_none() {
        catalogue::objects::insert(tx, row)?;
    }
    catalogue::objects::set_copy(tx, row.id, &unverified(target))
}

impl Draft {
    /// States that an account is gone for good. The caller has ended all that it held: what is left of it is nobody's.
    pub fn account_gone(&mut self, account: AccountId, at: ServiceTime) {
        self.change(Scope::Cluster, Change::AccountGone { account, at });
    }
}

impl Inner {
    /// Releases what opens accounts that are gone, as far as the budget goes; how many objects that were.
    pub(crate) async fn destroy_keys(self: &Arc<Self>) -> Result<usize> {
        let (now, grace_s) = (self.service_time(), self.settings.grace_s);
        let known = self.destroyed().await?;
        let gone = self.catalogue.read(|tx| catalogue::accounts::all_gone(tx)).await?;
        let due: BTreeSet<AccountId> = gone
            .into_iter()
            .filter(|(account, at)| is_over(*at, now, grace_s) && !known.contains(account))
            .map(|(account, _)| account)
            .collect();
        if due.is_empty() {
            return Ok(0);
        }
        let mut gate = self.gate().await?;
        if gate.pause(&self.fleet.topology(self.now_us())).is_some() {
            return Ok(0);
        }
        // What says that they are gone must outlive a power cut before anything goes.
        self.catalogue.sync().await?;
        let mut objects = self.objects_of(due.clone()).await?;
        let mut released = 0;
        for account in due {
            self.list_strays_of(account).await?;
            self.keys.remove(account);
            let left = delete_budget(gate.shards_in_all).saturating_sub(gate.deleted_last_hour);
            let (going, more) = within(objects.remove(&account).unwrap_or_default(), left);
            let copies: u64 = going.iter().map(|view| view.copies.len() as u64).sum();
            released += going.len();
            gate.deleted_last_hour += copies;
            self.upkeep.deleted(now, copies);
            Store(self.clone())
                .commit(move |tx, draft| {
                    let scope = Scope::Account(account);
                    catalogue::accounts::forget_envelope(tx, account)?;
                    for layer in catalogue::layers::of_scope(tx, scope)? {
                        catalogue::layers::delete(tx, scope, layer.id)?;
                    }
                    for view in &going {
                        catalogue::objects::release(tx, view.object.id, now)?;
                    }
                    if !more {
                        catalogue::meta::set_number(tx, &format!("{}{account}", meta::DESTROYED), 1)?;
                        draft.audit(None, "account's key destroyed", account.to_string());
                    }
                    Ok::<_, Error>(())
                })
                .await?;
            if !more && let Some(known) = locked(&self.upkeep.destroyed.0).as_mut() {
                known.insert(account);
            }
        }
        Ok(released)
    }

    /// Accounts of which nothing is left to be released.
    async fn destroyed(&self) -> Result<BTreeSet<AccountId>> {
        if let Some(known) = locked(&self.upkeep.destroyed.0).clone() {
            return Ok(known);
        }
        let names = self.catalogue.read(|tx| catalogue::meta::names(tx, meta::DESTROYED)).await?;
        let ids = names.iter().filter_map(|name| AccountId::parse(name.strip_prefix(meta::DESTROYED)?).ok());
        Ok(locked(&self.upkeep.destroyed.0).get_or_insert(ids.collect()).clone())
    }

    /// Whether a scope is that of an account that is gone for good.
    pub(crate) async fn is_of_gone(&self, scope: Scope) -> Result<bool> {
        let Scope::Account(account) = scope else { return Ok(false) };
        Ok(self.catalogue.read(move |tx| Ok(catalogue::accounts::gone(tx, account)?.is_some())).await?)
    }

    /// All accounts that are gone for good.
    pub(crate) async fn gone_accounts(&self) -> Result<BTreeSet<AccountId>> {
        let gone = self.catalogue.read(|tx| catalogue::accounts::all_gone(tx)).await?;
        Ok(gone.into_iter().map(|(account, _)| account).collect())
    }

    /// The copied objects of these accounts that are not released yet.
    async fn objects_of(&self, accounts: BTreeSet<AccountId>) -> Result<BTreeMap<AccountId, Vec<ObjectView>>> {
        let found = move |tx: &mut Tx<'_>| {
            let mut found: BTreeMap<AccountId, Vec<ObjectView>> = BTreeMap::new();
            for kind in [ObjectKind::Envelope, ObjectKind::AddressBook, ObjectKind::Snapshot] {
                for view in catalogue::objects::of_kind(tx, kind)? {
                    if let Some(account) = account_of(&view.object.name).filter(|id| accounts.contains(id)) {
                        found.entry(account).or_default().push(view);
                    }
                }
            }
            Ok(found)
        };
        Ok(self.catalogue.read(found).await?)
    }

    /// Asks every target that is up for what lies there under an account's names, and lists what no list knew.
    async fn list_strays_of(self: &Arc<Self>, account: AccountId) -> Result<()> {
        let (now, grace_s) = (self.service_time(), self.settings.grace_s);
        for live in self.fleet.all().into_iter().filter(|live| live.state == TargetState::Up) {
            let target = live.row.id;
            let mut names = Vec::new();
            for folder in ["envelopes", "addresses"] {
                match self.names_at(target, &format!("{folder}/{account}/")).await {
                    Ok(found) => names.extend(found),
                    // It is passed over: what it holds and no list knows is found when its names are read again.
                    Err(Error::Fleet(error)) => self.fleet.failed(target, &error, self.now_us()),
                    Err(error) => return Err(error),
                }
            }
            Store(self.clone())
                .commit(move |tx, _| {
                    for name in &names {
                        if let Some(row) = stray_of_gone(tx, name, target, now, grace_s)? {
                            release_stray(tx, &row, target)?;
                        }
                    }
                    Ok::<_, Error>(())
                })
                .await?;
        }
        Ok(())
    }
}

/// As many of the objects as may be deleted now, and whether some are left. An object goes with all its copies.
fn within(objects: Vec<ObjectView>, mut left: u64) -> (Vec<ObjectView>, bool) {
    let all = objects.len();
    let fits = |view: &ObjectView| match left.checked_sub(view.copies.len() as u64) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    let going: Vec<_> = objects.into_iter().take_while(fits).collect();
    let more = going.len() < all;
    (going, more)
}

#[cfg(test)]
mod tests {
    use model::units::ServiceTime;

    use super::is_over;

    #[test]
    fn a_grace_is_whole_in_whichever_life_it_began() {
        for (gone, now, over) in
            [(100, 100, false), (100, 109, false), (100, 110, true), (5_000, 9, false), (5_000, 10, true)]
        {
            assert_eq!(is_over(ServiceTime(gone), ServiceTime(now), 10), over, "{gone} {now}");
        }
    }
}
