//! The ledger outlives the catalogue: what was noted before a loss is verified after it, against a checkpoint from before.
#![allow(clippy::unwrap_used, reason = "a test")]

use catalogue::Catalogue;
use fleet::Roster;
use format::ledger::{Checkpoint, EXPORT_HEAD, Entry, Verified, VerifierKey, verify};
use futures_util::future::join_all;
use model::{Change, Scope, id::ObjectId, ledger::LedgerEntry};
use store::{Error, Store, ledger::note};

use crate::{
    catalogue_lost::opening,
    common::{House, bytes},
};

async fn say(store: &Store, what: &'static str, text: &str) -> Result<u64, Error> {
    let fields = [("text", text.to_owned())];
    let now_us = store.now().wall_us;
    store.commit(move |tx, draft| note(tx, draft, what, &fields, now_us)).await
}

async fn entries(store: &Store) -> Vec<Entry> {
    store.ledger(0, 1_000).await.unwrap().iter().map(|row| Entry::parse(&row.text).unwrap()).collect()
}

/// What a stranger is given, and what they find out about it.
async fn verified(store: &Store, older: Option<&str>) -> Verified {
    let (checkpoint, _) = store.checkpoint().await.unwrap();
    let rows = store.ledger(0, 1_000).await.unwrap();
    let text: String = rows.iter().map(|row| format!("{}\n", row.text)).collect();
    let key = VerifierKey::parse(&store.ledger_key().to_string()).unwrap();
    let older = older.map(|note| Checkpoint::open(note, &key).unwrap());
    verify(format!("{EXPORT_HEAD}\n\n{text}{checkpoint}").as_bytes(), &key, older).unwrap()
}

/// The checkpoints that lie at a target.
fn kept(house: &House, disk: usize) -> Vec<String> {
    house.disks[disk].names().into_iter().filter(|name| name.starts_with("ledger/")).collect()
}

#[tokio::test]
async fn what_was_noted_is_verified_after_the_catalogue_is_lost() {
    let house = House::new(6).await;
    house.join(40).await;
    say(&house.store, "notice.filed", "we take servers 1 to 9 back").await.unwrap();
    let noted = entries(&house.store).await;
    let whats: Vec<_> = noted.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(whats, ["provider.added", "target.joined", "notice.filed"]);
    assert!(noted[1].field("address").is_some_and(|address| address == "memory-40"), "{noted:?}");
    house.store.tick(true).await.unwrap();
    assert!((0..6).all(|disk| kept(&house, disk).len() == 1), "each firm is a witness");
    let (older, size) = house.store.checkpoint().await.unwrap();
    assert_eq!(size, 3);
    // What comes later reaches the firms in the journal alone, and in one checkpoint that takes the place of the first.
    for n in 0..5 {
        say(&house.store, "notice.filed", &format!("letter {n}")).await.unwrap();
    }
    house.store.tick(true).await.unwrap();
    house.store.tick(true).await.unwrap();
    assert!((0..6).all(|disk| kept(&house, disk).len() == 1));
    say(&house.store, "notice.filed", "the last word").await.unwrap();
    let before = house.store.ledger(0, 1_000).await.unwrap();

    let targets = house.targets.iter().enumerate().skip(1).map(|(i, t)| (format!("memory-{i}"), t.clone())).collect();
    let catalogue = Catalogue::open_inline_memory().unwrap();
    let opening = opening(&house, catalogue, Roster::default());
    let without = ["new-40".to_owned()];
    let (store, report) = store::rebuild(opening, targets, &without).await.unwrap();
    assert!(report.findings.is_empty(), "{report:?}");
    let after = store.ledger(0, 1_000).await.unwrap();
    assert_eq!(after[..before.len()], before);
    let rest = &entries(&store).await[before.len()..];
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!((rest[0].what.as_str(), rest[0].field("epoch")), ("rebuild.done", Some("2")));
    assert_eq!(verified(&store, Some(&older)).await.checkpoint.size, before.len() as u64 + 1);
    assert_eq!(store.ledger_key(), house.store.ledger_key(), "the key comes back with the cluster's");
}

