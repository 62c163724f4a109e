//! Plans, files by age, and what an account that is gone leaves: nothing.

use crate::world::{TOP, World, in_trash};
use catalogue::{
    Error, accounts, apply, bump_revision, day_traffic, entries, export, limits, plans, replay, scopes, segments,
    taken, versions,
};
use model::{
    Change, Scope,
    account::{AccountRow, LimitsRow},
    entry::Version,
    id::{AccountId, EntryId, ShareId, VersionId},
    plans::PlanRow,
    units::ServiceTime,
};

pub fn plans_come_back_as_they_were_said(world: &mut World) {
    let account = world.account;
    let family = PlanRow {
        name: "Family".to_owned(),
        space_bytes: Some(5),
        file_bytes: Some(4),
        keep_days: Some(3),
        link_bytes_per_day: Some(2),
        guest_bytes_per_s: Some(1),
        ended_us: None,
    };
    let over = PlanRow { name: "Trial".to_owned(), ended_us: Some(9), ..PlanRow::default() };
    let row = LimitsRow { account, space_bytes: None, plan: Some("Family".to_owned()) };
    world.cluster(vec![Change::Plan(family.clone()), Change::Plan(over.clone()), Change::Limits(row.clone())]);
    assert_eq!(world.read(|tx| plans::all(tx)), std::slice::from_ref(&family));
    assert_eq!(world.read(|tx| plans::of(tx, "Trial")), None);
    assert_eq!(world.read(|tx| plans::accounts(tx, "Family")), 1);
    assert_eq!(world.read(move |tx| limits::of(tx, account)), row);
    // An older word is too late, and all of it is among what snapshots are made from.
    let older = Change::Plan(PlanRow { space_bytes: None, ..family.clone() });
    world.write(move |tx| apply(tx, Scope::Cluster, 1, &older)).unwrap();
    let told: Vec<_> = world.read(|tx| export(tx)).into_iter().map(|(_, _, change)| change).collect();
    assert!(told.contains(&Change::Plan(family)) && told.contains(&Change::Plan(over)), "{told:?}");

    let count = |day| world.read(move |tx| day_traffic::of(tx, account, day));
    world.write(move |tx| day_traffic::set(tx, account, 7, 100)).unwrap();
    assert_eq!((count(7), count(8)), (100, 0));
}

pub fn what_guests_took_is_kept_until_their_link_ends(world: &mut World) {
    let (account, share, other) = (world.account, ShareId([1; 16]), ShareId([2; 16]));
    let (file, second) = (EntryId([3; 16]), EntryId([4; 16]));
    let set = |share, file, bytes| world.write(move |tx| taken::set(tx, account, share, file, bytes)).unwrap();
    set(share, file, 60);
    set(share, second, 5);
    set(other, file, 7);
    set(share, file, 80);
    let of = |share, file| world.read(move |tx| taken::of(tx, share, file));
    assert_eq!((of(share, file), of(share, second), of(other, file)), (80, 5, 7));
    set(share, file, 0);
    assert_eq!((of(share, file), of(share, second)), (0, 5));
    world.write(move |tx| taken::forget(tx, share)).unwrap();
    assert_eq!((of(share, second), of(other, file)), (0, 7));
    for times in [2, 3] {
        world.write(move |tx| taken::add_opened(tx, account, share, times)).unwrap();
    }
    assert_eq!(world.read(move |tx| taken::opened(tx, share)), 5);
}

