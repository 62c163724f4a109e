//! `GET /api/v1/search`, and the same behind `/api/v1/shared/ID`: what somebody remembers of a file, page by page.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode};
use model::id::EntryId;
use serde::Serialize;
use service::{Look, Need, Service, Sought, Wanted};
use utoipa::{IntoParams, ToSchema};

use crate::{
    api::{
        self,
        listing::{self, Entry},
        word::Time,
    },
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

/// What somebody remembers.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "what a query may say, for the document alone")]
pub struct Asked {
    /// Words of the name, at most 32.
    q: Option<String>,
    /// `folder`, `image`, `video`, `audio`, `document` or `other`.
    kind: Option<String>,
    /// Changed then or later.
    #[param(value_type = Option<Time>)]
    from: Option<String>,
    /// Changed before.
    #[param(value_type = Option<Time>)]
    until: Option<String>,
    /// At least so many bytes.
    least: Option<u64>,
    /// At most so many bytes.
    most: Option<u64>,
    /// The path of a folder to look in.
    under: Option<String>,
    /// The `next` of a page before.
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// One step of a search.
#[derive(Serialize, ToSchema)]
pub struct FoundPage {
    entries: Vec<Found>,
    /// Where the next step begins; none: all was looked through. A step may find nothing and still have a next one.
    next: Option<String>,
    /// Names that this one step looked at.
    looked_at: usize,
}

/// An entry that a search found.
#[derive(Serialize, ToSchema)]
struct Found {
    #[serde(flatten)]
    entry: Entry,
    /// All of it, with the entry's own name.
    path: String,
}

/// Looks through the names of the caller's tree, or of what is shared with the caller: a bounded number of them in one step.
#[utoipa::path(get, path = "/api/v1/search", params(Asked), responses((status = 200, body = FoundPage)))]
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let place = auth::place(&service, &parts, Need::Look).await?;
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
    let next = found.next.as_ref().map(write_cursor);
    let line = |hit: service::Hit| Found { entry: listing::line(hit.listed), path: hit.path };
    let entries = found.hits.into_iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &FoundPage { entries, next, looked_at: found.looked_at }))
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
