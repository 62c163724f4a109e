//! Listings of a bucket: what the server sends is checked for order and progress, so that none can keep us busy for ever.

use hyper::Method;

use super::bucket::{Bucket, Call};
use crate::{
    target::{Error, Listed, ObjectName, Page, Result},
    wire::xml::{Met, walk},
};

/// The most that S3 puts on a page.
const KEYS_PER_PAGE: usize = 1_000;
/// A page of a thousand keys of 1,024 bytes, each escaped, with all that is said about them.
const PAGE_BYTES_MAX: usize = 8 << 20;

/// One answer to a question for keys.
#[derive(Debug, Default, PartialEq, Eq)]
struct Keys {
    /// Key and length.
    found: Vec<(String, u64)>,
    is_truncated: bool,
    token: Option<String>,
}

/// Lists objects below the root; see `Target::list`.
pub(super) async fn list(bucket: &Bucket, prefix: &str, after: Option<&ObjectName>, limit: usize) -> Result<Page> {
    let mut page = Page::default();
    if !ObjectName::may_begin_with(prefix) {
        return Ok(page);
    }
    let root = &bucket.place.root;
    let whole_prefix = format!("{root}{prefix}");
    let mut last = after.map(|after| format!("{root}{after}")).unwrap_or_default();
    let mut token: Option<String> = None;
    loop {
        let missing = limit.saturating_sub(page.objects.len()).saturating_add(1).min(KEYS_PER_PAGE);
        let keys = ask(bucket, &whole_prefix, &last, token.as_deref(), missing).await?;
        for (key, bytes) in keys.found {
            if key <= last && !last.is_empty() {
                return Err(disorder(bucket));
            }
            let name = key.strip_prefix(root.as_str()).filter(|_| key.starts_with(&whole_prefix));
            // What is no name of ours is passed over, wherever it came from.
            if let Some(name) = name.and_then(|name| ObjectName::parse(name).ok()) {
                if page.objects.len() == limit {
                    page.more = true;
                    return Ok(page);
                }
                page.objects.push(Listed { name, bytes });
            }
            last = key;
        }
        match (keys.is_truncated, keys.token) {
            (false, _) => return Ok(page),
            (true, Some(next)) if token.as_ref() != Some(&next) => token = Some(next),
            (true, _) => return Err(disorder(bucket)),
        }
    }
}

/// The first key below the root that is not our own, cut at its first slash.
pub(super) async fn occupant(bucket: &Bucket) -> Result<Option<String>> {
    let root = &bucket.place.root;
    let mut last = String::new();
    // Our own keys come before others in few places: after each, the listing goes on behind all that begin like it.
    for _ in 0..=2 * crate::target::RESERVED.len() {
        let keys = ask(bucket, root, &last, None, 2).await?;
        let Some((key, _)) = keys.found.into_iter().find(|(key, _)| *key > last) else { return Ok(None) };
        let name = key.strip_prefix(root.as_str()).unwrap_or(&key);
        let top = name.split('/').next().unwrap_or(name).to_owned();
        if !crate::target::is_own(&top) {
            return Ok(Some(top));
        }
        last = if name.contains('/') { format!("{root}{top}0") } else { key };
    }
    Err(disorder(bucket))
}

fn disorder(bucket: &Bucket) -> Error {
    bucket.wire.odd("list", "its listing repeats itself or is not in the order of bytes: it cannot be believed")
}

/// One page as the server sends it.
async fn ask(bucket: &Bucket, prefix: &str, after: &str, token: Option<&str>, count: usize) -> Result<Keys> {
    let count = count.to_string();
    let mut query = vec![("list-type", "2"), ("max-keys", count.as_str()), ("prefix", prefix)];
    match token {
        Some(token) => query.push(("continuation-token", token)),
        // What comes before all names is not said: Garage lists nothing then.
        None if after < prefix || after.is_empty() => {}
        None => query.push(("start-after", after)),
    }
    query.sort_unstable();
    let call = Call { verb: "list", method: Method::GET, query: &query, ..Call::default() };
    match bucket.ask(call).await? {
        Ok(answer) => {
            let document = answer.all(PAGE_BYTES_MAX).await?;
            parse(&document).map_err(|reason| bucket.wire.odd("list", format!("its listing cannot be read: {reason}")))
        }
        Err(refusal) => Err(refusal.error(&bucket.wire, &bucket.place, "list")),
    }
}

fn parse(document: &[u8]) -> std::result::Result<Keys, &'static str> {
    let mut keys = Keys::default();
    let (mut key, mut bytes, mut inside, mut is_result, mut fault) = (None, None, false, false, None);
    walk(document, |met| match met {
        Met::Open("ListBucketResult") => is_result = true,
        Met::Open("Contents") => (key, bytes, inside) = (None, None, true),
        Met::Close("Key", text) if inside => key = Some(text.to_owned()),
        Met::Close("Size", text) if inside => bytes = text.parse().ok(),
        Met::Close("Contents", _) => {
            inside = false;
            match (key.take(), bytes.take()) {
                (Some(key), Some(bytes)) => keys.found.push((key, bytes)),
                _ => fault = Some("an object has no key or no length"),
            }
        }
        Met::Close("IsTruncated", text) => keys.is_truncated = text == "true",
        Met::Close("NextContinuationToken", text) if !text.is_empty() => keys.token = Some(text.to_owned()),
        _ => {}
    })?;
    match fault {
        Some(fault) => Err(fault),
        None if !is_result => Err("it is no listing"),
        None => Ok(keys),
    }
}

#[cfg(test)]
mod tests {
    use super::{Keys, parse};

    #[test]
    fn a_page_is_read_whole_or_not_at_all() {
        let document = "<ListBucketResult><Name>b</Name><IsTruncated>true</IsTruncated>\
            <NextContinuationToken>t=</NextContinuationToken><Contents><Key>a&amp;b</Key><Size>3</Size>\
            <Owner><ID>x</ID></Owner></Contents><Contents><Key>c</Key><Size>0</Size></Contents></ListBucketResult>";
        let found = vec![("a&b".to_owned(), 3), ("c".to_owned(), 0)];
        assert_eq!(parse(document.as_bytes()), Ok(Keys { found, is_truncated: true, token: Some("t=".to_owned()) }));
        for bad in [
            "<html/>",
            "",
            "<ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
