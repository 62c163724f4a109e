//! What survives, what is seen, and what happens when the disk does not take more.

use crate::world::{Folder, TOP, World, folder_row, names, wait};
use catalogue::{Catalogue, Error, Result, Writer, apply, bump_revision, meta};
use model::{Change, Class, Scope, id::EntryId};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Puts a folder into the open transaction.
fn put(writer: &mut Writer, scope: Scope, id: [u8; 16], name: &str) -> Result<()> {
    writer.savepoint(|tx| {
        let revision = bump_revision(tx, scope)?;
        apply(tx, scope, revision, &Change::Entry(folder_row(EntryId(id), TOP, name)))
    })
}

pub fn readers_see_nothing_before_the_commit(world: &mut World) {
    let scope = world.scope();
    for round in 0..3 {
        let (id, name) = (world.id(), format!("folder {round}"));
        let new = name.clone();
        wait(world.catalogue.writer(move |writer| {
            writer.begin()?;
            put(writer, scope, id, &new)
        }))
        .unwrap()
        .unwrap();
        let before = names(world, TOP, 10);
        assert_eq!(before.len(), round, "{before:?}");
        wait(world.catalogue.writer(Writer::commit)).unwrap().unwrap();
        assert!(names(world, TOP, 10).contains(&name));
    }
}

pub fn a_rolled_back_transaction_leaves_nothing(world: &mut World) {
    let (scope, id) = (world.scope(), world.id());
    wait(world.catalogue.writer(move |writer| {
        writer.begin().unwrap();
        put(writer, scope, id, "never").unwrap();
        writer.rollback();
        assert!(!writer.is_open());
    }))
    .unwrap();
    assert!(names(world, TOP, 10).is_empty());
    assert_eq!(world.folder(TOP, "first").name, "first");
}

pub fn the_writer_says_what_it_cannot_do(world: &mut World) {
    wait(world.catalogue.writer(|writer| {
        assert!(matches!(writer.commit(), Err(Error::NotOpen)));
        writer.begin().unwrap();
        assert!(matches!(writer.begin(), Err(Error::AlreadyOpen)));
        let refused: Result<()> = writer.savepoint(|tx| {
            meta::set_number(tx, "x", 1)?;
            Err(Error::Busy)
        });
        assert!(matches!(refused, Err(Error::Busy)));
        assert_eq!(writer.savepoint(|tx| meta::number(tx, "x")).unwrap(), None, "its part was undone");
        writer.commit().unwrap();
    }))
    .unwrap();
}

#[test]
fn a_crash_keeps_what_was_committed_and_nothing_else() {
    let folder = Folder::new("crash");
    let path = folder.path("catalogue.sqlite");
    let mut world = World::new(Catalogue::open(&path).unwrap());
    world.folder(TOP, "committed");
    let (scope, ids) = (world.scope(), (0..3000).map(|_| world.id()).collect::<Vec<_>>());
    wait(world.catalogue.writer(move |writer| {
        writer.begin()?;
        ids.iter().enumerate().try_for_each(|(number, id)| put(writer, scope, *id, &format!("open {number}")))
    }))
    .unwrap()
    .unwrap();

    // The machine stops here: what is on the disk is all there is.
    let copy = folder.path("copy.sqlite");
    for tail in ["", "-wal"] {
        let name = |path: &Path| format!("{}{tail}", path.display());
        fs::copy(name(&path), name(&copy)).unwrap();
    }
    let after = world.with(Catalogue::open(&copy).unwrap());
    assert_eq!(names(&after, TOP, 10), ["committed"]);

    // The one that did not stop goes on.
    wait(world.catalogue.writer(Writer::commit)).unwrap().unwrap();
    assert_eq!(names(&world, TOP, 500).len(), 3001);
}

#[test]
fn closing_leaves_one_file_and_opening_finds_it_all() {
    let folder = Folder::new("close");
    let path = folder.path("catalogue.sqlite");
    let mut world = World::new(Catalogue::open(&path).unwrap());
    world.folder(TOP, "kept");
    world.catalogue = Catalogue::open_inline_memory().unwrap();
    let left: Vec<_> = fs::read_dir(folder.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["catalogue.sqlite"]);
    let world = world.with(Catalogue::open(&path).unwrap());
    assert_eq!(names(&world, TOP, 10), ["kept"]);
}

#[test]
fn a_log_that_grew_is_merged_while_the_service_runs() {
    let folder = Folder::new("log");
    let path = folder.path("catalogue.sqlite");
    let world = World::new(Catalogue::open(&path).unwrap());
    for round in 0..60_u8 {
        world.write(move |tx| meta::set_bytes(tx, "large", &vec![round; 1 << 20])).unwrap();
    }
    let log = fs::metadata(folder.path("catalogue.sqlite-wal")).unwrap().len();
    assert!(log < 24 << 20, "60 MiB were written, the log has {log} bytes");
}

