//! What can change, in one enum.
//!
//! A change states the new row, not the act that led to it: "this entry is now in that folder under this name". So a
//! change can be applied again without harm, journal records and snapshots have one encoding, and state is a fold: for
//! each row the highest revision wins. What an act *may* do is validated before, inside the transaction of
//! `store::commit`.

use crate::{
    about::AboutRow,
    account::{AccountRow, KitRow, LimitsRow, SignInRow, TokenRow},
    entry::{EntryRow, Version},
    fleet::{ConstraintRow, ProviderRow, TargetRow},
    id::{AccountId, EntryId, PackId, VersionId},
    leases::{LeaseRow, NoticeRow},
    ledger::LedgerEntry,
    orders::TargetOrders,
    outgoing::{MailRow, WebhookRow},
    pack::{Make, Pack},
    plans::PlanRow,
    share::{GrantRow, ReportRow, ShareRow},
    units::ServiceTime,
    ways::{IdentityRow, PasskeyRow},
};

/// Whose counter of revisions a change takes part in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The cluster: accounts and what opens them, providers, targets, packs.
    Cluster,
    /// One account: its kits, entries, versions, shares and grants.
    Account(AccountId),
}

/// One row's new state, or its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Cluster, service part: an account's row.
    Account(AccountRow),
    /// Cluster, service part: how an account's owner signs in.
    SignIn(SignInRow),
    /// Cluster, service part: what an account may take.
    Limits(LimitsRow),
    /// Cluster, service part: a plan's row.
    Plan(PlanRow),
    /// Cluster, service part: this account is gone for good: nothing states a row of it any more, and its key goes after a
    /// grace.
    AccountGone {
        /// The account.
        account: AccountId,
        /// When that was decided.
        at: ServiceTime,
    },
    /// Cluster, service part: a secret's row.
    Token(TokenRow),
    /// Cluster, service part: what a guest told of a link.
    Report(ReportRow),
    /// Cluster, service part: the face of the service.
    About(AboutRow),
    /// Cluster, service part: where mail reaches an account.
    Mail(MailRow),
    /// Cluster, service part: a passkey's row.
    Passkey(PasskeyRow),
    /// Cluster, service part: who an account's owner is elsewhere.
    Identity(IdentityRow),
    /// Cluster, service part: a provider's row.
    Provider(ProviderRow),
    /// Cluster, service part: a target's row.
    Target(TargetRow),
    /// Cluster, service part: whether a label keeps providers apart.
    Constraint(ConstraintRow),
    /// Cluster, service part: a lease's row.
    Lease(LeaseRow),
    /// Cluster, service part: a notice's row.
    Notice(NoticeRow),
    /// Cluster, service part: an entry of the ledger.
    Ledger(LedgerEntry),
    /// Cluster, service part: what was ordered of a target.
    TargetOrders(TargetOrders),
    /// Cluster, open part: a pack was written: what lies in it, and the makes written with it. Its locations win over older
    /// ones of the same segments (repack).
    Pack(Pack),
    /// Cluster, open part: the makes of a pack that count from now on, all of them.
    Makes {
        /// The pack.
        pack: PackId,
        /// Every make that counts.
        makes: Vec<Make>,
    },
    /// Cluster, open part: nothing needs this pack any more; its shards go after a grace time.
    PackGone {
        /// The pack.
        pack: PackId,
        /// When that was decided.
        at: ServiceTime,
    },
    /// Account part: a kit's row.
    Kit(KitRow),
    /// Account part: a link's row.
    Share(ShareRow),
    /// Account part: what another account may see.
    Grant(GrantRow),
    /// Account part: a webhook's row.
    Webhook(WebhookRow),
    /// Account part: a folder's or a file's row.
    Entry(EntryRow),
    /// Account part: this entry is gone for good. Its own versions are ended by changes of their own.
    EntryGone(EntryId),
    /// Account part: a version's row.
    Version(Version),
    /// Account part: this version is gone for good.
    VersionGone(VersionId),
}

/// What one commit changed in one scope, as it is journalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The life of the catalogue that made it.
    pub epoch: u64,
    /// Whose revision it is.
    pub scope: Scope,
    /// The scope's counter after this record: 1, 2, 3, …
    pub revision: u64,
    /// The new rows.
    pub changes: Vec<Change>,
}
