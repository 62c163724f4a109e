//! The configuration that a data folder was last served with: which file that was, and the settings in it.
//!
//! A start that names no file goes on with that one, and so do commands that open the folder themselves. If the file is gone,
//! its settings go on as they were. Settings are nowhere else: the catalogue has the fleet and none of them, and a grace time,
//! a scheme or a limit of memory must not fall back to its default because a command line was shorter this time.
//!
//! ```toml
//! file = "/etc/holdfast/fleet.toml"   # from the data folder, if the file lies in there: the folder may be moved
//! [settings]
//! grace_s = 86400
//! ```

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use store::Settings;

use crate::{
    config::Config,
    data::{DataFolder, replace_private},
    error::{Error, Result},
    outgoing::config::Outgoing,
    tls::Tls,
};

/// Tables of a configuration that go on as they were when its file is gone.
const KEPT: [&str; 5] = ["settings", "mail", "webhooks", "metrics", "tls"];

/// Where the settings of a start come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file that was named, or the data folder's own.
    File(PathBuf),
    /// The file that was used last; nobody named it this time.
    SameFile(PathBuf),
    /// What was in a file that is gone.
    Kept(PathBuf),
    /// No file was ever named.
    Defaults,
}

impl Origin {
    /// Decides for a data folder that is known already, and a file if one was named.
    ///
    /// # Errors
    /// Refused: what is remembered cannot be read.
    pub fn of(data: &DataFolder, named: Option<&Path>) -> Result<Self> {
        if let Some(named) = named {
            return Ok(Self::File(named.to_owned()));
        }
        match Last::read(data)? {
            Some(last) if last.file == data.config_file() && last.is_there()? => Ok(Self::File(last.file)),
            Some(last) if last.is_there()? => Ok(Self::SameFile(last.file)),
            Some(last) => Ok(Self::Kept(last.file)),
            None if data.config_file().exists() => Ok(Self::File(data.config_file())),
            None => Ok(Self::Defaults),
        }
    }

    /// The file to read, if there is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(file) | Self::SameFile(file) => Some(file),
            Self::Kept(_) | Self::Defaults => None,
        }
    }

    /// The settings where no providers are read from a file.
    ///
    /// # Errors
    /// Refused: what does not fit, with its line.
    pub fn settings(&self, data: &DataFolder) -> Result<Settings> {
        match self {
            Self::File(file) | Self::SameFile(file) => Config::settings(file, &text_of(file)?),
            Self::Kept(_) => match Last::read(data)? {
                Some(last) => Config::settings(&data.last_config(), &last.settings),
                None => Ok(Settings::default()),
            },
            Self::Defaults => Ok(Settings::default()),
        }
    }

    /// What it says of mail and webhooks.
    ///
    /// # Errors
    /// Refused: what does not fit, with its line.
    pub fn outgoing(&self, data: &DataFolder) -> Result<Outgoing> {
        match self {
            Self::File(file) | Self::SameFile(file) => {
                let file = std::path::absolute(file).map_err(|error| Error::io("reading", file, &error))?;
                Config::outgoing(&file, &text_of(&file)?)
            }
            Self::Kept(file) => match Last::read(data)? {
                Some(last) => Config::outgoing(file, &last.settings),
                None => Ok(Outgoing::default()),
            },
            Self::Defaults => Ok(Outgoing::default()),
        }
    }

    /// Where it says that a monitor may ask.
    ///
    /// # Errors
    /// Refused: what does not fit, with its line.
    pub fn monitor(&self, data: &DataFolder) -> Result<Option<SocketAddr>> {
        self.table(data, Config::monitor)
    }

    /// How it says that TLS ends here.
    ///
    /// # Errors
    /// Refused: what does not fit, with its line.
    pub fn tls(&self, data: &DataFolder) -> Result<Option<Tls>> {
        self.table(data, Config::tls)
    }

    fn table<T>(&self, data: &DataFolder, read: fn(&Path, &str) -> Result<Option<T>>) -> Result<Option<T>> {
        match self {
            Self::File(file) | Self::SameFile(file) => {
                let file = std::path::absolute(file).map_err(|error| Error::io("reading", file, &error))?;
                read(&file, &text_of(&file)?)
            }
            Self::Kept(file) => Last::read(data)?.map_or(Ok(None), |last| read(file, &last.settings)),
            Self::Defaults => Ok(None),
        }
    }

    /// What the operator should know of it, for a service that is not new.
    pub fn said(&self, data: &DataFolder) -> Option<String> {
        match self {
            Self::File(_) => None,
            Self::SameFile(file) => {
                Some(format!("configuration: {}, as at the last start (--config names another)", file.display()))
            }
            Self::Kept(file) => Some(format!(
                "configuration: {} is gone; its settings stay as they were at the last start (kept in {}) and the fleet is as \
                 recorded; name a file with --config to change them",
                file.display(),
                data.last_config().display()
            )),
            Self::Defaults => Some("configuration: none is named or known; every setting is its default".to_owned()),
        }
    }
}

