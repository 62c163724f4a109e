//! `Range`: which bytes of a file are asked for.
//!
//! Source: RFC 9110 section 14. A `Range` that is not understood, names another unit or asks for several ranges is
//! answered with the whole file, as the RFC allows.

use std::ops::Range;

use axum::response::Response;
use hyper::{
    StatusCode,
    header::{CONTENT_LENGTH, CONTENT_RANGE},
};

use crate::{api, error::Problem};

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of it (200).
    Whole,
    /// These bytes, never none of them (206).
    Part(Range<u64>),
    /// Nothing that exists (416).
    Nothing,
}

/// Reads the value of `Range` against a file of `size` bytes.
pub fn read(value: &str, size: u64) -> Wanted {
    let specs = value.split_once('=').filter(|(unit, _)| unit.trim().eq_ignore_ascii_case("bytes"));
    let Some((_, spec)) = specs else { return Wanted::Whole };
    let Some((first, last)) = spec.trim().split_once('-') else { return Wanted::Whole };
    match (number(first), number(last)) {
        // Also where several ranges are asked for: the comma is no digit.
        (None, _) | (_, None) | (Some(Number::Absent), Some(Number::Absent)) => Wanted::Whole,
        (Some(Number::Absent), Some(Number::Is(0))) => Wanted::Nothing,
        (Some(Number::Absent), Some(Number::Is(_))) if size == 0 => Wanted::Whole,
        (Some(Number::Absent), Some(Number::Is(suffix))) => Wanted::Part(size.saturating_sub(suffix)..size),
        (Some(Number::Is(first)), Some(Number::Is(last))) if last < first => Wanted::Whole,
        (Some(Number::Is(first)), Some(_)) if first >= size => Wanted::Nothing,
        (Some(Number::Is(first)), Some(Number::Absent)) => Wanted::Part(first..size),
        (Some(Number::Is(first)), Some(Number::Is(last))) => Wanted::Part(first..last.saturating_add(1).min(size)),
    }
}

/// Writes into the answer which bytes of `size` it brings, and gives them.
///
/// # Errors
/// 416 if none of them exist.
pub fn promise(response: &mut Response, wanted: Wanted, size: u64) -> Result<Range<u64>, Problem> {
    let part = match wanted {
        Wanted::Whole => 0..size,
        Wanted::Part(part) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let shown = format!("bytes {}-{}/{size}", part.start, part.end - 1);
            response.headers_mut().insert(CONTENT_RANGE, api::value(&shown)?);
            part
        }
        Wanted::Nothing => {
            let detail = format!("there are {size} bytes");
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "bad_range", detail);
            return Err(problem.with(CONTENT_RANGE, api::value(&format!("bytes */{size}"))?));
        }
    };
    response.headers_mut().insert(CONTENT_LENGTH, (part.end - part.start).into());
    Ok(part)
}

enum Number {
    Absent,
    Is(u64),
}

/// Digits only; more than fit are as good as the largest number. `None` for anything else.
fn number(text: &str) -> Option<Number> {
    if text.is_empty() {
        return Some(Number::Absent);
    }
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| Number::Is(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::{Wanted, read};

    #[test]
    fn table() {
        let part = |from, to| Wanted::Part(from..to);
        for (value, size, expected) in [
            ("bytes=0-0", 10, part(0, 1)),
            ("bytes=2-5", 10, part(2, 6)),
            ("bytes=2-", 10, part(2, 10)),
            ("bytes=2-99", 10, part(2, 10)),
            ("bytes=-3", 10, part(7, 10)),
            ("bytes=-30", 10, part(0, 10)),
            ("Bytes=0-1", 10, part(0, 2)),
            ("bytes=0-18446744073709551615", 10, part(0, 10)),
            ("bytes=0-99999999999999999999999", 10, part(0, 10)),
            ("bytes=10-", 10, Wanted::Nothing),
            ("bytes=10-20", 10, Wanted::Nothing),
            ("bytes=99999999999999999999999-", 10, Wanted::Nothing),
            ("bytes=-0", 10, Wanted::Nothing),
            ("bytes=0-", 0, Wanted::Nothing),
            ("bytes=-5", 0, Wanted::Whole),
            ("bytes=5-2", 10, Wanted::Whole),
            ("bytes=0-1,3-4", 10, Wanted::Whole),
            ("bytes=-", 10, Wanted::Whole),
            ("bytes=a-b", 10, Wanted::Whole),
            ("bytes=+1-2", 10, Wanted::Whole),
            ("bytes", 10, Wanted::Whole),
            ("lines=1-2", 10, Wanted::Whole),
            ("", 10, Wanted::Whole),
        ] {
            assert_eq!(read(value, size), expected, "{value} of {size}");
        }
    }
}
