//! A sorted walk over the folders of a server, one question to each: servers refuse to walk themselves (`Depth: infinity`).
//!
//! Names are ordered by their bytes as a whole, as in `directory`: a folder is sorted as if its name ended in a slash. What is
//! still to be visited lies on a stack with the next name on top.

use super::{
    multistatus::name_in,
    site::{Depth, Site},
};
use crate::target::{Listed, ObjectName, Page, Result};

/// Folders that one call visits, and names that it holds: a server that makes up folders without end is left at some point.
const FOLDERS_MAX: usize = 100_000;
const HELD_MAX: usize = 1_000_000;

/// What is asked for.
struct Walk<'a> {
    prefix: &'a str,
    after: Option<&'a str>,
}

/// Something that is still to be visited: a folder, whose key ends in a slash, or an object.
struct Ahead {
    key: String,
    object: Option<Listed>,
}

/// Lists objects; see `Target::list`. A root that is not there lists nothing.
pub(super) async fn list(site: &Site, prefix: &str, after: Option<&ObjectName>, limit: usize) -> Result<Page> {
    let mut page = Page::default();
    if !ObjectName::may_begin_with(prefix) {
        return Ok(page);
    }
    let walk = Walk { prefix, after: after.map(ObjectName::as_str) };
    let base = prefix.rsplit_once('/').map_or(String::new(), |(base, _)| format!("{base}/"));
    let (mut ahead, mut folders) = (vec![Ahead { key: base, object: None }], 0);
    while let Some(next) = ahead.pop() {
        if let Some(object) = next.object {
            if page.objects.len() == limit {
                page.more = true;
                break;
            }
            page.objects.push(object);
            continue;
        }
        let mut found = children(site, &walk, &next.key).await?;
        found.sort_unstable_by(|one, other| other.key.cmp(&one.key));
        found.dedup_by(|one, other| one.key == other.key);
        ahead.append(&mut found);
        folders += 1;
        if folders > FOLDERS_MAX || ahead.len() > HELD_MAX {
            return Err(site.wire.odd("list", "it shows more folders than any target has"));
        }
    }
    Ok(page)
}

/// The name of something in the root that is not our own.
pub(super) async fn occupant(site: &Site) -> Result<Option<String>> {
    let described = site.describe("list", "", Depth::Children).await?.unwrap_or_default();
    let folder = site.path("");
    let names = described.iter().filter_map(|one| name_in(&one.path, folder.trim_end_matches('/')));
    Ok(names.into_iter().find(|name| !crate::target::is_own(name)).map(str::to_owned))
}

/// Whether a folder is there and nothing lies in it, of whatever name.
pub(super) async fn is_empty_folder(site: &Site, folder: &str) -> Result<bool> {
    let Some(described) = site.describe("list", &format!("{folder}/"), Depth::Children).await? else {
        return Ok(false);
    };
    let path = site.path(folder);
    Ok(described.iter().all(|one| one.path == path && one.is_folder) && !described.is_empty())
}

/// What is wanted of a folder; nothing if it went away. `key` is empty or ends in a slash.
async fn children(site: &Site, walk: &Walk<'_>, key: &str) -> Result<Vec<Ahead>> {
    let Some(described) = site.describe("list", key, Depth::Children).await? else { return Ok(Vec::new()) };
    let folder = site.path(key.trim_end_matches('/'));
    let mut found = Vec::new();
    for one in described {
        let Some(name) = name_in(&one.path, &folder) else { continue };
        let Ok(name) = ObjectName::parse(format!("{key}{name}")) else { continue };
        match one.bytes {
            _ if one.is_folder => {
                let key = format!("{name}/");
                if walk.wants_folder(&key) {
                    found.push(Ahead { key, object: None });
                }
            }
            Some(bytes) if walk.wants_object(name.as_str()) => {
                found.push(Ahead { key: name.as_str().to_owned(), object: Some(Listed { name, bytes }) });
            }
            _ => {}
        }
    }
    Ok(found)
}

impl Walk<'_> {
    fn wants_object(&self, name: &str) -> bool {
        name.starts_with(self.prefix) && self.after.is_none_or(|after| name > after)
    }

    fn wants_folder(&self, key: &str) -> bool {
        (key.starts_with(self.prefix) || self.prefix.starts_with(key))
            && self.after.is_none_or(|after| key > after || after.starts_with(key))
    }
}
