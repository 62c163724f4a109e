//! The only writer of journalled tables.
//!
//! State is a fold over changes: for each row the highest revision wins, of one revision the later change; a tombstone
//! beats every row up to its own revision. So [`apply`] is harmless when repeated and indifferent to order, with one
//! exception: two rows may want one name when changes come out of order. The live path refuses the second
//! ([`apply`]); a rebuild, which knows that the truth is still to come, lets the newer row have the name and keeps the
//! older one without a place until its own newer row arrives ([`replay`]; [`crate::entries::displaced`] lists what is
//! left over when records are missing).

mod access;
mod cluster;
mod files;
mod leases;
mod ledger;
mod orders;
mod outgoing;
mod plans;
mod shown;
mod ways;

use crate::{
    error::{Error, Result},
    tx::Tx,
};
use model::{
    Change, Scope,
    account::{AccountRow, LimitsRow, SignInRow},
    id::AccountId,
    outgoing::MailRow,
    ways::{IdentityRow, PasskeyRow},
};

/// What happens when two rows want one name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clash {
    /// The second is refused.
    Refuse,
    /// The newer one gets it.
    NewerWins,
}

/// Writes one change of revision `revision` of `scope` into its table, unless what is there is newer. For live changes:
/// their revisions only grow. One revision changes a row once, and frees a name before it gives it to another row.
///
/// # Errors
/// Conflict if the name is taken; Missing if the scope is that of an account that is gone; Bug if the change does not belong
/// to the scope.
pub fn apply(tx: &mut Tx<'_>, scope: Scope, revision: u64, change: &Change) -> Result<()> {
    must_live(tx, scope)?;
    dispatch(tx, scope, revision, change, Clash::Refuse)
}

/// Refuses what is said in the scope of an account that is gone for good: whoever commits asked before, and the account may
/// have ended since. Its records could soon be read by nobody.
pub(crate) fn must_live(tx: &Tx<'_>, scope: Scope) -> Result<()> {
    match scope {
        Scope::Account(account) if plans::is_gone(tx, account)? => Err(Error::AccountGone { account }),
        _ => Ok(()),
    }
}

/// Like [`apply`], for changes that may come in any order, as in a rebuild: what an account that is gone said is passed over.
///
/// # Errors
/// Conflict if two rows of one revision want one name, which no commit can have made.
pub fn replay(tx: &mut Tx<'_>, scope: Scope, revision: u64, change: &Change) -> Result<()> {
    dispatch(tx, scope, revision, change, Clash::NewerWins)
}

