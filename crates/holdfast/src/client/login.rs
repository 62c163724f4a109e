//! Which service the user's commands speak to: by HOLDFAST_URL and HOLDFAST_TOKEN, else by what `holdfast login` kept.
//!
//! What is kept is one file that only its owner may read, with the service's address and a token of the user's own, which
//! the account's page lists and can withdraw.

use std::{fs, io, os::unix::fs::DirBuilderExt, path::PathBuf};

use crate::{
    data::write_private,
    error::{Error, Result},
};

/// A service and the token for it.
pub struct Login {
    /// Its address.
    pub url: String,
    /// A bearer token.
    pub token: String,
}

impl Login {
    /// The environment's, else the kept one.
    ///
    /// # Errors
    /// Refused if there is neither, with what to do.
    pub fn find() -> Result<Self> {
        let read = |name: &str| {
            std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let missing = |name: &str, hint: &str| Error::refused(format!("{name} is not set")).hint(hint);
        match (read("HOLDFAST_URL"), read("HOLDFAST_TOKEN")) {
            (Some(url), Some(token)) => Ok(Self { url, token }),
            (None, None) => Self::kept()?.ok_or_else(|| {
                Error::refused("no service is known to this user: there is no login, and HOLDFAST_URL is not set")
                    .hint("`holdfast login URL` signs you in; programs set HOLDFAST_URL and HOLDFAST_TOKEN")
            }),
            (None, _) => Err(missing(
                "HOLDFAST_URL",
                "set it to what `holdfast serve` printed, for example http://127.0.0.1:4620",
            )),
            (_, None) => {
                // Half of the environment and half of a file would send a token to somebody else's service.
                Err(missing("HOLDFAST_TOKEN", "make one with `holdfast token create --data DIR --account owner`"))
            }
        }
    }

    /// The kept one.
    ///
    /// # Errors
    /// As the operating system says; Refused if the file is not one of ours.
    pub fn kept() -> Result<Option<Self>> {
        let path = path()?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("reading", &path, &error)),
        };
        let value =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
        match (value("url="), value("token=")) {
            (Some(url), Some(token)) => Ok(Some(Self { url, token })),
            _ => Err(Error::refused(format!("{} is not a login", path.display()))
                .hint("`holdfast logout` removes it, `holdfast login URL` makes a new one")),
        }
    }

    /// Keeps it in place of the one before.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn keep(&self) -> Result<()> {
        let path = path()?;
        let folder = path.parent().unwrap_or(&path);
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| Error::io("making", folder, &error))?;
        let new = path.with_extension("new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("removing", &new, &error)),
            _ => {}
        }
        write_private(&new, format!("url={}\ntoken={}\n", self.url, self.token).as_bytes())?;
        fs::rename(&new, &path).map_err(|error| Error::io("renaming", &new, &error))
    }

    /// Forgets the kept one.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn forget() -> Result<()> {
        let path = path()?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("removing", &path, &error)),
            _ => Ok(()),
        }
    }
}

/// Source: XDG Base Directory Specification 0.8.
fn path() -> Result<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")));
    let config = config.ok_or_else(|| Error::refused("HOME is not set, so there is no place for a login"))?;
    Ok(config.join("holdfast/login"))
}
