//! Each rule on a tree of a few lines that breaks it, beside one that does not.

use super::{
    check,
    tree::{Crate, Import, Package, Root, Tree},
};

const MANIFEST: &str = "[lints]\nworkspace = true\n";

/// A tree with nothing to find: one crate, one file, one document.
fn tree(name: &str, sources: &[(&str, &str)]) -> Tree {
    let folder = format!("crates/{name}");
    let root = Root { path: format!("{folder}/src/lib.rs"), test: false };
    let mut tree = Tree {
        crates: vec![Crate { name: name.to_owned(), folder: folder.clone(), roots: vec![root], imports: Vec::new() }],
        ..Tree::default()
    };
    tree.files.insert("docs/format.md".to_owned(), String::new());
    tree.files.insert(format!("{folder}/Cargo.toml"), MANIFEST.to_owned());
    for (path, text) in sources {
        tree.files.insert(format!("{folder}/{path}"), (*text).to_owned());
    }
    tree
}

/// Asserts that `lib.rs` of the crate `name` gives exactly one finding with `expected` in it, or none.
fn check_source(name: &str, code: &str, expected: Option<&str>) {
    let text = format!("//! Says what it is.\n{code}");
    let findings = check(&tree(name, &[("src/lib.rs", &text)]));
    let faults: Vec<&str> = findings.iter().map(|finding| finding.fault.as_str()).collect();
    match expected {
        None => assert!(faults.is_empty(), "{name}: {code:?}: {faults:?}"),
        Some(part) => assert!(faults.len() == 1 && faults[0].contains(part), "{name}: {code:?}: {faults:?}"),
    }
}

fn check_arrow(from: &str, to: &str, dev: bool, allowed: bool) {
    let mut tree = tree(from, &[("src/lib.rs", "//! It.\n")]);
    tree.crates[0].imports.push(Import { name: to.to_owned(), dev });
    let findings = check(&tree);
    assert_eq!(findings.is_empty(), allowed, "{from} -> {to}, dev: {dev}: {findings:?}");
}

#[test]
fn arrows_point_downwards_along_drawn_lines() {
    let allowed = [
        ("store", "model"),
        ("store", "catalogue"),
        ("gateway", "service"),
        ("rescue", "erasure"),
        ("holdfast", "rescue"),
        ("sim", "testkit"),
        ("sim", "rescue"),
        ("testkit", "fleet"),
    ];
    let forbidden = [
        ("model", "format"),
        ("format", "erasure"),
        ("fleet", "catalogue"),
        ("gateway", "store"),
        ("gateway", "rescue"),
        ("rescue", "catalogue"),
        ("sim", "gateway"),
        ("sim", "holdfast"),
        ("store", "testkit"),
        ("testkit", "store"),
        ("xtask", "model"),
        ("store", "xtask"),
        ("unheard", "model"),
    ];
    allowed.into_iter().for_each(|(from, to)| check_arrow(from, to, false, true));
    forbidden.into_iter().for_each(|(from, to)| check_arrow(from, to, false, false));
    for (from, to, allowed) in
        [("fleet", "testkit", true), ("gateway", "store", true), ("format", "plan", false), ("plan", "store", false)]
    {
        check_arrow(from, to, true, allowed);
    }
}

#[test]
fn every_manifest_takes_the_lints() {
    let mut tree = tree("plan", &[("src/lib.rs", "//! It.\n")]);
    tree.files.insert("crates/plan/Cargo.toml".to_owned(), "[package]\n".to_owned());
    assert_eq!(check(&tree).len(), 1);
}

#[test]
fn every_source_begins_with_a_module_comment() {
    for (text, count) in [("//! It.\n", 0), ("\n\n//! It.\n", 0), ("// It.\n", 1), ("use x;\n//! It.\n", 1), ("", 1)] {
        assert_eq!(check(&tree("plan", &[("src/lib.rs", text)])).len(), count, "{text:?}");
    }
}

