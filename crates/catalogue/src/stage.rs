//! Changes of the fleet that were said and not done yet. Local, never journalled: after a rebuild the list is empty.

use crate::{
    error::{Error, Result},
    tx::Tx,
};
use model::{
    id::AccountId,
    stage::{Staged, StagedRow, Which},
};
use rusqlite::Row;

/// All staged changes, in the order in which they were said.
///
/// # Errors
/// As for every reading.
pub fn all(tx: &Tx<'_>) -> Result<Vec<StagedRow>> {
    let sql = "SELECT account, said_us, verb, provider, server, target, label, value, by_us, flag FROM staged
               ORDER BY position";
    tx.all(sql, [], staged_from)
}

/// Adds one behind the others.
///
/// # Errors
/// As for every writing.
pub fn add(tx: &mut Tx<'_>, row: &StagedRow) -> Result<()> {
    let (provider, server, target) = match row.change.which() {
        Some(Which::Provider(name)) => (Some(name), None, None),
        Some(Which::Target(address)) => (None, None, Some(address)),
        Some(Which::Server { name, provider }) => (provider.as_ref(), Some(name), None),
        None => (None, None, None),
    };
    let (verb, provider, label, value, by_us, flag) = match &row.change {
        Staged::Label { provider, label, value } => ("label", Some(provider), Some(label), Some(value), None, false),
        Staged::Constraint { label, holds } => ("constraint", None, Some(label), None, None, *holds),
        Staged::Cordon { cordoned, .. } => ("cordon", provider, None, None, None, *cordoned),
        Staged::Evacuate { by_us, .. } => ("evacuate", provider, None, None, Some(*by_us), false),
        Staged::Cancel { .. } => ("cancel", provider, None, None, None, false),
        Staged::Retire { keeps_shards, .. } => ("retire", provider, None, None, None, *keeps_shards),
    };
    tx.run(
        "INSERT INTO staged (account, said_us, verb, provider, server, target, label, value, by_us, flag)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        (row.account.0, row.said_us, verb, provider, server, target, label, value, by_us, flag),
    )?;
    Ok(())
}

/// Forgets all of them; how many there were.
///
/// # Errors
/// As for every writing.
pub fn clear(tx: &mut Tx<'_>) -> Result<usize> {
    tx.run("DELETE FROM staged", [])
}

fn staged_from(row: &Row<'_>) -> Result<StagedRow> {
    let verb: String = row.get(2)?;
    let (provider, server, target): (Option<String>, Option<String>, Option<String>) =
        (row.get(3)?, row.get(4)?, row.get(5)?);
    let (label, value): (Option<String>, Option<String>) = (row.get(6)?, row.get(7)?);
    let (label, flag) = (label.unwrap_or_default(), row.get(9)?);
    let which = || match (provider.clone(), server, target) {
        (provider, Some(name), None) => Ok(Which::Server { name, provider }),
        (Some(name), None, None) => Ok(Which::Provider(name)),
        (None, None, Some(address)) => Ok(Which::Target(address)),
        _ => Err(Error::Value { what: "staged" }),
    };
    let change = match verb.as_str() {
        "label" => Staged::Label { provider: provider.unwrap_or_default(), label, value: value.unwrap_or_default() },
        "constraint" => Staged::Constraint { label, holds: flag },
        "cordon" => Staged::Cordon { which: which()?, cordoned: flag },
        "evacuate" => Staged::Evacuate { which: which()?, by_us: row.get(8)? },
        "cancel" => Staged::Cancel { which: which()? },
        "retire" => Staged::Retire { which: which()?, keeps_shards: flag },
        _ => return Err(Error::Value { what: "staged" }),
    };
    Ok(StagedRow { account: AccountId(row.get(0)?), said_us: row.get(1)?, change })
}
