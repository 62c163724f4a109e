//! `/api/v1/session/oidc`: signing in elsewhere. These doors are gone through by browsers, so they answer with where to go.
//!
//! Where somebody goes is the issuer's door, this page, or this page's word for what went wrong; nothing in a request names
//! another place. What comes back is bound to the browser that left, by a cookie of its own.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{
    HeaderMap, Method, StatusCode,
    header::{CACHE_CONTROL, HOST, HeaderValue, LOCATION, REFERRER_POLICY},
    http::request::Parts,
};
use service::{AWAY_S, Aim, NotIn, Returned, Service};

use crate::{
    api::{self, session},
    auth, client,
    error::Problem,
    header::percent,
    page,
};

const DOOR: &str = "/api/v1/session/oidc";

/// Sends a browser to the issuer; unties the account from whoever it is tied to.
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    match parts.method {
        Method::GET => send(&service, &parts).await,
        Method::DELETE => untie(&service, &parts).await,
        _ => Err(Problem::method("GET, DELETE")),
    }
}

/// Sends a browser to the issuer, or to the page's word for why not.
#[utoipa::path(
    get, path = "/api/v1/session/oidc", security(()),
    params(("link" = Option<u8>, Query, description = "1: ties the identity to the account that is signed in")),
    responses((status = 302, headers(("Location" = String)))),
)]
pub async fn send(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    match leave(service, parts).await {
        Ok(response) => Ok(response),
        Err(why) => to_page(parts, Some(&why)),
    }
}

/// Unties the account from whoever it is tied to.
#[utoipa::path(delete, path = "/api/v1/session/oidc", responses((status = 204)))]
pub async fn untie(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    service.untie(&auth::caller(service, parts).await?, host).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

async fn leave(service: &Service, parts: &Parts) -> Result<Response, NotIn> {
    let aim = match parts.uri.query() {
        Some("link=1") => {
            // Another page could else tie an account to somebody of its choice.
            if !auth::is_surely_own_page(&parts.headers) {
                return Err(NotIn::Refused);
            }
            Aim::Tie(auth::caller(service, parts).await.map_err(|_| NotIn::Expired)?)
        }
        _ => Aim::Enter,
    };
    away(service, parts, aim).await
}

async fn away(service: &Service, parts: &Parts, aim: Aim) -> Result<Response, NotIn> {
    let departure = service.send_elsewhere(back(parts)?, aim, client::network(parts)).await?;
    let mut response = go(&departure.address).map_err(failed)?;
    auth::set_cookie(&parts.headers, response.headers_mut(), (cookie(parts), "/"), &departure.cookie.0, AWAY_S)
        .map_err(failed)?;
    Ok(response)
}

/// Takes a browser back from the issuer.
#[utoipa::path(
    get, path = "/api/v1/session/oidc/back", security(()),
    responses((status = 302, headers(("Location" = String, description = "The page, or its word for what went wrong")))),
)]
pub async fn back_door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    if parts.method != Method::GET {
        return Err(Problem::method("GET"));
    }
    let kept = auth::cookie(&parts.headers, cookie(&parts)).unwrap_or_default();
    let caller = auth::caller(&service, &parts).await.ok();
    let entered = service.back_from_elsewhere(returned(&parts), kept, caller, session::agent(&parts)).await;
    if entered.as_ref().err() == Some(&NotIn::Anew) {
        return match away(&service, &parts, Aim::EnterAnew).await {
            Ok(response) => Ok(response),
            Err(why) => to_page(&parts, Some(&why)),
        };
    }
    let mut response = to_page(&parts, entered.as_ref().err())?;
    auth::set_cookie(&parts.headers, response.headers_mut(), (cookie(&parts), "/"), "", 0)?;
    if let Ok(Some(text)) = &entered {
        auth::keep_session(&parts.headers, response.headers_mut(), text)?;
    }
    Ok(response)
}

/// What the issuer wrote into the address; of two words for one thing neither counts.
fn returned(parts: &Parts) -> Returned {
    let pairs: Vec<(&str, &str)> =
        parts.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')).collect();
    let one = |name: &str| {
        let mut found = pairs.iter().filter(|(known, _)| *known == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => percent::text(value).ok(),
            _ => None,
        }
    };
    Returned { state: one("state"), code: one("code"), error: one("error"), issuer: one("iss") }
}

/// To the page, or to its word for what went wrong.
fn to_page(parts: &Parts, why: Option<&NotIn>) -> Result<Response, Problem> {
    let base = page::prefix(&parts.headers).unwrap_or_default();
    if let Some(NotIn::Failed(detail)) = why {
        tracing::warn!(%detail, "somebody could not sign in elsewhere");
    }
    go(&why.map_or_else(|| format!("{base}/"), |why| format!("{base}/oidc/{}", why.reason())))
}

fn go(address: &str) -> Result<Response, Problem> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(LOCATION, api::value(address)?);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// The address of ours that the issuer sends browsers back to. Whoever forges the host in it is refused by the issuer, which
/// knows the true one.
fn back(parts: &Parts) -> Result<String, NotIn> {
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let plain = |host: &&str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte));
    let host = host.filter(plain).ok_or_else(|| NotIn::Failed("the request names no host".to_owned()))?;
    let scheme = if auth::is_https(&parts.headers) { "https" } else { "http" };
    Ok(format!("{scheme}://{host}{}/back", path(parts)))
}

/// What the browser keeps while it is away. The prefix keeps other hosts of the domain from setting it, where it may be used.
fn cookie(parts: &Parts) -> &'static str {
    if auth::is_https(&parts.headers) { "__Host-holdfast_away" } else { "holdfast_away" }
}

/// What this door is called in front of any proxy.
fn path(parts: &Parts) -> String {
    format!("{}{DOOR}", page::prefix(&parts.headers).unwrap_or_default())
}

fn failed(problem: Problem) -> NotIn {
    NotIn::Failed(problem.detail)
}
