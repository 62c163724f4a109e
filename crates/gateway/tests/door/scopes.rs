//! Tokens of a narrower scope: what they open, at every door there is, and what they say where they do not.

use model::account::TokenScope;
use serde_json::{Value, json};

use crate::{
    access::owner,
    openapi::{DOCUMENT, Doors, operations},
    world::World,
};

/// What a token that looks only opens. Whoever adds an address to this list gives every such token more than it was made for.
const READ: [&str; 15] = [
    "/api/v1/files/{path}",
    "/api/v1/zip/{path}",
    "/api/v1/thumbnails/{path}",
    "/api/v1/versions/{path}",
    "/api/v1/search",
    "/api/v1/space",
    "/api/v1/takeout",
    "/api/v1/takeout/{number}",
    "/api/v1/session",
    "/api/v1/shared",
    "/api/v1/shared/{shared}/files/{path}",
    "/api/v1/shared/{shared}/zip/{path}",
    "/api/v1/shared/{shared}/thumbnails/{path}",
    "/api/v1/shared/{shared}/versions/{path}",
    "/api/v1/shared/{shared}/search",
];

/// Where a token that changes files does more than look.
const FILES: [&str; 7] = [
    "/api/v1/files/{path}",
    "/api/v1/shared/{shared}/files/{path}",
    "/api/v1/uploads/",
    "/api/v1/uploads/{id}",
    "/api/v1/shared/{shared}/uploads/",
    "/api/v1/shared/{shared}/uploads/{id}",
    "/api/v1/trash",
];

fn opens(scope: TokenScope, method: &str, path: &str) -> bool {
    let looks = matches!(method, "GET" | "HEAD") && READ.contains(&path);
    looks || (scope == TokenScope::Files && FILES.contains(&path))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_is_in_no_list_refuses_every_narrower_token() {
    let world = World::new().await;
    let doors = Doors::of(&world).await;
    let document = world.with("GET", DOCUMENT, &[]).await.json();
    for scope in [TokenScope::Read, TokenScope::Files] {
        // The owner runs the service; somebody else is shown a folder that they may change.
        let mut bearers = Vec::new();
        for name in ["owner", "other"] {
            let token = world.service.make_token(name, scope, None).await.unwrap();
            bearers.push(format!("Bearer {}", token.text));
        }
        let mut refused = 0;
        for (path, method, operation) in operations(&document) {
            let reads = method == "HEAD" && document["paths"][path].get("get").is_some();
            let asks_nobody = |operation: &Value| operation.get("security") == Some(&json!([{}]));
            let described = if reads { &document["paths"][path]["get"] } else { operation.unwrap_or(&Value::Null) };
            if described.is_null() || asks_nobody(described) {
                continue;
            }
            let bearer = &bearers[usize::from(path.contains("{shared}"))];
            let headers = [("Tus-Resumable", "1.0.0"), ("Authorization", bearer.as_str())];
            let answer = world.with(method, &doors.target(path), &headers).await;
            if opens(scope, method, path) {
                assert!(!matches!(answer.status, 401 | 403), "{scope:?} {method} {path}: {}", answer.status);
                continue;
            }
            refused += 1;
            assert_eq!(answer.status, 403, "{scope:?} {method} {path}");
            // A firm's desk has tokens of its own, and knows no others.
            let code = if path.starts_with("/api/v1/desk/") { "desk_token" } else { "token_scope" };
            if method != "HEAD" {
                assert_eq!(answer.code(), code, "{scope:?} {method} {path}");
            }
        }
        assert!(refused > 100, "only {refused} doors were knocked at");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_says_how_far_it_goes_and_a_refusal_what_to_do() {
    let world = World::new().await;
    world.put("f", b"here").await;
    let mut browser = owner(&world).await;
    let none = browser.ask("POST", "/api/v1/tokens", json!({ "scope": "everything" })).await;
    assert_eq!(none.status, 400, "no such scope: and no token");
    let before = browser.ask("GET", "/api/v1/tokens", Value::Null).await.json()["tokens"].as_array().unwrap().len();
    for (wish, scope) in
        [(json!({}), "all"), (json!({ "scope": "read" }), "read"), (json!({ "scope": "files" }), "files")]
    {
        let made = browser.ask("POST", "/api/v1/tokens", wish).await;
        assert_eq!((made.status, &made.json()["scope"]), (201, &json!(scope)));
        let bearer = format!("Bearer {}", made.json()["token"].as_str().unwrap());
        let headers = [("Authorization", bearer.as_str())];
        let me = world.with("GET", "/api/v1/session", &headers).await.json();
        assert_eq!((&me["scope"], &me["account"]["role"]), (&json!(scope), &json!("operator")));
        let fleet = world.with("GET", "/api/v1/fleet", &headers).await;
        assert_eq!(fleet.status == 200, scope == "all", "an operator's narrower token runs nothing");
        let deleted = world.with("DELETE", "/api/v1/files/f", &headers).await;
        match scope {
            "all" => assert_eq!(deleted.status, 204),
            "files" => assert_eq!(deleted.status, 404, "it got in, and found that it is in the trash"),
            _ => {
                assert_eq!((deleted.status, deleted.code().as_str()), (403, "token_scope"));
                let detail = deleted.json()["detail"].as_str().unwrap().to_owned();
                assert!(detail.contains("look at files and fetch them") && detail.contains("wider scope"), "{detail}");
            }
        }
    }
    let tokens = browser.ask("GET", "/api/v1/tokens", Value::Null).await.json();
    let scopes: Vec<_> = tokens["tokens"].as_array().unwrap()[before..].iter().map(|token| &token["scope"]).collect();
    assert_eq!(scopes, ["all", "read", "files"]);
    let me = browser.ask("GET", "/api/v1/session", Value::Null).await.json();
    assert_eq!(me["scope"], "all", "a person is not narrowed");
}
