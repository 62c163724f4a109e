//! Passkeys as a browser and its authenticator see them: made, used, refused, removed.

use serde_json::{Value, json};
use service::base64::url::encode;
use testkit::authenticator::{Authenticator, Made, Signed};

use crate::{
    access::{Browser, PASSWORD, invited, owner},
    http::{Answer, request},
    world::World,
};

/// The host that requests of the tests come to.
const HOST: &str = "test";

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

/// The same request to another host.
async fn at_host(world: &World, host: &str, cookie: &str, target: &str, body: Value) -> Answer {
    let headers = [("Cookie", cookie), ("Sec-Fetch-Site", "same-origin")];
    let bytes = request("POST", target, &headers, body.to_string().as_bytes());
    let text = String::from_utf8(bytes).unwrap().replacen("Host: test", &format!("Host: {host}"), 1);
    let mut connection = world.connect().await;
    connection.send(text).await;
    connection.answer(false).await
}

/// A challenge's name and what is to be signed.
fn question(answer: &Answer) -> (String, Value) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let document = answer.json();
    (document["challenge"].as_str().unwrap().to_owned(), document["options"]["publicKey"].clone())
}

async fn asked_to_make(browser: &mut Browser<'_>) -> (String, Value) {
    question(&browser.ask("POST", "/api/v1/passkeys/challenge", json!({ "password": PASSWORD })).await)
}

async fn asked_to_sign(browser: &mut Browser<'_>) -> (String, String) {
    let (id, options) = question(&browser.ask("POST", "/api/v1/session/passkey/challenge", json!({})).await);
    assert_eq!((&options["rpId"], &options["userVerification"]), (&json!(HOST), &json!("required")));
    assert_eq!(options["allowCredentials"], json!([]), "no name is asked for");
    (id, options["challenge"].as_str().unwrap().to_owned())
}

/// What `credential.toJSON()` gives.
fn made_json(made: &Made) -> Value {
    json!({
        "id": encode(&made.credential),
        "rawId": encode(&made.credential),
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
        "response": {
            "clientDataJSON": encode(&made.client_data),
            "attestationObject": encode(&made.attestation),
            "transports": ["internal"],
        },
    })
}

fn signed_json(signed: &Signed) -> Value {
    json!({
        "id": encode(&signed.credential),
        "rawId": encode(&signed.credential),
        "type": "public-key",
        "clientExtensionResults": {},
        "response": {
            "clientDataJSON": encode(&signed.client_data),
            "authenticatorData": encode(&signed.authenticator_data),
            "signature": encode(&signed.signature),
            "userHandle": encode(&signed.user),
        },
    })
}

/// Makes a passkey; its line, and what its authenticator calls it.
async fn make(browser: &mut Browser<'_>, device: &mut Authenticator, label: &str) -> (Value, Vec<u8>) {
    let (id, options) = asked_to_make(browser).await;
    let user = service::base64::url::decode(options["user"]["id"].as_str().unwrap()).unwrap();
    let made = device.make(options["challenge"].as_str().unwrap(), &user);
    let body = json!({ "challenge": id, "label": label, "credential": made_json(&made) });
    let answer = browser.ask("POST", "/api/v1/passkeys", body).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    (answer.json(), made.credential)
}

async fn sign_in(browser: &mut Browser<'_>, device: &mut Authenticator, credential: &[u8]) -> Answer {
    let (id, challenge) = asked_to_sign(browser).await;
    let signed = device.sign(credential, &challenge);
    let body = json!({ "challenge": id, "credential": signed_json(&signed) });
    browser.ask("POST", "/api/v1/session/passkey", body).await
}

