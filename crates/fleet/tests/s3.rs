//! The S3 driver against real servers of other makers, and against what none of them does.
#![allow(clippy::unwrap_used)]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use fleet::{
    DeleteTicket, Error, HttpOptions, Kind, Limit, Limits, ObjectName, ObjectStore, S3Address, S3Login, Target,
};
use testkit::{
    server::{Server, skip},
    servers::{garage, moto, rclone},
    target_suite::{self, Place},
    world::real_world,
};

const MARKER: Bytes = Bytes::from_static(b"marker of the suite");

fn open(url: &str, bucket: &str, root: &str) -> ObjectStore {
    let address = S3Address {
        endpoint: url.to_owned(),
        region: "us-east-1".to_owned(),
        bucket: bucket.to_owned(),
        root: root.to_owned(),
        path_style: true,
        lock_days: None,
    };
    let login = S3Login { access_key_id: rclone::LOGIN.to_owned(), secret_access_key: rclone::SECRET.to_owned() };
    ObjectStore::open(&address, &login, &HttpOptions::default(), &real_world()).unwrap()
}

async fn marked(url: &str, bucket: &str, vanish: Box<dyn FnOnce() + Send>) -> Place {
    let target = open(url, bucket, "holdfast/a");
    target.write_marker(None, MARKER).await.unwrap();
    Place { target: Arc::new(target), marker: MARKER, vanish }
}

fn next_bucket() -> String {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    format!("bucket-{}", MADE.fetch_add(1, Ordering::Relaxed))
}

#[tokio::test]
async fn moto_keeps_the_rules() {
    if skip("the S3 driver keeps the rules on moto", moto::PROGRAM) {
        return;
    }
    let server = Arc::new(moto::start().unwrap());
    let url = format!("http://{}", server.address());
    target_suite::run(async || {
        let bucket = next_bucket();
        assert_eq!(server.request("PUT", &format!("/{bucket}"), &[]).unwrap().0, 200);
        let behind = Arc::clone(&server);
        let vanish = move || assert_eq!(behind.request("POST", "/moto-api/reset", &[]).unwrap().0, 200);
        marked(&url, &bucket, Box::new(vanish)).await
    })
    .await;
}

#[tokio::test]
async fn rclone_keeps_the_rules() {
    if skip("the S3 driver keeps the rules on rclone", rclone::PROGRAM) {
        return;
    }
    // It remembers folders, so each rule has a server of its own, and the place vanishes with it.
    target_suite::run(async || {
        let server = rclone::s3().unwrap();
        let url = format!("http://{}", server.address());
        let place = marked(&url, rclone::SERVED, Box::new(move || drop(server))).await;
        assert!(!place.target.abilities().no_clobber, "it knows conditions now: say so in docs/targets.md");
        // Of writers side by side in a new folder it fails some (500), so it is asked one thing at a time, as an operator would.
        let (world, limits) = (real_world(), Limits { calls: 1, bytes_per_s: None });
        Place { target: Limit::over(place.target, limits, world.clock, world.timer), ..place }
    })
    .await;
}

#[tokio::test]
async fn garage_keeps_the_rules() {
    if garage::left_out("the S3 driver keeps the rules on Garage") {
        return;
    }
    // A bucket goes only with the server, so each rule has one of its own.
    target_suite::run(async || {
        let server = garage::start().unwrap();
        let url = format!("http://{}", server.address());
        let place = marked(&url, garage::SERVED, Box::new(move || drop(server))).await;
        assert!(!place.target.abilities().no_clobber, "it knows conditions now: say so in docs/targets.md");
        place
    })
    .await;
}

