//! The operator's first look at the story's fleet, 1,769 servers at three firms, with a million packs and as many files: how
//! long the report takes, how long it is counted for it, and what a what-if question costs that is counted at once. Rows are
//! generated; no shard is written. `cargo bench -p holdfast-store --bench console [-- PACKS]`, or
//! `cargo xtask bench console`.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, reason = "a measurement")]

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use catalogue::{Catalogue, apply, bump_revision};
use fleet::{MemoryTarget, Roster};
use format::Identity;
use model::{
    Change, Scope,
    entry::{Content, SegmentRef, Version},
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{AccountId, EntryId, MakeId, PackId, ProviderId, SegmentId, TargetId, VersionId},
    pack::{Location, Make, Pack},
};
use store::{Opening, Settings, Store};

const FIRMS: [(&str, usize); 3] = [("carpathia", 1_103), ("leaseweb", 630), ("cogent", 36)];
const PACKS: u64 = 1_000_000;
/// Rows are committed so many packs at a time: what is measured is not how they came.
const BATCH: u64 = 2_000;
/// The scheme that three firms get: three lanes at each.
const K: u8 = 5;
const LANES: u8 = 9;
const LANE_BYTES: u64 = 64 << 20;
const ASKED: usize = 200;

/// 16 bytes in the order of the numbers, so that rows are written one behind the other: in no order a million of them take an
/// hour. Trees are as deep either way. Source of the mixing: Steele et al., SplitMix64.
fn id(kind: u64, number: u64) -> [u8; 16] {
    let mix = |mut x: u64| {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    id[8..].copy_from_slice(&mix(!(number * 256 + kind)).to_le_bytes());
    id
}

/// A pack that is full of one file, and a version of that file.
fn rows(number: u64, targets: &[Vec<TargetId>], account: AccountId) -> [(Scope, Change); 2] {
    let lane = |lane: u8| {
        let own = &targets[usize::from(lane) % targets.len()];
        let at = (number * 7_919 + u64::from(lane)) % own.len() as u64;
        Make {
            lane,
            make: MakeId(id(10 + u64::from(lane), number)),
            target: own[at as usize],
            lane_bytes: LANE_BYTES,
            root: [1; 32],
        }
    };
    let segment = SegmentId(id(2, number));
    let bytes = LANE_BYTES * u64::from(K);
    let pack = Pack {
        id: PackId(id(1, number)),
        k: K,
        codec: 1,
        cell_bytes: 1 << 20,
        makes: (0..LANES).map(lane).collect(),
        locations: vec![Location { segment, lane: None, offset: 0, bytes }],
    };
    let version = Version {
        id: VersionId(id(3, number)),
        entry: EntryId(id(4, number)),
        size: bytes,
        modified_us: 1,
        made_us: 2,
        media_type: "video/mp4".into(),
        blake3: [1; 32],
        crc32: 2,
        sha256: None,
        key: [3; 40],
        content: Content::Segments(vec![SegmentRef { id: segment, salt: [4; 32], plain_bytes: bytes }]),
        replaced: None,
    };
    [(Scope::Cluster, Change::Pack(pack)), (Scope::Account(account), Change::Version(version))]
}

async fn fill(catalogue: &Catalogue, packs: u64, targets: &Arc<Vec<Vec<TargetId>>>, account: AccountId) {
    for batch in 0..packs.div_ceil(BATCH) {
        let targets = targets.clone();
        catalogue
            .writer(move |writer| {
                writer.begin()?;
                for number in batch * BATCH..((batch + 1) * BATCH).min(packs) {
                    writer.savepoint(|tx| {
                        rows(number, &targets, account).iter().try_for_each(|(scope, change)| {
                            let revision = bump_revision(tx, *scope)?;
                            apply(tx, *scope, revision, change)
                        })
                    })?;
                }
                writer.commit()
            })
            .await
            .unwrap()
            .unwrap();
    }
}

/// The longest of most calls.
fn most(mut took: Vec<Duration>, share: f64) -> Duration {
    took.sort_unstable();
    took[((took.len() - 1) as f64 * share) as usize]
}

#[tokio::main]
async fn main() {
    // `cargo test` runs benches too, to see that they run: few rows then.
    let full = std::env::args().any(|arg| arg == "--bench");
    // A number among the arguments is how many packs there are: a million rows of them take their time.
    let wanted = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(PACKS);
    let (packs, share) = if full { (wanted, 1) } else { (2_000, 40) };
    let folder = std::env::temp_dir().join(format!("holdfast-console-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let catalogue = Catalogue::open(&folder.join(catalogue::FILE_NAME)).unwrap();
    let (roster, mut providers, mut rows, mut targets) = (Roster::default(), vec![], vec![], vec![]);
    for (firm, (name, servers)) in FIRMS.iter().enumerate() {
        let provider = ProviderId([firm as u8 + 1; 16]);
        providers.push(ProviderRow { id: provider, name: (*name).to_owned(), labels: vec![] });
        let own: Vec<_> = (0..(servers / share).max(3) as u64).map(|at| TargetId(id(100 + firm as u64, at))).collect();
        for (at, target) in own.iter().enumerate() {
            let address = format!("{name}-{at}");
            roster.insert(*target, Arc::new(MemoryTarget::new(address.clone())));
            let (driver, state) = ("memory".to_owned(), TargetState::Up);
            rows.push(TargetRow { id: *target, provider, address, driver, generation: 0, state });
        }
        targets.push(own);
    }
    let opening = Opening {
        world: testkit::world::real_world(),
        catalogue: catalogue.clone(),
        roster,
        service: Identity::generate(),
        settings: Settings::default(),
    };
    let servers = rows.len();
    let store = Store::found(opening, providers, rows).await.unwrap();
    let account = store.make_account("owner", true).await.unwrap();
    let begun = Instant::now();
    fill(&catalogue, packs, &Arc::new(targets), account.id).await;
    println!("{packs} packs and files at {servers} servers: rows written in {:.1} s", begun.elapsed().as_secs_f64());

    let begun = Instant::now();
    store.start();
    // The first answer waits until it was counted once.
    let first = store.fleet_report().await.unwrap();
    println!("counted for the first time in {:.1} s", begun.elapsed().as_secs_f64());
    assert!(first.packs >= packs, "{}", first.packs);
    let leaseweb = first.providers.iter().find(|provider| provider.name == "leaseweb").unwrap();
    assert_eq!((leaseweb.without.files.unreadable, leaseweb.without.packs.unreadable), (0, 0), "the promise");

    let mut took = Vec::new();
    for _ in 0..ASKED {
        let begun = Instant::now();
        store.fleet_report().await.unwrap();
        took.push(begun.elapsed());
    }
    let [half, worst] = [0.5, 0.99].map(|share| most(took.clone(), share).as_secs_f64() * 1e3);
    println!("the report: p50 {half:.1} ms, p99 {worst:.1} ms");
    let begun = Instant::now();
    store.what_if(&[ProviderId([2; 16])]).await.unwrap();
    println!("a what-if question: {:.1} s", begun.elapsed().as_secs_f64());
    store.stop().await;
    drop((store, catalogue));
    fs::remove_dir_all(&folder).unwrap();
}
