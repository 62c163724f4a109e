//! Records are lost. Shards say what they are, and the tags of frames decide whom to believe.

use model::{Change, Scope};
use rescue::{Finding, ScopeWord};

use crate::{
    assert_all_home, open, read_all,
    world::{FIRMS, World},
};

/// Takes all objects away whose name starts so, everywhere.
fn lose(world: &World, prefix: &str) {
    for disk in &world.disks {
        disk.names().iter().filter(|name| name.starts_with(prefix)).for_each(|name| disk.plant(name, None));
    }
}

#[test]
fn without_any_record_of_packs_footers_lead_to_them() {
    let world = World::build();
    lose(&world, "snapshots/cluster/");
    let rescue = open(&world, [0, 2, 3, 5]).unwrap();
    assert_all_home(&world, &rescue);
    assert!(rescue.findings().iter().any(|finding| matches!(finding, Finding::WithoutRecord { .. })));
}

#[test]
fn shards_that_lie_are_left_out_by_trying() {
    let world = World::build();
    lose(&world, "snapshots/cluster/");
    // Two more makes of lanes 0 and 4, sound by their own footers, with other bytes.
    let pack = &world.packs[0];
    for (lane, firm) in [(0, 1), (4, 1)] {
        let bytes = world.bytes(pack.makes[lane].lane_bytes as usize);
        world.shard(pack, lane as u8, &bytes, firm);
    }
    assert_all_home(&world, &open(&world, [1, 2, 3, 4]).unwrap());
    assert_all_home(&world, &open(&world, [1, 3, 4, 5]).unwrap());
}

#[test]
fn a_make_whose_record_is_lost_still_helps() {
    let world = World::build();
    let pack = &world.packs[0];
    let name = format::name::shard_name(pack.id, 3, pack.makes[3].make);
    let bytes = world.disks[3].bytes(&name).unwrap();
    let lane = bytes.slice(4096..4096 + pack.makes[3].lane_bytes as usize);
    world.shard(pack, 3, &lane, 2);
    // Lane 3 is at firm 2 by no record; with firms 0, 3 and 5 gone the pack needs it.
    let rescue = open(&world, [1, 2, 4]).unwrap();
    let (whole, _) = read_all(&rescue);
    assert!(whole.get("photos/2012/film.mkv") == world.files.get("photos/2012/film.mkv"));
    assert!(rescue.findings().contains(&Finding::Unvouched { pack: pack.id }));
}

#[test]
fn a_missing_journal_object_is_said_to_be_missing() {
    let mut world = World::build();
    let scope = world.scope();
    let folder = world.entry(model::entry::ROOT, "lost folder", model::entry::Kind::Folder);
    let last = world.journal(0, vec![(scope, vec![Change::Entry(folder)])], &[]);
    let later = world.entry(model::entry::ROOT, "later folder", model::entry::Kind::Folder);
    world.journal(0, vec![(scope, vec![Change::Entry(later)])], &[]);
    lose(&world, &last);
    world.folders.insert(0, "later folder".to_owned());
    let rescue = open(&world, 0..FIRMS).unwrap();
    assert_all_home(&world, &rescue);
    let gap = Finding::ChangesMissing { scope: ScopeWord::Account, after: 14, next: 16 };
    assert_eq!(rescue.findings(), std::slice::from_ref(&gap));
    assert!(gap.is_loss());
}

#[test]
fn files_whose_folder_is_lost_come_home_beside() {
    let mut world = World::build();
    let scope = world.scope();
    let folder = world.entry(model::entry::ROOT, "lost folder", model::entry::Kind::Folder);
    let mut entry = world.entry(folder.id, "letter.txt", model::entry::Kind::File);
    let sealed = world.seal(entry.id, b"dear all", 1_000);
    entry.current = Some(sealed.version.id);
    let changes = vec![Change::Version(sealed.version), Change::Entry(entry.clone())];
    world.journal(0, vec![(scope, changes)], &sealed.segments);
    let rescue = open(&world, 0..FIRMS).unwrap();
    let (whole, _) = read_all(&rescue);
    let path = format!("(without a folder)/{} letter.txt", &entry.id.to_string()[..8]);
    assert_eq!(whole[&path], b"dear all");
    assert!(rescue.findings().iter().any(Finding::is_loss));
}

#[test]
fn a_layer_that_cannot_be_read_falls_back_to_older_ones() {
    let world = World::build();
    // A merged layer, newer by name and damaged everywhere: the old one and the journal still tell everything.
    let bad = format::snapshot::snapshot_name(world.scope(), 0, 12, 1, model::id::ObjectId([3; 16]), 0, 1);
    world.copies(0, &bad, b"rubbish");
    let rescue = open(&world, 0..FIRMS).unwrap();
    assert_all_home(&world, &rescue);
    assert!(rescue.findings().contains(&Finding::RecordsUnreadable { name: bad, copies: 3 }));
}

#[test]
fn a_repacked_segment_is_read_from_its_old_pack_if_the_new_one_is_gone() {
    let mut world = World::build();
    let mut moved = world.packs[0].clone();
    moved.id = model::id::PackId([5; 16]);
    moved.makes.iter_mut().for_each(|make| make.make = model::id::MakeId([6; 16]));
    world.journal(0, vec![(Scope::Cluster, vec![Change::Pack(moved)])], &[]);
    assert_all_home(&world, &open(&world, 0..FIRMS).unwrap());
}

#[test]
fn after_a_rebuild_the_later_life_counts_and_the_earlier_is_named() {
    let mut world = World::build();
    let scope = world.scope();
    let known = world.revision;
    // A file of the first life that the rebuild knew nothing of; its own life gave the revision to something else.
    let mut entry = world.entry(model::entry::ROOT, "late.txt", model::entry::Kind::File);
    let sealed = world.seal(entry.id, b"kept by one firm only", 1_000);
    entry.current = Some(sealed.version.id);
    let rescue = open(&world, 0..FIRMS).unwrap();
    let content = |item: &rescue::Item| item.version.clone().map(Change::Version);
    let rows =
        rescue.tree().iter().flat_map(|item| content(item).into_iter().chain([Change::Entry(item.entry.clone())]));
    let rows: Vec<_> = rows.map(|row| (known, row)).collect();
    let changes = vec![Change::Version(sealed.version), Change::Entry(entry.clone())];
    world.journal(0, vec![(scope, changes)], &sealed.segments);
    (world.epoch, world.revision, world.journal) = (2, known, None);
    world.layer(scope, 0, known, &rows);
    let folder = world.entry(model::entry::ROOT, "early", model::entry::Kind::Folder);
    world.journal(0, vec![(scope, vec![Change::Entry(folder)])], &[]);
    world.folders.insert(0, "early".to_owned());

    let rescue = open(&world, 0..FIRMS).unwrap();
    let name = format!("{}/{} late.txt", rescue::EARLIER, &entry.id.to_string()[..8]);
    world.files.insert(name, b"kept by one firm only".to_vec());
    assert_all_home(&world, &rescue);
    assert_eq!(rescue.findings(), [Finding::LateFiles { epoch: 2, count: 1 }]);
}
