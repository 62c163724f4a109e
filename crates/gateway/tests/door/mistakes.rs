//! Mistakes that others made, asked of every door that could repeat them. Each test names the one that it comes from.

use serde_json::{Value, json};

use crate::{
    access::{Browser, invited, owner},
    http::Answer,
    world::World,
};

/// A link's code.
async fn link(owner: &mut Browser<'_>, wish: Value) -> String {
    let answer = owner.ask("POST", "/api/v1/shares", wish).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    answer.json()["code"].as_str().unwrap().to_owned()
}

/// The address below which somebody sees what was given.
async fn grant(owner: &mut Browser<'_>, path: &str, to: &str, rights: &str) -> String {
    let answer = owner.ask("POST", "/api/v1/grants", json!({ "path": path, "to": to, "rights": rights })).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    format!("/api/v1/shared/{}", answer.json()["id"].as_str().unwrap())
}

async fn guest(world: &World, target: &str) -> Answer {
    world.with("GET", &format!("/api/v1/links/{target}"), &[]).await
}

/// CVE-2023-49103 (ownCloud) and the caches of Seafile's users: an ending that looks like a picture or a sheet opened doors, or
/// made caches keep what was private.
#[tokio::test(flavor = "multi_thread")]
async fn an_ending_opens_no_door_and_makes_nothing_public() {
    let world = World::new().await;
    world.put("letter.css", b"private").await;
    for door in ["session", "accounts", "tokens", "files/", "files/letter.css", "kits", "shares", "space", "takeout"] {
        for ending in ["", ".css", "/x.css", ";.css", "%2Fx.css", "?.css", "%00.css", "/..;/x.css"] {
            let answer = world.with("GET", &format!("/api/v1/{door}{ending}"), &[]).await;
            assert!((400..500).contains(&answer.status), "{door}{ending}: {}", answer.status);
            assert!(!answer.body.windows(7).any(|seven| seven == b"private"), "{door}{ending}");
            assert!(!answer.header("cache-control").contains("public"), "{door}{ending}");
        }
    }
    let mut owner = owner(&world).await;
    let code = link(&mut owner, json!({ "path": "/letter.css" })).await;
    let own = owner.send("GET", "/api/v1/files/letter.css", &[], b"").await;
    for answer in [own, guest(&world, &format!("{code}/content")).await] {
        assert_eq!((answer.status, answer.header("cache-control")), (200, "private, no-store"));
    }
}

/// CVE-2026-54097 (filebrowser): what was deleted took all links with it whose paths began alike, those of others too.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_takes_no_link_with_it_but_its_own() {
    let world = World::new().await;
    for path in ["a/f", "ab/f"] {
        world.put(path, b"mine").await;
    }
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    assert_eq!(bob.ask("PUT", "/api/v1/files/a/f", json!("bob's")).await.status, 201);
    let (gone, beside) =
        (link(&mut owner, json!({ "path": "/a" })).await, link(&mut owner, json!({ "path": "/ab" })).await);
    let of_bob = link(&mut bob, json!({ "path": "/a" })).await;
    world.file("DELETE", "a/?permanent=true", &[], b"").await;
    let status = async |code: &str| guest(&world, &format!("{code}/files/f")).await.status;
    assert_eq!((status(&gone).await, status(&beside).await, status(&of_bob).await), (410, 200, 200));
}

/// CVE-2026-54091 (filebrowser): what was shut for a folder was open through a link to something above or below it.
#[tokio::test(flavor = "multi_thread")]
async fn each_link_stands_for_itself() {
    let world = World::new().await;
    world.put("a/b/f", b"bytes").await;
    let mut owner = owner(&world).await;
    let (above, below) =
        (link(&mut owner, json!({ "path": "/a" })).await, link(&mut owner, json!({ "path": "/a/b" })).await);
    let shares = owner.ask("GET", "/api/v1/shares", Value::Null).await.json();
    let of_below = shares["shares"].as_array().unwrap().iter().find(|share| share["code"] == below.as_str()).unwrap();
    owner.ask("DELETE", &format!("/api/v1/shares/{}", of_below["id"].as_str().unwrap()), Value::Null).await;
    assert_eq!(guest(&world, &format!("{below}/files/f")).await.status, 410);
    assert_eq!(guest(&world, &format!("{above}/files/b/f")).await.status, 200, "its owner shows that still");
    for out in ["files/../../f", "files/b/..%2F..%2Ff", "files/b/../../a/b/f", "zip/../", "thumbnails/..%2Ff"] {
        let status = guest(&world, &format!("{above}/{out}")).await.status;
        assert!((400..500).contains(&status), "{out}: {status}");
    }
}

