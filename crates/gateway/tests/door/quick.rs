//! Files that anybody leaves here without an account, where that is turned on.

use serde_json::{Value, json};

use crate::{
    access::{Browser, invited, owner},
    http::Answer,
    world::{World, noise},
};

const DAY_S: i64 = 86_400;

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

async fn turn_on(owner: &mut Browser<'_>, more: Value) {
    let mut quick = json!({ "file_bytes": 200_000, "days_max": 7, "space_bytes": 500_000, "bytes_per_day": 1_000_000 });
    more.as_object().unwrap().iter().for_each(|(key, value)| quick[key] = value.clone());
    let answer = owner.ask("PATCH", "/api/v1/service", json!({ "quick": quick })).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

async fn begin(guest: &mut Browser<'_>, name: &str, size: usize) -> Answer {
    guest.ask("POST", "/api/v1/quick", json!({ "name": name, "size": size, "days": 2 })).await
}

/// Sends the bytes; the last answer.
async fn send(guest: &Browser<'_>, begun: &Value, body: &[u8]) -> Answer {
    let length = body.len().to_string();
    let creation =
        [("Tus-Resumable", "1.0.0"), ("Upload-Length", length.as_str()), ("Upload-Metadata", "path aWdub3JlZA==")];
    let made = guest.send("POST", begun["upload"].as_str().unwrap(), &creation, b"").await;
    if made.status != 201 {
        return made;
    }
    let patch =
        [("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream")];
    let at = made.header("location").to_owned();
    assert!(at.starts_with(begun["upload"].as_str().unwrap()), "{at}");
    guest.send("PATCH", &at, &patch, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_left_without_an_account_and_gone_after_its_days() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let mut guest = Browser::new(&world);
    assert_eq!(world.with("GET", "/api/v1/service", &[]).await.json()["quick"], Value::Null, "off unless turned on");
    assert_eq!(refused(&begin(&mut guest, "a", 1).await), (403, "quick_off".into()));
    turn_on(&mut owner, json!({})).await;
    let offered = world.with("GET", "/api/v1/service", &[]).await.json();
    assert_eq!(
        offered["quick"],
        json!({ "file_bytes": 200_000, "days_max": 7, "space_bytes": 500_000, "bytes_per_day": 1_000_000 })
    );
    let body = noise(1, 150_000);
    let begun = begin(&mut guest, "holiday.jpg", body.len()).await;
    assert_eq!(begun.status, 201, "{}", String::from_utf8_lossy(&begun.body));
    let begun = begun.json();
    assert_eq!(begun["expires"].as_str().unwrap().get(..10), Some("2026-04-03"));
    let link = format!("/api/v1/links/{}", begun["code"].as_str().unwrap());
    assert_eq!(world.with("GET", &link, &[]).await.status, 404, "nothing is there before all of it is");
    assert_eq!(send(&guest, &begun, &body).await.status, 204);
    let about = world.with("GET", &link, &[]).await.json();
    assert_eq!(
        (&about["name"], &about["size"], &about["expires"], &about["owner"]),
        (&json!("holiday.jpg"), &json!(150_000), &begun["expires"], &Value::Null)
    );
    assert!(world.with("GET", &format!("{link}/content"), &[]).await.body == body);
    // Done once: no second file by the same ticket.
    assert_eq!(send(&guest, &begun, &body).await.status, 404);

    // The operator sees what is held, and can switch it off; nobody else can.
    let held = owner.ask("GET", "/api/v1/quick", Value::Null).await.json();
    assert_eq!((&held["files"][0]["name"], &held["files"][0]["size"]), (&json!("holiday.jpg"), &json!(150_000)));
    let people = owner.ask("GET", "/api/v1/accounts", Value::Null).await.json();
    let line = people["accounts"].as_array().unwrap().iter().find(|line| line["name"] == "Quick upload").unwrap();
    assert_eq!((&line["signs_in"], &line["used_bytes"]), (&json!(false), &json!(150_000)));
    let address = format!("/api/v1/quick/{}", begun["code"].as_str().unwrap());
    let mut bob = invited(&mut owner, "bob").await;
    assert_eq!(bob.ask("GET", "/api/v1/quick", Value::Null).await.status, 403);
    assert_eq!(bob.ask("PATCH", &address, json!({ "off": true })).await.status, 403);
    assert_eq!(guest.ask("PATCH", &address, json!({ "off": true })).await.status, 401);
    assert_eq!(owner.ask("PATCH", &address, json!({ "off": true })).await.status, 204);
    assert_eq!(refused(&world.with("GET", &link, &[]).await), (410, "link_off".into()));
    assert_eq!(owner.ask("PATCH", &address, json!({ "off": false })).await.status, 204);
    let report = json!({ "reason": "illegal", "words": "this is mine" });
    assert_eq!(guest.ask("POST", &format!("{link}/report"), report).await.status, 204);
    let reports = owner.ask("GET", "/api/v1/reports", Value::Null).await.json();
    assert_eq!(reports["reports"][0]["link"]["account"], "Quick upload");

    world.service.expire().await.unwrap();
    assert_eq!(world.with("GET", &link, &[]).await.status, 200);
    world.clock.jump_s(2 * DAY_S + 1);
    assert_eq!(world.with("GET", &link, &[]).await.status, 410);
    world.service.expire().await.unwrap();
    let account = world.store.read(|tx| catalogue::accounts::by_name(tx, "Quick upload")).await.unwrap().unwrap().id;
    let used = world.store.read(move |tx| catalogue::limits::used_bytes(tx, account)).await.unwrap();
    assert_eq!(used, 0, "erased, not put into a trash");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_a_file_removes_it_with_the_secret_and_nobody_without() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    turn_on(&mut owner, json!({})).await;
    let mut guest = Browser::new(&world);
    let (one, other) = (begin(&mut guest, "one", 9).await.json(), begin(&mut guest, "other", 9).await.json());
    assert_eq!(send(&guest, &one, b"something").await.status, 204);
    let address = format!("/api/v1/quick/{}", one["code"].as_str().unwrap());
    for wrong in [json!({ "remove": "" }), json!({ "remove": other["remove"] }), json!({ "remove": one["code"] })] {
        assert_eq!(refused(&guest.ask("DELETE", &address, wrong).await), (404, "no_link".into()));
    }
    let foreign = guest.ask_from("cross-site", "DELETE", &address, json!({ "remove": one["remove"] })).await;
    assert_eq!(foreign.status, 403);
    assert_eq!(guest.ask("DELETE", &address, json!({ "remove": one["remove"] })).await.status, 204);
    let link = format!("/api/v1/links/{}", one["code"].as_str().unwrap());
    assert_eq!(refused(&world.with("GET", &link, &[]).await), (410, "link_ended".into()));
    assert_eq!(guest.ask("DELETE", &address, json!({ "remove": one["remove"] })).await.status, 404);
    // An unfinished one as well; and it leaves nothing.
    let address = format!("/api/v1/quick/{}", other["code"].as_str().unwrap());
    assert_eq!(guest.ask("DELETE", &address, json!({ "remove": other["remove"] })).await.status, 204);
    assert_eq!(send(&guest, &other, b"something").await.status, 404);
    let held = owner.ask("GET", "/api/v1/quick", Value::Null).await.json();
    assert_eq!(held["files"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_left_is_bounded_on_every_side() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    turn_on(&mut owner, json!({})).await;
    let mut guest = Browser::new(&world);
    let large = begin(&mut guest, "a", 200_001).await;
    assert_eq!((refused(&large), &large.json()["limit"]), ((413, "file_too_large".into()), &json!(200_000)));
    for (wish, code) in [
        (json!({ "name": "a", "size": 0 }), "bad_quick"),
        (json!({ "name": "a", "size": 1, "days": 8 }), "bad_quick"),
        (json!({ "name": "a/b", "size": 1 }), "bad_quick"),
        (json!({ "name": "..", "size": 1 }), "bad_path"),
    ] {
        assert_eq!(refused(&guest.ask("POST", "/api/v1/quick", wish.clone()).await), (400, code.into()), "{wish}");
    }
    // Another length than was said, or none.
    let begun = begin(&mut guest, "a", 150_000).await.json();
    assert_eq!(refused(&send(&guest, &begun, &[1; 100]).await), (400, "bad_quick".into()));
    let deferred = [("Tus-Resumable", "1.0.0"), ("Upload-Defer-Length", "1"), ("Upload-Metadata", "path YQ==")];
    let answer = guest.send("POST", begun["upload"].as_str().unwrap(), &deferred, b"").await;
    assert_eq!(refused(&answer), (400, "bad_quick".into()));
    // What is under way takes room, too.
    assert_eq!(begin(&mut guest, "b", 200_000).await.status, 201);
    assert_eq!(refused(&begin(&mut guest, "c", 200_000).await), (507, "quick_full".into()));
    turn_on(&mut owner, json!({ "space_bytes": 100_000_000, "bytes_per_day": 500_000 })).await;
    assert_eq!(refused(&begin(&mut guest, "c", 200_000).await), (429, "too_many_quick".into()));
    world.clock.jump_s(DAY_S);
    assert_eq!(begin(&mut guest, "c", 200_000).await.status, 201);
    // One network begins so many in an hour.
    let from = [("X-Forwarded-For", "198.51.100.7"), ("Content-Type", "application/json")];
    let mut begun = 0;
    for _ in 0..40 {
        let answer = guest.send("POST", "/api/v1/quick", &from, br#"{"name":"n","size":1}"#).await;
        match answer.status {
            201 => begun += 1,
            _ => assert_eq!(refused(&answer), (429, "too_many_quick".into())),
        }
    }
    assert_eq!(begun, 30);
    // Turned off, what is under way is refused and what is there stays.
    assert_eq!(owner.ask("PATCH", "/api/v1/service", json!({ "quick": null })).await.status, 200);
    assert_eq!(refused(&begin(&mut guest, "d", 1).await), (403, "quick_off".into()));
}
