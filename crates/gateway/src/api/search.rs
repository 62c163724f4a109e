//! `GET /api/v1/search`, and the same behind `/api/v1/shared/ID`: what somebody remembers of a file, page by page.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode};
use model::id::EntryId;
use serde_json::{Value, json};
use service::{Look, Service, Sought, Wanted};

use crate::{
    api::{self, listing},
    auth,
    error::Problem,
    header::{date, percent},
};

const PARAMETERS: [&str; 9] = ["q", "kind", "from", "until", "least", "most", "under", "after", "limit"];
/// Things in a page if nothing is said, and at most.
const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;
/// Words that are looked for at a time; nobody remembers more.
const WORDS_MAX: usize = 32;

/// Looks through the names of the caller's tree, or of what is shared with the caller.
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let place = auth::place(&service, &parts).await?;
    if parts.method != Method::GET {
        return Err(Problem::method("GET"));
    }
    let [q, kind, from, until, least, most, under, after, limit] = percent::query(parts.uri.query(), PARAMETERS)?;
    let words = Wanted::words_of(&q.unwrap_or_default());
    if words.len() > WORDS_MAX {
        return Err(Problem::bad_request("bad_query", format!("`q` has at most {WORDS_MAX} words")));
    }
    let wanted = Wanted {
        words,
        kind: kind.as_deref().map(sought).transpose()?,
        from_us: from.as_deref().map(|text| time("from", text)).transpose()?,
        until_us: until.as_deref().map(|text| time("until", text)).transpose()?,
        least: least.as_deref().map(|text| number("least", text)).transpose()?,
        most: most.as_deref().map(|text| number("most", text)).transpose()?,
        under: under.as_deref().map(api::path_of).transpose()?,
    };
    let after = after.as_deref().map(read_cursor).transpose()?;
    let limit = match limit.as_deref().map(|text| number("limit", text)).transpose()? {
        None => PAGE,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=PAGE_MAX).contains(limit))
            .ok_or_else(|| Problem::bad_request("bad_query", format!("`limit` is a number from 1 to {PAGE_MAX}")))?,
    };
    let found = service.search(&place, wanted, after, limit).await?;
    let line = |hit: &service::Hit| {
        let mut line = listing::line(&hit.listed);
        line["path"] = hit.path.clone().into();
        line
    };
    let entries: Vec<Value> = found.hits.iter().map(line).collect();
    let next = found.next.as_ref().map(write_cursor);
    Ok(api::json(StatusCode::OK, &json!({ "entries": entries, "next": next, "looked_at": found.looked_at })))
}

fn sought(word: &str) -> Result<Sought, Problem> {
    Ok(match word {
        "folder" => Sought::Folder,
        "image" => Sought::Image,
        "video" => Sought::Video,
        "audio" => Sought::Audio,
        "document" => Sought::Document,
        "other" => Sought::Other,
        _ => {
            let detail = "`kind` is folder, image, video, audio, document or other";
            return Err(Problem::bad_request("bad_query", detail));
        }
    })
}

fn time(name: &str, text: &str) -> Result<i64, Problem> {
    let wrong = || Problem::bad_request("bad_query", format!("`{name}` is a time such as 2012-01-19T00:00:00Z"));
    date::parse_rfc3339(text).ok_or_else(wrong)
}

fn number(name: &str, text: &str) -> Result<u64, Problem> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| Problem::bad_request("bad_query", format!("`{name}` is a whole number")))
}

/// The folder's id and the last name in hex.
fn write_cursor(at: &Look) -> String {
    format!("{}{}", at.folder, listing::hex(at.name.as_bytes()))
}

fn read_cursor(cursor: &str) -> Result<Look, Problem> {
    let bad = || Problem::bad_request("bad_query", "`after` is the `next` of a page before");
    let (folder, name) = cursor.split_at_checked(32).ok_or_else(bad)?;
    let name = listing::from_hex(name).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(bad)?;
    Ok(Look { folder: EntryId::parse(folder).map_err(|_| bad())?, name })
}
