//! `holdfast lease`: what is rented from which firm, until when, and where the firm files notices.

use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::{
    client::batch::line,
    error::{Error, Result},
    operator::Question,
    reach::Reach,
    time,
};

/// Keeps leases: what is rented from which firm, and until when.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Adds a lease.
    Add {
        /// The provider, by name.
        #[arg(value_name = "PROVIDER")]
        provider: String,
        /// What the contract is called; names the lease.
        #[arg(value_name = "CONTRACT")]
        contract: String,
        #[command(flatten)]
        said: Said,
        #[command(flatten)]
        reach: Reach,
    },
    /// Lists leases.
    Ls {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Shows one lease with its servers.
    Show {
        /// What the contract is called.
        #[arg(value_name = "CONTRACT")]
        contract: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Changes what is known of a lease. What is not given stays; an empty value makes it unknown.
    Set {
        /// What the contract is called.
        #[arg(value_name = "CONTRACT")]
        contract: String,
        #[command(flatten)]
        said: Said,
        /// It was given notice: it ends.
        #[arg(long)]
        ending: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Says that a lease is over. Nothing is deleted anywhere; what lies there is moved by other commands.
    End {
        /// What the contract is called.
        #[arg(value_name = "CONTRACT")]
        contract: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Opens the desk of a lease: prints where its firm files notices, and the token, once. Again: another token, and the one
    /// before opens nothing any more.
    Desk {
        /// What the contract is called.
        #[arg(value_name = "CONTRACT")]
        contract: String,
        /// In whose files the firm's documents are kept, below `Notices`; needed with --data.
        #[arg(long, value_name = "ACCOUNT")]
        keeper: Option<String>,
        /// Closes it: the token opens nothing any more. What was filed stays.
        #[arg(long, conflicts_with = "keeper")]
        close: bool,
        #[command(flatten)]
        reach: Reach,
    },
}

/// What is said of a lease.
#[derive(clap::Args)]
struct Said {
    /// A server as its firm calls it, with its site and the targets on it: NAME, NAME@SITE, NAME@SITE=TARGET,TARGET. Several
    /// times; together they are all servers of the lease.
    #[arg(long = "server", value_name = "NAME[@SITE][=TARGET,…]")]
    servers: Vec<String>,
    /// What it costs, in the contract's words.
    #[arg(long, value_name = "TEXT")]
    price: Option<String>,
    /// What a month of it costs, for example 49.90.
    #[arg(long, value_name = "AMOUNT")]
    month: Option<String>,
    /// The currency of that, for example EUR.
    #[arg(long, value_name = "NAME")]
    currency: Option<String>,
    /// Where the firm wants statements of yours: an address for mail or letters.
    #[arg(long, value_name = "ADDRESS")]
    notice_address: Option<String>,
    /// Days before its end by which a party says that it ends.
    #[arg(long, value_name = "DAYS")]
    notice_days: Option<u32>,
    /// When it ends, for example 2027-03-31.
    #[arg(long, value_name = "DATE")]
    ends: Option<String>,
    /// Up to when it is paid for.
    #[arg(long, value_name = "DATE")]
    paid_until: Option<String>,
}

impl Said {
    fn wish(&self) -> Result<Map<String, Value>> {
        let mut wish = Map::new();
        if !self.servers.is_empty() {
            wish.insert("servers".to_owned(), self.servers.iter().map(|text| server(text)).collect());
        }
        let texts = [
            ("price", &self.price),
            ("month", &self.month),
            ("currency", &self.currency),
            ("notice_address", &self.notice_address),
        ];
        wish.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?)))));
        wish.extend(self.notice_days.map(|days| ("notice_days".to_owned(), json!(days))));
        for (name, text) in [("ends", &self.ends), ("paid_until", &self.paid_until)] {
            match text.as_deref() {
                None => {}
                Some("") => _ = wish.insert(name.to_owned(), Value::Null),
                Some(text) => _ = wish.insert(name.to_owned(), json!(date(text)?)),
            }
        }
        Ok(wish)
    }
}

/// A day, or a moment, as RFC 3339.
pub fn date(text: &str) -> Result<String> {
    let text = text.trim();
    let moment = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    match time::parse_rfc3339(&moment) {
        Some(_) => Ok(moment),
        None => {
            Err(Error::refused(format!("'{text}' is no date")).hint("for example 2027-03-31, or 2027-03-31T22:00:00Z"))
        }
    }
}

