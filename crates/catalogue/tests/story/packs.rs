//! Packs, locations, and what is live.

use crate::world::{TOP, World};
use catalogue::{packs, packs::Finding, segments, segments::Journalled};
use model::{
    Change,
    id::{ObjectId, PackId, SegmentId, TargetId, UploadId, VersionId},
    pack::MakeState,
    units::ServiceTime,
};

fn live_bytes(world: &World, pack: PackId) -> u64 {
    world.read(move |tx| packs::view(tx, pack)).unwrap().live_bytes
}

pub fn a_segment_is_found_where_it_lies(world: &mut World) {
    let (_, version) = world.file(TOP, "file", 84);
    let segment = version.segments()[0].id;
    assert_eq!(world.read(move |tx| segments::location(tx, segment)), None);
    let pack = world.pack_row(&[(SegmentId([9; 16]), 50), (segment, 100)]);
    world.cluster(vec![Change::Pack(pack.clone())]);

    let placed = world.read(move |tx| segments::location(tx, segment)).unwrap();
    assert_eq!((placed.pack, placed.k, placed.codec, placed.cell_bytes), (pack.id, 4, 1, 4096));
    assert_eq!((placed.location.lane, placed.location.offset, placed.location.bytes), (Some(0), 50, 100));
    assert_eq!(placed.makes.iter().map(|view| view.make).collect::<Vec<_>>(), pack.makes);
    assert!(placed.makes.iter().all(|view| view.finding == Finding::default()));
    assert_eq!(world.read(move |tx| segments::pack_of(tx, segment)), Some(pack.id));
    assert_eq!(live_bytes(world, pack.id), 100, "the other segment has no file");
    let view = world.read(|tx| packs::pack_views(tx, PackId::default(), 10)).pop().unwrap();
    assert_eq!(view.lane_bytes(), 4 * 4096);
}

pub fn repacking_moves_what_is_live(world: &mut World) {
    let (_, keep) = world.file(TOP, "keep", 1);
    let (_, drop) = world.file(TOP, "drop", 1);
    let (kept, dropped) = (keep.segments()[0].id, drop.segments()[0].id);
    let old = world.pack_row(&[(kept, 30), (dropped, 70)]);
    world.cluster(vec![Change::Pack(old.clone())]);
    assert_eq!(live_bytes(world, old.id), 100);
    let start = (0, PackId::default());
    assert!(world.read(move |tx| packs::hollow(tx, start, 10)).is_empty());

    world.change(vec![Change::VersionGone(drop.id)]);
    assert_eq!(live_bytes(world, old.id), 30);
    let hollow = world.read(move |tx| packs::hollow(tx, start, 10));
    assert_eq!(
        hollow.iter().map(|view| (view.id, view.live_bytes, view.bytes)).collect::<Vec<_>>(),
        [(old.id, 30, 100)]
    );
    assert!(world.read(move |tx| packs::hollow(tx, (30, old.id), 10)).is_empty());
    assert!(world.read(|tx| packs::dead(tx, 10)).is_empty());
    let occupants = world.read(move |tx| segments::of_pack(tx, old.id));
    let live: Vec<_> = occupants.iter().filter(|o| o.live).map(|o| o.location.segment).collect();
    assert_eq!((occupants.len(), live), (2, vec![kept]));

    let new = world.pack_row(&[(kept, 30)]);
    world.cluster(vec![Change::Pack(new.clone())]);
    assert_eq!((live_bytes(world, old.id), live_bytes(world, new.id)), (0, 30));
    assert_eq!(world.read(|tx| packs::dead(tx, 10)).iter().map(|view| view.id).collect::<Vec<_>>(), [old.id]);
    assert!(world.read(move |tx| packs::hollow(tx, start, 10)).is_empty());
    let at = ServiceTime(5);
    let revision = world.cluster(vec![Change::PackGone { pack: old.id, at }]);
    assert_eq!(world.read(move |tx| packs::view(tx, old.id)), None);
    assert_eq!(world.read(move |tx| packs::gone(tx, old.id)), Some(at));
    assert_eq!(world.read(move |tx| segments::pack_of(tx, kept)), Some(new.id));
    assert_eq!(world.read(move |tx| segments::pack_of(tx, dropped)), None);

    // An older word about the old pack changes nothing.
    world.write(move |tx| catalogue::replay(tx, model::Scope::Cluster, revision - 1, &Change::Pack(old))).unwrap();
    assert_eq!(world.read(move |tx| segments::pack_of(tx, kept)), Some(new.id));
}

pub fn shared_segments_live_until_their_last_version(world: &mut World) {
    let account = world.account;
    let (_, first) = world.file(TOP, "first", 1);
    let segment = first.segments()[0].id;
    let pack = world.pack_row(&[(segment, 40)]);
    world.cluster(vec![Change::Pack(pack.clone())]);
    let (entry, mut copy) = world.file_rows(TOP, "copy", 1);
    copy.content = first.content.clone();
    world.change(vec![Change::Entry(entry), Change::Version(copy.clone())]);
    assert_eq!(live_bytes(world, pack.id), 40);
    let mut users: Vec<VersionId> = world
        .read(move |tx| segments::users(tx, segment))
        .into_iter()
        .filter(|u| u.account == account)
        .map(|u| u.user)
        .collect();
    users.sort();
    let mut expected = vec![first.id, copy.id];
    expected.sort();
    assert_eq!(users, expected);
    world.change(vec![Change::VersionGone(first.id)]);
    assert_eq!(live_bytes(world, pack.id), 40);
    world.change(vec![Change::VersionGone(copy.id)]);
    assert_eq!(live_bytes(world, pack.id), 0);
}

