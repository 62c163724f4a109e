//! `/api/v1/leases`: what is rented from which firm, until when, as operators keep it; and the desk of each.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use model::{id::LeaseId, leases::LeaseState};
use serde::{Deserialize, Deserializer, Serialize};
use service::{Lease, LeaseWish, Service};
use utoipa::ToSchema;

use crate::{
    api::{self, links, word::Time},
    auth, body,
    error::Problem,
    header::{date, percent},
};

/// All leases.
#[derive(Serialize, ToSchema)]
pub struct Leases {
    leases: Vec<Line>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Lease)]
struct Line {
    id: String,
    provider: String,
    contract: String,
    servers: Vec<ServerLine>,
    price: String,
    /// As `4.99`, in the currency.
    month: Option<String>,
    currency: String,
    notice_address: String,
    notice_days: u32,
    ends: Option<Time>,
    paid_until: Option<Time>,
    state: LeaseWord,
    /// Since when the firm has a desk.
    desk: Option<Time>,
    /// What its firm has in common with others.
    warnings: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = LeasedServer)]
struct ServerLine {
    name: String,
    site: String,
    targets: Vec<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum LeaseWord {
    Active,
    Ending,
    Ended,
}

/// What is said of a lease; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LeaseChange)]
struct Said {
    /// To add one: its firm, by name.
    provider: Option<String>,
    contract: Option<String>,
    servers: Option<Vec<ServerSaid>>,
    price: Option<String>,
    month: Option<String>,
    currency: Option<String>,
    notice_address: Option<String>,
    notice_days: Option<u32>,
    /// RFC 3339; null: not known.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    ends: Option<Option<String>>,
    /// RFC 3339; null: not known.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    paid_until: Option<Option<String>>,
    state: Option<LeaseWord>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LeasedServerSaid)]
struct ServerSaid {
    name: String,
    #[serde(default)]
    site: String,
    /// Addresses or ids.
    #[serde(default)]
    targets: Vec<String>,
}

/// A lease that was added.
#[derive(Serialize, ToSchema)]
pub struct LeaseMade {
    id: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeskSaid {
    /// In whose files the firm's documents are kept; the caller's if left out.
    keeper: Option<String>,
}

/// A desk that was opened.
#[derive(Serialize, ToSchema)]
pub struct DeskMade {
    /// Where the firm files notices, on this service.
    path: String,
    /// Shown once.
    token: String,
}

fn given<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Lists or adds leases.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => list(&service, &parts).await,
        Method::POST => add(&service, &parts, body).await,
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Lists leases, for an operator.
#[utoipa::path(get, path = "/api/v1/leases", responses((status = 200, body = Leases)))]
pub async fn list(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    links::must_read(parts)?;
    percent::query(parts.uri.query(), [])?;
    Ok(api::json(StatusCode::OK, &lines(service.leases(&caller).await?)))
}

/// Adds a lease, for an operator.
#[utoipa::path(post, path = "/api/v1/leases", request_body = Said, responses((status = 201, body = LeaseMade)))]
pub async fn add(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    caller.must_operate()?;
    let (provider, wish) = wish(body::json(body).await?)?;
    let id = service.add_lease(&caller, provider.unwrap_or_default(), wish).await?;
    Ok(api::json(StatusCode::CREATED, &made(id)))
}

/// Changes what is known of a lease, for an operator.
#[utoipa::path(patch, path = "/api/v1/leases/{id}", request_body = Said, responses((status = 204)))]
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    caller.must_operate()?;
    if parts.method != Method::PATCH {
        return Err(Problem::method("PATCH"));
    }
    let id = api::id(&parts, |text| LeaseId::parse(text).ok())?;
    let (provider, wish) = wish(body::json(body).await?)?;
    if provider.is_some() {
        return Err(Problem::bad_request("bad_lease", "a lease stays its firm's; end it, and add one of another"));
    }
    service.set_lease(&caller, id, wish).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// Opens or closes a lease's desk.
pub async fn counter(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::POST => desk(&service, &parts, body).await,
        Method::DELETE => close(&service, &parts).await,
        _ => Err(Problem::method("POST, DELETE")),
    }
}

