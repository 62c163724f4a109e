//! The configuration file: which providers and targets there are, and the settings an operator may turn.
//!
//! ```toml
//! [settings]
//! scheme = "4+2"              # else chosen by the number of providers
//! listing_every_days = 1      # names and lengths; sample_every_days = 30, a few blocks; scrub_every_days = 365, all
//!
//! [[provider]]                # one legal entity that can fail on its own
//! name = "amber"
//! labels = { country = "NL" }
//! price = { tb_month = "4.99", gb_out = "0.01", million_requests = "5", minimum_days = "90", currency = "EUR" }
//! [[provider.target]]         # one place that it keeps shards in
//! path = "/mnt/amber/holdfast"
//! [[provider.target]]         # or a place at a firm
//! address = "s3://shards?endpoint=https://s3.amber.example&region=eu-1"
//! login = "amber.login"       # a file with a line name=value for each part of the login
//! [oidc]                      # see `oidc`
//! [metrics]                   # see `monitor`
//! [tls]                       # see `tls`
//! ```
//!
//! Reading and checking are pure but for the look at folders in [`Config::check_paths`]. A relative path starts at the
//! file's own folder. What is unknown is refused: a misspelt key must not be a silent default.

use std::{
    collections::BTreeMap,
    fs, io,
    net::SocketAddr,
    path::{Component, Path, PathBuf},
};

use fleet::Address;
use model::Scheme;
use serde::Deserialize;
use store::{Budget, Settings};

use crate::{
    error::{Error, Result},
    far::Far,
    monitor::MetricsTable,
    outgoing::config::{MailTable, Outgoing, WebhooksTable},
    tls::{Tls, TlsTable},
};

/// The longest name of a provider.
const NAME_BYTES_MAX: usize = 64;

/// The longest that a change may wait for others: a person does not notice it yet.
const GATHER_MS_MAX: u64 = 1_000;

/// The longest that something is left unread.
const DAYS_MAX: u64 = 3_650;

/// A configuration file that was read and makes sense by itself.
#[derive(Debug)]
pub struct Config {
    /// Settings, on top of the defaults.
    pub settings: Settings,
    /// The providers in the order of the file.
    pub providers: Vec<Provider>,
}

