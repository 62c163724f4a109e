//! Links that take files, and what guests report.

use serde_json::{Value, json};

use crate::{
    access::{Browser, invited, owner},
    http::Answer,
    world::World,
};

/// A guest: nobody signed in, in a browser on the link's page.
struct Guest<'w> {
    browser: Browser<'w>,
    link: String,
}

impl Guest<'_> {
    /// Sends one file in one piece; the last answer.
    async fn send(&self, path: &str, body: &[u8]) -> Answer {
        let length = body.len().to_string();
        let path = format!("path {}", base64(path.as_bytes()));
        let begin =
            [("Tus-Resumable", "1.0.0"), ("Upload-Length", length.as_str()), ("Upload-Metadata", path.as_str())];
        let begun = self.browser.send("POST", &format!("{}/uploads/", self.link), &begin, b"").await;
        if begun.status != 201 || body.is_empty() {
            return begun;
        }
        let patch =
            [("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream")];
        let url = begun.header("location").to_owned();
        assert!(url.starts_with(&self.link), "{url}");
        self.browser.send("PATCH", &url, &patch, body).await
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let all = group.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let letter =
                if at <= group.len() { char::from(LETTERS[(all >> (18 - 6 * at) & 63) as usize]) } else { '=' };
            text.push(letter);
        }
    }
    text
}

