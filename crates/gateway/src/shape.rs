//! Answers to an operator's questions as JSON: the one place where these shapes are written, for the HTTP interface and for
//! commands that ask a data folder directly.

use std::collections::BTreeMap;

use model::{
    account::{KitRow, Role},
    fleet::TargetState,
    plans::PlanRow,
};
use serde_json::{Value, json};
use service::{
    FleetReport, JobReport, NewKit, Person, ProviderReport, ScrubReport, Spending, TargetReport, WhatIfReport,
};

use crate::header::date::rfc3339;

/// How the fleet stands.
pub fn fleet(report: &FleetReport) -> Value {
    json!({
        "cluster": report.cluster.to_string(),
        "epoch": report.epoch,
        "scheme": report.scheme.map(|scheme| scheme.to_string()),
        "trial": report.trial,
        "month": report.month.to_string(),
        "providers": report.providers.iter().map(provider).collect::<Vec<_>>(),
        "files_below_safe": report.files_below_safe,
        "files_below_settled": report.files_below_settled,
        "files_unreadable": report.files_unreadable,
        "packs_below_safe": report.packs_below_safe,
        "packs_below_settled": report.packs_below_settled,
        "records_below_safe": report.records_below_safe,
        "records_below_settled": report.records_below_settled,
        "key_copies": report.key_copies,
        "kits_untested": report.kits_untested,
        "operator_kit": {
            "made": report.operator_kit.made_us.map(rfc3339),
            "current": report.operator_kit.is_current,
        },
        "journal_objects": report.journal_objects,
        "unpacked_files": report.unpacked_files,
        "jobs": report.jobs.iter().map(job).collect::<Vec<_>>(),
        "findings": report.findings,
    })
}

fn provider(provider: &ProviderReport) -> Value {
    json!({
        "id": provider.id.to_string(),
        "name": provider.name,
        "state": state(provider.state),
        "targets": provider.targets.iter().map(target).collect::<Vec<_>>(),
        "spending": spending(&provider.spending),
    })
}

/// What a provider was asked for this month; `null` is unknown.
fn spending(spending: &Spending) -> Value {
    let (price, cost) = (&spending.price, &spending.cost);
    json!({
        "requests": spending.requests().map(|all| all.into_iter().collect::<BTreeMap<_, _>>()),
        "in_bytes": spending.traffic.map(|traffic| traffic.in_bytes),
        "out_bytes": spending.traffic.map(|traffic| traffic.out_bytes),
        "stored_bytes": spending.stored_bytes,
        "price": {
            "tb_month": price.tb_month.map(|money| money.to_string()),
            "gb_out": price.gb_out.map(|money| money.to_string()),
            "million_requests": price.million_requests.map(|money| money.to_string()),
            "minimum_days": price.minimum_days,
            "currency": price.currency,
        },
        "cost_storing_month": cost.storing_month.map(|money| money.to_string()),
        "cost_so_far": cost.so_far.map(|money| money.to_string()),
    })
}

fn target(target: &TargetReport) -> Value {
    json!({
        "id": target.id.to_string(),
        "address": target.address,
        "state": state(target.state),
        "free_bytes": target.free_bytes,
        "note": target.note,
    })
}

fn job(job: &JobReport) -> Value {
    json!({
        "kind": job.kind,
        "done_bytes": job.done_bytes,
        "total_bytes": job.total_bytes,
        "note": job.note,
        "eta_s": job.eta_s,
    })
}

const fn state(state: TargetState) -> &'static str {
    match state {
        TargetState::Up => "up",
        TargetState::Down => "down",
        TargetState::Suspect => "suspect",
        TargetState::Lost => "lost",
        TargetState::Retired => "retired",
    }
}

/// What would be left without a provider.
pub fn what_if(provider: &str, report: &WhatIfReport) -> Value {
    json!({
        "provider": provider,
        "files_unreadable": report.files_unreadable,
        "files_below_safe": report.files_below_safe,
        "files_below_settled": report.files_below_settled,
        "packs_by_margin": report.packs_by_margin,
        "packs_unreadable": report.packs_unreadable,
        "records_unreadable": report.records_unreadable,
        "second_target_helps": report.second_target_helps,
    })
}

/// What a scrub found.
pub fn scrub(report: &ScrubReport) -> Value {
    json!({
        "cells_checked": report.cells_checked,
        "damaged": report.damaged,
        "missing": report.missing,
        "repaired": report.repaired,
    })
}

/// A new kit: its row, and what goes into it beside its secret.
pub fn new_kit(new: &NewKit) -> Value {
    let addresses = new
        .addresses
        .iter()
        .map(|(provider, driver, address)| json!({ "provider": provider, "driver": driver, "address": address }));
    let mut value = kit(&new.kit);
    value["cluster"] = new.cluster.to_string().into();
    value["account"] = new.account.to_string().into();
    value["addresses"] = addresses.collect();
    value
}

/// An account's kits.
pub fn kits(rows: &[KitRow]) -> Value {
    json!({ "kits": rows.iter().map(kit).collect::<Vec<_>>() })
}

fn kit(row: &KitRow) -> Value {
    json!({
        "id": row.id.to_string(),
        "recipient": row.recipient,
        "made": rfc3339(row.made_us),
        "revoked": row.revoked_us.map(rfc3339),
        "tested": row.tested_us.map(rfc3339),
    })
}

/// Accounts as an operator sees them.
pub fn people(all: &[Person]) -> Value {
    let person = |person: &Person| {
        json!({
            "name": person.account.name,
            "role": role(person.role),
            "managed": person.account.managed,
            "made": rfc3339(person.account.made_us),
            "suspended": person.suspended_us.map(rfc3339),
            "signs_in": person.signs_in,
            "second_factor": person.second_factor,
            "used_bytes": person.used_bytes,
            "quota_bytes": person.quota_bytes,
            "plan": person.plan,
            "leaves": crate::api::time(person.leaves_us),
        })
    };
    json!({ "accounts": all.iter().map(person).collect::<Vec<_>>() })
}

/// Plans, with how many accounts have each.
pub fn plans(all: &[(PlanRow, u64)]) -> Value {
    json!({ "plans": all.iter().map(|(row, count)| plan(row, *count)).collect::<Vec<_>>() })
}

/// One plan.
pub fn plan(row: &PlanRow, accounts: u64) -> Value {
    json!({
        "name": row.name,
        "space_bytes": row.space_bytes,
        "file_bytes": row.file_bytes,
        "keep_days": row.keep_days,
        "link_bytes_per_day": row.link_bytes_per_day,
        "guest_bytes_per_s": row.guest_bytes_per_s,
        "accounts": accounts,
    })
}

/// A role as the interface names it.
pub const fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Operator => "operator",
    }
}
