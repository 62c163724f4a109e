//! Changes of who may come in: sign-ins and tokens.

use crate::{
    access::{role_number, scope_number, use_number},
    error::Result,
    tx::{Int, Tx},
};
use model::account::{LimitsRow, SignInRow, TokenRow};

pub(super) fn sign_in(tx: &mut Tx<'_>, revision: u64, row: &SignInRow) -> Result<()> {
    tx.run(
        "INSERT INTO sign_in (account, revision, role, password, suspended_us, changed_us,
           second_secret, second_since_us, second_codes, leaving_at, leaving_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (account) DO UPDATE SET revision = excluded.revision, role = excluded.role,
           password = excluded.password, suspended_us = excluded.suspended_us, changed_us = excluded.changed_us,
           second_secret = excluded.second_secret, second_since_us = excluded.second_since_us,
           second_codes = excluded.second_codes, leaving_at = excluded.leaving_at, leaving_us = excluded.leaving_us
         WHERE excluded.revision >= sign_in.revision",
        (
            row.account.0,
            Int(revision),
            role_number(row.role),
            &row.password,
            row.suspended_us,
            row.changed_us,
            row.second.as_ref().map(|second| second.secret),
            row.second.as_ref().map(|second| second.since_us),
            row.second.as_ref().map(|second| second.codes.concat()),
            row.leaving.map(|leaving| Int(leaving.at.0)),
            row.leaving.map(|leaving| leaving.wall_us),
        ),
    )?;
    Ok(())
}

pub(super) fn limits(tx: &mut Tx<'_>, revision: u64, row: &LimitsRow) -> Result<()> {
    tx.run(
        "INSERT INTO limits (account, revision, space_bytes, plan) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (account) DO UPDATE SET revision = excluded.revision, space_bytes = excluded.space_bytes,
           plan = excluded.plan
         WHERE excluded.revision >= limits.revision",
        (row.account.0, Int(revision), row.space_bytes.map(Int), &row.plan),
    )?;
    Ok(())
}

pub(super) fn token(tx: &mut Tx<'_>, revision: u64, row: &TokenRow) -> Result<()> {
    tx.run(
        "INSERT INTO token (id, revision, hash, account, opens, label, made_us, expires_us, ended_us, scope)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, hash = excluded.hash, account = excluded.account,
           opens = excluded.opens, label = excluded.label, made_us = excluded.made_us,
           expires_us = excluded.expires_us, ended_us = excluded.ended_us, scope = excluded.scope
         WHERE excluded.revision >= token.revision",
        (
            row.id.0,
            Int(revision),
            row.hash,
            row.account.0,
            use_number(row.opens),
            &row.label,
            row.made_us,
            row.expires_us,
            row.ended_us,
            scope_number(row.opens),
        ),
    )?;
    Ok(())
}
