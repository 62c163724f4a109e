//! `[oidc]` in the configuration: the issuer that vouches for people.
//!
//! ```toml
//! [oidc]
//! issuer = "https://id.example.org/realm"   # exactly as the issuer writes it
//! client_id = "holdfast"
//! client_secret_file = "oidc.secret"        # a file with the secret alone
//! name = "School login"                     # on the button
//! sign_up = true                            # an account for everybody whom the issuer vouches for
//! ```
//!
//! At the issuer, `https://HOST/api/v1/session/oidc/back` is entered as the address that it sends browsers back to.

use std::{fs, path::Path, sync::Arc};

use serde::Deserialize;
use service::{Issuer, Service};

use crate::{
    config::plain_path,
    errand::Network,
    error::{Error, Result},
};

/// Longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 4_096;

/// The table, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    issuer: String,
    client_id: String,
    client_secret_file: std::path::PathBuf,
    name: String,
    #[serde(default)]
    sign_up: bool,
}

/// Everything else of the file, which others read.
#[derive(Deserialize)]
struct FileTable {
    oidc: Option<toml::Spanned<Table>>,
}

/// The issuer that a configuration file names, if it names one. A secret is read from its file and shown nowhere.
///
/// # Errors
/// Refused: what does not fit, with its line and what to do.
pub fn read(file: &Path) -> Result<Option<Issuer>> {
    let text = fs::read_to_string(file).map_err(|error| Error::io("reading the configuration", file, &error))?;
    parse(file, &text)
}

fn parse(file: &Path, text: &str) -> Result<Option<Issuer>> {
    let wrong = |why: String| {
        Error::refused(format!("the configuration {} cannot be used: {}", file.display(), why.trim_end()))
            .hint("nothing was changed; correct the file and start again")
    };
    let table: FileTable = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let Some(spanned) = table.oidc else { return Ok(None) };
    let line = text.get(..spanned.span().start).map_or(1, |before| before.matches('\n').count() + 1);
    let at = |why: String| wrong(format!("[oidc] from line {line}: {why}"));
    let table = spanned.into_inner();
    let secret_file = plain_path(file.parent().unwrap_or(Path::new("/")), &table.client_secret_file);
    let secret = fs::read_to_string(&secret_file).map_err(|error| {
        at(format!(
            "client_secret_file {} cannot be read: {error}; put the issuer's secret for this service into it",
            secret_file.display()
        ))
    })?;
    let secret = secret.trim().to_owned();
    if secret.len() > SECRET_BYTES_MAX || secret.chars().any(char::is_control) {
        return Err(at(format!("{} holds more than a secret on one line", secret_file.display())));
    }
    let (address, client, name, sign_up) = (table.issuer, table.client_id, table.name, table.sign_up);
    let issuer = Issuer { address, client, secret, name, sign_up };
    issuer.check().map_err(at)?;
    Ok(Some(issuer))
}

/// `service` with the issuer of its configuration, if there is one.
///
/// # Errors
/// As [`read`].
pub fn join(service: Service, file: Option<&Path>) -> Result<Service> {
    let issuer = file.filter(|file| file.exists()).map(read).transpose()?.flatten();
    Ok(match issuer {
        Some(issuer) => service.with_issuer(issuer, Arc::new(Network)),
        None => service,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::parse;
    use crate::scratch::Scratch;

    #[test]
    fn an_issuer_is_understood_or_its_line_and_remedy_are_said() {
        let scratch = Scratch::new("oidc");
        let file = scratch.path().join("holdfast.toml");
        std::fs::write(scratch.path().join("secret"), "very secret\n").unwrap();
        let good = "[settings]\ntrial = true\n\n[oidc]\nissuer = \"https://id.example\"\nclient_id = \"us\"\n\
                    client_secret_file = \"secret\"\nname = \"School login\"\n";
        let issuer = parse(&file, good).unwrap().unwrap();
        assert_eq!((issuer.secret.as_str(), issuer.sign_up), ("very secret", false));
        assert!(!format!("{issuer:?}").contains("very secret"));
        assert!(parse(&file, "[settings]\ntrial = true\n").unwrap().is_none());
        for (from, to, said) in [
            ("https://id.example", "http://id.example", "line 4"),
            ("\"us\"", "\"\"", "client_id"),
            ("\"secret\"", "\"missing\"", "client_secret_file"),
            ("School login", "", "letters"),
        ] {
            let text = good.replacen(from, to, 1);
            let error = parse(&file, &text).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let misspelt = good.replace("client_id", "client");
        assert!(parse(&file, &misspelt).unwrap_err().to_string().contains("line 6"));
        let inline = good.replace("client_secret_file = \"secret\"", "client_secret = \"s3cret\"");
        assert!(!parse(&file, &inline).unwrap_err().to_string().is_empty());
    }
}
