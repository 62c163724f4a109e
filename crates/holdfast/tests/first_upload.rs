//! The first minutes of an operator: start, token, up, down; and the second process that must not start.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service")]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::Stdio,
};

use common::{Answer, Scratch, Server, holdfast, noise, refused_start, request, succeed, text};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

#[test]
fn up_and_down_with_plain_http() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.join("data"));
    let token = server.token();
    let content = noise(1, 3 << 20);
    let path = "/api/v1/files/papers/first%20upload.bin";
    assert_eq!(request(&server.url, &token, "PUT", path, &[], &content).status, 201);
    assert_eq!(request(&server.url, &token, "PUT", path, &[], &content).status, 204, "a new version");
    let got = request(&server.url, &token, "GET", path, &[], b"");
    assert_eq!((got.status, got.body == content), (200, true));
    assert_eq!(request(&server.url, "", "GET", path, &[], b"").status, 401);
    let wrong = format!("hf_{}_{}", "0".repeat(32), "0".repeat(64));
    assert_eq!(request(&server.url, &wrong, "GET", path, &[], b"").status, 401);
    assert_eq!(request(&server.url, "", "GET", "/healthz", &[], b"").status, 200);
    server.stop();
}

#[test]
fn what_was_stored_is_there_after_a_restart() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    let content = noise(2, 300_000);
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/a", &[], &content).status, 201);
    server.kill();
    let server = Server::start(&data);
    let got = request(&server.url, &token, "GET", "/api/v1/files/a", &[], b"");
    assert_eq!((got.status, got.body == content), (200, true), "{}", got.head);
    server.stop();
}

#[test]
fn the_folder_belongs_to_its_owner_and_to_one_process() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let mode = |name: &str| fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
    for (name, expected) in
        [("keys", 0o700), ("keys/service-identity.txt", 0o600), ("catalogue", 0o700), ("control.sock", 0o600)]
    {
        assert_eq!(mode(name), expected, "{name}");
    }
    for name in ["amber", "birch", "cedar", "delta", "ember", "fjord"] {
        assert!(data.join("providers").join(name).is_dir(), "{name}");
    }
    let second = refused_start(&data, &[]);
    assert_eq!(second.status.code(), Some(4));
    assert!(text(&second.stderr).contains("in use by another process"), "{}", text(&second.stderr));
    let mut rebuild = holdfast(&["rebuild", "--service-identity", "x", "--target", "y", "--data"]);
    let rebuild = rebuild.arg(&data).output().unwrap();
    assert_eq!(rebuild.status.code(), Some(4), "{}", text(&rebuild.stderr));
    server.stop();
    Server::start(&data).stop();
}

#[test]
fn tokens_are_made_with_and_without_a_running_service() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let running = server.token();
    server.stop();
    let mut command = holdfast(&["token", "create", "--account", "owner", "--data"]);
    command.arg(&data);
    let stopped = succeed(command).trim().to_owned();
    assert_ne!(running, stopped);
    let server = Server::start(&data);
    for token in [&running, &stopped] {
        assert_eq!(request(&server.url, token, "GET", "/api/v1/files/", &[], b"").status, 200);
    }
    let mut command = holdfast(&["token", "create", "--account", "nobody", "--data"]);
    let output = command.arg(&data).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(3), ""), "{}", text(&output.stderr));
    server.stop();
}

#[test]
fn a_taken_port_and_a_missing_folder_are_said_plainly() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.join("data"));
    let address = server.url.strip_prefix("http://").unwrap();
    let mut command = holdfast(&["serve", "--listen", address, "--data"]);
    let output = command.arg(scratch.join("other")).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("--listen"), "{}", text(&output.stderr));
    assert!(!scratch.join("other").exists(), "nothing was made");
    let mut command = holdfast(&["token", "create", "--account", "owner", "--data"]);
    let output = command.arg(scratch.join("nowhere")).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    server.stop();
}

#[test]
fn plain_http_for_other_machines_is_asked_for() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let mut command = holdfast(&["serve", "--listen", "0.0.0.0:0", "--data"]);
    let output = command.arg(&data).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    for word in ["--insecure-http", "[tls]", "--proxy"] {
        assert!(text(&output.stderr).contains(word), "{word}: {}", text(&output.stderr));
    }
    assert_eq!(text(&output.stdout), "", "it never listened");
    let mut command = holdfast(&["serve", "--listen", "0.0.0.0:0", "--insecure-http", "--data"]);
    let mut serve = command.arg(&data).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(serve.stdout.take().unwrap()).lines();
    let warned = lines.map_while(Result::ok).find(|line| line.starts_with("warning: this is plain http"));
    serve.kill().unwrap();
    serve.wait().unwrap();
    assert!(warned.is_some(), "it is said");
}

