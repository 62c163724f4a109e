//! The second factor as a browser sees it: turned on, asked for, used once, lost, and taken away by an operator.

use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::{
    access::{Browser, PASSWORD, invited, owner},
    http::Answer,
    world::{START_US, World},
};

const DOOR: &str = "/api/v1/session/second-factor";

/// The digits that an authenticator shows `steps` steps of 30 s from now.
fn digits(world: &World, secret: &str, steps: i64) -> String {
    use model::world::Clock;
    let now_s = world.clock.now().wall_us / 1_000_000 + 30 * steps;
    assert!(now_s * 1_000_000 >= START_US - 60_000_000);
    let totp = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    totp.generate(u64::try_from(now_s).unwrap()).to_string()
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

async fn sign_in(browser: &mut Browser<'_>, second: Option<&str>) -> Answer {
    let mut body = json!({ "name": "bob", "password": PASSWORD });
    if let Some(second) = second {
        body["second"] = second.into();
    }
    browser.ask("POST", "/api/v1/session", body).await
}

/// Turns it on in `browser`; the secret and the one-time codes.
async fn turn_on(world: &World, browser: &mut Browser<'_>) -> (String, Vec<String>) {
    let proposed = browser.ask("POST", DOOR, json!({})).await.json();
    let secret = proposed["secret"].as_str().unwrap().to_owned();
    let address = proposed["address"].as_str().unwrap();
    assert_eq!(address, format!("otpauth://totp/Holdfast:bob?secret={secret}&issuer=Holdfast"));
    let on = |password: &str, second: &str| json!({ "password": password, "secret": secret, "second": second });
    let right = digits(world, &secret, 0);
    for (body, code) in [
        (on("wrong password", &right), "bad_login"),
        (on(PASSWORD, "000"), "bad_second_factor"),
        (on(PASSWORD, &digits(world, &secret, 5)), "bad_second_factor"),
        (json!({ "password": PASSWORD, "secret": "A", "second": right }), "bad_second_factor"),
    ] {
        assert_eq!(refused(&browser.ask("PUT", DOOR, body).await), (401, code.to_owned()));
    }
    let codes = browser.ask("PUT", DOOR, on(PASSWORD, &right)).await.json();
    let codes: Vec<String> =
        codes["codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    assert_eq!(codes.len(), 10);
    (secret, codes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_alone_opens_nothing_once_a_second_factor_is_on() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    let mut other = Browser::new(&world);
    assert_eq!(sign_in(&mut other, None).await.status, 200);
    let (secret, codes) = turn_on(&world, &mut bob).await;
    assert_eq!(other.ask("GET", "/api/v1/session", Value::Null).await.status, 401, "other browsers are signed out");
    let me = bob.ask("GET", "/api/v1/session", Value::Null).await.json();
    assert_eq!(me["account"]["second_factor"]["codes_left"], 10);
    let again = json!({ "password": PASSWORD, "secret": secret, "second": digits(&world, &secret, 1) });
    assert_eq!(refused(&bob.ask("PUT", DOOR, again).await), (409, "second_factor_on".to_owned()));

    assert_eq!(refused(&sign_in(&mut other, None).await), (401, "second_factor_needed".to_owned()));
    let wrong = json!({ "name": "bob", "password": "wrong password", "second": codes[0] });
    assert_eq!(refused(&other.ask("POST", "/api/v1/session", wrong).await), (401, "bad_login".to_owned()));
    let used = digits(&world, &secret, 0);
    assert_eq!(refused(&sign_in(&mut other, Some(&used)).await), (401, "bad_second_factor".to_owned()), "turned it on");
    let next = digits(&world, &secret, 1);
    assert_eq!(sign_in(&mut other, Some(&next)).await.status, 200);
    assert_eq!(refused(&sign_in(&mut other, Some(&next)).await), (401, "bad_second_factor".to_owned()), "opens once");

    let shouted = codes[3].to_uppercase().replace('-', " ");
    let entered = sign_in(&mut other, Some(&shouted)).await.json();
    assert_eq!(entered["account"]["second_factor"]["codes_left"], 9);
    assert_eq!(refused(&sign_in(&mut other, Some(&codes[3])).await), (401, "bad_second_factor".to_owned()));

    world.clock.jump_s(60);
    let shown = json!({ "password": PASSWORD, "second": digits(&world, &secret, 0) });
    let fresh = bob.ask("POST", &format!("{DOOR}/codes"), shown).await.json();
    assert_eq!(refused(&sign_in(&mut other, Some(&codes[4])).await), (401, "bad_second_factor".to_owned()));
    let fresh = fresh["codes"][0].as_str().unwrap();
    assert_eq!(sign_in(&mut other, Some(fresh)).await.status, 200);

    world.clock.jump_s(60);
    let off = |second: &str| json!({ "password": PASSWORD, "second": second });
    assert_eq!(refused(&bob.ask("DELETE", DOOR, off("123")).await), (401, "bad_second_factor".to_owned()));
    assert_eq!(bob.ask("DELETE", DOOR, off(&digits(&world, &secret, 0))).await.status, 204);
    assert_eq!(sign_in(&mut other, None).await.status, 200);
    assert_eq!(refused(&bob.ask("DELETE", DOOR, off(fresh)).await), (404, "no_second_factor".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn digits_are_not_guessed_by_the_thousand_and_a_lost_phone_is_helped() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    let (_, codes) = turn_on(&world, &mut bob).await;
    let mut guesser = Browser::new(&world);
    let mut last = 0;
    for _ in 0..11 {
        last = sign_in(&mut guesser, Some("123456")).await.status;
    }
    assert_eq!(last, 429);
    assert_eq!(sign_in(&mut guesser, Some(&codes[0])).await.status, 429, "the right one waits, too");
    world.clock.jump_s(61);
    assert_eq!(sign_in(&mut guesser, Some(&codes[0])).await.status, 200);

    // A new password does not do away with it, and the one-time address waits for it.
    let code = owner.ask("POST", "/api/v1/accounts/bob/reset", Value::Null).await.json()["code"].clone();
    let reset = |second: Option<&str>| json!({ "code": code, "new": PASSWORD, "second": second });
    let door = "/api/v1/password/reset";
    assert_eq!(refused(&guesser.ask("POST", door, reset(None)).await), (401, "second_factor_needed".to_owned()));
    assert_eq!(refused(&guesser.ask("POST", door, reset(Some("1"))).await), (401, "bad_second_factor".to_owned()));
    assert_eq!(guesser.ask("POST", door, reset(Some(&codes[1]))).await.status, 200);
    assert_eq!(refused(&sign_in(&mut guesser, None).await), (401, "second_factor_needed".to_owned()));

    // An invitation is of whoever invited, and has no business at this door.
    let invitation = owner.ask("POST", "/api/v1/invitations", json!({})).await.json()["code"].clone();
    let misused = json!({ "code": invitation, "new": PASSWORD, "second": "123456" });
    assert_eq!(refused(&guesser.ask("POST", door, misused).await), (404, "bad_code".to_owned()));

    let lost = "/api/v1/accounts/bob/second-factor";
    assert_eq!(guesser.ask("DELETE", lost, Value::Null).await.status, 403, "not by oneself");
    let people = owner.ask("GET", "/api/v1/accounts", Value::Null).await.json();
    assert_eq!(people["accounts"][0]["second_factor"], true);
    assert_eq!(owner.ask("DELETE", lost, Value::Null).await.status, 204);
    assert_eq!(guesser.ask("GET", "/api/v1/session", Value::Null).await.status, 401, "its sessions ended");
    assert_eq!(sign_in(&mut guesser, None).await.status, 200);
    assert_eq!(refused(&owner.ask("DELETE", lost, Value::Null).await), (404, "no_second_factor".to_owned()));
    let own = owner.ask("DELETE", "/api/v1/accounts/owner/second-factor", Value::Null).await;
    assert_eq!(refused(&own), (403, "own_account".to_owned()), "a stolen session would be rid of it");
}
