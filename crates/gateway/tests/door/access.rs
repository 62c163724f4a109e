//! Accounts as a browser sees them: the first owner, invitations, sessions, passwords, and who may do what.

use serde_json::{Value, json};

use crate::{
    http::{Answer, request},
    world::World,
};

pub const PASSWORD: &str = "correct horse";

/// A browser: it keeps its session's cookie and nothing else.
pub struct Browser<'w> {
    world: &'w World,
    pub cookie: String,
}

impl<'w> Browser<'w> {
    pub fn new(world: &'w World) -> Self {
        Self { world, cookie: String::new() }
    }

    /// As the own page asks.
    pub async fn ask(&mut self, method: &str, target: &str, body: Value) -> Answer {
        self.ask_from("same-origin", method, target, body).await
    }

    /// As a page of another site, or this one, asks.
    pub async fn ask_from(&mut self, site: &str, method: &str, target: &str, body: Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let headers = [("Cookie", self.cookie.as_str()), ("Sec-Fetch-Site", site), ("User-Agent", "a browser")];
        let mut connection = self.world.connect().await;
        let _ = connection.try_send(request(method, target, &headers, &body)).await;
        let answer = connection.answer(method == "HEAD").await;
        let set = answer.header("set-cookie");
        if !set.is_empty() {
            let (pair, rest) = set.split_once(';').unwrap();
            assert!(rest.contains("HttpOnly") && rest.contains("SameSite=Lax"), "{set}");
            self.cookie = pair.to_owned();
        }
        answer
    }

    /// Any request, as the own page makes it.
    pub async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut all = vec![("Cookie", self.cookie.as_str()), ("Sec-Fetch-Site", "same-origin")];
        all.extend_from_slice(headers);
        let mut connection = self.world.connect().await;
        let _ = connection.try_send(request(method, target, &all, body)).await;
        connection.answer(method == "HEAD").await
    }

    pub async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        self.ask("POST", "/api/v1/session", json!({ "name": name, "password": password })).await
    }
}

/// The owner's browser, in a service that was just taken over.
pub async fn owner(world: &World) -> Browser<'_> {
    let code = world.service.claim_code().await.unwrap().unwrap();
    let mut browser = Browser::new(world);
    let sign_up = json!({ "invitation": code, "name": "owner", "password": PASSWORD });
    let answer = browser.ask("POST", "/api/v1/accounts", sign_up).await;
    assert_eq!((answer.status, &answer.json()["account"]["role"]), (201, &json!("operator")));
    browser
}