/// What a browser asks, and the cookie that it has from then on.
fn ask(server: &Server, cookie: &mut String, method: &str, path: &str, body: Value) -> Answer {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let answer = request(&server.url, "", method, path, &[&format!("Cookie: {cookie}")], &body);
    if let Some(set) = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")) {
        set.split(';').next().unwrap().clone_into(cookie);
    }
    answer
}

fn of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{}{}", answer.head, text(&answer.body)))
}

#[test]
fn what_opens_an_account_survives_the_catalogue_and_a_firm() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let password = "correct horse";
    let (mut owner, mut other, mut nobody) = (String::new(), String::new(), String::new());
    let code = server.page.split_once("/join#").expect("nobody owns it yet").1;
    let sign_up = |code: &str, name: &str| json!({ "invitation": code, "name": name, "password": password });
    assert_eq!(ask(&server, &mut owner, "POST", "/api/v1/accounts", sign_up(code, "alice")).status, 201);
    let invitation = of(&ask(&server, &mut owner, "POST", "/api/v1/invitations", json!({})));
    let code = invitation["code"].as_str().unwrap();
    assert_eq!(ask(&server, &mut other, "POST", "/api/v1/accounts", sign_up(code, "bob")).status, 201);
    let content = noise(3, 200_000);
    let token = of(&ask(&server, &mut owner, "POST", "/api/v1/tokens", json!({ "label": "backup" })));
    let token = token["token"].as_str().unwrap().to_owned();
    let withdrawn = of(&ask(&server, &mut owner, "POST", "/api/v1/tokens", json!({})));
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/f", &[], &content).status, 201);
    let wish = json!({ "path": "/f", "password": "1234", "downloads_max": 3 });
    let shared = of(&ask(&server, &mut owner, "POST", "/api/v1/shares", wish));
    let ended = of(&ask(&server, &mut owner, "POST", "/api/v1/shares", json!({ "path": "/f" })));
    let end = |kind: &str, row: &Value| format!("/api/v1/{kind}/{}", row["id"].as_str().unwrap());
    assert_eq!(ask(&server, &mut owner, "DELETE", &end("shares", &ended), Value::Null).status, 204);
    assert_eq!(ask(&server, &mut owner, "DELETE", &end("tokens", &withdrawn), Value::Null).status, 204);
    assert_eq!(ask(&server, &mut owner, "PATCH", "/api/v1/accounts/bob", json!({ "suspended": true })).status, 204);
    let link = |row: &Value, what: &str| format!("/api/v1/links/{}{what}", row["code"].as_str().unwrap());
    let mut guest = String::new();
    let enter = json!({ "password": "1234" });
    assert_eq!(ask(&server, &mut guest, "POST", &link(&shared, "/session"), enter.clone()).status, 204);
    assert!(ask(&server, &mut guest, "GET", &link(&shared, "/content"), Value::Null).body == content);
    // The count follows the bytes; it is waited for, because the catalogue is lost next.
    let counted = |cookie: &mut String| {
        of(&ask(&server, cookie, "GET", "/api/v1/shares", Value::Null))["shares"][0]["downloads"] == 1
    };
    let waited = |_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        counted(&mut owner)
    };
    assert!((0..3_000).any(waited), "the download is counted");

    assert_eq!(
        ask(&server, &mut owner, "PATCH", "/api/v1/accounts/alice", json!({ "quota_bytes": 300_000 })).status,
        204
    );
    let door = "/api/v1/session/second-factor";
    let secret = of(&ask(&server, &mut owner, "POST", door, json!({})))["secret"].as_str().unwrap().to_owned();
    let totp = Builder::new().with_secret(Secret::try_from_base32(&secret).unwrap()).build().unwrap();
    let now_s = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let digits = totp.generate(now_s).to_string();
    let on = json!({ "password": password, "secret": secret, "second": digits });
    let codes = of(&ask(&server, &mut owner, "PUT", door, on))["codes"].clone();

    server.kill();
    fs::remove_dir_all(data.join("catalogue")).unwrap();
    fs::remove_dir_all(data.join("providers/cedar")).unwrap();
    let (new, identity) = (scratch.join("rebuilt"), data.join("keys/service-identity.txt"));
    let mut command = holdfast(&["rebuild", "--service-identity", identity.to_str().unwrap(), "--data"]);
    command.arg(&new).arg("--target").args(fs::read_dir(data.join("providers")).unwrap().map(|it| it.unwrap().path()));
    succeed(command);
    let server = Server::start(&new);
    assert!(!server.page.contains("join"), "it still has its owner: {}", server.page);

    assert_eq!(ask(&server, &mut owner, "GET", "/api/v1/session", Value::Null).status, 401, "only sessions end");
    let sign_in = |name: &str| json!({ "name": name, "password": password });
    let alone = ask(&server, &mut owner, "POST", "/api/v1/session", sign_in("alice"));
    assert_eq!((alone.status, &of(&alone)["code"]), (401, &json!("second_factor_needed")));
    let mut with_code = sign_in("alice");
    with_code["second"] = codes[0].clone();
    let me = of(&ask(&server, &mut owner, "POST", "/api/v1/session", with_code));
    assert_eq!(
        (&me["account"]["quota_bytes"], &me["account"]["second_factor"]["codes_left"]),
        (&json!(300_000), &json!(9))
    );
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/g", &[], &content).status, 507, "its old quota");
    assert_eq!((&me["account"]["role"], &me["account"]["used_bytes"]), (&json!("operator"), &json!(200_000)));
    assert_eq!(ask(&server, &mut nobody, "POST", "/api/v1/session", sign_in("bob")).status, 403, "still suspended");
    let again = ask(&server, &mut nobody, "POST", "/api/v1/accounts", sign_up(code, "carol"));
    assert_eq!(again.status, 404, "an invitation opens once");
    assert!(request(&server.url, &token, "GET", "/api/v1/files/f", &[], b"").body == content);
    let withdrawn = withdrawn["token"].as_str().unwrap();
    assert_eq!(request(&server.url, withdrawn, "GET", "/api/v1/files/f", &[], b"").status, 401);

    assert_eq!(ask(&server, &mut nobody, "GET", &link(&shared, "/content"), Value::Null).status, 401);
    assert_eq!(ask(&server, &mut guest, "GET", &link(&shared, ""), Value::Null).status, 200, "its old password");
    assert_eq!(of(&ask(&server, &mut guest, "GET", &link(&shared, ""), Value::Null))["downloads_left"], 2);
    assert!(ask(&server, &mut guest, "GET", &link(&shared, "/content"), Value::Null).body == content);
    assert_eq!(ask(&server, &mut nobody, "GET", &link(&ended, "/content"), Value::Null).status, 410);
    server.stop();
}

