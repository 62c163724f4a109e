//! Links: what a guest gets, and what ends it.

use serde_json::{Value, json};

use crate::{
    access::{Browser, PASSWORD, invited, owner},
    http::Answer,
    world::{World, noise},
};

/// Makes a link and gives its share.
async fn share(browser: &mut Browser<'_>, wish: Value) -> Value {
    let answer = browser.ask("POST", "/api/v1/shares", wish).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

fn code(share: &Value) -> String {
    share["code"].as_str().unwrap().to_owned()
}

async fn guest(world: &World, code: &str, what: &str) -> Answer {
    world.with("GET", &format!("/api/v1/links/{code}{what}"), &[]).await
}

/// Waits until the owner sees so many downloads.
async fn downloads(browser: &mut Browser<'_>, wanted: u64) {
    for _ in 0..1_000 {
        let shares = browser.ask("GET", "/api/v1/shares", Value::Null).await.json();
        if shares["shares"][0]["downloads"] == wanted {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("never {wanted} downloads");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_shows_one_file_to_anybody_and_follows_it() {
    let world = World::new().await;
    let bytes = noise(1, 300_000);
    world.put("photos/a%20b.jpg", &bytes).await;
    world.put("photos/secret.txt", b"not shared").await;
    let mut owner = owner(&world).await;
    let code = code(&share(&mut owner, json!({ "path": "/photos/a b.jpg" })).await);
    let about = guest(&world, &code, "").await.json();
    assert_eq!(
        (&about["name"], &about["size"], &about["owner"]),
        (&json!("a b.jpg"), &json!(300_000), &json!("owner"))
    );
    let answer = guest(&world, &code, "/content").await;
    assert_eq!(answer.body, bytes);
    assert!(answer.header("content-disposition").starts_with("attachment"));
    assert!(answer.header("content-security-policy").contains("sandbox"));
    assert_eq!(answer.header("cache-control"), "private, no-store");
    for (what, status) in [("/files/", 409), ("/files/secret.txt", 409), ("/files/..%2Fsecret.txt", 400)] {
        assert_eq!(guest(&world, &code, what).await.status, status, "{what}");
    }

    world.act("photos/a%20b.jpg", r#"{"action":"move","to":"/elsewhere/c.jpg"}"#).await;
    world.put("photos/a%20b.jpg", b"another file at the old place").await;
    assert_eq!(guest(&world, &code, "/content").await.body, bytes);
    let shares = owner.ask("GET", "/api/v1/shares", Value::Null).await.json();
    assert_eq!(shares["shares"][0]["path"], "/elsewhere/c.jpg");

    // In the trash, itself or a folder above, nobody gets it; brought back, it is the same link.
    world.file("DELETE", "elsewhere/", &[], b"").await;
    let answer = guest(&world, &code, "/content").await;
    assert_eq!((answer.status, answer.code().as_str()), (410, "link_ended"));
    world.act("elsewhere", r#"{"action":"restore"}"#).await;
    assert_eq!(guest(&world, &code, "/content").await.body, bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folders_link_shows_what_is_in_it_and_nothing_beside_it() {
    let world = World::new().await;
    world.put("album/2012/one.jpg", b"one").await;
    world.put("album/two.jpg", b"two").await;
    world.put("private.txt", b"private").await;
    let mut owner = owner(&world).await;
    let code = code(&share(&mut owner, json!({ "path": "/album/" })).await);
    let names = async |what: &str| {
        let listing = guest(&world, &code, what).await.json();
        let entries = listing["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("/files/").await, ["2012", "two.jpg"]);
    assert_eq!(names("/files/2012/").await, ["one.jpg"]);
    assert_eq!(guest(&world, &code, "/files/2012/one.jpg").await.body, b"one");
    for (what, status) in [
        ("/content", 409),
        ("/files/private.txt", 404),
        ("/files/../private.txt", 400),
        ("/files/%2e%2e/private.txt", 400),
        ("/files/album/two.jpg", 404),
    ] {
        assert_eq!(guest(&world, &code, what).await.status, status, "{what}");
    }
    for (method, what) in [("PUT", "/files/two.jpg"), ("DELETE", "/files/two.jpg"), ("POST", "/content"), ("PUT", "")] {
        let answer = world.with(method, &format!("/api/v1/links/{code}{what}"), &[]).await;
        assert_eq!(answer.status, 405, "{method} {what}");
    }
    assert_eq!(world.get("album/two.jpg").await.body, b"two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_opens_one_link_until_it_is_changed() {
    let world = World::new().await;
    world.put("f", b"bytes").await;
    world.put("g", b"others").await;
    let mut owner = owner(&world).await;
    let made = share(&mut owner, json!({ "path": "/f", "password": "1234" })).await;
    let other = code(&share(&mut owner, json!({ "path": "/g", "password": "1234" })).await);
    assert_eq!((&made["password"], made.to_string().contains("argon2")), (&json!(true), false));
    let code = code(&made);
    for what in ["", "/content", "/files/"] {
        let answer = guest(&world, &code, what).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "link_password"), "{what}");
    }
    let mut visitor = Browser::new(&world);
    let session = format!("/api/v1/links/{code}/session");
    assert_eq!(visitor.ask("POST", &session, json!({ "password": "4321" })).await.status, 401);
    assert_eq!(visitor.ask("POST", &session, json!({ "password": "1234" })).await.status, 204);
    let content = format!("/api/v1/links/{code}/content");
    assert_eq!(visitor.ask("GET", &content, Value::Null).await.body, b"bytes");
    assert_eq!(visitor.ask("GET", &format!("/api/v1/links/{other}/content"), Value::Null).await.status, 401);

    let change = format!("/api/v1/shares/{}", made["id"].as_str().unwrap());
    let changed = owner.ask("PATCH", &change, json!({ "password": "5678" })).await.json();
    assert_eq!(changed["code"], made["code"], "the address stays");
    assert_eq!(visitor.ask("GET", &content, Value::Null).await.status, 401);
    owner.ask("PATCH", &change, json!({ "password": null })).await;
    assert_eq!(guest(&world, &code, "/content").await.body, b"bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn downloads_are_counted_by_the_bytes_that_arrived() {
    let world = World::new().await;
    let bytes = noise(2, 200_000);
    world.put("f", &bytes).await;
    let mut owner = owner(&world).await;
    let code = code(&share(&mut owner, json!({ "path": "/f", "downloads_max": 2 })).await);
    let part =
        async |range: &str| world.with("GET", &format!("/api/v1/links/{code}/content"), &[("Range", range)]).await;
    assert_eq!(guest(&world, &code, "").await.json()["downloads_left"], 2);
    // Looking is free; one download in three pieces is one.
    assert_eq!(world.with("HEAD", &format!("/api/v1/links/{code}/content"), &[]).await.status, 200);
    for range in ["bytes=0-99999", "bytes=100000-149999"] {
        assert_eq!(part(range).await.status, 206);
    }
    downloads(&mut owner, 0).await;
    assert_eq!(part("bytes=150000-").await.body, bytes[150_000..]);
    downloads(&mut owner, 1).await;
    assert_eq!(guest(&world, &code, "/content").await.body, bytes);
    downloads(&mut owner, 2).await;
    let answer = guest(&world, &code, "/content").await;
    assert_eq!((answer.status, answer.code().as_str()), (410, "link_ended"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_one_download_gives_one_however_many_ask_at_once() {
    let world = World::new().await;
    let bytes = noise(2, 2_000_000);
    world.put("d/f", &bytes).await;
    world.put("d/empty", b"").await;
    let mut owner = owner(&world).await;
    for (path, what) in [("/d/f", "/content"), ("/d", "/files/f"), ("/d", "/zip/"), ("/d/empty", "/content")] {
        let code = code(&share(&mut owner, json!({ "path": path, "downloads_max": 1 })).await);
        let answers = futures_util::future::join_all((0..12).map(|_| guest(&world, &code, what))).await;
        let got = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(got, 1, "{what}: {:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert!(["link_ended", "link_taken", "archives_busy"].contains(&answer.code().as_str()), "{what}");
        }
        assert_eq!(guest(&world, &code, what).await.code(), "link_ended", "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_tells_its_owner_how_often_it_was_opened() {
    let world = World::new().await;
    world.put("f", b"bytes").await;
    let mut owner = owner(&world).await;
    let code = code(&share(&mut owner, json!({ "path": "/f" })).await);
    let mut opened = async || {
        let shares = owner.ask("GET", "/api/v1/shares", Value::Null).await.json();
        (shares["shares"][0]["opened"].as_u64().unwrap(), shares["shares"][0]["downloads"].as_u64().unwrap())
    };
    assert_eq!(opened().await, (0, 0));
    for _ in 0..2 {
        assert_eq!(guest(&world, &code, "").await.status, 200);
    }
    assert_eq!(opened().await, (2, 0));
    // Upkeep writes it down.
    world.service.expire().await.unwrap();
    assert_eq!(guest(&world, &code, "").await.status, 200);
    assert_eq!(opened().await, (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_by_its_date_its_owner_and_with_its_owner() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let mut user = invited(&mut owner, "bob").await;
    user.ask("PUT", "/api/v1/files/f", json!("bytes")).await;
    // The tests' clock begins on 2026-04-01 at noon.
    let dated = share(&mut user, json!({ "path": "/f", "expires": "2026-04-02T12:00:00Z" })).await;
    let plain = share(&mut user, json!({ "path": "/f" })).await;
    let status = async |share: &Value| guest(&world, &code(share), "/content").await.status;
    assert_eq!((status(&dated).await, status(&plain).await), (200, 200));
    world.clock.jump_s(86_400);
    assert_eq!((status(&dated).await, status(&plain).await), (410, 200));

    owner.ask("PATCH", "/api/v1/accounts/bob", json!({ "suspended": true })).await;
    assert_eq!(status(&plain).await, 410, "nothing of a suspended account is served");
    owner.ask("PATCH", "/api/v1/accounts/bob", json!({ "suspended": false })).await;
    assert_eq!(status(&plain).await, 200);

    user.sign_in("bob", PASSWORD).await;
    let path = format!("/api/v1/shares/{}", plain["id"].as_str().unwrap());
    assert_eq!(owner.ask("DELETE", &path, Value::Null).await.status, 404, "it is not the owner's");
    assert_eq!(user.ask("DELETE", &path, Value::Null).await.status, 204);
    assert_eq!(status(&plain).await, 410);
    assert_eq!(user.ask("PATCH", &path, json!({ "password": null })).await.status, 404, "an end is an end");
    assert_eq!(guest(&world, &"0".repeat(32), "").await.code(), "no_link");
    assert_eq!(guest(&world, "zz", "").await.code(), "no_link");
    for (wish, code) in [
        (json!({ "path": "/nothing" }), "missing"),
        (json!({ "path": "/" }), "bad_share"),
        (json!({ "path": "/f", "expires": "2026-04-01T12:00:00Z" }), "bad_share"),
        (json!({ "path": "/f", "expires": "tomorrow" }), "bad_time"),
        (json!({ "path": "/f", "downloads_max": 0 }), "bad_share"),
        (json!({ "path": "/f", "password": "" }), "bad_share"),
    ] {
        assert_eq!(user.ask("POST", "/api/v1/shares", wish.clone()).await.code(), code, "{wish}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trash_is_listed_page_by_page() {
    let world = World::new().await;
    for name in ["d/a", "d/b", "d/c"] {
        world.put(name, b"12345").await;
        world.file("DELETE", name, &[], b"").await;
    }
    let page = world.call("GET", "/api/v1/trash?limit=2", &[], b"").await.json();
    let next = format!("/api/v1/trash?limit=2&after={}", page["next"].as_str().unwrap());
    let rest = world.call("GET", &next, &[], b"").await.json();
    assert_eq!((page["entries"].as_array().unwrap().len(), &rest["next"]), (2, &Value::Null));
    let all = page["entries"].as_array().unwrap().iter().chain(rest["entries"].as_array().unwrap());
    let mut paths = Vec::new();
    for entry in all {
        assert_eq!((&entry["size"], &entry["kind"]), (&json!(5), &json!("file")));
        assert!(entry["goes"].as_str().unwrap().starts_with("2026-05-01T"), "{entry}");
        paths.push(entry["path"].as_str().unwrap().to_owned());
    }
    paths.sort();
    assert_eq!(paths, ["/d/a", "/d/b", "/d/c"]);
    assert_eq!(world.call("GET", "/api/v1/trash?after=x", &[], b"").await.code(), "bad_query");
}
