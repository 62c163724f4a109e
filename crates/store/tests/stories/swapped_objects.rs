//! A firm answers with another object than the one it was asked for: whole, sealed by us, and not the one. It counts as a
//! bad copy, like any other damage.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;

use crate::common::{House, bytes, read, world};
use bytes::Bytes;
use catalogue::Catalogue;
use fleet::{MemoryDisk, Roster};
use format::{Identity, envelope::open_account_envelope, name::parse_envelope_name};
use model::Scope;
use store::Opening;

const DISKS: usize = 6;
const HOUR_US: u64 = 3_600_000_000;

/// Every object under `prefix` at this disk answers with the content of the next one.
fn swap(disk: &MemoryDisk, prefix: &str) -> usize {
    let names: Vec<_> = disk.names().into_iter().filter(|name| name.starts_with(prefix)).collect();
    let contents: Vec<Bytes> = names.iter().map(|name| disk.bytes(name).unwrap()).collect();
    for (at, name) in names.iter().enumerate() {
        disk.plant(name, Some(contents[(at + 1) % contents.len()].clone()));
    }
    if names.len() > 1 { names.len() } else { 0 }
}

async fn rebuilt(house: &House) -> (store::Store, store::RebuildReport) {
    let opening = Opening {
        world: world(&house.clock, &house.entropy),
        catalogue: Catalogue::open_inline_memory().unwrap(),
        roster: Roster::default(),
        service: Identity::parse(&house.service).unwrap(),
        settings: house.settings.clone(),
    };
    let targets = house.targets.iter().enumerate().map(|(i, target)| (format!("memory-{i}"), target.clone())).collect();
    store::rebuild(opening, targets, &[]).await.unwrap()
}

#[tokio::test]
async fn small_files_are_packed_and_rebuilt_from_the_firms_that_answer_truly() {
    let mut swapped = 0;
    for liar in 0..DISKS {
        let house = House::new(DISKS).await;
        let mut files = Vec::new();
        for i in 0..8usize {
            let content = bytes(1_000 + i * 7_000, i as u64);
            files.push((house.put(&format!("file-{i}"), &content).await.unwrap(), content));
        }
        swapped += swap(&house.disks[liar], "journal/");
        let (again, report) = rebuilt(&house).await;
        for (version, content) in &files {
            let found = read(&again, house.account.id, version).await;
            assert!(found.is_ok_and(|found| &found == content), "liar {liar}: {report:?}");
        }
        again.tick(true).await.unwrap();
        let (waiting, _) = again.read(|tx| catalogue::segments::journalled_total(tx)).await.unwrap();
        assert_eq!(waiting, 0, "liar {liar}: everything is packed");
        for (version, content) in &files {
            assert!(&read(&again, house.account.id, version).await.unwrap() == content, "liar {liar}");
        }
    }
    assert!(swapped >= 8, "{swapped} objects answered with another one");
}

#[tokio::test]
async fn an_older_envelope_in_place_of_the_newest_hides_no_kit() {
    let mut lied = 0;
    for liar in 0..DISKS {
        let house = House::new(DISKS).await;
        let content = bytes(5_000, 1);
        let version = house.put("file", &content).await.unwrap();
        let kit = Identity::generate();
        house.store.add_kit(house.account.id, kit.recipient()).await.unwrap();
        let envelopes = envelopes(&house);
        let (oldest, newest) = (&envelopes.first().unwrap().1, &envelopes.last().unwrap().1);
        let truth = house.disks.iter().find_map(|disk| disk.bytes(newest)).unwrap();
        let older = house.disks.iter().find_map(|disk| disk.bytes(oldest));
        if house.disks[liar].bytes(newest).is_some() {
            house.disks[liar].plant(newest, older);
            lied += 1;
        }
        let (again, _) = rebuilt(&house).await;
        again.tick(true).await.unwrap();
        assert!(read(&again, house.account.id, &version).await.unwrap() == content);
        // What other copies are compared with from now on is the true one, so the liar's copy is the bad one.
        let id = parse_envelope_name(newest).unwrap().id;
        let row = again.read(move |tx| catalogue::objects::view(tx, id)).await.unwrap().unwrap().object;
        assert_eq!(row.hash, *blake3::hash(&truth).as_bytes(), "liar {liar}");
        // Even if it goes as such, after its grace time: the kit opens at three firms.
        for _ in 0..4 {
            house.clock.advance(HOUR_US);
            again.scrub().await.unwrap();
            again.tick(true).await.unwrap();
        }
        let copies = house.disks.iter().filter_map(|disk| disk.bytes(newest));
        let opens = copies.filter(|bytes| open_account_envelope(Some(newest), bytes, &kit).is_ok());
        assert!(opens.count() >= 3, "liar {liar}");
    }
    assert!(lied >= 3, "{lied} firms held the newest");
}

/// The account's envelopes, oldest first.
fn envelopes(house: &House) -> Vec<(u64, String)> {
    let names: BTreeSet<String> = house.disks.iter().flat_map(MemoryDisk::names).collect();
    let of_account = names.into_iter().filter_map(|name| {
        let parsed = parse_envelope_name(&name).filter(|name| name.scope == Scope::Account(house.account.id))?;
        Some((parsed.generation, name))
    });
    let mut envelopes: Vec<_> = of_account.collect();
    envelopes.sort();
    assert_eq!(envelopes.len(), 2, "one of the account's making, one of its kit's");
    envelopes
}
