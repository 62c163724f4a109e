//! Trees of folders and files.

use crate::world::{TOP, World, folder_row, in_trash, is_name_taken, names};
use catalogue::{
    Error, accounts, apply, bump_revision,
    entries::{self, Cursor, Order, Sorting},
    rows_between, search, segments, versions,
};
use model::{
    Change, Class, Scope,
    account::AccountRow,
    entry::{Content, EntryRow, Version},
    id::{AccountId, EntryId},
    units::ServiceTime,
};

pub fn a_tree_is_found_by_path_and_listed_in_pages(world: &mut World) {
    let docs = world.folder(TOP, "docs");
    // Both normal forms of é, upper case before lower case, and a name that sorts after everything in ASCII.
    for name in ["b", "B", "a", "\u{e9}", "e\u{301}", "z", "aa"] {
        world.file(docs.id, name, 100);
    }
    assert_eq!(names(world, docs.id, 2), ["B", "a", "aa", "b", "e\u{301}", "z", "\u{e9}"]);
    assert_eq!(names(world, TOP, 10), ["docs"]);

    let account = world.account;
    let found = world.read(move |tx| entries::resolve(tx, account, &["docs", "aa"]));
    assert_eq!((found.missing, found.entries.len()), (0, 2));
    assert_eq!(found.entry().map(|entry| entry.name.as_str()), Some("aa"));
    let found = world.read(move |tx| entries::resolve(tx, account, &["docs", "aa", "below a file"]));
    assert_eq!((found.missing, found.entry()), (1, None));
    let found = world.read(move |tx| entries::resolve(tx, account, &["nowhere", "x"]));
    assert_eq!((found.missing, found.last_id()), (2, TOP));

    let page = world.read(move |tx| entries::list(tx, account, docs.id, "", 1));
    let version = page[0].version.clone().unwrap();
    assert_eq!((version.size, version.modified_us, version.inline), (100, 11, false));
    assert_eq!((version.media_type.as_str(), version.segments.len()), ("text/plain", 1));
}

pub fn moving_a_folder_changes_one_row(world: &mut World) {
    let (from, to) = (world.folder(TOP, "from"), world.folder(TOP, "to"));
    let deep = world.folder(from.id, "deep");
    let mut changes = Vec::new();
    for number in 0..1000 {
        let (entry, version) = world.file_rows(deep.id, &format!("{number:04}"), 10);
        changes.extend([Change::Entry(entry), Change::Version(version)]);
    }
    world.change(changes);

    let account = world.account;
    let moved = EntryRow { parent: to.id, name: "renamed".into(), ..from.clone() };
    let revision = world.change(vec![Change::Entry(moved.clone())]);
    let changed = world.read(move |tx| {
        let mut changed = Vec::new();
        rows_between(tx, Scope::Account(account), revision - 1, revision, |_, change| {
            changed.push(change);
            Ok::<_, Error>(())
        })?;
        Ok(changed)
    });
    assert_eq!(changed, [Change::Entry(moved)]);
    let found = world.read(move |tx| entries::resolve(tx, account, &["to", "renamed", "deep", "0999"]));
    assert!(found.entry().is_some());
    assert_eq!(names(world, deep.id, 300).len(), 1000);

    // What a move looks at before it puts a folder into one of its own.
    let up = world.read(move |tx| entries::ancestors(tx, account, deep.id));
    assert_eq!(up.iter().map(|entry| entry.id).collect::<Vec<_>>(), [deep.id, from.id, to.id]);
}

