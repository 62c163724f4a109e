//! `holdfast fleet`: providers, targets, what is below its promise, jobs; and reading the configuration again.

mod trend;

use std::{path::PathBuf, process::ExitCode};

use serde_json::Value;

use crate::{
    client::{batch::line, path::shown},
    error::{Error, Result},
    operator::Question,
    reach::Reach,
    time,
};

/// What is counted in the report, and what it is called for people. Zero is good for all of them.
const BELOW: [(&str, &str); 8] = [
    ("files_unreadable", "files unreadable"),
    ("files_below_safe", "files below safe"),
    ("files_below_settled", "files below settled"),
    ("packs_below_safe", "packs below safe"),
    ("packs_below_settled", "packs below settled"),
    ("records_below_safe", "records below safe"),
    ("records_below_settled", "records below settled"),
    ("kits_untested", "kits untested"),
];

/// Shows how providers, targets, files and jobs stand.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    reach: Reach,
    /// The report as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Reads the configuration again: new providers and targets join without a restart (as SIGHUP does).
    Reload {
        #[command(flatten)]
        reach: Reach,
    },
    /// Brings the providers and targets of a configuration file in, once; from then on the catalogue alone says who belongs to
    /// the fleet.
    Import {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        reach: Reach,
    },
    /// Shows how margin, backlog and bytes stood, hour by hour.
    Trend {
        /// How many days back; 400 are kept.
        #[arg(long, value_name = "DAYS", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=400))]
        days: u16,
        #[command(flatten)]
        reach: Reach,
        /// The answer as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    if let Some(verb) = args.verb {
        let answer = match verb {
            Verb::Reload { reach } => reach.ask(Question::Reload).await?,
            Verb::Import { file, reach } => {
                let file = std::path::absolute(&file).map_err(|error| Error::io("reading", &file, &error))?;
                reach.ask(Question::FleetImport { file }).await?
            }
            Verb::Trend { days, reach, json } => return trend::run(days, &reach, json).await,
        };
        let opened: Vec<_> = answer["opened"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        line(&if opened.is_empty() { "nothing new".to_owned() } else { format!("joined: {}", opened.join(", ")) });
        return Ok(ExitCode::SUCCESS);
    }
    let report = args.reach.ask(Question::Fleet).await?;
    if args.json {
        line(&report.to_string());
    } else {
        table(&report).iter().for_each(|text| line(text));
    }
    Ok(ExitCode::SUCCESS)
}

/// The report for people.
fn table(report: &Value) -> Vec<String> {
    let trial = report["trial"] == Value::Bool(true);
    let mut lines = vec![format!("{:<16} {:<14} {:>10}  target", "provider", "state", "free")];
    for provider in each(&report["providers"]) {
        for target in each(&provider["targets"]) {
            let state = text(&target["state"]) + if trial { " (trial)" } else { "" };
            let note = text(&target["note"]);
            let note = if note.is_empty() { note } else { format!("  ({note})") };
            let free = target["free_bytes"].as_u64().map_or_else(|| "-".to_owned(), bytes);
            lines.push(format!(
                "{:<16} {state:<14} {free:>10}  {}{note}",
                text(&provider["name"]),
                text(&target["address"])
            ));
        }
    }
    lines.extend(remedy(report));
    lines.push(String::new());
    lines.push(match report["scheme"].as_str() {
        Some(scheme) => format!("scheme {}, {} key copies", shown(scheme), text(&report["key_copies"])),
        None => format!("{} key copies", text(&report["key_copies"])),
    });
    let below: Vec<_> = BELOW
        .iter()
        .filter_map(|(field, words)| {
            report[*field].as_u64().filter(|count| *count > 0).map(|count| format!("{count} {words}"))
        })
        .collect();
    lines.push(if below.is_empty() { "everything is settled".to_owned() } else { below.join(", ") });
    lines.extend(operator_kit(&report["operator_kit"], trial));
    lines.extend(spending(report));
    lines.extend(each(&report["jobs"]).map(job));
    lines.extend(each(&report["findings"]).map(|finding| format!("finding: {}", text(finding))));
    if trial {
        lines.push("trial: providers share one disk; this survives a wiped folder, not a dead disk".to_owned());
    }
    lines
}