#[tokio::test]
async fn every_request_is_counted_as_a_firm_would_bill_it() {
    if skip("requests of S3 are counted on rclone", rclone::PROGRAM) {
        return;
    }
    let server = rclone::s3().unwrap();
    let target = open(&format!("http://{}", server.address()), rclone::SERVED, "counted");
    target.write_marker(None, MARKER).await.unwrap();
    // The first write finds out what the server can do.
    target.put(&name("first"), &[MARKER]).await.unwrap();
    let mut before = target.traffic().unwrap();
    let mut more = |target: &ObjectStore| {
        let now = target.traffic().unwrap();
        (std::mem::replace(&mut before, now), now)
    };
    let counted = |(before, now): (fleet::Traffic, fleet::Traffic)| now.since(&before);

    let small = Bytes::from(vec![7; 20_000]);
    target.put(&name("small"), &[small]).await.unwrap();
    let put = counted(more(&target));
    let of = |traffic: &fleet::Traffic| Kind::ALL.map(|kind| traffic.of(kind));
    assert_eq!((of(&put), put.in_bytes, put.out_bytes), ([1, 0, 0, 1, 0, 0], 20_000, 0), "it looks, and writes");

    let long = Bytes::from(vec![9; 20 << 20]);
    let mut writer = target.create(&name("long"), 0).await.unwrap();
    writer.write(long).await.unwrap();
    writer.finish().await.unwrap();
    let put = counted(more(&target));
    assert_eq!(of(&put), [2, 3, 0, 1, 0, 0], "begin and complete, a request for each 8 MiB, and a look");
    assert!((20 << 20..(20 << 20) + 1_000).contains(&put.in_bytes), "{put:?}");

    target.read(&name("small"), 100..5_100).await.unwrap();
    let read = counted(more(&target));
    assert_eq!((of(&read), read.out_bytes), ([0, 0, 1, 0, 0, 0], 5_000));

    target.list("", None, 10).await.unwrap();
    target.delete(&DeleteTicket { name: name("small"), reason: "test" }).await.unwrap();
    let rest = counted(more(&target));
    assert_eq!((rest.of(Kind::List), rest.of(Kind::Delete)), (1, 1));
    assert_eq!(rest.in_bytes, 0);
}

fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

