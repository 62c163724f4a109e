//! An account is deleted a grace after that was decided, with everything that it held and showed.

use model::Scope;
use serde_json::{Value, json};

use crate::{
    access::{Browser, PASSWORD, invited, owner},
    http::{Connection, request},
    world::{World, noise},
};

const DOOR: &str = "/api/v1/session/leave";
const DAY_S: i64 = 86_400;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_leaves_is_whole_for_its_grace_and_gone_after_it() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    bob.send("PUT", "/api/v1/files/album/a", &[], b"bytes of bob's").await;
    bob.send("PUT", "/api/v1/files/album/b", &[], b"more").await;
    bob.send("DELETE", "/api/v1/files/album/b", &[], b"").await;
    let link = bob.ask("POST", "/api/v1/shares", json!({ "path": "/album" })).await.json();
    let link = format!("/api/v1/links/{}", link["code"].as_str().unwrap());
    bob.ask("POST", "/api/v1/grants", json!({ "path": "/album", "to": "owner", "rights": "read" })).await;
    let token = bob.ask("POST", "/api/v1/tokens", json!({ "label": "p" })).await.json();
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap());

    let wrong = bob.ask("POST", DOOR, json!({ "password": "not this one" })).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (401, "bad_login"));
    let leaves = bob.ask("POST", DOOR, json!({ "password": PASSWORD })).await.json();
    assert_eq!(leaves["leaves"].as_str().unwrap().get(..10), Some("2026-04-15"));
    let me = bob.ask("GET", "/api/v1/session", Value::Null).await.json();
    assert_eq!(me["account"]["leaves"].as_str().unwrap().get(..10), Some("2026-04-15"));
    let people = owner.ask("GET", "/api/v1/accounts", Value::Null).await.json();
    assert!(
        people["accounts"].as_array().unwrap().iter().any(|line| line["name"] == "bob" && line["leaves"].is_string())
    );

    // Everything goes on until then, and the owner may think better of it.
    world.clock.jump_s(13 * DAY_S);
    world.service.expire().await.unwrap();
    assert_eq!(bob.send("GET", "/api/v1/files/album/a", &[], b"").await.body, b"bytes of bob's");
    assert_eq!(world.with("GET", &link, &[]).await.status, 200);
    assert_eq!(bob.ask("DELETE", DOOR, Value::Null).await.status, 204);
    world.clock.jump_s(2 * DAY_S);
    world.service.expire().await.unwrap();
    assert_eq!(bob.send("GET", "/api/v1/files/album/a", &[], b"").await.status, 200);

    assert_eq!(owner.ask("PATCH", "/api/v1/accounts/bob", json!({ "leaves": true })).await.status, 204);
    world.clock.jump_s(14 * DAY_S + 60);
    world.service.expire().await.unwrap();
    world.service.expire().await.unwrap();
    assert_eq!(Browser::new(&world).sign_in("bob", PASSWORD).await.status, 401);
    assert_ne!(bob.ask("GET", "/api/v1/session", Value::Null).await.status, 200);
    assert_ne!(world.with("GET", "/api/v1/files/", &[("Authorization", &bearer)]).await.status, 200);
    // Nothing is known of it any more, not even that it was.
    assert_eq!(world.with("GET", &link, &[]).await.status, 404);
    let shared = owner.ask("GET", "/api/v1/shared", Value::Null).await.json();
    assert_eq!(shared["shared"], json!([]));
    let people = owner.ask("GET", "/api/v1/accounts", Value::Null).await.json();
    assert_eq!(people["accounts"].as_array().unwrap().len(), 1, "{people}");

    // The name is free, and whoever takes it finds nothing of the one before.
    let mut other = invited(&mut owner, "bob").await;
    let listing = other.ask("GET", "/api/v1/files/", Value::Null).await.json();
    assert_eq!(listing["entries"], json!([]));
    let left: u64 = world
        .store
        .read(|tx| catalogue::accounts::all(tx)?.iter().map(|row| catalogue::limits::used_bytes(tx, row.id)).sum())
        .await
        .unwrap();
    assert_eq!(left, 0, "no version of it is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_operator_stays() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let answer = owner.ask("POST", DOOR, json!({ "password": PASSWORD })).await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "last_operator"));
    let itself = owner.ask("PATCH", "/api/v1/accounts/owner", json!({ "leaves": true })).await;
    assert_eq!(itself.status, 403);
    let mut bob = invited(&mut owner, "bob").await;
    assert_eq!(bob.ask("PATCH", "/api/v1/accounts/owner", json!({ "leaves": true })).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_that_leaves_keeps_nothing_else_from_happening() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let bob = invited(&mut owner, "bob").await;
    bob.send("PUT", "/api/v1/files/f", &[], b"bytes").await;
    // Nobody takes the name that a deleted account will have.
    let code = owner.ask("POST", "/api/v1/invitations", json!({})).await.json()["code"].as_str().unwrap().to_owned();
    let name = format!("deleted {}", "0".repeat(32));
    let sign_up = json!({ "invitation": code, "name": name, "password": PASSWORD });
    let answer = Browser::new(&world).ask("POST", "/api/v1/accounts", sign_up).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad_name"));

    let all = world.store.read(|tx| catalogue::accounts::all(tx)).await.unwrap();
    let id = all.iter().find(|row| row.name == "bob").unwrap().id;
    assert_eq!(owner.ask("PATCH", "/api/v1/accounts/bob", json!({ "leaves": true })).await.status, 204);
    world.clock.jump_s(14 * DAY_S + 60);
    world.service.expire().await.unwrap();
    // Once it is closed it cannot be taken back half-way.
    let gone = format!("deleted%20{id}");
    let answer = owner.ask("PATCH", &format!("/api/v1/accounts/{gone}"), json!({ "leaves": false })).await;
    assert_eq!(answer.status, 404);
}

/// Begins to send a body of so many bytes, and goes on when the service has begun to read it.
async fn begin(world: &World, (method, target): (&str, &str), headers: &[(&str, &str)], body: &[u8]) -> Connection {
    let whole = request(method, target, &[headers, &[("Expect", "100-continue")]].concat(), body);
    let mut connection = world.connect().await;
    connection.send(&whole[..whole.len() - body.len()]).await;
    assert_eq!(connection.answer(true).await.status, 100);
    connection.send(&body[..body.len() / 2]).await;
    connection
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_on_its_way_when_its_account_is_deleted_gets_nothing_in() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let bob = invited(&mut owner, "bob").await;
    let all = world.store.read(|tx| catalogue::accounts::all(tx)).await.unwrap();
    let id = all.iter().find(|row| row.name == "bob").unwrap().id;
    let own = [("Cookie", bob.cookie.as_str()), ("Sec-Fetch-Site", "same-origin")];
    let tus = [("Tus-Resumable", "1.0.0"), ("Upload-Length", "200000"), ("Upload-Metadata", "path dHVz")];
    let upload = bob.send("POST", "/api/v1/uploads/", &tus, b"").await.header("location").to_owned();
    let body = noise(1, 200_000);
    let mut put = begin(&world, ("PUT", "/api/v1/files/put"), &own, &body).await;
    let piece = [("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream"), tus[0]];
    let mut patch = begin(&world, ("PATCH", &upload), &[&own[..], &piece[..]].concat(), &body).await;

    assert_eq!(owner.ask("PATCH", "/api/v1/accounts/bob", json!({ "leaves": true })).await.status, 204);
    world.clock.jump_s(14 * DAY_S + 60);
    world.service.expire().await.unwrap();
    assert!(world.store.read(move |tx| catalogue::accounts::gone(tx, id)).await.unwrap().is_some());
    // Whoever sent the piece may know already that it was in vain.
    let _ = patch.try_send(&body[100_000..]).await;
    put.send(&body[100_000..]).await;
    let (put, patch) = (put.answer(false).await, patch.answer(false).await);
    assert_eq!((put.status, put.code().as_str()), (403, "suspended"));
    assert!(patch.status >= 400, "{patch:?}");
    let left = move |tx: &mut catalogue::Tx<'_>| {
        Ok((catalogue::limits::used_bytes(tx, id)?, catalogue::uploads::of_account(tx, id)?.len()))
    };
    assert_eq!(world.store.read(left).await.unwrap(), (0, 0));
    // What others do is stated as before: nothing waits for an account that is gone.
    world.put("others", b"bytes").await;
    for _ in 0..3 {
        world.clock.jump_s(DAY_S);
        world.store.tick(true).await.unwrap();
    }
    let mut uncovered = world.store.read(|tx| catalogue::scopes::uncovered(tx, 1)).await.unwrap();
    uncovered.retain(|view| view.scope != Scope::Cluster);
    assert_eq!(uncovered, []);
}
