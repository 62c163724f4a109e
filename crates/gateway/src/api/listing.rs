//! `GET /api/v1/files/<folder>/`: what is in a folder, page by page.

use axum::response::Response;
use hyper::{StatusCode, http::request::Parts};
use model::entry::Kind;
use serde_json::{Value, json};
use service::{Caller, Ladder, Listed, Listing, Service, paths::Path};

use crate::{api, error::Problem, header::percent};

/// Entries in a page if nothing is said, and at most.
const PAGE: usize = 1_000;

/// One page. The cursor is opaque, made of characters that need no encoding.
pub async fn get(service: &Service, caller: &Caller, path: Path, parts: &Parts) -> Result<Response, Problem> {
    let (after, limit) = wanted(parts)?;
    Ok(page(&service.list(caller, path, after, limit).await?))
}

/// Which page a request asks for: after which name, and how many entries of it.
///
/// # Errors
/// 400 for other queries.
pub fn wanted(parts: &Parts) -> Result<(Option<String>, usize), Problem> {
    let [after, limit] = percent::query(parts.uri.query(), ["after", "limit"])?;
    let after = after.map(|cursor| read_cursor(&cursor)).transpose()?;
    let limit = match limit {
        None => PAGE,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=PAGE).contains(limit))
            .ok_or_else(|| Problem::bad_request("bad_query", format!("`limit` is a number from 1 to {PAGE}")))?,
    };
    Ok((after, limit))
}

/// A page as it is sent.
pub fn page(listing: &Listing) -> Response {
    let entries: Vec<Value> = listing.entries.iter().map(line).collect();
    let next = listing.next.as_deref().map(write_cursor);
    api::json(StatusCode::OK, &json!({ "entries": entries, "next": next }))
}

fn line(listed: &Listed) -> Value {
    let (entry, version) = (&listed.row.entry, listed.row.version.as_ref());
    let standing = listed.standing.as_ref();
    json!({
        "name": entry.name,
        "kind": if entry.kind == Kind::Folder { "folder" } else { "file" },
        "size": version.map_or(0, |version| version.size),
        "modified": api::time(Some(version.map_or(entry.modified_us, |version| version.modified_us))),
        "media_type": version.map(|version| &version.media_type),
        "etag": version.map(|version| version.id.to_string()),
        "state": standing.map(|standing| state(standing.ladder)),
        "proven": api::time(standing.and_then(|standing| standing.proven_us)),
    })
}

/// How firmly something is kept, as the interface names it.
pub const fn state(ladder: Ladder) -> &'static str {
    match ladder {
        Ladder::Unreadable => "unreadable",
        Ladder::AtRisk => "at_risk",
        Ladder::Received => "received",
        Ladder::Safe => "safe",
        Ladder::Settled => "settled",
        Ladder::Verified => "verified",
    }
}

/// The last name of a page in hex: a name itself would have to be encoded by every client that pages on.
fn write_cursor(name: &str) -> String {
    name.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn read_cursor(cursor: &str) -> Result<String, Problem> {
    let bad = || Problem::bad_request("bad_query", "`after` is the `next` of a page before");
    let (pairs, rest) = cursor.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let digits = std::str::from_utf8(pair).ok().filter(|_| pair.iter().all(u8::is_ascii_hexdigit))?;
        u8::from_str_radix(digits, 16).ok()
    };
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    bytes.filter(|_| rest.is_empty()).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(bad)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{read_cursor, write_cursor};

    #[test]
    fn cursors_come_back_and_need_no_encoding() {
        for name in ["a", "ä/&? +%", "x".repeat(255).as_str()] {
            let cursor = write_cursor(name);
            assert!(cursor.bytes().all(|b| b.is_ascii_alphanumeric()));
            assert_eq!(read_cursor(&cursor).unwrap(), name);
        }
        for bad in ["6", "zz", "ff", "+1", "6 "] {
            assert!(read_cursor(bad).is_err(), "{bad}");
        }
    }
}