#[test]
fn a_panic_is_answered_and_rolled_back() {
    let folder = Folder::new("panic");
    let world = World::new(Catalogue::open(&folder.path("catalogue.sqlite")).unwrap());
    let panicked: Result<()> = wait(world.catalogue.writer(|writer| {
        writer.begin().unwrap();
        writer.savepoint(|tx| meta::set_number(tx, "x", 1)).unwrap();
        panic!("on purpose");
    }));
    assert_eq!(panicked.unwrap_err().class(), Class::Bug);
    for _ in 0..8 {
        let panicked: Result<()> = wait(world.catalogue.read(|_| panic!("on purpose")));
        assert_eq!(panicked.unwrap_err().class(), Class::Bug);
    }
    assert_eq!(world.read(|tx| meta::number(tx, "x")), None);
    world.write(|tx| meta::set_number(tx, "x", 2)).unwrap();
}

#[test]
fn a_reader_cannot_change_anything() {
    let folder = Folder::new("query");
    let world = World::new(Catalogue::open(&folder.path("catalogue.sqlite")).unwrap());
    let refused = wait(world.catalogue.read(|tx| meta::set_number(tx, "x", 1)));
    assert!(refused.is_err());
    let inline = World::new(Catalogue::open_inline_memory().unwrap());
    let _ = wait(inline.catalogue.read(|tx| meta::set_number(tx, "x", 1)));
    assert_eq!(inline.read(|tx| meta::number(tx, "x")), None);
}

#[test]
fn an_image_has_what_was_committed() {
    let mut world = World::new(Catalogue::open_inline_memory().unwrap());
    world.folder(TOP, "committed");
    let (scope, ids) = (world.scope(), (0..5000).map(|_| world.id()).collect::<Vec<_>>());
    wait(world.catalogue.writer(move |writer| {
        writer.begin()?;
        ids.iter().enumerate().try_for_each(|(number, id)| put(writer, scope, *id, &format!("open {number}")))
    }))
    .unwrap()
    .unwrap();
    let image = world.catalogue.image().unwrap();
    let mut after = world.with(Catalogue::inline_from_image(&image).unwrap());
    assert_eq!(names(&after, TOP, 10), ["committed"]);
    after.folder(TOP, "and on");
    let again = Catalogue::inline_from_image(&after.catalogue.image().unwrap()).unwrap();
    assert_eq!(names(&after.with(again), TOP, 10), ["and on", "committed"]);

    let folder = Folder::new("image");
    let file = Catalogue::open(&folder.path("catalogue.sqlite")).unwrap();
    assert_eq!(file.image().unwrap_err().class(), Class::Refused);
    assert!(Catalogue::inline_from_image(&[7; 8192]).is_err());
}

#[test]
fn what_is_no_catalogue_is_refused() {
    let folder = Folder::new("foreign");
    let path = folder.path("catalogue.sqlite");
    fs::write(&path, vec![7; 8192]).unwrap();
    assert_eq!(Catalogue::open(&path).unwrap_err().class(), Class::Damaged);
    assert_eq!(fs::read(&path).unwrap(), vec![7; 8192], "and left as it is");
    assert_eq!(Catalogue::open(&folder.path("absent/catalogue.sqlite")).unwrap_err().class(), Class::Retry);
}

/// Runs only in a mount namespace of its own, where it finds a small disk: see the next test.
#[test]
fn on_a_small_disk() {
    let Some(disk) = std::env::var_os("HOLDFAST_SMALL_DISK") else { return };
    let disk = Path::new(&disk);
    let mut world = World::new(Catalogue::open(&disk.join("catalogue.sqlite")).unwrap());
    world.folder(TOP, "before");
    let stone = disk.join("stone");
    let mut stone_bytes = 6 << 20;
    while fs::write(&stone, vec![0; stone_bytes]).is_err() {
        stone_bytes -= 16 << 10;
    }
    // Small enough for the cache, so that only the commit meets the full disk.
    let (scope, ids) = (world.scope(), (0..2000).map(|_| world.id()).collect::<Vec<_>>());
    let (put_all, committed, open) = wait(world.catalogue.writer(move |writer| {
        writer.begin().unwrap();
        let all =
            ids.iter().enumerate().try_for_each(|(number, id)| put(writer, scope, *id, &format!("full {number}")));
        (all, writer.commit(), writer.is_open())
    }))
    .unwrap();
    put_all.unwrap();
    assert_eq!(committed.unwrap_err().class(), Class::Exhausted);
    assert!(!open);
    assert_eq!(names(&world, TOP, 10), ["before"], "reading goes on");
    fs::remove_file(&stone).unwrap();
    world.folder(TOP, "after");
    assert_eq!(names(&world, TOP, 10), ["after", "before"], "and so does writing, without a restart");
}

