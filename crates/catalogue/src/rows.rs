//! Journalled tables read back as changes: what snapshots are made from, and what proves that tables equal the fold of
//! their records.

use crate::{
    access,
    accounts::{account_from, kit_from},
    entries,
    error::{Error, Result},
    fleet::{CONSTRAINT, constraint_from, labels, target_from},
    hooks, leases, ledger, limits, mail, orders,
    packs::make_from,
    plans,
    scopes::scope_from,
    segments::location_from,
    shares, shown,
    tx::{Int, Tx, int},
    versions, ways,
};
use model::{
    Change, Scope,
    fleet::ProviderRow,
    id::{AccountId, EntryId, PackId, ProviderId, VersionId},
    pack::Pack,
    units::ServiceTime,
};
use rusqlite::Row;

/// Gives `f` every row and tombstone of a scope whose revision is above `from` and at most `to`, with its revision,
/// table by table, in each by revision and id. Rows that changed again after `to` are not among them.
///
/// A pack comes with the makes that count now, and once more as [`Change::Makes`] when they are newer than the pack; of
/// its locations it has those that no later pack took over, by segment. So a pack that was repacked comes with none.
///
/// # Errors
/// Those of reading, and those of `f`, which end it.
pub fn rows_between<E: From<Error>>(
    tx: &Tx<'_>,
    scope: Scope,
    from: u64,
    to: u64,
    mut f: impl FnMut(u64, Change) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let range = (from, to.min(i64::MAX as u64));
    match scope {
        Scope::Cluster => cluster_rows(tx, range, &mut f),
        Scope::Account(account) => account_rows(tx, account, range, &mut f),
    }
}

/// All journalled rows and tombstones: the cluster's, then each account's, each in the order of [`rows_between`].
///
/// # Errors
/// As for every reading.
pub fn export(tx: &Tx<'_>) -> Result<Vec<(Scope, u64, Change)>> {
    let scopes = tx.all(
        "SELECT x'' UNION SELECT id FROM account UNION SELECT account FROM kit UNION SELECT account FROM share
         UNION SELECT account FROM granted UNION SELECT account FROM webhook UNION SELECT account FROM entry
         UNION SELECT account FROM version UNION SELECT account FROM entry_gone UNION SELECT account FROM version_gone
         ORDER BY 1",
        [],
        |row| scope_from(&row.get::<_, Vec<u8>>(0)?),
    )?;
    let mut found = Vec::new();
    for scope in scopes {
        rows_between(tx, scope, 0, u64::MAX, |revision, change| {
            found.push((scope, revision, change));
            Ok::<_, Error>(())
        })?;
    }
    Ok(found)
}

