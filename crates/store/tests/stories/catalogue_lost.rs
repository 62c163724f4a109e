//! The catalogue is expendable: deleted, and made again from the targets that survive, with one provider gone too.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::{House, bytes, read, world};
use catalogue::Catalogue;
use fleet::Roster;
use format::Identity;
use model::{
    Change, Scope,
    account::{TokenRow, TokenScope, TokenUse},
    id::{EntryId, TokenId},
};
use store::{Error, Opening, Store};

pub fn opening(house: &House, catalogue: Catalogue, roster: Roster) -> Opening {
    Opening {
        world: world(&house.clock, &house.entropy),
        catalogue,
        roster,
        service: Identity::parse(&house.service).unwrap(),
        settings: house.settings.clone(),
    }
}

async fn rows(catalogue: &Catalogue) -> Vec<(Scope, Change)> {
    let rows = catalogue.read(|tx| catalogue::export(tx)).await.unwrap();
    // A rebuild is noted; what else the ledger says is for a story of its own.
    let durable = |change: &Change| !matches!(change, Change::Target(_) | Change::Ledger(_));
    let mut rows: Vec<_> = rows.into_iter().filter(|(_, _, change)| durable(change)).map(|(s, _, c)| (s, c)).collect();
    rows.sort_by_key(|row| format!("{row:?}"));
    rows
}

async fn erase(house: &House, entry: EntryId, version: model::id::VersionId) {
    let scope = Scope::Account(house.account.id);
    house
        .store
        .commit(move |_, draft| {
            draft.change(scope, Change::VersionGone(version));
            draft.change(scope, Change::EntryGone(entry));
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
}

/// A token of each scope, for the account of the house.
async fn tokens(house: &House) {
    let account = house.account.id;
    let token = move |(tag, scope)| {
        let (id, label) = (TokenId([tag; 16]), String::new());
        let opens = TokenUse::Access(scope);
        TokenRow { id, hash: [tag; 32], account, opens, label, made_us: 1, expires_us: None, ended_us: None }
    };
    let scopes = [(1, TokenScope::Read), (2, TokenScope::Files), (3, TokenScope::All)];
    house
        .store
        .commit(move |_, draft| {
            scopes.map(token).into_iter().for_each(|row| draft.change(Scope::Cluster, Change::Token(row)));
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn rebuilt_tables_equal_those_that_were_lost() {
    let house = House::new(6).await;
    let mut files = Vec::new();
    for i in 0..12usize {
        let content = bytes(i * i * 9_000, i as u64);
        files.push((house.put(&format!("file-{i}"), &content).await.unwrap(), content));
        if i == 5 {
            house.store.tick(true).await.unwrap();
        }
    }
    let (gone, _) = files.remove(4);
    erase(&house, gone.entry, gone.id).await;
    tokens(&house).await;
    let before = rows(&house.catalogue).await;
    let targets: Vec<_> =
        house.targets.iter().enumerate().skip(1).map(|(i, t)| (format!("memory-{i}"), t.clone())).collect();
    let catalogue = Catalogue::open_inline_memory().unwrap();
    let (store, report) =
        store::rebuild(opening(&house, catalogue.clone(), Roster::default()), targets, &[]).await.unwrap();
    assert_eq!(rows(&catalogue).await, before, "{report:?}");
    assert_eq!((report.epoch, report.targets_unread.len()), (2, 1));
    // What could only be looked at yesterday cannot be changed today.
    for (tag, scope) in [(1, TokenScope::Read), (2, TokenScope::Files), (3, TokenScope::All)] {
        let row = catalogue.read(move |tx| catalogue::access::token(tx, TokenId([tag; 16]))).await.unwrap();
        assert_eq!(row.map(|row| row.opens), Some(TokenUse::Access(scope)));
    }
    for (version, content) in &files {
        assert!(&read(&store, house.account.id, version).await.unwrap() == content);
    }
    // The old life must not write any more: it meets the newer epoch.
    let _ = house.store.tick(false).await;
    assert!(matches!(house.put("late", b"late").await, Err(Error::NewerEpoch { found: 2, ours: 1, .. })));
}

#[tokio::test]
async fn a_restart_finds_everything_that_was_acknowledged() {
    let house = House::new(6).await;
    let content = bytes(500_000, 3);
    let large = house.put("large", &content).await.unwrap();
    let small = house.put("small", &content[..9_000]).await.unwrap();
    let image = house.catalogue.image().unwrap();
    let roster = Roster::default();
    for (i, target) in house.targets.iter().enumerate() {
        roster.insert(model::id::TargetId([i as u8 + 101; 16]), target.clone());
    }
    let after_image = house.put("after", &content[..9_000]).await.unwrap();
    drop(house.store.clone());
    // The catalogue's tail was lost: the journal at the targets brings it back.
    let catalogue = Catalogue::inline_from_image(&image).unwrap();
    let store = Store::open(opening(&house, catalogue, roster)).await.unwrap();
    for (version, length) in [(&large, content.len()), (&small, 9_000), (&after_image, 9_000)] {
        assert!(read(&store, house.account.id, version).await.unwrap() == content[..length]);
    }
}

#[tokio::test]
async fn a_leftover_of_the_journal_needs_no_copies() {
    let house = House::new(6).await;
    house.put("small", &bytes(9_000, 5)).await.unwrap();
    // A copy that was written late and never noted: it outlives the others.
    let late = house.disks[2].names().into_iter().find(|name| name.starts_with("journal/")).unwrap();
    let copy = house.disks[2].bytes(&late);
    for _ in 0..3 {
        house.store.tick(true).await.unwrap();
    }
    house.disks[2].plant(&late, copy);
    let targets = (1..6).map(|i| (format!("memory-{i}"), house.targets[i].clone())).collect();
    let catalogue = Catalogue::open_inline_memory().unwrap();
    let (store, report) =
        store::rebuild(opening(&house, catalogue.clone(), Roster::default()), targets, &[]).await.unwrap();
    assert_eq!(report.targets_unread.len(), 1);
    house.disks[2].plant(&late, None);
    let _ = store.scrub().await.unwrap();
    for _ in 0..3 {
        store.tick(true).await.unwrap();
    }
    // It may not be released while a target is unread, but what it said is elsewhere.
    let report = store.fleet_report().await.unwrap();
    assert!(report.journal_objects > 0 && report.records_below_settled == 0, "{report:?}");
}
