//! `ETag` and the conditions that name one: `If-Match`, `If-None-Match`, `If-Range`.
//!
//! A file's tag is the id of its version, in quotes: strong, and never used for other bytes. So a tag that is not an id
//! is a well-formed tag of nothing we have.
//! Source: RFC 9110 sections 8.8.3 and 13.1.

use model::id::VersionId;
use service::Matches;

use crate::error::Problem;

/// The tag of a version.
pub fn of(version: VersionId) -> String {
    format!("\"{version}\"")
}

/// How tags are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// A weak tag is equal to nothing (`If-Match`).
    Strong,
    /// A weak tag is as good as a strong one (`If-None-Match`).
    Weak,
}

/// Reads `*` or a list of tags.
///
/// # Errors
/// 400 if it is neither: a condition that is not understood must not be taken for one that holds.
pub fn matches(value: &str, compare: Compare) -> Result<Matches, Problem> {
    if value.trim() == "*" {
        return Ok(Matches::Any);
    }
    let bad =
        || Problem::bad_request("bad_condition", "a condition is `*`, or entity tags in quotes with commas between");
    let mut versions = Vec::new();
    let mut rest = value.trim();
    while !rest.is_empty() {
        let (weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |quoted| (true, quoted));
        let (tag, tail) = quoted.strip_prefix('"').and_then(|text| text.split_once('"')).ok_or_else(bad)?;
        if !(weak && compare == Compare::Strong) {
            versions.extend(VersionId::parse(tag).ok());
        }
        rest = tail.trim_start();
        if let Some(next) = rest.strip_prefix(',') {
            rest = next.trim_start();
        } else if !rest.is_empty() {
            return Err(bad());
        }
    }
    Ok(Matches::These(versions))
}

/// Whether `If-Range` lets a range through: only our own strong tag does. A date is a weak validator here, as senders
/// choose modification times; the whole file is sent instead.
pub fn if_range(value: &str, version: VersionId) -> bool {
    value.trim() == of(version)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use model::id::VersionId;
    use service::Matches;

    use super::{Compare, if_range, matches, of};

    const A: VersionId = VersionId([0xaa; 16]);
    const B: VersionId = VersionId([0xbb; 16]);

    #[test]
    fn lists() {
        let (a, b) = (of(A), of(B));
        for (value, compare, expected) in [
            ("*".to_owned(), Compare::Strong, Matches::Any),
            (a.clone(), Compare::Strong, Matches::These(vec![A])),
            (format!(" {a} ,{b}, "), Compare::Strong, Matches::These(vec![A, B])),
            (format!("W/{a}, {b}"), Compare::Strong, Matches::These(vec![B])),
            (format!("W/{a}, {b}"), Compare::Weak, Matches::These(vec![A, B])),
            ("\"of somebody else, with a comma\"".to_owned(), Compare::Weak, Matches::These(vec![])),
        ] {
            assert_eq!(matches(&value, compare).unwrap(), expected, "{value}");
        }
        for bad in [A.to_string(), "\"open".to_owned(), format!("{a} {b}"), "w/\"x\"".to_owned(), "*, \"x\"".to_owned()]
        {
            assert_eq!(matches(&bad, Compare::Weak).unwrap_err().code, "bad_condition", "{bad}");
        }
    }

    #[test]
    fn ranges_only_of_the_same_bytes() {
        assert!(if_range(&of(A), A));
        for other in [of(B), format!("W/{}", of(A)), "Sun, 06 Nov 1994 08:49:37 GMT".to_owned()] {
            assert!(!if_range(&other, A), "{other}");
        }
    }
}
