//! Answers to an operator's questions: the one place where these shapes are written, for the HTTP interface and for
//! commands that ask a data folder directly.

use std::collections::BTreeMap;

use model::{account::KitRow, fleet, outgoing::EventKind, plans::PlanRow};
use serde::Serialize;
use serde_json::{Value, json};
use service::{FleetReport, JobReport, Parcel, Person, ProviderReport, ScrubReport, TargetReport, base64};
use utoipa::ToSchema;

use crate::{
    api::word::{RoleWord, Time},
    header::date::rfc3339,
};

mod console;
mod drilled;
mod jobs;
mod orders;
pub mod staged;

pub use console::{Trend, WhatIf, trend, what_if};
pub use drilled::{Drilled, drilled};
pub use jobs::{UpkeepJob, UpkeepJobs, upkeep_job, upkeep_jobs};
pub use orders::{Evacuation, Ordered, ordered};

/// How the fleet stands.
#[derive(Serialize, ToSchema)]
pub struct Fleet {
    cluster: String,
    epoch: u64,
    /// That a pack written now gets, as `4+2`; none: nothing can be written.
    scheme: Option<String>,
    /// Whether all providers share one disk.
    trial: bool,
    /// The calendar month that runs, as `2026-04`.
    month: String,
    providers: Vec<Provider>,
    /// When what follows was counted.
    counted_at: Time,
    /// Whether the fleet changed since; it is counted again.
    stale: bool,
    /// How many providers may go, whichever they are. None: something lacks bytes already, or nothing is kept.
    margin: Option<usize>,
    files_below_safe: u64,
    files_below_settled: u64,
    files_unreadable: u64,
    packs: u64,
    /// How many packs have the margin 0, 1, and so on.
    packs_by_margin: Vec<u64>,
    packs_below_safe: u64,
    packs_below_settled: u64,
    records_below_safe: u64,
    records_below_settled: u64,
    /// Bytes that repair would read and write to settle everything.
    backlog_bytes: u64,
    /// Good copies of the envelope that has fewest.
    key_copies: u64,
    kits_untested: u64,
    operator_kit: OperatorKit,
    journal_objects: u64,
    unpacked_files: u64,
    /// Upkeep that runs now.
    jobs: Vec<Job>,
    /// What upkeep could not do, for people.
    findings: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct OperatorKit {
    made: Option<Time>,
    /// Whether all that it should hold is in it.
    current: bool,
}

#[derive(Serialize, ToSchema)]
struct Provider {
    id: String,
    name: String,
    /// What a person said of it: whose it is, where, how it is paid, its prices.
    labels: BTreeMap<String, String>,
    state: TargetState,
    targets: Vec<Target>,
    spending: Spending,
    /// The last drill without it.
    last_drill: Option<Drilled>,
    without: Without,
}

/// What the loss of a provider, with all that have its owner, would do. Each count includes the worse ones.
#[derive(Serialize, ToSchema)]
struct Without {
    files_unreadable: u64,
    files_below_safe: u64,
    packs_unreadable: u64,
    packs_below_safe: u64,
    records_unreadable: u64,
    records_below_safe: u64,
}

impl From<service::Without> for Without {
    fn from(without: service::Without) -> Self {
        let service::Without { files, packs, records } = without;
        Self {
            files_unreadable: files.unreadable,
            files_below_safe: files.below_safe,
            packs_unreadable: packs.unreadable,
            packs_below_safe: packs.below_safe,
            records_unreadable: records.unreadable,
            records_below_safe: records.below_safe,
        }
    }
}

/// What a provider was asked for this month, and what that costs. None: unknown.
#[derive(Serialize, ToSchema)]
struct Spending {
    /// By kind.
    requests: Option<BTreeMap<&'static str, u64>>,
    in_bytes: Option<u64>,
    out_bytes: Option<u64>,
    stored_bytes: u64,
    price: Price,
    cost_storing_month: Option<String>,
    cost_so_far: Option<String>,
    budget: Budget,
    /// Which budget of the month is used up, in words: work that can wait leaves the provider alone until the next month.
    used_up: Option<String>,
}

/// What upkeep may ask of a provider. None: no limit.
#[derive(Serialize, ToSchema)]
struct Budget {
    bytes_per_s: Option<u64>,
    requests_month: Option<u64>,
    month: Option<String>,
}

/// What a provider asks. None: unknown.
#[derive(Serialize, ToSchema)]
struct Price {
    tb_month: Option<String>,
    gb_out: Option<String>,
    million_requests: Option<String>,
    minimum_days: Option<u32>,
    currency: Option<String>,
}

/// A place that keeps shards.
#[derive(Serialize, ToSchema)]
pub struct Target {
    id: String,
    address: String,
    state: TargetState,
    free_bytes: Option<u64>,
    /// Bytes that lie there by the records.
    stored_bytes: u64,
    note: String,
    /// It takes no new shards: somebody ordered it, or it is being left.
    cordoned: bool,
    evacuation: Option<Evacuation>,
    /// Its end was ordered: its shards leave the records.
    retiring: bool,
}

/// Something that upkeep does now.
#[derive(Serialize, ToSchema)]
struct Job {
    kind: &'static str,
    done_bytes: u64,
    total_bytes: u64,
    note: String,
    eta_s: Option<u64>,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum TargetState {
    Up,
    Down,
    Suspect,
    Lost,
    Retired,
}

impl From<fleet::TargetState> for TargetState {
    fn from(state: fleet::TargetState) -> Self {
        match state {
            fleet::TargetState::Up => Self::Up,
            fleet::TargetState::Down => Self::Down,
            fleet::TargetState::Suspect => Self::Suspect,
            fleet::TargetState::Lost => Self::Lost,
            fleet::TargetState::Retired => Self::Retired,
        }
    }
}

/// How the fleet stands.
pub fn fleet(report: FleetReport) -> Fleet {
    Fleet {
        cluster: report.cluster.to_string(),
        epoch: report.epoch,
        scheme: report.scheme.map(|scheme| scheme.to_string()),
        trial: report.trial,
        month: report.month.to_string(),
        providers: report.providers.into_iter().map(provider).collect(),
        counted_at: Time(report.counted_us),
        stale: report.is_stale,
        margin: report.margin,
        files_below_safe: report.files_below_safe,
        files_below_settled: report.files_below_settled,
        files_unreadable: report.files_unreadable,
        packs: report.packs,
        packs_by_margin: report.packs_by_margin,
        packs_below_safe: report.packs_below_safe,
        packs_below_settled: report.packs_below_settled,
        records_below_safe: report.records_below_safe,
        records_below_settled: report.records_below_settled,
        backlog_bytes: report.backlog_bytes,
        key_copies: report.key_copies,
        kits_untested: report.kits_untested,
        operator_kit: OperatorKit {
            made: report.operator_kit.made_us.map(Time),
            current: report.operator_kit.is_current,
        },
        journal_objects: report.journal_objects,
        unpacked_files: report.unpacked_files,
        jobs: report.jobs.into_iter().map(job).collect(),
        findings: report.findings,
    }
}

fn provider(provider: ProviderReport) -> Provider {
    let spending = provider.spending;
    let requests = spending.requests().map(|all| all.into_iter().collect());
    let (traffic, price, cost) = (spending.traffic, spending.price, spending.cost);
    Provider {
        id: provider.id.to_string(),
        name: provider.name,
        state: provider.state.into(),
        labels: provider.labels.into_iter().collect(),
        targets: provider.targets.into_iter().map(target).collect(),
        spending: Spending {
            requests,
            in_bytes: traffic.map(|traffic| traffic.in_bytes),
            out_bytes: traffic.map(|traffic| traffic.out_bytes),
            stored_bytes: spending.stored_bytes,
            price: Price {
                tb_month: price.tb_month.map(|money| money.to_string()),
                gb_out: price.gb_out.map(|money| money.to_string()),
                million_requests: price.million_requests.map(|money| money.to_string()),
                minimum_days: price.minimum_days,
                currency: price.currency,
            },
            cost_storing_month: cost.storing_month.map(|money| money.to_string()),
            cost_so_far: cost.so_far.map(|money| money.to_string()),
            budget: Budget {
                bytes_per_s: spending.budget.bytes_per_s,
                requests_month: spending.budget.requests_month,
                month: spending.budget.month.map(|money| money.to_string()),
            },
            used_up: spending.used_up.map(|used_up| used_up.to_string()),
        },
        last_drill: provider.last_drill.map(drilled),
        without: provider.without.into(),
    }
}

/// A target as it is seen now.
pub fn target(target: TargetReport) -> Target {
    Target {
        id: target.id.to_string(),
        address: target.address,
        state: target.state.into(),
        free_bytes: target.free_bytes,
        stored_bytes: target.stored_bytes,
        note: target.note,
        cordoned: target.cordoned,
        evacuation: target.evacuation.map(orders::evacuation),
        retiring: target.retiring,
    }
}

fn job(job: JobReport) -> Job {
    Job { kind: job.kind, done_bytes: job.done_bytes, total_bytes: job.total_bytes, note: job.note, eta_s: job.eta_s }
}

/// What a scrub found, in cells and shards.
#[derive(Serialize, ToSchema)]
pub struct Scrubbed {
    cells_checked: u64,
    damaged: u64,
    missing: u64,
    repaired: u64,
}

/// What a scrub found.
pub fn scrub(report: &ScrubReport) -> Scrubbed {
    let ScrubReport { cells_checked, damaged, missing, repaired } = *report;
    Scrubbed { cells_checked, damaged, missing, repaired }
}

/// What came of adding or changing a provider.
#[derive(Serialize, ToSchema)]
pub struct ProviderSet {
    /// Its name.
    pub provider: String,
    /// Whether there was none of this name.
    pub new: bool,
}

/// A target that was tried and added.
#[derive(Serialize, ToSchema)]
pub struct TargetJoined {
    /// Its provider's name.
    pub provider: String,
    /// Where it is.
    pub address: String,
    /// As far as the target says.
    pub free_bytes: Option<u64>,
    /// What it can.
    pub abilities: Abilities,
}

/// What a target can.
#[derive(Serialize, ToSchema)]
pub struct Abilities {
    /// A new name is there after a loss of power.
    pub durable_rename: bool,
    /// Something that is there is never overwritten.
    pub no_clobber: bool,
    /// It compares a checksum before it takes something.
    pub server_checksum: bool,
    /// It keeps what it took for as long as it was told.
    pub lock: bool,
    /// It says how much room there is.
    pub free_space: bool,
}

/// A target that has another login.
#[derive(Serialize, ToSchema)]
pub struct LoginSet {
    /// Where it is.
    pub address: String,
}

/// An account's kits.
#[derive(Serialize, ToSchema)]
pub struct Kits {
    kits: Vec<Kit>,
}

/// A recovery kit, as far as a service may know it.
#[derive(Serialize, ToSchema)]
struct Kit {
    id: String,
    /// The public half of its secret, `age1…`.
    recipient: String,
    made: Time,
    revoked: Option<Time>,
    tested: Option<Time>,
}

/// A kit just added, with what goes onto its page beside the secret.
#[derive(Serialize, ToSchema)]
pub struct NewKit {
    #[serde(flatten)]
    kit: Kit,
    cluster: String,
    account: String,
    /// Where shards lie today.
    addresses: Vec<Place>,
}

/// Where a target is, and how it is spoken to.
#[derive(Serialize, ToSchema)]
struct Place {
    provider: String,
    driver: String,
    address: String,
}

/// A new kit: its row, and what goes into it beside its secret.
pub fn new_kit(new: service::NewKit) -> NewKit {
    let place = |(provider, driver, address)| Place { provider, driver, address };
    NewKit {
        kit: kit(new.kit),
        cluster: new.cluster.to_string(),
        account: new.account.to_string(),
        addresses: new.addresses.into_iter().map(place).collect(),
    }
}

/// An account's kits.
pub fn kits(rows: Vec<KitRow>) -> Kits {
    Kits { kits: rows.into_iter().map(kit).collect() }
}

fn kit(row: KitRow) -> Kit {
    Kit {
        id: row.id.to_string(),
        recipient: row.recipient,
        made: Time(row.made_us),
        revoked: row.revoked_us.map(Time),
        tested: row.tested_us.map(Time),
    }
}

/// Accounts as an operator sees them.
#[derive(Serialize, ToSchema)]
pub struct People {
    accounts: Vec<PersonLine>,
}

/// An account as an operator sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Person)]
struct PersonLine {
    name: String,
    role: RoleWord,
    /// Whether the service itself has the account's key.
    managed: bool,
    made: Time,
    suspended: Option<Time>,
    /// Whether it has a password.
    signs_in: bool,
    second_factor: bool,
    used_bytes: u64,
    /// None: no limit.
    quota_bytes: Option<u64>,
    plan: Option<String>,
    /// When it is erased, with all its files.
    leaves: Option<Time>,
}

/// Accounts as an operator sees them.
pub fn people(all: Vec<Person>) -> People {
    let line = |person: Person| PersonLine {
        name: person.account.name,
        role: person.role.into(),
        managed: person.account.managed,
        made: Time(person.account.made_us),
        suspended: person.suspended_us.map(Time),
        signs_in: person.signs_in,
        second_factor: person.second_factor,
        used_bytes: person.used_bytes,
        quota_bytes: person.quota_bytes,
        plan: person.plan,
        leaves: person.leaves_us.map(Time),
    };
    People { accounts: all.into_iter().map(line).collect() }
}

/// Plans, with how many accounts have each.
#[derive(Serialize, ToSchema)]
pub struct Plans {
    plans: Vec<Plan>,
}

/// A named set of limits. None: not limited.
#[derive(Serialize, ToSchema)]
pub struct Plan {
    name: String,
    space_bytes: Option<u64>,
    /// Of one file.
    file_bytes: Option<u64>,
    /// After which a file goes to the trash.
    keep_days: Option<u32>,
    link_bytes_per_day: Option<u64>,
    guest_bytes_per_s: Option<u64>,
    /// How many have it.
    accounts: u64,
}

/// Plans, with how many accounts have each.
pub fn plans(all: &[(PlanRow, u64)]) -> Plans {
    Plans { plans: all.iter().map(|(row, count)| plan(row, *count)).collect() }
}

/// One plan.
pub fn plan(row: &PlanRow, accounts: u64) -> Plan {
    Plan {
        name: row.name.clone(),
        space_bytes: row.space_bytes,
        file_bytes: row.file_bytes,
        keep_days: row.keep_days,
        link_bytes_per_day: row.link_bytes_per_day,
        guest_bytes_per_s: row.guest_bytes_per_s,
        accounts,
    }
}

/// An event's name.
pub const fn event_word(kind: EventKind) -> &'static str {
    match kind {
        EventKind::FileStored => "file.stored",
        EventKind::ShareMade => "share.made",
        EventKind::ShareChanged => "share.changed",
        EventKind::ShareEnded => "share.ended",
        EventKind::RequestReceived => "request.received",
        EventKind::NoticeWaits => "notice.waits",
    }
}

/// What a webhook is told: the body of its request. Nothing secret is in it; a link is named by its id, which opens nothing.
pub fn event(parcel: &Parcel) -> Value {
    json!({
        "type": parcel.kind.map_or("test", event_word),
        "timestamp": rfc3339(parcel.at_us),
        "data": {
            "path": parcel.path,
            "size": parcel.size,
            "id": parcel.entry.map(|id| id.to_string()),
            "version": parcel.version.map(|id| id.to_string()),
            "share": parcel.share.map(|id| id.to_string()),
        },
    })
}

/// A webhook's secret as its owner is shown it. Source: Standard Webhooks 1.0, "Signature scheme".
pub fn webhook_secret(secret: &[u8; 32]) -> String {
    format!("whsec_{}", base64::encode(secret))
}

/// A signature by HMAC-SHA256 as its header says it. Source: as [`webhook_secret`].
pub fn webhook_signature(mac: &[u8]) -> String {
    format!("v1,{}", base64::encode(mac))
}
