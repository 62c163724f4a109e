//! Mail: whose address it is, what goes out and when, and that nobody is bombed or learns who has an account.

use std::sync::{Arc, Mutex};

use gateway::server::Limits;
use model::{account::TokenUse, world::BoxFuture};
use serde_json::{Value, json};
use service::{Caller, Carrier, Letter, Uncarried};

use crate::{
    access::{Browser, PASSWORD, invited, owner},
    world::World,
};

/// Takes mails as a server would, or refuses them.
#[derive(Default)]
pub struct Sack {
    letters: Mutex<Vec<Letter>>,
    refusal: Mutex<Option<Uncarried>>,
}

impl Carrier for Sack {
    fn carry<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Result<(), Uncarried>> {
        let refusal = self.refusal.lock().unwrap().clone();
        if refusal.is_none() {
            self.letters.lock().unwrap().push(letter.clone());
        }
        Box::pin(async move { refusal.map_or(Ok(()), Err) })
    }
}

impl Sack {
    fn refuses(&self, again: bool) {
        *self.refusal.lock().unwrap() = Some(Uncarried { again, said: "no".to_owned() });
    }

    fn takes(&self) {
        *self.refusal.lock().unwrap() = None;
    }

    /// What came since the last look: where to, and the subject behind the service's name.
    pub fn take(&self) -> Vec<(String, String)> {
        let line = |letter: Letter| (letter.address, letter.subject.split_once(": ").unwrap().1.to_owned());
        std::mem::take(&mut *self.letters.lock().unwrap()).into_iter().map(line).collect()
    }

    /// The words of all that came since the last look.
    pub fn words(&self) -> Vec<String> {
        self.letters.lock().unwrap().iter().map(|letter| letter.words.clone()).collect()
    }

    /// The code in the last mail, which opens a view of the page.
    fn code(&self, view: &str) -> String {
        let letter = self.letters.lock().unwrap().last().cloned().unwrap();
        let start = format!("https://files.example/{view}#");
        let at = letter.words.find(&start).unwrap_or_else(|| panic!("{}", letter.words)) + start.len();
        letter.words[at..].split_whitespace().next().unwrap().to_owned()
    }
}

async fn with_mail() -> (World, Arc<Sack>) {
    let sack = Arc::new(Sack::default());
    let carrier = Arc::clone(&sack);
    let world = World::made(Limits::default(), |service| service.with_mail("https://files.example/", carrier)).await;
    (world, sack)
}

/// Gives an account this address, and opens what comes there.
pub async fn reachable(world: &World, sack: &Sack, browser: &mut Browser<'_>, address: &str) {
    let wish = json!({ "address": address, "password": PASSWORD });
    assert_eq!(browser.ask("PUT", "/api/v1/mail", wish).await.status, 204);
    world.service.mail_round().await.unwrap();
    let confirm = json!({ "code": sack.code("mail") });
    assert_eq!(Browser::new(world).ask("POST", "/api/v1/mail/confirm", confirm.clone()).await.status, 204);
    let again = browser.ask("POST", "/api/v1/mail/confirm", confirm).await;
    assert_eq!((again.status, again.code().as_str()), (404, "bad_code"), "it opens once");
    sack.take();
}

async fn own(browser: &mut Browser<'_>) -> Value {
    browser.ask("GET", "/api/v1/session", Value::Null).await.json()["account"]["mail"].clone()
}

pub async fn rounds(world: &World, sack: &Sack) -> Vec<(String, String)> {
    while world.service.mail_round().await.unwrap().carried > 0 {}
    sack.take()
}

