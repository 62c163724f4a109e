//! `holdfast target`: the places at providers where shards are kept.

use std::{
    fs,
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use fleet::{Address, Login};
use gateway::OrderWord;
use serde_json::Value;

use super::{
    fleet::bytes,
    leave::{self, Whom},
    stage::Later,
};
use crate::{
    client::batch::line,
    error::{Error, Result},
    operator::{Question, Secret},
    reach::Reach,
};

/// Adds targets to the fleet, changes how the service logs in at them, and leaves them.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Tries a folder, bucket, SSH server or WebDAV collection, and adds it to the running service.
    Add {
        /// The provider's name.
        #[arg(value_name = "PROVIDER")]
        provider: String,
        /// Where it is: a folder's path, s3://BUCKET/ROOT?endpoint=URL&region=R, sftp://USER@HOST:PORT/ROOT?host_key=K, or
        /// webdav+https://HOST/ROOT.
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// File with the login, one name=value to a line; without it each value is asked for.
        #[arg(long, value_name = "FILE")]
        login: Option<PathBuf>,
        #[command(flatten)]
        reach: Reach,
        /// The answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Gives a target another login; it is tried first.
    Login {
        /// Where the target is, as `holdfast fleet` shows it.
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// File with the login, one name=value to a line; without it each value is asked for.
        #[arg(long, value_name = "FILE")]
        login: Option<PathBuf>,
        #[command(flatten)]
        reach: Reach,
    },
    /// Looks at a target now, and says how it stands.
    Probe {
        /// Where the target is, as `holdfast fleet` shows it.
        #[arg(value_name = "ADDRESS")]
        address: String,
        #[command(flatten)]
        reach: Reach,
        /// The answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lets a target take no new shards; what it holds stays and counts.
    Cordon(Named),
    /// Lets it take new shards again.
    Uncordon(Named),
    /// Moves everything away from a target by a date; nothing is deleted. Says whether the date is met, and certifies it when all
    /// is proven to stand without it.
    Evacuate {
        /// Where the target is, as `holdfast fleet` shows it.
        #[arg(value_name = "ADDRESS")]
        address: String,
        #[command(flatten)]
        args: leave::Evacuate,
    },
    /// Deletes what lies at a target that was evacuated, after the grace and within the budget of all deletions, and forgets it.
    Retire {
        /// Where the target is, as `holdfast fleet` shows it.
        #[arg(value_name = "ADDRESS")]
        address: String,
        #[command(flatten)]
        args: leave::Retire,
    },
}

#[derive(clap::Args)]
struct Named {
    /// Where the target is, as `holdfast fleet` shows it.
    #[arg(value_name = "ADDRESS")]
    address: String,
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
    match args.verb {
        Verb::Add { provider, address, login, reach, json } => {
            let login = login_for(&address, login.as_deref())?;
            let address = absolute(&address)?;
            let answer = reach.ask(Question::TargetAdd { provider, address, login: Secret(login.pairs()) }).await?;
            if json {
                line(&answer.to_string());
            } else {
                told(&answer).iter().for_each(|said| line(said));
            }
        }
        Verb::Login { address, login, reach } => {
            let login = login_for(&address, login.as_deref())?;
            reach.ask(Question::TargetLogin { address: address.clone(), login: Secret(login.pairs()) }).await?;
            line(&format!("the login of {address} is changed; make the operator's kit anew"));
        }
        Verb::Probe { address, reach, json } => {
            let answer = reach.ask(Question::TargetProbe { address }).await?;
            if json {
                line(&answer.to_string());
            } else {
                leave::target(&answer).iter().for_each(|said| line(said));
            }
        }
        Verb::Cordon(Named { address, later, reach, json }) => {
            leave::order(&Whom::Target(address), OrderWord::Cordon, later, &reach, json).await?;
        }
        Verb::Uncordon(Named { address, later, reach, json }) => {
            leave::order(&Whom::Target(address), OrderWord::Uncordon, later, &reach, json).await?;
        }
        Verb::Evacuate { address, args } => leave::evacuate(&Whom::Target(address), args).await?,
        Verb::Retire { address, args } => leave::retire(&Whom::Target(address), args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A folder is named from where the person stands, not from where the service runs.
fn absolute(address: &str) -> Result<String> {
    match Address::parse(address)? {
        Address::Directory(path) => {
            let path = std::path::absolute(&path).map_err(|error| Error::io("reading", &path, &error))?;
            Ok(path.display().to_string())
        }
        _ => Ok(address.to_owned()),
    }
}

/// The login for an address: from a file, or asked for.
///
/// # Errors
/// Refused: the file is none, or nobody is there to be asked.
pub fn login_for(address: &str, file: Option<&Path>) -> Result<Login> {
    if let Some(file) = file {
        let text = fs::read_to_string(file).map_err(|error| Error::io("reading the login", file, &error))?;
        return Login::parse(&text).map_err(|error| Error::refused(format!("{}: {error}", file.display())));
    }
    let names = Address::parse(address)?.login_names();
    if names.is_empty() {
        return Ok(Login::default());
    }
    if !io::stdin().is_terminal() {
        return Err(Error::refused(format!("{address} wants a login"))
            .hint(format!("--login FILE names a file with a line name=value for each of: {}", names.join(", "))));
    }
    ask(names)
}

fn ask(names: &[&str]) -> Result<Login> {
    let failed = |error: io::Error| Error::io("reading", Path::new("the terminal"), &error);
    let mut pairs = Vec::new();
    for name in names {
        let optional = name.strip_suffix('?');
        print!("{}{}: ", optional.unwrap_or(name), if optional.is_some() { " (Enter: none)" } else { "" });
        io::stdout().flush().map_err(failed)?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map_err(failed)?;
        if !answer.trim().is_empty() {
            pairs.push((optional.unwrap_or(name).to_string(), answer.trim().to_owned()));
        }
    }
    Ok(Login::new(pairs))
}

fn told(answer: &Value) -> Vec<String> {
    let promise = |name: &str| answer["abilities"][name] == Value::Bool(true);
    let free = answer["free_bytes"]
        .as_u64()
        .map_or_else(|| "it does not say how much room it has".to_owned(), |free| format!("{} free", bytes(free)));
    let mut lines = vec![format!(
        "{} is a target of '{}' now: written, read back, listed and deleted without fault; {free}",
        answer["address"].as_str().unwrap_or_default(),
        answer["provider"].as_str().unwrap_or_default()
    )];
    if !promise("durable_rename") {
        lines.push("note: it does not promise that a name it acknowledged survives a power cut".to_owned());
    }
    lines
        .push("new shards go there from now on; make the operator's kit anew: it does not know this target".to_owned());
    lines
}
