//! Webhooks: what is told, when, and what becomes of it if nobody listens.

use std::sync::{Arc, Mutex};

use catalogue::hooks::Event;
use gateway::{server::Limits, shape};
use model::{
    id::{AccountId, MessageId, WebhookId},
    outgoing::EventKind,
    world::BoxFuture,
};
use serde_json::{Value, json};
use service::{Courier, Delivered, Parcel};
use testkit::world::TokioTimer;

use crate::{
    access::{Browser, invited, owner},
    world::World,
};

/// Takes events as receivers would; what it answers is told it by address.
#[derive(Default)]
pub struct Pigeon {
    told: Mutex<Vec<(String, Value)>>,
    /// Addresses that answer something else than 204; 0: nothing, ever.
    answers: Mutex<Vec<(String, u16)>>,
}

impl Pigeon {
    fn answers(&self, address: &str, status: u16) {
        let mut answers = self.answers.lock().unwrap();
        answers.retain(|(known, _)| known != address);
        answers.push((address.to_owned(), status));
    }

    pub fn count(&self) -> usize {
        self.told.lock().unwrap().len()
    }

    pub fn take(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

impl Courier for Pigeon {
    fn admits<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<(), String>> {
        let inner = address.contains("inner");
        Box::pin(async move { if inner { Err("it is an inner address".to_owned()) } else { Ok(()) } })
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Delivered> {
        let answers = self.answers.lock().unwrap();
        let status = answers.iter().find(|(known, _)| *known == parcel.address).map_or(204, |(_, status)| *status);
        if status > 0 {
            self.told.lock().unwrap().push((parcel.address.clone(), shape::event(parcel)));
        }
        Box::pin(async move {
            if status == 0 {
                std::future::pending::<()>().await;
            }
            let trouble = (status >= 300).then(|| format!("it answers {status}"));
            Delivered { status: Some(status), trouble }
        })
    }
}

struct Told {
    world: World,
    pigeon: Arc<Pigeon>,
    task: tokio::task::JoinHandle<()>,
}

impl Told {
    async fn new() -> Self {
        let pigeon = Arc::new(Pigeon::default());
        let courier = Arc::clone(&pigeon);
        let world = World::made(Limits::default(), |service| service.with_webhooks(courier)).await;
        let service = world.service.clone();
        let task = tokio::spawn(async move {
            service.tell_webhooks(Arc::new(TokioTimer), |error| eprintln!("{error}")).await;
        });
        Self { world, pigeon, task }
    }

    /// What was told once so many were.
    async fn wait(&self, count: usize) -> Vec<(String, Value)> {
        while self.pigeon.count() < count {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        self.pigeon.take()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub async fn hook(browser: &mut Browser<'_>, address: &str, events: &[&str]) -> Value {
    let answer = browser.ask("POST", "/api/v1/webhooks", json!({ "address": address, "events": events })).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

async fn lines(browser: &mut Browser<'_>) -> Vec<Value> {
    browser.ask("GET", "/api/v1/webhooks", Value::Null).await.json()["webhooks"].as_array().unwrap().clone()
}

/// The caller's only webhook, once it looks as wanted.
async fn until(browser: &mut Browser<'_>, looks: impl Fn(&Value) -> bool) -> Value {
    loop {
        let line = lines(browser).await.remove(0);
        if looks(&line) {
            return line;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_to_who_wants_to_know_and_to_nobody_else() {
    let told = Told::new().await;
    let mut operator = owner(&told.world).await;
    let mut bob = invited(&mut operator, "bob").await;
    let all = ["file.stored", "share.made", "share.changed", "share.ended", "request.received"];
    let made = hook(&mut bob, "https://all.example/", &all).await;
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!((&made["on"], &made["last"], &made["waiting"]), (&json!(true), &Value::Null, &json!(0)));
    assert!(lines(&mut bob).await[0].get("secret").is_none(), "shown once");
    hook(&mut bob, "https://files.example/", &["file.stored"]).await;
    hook(&mut operator, "https://others.example/", &all).await;

    assert_eq!(bob.send("PUT", "/api/v1/files/in/a.txt", &[], b"12345").await.status, 201);
    let mut first = told.wait(2).await;
    first.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!([first[0].0.as_str(), first[1].0.as_str()], ["https://all.example/", "https://files.example/"]);
    let event = &first[0].1;
    assert_eq!((&event["type"], &event["data"]["path"]), (&json!("file.stored"), &json!("/in/a.txt")));
    assert_eq!(event["data"]["size"], 5);
    assert!(event["data"]["id"].is_string() && event["data"]["version"].is_string());

    let share = bob.ask("POST", "/api/v1/shares", json!({ "path": "/in", "receives": true })).await.json();
    let (id, code) = (share["id"].as_str().unwrap(), share["code"].as_str().unwrap());
    let address = format!("/api/v1/shares/{id}");
    assert_eq!(bob.ask("PATCH", &address, json!({ "words": "hello" })).await.status, 200);
    let tus = [("Tus-Resumable", "1.0.0"), ("Upload-Length", "2"), ("Upload-Metadata", "path c2VudA==")];
    let guest = Browser::new(&told.world);
    let content = [tus[0], tus[1], tus[2], ("Content-Type", "application/offset+octet-stream")];
    let sent = guest.send("POST", &format!("/api/v1/links/{code}/uploads/"), &content, b"ok").await;
    assert_eq!(sent.status, 201, "{}", String::from_utf8_lossy(&sent.body));
    assert_eq!(bob.ask("DELETE", &address, Value::Null).await.status, 204);
    let kinds: Vec<_> = told.wait(6).await.into_iter().map(|(to, event)| (to, event["type"].clone(), event)).collect();
    let of = |kind: &str| kinds.iter().filter(|(_, is, _)| *is == kind).map(|(_, _, event)| event).collect::<Vec<_>>();
    for kind in ["share.made", "share.changed", "share.ended"] {
        assert_eq!(of(kind).len(), 1, "{kind}");
        assert_eq!(of(kind)[0]["data"]["share"], id);
    }
    assert_eq!((of("file.stored").len(), of("request.received").len()), (2, 1));
    assert_eq!(of("request.received")[0]["data"]["path"], "/in/sent");
    let said = serde_json::to_string(&kinds.iter().map(|(_, _, event)| event).collect::<Vec<_>>()).unwrap();
    assert!(!said.contains(code), "no secret of a link is told");
    assert!(kinds.iter().all(|(to, _, _)| !to.contains("others")), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_tried_for_three_days_and_then_the_hook_is_off() {
    let told = Told::new().await;
    let mut owner = owner(&told.world).await;
    let id = hook(&mut owner, "https://shop.example/", &["file.stored"]).await["id"].as_str().unwrap().to_owned();
    told.pigeon.answers("https://shop.example/", 500);
    assert_eq!(owner.send("PUT", "/api/v1/files/a", &[], b"a").await.status, 201);
    told.wait(1).await;
    let line = until(&mut owner, |line| line["last"].is_object()).await;
    assert_eq!((&line["waiting"], &line["last"]["status"], &line["on"]), (&json!(1), &json!(500), &json!(true)));
    assert_eq!(line["last"]["event"], "file.stored");
    // Twice in vain, then taken.
    told.world.clock.jump_s(6);
    told.wait(1).await;
    told.pigeon.answers("https://shop.example/", 204);
    told.world.clock.jump_s(61);
    assert_eq!(told.wait(1).await[0].1["data"]["path"], "/a");
    until(&mut owner, |line| line["waiting"] == 0 && line["last"]["trouble"].is_null()).await;

    told.pigeon.answers("https://shop.example/", 503);
    assert_eq!(owner.send("PUT", "/api/v1/files/b", &[], b"b").await.status, 201);
    told.wait(1).await;
    for _ in 0..20 {
        if lines(&mut owner).await[0]["on"] == false {
            break;
        }
        told.world.clock.jump_s(20 * 3_600);
        // Signing in lasts for thirty days; each wait is one try, or the end.
        let before = told.pigeon.count();
        until(&mut owner, |line| line["on"] == false || told.pigeon.count() > before).await;
    }
    let line = until(&mut owner, |line| line["on"] == false).await;
    assert!(line["off_why"].as_str().unwrap().contains("three days"), "{line}");
    assert_eq!(line["waiting"], 0);
    told.pigeon.take();
    assert_eq!(owner.send("PUT", "/api/v1/files/c", &[], b"c").await.status, 201);
    // Switched on again, it is told of what happens from then on.
    told.pigeon.answers("https://shop.example/", 204);
    let on = owner.ask("PATCH", &format!("/api/v1/webhooks/{id}"), json!({ "on": true })).await.json();
    assert_eq!((&on["on"], &on["off_why"], &on["last"]), (&json!(true), &Value::Null, &Value::Null));
    assert_eq!(owner.send("PUT", "/api/v1/files/d", &[], b"d").await.status, 201);
    assert_eq!(told.wait(1).await[0].1["data"]["path"], "/d");
    // 410 ends it at once.
    told.pigeon.answers("https://shop.example/", 410);
    assert_eq!(owner.send("PUT", "/api/v1/files/e", &[], b"e").await.status, 201);
    until(&mut owner, |line| line["on"] == false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_hangs_keeps_nobody_waiting() {
    let told = Told::new().await;
    let mut owner = owner(&told.world).await;
    hook(&mut owner, "https://hangs.example/", &["file.stored"]).await;
    hook(&mut owner, "https://quick.example/", &["file.stored"]).await;
    told.pigeon.answers("https://hangs.example/", 0);
    for name in ["a", "b", "c"] {
        assert_eq!(owner.send("PUT", &format!("/api/v1/files/{name}"), &[], b"x").await.status, 201);
    }
    assert!(told.wait(3).await.iter().all(|(to, _)| to.contains("quick")));
    assert_eq!(lines(&mut owner).await[0]["waiting"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_are_their_owners_and_within_bounds() {
    let told = Told::new().await;
    let mut operator = owner(&told.world).await;
    let mut bob = invited(&mut operator, "bob").await;
    let events = ["file.stored"];
    for (address, events) in [
        ("ftp://shop.example/", &events[..]),
        ("shop.example", &events[..]),
        ("https://inner.example/", &events[..]),
        ("https://shop.example/a b", &events[..]),
        ("https://shop.example/", &[][..]),
        ("https://shop.example/", &["file.eaten"][..]),
    ] {
        let answer = bob.ask("POST", "/api/v1/webhooks", json!({ "address": address, "events": events })).await;
        assert_eq!((answer.status, answer.code().as_str()), (422, "bad_webhook"), "{address} {events:?}");
    }
    let made = hook(&mut bob, "https://shop.example/", &events).await;
    let one = format!("/api/v1/webhooks/{}", made["id"].as_str().unwrap());
    // Nobody else's, an operator's neither.
    assert!(lines(&mut operator).await.is_empty());
    for (method, target, body) in [
        ("PATCH", one.clone(), json!({ "on": false })),
        ("DELETE", one.clone(), Value::Null),
        ("POST", format!("{one}/test"), Value::Null),
    ] {
        assert_eq!(operator.ask(method, &target, body.clone()).await.code(), "no_such_id", "{method}");
        assert_eq!(Browser::new(&told.world).ask(method, &target, body).await.status, 401, "{method}");
    }
    assert_eq!(Browser::new(&told.world).ask("GET", "/api/v1/webhooks", Value::Null).await.status, 401);
    // A trial is told at once, also while it is off; what happens then is not.
    assert_eq!(bob.ask("PATCH", &one, json!({ "on": false, "label": "mine" })).await.json()["label"], "mine");
    assert_eq!(bob.send("PUT", "/api/v1/files/a", &[], b"a").await.status, 201);
    let tried = bob.ask("POST", &format!("{one}/test"), Value::Null).await.json();
    assert_eq!(tried, json!({ "status": 204, "trouble": null }));
    assert_eq!(told.wait(1).await[0].1["type"], "test");
    for _ in 0..9 {
        hook(&mut bob, "https://shop.example/", &events).await;
    }
    let eleventh =
        bob.ask("POST", "/api/v1/webhooks", json!({ "address": "https://a.example/", "events": events })).await;
    assert_eq!((eleventh.status, eleventh.code().as_str()), (422, "bad_webhook"));
    assert_eq!(bob.ask("DELETE", &one, Value::Null).await.status, 204);
    assert_eq!(lines(&mut bob).await.len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_fills_its_own_share_of_the_queue_and_no_others() {
    let told = Told::new().await;
    let mut operator = owner(&told.world).await;
    let mut bob = invited(&mut operator, "bob").await;
    let all = told.world.store.read(|tx| catalogue::accounts::all(tx)).await.unwrap();
    let account = all.iter().find(|row| row.name == "bob").unwrap().id;
    // Spread over all that it may have, so that none of its webhooks has many.
    let mut hooks = Vec::new();
    for _ in 0..10 {
        let made = hook(&mut bob, "https://flood.example/", &["file.stored"]).await;
        hooks.push(WebhookId::parse(made["id"].as_str().unwrap()).unwrap());
    }
    assert_eq!(bob.send("PUT", "/api/v1/files/one", &[], b"x").await.status, 201);
    told.wait(10).await;
    while lines(&mut bob).await.iter().any(|line| line["waiting"] != 0) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    hook(&mut operator, "https://shop.example/", &["file.stored"]).await;
    // With what others have waiting, the queue of all is full.
    let flood = told.world.store.commit(move |tx, _| {
        for number in 0..100_000_u32 {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&number.to_le_bytes());
            let account = if number < 10_000 { account } else { AccountId([number as u8 % 9; 16]) };
            let event = Event {
                id: MessageId(id),
                account,
                hook: hooks[number as usize % hooks.len()],
                kind: EventKind::FileStored,
                at_us: 0,
                path: None,
                size: None,
                entry: None,
                version: None,
                share: None,
                due_us: i64::MAX,
                tries: 1,
            };
            catalogue::hooks::put(tx, &event)?;
        }
        Ok::<_, store::Error>(())
    });
    flood.await.unwrap();
    assert_eq!(bob.send("PUT", "/api/v1/files/one%20more", &[], b"x").await.status, 201);
    assert_eq!(operator.send("PUT", "/api/v1/files/mine", &[], b"x").await.status, 201);
    let (to, event) = told.wait(1).await.remove(0);
    assert_eq!((to.as_str(), &event["data"]["path"]), ("https://shop.example/", &json!("/mine")));
    for line in lines(&mut bob).await {
        assert_eq!(line["waiting"], 1_000, "nothing more of it waits");
        assert!(line["last"]["trouble"].as_str().unwrap().contains("left out"), "and its owner reads so: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_suspended_account_is_told_until_it_goes_on() {
    let told = Told::new().await;
    let mut operator = owner(&told.world).await;
    let mut bob = invited(&mut operator, "bob").await;
    let all = told.world.store.read(|tx| catalogue::accounts::all(tx)).await.unwrap();
    let account = all.iter().find(|row| row.name == "bob").unwrap().id;
    let made = hook(&mut bob, "https://shop.example/", &["file.stored"]).await;
    let id = WebhookId::parse(made["id"].as_str().unwrap()).unwrap();
    told.pigeon.answers("https://shop.example/", 500);
    assert_eq!(bob.send("PUT", "/api/v1/files/a", &[], b"a").await.status, 201);
    until(&mut bob, |line| line["last"].is_object()).await;
    told.pigeon.take();
    told.pigeon.answers("https://shop.example/", 204);
    let suspend = async |operator: &mut Browser<'_>, is: bool| {
        assert_eq!(operator.ask("PATCH", "/api/v1/accounts/bob", json!({ "suspended": is })).await.status, 204);
    };
    suspend(&mut operator, true).await;
    told.world.clock.jump_s(6);
    // Its turn comes, and is put off or told.
    let soon_us = told.world.store.now().wall_us + 60_000_000;
    loop {
        let standing = told.world.store.read(move |tx| catalogue::hooks::standing(tx, account, id)).await.unwrap();
        if standing.not_before_us > soon_us || told.pigeon.count() > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(told.pigeon.count(), 0);
    suspend(&mut operator, false).await;
    told.world.clock.jump_s(601);
    assert_eq!(told.wait(1).await[0].1["data"]["path"], "/a");
}
