//! The ladder of scrub: names each day, a few blocks each month, all of it once a year. What a lower rung finds wrong is made again;
//! what it finds well is proven no better for it.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};

use catalogue::packs::pack_views;
use model::{
    id::{MakeId, PackId, TargetId},
    pack::MakeState,
    units::ServiceTime,
};

use crate::common::{House, bytes};

const DAY_US: u64 = 24 * 3_600_000_000;

/// When each make was last read in full, and where it lies. A lane in which there is nothing has nothing to be read.
async fn proofs(house: &House) -> BTreeMap<MakeId, (TargetId, Option<ServiceTime>)> {
    let views = house.store.read(|tx| pack_views(tx, PackId::default(), 1_000)).await.unwrap();
    let makes = views.into_iter().flat_map(|view| view.makes);
    let good = makes.filter(|view| view.finding.state == MakeState::Good && view.make.lane_bytes > 0);
    let proof = |view: &catalogue::packs::MakeView| view.finding.verified_us.map(|_| view.finding.verified_at);
    good.map(|view| (view.make.make, (view.make.target, proof(&view)))).collect()
}

async fn rounds(house: &House, count: usize) {
    for _ in 0..count {
        house.store.tick(false).await.unwrap();
    }
}

/// The shards of a disk, the longest first.
fn shards(house: &House, disk: usize) -> Vec<String> {
    let disk = &house.disks[disk];
    let mut names: Vec<_> = disk.names().into_iter().filter(|name| name.starts_with("shards/")).collect();
    names.sort_by_key(|name| std::cmp::Reverse(disk.bytes(name).map_or(0, |bytes| bytes.len())));
    names
}

/// A house in which all is settled, read and listed.
async fn settled() -> House {
    let house = House::new(6).await;
    house.put("large", &bytes(900_000, 1)).await.unwrap();
    house.put("small", &bytes(50_000, 2)).await.unwrap();
    house.store.tick(true).await.unwrap();
    rounds(&house, 3).await;
    assert!(proofs(&house).await.values().all(|(_, proof)| proof.is_some()), "what was never read is read at once");
    house
}

#[tokio::test]
async fn a_daily_listing_finds_what_is_gone_or_cut_off_and_proves_nothing() {
    let house = settled().await;
    let before = proofs(&house).await;
    let (gone, cut) = (shards(&house, 0).remove(0), shards(&house, 1).remove(0));
    house.disks[0].plant(&gone, None);
    let half = house.disks[1].bytes(&cut).unwrap();
    house.disks[1].plant(&cut, Some(half.slice(..half.len() / 2)));
    house.clock.advance(DAY_US / 2);
    rounds(&house, 3).await;
    assert_eq!(proofs(&house).await, before, "nobody has looked yet");

    house.clock.advance(DAY_US / 2);
    rounds(&house, 4).await;
    let after = proofs(&house).await;
    let lost: Vec<_> = before.keys().filter(|make| !after.contains_key(*make)).collect();
    assert_eq!(lost.len(), 2, "one was gone, one was cut off");
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!(report.packs_below_settled, 0, "both were made again: {report:?}");
    // All others were listed as they should be, and are no better proven for it.
    assert!(before.iter().all(|(make, proof)| after.get(make).is_none_or(|now| now == proof)));
    let listing = house.store.jobs().into_iter().find(|job| job.about.name == "listing").unwrap();
    assert_eq!((listing.failed, listing.quiet_s), (None, 0));
}

#[tokio::test]
async fn a_monthly_sample_finds_a_bad_disk_and_proves_nothing_and_a_year_reads_everything() {
    let house = settled().await;
    let before = proofs(&house).await;
    spoil(&house, 2);
    house.clock.advance(29 * DAY_US);
    rounds(&house, 4).await;
    assert_eq!(proofs(&house).await, before, "names and lengths are right, and nobody has read a byte");

    house.clock.advance(2 * DAY_US);
    rounds(&house, 6).await;
    let bad = TargetId([103; 16]);
    let after = proofs(&house).await;
    for (make, (target, proof)) in &before {
        let kept = after.get(make);
        match *target == bad {
            true => assert_eq!(kept, None, "its disk is bad"),
            false => assert_eq!(kept, Some(&(*target, *proof)), "a sample is no proof"),
        }
    }
    assert_eq!(house.store.fleet_report().await.unwrap().packs_below_settled, 0);

    let read = house.store.service_time();
    house.clock.advance(340 * DAY_US);
    rounds(&house, 6).await;
    let renewed = proofs(&house).await;
    // What was made again a month after the rest is younger than a year.
    for make in after.keys().filter(|make| before.contains_key(*make)) {
        assert!(renewed[make].1 > Some(read), "all of a year ago was read");
    }
}

/// How long ago a kind of upkeep last ended well, or became known, in seconds.
fn quiet_s(house: &House, kind: &str) -> u64 {
    house.store.jobs().into_iter().find(|job| job.about.name == kind).unwrap().quiet_s
}

/// Spoils what a disk has, unnoticed.
fn spoil(house: &House, disk: usize) {
    for name in shards(house, disk) {
        let mut bytes = house.disks[disk].bytes(&name).unwrap().to_vec();
        bytes.iter_mut().skip(4_096).for_each(|byte| *byte ^= 0x55);
        house.disks[disk].plant(&name, Some(bytes.into()));
    }
}

/// Makes at a disk that count.
async fn good_at(house: &House, disk: u8) -> BTreeSet<MakeId> {
    let all = proofs(house).await;
    all.into_iter().filter(|(_, (target, _))| *target == TargetId([101 + disk; 16])).map(|(make, _)| make).collect()
}

#[tokio::test]
async fn a_service_that_is_restarted_more_often_than_it_samples_samples_all_the_same() {
    let mut house = settled().await;
    let spoilt = good_at(&house, 2).await;
    spoil(&house, 2);
    house.clock.advance(16 * DAY_US);
    rounds(&house, 2).await;
    house.store = house.open_again().await;
    house.clock.advance(16 * DAY_US);
    assert!(quiet_s(&house, "sample") >= 31 * 24 * 3_600, "what was never done is waited for over a restart");
    rounds(&house, 6).await;
    assert!(good_at(&house, 2).await.is_disjoint(&spoilt), "what its bad disk holds counts no more");
    assert!(quiet_s(&house, "sample") < 24 * 3_600);
}

#[tokio::test]
async fn a_disk_that_was_away_when_its_turn_came_is_sampled_when_it_is_back() {
    let house = settled().await;
    let spoilt = good_at(&house, 2).await;
    spoil(&house, 2);
    house.clock.advance(31 * DAY_US);
    house.disks[2].set_up(false);
    rounds(&house, 6).await;
    assert!(quiet_s(&house, "sample") > 30 * 24 * 3_600, "the pass has not ended well: nobody looked there");
    house.disks[2].set_up(true);
    house.clock.advance(2 * DAY_US);
    rounds(&house, 6).await;
    assert!(good_at(&house, 2).await.is_disjoint(&spoilt), "what its bad disk holds counts no more");
    assert!(quiet_s(&house, "sample") < 24 * 3_600);
}
