//! The WebDAV driver against real servers of other makers, and against what none of them does.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "a test makes and removes folders behind the driver's back")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use fleet::{DeleteTicket, Error, HttpOptions, ObjectName, Target, WebDav, WebDavAddress, WebDavLogin};
use testkit::{
    scratch::Scratch,
    server::{Server, find, skip},
    servers::{apache, nginx, rclone},
    target_suite::{self, Place},
    world::real_world,
};

const MARKER: Bytes = Bytes::from_static(b"marker of the suite");

fn open(url: &str) -> WebDav {
    let login = WebDavLogin { user: rclone::LOGIN.to_owned(), password: rclone::SECRET.to_owned() };
    WebDav::open(&WebDavAddress { url: url.to_owned() }, &login, &HttpOptions::default(), &real_world()).unwrap()
}

/// The whole suite on one server, each rule in a folder of its own.
async fn keeps_the_rules(server: Server, path: &str, served: &str, tells_space: bool) {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    target_suite::run(async || {
        let name = format!("root-{}", MADE.fetch_add(1, Ordering::Relaxed));
        let folder = server.folder().join(served).join(&name);
        apache::make_folder(&folder).unwrap();
        let target = open(&format!("http://{}{path}/{name}", server.address()));
        target.probe().await.unwrap();
        target.write_marker(None, MARKER).await.unwrap();
        assert_eq!(target.abilities().free_space, tells_space, "docs/targets.md says otherwise");
        let vanish = move || fs::remove_dir_all(&folder).unwrap();
        Place { target: Arc::new(target), marker: MARKER, vanish: Box::new(vanish) }
    })
    .await;
}

#[tokio::test]
async fn apache_keeps_the_rules() {
    if skip("the WebDAV driver keeps the rules on Apache", apache::PROGRAM) {
        return;
    }
    keeps_the_rules(apache::start().unwrap(), "/dav", apache::SERVED, false).await;
}

#[tokio::test]
async fn rclone_keeps_the_rules() {
    if skip("the WebDAV driver keeps the rules on rclone", rclone::PROGRAM) {
        return;
    }
    // It remembers folders, so each rule has a server of its own, and the place vanishes with it.
    target_suite::run(async || {
        let server = rclone::webdav().unwrap();
        let target = open(&format!("http://{}/{}", server.address(), rclone::SERVED));
        target.write_marker(None, MARKER).await.unwrap();
        target.probe().await.unwrap();
        assert!(!target.abilities().free_space, "docs/targets.md says otherwise");
        Place { target: Arc::new(target), marker: MARKER, vanish: Box::new(move || drop(server)) }
    })
    .await;
}

#[tokio::test]
async fn nginx_keeps_the_rules() {
    let story = "the WebDAV driver keeps the rules on nginx";
    if skip(story, nginx::PROGRAM) || skip(story, nginx::MODULE) {
        return;
    }
    keeps_the_rules(nginx::start().unwrap(), "", nginx::SERVED, false).await;
}

fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

async fn at_apache() -> (Server, WebDav) {
    let server = apache::start().unwrap();
    let target = open(&format!("http://{}/dav", server.address()));
    target.write_marker(None, MARKER).await.unwrap();
    (server, target)
}

fn left_in_tmp(server: &Server) -> usize {
    fs::read_dir(server.folder().join(apache::SERVED).join("tmp")).unwrap().count()
}

#[tokio::test]
async fn a_long_object_is_streamed_and_a_dropped_one_leaves_nothing() {
    if skip("a long object is streamed to Apache", apache::PROGRAM) {
        return;
    }
    let (server, target) = at_apache().await;
    let piece = Bytes::from(vec![7; 1 << 20]);
    let mut writer = target.create(&name("shards/long"), 0).await.unwrap();
    for _ in 0..40 {
        writer.write(piece.clone()).await.unwrap();
    }
    writer.finish().await.unwrap();
    assert_eq!(target.stat(&name("shards/long")).await.unwrap(), Some(40 << 20));
    assert_eq!(target.read(&name("shards/long"), (39 << 20) - 1..(40 << 20) - 1).await.unwrap(), piece);
    let mut dropped = target.create(&name("shards/dropped"), 0).await.unwrap();
    for _ in 0..10 {
        dropped.write(piece.clone()).await.unwrap();
    }
    drop(dropped);
    while left_in_tmp(&server) > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(target.stat(&name("shards/dropped")).await.unwrap(), None);
}

