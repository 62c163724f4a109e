//! `/api/v1/reports`: what guests told the operator of links.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode};
use model::{
    id::{ReportId, ShareId},
    share::Reason,
};
use serde::Deserialize;
use serde_json::{Value, json};
use service::{Report, Ruling, Service};

use crate::{
    api::{self, links, shares},
    auth, body,
    error::Problem,
};

/// Lists them.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    links::must_read(&parts)?;
    let all: Vec<Value> = service.reports(&caller).await?.iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &json!({ "reports": all })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    settled: Option<bool>,
    link: Option<Switch>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Switch {
    On,
    Off,
}

/// Settles one, or switches its link.
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

fn line(report: &Report) -> Value {
    let row = &report.row;
    json!({
        "id": row.id.to_string(),
        "made": api::time(Some(row.made_us)),
        "reason": match row.reason {
            Reason::Illegal => "illegal",
            Reason::Copyright => "copyright",
            Reason::Malware => "malware",
            Reason::Other => "other",
        },
        "words": row.words,
        "contact": row.contact,
        "settled": api::time(row.settled_us),
        "link": report.link.as_ref().map(|link| json!({
            "code": ShareId(link.code).to_string(),
            "account": report.account,
            "name": report.shows.as_ref().map(|(name, _)| name),
            "kind": report.shows.as_ref().map(|(_, kind)| shares::kind(*kind)),
            "receives": link.receives,
            "off": api::time(link.off_us),
            "ended": link.ended_us.is_some(),
        })),
    })
}