pub fn files_are_found_by_their_age(world: &mut World) {
    let account = world.account;
    let mut made = Vec::new();
    for (name, made_us) in [("old", 10), ("older", 5), ("young", 90), ("thrown away", 3)] {
        let (entry, version) = world.file_rows(TOP, name, 1);
        let version = Version { made_us, ..version };
        world.change(vec![Change::Entry(entry.clone()), Change::Version(version.clone())]);
        made.push((entry, version));
    }
    world.change(vec![Change::Entry(in_trash(&made[3].0, 1))]);
    // Written over: what counts is when the current version came.
    let (entry, old) = made[0].clone();
    let new = Version { made_us: 50, ..world.version_row(entry.id, 2) };
    let entry = model::entry::EntryRow { current: Some(new.id), ..entry };
    let old = Version { replaced: Some(ServiceTime(1)), ..old };
    world.change(vec![Change::Version(old), Change::Version(new), Change::Entry(entry)]);
    let before = |until_us, after| {
        let found = world.read(move |tx| plans::stored_before(tx, account, until_us, after, 9));
        found.into_iter().map(|(_, row)| row.name).collect::<Vec<_>>()
    };
    let start = (i64::MIN, VersionId::default());
    assert_eq!(before(60, start), ["older", "old"]);
    assert_eq!(before(50, start), ["older"], "not yet");
    assert_eq!(before(60, (5, made[1].1.id)), ["old"], "behind where a page ended");
}

pub fn an_account_that_is_gone_leaves_nothing_and_stays_gone(world: &mut World) {
    let (account, other) = (world.account, AccountId([9; 16]));
    let name = |id: AccountId, name: &str| AccountRow { id, name: name.to_owned(), managed: true, made_us: 2 };
    world.cluster(vec![
        Change::Account(name(other, "other")),
        Change::Limits(LimitsRow { account, space_bytes: Some(5), plan: None }),
    ]);
    let (_, own) = world.file(TOP, "a file", 5);
    let (entry, both) = world.file(TOP, "shown to the other", 6);
    // The other's copy consists of the same segments.
    let copy = vec![Change::Version(both.clone()), Change::Entry(entry)];
    world.commit(Scope::Account(other), copy).unwrap();
    world.cluster(vec![Change::AccountGone { account, at: ServiceTime(7) }]);
    assert_eq!(world.read(move |tx| accounts::by_id(tx, account)), None);
    assert_eq!(world.read(|tx| accounts::all_gone(tx)), [(account, ServiceTime(7))]);
    assert_eq!(world.read(move |tx| limits::of(tx, account).map(|row| row.space_bytes)), None);
    assert_eq!(world.read(move |tx| limits::used_bytes(tx, account)), 0);
    assert_eq!(world.read(move |tx| versions::get(tx, account, own.id)), None);
    let (dead, live) = (own.segments()[0].id, both.segments()[0].id);
    assert!(!world.read(move |tx| segments::is_live(tx, dead)));
    assert!(world.read(move |tx| segments::is_live(tx, live)), "the other still consists of it");
    // Nothing of its scope waits for a snapshot that nobody can write any more.
    let uncovered = world.read(|tx| scopes::uncovered(tx, 1));
    assert!(uncovered.iter().all(|view| view.scope != Scope::Account(account)), "{uncovered:?}");
    world.cluster(vec![Change::Account(name(account, "owner"))]);
    assert_eq!(world.read(move |tx| accounts::by_id(tx, account)), None, "no later word brings it back");
    let told: Vec<_> = world.read(|tx| export(tx)).into_iter().map(|(scope, _, change)| (scope, change)).collect();
    assert!(told.contains(&(Scope::Cluster, Change::AccountGone { account, at: ServiceTime(7) })));
    assert!(told.iter().all(|(scope, _)| *scope != Scope::Account(account)), "{told:?}");
    // Nor is anything said of it by whoever has not heard of its end: refused live, passed over where records come in any order.
    let late = world.file_rows(TOP, "late", 1);
    let refused = world.commit(Scope::Account(account), vec![Change::Entry(late.0.clone())]);
    assert!(matches!(refused, Err(Error::AccountGone { .. })), "{refused:?}");
    let revision = world.write(move |tx| bump_revision(tx, Scope::Account(account)));
    assert!(
        matches!(revision, Err(Error::AccountGone { .. })),
        "no revision either, as for a payload alone: {revision:?}"
    );
    for change in [Change::Version(late.1), Change::Entry(late.0)] {
        world.write(move |tx| replay(tx, Scope::Account(account), 99, &change)).unwrap();
    }
    assert_eq!(world.read(move |tx| entries::children(tx, account, TOP, "", 9)), []);
    assert_eq!(world.read(move |tx| limits::used_bytes(tx, account)), 0);
}
