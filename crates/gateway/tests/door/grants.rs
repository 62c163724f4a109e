//! What one account lets another see or change.

use serde_json::{Value, json};

use crate::{
    access::{Browser, invited, owner},
    world::World,
};

/// Gives, and says by which address the other gets there.
async fn give(from: &mut Browser<'_>, path: &str, to: &str, rights: &str) -> (Value, String) {
    let answer = from.ask("POST", "/api/v1/grants", json!({ "path": path, "to": to, "rights": rights })).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    let line = answer.json();
    let below = format!("/api/v1/shared/{}", line["id"].as_str().unwrap());
    (line, below)
}

fn refused(answer: &crate::http::Answer) -> (u16, String) {
    (answer.status, answer.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_may_be_seen_is_seen_and_nothing_beside_it() {
    let world = World::new().await;
    world.put("album/2012/one.jpg", b"one").await;
    world.put("album/two%20%25.txt", b"two").await;
    world.put("private.txt", b"private").await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    let mut eve = invited(&mut owner, "eve").await;
    let (line, below) = give(&mut owner, "/album", "bob", "read").await;
    assert_eq!((&line["to"], &line["path"], &line["kind"]), (&json!("bob"), &json!("/album"), &json!("folder")));
    let shared = bob.ask("GET", "/api/v1/shared", Value::Null).await.json();
    let wanted = json!({ "name": "album", "from": "owner", "kind": "folder", "rights": "read" });
    for (key, value) in wanted.as_object().unwrap() {
        assert_eq!(&shared["shared"][0][key], value);
    }
    let listing = bob.ask("GET", &format!("{below}/files/"), Value::Null).await.json();
    let names: Vec<_> = listing["entries"].as_array().unwrap().iter().map(|entry| entry["name"].clone()).collect();
    assert_eq!(names, ["2012", "two %.txt"]);
    assert_eq!(bob.send("GET", &format!("{below}/files/two%20%25.txt"), &[], b"").await.body, b"two");
    assert_eq!(
        bob.send("GET", &format!("{below}/files/2012/one.jpg"), &[("Range", "bytes=1-")], b"").await.body,
        b"ne"
    );
    let zip = bob.send("GET", &format!("{below}/zip/"), &[], b"").await;
    assert_eq!((zip.status, zip.header("content-disposition").contains("album.zip")), (200, true));
    let versions = bob.ask("GET", &format!("{below}/versions/2012/one.jpg"), Value::Null).await.json();
    assert_eq!(versions["versions"].as_array().unwrap().len(), 1);
    for out in ["files/../private.txt", "files/..%2Fprivate.txt", "files/private.txt", "trash", "shares", "session"] {
        let answer = bob.send("GET", &format!("{below}/{out}"), &[], b"").await;
        assert!(matches!(answer.status, 400 | 404), "{out}: {}", answer.status);
    }
    // Who it was not given to gets nothing, nor does who is not signed in.
    let answer = eve.send("GET", &format!("{below}/files/"), &[], b"").await;
    assert_eq!(refused(&answer), (404, "no_shared".into()));
    assert_eq!(world.with("GET", &format!("{below}/files/"), &[]).await.status, 401);
    assert_eq!(eve.ask("GET", "/api/v1/shared", Value::Null).await.json()["shared"], json!([]));
    assert_eq!(eve.ask("DELETE", &below, Value::Null).await.status, 404);

    // It follows the folder; in the trash it is not there; ended, it never is.
    world.act("album", r#"{"action":"move","to":"/deep/down/fotos"}"#).await;
    assert_eq!(bob.send("GET", &format!("{below}/files/two%20%25.txt"), &[], b"").await.body, b"two");
    world.file("DELETE", "deep/", &[], b"").await;
    let answer = bob.send("GET", &format!("{below}/files/"), &[], b"").await;
    assert_eq!(refused(&answer), (404, "no_shared".into()));
    world.act("deep", r#"{"action":"restore"}"#).await;
    assert_eq!(bob.send("GET", &format!("{below}/files/"), &[], b"").await.status, 200);
    let id = line["id"].as_str().unwrap();
    assert_eq!(bob.ask("DELETE", &format!("/api/v1/grants/{id}"), Value::Null).await.status, 404, "not bob's to end");
    assert_eq!(owner.ask("DELETE", &format!("/api/v1/grants/{id}"), Value::Null).await.status, 204);
    let answer = bob.send("GET", &format!("{below}/files/"), &[], b"").await;
    assert_eq!(refused(&answer), (404, "no_shared".into()));
    assert_eq!(owner.ask("GET", "/api/v1/grants", Value::Null).await.json()["grants"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_change_a_folder_changes_its_owners_tree_and_only_that() {
    let world = World::new().await;
    world.put("team/plan.txt", b"a plan").await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    let (line, below) = give(&mut owner, "/team", "bob", "read").await;
    let put = format!("{below}/files/new/from%20bob.txt");
    let uploads = format!("{below}/uploads/");
    let tus = [("Tus-Resumable", "1.0.0"), ("Upload-Length", "3"), ("Upload-Metadata", "path bmV3L2Jk")];
    let act = |action: Value| action.to_string().into_bytes();
    let rename = act(json!({ "action": "move", "to": "/plan 2.txt" }));
    for (method, target, headers, body) in [
        ("PUT", &put, &[][..], &b"hello"[..]),
        ("POST", &uploads, &tus[..], b""),
        ("POST", &format!("{below}/files/plan.txt"), &[], &rename),
        ("DELETE", &format!("{below}/files/plan.txt"), &[], b""),
    ] {
        let answer = bob.send(method, target, headers, body).await;
        assert_eq!(refused(&answer), (403, "read_only".into()), "{method} {target}");
    }
    // Given again with other rights it is the same grant.
    let (again, _) = give(&mut owner, "/team", "bob", "write").await;
    assert_eq!(again["id"], line["id"]);
    let made = bob.send("PUT", &put, &[], b"hello").await;
    assert_eq!((made.status, made.header("location")), (201, put.as_str()));
    let begun = bob.send("POST", &uploads, &tus, b"").await;
    assert_eq!((begun.status, begun.header("location").starts_with(&uploads)), (201, true));
    let upload = begun.header("location").to_owned();
    let patch =
        [("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream")];
    // What came by one way is gone on with by that way only, by nobody else.
    let own = upload.replace(&below, "/api/v1");
    assert_eq!(owner.send("PATCH", &own, &patch, b"bob").await.status, 404);
    assert_eq!(bob.send("PATCH", &own, &patch, b"bob").await.status, 404);
    assert_eq!(bob.send("PATCH", &upload, &patch, b"bob").await.status, 204);
    assert_eq!(bob.send("POST", &format!("{below}/files/plan.txt"), &[], &rename).await.status, 201);
    assert_eq!(world.names("team/").await, ["new", "plan 2.txt"]);
    assert_eq!(world.get("team/new/from%20bob.txt").await.body, b"hello");
    assert_eq!(world.get("team/new/bd").await.body, b"bob");
    let me = bob.ask("GET", "/api/v1/session", Value::Null).await.json();
    assert_eq!(me["account"]["used_bytes"], 0, "the bytes are the owner's");

    // Deleted, it lies in the owner's trash, and may be brought back; for good is the owner's alone.
    assert_eq!(bob.send("DELETE", &format!("{below}/files/new/"), &[], b"").await.status, 204);
    assert_eq!(bob.send("DELETE", &format!("{below}/files/plan%202.txt?permanent=true"), &[], b"").await.status, 403);
    let back = act(json!({ "action": "restore" }));
    assert_eq!(bob.send("POST", &format!("{below}/files/new"), &[], &back).await.status, 201);
    let root = bob.send("DELETE", &format!("{below}/files/"), &[], b"").await;
    assert_eq!(refused(&root), (400, "bad_path".into()), "the shared folder itself is the owner's");
    assert_eq!(world.names("team/").await, ["new", "plan 2.txt"]);

    // A full owner, and one who takes the right back while a body comes in.
    owner.ask("PATCH", &format!("/api/v1/grants/{}", line["id"].as_str().unwrap()), json!({ "rights": "read" })).await;
    assert_eq!(refused(&bob.send("PUT", &put, &[], b"again").await), (403, "read_only".into()));
    assert_eq!(bob.ask("DELETE", &below, Value::Null).await.status, 204, "bob gives it back");
    assert_eq!(bob.send("GET", &format!("{below}/files/"), &[], b"").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_can_be_shown_and_bad_grants_are_refused() {
    let world = World::new().await;
    world.put("docs/a.txt", b"first").await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    for (wish, status, code) in [
        (json!({ "path": "/docs/a.txt", "to": "bob", "rights": "write" }), 400, "bad_share"),
        (json!({ "path": "/", "to": "bob", "rights": "read" }), 400, "bad_share"),
        (json!({ "path": "/docs", "to": "owner", "rights": "read" }), 400, "own_account_grant"),
        (json!({ "path": "/docs", "to": "nobody", "rights": "read" }), 404, "no_account"),
        (json!({ "path": "/none", "to": "bob", "rights": "read" }), 404, "missing"),
        (json!({ "path": "/docs", "to": "bob", "rights": "all" }), 400, "bad_json"),
    ] {
        let answer = owner.ask("POST", "/api/v1/grants", wish.clone()).await;
        assert_eq!(refused(&answer), (status, code.to_owned()), "{wish}");
    }
    let (_, below) = give(&mut owner, "/docs/a.txt", "bob", "read").await;
    assert_eq!(bob.send("GET", &format!("{below}/files/a.txt"), &[], b"").await.status, 409, "it is no folder");
    let shared = bob.ask("GET", "/api/v1/shared", Value::Null).await.json();
    assert_eq!((&shared["shared"][0]["size"], &shared["shared"][0]["name"]), (&json!(5), &json!("a.txt")));
    assert_eq!(bob.send("GET", &format!("{below}/files/"), &[], b"").await.body, b"first");
    world.put("docs/a.txt", b"second").await;
    assert_eq!(bob.send("GET", &format!("{below}/files/"), &[("Range", "bytes=0-2")], b"").await.body, b"sec");
    // A suspended owner shows nothing to anybody; a suspended guest is shown nothing.
    assert_eq!(owner.ask("PATCH", "/api/v1/accounts/bob", json!({ "suspended": true })).await.status, 204);
    assert_ne!(bob.send("GET", &format!("{below}/files/"), &[], b"").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_reaches_nothing_that_was_thrown_away_before_it_and_tells_no_sums() {
    let world = World::new().await;
    world.put("team/salaries.txt", b"before bob").await;
    world.put("team/plan.txt", b"a plan").await;
    let mut owner = owner(&world).await;
    let bob = invited(&mut owner, "bob").await;
    world.file("DELETE", "team/salaries.txt", &[], b"").await;
    world.clock.jump_s(1);
    let (line, below) = give(&mut owner, "/team", "bob", "write").await;
    world.clock.jump_s(1);
    let back = json!({ "action": "restore" }).to_string().into_bytes();
    let answer = bob.send("POST", &format!("{below}/files/salaries.txt"), &[], &back).await;
    assert_eq!(refused(&answer), (404, "not_in_trash".into()));
    bob.send("DELETE", &format!("{below}/files/plan.txt"), &[], b"").await;
    assert_eq!(bob.send("POST", &format!("{below}/files/plan.txt"), &[], &back).await.status, 201);

    assert_eq!(owner.ask("PATCH", "/api/v1/accounts/owner", json!({ "quota_bytes": 100 })).await.status, 204);
    for (method, target, body) in [
        ("PUT", format!("{below}/files/big"), vec![1; 300]),
        ("PUT", format!("{below}/files/bigger"), vec![1; 100_000]),
    ] {
        let full = bob.send(method, &target, &[], &body).await;
        assert_eq!(refused(&full), (507, "quota".into()));
        assert!(!String::from_utf8_lossy(&full.body).contains("100"), "{}", full.json());
    }
    assert!(line["id"].is_string());
}