fn pattern(bytes: usize) -> Bytes {
    (0..bytes).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// A target in a bucket of its own at a server of its own.
async fn at_moto(lines: &[&str]) -> (Server, ObjectStore) {
    let server = moto::start().unwrap();
    assert_eq!(server.request("PUT", "/shards", lines).unwrap().0, 200);
    let target = open(&format!("http://{}", server.address()), "shards", "");
    target.write_marker(None, MARKER).await.unwrap();
    (server, target)
}

#[tokio::test]
async fn a_long_object_goes_up_in_parts_and_never_over_another() {
    if skip("a long object goes up in parts", moto::PROGRAM) {
        return;
    }
    let (server, target) = at_moto(&[]).await;
    let abilities = target.abilities();
    assert!(abilities.no_clobber && !abilities.lock && abilities.part_bytes == 8 << 20, "{abilities:?}");
    let (object, bytes) = (name("shards/long"), pattern(21_000_001));
    let (mut first, mut second) = (target.create(&object, 0).await.unwrap(), target.create(&object, 0).await.unwrap());
    // One part is on its way while the next one fills; the other writer takes turns.
    first.work_ahead();
    for at in (0..bytes.len()).step_by(3_000_000) {
        let piece = bytes.slice(at..bytes.len().min(at + 3_000_000));
        first.write(piece.clone()).await.unwrap();
        second.write(piece).await.unwrap();
    }
    assert_eq!(target.stat(&object).await.unwrap(), None, "it is seen before it is finished");
    first.finish().await.unwrap();
    assert!(matches!(second.finish().await, Err(Error::Exists { .. })));
    assert_eq!(target.stat(&object).await.unwrap(), Some(21_000_001));
    // Across the border of two parts.
    let range = (8 << 20) - 5..(8 << 20) + 500_000;
    assert_eq!(target.read(&object, range.start as u64..range.end as u64).await.unwrap(), bytes.slice(range));
    assert!(target.read(&object, 0..21_000_001).await.unwrap() == bytes);
    // The loser's upload is aborted beside the caller.
    while server.request("GET", "/shards?uploads", &[]).unwrap().1.contains("<UploadId>") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_dropped_writer_leaves_no_upload() {
    if skip("a dropped writer leaves no upload", moto::PROGRAM) {
        return;
    }
    let (server, target) = at_moto(&[]).await;
    for ahead in [false, true] {
        let mut writer = target.create(&name("shards/long"), 0).await.unwrap();
        if ahead {
            writer.work_ahead();
        }
        writer.write(pattern(9_000_000)).await.unwrap();
        let uploads = || server.request("GET", "/shards?uploads", &[]).unwrap().1;
        assert!(uploads().contains("<UploadId>"));
        drop(writer);
        while uploads().contains("<UploadId>") {
            tokio::task::yield_now().await;
        }
        assert_eq!(target.stat(&name("shards/long")).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_bucket_with_locks_is_known_by_a_probe() {
    if skip("a bucket with locks is known by a probe", moto::PROGRAM) {
        return;
    }
    let (_server, target) = at_moto(&["x-amz-bucket-object-lock-enabled: true"]).await;
    assert!(!target.abilities().lock, "a lock is claimed before it was seen");
    target.probe().await.unwrap();
    assert!(target.abilities().lock);
}

#[tokio::test]
async fn what_is_written_with_a_lock_cannot_be_destroyed_with_our_own_key() {
    if skip("what is written with a lock cannot be destroyed", moto::PROGRAM) {
        return;
    }
    let (server, _) = at_moto(&["x-amz-bucket-object-lock-enabled: true"]).await;
    let locked = |bucket: &str| {
        let address = S3Address {
            endpoint: format!("http://{}", server.address()),
            region: "us-east-1".to_owned(),
            bucket: bucket.to_owned(),
            root: String::new(),
            path_style: true,
            lock_days: Some(30),
        };
        let login = S3Login { access_key_id: "id".to_owned(), secret_access_key: "secret".to_owned() };
        ObjectStore::open(&address, &login, &HttpOptions::default(), &real_world()).unwrap()
    };
    let target = locked("shards");
    target.expect_marker(Some(MARKER));
    target.put(&name("shards/short"), &[Bytes::from_static(b"short")]).await.unwrap();
    let mut writer = target.create(&name("shards/long"), 0).await.unwrap();
    writer.write(pattern(9_000_000)).await.unwrap();
    writer.finish().await.unwrap();
    assert!(target.read(&name("shards/long"), 0..9_000_000).await.unwrap() == pattern(9_000_000));
    // It wants a signature and looks at none.
    let signed = [
        "Authorization: AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
    ];
    let ask = |method: &str, path: &str| server.request(method, path, &signed).unwrap();
    let versions = || ask("GET", "/shards?versions").1;
    let version = |key: &str| {
        let all = versions();
        let (_, after) = all.split_once(&format!("<Key>{key}</Key>")).unwrap();
        after.split_once("<VersionId>").unwrap().1.split_once('<').unwrap().0.to_owned()
    };
    for key in ["shards/short", "shards/long"] {
        let id = version(key);
        // To us it is gone once we delete it; whoever has our key cannot make the firm forget it.
        target.delete(&DeleteTicket { name: name(key), reason: "test" }).await.unwrap();
        assert_eq!(target.stat(&name(key)).await.unwrap(), None);
        let (status, _) = ask("DELETE", &format!("/shards/{key}?versionId={id}"));
        assert_eq!(status, 403, "{key}: a locked version was destroyed");
    }
    // Markers are replaced, and locks would pile up: the same request destroys one.
    let id = version("holdfast-target");
    let (status, _) = ask("DELETE", &format!("/shards/holdfast-target?versionId={id}"));
    assert_eq!(status, 204);

    assert_eq!(server.request("PUT", "/plain", &[]).unwrap().0, 200);
    let plain = locked("plain");
    plain.write_marker(None, MARKER).await.unwrap();
    let error = plain.put(&name("shards/short"), &[Bytes::from_static(b"short")]).await.unwrap_err();
    assert!(error.to_string().contains("lock_days"), "{error}");
}

#[tokio::test]
async fn a_wrong_key_is_down_and_shown_to_nobody() {
    if skip("a wrong key is down", rclone::PROGRAM) {
        return;
    }
    let server = rclone::s3().unwrap();
    let address = S3Address {
        endpoint: format!("http://{}", server.address()),
        region: "us-east-1".to_owned(),
        bucket: rclone::SERVED.to_owned(),
        root: String::new(),
        path_style: true,
        lock_days: None,
    };
    let login = S3Login { access_key_id: rclone::LOGIN.to_owned(), secret_access_key: "another-secret".to_owned() };
    let target = ObjectStore::open(&address, &login, &HttpOptions::default(), &real_world()).unwrap();
    let error = target.probe().await.unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, Error::Down { .. }) && message.contains("refuses the login"), "{message}");
    assert!(!message.contains("another-secret"), "{message}");
}
