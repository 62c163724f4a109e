//! Between accounts: search in what is shared, and copies from one tree into another.

use serde_json::{Value, json};

use crate::{
    access::{Browser, invited, owner},
    http::Answer,
    world::{World, noise},
};

/// Lets somebody see a folder; the way there.
async fn give(from: &mut Browser<'_>, path: &str, to: &str, rights: &str) -> (String, String) {
    let answer = from.ask("POST", "/api/v1/grants", json!({ "path": path, "to": to, "rights": rights })).await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    (format!("/api/v1/shared/{id}"), id)
}

async fn copy(browser: &Browser<'_>, target: &str, to: &str, into: &str) -> Answer {
    let body = json!({ "action": "copy", "to": to, "into": into }).to_string();
    browser.send("POST", target, &[], body.as_bytes()).await
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_in_what_is_shared_finds_and_tells_nothing_beside_it() {
    let world = World::new().await;
    for path in ["album/2012/holiday.jpg", "album/holiday.txt", "album/one.jpg"] {
        world.put(path, b"shown").await;
    }
    for number in 0..40 {
        world.put(&format!("private-{number}/holiday-secret-{number}.jpg"), b"hidden").await;
    }
    world.put("holiday-secret.txt", b"hidden").await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    let (below, _) = give(&mut owner, "/album", "bob", "read").await;
    let found = bob.ask("GET", &format!("{below}/search?q=holiday"), Value::Null).await.json();
    let mut paths: Vec<_> = found["entries"].as_array().unwrap().iter().map(|entry| entry["path"].clone()).collect();
    paths.sort_by_key(ToString::to_string);
    assert_eq!(paths, ["/2012/holiday.jpg", "/holiday.txt"], "paths begin at what is shared");
    assert_eq!((&found["next"], &found["looked_at"]), (&Value::Null, &json!(4)), "what is not shared is not counted");
    // Page by page the same, and no cursor says what is called how elsewhere.
    let (mut all, mut after) = (0, String::new());
    for _ in 0..50 {
        let page = bob.ask("GET", &format!("{below}/search?q=holiday&limit=1{after}"), Value::Null).await;
        assert!(!String::from_utf8_lossy(&page.body).contains("secret"));
        let page = page.json();
        all += page["entries"].as_array().unwrap().len();
        let Some(next) = page["next"].as_str() else { break };
        let secret: String = "secret".bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!next.contains(&secret), "{next}");
        after = format!("&after={next}");
    }
    assert_eq!(all, 2);
    let within = bob.ask("GET", &format!("{below}/search?q=holiday&under=/2012"), Value::Null).await.json();
    assert_eq!(within["entries"].as_array().unwrap().len(), 1);
    for (query, status) in [("under=/private-1", 404), ("under=/../private-1", 400), ("q=private", 200)] {
        let answer = bob.ask("GET", &format!("{below}/search?{query}"), Value::Null).await;
        assert_eq!(answer.status, status, "{query}");
        assert!(status != 200 || answer.json()["entries"] == json!([]), "{query}");
    }
    // A cursor that somebody makes up leads no further.
    let root = "0".repeat(32);
    let answer = bob.ask("GET", &format!("{below}/search?q=secret&after={root}00"), Value::Null).await;
    assert!(answer.status == 400 || answer.json()["entries"] == json!([]), "{}", answer.status);

    let (file, _) = give(&mut owner, "/album/one.jpg", "bob", "read").await;
    let answer = bob.ask("GET", &format!("{file}/search?q=one"), Value::Null).await;
    assert_eq!(refused(&answer), (409, "not_a_folder".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_go_from_tree_to_tree_and_no_byte_moves() {
    let world = World::new().await;
    let (large, small) = (noise(1, 3 << 20), noise(2, 30_000));
    world.put("album/2012/large", &large).await;
    world.put("album/small", &small).await;
    world.put("album/tiny", b"tiny").await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    let (below, _) = give(&mut owner, "/album", "bob", "read").await;
    let used = |world: &World| world.targets.iter().map(|target| target.disk().used_bytes()).sum::<u64>();
    let before = used(&world);
    let answer = copy(&bob, &format!("{below}/files/"), "/mine/Album", "own").await;
    assert_eq!((answer.status, answer.header("location")), (201, "/api/v1/files/mine/Album"));
    assert!(used(&world) - before < 1 << 20, "rows only: {}", used(&world) - before);
    // It is bob's: it counts for bob and goes its own way from here.
    let me = bob.ask("GET", "/api/v1/session", Value::Null).await.json();
    assert_eq!(me["account"]["used_bytes"], large.len() + small.len() + 4);
    world.put("album/small", b"another").await;
    world.file("DELETE", "album/2012/?permanent=true", &[], b"").await;
    for (path, content) in [("2012/large", &large[..]), ("small", &small[..]), ("tiny", b"tiny")] {
        let got = bob.send("GET", &format!("/api/v1/files/mine/Album/{path}"), &[], b"").await;
        assert!(got.status == 200 && got.body == content, "{path}");
    }
    // Long after the owner's own are gone, too, when everything was packed and what is dead was reclaimed.
    for _ in 0..4 {
        world.clock.jump_s(2 * 86_400);
        let _ = world.store.tick(true).await;
    }
    assert!(bob.send("GET", "/api/v1/files/mine/Album/2012/large", &[], b"").await.body == large);

    // And back: into what may be changed only.
    let answer = copy(&bob, "/api/v1/files/mine/Album/small", "/from bob", &below[15..]).await;
    assert_eq!(refused(&answer), (403, "read_only".into()));
    let (_, grant) = give(&mut owner, "/album", "bob", "write").await;
    let answer = copy(&bob, "/api/v1/files/mine/Album/small", "/from bob", &grant).await;
    assert_eq!((answer.status, answer.header("location")), (201, format!("{below}/files/from%20bob").as_str()));
    assert!(world.get("album/from%20bob").await.body == small);
    assert_eq!(refused(&copy(&bob, "/api/v1/files/mine", "/from bob", &grant).await), (409, "exists".into()));
    let me = bob.ask("GET", "/api/v1/session", Value::Null).await.json();
    assert_eq!(me["account"]["used_bytes"], large.len() + small.len() + 4, "that one counts for the owner");
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_between_trees_keep_to_the_rights_and_limits_of_both() {
    let world = World::new().await;
    world.put("album/a", &noise(1, 50_000)).await;
    world.put("album/inner/b", b"b").await;
    world.put("other/c", b"c").await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    let eve = invited(&mut owner, "eve").await;
    let (below, album) = give(&mut owner, "/album", "bob", "write").await;
    let (_, inner) = give(&mut owner, "/album/inner", "bob", "write").await;
    let (other, _) = give(&mut owner, "/other", "bob", "read").await;
    for (target, to, into, status, code) in [
        (format!("{below}/files/a"), "/a", "nonsense", 404, "no_shared"),
        (format!("{below}/files/a"), "/a", &"0".repeat(32), 404, "no_shared"),
        (format!("{below}/files/none"), "/a", "own", 404, "missing"),
        (format!("{below}/files/a"), "/", "own", 400, "bad_path"),
        ("/api/v1/files/".to_owned(), "/all", album.as_str(), 400, "bad_path"),
        // A folder does not come to lie in itself, by whichever way.
        (format!("{below}/files/"), "/again", inner.as_str(), 409, "into_itself"),
        (format!("{below}/files/inner"), "/again", inner.as_str(), 409, "into_itself"),
    ] {
        let answer = copy(&bob, &target, to, into).await;
        assert_eq!(refused(&answer), (status, code.to_owned()), "{target} {to} {into}");
    }
    let moved = json!({ "action": "move", "to": "/a", "into": "own" }).to_string();
    let answer = bob.send("POST", &format!("{below}/files/a"), &[], moved.as_bytes()).await;
    assert_eq!(refused(&answer), (400, "bad_json".into()));
    assert_eq!(refused(&copy(&eve, &format!("{below}/files/a"), "/a", "own").await), (404, "no_shared".into()));
    // From one shared folder into another.
    assert_eq!(copy(&bob, &format!("{other}/files/c"), "/c", &album).await.status, 201);
    assert_eq!(world.get("album/c").await.body, b"c");

    // No room is no room, and whose it is decides what is said.
    assert_eq!(owner.ask("PATCH", "/api/v1/accounts/bob", json!({ "quota_bytes": 100 })).await.status, 204);
    let full = copy(&bob, &format!("{below}/files/a"), "/a", "own").await;
    assert_eq!(refused(&full), (507, "quota".into()));
    assert_eq!(bob.ask("GET", "/api/v1/files/", Value::Null).await.json()["entries"], json!([]));
    assert_eq!(bob.send("PUT", "/api/v1/files/mine", &[], &[7; 90]).await.status, 201);
    assert_eq!(owner.ask("PATCH", "/api/v1/accounts/owner", json!({ "quota_bytes": 50_080 })).await.status, 204);
    let full = copy(&bob, "/api/v1/files/mine", "/mine", &album).await;
    assert_eq!(refused(&full), (507, "quota".into()));
    assert!(!full.json()["detail"].as_str().unwrap().contains("50"), "{}", full.json());
    assert_eq!(owner.ask("PATCH", "/api/v1/accounts/owner", json!({ "quota_bytes": null })).await.status, 204);
    assert_eq!(owner.ask("DELETE", &format!("/api/v1/grants/{album}"), Value::Null).await.status, 204);
    assert_eq!(refused(&copy(&bob, "/api/v1/files/mine", "/mine", &album).await), (404, "no_shared".into()));
}