/// One provider as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name, unique.
    pub name: String,
    /// Its labels, sorted.
    pub labels: Vec<(String, String)>,
    /// Its targets' folders: absolute, without `.` and `..`, symbolic links as written.
    pub paths: Vec<PathBuf>,
    /// Its targets at firms.
    pub far: Vec<Far>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTable {
    #[serde(default)]
    settings: SettingsTable,
    #[serde(default)]
    provider: Vec<ProviderTable>,
    mail: Option<MailTable>,
    webhooks: Option<WebhooksTable>,
    metrics: Option<MetricsTable>,
    tls: Option<TlsTable>,
    /// Read by [`crate::oidc`].
    #[serde(rename = "oidc")]
    _oidc: Option<toml::Table>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsTable {
    /// For example `4+2`.
    scheme: Option<String>,
    /// Short times: quick to show what it does.
    trial: Option<bool>,
    down_wait_s: Option<u64>,
    pack_after_s: Option<u64>,
    grace_s: Option<u64>,
    trash_s: Option<u64>,
    upload_s: Option<u64>,
    /// The ladder of scrub: names, samples, full reads.
    listing_every_days: Option<u64>,
    sample_every_days: Option<u64>,
    scrub_every_days: Option<u64>,
    /// Drills that begin by themselves, and how much they draw.
    drill_every_days: Option<u64>,
    drill_sample: Option<u64>,
    write_deadline_s: Option<u64>,
    buffer_bytes: Option<u64>,
    upkeep_bytes_per_s: Option<u64>,
    fill: Option<bool>,
    hedge_percent: Option<u8>,
    journal_gather_ms: Option<u64>,
    journal_gather_billed_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderTable {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// Decimal numbers in quotes: what is written is what counts, to the last digit.
    #[serde(default)]
    price: BTreeMap<String, String>,
    #[serde(default)]
    target: Vec<TargetTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetTable {
    path: Option<PathBuf>,
    address: Option<String>,
    login: Option<PathBuf>,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// Refused: what does not fit, with its line.
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).map_err(|error| {
            Error::io("reading the configuration", file, &error)
                .hint("--config names it; without one the data folder's holdfast.toml is used")
        })?;
        let file = std::path::absolute(file).map_err(|error| Error::io("reading", file, &error))?;
        Self::parse(&file, &text)
    }

    /// The settings of a file's text alone: its providers are not looked at.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn settings(file: &Path, text: &str) -> Result<Settings> {
        let wrong = |why: String| unusable(file, &why);
        let table: FileTable = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        table.settings.over(Settings::default()).map_err(wrong)
    }

    /// What a file's text says of mail and webhooks: paths start at the folder of `file`.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn outgoing(file: &Path, text: &str) -> Result<Outgoing> {
        let table: FileTable = toml::from_str(text).map_err(|error| unusable(file, &error.to_string()))?;
        let base = file.parent().unwrap_or(Path::new("/"));
        Outgoing::of(table.mail, table.webhooks, base).map_err(|why| unusable(file, &why))
    }

    /// Where a file's text says that a monitor may ask.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn monitor(file: &Path, text: &str) -> Result<Option<SocketAddr>> {
        let table: FileTable = toml::from_str(text).map_err(|error| unusable(file, &error.to_string()))?;
        table.metrics.map(MetricsTable::meant).transpose().map_err(|why| unusable(file, &why))
    }

    /// How a file's text says that TLS ends here: paths start at the folder of `file`.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn tls(file: &Path, text: &str) -> Result<Option<Tls>> {
        let table: FileTable = toml::from_str(text).map_err(|error| unusable(file, &error.to_string()))?;
        let base = file.parent().unwrap_or(Path::new("/"));
        table.tls.map(|tls| tls.meant(base)).transpose().map_err(|why| unusable(file, &why))
    }

    /// Reads the text of the file at the absolute path `file`.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(file: &Path, text: &str) -> Result<Self> {
        let wrong = |why: String| unusable(file, &why);
        let table: FileTable = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let base = file.parent().unwrap_or(Path::new("/"));
        let providers: std::result::Result<Vec<Provider>, String> =
            table.provider.into_iter().map(|provider| provider.resolve(base)).collect();
        let providers = providers.map_err(wrong)?;
        check_names(&providers).map_err(wrong)?;
        let settings = table.settings.over(Settings::default()).map_err(wrong)?;
        Ok(Self { settings, providers })
    }

    /// Makes sure that no target lies in another, that no two are one folder, and that none touches `own` (the folders
    /// where the service keeps catalogue and keys). Folders that are missing are compared by name.
    ///
    /// # Errors
    /// Refused: which two paths clash.
    pub fn check_paths(&self, own: &[PathBuf]) -> Result<()> {
        let targets =
            self.providers.iter().flat_map(|provider| provider.paths.iter().map(move |path| (&provider.name, path)));
        let mut seen: Vec<(String, Place)> = own
            .iter()
            .map(|path| Ok((format!("the service's own folder {}", path.display()), Place::of(path)?)))
            .collect::<Result<_>>()?;
        for (provider, path) in targets {
            let place = Place::of(path)?;
            let label = format!("target {} of provider '{provider}'", path.display());
            if let Some((other, clash)) =
                seen.iter().find_map(|(other, there)| place.clash(there).map(|clash| (other, clash)))
            {
                return Err(Error::refused(format!("{label} {clash} {other}")).hint(
                    "each target needs a folder of its own: what one firm loses must not be what another keeps",
                ));
            }
            seen.push((label, place));
        }
        Ok(())
    }
}

fn unusable(file: &Path, why: &str) -> Error {
    Error::refused(format!("the configuration {} cannot be used: {}", file.display(), why.trim_end()))
        .hint("nothing was changed; correct the file and start again")
}

/// Where a path really leads.
struct Place {
    path: PathBuf,
    /// Device and inode, where it exists: two mounts of one folder are one folder.
    identity: Option<(u64, u64)>,
}

impl Place {
    fn of(path: &Path) -> Result<Self> {
        use std::os::unix::fs::MetadataExt;
        let identity = fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
        Ok(Self { path: real(path).map_err(|error| Error::io("reading", path, &error))?, identity })
    }

