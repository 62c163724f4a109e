//! The schema, in numbered steps: a database has run a prefix of them, opening it runs the rest.

use std::path::Path;

use crate::{
    before,
    error::{Error, Result},
};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

/// Only added to. A step, once released, is never edited.
const STEPS: &[&str] = &[
    include_str!("migrations/0001_tables.sql"),
    include_str!("migrations/0002_work_lists.sql"),
    include_str!("migrations/0003_logins.sql"),
    include_str!("migrations/0004_traffic.sql"),
    include_str!("migrations/0005_access.sql"),
    include_str!("migrations/0006_limits.sql"),
    include_str!("migrations/0007_shown.sql"),
    include_str!("migrations/0008_ways_in.sql"),
    include_str!("migrations/0009_outgoing.sql"),
    include_str!("migrations/0010_plans.sql"),
    include_str!("migrations/0011_orders.sql"),
    include_str!("migrations/0012_ledger.sql"),
    include_str!("migrations/0013_leases.sql"),
    include_str!("migrations/0014_trend.sql"),
    include_str!("migrations/0015_upkeep.sql"),
    include_str!("migrations/0016_stage.sql"),
    include_str!("migrations/0017_drilled_without.sql"),
    include_str!("migrations/0018_token_scope.sql"),
    include_str!("migrations/0019_taken_and_done.sql"),
];

/// Runs the missing steps, each in a transaction of its own. A database in a file, at `path`, that has run some of them is copied
/// first.
pub(crate) fn migrate(conn: &mut Connection, path: Option<&Path>) -> Result<()> {
    run(conn, path, STEPS)
}

fn run(conn: &mut Connection, path: Option<&Path>, steps: &[&str]) -> Result<()> {
    conn.execute_batch("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT")?;
    let known = steps.len();
    let found = conn.query_row("SELECT version FROM schema_version", [], |row| row.get::<_, i64>(0)).optional()?;
    let done = usize::try_from(found.unwrap_or(0)).map_err(|_| Error::Value { what: "schema_version" })?;
    if done > known {
        return Err(Error::Newer { found: done as u64, known: known as u64 });
    }
    if let Some(path) = path.filter(|_| done > 0 && done < known) {
        before::keep(conn, path, done as u64)?;
    }
    for (step, sql) in steps.iter().enumerate().skip(done) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(sql)?;
        tx.execute("DELETE FROM schema_version", [])?;
        tx.execute("INSERT INTO schema_version (version) VALUES (?1)", [step as i64 + 1])?;
        tx.commit()?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test looks at the files")]
mod tests {
    use std::{
        fs,
        os::unix::fs::PermissionsExt,
        path::{Path, PathBuf},
    };

    use rusqlite::Connection;

    use super::{STEPS, run};
    use crate::{
        connection::{Role, make_file, open_file},
        error::Error,
    };

    /// A folder that goes away with the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(label: &str) -> Self {
            let path = std::env::temp_dir().join(format!("holdfast-{label}-{}", std::process::id()));
            drop(fs::remove_dir_all(&path));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn at(path: &Path) -> Connection {
        make_file(path).unwrap();
        open_file(path, Role::Writer).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut copies: Vec<_> = all.filter(|name| name.starts_with("catalogue.before")).collect();
        copies.sort();
        copies
    }

    #[test]
    fn what_was_there_is_copied_before_it_is_changed_and_the_last_two_copies_stay() {
        let scratch = Scratch::new("before");
        let path = scratch.path().join("catalogue.sqlite");
        let mut conn = at(&path);
        run(&mut conn, Some(&path), &STEPS[..7]).unwrap();
        assert!(names(scratch.path()).is_empty(), "a new one has nothing to keep");
        conn.execute("INSERT INTO meta (name, number) VALUES ('kept', 7)", []).unwrap();
        run(&mut conn, Some(&path), &STEPS[..7]).unwrap();
        assert!(names(scratch.path()).is_empty(), "nothing to do, nothing to copy");
        for steps in 8..=10 {
            run(&mut conn, Some(&path), &STEPS[..steps]).unwrap();
        }
        assert_eq!(names(scratch.path()), ["catalogue.before-8", "catalogue.before-9"]);
        let copy = scratch.path().join("catalogue.before-8");
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        let mut old = at(&copy);
        let kept: i64 = old.query_row("SELECT number FROM meta WHERE name = 'kept'", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 7);
        run(&mut old, None, &STEPS[..8]).unwrap();
        let newer = run(&mut conn, Some(&path), &STEPS[..9]);
        assert!(matches!(newer, Err(Error::Newer { found: 10, known: 9 })), "{newer:?}");
        assert!(newer.unwrap_err().to_string().contains("newer program"));
    }

    #[test]
    fn nothing_is_changed_that_could_not_be_copied() {
        let scratch = Scratch::new("no-before");
        let path = scratch.path().join("catalogue.sqlite");
        let mut conn = at(&path);
        run(&mut conn, Some(&path), &STEPS[..7]).unwrap();
        fs::create_dir(scratch.path().join("catalogue.before-7")).unwrap();
        fs::write(scratch.path().join("catalogue.before-7/in-the-way"), b"").unwrap();
        let refused = run(&mut conn, Some(&path), STEPS);
        assert!(matches!(refused, Err(Error::Copy { .. })), "{refused:?}");
        let version: i64 = conn.query_row("SELECT version FROM schema_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, 7);
    }
}
