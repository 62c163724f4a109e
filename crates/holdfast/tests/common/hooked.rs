//! A receiver of webhooks, and the check that what it got is signed.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
    thread,
};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::text;

/// Takes requests and answers each with the next status, or the last one.
pub fn receiver(listener: TcpListener, mut statuses: Vec<u16>) -> Receiver<String> {
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
pub fn verified(request: &str, secret: &str) -> Value {
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
