//! A real receiver on a real socket, and a resolver that says what the test wants.
#![allow(clippy::unwrap_used)]

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use model::{
    id::{MessageId, WebhookId},
    outgoing::{EventKind, WebhookRow},
    world::BoxFuture,
};
use service::{Courier, Delivered, Parcel};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

use super::{Resolver, Web};

/// Answers each look-up with the next of these, and with the last one from then on.
struct Says(Mutex<Vec<Vec<IpAddr>>>);

impl Says {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |all: &&[&str]| all.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parse).collect())))
    }
}

impl Resolver for Says {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let mut answers = self.0.lock().unwrap();
        let next = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Box::pin(async move { Ok(next) })
    }
}

/// Takes one connection after the other; gives each request to the test, and answers what it was told.
async fn receiver(answer: &'static str) -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (send, receive) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let send = send.clone();
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                while !bytes.ends_with(b"}") && stream.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {}
                drop(send.send(String::from_utf8(bytes.clone()).unwrap()));
                drop(stream.write_all(answer.as_bytes()).await);
                if answer.is_empty() {
                    // Hangs until the other side has gone.
                    drop(stream.read_buf(&mut bytes).await);
                }
            });
        }
    });
    (port, receive)
}

fn parcel(address: String) -> Parcel {
    Parcel {
        id: MessageId([7; 16]),
        address,
        secret: [9; 32],
        kind: Some(EventKind::FileStored),
        at_us: 1_775_044_800_000_000,
        path: Some("/a".to_owned()),
        size: Some(5),
        entry: None,
        version: None,
        share: None,
        now_us: 1_775_044_801_000_000,
    }
}

fn inside() -> Vec<gateway::client::Range> {
    vec!["127.0.0.0/8".parse().unwrap()]
}

fn refused(delivered: &Delivered, what: &str) {
    assert!(delivered.status.is_none() && delivered.trouble.as_ref().unwrap().contains(what), "{delivered:?}");
}

#[tokio::test]
async fn an_event_is_sent_as_standard_webhooks_say() {
    let (port, mut requests) = receiver("HTTP/1.1 204 No Content\r\n\r\n").await;
    let web = Web::new(inside(), Says::new(&[&["127.0.0.1"]]));
    let delivered = web.deliver(&parcel(format!("http://shop.example:{port}/in?for=ann"))).await;
    assert_eq!(delivered, Delivered { status: Some(204), trouble: None });
    let request = requests.recv().await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /in?for=ann HTTP/1.1\r\n"), "{head}");
    for line in
        [&format!("host: shop.example:{port}"), "content-type: application/json", "webhook-timestamp: 1775044801"]
    {
        assert!(head.contains(line), "{line} in {head}");
    }
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")));
        line.unwrap().to_owned()
    };
    // By another implementation of HMAC: two passes of SHA-256.
    use sha2::{Digest, Sha256};
    let pad = |byte: u8| (0..64).map(|at| byte ^ if at < 32 { 9 } else { 0 }).collect::<Vec<u8>>();
    let text = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    let mac = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    assert_eq!(header("webhook-signature"), gateway::shape::webhook_signature(&mac));
    let told: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&told["type"], &told["data"]["path"]), (&"file.stored".into(), &"/a".into()));
    assert_eq!(told["timestamp"], "2026-04-01T12:00:00Z");
}

#[tokio::test]
async fn nothing_inner_is_reached_unless_it_is_allowed() {
    let (port, mut requests) = receiver("HTTP/1.1 200 OK\r\n\r\n").await;
    let outside = Web::new(Vec::new(), Says::new(&[&["127.0.0.1"]]));
    for host in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "shop.example"] {
        let address = format!("https://{host}:{port}/");
        refused(&outside.deliver(&parcel(address.clone())).await, "inner");
        assert!(outside.admits(&address).await.is_err_and(|why| why.contains("inner")), "{host}");
    }
    // One inner address among others is enough, and a name that turns inner meanwhile as well.
    let mixed = Web::new(Vec::new(), Says::new(&[&["1.1.1.1", "10.0.0.1"]]));
    assert!(mixed.admits("https://shop.example/").await.is_err());
    let turns = Web::new(Vec::new(), Says::new(&[&["1.1.1.1"], &["127.0.0.1"]]));
    assert!(turns.admits("https://shop.example/").await.is_ok());
    refused(&turns.deliver(&parcel(format!("https://shop.example:{port}/"))).await, "inner");
    // Another inner network than the one that is allowed; plain HTTP to the world outside.
    let other = Web::new(vec!["10.1.0.0/16".parse().unwrap()], Says::new(&[&["1.1.1.1"]]));
    refused(&other.deliver(&parcel(format!("http://127.0.0.1:{port}/"))).await, "inner");
    refused(&other.deliver(&parcel("http://shop.example/".to_owned())).await, "https");
    refused(&other.deliver(&parcel("https://me:pw@shop.example/".to_owned())).await, "login");
    assert!(requests.try_recv().is_err(), "nobody was spoken to");
}

#[tokio::test]
async fn redirects_are_not_followed_and_answers_have_an_end() {
    let (inner_port, mut inner) = receiver("HTTP/1.1 200 OK\r\n\r\n").await;
    let redirect: &'static str =
        Box::leak(format!("HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{inner_port}/\r\n\r\n").into_boxed_str());
    let web = Web::new(inside(), Says::new(&[&["127.0.0.1"]]));
    for (answer, status, said) in [
        (redirect, Some(307), "redirects are not followed"),
        ("HTTP/1.1 500 Oh\r\nContent-Length: 6\r\n\r\nsecret", Some(500), "it answers 500"),
        ("HTTP/1.1 410 Gone\r\n\r\n", Some(410), "nothing more"),
        ("what\r\n\r\n", None, "before it answers"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", Some(200), ""),
    ] {
        let (port, _requests) = receiver(answer).await;
        let delivered = web.deliver(&parcel(format!("http://127.0.0.1:{port}/"))).await;
        assert_eq!(delivered.status, status, "{answer}");
        assert!(delivered.trouble.unwrap_or_default().contains(said), "{answer}");
    }
    assert!(inner.try_recv().is_err());
    let closed = { TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port() };
    refused(&web.deliver(&parcel(format!("http://127.0.0.1:{closed}/"))).await, "no connection");
}

#[tokio::test]
async fn who_hangs_is_waited_for_so_long_and_no_longer() {
    let (port, _requests) = receiver("").await;
    let web = Web { whole: Duration::from_millis(200), ..Web::new(inside(), Says::new(&[&["127.0.0.1"]])) };
    refused(&web.deliver(&parcel(format!("http://127.0.0.1:{port}/"))).await, "15 seconds");
}

#[test]
fn a_parcel_and_a_row_show_no_secret() {
    let parcel = parcel("https://shop.example/key".to_owned());
    let row = WebhookRow {
        id: WebhookId([1; 16]),
        address: parcel.address.clone(),
        secret: parcel.secret,
        events: vec![],
        label: String::new(),
        made_us: 0,
        ended_us: None,
        off: None,
    };
    let shown = format!("{parcel:?} {row:?}");
    assert!(!shown.contains("shop.example") && !shown.contains("9, 9"), "{shown}");
}
