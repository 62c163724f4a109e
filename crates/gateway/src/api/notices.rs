//! `/api/v1/notices`: what was served on us, by us and by the service itself, for operators.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use model::{
    id::{LeaseId, NoticeId},
    leases::{NoticeState, Served},
};
use serde::{Deserialize, Serialize};
use service::{Act, Entered, Notice, Service};
use utoipa::ToSchema;

use crate::{
    api::{self, files, leases::moment, links, listing::hex, word::Time},
    auth, body,
    error::Problem,
    header::percent,
};

/// Notices, the latest first.
#[derive(Serialize, ToSchema)]
pub struct Notices {
    notices: Vec<Line>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Notice)]
struct Line {
    id: String,
    served: ServedWord,
    state: NoticeWord,
    addressee: String,
    provider: Option<String>,
    contract: Option<String>,
    /// None: all of the lease.
    servers: Vec<String>,
    targets: Vec<String>,
    deadline: Option<Time>,
    text: String,
    /// SHA-256 of what was filed, in hex digits.
    content: String,
    document: Option<DocumentLine>,
    made: Time,
    changed: Time,
    acknowledged: Option<Time>,
    /// Who took note; empty: at the machine.
    acknowledged_by: Option<String>,
    supersedes: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = NoticeDocument)]
struct DocumentLine {
    name: String,
    bytes: u64,
    sha256: String,
    /// The file that holds it, once it came.
    file: Option<String>,
}

/// Who served it, and how.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum ServedWord {
    AtDesk,
    ByLetter,
    ToFirm,
    Raised,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum NoticeWord {
    Received,
    Acknowledged,
    Planned,
    Done,
    Superseded,
    InForce,
    Released,
}

/// A notice that came by letter or mail, or one of ours.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNotice)]
struct Said {
    /// The lease's id, or else the firm's name.
    lease: Option<String>,
    provider: Option<String>,
    /// It is ours, to the firm: in force until it is released.
    #[serde(default)]
    to_firm: bool,
    #[serde(default)]
    addressee: String,
    #[serde(default)]
    servers: Vec<String>,
    /// RFC 3339.
    deadline: Option<String>,
    text: String,
    document: Option<DocumentSaid>,
    supersedes: Option<String>,
}

/// A document that will be sent to the notice's address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentSaid {
    name: String,
    bytes: u64,
    /// In hex digits.
    sha256: String,
}

#[derive(Serialize, ToSchema)]
struct NoticeMade {
    id: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoticeAct {
    act: ActWord,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ActWord {
    Acknowledge,
    Plan,
    Done,
    Release,
}

impl DocumentSaid {
    /// As the service takes it.
    pub fn announced(self) -> Result<(String, u64, [u8; 32]), Problem> {
        let digits = self.sha256.as_bytes();
        let mut hash = [0; 32];
        let nibble = |digit: u8| char::from(digit).to_digit(16);
        let sound = digits.len() == 64
            && hash.iter_mut().zip(digits.chunks_exact(2)).all(|(byte, pair)| {
                match (nibble(pair[0]), nibble(pair[1])) {
                    (Some(high), Some(low)) => {
                        *byte = (high * 16 + low) as u8;
                        true
                    }
                    _ => false,
                }
            });
        match sound {
            true => Ok((self.name, self.bytes, hash)),
            false => Err(Problem::bad_request("bad_notice", "`sha256` is 64 hex digits")),
        }
    }
}

/// Lists or enters notices.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => list(&service, &parts).await,
        Method::POST => enter(&service, &parts, body).await,
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Lists notices, for an operator.
#[utoipa::path(
    get, path = "/api/v1/notices",
    params(("open" = Option<bool>, Query, description = "`true`: those alone that need a person or are in force")),
    responses((status = 200, body = Notices)),
)]
pub async fn list(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    links::must_read(parts)?;
    let [open] = percent::query(parts.uri.query(), ["open"])?;
    let open = percent::flag("open", open.as_deref())?;
    Ok(api::json(StatusCode::OK, &lines(service.notices(&caller, open).await?)))
}

/// Enters a notice that came by letter or mail, or one of ours, for an operator.
#[utoipa::path(post, path = "/api/v1/notices", request_body = Said, responses((status = 201, body = NoticeMade)))]
pub async fn enter(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    caller.must_operate()?;
    let id = service.enter_notice(&caller, entered(body::json(body).await?)?).await?;
    Ok(api::json(StatusCode::CREATED, &NoticeMade { id: id.to_string() }))
}

/// A notice as it is said, from the same JSON.
///
/// # Errors
/// What is wrong with it.
pub fn read(said: serde_json::Value) -> Result<Entered, String> {
    entered(serde_json::from_value(said).map_err(|error| error.to_string())?)
        .map_err(|problem| problem.detail().to_owned())
}

