//! An account is gone for good: a grace later nothing anywhere opens what it held, and nothing brings it back.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use bytes::Bytes;
use catalogue::Catalogue;
use fleet::{Roster, Target, Verb, memory::Image};
use format::{Identity, envelope::open_account_envelope};
use futures_util::stream;
use model::{
    Change, Scope,
    account::AccountRow,
    entry::{EntryRow, Kind, ROOT, Version},
    id::{AccountId, TargetId},
};
use store::{Error, Expect, Opening, Store};

use crate::common::{House, bytes, read, world};

const HOUR_US: u64 = 3_600 * 1_000_000;
const GRACE_US: u64 = 10 * 1_000_000;

/// A second account with a file, a kit that was revoked and one that never was.
struct Leaver {
    row: AccountRow,
    version: Version,
    kits: [Identity; 2],
}

async fn leaver(house: &House) -> Leaver {
    let row = house.store.make_account("leaver", true).await.unwrap();
    let kits = [Identity::generate(), Identity::generate()];
    for (number, kit) in kits.iter().enumerate() {
        let made = house.store.add_kit(row.id, kit.recipient()).await.unwrap();
        if number == 0 {
            house.store.revoke_kit(row.id, made.id).await.unwrap();
        }
    }
    let content = Bytes::from(bytes(300_000, 9));
    let body = stream::iter([Ok(content)]);
    let received = house.store.receive(row.id, body, Expect::default()).await.unwrap();
    let version = house.version_of(&received);
    let (made, account) = (version.clone(), row.id);
    let commit = house.store.commit(move |_, draft| {
        let (id, current) = (made.entry, Some(made.id));
        let (name, kind) = ("secret".to_owned(), Kind::File);
        let entry = EntryRow { id, parent: ROOT, name, kind, modified_us: 1, trashed: None, current };
        draft.change(Scope::Account(account), Change::Version(made));
        draft.change(Scope::Account(account), Change::Entry(entry));
        draft.received(account, &received);
        Ok::<_, Error>(())
    });
    commit.await.unwrap();
    for _ in 0..2 {
        house.store.tick(true).await.unwrap();
    }
    Leaver { row, version, kits }
}

/// Erases its file and states its end, as the service does when its days are over.
async fn end(store: &Store, leaver: &Leaver) {
    let (account, version, entry) = (leaver.row.id, leaver.version.id, leaver.version.entry);
    let erased = store.commit(move |_, draft| {
        draft.change(Scope::Account(account), Change::VersionGone(version));
        draft.change(Scope::Account(account), Change::EntryGone(entry));
        Ok::<_, Error>(())
    });
    erased.await.unwrap();
    let at = store.service_time();
    let gone = store.commit(move |_, draft| {
        draft.account_gone(account, at);
        Ok::<_, Error>(())
    });
    gone.await.unwrap();
}

/// The names at all targets that are of this account alone.
fn names_of(house: &House, account: AccountId) -> Vec<String> {
    let own = |name: &String| name.contains(&account.to_string());
    house.disks.iter().flat_map(|disk| disk.names()).filter(own).collect()
}

/// Whether any envelope at any target gives away the account's key, to the service or to a kit.
fn opens(house: &House, leaver: &Leaver) -> bool {
    let service = Identity::parse(&house.service).unwrap();
    let with = [&service, &leaver.kits[0], &leaver.kits[1]];
    house.disks.iter().any(|disk| {
        disk.names().iter().filter(|name| name.starts_with("envelopes/")).any(|name| {
            let sealed = disk.bytes(name).unwrap();
            with.iter().any(|identity| {
                open_account_envelope(Some(name), &sealed, identity).is_ok_and(|(account, _)| account == leaver.row.id)
            })
        })
    })
}

async fn rounds(house: &House, store: &Store) {
    for _ in 0..3 {
        house.clock.advance(HOUR_US);
        let _ = store.tick(true).await;
    }
}

async fn reopened(house: &House) -> (Store, Catalogue) {
    let roster = Roster::default();
    for (at, target) in house.targets.iter().enumerate() {
        roster.insert(TargetId([at as u8 + 101; 16]), target.clone());
    }
    let catalogue = Catalogue::inline_from_image(&house.catalogue.image().unwrap()).unwrap();
    (Store::open(opening(house, catalogue.clone(), roster)).await.unwrap(), catalogue)
}

fn opening(house: &House, catalogue: Catalogue, roster: Roster) -> Opening {
    Opening {
        world: world(&house.clock, &house.entropy),
        catalogue,
        roster,
        service: Identity::parse(&house.service).unwrap(),
        settings: house.settings.clone(),
    }
}

fn all_targets(house: &House) -> Vec<(String, Arc<dyn Target>)> {
    house.targets.iter().enumerate().map(|(at, target)| (format!("memory-{at}"), target.clone())).collect()
}

#[tokio::test]
async fn a_grace_after_its_end_nothing_opens_what_an_account_held() {
    let house = House::new(6).await;
    let (kept, content) = (house.put("another's", &bytes(300_000, 4)).await.unwrap(), bytes(300_000, 4));
    let leaver = leaver(&house).await;
    assert!(opens(&house, &leaver));
    // The budget of the hour in which a service starts counts as spent.
    house.clock.advance(2 * HOUR_US);
    house.store.tick(true).await.unwrap();
    end(&house.store, &leaver).await;
    house.clock.advance(GRACE_US / 2);
    house.store.tick(true).await.unwrap();
    assert!(opens(&house, &leaver), "the grace is not over");
    // One target is away when it is.
    house.disks[5].set_up(false);
    rounds(&house, &house.store).await;
    house.disks[5].set_up(true);
    rounds(&house, &house.store).await;
    assert!(!opens(&house, &leaver));
    assert_eq!(names_of(&house, leaver.row.id), Vec::<String>::new());
    let id = leaver.row.id;
    assert_eq!(house.store.read(move |tx| catalogue::accounts::envelope(tx, id)).await.unwrap(), None);
    let refused = read(&house.store, id, &leaver.version).await;
    assert!(matches!(refused, Err(Error::NoAccount)), "not even from memory");
    assert!(house.get(&kept).await.unwrap() == content, "others are untouched");
    let (again, _) = reopened(&house).await;
    assert!(read(&again, house.account.id, &kept).await.unwrap() == content);
    assert!(read(&again, id, &leaver.version).await.is_err());
}

