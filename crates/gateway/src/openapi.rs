//! `/api/v1/openapi.json`: the whole interface as an OpenAPI document, for programs and for whoever writes one.
//!
//! What a method takes and answers stands above its function (`#[utoipa::path]`), the shapes are the structs that are read
//! and sent. Here the parts are put together, and what holds for all of them is added once ([`finished`]): a name for each
//! operation, the parameters of its address, the problem that any of them may answer with. A copy is kept in
//! `docs/openapi.json`; tests see to it that document, routes and answers say the same.

mod codes;

use std::{collections::BTreeSet, sync::LazyLock};

use axum::{body::Body, extract::Request, response::Response};
use hyper::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH},
};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use utoipa::OpenApi;

use crate::{
    api::{
        self, about, archive, constraints, described, desk, drills, files, fleet, grants, jobs, kits, leases, ledger,
        links, listing, mail, notices, oidc, orders, passkeys, people, plans, quick, reports, search, second, session,
        shares, space, stage, takeout, thumbnails, trash, uploads, versions, webhooks,
    },
    error::{Document, Problem},
    header::percent,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Holdfast",
        version = "1",
        description = "Times are RFC 3339 in UTC, ids are 32 hex digits, sizes are bytes. What a shape of an answer names \
            is always there; what is not known or does not apply is `null`. Where `GET` answers, `HEAD` does too, unless it \
            is answered with 405.",
    ),
    security(("token" = []), ("session" = [])),
    components(schemas(described::Raw, listing::Page, Document)),
    paths(
        api::health, api::metrics::door,
        about::about, about::change, about::picture, about::set_picture, about::drop_picture,
        archive::own, archive::linked,
        constraints::list, constraints::set,
        desk::sign, desk::file, desk::document,
        document,
        drills::run,
        files::get, files::put, files::act, files::delete,
        fleet::report, fleet::providers, fleet::prices, fleet::targets, fleet::logins, fleet::what_if, fleet::trend,
        fleet::scrub,
        grants::give, grants::list, grants::change, grants::end, grants::shared, grants::leave,
        jobs::list, jobs::order,
        kits::list, kits::add, kits::one, kits::tested,
        leases::list, leases::add, leases::one, leases::desk, leases::close,
        ledger::list, ledger::export, ledger::checkpoint,
        links::about, links::report, links::session, links::content, links::files,
        mail::set, mail::drop_it, mail::confirm, mail::forgot, mail::test,
        notices::list, notices::enter, notices::one, notices::document, notices::fetch,
        oidc::send, oidc::untie, oidc::back_door,
        orders::give, orders::probe,
        passkeys::list, passkeys::make, passkeys::begin, passkeys::rename, passkeys::end, passkeys::ask, passkeys::enter,
        people::sign_up, people::all, people::account, people::reset,
        people::invite, people::invited, people::invitation,
        people::make_token, people::own_tokens, people::token,
        plans::collection, plans::set, plans::end,
        quick::list, quick::begin, quick::switch, quick::remove,
        reports::collection, reports::one,
        search::door,
        second::propose, second::turn_on, second::turn_off, second::codes, second::of_another,
        session::sign_in, session::who, session::sign_out, session::go, session::stay, session::list, session::one,
        session::password, session::reset,
        shares::make, shares::list, shares::change, shares::finish,
        space::kept,
        stage::list, stage::add, stage::revert, stage::apply,
        takeout::plan, takeout::part,
        thumbnails::own, thumbnails::linked,
        trash::list, trash::empty,
        uploads::spoken, uploads::spoken_of_one, uploads::begin, uploads::stand, uploads::append, uploads::end,
        versions::list,
        webhooks::list, webhooks::add, webhooks::change, webhooks::end, webhooks::test,
    ),
)]
struct Described;

/// The doors that are also behind another's: [`crate::doors`] and [`crate::uploads`].
const DOORS: [&str; 5] = ["/zip/{path}", "/thumbnails/{path}", "/versions/{path}", "/search", "/files/{path}"];
const UPLOADS: [&str; 2] = ["/uploads/", "/uploads/{id}"];

/// The ways to them, which doors they lead to, and whether they ask nobody who calls.
const WAYS: [(&str, &[&str], bool); 4] = [
    ("/shared/{shared}", &DOORS, false),
    ("/shared/{shared}", &UPLOADS, false),
    ("/links/{code}", &UPLOADS, true),
    ("/quick/{code}", &UPLOADS, true),
];

/// What the variable parts of addresses are.
const VARIABLES: [(&str, &str); 7] = [
    ("code", "What the address of a link ends with"),
    ("id", "32 hex digits"),
    ("lease", "The id of a lease"),
    ("name", "Percent-encoded"),
    ("number", "What a zip is called by: `files-NUMBER.zip`"),
    ("path", "Names, percent-encoded, with slashes between; with a slash at its end a folder's, empty for the top"),
    ("shared", "The id of what is shared"),
];