#[test]
fn a_file_that_nobody_declares_is_dead() {
    let lib = "//! It.\nmod a;\nmod inline { mod b; }\n#[cfg(test)]\nmod tests;\n#[path = \"odd/place.rs\"]\nmod c;\n";
    let files = [
        ("src/lib.rs", lib),
        ("src/a.rs", "//! A.\nmod deep;\n"),
        ("src/a/deep.rs", "//! Deep.\n"),
        ("src/inline/b.rs", "//! B.\n"),
        ("src/tests.rs", "//! Tests.\n"),
        ("src/odd/place.rs", "//! C.\n"),
    ];
    assert_eq!(check(&tree("plan", &files)), []);
    for dead in ["src/d.rs", "src/deep.rs", "src/a/b.rs"] {
        let mut files = files.to_vec();
        files.push((dead, "//! Dead.\n"));
        let findings = check(&tree("plan", &files));
        assert!(findings.len() == 1 && findings[0].place.ends_with(dead), "{dead}: {findings:?}");
    }
}

#[test]
fn pure_crates_have_no_clock_chance_file_or_task() {
    let impure = [
        ("use std::time::Instant;", "clock"),
        ("fn f() { let now = SystemTime::now(); }", "clock"),
        ("fn f() { rand::random() }", "chance"),
        ("fn f() { std::fs::read(p) }", "file"),
        ("use std::{collections::BTreeMap, fs};", "std::fs"),
        ("pub async fn f() {}", "async"),
        ("use tokio::sync::Mutex;", "async"),
    ];
    for (code, what) in impure {
        check_source("plan", code, Some(what));
        check_source("store", code, None);
    }
    check_source("plan", "// std::fs::read\nconst WORDS: &str = \"tokio\"; fn brand::x() {}", None);
    check_source("plan", "#[cfg(test)]\nmod tests { use std::time::Instant; }", None);
    check_source("plan", "#[cfg(test)]\nmod tests { }\nuse std::time::Instant;", Some("clock"));
}

#[test]
fn nothing_unfinished_or_unsafe_is_kept() {
    check_source("plan", "fn f() { todo!() }", Some("unfinished"));
    check_source("plan", "#[test]\n#[ignore]\nfn f() {}", Some("unfinished"));
    check_source("plan", "fn f() { unimplemented!() }", Some("unfinished"));
    check_source("fleet", "fn f() { unsafe { g() } }", Some("`unsafe`"));
    check_source("fleet", "#![deny(unsafe_code)]\n// unsafe\n", None);
    let simd = [("src/lib.rs", "//! It.\nmod simd;\n"), ("src/simd.rs", "//! It.\nunsafe fn f() {}\n")];
    assert_eq!(check(&tree("erasure", &simd)), []);
}

#[test]
fn sql_stays_in_the_catalogue() {
    let code = "const Q: &str = \"SELECT name FROM entries\";";
    check_source("store", code, Some("SQL"));
    check_source("catalogue", code, None);
    check_source("store", &format!("#[cfg(test)]\nmod tests {{ {code} }}"), None);
    check_source("store", "const HELP: &str = \"SELECT a target\";", None);
}

#[test]
fn long_files_are_found() {
    check_source("plan", &"// a line\n".repeat(799), None);
    check_source("plan", &"// a line\n".repeat(800), Some("801 lines"));
}

#[test]
fn packages_are_licensed_single_and_wanted() {
    let package = |name: &str, version: &str, licence: Option<&str>| Package {
        name: name.to_owned(),
        version: version.to_owned(),
        licence: licence.map(str::to_owned),
    };
    let check_packages = |packages: Vec<Package>| {
        let mut tree = tree("plan", &[("src/lib.rs", "//! It.\n")]);
        tree.packages = packages;
        check(&tree).len()
    };
    let mit = Some("MIT");
    assert_eq!(check_packages(vec![package("a", "1.0.0", mit), package("a", "2.0.0", mit)]), 0);
    assert_eq!(check_packages(vec![package("tokio", "1.0.0", mit), package("tokio", "2.0.0", mit)]), 1);
    assert_eq!(check_packages(vec![package("ring", "0.17.0", mit)]), 1);
    assert_eq!(check_packages(vec![package("a", "1.0.0", None)]), 1);
    assert_eq!(check_packages(vec![package("a", "1.0.0", Some("GPL-3.0-only"))]), 1);
}

#[test]
fn the_format_must_be_described() {
    let mut tree = tree("plan", &[("src/lib.rs", "//! It.\n")]);
    tree.files.remove("docs/format.md");
    assert_eq!(check(&tree)[0].place, "docs/format.md");
}
