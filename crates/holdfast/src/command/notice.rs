//! `holdfast notice` and `holdfast provider notice`: statements that firms served on us, and we on them.

use std::{fs, path::PathBuf, process::ExitCode};

use hyper::Method;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    client::{api::Api, batch::line, http::Outgoing, path::encode},
    command::lease::{date, find},
    error::{Error, Result},
    operator::Question,
    reach::Reach,
};

/// Shows notices, and says what becomes of them.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Lists notices that need a person or are in force.
    Ls {
        /// All of them, those that are done too.
        #[arg(long)]
        all: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Takes note of a notice: nobody is told of it again.
    Ack(One),
    /// Says that it is decided what to do.
    Plan(One),
    /// Says that it is done.
    Done(One),
    /// Gives up a statement of yours that is in force.
    Release(One),
}

#[derive(clap::Args)]
struct One {
    /// Its id, or the beginning of it.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    reach: Reach,
}

/// What came by letter or mail from a provider, or what you state to it.
#[derive(clap::Args)]
pub struct EnterArgs {
    /// The provider, by name.
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// Its words, at most 16 KiB.
    #[arg(long, value_name = "TEXT")]
    text: String,
    /// The lease that it concerns, by contract.
    #[arg(long, value_name = "CONTRACT")]
    lease: Option<String>,
    /// A server of the lease that it names; several times. None: all of them.
    #[arg(long = "server", value_name = "NAME")]
    servers: Vec<String>,
    /// By when something is to happen, for example 2027-03-31.
    #[arg(long, value_name = "DATE")]
    deadline: Option<String>,
    /// It is a statement of yours to the provider, in force until it is released; it is served again whenever what it covers
    /// changes its state.
    #[arg(long)]
    to_firm: bool,
    /// To whom it is served, if not to the provider or to you.
    #[arg(long, value_name = "NAME")]
    addressee: Option<String>,
    /// The letter itself, at most 8 MiB; kept in your files below `Notices`.
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// The notice whose place it takes, by its whole id.
    #[arg(long, value_name = "ID")]
    supersedes: Option<String>,
    #[command(flatten)]
    reach: Reach,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let (one, act, said) = match args.verb {
        Verb::Ls { all, json, reach } => return list(all, json, &reach).await,
        Verb::Ack(one) => (one, "acknowledge", "somebody took note of it; nobody is told again"),
        Verb::Plan(one) => (one, "plan", "it is planned"),
        Verb::Done(one) => (one, "done", "it is done"),
        Verb::Release(one) => (one, "release", "it is in force no more"),
    };
    let answer = one.reach.ask(Question::NoticeList { open: true }).await?;
    let all = answer["notices"].as_array().cloned().unwrap_or_default();
    let mut found = all.iter().filter_map(|notice| notice["id"].as_str()).filter(|id| id.starts_with(&one.id));
    let id = match (found.next(), found.next()) {
        (Some(id), None) => id.to_owned(),
        (Some(_), Some(_)) => return Err(Error::refused(format!("several open notices begin with '{}'", one.id))),
        (None, _) => {
            return Err(Error::new(model::Class::Missing, format!("no open notice begins with '{}'", one.id))
                .hint("`holdfast notice ls` lists them"));
        }
    };
    one.reach.ask(Question::NoticeAct { id: id.clone(), act: act.to_owned() }).await?;
    line(&format!("{id}: {said}"));
    Ok(ExitCode::SUCCESS)
}

async fn list(all: bool, as_json: bool, reach: &Reach) -> Result<ExitCode> {
    let answer = reach.ask(Question::NoticeList { open: !all }).await?;
    if as_json {
        line(&answer.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    for notice in answer["notices"].as_array().into_iter().flatten() {
        let text = |name: &str| notice[name].as_str().unwrap_or_default();
        let by = text("deadline").get(..10).map_or(String::new(), |day| format!("  by {day}"));
        line(&format!("{}  {:<12} {:<9} {}{by}", text("id"), text("state"), text("served"), text("provider")));
        let words: String = text("text").chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
        line(&format!("        {words}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Enters a notice.
pub async fn enter(args: EnterArgs) -> Result<ExitCode> {
    let mut said = Map::new();
    match &args.lease {
        Some(contract) => {
            let lease = find(&args.reach, contract).await?;
            if lease["provider"].as_str() != Some(&args.provider) {
                return Err(Error::refused(format!("the lease '{contract}' is of {}", lease["provider"])));
            }
            said.insert("lease".to_owned(), lease["id"].clone());
        }
        None => _ = said.insert("provider".to_owned(), json!(args.provider)),
    }
    said.insert("text".to_owned(), json!(args.text));
    said.insert("servers".to_owned(), json!(args.servers));
    said.insert("to_firm".to_owned(), json!(args.to_firm));
    said.extend(args.addressee.map(|addressee| ("addressee".to_owned(), json!(addressee))));
    said.extend(args.supersedes.map(|id| ("supersedes".to_owned(), json!(id))));
    if let Some(deadline) = &args.deadline {
        said.insert("deadline".to_owned(), json!(date(deadline)?));
    }
    let document = match &args.document {
        None => None,
        Some(_) if args.reach.data.is_some() => {
            return Err(Error::refused("a document is kept in somebody's files, so somebody has to be signed in")
                .hint("use `holdfast login`, or HOLDFAST_URL and HOLDFAST_TOKEN, without --data"));
        }
        Some(path) => {
            let bytes = fs::read(path).map_err(|error| Error::io("reading", path, &error))?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            said.insert("document".to_owned(), json!({ "name": name, "bytes": bytes.len(), "sha256": hash }));
            Some(bytes)
        }
    };
    let made = args.reach.ask(Question::NoticeEnter { said: Value::from(said) }).await?;
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    if let Some(bytes) = document {
        let api = Api::from_environment()?;
        let request = api.request(Method::PUT, &format!("/api/v1/notices/{}/document", encode(&id)));
        api.send_all(request, Outgoing::bytes(bytes.into(), None)).await?;
    }
    line(&format!("{id} is in the ledger"));
    Ok(ExitCode::SUCCESS)
}
