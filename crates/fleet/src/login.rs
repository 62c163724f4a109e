//! What a firm wants to hear before it serves: names and values, of which each driver takes those that it knows.
//!
//! A login is text, so that it can be kept in a file, typed from paper and sealed: one `name=value` to a line, `#` before
//! remarks, and in a value `\n` for a line's end and `\\` for a backslash, as a private key needs. A file may hold several,
//! each under the address it is for:
//!
//! ```text
//! [sftp://shards@box.example.net/srv/holdfast]
//! password=correct horse battery staple
//! ```
//!
//! Nothing here shows a value: not `Debug`, not an error.

use std::collections::BTreeMap;

/// Names and values. Empty for a folder.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login(BTreeMap<String, String>);

/// A text that is no login. The message names the line and shows nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the login is not understood: {reason}")]
pub struct BadLogin {
    /// Which line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: &'static str,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Login {
    /// Of pairs; the last of each name counts.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// Reads one login.
    ///
    /// # Errors
    /// Names the first line that is not understood.
    pub fn parse(text: &str) -> Result<Self, BadLogin> {
        let mut logins = Logins::parse(text)?;
        match logins.by_address.first_key_value() {
            None => Ok(std::mem::take(&mut logins.of_all)),
            Some(_) => Err(BadLogin { line: 1, reason: "it holds logins for several addresses, and one is wanted" }),
        }
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names that are there.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// All pairs, by name.
    pub fn pairs(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A file of logins, by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logins {
    /// What stands above the first address: for every target that has none of its own.
    of_all: Login,
    by_address: BTreeMap<String, Login>,
}

impl Logins {
    /// Reads a file.
    ///
    /// # Errors
    /// Names the first line that is not understood.
    pub fn parse(text: &str) -> Result<Self, BadLogin> {
        let mut logins = Self::default();
        let mut current = None;
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            let bad = |reason| BadLogin { line: number, reason };
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(address) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                current = Some(address.trim().to_owned());
                logins.by_address.entry(address.trim().to_owned()).or_default();
                continue;
            }
            let (name, value) = line.split_once('=').ok_or_else(|| bad("it is no name=value"))?;
            let value = unescape(value.trim()).ok_or_else(|| bad("a backslash is followed by n or another one"))?;
            let login = match &current {
                Some(address) => logins.by_address.entry(address.clone()).or_default(),
                None => &mut logins.of_all,
            };
            login.0.insert(name.trim().to_owned(), value);
        }
        Ok(logins)
    }

    /// The login that stands under an address, leaving out the one for all.
    pub fn own(&self, address: &str) -> Option<&Login> {
        self.by_address.get(address)
    }

    /// The login for an address: its own, or the one for all.
    pub fn for_address(&self, address: &str) -> &Login {
        self.own(address).unwrap_or(&self.of_all)
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut value = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\\' => match rest.next()? {
                'n' => value.push('\n'),
                '\\' => value.push('\\'),
                _ => return None,
            },
            other => value.push(other),
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::{BadLogin, Login, Logins};

    #[test]
    fn a_file_of_logins_is_read_and_never_shown() {
        let text = "# of the box\nuser = me\n[s3://b]\nsecret=a=b \\\\ c\\nd\n\n[sftp://x]\n";
        let logins = Logins::parse(text).unwrap_or_default();
        assert_eq!(logins.for_address("s3://b").get("secret"), Some("a=b \\ c\nd"));
        assert_eq!(logins.for_address("elsewhere").get("user"), Some("me"));
        assert!(logins.own("elsewhere").is_none() && logins.own("s3://b").is_some());
        assert!(logins.for_address("sftp://x").is_empty());
        assert!(!format!("{logins:?}").contains("a=b"));
        for (text, line) in [("a", 1), ("a=b\nsecret", 2), ("a=\\x", 1), ("a=\\", 1)] {
            assert_eq!(Logins::parse(text).map_err(|BadLogin { line, .. }| line), Err(line), "{text}");
        }
        assert!(Login::parse("[x]\na=b").is_err());
        assert_eq!(Login::parse("a=b").map(|login| login.get("a").map(str::to_owned)), Ok(Some("b".to_owned())));
    }
}
