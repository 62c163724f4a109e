//! Plans: what they limit holds at every door, and only for whom it is meant.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    access::{Browser, invited, owner},
    http::{Answer, request},
    world::{World, noise},
};

const DAY_S: i64 = 86_400;

async fn plan(operator: &mut Browser<'_>, name: &str, limits: Value) {
    let answer = operator.ask("PUT", &format!("/api/v1/plans/{name}"), limits).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

async fn give(operator: &mut Browser<'_>, account: &str, plan: Value) -> Answer {
    operator.ask("PATCH", &format!("/api/v1/accounts/{account}"), json!({ "plan": plan })).await
}

/// What the owner's links brought today, once it is so much: it is counted when a body has ended, which its reader sees a
/// moment earlier.
async fn today(world: &World, least: u64) -> u64 {
    for _ in 0..400 {
        let answer = world.call("GET", "/api/v1/session", &[], b"").await.json();
        let bytes = answer["account"]["limits"]["link_bytes_today"].as_u64().unwrap();
        if bytes >= least {
            return bytes;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never {least}")
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_are_made_given_and_ended_by_operators() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    let family = json!({ "space_bytes": 1_000_000, "file_bytes": 500_000, "keep_days": 30, "guest_bytes_per_s": 2048 });
    assert_eq!(refused(&bob.ask("PUT", "/api/v1/plans/Family", family.clone()).await), (403, "not_operator".into()));
    assert_eq!(bob.ask("GET", "/api/v1/plans", Value::Null).await.status, 403);
    plan(&mut owner, "Family", family).await;
    for bad in [json!({ "keep_days": 0 }), json!({ "guest_bytes_per_s": 1 })] {
        assert_eq!(refused(&owner.ask("PUT", "/api/v1/plans/Bad", bad).await), (400, "bad_plan".into()));
    }
    assert_eq!(refused(&give(&mut owner, "bob", json!("Nothing")).await), (404, "no_plan".into()));
    assert_eq!(give(&mut owner, "bob", json!("Family")).await.status, 204);
    let plans = owner.ask("GET", "/api/v1/plans", Value::Null).await.json();
    let line = json!({ "name": "Family", "space_bytes": 1_000_000, "file_bytes": 500_000, "keep_days": 30,
        "link_bytes_per_day": null, "guest_bytes_per_s": 2048, "accounts": 1 });
    assert_eq!(plans, json!({ "plans": [line] }));
    let me = bob.ask("GET", "/api/v1/session", Value::Null).await.json()["account"].clone();
    let limits = json!({ "plan": "Family", "file_bytes": 500_000, "keep_days": 30, "link_bytes_per_day": null,
        "link_bytes_today": 0, "guest_bytes_per_s": 2048 });
    assert_eq!((&me["quota_bytes"], &me["limits"]), (&json!(1_000_000), &limits));
    // The own quota goes above the plan's space, and leaves the plan's other limits.
    assert_eq!(owner.ask("PATCH", "/api/v1/accounts/bob", json!({ "quota_bytes": 7 })).await.status, 204);
    let me = bob.ask("GET", "/api/v1/session", Value::Null).await.json()["account"].clone();
    assert_eq!((&me["quota_bytes"], &me["limits"]["plan"]), (&json!(7), &json!("Family")));
    let people = owner.ask("GET", "/api/v1/accounts", Value::Null).await.json();
    assert_eq!((&people["accounts"][0]["name"], &people["accounts"][0]["plan"]), (&json!("bob"), &json!("Family")));

    assert_eq!(refused(&owner.ask("DELETE", "/api/v1/plans/Family", Value::Null).await), (409, "plan_in_use".into()));
    assert_eq!(give(&mut owner, "bob", Value::Null).await.status, 204);
    // What newcomers get is in use, too.
    let said = json!({ "sign_up": "open", "new_plan": "Family" });
    let service = owner.ask("PATCH", "/api/v1/service", said).await.json();
    assert_eq!(service["new_plan"], "Family");
    assert_eq!(owner.ask("PATCH", "/api/v1/service", json!({ "new_plan": "Nothing" })).await.status, 404);
    assert_eq!(owner.ask("DELETE", "/api/v1/plans/Family", Value::Null).await.status, 409);
    let mut carol = Browser::new(&world);
    let sign_up = json!({ "name": "carol", "password": crate::access::PASSWORD });
    let me = carol.ask("POST", "/api/v1/accounts", sign_up).await.json();
    assert_eq!(me["account"]["limits"]["plan"], "Family");
    assert_eq!(give(&mut owner, "carol", Value::Null).await.status, 204);
    owner.ask("PATCH", "/api/v1/service", json!({ "new_plan": null })).await;
    assert_eq!(owner.ask("DELETE", "/api/v1/plans/Family", Value::Null).await.status, 204);
    assert_eq!(refused(&owner.ask("DELETE", "/api/v1/plans/Family", Value::Null).await), (404, "no_plan".into()));
}

/// A body whose length nobody says before its end.
fn chunked(target: &str, cookie: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "PUT {target} HTTP/1.1\r\nHost: h\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let mut sent = head.into_bytes();
    for piece in body.chunks(10_000) {
        sent.extend(format!("{:x}\r\n", piece.len()).bytes().chain(piece.iter().copied()).chain(*b"\r\n"));
    }
    sent.extend(*b"0\r\n\r\n");
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn no_door_takes_a_file_that_is_too_large_and_its_owners_plan_counts() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    let eve = invited(&mut owner, "eve").await;
    assert_eq!(bob.send("PUT", "/api/v1/files/inbox/before", &[], &noise(1, 300_000)).await.status, 201);
    plan(&mut owner, "Small", json!({ "file_bytes": 100_000 })).await;
    assert_eq!(give(&mut owner, "bob", json!("Small")).await.status, 204);
    let too_large = |answer: &Answer, door: &str| {
        assert_eq!(
            (refused(answer), &answer.json()["limit"]),
            ((413, "file_too_large".into()), &json!(100_000)),
            "{door}"
        );
        assert!(answer.json()["detail"].as_str().unwrap().contains("100.0 kB"), "{}", answer.json());
    };
    assert_eq!(bob.send("PUT", "/api/v1/files/fits", &[], &noise(2, 100_000)).await.status, 201);
    // Before the first byte, where the length is said.
    let mut connection = world.connect().await;
    let head = format!(
        "PUT /api/v1/files/big HTTP/1.1\r\nHost: h\r\nCookie: {}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 100001\r\n\r\n",
        bob.cookie
    );
    connection.send(head).await;
    too_large(&connection.answer(false).await, "PUT");
    let mut connection = world.connect().await;
    let _ = connection.try_send(chunked("/api/v1/files/big", &bob.cookie, &noise(3, 200_000))).await;
    too_large(&connection.answer(false).await, "PUT without a length");
    let tus = [("Tus-Resumable", "1.0.0"), ("Upload-Length", "100001"), ("Upload-Metadata", "path Ymln")];
    too_large(&bob.send("POST", "/api/v1/uploads/", &tus, b"").await, "tus");
    // Said later, or never: it is broken off, and a length that is too large is refused.
    let deferred = [("Tus-Resumable", "1.0.0"), ("Upload-Defer-Length", "1"), ("Upload-Metadata", "path Ymln")];
    let begun = bob.send("POST", "/api/v1/uploads/", &deferred, b"").await;
    let upload = begun.header("location").to_owned();
    let patch = |extra: &[(&'static str, &'static str)]| {
        let mut all = vec![
            ("Tus-Resumable", "1.0.0"),
            ("Upload-Offset", "0"),
            ("Content-Type", "application/offset+octet-stream"),
        ];
        all.extend_from_slice(extra);
        all
    };
    let said = bob.send("PATCH", &upload, &patch(&[("Upload-Length", "100001")]), b"").await;
    too_large(&said, "tus, said later");
    too_large(&bob.send("PATCH", &upload, &patch(&[]), &noise(4, 150_000)).await, "tus, broken off");
    // Others' bytes are the owner's.
    let wish = json!({ "path": "/inbox", "to": "eve", "rights": "write" });
    let grant = bob.ask("POST", "/api/v1/grants", wish).await.json();
    let shared = format!("/api/v1/shared/{}", grant["id"].as_str().unwrap());
    too_large(&eve.send("PUT", &format!("{shared}/files/x"), &[], &noise(5, 100_001)).await, "a grant");
    let wish = json!({ "path": "/inbox", "receives": true });
    let share = bob.ask("POST", "/api/v1/shares", wish).await.json();
    let link = format!("/api/v1/links/{}", share["code"].as_str().unwrap());
    too_large(&Browser::new(&world).send("POST", &format!("{link}/uploads/"), &tus, b"").await, "a request");
    // What was there stays, and is not made more of.
    assert_eq!(bob.send("GET", "/api/v1/files/inbox/before", &[], b"").await.body.len(), 300_000);
    let copy = json!({ "action": "copy", "to": "/again" }).to_string();
    too_large(&bob.send("POST", "/api/v1/files/inbox/before", &[], copy.as_bytes()).await, "copy");
    let listing = bob.ask("GET", "/api/v1/files/", Value::Null).await.json();
    let names: Vec<_> = listing["entries"].as_array().unwrap().iter().map(|entry| entry["name"].clone()).collect();
    assert_eq!(names, ["fits", "inbox"], "nothing of what was refused is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_whose_days_are_over_lie_in_the_trash_and_no_jump_of_a_clock_destroys_one() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    plan(&mut owner, "Month", json!({ "keep_days": 30 })).await;
    assert_eq!(give(&mut owner, "owner", json!("Month")).await.status, 204);
    world.put("folder/old", b"old").await;
    world.put("written%20over", b"first").await;
    world.put("thrown%20away/inside", b"x").await;
    assert_eq!(world.file("DELETE", "thrown%20away/", &[], b"").await.status, 204);
    world.clock.jump_s(20 * DAY_S);
    world.put("written%20over", b"second").await;
    world.service.expire().await.unwrap();
    assert_eq!(world.names("").await, ["folder", "written over"]);
    world.clock.jump_s(10 * DAY_S + 60);
    assert!(world.service.expire().await.unwrap() >= 1);
    assert_eq!(world.names("folder/").await, Vec::<String>::new(), "a folder stays");
    assert_eq!(world.get("written%20over").await.body, b"second", "its days began anew");
    assert_eq!(world.act("folder/old", r#"{"action":"restore"}"#).await.status, 201);
    assert_eq!(world.get("folder/old").await.body, b"old", "nothing was destroyed");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_piece_whose_guest_has_gone() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    world.put("a", &noise(1, 400_000)).await;
    let share = owner.ask("POST", "/api/v1/shares", json!({ "path": "/a" })).await.json();
    let content = format!("/api/v1/links/{}/content", share["code"].as_str().unwrap());
    plan(&mut owner, "Slow", json!({ "guest_bytes_per_s": 2_048 })).await;
    assert_eq!(give(&mut owner, "owner", json!("Slow")).await.status, 204);
    let mut gone = world.connect().await;
    gone.send(request("GET", &content, &[], b"")).await;
    gone.begins().await;
    drop(gone);
    // Counted when the service has seen that nobody reads on.
    let first = today(&world, 1).await;
    assert!(first < 400_000, "its second piece was to wait");
    // The moment of the first piece, which went out, is over; the next one was promised to whoever is gone.
    world.clock.jump_s(i64::try_from(first / 2_048).unwrap() + 1);
    let next = world.with("GET", &content, &[("Range", "bytes=0-9")]);
    assert_eq!(timeout(Duration::from_secs(10), next).await.expect("it waits for nobody").body.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_days_traffic_of_links_is_bounded_and_begins_anew_at_midnight() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    world.put("folder/a", &noise(1, 70_000)).await;
    let share = owner.ask("POST", "/api/v1/shares", json!({ "path": "/folder" })).await.json();
    let link = format!("/api/v1/links/{}", share["code"].as_str().unwrap());
    plan(&mut owner, "Little", json!({ "link_bytes_per_day": 100_000 })).await;
    assert_eq!(give(&mut owner, "owner", json!("Little")).await.status, 204);
    let today = async |least: u64| today(&world, least).await;
    assert_eq!(world.with("GET", &format!("{link}/files/a"), &[("Range", "bytes=0-9999")]).await.body.len(), 10_000);
    assert_eq!(today(10_000).await, 10_000);
    assert_eq!(world.with("GET", &format!("{link}/files/a"), &[]).await.body.len(), 70_000);
    let bytes = today(80_000).await;
    // A zip counts too, and is finished although it goes beyond the limit.
    let zip = world.with("GET", &format!("{link}/zip/"), &[]).await;
    assert!(!zip.cut && zip.body.len() > 70_000);
    today(bytes + zip.body.len() as u64).await;
    for door in ["files/a", "zip/", "thumbnails/a"] {
        let answer = world.with("GET", &format!("{link}/{door}"), &[]).await;
        assert_eq!(refused(&answer), (429, "link_traffic".into()), "{door}");
        let wait: i64 = answer.header("retry-after").parse().unwrap();
        assert!((11 * 3_600..=12 * 3_600).contains(&wait), "noon to midnight: {wait}");
    }
    // What takes no bytes goes on, and so does the owner.
    for door in ["", "/files/"] {
        assert_eq!(world.with("GET", &format!("{link}{door}"), &[]).await.status, 200, "{door}");
    }
    assert_eq!(world.get("folder/a").await.status, 200);
    world.service.expire().await.unwrap();
    // Another process over the same catalogue knows what was written down.
    let again = service::Service::new(world.store.clone());
    let caller = again.authenticate(&world.token, service::Need::Everything).await.unwrap();
    assert!(again.me(&caller).await.unwrap().link_bytes_today > 150_000);
    world.clock.jump_s(13 * 3_600);
    assert_eq!(world.with("GET", &format!("{link}/files/a"), &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_of_an_account_share_its_speed_and_the_owner_has_none() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    world.put("a", &noise(1, 400_000)).await;
    let share = owner.ask("POST", "/api/v1/shares", json!({ "path": "/a" })).await.json();
    let content = format!("/api/v1/links/{}/content", share["code"].as_str().unwrap());
    plan(&mut owner, "Slow", json!({ "guest_bytes_per_s": 500_000 })).await;
    assert_eq!(give(&mut owner, "owner", json!("Slow")).await.status, 204);
    let began = Instant::now();
    let (one, other) = tokio::join!(world.with("GET", &content, &[]), world.with("GET", &content, &[]));
    let took_ms = began.elapsed().as_millis();
    assert!(one.body == noise(1, 400_000) && other.body == one.body);
    // 800,000 bytes at 500,000 a second, but for the last pieces of both, which are on their way when their moment comes.
    assert!(took_ms >= 1_200, "both came in {took_ms} ms");
    // Whoever goes away in the middle leaves nothing that others wait for longer than for a piece.
    let mut gone = world.connect().await;
    gone.send(request("GET", &content, &[], b"")).await;
    drop(gone);
    assert_eq!(world.get("a").await.body.len(), 400_000);
    assert_eq!(world.with("GET", &content, &[("Range", "bytes=0-9")]).await.body.len(), 10);
}