pub fn the_trash_takes_no_name(world: &mut World) {
    let account = world.account;
    let outer = world.folder(TOP, "a");
    let (inner, _) = world.file(outer.id, "a", 5);
    world.change(vec![Change::Entry(in_trash(&outer, 100))]);
    assert!(names(world, TOP, 10).is_empty());
    assert_eq!(names(world, outer.id, 10), ["a"], "what was in the folder stays in it");
    assert_eq!(world.read(move |tx| entries::child(tx, account, TOP, "a")), None);

    let newer = world.folder(TOP, "a");
    let back = world.commit(world.scope(), vec![Change::Entry(outer.clone())]);
    assert!(is_name_taken(&back), "{back:?}");
    world.change(vec![Change::Entry(in_trash(&newer, 200))]);

    let trash = world.read(move |tx| entries::trash(tx, account, None, 1));
    assert_eq!((trash.len(), trash[0].id), (1, outer.id), "longest in the trash first");
    let after = Some((trash[0].trashed.unwrap().at, trash[0].id));
    let trash = world.read(move |tx| entries::trash(tx, account, after, 10));
    assert_eq!((trash.len(), trash[0].id), (1, newer.id));
    let due = world.read(move |tx| entries::trashed_until(tx, account, ServiceTime(150), None, 10));
    assert_eq!((due.len(), due[0].id), (1, outer.id));

    world.change(vec![Change::Entry(outer)]);
    let found = world.read(move |tx| entries::resolve(tx, account, &["a", "a"]));
    assert_eq!(found.entry().map(|entry| entry.id), Some(inner.id));
}

pub fn overwriting_keeps_the_old_version(world: &mut World) {
    let account = world.account;
    let (file, old) = world.file(TOP, "file", 5);
    let mut new = world.version_row(file.id, 6);
    new.made_us += 1;
    let mut replaced = old.clone();
    replaced.replaced = Some(ServiceTime(50));
    let current = EntryRow { current: Some(new.id), ..file.clone() };
    world.change(vec![Change::Version(new.clone()), Change::Version(replaced.clone()), Change::Entry(current)]);

    assert_eq!(world.read(move |tx| versions::current(tx, account, file.id)), Some(new.clone()));
    assert_eq!(world.read(move |tx| versions::of_entry(tx, account, file.id)), [new, replaced.clone()]);
    assert_eq!(world.read(move |tx| versions::get(tx, account, old.id)), Some(replaced));
    let none = world.read(move |tx| versions::replaced_until(tx, account, ServiceTime(49), None, 10));
    assert!(none.is_empty());
    let due = world.read(move |tx| versions::replaced_until(tx, account, ServiceTime(50), None, 10));
    assert_eq!((due.len(), due[0].id, due[0].entry), (1, old.id, file.id));
    let after = Some((due[0].at, due[0].id));
    assert!(world.read(move |tx| versions::replaced_until(tx, account, ServiceTime(50), after, 10)).is_empty());
}

pub fn a_taken_name_is_a_conflict_and_the_batch_goes_on(world: &mut World) {
    let scope = world.scope();
    world.folder(TOP, "taken");
    let (second, other) = (EntryId(world.id()), EntryId(world.id()));
    let results = crate::world::wait(world.catalogue.writer(move |writer| {
        let mut put = |id, name: &'static str| {
            writer.savepoint(|tx| {
                let revision = bump_revision(tx, scope)?;
                apply(tx, scope, revision, &Change::Entry(folder_row(id, TOP, name)))?;
                Ok::<_, Error>(revision)
            })
        };
        assert!(matches!(put(second, "x"), Err(Error::NotOpen)));
        writer.begin().unwrap();
        let mut put = |id, name: &'static str| {
            writer.savepoint(|tx| {
                let revision = bump_revision(tx, scope)?;
                apply(tx, scope, revision, &Change::Entry(folder_row(id, TOP, name)))?;
                Ok::<_, Error>(revision)
            })
        };
        let results = [put(second, "taken"), put(other, "free")];
        writer.commit().unwrap();
        results
    }))
    .unwrap();
    let [refused, kept] = results;
    assert_eq!(refused.unwrap_err().class(), Class::Conflict);
    assert_eq!(kept.unwrap(), 2, "the refused commit took no revision");
    assert_eq!(names(world, TOP, 10), ["free", "taken"]);
}

