//! SFTP against a server of our own that keeps its files in memory and can be told to misbehave: to lack what others offer,
//! to lie, to list for ever, to be full.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "the test is the server, with tasks of its own")]

mod liar;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use fleet::{Error, ObjectName, Sftp, Target};
use liar::{Liar, Node, Offers, failure, packet, status, string};
use testkit::target_suite::{self, Place};

const MARKER: Bytes = Bytes::from_static(b"marker");

fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

/// A marked target with one object of 100,000 bytes.
async fn marked(offers: Offers) -> (Liar, Arc<Sftp>) {
    let liar = Liar::start(offers).await;
    liar.files().insert("/t".to_owned(), Node::Folder);
    let target = liar.target("/t");
    target.write_marker(None, MARKER).await.unwrap();
    target.put(&name("object"), &[Bytes::from(vec![7; 100_000])]).await.unwrap();
    (liar, Arc::new(target))
}

#[tokio::test]
async fn the_rules_hold_at_servers_that_offer_little() {
    // Replaces on rename but not on link; replaces on both; one channel and small pieces.
    for offers in [
        Offers { hardlink: true, ..Offers::NOTHING },
        Offers { channels: 1, ..Offers::NOTHING },
        Offers { refuses: true, read_bytes: 10_000, ..Offers::NOTHING },
    ] {
        let liar = Liar::start(offers).await;
        let made = AtomicUsize::new(0);
        target_suite::run(async || {
            let root = format!("/target-{}", made.fetch_add(1, Ordering::Relaxed));
            liar.files().insert(root.clone(), Node::Folder);
            let target = liar.target(&root);
            target.write_marker(None, MARKER).await.unwrap();
            let files = liar.clone();
            let vanish = Box::new(move || files.files().retain(|path, _| !path.starts_with(&root)));
            Place { target: Arc::new(target), marker: MARKER, vanish }
        })
        .await;
    }
}

#[tokio::test]
async fn abilities_follow_from_what_the_server_did() {
    for (offers, no_clobber) in [
        (Offers { hardlink: true, ..Offers::NOTHING }, true),
        (Offers { refuses: true, ..Offers::NOTHING }, true),
        (Offers::NOTHING, false),
    ] {
        let (_liar, target) = marked(offers).await;
        let abilities = target.abilities();
        assert_eq!((abilities.no_clobber, abilities.durable_rename, abilities.free_space), (no_clobber, false, false));
    }
}

#[tokio::test]
async fn answers_to_a_read_that_are_too_long_empty_or_of_another_kind_are_errors() {
    let (liar, target) = marked(Offers::NOTHING).await;
    let lies: [fn(u32) -> Vec<u8>; 4] = [
        |id| packet(103, id, &[&string(&vec![7; 40_000])]),
        |id| packet(103, id, &[&string(b"")]),
        |id| packet(102, id, &[&string(b"handle")]),
        |id| status(id, 0),
    ];
    for lie in lies {
        liar.twist(5, move |id, _| Some(lie(id)));
        let read = target.read(&name("object"), 0..100_000).await;
        assert!(matches!(read, Err(Error::Io { .. })), "{:?}", read.map(|read| read.len()));
        liar.straighten();
        assert_eq!(target.read(&name("object"), 0..100_000).await.unwrap(), vec![7; 100_000]);
    }
    // An end that comes before the length that was told.
    liar.twist(5, |id, _| Some(status(id, 1)));
    assert!(matches!(target.read(&name("object"), 0..9).await, Err(Error::Short { .. })));
}

#[tokio::test]
async fn bytes_that_are_no_protocol_end_the_connection_and_the_next_call_makes_another() {
    let (liar, target) = marked(Offers::NOTHING).await;
    let garbage: [&[u8]; 4] =
        [&[0xff; 64], &[0, 0, 0, 0], &[0, 0, 0, 5, 99, 0, 0, 0, 1], &[0, 0, 0, 9, 101, 0, 0, 0, 1, 0]];
    for bytes in garbage {
        let connections = liar.connections();
        // The last one is only the beginning of a packet, and then the server ends.
        liar.twist(7, move |_, _| Some(bytes.to_vec()));
        liar.hang_up_after(bytes.len() == 10);
        let stat = target.stat(&name("object")).await;
        assert!(matches!(stat, Err(Error::Io { .. })), "{stat:?}");
        liar.straighten();
        assert_eq!(target.stat(&name("object")).await.unwrap(), Some(100_000));
        assert_eq!(liar.connections(), connections + 1);
    }
}