#[tokio::test]
async fn an_entry_and_what_it_tells_of_are_one_change() {
    let house = House::new(3).await;
    let refused = house
        .store
        .commit(|tx, draft| {
            note(tx, draft, "one", &[], 0)?;
            note(tx, draft, "two", &[], 0)?;
            Err::<(), _>(Error::KitsChanged)
        })
        .await;
    assert!(refused.is_err() && entries(&house.store).await.is_empty());
    // Many at a time: each is behind the one before, in whichever batch.
    let both = |n: usize| {
        house.store.commit(move |tx, draft| {
            note(tx, draft, "first", &[("of", n.to_string())], 0)?;
            note(tx, draft, "second", &[("of", n.to_string())], 0)
        })
    };
    for number in join_all((0..20).map(both)).await {
        number.unwrap();
    }
    let noted = entries(&house.store).await;
    assert_eq!(noted.len(), 40);
    assert!(noted.chunks(2).all(|pair| pair[0].field("of") == pair[1].field("of")), "{noted:?}");
    verified(&house.store, None).await;
    // Nobody gets another line in.
    let stranger = Entry { n: 41, at_us: 0, prev: [7; 32], what: "x".to_owned(), fields: vec![] }.to_row().unwrap();
    let late = LedgerEntry { n: 3, ..noted[2].to_row().unwrap() };
    for entry in [stranger, late] {
        let forged = house.store.commit(move |_, draft| {
            draft.change(Scope::Cluster, Change::Ledger(entry));
            Ok::<_, Error>(())
        });
        assert!(forged.await.is_err());
    }
    assert!(say(&house.store, "No Word", "").await.is_err());
    assert!(say(&house.store, "long", &"x".repeat(LedgerEntry::BYTES_MAX)).await.is_err());
    assert_eq!(entries(&house.store).await.len(), 40);
    house.put("a file", &bytes(9_000, 1)).await.unwrap();
}

#[tokio::test]
async fn an_idle_ledger_writes_nothing_and_a_busy_one_once_a_minute() {
    let house = House::new(3).await;
    for _ in 0..3 {
        house.store.tick(true).await.unwrap();
    }
    assert!((0..3).all(|disk| kept(&house, disk).is_empty()), "nothing was noted");
    say(&house.store, "notice.filed", "one").await.unwrap();
    house.clock.advance(61_000_000);
    house.store.tick(false).await.unwrap();
    let first = kept(&house, 0);
    assert_eq!(first.len(), 1);
    say(&house.store, "notice.filed", "two").await.unwrap();
    house.store.tick(false).await.unwrap();
    assert_eq!(kept(&house, 0), first, "it waits for more to come");
    house.clock.advance(61_000_000);
    house.store.tick(false).await.unwrap();
    house.store.tick(false).await.unwrap();
    assert!(kept(&house, 0) != first && kept(&house, 0).len() == 1);
}

/// A catalogue that was rewritten, or rebuilt without what was noted last: the firms' checkpoints know better.
#[tokio::test]
async fn a_rebuild_says_what_the_checkpoints_know_better() {
    let house = House::new(3).await;
    for text in ["one", "two", "three"] {
        say(&house.store, "notice.filed", text).await.unwrap();
    }
    house.store.tick(true).await.unwrap();
    let root = house.store.checkpoint().await.unwrap().0.lines().nth(2).unwrap().to_owned();
    let plant = |size: u64, root: &str| {
        let note = house.store.sign(&format!("{}\n{size}\n{root}\n", house.store.ledger_key().name()));
        let name = format!("ledger/{size:016x}-{}", ObjectId::random(house.store.entropy()));
        house.disks[0].plant(&name, Some(note.into()));
    };
    plant(7, &root);
    plant(2, &root);
    // Not signed by this service: a firm's own invention.
    house.disks[1].plant(&format!("ledger/{:016x}-{}", 9, ObjectId([9; 16])), Some("x\n9\n\n\n— x x\n".into()));
    let targets = house.targets.iter().enumerate().map(|(i, t)| (format!("memory-{i}"), t.clone())).collect();
    let opening = opening(&house, Catalogue::open_inline_memory().unwrap(), Roster::default());
    let (store, report) = store::rebuild(opening, targets, &[]).await.unwrap();
    for said in ["signs 7 entries of the ledger, and only 3", "the first 2 entries of the ledger are not those"] {
        assert!(report.findings.iter().any(|finding| finding.contains(said)), "{said}: {report:?}");
    }
    assert!(report.findings.iter().any(|finding| finding.contains("memory-1: ledger/") && finding.contains("damaged")));
    let noted = entries(&store).await;
    let last = noted.last().unwrap();
    assert_eq!(
        last.fields.iter().filter(|(key, _)| key == "ledger").count(),
        2,
        "it stands in the ledger, too: {last:?}"
    );
}
