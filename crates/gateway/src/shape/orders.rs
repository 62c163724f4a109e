//! Answers about orders: how an evacuation is, and what could help.

use serde::Serialize;
use service::{EvacuationReport, Forecast, TargetReport};
use utoipa::ToSchema;

use super::{Target, target};
use crate::api::word::Time;

/// The targets that an order was about.
#[derive(Serialize, ToSchema)]
pub struct Ordered {
    targets: Vec<Target>,
}

/// The targets that an order was about, as they are seen now.
pub fn ordered(targets: Vec<TargetReport>) -> Ordered {
    Ordered { targets: targets.into_iter().map(target).collect() }
}

/// An order to move everything away.
#[derive(Serialize, ToSchema)]
pub struct Evacuation {
    order: String,
    state: EvacuationState,
    ordered: Time,
    by: Time,
    /// Packs that do not stand without it yet, as of the last look; none when nothing is known now.
    packs_left: Option<u64>,
    /// Names and keys likewise.
    objects_left: Option<u64>,
    /// Bytes that are still read, written and read back.
    bytes_left: Option<u64>,
    /// Seconds of work; none while that cannot be said.
    eta_s: Option<u64>,
    /// By how many seconds the date is missed; 0: it is met.
    late_s: Option<u64>,
    /// What could help, where the date is missed.
    help: Option<EvacuationHelp>,
    /// Why it is not certified, when nothing can be moved any more.
    unproven: Option<String>,
    certificate: Option<Certificate>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum EvacuationState {
    Evacuating,
    Paused,
    Evacuated,
}

/// What could help to meet a date.
#[derive(Serialize, ToSchema)]
struct EvacuationHelp {
    /// The bandwidth that would do, in percent of what was seen; none: no bandwidth would.
    bandwidth_percent: Option<u64>,
    /// The provider whose budget of bytes a second is the narrow place: it is that which would have to be so much larger.
    budget_of: Option<String>,
    /// Seconds of work if lanes are made from the other firms at the same time, which is done then; none: it does not help.
    rebuilding_s: Option<u64>,
    /// Seconds until everything is safe without it, which is less than settled.
    safe_s: u64,
}

/// How it was proven that everything stands without the targets.
#[derive(Serialize, ToSchema)]
struct Certificate {
    at: Time,
    /// Packs whose shards were all read back since the order.
    packs_read: u64,
    /// Packs whose shards were read within a month, and listed since the order.
    packs_listed: u64,
    /// Names and keys, read back.
    objects_read: u64,
    /// Names and keys, listed.
    objects_listed: u64,
}

pub(super) fn evacuation(report: EvacuationReport) -> Evacuation {
    let order = report.order;
    let state = match order {
        _ if order.evacuated.is_some() => EvacuationState::Evacuated,
        _ if order.paused => EvacuationState::Paused,
        _ => EvacuationState::Evacuating,
    };
    let known = report.forecast.is_some();
    let (eta_s, late_s, help) = match report.forecast {
        None | Some(Forecast::Unknown) => (None, None, None),
        Some(Forecast::InTime { seconds }) => (Some(seconds), Some(0), None),
        Some(Forecast::Late { seconds, late_s, help }) => {
            let help = EvacuationHelp {
                bandwidth_percent: help.bandwidth_percent,
                budget_of: report.budget_of.clone(),
                rebuilding_s: help.rebuilding_s,
                safe_s: help.safe_s,
            };
            (Some(seconds), Some(late_s), Some(help))
        }
    };
    Evacuation {
        order: order.id.to_string(),
        state,
        ordered: Time(order.ordered_us),
        by: Time(order.by_us),
        packs_left: known.then_some(report.packs_left),
        objects_left: known.then_some(report.objects_left),
        bytes_left: known.then_some(report.bytes_left),
        eta_s,
        late_s,
        help,
        unproven: report.unproven,
        certificate: order.evacuated.map(|done| Certificate {
            at: Time(done.at_us),
            packs_read: done.packs_read,
            packs_listed: done.packs_listed,
            objects_read: done.objects_read,
            objects_listed: done.objects_listed,
        }),
    }
}