#[tokio::test]
async fn an_endless_listing_is_an_error_and_odd_names_are_passed_over() {
    let (liar, target) = marked(Offers::NOTHING).await;
    let entry = |name: &[u8]| {
        let file = [0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0o201, 0o200];
        [&string(name)[..], &string(b""), &file].concat()
    };
    let odd: [&[u8]; 7] = [b"..", b"../up", b"a/b", b"\xff", b"Upper", b"", b"fine"];
    let told = Arc::new(AtomicUsize::new(0));
    liar.twist(12, move |id, _| {
        if told.fetch_add(1, Ordering::Relaxed) > 0 {
            return Some(status(id, 1));
        }
        let entries: Vec<u8> = odd.iter().flat_map(|name| entry(name)).collect();
        Some(packet(104, id, &[&7_u32.to_be_bytes(), &entries]))
    });
    let page = target.list("", None, 10).await.unwrap();
    assert_eq!(page.objects.iter().map(|listed| listed.name.as_str()).collect::<Vec<_>>(), ["fine"]);

    // More objects than are kept of a folder, then entries that are nothing, as many as a packet holds: those cost the least.
    let next = Arc::new(AtomicUsize::new(0));
    let nothings = [0; 12].repeat(20_000);
    liar.twist(12, move |id, _| {
        let from = next.fetch_add(6_000, Ordering::Relaxed);
        if from >= 72_000 {
            return Some(packet(104, id, &[&20_000_u32.to_be_bytes(), &nothings]));
        }
        let entries: Vec<u8> = (from..from + 6_000).flat_map(|n| entry(format!("{n:08}").as_bytes())).collect();
        Some(packet(104, id, &[&6_000_u32.to_be_bytes(), &entries]))
    });
    assert!(matches!(target.list("", None, usize::MAX).await, Err(Error::Io { .. })));
}

#[tokio::test]
async fn a_full_server_is_told_from_one_that_fails() {
    let offers = Offers { statvfs: true, ..Offers::NOTHING };
    let (liar, target) = marked(offers).await;
    let put = async |text: &str| target.put(&name(text), &[MARKER]).await;
    liar.twist(6, |id, _| Some(status(id, 4)));
    assert!(matches!(put("a").await, Err(Error::Io { .. })));
    liar.twist(6, |id, _| Some(failure(id, "Disk quota exceeded")));
    assert!(matches!(put("b").await, Err(Error::Full { .. })));
    liar.twist(6, |id, _| Some(status(id, 14)));
    assert!(matches!(put("c").await, Err(Error::Full { .. })));
    liar.set_free_bytes(0);
    liar.twist(6, |id, _| Some(status(id, 4)));
    assert!(matches!(put("d").await, Err(Error::Full { .. })));
    liar.straighten();
    assert!(target.list("", None, 9).await.unwrap().objects.len() == 1, "something of them is there");
}

#[tokio::test]
async fn a_marker_that_never_ends_is_no_marker() {
    let (liar, target) = marked(Offers::NOTHING).await;
    liar.twist(5, |id, _| Some(packet(103, id, &[&string(&[7; 32_000])])));
    assert!(matches!(target.probe().await, Err(Error::Down { .. })));
    assert!(matches!(target.put(&name("new"), &[MARKER]).await, Err(Error::Down { .. })));
}

#[tokio::test]
async fn no_sftp_is_down() {
    for (offers, word) in
        [(Offers { version: 6, ..Offers::NOTHING }, "version"), (Offers { channels: 0, ..Offers::NOTHING }, "channel")]
    {
        let liar = Liar::start(offers).await;
        let probe = liar.target("/t").probe().await;
        assert!(matches!(&probe, Err(Error::Down { reason, .. }) if reason.contains(word)), "{probe:?}");
    }
}
