//! The first minutes of an operator: start, token, up, down; and the second process that must not start.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service")]

mod common;

use std::{fs, os::unix::fs::PermissionsExt};

use common::{Scratch, Server, holdfast, noise, refused_start, request, succeed, text};

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