/// Notes which file the service runs with, and its settings.
///
/// # Errors
/// As the operating system says.
pub fn remember(data: &DataFolder, file: &Path) -> Result<()> {
    let file = std::path::absolute(file).map_err(|error| Error::io("reading", file, &error))?;
    let table: toml::Table = text_of(&file)?.parse().map_err(|error| damaged(&file, &error))?;
    let shown = file.strip_prefix(data.root()).unwrap_or(&file).display().to_string();
    let mut last = toml::Table::from_iter([("file".to_owned(), toml::Value::String(shown))]);
    last.extend(table.into_iter().filter(|(name, _)| KEPT.contains(&name.as_str())));
    let text = format!(
        "# Written by `holdfast serve`: what it was last served with. Change the file that is named here, not this one.\n{last}"
    );
    let known = fs::read_to_string(data.last_config()).unwrap_or_default();
    if known == text { Ok(()) } else { replace_private(&data.last_config(), text.as_bytes()) }
}

/// What is remembered.
struct Last {
    file: PathBuf,
    /// A configuration that has these settings and nothing else.
    settings: String,
}

impl Last {
    fn read(data: &DataFolder) -> Result<Option<Self>> {
        let path = data.last_config();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("reading", &path, &error).hint("--config names the configuration")),
        };
        let mut table: toml::Table = text.parse().map_err(|error| damaged(&path, &error))?;
        let file = table.remove("file");
        let file = file.as_ref().and_then(toml::Value::as_str).ok_or_else(|| damaged(&path, &"it names no file"))?;
        Ok(Some(Self { file: data.root().join(file), settings: table.to_string() }))
    }

    fn is_there(&self) -> Result<bool> {
        self.file.try_exists().map_err(|error| Error::io("looking for the configuration", &self.file, &error))
    }
}

fn text_of(file: &Path) -> Result<String> {
    fs::read_to_string(file).map_err(|error| Error::io("reading the configuration", file, &error))
}

fn damaged(path: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::refused(format!("{} cannot be used: {}", path.display(), why.to_string().trim_end()))
        .hint("name the configuration with --config; it is remembered anew then")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::{Origin, remember};
    use crate::{data::DataFolder, scratch::Scratch};

    #[test]
    fn the_last_file_is_used_until_another_is_named_and_its_settings_outlive_it() {
        let scratch = Scratch::new("last-config");
        let data = DataFolder::at(&scratch.path().join("d")).unwrap();
        fs::create_dir(data.root()).unwrap();
        let of = |named| Origin::of(&data, named).unwrap();
        assert_eq!(of(None), Origin::Defaults);
        fs::write(data.config_file(), "").unwrap();
        assert_eq!(of(None), Origin::File(data.config_file()));

        let file = scratch.path().join("fleet.toml");
        fs::write(&file, "[settings]\ngrace_s = 7 # a week?\nscheme = \"3+3\"\n[[provider]]\nname = \"x\"\n").unwrap();
        assert_eq!(of(Some(&file)), Origin::File(file.clone()));
        remember(&data, &file).unwrap();
        assert_eq!(of(None), Origin::SameFile(file.clone()), "not the folder's own, which was not used");
        fs::remove_file(&file).unwrap();
        let kept = of(None);
        assert_eq!(kept, Origin::Kept(file.clone()));
        let settings = kept.settings(&data).unwrap();
        assert_eq!((settings.grace_s, settings.scheme), (7, Some(model::Scheme::new(3, 3))));
        assert!(kept.said(&data).unwrap().contains("fleet.toml is gone"));

        // Its own file, wherever the folder is moved.
        remember(&data, &data.config_file()).unwrap();
        let moved = DataFolder::at(&scratch.path().join("moved")).unwrap();
        fs::rename(data.root(), moved.root()).unwrap();
        assert_eq!(Origin::of(&moved, None).unwrap(), Origin::File(moved.config_file()));
    }

    #[test]
    fn what_is_remembered_and_damaged_is_no_silent_default() {
        let scratch = Scratch::new("last-config-damaged");
        let data = DataFolder::at(scratch.path()).unwrap();
        for text in ["file = ", "", "file = 7"] {
            fs::write(data.last_config(), text).unwrap();
            let error = Origin::of(&data, None).unwrap_err();
            assert!(error.to_string().contains("last-config.toml"), "{error}");
        }
    }
}
