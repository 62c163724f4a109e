//! `/api/v1/reports`: what guests told the operator of links.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode};
use model::id::{ReportId, ShareId};
use serde::{Deserialize, Serialize};
use service::{Report, Ruling, Service};
use utoipa::ToSchema;

use crate::{
    api::{
        self, links,
        word::{KindWord, ReasonWord, Time},
    },
    auth, body,
    error::Problem,
};

#[derive(Serialize, ToSchema)]
struct Reports {
    reports: Vec<Line>,
}

/// What a guest told.
#[derive(Serialize, ToSchema)]
#[schema(as = Report)]
struct Line {
    id: String,
    made: Time,
    reason: ReasonWord,
    words: String,
    contact: Option<String>,
    settled: Option<Time>,
    /// None once it is gone.
    link: Option<LinkLine>,
}

/// The link that a report is of.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportedLink)]
struct LinkLine {
    code: String,
    /// Whose it is.
    account: String,
    /// What it shows, if that is still there.
    name: Option<String>,
    kind: Option<KindWord>,
    receives: bool,
    /// Since when an operator has switched it off.
    off: Option<Time>,
    ended: bool,
}

/// Lists what guests told, for an operator: open ones first, then those settled last.
#[utoipa::path(get, path = "/api/v1/reports", responses((status = 200, body = Reports)))]
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    links::must_read(&parts)?;
    let reports = service.reports(&caller).await?.into_iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &Reports { reports }))
}

/// What is done about it: one thing at a time, as two could be done by halves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportChange)]
struct Change {
    settled: Option<bool>,
    link: Option<Switch>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Switch {
    On,
    Off,
}

/// Settles one or takes that back, or switches its link, for an operator.
#[utoipa::path(patch, path = "/api/v1/reports/{id}", request_body = Change, responses((status = 204)))]
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    auth::caller(&service, &parts).await?;
    let id = api::id(&parts, |text| ReportId::parse(text).ok())?;
    if parts.method != Method::PATCH {
        return Err(Problem::method("PATCH"));
    }
    let Change { settled, link } = body::json(body).await?;
    let ruling = match (settled, link) {
        (Some(settled), None) => Ruling::Settled(settled),
        (None, Some(link)) => Ruling::Off(link == Switch::Off),
        // Both at once could be done by halves.
        _ => return Err(Problem::bad_request("bad_body", "name either `settled` or `link`")),
    };
    let caller = auth::caller(&service, &parts).await?;
    service.rule(&caller, id, ruling).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

fn line(report: Report) -> Line {
    let Report { row, link, account, shows } = report;
    let (name, kind) = shows.unzip();
    Line {
        id: row.id.to_string(),
        made: Time(row.made_us),
        reason: row.reason.into(),
        words: row.words,
        contact: row.contact,
        settled: row.settled_us.map(Time),
        link: link.map(|link| LinkLine {
            code: ShareId(link.code).to_string(),
            account,
            name,
            kind: kind.map(KindWord::from),
            receives: link.receives,
            off: link.off_us.map(Time),
            ended: link.ended_us.is_some(),
        }),
    }
}
