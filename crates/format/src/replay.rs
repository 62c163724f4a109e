//! The fold: journal and snapshots in, state out. Rebuild, rescue and the simulator's auditor share it.
//!
//! A change states a row; of several states of one row the latest counts, by (epoch, revision) and nothing else, so that rows
//! may be applied in any order. A tombstone is a state like others: it wins over everything older, wherever that turns up.
//! [`chain`] says which journal objects count and in which order; [`State`] applies layers and records and knows
//! what it has seen, so that a record that comes twice does nothing and one that never came is reported as a [`Gap`].
//!
//! Order that does matter: epochs ascending, and within one epoch a scope's layers before its records.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Change, Record, Scope,
    about::AboutRow,
    account::{AccountRow, KitRow, LimitsRow, SignInRow, TokenRow},
    entry::{EntryRow, Version},
    fleet::{ConstraintRow, ProviderRow, TargetRow},
    id::{
        AccountId, EntryId, GrantId, KitId, LeaseId, NoticeId, PackId, PasskeyId, ProviderId, ReportId, SegmentId,
        ShareId, TargetId, TokenId, VersionId, WebhookId,
    },
    leases::{LeaseRow, NoticeRow},
    ledger::LedgerEntry,
    orders::TargetOrders,
    outgoing::{MailRow, WebhookRow},
    pack::{Location, Make, Pack},
    plans::PlanRow,
    share::{GrantRow, ReportRow, ShareRow},
    units::ServiceTime,
    ways::{IdentityRow, PasskeyRow},
};

use crate::snapshot::LayerHeader;

mod chain;
mod ledger;
mod seen;
mod tree;

pub use chain::{Chain, SeqGap, chain};
pub use tree::{Cut, Lost, Tree, TreeItem};

use seen::Seen;

/// When a row changed: of two states of a row the one with the greater counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct At {
    /// The epoch.
    pub epoch: u64,
    /// The scope's revision in it.
    pub revision: u64,
}

/// A row, and when it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<T> {
    /// When it changed.
    pub at: At,
    /// What it says.
    pub value: T,
}

/// Revisions that no layer and no record told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gap {
    /// Whose revisions.
    pub scope: Scope,
    /// The last one before the gap.
    pub after: u64,
    /// The first one behind it.
    pub next: u64,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Applied {
    /// It is in the state now.
    New,
    /// A layer covers it, or it came before: it changed nothing.
    Seen,
    /// It is of an earlier epoch, beyond what the later one began with: not applied, to be reported.
    Late,
}

/// A pack as its records state it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackState {
    /// The pack as it was written.
    pub pack: Pack,
    /// When it was written.
    pub at: At,
    /// The makes that count now.
    pub makes: Vec<Make>,
    /// When they last changed.
    pub makes_at: At,
    /// Since when nothing needs it any more.
    pub gone: Option<ServiceTime>,
    /// When that was decided, or when it was written.
    pub gone_at: At,
}

/// Where a segment lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Located {
    /// The pack.
    pub pack: PackId,
    /// Where in it.
    pub location: Location,
    /// When that was said.
    pub at: At,
}

/// What was said of a pack before the pack itself turned up.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
struct Orphan {
    makes: Option<Row<Vec<Make>>>,
    gone: Option<Row<ServiceTime>>,
}

/// The cluster's rows.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ClusterState {
    /// The highest revision applied.
    pub revision: u64,
    /// The epoch of the latest row.
    pub epoch: u64,
    /// Accounts.
    pub accounts: BTreeMap<AccountId, Row<AccountRow>>,
    /// How accounts are signed in to.
    pub sign_ins: BTreeMap<AccountId, Row<SignInRow>>,
    /// What accounts may take.
    pub limits: BTreeMap<AccountId, Row<LimitsRow>>,
    /// Accounts that are gone for good, and since when. Nothing states a row of theirs any more, whatever turns up.
    pub account_tombs: BTreeMap<AccountId, Row<ServiceTime>>,
    /// Plans by name, those that have ended too.
    pub plans: BTreeMap<String, Row<PlanRow>>,
    /// Secrets, those that have ended too.
    pub tokens: BTreeMap<TokenId, Row<TokenRow>>,
    /// What guests told of links.
    pub reports: BTreeMap<ReportId, Row<ReportRow>>,
    /// The face of the service; at most one.
    pub about: BTreeMap<(), Row<AboutRow>>,
    /// Where mail reaches accounts.
    pub mail: BTreeMap<AccountId, Row<MailRow>>,
    /// Passkeys, those that have ended too.
    pub passkeys: BTreeMap<PasskeyId, Row<PasskeyRow>>,
    /// Who accounts' owners are elsewhere, or were.
    pub identities: BTreeMap<AccountId, Row<IdentityRow>>,
    /// Providers.
    pub providers: BTreeMap<ProviderId, Row<ProviderRow>>,
    /// Targets.
    pub targets: BTreeMap<TargetId, Row<TargetRow>>,
    /// Labels that keep providers apart, or did so.
    pub constraints: BTreeMap<String, Row<ConstraintRow>>,
    /// Leases, those that have ended too.
    pub leases: BTreeMap<LeaseId, Row<LeaseRow>>,
    /// Notices, those that are done too.
    pub notices: BTreeMap<NoticeId, Row<NoticeRow>>,
    /// Entries of the ledger, by number.
    pub ledger: BTreeMap<u64, Row<LedgerEntry>>,
    /// Numbers under which two entries with different texts turned up: somebody forked the ledger.
    pub ledger_forks: BTreeSet<u64>,
    /// What was ordered of targets, also what is over.
    pub orders: BTreeMap<TargetId, Row<TargetOrders>>,
    /// Packs, those that are gone too.
    pub packs: BTreeMap<PackId, PackState>,
    /// Where segments lie, the latest word on each; also in packs that are gone, see [`ClusterState::locate`].
    pub locations: BTreeMap<SegmentId, Located>,
    orphans: BTreeMap<PackId, Orphan>,
}

