//! `/api/v1/fleet/stage`: changes of the fleet that are gathered, looked at together, and made at once.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use serde::{Deserialize, Serialize};
use service::{Caller, Service, Staged, Which};
use utoipa::ToSchema;

use super::links;
use crate::{
    api, auth, body,
    error::Problem,
    header::{date, percent},
    shape::staged as shape,
};

/// A change that is staged. What a verb has no use for is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StagedChange {
    /// What is to be done.
    pub verb: StageVerb,
    /// A provider's name: for `label`; else all its targets, or whose the server is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// A server's name, as its lease says it: all targets on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// A target's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// For `label`, `constrain` and `unconstrain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// For `label`: empty takes it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// For `evacuate`: by when, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// For `retire`: nothing is deleted there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_shards: bool,
}

/// What can be staged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StageVerb {
    /// A provider's label, prices included.
    #[default]
    Label,
    /// A label becomes a constraint.
    Constrain,
    /// A label is none any more.
    Unconstrain,
    /// Take no new shards.
    Cordon,
    /// Take new shards again.
    Uncordon,
    /// Everything is to move away by a date.
    Evacuate,
    /// An evacuation is taken back.
    Cancel,
    /// What was evacuated is forgotten.
    Retire,
}

impl StagedChange {
    /// What is to be staged.
    ///
    /// # Errors
    /// What is missing or too much, for people.
    pub fn read(self) -> Result<Staged, String> {
        use StageVerb::{Cancel, Constrain, Cordon, Evacuate, Label, Retire, Unconstrain, Uncordon};
        let Self { verb, provider, server, target, label, value, by, keep_shards } = self;
        let too_much = |what: &str, verbs: &str| Err(format!("`{what}` is for {verbs} only"));
        if by.is_some() && verb != Evacuate {
            return too_much("by", "`evacuate`");
        }
        if keep_shards && verb != Retire {
            return too_much("keep_shards", "`retire`");
        }
        if value.is_some() && verb != Label {
            return too_much("value", "`label`");
        }
        if label.is_some() && !matches!(verb, Label | Constrain | Unconstrain) {
            return too_much("label", "`label`, `constrain` and `unconstrain`");
        }
        let named = |label: Option<String>| match label.map(|label| label.trim().to_owned()) {
            Some(label) if !label.is_empty() => Ok(label),
            _ => Err("name a `label`".to_owned()),
        };
        match (verb, provider, server, target) {
            (Label, Some(provider), None, None) => {
                let value = value.ok_or("say its `value`; an empty one takes the label off")?.trim().to_owned();
                Ok(Staged::Label { provider, label: named(label)?, value })
            }
            (Label, ..) => Err("a label is a provider's: name the `provider` alone".to_owned()),
            (Constrain | Unconstrain, None, None, None) => {
                Ok(Staged::Constraint { label: named(label)?, holds: verb == Constrain })
            }
            (Constrain | Unconstrain, ..) => Err("a constraint is all providers': name the `label` alone".to_owned()),
            (_, provider, server, target) => {
                let which = match (provider, server, target) {
                    (Some(name), None, None) => Which::Provider(name),
                    (None, None, Some(address)) => Which::Target(address),
                    (provider, Some(name), None) => Which::Server { name, provider },
                    _ => return Err("name either a provider, or a server, or a target".to_owned()),
                };
                Ok(match verb {
                    Cordon | Uncordon => Staged::Cordon { which, cordoned: verb == Cordon },
                    Evacuate => {
                        let by = by.as_deref().and_then(date::parse_rfc3339);
                        Staged::Evacuate { which, by_us: by.ok_or("`by` says by when, as 2026-04-01T12:00:00Z")? }
                    }
                    Cancel => Staged::Cancel { which },
                    _ => Staged::Retire { which, keeps_shards: keep_shards },
                })
            }
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StageSaid {
    /// All are staged, or none.
    changes: Vec<StagedChange>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StageNumber {
    /// The one that was shown.
    number: u64,
}

/// How many changes there were.
#[derive(Serialize, ToSchema)]
pub struct StageDone {
    changes: usize,
}

/// Shows, adds to or forgets what is staged.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => list(&service, &parts).await,
        Method::POST => add(&service, &parts, body).await,
        Method::DELETE => revert(&service, &parts).await,
        _ => Err(Problem::method("GET, HEAD, POST, DELETE")),
    }
}

/// Shows what is staged, and what it would do, for an operator: that takes a look at everything.
#[utoipa::path(get, path = "/api/v1/fleet/stage", responses((status = 200, body = shape::Stage)))]
pub async fn list(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    links::must_read(parts)?;
    percent::query(parts.uri.query(), [])?;
    Ok(api::json(StatusCode::OK, &shape::stage(service.stage(&caller, true).await?)))
}

/// Stages changes, for an operator; nothing is done yet.
#[utoipa::path(
    post, path = "/api/v1/fleet/stage", request_body = StageSaid, responses((status = 200, body = shape::Stage)),
)]
pub async fn add(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    caller.must_operate()?;
    percent::query(parts.uri.query(), [])?;
    let StageSaid { changes } = body::json(body).await?;
    let caller = still(service, parts).await?;
    let changes = changes.into_iter().map(StagedChange::read).collect::<Result<Vec<_>, String>>();
    let changes = changes.map_err(|detail| Problem::bad_request("bad_order", detail))?;
    Ok(api::json(StatusCode::OK, &shape::stage(service.add_to_stage(&caller, changes).await?)))
}

/// Forgets what is staged, for an operator.
#[utoipa::path(delete, path = "/api/v1/fleet/stage", responses((status = 200, body = StageDone)))]
pub async fn revert(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    percent::query(parts.uri.query(), [])?;
    Ok(api::json(StatusCode::OK, &done(service.revert_stage(&caller).await?)))
}

/// Makes all staged changes at once, for an operator, if their number is still the one that was shown.
#[utoipa::path(
    post, path = "/api/v1/fleet/stage/apply", request_body = StageNumber, responses((status = 200, body = StageDone)),
)]
pub async fn apply(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    caller.must_operate()?;
    percent::query(parts.uri.query(), [])?;
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    let StageNumber { number } = body::json(body).await?;
    let caller = still(&service, &parts).await?;
    Ok(api::json(StatusCode::OK, &done(service.apply_stage(&caller, number).await?)))
}

/// Who asks, looked up again: while a body came, a token may have been revoked.
async fn still(service: &Service, parts: &Parts) -> Result<Caller, Problem> {
    let caller = auth::caller(service, parts).await?;
    caller.must_operate()?;
    Ok(caller)
}

/// How many changes there were, as it is sent.
pub fn done(changes: usize) -> StageDone {
    StageDone { changes }
}
