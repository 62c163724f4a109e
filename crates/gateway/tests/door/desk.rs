//! Leases and the notice desk: what a firm files is what it filed, what it may not file costs little, and what nobody looks
//! at is told of again.

use catalogue::leases;
use format::ledger::{Checkpoint, Receipt, VerifierKey, verify};
use model::id::NoticeId;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    access::{Browser, invited, owner},
    http::{Answer, request},
    world::World,
};

const DAY_S: i64 = 86_400;

/// A lease with two servers, and its desk.
pub struct Desk {
    pub lease: String,
    pub path: String,
    pub token: String,
}

pub async fn desk(operator: &mut Browser<'_>, contract: &str) -> Desk {
    let servers = json!([{ "name": "s1", "site": "AMS", "targets": ["/provider-2"] }, { "name": "s2" }]);
    let wish = json!({ "provider": "provider-2", "contract": contract, "servers": servers, "notice_days": 60 });
    let made = operator.ask("POST", "/api/v1/leases", wish).await;
    assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
    let lease = made.json()["id"].as_str().unwrap().to_owned();
    let opened = operator.ask("POST", &format!("/api/v1/leases/{lease}/desk"), json!({})).await;
    assert_eq!(opened.status, 201, "{}", String::from_utf8_lossy(&opened.body));
    let text = |name: &str| opened.json()[name].as_str().unwrap().to_owned();
    Desk { lease, path: text("path"), token: text("token") }
}

pub async fn send(world: &World, method: &str, path: &str, token: &str, body: &[u8]) -> Answer {
    let mut connection = world.connect().await;
    let bearer = format!("Bearer {token}");
    let _ = connection.try_send(request(method, path, &[("Authorization", &bearer)], body)).await;
    connection.answer(false).await
}

async fn entries(world: &World, what: &str) -> Vec<Value> {
    let ledger = world.call("GET", "/api/v1/ledger", &[], b"").await.json();
    ledger["entries"].as_array().unwrap().iter().filter(|entry| entry["what"] == what).cloned().collect()
}

async fn notices(world: &World, query: &str) -> Vec<Value> {
    let answer = world.call("GET", &format!("/api/v1/notices{query}"), &[], b"").await.json();
    answer["notices"].as_array().unwrap().clone()
}

