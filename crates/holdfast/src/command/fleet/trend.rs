//! `holdfast fleet trend`: how margin, backlog and bytes stood, hour by hour.

use std::process::ExitCode;

use serde_json::Value;

use super::{bytes, each};
use crate::{client::batch::line, error::Result, operator::Question, reach::Reach, time, world::wall_us};

const DAY_US: i64 = 86_400 * 1_000_000;

/// Runs it.
pub async fn run(days: u16, reach: &Reach, json: bool) -> Result<ExitCode> {
    let since = time::rfc3339(wall_us() - DAY_US * i64::from(days));
    let answer = reach.ask(Question::Trend { since }).await?;
    if json {
        line(&answer.to_string());
    } else {
        table(&answer).iter().for_each(|said| line(said));
    }
    Ok(ExitCode::SUCCESS)
}

/// One line for each hour.
fn table(answer: &Value) -> Vec<String> {
    let columns = ["margin", "packs", "below safe", "unsettled", "backlog", "stored"];
    let [margin, packs, below_safe, unsettled, backlog, stored] = columns;
    let head = "hour";
    let mut lines =
        vec![format!("{head:<18} {margin:>6} {packs:>9} {below_safe:>10} {unsettled:>9} {backlog:>10} {stored:>10}")];
    for hour in each(&answer["hours"]) {
        let count = |field: &str| hour[field].as_u64().unwrap_or(0);
        let at = hour["hour"].as_str().and_then(time::parse_rfc3339).map(time::minute).unwrap_or_default();
        let margin = hour["margin"].as_u64().map_or_else(|| "-".to_owned(), |margin| margin.to_string());
        let stored: u64 =
            hour["stored_bytes"].as_object().into_iter().flatten().filter_map(|(_, of)| of.as_u64()).sum();
        lines.push(format!(
            "{at:<18} {margin:>6} {:>9} {:>10} {:>9} {:>10} {:>10}",
            count("packs"),
            count("packs_below_safe"),
            count("packs_below_settled"),
            bytes(count("backlog_bytes")),
            bytes(stored),
        ));
    }
    if lines.len() == 1 {
        lines.push("nothing was noted yet: the first line comes in the service's first minutes".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::table;

    #[test]
    fn an_hour_is_a_line_and_no_margin_is_no_number() {
        let hour = |margin| {
            json!({"hour": "2026-04-01T12:00:00Z", "margin": margin, "packs": 12, "packs_below_safe": 1,
                "packs_below_settled": 4, "backlog_bytes": 3_000_000, "stored_bytes": {"a": 1_000, "b": 2_000}})
        };
        let lines = table(&json!({"hours": [hour(json!(1)), hour(json!(null))]}));
        assert_eq!(lines[1], "2026-04-01 12:00        1        12          1         4     3.0 MB     3.0 kB");
        assert!(lines[2].contains("      -        12"), "{}", lines[2]);
        assert!(table(&json!({"hours": []}))[1].starts_with("nothing was noted"));
    }
}
