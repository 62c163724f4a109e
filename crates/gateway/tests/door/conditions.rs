//! Requests that depend on what is there.

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_must_not_overwrite() {
    let world = World::new().await;
    let first = world.file("PUT", "f", &[("If-None-Match", "*")], b"one").await;
    assert_eq!(first.status, 201);
    let refused = world.file("PUT", "f", &[("If-None-Match", "*")], b"two").await;
    assert_eq!((refused.status, refused.code().as_str()), (412, "precondition_failed"));
    let tag = first.header("etag");
    let second = world.file("PUT", "f", &[("If-Match", tag)], b"two").await;
    assert_eq!(second.status, 204);
    for stale in [tag, "\"other\"", &format!("W/{}", second.header("etag"))] {
        let refused = world.file("PUT", "f", &[("If-Match", stale)], b"three").await;
        assert_eq!((refused.status, refused.code().as_str()), (412, "precondition_failed"), "{stale}");
    }
    assert_eq!(world.file("PUT", "new", &[("If-Match", "*")], b"").await.status, 412);
    let unclear = world.file("PUT", "f", &[("If-Match", "no quotes")], b"three").await;
    assert_eq!((unclear.status, unclear.code().as_str()), (400, "bad_condition"));
    assert_eq!(world.file("DELETE", "f", &[("If-Match", tag)], b"").await.status, 412);
    assert_eq!(world.get("f").await.body, b"two");
    assert_eq!(world.file("DELETE", "f", &[("If-Match", second.header("etag"))], b"").await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_create_one_wins() {
    let world = World::new().await;
    let create = || world.file("PUT", "f", &[("If-None-Match", "*")], b"mine");
    let (a, b) = tokio::join!(create(), create());
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 412]);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_that_may_be_spared() {
    let world = World::new().await;
    let tag = world.put("f", b"0123456789").await.header("etag").to_owned();
    let list = format!("\"x\", W/{tag}");
    for (name, value, status) in [
        ("If-None-Match", tag.as_str(), 304),
        ("If-None-Match", list.as_str(), 304),
        ("If-None-Match", "*", 304),
        ("If-None-Match", "\"x\"", 200),
        ("If-Match", tag.as_str(), 200),
        ("If-Match", "*", 200),
        ("If-Match", "\"x\"", 412),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = world.file(method, "f", &[(name, value)], b"").await;
            assert_eq!(answer.status, status, "{method} {name}: {value}");
            assert!(status == 412 || answer.header("etag") == tag);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_only_of_the_same_bytes() {
    let world = World::new().await;
    let old = world.put("f", b"0123456789").await.header("etag").to_owned();
    let new = world.put("f", b"abcdefghij").await.header("etag").to_owned();
    for (tag, status, body) in [
        (new.as_str(), 206, "cd"),
        (old.as_str(), 200, "abcdefghij"),
        ("Wed, 01 Apr 2026 12:00:00 GMT", 200, "abcdefghij"),
    ] {
        let answer = world.file("GET", "f", &[("Range", "bytes=2-3"), ("If-Range", tag)], b"").await;
        assert_eq!((answer.status, answer.body.as_slice()), (status, body.as_bytes()), "{tag}");
    }
}
