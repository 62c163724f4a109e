//! Signatures of requests to S3, version 4.
//!
//! The hash of the body is signed too, so that a server which checks signatures checks what arrived: it is the checksum of every
//! upload, over plain HTTP as well.
//!
//! Source: "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API Reference.

use aws_lc_rs::{digest, hmac};
use hyper::{
    HeaderMap,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};

use super::address::S3Login;
use crate::wire::text;

/// What is signed beside the headers.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// The path, encoded.
    pub(super) path: &'a str,
    /// The query, encoded and sorted.
    pub(super) query: &'a str,
    pub(super) host: &'a str,
    /// Hexadecimal SHA-256 of the body.
    pub(super) body_hash: &'a str,
}

/// Adds the headers of a signature made at `wall_us`. All `x-amz-` headers that are there already are signed.
pub(super) fn sign(
    headers: &mut HeaderMap,
    request: &Request<'_>,
    region: &str,
    login: &S3Login,
    wall_us: i64,
) -> Option<()> {
    let time = compact_time(wall_us);
    let day = &time[..8];
    headers.insert(HeaderName::from_static("host"), HeaderValue::from_str(request.host).ok()?);
    headers.insert(HeaderName::from_static("x-amz-date"), HeaderValue::from_str(&time).ok()?);
    headers.insert(HeaderName::from_static("x-amz-content-sha256"), HeaderValue::from_str(request.body_hash).ok()?);

    let mut signed: Vec<(&str, &str)> = Vec::new();
    for (name, value) in headers.iter() {
        if name == "host" || name.as_str().starts_with("x-amz-") {
            signed.push((name.as_str(), value.to_str().ok()?.trim()));
        }
    }
    signed.sort_unstable();
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let Request { method, path, query, body_hash, .. } = request;
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{body_hash}");

    let scope = format!("{day}/{region}/s3/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hash(canonical.as_bytes()));
    let first = format!("AWS4{}", login.secret_access_key);
    let key = [day, region, "s3", "aws4_request"]
        .iter()
        .fold(first.into_bytes(), |key, part| mac(&key, part.as_bytes()).as_ref().to_vec());
    let signature = text::hex(mac(&key, to_sign.as_bytes()).as_ref());
    let credential = format!("{}/{scope}", login.access_key_id);
    let line = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}");
    let mut value = HeaderValue::from_str(&line).ok()?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Some(())
}

/// Hexadecimal SHA-256.
pub(super) fn hash(bytes: &[u8]) -> String {
    text::hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn mac(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

/// `20130524T000000Z`, in UTC. Years outside 1970 to 9999 are those at the border.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
fn compact_time(wall_us: i64) -> String {
    let second = wall_us.div_euclid(1_000_000).clamp(0, 253_402_300_799);
    let (days, of_day) = (second / 86_400 + 719_468, second % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// A time as documents of S3 have it: `2013-05-24T00:00:00Z`.
pub(super) fn rfc3339(wall_us: i64) -> String {
    let time = compact_time(wall_us);
    let part = |range: std::ops::Range<usize>| &time[range];
    format!("{}-{}-{}T{}:{}:{}Z", part(0..4), part(4..6), part(6..8), part(9..11), part(11..13), part(13..15))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use hyper::HeaderMap;

    use super::{Request, compact_time, hash, rfc3339, sign};
    use crate::object_store::address::S3Login;

    #[test]
    fn times_are_those_of_documents() {
        assert_eq!(rfc3339(1_369_353_600_000_000), "2013-05-24T00:00:00Z");
        assert_eq!(rfc3339(951_868_799_999_999), "2000-02-29T23:59:59Z");
    }

    /// Source: the examples in "Signature Calculations for the Authorization Header", Amazon S3 API Reference.
    #[test]
    fn signatures_are_those_of_the_published_examples() {
        let login = S3Login {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        };
        let cases = [
            ("lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            ("max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ];
        for (query, signature) in cases {
            let host = "examplebucket.s3.amazonaws.com";
            let request = Request { method: "GET", path: "/", query, host, body_hash: &hash(b"") };
            let mut headers = HeaderMap::new();
            sign(&mut headers, &request, "us-east-1", &login, 1_369_353_600_000_000).unwrap();
            let line = headers["authorization"].to_str().unwrap();
            assert!(line.ends_with(&format!("Signature={signature}")), "{line}");
        }
    }

    #[test]
    fn times_are_written_compactly() {
        for (second, expected) in
            [(0, "19700101T000000Z"), (1_369_353_600, "20130524T000000Z"), (951_782_399, "20000228T235959Z")]
        {
            assert_eq!(compact_time(second * 1_000_000), expected);
        }
        assert_eq!(compact_time(i64::MIN).len(), 16);
        assert_eq!(compact_time(i64::MAX).len(), 16);
    }
}
