//! Whether answers have the shapes that the document says.

use serde_json::{Value, json};

use crate::{
    access::{Browser, PASSWORD, invited, owner},
    openapi::DOCUMENT,
    world::World,
};

/// Why a value is not of a schema.
fn misfit(value: &Value, schema: &Value, schemas: &Value) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
        return misfit(value, &schemas[name], schemas).map(|why| format!("{name}: {why}"));
    }
    for several in ["oneOf", "anyOf"] {
        let Some(all) = schema[several].as_array() else { continue };
        let all: Vec<Option<String>> = all.iter().map(|one| misfit(value, one, schemas)).collect();
        return (!all.iter().any(Option::is_none)).then(|| format!("{value} fits none: {all:?}"));
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return parts.iter().find_map(|part| misfit(value, part, schemas));
    }
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if schema["type"] != is && !schema["type"].as_array().is_some_and(|types| types.contains(&is.into())) {
        return Some(format!("{value} is no {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|known| !known.contains(value)) {
        return Some(format!("{value} is none of {}", schema["enum"]));
    }
    if let Some(items) = value.as_array() {
        return items.iter().find_map(|item| misfit(item, &schema["items"], schemas));
    }
    let members = value.as_object()?;
    let lacks = |name: &&Value| !members.contains_key(name.as_str().unwrap());
    if let Some(name) = schema["required"].as_array().and_then(|names| names.iter().find(lacks)) {
        return Some(format!("{name} is not there"));
    }
    let of = |name: &str| schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
    members
        .iter()
        .find_map(|(name, value)| Some((name, misfit(value, of(name)?, schemas)?)))
        .map(|(name, why)| format!("{name}: {why}"))
}

/// The names that a schema knows, at its top.
fn names<'s>(schema: &'s Value, schemas: &'s Value) -> Vec<&'s str> {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
        return names(&schemas[name], schemas);
    }
    let parts = ["allOf", "oneOf"].iter().filter_map(|several| schema[several].as_array()).flatten();
    let own = schema["properties"].as_object().into_iter().flat_map(|all| all.keys().map(String::as_str));
    own.chain(parts.flat_map(|part| names(part, schemas))).collect()
}

