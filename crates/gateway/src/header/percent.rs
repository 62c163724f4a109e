//! Percent-encoding, decoded exactly once, and the query behind a path.
//!
//! Source: RFC 3986 section 2.1; for queries also the WHATWG URL standard, section 5 (`+` is a space).

use service::paths::{BadPath, Path};

use crate::error::Problem;

/// The path that `raw`, the part of a request's target behind the door's prefix, stands for, and whether it was written
/// with a slash at its end. Decoded once, component by component: an encoded slash stays inside of its name, where the
/// rules for names refuse it.
pub fn path(raw: &str) -> Result<(Path, bool), Problem> {
    if raw.is_empty() {
        return Ok((Path::default(), true));
    }
    let (names, slash) = raw.strip_suffix('/').map_or((raw, false), |names| (names, true));
    let components: Result<Vec<Vec<u8>>, Problem> = names.split('/').map(|part| decode(part.as_bytes())).collect();
    Ok((Path::from_components(components?).map_err(service::Error::from)?, slash))
}

/// The bytes that `encoded` stands for.
fn decode(encoded: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = rest
            .split_first_chunk::<2>()
            .and_then(|(digits, tail)| Some((nibble(digits[0])?, nibble(digits[1])?, tail)));
        let (high, low, tail) = digits.ok_or_else(|| {
            Problem::bad_request(
                "bad_encoding",
                "a % in the address is not followed by two hex digits; a percent sign itself is %25",
            )
        })?;
        bytes.push(high << 4 | low);
        rest = tail;
    }
    Ok(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// `text` with everything but RFC 3986's unreserved characters encoded. Also the `ext-value` of RFC 8187.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value & 15)]);
                out.extend(['%', digit(byte >> 4), digit(byte)]);
            }
        }
    }
    out
}

/// The parameters of a request, of which each must be one of `known` and come once.
///
/// Unknown ones are refused: `?permanant=true` must not be taken for a plain delete.
pub fn query<const N: usize>(query: Option<&str>, known: [&str; N]) -> Result<[Option<String>; N], Problem> {
    let mut values = [const { None }; N];
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = text(name)?;
        let slot = known.iter().position(|known| *known == name).map(|index| &mut values[index]);
        match slot {
            Some(slot @ None) => *slot = Some(text(value)?),
            Some(Some(_)) => {
                return Err(Problem::bad_request("bad_query", format!("the parameter `{name}` is given twice")));
            }
            None => return Err(Problem::bad_request("bad_query", format!("the parameter `{name}` is not known here"))),
        }
    }
    Ok(values)
}

/// All values of the one parameter that a request may have, as often as it likes.
///
/// # Errors
/// As [`fn@query`].
pub fn repeated(query: Option<&str>, known: &str) -> Result<Vec<String>, Problem> {
    let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let value = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match text(name)? {
            name if name == known => text(value),
            name => Err(Problem::bad_request("bad_query", format!("the parameter `{name}` is not known here"))),
        }
    };
    pairs.map(value).collect()
}

/// `true` or `false`; nothing said is `false`.
pub fn flag(name: &str, value: Option<&str>) -> Result<bool, Problem> {
    match value {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::bad_request("bad_query", format!("`{name}` is true or false"))),
    }
}

/// A parameter's name or value as it was meant.
pub fn text(encoded: &str) -> Result<String, Problem> {
    let spaced = encoded.replace('+', " ");
    String::from_utf8(decode(spaced.as_bytes())?).map_err(|_| Problem::from(service::Error::from(BadPath::Utf8)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{encode, path, query};

    /// `Ok((names, slash))`, or `Err(code)`.
    fn check(raw: &str, expected: Result<(&[&str], bool), &str>) {
        let got = path(raw);
        let got = got.as_ref().map(|(path, slash)| (path.names().to_vec(), *slash)).map_err(|problem| problem.code);
        let expected =
            expected.map(|(names, slash)| (names.iter().map(ToString::to_string).collect::<Vec<_>>(), slash));
        assert_eq!(got, expected, "{raw}");
    }

    #[test]
    fn decoded_exactly_once() {
        check("a/b%20c", Ok((&["a", "b c"], false)));
        check("", Ok((&[], true)));
        check("a/", Ok((&["a"], true)));
        check("%252F", Ok((&["%2F"], false)));
        check("a+b", Ok((&["a+b"], false)));
        check("%C3%A4", Ok((&["ä"], false)));
        check("ä", Ok((&["ä"], false)));
        check("%41", Ok((&["A"], false)));
    }

    #[test]
    fn refused() {
        for raw in
            ["a%2Fb", "..", "%2e%2e/x", "a/../b", "a/./b", "//", "a//b", "/a", "a%00", "a%0Ab", "%7f", "%ff", "%C0%AF"]
        {
            check(raw, Err("bad_path"));
        }
        for raw in ["%", "%4", "%zz", "a%2", "%+1", "%é"] {
            check(raw, Err("bad_encoding"));
        }
    }

    #[test]
    fn encoded_texts_decode_to_themselves() {
        for text in ["a b", "ä/ö", "100%", "x'y\"z", "~_-."] {
            let [got] = query(Some(&format!("k={}", encode(text))), ["k"]).unwrap();
            assert_eq!(got.as_deref(), Some(text));
        }
    }

    #[test]
    fn queries() {
        assert_eq!(query(None, ["a"]).unwrap(), [None]);
        assert_eq!(query(Some("b=2&a=1+%2B"), ["a", "b"]).unwrap(), [Some("1 +".to_owned()), Some("2".to_owned())]);
        assert_eq!(query(Some("a"), ["a"]).unwrap(), [Some(String::new())]);
        for bad in ["c=1", "a=1&a=2", "a=%"] {
            assert!(query(Some(bad), ["a", "b"]).is_err(), "{bad}");
        }
    }
}
