//! The fold.

use model::{
    Change, Record, Scope,
    entry::{EntryRow, Kind, ROOT, Trashed},
    id::{EntryId, ObjectId, VersionId},
    units::ServiceTime,
};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use format::{
    AccountState, JournalHeader, LayerHeader, State,
    replay::{Applied, Chain, Cut, Gap, Lost, SeqGap, chain},
};

use crate::samples::{ACCOUNT, CLUSTER, Seeded, inline_version, journal_header, pack, some_change, some_entry};

const MINE: Scope = Scope::Account(ACCOUNT);

fn id(tag: u8) -> EntryId {
    EntryId([tag; 16])
}

fn entry(tag: u8, parent: EntryId, name: &str, kind: Kind) -> EntryRow {
    let current = (kind == Kind::File).then_some(VersionId([0x80; 16]));
    EntryRow { id: id(tag), parent, name: name.to_owned(), kind, modified_us: 0, trashed: None, current }
}

fn record(epoch: u64, scope: Scope, revision: u64, changes: Vec<Change>) -> Record {
    Record { epoch, scope, revision, changes }
}

fn layer(epoch: u64, from: u64, to: u64) -> LayerHeader {
    let id = ObjectId([1; 16]);
    LayerHeader { cluster: CLUSTER, epoch, scope: MINE, from, to, layer: id, part: 0, parts: 1, id, made_at_seq: 0 }
}

/// Changes of few rows, so that they meet: the ids of `some_change` cut down to three.
fn few_rows(chance: &Seeded, scope: Scope) -> Change {
    let mut change = some_change(chance, scope);
    let tag = [chance.below(3) as u8 + 1; 16];
    match &mut change {
        Change::Account(row) => row.id.0 = tag,
        Change::SignIn(row) => row.account.0 = tag,
        Change::Limits(row) => row.account.0 = tag,
        Change::Token(row) => row.id.0 = tag,
        Change::Share(row) => row.id.0 = tag,
        Change::Grant(row) => row.id.0 = tag,
        Change::Report(row) => row.id.0 = tag,
        Change::About(_) => {}
        Change::Mail(row) => row.account.0 = tag,
        Change::Webhook(row) => row.id.0 = tag,
        Change::Plan(row) => row.name = format!("plan {}", tag[0]),
        Change::AccountGone { account, .. } => account.0 = tag,
        Change::Passkey(row) => row.id.0 = tag,
        Change::Identity(row) => row.account.0 = tag,
        Change::Provider(row) => row.id.0 = tag,
        Change::Target(row) => row.id.0 = tag,
        Change::Constraint(row) => row.label = format!("label {}", tag[0]),
        Change::Lease(row) => row.id.0 = tag,
        Change::Notice(row) => row.id.0 = tag,
        Change::Ledger(entry) => *entry = some_entry(u64::from(tag[0]), chance),
        Change::TargetOrders(row) => row.target.0 = tag,
        Change::Pack(pack) => {
            pack.id.0 = tag;
            pack.locations.iter_mut().for_each(|location| location.segment.0 = [chance.below(3) as u8; 16]);
        }
        Change::Makes { pack, .. } | Change::PackGone { pack, .. } => pack.0 = tag,
        Change::Kit(row) => row.id.0 = tag,
        Change::Entry(row) => row.id.0 = tag,
        Change::EntryGone(id) => id.0 = tag,
        Change::Version(version) => version.id.0 = tag,
        Change::VersionGone(id) => id.0 = tag,
    }
    change
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn order_does_not_matter(seed in any::<u64>(), account in any::<bool>()) {
        let chance = Seeded::new(seed);
        let scope = if account { MINE } else { Scope::Cluster };
        let mut records: Vec<_> =
            (1..=chance.below(24) as u64).map(|revision| record(1, scope, revision, vec![few_rows(&chance, scope)])).collect();
        let mut expected = State::new();
        records.iter().for_each(|record| _ = expected.apply_record(record));
        for index in (1..records.len()).rev() {
            records.swap(index, chance.below(index + 1));
        }
        let mut state = State::new();
        for record in &records {
            prop_assert_eq!(state.apply_record(record), Applied::New);
        }
        prop_assert_eq!(&state, &expected);
        prop_assert!(state.gaps().is_empty());
        // Again changes nothing, and a layer of the same rows neither.
        for record in &records {
            prop_assert_eq!(state.apply_record(record), Applied::Seen);
        }
        prop_assert_eq!(&state, &expected);
    }
}

