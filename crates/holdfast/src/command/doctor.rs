//! `holdfast doctor`: looks at all that a service rests on, and says what to do.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::ExitCode, time::Duration};

use gateway::tls::Certificates;
use serde_json::json;

use crate::{
    client::batch::line,
    command::serve::DATA,
    config::Config,
    data::DataFolder,
    doctor::{Finding, State},
    error::{Error, Result},
    last_config::Origin,
    oidc,
    operator::Question,
    outgoing::smtp::Smtp,
    reach, tls, world,
};

/// Room for catalogue and uploads under way.
const ROOM_BYTES_WARN: u64 = 10 << 30;
const ROOM_BYTES_BAD: u64 = 1 << 30;
/// For a word with the mail server.
const MAIL: Duration = Duration::from_secs(20);
/// 2025: a clock before it was never set.
const BEFORE_US: i64 = 1_735_689_600_000_000;

/// Looks at configuration, clocks, space, targets with logins and markers, certificate, mail and kits. Each line says what to do. The
/// exit code is 0 when all is well, 1 when something should be seen to, 5 when something is not as it has to be.
#[derive(clap::Args)]
pub struct Args {
    /// Data folder of a service on this machine, running or not.
    #[arg(long, value_name = "DIR", default_value = DATA)]
    data: PathBuf,
    /// The findings as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let data = DataFolder::at(&args.data)?;
    if !data.root().is_dir() {
        return Err(Error::new(model::Class::Missing, format!("there is no data folder {}", data.root().display()))
            .hint("--data names the folder that `holdfast serve` works on"));
    }
    let mut found = vec![folder(&data), room(&data), clock()];
    found.extend(configured(&data).await);
    match reach::on_data(data, Question::Doctor).await.map(serde_json::from_value::<Vec<Finding>>) {
        Ok(Ok(more)) => found.extend(more),
        Ok(Err(error)) => {
            found.push(Finding::bad("service", error.to_string(), "command and service are of two versions"))
        }
        Err(error) => {
            let todo = error.hint.unwrap_or_else(|| "see the log of `holdfast serve`".to_owned());
            found.push(Finding::bad("service", error.message, todo));
        }
    }
    let worst = found.iter().map(|finding| finding.state).max().unwrap_or(State::Ok);
    if args.json {
        line(&json!({ "state": worst, "findings": found }).to_string());
    } else {
        found.iter().flat_map(lines).for_each(|said| line(&said));
    }
    Ok(match worst {
        State::Ok => ExitCode::SUCCESS,
        State::Warn => ExitCode::from(1),
        State::Bad => ExitCode::from(5),
    })
}

fn lines(finding: &Finding) -> Vec<String> {
    let state = match finding.state {
        State::Ok => "ok  ",
        State::Warn => "warn",
        State::Bad => "BAD ",
    };
    let mut lines = vec![format!("{state}  {}: {}", finding.what, finding.said)];
    lines.extend(finding.todo.iter().map(|todo| format!("      -> {todo}")));
    lines
}

/// Whether keys are their owner's alone.
fn folder(data: &DataFolder) -> Finding {
    if data.founding_mark().exists() {
        let todo = "remove the folder, empty the targets named in its configuration, and start again";
        return Finding::bad("data folder", "its first start was cut off before anything was stored", todo);
    }
    let open = [(data.keys(), 0o700), (data.identity_file(), 0o600)].into_iter().find_map(|(path, mode)| {
        let found = fs::metadata(&path).ok()?.permissions().mode() & 0o777;
        (found & !mode != 0).then(|| (path.display().to_string(), found, mode))
    });
    match open {
        Some((path, found, mode)) => {
            let said = format!("{path} can be read by others (mode {found:o})");
            Finding::bad("data folder", said, format!("chmod {mode:o} {path}, and think of who read it"))
        }
        None if !data.identity_file().exists() => {
            let todo = "without it accounts cannot be opened: put the copy there that was kept elsewhere";
            Finding::bad("data folder", format!("{} is missing", data.identity_file().display()), todo)
        }
        None => Finding::ok("data folder", format!("{}, keys are their owner's alone", data.root().display())),
    }
}

