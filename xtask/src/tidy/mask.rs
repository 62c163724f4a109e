//! Rust text without what only looks like code.
//!
//! [`mask`] blanks comments and literals with spaces, byte for byte, so that offsets and lines still point into the
//! original; [`without_tests`] blanks `#[cfg(test)]` items the same way. A lexer of this size errs on exotic text, never on
//! formatted code that compiles.

/// A source split into what is code and what is text.
pub struct Masked {
    /// The source with comments, strings and characters blanked.
    pub code: String,
    /// Offset and content of each string literal, escapes as written.
    pub strings: Vec<(usize, String)>,
}

/// Splits a source into code and text.
pub fn mask(text: &str) -> Masked {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut strings = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let (end, string) = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => (line_end(bytes, at), None),
            b'/' if bytes.get(at + 1) == Some(&b'*') => (comment_end(bytes, at), None),
            b'"' => {
                let end = string_end(bytes, at);
                (end, Some((at + 1, end.saturating_sub(1))))
            }
            b'r' if !follows_word(bytes, at) => match raw_string(bytes, at) {
                Some((start, end, after)) => (after, Some((start, end))),
                None => (at, None),
            },
            b'\'' => (character_end(bytes, at), None),
            _ => (at, None),
        };
        if let Some((start, stop)) = string {
            strings.push((start, text.get(start..stop).unwrap_or_default().to_owned()));
        }
        blank(&mut code[at..end]);
        at = end.max(at + 1);
    }
    Masked { code: String::from_utf8_lossy(&code).into_owned(), strings }
}

/// Code with the items under `#[cfg(test)]` blanked. `code` is masked already.
pub fn without_tests(code: &str) -> String {
    let mut bytes = code.as_bytes().to_vec();
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(test)]") {
        let start = from + found;
        let end = item_end(code.as_bytes(), start + "#[cfg(test)]".len());
        blank(&mut bytes[start..end]);
        from = end;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Number of the line that `offset` lies on, from 1.
pub fn line(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Offset just behind the bracket that closes the one at `open`.
pub fn closing(bytes: &[u8], open: usize) -> usize {
    let mut depth = 0_i32;
    for (at, byte) in bytes.iter().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => continue,
        }
        if depth <= 0 {
            return at + 1;
        }
    }
    bytes.len()
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

/// End of the item that begins at `at`, further attributes included.
fn item_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        match bytes[at] {
            b'(' | b'[' => at = closing(bytes, at),
            b'{' => return closing(bytes, at),
            b';' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

fn follows_word(bytes: &[u8], at: usize) -> bool {
    // `br"` and `cr"` are strings too, so those two letters alone before `r` do not make a word.
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match at.checked_sub(1).map(|before| bytes[before]) {
        Some(b'b' | b'c') => at >= 2 && word(bytes[at - 2]),
        Some(byte) => word(byte),
        None => false,
    }
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length)
}

fn comment_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => (depth, at) = (depth + 1, at + 2),
            (b'*', Some(b'/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Content and end of a raw string at `at`: (start of content, end of content, end of literal).
fn raw_string(bytes: &[u8], at: usize) -> Option<(usize, usize, usize)> {
    let hashes = bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count();
    let start = at + 1 + hashes;
    if bytes.get(start) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let length = bytes[start + 1..].windows(close.len()).position(|window| window == close)?;
    let end = start + 1 + length;
    Some((start + 1, end, end + close.len()))
}

/// End of a character literal; `at` itself when this is a lifetime.
fn character_end(bytes: &[u8], at: usize) -> usize {
    if bytes.get(at + 1) == Some(&b'\\') {
        let rest = bytes.get(at + 3..).unwrap_or_default();
        return rest.iter().position(|byte| *byte == b'\'').map_or(bytes.len(), |length| at + 4 + length);
    }
    let width = match bytes.get(at + 1) {
        Some(first) if *first >= 0xF0 => 4,
        Some(first) if *first >= 0xE0 => 3,
        Some(first) if *first >= 0xC0 => 2,
        _ => 1,
    };
    if bytes.get(at + 1 + width) == Some(&b'\'') { at + 2 + width } else { at }
}

#[cfg(test)]
mod tests {
    use super::{mask, without_tests};

    #[test]
    fn comments_and_literals_are_blanked_and_lines_kept() {
        let cases = [
            ("a // unsafe\nb", "a          \nb"),
            ("a /* x /* y */ z */ b", "a                   b"),
            ("f(\"a\\\"b\") c", "f(      ) c"),
            ("r#\"a \" b\"# c", "           c"),
            ("let r = 1;", "let r = 1;"),
            ("x: &'a str, '{', '\\'', 'é'", "x: &'a str,    ,     ,     "),
        ];
        for (text, expected) in cases {
            assert_eq!(mask(text).code, expected, "{text:?}");
        }
        assert_eq!(mask("q(\"one\", br#\"two\"#)").strings, [(3, "one".to_owned()), (13, "two".to_owned())]);
    }

    #[test]
    fn test_items_are_blanked() {
        let code =
            "fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests { fn b() {} }\nfn c() {}\n#[cfg(test)]\nmod t;\nfn d() {}";
        let rest = without_tests(code);
        for (name, expected) in [("fn a", true), ("fn b", false), ("fn c", true), ("mod t", false), ("fn d", true)] {
            assert_eq!(rest.contains(name), expected, "{name}");
        }
        assert_eq!(rest.len(), code.len());
    }
}
