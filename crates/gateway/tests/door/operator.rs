//! Fleet and kits.

use model::account::TokenScope;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_fleet_is_described() {
    let world = World::new().await;
    world.put("f", b"x").await;
    let fleet = world.call("GET", "/api/v1/fleet", &[], b"").await.json();
    let names: Vec<_> = fleet["providers"].as_array().unwrap().iter().map(|provider| &provider["name"]).collect();
    assert_eq!(names.len(), 6);
    assert_eq!(fleet["providers"][0]["targets"][0]["state"], "up");
    assert_eq!(fleet["trial"], true);
    for count in [
        "files_below_safe",
        "files_below_settled",
        "files_unreadable",
        "packs_below_safe",
        "packs_below_settled",
        "records_below_safe",
        "records_below_settled",
        "key_copies",
        "kits_untested",
    ] {
        assert!(fleet[count].is_u64(), "{count}: {fleet}");
    }
    assert_eq!((&fleet["files_below_safe"], &fleet["files_unreadable"]), (&0.into(), &0.into()));
    assert!(fleet["jobs"].is_array());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_if_names_a_provider() {
    let world = World::new().await;
    let answer = world.call("GET", "/api/v1/fleet/what-if?provider=provider-3", &[], b"").await;
    assert_eq!(answer.status, 200);
    assert!(answer.json()["second_target_helps"].is_array());
    for (target, status, code) in [
        ("/api/v1/fleet/what-if?provider=nobody", 404, "no_provider"),
        ("/api/v1/fleet/what-if", 400, "bad_query"),
        ("/api/v1/fleet/what-if?provider=provider-3&provider=nobody", 404, "no_provider"),
        ("/api/v1/fleet/what-if?provider=provider-3&firm=provider-4", 400, "bad_query"),
    ] {
        let answer = world.call("GET", target, &[], b"").await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_taken_shown_and_refused() {
    let world = World::new().await;
    world.put("f", &crate::world::noise(2, 3 << 20)).await;
    let send = async |body: serde_json::Value| {
        let headers = [("content-type", "application/json")];
        world.call("POST", "/api/v1/fleet/orders", &headers, body.to_string().as_bytes()).await
    };
    let evacuate = |by: &str| json!({ "provider": "provider-2", "order": "evacuate", "by": by });
    for (body, status, code) in [
        (json!({ "order": "cordon" }), 400, "bad_order"),
        (json!({ "provider": "provider-2", "target": "/provider-2", "order": "cordon" }), 400, "bad_order"),
        (json!({ "provider": "provider-2", "order": "evacuate" }), 400, "bad_order"),
        (json!({ "provider": "provider-2", "order": "cordon", "by": "2099-01-01T00:00:00Z" }), 400, "bad_order"),
        (json!({ "provider": "provider-2", "order": "cordon", "keep_shards": true }), 400, "bad_order"),
        (json!({ "provider": "nobody", "order": "cordon" }), 404, "no_provider"),
        (json!({ "target": "/nowhere", "order": "cordon" }), 404, "no_target"),
        (evacuate("1960-01-01T00:00:00Z"), 400, "date_over"),
        (json!({ "provider": "provider-2", "order": "pause" }), 409, "not_ordered"),
        (json!({ "provider": "provider-2", "order": "retire" }), 409, "still_counts"),
        (json!({ "target": "/provider-2", "order": "give-up", "confirm": "provider-2" }), 400, "unconfirmed"),
    ] {
        let answer = send(body.clone()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body}");
    }
    let answer = send(evacuate("2099-01-01T00:00:00Z")).await;
    assert_eq!(answer.status, 200);
    let told = answer.json();
    let order = &told["targets"][0]["evacuation"];
    assert_eq!((&order["state"], &order["by"]), (&"evacuating".into(), &"2099-01-01T00:00:00Z".into()), "{told}");
    assert_eq!(send(evacuate("2099-01-01T00:00:00Z")).await.code(), "already_ordered");
    let fleet = world.call("GET", "/api/v1/fleet", &[], b"").await.json();
    let seen = fleet["providers"].as_array().unwrap().iter().find(|provider| provider["name"] == "provider-2").unwrap();
    assert_eq!(seen["targets"][0]["cordoned"], true, "{seen}");
    let headers = [("content-type", "application/json")];
    let probed = world.call("POST", "/api/v1/fleet/probes", &headers, br#"{"address":"/provider-2"}"#).await.json();
    assert_eq!((&probed["state"], &probed["cordoned"]), (&"up".into(), &true.into()), "{probed}");
    let cancelled = send(json!({ "provider": "provider-2", "order": "cancel" })).await.json();
    assert_eq!(cancelled["targets"][0]["cordoned"], false, "{cancelled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server_is_ordered_by_its_name_and_never_guessed_at() {
    let world = World::new().await;
    world.put("f", &crate::world::noise(2, 3 << 20)).await;
    let headers = [("content-type", "application/json")];
    let post = async |path: &str, body: Value| world.call("POST", path, &headers, body.to_string().as_bytes()).await;
    for (provider, contract, servers) in [
        ("provider-2", "A-1", json!([{ "name": "s1", "targets": ["/provider-2"] }, { "name": "s2" }])),
        (
            "provider-3",
            "B-1",
            json!([{ "name": "s1", "targets": ["/provider-3"] }, { "name": "s3", "targets": ["/provider-3"] }]),
        ),
    ] {
        let wish = json!({ "provider": provider, "contract": contract, "servers": servers });
        assert_eq!(post("/api/v1/leases", wish).await.status, 201, "{contract}");
    }
    let order = async |body: Value| post("/api/v1/fleet/orders", body).await;
    for (body, status, code) in [
        (json!({ "server": "s9", "order": "cordon" }), 404, "no_server"),
        (json!({ "server": "s3", "provider": "provider-2", "order": "cordon" }), 404, "no_server"),
        (json!({ "server": "s3", "provider": "nobody", "order": "cordon" }), 404, "no_provider"),
        (json!({ "server": "s1", "order": "cordon" }), 400, "several_servers"),
        (json!({ "server": "s2", "order": "cordon" }), 409, "bare_server"),
        (json!({ "server": "s3", "target": "/provider-3", "order": "cordon" }), 400, "bad_order"),
        (json!({ "server": "s3", "order": "give-up", "confirm": "provider-3" }), 400, "unconfirmed"),
    ] {
        let answer = order(body.clone()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body}");
    }
    let fleet = world.call("GET", "/api/v1/fleet", &[], b"").await.json();
    let cordoned = |fleet: &Value| -> Vec<String> {
        let targets =
            fleet["providers"].as_array().unwrap().iter().flat_map(|firm| firm["targets"].as_array().unwrap());
        let hit = targets.filter(|target| target["cordoned"] == true).map(|target| target["address"].as_str().unwrap());
        hit.map(str::to_owned).collect()
    };
    assert!(cordoned(&fleet).is_empty(), "what was refused changed nothing: {fleet}");
    let by = "2099-01-01T00:00:00Z";
    let told = order(json!({ "server": "s1", "provider": "provider-2", "order": "evacuate", "by": by })).await.json();
    assert_eq!(
        (&told["targets"][0]["address"], &told["targets"][0]["evacuation"]["state"]),
        (&"/provider-2".into(), &"evacuating".into())
    );
    assert_eq!(order(json!({ "server": "s3", "order": "cordon" })).await.status, 200, "one firm alone has an s3");
    let fleet = world.call("GET", "/api/v1/fleet", &[], b"").await.json();
    assert_eq!(cordoned(&fleet), ["/provider-2", "/provider-3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_staged_shown_and_applied_by_number() {
    let world = World::new().await;
    world.put("f", &crate::world::noise(2, 3 << 20)).await;
    let headers = [("content-type", "application/json")];
    let post = async |path: &str, body: Value| world.call("POST", path, &headers, body.to_string().as_bytes()).await;
    let (at, apply) = ("/api/v1/fleet/stage", "/api/v1/fleet/stage/apply");
    let set = async |value: &str| {
        let change =
            |n: u8| json!({ "verb": "label", "provider": format!("provider-{n}"), "label": "country", "value": value });
        post(at, json!({ "changes": [change(1), change(2), { "verb": "constrain", "label": "country" }] })).await
    };
    for (change, status, code) in [
        (json!({ "verb": "label", "provider": "provider-1", "label": "country" }), 400, "bad_order"),
        (json!({ "verb": "constrain", "label": "country", "by": "2099-01-01T00:00:00Z" }), 400, "bad_order"),
        (json!({ "verb": "cordon", "provider": "provider-1", "target": "/provider-1" }), 400, "bad_order"),
        (json!({ "verb": "evacuate", "provider": "provider-1" }), 400, "bad_order"),
        (json!({ "verb": "constrain", "label": "country" }), 400, "bad_constraint"),
        (json!({ "verb": "cordon", "server": "s1" }), 404, "no_server"),
    ] {
        let answer = post(at, json!({ "changes": [change.clone()] })).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{change}");
    }
    assert_eq!(post(apply, json!({ "number": 77 })).await.code(), "stage_changed");
    let first = set("NL").await.json();
    assert_eq!((first["changes"].as_array().unwrap().len(), &first["effect"]), (3, &Value::Null), "{first}");
    let stage = world.call("GET", at, &[], b"").await.json();
    assert_eq!((&stage["number"], &stage["changes"][0]["by"]), (&first["number"], &json!("owner")), "{stage}");
    assert_eq!(stage["effect"]["after"]["as_one"], json!([["provider-1", "provider-2"]]), "{stage}");
    assert_eq!((&stage["effect"]["before"]["firms"], &stage["effect"]["after"]["firms"]), (&json!(6), &json!(5)));
    assert!(stage["effect"]["after"]["costs_month"].is_null(), "unknown is shown as unknown: {stage}");
    let by_hand = json!({ "target": "/provider-6", "order": "cordon" });
    assert_eq!(post("/api/v1/fleet/orders", by_hand).await.status, 200);
    let number = |stage: &Value| json!({ "number": stage["number"] });
    let late = post(apply, number(&stage)).await;
    assert_eq!((late.status, late.code().as_str()), (409, "stage_changed"));
    let stage = world.call("GET", at, &[], b"").await.json();
    let applied = post(apply, number(&stage)).await;
    assert_eq!((applied.status, &applied.json()["changes"]), (200, &json!(3)));
    assert_eq!(post(apply, number(&stage)).await.code(), "stage_changed");
    let tied = world.call("GET", "/api/v1/fleet/constraints", &[], b"").await.json();
    assert_eq!(tied["as_one"], json!([["provider-1", "provider-2"]]), "{tied}");
    assert_eq!(tied["constraints"][1]["unknown"].as_array().unwrap().len(), 4, "{tied}");
    // And back again, without the list; then a list that is forgotten.
    let off = post("/api/v1/fleet/constraints", json!({ "label": "country", "holds": false })).await.json();
    assert_eq!(off["as_one"], json!([]), "{off}");
    let refused = post("/api/v1/fleet/constraints", json!({ "label": "owner", "holds": true })).await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "bad_constraint"));
    assert_eq!(set("FI").await.status, 200);
    let reverted = world.call("DELETE", at, &[], b"").await;
    assert_eq!((reverted.status, &reverted.json()["changes"]), (200, &json!(3)));
    assert_eq!(world.call("GET", at, &[], b"").await.json()["changes"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_if_takes_several_providers_and_says_what_repair_would_take() {
    let world = World::new().await;
    world.put("f", &crate::world::noise(1, 3 << 20)).await;
    let ask = async |names: &[&str]| {
        let query: Vec<_> = names.iter().map(|name| format!("provider={name}")).collect();
        world.call("GET", &format!("/api/v1/fleet/what-if?{}", query.join("&")), &[], b"").await.json()
    };
    let two = ask(&["provider-3", "provider-5"]).await;
    assert_eq!(
        (&two["providers"][1], &two["files_unreadable"], &two["margin"]),
        (&"provider-5".into(), &0.into(), &0.into())
    );
    assert!(two["repair"]["write_bytes"].as_u64().unwrap() > 1 << 20, "{two}");
    assert!(two["repair"]["limit_s"].is_null() && two["repair"]["costs"].is_null(), "unknown is not nothing: {two}");
    let three = ask(&["provider-1", "provider-3", "provider-5"]).await;
    assert_eq!((&three["files_unreadable"], &three["margin"]), (&1.into(), &serde_json::Value::Null), "{three}");
    let fleet = world.call("GET", "/api/v1/fleet", &[], b"").await.json();
    assert!(
        fleet["counted_at"].is_string() && fleet["stale"] == false && fleet["margin"].as_u64() >= Some(1),
        "{fleet}"
    );
    assert_eq!(fleet["providers"][0]["without"]["files_unreadable"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trend_is_told_from_a_time_on() {
    let world = World::new().await;
    world.put("f", b"x").await;
    world.store.tick(false).await.unwrap();
    let trend = world.call("GET", "/api/v1/fleet/trend", &[], b"").await.json();
    let hour = &trend["hours"][0];
    assert!(hour["hour"].as_str().unwrap().ends_with(":00:00Z") && hour["backlog_bytes"].is_u64(), "{trend}");
    let (provider, _) = hour["stored_bytes"].as_object().unwrap().iter().next().unwrap();
    assert!(trend["providers"][provider].is_string());
    let none = world.call("GET", "/api/v1/fleet/trend?since=2999-01-01T00:00:00Z", &[], b"").await.json();
    assert_eq!(none["hours"], serde_json::json!([]));
    let bad = world.call("GET", "/api/v1/fleet/trend?since=yesterday", &[], b"").await;
    assert_eq!((bad.status, bad.code().as_str()), (400, "bad_query"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrub_reads_what_is_there() {
    let world = World::new().await;
    world.put("f", &crate::world::noise(1, 3 << 20)).await;
    let found = world.call("POST", "/api/v1/fleet/scrub?wait=true", &[], b"").await.json();
    assert!(found["cells_checked"].as_u64().unwrap() > 0);
    assert_eq!((&found["damaged"], &found["missing"]), (&0.into(), &0.into()));
    let get = world.call("GET", "/api/v1/fleet/scrub?wait=true", &[], b"").await;
    assert_eq!((get.status, get.header("allow")), (405, "POST"));
}

#[tokio::test(flavor = "multi_thread")]
async fn kits_are_made_listed_and_revoked() {
    let world = World::new().await;
    let recipient = format::Identity::generate().recipient();
    let body = format!(r#"{{"recipient":"{recipient}"}}"#);
    let made = world.call("POST", "/api/v1/kits", &[], body.as_bytes()).await;
    assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
    let made = made.json();
    assert_eq!(made["recipient"], recipient);
    assert_eq!(made["cluster"].as_str().unwrap().len(), 32);
    assert_eq!(made["account"].as_str().unwrap().len(), 32);
    assert!(!made["addresses"].as_array().unwrap().is_empty());
    let url = format!("/api/v1/kits/{}", made["id"].as_str().unwrap());
    let untested = || async { world.call("GET", "/api/v1/fleet", &[], b"").await.json()["kits_untested"].clone() };
    assert_eq!(untested().await, 1);
    assert_eq!(world.call("POST", &format!("{url}/tested"), &[], b"").await.status, 204);
    assert_eq!(untested().await, 0);
    assert!(world.call("GET", "/api/v1/kits", &[], b"").await.json()["kits"][0]["tested"].is_string());
    assert_eq!(world.call("DELETE", &url, &[], b"").await.status, 204);
    let kits = world.call("GET", "/api/v1/kits", &[], b"").await.json();
    assert_eq!(kits["kits"].as_array().unwrap().len(), 1);
    for (method, target, body, status, code) in [
        ("POST", "/api/v1/kits", r#"{"recipient":"age1"}"#, 400, "bad_recipient"),
        ("POST", "/api/v1/kits", r"{}", 400, "bad_json"),
        ("DELETE", "/api/v1/kits/00000000000000000000000000000000", "", 404, "no_kit"),
        ("DELETE", "/api/v1/kits/x", "", 404, "no_kit"),
        ("POST", "/api/v1/kits/00000000000000000000000000000000/tested", "", 404, "no_kit"),
        ("POST", "/api/v1/kits/x/tested", "", 404, "no_kit"),
        ("GET", "/api/v1/kits/x/tested", "", 405, "method"),
        ("GET", "/api/v1/kits?account=nobody", "", 403, "other_account"),
        ("GET", "/api/v1/kits?owner=owner", "", 400, "bad_query"),
        ("POST", "/api/v1/kits?account=Owner", r#"{"recipient":"age1"}"#, 403, "other_account"),
    ] {
        let answer = world.call(method, target, &[], body.as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {target} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kits_are_their_account_s_own() {
    let world = World::new().await;
    world.store.make_account("other", true).await.unwrap();
    let token = world.service.make_token("other", TokenScope::All, None).await.unwrap().text;
    let body = format!(r#"{{"recipient":"{}"}}"#, format::Identity::generate().recipient());
    let made = world.call("POST", "/api/v1/kits?account=owner", &[], body.as_bytes()).await;
    assert_eq!(made.status, 201, "the caller's own account may be named");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    for (method, target, status, code) in [
        ("GET", "/api/v1/kits?account=owner".to_owned(), 403, "other_account"),
        ("DELETE", format!("/api/v1/kits/{id}?account=owner"), 403, "other_account"),
        ("DELETE", format!("/api/v1/kits/{id}"), 404, "no_kit"),
        ("POST", format!("/api/v1/kits/{id}/tested"), 404, "no_kit"),
    ] {
        let mut connection = world.connect().await;
        connection.send(crate::http::request(method, &target, &[("Authorization", &bearer)], b"")).await;
        let answer = connection.answer(false).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {target}");
    }
    let kits = world.call("GET", "/api/v1/kits?account=owner", &[], b"").await.json();
    assert!(kits["kits"][0]["revoked"].is_null() && kits["kits"][0]["tested"].is_null(), "{kits}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_paused_told_of_and_resumed() {
    let world = World::new().await;
    world.store.tick(false).await.unwrap();
    let send = async |body: serde_json::Value| {
        let headers = [("content-type", "application/json")];
        world.call("POST", "/api/v1/fleet/jobs", &headers, body.to_string().as_bytes()).await
    };
    let job = async |kind: &str| {
        let all = world.call("GET", "/api/v1/fleet/jobs", &[], b"").await.json();
        all["jobs"].as_array().unwrap().iter().find(|job| job["kind"] == kind).unwrap().clone()
    };
    for (body, status, code) in [
        (json!({ "kind": "dance", "act": "pause" }), 404, "no_job"),
        (json!({ "kind": "probe", "act": "pause" }), 400, "job_needed"),
        (json!({ "kind": "repair", "act": "stop" }), 400, "bad_json"),
        (json!({ "kind": "repair" }), 400, "bad_json"),
    ] {
        let answer = send(body.clone()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body}");
    }
    let seen = job("repair").await;
    assert!(seen["ended_well"].is_string() && seen["paused"].is_null() && seen["what"].is_string(), "{seen}");
    assert!(job("probe").await["pause_means"].is_null());
    let paused = send(json!({ "kind": "repair", "act": "pause" })).await.json();
    assert_eq!(paused["paused"]["by"], "owner", "{paused}");
    assert!(paused["pause_means"].as_str().unwrap().contains("nothing is made again until it is resumed"), "{paused}");

    let open = async || {
        world.service.watch().await.unwrap();
        let all = world.call("GET", "/api/v1/notices?open=true", &[], b"").await.json();
        let texts = all["notices"].as_array().unwrap().iter().map(|notice| notice["text"].as_str().unwrap().to_owned());
        texts.collect::<Vec<_>>()
    };
    assert!(open().await.is_empty());
    world.clock.jump_s(25 * 3_600);
    world.store.tick(false).await.unwrap();
    let told = open().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("the job repair did not end well") && told[0].contains("paused by owner"), "{told:?}");
    let resumed = send(json!({ "kind": "repair", "act": "resume" })).await.json();
    assert!(resumed["paused"].is_null(), "{resumed}");
    world.store.tick(false).await.unwrap();
    assert!(open().await.is_empty(), "it ran, and the notice is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_told_since_when_no_single_firm_is_needed() {
    let world = World::new().await;
    world.put("f", b"x").await;
    let proven = async || world.call("GET", "/api/v1/session", &[], b"").await.json()["account"]["last_proven"].clone();
    let headers = [("content-type", "application/json")];
    for index in 1..=6 {
        assert!(proven().await.is_null(), "without firm {index} nobody has tried");
        let body = json!({ "provider": format!("provider-{index}"), "sample": 5 }).to_string();
        let drilled = world.call("POST", "/api/v1/fleet/drills", &headers, body.as_bytes()).await.json();
        assert_eq!(drilled["passed"], true, "{drilled}");
    }
    assert!(proven().await.is_string());
}
