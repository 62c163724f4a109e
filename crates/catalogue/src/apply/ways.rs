//! Changes of the ways into an account beside its password.

use crate::{
    error::Result,
    tx::{Int, Tx},
};
use model::ways::{IdentityRow, PasskeyRow};

pub(super) fn passkey(tx: &mut Tx<'_>, revision: u64, row: &PasskeyRow) -> Result<()> {
    tx.run(
        "INSERT INTO passkey (id, revision, account, label, host, credential, key, counter, made_us, ended_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, account = excluded.account,
           label = excluded.label, host = excluded.host, credential = excluded.credential, key = excluded.key,
           counter = excluded.counter, made_us = excluded.made_us, ended_us = excluded.ended_us
         WHERE excluded.revision >= passkey.revision",
        (
            row.id.0,
            Int(revision),
            row.account.0,
            &row.label,
            &row.host,
            &row.credential,
            &row.key,
            row.counter,
            row.made_us,
            row.ended_us,
        ),
    )?;
    Ok(())
}

pub(super) fn identity(tx: &mut Tx<'_>, revision: u64, row: &IdentityRow) -> Result<()> {
    tx.run(
        "INSERT INTO identity (account, revision, issuer, subject, name, made_us, ended_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (account) DO UPDATE SET revision = excluded.revision, issuer = excluded.issuer,
           subject = excluded.subject, name = excluded.name, made_us = excluded.made_us, ended_us = excluded.ended_us
         WHERE excluded.revision >= identity.revision",
        (row.account.0, Int(revision), &row.issuer, &row.subject, &row.name, row.made_us, row.ended_us),
    )?;
    Ok(())
}
