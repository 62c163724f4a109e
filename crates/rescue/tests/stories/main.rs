//! What a kit must bring home, told as stories over a cluster that was built by hand.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod damage;
mod far_firms;
mod firms_gone;
mod homecoming;
mod kits;
mod program;
mod records_lost;
mod world;

use std::collections::BTreeMap;

use model::entry::Kind;
use rescue::Rescue;

use crate::world::World;

/// Runs a future that needs no runtime of its own.
fn run<T>(future: impl Future<Output = T> + Send) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Opens a rescue with what lies at these firms.
fn open(world: &World, firms: impl IntoIterator<Item = usize>) -> rescue::Result<Rescue> {
    run(Rescue::open(&world.kit, world.open(firms)))
}

/// Reads every file; those that are not whole are told apart.
fn read_all(rescue: &Rescue) -> (BTreeMap<String, Vec<u8>>, BTreeMap<String, rescue::Outcome>) {
    let (mut whole, mut broken) = (BTreeMap::new(), BTreeMap::new());
    for item in rescue.tree().iter().filter(|item| item.entry.kind == Kind::File) {
        let (plain, outcome) = run(rescue.read_to_vec(item.version.as_ref().unwrap())).unwrap();
        if outcome.is_whole() {
            whole.insert(item.path.join("/"), plain);
        } else {
            broken.insert(item.path.join("/"), outcome);
        }
    }
    (whole, broken)
}

/// Asserts that the whole tree comes home, byte for byte, and nothing else.
#[track_caller]
fn assert_all_home(world: &World, rescue: &Rescue) {
    let (whole, broken) = read_all(rescue);
    assert_eq!(broken, BTreeMap::new(), "findings: {:#?}", rescue.findings());
    assert_eq!(whole.keys().collect::<Vec<_>>(), world.files.keys().collect::<Vec<_>>());
    for (path, plain) in &world.files {
        assert!(whole[path] == *plain, "{path} differs");
    }
    let folders: Vec<_> = rescue.tree().iter().filter(|item| item.entry.kind == Kind::Folder).collect();
    assert_eq!(folders.iter().map(|item| item.path.join("/")).collect::<Vec<_>>(), world.folders);
}