impl ClusterState {
    /// Applies a change of the current epoch.
    pub fn apply(&mut self, revision: u64, change: &Change) {
        self.apply_at(At { epoch: self.epoch, revision }, change);
    }

    /// Applies a change. Changes of account parts are none of the cluster's and do nothing.
    pub fn apply_at(&mut self, at: At, change: &Change) {
        match change {
            Change::Account(AccountRow { id, .. })
            | Change::SignIn(SignInRow { account: id, .. })
            | Change::Limits(LimitsRow { account: id, .. })
            | Change::Mail(MailRow { account: id, .. })
            | Change::Passkey(PasskeyRow { account: id, .. })
            | Change::Identity(IdentityRow { account: id, .. })
                if self.account_tombs.contains_key(id) => {}
            Change::Account(row) => put(&mut self.accounts, row.id, at, row),
            Change::SignIn(row) => put(&mut self.sign_ins, row.account, at, row),
            Change::Limits(row) => put(&mut self.limits, row.account, at, row),
            Change::AccountGone { account, at: since } => {
                self.accounts.remove(account);
                self.sign_ins.remove(account);
                self.limits.remove(account);
                self.mail.remove(account);
                self.passkeys.retain(|_, row| row.value.account != *account);
                self.identities.remove(account);
                put(&mut self.account_tombs, *account, at, since);
            }
            Change::Plan(row) => put(&mut self.plans, row.name.clone(), at, row),
            Change::Token(row) => put(&mut self.tokens, row.id, at, row),
            Change::Report(row) => put(&mut self.reports, row.id, at, row),
            Change::About(row) => put(&mut self.about, (), at, row),
            Change::Mail(row) => put(&mut self.mail, row.account, at, row),
            Change::Passkey(row) => put(&mut self.passkeys, row.id, at, row),
            Change::Identity(row) => put(&mut self.identities, row.account, at, row),
            Change::Provider(row) => put(&mut self.providers, row.id, at, row),
            Change::Target(row) => put(&mut self.targets, row.id, at, row),
            Change::Constraint(row) => put(&mut self.constraints, row.label.clone(), at, row),
            Change::Lease(row) => put(&mut self.leases, row.id, at, row),
            Change::Notice(row) => put(&mut self.notices, row.id, at, row),
            Change::Ledger(entry) => self.put_entry(at, entry),
            Change::TargetOrders(row) => put(&mut self.orders, row.target, at, row),
            Change::Pack(pack) => self.put_pack(at, pack),
            Change::Makes { pack, makes } => match self.packs.get_mut(pack) {
                Some(state) => state.put_makes(at, makes),
                None => put_latest(&mut self.orphans.entry(*pack).or_default().makes, at, makes),
            },
            Change::PackGone { pack, at: since } => match self.packs.get_mut(pack) {
                Some(state) => state.put_gone(at, *since),
                None => put_latest(&mut self.orphans.entry(*pack).or_default().gone, at, since),
            },
            Change::Kit(_)
            | Change::Share(_)
            | Change::Grant(_)
            | Change::Webhook(_)
            | Change::Entry(_)
            | Change::EntryGone(_)
            | Change::Version(_)
            | Change::VersionGone(_) => return,
        }
        raise(&mut self.epoch, &mut self.revision, at);
    }

    /// Where a segment lies, unless its pack is gone.
    pub fn locate(&self, segment: SegmentId) -> Option<&Located> {
        let located = self.locations.get(&segment)?;
        self.packs.get(&located.pack).filter(|state| state.gone.is_none()).map(|_| located)
    }