#[test]
fn a_link_is_made_listed_and_ended_by_command() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.join("data"));
    let token = server.token();
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/a%20b", &[], b"bytes").status, 201);
    let address = succeed(server.client(&token, &["share", "add", "a b", "--expires", "10d", "--downloads", "5"]));
    let code = address.trim().rsplit_once("/s/").expect("an address and nothing else").1.to_owned();
    assert_eq!(address, format!("{}/s/{code}\n", server.url));
    let get = || request(&server.url, "", "GET", &format!("/api/v1/links/{code}/content"), &[], b"");
    assert_eq!((get().status, get().body), (200, b"bytes".to_vec()));
    let listed: Value = serde_json::from_str(&succeed(server.client(&token, &["share", "ls", "--json"]))).unwrap();
    assert_eq!((&listed[0]["path"], &listed[0]["downloads_max"]), (&json!("/a b"), &json!(5)));
    assert!(succeed(server.client(&token, &["share", "ls"])).contains(&code));
    succeed(server.client(&token, &["share", "rm", address.trim()]));
    assert_eq!(get().status, 410);
    let nothing = server.client(&token, &["share", "add", "nothing"]).output().unwrap();
    assert_eq!(nothing.status.code(), Some(3), "{}", text(&nothing.stderr));

    // An operator helps people in, with the service running or not.
    let mut invite = holdfast(&["account", "invite", "--page", "https://files.example/", "--data"]);
    invite.arg(&server.data);
    assert!(succeed(invite).starts_with("https://files.example/join#hf_"));
    let reset = succeed(server.client(&token, &["account", "reset", "owner"]));
    let code = reset.trim().strip_prefix(&format!("{}/reset#", server.url)).unwrap();
    let mut cookie = String::new();
    let new = json!({ "code": code, "new": "correct horse" });
    assert_eq!(ask(&server, &mut cookie, "POST", "/api/v1/password/reset", new).status, 200);
    let people = succeed(server.client(&token, &["account", "ls"]));
    assert_eq!(people, "owner  operator  5 B\n");
    server.stop();
}
