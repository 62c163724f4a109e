//! Operators are told of what waits for them, by mail and by webhook: at once, again and again until somebody takes note, and
//! not after. Nobody else is.

use std::sync::Arc;

use gateway::server::Limits;
use serde_json::{Value, json};
use testkit::world::TokioTimer;

use crate::{
    access::{Browser, PASSWORD, invited, owner},
    desk::{desk, say, send},
    mail::{Sack, mails, reachable},
    webhooks::{Pigeon, hook},
    world::World,
};

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

struct Told {
    world: World,
    sack: Arc<Sack>,
    pigeon: Arc<Pigeon>,
    task: tokio::task::JoinHandle<()>,
}

impl Told {
    async fn new() -> Self {
        let (sack, pigeon) = (Arc::new(Sack::default()), Arc::new(Pigeon::default()));
        let (carrier, courier) = (Arc::clone(&sack), Arc::clone(&pigeon));
        let more =
            |service: service::Service| service.with_mail("https://files.example/", carrier).with_webhooks(courier);
        let world = World::made(Limits::default(), more).await;
        let service = world.service.clone();
        let task = tokio::spawn(async move {
            service.tell_webhooks(Arc::new(TokioTimer), |error| eprintln!("{error}")).await;
        });
        Self { world, sack, pigeon, task }
    }

    /// Upkeep looks: whom mails go to, and the words of the first.
    async fn look(&self) -> (Vec<(String, String)>, String) {
        self.world.service.watch().await.unwrap();
        while self.world.service.mail_round().await.unwrap().carried > 0 {}
        let words = self.sack.words().into_iter().next().unwrap_or_default();
        (self.sack.take(), words)
    }

    /// What the pager was told, once it was told something.
    async fn paged(&self) -> Vec<(String, Value)> {
        while self.pigeon.count() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        self.pigeon.take()
    }