pub fn mails(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(to, subject)| ((*to).to_owned(), (*subject).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_the_accounts_once_a_code_came_there() {
    let (world, sack) = with_mail().await;
    let mut operator = owner(&world).await;
    let mut bob = invited(&mut operator, "bob").await;
    assert_eq!(bob.ask("GET", "/api/v1/service", Value::Null).await.json()["mail"], true);
    assert_eq!(own(&mut bob).await, Value::Null);
    let put = |address: &str, password: &str| json!({ "address": address, "password": password });
    // An account of that name would be found before the owner of the address.
    let code = operator.ask("POST", "/api/v1/invitations", json!({})).await.json()["code"].as_str().unwrap().to_owned();
    let sign_up = json!({ "invitation": code, "name": "bob@people.example", "password": PASSWORD });
    let refused = Browser::new(&world).ask("POST", "/api/v1/accounts", sign_up).await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "bad_name"));
    for (wish, status, code) in [
        (json!({ "address": "bob@people.example" }), 401, "bad_login"),
        (put("bob@people.example", "wrong password"), 401, "bad_login"),
        (put("bob@people.example\r\nRCPT TO:<x@y>", PASSWORD), 400, "bad_mail"),
        (put("bob", PASSWORD), 400, "bad_mail"),
    ] {
        let answer = bob.ask("PUT", "/api/v1/mail", wish).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
    }
    assert_eq!(bob.ask("PUT", "/api/v1/mail", put("Bob@People.example", PASSWORD)).await.status, 204);
    assert_eq!(own(&mut bob).await, json!({ "address": "Bob@People.example", "confirmed": false, "pending": null }));
    let signs_in = |address: &'static str| {
        let world = &world;
        async move { Browser::new(world).sign_in(address, PASSWORD).await.status }
    };
    assert_eq!(signs_in("bob@people.example").await, 401, "it may be anybody's");
    assert_eq!(rounds(&world, &sack).await, mails(&[("Bob@People.example", "confirm your address")]));
    reachable(&world, &sack, &mut bob, "Bob@People.example").await;
    assert_eq!(own(&mut bob).await["confirmed"], true);
    assert_eq!(signs_in("bob@PEOPLE.example").await, 200);

    // Somebody else cannot have it; and another address takes its place only when a code came there.
    let wish = put("bob@people.example", PASSWORD);
    assert_eq!(operator.ask("PUT", "/api/v1/mail", wish).await.status, 204, "whose it is, is not said");
    world.service.mail_round().await.unwrap();
    let stolen = operator.ask("POST", "/api/v1/mail/confirm", json!({ "code": sack.code("mail") })).await;
    assert_eq!((stolen.status, stolen.code().as_str()), (409, "mail_taken"));
    sack.take();
    assert_eq!(bob.ask("PUT", "/api/v1/mail", put("bob@new.example", PASSWORD)).await.status, 204);
    assert_eq!(own(&mut bob).await["pending"], "bob@new.example");
    assert_eq!(signs_in("bob@people.example").await, 200);
    world.service.mail_round().await.unwrap();
    let code = sack.code("mail");
    sack.take();
    // Too late a day later.
    world.clock.jump_s(86_401);
    let late = operator.ask("POST", "/api/v1/mail/confirm", json!({ "code": code })).await;
    assert_eq!((late.status, late.code().as_str()), (404, "bad_code"));
    reachable(&world, &sack, &mut bob, "bob@new.example").await;
    assert_eq!(signs_in("bob@people.example").await, 401);
    assert_eq!(rounds(&world, &sack).await, mails(&[("Bob@People.example", "your address was changed")]));

    assert_eq!(bob.ask("DELETE", "/api/v1/mail", Value::Null).await.status, 204);
    assert_eq!(own(&mut bob).await, Value::Null);
    assert_eq!(rounds(&world, &sack).await, mails(&[("bob@new.example", "your address was changed")]));
    assert_eq!(signs_in("bob@new.example").await, 401);
    assert_eq!(signs_in("bob").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_forgot_a_password_gets_a_code_and_who_asks_learns_nothing() {
    let (world, sack) = with_mail().await;
    let mut operator = owner(&world).await;
    let mut bob = invited(&mut operator, "bob").await;
    reachable(&world, &sack, &mut bob, "bob@people.example").await;
    let mut stranger = Browser::new(&world);
    let mut forgot = async |name: &str| {
        let answer = stranger.ask("POST", "/api/v1/password/forgot", json!({ "name": name })).await;
        (answer.status, answer.body)
    };
    // Known, unknown, without an address.
    for name in ["bob", "bob@people.example", "nobody", "owner", ""] {
        assert_eq!(forgot(name).await, (204, Vec::new()), "{name}");
    }
    world.service.mail_round().await.unwrap();
    let first = sack.code("reset");
    let new = mails(&[("bob@people.example", "a new password"), ("bob@people.example", "a new password")]);
    assert_eq!(sack.take(), new);
    let open = async || {
        let all = world.store.read(|tx| catalogue::access::one_time_tokens(tx)).await.unwrap();
        all.iter().filter(|row| row.opens == TokenUse::Reset).count()
    };
    assert_eq!(open().await, 1, "of several the last one counts");
    // One that an operator handed on stays good; and nobody is bombed.
    let all = world.store.read(|tx| catalogue::accounts::all(tx)).await.unwrap();
    let owner = all.iter().find(|row| row.name == "owner").unwrap().id;
    world.service.reset_code(&Caller::at_the_machine(owner), "bob".to_owned()).await.unwrap();
    for _ in 0..6 {
        assert_eq!(forgot("bob").await.0, 204);
    }
    while world.service.mail_round().await.unwrap().carried > 0 {}
    let code = sack.code("reset");
    assert_eq!(sack.take().len(), 1, "three an hour");
    assert_eq!(open().await, 2);
    let early = json!({ "code": first, "new": "battery staple" });
    assert_eq!(bob.ask("POST", "/api/v1/password/reset", early).await.code(), "bad_code");
    let reset = json!({ "code": code, "new": "battery staple" });
    assert_eq!(bob.ask("POST", "/api/v1/password/reset", reset.clone()).await.status, 200);
    assert_eq!(bob.ask("POST", "/api/v1/password/reset", reset).await.code(), "bad_code");
    assert_eq!(rounds(&world, &sack).await, mails(&[("bob@people.example", "your password was changed")]));

    // From one network so many times an hour.
    let from = |network: &'static str| [("X-Forwarded-For", network), ("Sec-Fetch-Site", "same-origin")];
    let body = json!({ "name": "nobody" }).to_string();
    let mut last = 0;
    for _ in 0..11 {
        let all = Browser::new(&world);
        last = all.send("POST", "/api/v1/password/forgot", &from("192.0.2.1"), body.as_bytes()).await.status;
    }
    assert_eq!(last, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_bombed() {
    let (world, sack) = with_mail().await;
    let mut operator = owner(&world).await;
    let mut bob = invited(&mut operator, "bob").await;
    // Whoever asks, an address that nobody confirmed gets five mails an hour.
    let invite = json!({ "mail": "victim@people.example" });
    for _ in 0..3 {
        assert_eq!(operator.ask("POST", "/api/v1/invitations", invite.clone()).await.json()["mailed"], true);
    }
    let wish = json!({ "address": "Victim@people.example", "password": PASSWORD });
    assert_eq!(bob.ask("PUT", "/api/v1/mail", wish.clone()).await.status, 204);
    assert_eq!(operator.ask("PUT", "/api/v1/mail", wish.clone()).await.status, 204);
    let answer = bob.ask("PUT", "/api/v1/mail", wish).await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "too_many_attempts"));
    let made = operator.ask("POST", "/api/v1/invitations", invite).await.json();
    assert_eq!(made["mailed"], false);
    assert!(made["code"].is_string() && made["mail_trouble"].as_str().unwrap().contains("yourself"), "{made}");
    assert_eq!(rounds(&world, &sack).await.len(), 5);
    let bad = operator.ask("POST", "/api/v1/invitations", json!({ "mail": "a@b,c@d" })).await;
    assert_eq!((bad.status, bad.code().as_str()), (400, "bad_mail"));
    // One account can try so many addresses an hour.
    let mut last = 0;
    for number in 0..10 {
        let wish = json!({ "address": format!("someone{number}@people.example"), "password": PASSWORD });
        last = bob.ask("PUT", "/api/v1/mail", wish).await.status;
    }
    assert_eq!(last, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_are_told_of_what_concerns_them_in_their_language() {
    let (world, sack) = with_mail().await;
    let mut operator = owner(&world).await;
    reachable(&world, &sack, &mut operator, "owner@people.example").await;
    let mut bob = invited(&mut operator, "bob").await;
    let wish = json!({ "address": "bob@people.example", "password": PASSWORD }).to_string();
    let german = [("Accept-Language", "de-AT,en;q=0.5")];
    assert_eq!(bob.send("PUT", "/api/v1/mail", &german, wish.as_bytes()).await.status, 204);
    world.service.mail_round().await.unwrap();
    let confirm = json!({ "code": sack.code("mail") });
    assert_eq!(bob.ask("POST", "/api/v1/mail/confirm", confirm).await.status, 204);
    sack.take();

    // A grant, once; a new password that an operator made; a changed password.
    assert_eq!(operator.send("PUT", "/api/v1/files/folder/f", &[], b"bytes").await.status, 201);
    let grant = json!({ "path": "/folder", "to": "bob", "rights": "read" });
    for _ in 0..2 {
        assert!(operator.ask("POST", "/api/v1/grants", grant.clone()).await.status < 300);
    }
    assert_eq!(rounds(&world, &sack).await, mails(&[("bob@people.example", "etwas wurde mit Ihnen geteilt")]));
    let made = operator.ask("POST", "/api/v1/accounts/bob/reset", Value::Null).await.json();
    assert_eq!((&made["mailed"], &made["mail_trouble"]), (&json!(true), &Value::Null));
    assert_eq!(rounds(&world, &sack).await, mails(&[("bob@people.example", "ein neues Passwort")]));
    let change = json!({ "old": PASSWORD, "new": "battery staple" });
    assert_eq!(bob.ask("POST", "/api/v1/password", change).await.status, 204);
    assert_eq!(rounds(&world, &sack).await, mails(&[("bob@people.example", "Ihr Passwort wurde geändert")]));

    // The quota: at 80 % and when it is full, once each until it falls below.
    let almost = mails(&[("bob@people.example", "Ihr Konto ist fast voll")]);
    let full = mails(&[("bob@people.example", "Ihr Konto ist voll")]);
    assert_eq!(operator.ask("PATCH", "/api/v1/accounts/bob", json!({ "quota_bytes": 1_000 })).await.status, 204);
    assert_eq!(bob.send("PUT", "/api/v1/files/a", &[], &[7; 850]).await.status, 201);
    assert_eq!(rounds(&world, &sack).await, almost);
    assert_eq!(rounds(&world, &sack).await, []);
    assert_eq!(bob.send("PUT", "/api/v1/files/b", &[], &[7; 150]).await.status, 201);
    assert_eq!(rounds(&world, &sack).await, full);
    assert_eq!(bob.send("DELETE", "/api/v1/files/b?permanent=true", &[], b"").await.status, 204);
    assert_eq!(rounds(&world, &sack).await, [], "it fell");
    assert_eq!(bob.send("PUT", "/api/v1/files/b", &[], &[7; 150]).await.status, 201);
    assert_eq!(rounds(&world, &sack).await, full);

    // An account that leaves.
    assert_eq!(operator.ask("PATCH", "/api/v1/accounts/bob", json!({ "leaves": true })).await.status, 204);
    assert_eq!(operator.ask("PATCH", "/api/v1/accounts/bob", json!({ "leaves": true })).await.status, 204);
    assert_eq!(rounds(&world, &sack).await, mails(&[("bob@people.example", "Ihr Konto wird gelöscht")]));

    // The operator tries it, and nobody else.
    assert_eq!(operator.ask("POST", "/api/v1/service/mail", Value::Null).await.status, 204);
    assert_eq!(sack.take(), mails(&[("owner@people.example", "mail works")]));
    assert_eq!(bob.ask("POST", "/api/v1/service/mail", Value::Null).await.code(), "not_operator");
    sack.refuses(true);
    let answer = operator.ask("POST", "/api/v1/service/mail", Value::Null).await;
    assert_eq!((answer.status, answer.code().as_str()), (502, "mail_failed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_tried_again_for_two_days() {
    let (world, sack) = with_mail().await;
    let mut operator = owner(&world).await;
    reachable(&world, &sack, &mut operator, "owner@people.example").await;
    let change = |old: &str, new: &str| json!({ "old": old, "new": new });
    sack.refuses(true);
    let mut password = PASSWORD.to_owned();
    let next = format!("{password}!");
    assert_eq!(operator.ask("POST", "/api/v1/password", change(&password, &next)).await.status, 204);
    password = next;
    let round = world.service.mail_round().await.unwrap();
    assert_eq!((round.carried, round.troubles), (0, vec!["mail about password changed: no".to_owned()]));
    sack.takes();
    assert_eq!(rounds(&world, &sack).await, [], "it waits a minute");
    world.clock.jump_s(61);
    assert_eq!(rounds(&world, &sack).await, mails(&[("owner@people.example", "your password was changed")]));

    // For two days, at growing waits; then it is given up, and the audit says so.
    sack.refuses(true);
    let next = format!("{password}!");
    assert_eq!(operator.ask("POST", "/api/v1/password", change(&password, &next)).await.status, 204);
    let mut tries = 0;
    for _ in 0..(54 * 6) {
        tries += world.service.mail_round().await.unwrap().troubles.len();
        world.clock.jump_s(600);
    }
    assert!((15..=25).contains(&tries), "{tries}");
    sack.takes();
    assert_eq!(rounds(&world, &sack).await, []);
    let verbs = world.store.read(|tx| catalogue::audit::page(tx, None, 3)).await.unwrap();
    assert!(verbs.iter().any(|line| line.verb == "mail given up" && line.subject == "password changed"), "{verbs:?}");

    // What is refused for good is not tried again, and no line of the audit holds a code.
    sack.refuses(false);
    assert!(operator.ask("POST", "/api/v1/invitations", json!({ "mail": "gone@people.example" })).await.status < 300);
    assert_eq!(world.service.mail_round().await.unwrap().troubles.len(), 1);
    assert_eq!(world.service.mail_round().await.unwrap().troubles.len(), 0);
    let lines = world.store.read(|tx| catalogue::audit::page(tx, None, 100)).await.unwrap();
    assert!(lines.iter().any(|line| line.verb == "mail refused"));
    assert!(lines.iter().all(|line| !line.subject.contains("hf_")), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_mail_everything_else_works() {
    let world = World::new().await;
    let mut operator = owner(&world).await;
    assert_eq!(operator.ask("GET", "/api/v1/service", Value::Null).await.json()["mail"], false);
    let wish = json!({ "address": "owner@people.example", "password": PASSWORD });
    for (method, target, body) in [
        ("PUT", "/api/v1/mail", wish),
        ("POST", "/api/v1/password/forgot", json!({ "name": "owner" })),
        ("POST", "/api/v1/service/mail", Value::Null),
    ] {
        let answer = operator.ask(method, target, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (409, "mail_off"), "{target}");
    }
    let made = operator.ask("POST", "/api/v1/invitations", json!({ "mail": "a@b.example" })).await.json();
    assert_eq!(made["mailed"], false);
    let sign_up = json!({ "invitation": made["code"], "name": "bob", "password": PASSWORD });
    assert_eq!(Browser::new(&world).ask("POST", "/api/v1/accounts", sign_up).await.status, 201);
    assert_eq!(operator.ask("POST", "/api/v1/accounts/bob/reset", Value::Null).await.json()["mailed"], false);
    assert_eq!(operator.ask("DELETE", "/api/v1/mail", Value::Null).await.status, 204);
}