    /// Packs of which only makes or an end are known: their own record is missing.
    pub fn unknown_packs(&self) -> impl Iterator<Item = PackId> {
        self.orphans.keys().copied()
    }

    fn put_pack(&mut self, at: At, pack: &Pack) {
        for location in &pack.locations {
            let located = Located { pack: pack.id, location: *location, at };
            let known = self.locations.entry(location.segment).or_insert(located);
            if at >= known.at {
                *known = located;
            }
        }
        let orphan = self.orphans.remove(&pack.id).unwrap_or_default();
        let state = self.packs.entry(pack.id).or_insert_with(|| PackState {
            pack: pack.clone(),
            at,
            makes: pack.makes.clone(),
            makes_at: at,
            gone: None,
            gone_at: at,
        });
        if at >= state.at {
            (state.pack, state.at) = (pack.clone(), at);
            state.put_makes(at, &pack.makes);
            if at > state.gone_at {
                (state.gone, state.gone_at) = (None, at);
            }
        }
        if let Some(makes) = orphan.makes {
            state.put_makes(makes.at, &makes.value);
        }
        if let Some(gone) = orphan.gone {
            state.put_gone(gone.at, gone.value);
        }
    }
}

impl PackState {
    fn put_makes(&mut self, at: At, makes: &[Make]) {
        if at >= self.makes_at {
            (self.makes, self.makes_at) = (makes.to_vec(), at);
        }
    }

    fn put_gone(&mut self, at: At, since: ServiceTime) {
        if at >= self.gone_at {
            (self.gone, self.gone_at) = (Some(since), at);
        }
    }
}

/// One account's rows.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AccountState {
    /// The highest revision applied.
    pub revision: u64,
    /// The epoch of the latest row.
    pub epoch: u64,
    /// Kits.
    pub kits: BTreeMap<KitId, Row<KitRow>>,
    /// Links, those that have ended too.
    pub shares: BTreeMap<ShareId, Row<ShareRow>>,
    /// Grants, those that have ended too.
    pub grants: BTreeMap<GrantId, Row<GrantRow>>,
    /// Webhooks, those that have ended too.
    pub webhooks: BTreeMap<WebhookId, Row<WebhookRow>>,
    /// Entries, those in the trash too.
    pub entries: BTreeMap<EntryId, Row<EntryRow>>,
    /// Versions, those that were replaced too.
    pub versions: BTreeMap<VersionId, Row<Version>>,
    /// Entries that are gone for good, and since when.
    pub entry_tombs: BTreeMap<EntryId, At>,
    /// Versions that are gone for good, and since when.
    pub version_tombs: BTreeMap<VersionId, At>,
}

impl AccountState {
    /// Applies a change of the current epoch.
    pub fn apply(&mut self, revision: u64, change: &Change) {
        self.apply_at(At { epoch: self.epoch, revision }, change);
    }

    /// Applies a change. Changes of the cluster are none of the account's and do nothing.
    pub fn apply_at(&mut self, at: At, change: &Change) {
        match change {
            Change::Kit(row) => put(&mut self.kits, row.id, at, row),
            Change::Share(row) => put(&mut self.shares, row.id, at, row),
            Change::Grant(row) => put(&mut self.grants, row.id, at, row),
            Change::Webhook(row) => put(&mut self.webhooks, row.id, at, row),
            Change::Entry(row) => put_living(&mut self.entries, &mut self.entry_tombs, row.id, at, row),
            Change::EntryGone(id) => bury(&mut self.entries, &mut self.entry_tombs, *id, at),
            Change::Version(row) => put_living(&mut self.versions, &mut self.version_tombs, row.id, at, row),
            Change::VersionGone(id) => bury(&mut self.versions, &mut self.version_tombs, *id, at),
            Change::Account(_)
            | Change::SignIn(_)
            | Change::Limits(_)
            | Change::Plan(_)
            | Change::AccountGone { .. }
            | Change::Token(_)
            | Change::Report(_)
            | Change::About(_)
            | Change::Mail(_)
            | Change::Passkey(_)
            | Change::Identity(_)
            | Change::Provider(_)
            | Change::Target(_)
            | Change::Constraint(_)
            | Change::Lease(_)
            | Change::Notice(_)
            | Change::Ledger(_)
            | Change::TargetOrders(_)
            | Change::Pack(_)
            | Change::Makes { .. }
            | Change::PackGone { .. } => return,
        }
        raise(&mut self.epoch, &mut self.revision, at);
    }

    /// The tree that its owner sees: entries that are not in the trash, with their paths.
    pub fn tree(&self) -> Tree<'_> {
        tree::grow(self)
    }
}

/// The cluster and all accounts.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct State {
    /// The cluster.
    pub cluster: ClusterState,
    /// Accounts of which a layer or a record was applied.
    pub accounts: BTreeMap<AccountId, AccountState>,
    seen: BTreeMap<Scope, Seen>,
}

