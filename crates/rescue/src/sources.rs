//! The targets that a person named, and how copied objects are got from them.
//!
//! A person naming a place means: read it. So a marker is only asked where shards of which target lie; without one, or
//! with that of another service, whatever is there is still tried. Nothing is ever changed at a target.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use fleet::target::{ObjectName, Target};
use format::Marker;
use futures_util::future::join_all;
use model::id::{AccountId, ClusterId, TargetId};

use crate::finding::Finding;

/// Objects asked for in one page of a listing.
const PAGE_OBJECTS: usize = 1_000;
/// A copied object beyond this is none of ours: a journal batch and a part of a snapshot stay far below.
const COPIED_BYTES_MAX: u64 = 512 << 20;

/// One place that can be read.
pub(crate) struct Source {
    pub(crate) address: String,
    pub(crate) target: Arc<dyn Target>,
    pub(crate) marker: Option<Marker>,
}

/// All of them, and what was noticed about them.
pub(crate) struct Sources {
    all: Vec<Source>,
    /// Where the shards of a recorded target were found last: a copied disk lies anywhere.
    found_at: Mutex<BTreeMap<TargetId, usize>>,
    findings: Mutex<BTreeSet<Finding>>,
}

/// Which sources hold an object, by its name.
pub(crate) type Holders = BTreeMap<String, Vec<Held>>;

/// One copy in a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) source: usize,
    pub(crate) bytes: u64,
}

impl Sources {
    /// Looks at every target once.
    pub(crate) async fn open(targets: Vec<(String, Arc<dyn Target>)>, cluster: ClusterId, account: AccountId) -> Self {
        let looks = targets.into_iter().map(|(address, target)| look(address, target, cluster, account));
        let (mut all, mut findings) = (Vec::new(), BTreeSet::new());
        for (source, finding) in join_all(looks).await {
            all.extend(source);
            findings.extend(finding);
        }
        Self { all, found_at: Mutex::default(), findings: Mutex::new(findings) }
    }

    pub(crate) fn all(&self) -> &[Source] {
        &self.all
    }

    pub(crate) fn note(&self, finding: Finding) {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).insert(finding);
    }

    pub(crate) fn note_bad_copy(&self, source: usize, name: &str, reason: impl ToString) {
        let target = self.all[source].address.clone();
        self.note(Finding::BadCopy { target, name: name.to_owned(), reason: reason.to_string() });
    }

    /// Notes a call that failed. A target that went away is told of once, not with every object that it was asked for.
    pub(crate) fn note_failed(&self, source: usize, name: &str, error: &fleet::Error) {
        if !matches!(error, fleet::Error::Down { .. } | fleet::Error::Timeout { .. }) {
            return self.note_bad_copy(source, name, error);
        }
        let (target, reason) = (self.all[source].address.clone(), reason(error));
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        if !findings.iter().any(|known| matches!(known, Finding::TargetGone { target: gone, .. } if *gone == target)) {
            findings.insert(Finding::TargetGone { target, reason });
        }
    }

    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Sources in the order in which shards of `target` are looked for: where they were found before, where the marker
    /// says so, then everywhere.
    pub(crate) fn likely(&self, target: Option<TargetId>) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.all.len());
        if let Some(target) = target {
            let found_at = self.found_at.lock().unwrap_or_else(PoisonError::into_inner);
            order.extend(found_at.get(&target));
            let marked = |source: &Source| source.marker.is_some_and(|marker| marker.target == target);
            order.extend((0..self.all.len()).filter(|index| marked(&self.all[*index])));
        }
        order.extend(0..self.all.len());
        let mut seen = vec![false; self.all.len()];
        order.retain(|index| !std::mem::replace(&mut seen[*index], true));
        order
    }

    pub(crate) fn remember(&self, target: TargetId, source: usize) {
        self.found_at.lock().unwrap_or_else(PoisonError::into_inner).insert(target, source);
    }

    /// Reads a range of an object at one source.
    pub(crate) async fn read(&self, source: usize, name: &str, range: Range<u64>) -> fleet::Result<Bytes> {
        let bytes = self.all[source].target.read(&ObjectName::parse(name)?, range.clone()).await?;
        assert_eq!(bytes.len() as u64, range.end - range.start, "a driver returns what was asked for, or an error");
        Ok(bytes)
    }

    /// Lists what starts with `prefix` at all sources. A source that cannot be listed is noted, and passed over.
    pub(crate) async fn list(&self, prefix: &str) -> Holders {
        let lists = join_all(self.all.iter().map(|source| list(source, prefix))).await;
        let mut holders = Holders::new();
        for (source, (objects, trouble)) in lists.into_iter().enumerate() {
            for (name, bytes) in objects {
                holders.entry(name).or_default().push(Held { source, bytes });
            }
            if let Some(error) = trouble {
                self.note_failed(source, &format!("the list of {prefix}"), &error);
            }
        }
        holders
    }

    /// Reads an object whole from the first source whose copy `decode` accepts, and says which; others before it are noted.
    pub(crate) async fn first_good<T>(
        &self,
        name: &str,
        held: &[Held],
        mut decode: impl FnMut(Bytes) -> format::Result<T>,
    ) -> Option<(usize, T)> {
        for copy in held {
            if copy.bytes > COPIED_BYTES_MAX {
                self.note_bad_copy(copy.source, name, format!("it has {} bytes", copy.bytes));
                continue;
            }
            match self.read(copy.source, name, 0..copy.bytes).await.map(&mut decode) {
                Ok(Ok(good)) => return Some((copy.source, good)),
                Ok(Err(error)) => self.note_bad_copy(copy.source, name, error),
                Err(error) => self.note_failed(copy.source, name, &error),
            }
        }
        None
    }
}

