//! What a firm could learn from what lies on its disks: nothing of contents, names, owners, or of two files being one.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    common::{Scratch, holdfast, noise, succeed, tree},
    support::{Door, Server, until},
};

/// A run this long that two stored files share would tell that they are equal.
const RUN_BYTES: usize = 64;

/// Everything that lies at the targets, each object once, by its name.
fn objects(data: &Path) -> BTreeMap<String, Vec<u8>> {
    let all = tree(&data.join("providers")).into_iter();
    all.map(|(path, bytes, _)| {
        let name = path.to_str().unwrap().split_once('/').unwrap().1.to_owned();
        (name, bytes)
    })
    .collect()
}

/// Waits until what was written is packed and the journal that held it is covered by snapshots.
fn settled(door: &Door) {
    door.packed();
    until("everything is settled", || {
        let fleet = door.fleet();
        fleet["files_below_settled"] == 0 && fleet["records_below_settled"] == 0
    });
}

#[test]
fn nothing_of_the_user_is_at_any_target() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let door = server.door();
    let planted =
        ["planted-content-4711", "planted-folder-4712", "planted-file-4713", "planted-type-4714", "planted-new-4715"];
    let [content, folder, name, kind, renamed] = planted;
    // Inline, journalled and then packed, and in packs of its own.
    for (number, bytes) in [500, 50_000, 2 << 20].into_iter().enumerate() {
        let text: String = content.chars().chain(". ".chars()).cycle().take(bytes).collect();
        let at = format!("/api/v1/files/{folder}/{name}-{number}");
        let kind = format!("Content-Type: text/{kind}");
        assert_eq!(door.ask("PUT", &at, &[&kind], text.as_bytes()).status, 201);
    }
    let order = format!(r#"{{"action":"move","to":"{folder}/{renamed}"}}"#);
    assert_eq!(door.ask("POST", &format!("/api/v1/files/{folder}/{name}-0"), &[], order.as_bytes()).status, 201);
    let kit = scratch.join("kit.txt");
    succeed(holdfast(&[
        "kit",
        "make",
        "--account",
        "owner",
        "--out",
        kit.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
    ]));
    let mut seen = BTreeMap::new();
    let mut look = || seen.extend(objects(&data));
    look();
    settled(&door);
    look();
    server.stop();
    look();
    let kinds = ["shards/", "journal/", "envelopes/", "snapshots/"];
    for kind in kinds {
        assert!(seen.keys().any(|object| object.starts_with(kind)), "{kind} is among {:?}", seen.keys());
    }
    let token = door.token.rsplit('_').next().unwrap();
    let page = fs::read_to_string(&kit).unwrap();
    let secret = page.split_whitespace().find(|word| word.starts_with("AGE-SECRET-KEY-")).unwrap();
    for (object, bytes) in &seen {
        for text in planted.into_iter().chain([token, secret]) {
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            for needle in [text, &hex] {
                assert!(!object.contains(needle), "the name of {object} tells {needle}");
                assert!(!holds(bytes, needle.as_bytes()), "{object} tells {needle}");
            }
        }
        // The account's name is a plain word, which the manual of the format may use.
        assert!(object == "format.md" || !holds(bytes, b"owner"), "{object} tells the account's name");
    }
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn one_file_stored_twice_is_two_strangers() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let door = server.door();
    let contents = [noise(1, 1_500), noise(2, 100_000), noise(3, (1 << 20) + 99_999)];
    let put = |folder: &str| {
        let before = objects(&data);
        for (number, content) in contents.iter().enumerate() {
            assert_eq!(door.put(&format!("{folder}/{number}"), content).status, 201);
        }
        let mut new = objects(&data);
        settled(&door);
        new.extend(objects(&data));
        new.retain(|name, _| {
            !before.contains_key(name) && (name.starts_with("shards/") || name.starts_with("journal/"))
        });
        new
    };
    let (first, second) = (put("once"), put("again"));
    server.stop();
    let stored: usize = second.values().map(Vec::len).sum();
    assert!(stored > (1 << 20) * 3 / 2, "{stored} bytes were stored the second time");
    let mut known: Vec<u64> = first.values().flat_map(|bytes| runs(bytes)).map(|(_, run)| run).collect();
    known.sort_unstable();
    for (name, bytes) in &second {
        if let Some((at, _)) = runs(bytes).find(|(_, run)| known.binary_search(run).is_ok()) {
            let run = &bytes[at..at + RUN_BYTES];
            panic!("{name} ({} bytes) shares a run with the first copy at {at}: {run:02x?}", bytes.len());
        }
    }
}

/// Where each run of 64 bytes begins, and a number for it. What is open to all is left out: the fixed parts of headers,
/// padding, the hash of an empty lane. It has few different bytes; 64 sealed ones have 57 on average, and as good as never
/// less than 40.
fn runs(bytes: &[u8]) -> impl Iterator<Item = (usize, u64)> {
    const BASE: u64 = 0x9E37_79B9_7F4A_7C15;
    let top = (0..RUN_BYTES).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let (mut hash, mut counts, mut different) = (0_u64, [0_u8; 256], 0);
    bytes.iter().enumerate().filter_map(move |(at, byte)| {
        different += usize::from(counts[usize::from(*byte)] == 0);
        counts[usize::from(*byte)] += 1;
        hash = hash.wrapping_mul(BASE).wrapping_add(u64::from(*byte) + 1);
        if let Some(left) = at.checked_sub(RUN_BYTES).map(|left| bytes[left]) {
            hash = hash.wrapping_sub(top.wrapping_mul(u64::from(left) + 1));
            counts[usize::from(left)] -= 1;
            different -= usize::from(counts[usize::from(left)] == 0);
        }
        (at + 1 >= RUN_BYTES && different >= 40).then(|| (at + 1 - RUN_BYTES, hash ^ (hash >> 31)))
    })
}
