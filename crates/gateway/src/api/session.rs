//! `/api/v1/session`: signing in and out in a browser, and the passwords that do it.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, header::USER_AGENT, http::request::Parts};
use model::id::TokenId;
use serde::Deserialize;
use serde_json::{Value, json};
use service::{Caller, Service, Session, SessionText};

use crate::{api, auth, body, client, error::Problem, shape};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    name: String,
    password: String,
    /// Digits or a one-time code, where the account asks for them.
    second: Option<String>,
}

/// Signs in, says who is signed in, signs out.
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::POST => {
            auth::must_be_own_page(&parts)?;
            let SignIn { name, password, second } = body::json(body).await?;
            let guess = service.sign_in(&name, password, second.as_deref(), agent(&parts));
            let session = service.guess(client::network(&parts), guess).await?;
            welcome(&service, &parts, StatusCode::OK, &session).await
        }
        Method::GET | Method::HEAD => {
            let caller = auth::caller(&service, &parts).await?;
            Ok(api::json(StatusCode::OK, &me(&service, &caller).await?))
        }
        Method::DELETE => {
            let caller = auth::caller(&service, &parts).await?;
            if let Some(id) = caller.session {
                service.end_session(&caller, id).await?;
            }
            let mut response = api::empty(StatusCode::NO_CONTENT);
            auth::drop_session(&parts.headers, response.headers_mut())?;
            Ok(response)
        }
        _ => Err(Problem::method("GET, HEAD, POST, DELETE")),
    }
}

/// The answer to whoever has just signed in.
pub async fn welcome(
    service: &Service,
    parts: &Parts,
    status: StatusCode,
    session: &SessionText,
) -> Result<Response, Problem> {
    let caller = service.session(&session.0).await?;
    let mut response = api::json(status, &me(service, &caller).await?);
    auth::keep_session(&parts.headers, response.headers_mut(), session)?;
    Ok(response)
}

async fn me(service: &Service, caller: &Caller) -> Result<Value, Problem> {
    let me = service.me(caller).await?;
    Ok(json!({ "account": {
        "name": me.account.name,
        "role": shape::role(me.role),
        "managed": me.account.managed,
        "made": api::time(Some(me.account.made_us)),
        "used_bytes": me.used_bytes,
        "quota_bytes": me.quota_bytes,
        "leaves": api::time(me.leaves_us),
        "password": me.has_password,
        "oidc": me.identity.map(|identity| json!({
            "subject_name": identity.name,
            "since": api::time(Some(identity.made_us)),
        })),
        "second_factor": me.second_factor.map(|(since_us, codes_left)| json!({
            "since": api::time(Some(since_us)),
            "codes_left": codes_left,
        })),
    }}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Leave {
    password: String,
    /// Digits or a one-time code, where the account asks for them.
    second: Option<String>,
}

/// Decides that the own account is to be deleted, or takes that back.
pub async fn leave(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::POST => {
            let Leave { password, second } = body::json(body).await?;
            let caller = auth::caller(&service, &parts).await?;
            let leaves_us = service.leave(&caller, password, second.as_deref()).await?;
            Ok(api::json(StatusCode::OK, &json!({ "leaves": api::time(Some(leaves_us)) })))
        }
        Method::DELETE => {
            service.stay(&caller).await?;
            Ok(api::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Problem::method("POST, DELETE")),
    }
}

/// What a browser calls itself.
pub fn agent(parts: &Parts) -> &str {
    parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The browsers that are signed in.
pub async fn list(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    if parts.method != Method::GET {
        return Err(Problem::method("GET"));
    }
    let line = |session: &Session| {
        json!({
            "id": session.id.to_string(),
            "made": api::time(Some(session.made_us)),
            "seen": api::time(Some(session.seen_us)),
            "agent": session.agent,
            "current": caller.session == Some(session.id),
        })
    };
    let sessions: Vec<Value> = service.sessions(&caller).await?.iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &json!({ "sessions": sessions })))
}

/// Signs one browser out.
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    if parts.method != Method::DELETE {
        return Err(Problem::method("DELETE"));
    }
    let id = api::id(&parts, |text| TokenId::parse(text).ok())?;
    service.end_session(&caller, id).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    old: String,
    new: String,
}

/// Changes the own password.
pub async fn password(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    auth::caller(&service, &parts).await?;
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    let Change { old, new } = body::json(body).await?;
    let caller = auth::caller(&service, &parts).await?;
    service.change_password(&caller, old, new).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    code: String,
    new: String,
    second: Option<String>,
}

/// Sets a new password by a one-time code, and signs in.
pub async fn reset(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    auth::must_be_own_page(&parts)?;
    let Reset { code, new, second } = body::json(body).await?;
    let guess = service.reset_password(&code, new, second.as_deref(), agent(&parts));
    let session = service.guess(client::network(&parts), guess).await?;
    welcome(&service, &parts, StatusCode::OK, &session).await
}