/// Opens one target for reading: what it is, and what is odd about it.
async fn look(
    address: String,
    target: Arc<dyn Target>,
    cluster: ClusterId,
    account: AccountId,
) -> (Option<Source>, Option<Finding>) {
    let probe = match target.probe().await {
        Ok(probe) => probe,
        Err(error) => return (None, Some(Finding::TargetDown { target: address, reason: reason(&error) })),
    };
    let marker = probe.marker.and_then(|bytes| Marker::decode(&bytes).ok());
    let source = Source { address: address.clone(), target, marker };
    match marker {
        None => (Some(source), Some(Finding::NoMarker { target: address })),
        Some(marker) if marker.cluster != cluster => {
            let read = holds(&source, account).await;
            let finding = Finding::OtherCluster { target: address, cluster: marker.cluster, read };
            (read.then_some(source), Some(finding))
        }
        Some(_) => (Some(source), None),
    }
}

/// Why a target is down, without what a service would add.
fn reason(error: &fleet::Error) -> String {
    match error {
        fleet::Error::Down { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}

/// Whether a target holds anything under the account's tag.
async fn holds(source: &Source, account: AccountId) -> bool {
    for folder in ["envelopes", "snapshots", "addresses"] {
        let page = source.target.list(&format!("{folder}/{account}/"), None, 1).await;
        if page.is_ok_and(|page| !page.objects.is_empty()) {
            return true;
        }
    }
    false
}

/// All pages of one listing, and why it ended early.
async fn list(source: &Source, prefix: &str) -> (Vec<(String, u64)>, Option<fleet::Error>) {
    let (mut objects, mut after) = (Vec::new(), None);
    loop {
        let page = match source.target.list(prefix, after.as_ref(), PAGE_OBJECTS).await {
            Ok(page) => page,
            Err(error) => return (objects, Some(error)),
        };
        after = page.objects.last().map(|listed| listed.name.clone());
        objects.extend(page.objects.into_iter().map(|listed| (listed.name.as_str().to_owned(), listed.bytes)));
        if !page.more || after.is_none() {
            return (objects, None);
        }
    }
}