    fn clash(&self, other: &Self) -> Option<&'static str> {
        if self.path == other.path || (self.identity.is_some() && self.identity == other.identity) {
            Some("is the same folder as")
        } else if self.path.starts_with(&other.path) {
            Some("lies inside")
        } else if other.path.starts_with(&self.path) {
            Some("contains")
        } else {
            None
        }
    }
}

/// The path without symbolic links, as far as it exists.
fn real(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(real) => Ok(real),
        Err(error) => match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => Ok(real(parent)?.join(name)),
            _ => Err(error),
        },
    }
}

/// An absolute path, relative ones from `base`, without `.` and `..`.
pub fn plain_path(base: &Path, path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in base.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

impl ProviderTable {
    fn resolve(self, base: &Path) -> std::result::Result<Provider, String> {
        let (mut paths, mut far) = (Vec::new(), Vec::new());
        for target in self.target {
            match (target.path, target.address, target.login) {
                (Some(path), None, None) => paths.push(plain_path(base, &path)),
                (None, Some(address), login) => {
                    if let Address::Directory(_) = Address::parse(&address).map_err(|error| error.to_string())? {
                        return Err(format!(
                            "{address} is no firm's address; a folder is given as path = \"{address}\""
                        ));
                    }
                    far.push(Far { address, login: login.map(|file| plain_path(base, &file)) });
                }
                _ => {
                    return Err(format!(
                        "a [[provider.target]] of '{}' has either a path (a folder), or an address and a login",
                        self.name
                    ));
                }
            }
        }
        let mut labels = self.labels;
        labels.extend(self.price.into_iter().map(|(name, value)| (format!("price.{name}"), value)));
        Ok(Provider { name: self.name, labels: labels.into_iter().collect(), paths, far })
    }
}

fn check_names(providers: &[Provider]) -> std::result::Result<(), String> {
    if providers.is_empty() {
        return Err("it names no [[provider]]; at least two are needed to keep anything safe".to_owned());
    }
    for (index, provider) in providers.iter().enumerate() {
        let name = &provider.name;
        check_name(name)?;
        check_labels(&provider.labels).map_err(|why| format!("provider '{name}': {why}"))?;
        if providers[..index].iter().any(|other| other.name == *name) {
            return Err(format!(
                "provider '{name}' is there twice; one owner is one provider, with a [[provider.target]] for each place"
            ));
        }
        if provider.paths.is_empty() && provider.far.is_empty() {
            return Err(format!("provider '{name}' has no [[provider.target]]"));
        }
    }
    Ok(())
}

/// What a provider may be called; the error says it.
pub fn check_name(name: &str) -> std::result::Result<(), String> {
    let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    if name.trim() == name && !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(good) {
        return Ok(());
    }
    Err(format!(
        "'{name}' is not a name for a provider: letters, digits, spaces, '-', '_', '.', at most {NAME_BYTES_MAX} bytes"
    ))
}

/// Labels that hold a price or a budget hold one; the error says which does not.
pub fn check_labels(labels: &[(String, String)]) -> std::result::Result<(), String> {
    let check = |label: &str, value: &str| store::Price::check(label, value).and_then(|()| Budget::check(label, value));
    labels.iter().try_for_each(|(label, value)| check(label, value))
}

impl SettingsTable {
    fn over(self, mut settings: Settings) -> std::result::Result<Settings, String> {
        if self.trial == Some(true) {
            settings = Settings::trial();
        }
        let put = |field: &mut u64, value: Option<u64>| *field = value.unwrap_or(*field);
        put(&mut settings.down_wait_s, self.down_wait_s);
        if let Some(fill) = self.fill {
            settings.fill = fill;
        }
        put(&mut settings.pack_after_s, self.pack_after_s);
        put(&mut settings.grace_s, self.grace_s);
        put(&mut settings.trash_s, self.trash_s);
        put(&mut settings.upload_s, self.upload_s);
        for (name, field, days) in [
            ("listing_every_days", &mut settings.listing_every_s, self.listing_every_days),
            ("sample_every_days", &mut settings.sample_every_s, self.sample_every_days),
            ("scrub_every_days", &mut settings.scrub_every_s, self.scrub_every_days),
        ] {
            *field = days.map_or(Ok(*field), |days| days_of(name, days))?;
        }
        settings.drill_every_s = self.drill_every_days.map(|days| days_of("drill_every_days", days)).transpose()?;
        put(&mut settings.drill_sample, self.drill_sample);
        if settings.drill_sample == 0 {
            return Err("drill_sample = 0 would prove nothing; leave it out for 64".to_owned());
        }
        put(&mut settings.write_deadline_s, self.write_deadline_s);
        put(&mut settings.buffer_bytes, self.buffer_bytes);
        put(&mut settings.journal_gather_ms, self.journal_gather_ms);
        put(&mut settings.journal_gather_billed_ms, self.journal_gather_billed_ms);
        if settings.journal_gather_ms.max(settings.journal_gather_billed_ms) > GATHER_MS_MAX {
            return Err(format!("a change that waits for others longer than {GATHER_MS_MAX} ms gains nothing"));
        }
        settings.hedge_percent = self.hedge_percent.unwrap_or(settings.hedge_percent);
        if settings.hedge_percent > 100 {
            return Err(format!("hedge_percent = {} is none; from 0 (never) to 100", settings.hedge_percent));
        }
        if settings.buffer_bytes < 64 << 20 {
            return Err(format!("buffer_bytes = {} is too little; 67108864 (64 MiB) or more", settings.buffer_bytes));
        }
        if self.upkeep_bytes_per_s == Some(0) {
            return Err("upkeep_bytes_per_s = 0 would stop repair; leave it out for no limit".to_owned());
        }
        settings.upkeep_bytes_per_s = self.upkeep_bytes_per_s;
        settings.scheme = self.scheme.as_deref().map(scheme).transpose()?;
        Ok(settings)
    }
}

/// So many days in seconds. None is no number of days: what is never read is not known to be there.
fn days_of(name: &str, days: u64) -> std::result::Result<u64, String> {
    match days {
        1..=DAYS_MAX => Ok(days * 86_400),
        _ => Err(format!("{name} = {days} is none; from 1 to {DAYS_MAX} days")),
    }
}

/// Reads `k+m`.
fn scheme(text: &str) -> std::result::Result<Scheme, String> {
    let parsed =
        text.split_once('+').and_then(|(k, m)| Some(Scheme::new(k.trim().parse().ok()?, m.trim().parse().ok()?)));
    match parsed {
        Some(scheme)
            if scheme.k > 0
                && scheme.m > 0
                && u16::from(scheme.k) + u16::from(scheme.m) <= u16::from(Scheme::LANES_MAX) =>
        {
            Ok(scheme)
        }
        _ => Err(format!(
            "scheme = \"{text}\" is not k+m with k and m from 1 and at most {} together, such as \"4+2\"",
            Scheme::LANES_MAX
        )),
    }
}

/// The file that a trial service writes for itself, so that its operator has something to edit.
pub fn trial_text(names: &[&str]) -> String {
    let mut text = String::from(
        "# The trial service: six providers played by six folders on one disk. It survives a wiped folder, not a dead disk.\n\
         # To add a provider, add a [[provider]] with a [[provider.target]] and restart (or run `holdfast fleet reload`).\n\
         # A provider that is taken out of this file is down, not forgotten. Paths start at this file's folder.\n\n\
         [settings]\ntrial = true\n",
    );
    for name in names {
        text += &format!("\n[[provider]]\nname = \"{name}\"\n[[provider.target]]\npath = \"providers/{name}\"\n");
    }
    text
}

/// The file that a rebuild writes: the providers it found, with the folders it was given.
pub fn fleet_text(trial: bool, providers: &[Provider]) -> String {
    let quote = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut text = String::from("# Written by `holdfast rebuild` from what the targets say.\n\n[settings]\n");
    text += if trial { "trial = true\n" } else { "" };
    for provider in providers {
        text += &format!("\n[[provider]]\nname = {}\n", quote(&provider.name));
        let labels: Vec<_> =
            provider.labels.iter().map(|(key, value)| format!("{} = {}", quote(key), quote(value))).collect();
        if !labels.is_empty() {
            text += &format!("labels = {{ {} }}\n", labels.join(", "));
        }
        for path in &provider.paths {
            text += &format!("[[provider.target]]\npath = {}\n", quote(&path.display().to_string()));
        }
    }
    text
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
