//! Shapes of what an operator asks beyond how things stand: what would be, and what was.

use std::collections::BTreeMap;

use model::id::ProviderId;
use serde::Serialize;
use service::{HourRow, WhatIfReport};
use utoipa::ToSchema;

use crate::api::word::Time;

const HOUR_US: i64 = 3_600_000_000;

/// What would be left without some providers.
#[derive(Serialize, ToSchema)]
pub struct WhatIf {
    /// The first of those that were named.
    provider: String,
    /// All that were named.
    providers: Vec<String>,
    files_unreadable: u64,
    files_below_safe: u64,
    files_below_settled: u64,
    /// How many packs have the margin 0, 1, and so on.
    packs_by_margin: Vec<u64>,
    packs_unreadable: u64,
    records_unreadable: u64,
    records_below_safe: u64,
    /// How many more providers may go then, whichever they are. None: something lacks bytes, or nothing is kept.
    margin: Option<usize>,
    /// That a pack written then would get, as `4+2`; none: nothing could be written.
    scheme: Option<String>,
    /// Providers at which a second target would make it better.
    second_target_helps: Vec<String>,
    repair: RepairForecast,
}

/// What it takes to settle everything on the providers that are left: an upper bound.
#[derive(Serialize, ToSchema)]
struct RepairForecast {
    /// Packs that get new lanes.
    packs: u64,
    /// Copied objects (names, keys, journal) that get new copies.
    records: u64,
    read_bytes: u64,
    write_bytes: u64,
    /// Packs and copied objects that would stay below settled, for want of firms.
    stuck: u64,
    /// Packs and copied objects that too little is left of.
    gone: u64,
    /// Within the bandwidth limit of upkeep and the budgets of firms. None: none holds it, as there is none, or all that is moved
    /// is below safe, which waits for none.
    limit_s: Option<u64>,
    /// The provider whose budget of bytes a second makes that longer than the limit of all upkeep does.
    budget_of: Option<String>,
    /// The providers whose budget of the month it would use up. It waits for none of them; scrub and filling do then.
    uses_up: Vec<String>,
    /// At the speed of the last repair. None: none was measured.
    measured_s: Option<u64>,
    /// By currency. None: a price is not known.
    costs: Option<Vec<RepairCost>>,
    /// The providers whose prices are not known.
    unpriced: Vec<String>,
}

/// What repair costs in one currency.
#[derive(Serialize, ToSchema)]
struct RepairCost {
    currency: Option<String>,
    /// What is fetched and asked for.
    once: String,
    /// What is stored more, for a month.
    storing_month: String,
}

/// What would be left without some providers.
pub fn what_if(providers: Vec<String>, report: WhatIfReport) -> WhatIf {
    let effort = &report.effort;
    let cost = |cost: service::RepairCost| RepairCost {
        currency: cost.currency,
        once: cost.once.to_string(),
        storing_month: cost.storing_month.to_string(),
    };
    let repair = RepairForecast {
        packs: effort.packs,
        records: effort.objects,
        read_bytes: effort.read_bytes(),
        write_bytes: effort.write_bytes(),
        stuck: effort.stuck,
        gone: effort.gone,
        limit_s: report.at_limit_s,
        budget_of: report.budget_of,
        uses_up: report.uses_up,
        measured_s: report.at_measured_s,
        costs: report.costs.map(|costs| costs.into_iter().map(cost).collect()),
        unpriced: report.unpriced,
    };
    WhatIf {
        provider: providers.first().cloned().unwrap_or_default(),
        providers,
        files_unreadable: report.files_unreadable,
        files_below_safe: report.files_below_safe,
        files_below_settled: report.files_below_settled,
        packs_by_margin: report.packs_by_margin,
        packs_unreadable: report.packs_unreadable,
        records_unreadable: report.records_unreadable,
        records_below_safe: report.records_below_safe,
        margin: report.margin,
        scheme: report.scheme.map(|scheme| scheme.to_string()),
        second_target_helps: report.second_target_helps,
        repair,
    }
}

/// How the fleet stood, hour by hour.
#[derive(Serialize, ToSchema)]
pub struct Trend {
    /// Names of the providers by the ids that `stored_bytes` has; who left is not in here.
    providers: BTreeMap<String, String>,
    /// Oldest first; an hour in which the service did not run is missing.
    hours: Vec<Hour>,
}

/// How the fleet stood in an hour.
#[derive(Serialize, ToSchema)]
struct Hour {
    /// When it began.
    hour: Time,
    counted_at: Time,
    /// None: something lacked bytes, or nothing was kept.
    margin: Option<u64>,
    packs: u64,
    packs_by_margin: Vec<u64>,
    packs_unreadable: u64,
    packs_below_safe: u64,
    packs_below_settled: u64,
    files_unreadable: u64,
    files_below_safe: u64,
    files_below_settled: u64,
    /// Bytes that repair would have read and written to settle everything.
    backlog_bytes: u64,
    /// By provider.
    stored_bytes: BTreeMap<String, u64>,
}

/// How the fleet stood, hour by hour.
pub fn trend(names: &BTreeMap<ProviderId, String>, hours: Vec<HourRow>) -> Trend {
    let hour = |row: HourRow| Hour {
        hour: Time(row.hour.saturating_mul(HOUR_US)),
        counted_at: Time(row.counted_us),
        margin: row.margin,
        packs: row.packs,
        packs_by_margin: row.by_margin,
        packs_unreadable: row.packs_unreadable,
        packs_below_safe: row.packs_below_safe,
        packs_below_settled: row.packs_below_settled,
        files_unreadable: row.files_unreadable,
        files_below_safe: row.files_below_safe,
        files_below_settled: row.files_below_settled,
        backlog_bytes: row.backlog_bytes,
        stored_bytes: row.stored.into_iter().map(|(provider, bytes)| (provider.to_string(), bytes)).collect(),
    };
    Trend {
        providers: names.iter().map(|(id, name)| (id.to_string(), name.clone())).collect(),
        hours: hours.into_iter().map(hour).collect(),
    }
}
