//! A path in the service, and which names may be written to a local disk.

use std::fmt;

use crate::error::{Error, Result};

/// A folder or file in the service: names from the root down.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RemotePath {
    names: Vec<String>,
    /// Whether it was written with a slash at its end: then it can only be a folder.
    pub folder: bool,
}

impl RemotePath {
    /// Takes `a/b`, `/a/b`, `a/b/`; empty text and `/` are the root.
    ///
    /// # Errors
    /// Refused: `.` and `..` mean nothing here; the service has no current folder.
    pub fn parse(text: &str) -> Result<Self> {
        let names: Vec<String> = text.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if let Some(name) = names.iter().find(|name| *name == "." || *name == "..") {
            return Err(Error::refused(format!("'{text}' contains '{name}'"))
                .hint("paths in the service start at its root; write the whole path without '.' and '..'"));
        }
        Ok(Self { folder: names.is_empty() || text.ends_with('/'), names })
    }

    /// This path and one name more.
    pub fn join(&self, name: &str) -> Self {
        let mut names = self.names.clone();
        names.push(name.to_owned());
        Self { names, folder: false }
    }

    /// The folder it is in; the root's is the root.
    pub fn parent(&self) -> Self {
        let names = self.names[..self.names.len().saturating_sub(1)].to_vec();
        Self { names, folder: true }
    }

    /// The last name; `None` for the root.
    pub fn name(&self) -> Option<&str> {
        self.names.last().map(String::as_str)
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.names.is_empty()
    }

    /// The path for a URL, percent-encoded, without a slash at either end.
    pub fn encoded(&self) -> String {
        self.names.iter().map(|name| encode(name)).collect::<Vec<_>>().join("/")
    }

    /// The path as text without a slash at either end, as bodies and metadata carry it.
    pub fn plain(&self) -> String {
        self.names.join("/")
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", shown(&self.plain()))
    }
}

/// Percent-encodes all but RFC 3986's unreserved characters, so that any name is one path segment or query value.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A name as a terminal may show it: control characters are replaced, so that a name cannot move the cursor.
pub fn shown(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

/// Says why a name that the service sent must not become a local file name, or `None` when it may.
pub fn unfit(name: &str) -> Option<&'static str> {
    if name.is_empty() || name == "." || name == ".." {
        return Some("it names a folder, not a file in one");
    }
    if name.contains(['/', '\0']) || (cfg!(windows) && name.contains(['\\', ':', '<', '>', '"', '|', '?', '*'])) {
        return Some("it contains a character that would lead out of the destination");
    }
    if cfg!(windows) && (is_device(name) || name.ends_with(['.', ' '])) {
        return Some("Windows gives this name a meaning of its own");
    }
    None
}

/// Names that Windows takes for devices, with any extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_uppercase();
    let numbered =
        stem.len() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")) && stem.as_bytes()[3].is_ascii_digit();
    numbered || ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{RemotePath, encode, is_device, shown, unfit};

    #[test]
    fn paths_are_read_encoded_and_shown() {
        for (text, encoded, plain, folder) in [
            ("", "", "", true),
            ("/", "", "", true),
            ("a/b.txt", "a/b.txt", "a/b.txt", false),
            ("//a//b/", "a/b", "a/b", true),
            ("ü/50% #1?", "%C3%BC/50%25%20%231%3F", "ü/50% #1?", false),
        ] {
            let path = RemotePath::parse(text).unwrap();
            assert_eq!(
                (path.encoded().as_str(), path.plain().as_str(), path.folder),
                (encoded, plain, folder),
                "{text}"
            );
        }
        assert_eq!(RemotePath::parse("a/b").unwrap().parent().join("c").to_string(), "/a/c");
    }

    #[test]
    fn dots_are_refused() {
        for text in ["..", "a/../b", "./a", "a/."] {
            assert!(RemotePath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn unfit_names_are_found() {
        for name in ["", ".", "..", "a/b", "/etc/passwd", "nul\0"] {
            assert!(unfit(name).is_some(), "{name}");
        }
        for name in ["...", "a b", "ü", "-rf", "..a", "~"] {
            assert_eq!(unfit(name), None, "{name}");
        }
    }

    #[test]
    fn devices_are_known_with_extensions() {
        for name in ["con", "NUL.txt", "com1", "LPT9.tar.gz"] {
            assert!(is_device(name), "{name}");
        }
        assert!(!["console", "com", "com10", "lptx"].into_iter().any(is_device));
    }

    #[test]
    fn names_cannot_drive_the_terminal() {
        assert_eq!(shown("a\x1b[2Jb\n"), "a\u{FFFD}[2Jb\u{FFFD}");
        assert_eq!(encode("a/b"), "a%2Fb");
    }
}