#[test]
fn a_tombstone_wins_over_everything_older_wherever_it_turns_up() {
    let old = Change::Entry(entry(1, ROOT, "old", Kind::File));
    let mut state = State::new();
    state.apply_record(&record(1, MINE, 5, vec![Change::EntryGone(id(1)), Change::VersionGone(inline_version().id)]));
    state.apply_record(&record(1, MINE, 3, vec![old.clone(), Change::Version(inline_version())]));
    let account = &state.accounts[&ACCOUNT];
    assert!(account.entries.is_empty() && account.versions.is_empty());
    assert_eq!((account.entry_tombs.len(), account.version_tombs.len(), account.revision), (1, 1, 5));
    state.apply_record(&record(1, MINE, 6, vec![old]));
    assert_eq!(state.accounts[&ACCOUNT].entries.len(), 1, "a later row is a later word");
}

#[test]
fn a_layer_covers_older_records() {
    let name = |name: &str| Change::Entry(entry(1, ROOT, name, Kind::Folder));
    let mut state = State::new();
    state.apply_layer(&layer(1, 0, 4), &[(4, name("four"))]);
    state.apply_layer(&layer(1, 4, 9), &[(8, name("eight"))]);
    assert_eq!(state.apply_record(&record(1, MINE, 9, vec![name("nine, but covered")])), Applied::Seen);
    assert_eq!(state.apply_record(&record(1, MINE, 10, vec![name("ten")])), Applied::New);
    assert_eq!(state.accounts[&ACCOUNT].entries[&id(1)].value.name, "ten");
    assert_eq!((state.whole_to(MINE), state.gaps().len()), (10, 0));
}

#[test]
fn gaps_are_reported_and_what_lies_behind_is_applied() {
    let mut state = State::new();
    for revision in [1, 2, 5, 9] {
        state.apply_record(&record(1, MINE, revision, vec![Change::EntryGone(id(revision as u8))]));
    }
    let gap = |after, next| Gap { scope: MINE, after, next };
    assert_eq!(state.gaps(), [gap(2, 5), gap(5, 9)]);
    assert_eq!((state.whole_to(MINE), state.accounts[&ACCOUNT].entry_tombs.len()), (2, 4));
}

#[test]
fn a_later_epoch_wins_whatever_the_revision() {
    let name = |name: &str| Change::Entry(entry(1, ROOT, name, Kind::Folder));
    let mut state = State::new();
    state.apply_record(&record(1, MINE, 1, vec![name("first")]));
    state.apply_record(&record(1, MINE, 2, vec![name("lost in the rebuild")]));
    assert_eq!(state.apply_record(&record(2, MINE, 2, vec![name("made anew")])), Applied::New);
    assert_eq!(state.apply_record(&record(1, MINE, 3, vec![name("late")])), Applied::Late);
    assert_eq!(state.accounts[&ACCOUNT].entries[&id(1)].value.name, "made anew");

    // A full layer of the later epoch leaves nothing of the earlier one.
    let other = Change::Entry(entry(2, ROOT, "not in the layer", Kind::Folder));
    state.apply_record(&record(2, MINE, 3, vec![other]));
    state.apply_layer(&layer(3, 0, 2), &[(1, name("as rebuilt"))]);
    assert_eq!(state.accounts[&ACCOUNT].entries.len(), 1);
    assert_eq!(state.apply_layer(&layer(2, 0, 9), &[]), Applied::Late);
    assert_eq!(state.apply_record(&record(2, MINE, 3, vec![])), Applied::Late);
    assert_eq!(state.apply_record(&record(3, MINE, 3, vec![name("go on")])), Applied::New);
}

#[test]
fn repacked_segments_are_where_the_newest_pack_says() {
    let (old, mut new) = (pack(), pack());
    new.id.0 = [0x55; 16];
    new.locations.truncate(1);
    let moved = new.locations[0].segment;
    let mut state = State::new();
    state.apply_record(&record(1, Scope::Cluster, 2, vec![Change::Pack(new.clone())]));
    state.apply_record(&record(1, Scope::Cluster, 1, vec![Change::Pack(old.clone())]));
    assert_eq!(state.cluster.locate(moved).unwrap().pack, new.id);
    assert_eq!(state.cluster.locate(old.locations[1].segment).unwrap().pack, old.id);
    state.apply_record(&record(1, Scope::Cluster, 3, vec![Change::PackGone { pack: old.id, at: ServiceTime(1) }]));
    assert!(state.cluster.locate(old.locations[1].segment).is_none());
    assert!(state.cluster.locate(moved).is_some());
}

