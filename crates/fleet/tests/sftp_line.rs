//! SFTP over lines that are far, cut, silent or swallow everything.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "these tests look at a target's folder, and measure")]

mod far;

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use far::{Far, MARKER, TIMES, at, down, far, in_tmp, name, once_rested, pattern, until};
use fleet::{Error, HostKey, Sftp, SftpLogin, SftpTimes, Target};
use testkit::{
    proxy::{Mode, Way},
    server::skip,
    servers::sshd,
    world::TokioTimer,
};

#[tokio::test]
async fn more_files_than_handles_of_one_byte_are_open_at_once() {
    if skip("more_files_than_handles_of_one_byte_are_open_at_once", sshd::PROGRAM) {
        return;
    }
    // OpenSSH numbers the open files of a channel; from the 129th on, the number is no text.
    let far = far(TIMES).await;
    let Far { target, .. } = &far;
    let mut writers = Vec::new();
    for n in 0..450 {
        writers.push(target.create(&name(&format!("many/{n}")), 0).await.unwrap());
    }
    for (n, mut writer) in writers.into_iter().enumerate() {
        writer.write(pattern(n)).await.unwrap();
        writer.finish().await.unwrap();
    }
    for n in [0, 130, 449] {
        let read = target.read(&name(&format!("many/{n}")), 0..n as u64).await.unwrap();
        assert_eq!(read, pattern(n));
    }
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_write_leaves_nothing_under_the_name() {
    if skip("a_cut_in_the_middle_of_a_write_leaves_nothing_under_the_name", sshd::PROGRAM) {
        return;
    }
    let far = far(TIMES).await;
    let Far { root, proxy, target, .. } = &far;
    target.put(&name("before"), &[MARKER]).await.unwrap();
    for cut_after in [1_000, 500_000, 5_000_000] {
        let mut writer = target.create(&name("object"), 0).await.unwrap();
        proxy.cut_after(Way::Up, cut_after);
        let piece = pattern(1 << 20);
        let mut written = Ok(());
        for _ in 0..8 {
            written = writer.write(piece.clone()).await;
            if written.is_err() {
                break;
            }
        }
        let ended = match written {
            Ok(()) => writer.finish().await,
            failed => {
                assert!(writer.write(piece.clone()).await.is_err(), "an abandoned writer takes more");
                assert!(writer.finish().await.is_err(), "an abandoned writer finishes");
                failed
            }
        };
        assert!(matches!(ended, Err(Error::Io { .. })), "{ended:?}");
        assert!(!root.join("object").exists());
        // The next call connects anew.
        assert_eq!(target.stat(&name("object")).await.unwrap(), None);
    }
    let connections = proxy.accepted();
    target.put(&name("object"), &[MARKER]).await.unwrap();
    assert_eq!(target.read(&name("object"), 0..6).await.unwrap(), MARKER);
    assert_eq!(proxy.accepted(), connections);
    until(|| in_tmp(root).is_empty()).await;
}

#[tokio::test]
async fn a_cut_or_a_wrong_bit_in_the_middle_of_a_read_is_an_error_and_the_next_read_is_whole() {
    let story = "a_cut_or_a_wrong_bit_in_the_middle_of_a_read_is_an_error_and_the_next_read_is_whole";
    if skip(story, sshd::PROGRAM) {
        return;
    }
    let far = far(TIMES).await;
    let Far { proxy, target, .. } = &far;
    let bytes = pattern(4 << 20);
    target.put(&name("object"), std::slice::from_ref(&bytes)).await.unwrap();
    let mut reads = tokio::task::JoinSet::new();
    proxy.cut_after(Way::Down, 1 << 20);
    for n in 0..8_u64 {
        let target = Arc::clone(target);
        reads.spawn(async move { target.read(&name("object"), n << 16..4 << 20).await });
    }
    // All who waited are told, and none gets half of it.
    let results = reads.join_all().await;
    assert!(results.iter().any(Result::is_err));
    for result in results {
        assert!(matches!(result, Ok(_) | Err(Error::Io { .. } | Error::Down { .. })));
    }
    assert_eq!(once_rested(async || target.read(&name("object"), 0..4 << 20).await).await, bytes);
    proxy.flip_after(Way::Down, 1 << 20);
    let flipped = target.read(&name("object"), 0..4 << 20).await;
    assert!(matches!(flipped, Err(Error::Io { .. })), "{:?}", flipped.map(|read| read == bytes));
    assert_eq!(once_rested(async || target.read(&name("object"), 0..4 << 20).await).await, bytes);
}

#[tokio::test]
async fn a_black_hole_costs_one_timeout_for_many_calls() {
    // Accepts and never answers.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let accepted =
        std::thread::spawn(move || listener.incoming().take(1).map_while(io::Result::ok).collect::<Vec<_>>());
    let times = SftpTimes { connect_ms: 300, rest_ms: 3_600_000, rest_ms_max: 3_600_000, ..TIMES };
    let host_key = HostKey::parse("SHA256:UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ").unwrap();
    let login = SftpLogin::password("secret");
    let target = Arc::new(Sftp::new(at(address, "u", "/x"), login, host_key, times, Arc::new(TokioTimer)));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let target = Arc::clone(&target);
        calls.spawn(async move { target.read(&name("a"), 0..1).await });
    }
    for result in calls.join_all().await {
        assert!(down(result).contains("within 300 ms"));
    }
    // Whoever comes later is told at once: the listener takes one connection and no second one is tried.
    for _ in 0..50 {
        assert!(down(target.stat(&name("a")).await).contains("within 300 ms"));
    }
    assert_eq!(accepted.join().unwrap().len(), 1);
}