#[test]
fn a_full_disk_refuses_the_commit_and_later_takes_more() {
    let folder = Folder::new("small");
    let mount = "mount -t tmpfs -o size=6m none \"$1\" || exit 99; HOLDFAST_SMALL_DISK=\"$1\" exec \"$2\" --exact durable::on_a_small_disk";
    let run = Command::new("unshare")
        .args(["--mount", "sh", "-c", mount, "sh"])
        .args([folder.path(""), std::env::current_exe().unwrap()])
        .output();
    match run {
        Ok(run) if run.status.success() => assert!(String::from_utf8_lossy(&run.stdout).contains("1 passed")),
        Ok(run) if run.status.code() == Some(101) => panic!("{}", String::from_utf8_lossy(&run.stdout)),
        other => {
            assert!(std::env::var_os("CI").is_none(), "no small disk: {other:?}");
            eprintln!("SKIPPED: a small disk needs `unshare --mount` and `mount`: {other:?}");
        }
    }
}

/// Runs only where syncs fail for a while: see the next test, which looks at the copies that this one leaves.
#[test]
fn on_a_failing_disk() {
    let Some(disk) = std::env::var_os("HOLDFAST_FAILING_DISK") else { return };
    let disk = PathBuf::from(disk);
    let mut world = World::new(Catalogue::open(&disk.join("catalogue.sqlite")).unwrap());
    let (scope, mut durable, mut failed) = (world.scope(), Vec::<String>::new(), 0);
    for number in 100..140_u8 {
        let (id, name) = (world.id(), format!("folder {number}"));
        let (new, disk, before) = (name.clone(), disk.clone(), durable.join("\n"));
        wait(world.catalogue.writer(move |writer| {
            writer.begin()?;
            // As if the machine stopped here: the files as they are, under another name, log and all.
            fs::copy(disk.join("catalogue.sqlite"), disk.join(format!("{number}.sqlite"))).unwrap();
            fs::copy(disk.join("catalogue.sqlite-wal"), disk.join(format!("{number}.sqlite-wal"))).unwrap();
            fs::write(disk.join(format!("{number}.kept")), before).unwrap();
            writer.savepoint(|tx| meta::set_bytes(tx, "large", &vec![number; 1 << 16]))?;
            put(writer, scope, id, &new)?;
            writer.commit()
        }))
        .unwrap()
        .unwrap();
        assert!(names(&world, TOP, 500).contains(&name), "what is committed is seen");
        match wait(world.catalogue.sync()) {
            Ok(()) => durable = names(&world, TOP, 500),
            Err(error) => {
                assert_eq!(error.class(), Class::Retry, "{error:?}");
                failed += 1;
            }
        }
    }
    assert!(failed > 3, "{failed} failed");
    assert_eq!(durable.len(), 40, "the last sync made everything durable");
}

/// A sync whose failure is told to nobody: the log's frames were written again, and a second sync had them.
#[test]
fn a_log_whose_sync_failed_is_written_anew_before_it_is_synced_again() {
    let folder = Folder::new("failing");
    let trace = folder.path("trace");
    let run = Command::new("strace")
        .args(["-f", "-y", "-qq", "-e", "trace=fsync,fdatasync,pwrite64", "-e", "signal=none", "-o"])
        .arg(&trace)
        // Counted by thread.
        .args(["-e", "inject=fdatasync:error=EIO:when=5..20"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "durable::on_a_failing_disk"])
        .env("HOLDFAST_FAILING_DISK", folder.path(""))
        .output();
    match run {
        Ok(run) if run.status.success() => assert!(String::from_utf8_lossy(&run.stdout).contains("1 passed")),
        Ok(run) if run.status.code() == Some(101) => panic!("{}", String::from_utf8_lossy(&run.stdout)),
        other => {
            assert!(std::env::var_os("CI").is_none(), "no failing disk: {other:?}");
            eprintln!("SKIPPED: failing syncs need `strace`: {other:?}");
            return;
        }
    }
    let mut written_since_failure = true;
    let mut failures = 0;
    for line in fs::read_to_string(&trace).unwrap().lines().filter(|line| line.contains("catalogue.sqlite-wal>")) {
        if line.contains("pwrite64(") {
            // The log's header: the first thing that is written anew.
            written_since_failure |= line.ends_with(", 0) = 32");
        } else if line.contains("fdatasync(") {
            assert!(written_since_failure, "synced again without having been written again");
            if line.contains("EIO") {
                failures += 1;
                written_since_failure = false;
            }
        }
    }
    assert!(failures > 5, "{failures}");
    let world = World::new(Catalogue::open_inline_memory().unwrap());
    for number in 101..140 {
        let kept = fs::read_to_string(folder.path(&format!("{number}.kept"))).unwrap();
        let copy = world.with(Catalogue::open(&folder.path(&format!("{number}.sqlite"))).unwrap());
        let found = names(&copy, TOP, 500);
        assert!(kept.lines().all(|name| found.iter().any(|found| found == name)), "crash before folder {number}");
    }
}
