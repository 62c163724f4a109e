//! Connections: early answers, broken bodies, silent peers, shutdown.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::{
    http::request,
    world::{World, hasty, noise},
};

const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn expect_100_continue_is_answered_before_the_body() {
    let world = World::new().await;
    let mut connection = world.connect().await;
    let body = noise(1, 3 << 20);
    let whole = world.request("PUT", "/api/v1/files/f", &[("Expect", "100-continue")], &body);
    let (head, body) = whole.split_at(whole.len() - body.len());
    connection.send(head).await;
    assert_eq!(connection.answer(false).await.status, 100);
    connection.send(body).await;
    assert_eq!(connection.answer(false).await.status, 201);
    connection.send(world.request("GET", "/api/v1/files/f", &[], b"")).await;
    assert!(connection.answer(false).await.body == body, "on the same connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_body_is_not_asked_for() {
    let world = World::new().await;
    world.put("folder/f", b"").await;
    for (target, authorised, status) in [("folder", true, 409), ("%2e%2e", true, 400), ("f", false, 401)] {
        let mut connection = world.connect().await;
        let target = format!("/api/v1/files/{target}");
        let headers = [("Expect", "100-continue"), ("Content-Length", "1000000000")];
        let head = if authorised {
            world.request("PUT", &target, &headers, b"")
        } else {
            request("PUT", &target, &headers, b"")
        };
        // The helper adds a length of its own: leave the first.
        let head = String::from_utf8(head).unwrap().replace("Content-Length: 0\r\n", "");
        connection.send(head).await;
        let answer = connection.answer(false).await;
        assert_eq!((answer.status, answer.header("connection")), (status, "close"), "{target}");
        assert!(timeout(SOON, connection.is_closed()).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let world = World::new().await;
    let mut connection = world.connect().await;
    let body = noise(1, 32 << 20);
    // Much more than the sockets' buffers hold, sent before anything is read.
    connection.try_send(request("PUT", "/api/v1/files/f", &[], &body)).await;
    let answer = connection.answer(false).await;
    assert_eq!((answer.status, answer.header("connection")), (401, "close"));
}

#[tokio::test(flavor = "multi_thread")]
async fn short_bodies_leave_nothing() {
    let world = World::new().await;
    for bytes in [10, 3 << 20] {
        let mut connection = world.connect().await;
        let whole = world.request("PUT", "/api/v1/files/short", &[], &noise(1, bytes));
        connection.send(&whole[..whole.len() - 1]).await;
        connection.finish().await;
        drop(connection);
    }
    let mut connection = world.connect().await;
    let head = world.request("PUT", "/api/v1/files/chunk", &[("Transfer-Encoding", "chunked")], b"");
    let head = String::from_utf8(head).unwrap().replace("Content-Length: 0\r\n", "");
    connection.send(head + "5\r\nhello\r\n").await;
    connection.finish().await;
    timeout(SOON, connection.is_closed()).await.unwrap();
    // Requests are answered in tasks of their own; by now these two have failed, or will never succeed.
    world.put("last", b"").await;
    assert_eq!(world.names("").await, ["last"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_could_be_read_in_two_ways_are_refused() {
    let world = World::new().await;
    for header in ["Content-Length: 5\r\nContent-Length: 6", "Content-Length: -1", "Content-Length: 5x"] {
        let mut connection = world.connect().await;
        let head = String::from_utf8(world.request("PUT", "/api/v1/files/f", &[], b"")).unwrap();
        connection.send(head.replace("Content-Length: 0", header) + "helloo").await;
        assert_eq!(connection.answer(false).await.status, 400, "{header}");
    }
    assert!(world.names("").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_peers_are_given_up() {
    let world = World::within(hasty()).await;
    let mut headless = world.connect().await;
    headless.send("PUT /api/v1/files/f HTT").await;
    let mut silent = world.connect().await;
    let whole = world.request("PUT", "/api/v1/files/f", &[], &noise(1, 100));
    silent.send(&whole[..whole.len() - 50]).await;
    assert!(timeout(SOON, headless.is_closed()).await.unwrap());
    let answer = timeout(SOON, silent.answer(false)).await.unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (400, "body_broken"));
    assert!(timeout(SOON, silent.is_closed()).await.unwrap());
    assert!(world.names("").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_takes_nothing_is_given_up() {
    let world = World::within(hasty()).await;
    world.put("f", &noise(1, 32 << 20)).await;
    let mut idle = world.connect().await;
    idle.send(world.request("GET", "/api/v1/files/f", &[], b"")).await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    let answer = timeout(SOON, idle.answer(false)).await.unwrap();
    assert!(answer.cut, "its slot is free again, and what it reads now ends early");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_slots_wait_and_are_served() {
    let world = World::within(hasty()).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(world.connect().await);
    }
    let mut waiting = world.connect().await;
    waiting.send(world.request("GET", "/api/v1/files/", &[], b"")).await;
    // The idle ones are closed after the time for a head.
    assert_eq!(timeout(SOON, waiting.answer(false)).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_finishes_what_is_under_way() {
    let mut world = World::new().await;
    let mut busy = world.connect().await;
    let whole = world.request("PUT", "/api/v1/files/f", &[], &noise(1, 100_000));
    let (first, second) = whole.split_at(50_000);
    busy.send(first).await;
    let mut idle = world.connect().await;
    idle.send(world.request("GET", "/healthz", &[], b"")).await;
    assert_eq!(idle.answer(false).await.body, b"ok\n");
    let begun = Instant::now();
    world.stop.take().unwrap().send(()).unwrap();
    assert!(timeout(SOON, idle.is_closed()).await.unwrap());
    busy.send(second).await;
    assert_eq!(busy.answer(false).await.status, 201);
    timeout(SOON, &mut world.served).await.unwrap().unwrap();
    assert!(begun.elapsed() < SOON);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_requests_on_one_connection() {
    let world = World::new().await;
    let mut connection = world.connect().await;
    let mut both = world.request("PUT", "/api/v1/files/f", &[], b"x");
    both.extend(world.request("GET", "/api/v1/files/f", &[], b""));
    both.extend(world.request("GET", "/api/v1/files/none", &[], b""));
    both.extend(world.request("GET", "/api/v1/files/f", &[], b""));
    connection.send(both).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(connection.answer(false).await.status);
    }
    assert_eq!(statuses, [201, 200, 404, 200]);
}