#[tokio::test]
async fn a_kill_between_the_steps_is_gone_on_with() {
    let house = House::new(6).await;
    let leaver = leaver(&house).await;
    end(&house.store, &leaver).await;
    // Nothing but the record was written when the service was killed.
    let (store, _) = reopened(&house).await;
    rounds(&house, &store).await;
    rounds(&house, &store).await;
    assert!(!opens(&house, &leaver));
    assert_eq!(names_of(&house, leaver.row.id), Vec::<String>::new());
}

/// A service from which somebody left, if they are to, long enough ago for their key to be destroyed; and a disk as it was before.
async fn long_after(leaves: bool) -> (House, Leaver, Image) {
    let house = House::new(6).await;
    let leaver = leaver(&house).await;
    let old = house.disks[0].image();
    if leaves {
        end(&house.store, &leaver).await;
    }
    house.clock.advance(2 * HOUR_US);
    for _ in 0..3 {
        rounds(&house, &house.store).await;
    }
    assert_eq!(opens(&house, &leaver), !leaves);
    (house, leaver, old)
}

/// How often targets are asked for their names in the first rounds of a start.
async fn asked_at_a_start(house: &House) -> u64 {
    let listed = || house.meters.iter().filter_map(|meter| Some(meter.snapshot().get(&Verb::List)?.calls)).sum::<u64>();
    let before = listed();
    let (store, _) = reopened(house).await;
    rounds(house, &store).await;
    listed() - before
}

#[tokio::test]
async fn a_start_looks_for_no_account_that_ended_long_ago() {
    let ((before, ..), (after, ..)) = (long_after(false).await, long_after(true).await);
    assert_eq!(asked_at_a_start(&after).await, asked_at_a_start(&before).await);
}

#[tokio::test]
async fn what_comes_back_of_an_account_that_ended_long_ago_goes_at_the_next_start() {
    let (house, leaver, old) = long_after(true).await;
    // A firm puts an old copy of everything back while the service is stopped.
    put_back(&house, 0, old);
    assert!(opens(&house, &leaver));
    let (store, _) = reopened(&house).await;
    for _ in 0..3 {
        rounds(&house, &store).await;
    }
    assert!(!opens(&house, &leaver));
}

#[tokio::test]
async fn what_nobody_can_state_keeps_nothing_else_from_being_stated() {
    let (house, leaver, _) = long_after(true).await;
    // As a service left it that let a body in which was on its way when the account ended.
    let gone = Scope::Account(leaver.row.id);
    let raised = house.catalogue.writer(move |writer| {
        writer.begin()?;
        writer.savepoint(|tx| catalogue::scopes::raise_revision(tx, gone, 1_000))?;
        writer.commit()
    });
    raised.await.unwrap().unwrap();
    house.put("another's", &bytes(5_000, 1)).await.unwrap();
    house.store.tick(true).await.unwrap();
    let uncovered = house.store.read(|tx| catalogue::scopes::uncovered(tx, 1)).await.unwrap();
    let accounts = uncovered.iter().map(|view| view.scope).filter(|scope| *scope != Scope::Cluster);
    assert_eq!(accounts.collect::<Vec<_>>(), [gone]);
}

/// Puts an older state of a disk back, all but its marker.
fn put_back(house: &House, disk: usize, old: Image) {
    let markers = house.disks[disk].names().into_iter().filter(|name| !name.contains('/')).collect::<Vec<_>>();
    let markers: Vec<_> = markers.into_iter().map(|name| (house.disks[disk].bytes(&name), name)).collect();
    house.disks[disk].restore(old);
    markers.into_iter().for_each(|(bytes, name)| house.disks[disk].plant(&name, bytes));
}

#[tokio::test]
async fn a_rebuild_from_older_copies_brings_no_account_back() {
    let house = House::new(6).await;
    let leaver = leaver(&house).await;
    let old = house.disks[0].image();
    end(&house.store, &leaver).await;
    house.clock.advance(2 * HOUR_US);
    for _ in 0..3 {
        rounds(&house, &house.store).await;
    }
    assert!(!opens(&house, &leaver));
    // A firm puts an old copy of everything back, and the catalogue is lost.
    put_back(&house, 0, old);
    assert!(opens(&house, &leaver), "the old copy is a threat");
    let catalogue = Catalogue::open_inline_memory().unwrap();
    let opening = opening(&house, catalogue.clone(), Roster::default());
    let (store, report) = store::rebuild(opening, all_targets(&house), &[]).await.unwrap();
    assert_eq!(report.accounts, 1, "{report:?}");
    let id = leaver.row.id;
    assert_eq!(store.read(move |tx| catalogue::accounts::by_id(tx, id)).await.unwrap(), None);
    assert!(store.read(move |tx| catalogue::accounts::gone(tx, id)).await.unwrap().is_some());
    assert!(read(&store, id, &leaver.version).await.is_err());
    for _ in 0..3 {
        rounds(&house, &store).await;
    }
    assert!(!opens(&house, &leaver), "what came back goes, a grace later");
    assert!(house.disks.iter().all(|disk| disk.names().iter().all(|name| !name.contains(&id.to_string()))));
}
