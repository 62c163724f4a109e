//! What accounts show each other and strangers, after everything but some firms is lost; and taking everything home.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service")]

mod common;

use std::{
    fs,
    process::{Command, Stdio},
};

use common::{Answer, Scratch, Server, holdfast, noise, request, succeed, text};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse";

/// A browser: what it asks, and the cookie that it has from then on.
#[derive(Default)]
struct Browser(String);

impl Browser {
    fn ask(&mut self, server: &Server, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.send(server, method, path, &[], &body)
    }

    fn send(&mut self, server: &Server, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let cookie = format!("Cookie: {}", self.0);
        let mut all = vec![cookie.as_str()];
        all.extend_from_slice(headers);
        let answer = request(&server.url, "", method, path, &all, body);
        if let Some(set) = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")) {
            set.split(';').next().unwrap().clone_into(&mut self.0);
        }
        answer
    }

    fn sign_in(&mut self, server: &Server, name: &str) -> u16 {
        self.ask(server, "POST", "/api/v1/session", json!({ "name": name, "password": PASSWORD })).status
    }
}

fn of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{}{}", answer.head, text(&answer.body)))
}

fn id(row: &Value) -> &str {
    row["id"].as_str().unwrap()
}

/// Somebody who claims the service, and somebody who was invited.
fn two(server: &Server) -> (Browser, Browser) {
    let (mut alice, mut bob) = (Browser::default(), Browser::default());
    let code = server.page.split_once("/join#").unwrap().1;
    let sign_up = |code: &str, name: &str| json!({ "invitation": code, "name": name, "password": PASSWORD });
    assert_eq!(alice.ask(server, "POST", "/api/v1/accounts", sign_up(code, "alice")).status, 201);
    let invitation = of(&alice.ask(server, "POST", "/api/v1/invitations", json!({})));
    let code = invitation["code"].as_str().unwrap();
    assert_eq!(bob.ask(server, "POST", "/api/v1/accounts", sign_up(code, "bob")).status, 201);
    (alice, bob)
}

