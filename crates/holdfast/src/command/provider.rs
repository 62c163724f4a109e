//! `holdfast provider`: the legal entities that the fleet's space is rented from.

use std::process::ExitCode;

use gateway::OrderWord;
use model::Class;
use serde_json::Value;

use super::{
    fleet::{each, text},
    leave::{self, Whom},
    stage::{self, Later},
};
use crate::{
    client::batch::line,
    error::{Error, Result},
    operator::Question,
    reach::Reach,
};

/// Adds providers to the fleet, and leaves them.
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
        later: Later,
        #[command(flatten)]
        reach: Reach,
    },
    /// Says what a provider asks, so that `holdfast fleet` shows what it costs. What is not given stays as it was; an empty value
    /// makes a price unknown, and 0 says that the provider takes nothing for it.
    Price(PriceArgs),
    /// Says what upkeep may ask of a provider. What is not given stays as it was; an empty value takes a budget off. When a
    /// month's budget is used up, work that can wait leaves the provider alone; repair, evacuation, uploads and readers go on.
    Budget(BudgetArgs),
    /// Enters a notice that came from a provider by letter or mail, or a statement of yours to it. `holdfast notice` shows all.
    Notice(crate::command::notice::EnterArgs),
    /// Lists providers and their targets.
    Ls {
        #[command(flatten)]
        reach: Reach,
        /// The list as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows one provider: its targets, what was ordered of them, and how far that is.
    Show {
        /// What people call it.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        reach: Reach,
        /// The answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lets a provider, or one of its servers, take no new shards; what it holds stays and counts.
    Cordon(Named),
    /// Lets it take new shards again.
    Uncordon(Named),
    /// Moves everything away from a provider by a date; nothing is deleted. Says whether the date is met, and certifies it when all
    /// is proven to stand without it.
    Evacuate {
        /// What people call it.
        #[arg(value_name = "NAME")]
        name: String,
        /// One of its servers alone, as `holdfast lease ls` shows it.
        #[arg(long, value_name = "SERVER")]
        server: Option<String>,
        #[command(flatten)]
        args: leave::Evacuate,
    },
    /// Deletes what lies at a provider that was evacuated, after the grace and within the budget of all deletions, and forgets it.
    Retire {
        /// What people call it.
        #[arg(value_name = "NAME")]
        name: String,
        /// One of its servers alone, as `holdfast lease ls` shows it.
        #[arg(long, value_name = "SERVER")]
        server: Option<String>,
        #[command(flatten)]
        args: leave::Retire,
    },
}

#[derive(clap::Args)]
struct Named {
    /// What people call it.
    #[arg(value_name = "NAME")]
    name: String,
    /// One of its servers alone, as `holdfast lease ls` shows it.
    #[arg(long, value_name = "SERVER")]
    server: Option<String>,
    #[command(flatten)]
    later: Later,
    #[command(flatten)]
    reach: Reach,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct PriceArgs {
    /// What people call the provider.
    #[arg(value_name = "NAME")]
    name: String,
    /// For a TB (10^12 bytes) that is stored for a month, for example 4.99.
    #[arg(long, value_name = "AMOUNT")]
    per_tb_month: Option<String>,
    /// For a GB (10^9 bytes) that is fetched.
    #[arg(long, value_name = "AMOUNT")]
    per_gb_out: Option<String>,
    /// For a million requests.
    #[arg(long, value_name = "AMOUNT")]
    per_million_requests: Option<String>,
    /// What is removed sooner is billed for so many days all the same.
    #[arg(long, value_name = "DAYS")]
    minimum_days: Option<String>,
    /// The currency of these prices, for example EUR.
    #[arg(long, value_name = "NAME")]
    currency: Option<String>,
    #[command(flatten)]
    later: Later,
    #[command(flatten)]
    reach: Reach,
}

#[derive(clap::Args)]
struct BudgetArgs {
    /// What people call the provider.
    #[arg(value_name = "NAME")]
    name: String,
    /// Bytes that upkeep reads and writes there in a second, for example 5000000. What is below safe is made without waiting.
    #[arg(long, value_name = "BYTES")]
    per_second: Option<String>,
    /// Requests of all kinds in a calendar month.
    #[arg(long, value_name = "COUNT")]
    requests_a_month: Option<String>,
    /// What a calendar month may cost, in the currency of its prices; unknown costs hold nothing.
    #[arg(long, value_name = "AMOUNT")]
    money_a_month: Option<String>,
    #[command(flatten)]
    reach: Reach,
}

/// The labels that were given a value, an empty one included.
fn given<const N: usize>(labels: [&str; N], values: [&Option<String>; N]) -> Vec<(String, String)> {
    let named = labels.into_iter().zip(values);
    named.filter_map(|(label, value)| Some((label.to_owned(), value.as_deref()?.trim().to_owned()))).collect()
}

impl PriceArgs {
    fn labels(&self) -> Vec<(String, String)> {
        let values =
            [&self.per_tb_month, &self.per_gb_out, &self.per_million_requests, &self.minimum_days, &self.currency];
        given(store::Price::LABELS, values)
    }
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let (name, owner, labels, later, reach) = match args.verb {
        Verb::Add { name, owner, labels, later, reach } => (name, owner, labels, later, reach),
        Verb::Price(args) => return price(args).await,
        Verb::Budget(args) => return budget(args).await,
        Verb::Notice(args) => return crate::command::notice::enter(args).await,
        Verb::Ls { reach, json } => return list(None, &reach, json).await,
        Verb::Show { name, reach, json } => return list(Some(name), &reach, json).await,
        Verb::Cordon(Named { name, server, later, reach, json }) => {
            leave::order(&Whom::at(name, server), OrderWord::Cordon, later, &reach, json).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Verb::Uncordon(Named { name, server, later, reach, json }) => {
            leave::order(&Whom::at(name, server), OrderWord::Uncordon, later, &reach, json).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Verb::Evacuate { name, server, args } => {
            leave::evacuate(&Whom::at(name, server), args).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Verb::Retire { name, server, args } => {
            leave::retire(&Whom::at(name, server), args).await?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let mut pairs = labels.iter().map(|text| pair(text)).collect::<Result<Vec<_>>>()?;
    pairs.extend(owner.map(|owner| ("owner".to_owned(), owner)));
    if later.stage {
        stage::add(stage::labels(&name, pairs), &reach, false).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let answer = reach.ask(Question::ProviderAdd { name: name.clone(), labels: pairs }).await?;
    line(&if answer["new"] == Value::Bool(true) {
        format!("provider '{name}' is there; `holdfast target add '{name}' ADDRESS` gives it a place to keep shards in")
    } else {
        format!("the labels of provider '{name}' are changed")
    });
    Ok(ExitCode::SUCCESS)
}

/// All providers, or the one of that name.
async fn list(name: Option<String>, reach: &Reach, json: bool) -> Result<ExitCode> {
    let report = reach.ask(Question::Fleet).await?;
    let wanted = |provider: &&Value| name.as_deref().is_none_or(|name| provider["name"] == name);
    let found: Vec<&Value> = each(&report["providers"]).filter(wanted).collect();
    match (&name, found.as_slice()) {
        (Some(name), []) => {
            let missing = Error::new(Class::Missing, format!("there is no provider '{name}'"));
            return Err(missing.hint("`holdfast provider ls` lists them"));
        }
        (Some(_), [one, ..]) if json => line(&one.to_string()),
        _ if json => line(&Value::from(found.into_iter().cloned().collect::<Vec<_>>()).to_string()),
        _ => {
            for provider in found {
                line(&format!("{}  {}", text(&provider["name"]), text(&provider["state"])));
                let targets = each(&provider["targets"]).flat_map(leave::target);
                targets.for_each(|said| line(&format!("  {said}")));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn price(args: PriceArgs) -> Result<ExitCode> {
    let labels = args.labels();
    if labels.is_empty() {
        return Err(Error::refused("no price was given").hint("for example --per-tb-month 4.99 --currency EUR"));
    }
    if args.later.stage {
        stage::add(stage::labels(&args.name, labels), &args.reach, false).await?;
        return Ok(ExitCode::SUCCESS);
    }
    args.reach.ask(Question::ProviderPrice { name: args.name.clone(), labels }).await?;
    line(&format!("the prices of provider '{}' are changed; `holdfast fleet` shows what it costs", args.name));
    Ok(ExitCode::SUCCESS)
}

async fn budget(args: BudgetArgs) -> Result<ExitCode> {
    let values = [&args.per_second, &args.requests_a_month, &args.money_a_month];
    let labels = given(store::Budget::LABELS, values);
    if labels.is_empty() {
        return Err(Error::refused("no budget was given").hint("for example --money-a-month 25.00"));
    }
    args.reach.ask(Question::ProviderPrice { name: args.name.clone(), labels }).await?;
    line(&format!("the budget of provider '{}' is changed; `holdfast fleet` says when one is used up", args.name));
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
