//! `/api/v1/webhooks`: addresses of the caller's programs that are told of what happens in the account.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use model::{id::WebhookId, outgoing::EventKind};
use serde::Deserialize;
use serde_json::{Value, json};
use service::{Delivered, HookWish, Hooked, Service};

use crate::{api, auth, body, error::Problem, shape};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    address: String,
    events: Vec<String>,
    #[serde(default)]
    label: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    on: Option<bool>,
    events: Option<Vec<String>>,
    label: Option<String>,
}

/// Lists the caller's webhooks, or makes one.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => list(&service, &parts).await,
        Method::POST => add(&service, &parts, body).await,
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

async fn list(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    let all: Vec<Value> = service.webhooks(&caller).await?.iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &json!({ "webhooks": all })))
}

async fn add(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    auth::caller(service, parts).await?;
    let New { address, events, label } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    let made = service.add_webhook(&caller, address, kinds(&events)?, label).await?;
    let mut answer = line(&made);
    // Shown once.
    answer["secret"] = shape::webhook_secret(&made.row.secret).into();
    Ok(api::json(StatusCode::CREATED, &answer))
}

/// Changes a webhook, or ends it.
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    let id = api::id(&parts, |text| WebhookId::parse(text).ok())?;
    match parts.method {
        Method::PATCH => {
            let Change { on, events, label } = body::json(body).await?;
            let caller = auth::caller(&service, &parts).await?;
            let events = events.map(|events| kinds(&events)).transpose()?;
            let changed = service.change_webhook(&caller, id, HookWish { on, events, label }).await?;
            Ok(api::json(StatusCode::OK, &line(&changed)))
        }
        Method::DELETE => {
            service.end_webhook(&caller, id).await?;
            Ok(api::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Problem::method("PATCH, DELETE")),
    }
}

/// Sends a trial event at once: `POST /api/v1/webhooks/ID/test`, without a body.
pub async fn test(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    let path = parts.uri.path();
    let text = path.strip_prefix("/api/v1/webhooks/").and_then(|rest| rest.strip_suffix("/test")).unwrap_or_default();
    let id = WebhookId::parse(text).map_err(|_| service::Error::NoSuchId)?;
    let Delivered { status, trouble } = service.try_webhook(&caller, id).await?;
    Ok(api::json(StatusCode::OK, &json!({ "status": status, "trouble": trouble })))
}

fn kinds(words: &[String]) -> Result<Vec<EventKind>, Problem> {
    let kind = |word: &String| {
        let found = EventKind::ALL.into_iter().find(|kind| shape::event_word(*kind) == word);
        found.ok_or_else(|| service::Error::BadWebhook { what: format!("there is no event called {word}") })
    };
    Ok(words.iter().map(kind).collect::<Result<_, _>>()?)
}

fn line(hooked: &Hooked) -> Value {
    let Hooked { row, standing, waiting } = hooked;
    let off = row.off.as_ref().filter(|off| !off.why.is_empty());
    json!({
        "id": row.id.to_string(),
        "address": row.address,
        "events": row.events.iter().map(|kind| shape::event_word(*kind)).collect::<Vec<_>>(),
        "label": row.label,
        "on": row.off.is_none(),
        "off_why": off.map(|off| off.why.as_str()),
        "made": api::time(Some(row.made_us)),
        "last": standing.last.map(|(at_us, kind)| json!({
            "at": api::time(Some(at_us)),
            "event": shape::event_word(kind),
            "status": standing.status,
            "trouble": standing.trouble,
        })),
        "waiting": waiting,
    })
}