#[test]
fn what_others_see_survives_the_catalogue_and_a_firm() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let (mut alice, mut bob) = two(&server);
    let content = noise(5, 300_000);
    assert_eq!(alice.send(&server, "PUT", "/api/v1/files/album/a.jpg", &[], &content).status, 201);
    assert_eq!(alice.send(&server, "PUT", "/api/v1/files/inbox/old", &[], b"old").status, 201);
    let give = |path: &str, rights: &str| json!({ "path": path, "to": "bob", "rights": rights });
    let kept = of(&alice.ask(&server, "POST", "/api/v1/grants", give("/album", "write")));
    let ended = of(&alice.ask(&server, "POST", "/api/v1/grants", give("/inbox", "read")));
    assert_eq!(alice.ask(&server, "DELETE", &format!("/api/v1/grants/{}", id(&ended)), Value::Null).status, 204);
    let wish = json!({ "path": "/inbox", "receives": true, "words": "photos", "downloads_max": 2 });
    let request_link = of(&alice.ask(&server, "POST", "/api/v1/shares", wish));
    let off = of(&alice.ask(&server, "POST", "/api/v1/shares", json!({ "path": "/album" })));
    let link = |row: &Value, what: &str| format!("/api/v1/links/{}{what}", row["code"].as_str().unwrap());
    let mut guest = Browser::default();
    let send = |server: &Server, guest: &mut Browser, name: &str| {
        // `name` in base64.
        let metadata = format!("Upload-Metadata: path {name}");
        let begin = ["Tus-Resumable: 1.0.0", "Upload-Length: 0", metadata.as_str()];
        guest.send(server, "POST", &link(&request_link, "/uploads/"), &begin, b"").status
    };
    assert_eq!(send(&server, &mut guest, "bmV3"), 201);
    let said = json!({ "reason": "other", "words": "look at this" });
    assert_eq!(guest.ask(&server, "POST", &link(&off, "/report"), said).status, 204);
    let reports = of(&alice.ask(&server, "GET", "/api/v1/reports", Value::Null));
    let report = format!("/api/v1/reports/{}", id(&reports["reports"][0]));
    assert_eq!(alice.ask(&server, "PATCH", &report, json!({ "link": "off" })).status, 204);
    let face = json!({ "name": "Attic", "colour": "#336699", "terms": "Be kind.", "sign_up": "open" });
    assert_eq!(alice.ask(&server, "PATCH", "/api/v1/service", face).status, 200);
    let leave = json!({ "password": PASSWORD });
    assert_eq!(bob.ask(&server, "POST", "/api/v1/session/leave", leave).status, 200);

    server.kill();
    fs::remove_dir_all(data.join("catalogue")).unwrap();
    fs::remove_dir_all(data.join("providers/birch")).unwrap();
    let (new, identity) = (scratch.join("rebuilt"), data.join("keys/service-identity.txt"));
    let mut command = holdfast(&["rebuild", "--service-identity", identity.to_str().unwrap(), "--data"]);
    command.arg(&new).arg("--target").args(fs::read_dir(data.join("providers")).unwrap().map(|it| it.unwrap().path()));
    succeed(command);
    let server = Server::start(&new);

    assert_eq!((alice.sign_in(&server, "alice"), bob.sign_in(&server, "bob")), (200, 200));
    let shared = of(&bob.ask(&server, "GET", "/api/v1/shared", Value::Null));
    assert_eq!((shared["shared"].as_array().unwrap().len(), id(&shared["shared"][0])), (1, id(&kept)));
    let below = |row: &Value, what: &str| format!("/api/v1/shared/{}/{what}", id(row));
    assert!(bob.send(&server, "GET", &below(&kept, "files/a.jpg"), &[], b"").body == content);
    assert_eq!(bob.send(&server, "PUT", &below(&kept, "files/b.txt"), &[], b"b").status, 201, "with its right");
    assert_eq!(bob.send(&server, "GET", &below(&ended, "files/"), &[], b"").status, 404, "what was ended stays so");
    let about = of(&guest.ask(&server, "GET", &link(&request_link, ""), Value::Null));
    assert_eq!((&about["words"], &about["files_left"]), (&json!("photos"), &json!(1)));
    assert_eq!(send(&server, &mut guest, "bmV3"), 201);
    assert_eq!(send(&server, &mut guest, "bmV3"), 409, "two were asked for");
    let listing = of(&alice.ask(&server, "GET", "/api/v1/files/inbox/", Value::Null));
    let names: Vec<_> = listing["entries"].as_array().unwrap().iter().map(|entry| entry["name"].clone()).collect();
    assert_eq!(names, ["new", "new (2)", "old"]);
    assert_eq!(guest.ask(&server, "GET", &link(&off, ""), Value::Null).status, 410, "still switched off");
    assert_eq!(alice.ask(&server, "PATCH", &report, json!({ "link": "on" })).status, 204);
    assert_eq!(guest.ask(&server, "GET", &link(&off, ""), Value::Null).status, 200);
    let about = of(&guest.ask(&server, "GET", "/api/v1/service", Value::Null));
    assert_eq!(
        (&about["name"], &about["colour"], &about["terms"], &about["sign_up"]),
        (&json!("Attic"), &json!("#336699"), &json!("Be kind."), &json!("open"))
    );
    let me = of(&bob.ask(&server, "GET", "/api/v1/session", Value::Null));
    assert!(me["account"]["leaves"].is_string(), "the decision stands: {me}");
    server.stop();
}