/// The document as it is sent, and its entity tag.
static SENT: LazyLock<(String, String)> = LazyLock::new(|| {
    let value = serde_json::to_value(Described::openapi()).map(finished).unwrap_or_default();
    let text = format!("{value:#}\n");
    let tag = Sha256::digest(&text).iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
    (text, format!("\"{tag}\""))
});

/// Gives this document.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", security(()),
    params(("If-None-Match" = Option<String>, Header, description = "304 if one of these is the document's tag")),
    responses(
        (status = 200, body = serde_json::Value, headers(("ETag" = String))),
        (status = 304, description = "It is known already"),
    ),
)]
pub async fn document(request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    links::must_read(&parts)?;
    percent::query(parts.uri.query(), [])?;
    let (text, tag) = &*SENT;
    let known = api::list(&parts.headers, &IF_NONE_MATCH)?.is_some_and(|list| {
        list.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
    });
    let mut response = api::empty(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    let headers = response.headers_mut();
    headers.insert(ETAG, api::value(tag)?);
    // It says nothing of anybody; an update of the service may change it.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
    if !known {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.body_mut() = Body::from(text.as_str());
    }
    Ok(response)
}

/// Adds what holds for all operations.
fn finished(mut document: Value) -> Value {
    document["components"]["securitySchemes"] = json!({
        "token": { "type": "http", "scheme": "bearer" },
        "session": { "type": "apiKey", "in": "cookie", "name": "__Host-holdfast" },
    });
    let schemas = &mut document["components"]["schemas"];
    schemas["ErrorCode"] = json!({
        "type": "string", "enum": codes::ALL,
        "description": "What went wrong, for programs: never reworded. There may be others one day.",
    });
    schemas["Problem"]["properties"]["code"] =
        json!({ "anyOf": [{ "$ref": "#/components/schemas/ErrorCode" }, { "type": "string" }] });
    if let Some(paths) = document["paths"].as_object_mut() {
        behind(paths);
        for (path, operations) in paths {
            for (method, operation) in operations.as_object_mut().into_iter().flatten() {
                complete(path, method, operation);
            }
        }
    }
    let mut answered = BTreeSet::new();
    for operation in document["paths"].as_object().into_iter().flat_map(Map::values) {
        for operation in operation.as_object().into_iter().flat_map(Map::values) {
            mentioned(&operation["responses"], &document["components"]["schemas"], &mut answered);
        }
    }
    for name in answered {
        say_always(&mut document["components"]["schemas"][name]);
    }
    document
}

/// Describes doors once more where they are behind a grant or a link.
fn behind(paths: &mut Map<String, Value>) {
    for (way, doors, open) in WAYS {
        for door in doors {
            let Some(mut item) = paths.get(&format!("/api/v1{door}")).cloned() else { continue };
            for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut).filter(|_| open) {
                operation["security"] = json!([{}]);
            }
            paths.insert(format!("/api/v1{way}{door}"), item);
        }
    }
}

fn complete(path: &str, method: &str, operation: &mut Value) {
    let within = path.trim_start_matches("/api/v1");
    let parts: Vec<&str> = within.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    operation["operationId"] = format!("{method}_{}", parts.join("_")).into();
    operation["tags"] = json!([parts.first()]);
    let mut parameters: Vec<Value> = VARIABLES
        .into_iter()
        .filter(|(name, _)| path.contains(&format!("{{{name}}}")))
        .map(|(name, description)| {
            json!({
                "name": name, "in": "path", "required": true,
                "description": description, "schema": { "type": "string" },
            })
        })
        .collect();
    parameters.extend(operation["parameters"].as_array().into_iter().flatten().cloned().map(said));
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        if response.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
            let reason = status.parse().ok().and_then(|status: StatusCode| status.canonical_reason());
            response["description"] = reason.into();
        }
    }
    operation["responses"]["default"] = json!({
        "description": "It was refused, or could not be done",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
}

/// A parameter as it is when it is there: one that may be left out is never `null`.
fn said(mut parameter: Value) -> Value {
    let Some(schema) = parameter.get_mut("schema") else { return parameter };
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|known| known != "null");
        schema["type"] = types.pop().unwrap_or_default();
    }
    let one =
        schema.get("oneOf").and_then(Value::as_array).and_then(|all| all.iter().find(|one| one["type"] != "null"));
    if let Some(one) = one.cloned() {
        *schema = one;
    }
    parameter
}

/// Collects the names of all schemas that `value` leads to.
fn mentioned(value: &Value, schemas: &Value, met: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str).and_then(|to| to.rsplit('/').next());
            if let Some(name) = name.filter(|name| met.insert((*name).to_owned())) {
                mentioned(&schemas[name], schemas, met);
            }
            members.values().for_each(|value| mentioned(value, schemas, met));
        }
        Value::Array(items) => items.iter().for_each(|value| mentioned(value, schemas, met)),
        _ => {}
    }
}

/// Notes that all that a shape of an answer names is always there.
fn say_always(schema: &mut Value) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        schema["required"] = properties.keys().cloned().collect();
    }
    schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten().for_each(say_always);
}

#[cfg(test)]
mod tests;