#[tokio::test]
async fn a_line_that_falls_silent_fails_every_call_and_is_made_anew() {
    if skip("a_line_that_falls_silent_fails_every_call_and_is_made_anew", sshd::PROGRAM) {
        return;
    }
    // Noticed by signs of life that do not come, and by an answer that does not.
    for times in [SftpTimes { silent_ms: 600, ..TIMES }, SftpTimes { answer_ms: 600, ..TIMES }] {
        let far = far(times).await;
        let Far { proxy, target, .. } = &far;
        target.put(&name("object"), &[MARKER]).await.unwrap();
        proxy.set(Mode::Swallow);
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let target = Arc::clone(target);
            calls.spawn(async move { target.read(&name("object"), 0..6).await });
        }
        for result in calls.join_all().await {
            assert!(matches!(result, Err(Error::Io { .. } | Error::Timeout { .. })), "{result:?}");
        }
        proxy.set(Mode::Pass);
        assert_eq!(once_rested(async || target.read(&name("object"), 0..6).await).await, MARKER);
        assert_eq!(proxy.accepted(), 2);
    }
}

#[tokio::test]
async fn over_a_far_line_round_trips_do_not_grow_with_the_length() {
    let story = "over_a_far_line_round_trips_do_not_grow_with_the_length";
    if skip(story, sshd::PROGRAM) {
        return;
    }
    let far = far(TIMES).await;
    let Far { proxy, target, .. } = &far;
    // More of it to measure: HOLDFAST_MEASURE_MIB=256.
    let measure = std::env::var("HOLDFAST_MEASURE_MIB").ok().and_then(|mib| mib.parse::<usize>().ok());
    let bytes = measure.unwrap_or(16) << 20;
    let (cell, object) = (1_usize << 20, name("shards/far"));
    for way in [Way::Up, Way::Down] {
        proxy.delay(way, Duration::from_millis(25));
    }
    let piece = pattern(cell);
    let start = Instant::now();
    let mut writer = target.create(&object, bytes as u64).await.unwrap();
    for _ in 0..bytes / cell {
        writer.write(piece.clone()).await.unwrap();
    }
    writer.finish().await.unwrap();
    let wrote = start.elapsed();
    let start = Instant::now();
    let read = target.read(&object, 0..bytes as u64).await.unwrap();
    let took = start.elapsed();
    assert!(read.chunks(cell).all(|part| part == piece), "other bytes");
    let start = Instant::now();
    assert_eq!(target.read(&object, 0..cell as u64).await.unwrap(), piece);
    let one_cell = start.elapsed();
    let rate = |took: Duration| bytes as f64 / 1e6 / took.as_secs_f64();
    println!(
        "round trip 50 ms, {} MiB: written at {:.0} MB/s, read at {:.0} MB/s, one cell of 1 MiB read in {} ms",
        bytes >> 20,
        rate(wrote),
        rate(took),
        one_cell.as_millis()
    );
}
