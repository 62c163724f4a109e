//! `[mail]` and `[webhooks]` of the configuration.
//!
//! ```toml
//! [mail]
//! server = "smtp://mail.example.org"    # port 587, STARTTLS is insisted on; or smtps://, port 465
//! from = "Attic <attic@example.org>"
//! login = "mail.login"                  # a file with the lines user=… and password=…
//! address = "https://files.example.org" # what the addresses in mails begin with
//!
//! [webhooks]
//! inner_addresses = ["10.1.0.0/16"]     # inner machines that users' webhooks may reach
//! ```

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use fleet::Login;
use gateway::client::Range;
use lettre::message::Mailbox;
use serde::Deserialize;

use crate::{
    config::plain_path,
    error::{Error, Result},
};

/// What goes out, as configured.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// Mail; none: everything works without.
    pub mail: Option<Mail>,
    /// Inner addresses that webhooks may reach.
    pub inner: Vec<Range>,
}

/// How mail is sent.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the line is kept private.
    pub line: Line,
    /// Whom mails are from.
    pub from: Mailbox,
    /// The file with user and password, absolute.
    pub login: Option<PathBuf>,
    /// What addresses in mails begin with.
    pub page: String,
}

/// How the line to a mail server is kept private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// TLS from the first byte.
    Tls,
    /// TLS after STARTTLS, or nothing is sent.
    StartTls,
    /// Not at all.
    Clear,
}

/// `[mail]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailTable {
    server: String,
    from: String,
    login: Option<PathBuf>,
    address: String,
    /// Says once more that mails may cross a network that anybody reads.
    #[serde(default)]
    in_clear: bool,
}

/// `[webhooks]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksTable {
    #[serde(default)]
    inner_addresses: Vec<String>,
}

impl Outgoing {
    /// What the tables of a file mean; paths start at `base`.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn of(
        mail: Option<MailTable>,
        webhooks: Option<WebhooksTable>,
        base: &Path,
    ) -> std::result::Result<Self, String> {
        let inner = webhooks.map(|table| table.inner_addresses).unwrap_or_default();
        let range = |text: &String| text.parse().map_err(|why| format!("[webhooks] inner_addresses: '{text}': {why}"));
        Ok(Self {
            mail: mail.map(|table| table.meant(base)).transpose().map_err(|why| format!("[mail] {why}"))?,
            inner: inner.iter().map(range).collect::<std::result::Result<_, _>>()?,
        })
    }
}

impl MailTable {
    fn meant(self, base: &Path) -> std::result::Result<Mail, String> {
        let (line, host, port) = server(&self.server)?;
        let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if line == Line::Clear && !is_here && !self.in_clear {
            return Err(format!(
                "server = \"{}\" would send mails, and the one-time addresses in them, where anybody can read them; if that \
                 network is yours alone, say in_clear = true",
                self.server
            ));
        }
        let from = self
            .from
            .parse()
            .map_err(|_| format!("from = \"{}\" is no address; write name@host, or Name <name@host>", self.from))?;
        let web = self.address.starts_with("https://") || self.address.starts_with("http://");
        let plain = self.address.bytes().all(|byte| byte.is_ascii_graphic()) && !self.address.contains(['#', '?']);
        if !web || !plain {
            return Err(format!(
                "address = \"{}\" is not where people find the page, such as https://files.example.org",
                self.address
            ));
        }
        let page = self.address.trim_end_matches('/').to_owned();
        Ok(Mail { host, port, line, from, login: self.login.map(|file| plain_path(base, &file)), page })
    }
}

/// Reads `smtps://host[:port]` and its like.
fn server(text: &str) -> std::result::Result<(Line, String, u16), String> {
    let bad = || {
        format!(
            "server = \"{text}\" is none; write smtps://HOST, smtp://HOST (with STARTTLS) or smtp+plain://127.0.0.1"
        )
    };
    let (scheme, rest) = text.split_once("://").ok_or_else(bad)?;
    let (line, usual) = match scheme {
        "smtps" => (Line::Tls, 465),
        "smtp" => (Line::StartTls, 587),
        "smtp+plain" => (Line::Clear, 25),
        _ => return Err(bad()),
    };
    let authority: hyper::http::uri::Authority = rest.trim_end_matches('/').parse().map_err(|_| bad())?;
    if authority.as_str().contains('@') {
        return Err("server carries a login; put it into a file and name that with login".to_owned());
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = authority.port_u16().unwrap_or(usual);
    if host.is_empty() { Err(bad()) } else { Ok((line, host, port)) }
}

/// User and password of a login's file.
///
/// # Errors
/// Refused: it cannot be read, or one of the two is missing. Nothing of it is shown.
pub fn login(file: &Path) -> Result<(String, String)> {
    let text =
        fs::read_to_string(file).map_err(|error| Error::io("reading the login of the mail server", file, &error))?;
    let login = Login::parse(&text).map_err(|error| Error::refused(format!("{}: {error}", file.display())))?;
    match (login.get("user"), login.get("password")) {
        (Some(user), Some(password)) => Ok((user.to_owned(), password.to_owned())),
        _ => Err(Error::refused(format!("{} is no login of a mail server", file.display()))
            .hint("it has two lines: user=NAME and password=WORD")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::{Line, MailTable, Outgoing, server};

    fn table(server: &str, from: &str, address: &str, in_clear: bool) -> MailTable {
        let (server, from, address) = (server.to_owned(), from.to_owned(), address.to_owned());
        MailTable { server, from, login: Some("mail.login".into()), address, in_clear }
    }

    #[test]
    fn servers() {
        for (text, line, host, port) in [
            ("smtps://mail.example.org", Line::Tls, "mail.example.org", 465),
            ("smtp://mail.example.org:2525/", Line::StartTls, "mail.example.org", 2525),
            ("smtp+plain://127.0.0.1", Line::Clear, "127.0.0.1", 25),
            ("smtp+plain://[::1]:26", Line::Clear, "::1", 26),
        ] {
            assert_eq!(server(text).unwrap(), (line, host.to_owned(), port), "{text}");
        }
        for text in ["", "mail.example.org", "http://mail.example.org", "smtp://", "smtp://a/b", "smtp://me:pw@host"] {
            assert!(server(text).is_err(), "{text}");
        }
    }

    #[test]
    fn mail_in_clear_is_said_twice() {
        let of = |table| Outgoing::of(Some(table), None, Path::new("/etc/holdfast"));
        let page = "https://files.example.org/";
        let good = of(table("smtp://mail.example.org", "Attic <a@example.org>", page, false)).unwrap().mail.unwrap();
        assert_eq!(good.login.unwrap(), Path::new("/etc/holdfast/mail.login"));
        assert_eq!(good.page, "https://files.example.org");
        assert!(of(table("smtp+plain://127.0.0.1:25", "a@b.example", page, false)).is_ok());
        assert!(of(table("smtp+plain://10.0.0.5", "a@b.example", page, false)).is_err());
        assert!(of(table("smtp+plain://10.0.0.5", "a@b.example", page, true)).is_ok());
        for (from, page) in [("nobody", page), ("a@b.example\nBcc: c@d", page), ("a@b.example", "files.example.org")] {
            assert!(of(table("smtps://m.example.org", from, page, false)).is_err(), "{from} {page}");
        }
    }
}