/// Who asks what: method, address as the document has it, query, body.
fn questions() -> Vec<(&'static str, &'static str, &'static str, &'static str, Value)> {
    let path = json!({ "path": "/folder" });
    let quick = json!({ "file_bytes": 9, "days_max": 1, "space_bytes": 99, "bytes_per_day": 99 });
    let request = json!({ "path": "/folder", "receives": true, "words": "send", "expires": "2026-06-01T00:00:00Z" });
    vec![
        ("anybody", "GET", "/api/v1/service", "", Value::Null),
        (
            "operator",
            "PATCH",
            "/api/v1/service",
            "",
            json!({ "quick": quick, "colour": "#010203", "contact": "us", "terms": null }),
        ),
        ("anybody", "POST", "/api/v1/quick", "", json!({ "name": "left", "size": 1 })),
        ("operator", "GET", "/api/v1/quick", "", Value::Null),
        ("operator", "POST", "/api/v1/shares", "", request),
        ("anybody", "GET", "/api/v1/links/{code}", "", Value::Null),
        ("operator", "POST", "/api/v1/shares", "", path),
        ("anybody", "GET", "/api/v1/links/{code}", "", Value::Null),
        ("anybody", "POST", "/api/v1/links/{code}/report", "", json!({ "reason": "other", "words": "look" })),
        ("operator", "GET", "/api/v1/reports", "", Value::Null),
        ("operator", "GET", "/api/v1/shares", "", Value::Null),
        ("operator", "POST", "/api/v1/grants", "", json!({ "path": "/folder/f", "to": "other", "rights": "read" })),
        ("operator", "GET", "/api/v1/grants", "", Value::Null),
        ("other", "GET", "/api/v1/shared", "", Value::Null),
        ("operator", "GET", "/api/v1/session", "", Value::Null),
        ("operator", "GET", "/api/v1/sessions", "", Value::Null),
        ("operator", "POST", "/api/v1/session/second-factor", "", Value::Null),
        ("operator", "POST", "/api/v1/invitations", "", json!({ "role": "operator" })),
        ("operator", "GET", "/api/v1/invitations", "", Value::Null),
        ("operator", "POST", "/api/v1/tokens", "", json!({ "days": 1 })),
        ("operator", "GET", "/api/v1/tokens", "", Value::Null),
        ("operator", "GET", "/api/v1/accounts", "", Value::Null),
        ("operator", "GET", "/api/v1/versions/{path}", "", Value::Null),
        ("operator", "GET", "/api/v1/files/{path}", "", Value::Null),
        ("operator", "GET", "/api/v1/search", "?q=f", Value::Null),
        ("operator", "GET", "/api/v1/trash", "", Value::Null),
        ("operator", "GET", "/api/v1/space", "", Value::Null),
        ("operator", "GET", "/api/v1/takeout", "", Value::Null),
        ("operator", "GET", "/api/v1/kits", "", Value::Null),
        ("operator", "GET", "/api/v1/fleet", "", Value::Null),
        (
            "operator",
            "POST",
            "/api/v1/leases",
            "",
            json!({ "provider": "provider-1", "contract": "A-17", "month": "5" }),
        ),
        ("operator", "GET", "/api/v1/leases", "", Value::Null),
        ("operator", "POST", "/api/v1/notices", "", json!({ "provider": "provider-1", "text": "a letter came" })),
        ("operator", "GET", "/api/v1/notices", "", Value::Null),
        ("operator", "GET", "/api/v1/ledger", "", Value::Null),
        ("operator", "GET", "/api/v1/ledger/checkpoint", "", Value::Null),
        ("operator", "GET", "/api/v1/fleet/what-if", "?provider=provider-1", Value::Null),
        ("operator", "GET", "/api/v1/fleet/trend", "", Value::Null),
        ("operator", "GET", "/api/v1/fleet/constraints", "", Value::Null),
        (
            "operator",
            "POST",
            "/api/v1/fleet/stage",
            "",
            json!({ "changes": [{ "verb": "cordon", "provider": "provider-1" }] }),
        ),
        ("operator", "GET", "/api/v1/fleet/stage", "", Value::Null),
        ("operator", "DELETE", "/api/v1/fleet/stage", "", Value::Null),
        ("operator", "POST", "/api/v1/fleet/scrub", "?wait=true", Value::Null),
        ("operator", "GET", "/api/v1/fleet/jobs", "", Value::Null),
        ("operator", "POST", "/api/v1/fleet/jobs", "", json!({ "kind": "reclaim", "act": "pause" })),
        ("operator", "POST", "/api/v1/fleet/drills", "", json!({ "provider": "provider-1" })),
        ("other", "POST", "/api/v1/session/leave", "", json!({ "password": PASSWORD })),
        ("operator", "DELETE", "/api/v1/trash", "", Value::Null),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn openapi_shapes_are_those_of_the_answers() {
    let world = World::new().await;
    world.put("folder/f", b"shown").await;
    world.put("folder/f", b"shown again").await;
    world.put("gone", b"in the trash").await;
    assert_eq!(world.file("DELETE", "gone", &[], b"").await.status, 204);
    let mut operator = owner(&world).await;
    let mut other = invited(&mut operator, "other").await;
    let document = world.with("GET", DOCUMENT, &[]).await.json();
    let schemas = &document["components"]["schemas"];
    let mut code = String::new();
    for (who, method, at, query, body) in questions() {
        let path = if at.contains("/files/") { "folder/" } else { "folder/f" };
        let target = at.replace("{path}", path).replace("{code}", &code) + query;
        let browser = match who {
            "operator" => &mut operator,
            "other" => &mut other,
            _ => &mut Browser::new(&world),
        };
        let answer = browser.ask(method, &target, body).await;
        let response = &document["paths"][at][method.to_lowercase()]["responses"][answer.status.to_string()];
        assert!(answer.status < 300, "{method} {target}: {}", String::from_utf8_lossy(&answer.body));
        if answer.status == 204 {
            continue;
        }
        let value: Value = serde_json::from_slice(&answer.body).unwrap();
        let schema = &response["content"][answer.header("content-type")]["schema"];
        assert_eq!(misfit(&value, schema, schemas), None, "{method} {at}: {value}");
        let unknown = value.as_object().unwrap().keys().find(|name| !names(schema, schemas).contains(&name.as_str()));
        assert_eq!(unknown, None, "{method} {at}: not described");
        if at == "/api/v1/shares" && method == "POST" {
            code = value["code"].as_str().unwrap().to_owned();
        }
    }
}
