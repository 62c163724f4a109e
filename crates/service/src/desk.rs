//! The desk at which a firm files notices itself, with the token of its lease, and gets a receipt that it can show later.
//!
//! Whoever has the token can say something and nothing else. What is said costs little to refuse: ten thousand filings are
//! twenty notices a day and ten thousand short answers.

use bytes::Bytes;
use catalogue::{Tx, fleet, leases};
use futures_util::Stream;
use model::{
    id::{LeaseId, NoticeId},
    leases::{LeaseRow, NoticeRow, Served},
};
use store::ledger::Receipt;

use crate::{
    Service,
    error::{Error, Result},
    leases::name_of,
    notices::{self, Entered, bad, sha256},
    tokens::hash_of,
};

/// Notices that a desk takes in a day.
const FILED_MAX: u64 = 20;
const DAY_US: i64 = 86_400_000_000;

/// What a desk is for.
#[derive(Clone, Debug)]
pub struct DeskSign {
    /// The firm, as we call it.
    pub provider: String,
    /// The contract.
    pub contract: String,
    /// The servers' names.
    pub servers: Vec<String>,
}

/// What a firm takes away.
#[derive(Clone, Debug)]
pub struct Filed {
    /// The notice.
    pub id: NoticeId,
    /// The signed receipt.
    pub receipt: String,
    /// The signed checkpoint that it names.
    pub checkpoint: String,
    /// What both are checked with.
    pub key: String,
}

impl Service {
    /// What the desk of this lease is for.
    ///
    /// # Errors
    /// [`Error::DeskToken`].
    pub async fn desk(&self, lease: LeaseId, token: &str) -> Result<DeskSign> {
        let hash = hash_of(token);
        self.look(move |tx| {
            let row = at_desk(tx, lease, &hash)?;
            let provider = name_of(&fleet::providers(tx)?, row.provider);
            Ok(DeskSign {
                provider,
                contract: row.contract,
                servers: row.servers.into_iter().map(|one| one.name).collect(),
            })
        })
        .await
    }

    /// Files a notice. `content` is what was sent, byte by byte: the receipt names its SHA-256.
    ///
    /// # Errors
    /// [`Error::DeskToken`], [`Error::TooManyNotices`]; [`Error::BadNotice`] for a server that is not the lease's, a day in the
    /// past, or what is too long: nothing is filed then.
    pub async fn file_notice(&self, lease: LeaseId, token: &str, content: &[u8], said: Entered) -> Result<Filed> {
        let (hash, now_us) = (hash_of(token), self.store.now().wall_us);
        // Asked first without a place in the line of changes: a flood is refused by reading.
        self.look(move |tx| admitted(tx, lease, &hash, now_us).map(drop)).await?;
        let (id, content) = (NoticeId::random(self.store.entropy()), sha256(content));
        let n = self
            .store
            .commit(move |tx, draft| {
                let lease = admitted(tx, lease, &hash, now_us)?;
                if said.deadline_us.is_some_and(|at| at < now_us) {
                    return Err(bad(
                        "the date is in the past: a notice tells of what is to come. Nothing was filed; correct it, or leave \
                         it out",
                    ));
                }
                let row = notices::drawn(tx, id, lease.provider, Some(&lease), &said, now_us)?;
                let addressee = "the operator".to_owned();
                notices::serve(tx, draft, NoticeRow { from: Served::AtDesk, addressee, content, ..row }, now_us)
            })
            .await?;
        self.ring_for_notices();
        let (checkpoint, head) = self.store.checkpoint_and_head().await?;
        let receipt =
            Receipt { cluster: self.store.cluster(), notice: id, at_us: now_us, content, n, checkpoint: head };
        let key = self.store.ledger_key().to_string();
        Ok(Filed { id, receipt: self.store.sign(&receipt.to_text()), checkpoint, key })
    }

    /// Keeps the document that was announced with a notice of this desk.
    ///
    /// # Errors
    /// [`Error::DeskToken`]; [`Error::NoSuchId`] for a notice of somebody else; as for a document that an operator attaches.
    pub async fn file_document<S>(&self, lease: LeaseId, token: &str, id: NoticeId, body: S) -> Result<()>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
    {
        let hash = hash_of(token);
        let keeper = self
            .look(move |tx| {
                let row = at_desk(tx, lease, &hash)?;
                let notice = leases::notice(tx, id)?
                    .filter(|notice| notice.lease == Some(lease) && notice.from == Served::AtDesk);
                notice.ok_or(Error::NoSuchId)?;
                row.desk.map(|desk| desk.account).ok_or(Error::DeskToken)
            })
            .await?;
        self.keep_document(keeper, id, body).await
    }
}

/// The lease whose desk this token opens. A wrong token and a lease that is none are told apart by nobody.
fn at_desk(tx: &Tx<'_>, lease: LeaseId, hash: &[u8; 32]) -> Result<LeaseRow> {
    let row = leases::get(tx, lease)?.ok_or(Error::DeskToken)?;
    // Hashes of 256 random bits: how much of one is right tells nothing about the token.
    let opens =
        row.desk.as_ref().is_some_and(|desk| blake3::Hash::from_bytes(desk.hash) == blake3::Hash::from_bytes(*hash));
    if opens { Ok(row) } else { Err(Error::DeskToken) }
}

fn admitted(tx: &Tx<'_>, lease: LeaseId, hash: &[u8; 32], now_us: i64) -> Result<LeaseRow> {
    let row = at_desk(tx, lease, hash)?;
    if leases::filed_since(tx, lease, now_us.saturating_sub(DAY_US))? >= FILED_MAX {
        return Err(Error::TooManyNotices);
    }
    Ok(row)
}
