//! An account's quota: no way into it goes beyond, and what is refused leaves nothing behind.

use serde_json::{Value, json};

use crate::{
    access::{invited, owner},
    http::request,
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn no_door_goes_beyond_a_quota() {
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let mut bob = invited(&mut owner, "bob").await;
    let made = bob.ask("POST", "/api/v1/tokens", json!({ "label": "p", "days": 1 })).await.json();
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    let put = async |path: &str, length: Option<usize>, bytes: usize| {
        let body = vec![7; bytes];
        let target = format!("/api/v1/files/{path}");
        let mut connection = world.connect().await;
        let sent = match length {
            Some(_) => request("PUT", &target, &[("Authorization", &bearer)], &body),
            None => {
                let mut sent = format!(
                    "PUT {target} HTTP/1.1\r\nHost: h\r\nAuthorization: {bearer}\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                .into_bytes();
                for piece in body.chunks(10_000) {
                    sent.extend(format!("{:x}\r\n", piece.len()).bytes().chain(piece.iter().copied()).chain(*b"\r\n"));
                }
                sent.extend(*b"0\r\n\r\n");
                sent
            }
        };
        let _ = connection.try_send(sent).await;
        connection.answer(false).await
    };
    assert_eq!(put("a", Some(0), 60_000).await.status, 201);
    let account = "/api/v1/accounts/bob";
    assert_eq!(bob.ask("PATCH", account, json!({ "quota_bytes": null })).await.status, 403);
    assert_eq!(owner.ask("PATCH", account, json!({ "quota_bytes": 100_000 })).await.status, 204);
    let me = bob.ask("GET", "/api/v1/session", Value::Null).await.json();
    assert_eq!((&me["account"]["used_bytes"], &me["account"]["quota_bytes"]), (&json!(60_000), &json!(100_000)));

    let full = |answer: crate::http::Answer| {
        assert_eq!((answer.status, answer.code().as_str()), (507, "quota"));
        assert!(answer.json()["detail"].as_str().unwrap().contains("60.0 kB of the 100.0 kB"), "{}", answer.json());
    };
    full(put("b", Some(0), 40_001).await);
    full(put("b", Some(0), 90_000).await);
    full(put("b", None, 200_000).await);
    full(put("a", Some(0), 40_001).await);
    let copy = json!({ "action": "copy", "to": "copy" });
    let by_token = async |method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]| {
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        let mut connection = world.connect().await;
        let _ = connection.try_send(request(method, target, &all, body)).await;
        connection.answer(false).await
    };
    full(by_token("POST", "/api/v1/files/a", &[], copy.to_string().as_bytes()).await);
    let tus = [("Tus-Resumable", "1.0.0"), ("Upload-Length", "40001"), ("Upload-Metadata", "filename Yg==")];
    full(by_token("POST", "/api/v1/uploads/", &tus, b"").await);

    // What is open must fit together. Something else may take the room meanwhile: then the last byte is refused, and the
    // upload is finished once there is room.
    let fits = [("Tus-Resumable", "1.0.0"), ("Upload-Length", "30000"), ("Upload-Metadata", "filename Yg==")];
    let other = [("Tus-Resumable", "1.0.0"), ("Upload-Length", "30000"), ("Upload-Metadata", "filename Yw==")];
    let begun = by_token("POST", "/api/v1/uploads/", &other, b"").await;
    assert_eq!(begun.status, 201);
    let location = begun.header("location");
    let upload = location[location.find("/api").unwrap()..].to_owned();
    full(by_token("POST", "/api/v1/uploads/", &fits, b"").await);
    assert_eq!(put("b", Some(0), 30_000).await.status, 201);
    let patch =
        [("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream")];
    let late = by_token("PATCH", &upload, &patch, &[2; 30_000]).await;
    assert_eq!((late.status, late.code().as_str()), (507, "quota"));
    assert_eq!(by_token("GET", "/api/v1/files/c", &[], b"").await.status, 404);
    let me = bob.ask("GET", "/api/v1/session", Value::Null).await.json();
    assert_eq!(me["account"]["used_bytes"], 90_000);

    assert_eq!(owner.ask("PATCH", account, json!({ "quota_bytes": null })).await.status, 204);
    let finished = by_token("HEAD", &upload, &[("Tus-Resumable", "1.0.0")], b"").await;
    assert!(matches!(finished.status, 200 | 204), "{}", finished.status);
    assert_eq!(by_token("GET", "/api/v1/files/c", &[], b"").await.body, vec![2; 30_000]);
    let people = owner.ask("GET", "/api/v1/accounts", Value::Null).await.json();
    let line = &people["accounts"][0];
    assert_eq!(
        (&line["name"], &line["used_bytes"], &line["quota_bytes"]),
        (&json!("bob"), &json!(120_000), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_unknown_length_share_what_is_left() {
    const QUOTA: u64 = 1_000_000;
    let world = World::new().await;
    let mut owner = owner(&world).await;
    let bob = invited(&mut owner, "bob").await;
    let quota = json!({ "quota_bytes": QUOTA });
    assert_eq!(owner.ask("PATCH", "/api/v1/accounts/bob", quota).await.status, 204);
    let own = [("Cookie", bob.cookie.as_str()), ("Sec-Fetch-Site", "same-origin")];
    let deferred = [("Tus-Resumable", "1.0.0"), ("Upload-Defer-Length", "1"), ("Upload-Metadata", "path Yg==")];
    let patch = [deferred[0], ("Content-Type", "application/offset+octet-stream"), ("Upload-Offset", "0")];
    let body = vec![7; 700_000];
    let mut under_way = Vec::new();
    for _ in 0..2 {
        let upload = bob.send("POST", "/api/v1/uploads/", &deferred, b"").await.header("location").to_owned();
        let whole = request("PATCH", &upload, &[&own[..], &patch, &[("Expect", "100-continue")]].concat(), &body);
        let mut connection = world.connect().await;
        connection.send(&whole[..whole.len() - body.len()]).await;
        assert_eq!(connection.answer(true).await.status, 100, "it is taken as far as it goes");
        under_way.push((upload, connection));
    }
    // Both have begun while all of the space was left.
    let (mut held, mut refused) = (0, 0);
    for (_, connection) in &mut under_way {
        connection.try_send(&body).await;
    }
    for (upload, connection) in &mut under_way {
        let answer = connection.answer(false).await;
        if answer.status != 204 {
            assert_eq!((answer.status, answer.code().as_str()), (507, "quota"));
            refused += 1;
        }
        held += bob.send("HEAD", upload, &patch[..1], b"").await.header("upload-offset").parse::<u64>().unwrap();
    }
    assert!(refused > 0 && (1..=QUOTA).contains(&held), "{refused} {held}");
    // What they hold is held by no other file.
    let rest = vec![1; usize::try_from(QUOTA - held).unwrap() + 1];
    let full = bob.send("PUT", "/api/v1/files/f", &[], &rest).await;
    assert_eq!((full.status, full.code().as_str()), (507, "quota"));
    for (upload, _) in &under_way {
        assert_eq!(bob.send("DELETE", upload, &patch[..1], b"").await.status, 204);
    }
    assert_eq!(bob.send("PUT", "/api/v1/files/f", &[], &rest).await.status, 201);
}
