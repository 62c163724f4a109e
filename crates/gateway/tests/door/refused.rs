//! Bad input: each gets a clear answer, and nothing is stored because of it.

use model::account::TokenScope;

use crate::{http::request, world::World};

#[tokio::test(flavor = "multi_thread")]
async fn bad_paths() {
    let world = World::new().await;
    let long = "x".repeat(256);
    let deep = ["d"; 129].join("/");
    for (path, code) in [
        ("..", "bad_path"),
        ("a/../b", "bad_path"),
        ("./a", "bad_path"),
        ("%2e%2e/a", "bad_path"),
        ("%2E", "bad_path"),
        ("a%2Fb", "bad_path"),
        ("a%2fb", "bad_path"),
        ("a%00b", "bad_path"),
        ("a%0Ab", "bad_path"),
        ("a%7F", "bad_path"),
        ("a%C2%85", "bad_path"),
        ("%FF", "bad_path"),
        ("%C0%AF", "bad_path"),
        ("/a", "bad_path"),
        ("a//b", "bad_path"),
        ("a/", "bad_path"),
        ("", "bad_path"),
        (long.as_str(), "bad_path"),
        (deep.as_str(), "bad_path"),
        ("%", "bad_encoding"),
        ("%4", "bad_encoding"),
        ("%zz", "bad_encoding"),
    ] {
        let answer = world.file("PUT", path, &[], b"x").await;
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{path}");
    }
    assert!(world.names("").await.is_empty());
    // A path in a body keeps the same rules, and is not decoded at all.
    world.put("f", b"kept").await;
    let controls = [r"a\u0000b", r"a\nb", r"a\u007f", "..", "a/../b", "a//b", "a/./b", long.as_str()];
    for to in controls {
        for action in ["move", "copy"] {
            let answer = world.act("f", &format!(r#"{{"action":"{action}","to":"{to}"}}"#)).await;
            assert_eq!((answer.status, answer.code().as_str()), (400, "bad_path"), "{action} {to}");
        }
    }
    let answer = world.act("f", r#"{"action":"copy","to":"a%2Fb"}"#).await;
    assert_eq!(answer.status, 201);
    assert_eq!(world.names("").await, ["a%2Fb", "f"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_names_that_are_names() {
    let world = World::new().await;
    let long = "x".repeat(255);
    let names = [
        "%C3%A4",
        "a%CC%88",
        "CON",
        "NUL.txt",
        "a%5Cb",
        "...",
        "%252F",
        "%25",
        "%3F",
        "%23",
        "~",
        "-rf",
        "%20",
        long.as_str(),
    ];
    for name in names {
        world.put(name, name.as_bytes()).await;
    }
    for name in names {
        assert_eq!(world.get(name).await.body, name.as_bytes(), "{name}");
    }
    assert_eq!(world.names("").await.len(), names.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests() {
    let world = World::new().await;
    world.put("f", b"kept").await;
    let json = [("Content-Type", "application/json")];
    for (method, path, headers, body, status, code) in [
        ("PUT", "f", [("Content-Range", "bytes 0-3/9")], "x", 400, "partial_put"),
        ("PUT", "f", [("Content-Encoding", "gzip")], "x", 415, "content_encoding"),
        ("PUT", "f", [("Content-Type", "no type")], "x", 415, "bad_media_type"),
        ("PUT", "f", [("X-Holdfast-Modified", "yesterday")], "x", 400, "bad_time"),
        ("PUT", "f?permanent=true", json, "x", 400, "bad_query"),
        ("GET", "f?x=1", json, "", 400, "bad_query"),
        ("GET", "?limit=0", json, "", 400, "bad_query"),
        ("GET", "?limit=1001", json, "", 400, "bad_query"),
        ("GET", "?limit=ten", json, "", 400, "bad_query"),
        ("GET", "?after=%2F", json, "", 400, "bad_query"),
        ("DELETE", "f?permanant=true", json, "", 400, "bad_query"),
        ("DELETE", "f?permanent=yes", json, "", 400, "bad_query"),
        ("POST", "f", json, "", 400, "bad_json"),
        ("POST", "f", json, "[]", 400, "bad_json"),
        ("POST", "f", json, r#"{"action":"chmod"}"#, 400, "bad_json"),
        ("POST", "f", json, r#"{"action":"mkdir","force":true}"#, 400, "bad_json"),
        ("POST", "f", json, r#"{"action":"mkdir","to":"g"}"#, 400, "bad_json"),
        ("PATCH", "f", json, "x", 405, "method"),
    ] {
        let answer = world.file(method, path, &headers, body.as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {path} {headers:?} {body}");
    }
    let long = format!(r#"{{"action":"move","to":"{}"}}"#, "x".repeat(200 << 10));
    let answer = world.act("f", &long).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_long"));
    assert_eq!(world.get("f").await.body, b"kept");
    let lost = world.call("GET", "/api/v2/files/f", &[], b"").await;
    assert_eq!((lost.status, lost.code().as_str()), (404, "no_route"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_door_opens_without_a_token() {
    let world = World::new().await;
    world.put("f", b"secret").await;
    let other = format!("hf_{}_{}", "0".repeat(32), "0".repeat(64));
    let id = "0".repeat(32);
    let cut = &world.token[..world.token.len() - 1];
    let upper = world.token.to_uppercase();
    let expiring = world.service.make_token("owner", TokenScope::All, Some(3_600)).await.unwrap().text;
    world.clock.jump_s(3_601);
    let doors = [
        ("GET", "/api/v1/files/f".to_owned()),
        ("HEAD", "/api/v1/files/f".to_owned()),
        ("GET", "/api/v1/files/".to_owned()),
        ("GET", "/api/v1/files/%zz".to_owned()),
        ("PUT", "/api/v1/files/f".to_owned()),
        ("POST", "/api/v1/files/f".to_owned()),
        ("DELETE", "/api/v1/files/f".to_owned()),
        ("POST", "/api/v1/uploads/".to_owned()),
        ("HEAD", format!("/api/v1/uploads/{id}")),
        ("PATCH", format!("/api/v1/uploads/{id}")),
        ("GET", "/api/v1/kits".to_owned()),
        ("POST", "/api/v1/kits".to_owned()),
        ("DELETE", format!("/api/v1/kits/{id}")),
        ("POST", format!("/api/v1/kits/{id}/tested")),
        ("GET", "/api/v1/fleet".to_owned()),
        ("GET", "/api/v1/fleet/what-if?provider=provider-1".to_owned()),
        ("GET", "/api/v1/fleet/trend".to_owned()),
        ("POST", "/api/v1/fleet/scrub?wait=true".to_owned()),
        ("POST", "/api/v1/fleet/drills".to_owned()),
        ("GET", "/api/v1/fleet/jobs".to_owned()),
        ("POST", "/api/v1/fleet/jobs".to_owned()),
    ];
    for (method, target) in doors {
        for (authorization, code) in [
            (None, "no_token"),
            (Some(String::new()), "no_token"),
            (Some(world.token.clone()), "no_token"),
            (Some(format!("Basic {}", world.token)), "no_token"),
            (Some("Bearer ".to_owned()), "no_token"),
            (Some("Bearer x".to_owned()), "token_unknown"),
            (Some(format!("Bearer {other}")), "token_unknown"),
            (Some(format!("Bearer {cut}")), "token_unknown"),
            (Some(format!("Bearer {upper}")), "token_unknown"),
            (Some(format!("Bearer {} ", expiring)), "token_expired"),
        ] {
            let headers: Vec<(&str, &str)> =
                authorization.iter().map(|value| ("Authorization", value.as_str())).collect();
            let mut connection = world.connect().await;
            connection.send(request(method, &target, &headers, b"")).await;
            let answer = connection.answer(method == "HEAD").await;
            assert_eq!(answer.status, 401, "{method} {target} {authorization:?}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
            if method != "HEAD" {
                assert_eq!(answer.code(), code, "{method} {target} {authorization:?}");
                assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
            }
        }
    }
    assert_eq!(world.get("f").await.body, b"secret", "the other token lives on");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_authorizations_are_none() {
    let world = World::new().await;
    let bearer = world.bearer();
    let answer = world.call("GET", "/api/v1/files/", &[("Authorization", bearer.as_str())], b"").await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "no_token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_do_not_see_each_other() {
    let world = World::new().await;
    world.put("f", b"mine").await;
    world.store.make_account("other", true).await.unwrap();
    let token = world.service.make_token("other", TokenScope::All, None).await.unwrap().text;
    let bearer = format!("Bearer {token}");
    let theirs = [("Authorization", bearer.as_str())];
    for (method, target, status) in
        [("GET", "/api/v1/files/f", 404), ("DELETE", "/api/v1/files/f", 404), ("PUT", "/api/v1/files/f", 201)]
    {
        let mut connection = world.connect().await;
        connection.send(request(method, target, &theirs, b"")).await;
        assert_eq!(connection.answer(false).await.status, status, "{method}");
    }
    assert_eq!(world.get("f").await.body, b"mine");
    assert!(world.service.make_token("nobody", TokenScope::All, None).await.is_err());
}
