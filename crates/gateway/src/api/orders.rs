//! `/api/v1/fleet/orders` and `/api/v1/fleet/probes`: what an operator orders of targets, and a look at one of them now.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::StatusCode;
use serde::{Deserialize, Serialize};
use service::{FleetOrder, Service, Which};
use utoipa::ToSchema;

use super::fleet::must_change;
use crate::{api, error::Problem, header::date, shape};

/// An order for a target, or for all targets of a server or of a provider: exactly one of the three is named, but that a
/// server's provider may be named with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// A provider's name.
    #[serde(default)]
    pub provider: Option<String>,
    /// A target's address.
    #[serde(default)]
    pub target: Option<String>,
    /// A server's name, as its lease says it.
    #[serde(default)]
    pub server: Option<String>,
    /// What is ordered.
    pub order: OrderWord,
    /// For `evacuate`: by when, RFC 3339.
    #[serde(default)]
    pub by: Option<String>,
    /// For `retire`: nothing is deleted there.
    #[serde(default)]
    pub keep_shards: bool,
    /// For `give-up`: the name or address once more.
    #[serde(default)]
    pub confirm: Option<String>,
}

/// What can be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = FleetOrder)]
pub enum OrderWord {
    /// Take no new shards.
    Cordon,
    /// Take new shards again.
    Uncordon,
    /// Everything is to move away by a date.
    Evacuate,
    /// Hold an evacuation.
    Pause,
    /// Let it go on.
    Resume,
    /// Take it back.
    Cancel,
    /// Take the shards off the records, delete them, and forget the target.
    Retire,
    /// It will never answer again: do without.
    GiveUp,
}

impl NewOrder {
    /// What is ordered of whom.
    ///
    /// # Errors
    /// What is missing or too much, for people.
    pub fn read(self) -> Result<(Which, FleetOrder), String> {
        let which = match (self.provider, self.target, self.server) {
            (Some(name), None, None) => Which::Provider(name),
            (None, Some(address), None) => Which::Target(address),
            (provider, None, Some(name)) => Which::Server { name, provider },
            _ => return Err("name either a provider, or a server, or a target".to_owned()),
        };
        let for_evacuate = "`by` says by when, as 2026-04-01T12:00:00Z, and only of `evacuate`";
        let by_us = match (self.order, self.by) {
            (OrderWord::Evacuate, Some(by)) => date::parse_rfc3339(&by).ok_or(for_evacuate)?,
            (OrderWord::Evacuate, None) | (_, Some(_)) => return Err(for_evacuate.to_owned()),
            _ => 0,
        };
        if self.keep_shards && self.order != OrderWord::Retire {
            return Err("`keep_shards` is for `retire` only".to_owned());
        }
        let order = match self.order {
            OrderWord::Cordon => FleetOrder::Cordon,
            OrderWord::Uncordon => FleetOrder::Uncordon,
            OrderWord::Evacuate => FleetOrder::Evacuate { by_us },
            OrderWord::Pause => FleetOrder::Pause,
            OrderWord::Resume => FleetOrder::Resume,
            OrderWord::Cancel => FleetOrder::Cancel,
            OrderWord::Retire => FleetOrder::Retire { keeps_shards: self.keep_shards },
            OrderWord::GiveUp => FleetOrder::GiveUp { confirmed: self.confirm.unwrap_or_default() },
        };
        Ok((which, order))
    }
}

/// Orders something of targets, for an operator.
#[utoipa::path(
    post, path = "/api/v1/fleet/orders", request_body = NewOrder, responses((status = 200, body = shape::Ordered)),
)]
pub async fn give(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let order: NewOrder = must_change(&service, request).await?;
    let (which, order) = order.read().map_err(|detail| Problem::bad_request("bad_order", detail))?;
    Ok(api::json(StatusCode::OK, &shape::ordered(service.order(&which, order).await?)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProbe {
    address: String,
}

/// Looks at a target now, for an operator.
#[utoipa::path(
    post, path = "/api/v1/fleet/probes", request_body = NewProbe, responses((status = 200, body = shape::Target)),
)]
pub async fn probe(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let NewProbe { address } = must_change(&service, request).await?;
    Ok(api::json(StatusCode::OK, &shape::target(service.probe_target(&address).await?)))
}
