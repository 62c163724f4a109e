//! Paths: where a name in an account's tree is allowed to come from, decided once.
//!
//! A path arrives as its components, already decoded exactly once by the protocol that carried it (CVE-2026-42882: what
//! is checked must be what is used). From here on it is a list of names; nothing joins them with `/` and splits them
//! again. Names are kept as they were sent: the two normal forms of Unicode stay two names, and words that other systems
//! reserve (`CON`, `aux.txt`, a trailing dot) are names like any other.

/// The most bytes of one name, as on the file systems that files come from and go home to.
pub const NAME_BYTES_MAX: usize = 255;
/// The most names in one path. Bounds every walk, and what a rescued tree asks of a file system.
pub const DEPTH_MAX: usize = 128;

/// Why a path is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// Two slashes in a row, or one at the end of a file's path.
    #[error("a name in the path is empty: write one slash between names, and none at the end of a file's path")]
    Empty,
    /// `.` or `..`.
    #[error("`.` and `..` are not names: say the whole path from the top")]
    Dots,
    /// A name that contains a slash, which only an encoded one can.
    #[error("a name cannot contain a slash, encoded or not")]
    Slash,
    /// A control character: U+0000 to U+001F, U+007F to U+009F.
    #[error("a name cannot contain control characters (found U+{found:04X})")]
    Control {
        /// Its code point.
        found: u32,
    },
    /// Not UTF-8.
    #[error("a name must be UTF-8")]
    Utf8,
    /// Longer than [`NAME_BYTES_MAX`].
    #[error("a name is {got} bytes long; at most {NAME_BYTES_MAX} are kept")]
    Long {
        /// Its length in bytes.
        got: usize,
    },
    /// Deeper than [`DEPTH_MAX`].
    #[error("the path is {got} names deep; at most {DEPTH_MAX} are kept")]
    Deep {
        /// Its number of names.
        got: usize,
    },
    /// The top of the tree, where a name is needed.
    #[error("the top folder always exists and cannot be changed, moved or deleted")]
    Top,
}

/// A path from the top of an account's tree. No names: the top itself.
///
/// Invariant: every name keeps the rules of [`BadPath`]; there are at most [`DEPTH_MAX`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Path(Vec<String>);

impl Path {
    /// Takes decoded components, which need not be text yet.
    ///
    /// # Errors
    /// [`BadPath`] says which rule the first bad component breaks.
    pub fn from_components(components: Vec<Vec<u8>>) -> Result<Self, BadPath> {
        if components.len() > DEPTH_MAX {
            return Err(BadPath::Deep { got: components.len() });
        }
        components.into_iter().map(name).collect::<Result<Vec<String>, BadPath>>().map(Self)
    }

    /// Reads a path as people write it: names between slashes, with or without one in front. Nothing is decoded.
    ///
    /// # Errors
    /// As [`Path::from_components`].
    pub fn from_text(text: &str) -> Result<Self, BadPath> {
        match text.strip_prefix('/').unwrap_or(text) {
            "" => Ok(Self::default()),
            rest => Self::from_components(rest.split('/').map(|part| part.as_bytes().to_vec()).collect()),
        }
    }

    /// Takes names that were checked before, such as those of a stored upload.
    ///
    /// # Errors
    /// As [`Path::from_components`]; a stored path that fails was not written by us.
    pub fn from_names(names: &[String]) -> Result<Self, BadPath> {
        Self::from_components(names.iter().map(|name| name.as_bytes().to_vec()).collect())
    }

    /// The names, top down.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Its last name and the names of the folder that this is in.
    ///
    /// # Errors
    /// [`BadPath::Top`] for the top folder, which is in none.
    pub fn split(&self) -> Result<(&[String], &str), BadPath> {
        match self.0.split_last() {
            Some((name, folder)) => Ok((folder, name)),
            None => Err(BadPath::Top),
        }
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|name| write!(f, "/{name}"))
    }
}

fn name(bytes: Vec<u8>) -> Result<String, BadPath> {
    match bytes.as_slice() {
        b"" => return Err(BadPath::Empty),
        b"." | b".." => return Err(BadPath::Dots),
        long if long.len() > NAME_BYTES_MAX => return Err(BadPath::Long { got: long.len() }),
        _ => {}
    }
    let name = String::from_utf8(bytes).map_err(|_| BadPath::Utf8)?;
    match name.chars().find(|&c| c == '/' || c.is_control()) {
        None => Ok(name),
        Some('/') => Err(BadPath::Slash),
        Some(control) => Err(BadPath::Control { found: u32::from(control) }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{BadPath, DEPTH_MAX, NAME_BYTES_MAX, Path};

    fn check(component: &[u8], expected: Result<(), BadPath>) {
        let got = Path::from_components(vec![component.to_vec()]).map(|path| {
            assert_eq!(path.names()[0].as_bytes(), component, "kept as sent");
        });
        assert_eq!(got, expected, "{}", component.escape_ascii());
    }

    #[test]
    fn names_that_are_kept_as_sent() {
        // NFC and NFD of the same letter, names other systems reserve, and what looks like an attack but is only a name.
        for kept in
            ["ä", "a\u{308}", "CON", "aux.txt", "NUL", "COM1", "a.", " ", "...", "~", "%2e%2e", "a\\b", ".hidden"]
        {
            check(kept.as_bytes(), Ok(()));
        }
        check(&[b'x'; NAME_BYTES_MAX], Ok(()));
        assert_ne!(Path::from_text("ä").unwrap(), Path::from_text("a\u{308}").unwrap());
    }

    #[test]
    fn names_that_are_refused() {
        check(b"", Err(BadPath::Empty));
        check(b".", Err(BadPath::Dots));
        check(b"..", Err(BadPath::Dots));
        check(b"a/b", Err(BadPath::Slash));
        check(b"a\0b", Err(BadPath::Control { found: 0 }));
        check(b"a\nb", Err(BadPath::Control { found: 10 }));
        check(b"\x7f", Err(BadPath::Control { found: 127 }));
        check("\u{85}".as_bytes(), Err(BadPath::Control { found: 0x85 }));
        check(b"\xff", Err(BadPath::Utf8));
        check(b"\xc0\xaf", Err(BadPath::Utf8));
        check(&[b'x'; NAME_BYTES_MAX + 1], Err(BadPath::Long { got: NAME_BYTES_MAX + 1 }));
    }

    #[test]
    fn text_is_split_and_never_decoded() {
        assert_eq!(Path::from_text("/a/b").unwrap(), Path::from_text("a/b").unwrap());
        assert_eq!(Path::from_text("a%2Fb").unwrap().names(), ["a%2Fb"]);
        assert_eq!(Path::from_text("").unwrap().split(), Err(BadPath::Top));
        for refused in ["//a", "a//b", "a/"] {
            assert_eq!(Path::from_text(refused), Err(BadPath::Empty), "{refused}");
        }
        assert_eq!(Path::from_text("/a/b").unwrap().to_string(), "/a/b");
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |depth: usize| Path::from_components(vec![b"d".to_vec(); depth]).map(|_| ());
        assert_eq!(deep(DEPTH_MAX), Ok(()));
        assert_eq!(deep(DEPTH_MAX + 1), Err(BadPath::Deep { got: DEPTH_MAX + 1 }));
    }
}