/// What can be done from here when a target at a firm is down. The firm itself says why in the target's note.
fn remedy(report: &Value) -> Option<String> {
    let mut targets = each(&report["providers"]).flat_map(|provider| each(&provider["targets"]));
    let away = targets.any(|target| target["state"] == "down" && text(&target["address"]).contains("://"));
    let said = "if a firm refuses the login, ask it, and give the login that it takes now: holdfast target login ADDRESS --data DIR";
    away.then(|| said.to_owned())
}

/// Whether the page that brings the service back still fits. A trial has nothing that a folder's copy would not bring back.
fn operator_kit(kit: &Value, trial: bool) -> Option<String> {
    let current = kit["current"] == Value::Bool(true);
    let how = "make one: holdfast kit make --operator --data DIR --out FILE";
    match kit["made"].as_str().and_then(time::parse_rfc3339) {
        Some(made) if !current => {
            Some(format!("the operator's kit of {} is older than the fleet; {how}", time::minute(made)))
        }
        None if !trial && kit.is_object() => Some(format!("there is no operator's kit; {how}")),
        _ => None,
    }
}

/// What each provider was asked for this month and what it costs, where anything is known of it.
fn spending(report: &Value) -> Vec<String> {
    let known = |spending: &Value| !spending["requests"].is_null() || !spending["price"]["tb_month"].is_null();
    let rows: Vec<_> =
        each(&report["providers"]).filter(|provider| known(&provider["spending"])).map(of_provider).collect();
    if rows.is_empty() {
        return rows;
    }
    let month = text(&report["month"]);
    let columns = ["stored", "a month of it", "requests", "sent there", "fetched", "cost so far"];
    let [stored, storing, requests, sent, fetched, cost] = columns;
    let head = format!("{month:<16} {stored:>9} {storing:>16} {requests:>10} {sent:>10} {fetched:>9} {cost:>16}");
    let used_up = each(&report["providers"]).filter_map(|provider| {
        let why = provider["spending"]["used_up"].as_str()?;
        let name = text(&provider["name"]);
        Some(format!("{name}: {}; scrub, filling and repacking leave it alone until the next month", shown(why)))
    });
    [String::new(), head].into_iter().chain(rows).chain(used_up).chain([String::new()]).collect()
}

fn of_provider(provider: &Value) -> String {
    let spending = &provider["spending"];
    let count = |value: &Value| value.as_u64().map_or_else(|| "unknown".to_owned(), bytes);
    let requests = spending["requests"].as_object();
    let requests = requests.map(|all| all.values().filter_map(Value::as_u64).sum::<u64>());
    let currency = text(&spending["price"]["currency"]);
    let money = |value: &Value| match value.as_str() {
        Some(amount) => format!("{} {currency}", shown(amount)).trim_end().to_owned(),
        None => "unknown".to_owned(),
    };
    format!(
        "{:<16} {:>9} {:>16} {:>10} {:>10} {:>9} {:>16}",
        text(&provider["name"]),
        count(&spending["stored_bytes"]),
        money(&spending["cost_storing_month"]),
        requests.map_or_else(|| "unknown".to_owned(), |count| count.to_string()),
        count(&spending["in_bytes"]),
        count(&spending["out_bytes"]),
        money(&spending["cost_so_far"]),
    )
}

/// `repair: 1.2 GB of 3.4 GB, 4 min left`.
fn job(job: &Value) -> String {
    let mut said = format!("{}: {}", text(&job["kind"]), bytes(job["done_bytes"].as_u64().unwrap_or(0)));
    if let Some(total) = job["total_bytes"].as_u64() {
        said += &format!(" of {}", bytes(total));
    }
    if let Some(eta_s) = job["eta_s"].as_u64() {
        said += &format!(", {} left", time::span(eta_s));
    }
    let note = text(&job["note"]);
    if note.is_empty() { said } else { format!("{said} ({note})") }
}

