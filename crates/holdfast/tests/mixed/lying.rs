//! A firm acknowledges and drops: the server says that it stored, and a moment later it is gone.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{
    common::tree,
    fleet::{Fleet, is, names, settled, target},
};

/// Removes everything from a target's folder as soon as it has its name, but for the marker: the server acknowledges all of it.
struct Dropping {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Dropping {
    fn start(root: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                sweep(&root);
                thread::park_timeout(Duration::from_millis(10));
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Dropping {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Files may go while they are looked at.
fn sweep(folder: &Path) {
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let own = ["tmp", "holdfast-target"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !own {
            sweep(&path);
        } else if !own {
            let _ = fs::remove_file(path);
        }
    }
}

#[test]
fn what_a_firm_acknowledged_and_dropped_is_found_and_made_elsewhere() {
    let Some(mut fleet) = Fleet::grown("a firm drops what it acknowledged") else { return };
    let root = fleet.firm("dav").root.clone();
    let kept = fleet.kept_but_at("dav");
    let dropping = Dropping::start(root.clone());
    for folder in ["one", "two", "three"] {
        fleet.put(folder);
        fleet.check();
    }
    // Either this finds what is not there, or the reading back of what was just written did before.
    fleet.scrub();
    fleet.check();
    // It goes on lying, and nothing counts on it any more.
    let report = fleet.until("all is settled although it drops what it is given", |report| {
        settled(report)
            && target(report, "dav")["note"].as_str().unwrap().contains("acknowledged what it then did not have")
    });
    assert_eq!(report["files_unreadable"], 0, "{report}");
    fleet.scrub();
    fleet.until("and still is when all of it was read", settled);
    fleet.put("four");
    fleet.until("what is new goes elsewhere", settled);
    let again = fleet.scrub();
    assert_eq!((&again["damaged"], &again["missing"]), (&0.into(), &0.into()), "nothing counts on it: {again}");
    assert!(names(&root).is_empty() && !tree(&root).is_empty(), "it keeps nothing but its marker");
    fleet.still_keeps(&kept);
    // Any other may go now, and every byte is there.
    fleet.firm("box").vanish();
    fleet.until("another one is down", |report| is(report, "box", "down"));
    fleet.check();
    drop(dropping);
}