#[test]
fn makes_of_a_pack_without_record_are_kept_and_named() {
    let mut state = State::new();
    let makes = vec![crate::samples::make(9)];
    state.apply_record(&record(1, Scope::Cluster, 2, vec![Change::Makes { pack: pack().id, makes: makes.clone() }]));
    assert_eq!(state.cluster.unknown_packs().collect::<Vec<_>>(), [pack().id]);
    state.apply_record(&record(1, Scope::Cluster, 1, vec![Change::Pack(pack())]));
    assert_eq!(state.cluster.packs[&pack().id].makes, makes);
    assert_eq!(state.cluster.unknown_packs().count(), 0);
}

#[test]
fn the_tree_has_paths_and_names_what_is_cut_off() {
    let trashed = Some(Trashed { at: ServiceTime(1), wall_us: 1 });
    let mut account = AccountState::default();
    account.apply(1, &Change::Version(inline_version()));
    for row in [
        entry(1, ROOT, "a", Kind::Folder),
        entry(2, id(1), "b.txt", Kind::File),
        EntryRow { current: Some(VersionId([9; 16])), ..entry(3, ROOT, "a.txt", Kind::File) },
        EntryRow { trashed, ..entry(4, ROOT, "trashed", Kind::Folder) },
        entry(5, id(4), "in the trash with it", Kind::File),
        entry(6, id(7), "round", Kind::Folder),
        entry(7, id(6), "and round", Kind::Folder),
        entry(8, id(7), "hangs on the ring", Kind::File),
        entry(9, id(99), "no parent", Kind::File),
        entry(10, id(2), "folder in a file", Kind::Folder),
        entry(11, id(10), "deep in a file", Kind::File),
        entry(12, id(2), "small picture of a file", Kind::File),
    ] {
        account.apply(2, &Change::Entry(row));
    }
    let tree = account.tree();
    let paths: Vec<_> = tree.items.iter().map(|item| (item.path.as_str(), item.version.is_some())).collect();
    assert_eq!(paths, [("a", false), ("a.txt", false), ("a/b.txt", true)]);
    let lost = |tag, why| Lost { entry: id(tag), why };
    let cut = [
        lost(6, Cut::Cycle),
        lost(7, Cut::Cycle),
        lost(8, Cut::Cycle),
        lost(9, Cut::NoParent(id(99))),
        lost(10, Cut::ParentIsFile(id(2))),
        lost(11, Cut::ParentIsFile(id(2))),
    ];
    assert_eq!(tree.lost, cut);
}

#[test]
fn deep_folders_do_not_overflow() {
    let mut account = AccountState::default();
    let deep = |n: u32| EntryId([n.to_le_bytes(); 4].concat().try_into().unwrap());
    for n in 1..3_000_u32 {
        let parent = if n == 1 { ROOT } else { deep(n - 1) };
        account.apply(1, &Change::Entry(EntryRow { id: deep(n), parent, ..entry(1, ROOT, "d", Kind::Folder) }));
    }
    assert_eq!(account.tree().items.len(), 2_999);
}

/// Place, stamp, own tag and the tag of the object before it.
fn header(seq: u64, start: u64, attempt: u64, own: u8, prev: u8) -> JournalHeader {
    let stamp = (start << 32) | attempt;
    JournalHeader { seq, stamp, id: ObjectId([own; 16]), prev: ObjectId([prev; 16]), ..journal_header() }
}

fn check(headers: &[JournalHeader], after: (u64, Option<u8>), ordered: &[u8], superseded: &[u8], gaps: &[(u64, u64)]) {
    let after = (after.0, after.1.map(|tag| ObjectId([tag; 16])));
    let ids = |tags: &[u8]| tags.iter().map(|tag| ObjectId([*tag; 16])).collect::<Vec<_>>();
    let gaps = gaps.iter().map(|(after, next)| SeqGap { after: *after, next: *next }).collect();
    let expected = Chain { epoch: 3, ordered: ids(ordered), superseded: ids(superseded), gaps, earlier: Vec::new() };
    assert_eq!(chain(headers, after), expected);
    let backwards: Vec<_> = headers.iter().rev().copied().collect();
    assert_eq!(chain(&backwards, after), expected, "in any order");
}