fn dispatch(tx: &mut Tx<'_>, scope: Scope, revision: u64, change: &Change, clash: Clash) -> Result<()> {
    match (scope, change) {
        // No word on an account outlives its end.
        (Scope::Cluster, Change::Account(AccountRow { id, .. }))
        | (Scope::Cluster, Change::SignIn(SignInRow { account: id, .. }))
        | (Scope::Cluster, Change::Limits(LimitsRow { account: id, .. }))
        | (Scope::Cluster, Change::Mail(MailRow { account: id, .. }))
        | (Scope::Cluster, Change::Passkey(PasskeyRow { account: id, .. }))
        | (Scope::Cluster, Change::Identity(IdentityRow { account: id, .. }))
            if plans::is_gone(tx, *id)? =>
        {
            Ok(())
        }
        (Scope::Account(account), _) if clash == Clash::NewerWins && plans::is_gone(tx, account)? => Ok(()),
        (Scope::Cluster, Change::AccountGone { account, at }) => plans::account_gone(tx, revision, *account, *at),
        (Scope::Cluster, Change::Plan(row)) => plans::plan(tx, revision, row),
        (Scope::Cluster, Change::Account(row)) => cluster::account(tx, revision, row, clash),
        (Scope::Cluster, Change::SignIn(row)) => access::sign_in(tx, revision, row),
        (Scope::Cluster, Change::Limits(row)) => access::limits(tx, revision, row),
        (Scope::Cluster, Change::Token(row)) => access::token(tx, revision, row),
        (Scope::Cluster, Change::Report(row)) => shown::report(tx, revision, row),
        (Scope::Cluster, Change::About(row)) => shown::about(tx, revision, row),
        (Scope::Cluster, Change::Mail(row)) => outgoing::mail(tx, revision, row),
        (Scope::Cluster, Change::Passkey(row)) => ways::passkey(tx, revision, row),
        (Scope::Cluster, Change::Identity(row)) => ways::identity(tx, revision, row),
        (Scope::Cluster, Change::Provider(row)) => cluster::provider(tx, revision, row, clash),
        (Scope::Cluster, Change::Target(row)) => cluster::target(tx, revision, row),
        (Scope::Cluster, Change::Constraint(row)) => cluster::constraint(tx, revision, row),
        (Scope::Cluster, Change::Lease(row)) => leases::lease(tx, revision, row),
        (Scope::Cluster, Change::Notice(row)) => leases::notice(tx, revision, row),
        (Scope::Cluster, Change::Ledger(entry)) => ledger::entry(tx, revision, entry, clash),
        (Scope::Cluster, Change::TargetOrders(row)) => orders::orders(tx, revision, row),
        (Scope::Cluster, Change::Pack(pack)) => cluster::pack(tx, revision, pack),
        (Scope::Cluster, Change::Makes { pack, makes }) => cluster::makes(tx, revision, *pack, makes),
        (Scope::Cluster, Change::PackGone { pack, at }) => cluster::pack_gone(tx, revision, *pack, *at),
        (Scope::Account(account), Change::Kit(row)) => files::kit(tx, account, revision, row),
        (Scope::Account(account), Change::Share(row)) => shown::share(tx, account, revision, row),
        (Scope::Account(account), Change::Grant(row)) => shown::grant(tx, account, revision, row),
        (Scope::Account(account), Change::Webhook(row)) => outgoing::webhook(tx, account, revision, row),
        (Scope::Account(account), Change::Entry(row)) => files::entry(tx, account, revision, row, clash),
        (Scope::Account(account), Change::EntryGone(id)) => files::entry_gone(tx, account, revision, *id),
        (Scope::Account(account), Change::Version(row)) => files::version(tx, account, revision, row),
        (Scope::Account(account), Change::VersionGone(id)) => files::version_gone(tx, account, revision, *id),
        _ => Err(Error::WrongScope),
    }
}

/// Whether a row of `revision` is older than the stored one.
fn is_older(stored: Option<u64>, revision: u64) -> bool {
    stored.is_some_and(|stored| stored > revision)
}

/// Adds a use of a segment; its first one makes its bytes live.
pub(crate) fn add_use(tx: &mut Tx<'_>, segment: &[u8; 16], account: AccountId, user: &[u8; 16]) -> Result<()> {
    let used = is_used(tx, segment)?;
    let sql = "INSERT INTO segment_use (segment, account, user) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    tx.run(sql, (segment, account.0, user))?;
    if !used {
        count_live(tx, segment, 1)?;
    }
    Ok(())
}

/// Ends a use of a segment; with the last one its bytes are dead.
pub(crate) fn end_use(tx: &mut Tx<'_>, segment: &[u8; 16], account: AccountId, user: &[u8; 16]) -> Result<()> {
    let sql = "DELETE FROM segment_use WHERE segment = ?1 AND account = ?2 AND user = ?3";
    if tx.run(sql, (segment, account.0, user))? > 0 && !is_used(tx, segment)? {
        count_live(tx, segment, -1)?;
    }
    Ok(())
}

fn is_used(tx: &Tx<'_>, segment: &[u8; 16]) -> Result<bool> {
    tx.any("SELECT 1 FROM segment_use WHERE segment = ?1", [segment])
}

/// Adds a segment's bytes, times `sign`, to the live bytes of the pack that it lies in, if it lies in one.
fn count_live(tx: &mut Tx<'_>, segment: &[u8; 16], sign: i64) -> Result<()> {
    let found = tx.one("SELECT pack, bytes FROM location WHERE segment = ?1", [segment], |row| {
        Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, i64>(1)?))
    })?;
    if let Some((pack, bytes)) = found {
        tx.run("UPDATE pack SET live_bytes = live_bytes + ?2 WHERE id = ?1", (pack, sign * bytes))?;
    }
    Ok(())
}
