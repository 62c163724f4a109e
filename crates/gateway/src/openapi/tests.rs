//! What only the sources know: which routes there are, which codes, and what shapes are called.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests read sources")]

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use super::{DOORS, SENT, UPLOADS, codes};

/// The sources of a crate, but for this module's own.
fn sources(of: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(of).join("src")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(fs::read_to_string(path).unwrap());
            } else if !path.ends_with("openapi") {
                folders.push(path);
            }
        }
    }
    found
}

/// The first text in quotes behind each `marker`.
fn quoted(source: &str, marker: &str) -> BTreeSet<String> {
    source.split(marker).skip(1).filter_map(|rest| rest.split('"').nth(1)).map(str::to_owned).collect()
}

/// One door, however its address ends: with a slash, or with all that follows.
fn door(route: &str) -> String {
    route.replace("{*path}", "").replace("{path}", "").trim_end_matches('/').to_owned()
}

fn doors(source: &str) -> BTreeSet<String> {
    quoted(source, ".route(").iter().map(|route| door(route)).collect()
}

fn must_be_same(ours: &BTreeSet<String>, theirs: &BTreeSet<String>, we: &str, they: &str) {
    let (more, less): (Vec<_>, Vec<_>) = (ours.difference(theirs).collect(), theirs.difference(ours).collect());
    assert!(more.is_empty() && less.is_empty(), "only among the {we}: {more:?}; only among the {they}: {less:?}");
}

fn document() -> Value {
    serde_json::from_str(&SENT.0).unwrap()
}

#[test]
fn openapi_describes_every_route_and_no_others() {
    let mut routes: BTreeSet<String> = sources("gateway").iter().flat_map(|source| doors(source)).collect();
    assert!(routes.remove("/api/v1/shared/{id}/{*door}"), "the way to what is shared");
    routes.extend(DOORS.iter().chain(&UPLOADS).map(|behind| door(&format!("/api/v1/shared/{{shared}}{behind}"))));
    let document = document();
    let described = document["paths"].as_object().unwrap().keys().map(|path| door(path)).collect();
    must_be_same(&routes, &described, "routes", "addresses of the document");
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for (function, known) in [("fn doors()", &DOORS[..]), ("fn uploads()", &UPLOADS[..])] {
        let body = source.split(function).nth(1).unwrap().split("\n}").next().unwrap();
        let known = known.iter().map(|behind| door(&format!("/api/v1{behind}"))).collect();
        assert_eq!(doors(body), known, "{function}: what is also behind a grant or a link");
    }
}

#[test]
fn openapi_lists_every_code_and_no_others() {
    let mut used = BTreeSet::new();
    for source in sources("gateway").iter().chain(&sources("service")) {
        for marker in ["Problem::new(", "Problem::bad_request(", "Self::new(", "Self::bad_request("] {
            used.extend(quoted(source, marker));
        }
    }
    let error = |of: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(of).join("src/error.rs");
    let mut tables: Vec<_> = ["gateway", "service"].map(|of| fs::read_to_string(error(of)).unwrap()).into();
    // What the store refuses of orders keeps its own names.
    for source in sources("service").into_iter().chain(sources("store")) {
        let after = source.split("fn code(&self) -> &'static str {").skip(1);
        tables.extend(after.filter_map(|rest| rest.split("\n    }\n").next()).map(str::to_owned));
    }
    for table in tables {
        used.extend(table.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
    }
    used.retain(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'));
    let listed = codes::ALL.iter().map(|code| (*code).to_owned()).collect();
    must_be_same(&used, &listed, "codes in the sources", "codes in `openapi::codes`");
    assert!(codes::ALL.is_sorted(), "by name");
}

#[test]
fn openapi_gives_each_shape_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    for source in sources("gateway") {
        for item in source.split("ToSchema)]").skip(1) {
            let head = item.split(['{', ';']).next().unwrap();
            let name =
                ["schema(as = ", "struct ", "enum "].iter().find_map(|before| head.split(before).nth(1)).unwrap();
            let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap().to_owned();
            assert!(names.insert(name.clone()), "two shapes are called {name}: say `#[schema(as = …)]` above one");
        }
    }
    let document = document();
    let described: BTreeSet<_> = document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
    names.insert("ErrorCode".to_owned());
    assert_eq!(names, described);
}
