//! `/api/v1/desk/LEASE`: where a firm files notices with the token of its lease, and gets a signed receipt.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use futures_util::StreamExt;
use hyper::{Method, StatusCode, header::AUTHORIZATION, http::request::Parts};
use model::id::LeaseId;
use serde::{Deserialize, Serialize};
use service::{Entered, Service};
use utoipa::ToSchema;

use crate::{
    api::{
        self,
        leases::moment,
        links,
        notices::{DocumentSaid, of_document},
    },
    body,
    error::Problem,
    header::percent,
};

/// The most bytes of a filing: its words, the names of servers, and room for how JSON spells them.
const FILING_BYTES_MAX: usize = 64 << 10;

/// What the desk is for.
#[derive(Serialize, ToSchema)]
struct Desk {
    /// The firm, as the operator calls it.
    provider: String,
    contract: String,
    servers: Vec<String>,
}

/// What a firm files.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Filing {
    text: String,
    /// None: all of the lease.
    #[serde(default)]
    servers: Vec<String>,
    /// RFC 3339: from when on it holds.
    deadline: Option<String>,
    document: Option<DocumentSaid>,
}

/// What a firm takes away. The receipt names the SHA-256 of the request's body: keep both.
#[derive(Serialize, ToSchema)]
struct Receipt {
    notice: String,
    /// A signed note: c2sp.org/signed-note.
    receipt: String,
    /// The checkpoint of the ledger that it names, signed.
    checkpoint: String,
    /// What both are checked with, `name+id+key`.
    key: String,
}

/// Says what the desk is for, to whoever has its token.
#[utoipa::path(get, path = "/api/v1/desk/{lease}", responses((status = 200, body = Desk)))]
pub async fn sign(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let token = token(&parts)?;
    links::must_read(&parts)?;
    percent::query(parts.uri.query(), [])?;
    let sign = service.desk(lease(&parts)?, token).await?;
    Ok(api::json(StatusCode::OK, &Desk { provider: sign.provider, contract: sign.contract, servers: sign.servers }))
}

/// Files a notice.
#[utoipa::path(
    post, path = "/api/v1/desk/{lease}/notices", request_body = Filing, responses((status = 201, body = Receipt)),
)]
pub async fn file(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (token, lease) = (token(&parts)?, lease(&parts)?);
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    // Whoever has no token sends no body.
    service.desk(lease, token).await?;
    let content = whole(body).await?;
    let filing: Filing = serde_json::from_slice(&content)
        .map_err(|error| Problem::bad_request("bad_json", format!("the body is not understood: {error}")))?;
    let said = Entered {
        servers: filing.servers,
        deadline_us: filing.deadline.as_deref().map(moment).transpose()?,
        text: filing.text,
        document: filing.document.map(DocumentSaid::announced).transpose()?,
        ..Entered::default()
    };
    let filed = service.file_notice(lease, token, &content, said).await?;
    let notice = filed.id.to_string();
    let receipt = Receipt { notice, receipt: filed.receipt, checkpoint: filed.checkpoint, key: filed.key };
    Ok(api::json(StatusCode::CREATED, &receipt))
}

/// Sends the document that was announced with a notice.
#[utoipa::path(
    put, path = "/api/v1/desk/{lease}/notices/{id}/document",
    request_body(content = api::described::Raw, content_type = "*/*"), responses((status = 204)),
)]
pub async fn document(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (token, lease) = (token(&parts)?, lease(&parts)?);
    if parts.method != Method::PUT {
        return Err(Problem::method("PUT"));
    }
    service.file_document(lease, token, of_document(&parts)?, body::stream(body)).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

fn token(parts: &Parts) -> Result<&str, Problem> {
    let value = api::one(&parts.headers, &AUTHORIZATION)?.and_then(|value| value.split_once(' '));
    match value {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Problem::no_token()),
    }
}

fn lease(parts: &Parts) -> Result<LeaseId, Problem> {
    let text = parts.uri.path().split('/').nth(4).unwrap_or_default();
    Ok(LeaseId::parse(text).map_err(|_| service::Error::DeskToken)?)
}

/// A filing, byte by byte: its hash is in the receipt.
async fn whole(body: Body) -> Result<Vec<u8>, Problem> {
    let mut pieces = body::stream(body);
    let mut content = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece =
            piece.map_err(|error| Problem::bad_request("body_broken", format!("the sender broke off: {error}")))?;
        if content.len() + piece.len() > FILING_BYTES_MAX {
            let detail = "a notice here has at most 64 KiB; what is longer goes into its document. Nothing was filed";
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_long", detail));
        }
        content.extend_from_slice(&piece);
    }
    Ok(content)
}