/// Opens a lease's desk, for an operator, or gives it another token.
#[utoipa::path(
    post, path = "/api/v1/leases/{id}/desk", request_body = DeskSaid, responses((status = 201, body = DeskMade)),
)]
pub async fn desk(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    caller.must_operate()?;
    let id = of_desk(parts)?;
    let DeskSaid { keeper } = body::json(body).await?;
    let token = service.open_desk(&caller, id, keeper).await?;
    Ok(api::json(StatusCode::CREATED, &opened(id, token)))
}

/// Closes a lease's desk, for an operator: its token opens nothing any more. What was filed there stays.
#[utoipa::path(delete, path = "/api/v1/leases/{id}/desk", responses((status = 204)))]
pub async fn close(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    caller.must_operate()?;
    service.close_desk(&caller, of_desk(parts)?).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

fn of_desk(parts: &Parts) -> Result<LeaseId, Problem> {
    let text = parts.uri.path().trim_end_matches("/desk").rsplit('/').next().unwrap_or_default();
    Ok(LeaseId::parse(text).map_err(|_| service::Error::NoSuchId)?)
}

/// A lease's id as it is sent.
pub fn made(id: LeaseId) -> LeaseMade {
    LeaseMade { id: id.to_string() }
}

/// A desk as it is sent, once.
pub fn opened(id: LeaseId, token: String) -> DeskMade {
    DeskMade { path: format!("/api/v1/desk/{id}/notices"), token }
}

/// What is said of a lease, and of which firm, from the same JSON.
///
/// # Errors
/// What is wrong with it.
pub fn read(said: serde_json::Value) -> Result<(Option<String>, LeaseWish), String> {
    wish(serde_json::from_value(said).map_err(|error| error.to_string())?)
        .map_err(|problem| problem.detail().to_owned())
}

fn wish(said: Said) -> Result<(Option<String>, LeaseWish), Problem> {
    let time = |text: Option<Option<String>>| text.map(|text| text.as_deref().map(moment).transpose()).transpose();
    let server = |server: ServerSaid| (server.name, server.site, server.targets);
    let wish = LeaseWish {
        contract: said.contract,
        servers: said.servers.map(|servers| servers.into_iter().map(server).collect()),
        price: said.price,
        month: said.month,
        currency: said.currency,
        notice_address: said.notice_address,
        notice_days: said.notice_days,
        ends_us: time(said.ends)?,
        paid_until_us: time(said.paid_until)?,
        state: said.state.map(|word| match word {
            LeaseWord::Active => LeaseState::Active,
            LeaseWord::Ending => LeaseState::Ending,
            LeaseWord::Ended => LeaseState::Ended,
        }),
    };
    Ok((said.provider, wish))
}

/// A time as it is said of leases and notices.
pub fn moment(text: &str) -> Result<i64, Problem> {
    date::parse_rfc3339(text)
        .ok_or_else(|| Problem::bad_request("bad_time", "a time is RFC 3339, for example 2027-03-31T22:00:00Z"))
}

/// Leases as they are sent.
pub fn lines(leases: Vec<Lease>) -> Leases {
    let line = |Lease { row, provider, warnings }: Lease| Line {
        id: row.id.to_string(),
        provider,
        contract: row.contract,
        servers: row
            .servers
            .into_iter()
            .map(|server| ServerLine {
                name: server.name,
                site: server.site,
                targets: server.targets.iter().map(ToString::to_string).collect(),
            })
            .collect(),
        price: row.price,
        month: row.month_micros.map(service::money),
        currency: row.currency,
        notice_address: row.notice_address,
        notice_days: row.notice_days,
        ends: row.ends_us.map(Time),
        paid_until: row.paid_until_us.map(Time),
        state: match row.state {
            LeaseState::Active => LeaseWord::Active,
            LeaseState::Ending => LeaseWord::Ending,
            LeaseState::Ended => LeaseWord::Ended,
        },
        desk: row.desk.map(|desk| Time(desk.made_us)),
        warnings,
    };
    Leases { leases: leases.into_iter().map(line).collect() }
}
