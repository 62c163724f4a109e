//! Resumable uploads: finishing is one small commit at any size, and a kill costs what came since the last closed pack.

use std::{fs, path::Path, sync::mpsc, thread};

use crate::{
    common::{Scratch, noise, tree},
    support::{Door, Server, door::Answer, long, until},
};

const TUS: &str = "Tus-Resumable: 1.0.0";

/// Begins an upload of `bytes` to `path`; where it is.
fn begin(door: &Door, path: &str, bytes: usize) -> String {
    let (length, metadata) = (format!("Upload-Length: {bytes}"), format!("Upload-Metadata: path {}", base64(path)));
    let answer = door.ask("POST", "/api/v1/uploads/", &[TUS, &length, &metadata], b"");
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.header("location").unwrap().to_owned()
}

/// Sends bytes from an offset on; the offset that is safe then.
fn append(door: &Door, upload: &str, offset: usize, bytes: &[u8]) -> usize {
    let at = format!("Upload-Offset: {offset}");
    let answer = door.ask("PATCH", upload, &[TUS, &at, "Content-Type: application/offset+octet-stream"], bytes);
    assert_eq!(answer.status, 204, "{answer:?}");
    offset_in(&answer)
}

fn offset_of(door: &Door, upload: &str) -> usize {
    offset_in(&door.ask("HEAD", upload, &[TUS], b""))
}

fn offset_in(answer: &Answer) -> usize {
    answer.header("upload-offset").unwrap().parse().unwrap()
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.as_bytes().chunks(3).map(|three| {
        let number =
            three.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte)) << (8 * (3 - three.len()));
        let digit = |at: usize| if at <= three.len() { char::from(DIGITS[number >> (18 - 6 * at) & 63]) } else { '=' };
        (0..4).map(digit).collect::<String>()
    });
    digits.collect()
}

/// What has been written to the targets so far: journal objects (their highest number) and names of shards.
fn written(data: &Path) -> (u64, usize) {
    let names: Vec<String> = tree_names(&data.join("providers"));
    let number = |name: &String| {
        let object = name.split_once("/journal/")?.1.split_once('/')?.1;
        u64::from_str_radix(object.split('-').next()?, 16).ok()
    };
    // Where everything is packed and settled, the journal may be empty.
    (names.iter().filter_map(number).max().unwrap_or(0), names.iter().filter(|name| name.contains("/shards/")).count())
}

fn tree_names(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root).unwrap().map(Result::unwrap) {
        match entry.path().is_dir() {
            true => names.extend(tree_names(&entry.path())),
            false => names.push(entry.path().display().to_string()),
        }
    }
    names
}

#[test]
fn finishing_is_small() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    Server::start(&data).stop();
    let config = data.join("holdfast.toml");
    let text = fs::read_to_string(&config).unwrap().replace("[settings]", "[settings]\npack_after_s = 3600");
    fs::write(&config, text).unwrap();
    let server = Server::start(&data);
    let door = server.door();
    // Upkeep packs once; from then on only uploads write.
    assert_eq!(door.put("first", &noise(1, 10_000)).status, 201);
    door.packed();
    let idle = || door.fleet()["jobs"].as_array().is_some_and(Vec::is_empty);
    until("upkeep rests", || {
        idle() && {
            let before = written(&data);
            idle() && written(&data) == before
        }
    });
    let mib = 1 << 20;
    let mut costs = Vec::new();
    for bytes in [mib, if long() { 4096 * mib } else { 256 * mib }] {
        let upload = begin(&door, &format!("of-{bytes}"), bytes);
        let last = 1_000;
        let mut offset = 0;
        let mut part = 0;
        while offset < bytes - 2 * last {
            let step = (64 * mib).min(bytes - 2 * last - offset);
            offset = append(&door, &upload, offset, &noise(part, step));
            part += 1;
        }
        // The same bytes twice: once as any bytes, once as the last ones. What they differ by is the finish.
        let start = written(&data);
        offset = append(&door, &upload, offset, &noise(part, last));
        let middle = written(&data);
        offset = append(&door, &upload, offset, &noise(part + 1, last));
        let end = written(&data);
        assert_eq!(offset, bytes);
        costs.push((middle.0 - start.0, end.0 - middle.0, end.1 - start.1));
        let (head, tail) = (format!("Range: bytes=0-{}", mib / 2 - 1), format!("Range: bytes=-{}", 2 * last));
        let path = format!("/api/v1/files/of-{bytes}");
        assert!(door.ask("GET", &path, &[&head], b"").body == noise(0, mib / 2));
        assert!(door.ask("GET", &path, &[&tail], b"").body == [noise(part, last), noise(part + 1, last)].concat());
    }
    assert_eq!(costs[0], costs[1], "(journal objects of bytes, of bytes and finish, new shards)");
    let (of_bytes, of_both, shards) = costs[0];
    assert_eq!((of_both - of_bytes, shards), (1, 0), "finishing is one commit and writes no pack");
    server.stop();
}

#[test]
fn goes_on_from_the_last_closed_pack() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let content = &noise(90, 40 << 20);
    let mut server = Server::start(&data);
    let first = server.door();
    let upload = begin(&first, "film", content.len());
    let safe = append(&first, &upload, 0, &content[..24 << 20]);
    assert_eq!(safe, 24 << 20, "the pack of a request closes with it");
    // The second request is in the middle of its body when the server dies, with 90 % of the file sent.
    let (tell, told) = mpsc::channel();
    let (strike, struck) = mpsc::channel::<()>();
    let broken = thread::scope(|scope| {
        let (door, upload, rest) = (&first, &upload, &content[safe..]);
        let sending = scope.spawn(move || {
            let at = format!("Upload-Offset: {safe}");
            let headers = [TUS, &at, "Content-Type: application/offset+octet-stream"];
            let mut gone = safe;
            door.send("PATCH", upload, &headers, rest, &mut |bytes| {
                let before = gone;
                gone += bytes;
                if before < content.len() / 10 * 9 && gone >= content.len() / 10 * 9 {
                    tell.send(()).unwrap();
                    struck.recv().unwrap();
                }
            })
        });
        told.recv().unwrap();
        server.strike();
        strike.send(()).unwrap();
        sending.join().unwrap()
    });
    server.kill();
    assert!(broken.is_err(), "the request had no end: {broken:?}");
    let server = Server::start(&data);
    let door = server.door_of(&first);
    let offset = offset_of(&door, &upload);
    assert!(offset >= safe && offset < content.len(), "it goes on from {offset}, safe were {safe}");
    assert_eq!(append(&door, &upload, offset, &content[offset..]), content.len());
    assert!(door.read("film") == *content);
    let fleet = door.fleet();
    assert_eq!((&fleet["files_unreadable"], &fleet["packs_below_safe"]), (&0.into(), &0.into()));
    server.kill();
    let server = Server::start(&data);
    assert!(server.door_of(&first).read("film") == *content, "and it stays");
    server.stop();
    assert!(
        tree(&data.join("providers")).iter().all(|(path, ..)| !path.starts_with("tmp")),
        "nothing lies half-written"
    );
}
