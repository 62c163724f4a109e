//! `GET /api/v1/files/<folder>/`: what is in a folder, page by page.

use axum::response::Response;
use hyper::{StatusCode, http::request::Parts};
use model::id::EntryId;
use serde::Serialize;
use service::{Cursor, Ladder, Listed, Listing, Order, Place, Service, Sorting, paths::Path};
use utoipa::{IntoParams, ToSchema};

use crate::{
    api::{
        self,
        word::{KindWord, Time},
    },
    error::Problem,
    header::percent,
};

/// Entries in a page if nothing is said, and at most.
const PAGE: usize = 1_000;

/// What may be asked of a listing.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "what a query may say, for the document alone")]
pub struct Asked {
    /// `name`, `modified` or `size`; with a minus the largest comes first.
    sort: Option<String>,
    /// The `next` of a page before.
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// A page of a folder.
#[derive(Serialize, ToSchema)]
#[schema(as = Listing)]
pub struct Page {
    entries: Vec<Entry>,
    /// Where the next page begins; none: there is none.
    next: Option<String>,
}

/// A folder or a file in a folder.
#[derive(Serialize, ToSchema)]
pub struct Entry {
    name: String,
    kind: KindWord,
    /// 0 for a folder.
    size: u64,
    modified: Time,
    /// None for a folder, as is the next.
    media_type: Option<String>,
    etag: Option<String>,
    state: Option<LadderWord>,
    /// When all of its bytes were read back last.
    proven: Option<Time>,
}

/// How firmly something is kept, from nothing to the strongest promise.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Standing)]
pub enum LadderWord {
    Unreadable,
    AtRisk,
    Received,
    Safe,
    Settled,
    Verified,
}

impl From<Ladder> for LadderWord {
    fn from(ladder: Ladder) -> Self {
        match ladder {
            Ladder::Unreadable => Self::Unreadable,
            Ladder::AtRisk => Self::AtRisk,
            Ladder::Received => Self::Received,
            Ladder::Safe => Self::Safe,
            Ladder::Settled => Self::Settled,
            Ladder::Verified => Self::Verified,
        }
    }
}

impl LadderWord {
    /// As in a listing.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::AtRisk => "at_risk",
            Self::Received => "received",
            Self::Safe => "safe",
            Self::Settled => "settled",
            Self::Verified => "verified",
        }
    }
}

/// One page. The cursor is opaque, made of characters that need no encoding.
pub async fn get(service: &Service, place: &Place, path: Path, parts: &Parts) -> Result<Response, Problem> {
    let (sorting, after, limit) = wanted(parts)?;
    Ok(page(service.list(place, path, sorting, after, limit).await?))
}

/// Which page a request asks for: in which order, after what, and how many entries.
///
/// # Errors
/// 400 for other queries.
pub fn wanted(parts: &Parts) -> Result<(Sorting, Option<Cursor>, usize), Problem> {
    let [sort, after, limit] = percent::query(parts.uri.query(), ["sort", "after", "limit"])?;
    let sorting = sort.as_deref().map_or(Ok(Sorting::default()), sorting)?;
    let after = after.map(|cursor| read_cursor(&cursor)).transpose()?;
    let limit = match limit {
        None => PAGE,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=PAGE).contains(limit))
            .ok_or_else(|| Problem::bad_request("bad_query", format!("`limit` is a number from 1 to {PAGE}")))?,
    };
    Ok((sorting, after, limit))
}

/// `name`, `modified` or `size`; with a minus the largest comes first.
fn sorting(text: &str) -> Result<Sorting, Problem> {
    let (descending, word) = text.strip_prefix('-').map_or((false, text), |word| (true, word));
    let by = match word {
        "name" => Order::Name,
        "modified" => Order::Modified,
        "size" => Order::Size,
        _ => {
            let detail = "`sort` is name, modified or size, with a minus before it for the other direction";
            return Err(Problem::bad_request("bad_query", detail));
        }
    };
    Ok(Sorting { by, descending })
}

/// A page as it is sent.
pub fn page(listing: Listing) -> Response {
    let next = listing.next.as_ref().map(write_cursor);
    let entries = listing.entries.into_iter().map(line).collect();
    api::json(StatusCode::OK, &Page { entries, next })
}

/// One entry as it is sent.
pub fn line(listed: Listed) -> Entry {
    let (entry, version, standing) = (listed.row.entry, listed.row.version, listed.standing);
    Entry {
        name: entry.name,
        kind: entry.kind.into(),
        size: version.as_ref().map_or(0, |version| version.size),
        modified: Time(version.as_ref().map_or(entry.modified_us, |version| version.modified_us)),
        etag: version.as_ref().map(|version| version.id.to_string()),
        media_type: version.map(|version| version.media_type),
        state: standing.as_ref().map(|standing| standing.ladder.into()),
        proven: standing.and_then(|standing| standing.proven_us).map(Time),
    }
}

/// Where a page ended, its name in hex: a name itself would have to be encoded by every client that pages on.
fn write_cursor(at: &Cursor) -> String {
    format!("{}-{}-{}", at.value.wrapping_sub(i64::MIN) as u64, at.id, hex(at.name.as_bytes()))
}

fn read_cursor(cursor: &str) -> Result<Cursor, Problem> {
    let read = || {
        let (value, rest) = cursor.split_once('-')?;
        let (id, name) = rest.split_once('-')?;
        let value = value.parse::<u64>().ok().filter(|_| value.bytes().all(|byte| byte.is_ascii_digit()))?;
        let name = String::from_utf8(from_hex(name)?).ok()?;
        Some(Cursor { name, value: (value as i64).wrapping_add(i64::MIN), id: EntryId::parse(id).ok()? })
    };
    read().ok_or_else(|| Problem::bad_request("bad_query", "`after` is the `next` of a page before"))
}

/// Bytes as two digits each.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What [`hex`] wrote.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let digits = std::str::from_utf8(pair).ok().filter(|_| pair.iter().all(u8::is_ascii_hexdigit))?;
        u8::from_str_radix(digits, 16).ok()
    };
    pairs.iter().map(byte).collect::<Option<Vec<u8>>>().filter(|_| rest.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use model::id::EntryId;
    use service::Cursor;

    use super::{read_cursor, write_cursor};

    #[test]
    fn cursors_come_back_and_need_no_encoding() {
        for (name, value) in [("a", 0), ("ä/&? +%", -1), ("x".repeat(255).as_str(), i64::MAX), ("", i64::MIN)] {
            let at = Cursor { name: name.to_owned(), value, id: EntryId([7; 16]) };
            let cursor = write_cursor(&at);
            assert!(cursor.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{cursor}");
            assert_eq!(read_cursor(&cursor).unwrap(), at);
        }
        let id = "07".repeat(16);
        for bad in [
            "6",
            "61",
            "1-2-3",
            &format!("0-{id}-zz"),
            &format!("0-{id}-6"),
            &format!("+1-{id}-61"),
            &format!("0-{id}-ff"),
        ] {
            assert!(read_cursor(bad).is_err(), "{bad}");
        }
    }
}