#[tokio::test]
async fn what_a_killed_process_left_is_removed_before_the_first_write() {
    if skip("leftovers at Apache are removed", apache::PROGRAM) {
        return;
    }
    let (server, target) = at_apache().await;
    apache::make_folder(&server.folder().join(apache::SERVED).join("tmp/left")).unwrap();
    target.put(&name("one"), &[Bytes::from_static(b"1")]).await.unwrap();
    assert_eq!(left_in_tmp(&server), 1, "it was swept in the middle of a life");
    let next = open(&format!("http://{}/dav", server.address()));
    next.expect_marker(Some(MARKER));
    next.put(&name("two"), &[Bytes::from_static(b"2")]).await.unwrap();
    assert_eq!(left_in_tmp(&server), 0);
}

#[tokio::test]
async fn a_folder_in_the_place_of_an_object_is_not_deleted() {
    if skip("a folder at Apache is not deleted", apache::PROGRAM) {
        return;
    }
    let (_server, target) = at_apache().await;
    target.put(&name("shards/one"), &[Bytes::from_static(b"1")]).await.unwrap();
    let folder = name("shards");
    let not_an_object = |result| matches!(result, Err(Error::NotAnObject { .. }));
    assert!(not_an_object(target.delete(&DeleteTicket { name: folder.clone(), reason: "reclaimed" }).await));
    assert!(not_an_object(target.set_aside(&folder).await));
    assert!(not_an_object(target.stat(&folder).await.map(drop)));
    assert!(not_an_object(target.read(&folder, 0..1).await.map(drop)));
    assert!(not_an_object(target.put(&folder, &[Bytes::from_static(b"2")]).await));
    assert_eq!(target.read(&name("shards/one"), 0..1).await.unwrap(), b"1".as_slice());
}

#[tokio::test]
async fn a_wrong_password_is_down_and_shown_to_nobody() {
    if skip("a wrong password is down", apache::PROGRAM) {
        return;
    }
    let (server, _) = at_apache().await;
    let login = WebDavLogin { user: apache::LOGIN.to_owned(), password: "another-secret".to_owned() };
    let address = WebDavAddress { url: format!("http://{}/dav", server.address()) };
    let target = WebDav::open(&address, &login, &HttpOptions::default(), &real_world()).unwrap();
    let message = target.probe().await.unwrap_err().to_string();
    assert!(message.contains("refuses the login") && !message.contains("another-secret"), "{message}");
}

/// A certificate for 127.0.0.1 that vouches for itself, and its key.
fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let mut openssl = Command::new(find("openssl").unwrap());
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]);
    openssl.args(["-subj", "/CN=holdfast test", "-addext", "subjectAltName=IP:127.0.0.1"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    let made = openssl.arg("-out").arg(&certificate).arg("-keyout").arg(&key).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (certificate, key)
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_it_is_given_and_nowhere_else() {
    let story = "a private authority is trusted where it is given";
    if skip(story, rclone::PROGRAM) || skip(story, "openssl") {
        return;
    }
    let scratch = Scratch::new("tls").unwrap();
    let (certificate_file, key) = certificate(scratch.path());
    let server = rclone::webdav_over_tls(&certificate_file, &key).unwrap();
    let open = |authority_pem| {
        let address = WebDavAddress { url: format!("https://{}", server.address()) };
        let login = WebDavLogin { user: rclone::LOGIN.to_owned(), password: rclone::SECRET.to_owned() };
        WebDav::open(&address, &login, &HttpOptions { authority_pem }, &real_world())
    };
    let stranger = open(None).unwrap().probe().await.unwrap_err().to_string();
    assert!(stranger.contains("cannot connect"), "{stranger}");
    let pem = Bytes::from(fs::read(&certificate_file).unwrap());
    let target = open(Some(pem)).unwrap();
    target.write_marker(None, MARKER).await.unwrap();
    target.put(&name("one"), &[Bytes::from(vec![1; 300_000])]).await.unwrap();
    assert_eq!(target.read(&name("one"), 0..300_000).await.unwrap().len(), 300_000);
    let nonsense = open(Some(Bytes::from_static(b"no certificate")));
    assert!(matches!(nonsense, Err(Error::BadAddress { .. })));
}
