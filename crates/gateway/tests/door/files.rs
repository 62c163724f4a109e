//! Bytes up and down.

use crate::{
    http::request,
    world::{World, noise},
};

/// `printf 'hello\n' | sha256sum`, in base64.
const HELLO_SHA256: &str = "sha-256=:WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=:";

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_up_comes_down() {
    let world = World::new().await;
    // Empty, inline, journalled, and large enough for packs of its own; around the edges of frames.
    for bytes in [0, 1, 2_048, 2_049, 65_519, 65_520, 65_521, 1 << 20, (1 << 20) + 1, 5 << 20] {
        let body = noise(bytes as u64, bytes);
        let path = format!("sizes/{bytes}.bin");
        assert_eq!(world.put(&path, &body).await.status, 201);
        let answer = world.get(&path).await;
        assert_eq!((answer.status, answer.body.len(), answer.body == body), (200, bytes, true));
        let tail = (bytes / 2) as u64;
        if bytes > 1 {
            let answer = world.file("GET", &path, &[("Range", &format!("bytes={tail}-"))], b"").await;
            assert_eq!((answer.status, answer.body == body[bytes / 2..]), (206, true), "{bytes}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_described_and_never_run() {
    let world = World::new().await;
    let modified = ("X-Holdfast-Modified", "2012-01-19T08:00:00.5Z");
    let made = world.file("PUT", "a%20b/%C3%A4%27.html", &[modified], b"<script>").await;
    assert_eq!((made.status, made.header("location")), (201, "/api/v1/files/a%20b/%C3%A4%27.html"));
    for method in ["GET", "HEAD"] {
        let answer = world.file(method, "a%20b/%C3%A4%27.html", &[], b"").await;
        for (name, expected) in [
            ("etag", made.header("etag")),
            ("content-type", "text/html"),
            ("content-length", "8"),
            ("accept-ranges", "bytes"),
            ("last-modified", "Thu, 19 Jan 2012 08:00:00 GMT"),
            ("x-holdfast-modified", "2012-01-19T08:00:00.500000Z"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("content-disposition", "attachment; filename*=UTF-8''%C3%A4%27.html"),
            ("cache-control", "private, no-store"),
        ] {
            assert_eq!(answer.header(name), expected, "{method} {name}");
        }
        assert_eq!(answer.status, 200);
    }
    let typed = world
        .file("PUT", "x.html", &[("Content-Type", "text/x-own; v=1"), ("X-Holdfast-Modified", "1000000")], b"")
        .await;
    assert_eq!(typed.status, 201);
    let answer = world.file("HEAD", "x.html", &[], b"").await;
    assert_eq!(
        (answer.header("content-type"), answer.header("last-modified")),
        ("text/x-own; v=1", "Thu, 01 Jan 1970 00:00:01 GMT")
    );
    assert!(!answer.header("x-holdfast-state").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_takes_the_place_of_the_old() {
    let world = World::new().await;
    let first = world.put("f", b"one").await;
    let second = world.put("f", b"two").await;
    assert_eq!((first.status, second.status), (201, 204));
    assert_ne!(first.header("etag"), second.header("etag"));
    assert_eq!(world.get("f").await.body, b"two");
    assert_eq!(world.names("").await, ["f"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_to_one_path_both_succeed() {
    let world = World::new().await;
    let bodies = [noise(1, 300_000), noise(2, 300_000)];
    let (a, b) = tokio::join!(world.put("same", &bodies[0]), world.put("same", &bodies[1]));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 204]);
    let got = world.get("same").await.body;
    assert!(bodies.contains(&got), "one of them, whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges() {
    let world = World::new().await;
    world.put("f", b"0123456789").await;
    world.put("empty", b"").await;
    for (range, status, body, shown) in [
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=-3", 206, "789", "bytes 7-9/10"),
        ("bytes=8-99", 206, "89", "bytes 8-9/10"),
        ("bytes=0-0,5-6", 200, "0123456789", ""),
        ("bytes=5-2", 200, "0123456789", ""),
        ("lines=1-2", 200, "0123456789", ""),
    ] {
        let answer = world.file("GET", "f", &[("Range", range)], b"").await;
        assert_eq!((answer.status, answer.header("content-range")), (status, shown), "{range}");
        assert_eq!(answer.body, body.as_bytes(), "{range}");
    }
    for (path, range, shown) in
        [("f", "bytes=10-", "bytes */10"), ("f", "bytes=-0", "bytes */10"), ("empty", "bytes=0-", "bytes */0")]
    {
        let answer = world.file("GET", path, &[("Range", range)], b"").await;
        assert_eq!((answer.status, answer.header("content-range"), answer.code().as_str()), (416, shown, "bad_range"));
    }
    let head = world.file("HEAD", "f", &[("Range", "bytes=2-4")], b"").await;
    assert_eq!((head.status, head.header("content-length")), (200, "10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_are_checked_when_sent_and_given_when_known() {
    let world = World::new().await;
    for name in ["Content-Digest", "Repr-Digest"] {
        let refused = world.file("PUT", "f", &[(name, HELLO_SHA256)], b"hullo\n").await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "body_digest"));
        assert_eq!(world.get("f").await.status, 404, "nothing was made of it");
    }
    // A body in each way of keeping, over a file that is there: that one stays.
    world.put("kept", b"as it was").await;
    for bytes in [700, 60_000, 3 << 20] {
        let refused = world.file("PUT", "kept", &[("Content-Digest", HELLO_SHA256)], &noise(5, bytes)).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "body_digest"), "{bytes}");
        assert_eq!(world.get("kept").await.body, b"as it was");
    }
    let malformed = world.file("PUT", "f", &[("Content-Digest", "sha-256=WJG1")], b"hello\n").await;
    assert_eq!((malformed.status, malformed.code().as_str()), (400, "bad_digest"));
    assert_eq!(world.file("PUT", "f", &[("Content-Digest", HELLO_SHA256)], b"hello\n").await.status, 201);
    assert_eq!(world.file("HEAD", "f", &[], b"").await.header("repr-digest"), HELLO_SHA256);
    let wanted = world.file("PUT", "g", &[("Want-Repr-Digest", "sha-256=5")], b"hello\n").await;
    assert_eq!(wanted.header("repr-digest"), HELLO_SHA256);
    assert_eq!(world.file("PUT", "h", &[("Content-Digest", "sha-512=:AAAA:")], b"hello\n").await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn chunked_bodies_need_no_length() {
    let world = World::new().await;
    let mut connection = world.connect().await;
    let bearer = world.bearer();
    let headers = [("Authorization", bearer.as_str()), ("Transfer-Encoding", "chunked")];
    let mut head = request("POST", "/api/v1/files/chunked", &headers, b"");
    head.splice(..4, *b"PUT");
    connection.send(&head).await;
    connection.send("5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\n").await;
    assert_eq!(connection.answer(false).await.status, 201);
    assert_eq!(world.get("chunked").await.body, b"hello world");
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_page_through_a_folder_in_the_order_of_bytes() {
    let world = World::new().await;
    for name in ["b", "%C3%A4", "a%CC%88", "A", "a%26b", "z%20z"] {
        world.put(&format!("l/{name}"), name.as_bytes()).await;
    }
    assert_eq!(world.act("l/folder", r#"{"action":"mkdir"}"#).await.status, 201);
    let mut seen = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = world.get(&format!("l/{query}")).await.json();
        assert!(page["entries"].as_array().unwrap().len() <= 2);
        seen.extend(page["entries"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap().to_owned()));
        // The cursor needs no encoding.
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=2&after={next}");
    }
    assert_eq!(seen, ["A", "a&b", "a\u{308}", "b", "folder", "z z", "ä"]);
    let page = world.get("l/").await.json();
    let line =
        |name: &str| page["entries"].as_array().unwrap().iter().find(|entry| entry["name"] == name).unwrap().clone();
    assert_eq!((&line("folder")["kind"], line("folder")["state"].is_null()), (&"folder".into(), true));
    let file = line("A");
    assert_eq!(
        (&file["kind"], &file["size"], &file["media_type"]),
        (&"file".into(), &1.into(), &"application/octet-stream".into())
    );
    let state = file["state"].as_str().unwrap();
    assert!(matches!(state, "safe" | "settled" | "verified"), "acknowledged is safe, not {state}");
    assert!(file["modified"].as_str().unwrap().starts_with("2026-04-01T12:"));
    assert!(page["next"].is_null() && file.get("proven").is_some());
}
