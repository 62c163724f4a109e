//! Which licences may enter the build: permissive ones, and those that ask for the source of their own files only.

use super::{Finding, tree::Package};

const ALLOWED: [&str; 16] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Finds packages whose licence is missing or not wanted.
pub fn check(packages: &[Package]) -> Vec<Finding> {
    let unwanted = |package: &&Package| !package.licence.as_deref().is_some_and(allowed);
    packages.iter().filter(unwanted).map(finding).collect()
}

fn finding(package: &Package) -> Finding {
    let licence = package.licence.as_deref().unwrap_or("none stated");
    let fault = format!("{} {} has an unwanted licence: {licence}", package.name, package.version);
    Finding::new("Cargo.lock", fault, "replace the package, or argue for the licence in xtask/src/tidy/licences.rs")
}

/// Whether an SPDX expression can be satisfied by allowed licences. The older `MIT/Apache-2.0` means OR.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ").replace(" WITH ", "+WITH+");
    let words: Vec<String> = spaced.split_whitespace().map(|word| word.replace("+WITH+", " WITH ")).collect();
    let mut rest = words.as_slice();
    any(&mut rest) == Some(true) && rest.is_empty()
}

/// `all (OR all)*`; `None` when the words make no expression.
fn any(rest: &mut &[String]) -> Option<bool> {
    let mut holds = all(rest)?;
    while take(rest, "OR") {
        holds |= all(rest)?;
    }
    Some(holds)
}

/// `one (AND one)*`.
fn all(rest: &mut &[String]) -> Option<bool> {
    let mut holds = one(rest)?;
    while take(rest, "AND") {
        holds &= one(rest)?;
    }
    Some(holds)
}

/// A licence, or an expression in brackets.
fn one(rest: &mut &[String]) -> Option<bool> {
    if take(rest, "(") {
        let holds = any(rest)?;
        return take(rest, ")").then_some(holds);
    }
    let (first, tail) = rest.split_first()?;
    *rest = tail;
    Some(ALLOWED.contains(&first.as_str()))
}

fn take(rest: &mut &[String], word: &str) -> bool {
    match rest.split_first() {
        Some((first, tail)) if first == word => {
            *rest = tail;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn an_expression_holds_when_allowed_licences_can_satisfy_it() {
        let cases = [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT/Apache-2.0", true),
            ("Apache-2.0 OR GPL-2.0-only", true),
            ("Apache-2.0 AND GPL-2.0-only", false),
            ("ISC AND (GPL-2.0 OR MIT)", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("(MIT OR Apache-2.0) AND SSPL-1.0", false),
            ("GPL-2.0 WITH Classpath-exception-2.0", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT OR", false),
            ("(MIT", false),
            ("", false),
        ];
        for (expression, expected) in cases {
            assert_eq!(allowed(expression), expected, "{expression:?}");
        }
    }
}
