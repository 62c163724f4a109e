//! `/api/v1/fleet`: how providers, targets and what they hold stand.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use service::Service;

use crate::{api, auth, error::Problem, header::percent, shape};

/// How it stands now.
pub async fn report(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let parts = greet(&service, request, &Method::GET).await?;
    percent::query(parts.uri.query(), [])?;
    Ok(api::json(StatusCode::OK, &shape::fleet(&service.fleet().await?)))
}

/// What would be left without one provider.
pub async fn what_if(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let parts = greet(&service, request, &Method::GET).await?;
    let [provider] = percent::query(parts.uri.query(), ["provider"])?;
    let provider = provider.ok_or_else(|| Problem::bad_request("bad_query", "name a provider: `?provider=NAME`"))?;
    Ok(api::json(StatusCode::OK, &shape::what_if(&provider, &service.what_if(&provider).await?)))
}

/// Reads everything, and says what was found.
pub async fn scrub(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let parts = greet(&service, request, &Method::POST).await?;
    let [wait] = percent::query(parts.uri.query(), ["wait"])?;
    if !percent::flag("wait", wait.as_deref())? {
        return Err(Problem::bad_request("bad_query", "a scrub on demand is waited for: `?wait=true`"));
    }
    Ok(api::json(StatusCode::OK, &shape::scrub(&service.scrub().await?)))
}

async fn greet(service: &Service, request: Request, method: &Method) -> Result<Parts, Problem> {
    let (parts, _) = request.into_parts();
    auth::caller(service, &parts).await?.must_operate()?;
    match (&parts.method, method) {
        (got, expected) if got == expected => Ok(parts),
        (&Method::HEAD, &Method::GET) => Ok(parts),
        (_, &Method::GET) => Err(Problem::method("GET, HEAD")),
        _ => Err(Problem::method("POST")),
    }
}
