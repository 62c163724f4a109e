//! The S3 driver against a server that does what real ones do not, and some will: bounded cost, a clear error, no panic.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "a call waits beside the test, which moves the clock")]

use std::sync::Arc;

use bytes::Bytes;
use fleet::{DeleteTicket, Error, HttpOptions, ObjectName, ObjectStore, S3Address, S3Login, Target};
use model::world::World;
use testkit::{
    answerer::{Answerer, Asked, Reply},
    world::{ManualClock, SeededEntropy, TokioTimer, real_world},
};

const MARKER: Bytes = Bytes::from_static(b"marker");
const SECRET: &str = "a-secret-of-the-test";
/// What may be sent before somebody notices that nobody reads: buffers of sockets on both sides.
const BUFFERED_BYTES: usize = 16 << 20;

fn open(url: &str, world: &World) -> ObjectStore {
    let address = S3Address {
        endpoint: url.to_owned(),
        region: "us-east-1".to_owned(),
        bucket: "shards".to_owned(),
        root: "root".to_owned(),
        path_style: true,
        lock_days: None,
    };
    let login = S3Login { access_key_id: "id".to_owned(), secret_access_key: SECRET.to_owned() };
    let target = ObjectStore::open(&address, &login, &HttpOptions::default(), world).unwrap();
    target.expect_marker(Some(MARKER));
    target
}

