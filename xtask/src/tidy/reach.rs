//! Which sources the compiler reaches: from the roots of each crate along its `mod` declarations.
//!
//! A file that is not reached is dead: it looks like code, is edited like code, and does nothing.

use std::collections::BTreeMap;

use super::{
    mask::{closing, mask},
    tree::Tree,
};

/// What a source is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Tests, benches and examples only.
    Test,
    /// The product.
    Product,
}

/// `mod name;` as found in a source.
struct Declaration {
    /// Inline modules around it, then its name.
    names: Vec<String>,
    /// `#[path = "..."]`
    path: Option<String>,
    /// Under `#[cfg(test)]`, its own or that of a module around it.
    test: bool,
}

/// The sources that are reached, and what for. Everything else is dead.
pub fn reached(tree: &Tree) -> BTreeMap<String, Use> {
    let mut found: BTreeMap<String, Use> = BTreeMap::new();
    let mut open: Vec<(String, bool, Use)> = Vec::new();
    for root in tree.crates.iter().flat_map(|member| &member.roots) {
        open.push((root.path.clone(), true, if root.test { Use::Test } else { Use::Product }));
    }
    while let Some((path, is_root, purpose)) = open.pop() {
        let Some(text) = tree.files.get(&path) else { continue };
        if found.get(&path).is_some_and(|known| *known >= purpose) {
            continue;
        }
        found.insert(path.clone(), purpose);
        for declaration in declarations(text) {
            let purpose = if declaration.test { Use::Test } else { purpose };
            for candidate in candidates(&path, is_root, &declaration) {
                open.push((candidate, false, purpose));
            }
        }
    }
    found
}

/// Where the file of a declaration may lie.
fn candidates(path: &str, is_root: bool, declaration: &Declaration) -> Vec<String> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some(given) = &declaration.path {
        return vec![normal(&format!("{folder}/{given}"))];
    }
    let own = if is_root || file == "mod.rs" { folder.to_owned() } else { path.trim_end_matches(".rs").to_owned() };
    let base = format!("{own}/{}", declaration.names.join("/"));
    vec![format!("{base}.rs"), format!("{base}/mod.rs")]
}

/// A path without `.` and `..`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

fn declarations(text: &str) -> Vec<Declaration> {
    let code = mask(text).code;
    let mut declarations = Vec::new();
    scan(text, code.as_bytes(), 0..code.len(), &[], false, &mut declarations);
    declarations
}

/// Collects the declarations in a range of code, and those of inline modules below it.
fn scan(
    text: &str,
    code: &[u8],
    range: std::ops::Range<usize>,
    outer: &[String],
    outer_test: bool,
    out: &mut Vec<Declaration>,
) {
    let (mut at, mut test, mut path) = (range.start, false, None);
    while at < range.end {
        match code[at] {
            b'#' if code.get(at + 1) == Some(&b'[') => {
                let end = closing(code, at + 1);
                let attribute = text.get(at..end).unwrap_or_default();
                test |= attribute == "#[cfg(test)]" || attribute.starts_with("#[cfg(all(test");
                if attribute.starts_with("#[path") {
                    path = attribute.split('"').nth(1).map(str::to_owned);
                }
                at = end;
            }
            b'{' | b'(' => (at, test, path) = (closing(code, at), false, None),
            b';' | b'}' => (at, test, path) = (at + 1, false, None),
            byte if is_word(byte) => {
                let word_end = end_of_word(code, at);
                if &code[at..word_end] != b"mod" {
                    at = word_end;
                    continue;
                }
                let start = (word_end..range.end).find(|next| !code[*next].is_ascii_whitespace()).unwrap_or(range.end);
                let end = end_of_word(code, start);
                let mut names = outer.to_vec();
                names.push(String::from_utf8_lossy(&code[start..end]).into_owned());
                let next = (end..range.end).find(|next| !code[*next].is_ascii_whitespace()).unwrap_or(range.end);
                at = next;
                match code.get(next) {
                    Some(b'{') => {
                        at = closing(code, next);
                        scan(text, code, next + 1..at - 1, &names, outer_test || test, out);
                    }
                    Some(b';') => out.push(Declaration { names, path: path.take(), test: outer_test || test }),
                    _ => {}
                }
                (test, path) = (false, None);
            }
            _ => at += 1,
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn end_of_word(code: &[u8], start: usize) -> usize {
    (start..code.len()).find(|at| !is_word(code[*at])).unwrap_or(code.len())
}