/// The items of a list; none of what is no list.
pub fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A JSON value as a terminal may show it.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => shown(text),
        other => shown(&other.to_string()),
    }
}

/// `1.2 GB`, in powers of 1000 as disks are sold.
pub fn bytes(count: u64) -> String {
    let mut value = count as f64;
    let mut units = ["B", "kB", "MB", "GB", "TB", "PB"].into_iter().peekable();
    while let Some(unit) = units.next() {
        if value < 999.5 || units.peek().is_none() {
            return if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1_000.0;
    }
    format!("{count} B")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{bytes, table};

    #[test]
    fn bad_news_and_trial_are_shown() {
        let report = json!({
            "trial": true, "scheme": "4+2", "key_copies": 6, "files_below_settled": 3, "files_unreadable": 0,
            "providers": [{"name": "amber", "targets": [{"address": "/d/amber", "state": "down", "free_bytes": null, "note": "its marker is missing"}]}],
            "jobs": [{"kind": "repair", "done_bytes": 1_500_000, "total_bytes": 3_000_000, "eta_s": 150, "note": ""}],
            "findings": ["one\u{1b}[2J"],
        });
        let said = table(&report).join("\n");
        for expected in [
            "amber            down (trial)            -  /d/amber  (its marker is missing)",
            "scheme 4+2, 6 key copies",
            "3 files below settled\n",
            "repair: 1.5 MB of 3.0 MB, 2 min left",
            "finding: one\u{FFFD}[2J",
            "not a dead disk",
        ] {
            assert!(said.contains(expected), "{expected}\n{said}");
        }
    }

    #[test]
    fn the_way_to_another_login_is_shown_while_a_firm_is_down() {
        let report = |state: &str, address: &str| {
            let target = json!({"address": address, "state": state, "free_bytes": null, "note": ""});
            table(&json!({"providers": [{"name": "a", "targets": [target]}]})).join("\n")
        };
        assert!(report("down", "s3://shards").contains("holdfast target login ADDRESS"));
        assert!(!report("up", "s3://shards").contains("target login"));
        assert!(!report("down", "/mnt/disk").contains("target login"), "a folder has none");
    }

    #[test]
    fn what_a_firm_costs_is_said_and_what_is_not_known_is_unknown() {
        let spending = |price: Value, so_far: Value| {
            json!({
                "requests": {"put": 1_200, "get": 34}, "in_bytes": 5_000_000, "out_bytes": 0, "stored_bytes": 2_000_000_000,
                "price": {"tb_month": price, "currency": "EUR"}, "cost_storing_month": price, "cost_so_far": so_far,
            })
        };
        let provider = |name, spending| json!({"name": name, "targets": [], "spending": spending});
        let report = json!({"month": "2026-11", "providers": [
            provider("amber", spending(json!("4.99"), json!("0.02"))),
            provider("birch", spending(Value::Null, Value::Null)),
            provider("cedar", json!({"requests": null, "price": {"tb_month": null}})),
        ]});
        let said = table(&report).join("\n");
        for expected in [
            "2026-11             stored    a month of it   requests sent there   fetched      cost so far",
            "amber               2.0 GB         4.99 EUR       1234     5.0 MB       0 B         0.02 EUR",
            "birch               2.0 GB          unknown       1234     5.0 MB       0 B          unknown",
        ] {
            assert!(said.contains(expected), "{expected}\n{said}");
        }
        assert!(!said.contains("cedar"), "nothing is known of it: {said}");
    }

    #[test]
    fn sizes() {
        for (count, expected) in
            [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (999_600, "1.0 MB"), (25_000_000_000_000_000, "25.0 PB")]
        {
            assert_eq!(bytes(count), expected);
        }
    }
}
