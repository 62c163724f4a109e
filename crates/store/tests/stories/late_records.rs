//! A target that a rebuild was without comes back with changes that nobody else had: they are brought in beside what is
//! there, nothing is overwritten, and only then is anything destroyed again.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};

use crate::common::{House, bytes, read, world};
use catalogue::Catalogue;
use fleet::Roster;
use format::{Identity, envelope::open_account_envelope};
use model::{
    Change, Scope,
    entry::{EntryRow, Kind, ROOT, Version},
    fleet::ProviderRow,
    id::{AccountId, EntryId, ProviderId, TargetId, VersionId},
};
use store::{Error, Opening, RebuildReport, Store};

const HOUR_US: u64 = 3_600 * 1_000_000;
/// The target that the rebuild is without.
const AWAY: usize = 5;
const AWAY_ID: TargetId = TargetId([AWAY as u8 + 101; 16]);

async fn erase(house: &House, version: &Version) {
    let (scope, id, entry) = (Scope::Account(house.account.id), version.id, version.entry);
    house
        .store
        .commit(move |_, draft| {
            draft.change(scope, Change::VersionGone(id));
            draft.change(scope, Change::EntryGone(entry));
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
}

fn records(house: &House, disk: usize) -> BTreeSet<String> {
    let names = house.disks[disk].names().into_iter();
    names.filter(|name| ["journal/", "snapshots/", "envelopes/"].iter().any(|kind| name.starts_with(kind))).collect()
}

/// Leaves the records that are new since `before` at the one target alone.
fn only_away_knows(house: &House, before: &BTreeSet<String>) {
    for disk in 0..house.disks.len() {
        for name in records(house, disk).difference(before) {
            if disk != AWAY {
                house.disks[AWAY].plant(name, house.disks[disk].bytes(name));
                house.disks[disk].plant(name, None);
            }
        }
    }
}

async fn rebuild_without_it(house: &mut House) -> RebuildReport {
    let catalogue = Catalogue::open_inline_memory().unwrap();
    let opening = Opening {
        world: world(&house.clock, &house.entropy),
        catalogue: catalogue.clone(),
        roster: Roster::default(),
        service: Identity::parse(&house.service).unwrap(),
        settings: house.settings.clone(),
    };
    let given = house.targets.iter().enumerate().filter(|(i, _)| *i != AWAY);
    let given = given.map(|(i, target)| (format!("memory-{i}"), target.clone())).collect();
    let (store, report) = store::rebuild(opening, given, &[]).await.unwrap();
    (house.store, house.catalogue) = (store, catalogue);
    report
}

/// What the tree shows: each name with its content.
async fn tree(house: &House) -> BTreeMap<String, Vec<u8>> {
    let account = house.account.id;
    let listed = house.store.read(move |tx| catalogue::entries::list(tx, account, ROOT, "", 100)).await.unwrap();
    let mut tree = BTreeMap::new();
    for found in listed {
        let id = found.entry.current.unwrap();
        let version = house.store.read(move |tx| catalogue::versions::get(tx, account, id)).await.unwrap().unwrap();
        tree.insert(found.entry.name, read(&house.store, account, &version).await.unwrap());
    }
    tree
}

fn shards(house: &House) -> usize {
    let of = |disk: &fleet::MemoryDisk| disk.names().iter().filter(|name| name.starts_with("shards/")).count();
    house.disks[..AWAY].iter().map(of).sum()
}

#[tokio::test]
async fn what_only_the_absent_target_knew_is_brought_in_beside_what_is_there() {
    let mut house = House::new(6).await;
    let content = |seed: u64, count: usize| bytes(count, seed);
    house.put("kept", &content(1, 5_000)).await.unwrap();
    let dropped = house.put("dropped", &content(2, 5_000)).await.unwrap();
    house.store.tick(true).await.unwrap();
    let before: BTreeSet<String> = (0..6).flat_map(|disk| records(&house, disk)).collect();
    // The last changes of the first life: a new small, a new tiny and a new large file, an overwritten and a deleted one.
    house.put("small", &content(3, 9_000)).await.unwrap();
    house.put("tiny", &content(4, 100)).await.unwrap();
    house.put("large", &content(5, 700_000)).await.unwrap();
    house.put("kept", &content(6, 6_000)).await.unwrap();
    erase(&house, &dropped).await;
    let kit = Identity::generate();
    house.store.add_kit(house.account.id, kit.recipient()).await.unwrap();
    only_away_knows(&house, &before);

    let report = rebuild_without_it(&mut house).await;
    assert_eq!(report.targets_unread.len(), 1);
    assert_eq!(tree(&house).await.keys().collect::<Vec<_>>(), ["dropped", "kept"]);
    // The second life goes on: one name is taken, and something large is deleted.
    house.put("small", &content(7, 9_000)).await.unwrap();
    let erased = house.put("erased", &content(8, 700_000)).await.unwrap();
    erase(&house, &erased).await;
    let had = shards(&house);
    for _ in 0..4 {
        house.clock.advance(HOUR_US);
        house.store.tick(true).await.unwrap();
    }
    assert!(shards(&house) >= had, "nothing is destroyed while a target is unread");

    house.store.roster().insert(AWAY_ID, house.targets[AWAY].clone());
    for _ in 0..3 {
        house.store.tick(true).await.unwrap();
    }
    let expected = BTreeMap::from([
        ("dropped".to_owned(), content(2, 5_000)),
        ("kept".to_owned(), content(1, 5_000)),
        ("kept (before rebuild 1)".to_owned(), content(6, 6_000)),
        ("large".to_owned(), content(5, 700_000)),
        ("small".to_owned(), content(7, 9_000)),
        ("small (before rebuild 1)".to_owned(), content(3, 9_000)),
        ("tiny".to_owned(), content(4, 100)),
    ]);
    let found = tree(&house).await;
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert!(found == expected);
    let report = house.store.fleet_report().await.unwrap();
    assert!(report.findings.iter().any(|finding| finding.contains("4 versions")), "{:?}", report.findings);
    assert_eq!((report.packs_below_settled, report.records_below_settled), (0, 0), "{report:?}");
    // The wait is over, and what the first life wrote is said elsewhere.
    let had = shards(&house);
    for _ in 0..4 {
        house.clock.advance(HOUR_US);
        house.store.tick(true).await.unwrap();
    }
    assert!(shards(&house) < had, "destruction goes on");
    let old = |name: &String| name.starts_with("journal/0000000000000001/");
    assert_eq!(records(&house, AWAY).iter().filter(|name| old(name)).count(), 0);
    // The kit of the first life opens an envelope again, at as many providers as before.
    assert_eq!(house.store.kits(house.account.id).await.unwrap().len(), 1);
    let opens = |disk: &fleet::MemoryDisk| {
        let envelopes = disk.names().into_iter().filter(|name| name.starts_with("envelopes/"));
        envelopes.filter_map(|name| disk.bytes(&name)).any(|bytes| open_account_envelope(None, &bytes, &kit).is_ok())
    };
    assert!(house.disks.iter().filter(|disk| opens(disk)).count() >= 3);
    // It was done once and for all: a second life's rebuild finds the same tree.
    rebuild_without_it(&mut house).await;
    assert!(tree(&house).await == expected);
}

#[tokio::test]
async fn what_a_person_said_of_firms_holds_again_or_is_told() {
    let mut house = House::new(6).await;
    let labels = |n: u8| {
        let card = if n < 4 { "card 1".to_owned() } else { format!("card {n}") };
        vec![("country".to_owned(), ["NL", "FI"][usize::from(n > 1)].to_owned()), ("payment".to_owned(), card)]
    };
    let row = |n: u8| ProviderRow { id: ProviderId([n + 1; 16]), name: format!("firm-{n}"), labels: labels(n) };
    house.store.grow([0, 1, 3].map(row).to_vec(), vec![], vec![]).await.unwrap();
    house.put("kept", &bytes(5_000, 1)).await.unwrap();
    // That it held once and did no more is known to all.
    for holds in [true, false] {
        house.store.set_constraint("country".to_owned(), holds).await.unwrap();
        house.clock.advance(1_000_000);
    }
    house.store.tick(true).await.unwrap();
    let before: BTreeSet<String> = (0..6).flat_map(|disk| records(&house, disk)).collect();
    for label in ["country", "payment"] {
        house.store.set_constraint(label.to_owned(), true).await.unwrap();
    }
    house.store.cordon(vec![TargetId([104; 16])], true).await.unwrap();
    let said = ProviderRow { labels: vec![("country".to_owned(), "SE".to_owned())], ..row(4) };
    house.store.grow(vec![said], vec![], vec![]).await.unwrap();
    house.store.make_account("late", true).await.unwrap();
    only_away_knows(&house, &before);

    rebuild_without_it(&mut house).await;
    assert!(house.store.constraints().groups.is_empty(), "nobody who was there knew it");
    // The second life says something else of one of them.
    for holds in [true, false] {
        house.store.set_constraint("payment".to_owned(), holds).await.unwrap();
    }
    house.store.roster().insert(AWAY_ID, house.targets[AWAY].clone());
    for _ in 0..3 {
        house.store.tick(true).await.unwrap();
    }
    let tied = vec![["firm-0", "firm-1"].map(str::to_owned).to_vec()];
    assert_eq!(house.store.constraints().groups, tied);
    let kept = house.store.read(|tx| store::constraints(tx)).await.unwrap();
    assert_eq!(kept, BTreeSet::from(["country".to_owned()]));
    let report = house.store.fleet_report().await.unwrap();
    let told = |part: &str| report.findings.iter().any(|finding| finding.contains(part));
    assert!(told("say the same country count as one again"), "{:?}", report.findings);
    assert!(told("memory-3 was to take no new shards, now it is not"), "{:?}", report.findings);
    assert!(told("the account 'late' is there again, without a way in"), "{:?}", report.findings);
    assert!(told("before the rebuild firm-4 had country=SE, now it has not"), "{:?}", report.findings);
    // It is a change of this life by now: another rebuild knows it.
    rebuild_without_it(&mut house).await;
    assert_eq!(house.store.constraints().groups, tied);
}

/// Another row over the same sealed bytes, in the owner's account: as the service copies a file that somebody shares.
async fn copy(house: &House, from: AccountId, version: Version) -> Version {
    let (entropy, account) = (house.store.entropy(), house.account.id);
    let key = house.store.rewrap(from, account, &version.key).unwrap();
    let copied = Version { id: VersionId::random(entropy), entry: EntryId::random(entropy), key, ..version };
    let (made, scope) = (copied.clone(), Scope::Account(account));
    let commit = house.store.commit(move |_, draft| {
        let (id, current, name) = (made.entry, Some(made.id), "copy".to_owned());
        let entry = EntryRow { id, parent: ROOT, name, kind: Kind::File, modified_us: 5, trashed: None, current };
        draft.change(scope, Change::Version(made));
        draft.change(scope, Change::Entry(entry));
        Ok::<_, Error>(())
    });
    commit.await.unwrap();
    copied
}

#[tokio::test]
async fn the_last_bytes_of_a_copy_come_back_although_whoever_stored_them_first_is_gone() {
    let mut house = House::new(6).await;
    let first = house.store.make_account("first", true).await.unwrap();
    house.store.tick(true).await.unwrap();
    let before: BTreeSet<String> = (0..6).flat_map(|disk| records(&house, disk)).collect();
    // The bytes lie in a record of the account that stored them, and after a loss at one target alone.
    let owner = std::mem::replace(&mut house.account, first.clone());
    let stored = house.put("file", &bytes(9_000, 1)).await.unwrap();
    let held: BTreeSet<String> = (0..6).flat_map(|disk| records(&house, disk)).collect();
    house.account = owner;
    let copied = copy(&house, first.id, stored).await;
    let (gone, at) = (first.id, house.store.service_time());
    let ends = house.store.commit(move |_, draft| {
        draft.account_gone(gone, at);
        Ok::<_, Error>(())
    });
    ends.await.unwrap();
    for name in held.difference(&before) {
        let found = (0..6).find_map(|disk| house.disks[disk].bytes(name));
        (0..AWAY).for_each(|disk| house.disks[disk].plant(name, None));
        house.disks[AWAY].plant(name, found);
    }

    rebuild_without_it(&mut house).await;
    assert!(house.get(&copied).await.is_err(), "its bytes are at the target that is away");
    house.store.roster().insert(AWAY_ID, house.targets[AWAY].clone());
    for _ in 0..3 {
        house.store.tick(true).await.unwrap();
    }
    assert!(house.get(&copied).await.unwrap() == bytes(9_000, 1));
    let gone = house.store.read(move |tx| catalogue::accounts::gone(tx, gone)).await.unwrap();
    assert!(gone.is_some(), "the account does not come back with them");
    // They lie at the other targets from now on.
    rebuild_without_it(&mut house).await;
    assert!(house.get(&copied).await.unwrap() == bytes(9_000, 1));
}

/// The service as after a crash, on an older catalogue and without the one target.
async fn restart_without_it(house: &mut House, image: &[u8]) {
    let catalogue = Catalogue::inline_from_image(image).unwrap();
    let roster = Roster::default();
    for (i, target) in house.targets.iter().enumerate().filter(|(i, _)| *i != AWAY) {
        roster.insert(TargetId([i as u8 + 101; 16]), target.clone());
    }
    let opening = Opening {
        world: world(&house.clock, &house.entropy),
        catalogue: catalogue.clone(),
        roster,
        service: Identity::parse(&house.service).unwrap(),
        settings: house.settings.clone(),
    };
    (house.store, house.catalogue) = (Store::open(opening).await.unwrap(), catalogue);
}

/// A change reached one target, the service crashed before it was acknowledged, and others took its place. The target is
/// away from then on, through upkeep that states and releases what took the place, and through a rebuild.
async fn a_change_that_never_counted_stays_away(after: &[&str]) {
    let mut house = House::new(6).await;
    house.put("kept", &bytes(5_000, 1)).await.unwrap();
    house.store.tick(true).await.unwrap();
    let before: BTreeSet<String> = (0..6).flat_map(|disk| records(&house, disk)).collect();
    let image = house.catalogue.image().unwrap();
    house.put("never acknowledged", b"").await.unwrap();
    only_away_knows(&house, &before);
    restart_without_it(&mut house, &image).await;
    let mut expected = BTreeMap::from([("kept".to_owned(), bytes(5_000, 1))]);
    for (seed, name) in (2..).zip(after) {
        house.put(name, &bytes(5_000, seed)).await.unwrap();
        expected.insert((*name).to_owned(), bytes(5_000, seed));
        for _ in 0..2 {
            house.clock.advance(HOUR_US);
            house.store.tick(true).await.unwrap();
        }
    }
    rebuild_without_it(&mut house).await;
    house.store.roster().insert(AWAY_ID, house.targets[AWAY].clone());
    for _ in 0..3 {
        house.store.tick(true).await.unwrap();
    }
    assert!(tree(&house).await == expected, "{:?}", tree(&house).await.keys());
    let unread = house.store.read(|tx| catalogue::meta::bytes(tx, "rebuilt_without")).await.unwrap();
    assert!(unread.is_none_or(|unread| unread.is_empty()), "the target was read");
}

#[tokio::test]
async fn a_change_that_another_took_the_place_of_stays_away() {
    a_change_that_never_counted_stays_away(&["one"]).await;
}

#[tokio::test]
async fn a_change_whose_revision_is_long_past_stays_away() {
    a_change_that_never_counted_stays_away(&["one", "two", "three"]).await;
}

#[tokio::test]
async fn a_target_that_is_retired_is_not_waited_for() {
    let mut house = House::new(6).await;
    let content = bytes(700_000, 1);
    let kept = house.put("kept", &content).await.unwrap();
    let erased = house.put("erased", &content).await.unwrap();
    house.store.tick(true).await.unwrap();
    rebuild_without_it(&mut house).await;
    erase(&house, &erased).await;
    house.store.tick(true).await.unwrap();
    let had = shards(&house);
    let pass = async |house: &House| {
        for _ in 0..4 {
            house.clock.advance(HOUR_US);
            house.store.tick(true).await.unwrap();
        }
    };
    pass(&house).await;
    assert!(shards(&house) >= had, "nothing is destroyed while a target is unread");
    house.store.retire(AWAY_ID).await.unwrap();
    pass(&house).await;
    assert!(shards(&house) < had, "{} of {had}", shards(&house));
    assert!(house.get(&kept).await.unwrap() == content);
}
