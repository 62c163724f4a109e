//! Bytes rot, copies are old, shards are not what their names say. Nothing wrong gets through.

use format::{name::shard_name, shard::HEADER_BYTES};
use rescue::Finding;

use crate::{
    assert_all_home, open,
    world::{CELL, FIRMS, World},
};

/// Turns bits in a block of one lane of a pack.
fn rot(world: &World, pack: usize, lane: usize, block: u64) {
    let pack = &world.packs[pack];
    let name = shard_name(pack.id, lane as u8, pack.makes[lane].make);
    assert!(world.disks[lane].flip(&name, HEADER_BYTES as u64 + block * 65_536 + 17, 0x40), "{name} block {block}");
}

#[test]
fn rot_in_every_lane_is_repaired_row_by_row() {
    let world = World::build();
    // Rows lose two blocks each, never three; all lanes are hit.
    for (row, lanes) in [[0, 1], [2, 3], [4, 0], [1, 2], [3, 5], [0, 3]].into_iter().enumerate() {
        lanes.into_iter().for_each(|lane| rot(&world, 0, lane, row as u64));
    }
    let rescue = open(&world, 0..FIRMS).unwrap();
    assert_all_home(&world, &rescue);
    let bad = rescue.findings().iter().filter(|finding| matches!(finding, Finding::BadCopy { .. })).count();
    assert!(bad >= 4, "{:?}", rescue.findings());
}

#[test]
fn rot_under_two_lost_firms_costs_only_the_frames_in_it() {
    let world = World::build();
    rot(&world, 0, 2, 3);
    let rescue = open(&world, [1, 2, 3, 4]).unwrap();
    let (_, broken) = crate::read_all(&rescue);
    assert_eq!(broken.keys().collect::<Vec<_>>(), ["photos/2012/film.mkv"]);
    // One row of four blocks; the segment's frames lie on block borders in it.
    let lost: u64 =
        broken["photos/2012/film.mkv"].unreadable.iter().map(|part| part.range.end - part.range.start).sum();
    assert!(lost <= 3 * 65_520, "{lost}");
}

#[test]
fn a_damaged_hash_list_is_made_again_from_the_lane() {
    let world = World::build();
    for lane in [1, 2] {
        let make = &world.packs[0].makes[lane];
        let name = shard_name(world.packs[0].id, lane as u8, make.make);
        assert!(world.disks[lane].flip(&name, HEADER_BYTES as u64 + make.lane_bytes + 5, 1));
    }
    assert_all_home(&world, &open(&world, [1, 2, 3, 4]).unwrap());
}

#[test]
fn shards_cut_off_or_of_another_pack_are_no_danger() {
    let world = World::build();
    let [striped, shared] = &world.packs[..] else { panic!() };
    let name = |pack: &model::pack::Pack, lane: usize| shard_name(pack.id, lane as u8, pack.makes[lane].make);
    let other = world.disks[1].bytes(&name(shared, 1)).unwrap();
    world.disks[1].plant(&name(striped, 1), Some(other));
    let whole = world.disks[2].bytes(&name(striped, 2)).unwrap();
    world.disks[2].plant(&name(striped, 2), Some(whole.slice(..HEADER_BYTES + CELL as usize)));
    assert_all_home(&world, &open(&world, 0..FIRMS).unwrap());
}

#[test]
fn one_good_copy_of_each_record_is_enough() {
    let world = World::build();
    // Every copied object is damaged everywhere but at the last firm that has it.
    let names: std::collections::BTreeSet<String> = world.disks.iter().flat_map(|disk| disk.names()).collect();
    for name in names.iter().filter(|name| !name.starts_with("shards/")) {
        let holders: Vec<_> = (0..FIRMS).filter(|firm| world.disks[*firm].bytes(name).is_some()).collect();
        for firm in &holders[..holders.len() - 1] {
            assert!(world.disks[*firm].flip(name, 60, 1));
        }
    }
    let rescue = open(&world, 0..FIRMS).unwrap();
    assert_all_home(&world, &rescue);
    assert!(rescue.findings().iter().all(|finding| !finding.is_loss()));
}

#[test]
fn firms_that_come_back_old_change_nothing() {
    let mut world = World::build();
    let before: Vec<_> = world.disks.iter().map(fleet::MemoryDisk::image).collect();
    let scope = world.scope();
    let entry = world.entry(model::entry::ROOT, "new folder", model::entry::Kind::Folder);
    world.journal(3, vec![(scope, vec![model::Change::Entry(entry)])], &[]);
    world.folders.insert(0, "new folder".to_owned());
    for firm in [0, 1, 2, 3] {
        world.disks[firm].restore(before[firm].clone());
    }
    assert_all_home(&world, &open(&world, 0..FIRMS).unwrap());
}

#[test]
fn strange_files_in_a_target_are_passed_over() {
    let world = World::build();
    for name in [
        "journal/x",
        "journal/0000000000000001/rubbish",
        "snapshots/cluster/none",
        "shards/aa/bb",
        "envelopes/readme.txt",
    ] {
        world.disks[0].plant(name, Some(bytes::Bytes::from_static(b"hello")));
    }
    let rescue = open(&world, 0..FIRMS).unwrap();
    assert_all_home(&world, &rescue);
    assert_eq!(rescue.findings(), []);
}
