//! `/api/v1/accounts`, `invitations`, `tokens`: who has an account here, and the secrets that speak for one.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use model::{
    account::{Role, TokenRow, TokenScope},
    id::TokenId,
};
use serde::{Deserialize, Serialize};
use service::{Caller, Invited, Knock, Service};
use utoipa::ToSchema;

use crate::{
    api::{
        self, session,
        word::{RoleWord, ScopeWord, Time},
    },
    auth, body, client,
    error::Problem,
    header::percent,
    shape,
};

const DAY_S: u64 = 86_400;
/// An invitation's days if nothing is said, and at most.
const INVITATION_DAYS: u32 = 7;
const INVITATION_DAYS_MAX: u32 = 90;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAccount)]
struct SignUp {
    /// None where the operator lets anybody in.
    invitation: Option<String>,
    name: String,
    password: String,
}

/// Lists accounts for an operator, or makes the one that an invitation is for, or that anybody may make.
pub async fn accounts(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::POST => sign_up(&service, &parts, body).await,
        Method::GET | Method::HEAD => all(&service, &parts).await,
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Makes the account that an invitation is for, or that anybody may make, and signs in.
#[utoipa::path(
    post, path = "/api/v1/accounts", security(()), request_body = SignUp,
    responses((status = 201, body = session::Me, headers(("Set-Cookie" = String)))),
)]
pub async fn sign_up(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    auth::must_be_own_page(parts)?;
    let SignUp { invitation, name, password } = body::json(body).await?;
    let agent = session::agent(parts);
    let text = match invitation {
        Some(code) => service.sign_up(&code, name, password, agent).await?,
        None => {
            service.knock(client::network(parts), Knock::NewAccount)?;
            service.sign_up_openly(name, password, agent).await?
        }
    };
    session::welcome(service, parts, StatusCode::CREATED, &text).await
}

/// Lists accounts, for an operator.
#[utoipa::path(get, path = "/api/v1/accounts", responses((status = 200, body = shape::People)))]
pub async fn all(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    Ok(api::json(StatusCode::OK, &shape::people(service.people(&caller).await?)))
}

/// What an operator sets for an account: one thing at a time, as two could be done by halves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountChange)]
struct Standing {
    suspended: Option<bool>,
    /// Named and null: no quota.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<u64>)]
    quota_bytes: Option<Option<u64>>,
    leaves: Option<bool>,
    /// Named and null: none.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>)]
    plan: Option<Option<String>>,
}

fn named<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Suspends an account or lets it go on; sets or lifts its quota; gives it a plan or takes it away; deletes it after a grace, or
/// takes that back. What is not named stays.
#[utoipa::path(patch, path = "/api/v1/accounts/{name}", request_body = Standing, responses((status = 204)))]
pub async fn account(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    auth::caller(&service, &parts).await?;
    if parts.method != Method::PATCH {
        return Err(Problem::method("PATCH"));
    }
    let Standing { suspended, quota_bytes, leaves, plan } = body::json(body).await?;
    let (caller, name) = (auth::caller(&service, &parts).await?, name(&parts, "")?);
    match (suspended, quota_bytes, leaves, plan) {
        (Some(suspended), None, None, None) => service.suspend(&caller, name, suspended).await?,
        (None, Some(quota_bytes), None, None) => service.set_quota(&caller, name, quota_bytes).await?,
        (None, None, Some(leaves), None) => service.set_leaving(&caller, name, leaves).await?,
        (None, None, None, Some(plan)) => service.give_plan(&caller, name, plan).await?,
        // Two at once could be done by halves.
        _ => {
            return Err(Problem::bad_request(
                "bad_body",
                "name one of `suspended`, `quota_bytes`, `leaves` and `plan`",
            ));
        }
    }
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// A one-time code for somebody else.
#[derive(Serialize, ToSchema)]
struct Code {
    code: String,
    expires: Option<Time>,
    /// Whether it goes out by mail, too.
    mailed: bool,
    /// Why not: somebody has to hand it on.
    mail_trouble: Option<&'static str>,
}

/// Makes a one-time code for a new password, for an operator.
#[utoipa::path(post, path = "/api/v1/accounts/{name}/reset", responses((status = 201, body = Code)))]
pub async fn reset(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    let name = name(&parts, "/reset")?;
    let made = service.reset_code(&caller, name.clone()).await?;
    let posted = service.mail_reset(name, &made).await?;
    let (mailed, mail_trouble) = (posted.is_ok(), posted.err());
    let answer = Code { code: made.text, expires: made.expires_us.map(Time), mailed, mail_trouble };
    Ok(api::json(StatusCode::CREATED, &answer))
}

/// The account that a path names, up to what comes after it.
pub fn name(parts: &Parts, after: &str) -> Result<String, Problem> {
    let path = parts.uri.path();
    let raw = path.strip_prefix("/api/v1/accounts/").and_then(|rest| rest.strip_suffix(after)).unwrap_or_default();
    let (path, _) = percent::path(raw)?;
    match path.names() {
        [name] => Ok(name.clone()),
        _ => Err(service::Error::BadName.into()),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInvitation)]
struct Invite {
    /// A user's if nothing is said.
    role: Option<RoleWord>,
    /// How long it is good: seven if nothing is said, 90 at most.
    days: Option<u32>,
    /// Where the invitation is mailed to.
    mail: Option<String>,
}

/// An invitation whose code is shown this once.
#[derive(Serialize, ToSchema)]
struct InvitationMade {
    id: String,
    code: String,
    expires: Option<Time>,
    /// Whether it goes out by mail, too.
    mailed: bool,
    /// Why not, where it was to: somebody has to hand it on.
    mail_trouble: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
struct Invitations {
    invitations: Vec<Invitation>,
}

/// An invitation that nobody has used yet.
#[derive(Serialize, ToSchema)]
struct Invitation {
    id: String,
    role: RoleWord,
    made: Time,
    expires: Option<Time>,
}

/// Lists invitations, or makes one.
pub async fn invitations(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::POST => invite(&service, &parts, body).await,
        Method::GET | Method::HEAD => invited(&service, &caller).await,
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Invites somebody, for an operator.
#[utoipa::path(
    post, path = "/api/v1/invitations", request_body = Invite,
    responses((status = 201, body = InvitationMade)),
)]
pub async fn invite(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let Invite { role, days, mail } = body::json(body).await?;
    // A body may take its time: who asked must still be good when all of it is there.
    let caller = auth::caller(service, parts).await?;
    let role = role.map_or(Role::User, Role::from);
    let days = days.unwrap_or(INVITATION_DAYS);
    if !(1..=INVITATION_DAYS_MAX).contains(&days) {
        let detail = format!("an invitation is good for 1 to {INVITATION_DAYS_MAX} days");
        return Err(Problem::bad_request("bad_days", detail));
    }
    if let Some(address) = &mail {
        service.check_mail(address)?;
    }
    let made = service.invite(&caller, role, u64::from(days) * DAY_S).await?;
    let posted = match mail {
        Some(address) => Some(service.mail_invitation(&caller, &made, &address, api::mail::language(parts)).await?),
        None => None,
    };
    let (mailed, mail_trouble) = (posted == Some(Ok(())), posted.and_then(Result::err));
    let (id, expires) = (made.id.to_string(), made.expires_us.map(Time));
    let answer = InvitationMade { id, code: made.text, expires, mailed, mail_trouble };
    Ok(api::json(StatusCode::CREATED, &answer))
}

/// Lists invitations, for an operator.
#[utoipa::path(get, path = "/api/v1/invitations", responses((status = 200, body = Invitations)))]
pub async fn invited(service: &Service, caller: &Caller) -> Result<Response, Problem> {
    let line = |invited: &Invited| Invitation {
        id: invited.row.id.to_string(),
        role: invited.role.into(),
        made: Time(invited.row.made_us),
        expires: invited.row.expires_us.map(Time),
    };
    let invitations = service.invitations(caller).await?.iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &Invitations { invitations }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken)]