pub fn tombstones_beat_older_rows_only(world: &mut World) {
    let (account, scope) = (world.account, world.scope());
    let (file, version) = world.file(TOP, "file", 5);
    let gone = world.change(vec![Change::EntryGone(file.id), Change::VersionGone(version.id)]);
    let (entry_row, version_row) = (file.clone(), version.clone());
    let apply_at = move |revision| {
        let (entry, version) = (Change::Entry(entry_row.clone()), Change::Version(version_row.clone()));
        move |tx: &mut catalogue::Tx<'_>| {
            apply(tx, scope, revision, &entry)?;
            apply(tx, scope, revision, &version)
        }
    };
    for revision in [1, gone] {
        world.write(apply_at(revision)).unwrap();
        assert_eq!(world.read(move |tx| entries::get(tx, account, file.id)), None, "revision {revision}");
        assert_eq!(world.read(move |tx| versions::get(tx, account, version.id)), None, "revision {revision}");
    }
    world.write(apply_at(gone + 1)).unwrap();
    assert!(world.read(move |tx| entries::get(tx, account, file.id)).is_some());
    // The older tombstone, again: the newer row stays.
    world.write(move |tx| apply(tx, scope, gone, &Change::EntryGone(file.id))).unwrap();
    assert!(world.read(move |tx| entries::get(tx, account, file.id)).is_some());
}

pub fn older_changes_are_ignored(world: &mut World) {
    let (account, scope) = (world.account, world.scope());
    let folder = world.folder(TOP, "old");
    let renamed = EntryRow { name: "new".into(), ..folder.clone() };
    let revision = world.change(vec![Change::Entry(renamed.clone())]);
    let before = world.read(|tx| catalogue::export(tx));
    for (revision, row) in [(1, folder.clone()), (revision, renamed)] {
        world.write(move |tx| apply(tx, scope, revision, &Change::Entry(row))).unwrap();
    }
    assert_eq!(world.read(|tx| catalogue::export(tx)), before);
    assert_eq!(world.read(move |tx| entries::revision(tx, account, folder.id)), Some(revision));
}

pub fn account_names_are_unique(world: &mut World) {
    let row = |id| AccountRow { id: AccountId(id), name: "owner".into(), managed: false, made_us: 2 };
    let second = row(world.id());
    let refused = world.commit(Scope::Cluster, vec![Change::Account(second)]).unwrap_err();
    assert_eq!(refused.class(), Class::Conflict);
    let found = world.read(|tx| accounts::by_name(tx, "owner")).unwrap();
    assert_eq!(found.id, world.account);
    assert_eq!(world.read(|tx| accounts::all(tx)).len(), 1);
    let misplaced = world.commit(world.scope(), vec![Change::Account(found)]).unwrap_err();
    assert_eq!(misplaced.class(), Class::Bug);
}

pub fn inline_files_have_no_place(world: &mut World) {
    let account = world.account;
    let (mut entry, mut version) = world.file_rows(TOP, "tiny", 3);
    let segment = version.segments()[0];
    version.content = Content::Inline { segment, sealed: vec![9; 19] };
    entry.current = Some(version.id);
    world.change(vec![Change::Entry(entry.clone()), Change::Version(version.clone())]);
    assert_eq!(world.read(move |tx| versions::current(tx, account, entry.id)), Some(version.clone()));
    let page = world.read(move |tx| entries::list(tx, account, TOP, "", 10));
    assert!(page[0].version.as_ref().unwrap().inline);
    assert!(!world.read(move |tx| segments::is_live(tx, segment.id)), "nothing of it is to be packed");
    world.change(vec![Change::VersionGone(version.id)]);
    assert_eq!(world.read(move |tx| versions::get(tx, account, version.id)), None);
}

