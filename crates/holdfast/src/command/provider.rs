//! `holdfast provider`: the legal entities that the fleet's space is rented from.

use std::process::ExitCode;

use serde_json::Value;

use crate::{
    client::batch::line,
    error::{Error, Result},
    operator::Question,
    reach::Reach,
};

/// Adds providers to the fleet.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Adds a provider, or changes the labels of one that is there.
    Add {
        /// What people call it.
        #[arg(value_name = "NAME")]
        name: String,
        /// Who owns it: providers of one owner count as one, since they vanish together.
        #[arg(long, value_name = "OWNER")]
        owner: Option<String>,
        /// A label such as country=NL; can be given several times, and without a value takes the label off.
        #[arg(long = "label", value_name = "NAME=VALUE")]
        labels: Vec<String>,
        #[command(flatten)]
        reach: Reach,
    },
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let Verb::Add { name, owner, labels, reach } = args.verb;
    let mut pairs = labels.iter().map(|text| pair(text)).collect::<Result<Vec<_>>>()?;
    pairs.extend(owner.map(|owner| ("owner".to_owned(), owner)));
    let answer = reach.ask(Question::ProviderAdd { name: name.clone(), labels: pairs }).await?;
    line(&if answer["new"] == Value::Bool(true) {
        format!("provider '{name}' is there; `holdfast target add '{name}' ADDRESS` gives it a place to keep shards in")
    } else {
        format!("the labels of provider '{name}' are changed")
    });
    Ok(ExitCode::SUCCESS)
}

fn pair(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err(Error::refused(format!("'{text}' is no label")).hint("a label is NAME=VALUE, for example country=NL")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::pair;

    #[test]
    fn labels_are_pairs() {
        let read = |text: &str| pair(text).map(|(name, value)| format!("{name}|{value}")).ok();
        assert_eq!(read("country = NL").unwrap(), "country|NL");
        assert_eq!(read("a=b=c").unwrap(), "a|b=c");
        assert_eq!(read("country=").unwrap(), "country|");
        assert!(read("country").is_none() && read("=x").is_none());
    }
}
