//! `holdfast account`: who has an account here. Everything works without mail: what this prints is handed on by a person.

use std::process::ExitCode;

use serde_json::{Value, json};

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
        told: Told,
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
        told: Told,
        #[command(flatten)]
        reach: Reach,
    },
    /// Takes the second factor away from somebody who lost phone and one-time codes: the password alone does from then on.
    SecondFactorOff {
        /// The account.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        told: Told,
        #[command(flatten)]
        reach: Reach,
    },
    /// Deletes an account with all its files, after a grace in which it can be taken back.
    Delete {
        /// The account.
        #[arg(value_name = "NAME")]
        name: String,
        /// Takes it back instead: the account stays.
        #[arg(long)]
        undo: bool,
        #[command(flatten)]
        told: Told,
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
        told: Told,
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
    /// The address and until when it is good, as JSON.
    #[arg(long)]
    json: bool,
}

/// How it is told.
#[derive(clap::Args)]
struct Told {
    /// What was done as JSON.
    #[arg(long)]
    json: bool,
}

impl Told {
    fn of(&self, done: &Value) {
        if self.json {
            line(&done.to_string());
        }
    }
}

impl Page {
    fn address(&self, view: &str, code: &Value) -> String {
        let known = self.page.clone().or_else(|| std::env::var("HOLDFAST_URL").ok().filter(|url| !url.is_empty()));
        let page = known.unwrap_or_else(|| PAGE.to_owned());
        format!("{}/{view}#{}", page.trim_end_matches('/'), text(code))
    }

    fn tell(&self, view: &str, made: &Value) {
        let address = self.address(view, &made["code"]);
        let told = || json!({ "address": address, "expires": made["expires"] }).to_string();
        line(&if self.json { told() } else { address.clone() });
    }
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    match args.verb {
        Verb::Invite { operator, days, page, reach } => {
            let made = reach.ask(Question::AccountInvite { operator, days }).await?;
            page.tell("join", &made);
        }
        Verb::Reset { name, page, reach } => {
            let made = reach.ask(Question::AccountReset { name }).await?;
            page.tell("reset", &made);
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
        Verb::Quota { name, size, told, reach } => {
            let bytes = if size == "none" { None } else { Some(super::find::size(&size)?) };
            let done = json!({ "name": name, "quota_bytes": bytes });
            reach.ask(Question::AccountQuota { name, bytes }).await?;
            told.of(&done);
        }
        Verb::Plan { name, plan, told, reach } => {
            let plan = (plan != "none").then_some(plan);
            let done = json!({ "name": name, "plan": plan });
            reach.ask(Question::AccountPlan { name, plan }).await?;
            told.of(&done);
        }
        Verb::SecondFactorOff { name, told, reach } => {
            let done = json!({ "name": name, "second_factor": false });
            reach.ask(Question::AccountSecondOff { name }).await?;
            told.of(&done);
        }
        Verb::Delete { name, undo, told, reach } => {
            let done = json!({ "name": name, "leaves": !undo });
            reach.ask(Question::AccountLeaves { name, leaves: !undo }).await?;
            told.of(&done);
        }
        Verb::Suspend { name, end, told, reach } => {
            let done = json!({ "name": name, "suspended": !end });
            reach.ask(Question::AccountSuspend { name, suspended: !end }).await?;
            told.of(&done);
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
    let leaves = person["leaves"].as_str().map(|when| format!("  deleted {when}")).unwrap_or_default();
    format!(
        "{}  {}  {used}{quota}{plan}{second}{signs_in}{suspended}{leaves}",
        text(&person["name"]),
        text(&person["role"])
    )
}