async fn request<'w>(world: &'w World, owner: &mut Browser<'_>, wish: Value) -> (Value, Guest<'w>) {
    let answer = owner.ask("POST", "/api/v1/shares", wish).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    let share = answer.json();
    let link = format!("/api/v1/links/{}", share["code"].as_str().unwrap());
    (share, Guest { browser: Browser::new(world), link })
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn others_send_files_into_a_folder_and_see_nothing_of_it() {
    let world = World::new().await;
    world.put("inbox/a.jpg", b"was there before").await;
    let mut owner = owner(&world).await;
    let wish = json!({ "path": "/inbox", "receives": true, "words": "Your photos, please" });
    let (share, guest) = request(&world, &mut owner, wish).await;
    assert_eq!((&share["receives"], &share["words"]), (&json!(true), &json!("Your photos, please")));
    let about = world.with("GET", &guest.link, &[]).await.json();
    assert_eq!(
        (&about["receives"], &about["name"], &about["words"], &about["owner"]),
        (&json!(true), &json!("inbox"), &json!("Your photos, please"), &json!("owner"))
    );
    for hidden in ["/files/", "/files/a.jpg", "/zip/", "/thumbnails/a.jpg", "/content"] {
        let answer = world.with("GET", &format!("{}{hidden}", guest.link), &[]).await;
        assert_eq!(refused(&answer), (404, "no_link".into()), "{hidden}");
    }
    for (path, body) in [("a.jpg", &b"one"[..]), ("a.jpg", b"two"), ("Anna/b/c.txt", b"three"), ("empty", b"")] {
        let answer = guest.send(path, body).await;
        assert!(matches!(answer.status, 201 | 204), "{path}: {}", answer.status);
    }
    assert_eq!(world.names("inbox/").await, ["Anna", "a (2).jpg", "a (3).jpg", "a.jpg", "empty"]);
    assert_eq!(world.get("inbox/a.jpg").await.body, b"was there before");
    assert_eq!(world.get("inbox/a%20(3).jpg").await.body, b"two");
    assert_eq!(world.get("inbox/Anna/b/c.txt").await.body, b"three");
    assert_eq!(refused(&guest.send("../out.txt", b"x").await), (400, "bad_path".into()));
    let shares = owner.ask("GET", "/api/v1/shares", Value::Null).await.json();
    assert_eq!(shares["shares"][0]["downloads"], 4, "files that came");

    // Another site's page cannot make a guest's browser send something.
    let mut browser = Browser::new(&world);
    let foreign = browser.ask_from("cross-site", "POST", &format!("{}/uploads/", guest.link), Value::Null).await;
    assert_eq!(foreign.status, 403);
    // An ordinary link takes nothing.
    let (_, plain) = request(&world, &mut owner, json!({ "path": "/inbox" })).await;
    assert_eq!(refused(&plain.send("x", b"x").await), (403, "read_only".into()));
    let answer = owner.ask("POST", "/api/v1/shares", json!({ "path": "/inbox/a.jpg", "receives": true })).await;
    assert_eq!(refused(&answer), (400, "bad_share".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_keeps_its_limits() {
    let world = World::new().await;
    world.put("inbox/a", b"a").await;
    let mut owner = owner(&world).await;
    let wish = json!({ "path": "/inbox", "receives": true, "password": "open sesame", "downloads_max": 2 });
    let (share, mut guest) = request(&world, &mut owner, wish).await;
    assert_eq!(refused(&guest.send("x", b"x").await), (401, "link_password".into()));
    let session = format!("{}/session", guest.link);
    assert_eq!(guest.browser.ask("POST", &session, json!({ "password": "open sesame" })).await.status, 204);
    assert_eq!(guest.send("x", b"x").await.status, 204);
    // The last place goes to who begins first.
    let begin = [("Tus-Resumable", "1.0.0"), ("Upload-Length", "1"), ("Upload-Metadata", "path eQ==")];
    let begun = guest.browser.send("POST", &format!("{}/uploads/", guest.link), &begin, b"").await;
    assert_eq!(begun.status, 201);
    assert_eq!(refused(&guest.send("z", b"z").await), (409, "request_full".into()));
    let patch =
        [("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream")];
    assert_eq!(guest.browser.send("PATCH", begun.header("location"), &patch, b"y").await.status, 204);
    assert_eq!(refused(&guest.send("z", b"z").await), (409, "request_full".into()));
    assert_eq!(world.names("inbox/").await, ["a", "x", "y"]);

    // More places; then the owner is full, and a guest is not told how full.
    let address = format!("/api/v1/shares/{}", share["id"].as_str().unwrap());
    assert_eq!(owner.ask("PATCH", &address, json!({ "downloads_max": null })).await.status, 200);
    assert_eq!(owner.ask("PATCH", "/api/v1/accounts/owner", json!({ "quota_bytes": 10 })).await.status, 204);
    let full = guest.send("z", &[7; 100]).await;
    assert_eq!(refused(&full), (507, "quota".into()));
    assert!(!String::from_utf8_lossy(&full.body).contains("10"), "{}", full.json());
    assert_eq!(owner.ask("DELETE", &address, Value::Null).await.status, 204);
    assert_eq!(refused(&guest.send("z", b"z").await), (410, "link_ended".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reported_link_is_switched_off_and_on_without_touching_a_byte() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    bob.send("PUT", "/api/v1/files/film.mkv", &[], b"frames").await;
    let share =
        bob.ask("POST", "/api/v1/shares", json!({ "path": "/film.mkv", "password": "a password" })).await.json();
    let link = format!("/api/v1/links/{}", share["code"].as_str().unwrap());
    let mut guest = Browser::new(&world);
    let report = |words: &str| json!({ "reason": "copyright", "words": words, "contact": " me@example.org " });
    assert_eq!(guest.ask("POST", &format!("{link}/report"), report("this film is mine")).await.status, 204);
    let none = guest.ask("POST", &format!("/api/v1/links/{}/report", "0".repeat(32)), report("?")).await;
    assert_eq!(refused(&none), (404, "no_link".into()));
    let long = guest.ask("POST", &format!("{link}/report"), report(&"x".repeat(9_000))).await;
    assert_eq!(refused(&long), (400, "bad_share".into()));
    assert_eq!(bob.ask("GET", "/api/v1/reports", Value::Null).await.status, 403);
    let reports = owner.ask("GET", "/api/v1/reports", Value::Null).await.json();
    let line = &reports["reports"][0];
    assert_eq!(
        (&line["reason"], &line["words"], &line["contact"], &line["link"]["account"], &line["link"]["name"]),
        (&json!("copyright"), &json!("this film is mine"), &json!("me@example.org"), &json!("bob"), &json!("film.mkv"))
    );
    let address = format!("/api/v1/reports/{}", line["id"].as_str().unwrap());
    assert_eq!(bob.ask("PATCH", &address, json!({ "link": "off" })).await.status, 403);
    assert_eq!(owner.ask("PATCH", &address, json!({ "link": "off" })).await.status, 204);
    assert_eq!(refused(&world.with("GET", &link, &[]).await), (410, "link_off".into()));
    let shares = bob.ask("GET", "/api/v1/shares", Value::Null).await.json();
    assert!(shares["shares"][0]["off"].is_string());
    assert_eq!(bob.send("GET", "/api/v1/files/film.mkv", &[], b"").await.body, b"frames");
    assert_eq!(owner.ask("PATCH", &address, json!({ "link": "on" })).await.status, 204);
    assert_eq!(refused(&world.with("GET", &link, &[]).await), (401, "link_password".into()));
    assert_eq!(owner.ask("PATCH", &address, json!({ "settled": true })).await.status, 204);
    let reports = owner.ask("GET", "/api/v1/reports", Value::Null).await.json();
    assert!(reports["reports"][0]["settled"].is_string());

    // Nobody fills the operator's desk from one link.
    for number in 0..20 {
        assert_eq!(guest.ask("POST", &format!("{link}/report"), report("again")).await.status, 204, "{number}");
    }
    let more = guest.ask("POST", &format!("{link}/report"), report("again")).await;
    assert_eq!(refused(&more), (429, "too_many_reports".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_learns_nothing_and_keeps_nothing_from_others() {
    let world = World::new().await;
    world.put("inbox/salaries.pdf", b"secret").await;
    let mut owner = owner(&world).await;
    let (share, guest) = request(&world, &mut owner, json!({ "path": "/inbox", "receives": true })).await;
    // A file there is no obstacle to be felt: the folder gets another name.
    assert_eq!(guest.send("salaries.pdf/mine.txt", b"m").await.status, 204);
    assert_eq!(guest.send("nothing/mine.txt", b"m").await.status, 204);
    assert_eq!(world.names("inbox/").await, ["nothing", "salaries (2).pdf", "salaries.pdf"]);
    let deep = vec!["a"; 60].join("/");
    for path in [format!("salaries.pdf/{deep}"), format!("nothing-here/{deep}")] {
        assert_eq!(refused(&guest.send(&path, b"m").await), (400, "bad_path".into()), "{path}");
    }

    // Lengths that are only claimed take no room from anybody, and no number is too large to be added up.
    let begin = async |length: &str| {
        let headers = [("Tus-Resumable", "1.0.0"), ("Upload-Length", length), ("Upload-Metadata", "path eg==")];
        guest.browser.send("POST", &format!("{}/uploads/", guest.link), &headers, b"").await
    };
    assert_eq!(refused(&begin("9223372036854775807").await), (413, "upload_too_long".into()));
    assert_eq!(owner.ask("PATCH", "/api/v1/accounts/owner", json!({ "quota_bytes": 1_000_000 })).await.status, 204);
    assert_eq!(begin("900000").await.status, 201);
    let own = [("Tus-Resumable", "1.0.0"), ("Upload-Length", "900000"), ("Upload-Metadata", "path b3du")];
    assert_eq!(world.call("POST", "/api/v1/uploads/", &own, b"").await.status, 201);
    let deferred = [("Tus-Resumable", "1.0.0"), ("Upload-Defer-Length", "1"), ("Upload-Metadata", "path eg==")];
    let answer = guest.browser.send("POST", &format!("{}/uploads/", guest.link), &deferred, b"").await;
    assert_eq!(refused(&answer), (400, "length_needed".into()));

    // With the link what it had begun goes, too.
    let account = world.store.read(|tx| catalogue::accounts::all(tx)).await.unwrap()[0].id;
    let open = || world.store.read(move |tx| catalogue::uploads::of_account(tx, account));
    assert_eq!(open().await.unwrap().len(), 2);
    let address = format!("/api/v1/shares/{}", share["id"].as_str().unwrap());
    assert_eq!(owner.ask("DELETE", &address, Value::Null).await.status, 204);
    assert_eq!(open().await.unwrap().len(), 1);
}
