//! `holdfast what-if`: what would be left without a provider.

use std::process::ExitCode;

use serde_json::Value;

use super::fleet::text;
use crate::{client::batch::line, error::Result, operator::Question, reach::Reach};

/// Shows what would be left if a provider vanished now; nothing is changed.
#[derive(clap::Args)]
pub struct Args {
    /// The provider's name, as `holdfast fleet` shows it.
    #[arg(value_name = "PROVIDER")]
    provider: String,
    #[command(flatten)]
    reach: Reach,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let answer = args.reach.ask(Question::WhatIf { provider: args.provider.clone() }).await?;
    if args.json {
        line(&answer.to_string());
    } else {
        line(&format!("without {}:", args.provider));
        fields(&answer).iter().for_each(|said| line(said));
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

    use super::{fields, second_target};

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