#[test]
fn a_line_of_objects_is_followed() {
    let line = [header(1, 1, 0, 1, 0), header(2, 1, 0, 2, 1), header(3, 1, 0, 3, 2)];
    check(&line, (0, None), &[1, 2, 3], &[], &[]);
    check(&line, (1, Some(1)), &[2, 3], &[], &[]);
    check(&line, (1, None), &[2, 3], &[], &[]);
    check(&line, (3, Some(3)), &[], &[], &[]);
}

#[test]
fn the_latest_attempt_counts_and_what_followed_an_earlier_one_does_not() {
    // Start 1 puts 2, and 3 behind it, and crashes; start 2 puts 4 in the place of 2, and 5 behind that.
    let objects = [
        header(1, 1, 0, 1, 0),
        header(2, 1, 0, 2, 1),
        header(3, 1, 0, 3, 2),
        header(2, 2, 0, 4, 1),
        header(3, 2, 0, 5, 4),
    ];
    check(&objects, (0, None), &[1, 4, 5], &[2, 3], &[]);
    check(&objects[..4], (0, None), &[1, 4], &[2, 3], &[]);
    // The replaced object itself is gone: what followed it still never counted.
    check(&[objects[0], objects[2], objects[3]], (0, None), &[1, 4], &[3], &[]);
    // Start 2 put 4 beside 2 and crashed; start 3 knew that 2 had counted and went on behind it.
    check(&[objects[0], objects[1], objects[3], header(3, 3, 0, 6, 2)], (0, None), &[1, 2, 6], &[4], &[]);
    check(&[objects[0], objects[1], objects[3], header(3, 3, 0, 6, 4)], (0, None), &[1, 4, 6], &[2], &[]);
    // Attempts of one start.
    check(&[header(1, 1, 1, 1, 0), header(1, 1, 2, 2, 0)], (0, None), &[2], &[1], &[]);
    check(&[header(1, 1, 9, 1, 0), header(2, 1, 0, 2, 1)], (0, None), &[1, 2], &[], &[]);
}

#[test]
fn a_hole_is_reported_and_the_line_goes_on_behind_it() {
    let line = [header(1, 1, 0, 1, 0), header(4, 1, 0, 4, 3), header(5, 1, 0, 5, 4)];
    check(&line, (0, None), &[1, 4, 5], &[], &[(1, 4)]);
    check(&line[1..], (0, None), &[4, 5], &[], &[(0, 4)]);
    // The object that 3 was written behind is gone, only a replaced claim to its place is left.
    for start in [1, 2] {
        let left = [header(1, 1, 0, 1, 0), header(2, 1, 0, 2, 1), header(3, start, 0, 3, 9)];
        check(&left, (0, None), &[1, 3], &[2], &[(1, 3)]);
    }
}

#[test]
fn earlier_epochs_are_set_aside() {
    let old = JournalHeader { epoch: 2, ..header(1, 1, 0, 1, 0) };
    let found = chain(&[old, header(1, 1, 0, 2, 0)], (0, None));
    assert_eq!((found.earlier, found.ordered), (vec![old.id], vec![ObjectId([2; 16])]));
}

proptest! {
    #[test]
    fn whatever_start_crashed_where_the_acknowledged_line_is_found(seed in any::<u64>()) {
        // A writer puts objects in a line; at random it crashes with a few put ahead that nobody acknowledged.
        let chance = Seeded::new(seed);
        let (mut objects, mut line) = (Vec::new(), Vec::new());
        let (mut start, mut last, mut next_id) = (1_u64, ObjectId::default(), 0_u64);
        let mut put = |seq: u64, start: u64, attempt: u64, prev: ObjectId| {
            next_id += 1;
            let id = ObjectId(u128::from(next_id).to_le_bytes());
            objects.push(JournalHeader { seq, stamp: (start << 32) | attempt, id, prev, ..journal_header() });
            id
        };
        for seq in 1..=chance.below(12) as u64 {
            while chance.below(3) == 0 {
                let mut ahead = last;
                for step in 0..chance.below(3) as u64 {
                    ahead = put(seq + step, start, chance.below(3) as u64, ahead);
                }
                start += 1;
            }
            for attempt in 0..chance.below(3) as u64 {
                put(seq, start, attempt, last);
            }
            last = put(seq, start, 5, last);
            line.push(last);
        }
        let found = chain(&objects, (0, None));
        prop_assert_eq!(&found.ordered, &line);
        prop_assert!(found.gaps.is_empty());
        prop_assert_eq!(found.superseded.len() + line.len(), objects.len());
    }
}