/// A server that shows the right marker, and else says what the test wants.
async fn liar(says: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> (Answerer, ObjectStore) {
    let server = Answerer::start(move |asked| match asked.path.as_str() {
        "/shards/root/holdfast-target" => Reply::Whole("200 OK", vec![], MARKER.to_vec()),
        _ => says(asked),
    });
    let server = server.await.unwrap();
    let target = open(&server.url(), &real_world());
    (server, target)
}

fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

fn is_io<T>(result: fleet::Result<T>) -> bool {
    matches!(result, Err(Error::Io { .. }))
}

#[tokio::test]
async fn a_read_takes_no_more_than_it_asked_for() {
    let whole = |head: &str| Reply::Raw(head.as_bytes().to_vec());
    let replies = [
        ("ignores the range", Reply::Endless(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec())),
        ("ignores the range, with no length", Reply::Endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())),
        ("never ends", Reply::Endless(b"HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/100\r\n\r\n".to_vec())),
        ("says nothing of the range", Reply::Endless(b"HTTP/1.1 206 P\r\n\r\n".to_vec())),
        ("headers without end", Reply::Endless(b"HTTP/1.1 206 P\r\nX: ".to_vec())),
        ("breaks off", whole("HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/100\r\nContent-Length: 10\r\n\r\n01234")),
        ("is short", whole("HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/100\r\nContent-Length: 5\r\n\r\n01234")),
        ("is long", whole("HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/100\r\nContent-Length: 11\r\n\r\n0123456789a")),
        (
            "is elsewhere",
            whole("HTTP/1.1 206 P\r\nContent-Range: bytes 1-10/100\r\nContent-Length: 10\r\n\r\n0123456789"),
        ),
        ("is nonsense", whole("HTTP/1.1 206 P\r\nContent-Range: bytes 9-0/5\r\nContent-Length: 10\r\n\r\n0123456789")),
        ("is no HTTP", whole("220 smtp.firm.example ESMTP\r\n")),
        ("ends at once", whole("")),
    ];
    for (what, reply) in replies {
        let (server, target) = liar(move |_| reply.clone()).await;
        let result = target.read(&name("object"), 0..10).await;
        assert!(is_io(result), "a server that {what} is believed");
        assert!(server.sent_bytes() < BUFFERED_BYTES, "a server that {what} sent {} bytes", server.sent_bytes());
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_secrets_are_not_shown() {
    let inner = Answerer::start(|_| Reply::Whole("200 OK", vec![], MARKER.to_vec())).await.unwrap();
    let location = format!("Location: {}/latest?token=hush", inner.url());
    let (_server, target) = liar(move |_| Reply::Whole("307 Go", vec![location.clone()], vec![])).await;
    let message = target.read(&name("object"), 0..10).await.unwrap_err().to_string();
    assert!(message.contains("redirects to") && !message.contains("hush") && !message.contains("latest"), "{message}");
    assert_eq!(inner.served(), 0);
}

#[tokio::test]
async fn every_refusal_says_what_to_do_and_no_secret() {
    let cases = [
        ("403 Forbidden", "InvalidAccessKeyId", "check key, secret and region"),
        ("403 Forbidden", "SignatureDoesNotMatch", "check key, secret and region"),
        ("403 Forbidden", "AccessDenied", "rights"),
        ("403 Forbidden", "RequestTimeTooSkewed", "clock"),
        ("403 Forbidden", "RequestExpired", "clock"),
        ("404 Not Found", "NoSuchBucket", "no bucket shards"),
        ("503 Slow", "SlowDown", "too busy"),
        ("429 Slow", "", "too busy"),
        ("402 Pay", "", "paid"),
    ];
    for (status, code, remedy) in cases {
        let document = format!("<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>");
        let (_server, target) = {
            let server = Answerer::start(move |_| Reply::Whole(status, vec![], document.clone().into_bytes()));
            let server = server.await.unwrap();
            let target = open(&server.url(), &real_world());
            (server, target)
        };
        let object = name("object");
        let ticket = DeleteTicket { name: object.clone(), reason: "reclaimed" };
        let errors = [
            target.probe().await.unwrap_err(),
            target.put(&object, &[MARKER]).await.unwrap_err(),
            target.create(&object, 0).await.err().unwrap(),
            target.read(&object, 0..1).await.unwrap_err(),
            target.list("", None, 10).await.unwrap_err(),
            target.set_aside(&object).await.unwrap_err(),
            target.delete(&ticket).await.unwrap_err(),
        ];
        for error in errors {
            let message = error.to_string();
            assert!(matches!(error, Error::Down { .. }), "{status} {code}: {message}");
            assert!(message.contains(remedy) && message.contains("127.0.0.1"), "{status} {code}: {message}");
            assert!(!message.contains(SECRET), "{message}");
        }
    }
}

/// What a server says whose clock shows another time than ours, to a request and to a HEAD, which carries no code.
async fn skewed(code: &'static str, ours_s: i64, theirs: &'static str) -> [String; 2] {
    let document = format!("<Error><Code>{code}</Code></Error>").into_bytes();
    let date = vec![format!("Date: {theirs}")];
    let server = Answerer::start(move |asked| match asked.method.as_str() {
        "HEAD" => Reply::Whole("403 Forbidden", date.clone(), vec![]),
        _ if asked.path.ends_with("holdfast-target") => Reply::Whole("200 OK", vec![], MARKER.to_vec()),
        _ => Reply::Whole("403 Forbidden", date.clone(), document.clone()),
    });
    let server = server.await.unwrap();
    let clock = ManualClock::standing();
    clock.set_wall_us(ours_s * 1_000_000);
    let world = World { clock: Arc::new(clock), entropy: Arc::new(SeededEntropy::new(1)), timer: Arc::new(TokioTimer) };
    let target = open(&server.url(), &world);
    [
        target.read(&name("object"), 0..1).await.unwrap_err().to_string(),
        target.stat(&name("object")).await.unwrap_err().to_string(),
    ]
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_no_wrong_login() {
    const THEIRS: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const THEIRS_S: i64 = 784_111_777;
    for (code, ahead_s, says) in [
        ("RequestTimeTooSkewed", 1_500, "25 min ahead of its own"),
        ("RequestTimeTooSkewed", -7_320, "2 h 2 min behind its own"),
        ("AccessDenied", 90_000, "1 d 1 h ahead of its own"),
        ("SignatureDoesNotMatch", -1_000, "16 min behind its own"),
    ] {
        for said in skewed(code, THEIRS_S + ahead_s, THEIRS).await {
            assert!(said.contains(says) && said.contains("chrony") && said.contains("127.0.0.1"), "{code}: {said}");
            assert!(!said.contains("check") && said.contains("login was not refused"), "{code}: {said}");
        }
    }
    // With clocks that agree, a refusal is one.
    for said in skewed("SignatureDoesNotMatch", THEIRS_S + 60, THEIRS).await {
        assert!(!said.contains("clock") && said.contains("check"), "{said}");
    }
    let [said, _] = skewed("InvalidAccessKeyId", THEIRS_S + 5_000, THEIRS).await;
    assert!(said.contains("check key, secret and region"), "{said}");
}

fn page(keys: impl Iterator<Item = String>, more: &str) -> Reply {
    let keys: String = keys.map(|key| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>")).collect();
    let document = format!("<ListBucketResult>{more}{keys}</ListBucketResult>");
    Reply::Whole("200 OK", vec![], document.into_bytes())
}

const TRUNCATED: &str = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>";

#[tokio::test]
async fn a_listing_of_a_million_costs_a_page_and_one_that_comes_at_once_is_refused() {
    let (server, target) = liar(|_| page((0..1_000).map(|n| format!("root/{n:07}")), TRUNCATED)).await;
    let found = target.list("", None, 500).await.unwrap();
    assert!(found.more && found.objects.len() == 500);
    assert!(server.served() <= 3, "{} requests", server.served());
    let (_server, target) = liar(|_| page((0..1_000_000).map(|n| format!("root/{n:07}")), "")).await;
    assert!(is_io(target.list("", None, 500).await));
}

#[tokio::test]
async fn a_listing_that_repeats_itself_is_not_believed() {
    let (server, target) = liar(|_| page(["root/a".to_owned(), "root/b".to_owned()].into_iter(), TRUNCATED)).await;
    assert!(is_io(target.list("", None, 500).await));
    assert!(server.served() <= 3, "{} requests", server.served());
    // Empty pages with the same promise for ever.
    let (server, target) = liar(|_| page(std::iter::empty(), TRUNCATED)).await;
    assert!(is_io(target.list("", None, 500).await));
    assert!(server.served() <= 3, "{} requests", server.served());
    let (_server, target) = liar(|_| page(["root/b".to_owned(), "root/a".to_owned()].into_iter(), "")).await;
    assert!(is_io(target.list("", None, 500).await));
}

#[tokio::test]
async fn names_outside_our_root_are_passed_over() {
    let keys =
        ["", "a", "r", "roo", "root", "root/", "root/../a", "root/B", "root/a", "root/tmp/x", "rooty/a", "\u{e9}"];
    let (_server, target) = liar(move |_| page(keys.iter().map(|key| (*key).to_owned()), "")).await;
    let found = target.list("", None, 500).await.unwrap();
    let names: Vec<&str> = found.objects.iter().map(|listed| listed.name.as_str()).collect();
    assert_eq!(names, ["a"]);
}

#[tokio::test]
async fn garbage_for_a_listing_is_an_error() {
    for garbage in [
        "<html><body>welcome</body></html>",
        "",
        "\u{0}\u{1}",
        "<ListBucketResult><Contents><Key>root/a</Key></Contents></ListBucketResult>",
        "<!DOCTYPE x [<!ENTITY a 'aaaa'>]><ListBucketResult>&a;</ListBucketResult>",
        "<ListBucketResult>",
    ] {
        let (_server, target) = liar(move |_| Reply::Whole("200 OK", vec![], garbage.as_bytes().to_vec())).await;
        assert!(is_io(target.list("", None, 500).await), "{garbage}");
    }
}

#[tokio::test]
async fn an_upload_that_fails_late_is_no_success() {
    let (_server, target) = liar(|asked| match (asked.method.as_str(), asked.path.split_once('?')) {
        ("POST", Some((_, "uploads="))) => Reply::Whole("200 OK", vec![], b"<R><UploadId>u</UploadId></R>".to_vec()),
        // The failure comes after the status said success.
        ("POST", _) => Reply::Whole("200 OK", vec![], b"  <Error><Code>InternalError</Code></Error>".to_vec()),
        ("HEAD", _) => Reply::Whole("404 None", vec![], vec![]),
        ("PUT", None) => Reply::Whole("412 Taken", vec![], vec![]),
        _ => Reply::Whole("200 OK", vec!["ETag: \"t\"".to_owned()], vec![]),
    })
    .await;
    let mut writer = target.create(&name("object"), 0).await.unwrap();
    writer.write(Bytes::from(vec![1; 9 << 20])).await.unwrap();
    assert!(is_io(writer.finish().await));
}

/// A world whose time the test moves.
fn played() -> (ManualClock, World) {
    let clock = ManualClock::standing();
    let entropy = Arc::new(SeededEntropy::new(1));
    let world = World { clock: Arc::new(clock.clone()), entropy, timer: Arc::new(clock.clone()) };
    (clock, world)
}

#[tokio::test]
async fn a_black_hole_costs_one_time_out() {
    let server = Answerer::start(|_| Reply::Silence).await.unwrap();
    let (clock, world) = played();
    let target = Arc::new(open(&server.url(), &world));
    let asked = Arc::clone(&target);
    let waiting = tokio::spawn(async move { asked.probe().await });
    while !waiting.is_finished() {
        if server.served() > 0 && clock.sleeping() > 0 {
            clock.advance(3_000_000);
        }
        tokio::task::yield_now().await;
    }
    let result = waiting.await.unwrap();
    assert!(matches!(result, Err(Error::Timeout { limit_ms: 30_000, .. })), "{result:?}");
    for _ in 0..100 {
        let result = target.probe().await;
        assert!(matches!(&result, Err(Error::Down { reason, .. }) if reason.contains("does not answer")), "{result:?}");
    }
    assert_eq!(server.served(), 1, "it was asked again at once");
    clock.advance(1_000_000);
    // Somebody tries again, gives up after five seconds, and has learnt the same.
    let asked = Arc::clone(&target);
    let trying = tokio::spawn(async move { asked.probe().await });
    while server.served() < 2 {
        tokio::task::yield_now().await;
    }
    clock.advance(2_900_000);
    clock.advance(2_900_000);
    trying.abort();
    assert!(trying.await.is_err());
    assert!(matches!(target.probe().await, Err(Error::Down { .. })));
    assert_eq!(server.served(), 2);
}

#[tokio::test]
async fn an_answer_that_stops_in_its_middle_costs_one_time_out() {
    let head = "HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/100\r\nContent-Length: 10\r\n\r\n01234";
    let server = Answerer::start(move |asked| match asked.path.ends_with("object") {
        true => Reply::Stall(head.as_bytes().to_vec()),
        false => Reply::Whole("200 OK", vec![], MARKER.to_vec()),
    });
    let server = server.await.unwrap();
    let (clock, world) = played();
    let target = Arc::new(open(&server.url(), &world));
    let asked = Arc::clone(&target);
    let waiting = tokio::spawn(async move { asked.read(&name("object"), 0..10).await });
    while !waiting.is_finished() {
        if server.sent_bytes() > 0 && clock.sleeping() > 0 {
            clock.advance(100_000);
        }
        tokio::task::yield_now().await;
    }
    let result = waiting.await.unwrap();
    assert!(matches!(result, Err(Error::Timeout { limit_ms: 30_000, .. })), "{result:?}");
    for _ in 0..100 {
        let result = target.read(&name("object"), 0..10).await;
        assert!(
            matches!(&result, Err(Error::Down { reason, .. }) if reason.contains("stops in the middle")),
            "{result:?}"
        );
    }
    assert!(matches!(target.probe().await, Err(Error::Down { .. })), "whoever looks at it learns the same");
    assert_eq!(server.served(), 1, "it was asked again at once");
    clock.advance(10_000_000);
    assert!(target.probe().await.is_ok(), "it is tried again");
}

#[tokio::test]
async fn nobody_there_is_down_and_not_asked_again_at_once() {
    let server = Answerer::start(|_| Reply::Silence).await.unwrap();
    let url = server.url();
    drop(server);
    let (_, world) = played();
    let world = World { timer: Arc::new(TokioTimer), ..world };
    let target = open(&url, &world);
    let first = target.probe().await.unwrap_err().to_string();
    let second = target.probe().await.unwrap_err().to_string();
    assert!(first.contains("cannot connect") && !first.contains("tried again"), "{first}");
    assert!(second.contains("tried again soon"), "{second}");
}
