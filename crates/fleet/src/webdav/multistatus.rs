//! What a server says about resources: the answer to PROPFIND.
//!
//! Nothing in it is believed that does not lie directly where was asked: a reference is decoded once, and must then be the
//! asked-for folder with one plain part more.
//!
//! Source: RFC 4918, sections 9.1 and 14.16 (`multistatus`); RFC 4331 (quota).

use crate::wire::{
    text,
    xml::{Met, walk},
};

/// One resource, as it is described.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Described {
    /// Where it is, decoded; without host, and without a slash at its end.
    pub(super) path: String,
    pub(super) is_folder: bool,
    pub(super) bytes: Option<u64>,
    pub(super) free_bytes: Option<u64>,
}

/// Reads an answer. References that cannot be read are passed over, as are resources with an error of their own.
///
/// # Errors
/// What is wrong with the document.
pub(super) fn parse(document: &[u8]) -> Result<Vec<Described>, &'static str> {
    let (mut all, mut is_answer) = (Vec::new(), false);
    let (mut one, mut reference, mut is_bad, mut in_propstat) = (Described::default(), None, false, false);
    walk(document, |met| match met {
        Met::Open("multistatus") => is_answer = true,
        Met::Open("response") => (one, reference, is_bad) = (Described::default(), None, false),
        Met::Open("propstat") => in_propstat = true,
        Met::Close("propstat", _) => in_propstat = false,
        Met::Close("href", text) if reference.is_none() && !in_propstat => reference = Some(text.to_owned()),
        Met::Close("status", text) if !in_propstat => {
            is_bad = !text.split(' ').nth(1).is_some_and(|code| code.starts_with('2'))
        }
        Met::Open("collection") if in_propstat => one.is_folder = true,
        Met::Close("getcontentlength", text) if in_propstat => one.bytes = text.parse().ok().or(one.bytes),
        Met::Close("quota-available-bytes", text) if in_propstat => {
            one.free_bytes = text.parse().ok().or(one.free_bytes)
        }
        Met::Close("response", _) => {
            if let Some(path) = reference.take().as_deref().and_then(path_of).filter(|_| !is_bad) {
                one.path = path;
                all.push(std::mem::take(&mut one));
            }
        }
        _ => {}
    })?;
    if is_answer { Ok(all) } else { Err("it is no answer of WebDAV") }
}

/// The path of a reference, which is a path or a whole address.
fn path_of(reference: &str) -> Option<String> {
    let path = match reference.split_once("://") {
        Some((_, after)) => &after[after.find('/')?..],
        None => reference,
    };
    let path = text::decode(path.strip_suffix('/').unwrap_or(path))?;
    path.is_empty().then(String::new).or_else(|| path.starts_with('/').then_some(path))
}

/// The name that a resource has in `folder` (a decoded path without a slash at its end), if it lies directly in it.
pub(super) fn name_in<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let name = path.strip_prefix(folder)?.strip_prefix('/')?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{Described, name_in, parse};

    #[test]
    fn resources_are_described_and_strange_ones_passed_over() {
        let document = "<?xml version='1.0'?><D:multistatus xmlns:D='DAV:'>\
            <D:response><D:href>/dav/a%20b/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype>\
            <D:quota-available-bytes>7</D:quota-available-bytes></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>\
            <D:propstat><D:prop><D:getcontentlength/></D:prop><D:status>HTTP/1.1 404 No</D:status></D:propstat></D:response>\
            <D:response><D:href>http://host/dav/x</D:href><D:propstat><D:prop><D:resourcetype/>\
            <D:getcontentlength>12</D:getcontentlength></D:prop></D:propstat></D:response>\
            <D:response><D:href>/dav/gone</D:href><D:status>HTTP/1.1 404 No</D:status></D:response>\
            <D:response><D:href>/dav/%zz</D:href></D:response></D:multistatus>";
        let folder = Described { path: "/dav/a b".to_owned(), is_folder: true, bytes: None, free_bytes: Some(7) };
        let file = Described { path: "/dav/x".to_owned(), bytes: Some(12), ..Described::default() };
        assert_eq!(parse(document.as_bytes()), Ok(vec![folder, file]));
        assert!(parse(b"<html/>").is_err());
        assert!(parse(b"").is_err());
    }

    #[test]
    fn only_what_lies_directly_in_a_folder_has_a_name_in_it() {
        for (path, expected) in [
            ("/dav/a", Some("a")),
            ("/dav", None),
            ("/dav/a/b", None),
            ("/david", None),
            ("/etc/passwd", None),
            ("/dav/", None),
            ("", None),
        ] {
            assert_eq!(name_in(path, "/dav"), expected, "{path}");
        }
        assert_eq!(name_in("/a", ""), Some("a"));
    }
}
