//! `holdfast account`: who has an account here. Everything works without mail: what this prints is handed on by a person.

use std::process::ExitCode;

use serde_json::Value;

use super::fleet::{bytes, text};
use crate::{client::batch::line, error::Result, operator::Question, reach::Reach};

/// Where the page is if nothing else is known.
const PAGE: &str = "http://localhost:4620";

/// Invites people, lists accounts, limits and suspends them, helps back in who forgot a password or lost a phone.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Prints a one-time address that makes an account.
    Invite {
        /// The account may run the service, too.
        #[arg(long)]
        operator: bool,
        /// Days until the address opens nothing any more.
        #[arg(long, value_name = "N", default_value_t = 7)]
        days: u32,
        #[command(flatten)]
        page: Page,
        #[command(flatten)]
        reach: Reach,
    },
    /// Prints a one-time address that sets a new password, good for a day.
    Reset {
        /// The account.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        page: Page,
        #[command(flatten)]
        reach: Reach,
    },
    Mail(super::account_mail::Args),
    /// Lists accounts.
    Ls {
        /// The list as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Says how much an account may keep; what it has stays.
    Quota {
        /// The account.
        #[arg(value_name = "NAME")]
        name: String,
        /// A whole number and B, kB, MB, GB or TB, for example 50GB; `none` for as much as there is room for.
        #[arg(value_name = "SIZE")]
        size: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Gives an account a plan; its own quota, if it has one, goes above the plan's space.
    Plan {
        /// The account.
        #[arg(value_name = "NAME")]
        name: String,
        /// The plan; `none` for no limits but the own quota.
        #[arg(value_name = "PLAN")]
        plan: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Takes the second factor away from somebody who lost phone and one-time codes: the password alone does from then on.
    SecondFactorOff {
        /// The account.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Stops serving an account's files to anybody; they are kept.
    Suspend {
        /// The account.
        #[arg(value_name = "NAME")]
        name: String,
        /// Lets it go on instead.
        #[arg(long)]
        end: bool,
        #[command(flatten)]
        reach: Reach,
    },
}

/// Where people find the page.
#[derive(clap::Args)]
struct Page {
    /// The page's address as people reach it; without it HOLDFAST_URL, else http://localhost:4620.
    #[arg(long, value_name = "URL")]
    page: Option<String>,
}

impl Page {
    fn address(&self, view: &str, code: &Value) -> String {
        let known = self.page.clone().or_else(|| std::env::var("HOLDFAST_URL").ok().filter(|url| !url.is_empty()));
        let page = known.unwrap_or_else(|| PAGE.to_owned());
        format!("{}/{view}#{}", page.trim_end_matches('/'), text(code))
    }
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    match args.verb {
        Verb::Invite { operator, days, page, reach } => {
            let made = reach.ask(Question::AccountInvite { operator, days }).await?;
            line(&page.address("join", &made["code"]));
        }
        Verb::Reset { name, page, reach } => {
            let made = reach.ask(Question::AccountReset { name }).await?;
            line(&page.address("reset", &made["code"]));
        }
        Verb::Mail(args) => return super::account_mail::run(args).await,
        Verb::Ls { json, reach } => {
            let all = reach.ask(Question::AccountList).await?;
            if json {
                line(&all["accounts"].to_string());
            } else {
                all["accounts"].as_array().into_iter().flatten().for_each(|person| line(&row(person)));
            }
        }
        Verb::Quota { name, size, reach } => {
            let bytes = if size == "none" { None } else { Some(super::find::size(&size)?) };
            reach.ask(Question::AccountQuota { name, bytes }).await?;
        }
        Verb::Plan { name, plan, reach } => {
            let plan = (plan != "none").then_some(plan);
            reach.ask(Question::AccountPlan { name, plan }).await?;
        }
        Verb::SecondFactorOff { name, reach } => {
            reach.ask(Question::AccountSecondOff { name }).await?;
        }
        Verb::Suspend { name, end, reach } => {
            reach.ask(Question::AccountSuspend { name, suspended: !end }).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(person: &Value) -> String {
    let suspended = person["suspended"].as_str().map(|since| format!("  suspended since {since}")).unwrap_or_default();
    let signs_in = if person["signs_in"] == true { "" } else { "  nobody signs in yet" };
    let second = if person["second_factor"] == true { "  second factor" } else { "" };
    let quota = person["quota_bytes"].as_u64().map(|quota| format!(" of {}", bytes(quota))).unwrap_or_default();
    let used = bytes(person["used_bytes"].as_u64().unwrap_or(0));
    let plan = person["plan"].as_str().map(|plan| format!("  plan {plan}")).unwrap_or_default();
    format!("{}  {}  {used}{quota}{plan}{second}{signs_in}{suspended}", text(&person["name"]), text(&person["role"]))
}
