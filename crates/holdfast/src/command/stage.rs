//! `holdfast stage`: changes of the fleet that are gathered, looked at together, and made at once.
//!
//! Other commands add to the list with `--stage`.

use std::process::ExitCode;

use gateway::{StageVerb, StagedChange};
use serde_json::Value;

use super::fleet::{bytes, each, text};
use crate::{client::batch::line, error::Result, operator::Question, reach::Reach};

/// Shows, applies or forgets the changes of the fleet that are staged. `--stage` behind `provider`, `target` and `constraint`
/// commands adds to them.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Lists what is staged, and what it would do to margin, room, cost and each loss, and how much would move. It takes a
    /// look at everything that is stored.
    Show {
        #[command(flatten)]
        reach: Reach,
        /// The answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Makes all staged changes at once, if their number is still the one that was shown.
    Apply {
        /// The number, as `holdfast stage show` says it.
        #[arg(value_name = "NUMBER")]
        number: u64,
        #[command(flatten)]
        reach: Reach,
    },
    /// Forgets all staged changes.
    Revert {
        #[command(flatten)]
        reach: Reach,
    },
}

/// Whether a change is made now or staged.
#[derive(clap::Args)]
pub struct Later {
    /// Stages it: `holdfast stage show` says what it would do, `holdfast stage apply` makes it with all others.
    #[arg(long)]
    pub stage: bool,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    match args.verb {
        Verb::Show { reach, json } => {
            let answer = reach.ask(Question::StageShow).await?;
            if json {
                line(&answer.to_string());
            } else {
                told(&answer).iter().for_each(|said| line(said));
            }
        }
        Verb::Apply { number, reach } => {
            let answer = reach.ask(Question::StageApply { number }).await?;
            line(&format!("{} changes are made; `holdfast fleet` shows what moves", text(&answer["changes"])));
        }
        Verb::Revert { reach } => {
            let answer = reach.ask(Question::StageRevert).await?;
            line(&format!(
                "{} staged changes are forgotten; nothing of the fleet was changed",
                text(&answer["changes"])
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Stages changes, and says by which number they are applied.
///
/// # Errors
/// As the service says.
pub async fn add(changes: Vec<StagedChange>, reach: &Reach, json: bool) -> Result<()> {
    let answer = reach.ask(Question::StageAdd { changes }).await?;
    if json {
        line(&answer.to_string());
    } else {
        changes_of(&answer).iter().for_each(|said| line(said));
        line("nothing is done yet; `holdfast stage show` says what it would do");
    }
    Ok(())
}

/// Labels of a provider, to be staged.
pub fn labels(provider: &str, pairs: Vec<(String, String)>) -> Vec<StagedChange> {
    let change = |(label, value)| StagedChange {
        verb: StageVerb::Label,
        provider: Some(provider.to_owned()),
        label: Some(label),
        value: Some(value),
        ..StagedChange::default()
    };
    pairs.into_iter().map(change).collect()
}

fn changes_of(answer: &Value) -> Vec<String> {
    let mut lines = vec![format!("stage {}:", text(&answer["number"]))];
    for entry in each(&answer["changes"]) {
        let by = entry["by"].as_str().map_or(String::new(), |by| format!("  (by {by})"));
        lines.push(format!("  {}{by}", change(&entry["change"])));
        lines.extend(entry["fault"].as_str().map(|why| format!("    cannot be made now: {why}")));
    }
    if lines.len() == 1 {
        lines.push("  nothing is staged".to_owned());
    }
    lines
}

/// A change as a person would say it.
fn change(change: &Value) -> String {
    let whom = match (change["server"].as_str(), change["provider"].as_str(), change["target"].as_str()) {
        (Some(server), Some(provider), _) => format!("server {server} of {provider}"),
        (Some(server), None, _) => format!("server {server}"),
        (None, Some(provider), _) => provider.to_owned(),
        (None, None, target) => target.unwrap_or_default().to_owned(),
    };
    let label = text(&change["label"]);
    match change["verb"].as_str().unwrap_or_default() {
        "label" => match text(&change["value"]).as_str() {
            "" => format!("{whom}: take off the label {label}"),
            value => format!("{whom}: {label} = {value}"),
        },
        "constrain" => format!("make {label} a constraint"),
        "unconstrain" => format!("make {label} no constraint any more"),
        "evacuate" => format!("evacuate {whom} by {}", text(&change["by"])),
        "cancel" => format!("take back the evacuation of {whom}"),
        "retire" if change["keep_shards"] == true => format!("retire {whom}, and leave there what lies there"),
        verb => format!("{verb} {whom}"),
    }
}

fn told(answer: &Value) -> Vec<String> {
    let mut lines = changes_of(answer);
    let effect = &answer["effect"];
    if effect.is_null() {
        return lines;
    }
    let (before, after) = (&effect["before"], &effect["after"]);
    lines.push(format!("  {:<28} {:>16}  {:>16}", "", "now", "then"));
    let mut row = |what: &str, one: String, other: String| lines.push(format!("  {what:<28} {one:>16}  {other:>16}"));
    let margin = |side: &Value| side["margin"].as_u64().map_or_else(|| "none".to_owned(), |margin| margin.to_string());
    row("firms that may go", margin(before), margin(after));
    for (what, field) in [
        ("firms", "firms"),
        ("scheme of new packs", "scheme"),
        ("files below safe", "files_below_safe"),
        ("packs below safe", "packs_below_safe"),
        ("packs below settled", "packs_below_settled"),
        ("names and keys below safe", "records_below_safe"),
    ] {
        row(what, text(&before[field]), text(&after[field]));
    }
    let room = |side: &Value| {
        let silent = side["silent_targets"].as_u64().unwrap_or(0);
        let more = if silent > 0 { format!(" + {silent} unknown") } else { String::new() };
        format!("{}{more}", bytes(side["free_bytes"].as_u64().unwrap_or(0)))
    };
    row("room, once all has moved", room(before), room(after));
    row("a month of storing", cost(before), cost(after));
    let names = |list: &Value| each(list).map(text).collect::<Vec<_>>().join(", ");
    lines.extend(each(&after["as_one"]).map(|group| format!("  one firm then: {}", names(group))));
    let unpriced = names(&after["unpriced"]);
    if !unpriced.is_empty() {
        lines.push(format!("  prices are not known of {unpriced} (holdfast provider price)"));
    }
    let count = |field: &str| effect["moves"][field].as_u64().unwrap_or(0);
    let (read, write) = (bytes(count("read_bytes")), bytes(count("write_bytes")));
    lines.push(match count("packs") + count("records") {
        0 => "  nothing has to move".to_owned(),
        _ => format!(
            "  {} packs and {} names and keys move: at most {read} read, {write} written",
            count("packs"),
            count("records")
        ),
    });
    if count("stuck") > 0 {
        lines.push(format!(
            "  {} packs and records would stay below settled: too few firms are left for them",
            count("stuck")
        ));
    }
    lines.extend(each(&effect["firms"]).filter_map(loss));
    lines.push(format!("  `holdfast stage apply {}` makes these changes", text(&answer["number"])));
    lines
}

/// What the loss of a firm would do, where it is another thing then.
fn loss(firm: &Value) -> Option<String> {
    let (before, after) = (&firm["before"], &firm["after"]);
    if before == after {
        return None;
    }
    let said = |side: &Value| {
        let lost = text(&side["files_unreadable"]);
        format!("{lost} files unreadable, {} packs below safe", text(&side["packs_below_safe"]))
    };
    Some(format!("  without {}: {} now, {} then", text(&firm["provider"]), said(before), said(after)))
}

fn cost(side: &Value) -> String {
    let Some(costs) = side["costs_month"].as_array() else { return "unknown".to_owned() };
    let one = |cost: &Value| format!("{} {}", text(&cost["month"]), text(&cost["currency"])).trim_end().to_owned();
    match costs.as_slice() {
        [] => "0".to_owned(),
        costs => costs.iter().map(one).collect::<Vec<_>>().join(" + "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::told;

    #[test]
    fn what_would_change_is_said_beside_what_is() {
        let side = |margin, packs, costs| {
            json!({ "margin": margin, "firms": 6, "scheme": "4+2", "files_below_safe": 0, "packs_below_safe": packs,
                "packs_below_settled": packs, "records_below_safe": 0, "free_bytes": 1_000_000, "silent_targets": 1,
                "costs_month": costs, "unpriced": [], "as_one": [["amber", "birch"]] })
        };
        let loss = |packs| json!({ "files_unreadable": 0, "packs_below_safe": packs });
        let mut answer = json!({
            "number": 7,
            "changes": [
                { "change": { "verb": "constrain", "label": "country" }, "by": "ann", "fault": null },
                { "change": { "verb": "evacuate", "server": "s1", "provider": "amber", "by": "2026-12-01T00:00:00Z" },
                    "by": null, "fault": null },
            ],
            "effect": {
                "before": side(2, 0, json!([{ "currency": "EUR", "month": "4.99" }])), "after": side(0, 3, json!(null)),
                "firms": [{ "provider": "amber", "before": loss(0), "after": loss(3) },
                    { "provider": "cedar", "before": loss(0), "after": loss(0) }],
                "moves": { "packs": 3, "records": 1, "read_bytes": 9_000_000, "write_bytes": 3_000_000, "stuck": 2 },
            },
        });
        let said = told(&answer).join("\n");
        for part in [
            "stage 7:",
            "make country a constraint  (by ann)",
            "evacuate server s1 of amber by 2026-12-01",
            "4.99 EUR           unknown",
            "one firm then: amber, birch",
            "3 packs and 1 names and keys move",
            "2 packs and records would stay below settled",
            "without amber: 0 files unreadable, 0 packs below safe now",
            "holdfast stage apply 7",
        ] {
            assert!(said.contains(part), "{part}:\n{said}");
        }
        assert!(!said.contains("without cedar"), "{said}");
        answer["changes"][1]["fault"] = json!("that date is over");
        answer["effect"] = json!(null);
        let said = told(&answer).join("\n");
        assert!(said.contains("cannot be made now: that date is over") && !said.contains("apply"), "{said}");
    }
}
