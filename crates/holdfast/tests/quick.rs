//! Files left without an account, after everything but some firms is lost; and plans at the command line.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service")]

mod common;

use std::{fs, path::Path};

use common::{Answer, Scratch, Server, holdfast, noise, request, succeed, text};
use serde_json::{Value, json};

fn of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{}{}", answer.head, text(&answer.body)))
}

/// What somebody with this token asks, or with an empty one a stranger.
fn ask(server: &Server, token: &str, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    request(&server.url, token, method, path, &[], &body)
}

/// Leaves a file; what its sender keeps.
fn leave(server: &Server, name: &str, content: &[u8]) -> Value {
    let wish = json!({ "name": name, "size": content.len() });
    let begun = of(&ask(server, "", "POST", "/api/v1/quick", &wish));
    let (length, door) = (format!("Upload-Length: {}", content.len()), begun["upload"].as_str().unwrap());
    let named = "Upload-Metadata: path YQ==";
    let begin = ["Tus-Resumable: 1.0.0", length.as_str(), named, "Content-Type: application/offset+octet-stream"];
    let sent = request(&server.url, "", "POST", door, &begin, content);
    assert_eq!(sent.status, 201, "{}", text(&sent.body));
    begun
}

#[test]
fn what_was_left_without_an_account_survives_the_catalogue_and_a_firm() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    let quick = json!({ "file_bytes": 1_000_000, "days_max": 7, "space_bytes": 9_000_000, "bytes_per_day": 9_000_000 });
    assert_eq!(ask(&server, &token, "PATCH", "/api/v1/service", &json!({ "quick": quick })).status, 200);
    let content = noise(5, 300_000);
    let (kept, gone) = (leave(&server, "kept.bin", &content), leave(&server, "gone.bin", b"gone"));
    let link = |begun: &Value, what: &str| format!("/api/v1/links/{}{what}", begun["code"].as_str().unwrap());
    let removal = |begun: &Value| format!("/api/v1/quick/{}", begun["code"].as_str().unwrap());
    let secret = |begun: &Value| json!({ "remove": begun["remove"] });
    assert_eq!(ask(&server, "", "DELETE", &removal(&gone), &secret(&gone)).status, 204);

    server.kill();
    fs::remove_dir_all(data.join("catalogue")).unwrap();
    fs::remove_dir_all(data.join("providers/birch")).unwrap();
    let (new, identity) = (scratch.join("rebuilt"), data.join("keys/service-identity.txt"));
    let mut command = holdfast(&["rebuild", "--service-identity", identity.to_str().unwrap(), "--data"]);
    command.arg(&new).arg("--target").args(fs::read_dir(data.join("providers")).unwrap().map(|it| it.unwrap().path()));
    succeed(command);
    let server = Server::start(&new);

    let about = of(&ask(&server, "", "GET", &link(&kept, ""), &Value::Null));
    assert_eq!(
        (&about["name"], &about["owner"], &about["expires"]),
        (&json!("kept.bin"), &Value::Null, &kept["expires"])
    );
    assert!(ask(&server, "", "GET", &link(&kept, "/content"), &Value::Null).body == content);
    assert_eq!(ask(&server, "", "GET", &link(&gone, ""), &Value::Null).status, 410, "what was removed stays so");
    assert_eq!(of(&ask(&server, "", "GET", "/api/v1/service", &Value::Null))["quick"], quick, "others may leave more");
    leave(&server, "new", b"new");
    assert_eq!(ask(&server, "", "DELETE", &removal(&kept), &secret(&gone)).status, 404);
    assert_eq!(ask(&server, "", "DELETE", &removal(&kept), &secret(&kept)).status, 204, "the secret still does");
    assert_eq!(ask(&server, "", "GET", &link(&kept, ""), &Value::Null).status, 410);
    server.stop();
}

/// What a command prints that asks a service, or a data folder.
fn printed(server: Option<(&Server, &str)>, data: &Path, args: &[&str]) -> String {
    let command = match server {
        Some((server, token)) => server.client(token, args),
        None => {
            let mut command = holdfast(args);
            command.arg("--data").arg(data);
            command
        }
    };
    succeed(command)
}

#[test]
fn plans_are_made_given_and_ended_over_both_doors() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    let name = of(&ask(&server, &token, "GET", "/api/v1/session", &Value::Null))["account"]["name"].clone();
    let limit = |server: &Server| {
        let me = of(&ask(server, &token, "GET", "/api/v1/session", &Value::Null));
        me["account"]["limits"]["file_bytes"].clone()
    };
    let mut open = Some(server);
    for round in 0..2 {
        // First over HTTP, then, when nobody serves, on the data folder.
        let of_round = |args: &[&str]| printed(open.as_ref().map(|server| (server, token.as_str())), &data, args);
        let made = of_round(&["plan", "set", "Family", "--space", "1GB", "--file", "5MB", "--keep-days", "30"]);
        assert!(made.contains("Family") && made.contains("kept 30 days"), "{made}");
        of_round(&["account", "plan", name.as_str().unwrap(), "Family"]);
        assert!(of_round(&["plan", "ls"]).contains("1 accounts"), "round {round}");
        if let Some(server) = &open {
            assert_eq!(limit(server), json!(5_000_000));
        }
        of_round(&["account", "plan", name.as_str().unwrap(), "none"]);
        of_round(&["plan", "rm", "Family"]);
        assert_eq!(of_round(&["plan", "ls", "--json"]).trim(), "[]");
        if let Some(server) = open.take() {
            assert_eq!(limit(&server), Value::Null);
            server.stop();
        }
    }
}
