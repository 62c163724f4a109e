//! What a server says when it does not do what was asked, and what that means for us.

use hyper::{StatusCode, header};

use super::address::Place;
use crate::{
    target::{Error, Result},
    wire::{
        Wire,
        answer::Answer,
        text,
        xml::{Met, walk},
    },
};

/// An error document of S3 has a few hundred bytes.
const DOCUMENT_BYTES_MAX: usize = 64 << 10;
/// Clocks that differ by more make every signature worthless, in seconds. Source: "Authenticating Requests (AWS Signature
/// Version 4)", Amazon S3 API Reference.
const SKEW_S_MAX: u64 = 15 * 60;

/// An answer that is no success.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// The code of the error document, such as `NoSuchKey`; empty where there is none (always after HEAD).
    pub(super) code: String,
    /// The length of the object, where a range was refused.
    pub(super) total_bytes: Option<u64>,
    /// Seconds that our clock was ahead of the server's when it answered, if it said what time it is.
    ahead_s: Option<i64>,
}

impl Refusal {
    /// Reads the error document of an answer that came at `wall_us`; one that cannot be read says nothing.
    ///
    /// # Errors
    /// Those of the wire.
    pub(super) async fn read(answer: Answer, wall_us: i64) -> Result<Self> {
        let (status, range) = (answer.status, answer.content_range());
        let theirs_s = answer.header(&header::DATE).and_then(text::http_date);
        let ahead_s = theirs_s.map(|theirs_s| wall_us.div_euclid(1_000_000).saturating_sub(theirs_s));
        let is_short = answer.stated_bytes().is_none_or(|bytes| bytes <= DOCUMENT_BYTES_MAX as u64);
        let document = if is_short { answer.all(DOCUMENT_BYTES_MAX).await? } else { bytes::Bytes::new() };
        let code = code_of(&document).unwrap_or_default();
        Ok(Self { status, code, total_bytes: range.map(|(_, total)| total), ahead_s })
    }

    /// As found in the body of an answer that began as a success.
    pub(super) fn late(document: &[u8]) -> Option<Self> {
        let code = code_of(document)?;
        let status = if code == "PreconditionFailed" { StatusCode::PRECONDITION_FAILED } else { StatusCode::OK };
        Some(Self { status, code, total_bytes: None, ahead_s: None })
    }

    /// There is no such object, if the bucket is there.
    pub(super) fn is_no_key(&self) -> bool {
        self.status == StatusCode::NOT_FOUND && self.code != "NoSuchBucket" && self.code != "NoSuchUpload"
    }

    /// A condition did not hold: something is under the name, or not what it was.
    pub(super) fn is_condition(&self) -> bool {
        self.status == StatusCode::PRECONDITION_FAILED
    }

    /// Another write under the same name is going on.
    pub(super) fn is_conflict(&self) -> bool {
        self.status == StatusCode::CONFLICT
    }

