//! `holdfast share`: links to files and folders for other people.

use std::{
    io::{self, Read},
    process::ExitCode,
};

use hyper::Method;
use model::Class;
use serde_json::{Value, json};

use super::fleet::text;
use crate::{
    client::{
        api::Api,
        batch::line,
        http::Outgoing,
        path::{RemotePath, encode, shown},
    },
    error::{Error, Result},
    time, world,
};

/// 9999-01-01: what a date can say.
const LAST_US: i64 = 253_370_764_800_000_000;
/// The longest password that is read.
const PASSWORD_BYTES_MAX: u64 = 1_024;

/// Makes, lists and ends links.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Prints the address of a new link and nothing else.
    Add {
        /// The file or folder that it shows, wherever it is moved to.
        #[arg(value_name = "PATH")]
        path: String,
        /// Reads a password from standard input, one line; the link asks for it.
        #[arg(long)]
        password_stdin: bool,
        /// How long the link is good: a number and m, h, d or w, for example 10d.
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        /// How many whole downloads it is good for.
        #[arg(long, value_name = "N")]
        downloads: Option<u64>,
        /// The link takes files into that folder and shows nothing of it; --downloads is then how many.
        #[arg(long)]
        receive: bool,
        /// What is said to whoever opens it.
        #[arg(long, value_name = "TEXT")]
        words: Option<String>,
        /// All of the link as JSON, its address too.
        #[arg(long)]
        json: bool,
    },
    /// Lists your links.
    Ls {
        /// The list as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ends links at once; their addresses open nothing any more.
    Rm {
        /// Links: their addresses, or their ids as `share ls` shows them.
        #[arg(required = true, value_name = "LINK")]
        links: Vec<String>,
        /// One JSON object per link.
        #[arg(long)]
        json: bool,
    },
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    match args.verb {
        Verb::Add { path, password_stdin, expires, downloads, receive, words, json } => {
            let path = RemotePath::parse(&path)?;
            let now_us = world::wall_us();
            let expires = expires.as_deref().map(|text| end_of(text, now_us)).transpose()?;
            let password = if password_stdin { Some(password_from(io::stdin())?) } else { None };
            let wish = json!({
                "path": format!("/{}", path.plain().trim_matches('/')),
                "password": password,
                "expires": expires,
                "downloads_max": downloads,
                "receives": receive,
                "words": words,
            });
            let mut share: Value = api.json(Method::POST, "/api/v1/shares", Some(&wish)).await?;
            let address = address(&api, &share);
            if json {
                share["address"] = address.into();
                line(&share.to_string());
            } else {
                line(&address);
            }
        }
        Verb::Ls { json: true } => {
            let shares: Value = api.json(Method::GET, "/api/v1/shares", None).await?;
            line(&shares["shares"].to_string());
        }
        Verb::Ls { json: false } => {
            let shares: Value = api.json(Method::GET, "/api/v1/shares", None).await?;
            shares["shares"].as_array().into_iter().flatten().for_each(|share| line(&row(&api, share)));
        }
        Verb::Rm { links, json } => {
            for link in &links {
                let id = end(&api, link).await?;
                if json {
                    line(&json!({ "ended": id }).to_string());
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn address(api: &Api, share: &Value) -> String {
    format!("{}/s/{}", api.url(), text(&share["code"]))
}

fn row(api: &Api, share: &Value) -> String {
    let path = share["path"].as_str().map_or("(in the trash)".to_owned(), shown);
    let what = if share["receives"] == true { "files received" } else { "downloads" };
    let downloads = match share["downloads_max"].as_u64() {
        Some(max) => format!("{} of {max} {what}", share["downloads"]),
        None => format!("{} {what}", share["downloads"]),
    };
    let opened = format!(", opened {} times", share["opened"]);
    let off = if share["off"].is_string() { ", switched off by the operator" } else { "" };
    let password = if share["password"] == true { ", password" } else { "" };
    let expires = share["expires"].as_str().map(|end| format!(", until {end}")).unwrap_or_default();
    format!("{}  {path}  {}  {downloads}{opened}{password}{expires}{off}", text(&share["id"]), address(api, share))
}

/// Ends one link, named by its id or its address.
async fn end(api: &Api, link: &str) -> Result<String> {
    let code = link.rsplit_once("/s/").map(|(_, code)| code.trim_end_matches('/'));
    let id = match code {
        None => link.to_owned(),
        Some(code) => {
            let shares: Value = api.json(Method::GET, "/api/v1/shares", None).await?;
            let found = shares["shares"].as_array().into_iter().flatten().find(|share| share["code"] == code);
            text(&found.ok_or_else(|| Error::new(Class::Missing, format!("you have no link {link}")))?["id"])
        }
    };
    let request = api.request(Method::DELETE, &format!("/api/v1/shares/{}", encode(&id)));
    api.send_all(request, Outgoing::empty()).await.map(|_| id)
}

/// One line, without its end.
pub fn password_from(input: impl Read) -> Result<String> {
    let mut all = String::new();
    input
        .take(PASSWORD_BYTES_MAX + 2)
        .read_to_string(&mut all)
        .map_err(|error| Error::refused(format!("no password could be read: {error}")))?;
    let password = all.strip_suffix('\n').unwrap_or(&all);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() || password.contains('\n') {
        return Err(Error::refused("a password is one line on standard input"));
    }
    Ok(password.to_owned())
}

/// The time that `10d` from now is.
fn end_of(text: &str, now_us: i64) -> Result<String> {
    let us = seconds(text)?.checked_mul(1_000_000).and_then(|us| now_us.checked_add(us));
    let us = us.filter(|us| *us < LAST_US).ok_or_else(|| Error::refused(format!("'{text}' is too far ahead")))?;
    Ok(time::rfc3339(us))
}

/// `10d` in seconds.
pub fn seconds(text: &str) -> Result<i64> {
    let unit = match text.chars().last() {
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        Some('w') => 7 * 86_400,
        _ => 0,
    };
    let number = text.get(..text.len().saturating_sub(1)).and_then(|digits| digits.parse::<u32>().ok());
    match number {
        Some(number) if unit > 0 && number > 0 => Ok(i64::from(number) * unit),
        _ => Err(Error::refused(format!("'{text}' is no time: write a number and m, h, d or w, for example 10d"))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{end_of, password_from, seconds};

    #[test]
    fn times() {
        for (text, s) in [("90m", 5_400), ("2h", 7_200), ("10d", 864_000), ("1w", 604_800)] {
            assert_eq!(seconds(text).unwrap(), s);
        }
        assert_eq!(end_of("1d", 0).unwrap(), "1970-01-02T00:00:00Z");
        assert!(end_of("4294967295w", 0).is_err());
        for bad in ["", "d", "10", "0d", "-1d", "1y", "1.5h", "10 d", "ä"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_one_line() {
        assert_eq!(password_from("a b\n".as_bytes()).unwrap(), "a b");
        assert_eq!(password_from("a b\r\n".as_bytes()).unwrap(), "a b");
        for bad in ["", "\n", "a\nb\n"] {
            assert!(password_from(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
