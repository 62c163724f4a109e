//! Single values of this catalogue: cluster id, epoch, generation, journal position, service time, and whatever else
//! there is one of, be it one for each account. Names are given by their owner, the store; the number `commits failed` is the
//! writer's.

use crate::{
    error::Result,
    tx::{Int, Tx, int_or_null},
};

/// The number called `name`.
///
/// # Errors
/// As for every reading.
pub fn number(tx: &Tx<'_>, name: &str) -> Result<Option<u64>> {
    Ok(tx.one("SELECT number FROM meta WHERE name = ?1", [name], |row| int_or_null(row, 0))?.flatten())
}

/// Sets the number called `name`.
///
/// # Errors
/// As for every writing; Refused from 2⁶³ on.
pub fn set_number(tx: &mut Tx<'_>, name: &str, number: u64) -> Result<()> {
    let sql =
        "INSERT INTO meta (name, number) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET number = excluded.number";
    tx.run(sql, (name, Int(number))).map(drop)
}

/// The bytes called `name`.
///
/// # Errors
/// As for every reading.
pub fn bytes(tx: &Tx<'_>, name: &str) -> Result<Option<Vec<u8>>> {
    Ok(tx.one("SELECT bytes FROM meta WHERE name = ?1", [name], |row| row.get(0))?.flatten())
}

/// Sets the bytes called `name`.
///
/// # Errors
/// As for every writing.
pub fn set_bytes(tx: &mut Tx<'_>, name: &str, bytes: &[u8]) -> Result<()> {
    let sql = "INSERT INTO meta (name, bytes) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes";
    tx.run(sql, (name, bytes)).map(drop)
}

/// The names that begin with `prefix`, in order.
///
/// # Errors
/// As for every reading.
pub fn names(tx: &Tx<'_>, prefix: &str) -> Result<Vec<String>> {
    let sql = "SELECT name FROM meta WHERE name >= ?1 AND name < ?1 || char(1114111) ORDER BY name";
    tx.all(sql, [prefix], |row| Ok(row.get(0)?))
}