    /// The server does not know what was asked for.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self.status, StatusCode::NOT_IMPLEMENTED | StatusCode::METHOD_NOT_ALLOWED)
            || matches!(self.code.as_str(), "NotImplemented" | "InvalidArgument" | "MalformedXML")
    }

    /// The signature was refused for its time. HEAD tells no code, and some servers say of an old signature that it is wrong, or
    /// that nothing is permitted: with clocks so far apart the login was not even looked at.
    fn is_skewed(&self) -> bool {
        let apart_s = self.ahead_s.map_or(0, i64::unsigned_abs);
        let may_be = matches!(self.code.as_str(), "" | "AccessDenied" | "SignatureDoesNotMatch");
        matches!(self.code.as_str(), "RequestTimeTooSkewed" | "RequestExpired")
            || (matches!(self.status.as_u16(), 401 | 403) && may_be && apart_s > SKEW_S_MAX)
    }

    fn skewed(&self, said: &str) -> String {
        let apart = match self.ahead_s {
            Some(ahead_s) if ahead_s != 0 => {
                let way = if ahead_s > 0 { "ahead of" } else { "behind" };
                format!("this machine's clock is {} {way} its own", span(ahead_s.unsigned_abs()))
            }
            _ => "its clock and this machine's differ too much".to_owned(),
        };
        format!(
            "{apart} ({said}), and signatures are good for 15 minutes: set this machine's clock and keep it right (NTP, for \
             example chrony); if it is right, ask the firm to set its own. The login was not refused"
        )
    }

    /// The error for whoever asked.
    pub(super) fn error(&self, wire: &Wire, place: &Place, verb: &'static str) -> Error {
        let said = format!("{} {}", self.status.as_u16(), self.code);
        let said = said.trim_end();
        let down = |reason: String| wire.down(reason);
        match (self.status.as_u16(), self.code.as_str()) {
            (_, "NoSuchBucket") | (404, "") => down(format!(
                "it has no bucket {} ({said}): the bucket was removed, or its name, region or endpoint is wrong",
                place.bucket
            )),
            _ if self.is_skewed() => down(self.skewed(said)),
            (400, "InvalidRequest" | "ObjectLockConfigurationNotFoundError") if place.lock_days.is_some() => {
                down(format!(
                    "it takes no locks ({said}): the bucket was made without Object Lock; make one with it, or leave lock_days out of \
                 the address"
                ))
            }
            (_, "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "AuthorizationHeaderMalformed") => down(format!(
                "it refuses the login ({said}): check key, secret and region; the firm may have closed the account"
            )),
            (_, "QuotaExceeded" | "XMinioStorageFull" | "StorageFull" | "TooManyBuckets") | (507, _) => {
                Error::Full { target: wire.address.clone() }
            }
            (401 | 403, _) => down(format!(
                "it does not permit {verb} ({said}): check the login and its rights to the bucket, a lock of the object, and \
                 whether the firm has closed the account"
            )),
            (402, _) => down(format!("the firm wants to be paid ({said})")),
            (429 | 503, _) | (_, "SlowDown") => {
                down(format!("it is too busy ({said}): it is left in peace for a while; ask the firm for its limits"))
            }
            _ => wire.odd(verb, format!("it answered {said}")),
        }
    }
}

/// A time for people, in its two largest units at most.
fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// The code of an error document, if it is one.
fn code_of(document: &[u8]) -> Option<String> {
    let (mut depth, mut is_error, mut code) = (0_u32, false, None);
    let walked = walk(document, |met| match met {
        Met::Open(name) => {
            is_error |= depth == 0 && name == "Error";
            depth += 1;
        }
        Met::Close(name, found) => {
            depth -= 1;
            if depth == 1 && name == "Code" {
                code = Some(found.chars().filter(char::is_ascii_alphanumeric).take(64).collect::<String>());
            }
        }
    });
    walked.ok()?;
    is_error.then(|| code.unwrap_or_default())
}

/// A redirect is an error of its own: it may lead anywhere.
pub(super) fn is_redirect(answer: &Answer) -> bool {
    answer.status.is_redirection()
}

/// Where a redirect of S3 leads is often told in the region header only.
pub(super) fn redirected(wire: &Wire, answer: &Answer) -> Error {
    match answer.header(&header::HeaderName::from_static("x-amz-bucket-region")) {
        Some(region) => wire.down(format!(
            "the bucket is in the region {}, and redirects are not followed: give that region and its endpoint",
            text::plain(region)
        )),
        None => wire.redirected(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::code_of;

    #[test]
    fn the_code_is_read_from_error_documents_only() {
        let cases = [
            ("<Error><Code>NoSuchKey</Code><Message>x</Message></Error>", Some("NoSuchKey")),
            ("<?xml version='1.0'?>\n\n<Error><Code>Slow\nDown!</Code></Error>", Some("SlowDown")),
            ("<Error/>", Some("")),
            ("<Result><Code>NoSuchKey</Code></Result>", None),
            ("<html>gone</html>", None),
            ("gone", None),
            ("", None),
        ];
        for (document, expected) in cases {
            assert_eq!(code_of(document.as_bytes()).as_deref(), expected, "{document}");
        }
    }
}
