//! Rules for each source: it teaches, is reached, stays small, and keeps to the door of its crate.

use super::{
    Finding,
    arrows::PURE,
    mask::{Masked, closing, line, mask, without_tests},
    reach::{Use, reached},
    tree::Tree,
};

/// Longer files hold two nouns.
const LINES_MAX: usize = 800;

/// What reaches around the door of a pure crate, and what it is.
const IMPURE: [(&str, &str); 14] = [
    ("std::time", "a clock"),
    ("SystemTime", "a clock"),
    ("Instant::now", "a clock"),
    ("rand::", "chance"),
    ("getrandom", "chance"),
    ("RandomState", "chance"),
    ("std::fs", "file access"),
    ("std::net", "network access"),
    ("std::env", "the environment"),
    ("std::thread", "a thread"),
    ("async fn", "async"),
    ("async move", "async"),
    ("async {", "async"),
    ("tokio", "async"),
];

/// Modules of `std` that a pure crate must not import in a group either.
const IMPURE_STD: [&str; 5] = ["time", "fs", "net", "env", "thread"];

/// What is left behind by unfinished work.
const UNFINISHED: [&str; 5] = ["todo!", "unimplemented!", "#[ignore]", "#[ignore =", "dbg!"];

/// Openings of SQL statements, in two halves that must follow one another in one string (and never do so in this file).
const SQL: [(&str, &str); 7] = [
    ("SELECT ", " FROM "),
    ("INSERT ", "INTO "),
    ("UPDATE ", " SET "),
    ("DELETE ", "FROM "),
    ("CREATE ", "TABLE "),
    ("CREATE ", "INDEX "),
    ("PRAG", "MA "),
];

/// One source, prepared for the rules.
struct Source<'a> {
    path: &'a str,
    /// The crate it lies in.
    owner: &'a str,
    text: &'a str,
    masked: Masked,
    /// Code of the product alone: empty for a file of tests.
    product: String,
}

/// Checks every source of the tree.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let reached = reached(tree);
    let mut findings = Vec::new();
    for (path, text) in tree.sources() {
        let Some(purpose) = reached.get(path) else {
            let fault = "is reached by no `mod` declaration";
            findings.push(Finding::new(path, fault, "declare it, or delete it"));
            continue;
        };
        let owner = tree.crate_of(path).map_or("", |member| member.name.as_str());
        let masked = mask(text);
        let product = if *purpose == Use::Product { without_tests(&masked.code) } else { String::new() };
        let source = Source { path, owner, text, masked, product };
        for rule in [teaches, stays_small, is_finished, is_safe, is_pure, keeps_sql_away] {
            rule(&source, &mut findings);
        }
    }
    findings
}

impl Source<'_> {
    fn finding(&self, offset: usize, fault: impl Into<String>, remedy: &str) -> Finding {
        Finding::new(format!("{}:{}", self.path, line(self.text, offset)), fault, remedy)
    }
}

fn teaches(source: &Source<'_>, findings: &mut Vec<Finding>) {
    if !source.text.trim_start().starts_with("//!") {
        let remedy = "begin the file with `//!`: what it is, and why it is as it is";
        findings.push(Finding::new(source.path, "has no module comment", remedy));
    }
}

fn stays_small(source: &Source<'_>, findings: &mut Vec<Finding>) {
    let count = source.text.lines().count();
    if count > LINES_MAX {
        let fault = format!("has {count} lines, more than {LINES_MAX}");
        findings.push(Finding::new(source.path, fault, "find the second noun in it and give it a file"));
    }
}

fn is_finished(source: &Source<'_>, findings: &mut Vec<Finding>) {
    for word in UNFINISHED {
        for offset in occurrences(&source.masked.code, word) {
            let remedy = "finish it, or take it out; a test states the present behaviour and the reason";
            findings.push(source.finding(offset, format!("`{word}` is unfinished work"), remedy));
        }
    }
}

fn is_safe(source: &Source<'_>, findings: &mut Vec<Finding>) {
    if source.path.starts_with("crates/erasure/src/simd") {
        return;
    }
    for offset in occurrences(&source.masked.code, "unsafe") {
        let remedy = "use a safe interface (`rustix`, `bytes`), or put the kernel into `erasure::simd`";
        findings.push(source.finding(offset, "`unsafe` outside `erasure::simd`", remedy));
    }
}

fn is_pure(source: &Source<'_>, findings: &mut Vec<Finding>) {
    if !PURE.contains(&source.owner) {
        return;
    }
    let remedy = "take the value as an argument; time and chance come from `model::world`";
    for (word, what) in IMPURE {
        for offset in occurrences(&source.product, word) {
            let fault = format!("`{word}` is {what} in the pure crate {}", source.owner);
            findings.push(source.finding(offset, fault, remedy));
        }
    }
    for offset in occurrences(&source.product, "std::{") {
        let group = &source.product[offset..closing(source.product.as_bytes(), offset + "std::".len())];
        for module in IMPURE_STD.iter().filter(|module| occurrences(group, module).next().is_some()) {
            let fault = format!("`std::{module}` in the pure crate {}", source.owner);
            findings.push(source.finding(offset, fault, remedy));
        }
    }
}

fn keeps_sql_away(source: &Source<'_>, findings: &mut Vec<Finding>) {
    if source.owner == "catalogue" {
        return;
    }
    for (offset, string) in &source.masked.strings {
        let statement = SQL.iter().any(|(first, second)| {
            string.trim_start().strip_prefix(first).is_some_and(|rest| rest.contains(second.trim_start()))
        });
        if statement && is_outside_tests(source, *offset) {
            findings.push(source.finding(*offset, "SQL outside the catalogue", "give `catalogue` a method for it"));
        }
    }
}

/// Whether the literal at `offset` belongs to the product: what stands before it is still there without the tests.
fn is_outside_tests(source: &Source<'_>, offset: usize) -> bool {
    let before = |code: &str| code.as_bytes().get(..offset)?.iter().rposition(|byte| !byte.is_ascii_whitespace());
    before(&source.product) == before(&source.masked.code)
}

/// Offsets of `word` where it does not continue another word.
fn occurrences<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let continues = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    code.match_indices(word).map(|(offset, _)| offset).filter(move |offset| {
        let bytes = code.as_bytes();
        let starts = offset.checked_sub(1).is_none_or(|before| !continues(bytes.get(before)));
        let word_like = word.ends_with(|last: char| last.is_alphanumeric());
        starts && !(word_like && continues(bytes.get(offset + word.len())))
    })
}