fn server(text: &str) -> Value {
    let (named, targets) = text.split_once('=').unwrap_or((text, ""));
    let (name, site) = named.split_once('@').unwrap_or((named, ""));
    let targets: Vec<_> = targets.split(',').map(str::trim).filter(|target| !target.is_empty()).collect();
    json!({ "name": name.trim(), "site": site.trim(), "targets": targets })
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    match args.verb {
        Verb::Add { provider, contract, said, reach } => {
            let mut wish = said.wish()?;
            wish.insert("provider".to_owned(), json!(provider));
            wish.insert("contract".to_owned(), json!(contract));
            reach.ask(Question::LeaseAdd { wish: wish.into() }).await?;
            line(&format!(
                "the lease '{contract}' is on record; `holdfast lease desk '{contract}'` opens a desk for its firm"
            ));
        }
        Verb::Ls { json: as_json, reach } => {
            let answer = reach.ask(Question::LeaseList).await?;
            if as_json {
                line(&answer.to_string());
            }
            for lease in answer["leases"].as_array().into_iter().flatten().filter(|_| !as_json) {
                let servers = lease["servers"].as_array().map_or(0, Vec::len);
                let (contract, provider, state) =
                    (text(lease, "contract"), text(lease, "provider"), text(lease, "state"));
                line(&format!("{state:<7} {contract}  {provider}  {servers} servers  ends {}", day(lease, "ends")));
            }
        }
        Verb::Show { contract, reach } => show(&find(&reach, &contract).await?),
        Verb::Set { contract, said, ending, reach } => {
            let mut wish = said.wish()?;
            wish.extend(ending.then(|| ("state".to_owned(), json!("ending"))));
            change(&reach, &contract, wish).await?;
            line(&format!("the lease '{contract}' is changed"));
        }
        Verb::End { contract, reach } => {
            change(&reach, &contract, Map::from_iter([("state".to_owned(), json!("ended"))])).await?;
            line(&format!("the lease '{contract}' is over; what lies on its servers is as it was"));
        }
        Verb::Desk { contract, keeper, close, reach } => {
            let id = text(&find(&reach, &contract).await?, "id").to_owned();
            if close {
                reach.ask(Question::LeaseDeskClose { id }).await?;
                line(&format!("the desk of '{contract}' is closed; what was filed there stays in the ledger"));
                return Ok(ExitCode::SUCCESS);
            }
            let desk = reach.ask(Question::LeaseDesk { id, keeper }).await?;
            line(&format!("address: {}", text(&desk, "path")));
            line(&format!("token:   {}", text(&desk, "token")));
            line("give both to the firm, and the key that `holdfast ledger key` shows; the token is not shown again");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn change(reach: &Reach, contract: &str, wish: Map<String, Value>) -> Result<()> {
    if wish.is_empty() {
        return Err(Error::refused("nothing was said of the lease").hint("for example --ends 2027-03-31"));
    }
    let id = text(&find(reach, contract).await?, "id").to_owned();
    reach.ask(Question::LeaseSet { id, wish: wish.into() }).await.map(drop)
}

/// The lease whose contract is called so; one that has not ended, if there are several.
pub async fn find(reach: &Reach, contract: &str) -> Result<Value> {
    let answer = reach.ask(Question::LeaseList).await?;
    let found = answer["leases"].as_array().into_iter().flatten().filter(|lease| text(lease, "contract") == contract);
    let found = found.min_by_key(|lease| text(lease, "state") == "ended").cloned();
    found.ok_or_else(|| {
        Error::new(model::Class::Missing, format!("no lease is called '{contract}'"))
            .hint("`holdfast lease ls` lists them")
    })
}

fn show(lease: &Value) {
    for name in ["contract", "provider", "state", "price", "month", "currency", "notice_address"] {
        if !text(lease, name).is_empty() {
            line(&format!("{:<16}{}", name.replace('_', " "), text(lease, name)));
        }
    }
    line(&format!("{:<16}{}", "notice days", lease["notice_days"]));
    for name in ["ends", "paid_until", "desk"] {
        line(&format!("{:<16}{}", name.replace('_', " "), day(lease, name)));
    }
    for server in lease["servers"].as_array().into_iter().flatten() {
        let targets = server["targets"].as_array().map_or(0, Vec::len);
        line(&format!("server          {} {} ({targets} targets)", text(server, "name"), text(server, "site")));
    }
    for warning in lease["warnings"].as_array().into_iter().flatten() {
        line(&format!("warning         {}", warning.as_str().unwrap_or_default()));
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn day<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().and_then(|text| text.get(..10)).unwrap_or("-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::{date, server};

    #[test]
    fn servers_and_dates_are_read() {
        assert_eq!(server("s1"), json!({ "name": "s1", "site": "", "targets": [] }));
        assert_eq!(server("s1@AMS=/a, /b"), json!({ "name": "s1", "site": "AMS", "targets": ["/a", "/b"] }));
        assert_eq!(date("2027-03-31").unwrap(), "2027-03-31T00:00:00Z");
        assert!(date("tomorrow").is_err());
    }
}
