//! `holdfast kit`: recovery kits. The secret is made here and goes into the kit's file alone; the service gets the public
//! half.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use fleet::Logins;
use format::{Identity, Kit, KitAddress, OperatorKit};
use model::{
    Class,
    entry::Kind,
    id::{AccountId, ClusterId, KitId},
};
use rescue::{Access, Finding, Rescue};
use serde_json::Value;

use super::fleet::text;
use crate::{
    client::batch::line,
    data::write_private,
    error::{Error, Result},
    operator::Question,
    reach::{self, Reach},
    time, world,
};

/// Makes, tests, lists and revokes recovery kits.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Makes a kit and writes it to a new file that only you may read.
    Make {
        /// The account; with --data it must be named, else it is that of HOLDFAST_TOKEN.
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        /// Makes the operator's kit instead, which brings the whole service back: the service identity, and each target's
        /// address and login. Needs --data.
        #[arg(long, conflicts_with = "account")]
        operator: bool,
        /// The kit's file; never overwritten.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        reach: Reach,
    },
    /// Opens the account's tree with a kit, reading targets only, and says what it would bring home.
    Test {
        /// The kit's file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Where targets are, if those that the kit names are elsewhere now: folders' paths,
        /// s3://BUCKET/ROOT?endpoint=URL&region=R, sftp://USER@HOST:PORT/ROOT?host_key=K, or webdav+https://HOST/ROOT.
        #[arg(long, value_name = "ADDRESS", num_args = 1..)]
        target: Vec<String>,
        /// File with logins: below a line [ADDRESS] those for that address, one name=value to a line; above the first such line
        /// what is for every place that is named here or in the kit. Places in the kit and in address books that have a login
        /// here are read too.
        #[arg(long, value_name = "FILE")]
        logins: Option<PathBuf>,
        /// Data folder of the service: notes there that the kit was tested. Without it the service that HOLDFAST_URL and
        /// HOLDFAST_TOKEN name is told, if they are set; the test itself asks no service.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// Lists the account's kits.
    Ls {
        /// The account; with --data it must be named, else it is that of HOLDFAST_TOKEN.
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        #[command(flatten)]
        reach: Reach,
        /// The list as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ends a kit: it opens nothing that is stored from now on.
    Revoke {
        /// The kit's id, as `kit ls` shows it.
        #[arg(value_name = "ID")]
        kit: String,
        /// The account; with --data it must be named, else it is that of HOLDFAST_TOKEN.
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        #[command(flatten)]
        reach: Reach,
    },
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    match args.verb {
        Verb::Make { operator: true, out, reach, .. } => make_operators(&out, &reach).await,
        Verb::Make { account, out, reach, .. } => make(account, &out, &reach).await,
        Verb::Test { file, target, logins, data } => test(&file, &target, logins.as_deref(), Reach { data }).await,
        Verb::Ls { account, reach, json } => list(account, &reach, json).await,
        Verb::Revoke { kit, account, reach } => {
            reach.ask(Question::KitRevoke { account, kit: kit.clone() }).await?;
            line(&format!(
                "kit {kit} is revoked; what it opened before stays readable to whoever has it and an old copy"
            ));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A kit is never overwritten.
fn is_new(out: &Path) -> Result<()> {
    if out.symlink_metadata().is_ok() {
        return Err(Error::new(Class::Conflict, format!("{} is there already; it was not touched", out.display()))
            .hint("a kit is never overwritten: name a new file with --out"));
    }
    Ok(())
}

async fn make_operators(out: &Path, reach: &Reach) -> Result<ExitCode> {
    is_new(out)?;
    let answer = reach.ask(Question::OperatorKit).await?;
    let page = answer["kit"].as_str().unwrap_or_default();
    let kit = OperatorKit::parse(page)?;
    write_private(out, page.as_bytes())?;
    line(&format!(
        "the operator's kit is in {}: the service identity, and {} targets",
        out.display(),
        kit.targets.len()
    ));
    line(
        "Whoever holds it can read all that the service can read, and log in at every firm. Keep it off all machines of the",
    );
    line("service and of the firms, and make it anew whenever a target or a login changes.");
    Ok(ExitCode::SUCCESS)
}

async fn make(account: Option<String>, out: &Path, reach: &Reach) -> Result<ExitCode> {
    is_new(out)?;
    let identity = Identity::generate();
    let answer = reach.ask(Question::KitMake { account, recipient: identity.recipient() }).await?;
    let kit = kit_of(&answer, identity)
        .ok_or_else(|| Error::new(Class::Bug, "the service's answer about the new kit is not understood"))?;
    write_private(out, kit.to_text().as_bytes()).map_err(|error| {
        error.hint(format!(
            "the kit's secret is lost with this; revoke it (`holdfast kit revoke {}`) and make another",
            kit.kit
        ))
    })?;
    line(&format!("kit {} is in {}", kit.kit, out.display()));
    line(
        "Whoever holds it can read all files of the account. Print it, keep one copy where you live and one somewhere else,",
    );
    line("and none where a hosting firm can reach it. What is stored later needs no new kit.");
    line(&format!("Try it now and once a year: holdfast kit test {}", out.display()));
    Ok(ExitCode::SUCCESS)
}

/// A kit of what the service answered and the secret made here.
fn kit_of(answer: &Value, identity: Identity) -> Option<Kit> {
    let word = |value: &Value| value.as_str().map(str::to_owned);
    let addresses = answer["addresses"].as_array()?.iter().map(|row| {
        Some(KitAddress {
            provider: word(&row["provider"])?,
            driver: word(&row["driver"])?,
            address: word(&row["address"])?,
        })
    });
    Some(Kit {
        format_version: format::FORMAT_VERSION,
        cluster: ClusterId::parse(answer["cluster"].as_str()?).ok()?,
        account: AccountId::parse(answer["account"].as_str()?).ok()?,
        kit: KitId::parse(answer["id"].as_str()?).ok()?,
        identity,
        addresses: addresses.collect::<Option<_>>()?,
        made_us: world::wall_us(),
    })
}

/// Reads targets as a rescue would, with no service in between.
async fn test(file: &Path, named: &[String], logins: Option<&Path>, reach: Reach) -> Result<ExitCode> {
    let page = std::fs::read_to_string(file).map_err(|error| Error::io("reading the kit", file, &error))?;
    let kit = Kit::parse(&page)?;
    let mut access = Access::new(read_logins(logins)?, world::real());
    for address in named {
        access.add(address).map_err(|error| {
            Error::new(error.class(), error).hint("--logins names a file with the login for each server of a firm")
        })?;
    }
    // Folders that the kit names are asked only if nobody says that they are elsewhere now.
    access.follow(&kit, &mut |_| named.is_empty()).await?;
    let opened = Rescue::open(&kit, access.targets()?).await;
    let rescue = opened.map_err(|error| {
        Error::new(error.class(), error).hint(
            "--target names places of targets that can be reached from here, --logins a file with logins for them",
        )
    })?;
    let findings = rescue.findings();
    if let Some(revoked) = findings.iter().find(|finding| matches!(finding, Finding::KitRevoked { .. })) {
        return Err(Error::refused(revoked).hint("make a new kit with `holdfast kit make`"));
    }
    findings.iter().for_each(|finding| line(&format!("note: {finding}")));
    access.shut().iter().for_each(|shut| line(&format!("note: {shut}")));
    let files = rescue.tree().iter().filter(|item| item.entry.kind == Kind::File);
    let (count, size) = files.fold((0_u64, 0_u64), |(count, size), item| {
        (count + 1, size + item.version.as_ref().map_or(0, |version| version.size))
    });
    line(&format!(
        "kit {} opens the tree of account {}: {count} files, {}; read from {} targets",
        kit.kit,
        kit.account,
        super::fleet::bytes(size),
        rescue.targets().count()
    ));
    if reach.data.is_none() && !reach::is_named() {
        line(
            "No service was told. With --data DIR, or HOLDFAST_URL and HOLDFAST_TOKEN, it notes when the kit was tested.",
        );
        return Ok(ExitCode::SUCCESS);
    }
    let question = Question::KitTested { account: kit.account.to_string(), kit: kit.kit.to_string() };
    match reach.ask(question).await {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            let message =
                format!("the kit is good, but the service did not note that it was tested: {}", error.message);
            Err(Error { message, ..error })
        }
    }
}

fn read_logins(file: Option<&Path>) -> Result<Logins> {
    let Some(file) = file else { return Ok(Logins::default()) };
    let text = std::fs::read_to_string(file).map_err(|error| Error::io("reading the logins", file, &error))?;
    Logins::parse(&text).map_err(|error| Error::refused(format!("{}: {error}", file.display())))
}

async fn list(account: Option<String>, reach: &Reach, json: bool) -> Result<ExitCode> {
    let answer = reach.ask(Question::KitList { account }).await?;
    if json {
        line(&answer.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let day = |value: &Value| value.as_str().and_then(time::parse_rfc3339).map(time::minute);
    for kit in answer["kits"].as_array().into_iter().flatten() {
        let made = day(&kit["made"]).unwrap_or_default();
        let state = match (day(&kit["revoked"]), day(&kit["tested"])) {
            (Some(revoked), _) => format!("revoked {revoked}"),
            (None, Some(tested)) => format!("tested {tested}"),
            (None, None) => "never tested".to_owned(),
        };
        line(&format!("{}  made {made}  {state}", text(&kit["id"])));
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use format::{Identity, Kit};
    use serde_json::json;

    use super::kit_of;

    #[test]
    fn an_answer_becomes_a_kit_that_reads_back() {
        let id = "0f".repeat(16);
        let answer = json!({"id": id, "account": id, "cluster": id,
            "addresses": [{"provider": "amber", "driver": "dir", "address": "/a b"}]});
        let kit = kit_of(&answer, Identity::generate()).unwrap();
        let read = Kit::parse(&kit.to_text()).unwrap();
        assert_eq!(
            (read.kit, read.addresses, read.identity.recipient()),
            (kit.kit, kit.addresses, kit.identity.recipient())
        );
        assert!(kit_of(&json!({"id": id}), Identity::generate()).is_none());
    }
}
