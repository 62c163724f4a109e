//! Folders, moves, copies, the trash.

use crate::world::World;

async fn check(world: &World, path: &str, action: &str, status: u16, code: &str) {
    let answer = world.act(path, action).await;
    assert_eq!(answer.status, status, "{path} {action}: {}", String::from_utf8_lossy(&answer.body));
    if !code.is_empty() {
        assert_eq!(answer.code(), code, "{path} {action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_made_on_the_way() {
    let world = World::new().await;
    world.put("a/b/c.txt", b"x").await;
    assert_eq!(world.names("a/").await, ["b"]);
    check(&world, "d/e", r#"{"action":"mkdir"}"#, 201, "").await;
    check(&world, "d/e", r#"{"action":"mkdir"}"#, 409, "exists").await;
    check(&world, "a/b/c.txt", r#"{"action":"mkdir"}"#, 409, "exists").await;
    check(&world, "a/b/c.txt/d", r#"{"action":"mkdir"}"#, 409, "not_a_folder").await;
    check(&world, "", r#"{"action":"mkdir"}"#, 409, "exists").await;
    for (method, path, status, code) in [
        ("PUT", "a/b/c.txt/d", 409, "not_a_folder"),
        ("PUT", "a/b", 409, "is_a_folder"),
        ("GET", "a/b", 409, "is_a_folder"),
        ("GET", "a/b/c.txt/", 409, "not_a_folder"),
        ("DELETE", "a/b/c.txt/", 409, "not_a_folder"),
        ("GET", "nothing/", 404, "missing"),
        ("GET", "a/nothing/c", 404, "missing"),
        ("DELETE", "nothing", 404, "missing"),
        ("DELETE", "", 400, "bad_path"),
    ] {
        let answer = world.file(method, path, &[], b"").await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {path}");
    }
    assert_eq!(world.get("a/b/c.txt").await.body, b"x");
}

#[tokio::test(flavor = "multi_thread")]
async fn moves() {
    let world = World::new().await;
    let tag = world.put("a/f", b"one").await.header("etag").to_owned();
    world.put("b/g", b"two").await;
    check(&world, "a", r#"{"action":"move","to":"c/d/"}"#, 201, "").await;
    let moved = world.get("c/d/f").await;
    assert_eq!((moved.body.as_slice(), moved.header("etag")), (b"one".as_slice(), tag.as_str()), "the same version");
    assert_eq!(world.get("a/f").await.status, 404);
    check(&world, "c/d/f", r#"{"action":"move","to":"/b/g"}"#, 409, "exists").await;
    check(&world, "c/d/f", r#"{"action":"move","to":"b/g","replace":true}"#, 201, "").await;
    assert_eq!(world.get("b/g").await.body, b"one");
    check(&world, "b/g", r#"{"action":"restore","to":"b/old"}"#, 201, "").await;
    assert_eq!(world.get("b/old").await.body, b"two", "what was replaced came back from the trash");
    check(&world, "c", r#"{"action":"move","to":"c/d/c"}"#, 409, "into_itself").await;
    check(&world, "c", r#"{"action":"move","to":"c"}"#, 409, "exists").await;
    check(&world, "c", r#"{"action":"move","to":"c","replace":true}"#, 409, "exists").await;
    check(&world, "c", r#"{"action":"move","to":"c/x","replace":true}"#, 409, "into_itself").await;
    check(&world, "none", r#"{"action":"move","to":"x"}"#, 404, "missing").await;
    check(&world, "", r#"{"action":"move","to":"x"}"#, 400, "bad_path").await;
    check(&world, "c", r#"{"action":"move","to":"../x"}"#, 400, "bad_path").await;
    check(&world, "c", r#"{"action":"move"}"#, 400, "bad_json").await;
    assert_eq!(world.names("").await, ["b", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_stand_on_their_own() {
    let world = World::new().await;
    let small = world.put("a/small", b"inline").await.header("etag").to_owned();
    let large = crate::world::noise(3, 3 << 20);
    world.put("a/deep/large", &large).await;
    check(&world, "a", r#"{"action":"copy","to":"b"}"#, 201, "").await;
    check(&world, "a", r#"{"action":"copy","to":"b"}"#, 409, "exists").await;
    check(&world, "a", r#"{"action":"copy","to":"a/deep/a"}"#, 409, "into_itself").await;
    assert_eq!(world.file("DELETE", "a?permanent=true", &[], b"").await.status, 204);
    let copy = world.get("b/small").await;
    assert_eq!(copy.body, b"inline");
    assert_ne!(copy.header("etag"), small);
    assert!(world.get("b/deep/large").await.body == large);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_many_is_copied_and_erased_in_pages() {
    let world = World::new().await;
    for index in 0..300 {
        world.put(&format!("many/{}/{index}", index % 3), format!("{index}").as_bytes()).await;
    }
    for index in 0..270 {
        world.put(&format!("many/0/flat-{index:03}"), b"").await;
    }
    check(&world, "many", r#"{"action":"copy","to":"copy"}"#, 201, "").await;
    assert_eq!(world.names("copy/0/").await.len(), 370);
    assert_eq!(world.get("copy/2/299").await.body, b"299");
    assert_eq!(world.file("DELETE", "many/?permanent=true", &[], b"").await.status, 204);
    assert_eq!(world.names("").await, ["copy"]);
    check(&world, "many", r#"{"action":"restore"}"#, 404, "not_in_trash").await;
    assert_eq!(world.get("copy/1/298").await.body, b"298");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trash_gives_back_what_was_deleted_last() {
    let world = World::new().await;
    for body in ["first", "second"] {
        world.put("d/f", body.as_bytes()).await;
        world.clock.jump_s(2);
        assert_eq!(world.file("DELETE", "d/f", &[], b"").await.status, 204);
    }
    assert_eq!(world.get("d/f").await.status, 404);
    check(&world, "d/f", r#"{"action":"restore"}"#, 201, "").await;
    assert_eq!(world.get("d/f").await.body, b"second");
    check(&world, "d/f", r#"{"action":"restore"}"#, 409, "exists").await;
    check(&world, "d/f", r#"{"action":"restore","replace":true}"#, 201, "").await;
    assert_eq!(world.get("d/f").await.body, b"first");
    assert_eq!(world.file("DELETE", "d", &[], b"").await.status, 204);
    assert_eq!(world.get("d/f").await.status, 404);
    check(&world, "d/f", r#"{"action":"restore"}"#, 404, "not_in_trash").await;
    check(&world, "d", r#"{"action":"restore"}"#, 201, "").await;
    assert_eq!(world.get("d/f").await.body, b"first", "a folder takes along what is in it");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_moved_to_where_no_path_reaches() {
    let world = World::new().await;
    let deep = vec!["d"; 100].join("/");
    world.put(&format!("{deep}/f"), b"x").await;
    check(&world, &format!("{}/mid", ["e"; 60].join("/")), r#"{"action":"mkdir"}"#, 201, "").await;
    let to = format!(r#"{{"action":"move","to":"{}/mid/d"}}"#, ["e"; 60].join("/"));
    check(&world, "d", &to, 400, "bad_path").await;
    assert_eq!(world.get(&format!("{deep}/f")).await.body, b"x");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trash_and_old_versions_empty_themselves_after_thirty_days_of_service() {
    let world = World::new().await;
    world.put("thrown-away", b"x").await;
    world.put("kept", b"first").await;
    world.put("kept", b"second").await;
    assert_eq!(world.file("DELETE", "thrown-away", &[], b"").await.status, 204);
    world.clock.jump_s(29 * 24 * 3_600);
    assert_eq!(world.service.expire().await.unwrap(), 0);
    world.clock.jump_s(2 * 24 * 3_600);
    assert_eq!(world.service.expire().await.unwrap(), 2, "one entry, one version");
    check(&world, "thrown-away", r#"{"action":"restore"}"#, 404, "not_in_trash").await;
    assert_eq!(world.get("kept").await.body, b"second");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_is_read_and_brought_back() {
    let world = World::new().await;
    for bytes in [&b"first"[..], b"second", b"third"] {
        world.put("f", bytes).await;
    }
    world.put("other", b"another file").await;
    let versions = async |path: &str| {
        let answer = world.call("GET", &format!("/api/v1/versions/{path}"), &[], b"").await.json();
        answer["versions"].as_array().unwrap().clone()
    };
    let all = versions("f").await;
    let sizes: Vec<_> = all.iter().map(|version| version["size"].as_u64().unwrap()).collect();
    assert_eq!((sizes, all[0]["current"] == true), (vec![5, 6, 5], true));
    let id = |version: &serde_json::Value| version["id"].as_str().unwrap().to_owned();
    let first = id(&all[2]);
    let old = world.get(&format!("f?version={first}")).await;
    assert_eq!((old.body.as_slice(), old.header("etag")), (&b"first"[..], format!("\"{first}\"").as_str()));

    let revert = format!(r#"{{"action":"revert","version":"{first}"}}"#);
    assert_eq!(world.act("f", &revert).await.status, 204);
    assert_eq!(world.get("f").await.body, b"first");
    assert_eq!(world.act("f", &revert).await.status, 204, "again is nothing more");
    let all = versions("f").await;
    assert_eq!(all.iter().filter(|version| version["current"] == true).count(), 1);
    assert_eq!(all.len(), 3, "nothing was made or lost");

    // It is current, so it does not leave with those that were replaced.
    world.clock.jump_s(31 * 86_400);
    world.service.expire().await.unwrap();
    assert_eq!(world.get("f").await.body, b"first");
    let foreign = id(&versions("other").await[0]);
    for (path, answer) in [
        ("f", world.get(&format!("f?version={foreign}")).await),
        ("f", world.act("f", &format!(r#"{{"action":"revert","version":"{foreign}"}}"#)).await),
        ("none", world.call("GET", "/api/v1/versions/none", &[], b"").await),
    ] {
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(world.act("f", r#"{"action":"revert"}"#).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trash_is_emptied_by_name_or_altogether() {
    let world = World::new().await;
    for name in ["a", "b", "folder/c", "folder/deep/d", "kept"] {
        world.put(name, b"bytes").await;
    }
    for name in ["a", "b", "folder"] {
        assert!(world.file("DELETE", name, &[], b"").await.status < 300);
    }
    let space = async || world.call("GET", "/api/v1/space", &[], b"").await.json();
    assert_eq!(space().await["current_bytes"], 5, "the rest is in the trash");
    assert_eq!(space().await["trash_bytes"], space().await["used_bytes"].as_u64().unwrap() - 5);
    let erase = async |query: &str| world.call("DELETE", &format!("/api/v1/trash{query}"), &[], b"").await;
    let nothing = erase("?path=/kept").await;
    assert_eq!((nothing.status, nothing.code().as_str()), (404, "not_in_trash"));
    assert_eq!(erase("?path=/a").await.json()["erased"], 1);
    check(&world, "a", r#"{"action":"restore"}"#, 404, "not_in_trash").await;
    assert_eq!(erase("").await.json()["erased"], 2);
    assert_eq!(erase("").await.json()["erased"], 0);
    let left = world.call("GET", "/api/v1/trash", &[], b"").await.json();
    assert_eq!(left["entries"].as_array().unwrap().len(), 0);
    assert_eq!(world.names("").await, ["kept"]);
    let me = world.call("GET", "/api/v1/session", &[], b"").await.json();
    assert_eq!(me["account"]["used_bytes"], 5, "what is gone takes no space");
}
