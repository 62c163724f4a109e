//! Most of many small files are deleted: their room comes back, after the grace time and within the delete budget, and
//! what is left stays readable all along.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use crate::common::{House, bytes, read, world};
use catalogue::Catalogue;
use fleet::{
    Roster, Target, Verb,
    faults::{Fault, FaultControl, Faults, When},
};
use format::Identity;
use model::{
    Change, Scope,
    entry::Version,
    id::{PackId, TargetId},
};
use store::{Error, Opening, Store};
use testkit::world::{SeededEntropy, TokioTimer};

const FILES: usize = 160;
const HOUR_US: u64 = 3_600 * 1_000_000;

async fn erase(house: &House, versions: &[Version]) {
    let (scope, versions) = (Scope::Account(house.account.id), versions.to_vec());
    house
        .store
        .commit(move |_, draft| {
            for version in versions {
                draft.change(scope, Change::VersionGone(version.id));
                draft.change(scope, Change::EntryGone(version.entry));
            }
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
}

/// Files that are packed; all but one in ten are deleted then.
async fn mostly_deleted(house: &House) -> (Vec<(Version, Vec<u8>)>, u64) {
    let mut kept = Vec::new();
    let mut dropped = Vec::new();
    for i in 0..FILES {
        let content = bytes(15_000 + i * 100, i as u64);
        let version = house.put(&format!("file-{i}"), &content).await.unwrap();
        if i % 10 == 0 {
            kept.push((version, content));
        } else {
            dropped.push(version);
        }
    }
    house.store.tick(true).await.unwrap();
    let full = used(house);
    erase(house, &dropped).await;
    (kept, full)
}

fn used(house: &House) -> u64 {
    house.disks.iter().map(|disk| disk.used_bytes()).sum()
}

async fn packs(store: &Store) -> Vec<catalogue::packs::PackView> {
    store.read(|tx| catalogue::packs::pack_views(tx, PackId::default(), 1_000)).await.unwrap()
}

/// The service as after a restart, on an older catalogue.
async fn reopen(house: &House, image: &[u8], targets: Vec<Arc<dyn Target>>) -> Store {
    let roster = Roster::default();
    for (i, target) in targets.into_iter().enumerate() {
        roster.insert(TargetId([i as u8 + 101; 16]), target);
    }
    let opening = Opening {
        world: world(&house.clock, &house.entropy),
        catalogue: Catalogue::inline_from_image(image).unwrap(),
        roster,
        service: Identity::parse(&house.service).unwrap(),
        settings: house.settings.clone(),
    };
    Store::open(opening).await.unwrap()
}

async fn check_kept(store: &Store, house: &House, kept: &[(Version, Vec<u8>)]) {
    for (version, content) in kept {
        assert!(&read(store, house.account.id, version).await.unwrap() == content);
    }
}

#[tokio::test]
async fn what_was_deleted_makes_room_and_the_rest_stays() {
    let house = House::new(6).await;
    let (kept, full) = mostly_deleted(&house).await;
    let before = packs(&house.store).await.len();
    assert!(before >= 3, "{before} packs");
    house.store.tick(true).await.unwrap();
    assert!(packs(&house.store).await.iter().all(|pack| pack.live_bytes * 2 >= pack.bytes), "no pack is mostly dead");
    assert!(used(&house) > full / 2, "nothing goes before its grace time");
    check_kept(&house.store, &house, &kept).await;
    for _ in 0..8 {
        house.clock.advance(HOUR_US);
        let shards = |house: &House| -> usize {
            let of = |disk: &fleet::MemoryDisk| disk.names().iter().filter(|name| name.starts_with("shards/")).count();
            house.disks.iter().map(of).sum()
        };
        let had = shards(&house);
        house.store.tick(true).await.unwrap();
        assert!(had.saturating_sub(shards(&house)) <= 16, "the budget of an hour");
        check_kept(&house.store, &house, &kept).await;
    }
    assert!(used(&house) < full / 4, "{} of {full}", used(&house));
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!((report.packs_below_settled, report.files_below_settled), (0, 0), "{report:?}");
}

#[tokio::test]
async fn who_is_away_keeps_its_shards_and_holds_up_nobody() {
    let house = House::new(6).await;
    let (kept, full) = mostly_deleted(&house).await;
    house.disks[3].set_up(false);
    let away = house.disks[3].used_bytes();
    for _ in 0..8 {
        house.clock.advance(HOUR_US);
        house.store.tick(true).await.unwrap();
    }
    assert_eq!(house.disks[3].used_bytes(), away);
    assert!(used(&house) - away < full / 4);
    house.disks[3].set_up(true);
    for _ in 0..8 {
        house.clock.advance(HOUR_US);
        house.store.tick(true).await.unwrap();
    }
    assert!(house.disks[3].used_bytes() < away / 2, "{} of {away}", house.disks[3].used_bytes());
    check_kept(&house.store, &house, &kept).await;
}

#[tokio::test]
async fn a_crash_between_the_new_pack_and_the_end_of_the_old_one_loses_nothing() {
    let house = House::new(6).await;
    let (kept, full) = mostly_deleted(&house).await;
    let image = house.catalogue.image().unwrap();
    house.store.tick(true).await.unwrap();
    // The catalogue forgets all of that; the journal at the targets does not.
    let store = reopen(&house, &image, house.targets.clone()).await;
    check_kept(&store, &house, &kept).await;
    assert!(
        packs(&store).await.iter().all(|pack| pack.live_bytes * 2 >= pack.bytes),
        "the journal knows what was moved"
    );
    for _ in 0..12 {
        house.clock.advance(HOUR_US);
        store.tick(true).await.unwrap();
        check_kept(&store, &house, &kept).await;
    }
    assert!(used(&house) < full / 3, "{} of {full}", used(&house));
}

#[tokio::test]
async fn a_target_that_does_not_list_holds_up_nobody() {
    let house = House::new(6).await;
    let (kept, full) = mostly_deleted(&house).await;
    let image = house.catalogue.image().unwrap();
    let hand = FaultControl::default();
    let entropy = Arc::new(SeededEntropy::new(3));
    let mut targets = house.targets.clone();
    targets[0] = Arc::new(Faults::over(targets[0].clone(), hand.clone(), entropy, Arc::new(TokioTimer)));
    // Names are read from the first one on after each start.
    let store = reopen(&house, &image, targets).await;
    hand.set_for(Fault::ErrorBefore, Verb::List, When::Always);
    for _ in 0..12 {
        house.clock.advance(HOUR_US);
        store.tick(true).await.unwrap();
    }
    assert!(hand.struck()[&Fault::ErrorBefore] > 0);
    let of_others: u64 = house.disks[1..].iter().map(|disk| disk.used_bytes()).sum();
    assert!(of_others < full / 3, "{of_others} of {full}");
    check_kept(&store, &house, &kept).await;
}
