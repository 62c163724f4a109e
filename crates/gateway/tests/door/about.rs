//! The face of the service, and who may make an account.

use serde_json::{Value, json};

use crate::{
    access::{Browser, PASSWORD, invited, owner},
    world::World,
};

const DOOR: &str = "/api/v1/service";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand the rest of a small picture";

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_says_what_the_service_is_and_everybody_reads_it() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    let before = world.with("GET", DOOR, &[]).await.json();
    assert_eq!(
        (&before["name"], &before["sign_up"], &before["logo"]),
        (&json!("Holdfast"), &json!("invitation"), &Value::Null)
    );
    let said = json!({ "name": "Attic", "colour": "#0A7f20", "terms": "Be *kind*.", "contact": "attic@example.org" });
    assert_eq!(bob.ask("PATCH", DOOR, said.clone()).await.status, 403);
    assert_eq!(world.with("PATCH", DOOR, &[]).await.status, 401);
    assert_eq!(owner.ask("PATCH", DOOR, said).await.status, 200);
    for (bad, code) in [
        (json!({ "colour": "red" }), "bad_about"),
        (json!({ "name": "x".repeat(61) }), "bad_about"),
        (json!({ "terms": "x".repeat(20_001) }), "bad_about"),
        (json!({ "sign_up": "sometimes" }), "bad_json"),
    ] {
        let answer = owner.ask("PATCH", DOOR, bad.clone()).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{bad}");
    }
    owner.ask("PATCH", DOOR, json!({ "contact": null })).await;
    let about = world.with("GET", DOOR, &[]).await.json();
    assert_eq!(
        (&about["name"], &about["colour"], &about["terms"], &about["contact"]),
        (&json!("Attic"), &json!("#0a7f20"), &json!("Be *kind*."), &Value::Null)
    );

    let logo = format!("{DOOR}/logo");
    assert_eq!(bob.send("PUT", &logo, &[], PNG).await.status, 403);
    for bad in [&b"<svg onload='alert(1)'/>"[..], b"", &[PNG, &[0; 70_000]].concat()] {
        let answer = owner.send("PUT", &logo, &[], bad).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_about"), "{} bytes", bad.len());
    }
    assert_eq!(owner.send("PUT", &logo, &[], PNG).await.status, 204);
    let address = world.with("GET", DOOR, &[]).await.json()["logo"].as_str().unwrap().to_owned();
    let shown = world.with("GET", &address, &[]).await;
    assert_eq!((shown.body.as_slice(), shown.header("content-type")), (PNG, "image/png"));
    assert!(shown.header("content-security-policy").contains("sandbox"));
    assert_eq!(owner.send("DELETE", &logo, &[], b"").await.status, 204);
    assert_eq!(world.with("GET", &logo, &[]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_makes_an_account_where_the_operator_lets_them() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let sign_up = |name: &str| json!({ "name": name, "password": PASSWORD });
    for mode in ["invitation", "closed"] {
        owner.ask("PATCH", DOOR, json!({ "sign_up": mode })).await;
        let answer = Browser::new(&world).ask("POST", "/api/v1/accounts", sign_up("eve")).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "sign_up_closed"), "{mode}");
    }
    invited(&mut owner, "bob").await;
    owner.ask("PATCH", DOOR, json!({ "sign_up": "open", "new_quota_bytes": 5_000 })).await;
    let mut eve = Browser::new(&world);
    let foreign = eve.ask_from("cross-site", "POST", "/api/v1/accounts", sign_up("eve")).await;
    assert_eq!(foreign.status, 403);
    let made = eve.ask("POST", "/api/v1/accounts", sign_up("eve")).await;
    assert_eq!((made.status, &made.json()["account"]["role"]), (201, &json!("user")));
    assert_eq!(made.json()["account"]["quota_bytes"], 5_000);
    let again = Browser::new(&world).ask("POST", "/api/v1/accounts", sign_up("eve")).await;
    assert_eq!(again.status, 409, "the name is taken");
    // A program that makes accounts comes to an end; an hour later people come in again.
    let mut made = 1;
    loop {
        let answer = Browser::new(&world).ask("POST", "/api/v1/accounts", sign_up(&format!("eve {made}"))).await;
        if answer.status == 429 {
            assert_eq!(answer.code(), "too_many_accounts");
            break;
        }
        assert_eq!(answer.status, 201);
        made += 1;
        assert!(made <= 30, "there is no end");
    }
    world.clock.jump_s(3_601);
    assert_eq!(Browser::new(&world).ask("POST", "/api/v1/accounts", sign_up("late")).await.status, 201);
}
