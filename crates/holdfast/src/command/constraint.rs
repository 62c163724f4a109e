//! `holdfast constraint`: labels that keep providers apart.

use std::process::ExitCode;

use gateway::{StageVerb, StagedChange};
use serde_json::Value;

use super::{
    fleet::{each, text},
    stage::{self, Later},
};
use crate::{client::batch::line, error::Result, operator::Question, reach::Reach};

/// Says which labels keep providers apart: those with the same value of one count as one firm, as those of one owner do.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Lists constraints, and which providers count as one.
    Ls {
        #[command(flatten)]
        reach: Reach,
        /// The list as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Makes a label a constraint, such as country, payment, network or disk. It is counted at once, and what it takes is moved.
    Add(Named),
    /// Makes a label a warning again.
    Rm(Named),
}

#[derive(clap::Args)]
struct Named {
    /// The label, as `holdfast provider add --label` gave it.
    #[arg(value_name = "LABEL")]
    label: String,
    #[command(flatten)]
    later: Later,
    #[command(flatten)]
    reach: Reach,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let (named, holds) = match args.verb {
        Verb::Ls { reach, json } => return show(&reach.ask(Question::ConstraintList).await?, json),
        Verb::Add(named) => (named, true),
        Verb::Rm(named) => (named, false),
    };
    let Named { label, later, reach, json } = named;
    if later.stage {
        let verb = if holds { StageVerb::Constrain } else { StageVerb::Unconstrain };
        let change = StagedChange { verb, label: Some(label), ..StagedChange::default() };
        stage::add(vec![change], &reach, json).await?;
        return Ok(ExitCode::SUCCESS);
    }
    show(&reach.ask(Question::ConstraintSet { label, holds }).await?, json)
}

fn show(answer: &Value, json: bool) -> Result<ExitCode> {
    if json {
        line(&answer.to_string());
    } else {
        told(answer).iter().for_each(|said| line(said));
    }
    Ok(ExitCode::SUCCESS)
}

fn told(answer: &Value) -> Vec<String> {
    let names = |list: &Value| each(list).map(text).collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    for constraint in each(&answer["constraints"]) {
        let label = text(&constraint["label"]);
        let always = if label == "owner" { " (always)" } else { "" };
        let unknown = names(&constraint["unknown"]);
        let unknown = match unknown.as_str() {
            "" => String::new(),
            _ if label == "owner" => String::new(),
            names => format!("; nobody said it of {names}"),
        };
        lines.push(format!("{label}{always}{unknown}"));
    }
    lines.extend(each(&answer["as_one"]).map(|group| format!("one firm: {}", names(group))));
    lines
}
