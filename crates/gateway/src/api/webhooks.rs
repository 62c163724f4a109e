//! `/api/v1/webhooks`: addresses of the caller's programs that are told of what happens in the account.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use model::{id::WebhookId, outgoing::EventKind};
use serde::{Deserialize, Serialize};
use service::{Delivered, HookWish, Hooked, Service};
use utoipa::ToSchema;

use crate::{
    api::{self, word::Time},
    auth, body,
    error::Problem,
    shape,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWebhook)]
struct New {
    address: String,
    /// Of `file.stored`, `share.made`, `share.changed`, `share.ended`, `request.received`; for operators `notice.waits`.
    events: Vec<String>,
    #[serde(default)]
    label: String,
}

/// One webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
struct Line {
    id: String,
    address: String,
    events: Vec<&'static str>,
    label: String,
    on: bool,
    /// Why the service switched it off itself.
    off_why: Option<String>,
    made: Time,
    /// The delivery that was tried last.
    last: Option<Last>,
    /// Events that are still to be delivered.
    waiting: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
struct Last {
    at: Time,
    event: &'static str,
    /// What the receiver answered.
    status: Option<u16>,
    /// Why it did not take it.
    trouble: Option<String>,
}

/// A webhook whose secret is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookMade)]
struct Made {
    #[serde(flatten)]
    line: Line,
    /// What deliveries are signed with, by Standard Webhooks.
    secret: String,
}

#[derive(Serialize, ToSchema)]
struct Webhooks {
    webhooks: Vec<Line>,
}

/// What a trial delivery came to.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookTrial)]
struct Trial {
    status: Option<u16>,
    trouble: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookChange)]
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

/// Lists the caller's webhooks.
#[utoipa::path(get, path = "/api/v1/webhooks", responses((status = 200, body = Webhooks)))]
pub async fn list(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    let webhooks = service.webhooks(&caller).await?.iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &Webhooks { webhooks }))
}

/// Makes a webhook.
#[utoipa::path(
    post, path = "/api/v1/webhooks", request_body = New, responses((status = 201, body = Made)),
)]
pub async fn add(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    auth::caller(service, parts).await?;
    let New { address, events, label } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    let made = service.add_webhook(&caller, address, kinds(&events)?, label).await?;
    let secret = shape::webhook_secret(&made.row.secret);
    Ok(api::json(StatusCode::CREATED, &Made { line: line(&made), secret }))
}

/// Changes a webhook, or ends it.
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    auth::caller(&service, &parts).await?;
    match parts.method {
        Method::PATCH => change(&service, &parts, body).await,
        Method::DELETE => end(&service, &parts).await,
        _ => Err(Problem::method("PATCH, DELETE")),
    }
}

/// Changes a webhook; what is not named stays.
#[utoipa::path(
    patch, path = "/api/v1/webhooks/{id}", request_body = Change, responses((status = 200, body = Line)),
)]
pub async fn change(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let id = api::id(parts, |text| WebhookId::parse(text).ok())?;
    let Change { on, events, label } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    let events = events.map(|events| kinds(&events)).transpose()?;
    let changed = service.change_webhook(&caller, id, HookWish { on, events, label }).await?;
    Ok(api::json(StatusCode::OK, &line(&changed)))
}

/// Ends a webhook.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", responses((status = 204)))]
pub async fn end(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    service.end_webhook(&caller, api::id(parts, |text| WebhookId::parse(text).ok())?).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// Sends a trial event at once.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", responses((status = 200, body = Trial)))]
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
    Ok(api::json(StatusCode::OK, &Trial { status, trouble }))
}

fn kinds(words: &[String]) -> Result<Vec<EventKind>, Problem> {
    let kind = |word: &String| {
        let found = EventKind::ALL.into_iter().find(|kind| shape::event_word(*kind) == word);
        found.ok_or_else(|| service::Error::BadWebhook { what: format!("there is no event called {word}") })
    };
    Ok(words.iter().map(kind).collect::<Result<_, _>>()?)
}

fn line(hooked: &Hooked) -> Line {
    let Hooked { row, standing, waiting } = hooked;
    let off = row.off.as_ref().filter(|off| !off.why.is_empty());
    Line {
        id: row.id.to_string(),
        address: row.address.clone(),
        events: row.events.iter().map(|kind| shape::event_word(*kind)).collect(),
        label: row.label.clone(),
        on: row.off.is_none(),
        off_why: off.map(|off| off.why.clone()),
        made: Time(row.made_us),
        last: standing.last.map(|(at_us, kind)| Last {
            at: Time(at_us),
            event: shape::event_word(kind),
            status: standing.status,
            trouble: standing.trouble.clone(),
        }),
        waiting: *waiting,
    }
}
