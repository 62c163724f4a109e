//! Resumable uploads.

use std::time::Duration;

use model::account::TokenScope;

use crate::{
    http::{Answer, Connection},
    world::{World, noise},
};

const PATCH: [(&str, &str); 2] = [("Tus-Resumable", "1.0.0"), ("Content-Type", "application/offset+octet-stream")];

/// `path d/f,filetype text/x-own,modified 1000000`, the values in base64.
const METADATA: &str = "path ZC9m,filetype dGV4dC94LW93bg==,modified MTAwMDAwMA==";

async fn begin(world: &World, length: usize) -> Answer {
    let length = length.to_string();
    let headers = [("Tus-Resumable", "1.0.0"), ("Upload-Length", length.as_str()), ("Upload-Metadata", METADATA)];
    world.call("POST", "/api/v1/uploads/", &headers, b"").await
}

async fn append(world: &World, url: &str, offset: usize, body: &[u8]) -> Answer {
    let offset = offset.to_string();
    world.call("PATCH", url, &[PATCH[0], PATCH[1], ("Upload-Offset", &offset)], body).await
}

async fn offset(world: &World, url: &str) -> Answer {
    world.call("HEAD", url, &PATCH[..1], b"").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_in_pieces_becomes_a_file() {
    let world = World::new().await;
    let body = noise(5, (2 << 20) + 12_345);
    let begun = begin(&world, body.len()).await;
    assert_eq!((begun.status, begun.header("tus-resumable")), (201, "1.0.0"));
    assert!(begun.header("upload-expires").ends_with(" GMT"));
    let url = begun.header("location").to_owned();
    for (from, to) in [(0, 1_000), (1_000, 1_500_000), (1_500_000, body.len())] {
        let here = offset(&world, &url).await;
        assert_eq!((here.status, here.header("upload-offset")), (200, from.to_string().as_str()));
        assert_eq!(
            (here.header("upload-length"), here.header("upload-metadata")),
            (body.len().to_string().as_str(), METADATA)
        );
        assert_eq!(world.get("d/f").await.status, 404, "no file before its end");
        let answer = append(&world, &url, from, &body[from..to]).await;
        assert_eq!((answer.status, answer.header("upload-offset")), (204, to.to_string().as_str()));
    }
    let file = world.get("d/f").await;
    assert!(file.body == body);
    assert_eq!(
        (file.header("content-type"), file.header("last-modified")),
        ("text/x-own", "Thu, 01 Jan 1970 00:00:01 GMT")
    );
    // Whoever did not hear the last answer is told, for as long as the upload would have waited; and no more comes.
    let done = offset(&world, &url).await;
    assert_eq!((done.status, done.header("upload-offset")), (200, body.len().to_string().as_str()));
    assert_eq!(done.header("etag"), file.header("etag"));
    assert_eq!(append(&world, &url, body.len(), b"x").await.status, 404, "it is a file now");
    let versions = world.call("GET", "/api/v1/versions/d/f", &[], b"").await.json();
    assert_eq!(versions["versions"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_a_break_stays() {
    let world = World::new().await;
    let body = noise(6, 3 << 20);
    let url = begin(&world, body.len()).await.header("location").to_owned();
    let mut connection = world.connect().await;
    let whole = world.request("PATCH", &url, &[PATCH[0], PATCH[1], ("Upload-Offset", "0")], &body);
    connection.send(&whole[..whole.len() - (1 << 20)]).await;
    drop(connection);
    // The server finds out when it reads; how much is safe then it says itself.
    let mut safe = 0;
    for _ in 0..100 {
        safe = offset(&world, &url).await.header("upload-offset").parse().unwrap();
        if safe > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(safe > 0 && safe <= 2 << 20, "{safe}");
    let answer = append(&world, &url, safe, &body[safe..]).await;
    assert_eq!(answer.status, 204, "{}", String::from_utf8_lossy(&answer.body));
    assert!(world.get("d/f").await.body == body);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_offsets_lengths_and_types() {
    let world = World::new().await;
    let url = begin(&world, 10).await.header("location").to_owned();
    assert_eq!(append(&world, &url, 0, b"0123").await.status, 204);
    for (from, body, status, code) in
        [(0, "0123", 409, "upload_offset"), (5, "5", 409, "upload_offset"), (4, "4567890", 413, "upload_too_long")]
    {
        let answer = append(&world, &url, from, body.as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{from}");
    }
    for (headers, status, code) in [
        (vec![PATCH[1], ("Upload-Offset", "4")], 412, "tus_version"),
        (vec![("Tus-Resumable", "0.2.2"), PATCH[1], ("Upload-Offset", "4")], 412, "tus_version"),
        (vec![PATCH[0], ("Content-Type", "text/plain"), ("Upload-Offset", "4")], 415, "bad_media_type"),
        (vec![PATCH[0], PATCH[1]], 400, "bad_header"),
        (vec![PATCH[0], PATCH[1], ("Upload-Offset", "-4")], 400, "bad_header"),
        (vec![PATCH[0], PATCH[1], ("Upload-Offset", "+4")], 400, "bad_header"),
    ] {
        let answer = world.call("PATCH", &url, &headers, b"4").await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{headers:?}");
        assert_eq!(answer.header("tus-resumable"), "1.0.0");
    }
    assert_eq!(offset(&world, &url).await.header("upload-offset"), "4", "none of these moved it");
    let overridden = [PATCH[0], PATCH[1], ("Upload-Offset", "4"), ("X-HTTP-Method-Override", "PATCH")];
    assert_eq!(world.call("POST", &url, &overridden, b"456789").await.status, 204);
    assert_eq!(world.get("d/f").await.body, b"0123456789");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_cannot_begin() {
    let world = World::new().await;
    world.put("d/f/g", b"").await;
    let taken = begin(&world, 1).await;
    assert_eq!((taken.status, taken.code().as_str()), (409, "is_a_folder"));
    for (headers, code) in [
        (vec![("Upload-Metadata", METADATA)], "bad_header"),
        (vec![("Upload-Length", "1x"), ("Upload-Metadata", METADATA)], "bad_header"),
        (vec![("Upload-Length", "1")], "bad_metadata"),
        (vec![("Upload-Length", "1"), ("Upload-Metadata", "path Li4vYQ==")], "bad_path"),
    ] {
        let mut all = vec![PATCH[0]];
        all.extend(headers);
        let answer = world.call("POST", "/api/v1/uploads/", &all, b"").await;
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{all:?}");
    }
    for id in ["0".repeat(32), "x".to_owned()] {
        let answer = append(&world, &format!("/api/v1/uploads/{id}"), 0, b"x").await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "no_upload"), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_nothing_is_a_file_at_once() {
    let world = World::new().await;
    assert_eq!(begin(&world, 0).await.status, 201);
    assert_eq!(world.get("d/f").await.header("content-length"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_expires() {
    let world = World::new().await;
    let url = begin(&world, 10).await.header("location").to_owned();
    assert_eq!(append(&world, &url, 0, b"0123").await.status, 204);
    world.clock.jump_s(400 * 24 * 3_600);
    let answer = append(&world, &url, 4, b"456789").await;
    assert!(matches!(answer.status, 404 | 410), "{answer:?}");
    assert_eq!(world.get("d/f").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_their_callers_own() {
    let world = World::new().await;
    let url = begin(&world, 10).await.header("location").to_owned();
    world.store.make_account("other", true).await.unwrap();
    let token = world.service.make_token("other", TokenScope::All, None).await.unwrap().text;
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str()), PATCH[0], PATCH[1], ("Upload-Offset", "0")];
    let mut connection = Connection::to(world.address).await;
    connection.send(crate::http::request("PATCH", &url, &headers, b"x")).await;
    assert_eq!(connection.answer(false).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_given_up_is_gone() {
    let world = World::new().await;
    let url = begin(&world, 10).await.header("location").to_owned();
    let tus = [PATCH[0], PATCH[1], ("Upload-Offset", "0")];
    assert_eq!(world.call("PATCH", &url, &tus, b"12345").await.status, 204);
    assert_eq!(world.call("DELETE", &url, &tus[..1], b"").await.status, 204);
    for (method, headers) in [("HEAD", &tus[..1]), ("DELETE", &tus[..1]), ("PATCH", &tus[..])] {
        assert_eq!(world.call(method, &url, headers, b"").await.status, 404, "{method}");
    }
    assert!(world.names("").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn options_say_what_is_spoken() {
    let world = World::new().await;
    let mut connection = world.connect().await;
    connection.send(crate::http::request("OPTIONS", "/api/v1/uploads/", &[], b"")).await;
    let answer = connection.answer(false).await;
    assert_eq!((answer.status, answer.header("tus-version")), (204, "1.0.0"));
    assert_eq!(
        answer.header("tus-extension"),
        "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation"
    );
    assert_eq!(answer.header("tus-checksum-algorithm"), "sha1,sha256");
}

const CREATE: (&str, &str) = ("Upload-Metadata", METADATA);

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_may_bring_bytes_when_it_begins() {
    let world = World::new().await;
    let body = noise(9, 300_000);
    let begin = async |length: &str, first: &[u8]| {
        world.call("POST", "/api/v1/uploads/", &[PATCH[0], PATCH[1], CREATE, ("Upload-Length", length)], first).await
    };
    let begun = begin("300000", &body[..100_000]).await;
    assert_eq!((begun.status, begun.header("upload-offset")), (201, "100000"));
    let url = begun.header("location").to_owned();
    assert_eq!(append(&world, &url, 100_000, &body[100_000..]).await.status, 204);
    assert!(world.get("d/f").await.body == body);
    // All of it at once is a file at once.
    let whole = begin("5", b"hello").await;
    assert_eq!((whole.status, whole.header("upload-offset")), (201, "5"));
    assert!(!whole.header("etag").is_empty());
    assert_eq!(world.get("d/f").await.body, b"hello");
    assert_eq!(begin("4", b"hello").await.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_may_say_its_length_when_it_ends() {
    let world = World::new().await;
    let defer = [PATCH[0], CREATE, ("Upload-Defer-Length", "1")];
    let begun = world.call("POST", "/api/v1/uploads/", &defer, b"").await;
    assert_eq!(begun.status, 201);
    let url = begun.header("location").to_owned();
    assert_eq!(append(&world, &url, 0, b"some bytes").await.header("upload-offset"), "10");
    let here = offset(&world, &url).await;
    assert_eq!((here.header("upload-defer-length"), here.header("upload-length")), ("1", ""));
    assert_eq!(world.get("d/f").await.status, 404, "nobody has said that it is whole");
    let last = async |length: &str, at: &str, body: &[u8]| {
        let headers = [PATCH[0], PATCH[1], ("Upload-Offset", at), ("Upload-Length", length)];
        world.call("PATCH", &url, &headers, body).await.status
    };
    assert_eq!(last("9", "10", b"").await, 400, "more has come already");
    assert_eq!(last("14", "10", b" and").await, 204);
    assert_eq!(world.get("d/f").await.body, b"some bytes and");
    for bad in [&[("Upload-Defer-Length", "2")][..], &[], &[("Upload-Defer-Length", "1"), ("Upload-Length", "3")]] {
        let headers = [&[PATCH[0], CREATE][..], bad].concat();
        assert_eq!(world.call("POST", "/api/v1/uploads/", &headers, b"").await.status, 400, "{bad:?}");
    }
}

/// Begins a part.
async fn part(world: &World, bytes: &[u8]) -> String {
    let length = bytes.len().to_string();
    let headers = [PATCH[0], PATCH[1], ("Upload-Length", length.as_str()), ("Upload-Concat", "partial")];
    let made = world.call("POST", "/api/v1/uploads/", &headers, bytes).await;
    assert_eq!((made.status, made.header("upload-concat")), (201, "partial"));
    made.header("location").to_owned()
}

async fn join(world: &World, parts: &[&str]) -> Answer {
    let concat = format!("final;{}", parts.join(" "));
    world.call("POST", "/api/v1/uploads/", &[PATCH[0], CREATE, ("Upload-Concat", &concat)], b"").await
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_came_side_by_side_become_one_file() {
    let world = World::new().await;
    let bytes = noise(6, (3 << 20) + 77);
    let (one, rest) = bytes.split_at(1_500_001);
    let (two, three) = rest.split_at(700);
    let (first, second, third) = tokio::join!(part(&world, one), part(&world, two), part(&world, three));
    assert_eq!(world.names("").await, [""; 0], "a part is no file");
    let stands = offset(&world, &first).await;
    assert_eq!((stands.header("upload-offset"), stands.header("upload-concat")), ("1500001", "partial"));
    let address = format!("https://elsewhere.example/cloud{second}");
    let whole = join(&world, &[&first, &address, &third]).await;
    assert_eq!((whole.status, whole.header("upload-offset")), (201, bytes.len().to_string().as_str()));
    assert!(whole.header("etag").len() > 2, "it is a version");
    assert!(world.get("d/f").await.body == bytes);
    let versions = world.call("GET", "/api/v1/versions/d/f", &[], b"").await.json();
    assert_eq!(versions["versions"].as_array().unwrap().len(), 1);
    for gone in [&first, &second, &third] {
        assert_eq!(offset(&world, gone).await.status, 404, "it went into the whole");
    }
    // The answer was lost: whoever asks again is told, and no second version comes of it.
    let again = join(&world, &[&first, &address, &third]).await;
    assert_eq!((again.status, again.header("etag")), (201, whole.header("etag")));
    let versions = world.call("GET", "/api/v1/versions/d/f", &[], b"").await.json();
    assert_eq!(versions["versions"].as_array().unwrap().len(), 1);
    let extensions = world.call("OPTIONS", "/api/v1/uploads/", &[], b"").await.header("tus-extension").to_owned();
    assert!(extensions.contains("concatenation"), "{extensions}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_joined_stays_as_it_is() {
    let world = World::new().await;
    let whole = begin(&world, 5).await.header("location").to_owned();
    let done = part(&world, b"bytes").await;
    let headers = [PATCH[0], ("Upload-Length", "5"), ("Upload-Concat", "partial")];
    let open = world.call("POST", "/api/v1/uploads/", &headers, b"").await.header("location").to_owned();
    for (parts, status) in [
        (vec![done.as_str(), &open], 409),
        (vec![done.as_str(), &whole], 404),
        (vec![done.as_str(), "/api/v1/uploads/00000000000000000000000000000000"], 404),
        (vec!["x"], 400),
        (vec![done.as_str(), &done], 400),
        (vec![], 400),
    ] {
        assert_eq!(join(&world, &parts).await.status, status, "{parts:?}");
    }
    let headers = [PATCH[0], CREATE, ("Upload-Length", "1"), ("Upload-Concat", "half")];
    assert_eq!(world.call("POST", "/api/v1/uploads/", &headers, b"").await.status, 400);
    // A firm's worth of servers is away, and comes back: the parts are there still.
    let large = noise(7, 5 << 20);
    let large_part = part(&world, &large).await;
    for target in &world.targets[..3] {
        target.disk().set_up(false);
    }
    let failed = join(&world, &[&done, &large_part]).await;
    assert!(failed.status >= 500, "{}", failed.status);
    for target in &world.targets[..3] {
        target.disk().set_up(true);
    }
    assert_eq!(world.get("d/f").await.status, 404);
    assert_eq!(join(&world, &[&done, &large_part]).await.status, 201);
    assert!(world.get("d/f").await.body == [b"bytes".as_slice(), &large].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_whose_checksum_is_another_moves_nothing() {
    let world = World::new().await;
    let url = begin(&world, 10).await.header("location").to_owned();
    let piece = async |at: &str, sum: &str, body: &[u8]| {
        let headers = [PATCH[0], PATCH[1], ("Upload-Offset", at), ("Upload-Checksum", sum)];
        world.call("PATCH", &url, &headers, body).await
    };
    // SHA-1 and SHA-256 of "hello".
    let (sha1, sha256) = ("sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=", "sha256 LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=");
    for (sum, body, status) in [
        (sha1, &b"hellO"[..], 460),
        (sha256, b"hellO", 460),
        ("sha1 AAAA", b"hello", 460),
        ("crc32 AAAA", b"hello", 400),
        ("sha1", b"hello", 400),
        ("sha1 !", b"hello", 400),
    ] {
        assert_eq!(piece("0", sum, body).await.status, status, "{sum}");
        assert_eq!(offset(&world, &url).await.header("upload-offset"), "0", "{sum}");
    }
    let long = piece("0", sha1, &vec![0; (8 << 20) + 1]).await;
    assert_eq!((long.status, long.code().as_str()), (413, "piece_too_long"));
    assert_eq!(piece("0", sha1, b"hello").await.header("upload-offset"), "5");
    assert_eq!(piece("5", sha256, b"hello").await.status, 204);
    assert_eq!(world.get("d/f").await.body, b"hellohello");
}