/// CVE-2023-37474 (copyparty): the door to the page's own files gave those of the machine.
#[tokio::test(flavor = "multi_thread")]
async fn the_doors_to_the_page_give_nothing_of_the_machine() {
    let world = World::new().await;
    for target in [
        "/../../../../etc/passwd",
        "/assets/../../../../etc/passwd",
        "/assets/..%2F..%2F..%2Fetc%2Fpasswd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%5C..%5Cetc%5Cpasswd",
        "/assets//etc/passwd",
        "//etc/passwd",
        "/.ssh/x",
        "/assets/%00",
        "/s/../../etc/passwd",
    ] {
        let answer = world.with("GET", target, &[]).await;
        assert!(!String::from_utf8_lossy(&answer.body).contains("root:"), "{target}");
        assert!(answer.status < 500, "{target}: {}", answer.status);
    }
}

/// CVE-2016-9462 (ownCloud) and NC-SA-2017-001: who might look brought old versions back, and gave on more than they had.
#[tokio::test(flavor = "multi_thread")]
async fn who_may_look_brings_nothing_back_and_gives_nothing_on() {
    let world = World::new().await;
    for text in ["old", "new"] {
        world.put("d/f", text.as_bytes()).await;
    }
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    let mut carol = invited(&mut owner, "carol").await;
    let below = grant(&mut owner, "/d", "bob", "read").await;
    let versions = bob.ask("GET", &format!("{below}/versions/f"), Value::Null).await.json();
    let old = versions["versions"].as_array().unwrap().last().unwrap()["id"].clone();
    let revert = json!({ "action": "revert", "version": old });
    let answer = bob.ask("POST", &format!("{below}/files/f"), revert).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "read_only"));
    assert_eq!(world.get("d/f").await.body, b"new");
    // Nothing of another's tree can be named where one gives or links.
    for (door, wish) in [
        ("/api/v1/grants", json!({ "path": "/d", "to": "carol", "rights": "write" })),
        ("/api/v1/shares", json!({ "path": "/d" })),
    ] {
        let answer = bob.ask("POST", door, wish.clone()).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "missing"), "{door}");
        assert_eq!(bob.ask("POST", &format!("{below}/{}", &door[8..]), wish).await.status, 404, "{door}");
    }
    let carols = carol.ask("GET", "/api/v1/shared", Value::Null).await.json();
    assert_eq!(carols["shared"], json!([]));
}

