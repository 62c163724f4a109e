//! The WebDAV driver against a server that does what real ones do not, and some will: bounded cost, a clear error, no panic.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use fleet::{DeleteTicket, Error, HttpOptions, ObjectName, Target, WebDav, WebDavAddress, WebDavLogin};
use testkit::{
    answerer::{Answerer, Asked, Reply},
    world::real_world,
};

const MARKER: Bytes = Bytes::from_static(b"marker");
const SECRET: &str = "a-secret-of-the-test";
/// What may be sent before somebody notices that nobody reads: buffers of sockets on both sides.
const BUFFERED_BYTES: usize = 16 << 20;

fn open(url: &str) -> WebDav {
    let address = WebDavAddress { url: format!("{url}/dav/root") };
    let login = WebDavLogin { user: "me".to_owned(), password: SECRET.to_owned() };
    let target = WebDav::open(&address, &login, &HttpOptions::default(), &real_world()).unwrap();
    target.expect_marker(Some(MARKER));
    target
}

/// A server that shows the right marker, and else says what the test wants.
async fn liar(says: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> (Answerer, WebDav) {
    let server = Answerer::start(move |asked| match asked.path.as_str() {
        "/dav/root/holdfast-target" => Reply::Whole("200 OK", vec![], MARKER.to_vec()),
        _ => says(asked),
    });
    let server = server.await.unwrap();
    let target = open(&server.url());
    (server, target)
}

fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

fn is_io<T>(result: fleet::Result<T>) -> bool {
    matches!(result, Err(Error::Io { .. }))
}

fn described(entries: impl Iterator<Item = (String, Option<u64>)>) -> Reply {
    let mut document = "<multistatus xmlns=\"DAV:\">".to_owned();
    for (reference, bytes) in entries {
        let what = match bytes {
            Some(bytes) => format!("<resourcetype/><getcontentlength>{bytes}</getcontentlength>"),
            None => "<resourcetype><collection/></resourcetype>".to_owned(),
        };
        document.push_str(&format!(
            "<response><href>{reference}</href><propstat><prop>{what}</prop><status>HTTP/1.1 200 OK</status></propstat>\
             </response>"
        ));
    }
    document.push_str("</multistatus>");
    Reply::Whole("207 Multi", vec![], document.into_bytes())
}

#[tokio::test]
async fn a_read_takes_no_more_than_it_asked_for() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/100\r\n\r\n",
    ] {
        let (server, target) = liar(move |_| Reply::Endless(head.as_bytes().to_vec())).await;
        assert!(is_io(target.read(&name("object"), 0..10).await), "{head}");
        assert!(server.sent_bytes() < BUFFERED_BYTES, "{head}: {} bytes", server.sent_bytes());
    }
    let truncated = b"HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/100\r\nContent-Length: 10\r\n\r\n01234".to_vec();
    let (_server, target) = liar(move |_| Reply::Raw(truncated.clone())).await;
    assert!(is_io(target.read(&name("object"), 0..10).await));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_login_is_not_sent_on() {
    let inner = Answerer::start(|_| Reply::Whole("200 OK", vec![], MARKER.to_vec())).await.unwrap();
    let location = format!("Location: {}/latest?token=hush", inner.url());
    let (_server, target) = liar(move |_| Reply::Whole("302 Go", vec![location.clone()], vec![])).await;
    let object = name("object");
    for message in [
        target.read(&object, 0..10).await.unwrap_err().to_string(),
        target.list("", None, 10).await.unwrap_err().to_string(),
        target.put(&object, &[MARKER]).await.unwrap_err().to_string(),
    ] {
        assert!(message.contains("redirects to") && !message.contains("hush"), "{message}");
    }
    assert_eq!(inner.served(), 0);
}

#[tokio::test]
async fn every_refusal_says_what_to_do_and_no_secret() {
    let cases =
        [("401 No", "check name and password"), ("403 No", "rights"), ("503 Slow", "too busy"), ("402 Pay", "paid")];
    for (status, remedy) in cases {
        let server = Answerer::start(move |_| Reply::Whole(status, vec![], SECRET.as_bytes().to_vec())).await.unwrap();
        let target = open(&server.url());
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
            assert!(matches!(error, Error::Down { .. }), "{status}: {message}");
            assert!(message.contains(remedy) && message.contains("127.0.0.1"), "{status}: {message}");
            assert!(!message.contains(SECRET), "{message}");
        }
    }
}

