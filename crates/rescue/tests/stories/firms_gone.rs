//! Firms vanish; what is left brings everything home as long as the margin held.

use model::{
    Change, Scheme, Scope,
    entry::{Kind, ROOT},
};
use rescue::{Finding, Why};

use crate::{
    assert_all_home, open, read_all,
    world::{FIRMS, World},
};

#[test]
fn with_everything_there_nothing_is_noted() {
    let world = World::build();
    let rescue = open(&world, 0..FIRMS).unwrap();
    assert_all_home(&world, &rescue);
    assert_eq!(rescue.findings(), []);
}

#[test]
fn any_two_firms_may_be_gone() {
    let world = World::build();
    for a in 0..FIRMS {
        for b in a + 1..FIRMS {
            let rescue = open(&world, (0..FIRMS).filter(|firm| ![a, b].contains(firm))).unwrap();
            assert_all_home(&world, &rescue);
        }
    }
}

#[test]
fn wiped_and_silent_firms_are_named_and_passed_over() {
    let world = World::build();
    world.disks[1].wipe();
    world.disks[4].set_up(false);
    let rescue = open(&world, 0..FIRMS).unwrap();
    assert_all_home(&world, &rescue);
    let findings = rescue.findings();
    assert!(findings.contains(&Finding::NoMarker { target: "place-1".to_owned() }), "{findings:?}");
    assert!(
        findings.iter().any(|finding| matches!(finding, Finding::TargetDown { target, .. } if target == "place-4"))
    );
    assert!(!findings.iter().any(Finding::is_loss));
}

#[test]
fn a_firm_that_goes_while_files_are_read_does_no_harm() {
    let world = World::build();
    let rescue = open(&world, 0..FIRMS).unwrap();
    world.disks[0].wipe();
    world.disks[2].set_up(false);
    assert_all_home(&world, &rescue);
    let findings = rescue.findings();
    let gone = |finding: &&Finding| matches!(finding, Finding::TargetGone { target, .. } if target == "place-2");
    assert_eq!(findings.iter().filter(gone).count(), 1, "told of once: {findings:#?}");
}

#[test]
fn disks_copied_without_markers_may_lie_anywhere() {
    let world = World::build();
    for disk in &world.disks {
        let mut image = disk.image();
        image.marker = None;
        disk.restore(image);
    }
    assert_all_home(&world, &open(&world, [5, 3, 0, 2]).unwrap());
    // All on one disk, as somebody may have put them.
    let mut all = world.disks[0].image();
    (1..FIRMS).for_each(|firm| all.objects.extend(world.disks[firm].image().objects));
    world.disks[0].restore(all);
    assert_all_home(&world, &open(&world, [0]).unwrap());
}

#[test]
fn with_three_firms_gone_it_is_said_what_is_missing_and_who_has_it() {
    let world = World::build();
    let rescue = open(&world, [0, 1, 2]).unwrap();
    let (whole, broken) = read_all(&rescue);
    // What is in journal and snapshot has three copies; of the shared pack three of four data lanes are there.
    for path in ["note.txt", "empty", "photos/a.jpg", "photos/b.jpg", "photos/c.jpg", "photos/overwritten.txt"] {
        assert!(whole.get(path) == world.files.get(path), "{path}");
    }
    let film = &broken["photos/2012/film.mkv"];
    let Why::Lanes { needed, there, missing, .. } = &film.unreadable[0].why else { panic!("{film:?}") };
    assert_eq!((*needed, *there), (4, 3));
    let known: Vec<_> = missing.iter().map(|lane| (lane.lane, lane.known_as.clone().unwrap().0)).collect();
    assert_eq!(known, [(3, "firm-3".to_owned()), (4, "firm-4".to_owned()), (5, "firm-5".to_owned())]);
    // Frames in lanes that are there came home all the same.
    assert!(film.bytes > 1_000_000 && film.bytes < 2_000_003, "{}", film.bytes);
    let lost: u64 = film.unreadable.iter().map(|unreadable| unreadable.range.end - unreadable.range.start).sum();
    assert_eq!(film.bytes + lost, 2_000_003);
}

#[test]
fn lanes_made_later_are_found_by_their_record() {
    let mut world = World::build();
    let pack = world.packs[0].clone();
    // Firm 3 is lost; its lane was made again at firm 4, and a seventh lane nowhere needed.
    let old = pack.makes[3];
    let name = format::name::shard_name(pack.id, 3, old.make);
    let bytes = world.disks[3].bytes(&name).unwrap();
    let lane = bytes.slice(4096..4096 + old.lane_bytes as usize);
    let make = world.shard(&pack, 3, &lane, 4);
    let makes = pack.makes.iter().map(|known| if known.lane == 3 { make } else { *known }).collect();
    world.journal(0, vec![(Scope::Cluster, vec![Change::Makes { pack: pack.id, makes }])], &[]);
    let rescue = open(&world, [0, 1, 2, 4]).unwrap();
    assert_all_home(&world, &rescue);
    assert!(!rescue.findings().iter().any(|finding| matches!(finding, Finding::Unvouched { .. })));
}

#[test]
fn packs_of_every_shape_lose_as_many_lanes_as_they_have_parity() {
    let mut world = World::build();
    let scope = world.scope();
    for (k, m, cell_bytes) in
        [(1, 2, 4_096), (4, 6, 4_096), (3, 2, 8_192), (12, 6, 65_536), (10, 4, 65_536), (9, 3, 1 << 20)]
    {
        let plain = world.bytes(3_000_007);
        let name = format!("{k}+{m} in {cell_bytes}");
        let mut entry = world.entry(ROOT, &name, Kind::File);
        // The second segment starts at no border of cells, frames or blocks.
        let sealed = world.seal(entry.id, &plain, 1_234_567);
        entry.current = Some(sealed.version.id);
        let pack = world.striped_pack(&sealed.segments, Scheme::new(k, m), cell_bytes);
        let changes = vec![Change::Version(sealed.version), Change::Entry(entry)];
        world.journal(0, vec![(Scope::Cluster, vec![Change::Pack(pack)]), (scope, changes)], &[]);
        world.files.insert(name, plain);
    }
    // Firms 4 and 5 have the fewest lanes of each pack; 0 and 1 the most. Of 9+3 most lanes are empty: their records say so,
    // and nothing of them is needed.
    assert_all_home(&world, &open(&world, [0, 1, 2, 3]).unwrap());
    let rescue = open(&world, [2, 3, 4, 5]).unwrap();
    let (whole, broken) = read_all(&rescue);
    assert_eq!(broken.keys().collect::<Vec<_>>(), ["10+4 in 65536"], "six of its lanes were at firms 0 and 1");
    assert!(whole.iter().all(|(path, plain)| world.files[path] == *plain));
}
