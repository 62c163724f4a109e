//! `/api/v1/session`: signing in and out in a browser, and the passwords that do it.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, header::USER_AGENT, http::request::Parts};
use model::id::TokenId;
use serde::{Deserialize, Serialize};
use service::{Caller, Need, Service, Session, SessionText};
use utoipa::ToSchema;

use crate::{
    api::{
        self, plans,
        word::{RoleWord, ScopeWord, Time},
    },
    auth, body, client,
    error::Problem,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    name: String,
    password: String,
    /// Digits or a one-time code, where the account asks for them.
    second: Option<String>,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub struct Me {
    account: Account,
    /// What of it the asking token opens; `all` in a browser.
    scope: ScopeWord,
}

/// The own account.
#[derive(Serialize, ToSchema)]
struct Account {
    name: String,
    role: RoleWord,
    /// Whether the service itself has the account's key.
    managed: bool,
    made: Time,
    used_bytes: u64,
    /// None: no limit.
    quota_bytes: Option<u64>,
    limits: plans::Limits,
    /// When it is erased, with all its files.
    leaves: Option<Time>,
    /// None: mail reaches it nowhere.
    mail: Option<Mail>,
    /// Whether a password opens it.
    password: bool,
    /// Who its owner is elsewhere, if they sign in there.
    oidc: Option<Identity>,
    /// None: the password alone opens.
    second_factor: Option<SecondFactor>,
    /// Since when reading without each of the firms is proven to find everything that was asked for: the oldest of the drills that
    /// passed last. None: without some firm that was never proven.
    last_proven: Option<Time>,
}

/// Who somebody is at an OpenID Connect issuer.
#[derive(Serialize, ToSchema)]
struct Identity {
    subject_name: String,
    since: Time,
}

/// Where mail reaches an account.
#[derive(Serialize, ToSchema)]
struct Mail {
    address: String,
    /// Whether a code that was sent there came back.
    confirmed: bool,
    /// Another address that a code was sent to.
    pending: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct SecondFactor {
    since: Time,
    /// One-time codes that are not used yet.
    codes_left: usize,
}

/// Signs in, says who is signed in, signs out.
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::POST => sign_in(&service, &parts, body).await,
        Method::GET | Method::HEAD => who(&service, &parts).await,
        Method::DELETE => sign_out(&service, &parts).await,
        _ => Err(Problem::method("GET, HEAD, POST, DELETE")),
    }
}

/// Signs in: the answer sets a cookie.
#[utoipa::path(
    post, path = "/api/v1/session", security(()), request_body = SignIn,
    responses((status = 200, body = Me, headers(("Set-Cookie" = String)))),
)]
pub async fn sign_in(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    auth::must_be_own_page(parts)?;
    let SignIn { name, password, second } = body::json(body).await?;
    let guess = service.sign_in(&name, password, second.as_deref(), agent(parts));
    let session = service.guess(client::network(parts), guess).await?;
    welcome(service, parts, StatusCode::OK, &session).await
}

/// Says who is signed in.
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, body = Me)))]
pub async fn who(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let caller = auth::caller_who(service, parts, Need::Look).await?;
    Ok(api::json(StatusCode::OK, &me(service, &caller).await?))
}

/// Signs out.
#[utoipa::path(delete, path = "/api/v1/session", responses((status = 204)))]
pub async fn sign_out(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    if let Some(id) = caller.session {
        service.end_session(&caller, id).await?;
    }
    let mut response = api::empty(StatusCode::NO_CONTENT);
    auth::drop_session(&parts.headers, response.headers_mut())?;
    Ok(response)
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

async fn me(service: &Service, caller: &Caller) -> Result<Me, Problem> {
    let me = service.me(caller).await?;
    let limits = plans::limits(&me);
    let second_factor =
        me.second_factor.map(|(since_us, codes_left)| SecondFactor { since: Time(since_us), codes_left });
    let account = Account {
        name: me.account.name,
        role: me.role.into(),
        managed: me.account.managed,
        made: Time(me.account.made_us),
        used_bytes: me.used_bytes,
        quota_bytes: me.limits.space_bytes,
        limits,
        leaves: me.leaves_us.map(Time),
        mail: me.mail.map(|mail| Mail { address: mail.address, confirmed: mail.confirmed, pending: mail.pending }),
        password: me.has_password,
        oidc: me.identity.map(|identity| Identity { subject_name: identity.name, since: Time(identity.made_us) }),
        second_factor,
        last_proven: service.proven_since().map(Time),
    };
    Ok(Me { account, scope: caller.scope.into() })
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Leave {
    password: String,
    /// Digits or a one-time code, where the account asks for them.
    second: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Leaving {
    /// When the account is erased, with all its files.
    leaves: Time,
}

/// Decides that the own account is to be deleted, or takes that back.
pub async fn leave(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::POST => go(&service, &parts, body).await,
        Method::DELETE => stay(&service, &caller).await,
        _ => Err(Problem::method("POST, DELETE")),
    }
}

/// Decides that the own account is to be deleted, after a grace.
#[utoipa::path(
    post, path = "/api/v1/session/leave", request_body = Leave,
    responses((status = 200, body = Leaving)),
)]
pub async fn go(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let Leave { password, second } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    let leaves_us = service.leave(&caller, password, second.as_deref()).await?;
    Ok(api::json(StatusCode::OK, &Leaving { leaves: Time(leaves_us) }))
}

/// Takes that back.
#[utoipa::path(delete, path = "/api/v1/session/leave", responses((status = 204)))]
pub async fn stay(service: &Service, caller: &Caller) -> Result<Response, Problem> {
    service.stay(caller).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// What a browser calls itself.
pub fn agent(parts: &Parts) -> &str {
    parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[derive(Serialize, ToSchema)]
struct Sessions {
    sessions: Vec<Line>,
}

/// A browser that is signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct Line {
    id: String,
    made: Time,
    seen: Time,
    /// What it calls itself.
    agent: String,
    /// Whether it is the one that asks.
    current: bool,
}

/// Lists the browsers that are signed in.
#[utoipa::path(get, path = "/api/v1/sessions", responses((status = 200, body = Sessions)))]
pub async fn list(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    if parts.method != Method::GET {
        return Err(Problem::method("GET"));
    }
    let line = |session: Session| Line {
        id: session.id.to_string(),
        made: Time(session.made_us),
        seen: Time(session.seen_us),
        current: caller.session == Some(session.id),
        agent: session.agent,
    };
    let sessions = service.sessions(&caller).await?.into_iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &Sessions { sessions }))
}

/// Signs one browser out.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", responses((status = 204)))]
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

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordChange)]
struct Change {
    old: String,
    new: String,
}

/// Changes the own password.
#[utoipa::path(post, path = "/api/v1/password", request_body = Change, responses((status = 204)))]
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

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordReset)]
struct Reset {
    code: String,
    new: String,
    second: Option<String>,
}

/// Sets a new password by a one-time code, and signs in.
#[utoipa::path(
    post, path = "/api/v1/password/reset", security(()), request_body = Reset,
    responses((status = 200, body = Me, headers(("Set-Cookie" = String)))),
)]
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