impl State {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies the rows of one part of a layer: its range counts as seen. A layer from 0 of a later epoch than the scope's
    /// begins the scope anew: it needs nothing that an earlier epoch wrote. One of an earlier epoch than the scope's does nothing.
    pub fn apply_layer(&mut self, header: &LayerHeader, rows: &[(u64, Change)]) -> Applied {
        let LayerHeader { scope, epoch, from, to, .. } = *header;
        let seen = self.seen.entry(scope).or_default();
        if epoch < seen.epoch {
            return Applied::Late;
        }
        if epoch > seen.epoch && from == 0 {
            *seen = Seen::default();
            match scope {
                Scope::Cluster => self.cluster = ClusterState::default(),
                Scope::Account(id) => _ = self.accounts.remove(&id),
            }
        }
        seen.cover(epoch, from, to);
        rows.iter().for_each(|(revision, change)| self.put(scope, At { epoch, revision: *revision }, change));
        match scope {
            Scope::Cluster => raise(&mut self.cluster.epoch, &mut self.cluster.revision, At { epoch, revision: to }),
            Scope::Account(id) => {
                let account = self.accounts.entry(id).or_default();
                raise(&mut account.epoch, &mut account.revision, At { epoch, revision: to });
            }
        }
        Applied::New
    }

    /// Applies a record, unless it was seen.
    pub fn apply_record(&mut self, record: &Record) -> Applied {
        let Record { epoch, scope, revision, changes } = record;
        let applied = self.seen.entry(*scope).or_default().record(*epoch, *revision);
        if applied == Applied::New {
            let at = At { epoch: *epoch, revision: *revision };
            changes.iter().for_each(|change| self.put(*scope, at, change));
            match scope {
                Scope::Cluster => raise(&mut self.cluster.epoch, &mut self.cluster.revision, at),
                Scope::Account(id) => {
                    let account = self.accounts.entry(*id).or_default();
                    raise(&mut account.epoch, &mut account.revision, at);
                }
            }
        }
        applied
    }

    /// Whether something stated at `at` is late: a later epoch is known, and made that revision or one before it itself.
    pub fn is_late(&self, scope: Scope, at: At) -> bool {
        self.seen.get(&scope).is_some_and(|seen| seen.is_late(at.epoch, at.revision))
    }

    /// The revisions that are missing between those that came, scope by scope.
    pub fn gaps(&self) -> Vec<Gap> {
        let of = |(scope, seen): (&Scope, &Seen)| {
            let scope = *scope;
            seen.gaps().map(move |(after, next)| Gap { scope, after, next }).collect::<Vec<_>>()
        };
        self.seen.iter().flat_map(of).collect()
    }

    /// Up to which revision everything of a scope was seen.
    pub fn whole_to(&self, scope: Scope) -> u64 {
        self.seen.get(&scope).map_or(0, Seen::whole_to)
    }

    fn put(&mut self, scope: Scope, at: At, change: &Change) {
        match scope {
            Scope::Cluster => self.cluster.apply_at(at, change),
            Scope::Account(id) => self.accounts.entry(id).or_default().apply_at(at, change),
        }
    }
}

fn raise(epoch: &mut u64, revision: &mut u64, at: At) {
    if at >= (At { epoch: *epoch, revision: *revision }) {
        (*epoch, *revision) = (at.epoch, at.revision);
    }
}

fn put<K: Ord, T: Clone>(rows: &mut BTreeMap<K, Row<T>>, id: K, at: At, value: &T) {
    let known = rows.get(&id).is_some_and(|row| row.at > at);
    if !known {
        rows.insert(id, Row { at, value: value.clone() });
    }
}

fn put_latest<T: ?Sized + ToOwned>(slot: &mut Option<Row<T::Owned>>, at: At, value: &T) {
    if slot.as_ref().is_none_or(|row| at >= row.at) {
        *slot = Some(Row { at, value: value.to_owned() });
    }
}

/// Puts a row, unless a newer state of it or its end is known.
fn put_living<K: Ord + Copy, T: Clone>(
    rows: &mut BTreeMap<K, Row<T>>,
    tombs: &mut BTreeMap<K, At>,
    id: K,
    at: At,
    value: &T,
) {
    if tombs.get(&id).is_some_and(|tomb| *tomb > at) {
        return;
    }
    tombs.remove(&id);
    put(rows, id, at, value);
}

/// Ends a row, unless a newer state of it is known.
fn bury<K: Ord + Copy, T>(rows: &mut BTreeMap<K, Row<T>>, tombs: &mut BTreeMap<K, At>, id: K, at: At) {
    if rows.get(&id).is_some_and(|row| row.at > at) {
        return;
    }
    rows.remove(&id);
    let tomb = tombs.entry(id).or_insert(at);
    *tomb = at.max(*tomb);
}
