//! The ledger of a running service: what is noted, what was, and the checkpoints that go to the firms.
//!
//! An entry is noted inside a commit ([`note`]), so that it and what it tells of are one change: both are at two providers
//! or neither is. Upkeep signs a checkpoint when entries came, at most once a minute, and gives every provider a copy; the
//! one before is released then. So an operator who would rewrite the ledger has to rewrite what lies at every firm, and a
//! rebuild compares what it folded with what they kept.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use catalogue::{Tx, objects::ObjectKind};
use fleet::ObjectName;
pub use format::ledger::{EXPORT_HEAD, Entry, Receipt, time::second};
use format::{
    ledger::{Checkpoint, Frontier, START, Signer, VerifierKey, hash},
    name::{checkpoint_name, parse_checkpoint_name},
    replay::ClusterState,
};
use model::{
    Change, Scope,
    id::{ObjectId, TargetId},
    ledger::LedgerEntry,
};

use crate::{
    Draft, Inner, Store,
    error::{Error, Result},
    found::register,
    locked, meta,
};

/// Entries that are read at once.
const PAGE: usize = 500;
/// So long a checkpoint waits for more entries to come.
const AFTER_S: u64 = 60;

/// The tree over the entries that were seen; found again from the catalogue after a start.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Option<Frontier>>);

/// Notes something in the same commit that does it; the entry's number.
///
/// `what` and the fields' names are words of `a` to `z`, digits, `.`, `-` and `_`; values may be any text. No secret
/// belongs here: the ledger is shown to others.
///
/// # Errors
/// Bug if a word is none, or the entry is longer than [`LedgerEntry::BYTES_MAX`]; the catalogue's own trouble.
pub fn note(tx: &Tx<'_>, draft: &mut Draft, what: &str, fields: &[(&str, String)], now_us: i64) -> Result<u64> {
    let (last, prev) = match draft.noted {
        Some(noted) => noted,
        None => catalogue::ledger::last(tx)?.map_or((0, START), |last| (last.n, hash(&last.text))),
    };
    let n = last + 1;
    let fields = fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let row = Entry { n, at_us: now_us, prev, what: what.to_owned(), fields }.to_row()?;
    draft.noted = Some((n, hash(&row.text)));
    draft.change(Scope::Cluster, Change::Ledger(row));
    Ok(n)
}

impl Draft {
    /// Whether every entry names the one before it.
    pub(crate) fn check_entries(&self, tx: &Tx<'_>) -> Result<()> {
        let mut entries = self.entries().peekable();
        if entries.peek().is_none() {
            return Ok(());
        }
        let mut prev = catalogue::ledger::last(tx)?.map_or(START, |last| hash(&last.text));
        for row in entries {
            if Entry::parse(&row.text)?.prev != prev {
                return Err(Error::Format(format::Error::Misuse {
                    object: "ledger entry",
                    field: "prev",
                    expected: "the hash of the last entry".to_owned(),
                    got: format!("another in entry {}", row.n),
                }));
            }
            prev = hash(&row.text);
        }
        Ok(())
    }
}

impl Store {
    /// Up to `rows` entries behind the number `after`.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub async fn ledger(&self, after: u64, rows: usize) -> Result<Vec<LedgerEntry>> {
        self.read(move |tx| catalogue::ledger::page(tx, after, rows)).await
    }

    /// A signed checkpoint of all entries that there are, and how many these are.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub async fn checkpoint(&self) -> Result<(String, u64)> {
        let tree = self.0.tree().await?;
        Ok((self.0.signer().checkpoint(&head(&tree)), tree.size()))
    }

    /// The same, with what it signs.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub async fn checkpoint_and_head(&self) -> Result<(String, Checkpoint)> {
        let head = head(&self.0.tree().await?);
        Ok((self.0.signer().checkpoint(&head), head))
    }

    /// What the ledger's signatures are checked with.
    pub fn ledger_key(&self) -> VerifierKey {
        self.0.signer().key().clone()
    }

    /// Signs a text of lines, as receipts are.
    pub fn sign(&self, text: &str) -> String {
        self.0.signer().sign(text)
    }
}

fn head(tree: &Frontier) -> Checkpoint {
    Checkpoint { size: tree.size(), root: tree.root() }
}

/// Lets a tree grow by the next entries. One that is missing stands as nothing, so that no checkpoint hides that it is.
fn grow(tree: &mut Frontier, rows: &[LedgerEntry]) {
    for row in rows {
        while tree.size() + 1 < row.n {
            tree.push("");
        }
        tree.push(&row.text);
    }
}

impl Inner {
    fn signer(&self) -> Signer {
        Signer::new(self.cluster, &self.keys.snapshot().cluster)
    }

    /// The tree over all entries that there are.
    async fn tree(&self) -> Result<Frontier> {
        let known = locked(&self.ledger.0).clone();
        let mut tree = match known {
            Some(tree) => tree,
            None => {
                let saved = self.catalogue.read(|tx| catalogue::meta::bytes(tx, meta::LEDGER_TREE)).await?;
                saved.as_deref().and_then(Frontier::from_bytes).unwrap_or_default()
            }
        };
        loop {
            let after = tree.size();
            let page = self.catalogue.read(move |tx| catalogue::ledger::page(tx, after, PAGE)).await?;
            grow(&mut tree, &page);
            if page.len() < PAGE {
                break;
            }
        }
        let mut kept = locked(&self.ledger.0);
        if kept.as_ref().is_none_or(|kept| kept.size() < tree.size()) {
            *kept = Some(tree.clone());
        }
        Ok(tree)
    }

