//! Names as this computer can hold them. A name never leads out of its folder.

use std::borrow::Cow;

/// The longest name that is safe everywhere, with room for a few words more.
const SHORT_BYTES: usize = 120;

/// The name itself, with `%` and two digits for what no file system holds, or what is no name at all.
pub(super) fn local(name: &str) -> Cow<'_, str> {
    let special = matches!(name, "" | "." | "..");
    let bad = |letter: char| letter == '/' || letter == '\0' || (cfg!(windows) && !portable_letter(letter));
    if !special && !name.contains(bad) {
        return Cow::Borrowed(name);
    }
    if name.is_empty() {
        return Cow::Borrowed("%");
    }
    Cow::Owned(escape(name, |letter| special || bad(letter)))
}

/// The name in letters that every file system holds, cut if it is long; names that differ stay different.
pub(super) fn portable(name: &str) -> String {
    let mut safe = escape(name, |letter| !portable_letter(letter));
    if matches!(safe.as_str(), "" | "." | "..") || safe.ends_with(['.', ' ']) {
        safe.push('_');
    }
    if safe.len() > SHORT_BYTES {
        let hash = blake3::hash(name.as_bytes()).to_hex();
        safe.truncate(SHORT_BYTES - 9);
        safe = format!("{safe}~{}", &hash.as_str()[..8]);
    }
    safe
}

/// `name`, `name (rescued)`, `name (rescued 2)`, …, before the ending.
pub(super) fn beside(name: &str, n: u32) -> String {
    match n {
        0 => name.to_owned(),
        1 => with(name, "rescued"),
        more => with(name, &format!("rescued {more}")),
    }
}

/// The name of a file that is not whole.
pub(super) fn incomplete(name: &str) -> String {
    with(name, "incomplete")
}

fn with(name: &str, word: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && !ending.contains(' ') => format!("{stem} ({word}).{ending}"),
        _ => format!("{name} ({word})"),
    }
}

fn portable_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || " ._-()+,=@".contains(letter)
}

fn escape(name: &str, bad: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(name.len());
    for letter in name.chars() {
        if bad(letter) {
            let mut bytes = [0; 4];
            letter.encode_utf8(&mut bytes).bytes().for_each(|byte| safe.push_str(&format!("%{byte:02X}")));
        } else {
            safe.push(letter);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{beside, incomplete, local, portable};

    #[test]
    fn no_name_leads_out_of_its_folder() {
        for (name, expected) in [
            ("..", "%2E%2E"),
            (".", "%2E"),
            ("", "%"),
            ("a/../b", "a%2F..%2Fb"),
            ("a\0", "a%00"),
            ("ä …", "ä …"),
            ("a.b", "a.b"),
        ] {
            assert_eq!(local(name), expected);
        }
    }

    #[test]
    fn portable_names_are_short_and_distinct() {
        let long = ["ä".repeat(127), format!("{}x", "ä".repeat(126))].map(|name| portable(&name));
        assert!(long.iter().all(|name| name.is_ascii() && name.len() <= 120));
        assert_ne!(long[0], long[1]);
        assert_eq!(portable("a:b?"), "a%3Ab%3F");
    }

    #[test]
    fn names_beside() {
        assert_eq!(beside("a.tar.gz", 1), "a.tar (rescued).gz");
        assert_eq!(beside(".profile", 2), ".profile (rescued 2)");
        assert_eq!(incomplete("film.mkv"), "film (incomplete).mkv");
    }
}