#[tokio::test]
async fn only_what_lies_directly_below_the_asked_folder_is_believed() {
    let references = [
        "/dav/root/",
        "/dav/root/a",
        "http://elsewhere.example/dav/root/b",
        "/etc/passwd",
        "/dav/rooty",
        "/dav/root/x/y",
        "/dav/root/..",
        "/dav/root/%2e%2e",
        "/dav/root/c%2fd",
        "/dav/root/%2561",
        "/dav/root/%zz",
        "/dav/root/tmp",
        "/dav/root/A",
        "",
    ];
    let (_server, target) = liar(move |_| {
        described(
            references.iter().map(|reference| ((*reference).to_owned(), (*reference != "/dav/root/").then_some(1))),
        )
    })
    .await;
    let page = target.list("", None, 100).await.unwrap();
    let names: Vec<&str> = page.objects.iter().map(|listed| listed.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[tokio::test]
async fn folders_without_end_and_folders_too_large_cost_a_bounded_amount() {
    let (server, target) = liar(|asked| {
        let folder = asked.path.trim_end_matches('/').to_owned();
        described([(format!("{folder}/f/"), None), (format!("{folder}/"), None)].into_iter())
    })
    .await;
    assert!(target.list("", None, 10).await.unwrap().objects.is_empty());
    assert!(server.served() < 300, "{} requests", server.served());
    let (_server, target) = liar(|_| described((0..1_000_000).map(|n| (format!("/dav/root/{n:07}"), Some(1))))).await;
    assert!(is_io(target.list("", None, 10).await));
}

#[tokio::test]
async fn garbage_for_a_listing_is_an_error() {
    for garbage in [
        "<html/>",
        "",
        "\u{0}\u{1}",
        "<multistatus>",
        "<!DOCTYPE x [<!ENTITY a 'aaaa'>]><multistatus>&a;</multistatus>",
    ] {
        let (_server, target) = liar(move |_| Reply::Whole("207 Multi", vec![], garbage.as_bytes().to_vec())).await;
        assert!(is_io(target.list("", None, 10).await), "{garbage}");
    }
}

#[tokio::test]
async fn a_server_that_calls_every_name_taken_is_left_at_some_point() {
    let (server, target) = liar(|asked| match asked.method.as_str() {
        "PROPFIND" => described([(asked.path.clone(), Some(1))].into_iter()),
        "MOVE" => Reply::Whole("412 Taken", vec![], vec![]),
        _ => Reply::Whole("201 Made", vec![], vec![]),
    })
    .await;
    assert!(is_io(target.set_aside(&name("bad")).await));
    assert!(server.served() < 1_100, "{} requests", server.served());
}

#[tokio::test]
async fn an_answer_before_the_object_is_sent_is_no_success() {
    let (_server, target) = liar(|asked| match (asked.method.as_str(), asked.path.contains("/tmp/")) {
        ("PUT", true) => Reply::Whole("507 Full", vec![], vec![]),
        _ => Reply::Whole("201 Made", vec![], vec![]),
    })
    .await;
    let mut writer = target.create(&name("object"), 0).await.unwrap();
    writer.write(Bytes::from_static(b"some")).await.unwrap();
    assert!(matches!(writer.finish().await, Err(Error::Full { .. })));
}

#[tokio::test]
async fn a_server_that_ends_used_connections_when_a_rename_comes_takes_objects_nevertheless() {
    let (_server, target) = liar(|asked| match asked.method.as_str() {
        // As Apache does with every idle connection when its workers are all busy.
        "MOVE" if asked.nth > 1 => Reply::Raw(vec![]),
        "PROPFIND" if asked.path.contains("/tmp/") => described([(asked.path.clone(), Some(4))].into_iter()),
        "PROPFIND" => Reply::Whole("404 None", vec![], vec![]),
        _ => Reply::Whole("201 Made", vec![], vec![]),
    })
    .await;
    target.put(&name("object"), &[Bytes::from_static(b"some")]).await.unwrap();
    let mut writer = target.create(&name("streamed"), 0).await.unwrap();
    writer.write(Bytes::from_static(b"some")).await.unwrap();
    writer.finish().await.unwrap();
}

#[tokio::test]
async fn an_object_whose_name_was_given_before_the_answer_was_lost_is_there() {
    let moved = AtomicBool::new(false);
    let (_server, target) = liar(move |asked| match asked.method.as_str() {
        // The server acts, and the connection ends.
        "MOVE" => {
            moved.store(true, Ordering::Relaxed);
            Reply::Raw(vec![])
        }
        "PROPFIND" if asked.path.contains("/tmp/") != moved.load(Ordering::Relaxed) => {
            described([(asked.path.clone(), Some(4))].into_iter())
        }
        "PROPFIND" => Reply::Whole("404 None", vec![], vec![]),
        _ => Reply::Whole("201 Made", vec![], vec![]),
    })
    .await;
    target.put(&name("object"), &[Bytes::from_static(b"some")]).await.unwrap();
}
