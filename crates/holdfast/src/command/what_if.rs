//! `holdfast what-if`: what would be left without some providers, and what repair would take.

use std::process::ExitCode;

use serde_json::Value;

use super::fleet::{bytes, text};
use crate::{client::batch::line, error::Result, operator::Question, reach::Reach, time};

/// Shows what would be left if providers vanished now, all at once, and what repair would take; nothing is changed.
#[derive(clap::Args)]
pub struct Args {
    /// The providers' names, as `holdfast fleet` shows them.
    #[arg(value_name = "PROVIDER", required = true)]
    providers: Vec<String>,
    #[command(flatten)]
    reach: Reach,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let answer = args.reach.ask(Question::WhatIf { providers: args.providers.clone() }).await?;
    if args.json {
        line(&answer.to_string());
    } else {
        line(&format!("without {}:", args.providers.join(" and ")));
        fields(&answer).iter().filter(|said| !said.trim_start().starts_with("provider")).for_each(|said| line(said));
        repair(&answer["repair"]).iter().for_each(|said| line(said));
        second_target(&answer).iter().for_each(|said| line(said));
    }
    Ok(ExitCode::SUCCESS)
}

/// Every figure of a flat report on a line of its own: `files_unreadable` becomes `files unreadable`.
pub fn fields(report: &Value) -> Vec<String> {
    let plain = |(_, value): &(&String, &Value)| !(value.is_object() || value.is_array() || value.is_null());
    let fields = report.as_object().into_iter().flatten().filter(plain);
    fields.map(|(name, value)| format!("  {:<24} {}", name.replace('_', " "), text(value))).collect()
}

/// What repair would take then. What nobody knows is said to be unknown.
fn repair(forecast: &Value) -> Vec<String> {
    let count = |field: &str| forecast[field].as_u64().unwrap_or(0);
    let mut said = Vec::new();
    let (packs, records) = (count("packs"), count("records"));
    if packs + records > 0 {
        let (read, write) = (bytes(count("read_bytes")), bytes(count("write_bytes")));
        said.push(format!("repair: {packs} packs and {records} records; at most {read} read, {write} written"));
        let took = |field: &str| forecast[field].as_u64().map(time::span);
        let within = forecast["budget_of"].as_str().map_or_else(
            || "upkeep's limit".to_owned(),
            |firm| format!("the budget of {firm} (holdfast provider budget)"),
        );
        said.push(match (took("limit_s"), took("measured_s")) {
            (Some(limit), Some(measured)) => {
                format!("it takes {limit} within {within}, {measured} at the last speed")
            }
            (Some(limit), None) => format!("it takes {limit} within {within}; how fast it is was never measured"),
            (None, Some(measured)) => format!("it takes {measured} at the last speed"),
            (None, None) => "how long it takes is unknown: no limit holds it, and none was measured".to_owned(),
        });
        let used_up: Vec<_> = forecast["uses_up"].as_array().into_iter().flatten().map(text).collect();
        if !used_up.is_empty() {
            let firms = used_up.join(" and ");
            said.push(format!(
                "it uses up this month's budget of {firms}, and does not wait for it: scrub and filling do then"
            ));
        }
        said.push(cost(forecast));
    }
    let stuck = count("stuck");
    if stuck > 0 {
        said.push(format!("{stuck} packs and records would stay below settled: too few firms are left for them"));
    }
    let gone = count("gone");
    if gone > 0 {
        said.push(format!("{gone} packs and records could not be made again: too little is left of them"));
    }
    said
}

fn cost(forecast: &Value) -> String {
    let Some(costs) = forecast["costs"].as_array() else {
        let firms: Vec<_> = forecast["unpriced"].as_array().into_iter().flatten().map(text).collect();
        return format!(
            "what it costs is unknown: give the prices of {} (holdfast provider price)",
            firms.join(" and ")
        );
    };
    let each = costs.iter().map(|cost| {
        let currency = text(&cost["currency"]);
        let (once, month) = (text(&cost["once"]), text(&cost["storing_month"]));
        format!("{once} {currency} once, {month} {currency} a month for what is stored more")
    });
    format!("it costs {}", each.collect::<Vec<_>>().join("; "))
}

/// Where a second target would help then: two firms that are left must keep two copies each of names and keys.
fn second_target(answer: &Value) -> Option<String> {
    let firms: Vec<_> = answer["second_target_helps"].as_array().into_iter().flatten().map(text).collect();
    (!firms.is_empty()).then(|| {
        format!(
            "names and keys would be safe, and settled only with a second target at {} (holdfast target add)",
            firms.join(" and at ")
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{fields, repair, second_target};

    #[test]
    fn what_repair_takes_is_said_and_what_is_not_known_is_unknown() {
        let forecast = json!({
            "packs": 3, "records": 1, "read_bytes": 6_000_000, "write_bytes": 2_000_000, "stuck": 0, "gone": 0,
            "limit_s": null, "measured_s": null, "costs": null, "unpriced": ["amber", "birch"],
        });
        let said = repair(&forecast).join("\n");
        for expected in [
            "3 packs and 1 records; at most 6.0 MB read, 2.0 MB written",
            "how long it takes is unknown",
            "give the prices of amber and birch",
        ] {
            assert!(said.contains(expected), "{expected}\n{said}");
        }
        let mut known = forecast;
        known["limit_s"] = json!(7_200);
        known["costs"] = json!([{"currency": "EUR", "once": "0.50", "storing_month": "1.20"}]);
        known["gone"] = json!(2);
        known["uses_up"] = json!(["birch"]);
        let mut narrow = known.clone();
        narrow["budget_of"] = json!("amber");
        let said = repair(&narrow).join("\n");
        assert!(
            said.contains("it takes 2 h within the budget of amber") && said.contains("budget of birch,"),
            "{said}"
        );
        let said = repair(&known).join("\n");
        for expected in [
            "within upkeep's limit; how fast it is was never measured",
            "0.50 EUR once, 1.20 EUR a month",
            "2 packs and records could not be made again",
        ] {
            assert!(said.contains(expected), "{expected}\n{said}");
        }
        assert!(repair(&json!({"packs": 0, "records": 0})).is_empty(), "nothing to do");
    }

    #[test]
    fn figures_are_lines() {
        let lines = fields(&json!({"files_unreadable": 2, "margin": 1, "providers": []}));
        assert_eq!(lines, ["  files unreadable         2", "  margin                   1"]);
    }

    #[test]
    fn a_firm_with_one_target_is_named() {
        assert_eq!(second_target(&json!({"second_target_helps": []})), None);
        let said = second_target(&json!({"second_target_helps": ["birch", "cedar"]})).unwrap_or_default();
        assert!(said.contains("a second target at birch and at cedar"), "{said}");
    }
}
