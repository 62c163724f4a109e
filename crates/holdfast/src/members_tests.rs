//! Fleets that grow, move and shrink on paper.
#![allow(clippy::unwrap_used)]

use std::{cell::Cell, collections::BTreeMap, path::PathBuf};

use format::Marker;
use model::{
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{ClusterId, ProviderId, TargetId},
    world::Entropy,
};

use super::{FOLDER_DRIVER, Look, Members, Recorded, compare, unknown_paths};
use crate::{config::Provider, error::Result};

const OURS: ClusterId = ClusterId([7; 16]);

/// Counts, so that ids differ and runs are equal.
struct Count(std::sync::Mutex<Cell<u8>>);

impl Entropy for Count {
    fn fill(&self, bytes: &mut [u8]) {
        let cell = self.0.lock().unwrap();
        cell.set(cell.get() + 1);
        bytes.fill(cell.get());
    }
}

fn provider(name: &str, paths: &[&str]) -> Provider {
    Provider {
        name: name.to_owned(),
        labels: Vec::new(),
        paths: paths.iter().map(PathBuf::from).collect(),
        far: Vec::new(),
    }
}

/// Providers `a` (target at /a) and `b` (target at /b).
fn recorded() -> Recorded {
    let row = |n: u8, name: &str| ProviderRow { id: ProviderId([n; 16]), name: name.to_owned(), labels: Vec::new() };
    let target = |n: u8, address: &str| TargetRow {
        id: TargetId([n; 16]),
        provider: ProviderId([n; 16]),
        address: address.to_owned(),
        driver: FOLDER_DRIVER.to_owned(),
        generation: 3,
        state: TargetState::Up,
    };
    Recorded {
        cluster: Some(OURS),
        providers: vec![row(201, "a"), row(202, "b")],
        targets: vec![target(201, "/a"), target(202, "/b")],
    }
}

fn run(providers: &[Provider], looks: &[(&str, Look)], elsewhere: bool) -> Result<Members> {
    let looks: BTreeMap<PathBuf, Look> = looks.iter().map(|(path, look)| (PathBuf::from(path), look.clone())).collect();
    compare(
        &recorded(),
        providers,
        &looks,
        |row| elsewhere.then(|| Marker::new(OURS, row.id, row.provider, 1, 3)),
        &Count(std::sync::Mutex::default()),
    )
}

fn marked(cluster: ClusterId, target: u8) -> Look {
    Look::Marked(Marker::new(cluster, TargetId([target; 16]), ProviderId([target; 16]), 1, 3))
}

#[test]
fn the_same_file_changes_nothing() {
    let members = run(&[provider("a", &["/a"]), provider("b", &["/b"])], &[], true).unwrap();
    assert_eq!((members.known.len(), members.new.len(), members.providers.len(), members.absent.len()), (2, 0, 0, 0));
}

#[test]
fn a_provider_that_is_left_out_is_absent_and_not_gone() {
    let members = run(&[provider("a", &["/a"])], &[], true).unwrap();
    assert_eq!((members.known.len(), members.absent), (1, vec!["b".to_owned()]));
}

#[test]
fn new_providers_and_new_targets_join() {
    let providers = [provider("a", &["/a", "/a2"]), provider("b", &["/b"]), provider("c", &["/c"])];
    assert_eq!(unknown_paths(&recorded(), &providers), [PathBuf::from("/a2"), PathBuf::from("/c")]);
    let members = run(&providers, &[("/a2", Look::Empty), ("/c", Look::Empty)], true).unwrap();
    let new: Vec<_> =
        members.new.iter().map(|row| (row.address.as_str(), row.provider == ProviderId([201; 16]))).collect();
    assert_eq!(new, [("/a2", true), ("/c", false)]);
    assert_eq!(members.providers.len(), 1);
    assert_eq!(members.new[1].provider, members.providers[0].id);
}

#[test]
fn labels_may_change() {
    let mut a = provider("a", &["/a"]);
    a.labels.push(("country".to_owned(), "NL".to_owned()));
    let members = run(&[a.clone()], &[], true).unwrap();
    assert_eq!((members.providers[0].id, &members.providers[0].labels), (ProviderId([201; 16]), &a.labels));
}

#[test]
fn a_target_that_was_moved_keeps_its_row() {
    let members = run(&[provider("a", &["/elsewhere"])], &[("/elsewhere", marked(OURS, 201))], false).unwrap();
    assert_eq!((members.moved.len(), members.new.len()), (1, 0));
    assert_eq!((members.known[0].id, members.known[0].address.as_str()), (TargetId([201; 16]), "/elsewhere"));
}

#[test]
fn what_does_not_fit_is_refused_with_its_reason() {
    let cases: [(&str, &str, Look, bool, &str); 7] = [
        ("a", "/x", Look::Missing, false, "does not exist"),
        ("a", "/x", Look::Taken("letters.txt".to_owned()), false, "letters.txt"),
        ("a", "/x", marked(ClusterId([8; 16]), 201), false, "another Holdfast service"),
        ("a", "/x", marked(OURS, 99), false, "does not know"),
        ("a", "/x", marked(OURS, 201), true, "a copy of the target /a"),
        ("b", "/x", marked(OURS, 201), false, "belongs to provider 'a'"),
        ("b", "/a", Look::Empty, false, "belongs to provider 'a'"),
    ];
    for (name, path, look, elsewhere, said) in cases {
        let error = run(&[provider(name, &[path])], &[(path, look)], elsewhere).unwrap_err();
        assert!(error.message.contains(said) && error.hint.is_some(), "{path}: {}", error.message);
    }
}