    /// Gives every provider a checkpoint of what was noted since the last one.
    pub(crate) async fn put_checkpoint(self: &Arc<Self>, everything: bool) -> Result<()> {
        let stand = |tx: &mut Tx<'_>| {
            let last = catalogue::ledger::last(tx)?.map_or(0, |last| last.n);
            Ok((last, catalogue::meta::number(tx, meta::LEDGER_CHECKPOINT)?.unwrap_or(0)))
        };
        let (last, signed) = self.catalogue.read(stand).await?;
        if last == signed || !(everything || self.upkeep.checkpoint_is_due(self.now_us(), AFTER_S)) {
            return Ok(());
        }
        let tree = self.tree().await?;
        let bytes = Bytes::from(self.signer().checkpoint(&head(&tree)));
        let (size, id) = (tree.size(), ObjectId::random(self.world.entropy.as_ref()));
        let name = checkpoint_name(size, id);
        let (object, mut copies) = self.put_object(id, ObjectKind::Checkpoint, name, bytes.clone()).await?;
        self.copy_to_the_others(&object.name, &bytes, &mut copies).await;
        let at = self.service_time();
        Store(self.clone())
            .commit(move |tx, _| {
                for old in catalogue::objects::of_kind(tx, ObjectKind::Checkpoint)? {
                    catalogue::objects::release(tx, old.object.id, at)?;
                }
                register(tx, &object, &copies)?;
                catalogue::meta::set_bytes(tx, meta::LEDGER_TREE, &tree.to_bytes())?;
                Ok::<_, Error>(catalogue::meta::set_number(tx, meta::LEDGER_CHECKPOINT, size)?)
            })
            .await?;
        self.upkeep.checkpoint_done(self.now_us());
        Ok(())
    }

    /// One more copy at each provider that has none: of a checkpoint each firm is a witness. Who does not take it now gets
    /// the next one.
    async fn copy_to_the_others(&self, name: &str, bytes: &Bytes, copies: &mut Vec<TargetId>) {
        let Ok(name) = ObjectName::parse(name) else { return };
        let topology = self.fleet.topology(self.now_us());
        let provider = |id: &TargetId| topology.target(*id).map(|view| view.provider);
        let mut have: Vec<_> = copies.iter().filter_map(provider).collect();
        for view in topology.healthy() {
            if have.contains(&view.provider) || copies.contains(&view.id) {
                continue;
            }
            let Ok(driver) = self.driver(view.id) else { continue };
            match driver.put(&name, std::slice::from_ref(bytes)).await {
                Ok(()) | Err(fleet::Error::Exists { .. }) => {
                    have.push(view.provider);
                    copies.push(view.id);
                }
                Err(error) => self.fleet.failed(view.id, &error, self.now_us()),
            }
        }
    }
}

/// A checkpoint as it lies at a target.
///
/// # Errors
/// Damaged: not signed by this service, or another than its name says.
pub(crate) fn open_checkpoint(name: &str, bytes: &[u8], key: &VerifierKey) -> format::Result<Checkpoint> {
    let note = String::from_utf8_lossy(bytes);
    let found = Checkpoint::open(&note, key)?;
    match parse_checkpoint_name(name) {
        Some(said) if said.size == found.size => Ok(found),
        _ => Err(format::Error::Value {
            object: "checkpoint",
            field: "size",
            expected: format!("that of its name, {name}"),
            got: found.size.to_string(),
        }),
    }
}

/// What is wrong with the ledger that a rebuild folded, as far as it and the checkpoints that lay at the targets tell.
pub(crate) fn compare(cluster: &ClusterState, mut checkpoints: Vec<Checkpoint>) -> Vec<String> {
    let mut findings = Vec::new();
    for n in &cluster.ledger_forks {
        findings.push(format!("the ledger was forked: entry {n} turned up with two texts; the later one is kept"));
    }
    for (first, last) in cluster.ledger_gaps() {
        findings.push(format!("entries {first} to {last} of the ledger are missing; what came after is kept"));
    }
    checkpoints.sort_unstable_by_key(|checkpoint| (checkpoint.size, checkpoint.root));
    checkpoints.dedup();
    let mut tree = Frontier::default();
    let mut rows = cluster.ledger.values().map(|row| &row.value).peekable();
    for Checkpoint { size, root } in checkpoints {
        while let Some(row) = rows.next_if(|row| row.n <= size) {
            grow(&mut tree, std::slice::from_ref(row));
        }
        if tree.size() < size {
            let found = tree.size();
            findings.push(format!("a checkpoint signs {size} entries of the ledger, and only {found} were found"));
        } else if tree.root() != root {
            findings.push(format!("the first {size} entries of the ledger are not those that a checkpoint signs"));
        }
    }
    findings
}

/// Notes an entry of an earlier life that this one does not have: its number may be another's by now.
pub(crate) fn bring_in(tx: &Tx<'_>, draft: &mut Draft, late: &ClusterState, now_us: i64) -> Result<usize> {
    /// A longer text is told of by its hash alone: escaped it would not fit.
    const TOLD_BYTES_MAX: usize = 30 << 10;
    let mut count = 0;
    for row in late.ledger.values().map(|row| &row.value) {
        let known = catalogue::ledger::page(tx, row.n - 1, 1)?.pop().is_some_and(|known| known.text == row.text);
        let digest: String = hash(&row.text).iter().map(|byte| format!("{byte:02x}")).collect();
        if known || catalogue::ledger::has_line(tx, &format!("sha256 {digest}"))? {
            continue;
        }
        let mut fields = vec![("n", row.n.to_string()), ("sha256", digest)];
        if row.text.len() <= TOLD_BYTES_MAX {
            fields.push(("text", row.text.clone()));
        }
        note(tx, draft, "ledger.late", &fields, now_us)?;
        count += 1;
    }
    Ok(count)
}