fn bad() -> (u16, String) {
    (401, "bad_passkey".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_signs_in_without_a_name_until_it_is_removed() {
    let world = World::new().await;
    let mut bob = invited(&mut owner(&world).await, "bob").await;
    let mut device = Authenticator::at(HOST);
    device.counter = 1;
    let wrong = json!({ "password": "wrong password" });
    assert_eq!(refused(&bob.ask("POST", "/api/v1/passkeys/challenge", wrong).await), (401, "bad_login".to_owned()));
    let (id, options) = asked_to_make(&mut bob).await;
    assert_eq!(options["rp"], json!({ "id": HOST, "name": "Holdfast" }));
    assert_eq!((&options["user"]["name"], &options["attestation"]), (&json!("bob"), &json!("none")));
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    drop(id);

    let (line, credential) = make(&mut bob, &mut device, "phone").await;
    assert_eq!((&line["label"], &line["host"], &line["used"]), (&json!("phone"), &json!(HOST), &Value::Null));
    let mut other = Browser::new(&world);
    let answer = sign_in(&mut other, &mut device, &credential).await;
    assert_eq!((answer.status, &answer.json()["account"]["name"]), (200, &json!("bob")));
    assert_eq!(other.ask("GET", "/api/v1/session", Value::Null).await.status, 200);
    let listed = bob.ask("GET", "/api/v1/passkeys", Value::Null).await.json();
    assert!(listed["passkeys"][0]["used"].is_string(), "{listed}");
    let (_, options) = asked_to_make(&mut bob).await;
    assert_eq!(options["excludeCredentials"][0]["id"], encode(&credential), "one device makes one");

    let address = format!("/api/v1/passkeys/{}", line["id"].as_str().unwrap());
    let mut stranger = invited(&mut sign_in_owner(&world).await, "mallory").await;
    assert_eq!(stranger.ask("PATCH", &address, json!({ "label": "mine" })).await.status, 404);
    assert_eq!(stranger.ask("DELETE", &address, Value::Null).await.status, 404);
    assert_eq!(bob.ask("PATCH", &address, json!({ "label": "old phone" })).await.status, 204);
    let listed = bob.ask("GET", "/api/v1/passkeys", Value::Null).await.json();
    assert_eq!(listed["passkeys"][0]["label"], "old phone");
    assert_eq!(bob.ask("DELETE", &address, Value::Null).await.status, 204);
    assert_eq!(other.ask("GET", "/api/v1/session", Value::Null).await.status, 401, "a lost phone's session ends, too");
    assert_eq!(refused(&sign_in(&mut other, &mut device, &credential).await), bad());
    assert_eq!(bob.ask("GET", "/api/v1/passkeys", Value::Null).await.json(), json!({ "passkeys": [] }));
}

async fn sign_in_owner(world: &World) -> Browser<'_> {
    let mut browser = Browser::new(world);
    assert_eq!(browser.sign_in("owner", PASSWORD).await.status, 200);
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_for_another_page_host_or_question_opens_nothing() {
    let world = World::new().await;
    let mut bob = owner(&world).await;
    let mut device = Authenticator::at(HOST);
    let (_, credential) = make(&mut bob, &mut device, "phone").await;
    let (_, another) = make(&mut bob, &mut device, "key ring").await;
    let mut browser = Browser::new(&world);

    for (origin, host, verifies) in [
        ("https://evil.example", HOST, true),
        ("http://test", HOST, true),
        ("https://test:8443", HOST, true),
        ("https://test", "evil.example", true),
        ("https://test", HOST, false),
    ] {
        (device.origin, device.host, device.verifies) = (origin.to_owned(), host.to_owned(), verifies);
        let answer = sign_in(&mut browser, &mut device, &credential).await;
        assert_eq!(refused(&answer), bad(), "{origin} {host} {verifies}");
        let (id, options) = asked_to_make(&mut bob).await;
        let made = device.make(options["challenge"].as_str().unwrap(), b"whoever");
        let body = json!({ "challenge": id, "label": "", "credential": made_json(&made) });
        let answer = bob.ask("POST", "/api/v1/passkeys", body).await;
        assert_eq!(refused(&answer), (400, "passkey_not_made".to_owned()), "{origin} {host} {verifies}");
    }
    (device.origin, device.host, device.verifies) = ("https://test".to_owned(), HOST.to_owned(), true);

    // One question, one answer; and no other question's.
    let (id, challenge) = asked_to_sign(&mut browser).await;
    let (other_id, _) = asked_to_sign(&mut browser).await;
    let signed = signed_json(&device.sign(&credential, &challenge));
    let body = |id: &str, signed: &Value| json!({ "challenge": id, "credential": signed });
    let door = "/api/v1/session/passkey";
    assert_eq!(refused(&browser.ask("POST", door, body(&other_id, &signed)).await), bad());
    assert_eq!(browser.ask("POST", door, body(&id, &signed)).await.status, 200);
    assert_eq!(refused(&browser.ask("POST", door, body(&id, &signed)).await), bad(), "it is played again");
    let (id, challenge) = asked_to_sign(&mut browser).await;
    let signed = signed_json(&device.sign(&credential, &challenge));
    world.clock.jump_s(301);
    assert_eq!(refused(&browser.ask("POST", door, body(&id, &signed)).await), bad(), "it is late");

    // Another key, another account, a changed word.
    let (id, challenge) = asked_to_sign(&mut browser).await;
    let mut signed = device.sign(&credential, &challenge);
    signed.user = vec![7; 16];
    assert_eq!(refused(&browser.ask("POST", door, body(&id, &signed_json(&signed))).await), bad());
    let (id, challenge) = asked_to_sign(&mut browser).await;
    let mut signed = device.sign(&credential, &challenge);
    signed.authenticator_data[32] |= 0x10;
    assert_eq!(refused(&browser.ask("POST", door, body(&id, &signed_json(&signed))).await), bad());
    device.swap(&credential, &another);
    assert_eq!(refused(&sign_in(&mut browser, &mut device, &credential).await), bad());
    device.swap(&credential, &another);
    assert_eq!(sign_in(&mut browser, &mut device, &credential).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_was_forged_gains_nothing() {
    let world = World::new().await;
    let mut bob = owner(&world).await;
    let mut device = Authenticator::at(HOST);
    let (_, credential) = make(&mut bob, &mut device, "phone").await;
    let ask = "/api/v1/session/passkey/challenge";
    let (id, options) = question(&at_host(&world, "evil.example", "", ask, json!({})).await);
    assert_eq!(options["rpId"], "evil.example", "for which no browser has a passkey of ours");
    let challenge = options["challenge"].as_str().unwrap();
    // What the true page would sign, what the forger's page would, and both at once.
    for (origin, host) in [
        ("https://test", HOST),
        ("https://evil.example", "evil.example"),
        ("https://evil.example", HOST),
        ("https://test", "evil.example"),
    ] {
        (device.origin, device.host) = (origin.to_owned(), host.to_owned());
        let body = json!({ "challenge": id, "credential": signed_json(&device.sign(&credential, challenge)) });
        let answer = at_host(&world, "test", "", "/api/v1/session/passkey", body).await;
        assert_eq!(refused(&answer), bad(), "{origin} {host}");
    }
    for host in ["192.0.2.1:8080", "[::1]:8080"] {
        let answer = at_host(&world, host, "", ask, json!({})).await;
        assert_eq!(refused(&answer), (400, "no_passkeys_here".to_owned()), "{host}");
    }
    let cookie = bob.cookie.clone();
    let begin =
        at_host(&world, "localhost:8080", &cookie, "/api/v1/passkeys/challenge", json!({ "password": PASSWORD }));
    assert_eq!(question(&begin.await).1["rp"]["id"], "localhost", "the own machine needs no HTTPS");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_its_sessions_and_an_account_has_sixteen() {
    let world = World::new().await;
    let mut alice = owner(&world).await;
    let mut bob = invited(&mut alice, "bob").await;
    let mut device = Authenticator::at(HOST);
    let (id, options) = asked_to_make(&mut bob).await;
    let made = device.make(options["challenge"].as_str().unwrap(), b"bob");
    let body = json!({ "challenge": id, "label": "stolen", "credential": made_json(&made) });
    let not_made = (400, "passkey_not_made".to_owned());
    assert_eq!(refused(&alice.ask("POST", "/api/v1/passkeys", body.clone()).await), not_made);
    assert_eq!(refused(&bob.ask("POST", "/api/v1/passkeys", body).await), not_made, "it is used up");
    let (other, _) = make(&mut alice, &mut device, "one").await;
    assert_eq!(other["label"], "one");
    for number in 1..16 {
        make(&mut alice, &mut device, &format!("number {number}")).await;
    }
    let answer = alice.ask("POST", "/api/v1/passkeys/challenge", json!({ "password": PASSWORD })).await;
    assert_eq!(refused(&answer), (409, "too_many_passkeys".to_owned()));
    let cross = alice.ask_from("cross-site", "POST", "/api/v1/session/passkey/challenge", json!({})).await;
    assert_eq!(refused(&cross), (403, "cross_origin".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_no_way_around_a_suspension_or_a_counter() {
    let world = World::new().await;
    let mut alice = owner(&world).await;
    let mut bob = invited(&mut alice, "bob").await;
    let mut device = Authenticator::at(HOST);
    device.counter = 5;
    let (_, credential) = make(&mut bob, &mut device, "phone").await;
    let mut browser = Browser::new(&world);
    assert_eq!(sign_in(&mut browser, &mut device, &credential).await.status, 200);
    device.counter -= 1;
    let answer = sign_in(&mut browser, &mut device, &credential).await;
    assert_eq!(refused(&answer), bad(), "a copy signed before");
    assert!(answer.json()["detail"].as_str().unwrap().contains("copied"));
    let lines = world.store.read(|tx| catalogue::audit::page(tx, None, 20)).await.unwrap();
    assert!(lines.iter().any(|line| line.verb == "passkey's counter went back"), "{lines:?}");
    assert_eq!(sign_in(&mut browser, &mut device, &credential).await.status, 200);

    let patch = |suspended: bool| json!({ "suspended": suspended });
    assert_eq!(alice.ask("PATCH", "/api/v1/accounts/bob", patch(true)).await.status, 204);
    let answer = sign_in(&mut browser, &mut device, &credential).await;
    assert_eq!(refused(&answer), (403, "suspended".to_owned()));
    assert_eq!(alice.ask("PATCH", "/api/v1/accounts/bob", patch(false)).await.status, 204);
    assert_eq!(sign_in(&mut browser, &mut device, &credential).await.status, 200);

    // With the account its passkeys end.
    assert_eq!(bob.sign_in("bob", PASSWORD).await.status, 200);
    assert_eq!(bob.ask("POST", "/api/v1/session/leave", json!({ "password": PASSWORD })).await.status, 200);
    assert_eq!(sign_in(&mut browser, &mut device, &credential).await.status, 200, "in its grace it is as it was");
    world.clock.jump_s(14 * 86_400 + 60);
    world.service.expire().await.unwrap();
    assert_eq!(refused(&sign_in(&mut browser, &mut device, &credential).await), bad());
}

#[tokio::test(flavor = "multi_thread")]
async fn passkeys_are_not_guessed_by_the_thousand() {
    let world = World::new().await;
    owner(&world).await;
    let from = async |address: &str, target: &str, body: Value| {
        let headers = [("Sec-Fetch-Site", "same-origin"), ("X-Forwarded-For", address)];
        let mut connection = world.connect().await;
        connection.send(request("POST", target, &headers, body.to_string().as_bytes())).await;
        connection.answer(false).await
    };
    let nothing = json!({ "rawId": "AA", "response": {
        "clientDataJSON": "", "authenticatorData": "", "signature": "", "userHandle": null,
    }});
    let guess = json!({ "challenge": "0".repeat(32), "credential": nothing });
    for _ in 0..100 {
        assert_eq!(from("192.0.2.1", "/api/v1/session/passkey", guess.clone()).await.status, 401);
    }
    assert_eq!(from("192.0.2.1", "/api/v1/session/passkey", guess.clone()).await.status, 429);
    assert_eq!(from("192.0.2.2", "/api/v1/session/passkey", guess).await.status, 401);
}