pub fn a_folder_has_three_orders_and_each_is_paged(world: &mut World) {
    let account = world.account;
    for (name, bytes, modified_us) in [("b", 5, 30), ("a", 5, 10), ("c", 1, 20), ("d", 70, 20), ("z", 2, i64::MIN)] {
        let (mut entry, version) = world.file_rows(TOP, name, bytes);
        (entry.modified_us, entry.current) = (modified_us, Some(version.id));
        // Either row may come first.
        let changes = [Change::Version(version), Change::Entry(entry)];
        world.change(changes.to_vec());
    }
    world.folder(TOP, "folder");
    let (late, version) = world.file_rows(TOP, "late", 3);
    let late = EntryRow { current: Some(version.id), ..late };
    world.change(vec![Change::Entry(late)]);
    world.change(vec![Change::Version(version)]);
    let pages = |by, descending, rows| {
        let (mut found, mut after): (Vec<entries::Listed>, Option<Cursor>) = (Vec::new(), None);
        loop {
            let (sorting, at) = (Sorting { by, descending }, after.clone());
            let page = world.read(move |tx| entries::sorted(tx, account, TOP, sorting, at.as_ref(), rows));
            let Some(last) = page.last() else { break };
            after = Some(Cursor::of(last, by));
            found.extend(page);
        }
        found.into_iter().map(|listed| listed.entry.name).collect::<Vec<_>>()
    };
    for rows in [1, 2, 3, 100] {
        for by in [Order::Name, Order::Modified, Order::Size] {
            let (up, mut down) = (pages(by, false, rows), pages(by, true, rows));
            down.reverse();
            assert_eq!(up, down, "{by:?} by {rows}");
            assert_eq!(up.len(), 7, "{by:?} by {rows}");
        }
        assert_eq!(pages(Order::Name, false, rows), ["a", "b", "c", "d", "folder", "late", "z"]);
        assert_eq!(pages(Order::Size, false, rows)[..4], ["folder", "c", "z", "late"]);
        assert_eq!(pages(Order::Size, true, rows)[0], "d");
        assert_eq!(pages(Order::Modified, true, rows)[0], "b");
    }
}

pub fn what_an_account_takes_is_counted(world: &mut World) {
    let account = world.account;
    let used = |world: &World| world.read(move |tx| catalogue::limits::used_bytes(tx, account));
    assert_eq!(used(world), 0);
    let (_, first) = world.file(TOP, "a", 70);
    let (_, second) = world.file(TOP, "b", 5);
    assert_eq!(used(world), 75);
    world.change(vec![Change::Version(Version { replaced: Some(ServiceTime(9)), ..first.clone() })]);
    assert_eq!(used(world), 75, "the same row again, or an older version, is counted once");
    world.change(vec![Change::VersionGone(first.id)]);
    world.change(vec![Change::VersionGone(first.id)]);
    assert_eq!(used(world), 5);
    world.change(vec![Change::VersionGone(second.id)]);
    assert_eq!(used(world), 0);
}

pub fn names_are_gone_through_from_where_one_stopped(world: &mut World) {
    let account = world.account;
    let folder = world.folder(TOP, "folder");
    let mut wanted = vec![(TOP, "folder".to_owned())];
    for name in ["a", "b", "c"] {
        world.file(TOP, name, 1);
        world.file(folder.id, name, 1);
        wanted.extend([(TOP, name.to_owned()), (folder.id, name.to_owned())]);
    }
    let (gone, _) = world.file(TOP, "gone", 1);
    world.change(vec![Change::Entry(in_trash(&gone, 5))]);
    wanted.sort();
    for rows in [1, 2, 100] {
        let mut found: Vec<(EntryId, String)> = Vec::new();
        loop {
            let after = found.last().cloned();
            let page = world.read(move |tx| {
                search::names(tx, account, after.as_ref().map(|(folder, name)| (*folder, name.as_str())), rows)
            });
            if page.is_empty() {
                break;
            }
            found.extend(page.into_iter().map(|named| (named.folder, named.name)));
        }
        assert_eq!(found, wanted, "by {rows}");
    }
}