fn cluster_rows<E: From<Error>>(
    tx: &Tx<'_>,
    (from, to): (u64, u64),
    f: &mut impl FnMut(u64, Change) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let range = (Int(from), Int(to));
    let sql = "SELECT id, name, managed, made_us, revision FROM account
               WHERE revision > ?1 AND revision <= ?2 ORDER BY revision, id";
    tx.each(sql, range, |row| {
        let account = read(account_from(row))?;
        f(read(int(row, 4))?, Change::Account(account))
    })?;
    let of = "WHERE revision > ?1 AND revision <= ?2 ORDER BY revision";
    let sql = format!("SELECT {}, revision FROM sign_in {of}, account", access::SIGN_IN);
    tx.each(&sql, range, |row| f(read(int(row, access::SIGN_IN_COUNT))?, Change::SignIn(access::sign_in_from(row)?)))?;
    let sql = format!("SELECT {}, revision FROM limits {of}, account", limits::COLUMNS);
    tx.each(&sql, range, |row| f(read(int(row, 3))?, Change::Limits(limits::limits_from(row)?)))?;
    let sql = format!("SELECT {}, revision FROM plan {of}, name", plans::PLAN);
    tx.each(&sql, range, |row| f(read(int(row, plans::PLAN_COUNT))?, Change::Plan(plans::plan_from(row)?)))?;
    let sql = format!("SELECT id, gone_at, revision FROM account_gone {of}, id");
    tx.each(&sql, range, |row| {
        let gone = Change::AccountGone { account: AccountId(read(row.get(0))?), at: ServiceTime(read(int(row, 1))?) };
        f(read(int(row, 2))?, gone)
    })?;
    let sql = format!("SELECT {}, revision FROM token {of}, id", access::TOKEN);
    tx.each(&sql, range, |row| f(read(int(row, access::TOKEN_COUNT))?, Change::Token(access::token_from(row)?)))?;
    let sql = format!("SELECT {}, revision FROM report {of}, id", shown::REPORT);
    tx.each(&sql, range, |row| f(read(int(row, shown::REPORT_COUNT))?, Change::Report(shown::report_from(row)?)))?;
    let sql = format!("SELECT {}, revision FROM about {of}", shown::ABOUT);
    tx.each(&sql, range, |row| f(read(int(row, shown::ABOUT_COUNT))?, Change::About(shown::about_from(row)?)))?;
    let sql = format!("SELECT {}, revision FROM mail {of}, account", mail::COLUMNS);
    tx.each(&sql, range, |row| f(read(int(row, mail::COLUMN_COUNT))?, Change::Mail(mail::mail_from(row)?)))?;
    let sql = format!("SELECT {}, revision FROM passkey {of}, id", ways::PASSKEY);
    tx.each(&sql, range, |row| f(read(int(row, ways::PASSKEY_COUNT))?, Change::Passkey(ways::passkey_from(row)?)))?;
    let sql = format!("SELECT {}, revision FROM identity {of}, account", ways::IDENTITY);
    tx.each(&sql, range, |row| f(read(int(row, ways::IDENTITY_COUNT))?, Change::Identity(ways::identity_from(row)?)))?;
    let sql = "SELECT id, name, revision FROM provider WHERE revision > ?1 AND revision <= ?2 ORDER BY revision, id";
    tx.each(sql, range, |row| {
        let id = ProviderId(read(row.get(0))?);
        let row_of = ProviderRow { id, name: read(row.get(1))?, labels: labels(tx, id)? };
        f(read(int(row, 2))?, Change::Provider(row_of))
    })?;
    let sql = "SELECT id, provider, address, driver, generation, state, revision FROM target
               WHERE revision > ?1 AND revision <= ?2 ORDER BY revision, id";
    tx.each(sql, range, |row| f(read(int(row, 6))?, Change::Target(target_from(row)?)))?;
    let sql = format!("SELECT {CONSTRAINT}, revision FROM fleet_constraint {of}, label");
    tx.each(&sql, range, |row| f(read(int(row, 3))?, Change::Constraint(constraint_from(row)?)))?;
    let sql = format!("SELECT {}, revision FROM lease {of}, id", leases::LEASE);
    tx.each(&sql, range, |row| f(read(int(row, leases::LEASE_COUNT))?, Change::Lease(leases::lease_from(tx, row)?)))?;
    let sql = format!("SELECT {}, revision FROM notice {of}, id", leases::NOTICE);
    tx.each(&sql, range, |row| f(read(int(row, leases::NOTICE_COUNT))?, Change::Notice(leases::notice_from(row)?)))?;
    let sql = format!("SELECT {}, revision FROM ledger {of}, n", ledger::COLUMNS);
    tx.each(&sql, range, |row| f(read(int(row, ledger::COLUMN_COUNT))?, Change::Ledger(ledger::entry_from(row)?)))?;
    let sql = format!("SELECT {}, revision FROM target_orders {of}, target", orders::COLUMNS);
    tx.each(&sql, range, |row| {
        f(read(int(row, orders::COLUMN_COUNT))?, Change::TargetOrders(orders::orders_from(row)?))
    })?;
    let sql = "SELECT id, k, codec, cell_bytes, revision FROM pack
               WHERE revision > ?1 AND revision <= ?2 ORDER BY revision, id";
    tx.each(sql, range, |row| f(read(int(row, 4))?, Change::Pack(pack_from(tx, row)?)))?;
    let sql = "SELECT id, makes_revision FROM pack
               WHERE makes_revision > ?1 AND makes_revision <= ?2 AND makes_revision > revision
               ORDER BY makes_revision, id";
    tx.each(sql, range, |row| {
        let pack = PackId(read(row.get(0))?);
        f(read(int(row, 1))?, Change::Makes { pack, makes: makes(tx, pack)? })
    })?;
    let sql = "SELECT id, gone_at, revision FROM pack_gone
               WHERE revision > ?1 AND revision <= ?2 ORDER BY revision, id";
    tx.each(sql, range, |row| {
        let gone = Change::PackGone { pack: PackId(read(row.get(0))?), at: ServiceTime(read(int(row, 1))?) };
        f(read(int(row, 2))?, gone)
    })
}

