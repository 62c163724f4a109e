//! The web page, embedded; nothing else.
//!
//! The build script makes the page from `web/` and compresses it; here is the table of its files. Who serves them decides
//! on headers, and puts the path below which the page is served into `<base href="/">` of [`index`].

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// One file of the page.
#[derive(Debug)]
pub struct Asset {
    /// Its path, without a slash at the beginning: `assets/index-4f3c.js`.
    pub path: &'static str,
    /// What it is, for `Content-Type`.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
    /// Its bytes compressed with gzip, if that makes it smaller.
    pub gzip: Option<&'static [u8]>,
    /// Whether its path changes with its bytes, so that a browser may keep it for ever.
    pub immutable: bool,
}

/// The file at a path, without a slash at the beginning.
pub fn asset(path: &str) -> Option<&'static Asset> {
    let index = ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok()?;
    ASSETS.get(index)
}

/// The page itself, for every address that is neither a file nor the interface.
///
/// # Panics
/// Never: the build script refuses a page without it.
#[allow(clippy::expect_used, reason = "the build script refuses a page without index.html")]
pub fn index() -> &'static Asset {
    asset("index.html").expect("the build script refuses a page without index.html")
}

#[cfg(test)]
mod tests {
    use super::{ASSETS, asset, index};

    #[test]
    fn every_file_is_found_by_its_path() {
        assert!(ASSETS.is_sorted_by(|a, b| a.path < b.path));
        for file in ASSETS {
            assert_eq!(asset(file.path).map(|found| found.bytes), Some(file.bytes), "{}", file.path);
            assert!(file.gzip.is_none_or(|gzip| gzip.len() < file.bytes.len()), "{}", file.path);
        }
        for absent in ["", "/index.html", "assets", "index.htm", "zz"] {
            assert!(asset(absent).is_none(), "{absent}");
        }
    }

    /// Scripts and styles that the page names are there, and nothing in it needs a laxer content security policy.
    #[test]
    fn the_page_names_what_is_embedded() {
        let page = std::str::from_utf8(index().bytes).unwrap_or_default();
        assert_eq!(index().media_type, "text/html; charset=utf-8");
        assert!(!index().immutable);
        for quote in ["src=\"./", "href=\"./"] {
            for rest in page.split(quote).skip(1) {
                let path = rest.split('"').next().unwrap_or_default();
                assert!(asset(path).is_some(), "{path}");
            }
        }
        assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("<script>"));
        if asset("favicon.svg").is_some() {
            assert!(page.contains("<base href=\"/\""), "the service replaces it");
        }
    }
}
