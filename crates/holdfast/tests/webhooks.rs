//! Webhooks of a real service, told to a real receiver: signed, tried again, and not lost with the process.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service and take its connections")]

mod common;

use std::{fs, net::TcpListener, time::Duration};

use common::{
    Scratch, Server,
    hooked::{receiver, verified},
    request, succeed, text,
};
use serde_json::Value;

/// The limit only keeps a broken program from hanging the test.
const PATIENCE: Duration = Duration::from_secs(60);

fn path_of(event: &Value) -> &str {
    event["data"]["path"].as_str().unwrap()
}

#[test]
fn events_reach_a_receiver_after_its_troubles_and_ours() {
    let scratch = Scratch::new();
    let mut config = String::from("[settings]\ntrial = true\n[webhooks]\ninner_addresses = [\"127.0.0.0/8\"]\n");
    for name in ["a", "b", "c"] {
        fs::create_dir_all(scratch.join(name)).unwrap();
        config += &format!(
            "[[provider]]\nname = \"{name}\"\n[[provider.target]]\npath = \"{}\"\n",
            scratch.join(name).display()
        );
    }
    let file = scratch.join("holdfast.toml");
    fs::write(&file, config).unwrap();
    let (data, more) = (scratch.join("data"), ["--config", file.to_str().unwrap()]);
    let server = Server::start_with(&data, &more);
    let token = server.token();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = format!("http://127.0.0.1:{port}/in");
    let secret =
        succeed(server.client(&token, &["webhook", "add", &address, "--event", "file.stored", "--label", "shop"]));
    let secret = secret.trim();
    let inner = server.client(&token, &["webhook", "add", "https://10.0.0.1/"]).output().unwrap();
    assert!(!inner.status.success() && text(&inner.stderr).contains("inner address"), "{}", text(&inner.stderr));

    // Refused once, taken five seconds later, with the same id.
    let requests = receiver(listener.try_clone().unwrap(), vec![500, 204]);
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/one", &[], b"1").status, 201);
    let (first, second) = (requests.recv_timeout(PATIENCE).unwrap(), requests.recv_timeout(PATIENCE).unwrap());
    let id = |request: &str| request.lines().find_map(|line| line.strip_prefix("webhook-id: ").map(str::to_owned));
    assert_eq!(id(&first), id(&second));
    let event = verified(&second, secret);
    assert_eq!((&event["type"], path_of(&event)), (&"file.stored".into(), "/one"));

    // Stored, acknowledged, and killed at once: it is told after the next start.
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/two", &[], b"2").status, 201);
    server.kill();
    let server = Server::start_with(&data, &more);
    assert_eq!(path_of(&verified(&requests.recv_timeout(PATIENCE).unwrap(), secret)), "/two");

    let list: Value = serde_json::from_str(&succeed(server.client(&token, &["webhook", "ls", "--json"]))).unwrap();
    assert_eq!((&list[0]["label"], &list[0]["on"], list[0].get("secret")), (&"shop".into(), &true.into(), None));
    let hook = list[0]["id"].as_str().unwrap();
    assert!(succeed(server.client(&token, &["webhook", "test", hook])).contains("204"));
    assert_eq!(verified(&requests.recv_timeout(PATIENCE).unwrap(), secret)["type"], "test");
    succeed(server.client(&token, &["webhook", "rm", hook]));
    assert_eq!(succeed(server.client(&token, &["webhook", "ls"])), "");
    server.stop();
}
