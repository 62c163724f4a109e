//! The document of the interface against the interface.
//!
//! `WRITE_TESTDATA=1` writes `docs/openapi.json` anew.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    access::{Browser, invited, owner},
    http::Answer,
    world::World,
};

pub const DOCUMENT: &str = "/api/v1/openapi.json";
const METHODS: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"];

#[tokio::test(flavor = "multi_thread")]
async fn openapi_is_served_as_it_lies_in_the_repository() {
    let world = World::new().await;
    let answer = world.with("GET", DOCUMENT, &[]).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let tag = answer.header("etag").to_owned();
    for (known, status) in [(tag.as_str(), 304), (&format!("\"other\", W/{tag}"), 304), ("*", 304), ("\"other\"", 200)]
    {
        let again = world.with("GET", DOCUMENT, &[("If-None-Match", known)]).await;
        assert_eq!((again.status, again.header("etag"), again.body.is_empty()), (status, tag.as_str(), status == 304));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if std::env::var_os("WRITE_TESTDATA").is_some() {
        fs::write(&path, &answer.body).unwrap();
    }
    let kept = fs::read(&path).unwrap_or_default();
    assert!(kept == answer.body, "docs/openapi.json is another one: WRITE_TESTDATA=1 with this test writes it anew");
}

/// The addresses, methods and operations of the document.
pub fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, Option<&Value>)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        METHODS.iter().map(move |method| (path.as_str(), *method, item.get(method.to_lowercase())))
    })
}

/// Real things behind the variable parts of addresses, so that each door is reached.
pub struct Doors {
    link: String,
    request: String,
    /// Of a file that is being left without an account.
    quick: String,
    shared: String,
    /// Of the account that something is shared with.
    token: String,
}

impl Doors {
    pub async fn of(world: &World) -> Self {
        world.put("folder/f", b"shown").await;
        let mut operator = owner(world).await;
        let mut other = invited(&mut operator, "other").await;
        let mut code = Vec::new();
        for receives in [false, true] {
            let wish = json!({ "path": "/folder", "receives": receives });
            code.push(operator.ask("POST", "/api/v1/shares", wish).await.json()["code"].as_str().unwrap().to_owned());
        }
        let wish = json!({ "path": "/folder", "to": "other", "rights": "write" });
        let shared = operator.ask("POST", "/api/v1/grants", wish).await.json()["id"].as_str().unwrap().to_owned();
        let token = other.ask("POST", "/api/v1/tokens", json!({})).await.json()["token"].as_str().unwrap().to_owned();
        let quick = json!({ "file_bytes": 9, "days_max": 1, "space_bytes": 99, "bytes_per_day": 99 });
        assert_eq!(operator.ask("PATCH", "/api/v1/service", json!({ "quick": quick })).await.status, 200);
        let begun = Browser::new(world).ask("POST", "/api/v1/quick", json!({ "name": "f", "size": 1 })).await;
        let quick = begun.json()["code"].as_str().unwrap().to_owned();
        Self { link: code.remove(0), request: code.remove(0), quick, shared, token }
    }

    /// An address of the document with real things in it.
    pub fn target(&self, path: &str) -> String {
        let code = match path {
            _ if path.starts_with("/api/v1/quick/") => &self.quick,
            _ if path.contains("/uploads/") => &self.request,
            _ => &self.link,
        };
        path.replace("{code}", code)
            .replace("{shared}", &self.shared)
            .replace("{id}", &"0".repeat(32))
            .replace("{lease}", &"0".repeat(32))
            .replace("{path}", "nothing")
            .replace("{name}", "nobody")
    }

    async fn knock(&self, world: &World, method: &str, path: &str, known: bool) -> Answer {
        let bearer = if path.contains("{shared}") {
            format!("Bearer {}", self.token)
        } else {
            format!("Bearer {}", world.token)
        };
        let mut headers = vec![("Tus-Resumable", "1.0.0")];
        if known {
            headers.push(("Authorization", bearer.as_str()));
        }
        world.with(method, &self.target(path), &headers).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openapi_names_the_methods_that_answer_and_no_others() {
    let world = World::new().await;
    let doors = Doors::of(&world).await;
    let document = world.with("GET", DOCUMENT, &[]).await.json();
    for (path, method, operation) in operations(&document) {
        let reads = method == "HEAD" && document["paths"][path].get("get").is_some();
        if operation.is_none() && reads {
            continue;
        }
        let answer = doors.knock(&world, method, path, true).await;
        assert_eq!(answer.status == 405, operation.is_none(), "{method} {path}: {}", answer.status);
        assert_ne!(answer.status, 401, "{method} {path}");
        assert!(answer.status < 500, "{method} {path}: {}", answer.status);
        if let Some(operation) = operation.filter(|_| answer.status < 400) {
            let described = operation["responses"].get(answer.status.to_string());
            assert!(described.is_some(), "{method} {path} answers {}", answer.status);
        } else if method != "HEAD" && answer.status != 405 {
            let code = answer.code();
            assert_ne!(code, "no_route", "{method} {path}");
            let codes = document["components"]["schemas"]["ErrorCode"]["enum"].as_array().unwrap();
            assert!(codes.contains(&code.clone().into()), "{code}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openapi_says_which_operations_ask_who_calls() {
    let world = World::new().await;
    let doors = Doors::of(&world).await;
    let document = world.with("GET", DOCUMENT, &[]).await.json();
    for (path, method, operation) in operations(&document) {
        let Some(operation) = operation else { continue };
        let answer = doors.knock(&world, method, path, false).await;
        let open = operation.get("security") == Some(&json!([{}]));
        assert_eq!(answer.status != 401, open, "{method} {path}: {}", answer.status);
    }
}