/// What a person does with a notice, by its word.
pub fn act(word: &str) -> Option<Act> {
    Some(match word {
        "acknowledge" => Act::Acknowledge,
        "plan" => Act::Plan,
        "done" => Act::Finish,
        "release" => Act::Release,
        _ => return None,
    })
}

fn entered(said: Said) -> Result<Entered, Problem> {
    Ok(Entered {
        lease: said.lease.map(|text| LeaseId::parse(&text).map_err(|_| service::Error::NoSuchId)).transpose()?,
        provider: said.provider,
        to_firm: said.to_firm,
        addressee: said.addressee,
        servers: said.servers,
        deadline_us: said.deadline.as_deref().map(moment).transpose()?,
        text: said.text,
        document: said.document.map(DocumentSaid::announced).transpose()?,
        supersedes: said
            .supersedes
            .map(|text| NoticeId::parse(&text).map_err(|_| service::Error::NoSuchId))
            .transpose()?,
    })
}

/// Takes note of a notice, says that it is planned or done, or gives up a statement of ours; for an operator.
#[utoipa::path(post, path = "/api/v1/notices/{id}", request_body = NoticeAct, responses((status = 204)))]
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    caller.must_operate()?;
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    let id = api::id(&parts, |text| NoticeId::parse(text).ok())?;
    let NoticeAct { act } = body::json(body).await?;
    let act = match act {
        ActWord::Acknowledge => Act::Acknowledge,
        ActWord::Plan => Act::Plan,
        ActWord::Done => Act::Finish,
        ActWord::Release => Act::Release,
    };
    service.act_on_notice(&caller, id, act).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// Gives or takes a notice's document.
pub async fn paper(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => fetch(&service, &parts).await,
        Method::PUT => document(&service, &parts, body).await,
        _ => Err(Problem::method("GET, HEAD, PUT")),
    }
}

/// Gives the document of a notice, for an operator, in whose files it may be.
#[utoipa::path(
    get, path = "/api/v1/notices/{id}/document",
    responses((status = 200, body = api::described::Raw, content_type = "*/*")),
)]
pub async fn fetch(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    percent::query(parts.uri.query(), [])?;
    let (place, file) = service.notice_document(&caller, of_document(parts)?).await?;
    let path = service::paths::Path::from_components(vec![file.entry.name.clone().into_bytes()]);
    let path = path.map_err(service::Error::from)?;
    files::send(service, &place, file, &path, parts, None).await
}

/// Sends the document that was announced with a notice, for an operator. It is kept in their files, below `Notices`.
#[utoipa::path(
    put, path = "/api/v1/notices/{id}/document", request_body(content = api::described::Raw, content_type = "*/*"),
    responses((status = 204)),
)]
pub async fn document(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    caller.must_operate()?;
    service.attach_document(&caller, of_document(parts)?, body::stream(body)).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// The notice whose document an address is.
pub fn of_document(parts: &Parts) -> Result<NoticeId, Problem> {
    let text = parts.uri.path().trim_end_matches("/document").rsplit('/').next().unwrap_or_default();
    Ok(NoticeId::parse(text).map_err(|_| service::Error::NoSuchId)?)
}

/// Notices as they are sent.
pub fn lines(notices: Vec<Notice>) -> Notices {
    let line = |Notice { row, provider, contract, by }: Notice| Line {
        id: row.id.to_string(),
        served: match row.from {
            Served::AtDesk => ServedWord::AtDesk,
            Served::ByLetter => ServedWord::ByLetter,
            Served::ToFirm => ServedWord::ToFirm,
            Served::Raised => ServedWord::Raised,
        },
        state: match row.state {
            NoticeState::Received => NoticeWord::Received,
            NoticeState::Acknowledged => NoticeWord::Acknowledged,
            NoticeState::Planned => NoticeWord::Planned,
            NoticeState::Done => NoticeWord::Done,
            NoticeState::Superseded => NoticeWord::Superseded,
            NoticeState::InForce => NoticeWord::InForce,
            NoticeState::Released => NoticeWord::Released,
        },
        addressee: row.addressee,
        provider,
        contract,
        servers: row.servers,
        targets: row.targets.iter().map(ToString::to_string).collect(),
        deadline: row.deadline_us.map(Time),
        text: row.text,
        content: hex(&row.content),
        document: row.document.map(|document| DocumentLine {
            name: document.name,
            bytes: document.bytes,
            sha256: hex(&document.sha256),
            file: document.kept.map(|(_, entry)| entry.to_string()),
        }),
        made: Time(row.made_us),
        changed: Time(row.changed_us),
        acknowledged: row.acknowledged.map(|(_, at)| Time(at)),
        acknowledged_by: by,
        supersedes: row.supersedes.map(|id| id.to_string()),
    };
    Notices { notices: notices.into_iter().map(line).collect() }
}