pub fn an_upload_keeps_its_segments_live(world: &mut World) {
    let account = world.account;
    let (upload, segment) = (UploadId(world.id()), SegmentId(world.id()));
    world.write(move |tx| segments::hold(tx, account, upload, &[segment])).unwrap();
    let pack = world.pack_row(&[(segment, 40)]);
    world.cluster(vec![Change::Pack(pack.clone())]);
    assert_eq!(live_bytes(world, pack.id), 40);
    world.write(move |tx| segments::release(tx, account, upload, &[segment])).unwrap();
    assert_eq!(live_bytes(world, pack.id), 0);
    world.write(move |tx| segments::release(tx, account, upload, &[segment])).unwrap();
    assert_eq!(live_bytes(world, pack.id), 0, "releasing twice is harmless");
}

pub fn findings_are_kept_for_makes_that_count(world: &mut World) {
    let segment = SegmentId(world.id());
    let pack = world.pack_row(&[(segment, 40)]);
    let id = pack.id;
    world.cluster(vec![Change::Pack(pack.clone())]);
    let verified =
        Finding { state: MakeState::Good, verified_us: Some(9), verified_at: ServiceTime(8), verified_generation: 7 };
    let (first, second) = (pack.makes[0], pack.makes[1]);
    world.write(move |tx| packs::set_finding(tx, id, first.make, &verified)).unwrap();
    let bad = Finding { state: MakeState::Bad, ..Finding::default() };
    world.write(move |tx| packs::set_finding(tx, id, second.make, &bad)).unwrap();
    let end =
        world.write(move |tx| packs::set_state_at_target(tx, first.target, MakeState::Suspect, PackId::default(), 5));
    assert_eq!(end.unwrap(), Some(id));
    let end = world.write(move |tx| packs::set_state_at_target(tx, first.target, MakeState::Suspect, id, 5));
    assert_eq!(end.unwrap(), None);

    let makes = world.read(move |tx| packs::makes(tx, id));
    assert_eq!(makes[0].finding, Finding { state: MakeState::Suspect, ..verified }, "when it was verified is kept");
    assert_eq!(makes[1].finding, bad);
    assert_eq!(makes[2].finding, Finding::default());
    for state in [MakeState::Suspect, MakeState::Bad] {
        assert_eq!(world.read(move |tx| packs::with_state(tx, state, PackId::default(), 5)), [id]);
    }
    assert_eq!(world.read(move |tx| packs::at_target(tx, TargetId([3; 16]), PackId::default(), 5)), [id]);

    // Repair replaces the bad make: its finding goes with it, the others stay.
    let mut counted = pack.makes.clone();
    counted[1] = world.make(1);
    let revision = world.cluster(vec![Change::Makes { pack: id, makes: counted.clone() }]);
    let view = world.read(move |tx| packs::view(tx, id)).unwrap();
    assert_eq!(view.makes.iter().map(|view| view.make).collect::<Vec<_>>(), counted);
    assert_eq!((view.revision, view.makes[1].finding), (revision, Finding::default()));
    assert_eq!(view.makes[0].finding.verified_us, Some(9));
    assert!(world.read(|tx| packs::with_state(tx, MakeState::Bad, PackId::default(), 5)).is_empty());
}

pub fn the_packer_takes_the_oldest_first(world: &mut World) {
    let mut rows = Vec::new();
    for seq in [2, 1] {
        let object = ObjectId(world.id());
        for place in 0..3 {
            let (_, version) = world.file(TOP, &format!("{seq} {place}"), 10);
            let segment = version.segments()[0].id;
            rows.push(Journalled { segment, object, epoch: 1, seq, offset: 100 * place, bytes: 26 });
        }
    }
    let inserted = rows.clone();
    world.write(move |tx| inserted.iter().try_for_each(|row| segments::insert_journalled(tx, row))).unwrap();
    rows.sort_by_key(|row| (row.seq, row.offset));
    let first = rows[0];
    assert_eq!(world.read(move |tx| segments::journalled(tx, first.segment)), Some(first));
    assert_eq!(world.read(|tx| segments::journalled_total(tx)), (6, 6 * 26));
    let taken = |rows, bytes| {
        let found = world.read(move |tx| segments::oldest_journalled(tx, None, rows, bytes));
        assert!(found.iter().all(|(_, live)| *live));
        found.into_iter().map(|(row, _)| row).collect::<Vec<_>>()
    };
    assert_eq!(taken(100, 1 << 20), rows);
    assert_eq!(taken(4, 1 << 20), rows[..4]);
    assert_eq!(taken(100, 2 * 26), rows[..2]);
    assert_eq!(taken(100, 1), rows[..1], "one at least");
    let after = Some((first.epoch, first.seq, first.offset));
    let next = world.read(move |tx| segments::oldest_journalled(tx, after, 1, 1 << 20));
    assert_eq!(next[0].0, rows[1]);

    assert!(world.write(move |tx| segments::delete_journalled(tx, first.segment)).unwrap());
    assert_eq!(world.read(move |tx| segments::journalled(tx, first.segment)), None);
}
