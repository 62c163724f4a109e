//! Changes of plans, and the end of an account.

use super::files::end_all_versions;
use crate::{
    error::Result,
    tx::{Int, Tx},
};
use model::{id::AccountId, plans::PlanRow, units::ServiceTime};

pub(super) fn plan(tx: &mut Tx<'_>, revision: u64, row: &PlanRow) -> Result<()> {
    tx.run(
        "INSERT INTO plan (name, revision, space_bytes, file_bytes, keep_days, link_bytes_per_day, guest_bytes_per_s,
           ended_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, space_bytes = excluded.space_bytes,
           file_bytes = excluded.file_bytes, keep_days = excluded.keep_days,
           link_bytes_per_day = excluded.link_bytes_per_day, guest_bytes_per_s = excluded.guest_bytes_per_s,
           ended_us = excluded.ended_us
         WHERE excluded.revision >= plan.revision",
        (
            &row.name,
            Int(revision),
            row.space_bytes.map(Int),
            row.file_bytes.map(Int),
            row.keep_days,
            row.link_bytes_per_day.map(Int),
            row.guest_bytes_per_s.map(Int),
            row.ended_us,
        ),
    )?;
    Ok(())
}

/// Whether an account is gone for good: then nothing states a row of it any more, whatever its revision.
pub(super) fn is_gone(tx: &Tx<'_>, account: AccountId) -> Result<bool> {
    tx.any("SELECT 1 FROM account_gone WHERE id = ?1", [account.0])
}

/// Ends every journalled row of an account, its scope's too: nobody can read or write that scope's records any more.
pub(super) fn account_gone(tx: &mut Tx<'_>, revision: u64, account: AccountId, at: ServiceTime) -> Result<()> {
    end_all_versions(tx, account)?;
    for sql in [
        "DELETE FROM account WHERE id = ?1",
        "DELETE FROM sign_in WHERE account = ?1",
        "DELETE FROM limits WHERE account = ?1",
        "DELETE FROM kit WHERE account = ?1",
        "DELETE FROM share WHERE account = ?1",
        "DELETE FROM granted WHERE account = ?1",
        "DELETE FROM entry WHERE account = ?1",
        "DELETE FROM entry_gone WHERE account = ?1",
        "DELETE FROM version_gone WHERE account = ?1",
        "DELETE FROM mail WHERE account = ?1",
        "DELETE FROM webhook WHERE account = ?1",
        "DELETE FROM passkey_used WHERE passkey IN (SELECT id FROM passkey WHERE account = ?1)",
        "DELETE FROM passkey WHERE account = ?1",
        "DELETE FROM identity WHERE account = ?1",
        // Local ones.
        "DELETE FROM event WHERE account = ?1",
        "DELETE FROM hook_standing WHERE account = ?1",
        "DELETE FROM quota_told WHERE account = ?1",
        "DELETE FROM day_traffic WHERE account = ?1",
        "DELETE FROM taken WHERE account = ?1",
        "DELETE FROM upload_done WHERE account = ?1",
        "DELETE FROM opened WHERE account = ?1",
        // What its records said is stated by this one: the journal need not keep them.
        "UPDATE scope SET covered = revision WHERE id = ?1",
    ] {
        tx.run(sql, [account.0])?;
    }
    tx.run(
        "INSERT INTO account_gone (id, revision, gone_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, gone_at = excluded.gone_at
         WHERE excluded.revision >= account_gone.revision",
        (account.0, Int(revision), Int(at.0)),
    )?;
    Ok(())
}
