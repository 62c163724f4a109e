//! Syncs that fail at the system call: the file is abandoned, nothing is acknowledged on its word, the service goes on.
//!
//! Source: Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020: after a failed sync the
//! kernel may call pages clean that never reached the disk, so that a second sync succeeds and means nothing.

use std::collections::BTreeMap;

use crate::{
    common::Scratch,
    support::{
        Dice, Server, Truth,
        disk::Disk,
        trace::{self, Call, Event, Failing},
        truth::Content,
        until,
    },
};

#[test]
fn a_failed_fsync_is_never_trusted() {
    if !trace::can_trace("a_failed_fsync_is_never_trusted") {
        return;
    }
    let scratch = Scratch::new();
    let (data, file) = (scratch.join("data"), scratch.join("trace"));
    let mut truth = Truth::default();
    let server = Server::start(&data);
    let first = server.door();
    for (path, bytes) in [("before/large", 3 << 20), ("before/small", 90_000), ("before/inline", 90)] {
        truth.put(&first, path, Content::new(bytes as u64, bytes));
    }
    server.stop();
    // Counted for each thread: opening is spared, then every thirtieth sync or so fails.
    let faults = ["-e", "inject=fdatasync:error=EIO:when=5+31", "-e", "inject=fsync:error=EIO:when=6+29"];
    let server = Server::start_through(&trace::tracer(&file, &faults), &data);
    let door = server.door_of(&first);
    let mut dice = Dice::new(2020);
    let mut refused = BTreeMap::<String, u32>::new();
    for serial in 0..60_u64 {
        let bytes = match dice.roll(6) {
            0 => (1 << 20) + dice.roll(2 << 20),
            1..3 => dice.roll(2 << 10),
            _ => dice.roll(300 << 10),
        };
        let content = Content::new(1_000 + serial, bytes as usize);
        // A target that failed is tried again when it was looked at; until then a write may find too few.
        until("the write is taken", || match truth.try_put(&door, &format!("during/{}", serial % 25), content) {
            None => true,
            Some(code) => {
                *refused.entry(code).or_default() += 1;
                false
            }
        });
        if serial % 10 == 0 {
            truth.check(&door, "before/large");
            truth.check(&door, "before/small");
        }
    }
    eprintln!("refused meanwhile: {refused:?}");
    server.kill();
    the_trace_tells_so(&trace::read(&file));
    let server = Server::start(&data);
    let door = server.door_of(&first);
    truth.check_all(&door);
    until("everything is settled again", || {
        let fleet = door.fleet();
        fleet["files_below_settled"] == 0 && fleet["records_below_settled"] == 0
    });
    truth.check_all(&door);
    server.stop();
}

#[test]
fn after_a_while_in_which_every_fsync_failed_it_goes_on_without_a_restart() {
    if !trace::can_attach("after_a_while_in_which_every_fsync_failed_it_goes_on_without_a_restart") {
        return;
    }
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let mut truth = Truth::default();
    let server = Server::start(&data);
    let door = server.door();
    let before = [("before/large", 3 << 20), ("before/small", 90_000), ("before/inline", 90)];
    for (path, bytes) in before {
        truth.put(&door, path, Content::new(bytes as u64, bytes));
    }
    let sizes = [700, 50_000, (1 << 20) + 700];
    let failing = Failing::attach(server.pid(), &scratch.join("trace"));
    // The tracer takes hold of one thread after the other.
    until("syncs fail", || truth.try_put(&door, "during/first", Content::new(1, 700)).is_some());
    let mut refused = BTreeMap::<String, u32>::new();
    let mut writes = 0_usize;
    // What is known to be down is not tried, so how many syncs a write costs is a matter of pace.
    until("thirty writes and twelve failed syncs", || {
        let content = Content::new(writes as u64, sizes[writes % 3]);
        if let Some(code) = truth.try_put(&door, &format!("during/{}", writes % 10), content) {
            *refused.entry(code).or_default() += 1;
        }
        truth.check(&door, before[writes % 3].0);
        writes += 1;
        writes >= 30 && failing.failed() >= 12
    });
    assert!(failing.detach() >= 12, "both copies of a record and SQLite's log cannot be synced");
    let all = refused.values().sum::<u32>() as usize;
    assert_eq!(all, writes, "nothing was taken on the word of a sync that failed: {refused:?}");
    for (serial, bytes) in sizes.into_iter().enumerate() {
        until("writes are taken again", || {
            truth.try_put(&door, &format!("after/{serial}"), Content::new(serial as u64, bytes)).is_none()
        });
    }
    until("everything is up and settled again", || {
        let fleet = door.fleet();
        let up = fleet["providers"].as_array().unwrap().iter().filter(|provider| provider["state"] == "up").count();
        up == 6 && fleet["files_below_settled"] == 0 && fleet["records_below_settled"] == 0
    });
    truth.check_all(&door);
    server.kill();
    let server = Server::start(&data);
    truth.check_all(&server.door_of(&door));
    server.stop();
}

fn the_trace_tells_so(events: &[Event]) {
    let failed = |is_it: fn(&str) -> bool| {
        let fits = |event: &&Event| event.injected && matches!(&event.call, Call::Sync { path } if is_it(path));
        events.iter().filter(fits).collect::<Vec<_>>()
    };
    // Half-written files at targets: thrown away, never named, never written or synced again.
    let halves = failed(|path| path.split_once("/providers/").is_some_and(|(_, at)| at.contains("/tmp/")));
    assert!(halves.len() >= 5, "{} syncs of objects failed", halves.len());
    for half in halves {
        let path = path_of(half);
        let later = events.iter().filter(|event| event.begun > half.ended);
        for event in later {
            let touches = match &event.call {
                Call::Write { path: at, .. } | Call::Sync { path: at } | Call::Rename { from: at, .. } => at == path,
                _ => false,
            };
            assert!(!touches, "{path} was used after its sync had failed: {event:?}");
        }
    }
    // SQLite's log: written anew through a new handle before it is synced again.
    assert!(!failed(|path| path.ends_with("/catalogue.sqlite-wal")).is_empty(), "no sync of SQLite's log failed");
    let broken = Disk::before(events, usize::MAX).broken;
    assert!(broken.is_empty(), "{broken:#?}");
}

fn path_of(event: &Event) -> &str {
    match &event.call {
        Call::Sync { path } => path,
        other => panic!("{other:?} is no sync"),
    }
}