    /// Nothing is on its way to any pager, and nothing came.
    async fn is_quiet(&self) -> bool {
        while self.world.store.read(|tx| catalogue::hooks::waiting_of(tx, None, 10)).await.unwrap() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        self.pigeon.take().is_empty()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn acknowledge(world: &World, words: &str) {
    // As the mail names it.
    let id = words.split_once('[').unwrap().1.split_once(']').unwrap().0;
    let act = say(world, "POST", &format!("/api/v1/notices/{id}"), json!({ "act": "acknowledge" })).await;
    assert_eq!(act.status, 204, "{}", String::from_utf8_lossy(&act.body));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_told_until_somebody_takes_note_and_not_after() {
    let told = Told::new().await;
    let (world, sack) = (&told.world, &told.sack);
    let mut operator = owner(world).await;
    reachable(world, sack, &mut operator, "owner@people.example").await;
    hook(&mut operator, "https://pager.example/", &["notice.waits"]).await;
    // One who runs nothing wants to be told, too.
    let mut bob = invited(&mut operator, "bob").await;
    reachable(world, sack, &mut bob, "bob@people.example").await;
    hook(&mut bob, "https://bob.example/", &["notice.waits"]).await;
    let desk = desk(&mut operator, "A-17").await;
    assert_eq!(told.look().await.0, [], "nothing waits");

    // A firm files something at its desk.
    let said = format!("we take s1 back\r\nBcc: all {}", "and so on ".repeat(40));
    let filing = json!({ "text": said, "servers": ["s1"], "deadline": "2026-09-01T00:00:00Z" });
    assert_eq!(send(world, "POST", &desk.path, &desk.token, filing.to_string().as_bytes()).await.status, 201);
    let (to, words) = told.look().await;
    let one = mails(&[("owner@people.example", "a notice waits for you")]);
    assert_eq!(to, one);
    for part in ["- provider-2, by 2026-09-01: we take s1 back  Bcc: all and", "https://files.example/fleet/notices\n"]
    {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(!words.contains(&desk.token) && !words.contains(&world.token), "{words}");
    let line = words.lines().find(|line| line.starts_with("- ")).unwrap();
    assert!(line.len() < 300 && !words.contains("\nBcc"), "it is the service's mail, not the firm's: {words}");
    let (at, event) = told.paged().await.remove(0);
    assert_eq!((at.as_str(), &event["type"]), ("https://pager.example/", &json!("notice.waits")));
    assert_eq!(event["data"]["path"], Value::Null, "no words of it");

    // Again after an hour, after six more, after a day; and not each time that somebody looks.
    for (jump_s, again) in
        [(HOUR_S - 60, false), (61, true), (5 * HOUR_S, false), (HOUR_S + 1, true), (DAY_S + 1, true)]
    {
        world.clock.jump_s(jump_s);
        let (to, _) = told.look().await;
        assert_eq!(to, if again { one.clone() } else { Vec::new() }, "{jump_s}");
        if again {
            assert_eq!(told.paged().await.len(), 1);
        }
    }
    acknowledge(world, &words).await;
    for _ in 0..3 {
        world.clock.jump_s(9 * DAY_S);
        assert_eq!(told.look().await.0, [], "somebody knows");
    }
    assert!(told.is_quiet().await);

    // The service has something to say itself: a lease ends. Then another firm files something before anybody took note.
    let lease = format!("/api/v1/leases/{}", desk.lease);
    assert_eq!(say(world, "PATCH", &lease, json!({ "ends": "2026-07-01T00:00:00Z" })).await.status, 204);
    let (to, words) = told.look().await;
    assert_eq!(to, one);
    assert!(words.contains("- provider-2, by 2026-07-01: the lease \"A-17\" ends soon"), "{words}");
    assert_eq!(told.paged().await.remove(0).1["type"], "notice.waits");
    let other = json!({ "provider": "provider-3", "text": "we close our doors" });
    assert_eq!(say(world, "POST", "/api/v1/notices", other).await.status, 201);
    let (to, words) = told.look().await;
    assert_eq!(to, one, "the new one alone: the other was told of a moment ago");
    assert!(words.contains("- provider-3: we close our doors ["), "{words}");
    told.paged().await;
    acknowledge(world, &words).await;
    // Its cause is gone, and with it what there was to be told of.
    assert_eq!(say(world, "PATCH", &lease, json!({ "ends": "2029-06-01T00:00:00Z" })).await.status, 204);
    world.clock.jump_s(DAY_S);
    assert_eq!(told.look().await.0, []);
    assert!(told.is_quiet().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_nobody_claimed_tells_whoever_has_its_token() {
    let told = Told::new().await;
    let world = &told.world;
    let wish = json!({ "address": "https://pager.example/", "events": ["notice.waits"] });
    assert_eq!(say(world, "POST", "/api/v1/webhooks", wish).await.status, 201);
    let letter = json!({ "provider": "provider-1", "text": "we close our doors" });
    assert_eq!(say(world, "POST", "/api/v1/notices", letter).await.status, 201);
    world.service.watch().await.unwrap();
    assert_eq!(told.paged().await.remove(0).1["type"], "notice.waits");
    // Once somebody owns it, the owner is told, and an operator who is put off is not.
    let mut operator = owner(world).await;
    let invite = operator.ask("POST", "/api/v1/invitations", json!({ "role": "operator" })).await.json();
    let mut carol = Browser::new(world);
    let sign_up = json!({ "invitation": invite["code"], "name": "carol", "password": PASSWORD });
    assert_eq!(carol.ask("POST", "/api/v1/accounts", sign_up).await.status, 201);
    hook(&mut carol, "https://carol.example/", &["notice.waits"]).await;
    world.clock.jump_s(HOUR_S + 1);
    world.service.watch().await.unwrap();
    let mut both = told.paged().await;
    while both.len() < 2 {
        both.extend(told.paged().await);
    }
    both.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!([both[0].0.as_str(), both[1].0.as_str()], ["https://carol.example/", "https://pager.example/"]);
    assert_eq!(operator.ask("PATCH", "/api/v1/accounts/carol", json!({ "suspended": true })).await.status, 204);
    world.clock.jump_s(6 * HOUR_S + 1);
    world.service.watch().await.unwrap();
    assert_eq!(told.paged().await.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), ["https://pager.example/"]);
    assert!(told.is_quiet().await);
}