#[test]
fn everything_is_taken_home_again_and_again() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.join("data"));
    let token = server.token();
    let put = |path: &str, bytes: &[u8], time: &str| {
        let modified = format!("X-Holdfast-Modified: {time}");
        request(&server.url, &token, "PUT", &format!("/api/v1/files/{path}"), &[&modified], bytes).status
    };
    let film = noise(8, 3_000_000);
    assert_eq!(put("films/a.mkv", &film, "1000000"), 201);
    assert_eq!(put("films/empty/note%20%5C1.txt", b"note", "2000000"), 201);
    assert_eq!(put("top.txt", b"12345", "3000000"), 201);
    let home = scratch.join("home");
    let export = |more: &[&str]| {
        let mut all = vec!["export", home.to_str().unwrap()];
        all.extend_from_slice(more);
        server.client(&token, &all)
    };
    let summary = |text: String| -> Value { serde_json::from_str(text.lines().last().unwrap()).unwrap() };
    let first = summary(succeed(export(&["--json"])));
    assert_eq!(fs::read(home.join("files/films/a.mkv")).unwrap(), film);
    assert_eq!(fs::read(home.join("files/films/empty/note \\1.txt")).unwrap(), b"note");
    let check = || {
        let mut command = Command::new("sha256sum");
        command.args(["--check", "--strict", "--quiet", "SHA256SUMS"]).current_dir(&home);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    };
    assert!(check(), "anybody can check it without us");
    let again = summary(succeed(export(&["--json"])));
    assert_eq!((&first["fetched"], &again["fetched"], &again["skipped"]), (&json!(3), &json!(0), &json!(3)));

    // Another version of the same size and time is another version; what is gone there stays here until it is said.
    assert_eq!(put("top.txt", b"54321", "3000000"), 204);
    assert_eq!(request(&server.url, &token, "DELETE", "/api/v1/files/films/empty/", &[], b"").status, 204);
    let third = summary(succeed(export(&["--json"])));
    assert_eq!(
        (&third["fetched"], fs::read(home.join("files/top.txt")).unwrap().as_slice()),
        (&json!(1), &b"54321"[..])
    );
    assert!(home.join("files/films/empty/note \\1.txt").exists() && check());
    succeed(export(&["--prune"]));
    assert!(!home.join("files/films/empty/note \\1.txt").exists() && check());

    // Verified by the list alone, without the service; what was damaged since is named.
    server.stop();
    let verify = || {
        let mut command = holdfast(&["export", "--verify"]);
        command.arg(&home).output().unwrap()
    };
    assert_eq!(verify().status.code(), Some(0));
    let mut damaged = film.clone();
    damaged[1_000_000] ^= 1;
    fs::write(home.join("files/films/a.mkv"), damaged).unwrap();
    let found = verify();
    assert_eq!(found.status.code(), Some(1));
    assert!(text(&found.stderr).contains("a.mkv") || text(&found.stdout).contains("a.mkv"));
    assert!(!check());
}

#[test]
fn grants_and_requests_are_made_listed_and_ended_by_command() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.join("data"));
    let (mut alice, mut bob) = two(&server);
    let token = |browser: &mut Browser| {
        of(&browser.ask(&server, "POST", "/api/v1/tokens", json!({ "label": "cli" })))["token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (of_alice, of_bob) = (token(&mut alice), token(&mut bob));
    assert_eq!(alice.send(&server, "PUT", "/api/v1/files/team/plan", &[], b"a plan").status, 201);
    let run = |token: &str, args: &[&str]| succeed(server.client(token, args));
    assert!(run(&of_alice, &["grant", "add", "/team", "bob"]).contains("bob may look at it"));
    assert!(run(&of_alice, &["grant", "add", "team/", "bob", "--write"]).contains("bob may change it"));
    let listed: Value = serde_json::from_str(&run(&of_bob, &["grant", "ls", "--to-me", "--json"])).unwrap();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["name"]), (1, &json!("team")));
    assert!(run(&of_bob, &["grant", "ls", "--to-me"]).contains("team  from alice, you may change it"));
    run(&of_alice, &["grant", "rm", id(&listed[0])]);
    assert_eq!(run(&of_bob, &["grant", "ls", "--to-me"]), "");
    let nobody = server.client(&of_alice, &["grant", "add", "/team", "carol"]).output().unwrap();
    assert!(nobody.status.code() == Some(3) && text(&nobody.stderr).contains("carol"), "{}", text(&nobody.stderr));

    let address = run(&of_alice, &["share", "add", "/team", "--receive", "--words", "plans, please"]);
    let code = address.trim().rsplit_once("/s/").unwrap().1;
    let about = of(&request(&server.url, "", "GET", &format!("/api/v1/links/{code}"), &[], b""));
    assert_eq!((&about["receives"], &about["words"]), (&json!(true), &json!("plans, please")));
    assert!(run(&of_alice, &["share", "ls"]).contains("0 files received"));
    server.stop();
}
