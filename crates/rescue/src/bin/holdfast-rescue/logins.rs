//! Questions for what a firm wants to hear.
//!
//! They are few: at an SSH server either a password or a key; a certificate of the firm's own only from a file of logins, as
//! nobody types one. What a driver may come to want is asked for by its own name.

use std::{
    fs,
    io::{BufRead, Write},
};

use anyhow::Result;
use fleet::{Address, Login};

use crate::ask::Questions;

/// How a value is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Typed and seen.
    Seen,
    /// Typed and not seen, on a terminal.
    Hidden,
    /// The name of the file that holds it.
    File,
    /// Not at all.
    Never,
}

/// The words for a value, and how it is asked for.
fn words(name: &str) -> (&str, Way) {
    match name {
        "user" => ("The user's name", Way::Seen),
        "password" => ("The password", Way::Hidden),
        "key" => ("Which file holds the private SSH key", Way::File),
        "passphrase" => ("The passphrase of that key", Way::Hidden),
        "access_key_id" => ("The access key id", Way::Seen),
        "secret_access_key" => ("The secret access key", Way::Hidden),
        "authority" => ("", Way::Never),
        other => (other, Way::Hidden),
    }
}

/// Whether a value is not asked for once these are known: with a password no key is wanted, without a key no passphrase.
fn is_idle(name: &str, known: &[(String, String)]) -> bool {
    let has = |name: &str| known.iter().any(|(known, _)| known == name);
    match name {
        "key" => has("password"),
        "passphrase" => !has("key"),
        _ => false,
    }
}

impl<I: BufRead, O: Write> Questions<I, O> {
    /// Is there a login for this place? `None`: no, or nobody answers.
    pub fn login_for(&mut self, provider: &str, text: &str) -> Result<Option<Login>> {
        let whom = if provider.is_empty() { text.to_owned() } else { format!("{provider} ({text})") };
        loop {
            let answer = self.ask(&format!("Do you have a login for {whom}? (yes, or just Enter: no) "))?;
            match answer.map(|answer| answer.to_lowercase()).as_deref() {
                None | Some("" | "n" | "no") => return Ok(None),
                Some("y" | "yes") => return self.login(text),
                // It is not repeated: it may be the password.
                Some(_) => self.say("Please answer yes or no.\n")?,
            }
        }
    }

    /// The login for a place, value by value; `None` if what must be there is not given.
    pub fn login(&mut self, text: &str) -> Result<Option<Login>> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for name in Address::parse(text)?.login_names() {
            let (name, is_optional) = name.strip_suffix('?').map_or((*name, false), |name| (name, true));
            if is_idle(name, &pairs) {
                continue;
            }
            match self.value(name, is_optional)? {
                Some(value) => pairs.push((name.to_owned(), value)),
                None if is_optional => {}
                None => return self.without(),
            }
        }
        if pairs.is_empty() { self.without() } else { Ok(Some(Login::new(pairs))) }
    }

    fn without(&mut self) -> Result<Option<Login>> {
        self.say("Going on without it.\n")?;
        Ok(None)
    }

    fn value(&mut self, name: &str, is_optional: bool) -> Result<Option<String>> {
        let (words, way) = words(name);
        let enter = if is_optional { " (Enter: there is none)" } else { " (Enter: go on without this place)" };
        let question = format!("{words}{enter}: ");
        loop {
            let answer = match way {
                Way::Never => return Ok(None),
                Way::Hidden => self.ask_hidden(&question)?,
                Way::Seen | Way::File => self.ask(&question)?,
            };
            let Some(answer) = answer.filter(|answer| !answer.is_empty()) else { return Ok(None) };
            if way != Way::File {
                return Ok(Some(answer));
            }
            match fs::read_to_string(&answer) {
                Ok(value) => return Ok(Some(value)),
                Err(error) => self.say(&format!("That file cannot be read: {}.\n", error.kind()))?,
            }
        }
    }
}
