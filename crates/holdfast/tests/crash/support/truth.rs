//! The reference: for each path what may be there. One possibility once it is acknowledged or was read; more while an
//! answer is outstanding.

use std::collections::BTreeMap;

use super::Door;
use crate::common::noise;

/// What a file holds, as the seed of its bytes and their count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    pub seed: u64,
    pub bytes: usize,
}

impl Content {
    pub fn new(seed: u64, bytes: usize) -> Self {
        Self { seed, bytes }
    }

    pub fn make(self) -> Vec<u8> {
        noise(self.seed, self.bytes)
    }

    pub fn is(self, found: &[u8]) -> bool {
        found.len() == self.bytes && found == self.make()
    }
}

/// What may be at each path; `None` stands for "nothing".
#[derive(Clone, Debug, Default)]
pub struct Truth(BTreeMap<String, Vec<Option<Content>>>);

impl Truth {
    /// A change was acknowledged.
    pub fn is(&mut self, path: &str, content: Option<Content>) {
        self.0.insert(path.to_owned(), vec![content]);
    }

    /// A change was asked for, and no answer says that it is done.
    pub fn may_be(&mut self, path: &str, content: Option<Content>) {
        self.0.entry(path.to_owned()).or_insert_with(|| vec![None]).push(content);
    }

    pub fn paths(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// Paths whose last change has no answer yet.
    pub fn unknown(&self) -> Vec<String> {
        self.0.iter().filter(|(_, may)| may.len() > 1).map(|(path, _)| path.clone()).collect()
    }

    /// Whether what was found may be there; from then on it is what is there.
    pub fn found(&mut self, path: &str, found: Option<&[u8]>) -> Result<(), String> {
        let may = self.0.get_mut(path).unwrap();
        let fits = |known: &&Option<Content>| match (known, found) {
            (Some(content), Some(bytes)) => content.is(bytes),
            (None, None) => true,
            _ => false,
        };
        match may.iter().rev().find(fits).copied() {
            Some(one) => *may = vec![one],
            None => return Err(format!("{path}: found {:?} bytes, expected one of {may:?}", found.map(<[u8]>::len))),
        }
        Ok(())
    }

    /// Compares a path with what the service answers.
    pub fn check(&mut self, door: &Door, path: &str) {
        let answer = door.get(path);
        let found = match answer.status {
            200 => Some(answer.body.as_slice()),
            404 => None,
            other => panic!("{path}: {other} {}", String::from_utf8_lossy(&answer.body)),
        };
        self.found(path, found).unwrap();
    }

    pub fn check_all(&mut self, door: &Door) {
        self.paths().iter().for_each(|path| self.check(door, path));
    }

    /// Puts a file that the service must take.
    pub fn put(&mut self, door: &Door, path: &str, content: Content) {
        let answer = door.put(path, &content.make());
        assert!(matches!(answer.status, 201 | 204), "{path}: {}", String::from_utf8_lossy(&answer.body));
        self.is(path, Some(content));
    }

    /// Puts a file that the service may refuse, but then clearly; the code of its refusal.
    pub fn try_put(&mut self, door: &Door, path: &str, content: Content) -> Option<String> {
        let answer = door.put(path, &content.make());
        if answer.is_done() {
            self.is(path, Some(content));
            return None;
        }
        assert!(matches!(answer.status, 503 | 507), "{} is no clear refusal: {}", answer.status, answer.problem());
        self.may_be(path, Some(content));
        Some(answer.problem())
    }
}