fn room(data: &DataFolder) -> Finding {
    let free = match rustix::fs::statvfs(data.root()) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => return Finding::bad("space", error.to_string(), "see the disk of the data folder"),
    };
    let said = format!("{} MB are free on the disk of the data folder", free / 1_000_000);
    let todo = "make room: the catalogue, and uploads while they are packed, lie there";
    match free {
        0..ROOM_BYTES_BAD => Finding::bad("space", said, todo),
        ROOM_BYTES_BAD..ROOM_BYTES_WARN => Finding::warn("space", said, todo),
        _ => Finding::ok("space", said),
    }
}

fn clock() -> Finding {
    let now_us = world::wall_us();
    if now_us < BEFORE_US {
        let todo = "set the machine's clock (chrony or systemd-timesyncd)";
        return Finding::bad("time", format!("it is {} here", crate::time::minute(now_us)), todo);
    }
    Finding::ok("time", format!("it is {} UTC here", crate::time::minute(now_us)))
}

/// What the configuration says, and what it leads to.
async fn configured(data: &DataFolder) -> Vec<Finding> {
    let bad = |error: Error| {
        let todo = error.hint.unwrap_or_else(|| "correct the file; the running service keeps what it read".to_owned());
        Finding::bad("configuration", error.message, todo)
    };
    let origin = match Origin::of(data, None) {
        Ok(origin) => origin,
        Err(error) => return vec![bad(error)],
    };
    let read = || -> Result<_> {
        if let Some(file) = origin.file() {
            Config::read(file)?;
            oidc::read(file)?;
        }
        Ok((origin.outgoing(data)?, origin.monitor(data)?, origin.tls(data)?))
    };
    let (outgoing, tls) = match read() {
        Ok((outgoing, _, tls)) => (outgoing, tls),
        Err(error) => return vec![bad(error)],
    };
    let mut found = vec![match &origin {
        Origin::Kept(file) => {
            let todo = "put it back, or name another with --config at the next start";
            Finding::warn("configuration", format!("{} is gone; its settings go on as they were", file.display()), todo)
        }
        Origin::Defaults => Finding::ok("configuration", "none is named; every setting is its default"),
        Origin::File(file) | Origin::SameFile(file) => Finding::ok("configuration", file.display().to_string()),
    }];
    found.push(match &tls {
        Some(tls) => certificate(tls, data),
        None => Finding::ok("certificate", "[tls] is not configured: a proxy in front ends TLS, if there is one"),
    });
    found.push(match &outgoing.mail {
        None => Finding::ok("mail", "[mail] is not configured: everything works without"),
        Some(mail) => {
            let asked = async { Smtp::new(mail)?.greet().await };
            let todo = "see server, login and the way to it in [mail]; letters wait meanwhile";
            match tokio::time::timeout(MAIL, asked).await {
                Ok(Ok(())) => Finding::ok("mail", format!("{} answers and takes the login", mail.host)),
                Ok(Err(error)) => Finding::bad("mail", error.message, todo),
                Err(_) => Finding::bad("mail", format!("{} does not answer", mail.host), todo),
            }
        }
    });
    found
}

/// How long the certificate still counts.
fn certificate(tls: &tls::Tls, data: &DataFolder) -> Finding {
    let (cert, key) = tls.files(data);
    let todo = match &tls.source {
        tls::Source::Files { .. } => "bring another one; it is read as soon as it is there",
        tls::Source::Authority(_) => "the log says what the authority said; its port 80 must lead here",
    };
    let read = || -> std::result::Result<_, String> {
        let read = |path: &PathBuf| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
        Certificates::new().map_err(|error| error.to_string())?.set(&read(&cert)?, &read(&key)?)
    };
    let about = match read() {
        Ok(about) => about,
        Err(why) => return Finding::bad("certificate", why, todo),
    };
    let now_s = world::wall_us() / 1_000_000;
    let said = format!("for {}, until {}", about.names.join(", "), tls::day(about.until_s));
    if now_s >= about.until_s || now_s < about.from_s {
        Finding::bad("certificate", format!("{said}: it does not count now"), todo)
    } else if now_s >= about.renew_s() {
        Finding::warn("certificate", format!("{said}: more than two thirds of its life are over"), todo)
    } else {
        Finding::ok("certificate", said)
    }
}
