//! Makes a catalogue large: copies the fullest folder of a catalogue that nobody has open, row by row, so many times. Nothing of
//! it is in any journal: it is for measuring how pages are found among ten million files, and for nothing else.
//! `cargo bench -p holdfast-catalogue --bench crowd -- FILE COPIES`; `cargo xtask bench folder` does it.
//!
//! A copied row's id begins with the number of its copy, so that rows come in the order of their keys, and indexes are made when all
//! rows are there: in any other order it would take hours. Trees are as deep either way.
#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement")]

use std::env;

use rusqlite::Connection;

fn main() {
    let mut words = env::args().skip(1).filter(|word| word != "--bench");
    let (Some(file), Some(copies)) = (words.next(), words.next().and_then(|word| word.parse::<u32>().ok())) else {
        // `cargo bench` of everything comes by without arguments.
        println!("name a catalogue's file, and how many copies");
        return;
    };
    let mut conn = Connection::open(file).unwrap();
    conn.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY;").unwrap();
    // Which index finds a folder is said: without, SQLite scans all that is there for each copy, to save itself the sorting.
    let (account, folder): (Vec<u8>, Vec<u8>) = conn
        .query_row(
            "SELECT account, slot FROM entry WHERE slot IS NOT NULL GROUP BY account, slot ORDER BY count(*) DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let indexes = without_indexes(&conn);
    for copy in 1..=copies {
        // The id of the same row in this copy; parameter 2 is the number, as eight digits.
        let id = |column: &str| format!("unhex(?2 || substr(hex({column}), 9))");
        let number = format!("{copy:08x}");
        let tx = conn.transaction().unwrap();
        tx.execute(
            &format!(
                "INSERT INTO entry (account, id, revision, parent, slot, name, kind, modified_us, trashed_at, trashed_us, current, size)
                 SELECT account, {id}, revision, parent, slot, 'copy-' || ?2, kind, modified_us, trashed_at, trashed_us, current, size
                 FROM entry WHERE account = ?3 AND id = ?1",
                id = id("id")
            ),
            (&folder, &number, &account),
        )
        .unwrap();
        let rows = tx
            .execute(
                &format!(
                    "INSERT INTO entry (account, id, revision, parent, slot, name, kind, modified_us, trashed_at, trashed_us, current, size)
                     SELECT account, {id}, revision, {parent}, {parent}, name, kind, modified_us, trashed_at, trashed_us, {current}, size
                     FROM entry INDEXED BY entry_slot WHERE account = ?3 AND slot = ?1 ORDER BY account, id",
                    id = id("id"),
                    parent = id("slot"),
                    current = id("current")
                ),
                (&folder, &number, &account),
            )
            .unwrap();
        tx.execute(
            &format!(
                "INSERT INTO version (account, id, revision, entry, size, modified_us, made_us, media_type, blake3, crc32, sha256,
                     file_key, replaced_at, segments, sealed)
                 SELECT v.account, {id}, v.revision, {entry}, v.size, v.modified_us, v.made_us, v.media_type, v.blake3, v.crc32,
                     v.sha256, v.file_key, v.replaced_at, v.segments, v.sealed
                 FROM entry e INDEXED BY entry_slot CROSS JOIN version v INDEXED BY version_entry
                     ON e.account = v.account AND e.id = v.entry
                 WHERE e.account = ?3 AND e.slot = ?1 ORDER BY v.account, v.id",
                id = id("v.id"),
                entry = id("v.entry")
            ),
            (&folder, &number, &account),
        )
        .unwrap();
        tx.commit().unwrap();
        if copy == copies {
            println!("{copies} copies of {rows} rows");
        }
    }
    indexes.iter().for_each(|index| conn.execute_batch(index).unwrap());
}

/// Drops all indexes but those that find the rows to be copied; how to make them again.
fn without_indexes(conn: &Connection) -> Vec<String> {
    let mut all = conn
        .prepare(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
             AND tbl_name IN ('entry', 'version') AND name NOT IN ('entry_slot', 'version_entry')",
        )
        .unwrap();
    let found: Vec<(String, String)> =
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    drop(all);
    for (name, _) in &found {
        conn.execute_batch(&format!("DROP INDEX {name}")).unwrap();
    }
    found.into_iter().map(|(_, sql)| sql).collect()
}
