//! `/api/v1/ledger`: what was said to the service and done with it, chained and signed. A program that trusts nobody reads
//! the export and checks it with the key alone.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use futures_util::{Stream, stream};
use hyper::{
    StatusCode,
    header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue},
    http::request::Parts,
};
use serde::Serialize;
use service::{Caller, Checkpointed, EXPORT_HEAD, LEDGER_PAGE, Noted, Service};
use utoipa::ToSchema;

use crate::{
    api::{self, links, word::Time},
    auth,
    error::Problem,
    header::percent,
};

/// Entries in their order.
#[derive(Serialize, ToSchema)]
pub struct Ledger {
    entries: Vec<Line>,
    /// Give it as `after` for what follows; none: that is all.
    next: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = LedgerEntry)]
struct Line {
    n: u64,
    at: Time,
    what: String,
    /// In their order; a key may come more than once.
    fields: Vec<Field>,
    /// All of it, as it was signed.
    text: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = LedgerField)]
struct Field {
    key: String,
    value: String,
}

/// What stands for all entries.
#[derive(Serialize, ToSchema)]
pub struct Checkpoint {
    /// A signed note, c2sp.org/tlog-checkpoint.
    checkpoint: String,
    /// How many entries it signs.
    size: u64,
    /// What its signature is checked with, `name+id+key`.
    key: String,
}

/// Lists entries of the ledger, for an operator, the first ones first.
#[utoipa::path(
    get, path = "/api/v1/ledger", params(("after" = Option<u64>, Query, description = "The entries behind this one")),
    responses((status = 200, body = Ledger)),
)]
pub async fn list(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (caller, parts) = greet(&service, request).await?;
    let [after] = percent::query(parts.uri.query(), ["after"])?;
    let after = after.map_or(Some(0), |text| text.parse().ok().filter(|after| *after < i64::MAX as u64));
    let after = after.ok_or_else(|| Problem::bad_request("bad_query", "`after` is the number of an entry"))?;
    Ok(api::json(StatusCode::OK, &page(service.ledger(&caller, after).await?)))
}

/// Gives all entries and the checkpoint that signs them, for an operator, as one file to be verified.
#[utoipa::path(
    get, path = "/api/v1/ledger/export",
    responses((status = 200, body = String, content_type = "text/plain", description = "An exported ledger")),
)]
pub async fn export(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (caller, parts) = greet(&service, request).await?;
    percent::query(parts.uri.query(), [])?;
    let checkpoint = service.checkpoint(&caller).await?;
    let bytes = length(&service, &caller, &checkpoint).await?;
    let mut response = api::empty(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"ledger.txt\""));
    *response.body_mut() = Body::from_stream(Box::pin(pieces(service, caller, checkpoint)));
    Ok(response)
}

/// Signs all entries that there are now, for an operator.
#[utoipa::path(get, path = "/api/v1/ledger/checkpoint", responses((status = 200, body = Checkpoint)))]
pub async fn checkpoint(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (caller, parts) = greet(&service, request).await?;
    percent::query(parts.uri.query(), [])?;
    Ok(api::json(StatusCode::OK, &signed(service.checkpoint(&caller).await?)))
}

async fn greet(service: &Service, request: Request) -> Result<(Caller, Parts), Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(service, &parts).await?;
    caller.must_operate()?;
    links::must_read(&parts)?;
    Ok((caller, parts))
}

/// How long the file is. Entries never change, so they are as long when they are sent: one that is cut never looks whole.
async fn length(service: &Service, caller: &Caller, checkpoint: &Checkpointed) -> Result<u64, Problem> {
    let mut bytes = (EXPORT_HEAD.len() + 2 + checkpoint.note.len()) as u64;
    let mut after = 0;
    while after < checkpoint.size {
        let page = service.ledger(caller, after).await?;
        let Some(last) = page.last().map(|noted| noted.entry.n) else { break };
        let signed = page.iter().filter(|noted| noted.entry.n <= checkpoint.size);
        bytes += signed.map(|noted| noted.text.len() as u64 + 1).sum::<u64>();
        after = last;
    }
    Ok(bytes)
}

/// The file, page by page: its head, the entries that the checkpoint signs, the checkpoint.
fn pieces(
    service: Service,
    caller: Caller,
    checkpoint: Checkpointed,
) -> impl Stream<Item = Result<Bytes, service::Error>> + Send {
    let start = Some((service, caller, checkpoint, None));
    stream::unfold(start, |state| async move {
        let (service, caller, checkpoint, after) = state?;
        let Some(after) = after else {
            return Some((Ok(Bytes::from(format!("{EXPORT_HEAD}\n\n"))), Some((service, caller, checkpoint, Some(0)))));
        };
        if after >= checkpoint.size {
            return Some((Ok(Bytes::from(checkpoint.note)), None));
        }
        match service.ledger(&caller, after).await {
            Ok(page) => {
                let signed: Vec<_> = page.into_iter().filter(|noted| noted.entry.n <= checkpoint.size).collect();
                let next = signed.last().map_or(checkpoint.size, |noted| noted.entry.n);
                let text: String = signed.into_iter().map(|noted| noted.text + "\n").collect();
                Some((Ok(Bytes::from(text)), Some((service, caller, checkpoint, Some(next)))))
            }
            Err(error) => Some((Err(error), None)),
        }
    })
}

/// Entries as they are sent.
pub fn page(noted: Vec<Noted>) -> Ledger {
    let next = noted.last().filter(|_| noted.len() == LEDGER_PAGE).map(|last| last.entry.n);
    let line = |Noted { entry, text }| Line {
        n: entry.n,
        at: Time(entry.at_us),
        what: entry.what,
        fields: entry.fields.into_iter().map(|(key, value)| Field { key, value }).collect(),
        text,
    };
    Ledger { entries: noted.into_iter().map(line).collect(), next }
}

/// A checkpoint as it is sent.
pub fn signed(checkpoint: Checkpointed) -> Checkpoint {
    let Checkpointed { note, size, key } = checkpoint;
    Checkpoint { checkpoint: note, size, key }
}
