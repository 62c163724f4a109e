//! `holdfast login`, `holdfast logout`: this user's own token for a service.

use std::{
    io::{IsTerminal, stdin},
    process::ExitCode,
};

use hyper::Method;
use model::Class;
use serde_json::{Value, json};

use super::{fleet::text, share::password_from};
use crate::{
    client::{api::Api, batch::line, http::Outgoing, login::Login, path::encode},
    error::{Error, Result},
};

/// Signs you in to a service: the other commands speak to it from then on.
#[derive(clap::Args)]
pub struct LoginArgs {
    /// The service's address, as in the browser.
    #[arg(value_name = "URL")]
    url: String,
    /// Your name there; without it you are asked.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Reads the password from standard input, one line, instead of asking.
    #[arg(long)]
    password_stdin: bool,
    /// The six digits of your authenticator, or a one-time code; without it you are asked if the account wants one.
    #[arg(long, value_name = "CODE")]
    second: Option<String>,
    /// Days until you have to sign in again; without it until `logout`.
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// Sends password and token unencrypted to another machine: everybody on the way can read them.
    #[arg(long)]
    insecure_http: bool,
}

/// Signs you out: withdraws the token that `login` made and forgets it.
#[derive(clap::Args)]
pub struct LogoutArgs {}

/// Signs in.
pub async fn login(args: LoginArgs) -> Result<ExitCode> {
    let stranger = Api::stranger(&args.url)?;
    if !stranger.is_private() && !args.insecure_http {
        return Err(Error::refused(format!(
            "{} is not encrypted: everybody on the way could read your password",
            args.url
        ))
        .hint("use the service's https address; --insecure-http does it nevertheless"));
    }
    let name = match args.name {
        Some(name) => name,
        None => ask("Name: ")?,
    };
    let password = if args.password_stdin { password_from(stdin())? } else { hidden("Password: ")? };
    let mut body = json!({ "name": name, "password": password });
    if let Some(second) = &args.second {
        body["second"] = second.clone().into();
    }
    let session = match stranger.sign_in(&body).await {
        Err(error) if error.code.as_deref() == Some("second_factor_needed") && stdin().is_terminal() => {
            body["second"] = ask("Six digits of your authenticator, or a one-time code: ")?.into();
            stranger.sign_in(&body).await?
        }
        other => other?,
    };
    let label = format!("holdfast login on {}", host());
    let wish = json!({ "label": label, "days": args.days });
    let made = session.json::<Value>(Method::POST, "/api/v1/tokens", Some(&wish)).await;
    // The browser's session was only for this.
    let ended = session.request(Method::DELETE, "/api/v1/session");
    drop(session.send_all(ended, Outgoing::empty()).await);
    let new = Login { url: session.url(), token: text(&made?["token"]) };
    let before = Login::kept().ok().flatten();
    if let Err(error) = new.keep() {
        drop(withdraw(&new).await);
        return Err(error);
    }
    if let Some(before) = before {
        // Nobody else has it. If its service is away now, the account's page still lists it.
        drop(withdraw(&before).await);
    }
    line(&format!("signed in to {} as {name}", session.url()));
    Ok(ExitCode::SUCCESS)
}

/// Signs out.
pub async fn logout(_: LogoutArgs) -> Result<ExitCode> {
    let Some(kept) = Login::kept()? else {
        return Err(Error::new(Class::Missing, "you are not signed in anywhere"));
    };
    let withdrawn = withdraw(&kept).await;
    Login::forget()?;
    match withdrawn {
        Ok(()) => line(&format!("signed out of {}", kept.url)),
        Err(error) => line(&format!(
            "signed out here, but {} could not be told ({error}): withdraw the token on the account's page",
            kept.url
        )),
    }
    Ok(ExitCode::SUCCESS)
}

/// Ends a login's own token, whose id is its second word.
async fn withdraw(login: &Login) -> Result<()> {
    let id = login.token.split('_').nth(1).unwrap_or_default();
    let api = Api::of(login)?;
    let request = api.request(Method::DELETE, &format!("/api/v1/tokens/{}", encode(id)));
    api.send_all(request, Outgoing::empty()).await.map(drop)
}

fn ask(what: &str) -> Result<String> {
    use std::io::Write;
    if !stdin().is_terminal() {
        return Err(Error::refused("there is nobody to ask: give --name and --password-stdin"));
    }
    eprint!("{what}");
    drop(std::io::stderr().flush());
    let mut answer = String::new();
    stdin().read_line(&mut answer).map_err(|error| Error::refused(format!("no answer could be read: {error}")))?;
    Ok(answer.trim().to_owned())
}

pub(super) fn hidden(what: &str) -> Result<String> {
    if !stdin().is_terminal() {
        return Err(Error::refused("there is nobody to ask: give --password-stdin"));
    }
    eprint!("{what}");
    rpassword::read_password().map_err(|error| Error::refused(format!("no password could be read: {error}")))
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