fn account_rows<E: From<Error>>(
    tx: &Tx<'_>,
    account: AccountId,
    (from, to): (u64, u64),
    f: &mut impl FnMut(u64, Change) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let range = (account.0, Int(from), Int(to));
    let of = "WHERE account = ?1 AND revision > ?2 AND revision <= ?3 ORDER BY revision, id";
    let sql = format!("SELECT id, recipient, made_us, revoked_us, tested_us, revision FROM kit {of}");
    tx.each(&sql, range, |row| {
        let kit = read(kit_from(row))?;
        f(read(int(row, 5))?, Change::Kit(kit))
    })?;
    let sql = format!("SELECT {}, revision FROM share {of}", shares::COLUMNS);
    tx.each(&sql, range, |row| f(read(int(row, shares::COLUMN_COUNT))?, Change::Share(shares::share_from(row)?)))?;
    let sql = format!("SELECT {}, revision FROM granted {of}", shown::GRANT);
    tx.each(&sql, range, |row| f(read(int(row, shown::GRANT_COUNT))?, Change::Grant(shown::grant_from(row)?)))?;
    let sql = format!("SELECT {}, revision FROM webhook {of}", hooks::COLUMNS);
    tx.each(&sql, range, |row| f(read(int(row, hooks::COLUMN_COUNT))?, Change::Webhook(hooks::webhook_from(row)?)))?;
    let sql = format!("SELECT {}, e.revision FROM entry e {of}", entries::COLUMNS);
    tx.each(&sql, range, |row| {
        let entry = entries::entry_from(row, 0)?;
        f(read(int(row, entries::COLUMN_COUNT))?, Change::Entry(entry))
    })?;
    let sql = format!("SELECT id, revision FROM entry_gone {of}");
    tx.each(&sql, range, |row| {
        let id = EntryId(read(row.get(0))?);
        f(read(int(row, 1))?, Change::EntryGone(id))
    })?;
    let sql = format!("SELECT v.revision, {} FROM version v {of}", versions::COLUMNS);
    tx.each(&sql, range, |row| {
        let version = versions::version_from(row, 1)?;
        f(read(int(row, 0))?, Change::Version(version))
    })?;
    let sql = format!("SELECT id, revision FROM version_gone {of}");
    tx.each(&sql, range, |row| {
        let id = VersionId(read(row.get(0))?);
        f(read(int(row, 1))?, Change::VersionGone(id))
    })
}

fn pack_from(tx: &Tx<'_>, row: &Row<'_>) -> Result<Pack> {
    let id = PackId(row.get(0)?);
    let sql = "SELECT segment, lane, first, bytes FROM location WHERE pack = ?1 ORDER BY segment";
    Ok(Pack {
        id,
        k: row.get(1)?,
        codec: row.get(2)?,
        cell_bytes: row.get(3)?,
        makes: makes(tx, id)?,
        locations: tx.all(sql, [id.0], |row| Ok(location_from(row)?))?,
    })
}

fn makes(tx: &Tx<'_>, pack: PackId) -> Result<Vec<model::pack::Make>> {
    let sql = "SELECT lane, make, target, lane_bytes, root FROM make WHERE pack = ?1 ORDER BY lane, make";
    tx.all(sql, [pack.0], |row| Ok(make_from(row)?))
}

fn read<T>(result: rusqlite::Result<T>) -> Result<T> {
    Ok(result?)
}