fn field<'v>(entry: &'v Value, key: &str) -> &'v str {
    let fields = entry["fields"].as_array().unwrap();
    fields.iter().find(|field| field["key"] == key).map_or("", |field| field["value"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_firm_files_a_notice_and_cannot_claim_another_later() {
    let world = World::new().await;
    let mut operator = owner(&world).await;
    let desk = desk(&mut operator, "A-17").await;
    let letter = b"%PDF signed by hand".to_vec();
    let hash: String = Sha256::digest(&letter).iter().map(|byte| format!("{byte:02x}")).collect();
    let filing = json!({ "text": "we take s1 back", "servers": ["s1"], "deadline": "2026-09-01T00:00:00Z",
        "document": { "name": "letter.pdf", "bytes": letter.len(), "sha256": hash } });
    let content = filing.to_string().into_bytes();
    let filed = send(&world, "POST", &desk.path, &desk.token, &content).await;
    assert_eq!(filed.status, 201, "{}", String::from_utf8_lossy(&filed.body));
    let filed = filed.json();

    // With the answer and the operator's key alone, no service asked.
    let known = operator.ask("GET", "/api/v1/ledger/checkpoint", Value::Null).await.json()["key"].clone();
    assert_eq!(filed["key"], known);
    let key = VerifierKey::parse(known.as_str().unwrap()).unwrap();
    let receipt = Receipt::open(filed["receipt"].as_str().unwrap(), &key).unwrap();
    assert_eq!(receipt.content, <[u8; 32]>::from(Sha256::digest(&content)));
    assert_eq!(receipt.notice.to_string(), filed["notice"]);
    let older = Checkpoint::open(filed["checkpoint"].as_str().unwrap(), &key).unwrap();
    assert_eq!(older, receipt.checkpoint);
    let claimed = filing.to_string().replace("s1", "s2").into_bytes();
    assert_ne!(receipt.content, <[u8; 32]>::from(Sha256::digest(&claimed)), "another is not what was filed");

    // What the receipt names stands in the ledger that anybody verifies, with the words.
    let export = operator.ask("GET", "/api/v1/ledger/export", Value::Null).await.body;
    verify(&export, &key, Some(older)).unwrap();
    let entry = entries(&world, "notice.filed").await.remove(0);
    assert_eq!(entry["n"], receipt.n);
    assert_eq!((field(&entry, "text"), field(&entry, "servers")), ("we take s1 back", "s1"));
    let seen = notices(&world, "?open=true").await.remove(0);
    assert_eq!(
        (&seen["state"], &seen["served"], &seen["provider"]),
        (&json!("received"), &json!("at-desk"), &json!("provider-2"))
    );
    assert_eq!(seen["targets"].as_array().unwrap().len(), 1, "what lies on s1: {seen}");

    // The document is the one that was announced, or none; it lies in the files of whoever opened the desk.
    let at = format!("{}/{}/document", desk.path, filed["notice"].as_str().unwrap());
    let other = send(&world, "PUT", &at, &desk.token, b"%PDF forged by hand").await;
    assert_eq!((other.status, other.code()), (400, "body_digest".to_owned()));
    let long = send(&world, "PUT", &at, &desk.token, &[7; 100_000]).await;
    assert_eq!(long.status, 400, "{}", String::from_utf8_lossy(&long.body));
    assert!(operator.ask("GET", "/api/v1/files/", Value::Null).await.json()["entries"].as_array().unwrap().is_empty());
    assert_eq!(send(&world, "PUT", &at, &desk.token, &letter).await.status, 204);
    assert_eq!(send(&world, "PUT", &at, &desk.token, &letter).await.code(), "bad_notice", "once");
    let folder = operator.ask("GET", "/api/v1/files/Notices/provider-2/", Value::Null).await.json();
    let name = folder["entries"][0]["name"].as_str().unwrap();
    assert!(name.starts_with("2026-04-01 ") && name.ends_with(" letter.pdf"), "{folder}");
    assert_eq!(entries(&world, "notice.document").await.len(), 1);

    // Every operator reads it, and nobody else; also where its keeper has put something else in its place.
    let kept = format!("/api/v1/notices/{}/document", filed["notice"].as_str().unwrap());
    let at = format!("/api/v1/files/Notices/provider-2/{}", name.replace(' ', "%20"));
    assert!(operator.ask("PUT", &at, json!("another")).await.status < 300);
    let read = world.call("GET", &kept, &[], b"").await;
    assert_eq!((read.status, read.body), (200, letter), "the one that was announced");
    let mut bob = invited(&mut operator, "bob").await;
    assert_eq!(bob.ask("GET", &kept, Value::Null).await.code(), "not_operator");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_filed_is_refused_and_costs_nothing() {
    let world = World::new().await;
    let mut operator = owner(&world).await;
    let mut bob = invited(&mut operator, "bob").await;
    let desk = desk(&mut operator, "A-17").await;
    let before = operator.ask("GET", "/api/v1/ledger", Value::Null).await.json()["entries"].as_array().unwrap().len();
    let hash = "0".repeat(64);
    let nobody = format!("/api/v1/desk/{}/notices", "0".repeat(32));
    let text = |text: &str| json!({ "text": text });
    for (path, token, filing, status, code) in [
        (&desk.path, "hfd_guess", text("x"), 403, "desk_token"),
        (&desk.path, world.token.as_str(), text("x"), 403, "desk_token"),
        (&nobody, &desk.token, text("x"), 403, "desk_token"),
        (&desk.path, &desk.token, json!({ "text": "x", "servers": ["s9"] }), 400, "bad_notice"),
        (&desk.path, &desk.token, json!({ "text": "x", "deadline": "2026-03-31T00:00:00Z" }), 400, "bad_notice"),
        (&desk.path, &desk.token, json!({ "text": "x", "deadline": "soon" }), 400, "bad_time"),
        (&desk.path, &desk.token, text(""), 400, "bad_notice"),
        (&desk.path, &desk.token, text(&"x".repeat(17 << 10)), 400, "bad_notice"),
        (&desk.path, &desk.token, text(&"x".repeat(70 << 10)), 413, "body_too_long"),
        (&desk.path, &desk.token, json!({ "words": "x" }), 400, "bad_json"),
        (
            &desk.path,
            &desk.token,
            json!({ "text": "x", "document": { "name": "a.iso", "bytes": 1_u64 << 30, "sha256": hash } }),
            400,
            "bad_notice",
        ),
    ] {
        let answer = send(&world, "POST", path, token, filing.to_string().as_bytes()).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
    }
    let after = operator.ask("GET", "/api/v1/ledger", Value::Null).await.json()["entries"].as_array().unwrap().len();
    assert_eq!((after, notices(&world, "").await.len()), (before, 0), "nothing of all that was kept");
    for (method, path) in [("GET", "/api/v1/leases"), ("POST", "/api/v1/leases"), ("GET", "/api/v1/notices")] {
        assert_eq!(bob.ask(method, path, Value::Null).await.code(), "not_operator", "{method} {path}");
    }

    // A flood: twenty a day, and short answers.
    for n in 0..40 {
        let answer =
            send(&world, "POST", &desk.path, &desk.token, text(&format!("letter {n}")).to_string().as_bytes()).await;
        assert_eq!(answer.status, if n < 20 { 201 } else { 429 }, "{n}: {}", String::from_utf8_lossy(&answer.body));
    }
    assert_eq!(notices(&world, "").await.len(), 20);
    world.clock.jump_s(DAY_S + 1);
    assert_eq!(
        send(&world, "POST", &desk.path, &desk.token, text("the next day").to_string().as_bytes()).await.status,
        201
    );

    // Another token takes the place of the one that somebody may have copied.
    let opened = operator.ask("POST", &format!("/api/v1/leases/{}/desk", desk.lease), json!({})).await.json();
    assert_eq!(
        send(&world, "GET", &format!("/api/v1/desk/{}", desk.lease), &desk.token, b"").await.code(),
        "desk_token"
    );
    let sign = send(&world, "GET", &format!("/api/v1/desk/{}", desk.lease), opened["token"].as_str().unwrap(), b"")
        .await
        .json();
    assert_eq!(sign, json!({ "provider": "provider-2", "contract": "A-17", "servers": ["s1", "s2"] }));

    // A desk that is closed takes nothing more.
    let counter = format!("/api/v1/leases/{}/desk", desk.lease);
    assert_eq!(operator.ask("DELETE", &counter, Value::Null).await.status, 204);
    let token = opened["token"].as_str().unwrap();
    assert_eq!(send(&world, "POST", &desk.path, token, text("late").to_string().as_bytes()).await.code(), "desk_token");
    assert_eq!(operator.ask("DELETE", &counter, Value::Null).await.code(), "bad_lease");
    assert_eq!(entries(&world, "desk.closed").await.len(), 1);
}

/// How often operators were told of a notice.
async fn told(world: &World, notice: &Value) -> u32 {
    let id = NoticeId::parse(notice["id"].as_str().unwrap()).unwrap();
    world.store.read(move |tx| leases::told(tx, id)).await.unwrap().map_or(0, |(times, ..)| times)
}

/// As a program with a token asks: a session would end while days go by.
pub async fn say(world: &World, method: &str, path: &str, body: Value) -> Answer {
    world.call(method, path, &[("Content-Type", "application/json")], body.to_string().as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_lapses_while_nobody_looks_is_told_of_until_somebody_does() {
    let world = World::new().await;
    let mut operator = owner(&world).await;
    let desk = desk(&mut operator, "A-17").await;
    let lease = format!("/api/v1/leases/{}", desk.lease);
    let set = |wish: Value| (lease.clone(), wish);
    world.service.watch().await.unwrap();
    assert!(notices(&world, "").await.is_empty(), "nothing is due");
    let (path, wish) = set(json!({ "ends": "2026-06-01T00:00:00Z" }));
    assert_eq!(say(&world, "PATCH", &path, wish).await.status, 204);
    world.service.watch().await.unwrap();
    world.service.watch().await.unwrap();
    let raised = notices(&world, "?open=true").await;
    assert_eq!(raised.len(), 1, "one open notice for a cause: {raised:?}");
    assert_eq!((&raised[0]["served"], &raised[0]["contract"]), (&json!("raised"), &json!("A-17")));
    assert_eq!(told(&world, &raised[0]).await, 1, "and not each time that somebody looks");
    // Nobody looks: again after an hour, then after six more, however long it goes on.
    for (jump_s, times) in [(1_800, 1), (1_801, 2), (3_600, 2), (6 * 3_600, 3)] {
        world.clock.jump_s(jump_s);
        world.service.watch().await.unwrap();
        assert_eq!(told(&world, &raised[0]).await, times);
    }
    // Beyond its end it is another trouble, and nothing is deleted or ended by itself.
    world.clock.jump_s(70 * DAY_S);
    world.put("still", b"here").await;
    world.service.watch().await.unwrap();
    let over = notices(&world, "?open=true").await;
    assert_eq!(over.len(), 1, "{over:?}");
    assert!(over[0]["text"].as_str().unwrap().contains("is over, and nobody ended it"), "{over:?}");
    assert_eq!(entries(&world, "notice.superseded").await.len(), 1);
    let leases = world.call("GET", "/api/v1/leases", &[], b"").await.json();
    assert_eq!(leases["leases"][0]["state"], "active", "silence ends nothing");
    assert_eq!(world.get("still").await.body, b"here");

    let one = format!("/api/v1/notices/{}", over[0]["id"].as_str().unwrap());
    assert_eq!(say(&world, "POST", &one, json!({ "act": "acknowledge" })).await.status, 204);
    assert_eq!(say(&world, "POST", &one, json!({ "act": "acknowledge" })).await.code(), "bad_notice");
    let times = told(&world, &over[0]).await;
    world.clock.jump_s(30 * DAY_S);
    world.service.watch().await.unwrap();
    assert_eq!(told(&world, &over[0]).await, times, "somebody knows");
    assert_eq!(say(&world, "POST", &one, json!({ "act": "plan" })).await.status, 204);
    // Renewed: the cause is gone, and with it the notice.
    let (path, wish) = set(json!({ "ends": "2029-06-01T00:00:00Z" }));
    assert_eq!(say(&world, "PATCH", &path, wish).await.status, 204);
    world.service.watch().await.unwrap();
    assert!(notices(&world, "?open=true").await.is_empty());
    let all = notices(&world, "").await;
    assert_eq!(all.iter().filter(|notice| notice["state"] == "superseded").count(), 2, "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_holds_until_it_is_released_and_is_served_again_when_its_matter_changes() {
    let world = World::new().await;
    let mut operator = owner(&world).await;
    let desk = desk(&mut operator, "A-17").await;
    let said = json!({ "lease": desk.lease, "to_firm": true, "servers": ["s1"],
        "text": "preserve these servers while proceedings are pending" });
    let made = operator.ask("POST", "/api/v1/notices", said).await;
    assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
    let one = format!("/api/v1/notices/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(
        operator.ask("POST", &one, json!({ "act": "done" })).await.code(),
        "bad_notice",
        "it is released, not done"
    );
    for _ in 0..3 {
        world.service.watch().await.unwrap();
    }
    assert!(entries(&world, "notice.served-again").await.is_empty(), "its matter is as it was");
    let ended = operator.ask("PATCH", &format!("/api/v1/leases/{}", desk.lease), json!({ "state": "ended" })).await;
    assert_eq!(ended.status, 204);
    world.service.watch().await.unwrap();
    let again = entries(&world, "notice.served-again").await;
    assert_eq!(again.len(), 1);
    assert!(field(&again[0], "matter").contains("lease ended"), "{again:?}");
    let open = notices(&world, "?open=true").await;
    assert_eq!((&open[0]["state"], &open[0]["addressee"]), (&json!("in-force"), &json!("provider-2")));
    assert_eq!(operator.ask("POST", &one, json!({ "act": "release" })).await.status, 204);
    assert!(notices(&world, "?open=true").await.is_empty());
    assert_eq!(entries(&world, "notice.released").await.len(), 1);

    // A letter that came by post, late: a person enters it as it is.
    let letter = json!({ "provider": "provider-3", "text": "wiped on 1 February", "deadline": "2026-02-01T00:00:00Z" });
    assert_eq!(operator.ask("POST", "/api/v1/notices", letter).await.status, 201);
    assert_eq!(entries(&world, "notice.entered").await.len(), 1);
    for (wish, code) in [
        (json!({ "provider": "nobody", "contract": "B" }), "no_provider"),
        (json!({ "provider": "provider-1", "contract": "" }), "bad_lease"),
        (json!({ "provider": "provider-1", "contract": "B", "month": "much" }), "bad_lease"),
        (
            json!({ "provider": "provider-1", "contract": "B", "servers": [{ "name": "s", "targets": ["/x"] }] }),
            "bad_lease",
        ),
    ] {
        assert_eq!(operator.ask("POST", "/api/v1/leases", wish).await.code(), code);
    }
}
