//! `holdfast account mail`: where mail of the service reaches you.

use std::{io::Read, process::ExitCode};

use hyper::Method;
use serde_json::{Value, json};

use super::login::hidden;
use crate::{
    client::{api::Api, batch::line, http::Outgoing, path::shown},
    error::{Error, Result},
};

/// The longest password that is read.
const PASSWORD_BYTES_MAX: u64 = 1_024;

/// Shows where mail reaches you, or says where it is to; a code comes there.
#[derive(clap::Args)]
pub struct Args {
    /// Your address: a code goes there.
    #[arg(value_name = "ADDRESS")]
    address: Option<String>,
    /// The code that came: what stands behind the # in the mail.
    #[arg(long, value_name = "CODE", conflicts_with = "address")]
    code: Option<String>,
    /// No mail reaches you from now on.
    #[arg(long, conflicts_with_all = ["address", "code"])]
    rm: bool,
    /// For operators: sends you a mail at once and says what the mail server said.
    #[arg(long, conflicts_with_all = ["address", "code", "rm"])]
    test: bool,
    /// Reads your password from standard input, one line, instead of asking for it.
    #[arg(long, requires = "address")]
    password_stdin: bool,
    /// What is known as JSON.
    #[arg(long, conflicts_with_all = ["address", "code", "rm", "test"])]
    json: bool,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    let tell = async |method: Method, path: &str, body: Option<Value>| {
        let (bytes, request) = match body {
            Some(body) => (body.to_string(), api.request(method, path).header("content-type", "application/json")),
            None => (String::new(), api.request(method, path)),
        };
        api.send_all(request, Outgoing::bytes(bytes.into(), None)).await.map(drop)
    };
    match args {
        Args { address: Some(address), password_stdin, .. } => {
            let password = if password_stdin { piped()? } else { hidden("password: ")? };
            tell(Method::PUT, "/api/v1/mail", Some(json!({ "address": address, "password": password }))).await?;
            line("a code goes there; say it with `holdfast account mail --code CODE`, or open the address in the mail");
        }
        Args { code: Some(code), .. } => {
            let code = code.rsplit('#').next().unwrap_or_default();
            tell(Method::POST, "/api/v1/mail/confirm", Some(json!({ "code": code }))).await?;
        }
        Args { rm: true, .. } => tell(Method::DELETE, "/api/v1/mail", None).await?,
        Args { test: true, .. } => tell(Method::POST, "/api/v1/service/mail", None).await?,
        Args { json, .. } => {
            let me: Value = api.json(Method::GET, "/api/v1/session", None).await?;
            let mail = &me["account"]["mail"];
            line(&if json { mail.to_string() } else { row(mail) });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn piped() -> Result<String> {
    let mut text = String::new();
    let read = std::io::stdin().take(PASSWORD_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| Error::refused(format!("no password could be read: {error}")))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn row(mail: &Value) -> String {
    let Some(address) = mail["address"].as_str() else { return "no address is known".to_owned() };
    let confirmed = if mail["confirmed"] == true { "" } else { "  not confirmed yet" };
    let pending = mail["pending"].as_str().map(|next| format!("  to be {}", shown(next))).unwrap_or_default();
    format!("{}{confirmed}{pending}", shown(address))
}
