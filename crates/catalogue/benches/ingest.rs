//! What a small file costs the writer: entry, version, segment use and journal place, 64 files to a transaction; then
//! listing them, and finding each by its path. Prints CPU time of the whole process; `cargo bench -p holdfast-catalogue`.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use catalogue::{Catalogue, apply, bump_revision, entries, segments, versions};
use model::{
    Change, Scope,
    entry::{Content, EntryRow, Kind, ROOT, SegmentRef, Version},
    id::{AccountId, EntryId, ObjectId, SegmentId, VersionId},
};
use std::{fs, time::Instant};

const BATCH: u64 = 64;
const ACCOUNT: AccountId = AccountId([7; 16]);

/// Microseconds of user and system time so far (clock ticks of 10 ms).
fn cpu_us() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) * 10_000
}

/// 16 bytes without order.
fn id(kind: u64, number: u64) -> [u8; 16] {
    let mix = |mut x: u64| {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    let mut id = [0; 16];
    id[..8].copy_from_slice(&mix(number * 4 + kind).to_le_bytes());
    id[8..].copy_from_slice(&mix(!(number * 4 + kind)).to_le_bytes());
    id
}

fn rows(number: u64) -> [Change; 2] {
    let entry = EntryRow {
        id: EntryId(id(0, number)),
        parent: ROOT,
        name: format!("file-{number:08}.jpg"),
        kind: Kind::File,
        modified_us: 1,
        trashed: None,
        current: Some(VersionId(id(1, number))),
    };
    let version = Version {
        id: VersionId(id(1, number)),
        entry: entry.id,
        size: 16 << 10,
        modified_us: 1,
        made_us: 2,
        media_type: "image/jpeg".into(),
        blake3: [1; 32],
        crc32: 2,
        sha256: None,
        key: [3; 40],
        content: Content::Segments(vec![SegmentRef {
            id: SegmentId(id(2, number)),
            salt: [4; 32],
            plain_bytes: 16 << 10,
        }]),
        replaced: None,
    };
    [Change::Entry(entry), Change::Version(version)]
}

fn journalled(number: u64) -> segments::Journalled {
    segments::Journalled {
        segment: SegmentId(id(2, number)),
        object: ObjectId([5; 16]),
        epoch: 1,
        seq: number / BATCH,
        offset: number % BATCH * 16_400,
        bytes: 16_400,
    }
}

/// Prints what `count` things cost since `cpu` and `wall`.
fn report(what: &str, count: u64, (cpu, wall): (u64, Instant)) {
    let (cpu, wall) = (cpu_us() - cpu, wall.elapsed().as_micros() as u64);
    let each = |us: u64| us as f64 / count as f64;
    println!("{what:<34} {count:>8} x {:>8.1} us CPU {:>8.1} us wall each", each(cpu), each(wall));
}

fn start() -> (u64, Instant) {
    (cpu_us(), Instant::now())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // `cargo test` runs benches too, to see that they run: few files then.
    let files: u64 = if std::env::args().any(|arg| arg == "--bench") { 312 * BATCH } else { 10 * BATCH };
    let folder = std::env::temp_dir().join(format!("holdfast-ingest-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let catalogue = Catalogue::open(&folder.join(catalogue::FILE_NAME)).unwrap();
    let scope = Scope::Account(ACCOUNT);
    let batch = |batch: u64| {
        catalogue.writer(move |writer| {
            writer.begin()?;
            for number in batch * BATCH..(batch + 1) * BATCH {
                writer.savepoint(|tx| {
                    let revision = bump_revision(tx, scope)?;
                    rows(number).iter().try_for_each(|change| apply(tx, scope, revision, change))?;
                    segments::insert_journalled(tx, &journalled(number))
                })?;
            }
            writer.commit()
        })
    };
    let begun = start();
    for number in 0..files / BATCH {
        batch(number).await.unwrap().unwrap();
    }
    report("commit a small file", files, begun);

    let begun = start();
    let mut after = String::new();
    loop {
        let from = after.clone();
        let page = catalogue.read(move |tx| entries::list(tx, ACCOUNT, ROOT, &from, 1000)).await.unwrap();
        let Some(last) = page.last() else { break };
        after.clone_from(&last.entry.name);
    }
    report("list a file, 1000 to a page", files, begun);

    let begun = start();
    for number in 0..files {
        let name = format!("file-{:08}.jpg", number * 7919 % files);
        let found = catalogue.read(move |tx| {
            let found = entries::resolve(tx, ACCOUNT, &[&name])?;
            let Some(entry) = found.entry() else { return Ok(None) };
            let Some(version) = versions::current(tx, ACCOUNT, entry.id)? else { return Ok(None) };
            segments::journalled(tx, version.segments()[0].id)
        });
        assert!(found.await.unwrap().is_some());
    }
    report("find a file and its bytes", files, begun);

    let begun = start();
    for _ in 0..files {
        assert_eq!(catalogue.read(|_| Ok(1)).await.unwrap(), 1);
    }
    report("a read of nothing", files, begun);
    drop(catalogue);
    fs::remove_dir_all(&folder).unwrap();
}