struct New {
    /// What it is for.
    #[serde(default)]
    label: String,
    /// None: it is good until it is withdrawn.
    days: Option<u32>,
    /// `all` if nothing is said.
    scope: Option<ScopeWord>,
}

/// A token whose text is shown this once.
#[derive(Serialize, ToSchema)]
pub struct TokenMade {
    id: String,
    token: String,
    scope: ScopeWord,
    expires: Option<Time>,
}

#[derive(Serialize, ToSchema)]
struct Tokens {
    tokens: Vec<Token>,
}

/// What lets a program in.
#[derive(Serialize, ToSchema)]
struct Token {
    id: String,
    label: String,
    scope: ScopeWord,
    made: Time,
    expires: Option<Time>,
}

/// Lists the caller's tokens, or makes one.
pub async fn tokens(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::POST => make_token(&service, &parts, body).await,
        Method::GET | Method::HEAD => own_tokens(&service, &caller).await,
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Makes a token for the caller's account.
#[utoipa::path(post, path = "/api/v1/tokens", request_body = New, responses((status = 201, body = TokenMade)))]
pub async fn make_token(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let New { label, days, scope } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    let scope = scope.unwrap_or(ScopeWord::All);
    let lifetime_s = days.map(|days| u64::from(days) * DAY_S);
    let made = service.make_own_token(&caller, label, scope.into(), lifetime_s).await?;
    Ok(api::json(StatusCode::CREATED, &token_made(made, scope)))
}

/// A new token, as its maker is answered.
pub fn token_made(made: service::Token, scope: ScopeWord) -> TokenMade {
    TokenMade { id: made.id.to_string(), token: made.text, scope, expires: made.expires_us.map(Time) }
}

/// Lists the caller's tokens.
#[utoipa::path(get, path = "/api/v1/tokens", responses((status = 200, body = Tokens)))]
pub async fn own_tokens(service: &Service, caller: &Caller) -> Result<Response, Problem> {
    let line = |(row, scope): (TokenRow, TokenScope)| Token {
        id: row.id.to_string(),
        label: row.label,
        scope: scope.into(),
        made: Time(row.made_us),
        expires: row.expires_us.map(Time),
    };
    let tokens = service.tokens(caller).await?.into_iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &Tokens { tokens }))
}

/// Withdraws an invitation, for an operator.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", responses((status = 204)))]
pub async fn invitation(state: State<Service>, request: Request) -> Result<Response, Problem> {
    token(state, request).await
}

/// Withdraws a token of the caller's.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", responses((status = 204)))]
pub async fn token(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    if parts.method != Method::DELETE {
        return Err(Problem::method("DELETE"));
    }
    service.end_token(&caller, api::id(&parts, |text| TokenId::parse(text).ok())?).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}