/// CVE-2026-56768 (Seafile): the zip of a link with a password came without it.
#[tokio::test(flavor = "multi_thread")]
async fn a_zip_asks_for_what_its_link_asks_for() {
    let world = World::new().await;
    world.put("d/f", b"bytes").await;
    world.put("d/p.png", b"no picture").await;
    let mut owner = owner(&world).await;
    let code = link(&mut owner, json!({ "path": "/d", "password": "open sesame" })).await;
    for door in ["", "/zip/", "/zip/f", "/files/", "/files/f", "/content", "/thumbnails/p.png"] {
        let answer = guest(&world, &format!("{code}{door}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "link_password"), "{door}");
    }
    let dated = link(&mut owner, json!({ "path": "/d", "expires": "2026-04-01T12:30:00Z" })).await;
    assert_eq!(guest(&world, &format!("{dated}/zip/")).await.status, 200);
    world.clock.jump_s(3_600);
    assert_eq!(guest(&world, &format!("{dated}/zip/")).await.status, 410);
}

/// CVE-2021-43820 (Seafile): what was looked up for one tree was given for another.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_one_tree_opens_nothing_in_another() {
    let world = World::new().await;
    world.put("f", b"owner's").await;
    world.put("f", b"owner's new").await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    assert_eq!(bob.ask("PUT", "/api/v1/files/f", json!("bob's")).await.status, 201);
    let versions = owner.ask("GET", "/api/v1/versions/f", Value::Null).await.json();
    let below = grant(&mut owner, "/f", "bob", "read").await;
    for version in versions["versions"].as_array().unwrap() {
        let id = version["id"].as_str().unwrap();
        // Warm: its owner has just asked for it.
        assert_eq!(owner.send("GET", &format!("/api/v1/files/f?version={id}"), &[], b"").await.status, 200);
        for door in ["files/f?version=", "thumbnails/f?version="] {
            let answer = bob.send("GET", &format!("/api/v1/{door}{id}"), &[], b"").await;
            assert_eq!(answer.status, 404, "{door}");
        }
    }
    let of_bob = bob.ask("GET", "/api/v1/versions/f", Value::Null).await.json();
    let id = of_bob["versions"][0]["id"].as_str().unwrap();
    let answer = bob.send("GET", &format!("{below}/files/?version={id}"), &[], b"").await;
    assert_eq!(answer.status, 404, "the bytes of one tree in another's name");
}

/// CVE-2026-28683 (Gokapi): a picture with script in it, opened by its address, ran as the service.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_stored_runs_here_by_whatever_door_it_comes() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let bob = invited(&mut owner, "bob").await;
    for (name, media_type) in [
        ("x.svg", "image/svg+xml"),
        ("x.html", "text/html"),
        ("x.xhtml", "application/xhtml+xml"),
        ("x.xml", "text/xml"),
        ("x.js", "text/javascript"),
        ("x.pdf", "application/pdf"),
        ("x.swf", "application/x-shockwave-flash"),
        ("x.css", "text/css"),
    ] {
        let put = world.file("PUT", &format!("d/{name}"), &[("Content-Type", media_type)], b"<script>").await;
        assert_eq!(put.status, 201, "{name}");
    }
    let code = link(&mut owner, json!({ "path": "/d" })).await;
    let below = grant(&mut owner, "/d", "bob", "read").await;
    for name in ["x.svg", "x.html", "x.xhtml", "x.xml", "x.js", "x.pdf", "x.swf", "x.css"] {
        let answers = [
            owner.send("GET", &format!("/api/v1/files/d/{name}"), &[], b"").await,
            owner.send("GET", &format!("/api/v1/files/d/{name}"), &[("Range", "bytes=0-3")], b"").await,
            bob.send("GET", &format!("{below}/files/{name}"), &[], b"").await,
            guest(&world, &format!("{code}/files/{name}")).await,
        ];
        for answer in answers {
            assert!(answer.status < 300, "{name}: {}", answer.status);
            assert!(answer.header("content-disposition").starts_with("attachment"), "{name}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{name}");
            assert!(answer.header("content-security-policy").contains("sandbox"), "{name}");
        }
    }
}

/// `@tus/server` 2.4.5: an upload whose name is not Latin was kept and could not be fetched.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_in_any_script_comes_back() {
    let world = World::new().await;
    for name in ["фото.jpg", "写真 2012.jpg", "صورة.jpg", "e\u{301}te\u{301}.txt", "👨\u{200d}👩\u{200d}👧.png"]
    {
        let metadata = format!("filename {}", service::base64::encode(name.as_bytes()));
        let headers = [
            ("Tus-Resumable", "1.0.0"),
            ("Upload-Length", "5"),
            ("Upload-Metadata", metadata.as_str()),
            ("Content-Type", "application/offset+octet-stream"),
        ];
        let made = world.call("POST", "/api/v1/uploads/", &headers, b"bytes").await;
        assert_eq!((made.status, made.header("upload-offset")), (201, "5"), "{name}");
        let escaped: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let got = world.get(&escaped).await;
        assert_eq!((got.status, got.body.as_slice()), (200, b"bytes".as_slice()), "{name}");
        assert!(got.header("content-disposition").is_ascii(), "{name}");
        assert!(world.names("").await.contains(&name.to_owned()), "{name} is listed as it was sent");
    }
}