/// Another user's browser, invited by the owner.
pub async fn invited<'w>(owner: &mut Browser<'w>, name: &str) -> Browser<'w> {
    let code = owner.ask("POST", "/api/v1/invitations", json!({})).await.json()["code"].as_str().unwrap().to_owned();
    let mut browser = Browser::new(owner.world);
    let sign_up = json!({ "invitation": code, "name": name, "password": PASSWORD });
    let answer = browser.ask("POST", "/api/v1/accounts", sign_up.clone()).await;
    assert_eq!((answer.status, &answer.json()["account"]["role"]), (201, &json!("user")));
    let again = Browser::new(owner.world).ask("POST", "/api/v1/accounts", sign_up).await;
    assert_eq!((again.status, again.code().as_str()), (404, "bad_code"), "it opens once");
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_owner_claims_the_service_once() {
    let world = World::new().await;
    world.put("kept/before.txt", b"put with a token").await;
    let code = world.service.claim_code().await.unwrap().unwrap();
    let old = code;
    let code = world.service.claim_code().await.unwrap().unwrap();
    let sign_up = |code: &str, name: &str| json!({ "invitation": code, "name": name, "password": PASSWORD });
    let mut browser = Browser::new(&world);
    for (body, status, problem) in [
        (sign_up(&old, "alice"), 404, "bad_code"),
        (sign_up(&code, " alice"), 400, "bad_name"),
        (sign_up(&code, "a/b"), 400, "bad_name"),
        (json!({ "invitation": code, "name": "alice", "password": "short" }), 400, "bad_password"),
    ] {
        let answer = browser.ask("POST", "/api/v1/accounts", body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, problem));
    }
    let answer = browser.ask("POST", "/api/v1/accounts", sign_up(&code, "alice")).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    let again = Browser::new(&world).ask("POST", "/api/v1/accounts", sign_up(&code, "mallory")).await;
    assert_eq!((again.status, again.code().as_str()), (404, "bad_code"));
    assert_eq!(world.service.claim_code().await.unwrap(), None, "it has an owner");

    // It is the account that was there: its files and tokens go on.
    let me = browser.ask("GET", "/api/v1/session", Value::Null).await.json();
    assert_eq!(me["account"]["name"], "alice");
    assert_eq!(me["account"]["used_bytes"], 16);
    let listing = browser.ask("GET", "/api/v1/files/kept/", Value::Null).await.json();
    assert_eq!(listing["entries"][0]["name"], "before.txt");
    assert_eq!(world.get("kept/before.txt").await.body, b"put with a token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begins_with_the_password_and_ends_when_it_is_told_to() {
    let world = World::new().await;
    let mut first = owner(&world).await;
    let mut second = Browser::new(&world);
    for (name, password) in [("owner", "wrong password"), ("nobody", PASSWORD), ("", "")] {
        let answer = second.sign_in(name, password).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "bad_login"), "{name}");
    }
    assert_eq!(second.sign_in("owner", PASSWORD).await.status, 200);
    let sessions = first.ask("GET", "/api/v1/sessions", Value::Null).await.json()["sessions"].clone();
    let current: Vec<_> = sessions.as_array().unwrap().iter().map(|session| session["current"] == true).collect();
    assert_eq!(current, [true, false]);
    assert_eq!(sessions[0]["agent"], "a browser");

    let path = format!("/api/v1/sessions/{}", sessions[1]["id"].as_str().unwrap());
    assert_eq!(first.ask("DELETE", &path, Value::Null).await.status, 204);
    let answer = second.ask("GET", "/api/v1/session", Value::Null).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "signed_out"));
    assert_eq!(first.ask("DELETE", &path, Value::Null).await.status, 404);

    let stolen = first.cookie.clone();
    assert_eq!(first.ask("DELETE", "/api/v1/session", Value::Null).await.status, 204);
    assert_eq!(first.cookie, "holdfast=", "the browser forgets it");
    first.cookie = stolen;
    assert_eq!(first.ask("GET", "/api/v1/session", Value::Null).await.status, 401, "and so does the service");

    assert_eq!(second.sign_in("owner", PASSWORD).await.status, 200);
    world.clock.jump_s(31 * 86_400);
    assert_eq!(second.ask("GET", "/api/v1/session", Value::Null).await.status, 401, "unused for 30 days");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_other_sessions() {
    let world = World::new().await;
    let (mut first, mut second) = (owner(&world).await, Browser::new(&world));
    second.sign_in("owner", PASSWORD).await;
    let change = |old: &str, new: &str| json!({ "old": old, "new": new });
    let answer = first.ask("POST", "/api/v1/password", change("not the old one", "battery staple")).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "bad_login"));
    assert_eq!(first.ask("POST", "/api/v1/password", change(PASSWORD, "battery staple")).await.status, 204);
    assert_eq!(first.ask("GET", "/api/v1/session", Value::Null).await.status, 200);
    assert_eq!(second.ask("GET", "/api/v1/session", Value::Null).await.status, 401);
    assert_eq!(second.sign_in("owner", PASSWORD).await.status, 401);
    assert_eq!(second.sign_in("owner", "battery staple").await.status, 200);

    // Who forgot it is helped back in by an operator, without mail.
    let answer = first.ask("POST", "/api/v1/accounts/owner/reset", Value::Null).await;
    let reset = json!({ "code": answer.json()["code"], "new": "third password" });
    let mut third = Browser::new(&world);
    assert_eq!(third.ask("POST", "/api/v1/password/reset", reset.clone()).await.status, 200);
    assert_eq!(third.ask("GET", "/api/v1/session", Value::Null).await.json()["account"]["role"], "operator");
    assert_eq!(first.ask("GET", "/api/v1/session", Value::Null).await.status, 401);
    let again = Browser::new(&world).ask("POST", "/api/v1/password/reset", reset).await;
    assert_eq!((again.status, again.code().as_str()), (404, "bad_code"), "it opens once");
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_not_guessed_by_the_thousand() {
    let world = World::new().await;
    owner(&world).await;
    let mut guesser = Browser::new(&world);
    for _ in 0..10 {
        assert_eq!(guesser.sign_in("owner", "guess guess").await.status, 401);
    }
    let answer = guesser.sign_in("owner", PASSWORD).await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "too_many_attempts"));
    assert!(answer.header("retry-after").parse::<u64>().unwrap() <= 60);
    assert_eq!(guesser.sign_in("somebody else", "guess guess").await.status, 401);
    world.clock.jump_s(61);
    assert_eq!(guesser.sign_in("owner", PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_page_changes_nothing() {
    let world = World::new().await;
    world.put("f", b"x").await;
    let mut browser = owner(&world).await;
    for site in ["cross-site", "same-site"] {
        for (method, target, body) in [
            ("DELETE", "/api/v1/files/f", Value::Null),
            ("POST", "/api/v1/shares", json!({ "path": "/f" })),
            ("POST", "/api/v1/session", json!({ "name": "owner", "password": PASSWORD })),
            ("PUT", "/api/v1/files/f", json!("y")),
        ] {
            let answer = browser.ask_from(site, method, target, body).await;
            assert_eq!((answer.status, answer.code().as_str()), (403, "cross_origin"), "{method} {target}");
        }
    }
    assert_eq!(world.get("f").await.body, b"x");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_sees_itself_only_and_a_suspended_one_nothing() {
    let world = World::new().await;
    world.put("mine.txt", b"the owner's").await;
    let mut owner = owner(&world).await;
    let mut user = invited(&mut owner, "bob@example.org").await;
    assert_eq!(user.ask("GET", "/api/v1/files/", Value::Null).await.json()["entries"], json!([]));
    assert_eq!(user.ask("GET", "/api/v1/files/mine.txt", Value::Null).await.status, 404);
    let operators = [
        ("GET", "/api/v1/fleet", Value::Null),
        ("GET", "/api/v1/fleet/what-if?provider=provider-1", Value::Null),
        ("GET", "/api/v1/fleet/trend", Value::Null),
        ("POST", "/api/v1/fleet/scrub?wait=true", Value::Null),
        ("GET", "/api/v1/fleet/jobs", Value::Null),
        ("POST", "/api/v1/fleet/jobs", json!({ "kind": "repair", "act": "pause" })),
        ("POST", "/api/v1/fleet/drills", json!({ "provider": "provider-1", "sample": 1 })),
        ("POST", "/api/v1/fleet/providers", json!({ "name": "mine" })),
        ("POST", "/api/v1/fleet/prices", json!({ "provider": "provider-1", "labels": {} })),
        ("POST", "/api/v1/fleet/targets", json!({ "provider": "mine", "address": "/etc" })),
        ("POST", "/api/v1/fleet/logins", json!({ "address": "/etc", "login": {} })),
        ("POST", "/api/v1/fleet/orders", json!({ "provider": "provider-1", "order": "cordon" })),
        ("POST", "/api/v1/fleet/probes", json!({ "address": "/etc" })),
        ("GET", "/api/v1/accounts", Value::Null),
        ("PATCH", "/api/v1/accounts/owner", json!({ "suspended": true })),
        ("POST", "/api/v1/accounts/owner/reset", Value::Null),
        ("GET", "/api/v1/invitations", Value::Null),
        ("POST", "/api/v1/invitations", json!({ "role": "operator" })),
    ];
    for (method, target, body) in operators {
        let answer = user.ask(method, target, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "not_operator"), "{method} {target}");
    }

    let made = user.ask("POST", "/api/v1/tokens", json!({ "label": "laptop", "days": 1 })).await.json();
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    let by_token = async || world.with("GET", "/api/v1/files/", &[("Authorization", &bearer)]).await;
    assert_eq!(by_token().await.status, 200);
    let tokens = user.ask("GET", "/api/v1/tokens", Value::Null).await.json();
    assert_eq!((&tokens["tokens"][0]["label"], &tokens["tokens"][0]["id"]), (&json!("laptop"), &made["id"]));

    let path = "/api/v1/accounts/bob%40example.org";
    assert_eq!(owner.ask("PATCH", path, json!({ "suspended": true })).await.status, 204);
    assert_eq!(user.ask("GET", "/api/v1/session", Value::Null).await.status, 401, "its sessions ended");
    assert_eq!(by_token().await.status, 403);
    let answer = user.sign_in("bob@example.org", PASSWORD).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "suspended"));
    assert_eq!(owner.ask("PATCH", path, json!({ "suspended": false })).await.status, 204);
    assert_eq!(by_token().await.status, 200);
    assert_eq!(user.sign_in("bob@example.org", PASSWORD).await.status, 200);

    let token = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(owner.ask("DELETE", &token, Value::Null).await.status, 404, "it is not the owner's");
    assert_eq!(user.ask("DELETE", &token, Value::Null).await.status, 204);
    assert_eq!(by_token().await.status, 401);

    let own = owner.ask("PATCH", "/api/v1/accounts/owner", json!({ "suspended": true })).await;
    assert_eq!((own.status, own.code().as_str()), (403, "own_account"));
    let people = owner.ask("GET", "/api/v1/accounts", Value::Null).await.json();
    let names: Vec<_> = people["accounts"].as_array().unwrap().iter().map(|person| &person["name"]).collect();
    assert_eq!(names, ["bob@example.org", "owner"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_can_be_withdrawn_and_ends() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let invite = owner.ask("POST", "/api/v1/invitations", json!({ "role": "operator", "days": 2 })).await.json();
    let other = owner.ask("POST", "/api/v1/invitations", json!({})).await.json();
    let listed = owner.ask("GET", "/api/v1/invitations", Value::Null).await.json();
    assert_eq!(listed["invitations"].as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains(invite["code"].as_str().unwrap()), "a code is shown once");
    let path = format!("/api/v1/invitations/{}", invite["id"].as_str().unwrap());
    assert_eq!(owner.ask("DELETE", &path, Value::Null).await.status, 204);
    let sign_up = |code: &Value| json!({ "invitation": code, "name": "carol", "password": PASSWORD });
    let mut guest = Browser::new(&world);
    assert_eq!(guest.ask("POST", "/api/v1/accounts", sign_up(&invite["code"])).await.code(), "bad_code");
    world.clock.jump_s(8 * 86_400);
    assert_eq!(guest.ask("POST", "/api/v1/accounts", sign_up(&other["code"])).await.code(), "bad_code");
    let answer = owner.ask("POST", "/api/v1/invitations", json!({ "days": 91 })).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad_days"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_suspended_does_not_come_back_by_an_invitation_or_a_half_sent_request() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let invite = json!({ "role": "operator" });
    let made = owner.ask("POST", "/api/v1/invitations", invite.clone()).await.json();
    let mut rogue = Browser::new(&world);
    let sign_up = |code: &Value, name: &str| json!({ "invitation": code, "name": name, "password": PASSWORD });
    assert_eq!(rogue.ask("POST", "/api/v1/accounts", sign_up(&made["code"], "rogue")).await.status, 201);
    let kept = rogue.ask("POST", "/api/v1/invitations", invite).await.json();
    let listed = owner.ask("GET", "/api/v1/invitations", Value::Null).await.json();
    assert_eq!(listed["invitations"][0]["id"], kept["id"], "every operator sees it");

    // Half of a request, begun while it was allowed.
    let body = json!({ "role": "operator" }).to_string();
    let headers = [("Cookie", rogue.cookie.as_str()), ("Sec-Fetch-Site", "same-origin")];
    let whole = request("POST", "/api/v1/invitations", &headers, body.as_bytes());
    let mut connection = world.connect().await;
    connection.send(&whole[..whole.len() - 1]).await;

    assert_eq!(owner.ask("PATCH", "/api/v1/accounts/rogue", json!({ "suspended": true })).await.status, 204);
    connection.send(&whole[whole.len() - 1..]).await;
    assert_eq!(connection.answer(false).await.status, 401);
    let mut again = Browser::new(&world);
    let answer = again.ask("POST", "/api/v1/accounts", sign_up(&kept["code"], "rogue again")).await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "bad_code"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_for_a_new_password_ends_the_others() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let mut code = async || owner.ask("POST", "/api/v1/accounts/owner/reset", Value::Null).await.json()["code"].clone();
    let (first, second) = (code().await, code().await);
    let mut browser = Browser::new(&world);
    for (code, status) in [(&first, 404), (&second, 200), (&second, 404)] {
        let reset = json!({ "code": code, "new": "battery staple" });
        assert_eq!(browser.ask("POST", "/api/v1/password/reset", reset).await.status, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_no_record_or_address_can_hold_are_refused_before_anything_else() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let made = owner.ask("POST", "/api/v1/invitations", json!({})).await.json();
    let mut guest = Browser::new(&world);
    for name in ["𝄞".repeat(64), ".".to_owned(), "..".to_owned(), "x".repeat(65), String::new()] {
        let sign_up = json!({ "invitation": made["code"], "name": name, "password": PASSWORD });
        let answer = guest.ask("POST", "/api/v1/accounts", sign_up).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_name"), "{name}");
    }
    let token = json!({ "label": "x".repeat(100_000) });
    assert_eq!(owner.ask("POST", "/api/v1/tokens", token).await.status, 201, "a label is shortened");
    let sign_up = json!({ "invitation": made["code"], "name": "𝄞".repeat(63), "password": PASSWORD });
    assert_eq!(guest.ask("POST", "/api/v1/accounts", sign_up).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_makes_no_tokens_and_nobody_keeps_a_refusal() {
    let world = World::new().await;
    owner(&world).await;
    let answer = world.call("POST", "/api/v1/tokens", &[], b"{}").await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "needs_session"));
    for target in ["/api/v1/files/none", "/api/v1/links/00", "/api/v2"] {
        let answer = world.with("GET", target, &[]).await;
        assert_eq!(answer.header("cache-control"), "private, no-store", "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_is_used_first_does_not_take_the_service_from_its_owner() {
    let world = World::new().await;
    let invited = world.call("POST", "/api/v1/invitations", &[], b"{}").await.json();
    let sign_up = |code: &Value, name: &str| json!({ "invitation": code, "name": name, "password": PASSWORD });
    let mut bob = Browser::new(&world);
    assert_eq!(bob.ask("POST", "/api/v1/accounts", sign_up(&invited["code"], "bob")).await.status, 201);
    assert_eq!(bob.ask("GET", "/api/v1/fleet", Value::Null).await.status, 403);
    let code = world.service.claim_code().await.unwrap().expect("it still has no owner").into();
    let mut owner = Browser::new(&world);
    let me = owner.ask("POST", "/api/v1/accounts", sign_up(&code, "owner")).await.json();
    assert_eq!(me["account"]["role"], "operator");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_for_many_names_is_stopped_by_where_they_come_from() {
    let world = World::new().await;
    owner(&world).await;
    let from = async |address: &str, name: &str, password: &str| {
        let body = json!({ "name": name, "password": password }).to_string();
        let headers = [("Sec-Fetch-Site", "same-origin"), ("X-Forwarded-For", address)];
        let mut connection = world.connect().await;
        connection.send(request("POST", "/api/v1/session", &headers, body.as_bytes())).await;
        connection.answer(false).await.status
    };
    for number in 0..100 {
        // A name of its own for each guess: no limit by name is met.
        assert_eq!(from("203.0.113.9, 192.0.2.1", &format!("name {number}"), "wrong password").await, 401, "{number}");
    }
    assert_eq!(from("192.0.2.1", "another", "wrong password").await, 429);
    assert_eq!(from("192.0.2.1", "owner", PASSWORD).await, 429, "they could know it by now");
    // Who writes another address in front comes from the same one; everybody else signs in.
    assert_eq!(from("198.51.100.7, 192.0.2.1", "owner", PASSWORD).await, 429);
    assert_eq!(from("192.0.2.2", "owner", PASSWORD).await, 200);
    world.clock.jump_s(3_600);
    assert_eq!(from("192.0.2.1", "owner", PASSWORD).await, 200);
}
