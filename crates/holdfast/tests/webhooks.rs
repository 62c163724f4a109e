//! Webhooks of a real service, told to a real receiver: signed, tried again, and not lost with the process.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service and take its connections")]

mod common;

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use common::{Scratch, Server, request, succeed, text};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The limit only keeps a broken program from hanging the test.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes requests and answers each with the next status, or the last one.
fn receiver(listener: TcpListener, mut statuses: Vec<u16>) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 4_096];
            let mut request = String::new();
            while !request.ends_with('}') {
                match stream.read(&mut bytes) {
                    Ok(count) if count > 0 => request += &text(&bytes[..count]),
                    _ => break,
                }
            }
            let status = if statuses.len() > 1 { statuses.remove(0) } else { statuses[0] };
            drop(stream.write_all(format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n").as_bytes()));
            if send.send(request).is_err() {
                return;
            }
        }
    });
    receive
}

fn base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = text.bytes().filter(|byte| *byte != b'=').flat_map(|byte| {
        let value = LETTERS.iter().position(|letter| *letter == byte).unwrap();
        (0..6).rev().map(move |bit| value >> bit & 1)
    });
    let bits: Vec<usize> = bits.collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | *bit as u8)).collect()
}

/// Whether a request is signed with this secret; what it tells.
fn verified(request: &str, secret: &str) -> Value {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap();
    let mut key = base64(secret.strip_prefix("whsec_").unwrap());
    assert_eq!(key.len(), 32);
    key.resize(64, 0);
    let pad = |with: u8| key.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let signed = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(signed).finalize();
    let mac = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    assert_eq!(base64(header("webhook-signature").strip_prefix("v1,").unwrap()), mac.as_slice());
    serde_json::from_str(body).unwrap()
}

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
