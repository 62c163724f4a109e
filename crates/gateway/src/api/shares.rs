//! `/api/v1/shares`: the caller's links to files and folders.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode};
use model::{entry::Kind, id::ShareId};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use service::{Service, Shared, Wish, paths::Path};

use crate::{api, auth, body, error::Problem, header::date};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    path: String,
    password: Option<String>,
    expires: Option<String>,
    downloads_max: Option<u64>,
    /// Takes files instead of showing them.
    #[serde(default)]
    receives: bool,
    words: Option<String>,
}

/// In a change, what is left out stays and what is `null` goes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::option_option, reason = "left out, null and a value are three different things here")]
struct Change {
    #[serde(default, deserialize_with = "said")]
    password: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    expires: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    downloads_max: Option<Option<u64>>,
    /// Empty: none.
    words: Option<String>,
}

#[allow(clippy::option_option, reason = "as above")]
pub fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(value).map(Some)
}

/// Lists links, or makes one.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::POST => {
            let New { path, password, expires, downloads_max, receives, words } = body::json(body).await?;
            let caller = auth::caller(&service, &parts).await?;
            let path = Path::from_text(path.strip_suffix('/').unwrap_or(&path)).map_err(service::Error::from)?;
            let expires_us = expires.as_deref().map(end).transpose()?;
            let (password, expires_us, downloads_max) = (Some(password), Some(expires_us), Some(downloads_max));
            let wish = Wish { password, expires_us, downloads_max, words };
            Ok(api::json(StatusCode::CREATED, &line(&service.share(&caller, path, receives, wish).await?)))
        }
        Method::GET | Method::HEAD => {
            let all: Vec<Value> = service.shares(&caller).await?.iter().map(line).collect();
            Ok(api::json(StatusCode::OK, &json!({ "shares": all })))
        }
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Changes or ends a link.
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    let id = api::id(&parts, |text| ShareId::parse(text).ok())?;
    match parts.method {
        Method::PATCH => {
            let Change { password, expires, downloads_max, words } = body::json(body).await?;
            let caller = auth::caller(&service, &parts).await?;
            let expires_us = expires.map(|end_of| end_of.as_deref().map(end).transpose()).transpose()?;
            let wish = Wish { password, expires_us, downloads_max, words };
            Ok(api::json(StatusCode::OK, &line(&service.change_share(&caller, id, wish).await?)))
        }
        Method::DELETE => {
            service.end_share(&caller, id).await?;
            Ok(api::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Problem::method("PATCH, DELETE")),
    }
}

fn end(text: &str) -> Result<i64, Problem> {
    date::parse_rfc3339(text).ok_or_else(|| Problem::bad_request("bad_time", "the end of a link is a time in RFC 3339"))
}

fn line(shared: &Shared) -> Value {
    let row = &shared.row;
    json!({
        "id": row.id.to_string(),
        "code": row.code.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "path": shared.path,
        "kind": shared.kind.map(kind),
        "password": row.password.is_some(),
        "expires": api::time(row.expires_us),
        "downloads_max": row.downloads_max,
        "downloads": row.downloads,
        "made": api::time(Some(row.made_us)),
        "ended": api::time(row.ended_us),
        "receives": row.receives,
        "words": (!row.words.is_empty()).then_some(&row.words),
        "off": api::time(row.off_us),
    })
}

/// Folder or file, as the interface names it.
pub const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Folder => "folder",
        Kind::File => "file",
    }
}
