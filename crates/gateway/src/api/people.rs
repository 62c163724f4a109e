//! `/api/v1/accounts`, `invitations`, `tokens`: who has an account here, and the secrets that speak for one.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use model::{
    account::{Role, TokenRow},
    id::TokenId,
};
use serde::Deserialize;
use serde_json::{Value, json};
use service::{Invited, Knock, Service};

use crate::{
    api::{self, session},
    auth, body, client,
    error::Problem,
    header::percent,
    shape,
};

const DAY_S: u64 = 86_400;
/// An invitation's days if nothing is said, and at most.
const INVITATION_DAYS: u32 = 7;
const INVITATION_DAYS_MAX: u32 = 90;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
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
        Method::POST => {
            auth::must_be_own_page(&parts)?;
            let SignUp { invitation, name, password } = body::json(body).await?;
            let agent = session::agent(&parts);
            let text = match invitation {
                Some(code) => service.sign_up(&code, name, password, agent).await?,
                None => {
                    service.knock(client::network(&parts), Knock::NewAccount)?;
                    service.sign_up_openly(name, password, agent).await?
                }
            };
            session::welcome(&service, &parts, StatusCode::CREATED, &text).await
        }
        Method::GET | Method::HEAD => {
            let caller = auth::caller(&service, &parts).await?;
            Ok(api::json(StatusCode::OK, &shape::people(&service.people(&caller).await?)))
        }
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Standing {
    suspended: Option<bool>,
    /// Named and null: no quota.
    #[serde(default, deserialize_with = "named")]
    quota_bytes: Option<Option<u64>>,
    leaves: Option<bool>,
    /// Named and null: none.
    #[serde(default, deserialize_with = "named")]
    plan: Option<Option<String>>,
}

fn named<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Suspends an account or lets it go on; sets or lifts its quota; gives it a plan or takes it away; deletes it after a grace, or takes that back. What is not named stays.
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

/// Makes a one-time code for a new password: `POST /api/v1/accounts/NAME/reset`, without a body.
pub async fn reset(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    let made = service.reset_code(&caller, name(&parts, "/reset")?).await?;
    Ok(api::json(StatusCode::CREATED, &json!({ "code": made.text, "expires": api::time(made.expires_us) })))
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invite {
    role: Option<RoleWord>,
    days: Option<u32>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RoleWord {
    User,
    Operator,
}

/// Lists invitations, or makes one.
pub async fn invitations(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::POST => {
            let Invite { role, days } = body::json(body).await?;
            // A body may take its time: who asked must still be good when all of it is there.
            let caller = auth::caller(&service, &parts).await?;
            let role = match role {
                Some(RoleWord::Operator) => Role::Operator,
                Some(RoleWord::User) | None => Role::User,
            };
            let days = days.unwrap_or(INVITATION_DAYS);
            if !(1..=INVITATION_DAYS_MAX).contains(&days) {
                let detail = format!("an invitation is good for 1 to {INVITATION_DAYS_MAX} days");
                return Err(Problem::bad_request("bad_days", detail));
            }
            let made = service.invite(&caller, role, u64::from(days) * DAY_S).await?;
            let answer = json!({ "id": made.id.to_string(), "code": made.text, "expires": api::time(made.expires_us) });
            Ok(api::json(StatusCode::CREATED, &answer))
        }
        Method::GET | Method::HEAD => {
            let line = |invited: &Invited| {
                json!({
                    "id": invited.row.id.to_string(),
                    "role": shape::role(invited.role),
                    "made": api::time(Some(invited.row.made_us)),
                    "expires": api::time(invited.row.expires_us),
                })
            };
            let all: Vec<Value> = service.invitations(&caller).await?.iter().map(line).collect();
            Ok(api::json(StatusCode::OK, &json!({ "invitations": all })))
        }
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    #[serde(default)]
    label: String,
    days: Option<u32>,
}

/// Lists the caller's tokens, or makes one.
pub async fn tokens(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::POST => {
            let New { label, days } = body::json(body).await?;
            let caller = auth::caller(&service, &parts).await?;
            let made = service.make_own_token(&caller, label, days.map(|days| u64::from(days) * DAY_S)).await?;
            let answer =
                json!({ "id": made.id.to_string(), "token": made.text, "expires": api::time(made.expires_us) });
            Ok(api::json(StatusCode::CREATED, &answer))
        }
        Method::GET | Method::HEAD => {
            let line = |row: &TokenRow| {
                json!({
                    "id": row.id.to_string(),
                    "label": row.label,
                    "made": api::time(Some(row.made_us)),
                    "expires": api::time(row.expires_us),
                })
            };
            let all: Vec<Value> = service.tokens(&caller).await?.iter().map(line).collect();
            Ok(api::json(StatusCode::OK, &json!({ "tokens": all })))
        }
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Withdraws a token or an invitation.
pub async fn token(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    if parts.method != Method::DELETE {
        return Err(Problem::method("DELETE"));
    }
    service.end_token(&caller, api::id(&parts, |text| TokenId::parse(text).ok())?).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}
