//! `holdfast webhook`: addresses of your programs that are told of what happens in your account.

use std::process::ExitCode;

use hyper::Method;
use model::Class;
use serde_json::{Value, json};

use super::fleet::text;
use crate::{
    client::{
        api::Api,
        batch::line,
        http::Outgoing,
        path::{encode, shown},
    },
    error::{Error, Result},
};

/// Has programs of yours told of new files and links, signed as Standard Webhooks say.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Makes one and prints its secret, which is shown this once.
    Add {
        /// Where events are sent to.
        #[arg(value_name = "URL")]
        address: String,
        /// What is told; may be said again. Without it: everything but `notice.waits`, which is for operators.
        #[arg(long, value_name = "EVENT", value_parser = EVENTS)]
        event: Vec<String>,
        /// What you call it.
        #[arg(long, value_name = "TEXT", default_value = "")]
        label: String,
        /// All of its line as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lists yours, how it went the last time, and how many events wait.
    Ls {
        /// The list as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ends webhooks; what waits for them is forgotten.
    Rm {
        /// Their ids, as `webhook ls` shows them.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Sends a trial event at once, and says what came of it.
    Test {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
        /// What came of it as JSON.
        #[arg(long)]
        json: bool,
    },
}

const EVENTS: [&str; 6] =
    ["file.stored", "share.made", "share.changed", "share.ended", "request.received", "notice.waits"];
/// What is told if nobody says what: all that happens in everybody's account.
const USUAL: usize = 5;

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    match args.verb {
        Verb::Add { address, event, label, json } => {
            let events = if event.is_empty() {
                EVENTS[..USUAL].iter().map(|event| (*event).to_owned()).collect()
            } else {
                event
            };
            let wish = json!({ "address": address, "events": events, "label": label });
            let made: Value = api.json(Method::POST, "/api/v1/webhooks", Some(&wish)).await?;
            if json {
                line(&made.to_string());
            } else {
                line(&text(&made["secret"]));
            }
        }
        Verb::Ls { json } => {
            let all: Value = api.json(Method::GET, "/api/v1/webhooks", None).await?;
            match json {
                true => line(&all["webhooks"].to_string()),
                false => all["webhooks"].as_array().into_iter().flatten().for_each(|hook| line(&row(hook))),
            }
        }
        Verb::Rm { ids } => {
            for id in &ids {
                let request = api.request(Method::DELETE, &format!("/api/v1/webhooks/{}", encode(id)));
                api.send_all(request, Outgoing::empty()).await?;
            }
        }
        Verb::Test { id, json } => {
            let address = format!("/api/v1/webhooks/{}/test", encode(&id));
            let told: Value = api.json(Method::POST, &address, None).await?;
            if json {
                line(&told.to_string());
            }
            if let Some(trouble) = told["trouble"].as_str() {
                return Err(Error::new(Class::Retry, format!("it was not taken: {}", shown(trouble))));
            }
            if !json {
                line(&format!("taken, with status {}", told["status"]));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(hook: &Value) -> String {
    let events: Vec<&str> = hook["events"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let off = match (hook["on"] == true, hook["off_why"].as_str()) {
        (true, _) => String::new(),
        (false, None) => "  off".to_owned(),
        (false, Some(why)) => format!("  off: {}", shown(why)),
    };
    let trouble = hook["last"]["trouble"].as_str().map(|why| format!("  {}", shown(why))).unwrap_or_default();
    let waiting = hook["waiting"].as_u64().filter(|count| *count > 0);
    let waiting = waiting.map(|count| format!("  {count} waiting")).unwrap_or_default();
    let (id, address) = (text(&hook["id"]), shown(&text(&hook["address"])));
    format!("{id}  {address}  {}{off}{waiting}{trouble}", events.join(","))
}
