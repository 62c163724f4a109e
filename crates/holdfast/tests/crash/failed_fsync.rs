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
        trace::{self, Call, Event},
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
    // Counted for each thread: opening is spared, then every ninth sync fails.
    let faults = ["-e", "inject=fdatasync:error=EIO:when=4+9", "-e", "inject=fsync:error=EIO:when=6+9"];
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
