//! A folder as one zip: read by a program that others wrote, whole, in pieces, and when something in it cannot be read.

use std::{fs, process::Command};

use serde_json::{Value, json};
use testkit::{
    scratch::Scratch,
    server::{find, skip},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    access::owner,
    world::{World, noise},
};

/// What Python's `zipfile` finds in it, and whether every CRC is right.
const READ: &str = "
import json, sys, zipfile
zip = zipfile.ZipFile(sys.argv[1])
assert zip.testzip() is None
print(json.dumps({entry.filename: [entry.file_size, entry.date_time[0], entry.is_dir()] for entry in zip.infolist()}))
";

fn read_back(zip: &[u8]) -> Value {
    let scratch = Scratch::new("zip").unwrap();
    let path = scratch.path().join("a.zip");
    fs::write(&path, zip).unwrap();
    let output = Command::new(find("python3").unwrap()).args(["-c", READ]).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_one_zip_that_goes_on_where_it_was_broken() {
    if skip("a folder is one zip", "python3") {
        return;
    }
    let world = World::new().await;
    let film = noise(1, 3 << 20);
    let time = ("X-Holdfast-Modified", "2012-01-19T13:21:02Z");
    world.file("PUT", "album/2012/Z%C3%BCrich.txt", &[time], b"a city").await;
    world.file("PUT", "album/film", &[time], &film).await;
    world.put("album/empty.txt", b"").await;
    world.act("album/nothing", r#"{"action":"mkdir"}"#).await;
    world.put("beside.txt", b"not in it").await;

    let whole = world.call("GET", "/api/v1/zip/album/", &[], b"").await;
    assert_eq!((whole.status, whole.header("content-type")), (200, "application/zip"));
    assert_eq!(whole.header("content-disposition"), "attachment; filename*=UTF-8''album.zip");
    assert_eq!(whole.header("content-length"), whole.body.len().to_string());
    let found = read_back(&whole.body);
    let wanted = json!({
        "2012/": [0, 2026, true], "2012/Zürich.txt": [6, 2012, false], "empty.txt": [0, 2026, false],
        "film": [3 << 20, 2012, false], "nothing/": [0, 2026, true],
    });
    assert_eq!(found, wanted);

    let etag = whole.header("etag").to_owned();
    for (from, to) in [(0, 100), (100, 70_000), (70_000, whole.body.len())] {
        let range = format!("bytes={from}-{}", to - 1);
        let headers = [("Range", range.as_str()), ("If-Range", etag.as_str())];
        let part = world.call("GET", "/api/v1/zip/album/", &headers, b"").await;
        assert_eq!((part.status, part.body == whole.body[from..to]), (206, true), "{range}");
    }
    let some = world.call("GET", "/api/v1/zip/album/?names=empty.txt%2F2012", &[], b"").await;
    let names: Vec<_> = read_back(&some.body).as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["2012/", "2012/Zürich.txt", "empty.txt"]);
    for (target, status) in [
        ("/api/v1/zip/album/?names=beside.txt", 404),
        ("/api/v1/zip/none/", 404),
        ("/api/v1/zip/album/film/", 409),
        ("/api/v1/zip/album/..%2F", 400),
    ] {
        assert_eq!(world.call("GET", target, &[], b"").await.status, status, "{target}");
    }

    // Something in it has changed: what was begun is not continued with other bytes.
    world.put("album/empty.txt", b"no more").await;
    let headers = [("Range", "bytes=100-199"), ("If-Range", etag.as_str())];
    let again = world.call("GET", "/api/v1/zip/album/", &headers, b"").await;
    assert_eq!((again.status, again.header("etag") == etag), (200, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zip_with_a_file_that_cannot_be_read_is_cut_and_never_looks_whole() {
    let world = World::new().await;
    world.put("album/inline", b"in the catalogue").await;
    world.put("album/large", &noise(2, 5 << 20)).await;
    for target in &world.targets[..3] {
        target.disk().set_up(false);
    }
    // Cut, whether or not its head was on its way already.
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(&world.request("GET", "/api/v1/zip/album/", &[], b"")).await.unwrap();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    let end = b"PK\x05\x06";
    assert!(!all.windows(end.len()).any(|window| window == end), "it has no end");
    if let Some(head) = all.windows(4).position(|four| four == b"\r\n\r\n") {
        let length = String::from_utf8_lossy(&all[..head])
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ").map(|length| length.parse::<usize>().unwrap()));
        assert!(length.unwrap() > all.len() - head - 4, "it is shorter than it was announced");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_takes_the_shared_folder_and_it_counts_once() {
    if skip("a guest takes a folder", "python3") {
        return;
    }
    let world = World::new().await;
    world.put("album/a", b"a").await;
    world.put("private", b"p").await;
    let mut owner = owner(&world).await;
    let share = owner.ask("POST", "/api/v1/shares", json!({ "path": "/album" })).await.json();
    let code = share["code"].as_str().unwrap();
    let zip = world.with("GET", &format!("/api/v1/links/{code}/zip/"), &[]).await;
    assert_eq!(read_back(&zip.body).as_object().unwrap().keys().collect::<Vec<_>>(), ["a"]);
    for what in ["/zip/a/", "/zip/../", "/zip/private/"] {
        assert!(world.with("GET", &format!("/api/v1/links/{code}{what}"), &[]).await.status >= 400, "{what}");
    }
    for _ in 0..1_000 {
        let shares = owner.ask("GET", "/api/v1/shares", Value::Null).await.json();
        if shares["shares"][0]["downloads"] == 1 {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the download was not counted");
}

/// What a part holds, and the list of checksums in it.
fn unpacked(zip: &[u8]) -> (Value, String) {
    const SUMS: &str = "
import sys, zipfile
zip = zipfile.ZipFile(sys.argv[1])
print(''.join(zip.read(name).decode() for name in zip.namelist() if name.endswith('.b3sums')), end='')
";
    let scratch = Scratch::new("part").unwrap();
    let path = scratch.path().join("a.zip");
    fs::write(&path, zip).unwrap();
    let output = Command::new(find("python3").unwrap()).args(["-c", SUMS]).arg(&path).output().unwrap();
    (read_back(zip), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_home_in_parts_whatever_changes_meanwhile() {
    if skip("everything comes home in parts", "python3") {
        return;
    }
    let world = World::new().await;
    let film = noise(1, 700_000);
    for name in ["a/1", "a/2", "a/deep/3", "a%20b/4", "b%5C/5"] {
        world.put(name, &film).await;
    }
    world.put("z%20end", b"last").await;
    world.act("empty", r#"{"action":"mkdir"}"#).await;
    let plan = async |query: &str| world.call("GET", &format!("/api/v1/takeout?{query}"), &[], b"").await;
    let whole = plan("").await.json();
    let one = &whole["parts"][0];
    assert_eq!((whole["parts"].as_array().unwrap().len(), &whole["next"]), (1, &Value::Null));
    assert_eq!((&one["after"], &one["until"], &one["files"]), (&Value::Null, &Value::Null, &json!(6)), "{one}");
    assert_eq!((&one["first"], &one["bytes"]), (&json!("a/1"), &json!(3_500_004)));

    let parts = plan("bytes=1048576").await.json()["parts"].as_array().unwrap().clone();
    assert_eq!(parts.len(), 5, "no two films fit one: {parts:?}");
    // What comes after the list was made is in one of them as well.
    world.put("a/1b", b"new").await;
    world.put("zz", b"new").await;
    let (mut names, mut sums, mut second) = (Vec::new(), String::new(), Vec::new());
    for (index, part) in parts.iter().enumerate() {
        let mut query = url(part, "after");
        query.push_str(&url(part, "until"));
        let target = format!("/api/v1/takeout/{}?{}", index + 1, query.trim_start_matches('&'));
        let zip = world.call("GET", &target, &[], b"").await;
        assert_eq!(zip.header("content-disposition"), format!("attachment; filename*=UTF-8''files-{}.zip", index + 1));
        let (found, list) = unpacked(&zip.body);
        names.extend(found.as_object().unwrap().keys().cloned());
        sums.push_str(&list);
        if index == 1 {
            second = zip.body.clone();
        }
        let tag = zip.header("etag").to_owned();
        let from = zip.body.len() - 40;
        let headers = [("Range", format!("bytes={from}-")), ("If-Range", tag)];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(world.call("GET", &target, &headers, b"").await.body, zip.body[from..], "it goes on where it broke");
    }
    assert!(!second.is_empty());
    names.retain(|name| !name.ends_with(".b3sums"));
    names.sort();
    let wanted =
        ["a b/", "a b/4", "a/", "a/1", "a/1b", "a/2", "a/deep/", "a/deep/3", "b\\/", "b\\/5", "empty/", "z end", "zz"];
    assert_eq!(names, wanted);
    let versions = world.call("GET", "/api/v1/versions/a/1", &[], b"").await.json();
    let hash = versions["versions"][0]["blake3"].as_str().unwrap();
    assert!(sums.contains(&format!("{hash}  a/deep/3\n")), "{sums}");
    assert!(sums.contains(&format!("\\{hash}  b\\\\/5\n")) && sums.contains("  z end\n"), "{sums}");

    // What came since: the tests' clock begins on 2026-04-01 at noon.
    world.clock.jump_s(86_400);
    world.put("a/2", b"newer").await;
    let since = plan("since=2026-04-02T00:00:00Z").await.json();
    assert_eq!((&since["parts"][0]["files"], &since["parts"][0]["first"]), (&json!(1), &json!("a/2")), "{since}");
    let zip = world.call("GET", "/api/v1/takeout/1?since=2026-04-02T00:00:00Z", &[], b"").await;
    let found: Vec<_> = read_back(&zip.body).as_object().unwrap().keys().cloned().collect();
    assert_eq!(found, ["a/2", "files-1.b3sums"]);
    assert_eq!(plan("since=2026-05-02T00:00:00Z").await.json()["parts"], json!([]));
    for (query, code) in [("since=monday", "bad_time"), ("bytes=1", "bad_query"), ("after=/../x", "bad_path")] {
        assert_eq!(plan(query).await.code(), code, "{query}");
    }
    assert_eq!(world.call("GET", "/api/v1/takeout/+1", &[], b"").await.code(), "bad_query");
    assert_eq!(world.with("GET", "/api/v1/takeout", &[]).await.status, 401);
}

/// A part's path as a query has it.
fn url(part: &Value, name: &str) -> String {
    let Some(path) = part[name].as_str() else { return String::new() };
    let escaped: String = path.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("&{name}={escaped}")
}
