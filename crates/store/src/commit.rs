//! The one door for change: [`Store::commit`].
//!
//! A commit is a closure that looks at the catalogue, decides, and puts new rows in a [`Draft`]. Closures that wait
//! together form a *batch*, and a batch is made in three steps:
//!
//! 1. one catalogue transaction runs every closure (each in a savepoint), applies its rows and assigns the next
//!    revision of each scope; the transaction stays open, so readers see none of it;
//! 2. the batch's records and small files are put as one journal object until it is *safe*: durable at two providers;
//! 3. the transaction commits; its callers are answered when the catalogue's log is synced, while the next batch is on
//!    its way.
//!
//! So the journal is the catalogue's write-ahead log at the providers. A crash before 2 leaves nothing; between 2 and 3
//! the object is found at the next start and applied through the same `catalogue::apply`; a batch that could not be put
//! is rolled back whole, and the next object that takes its place in the chain outranks whatever reached some target
//! (`format::replay::chain`). Batch n + 1 is never acknowledged before n because there is one batch at a time; new ones
//! form meanwhile. `docs/decisions/0002` argues this. What was committed and not synced yet is seen by readers; it is safe
//! at the providers, but whoever destroys something because of it syncs first.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use catalogue::{Tx, Writer};
use format::journal::{JournalBuilder, JournalHeader, PayloadAt, RecordKey};
use futures_util::future::{Either, select};
use model::{
    Record, Scope,
    id::{ObjectId, SegmentId, TargetId},
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Inner, Store,
    copies::{Put, unverified},
    draft::{Draft, Journalled},
    error::{Error, Result},
    keys::Keys,
    meta,
    registration::{Registration, replay},
};

/// Closures in one batch at most: bounds how long the first one waits for the last one.
const BATCH_CLOSURES_MAX: usize = 512;

/// How a batch ended.
#[derive(Clone, Debug)]
enum Fate {
    Done,
    Unsafe { providers_up: usize, detail: String },
    Unfinished { detail: String },
    Refused { detail: String },
}

impl Fate {
    fn into_result(self) -> Result<()> {
        match self {
            Self::Done => Ok(()),
            Self::Unsafe { providers_up, detail } => Err(Error::Unsafe { providers_up, detail }),
            Self::Unfinished { detail } => Err(Error::Unfinished { detail }),
            Self::Refused { detail } => Err(Error::CatalogueRefuses { detail }),
        }
    }
}

type Answer = Box<dyn FnOnce(Fate) + Send>;

struct Ran {
    answer: Answer,
    journalled: Journalled,
}

/// A closure with its types erased: takes the open transaction, the epoch and the wall time.
type Run = Box<dyn FnOnce(&mut Writer, u64, i64) -> Ran + Send>;

/// A closure on its way through the door.
pub(crate) struct Request {
    run: Run,
}

/// A closure's own refusal, or the catalogue's failure beneath it.
enum Failure<E> {
    Own(E),
    Catalogue(catalogue::Error),
}

impl<E> From<catalogue::Error> for Failure<E> {
    fn from(error: catalogue::Error) -> Self {
        Self::Catalogue(error)
    }
}

impl Store {
    /// Runs `decide` in a catalogue transaction, journals the rows that it put in the draft, and returns its value once
    /// they are safe at the providers and in the catalogue.
    ///
    /// # Errors
    /// What `decide` returns (nothing is changed then); [`Error::Unsafe`] when too few providers answer, the change is
    /// then refused; [`Error::Unfinished`] when the catalogue's own disk failed after the providers had it.
    pub async fn commit<T, E>(
        &self,
        decide: impl FnOnce(&mut Tx<'_>, &mut Draft) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        if let Some(error) = self.0.newer_epoch() {
            return Err(E::from(error));
        }
        let (send, receive) = oneshot::channel::<std::result::Result<T, E>>();
        let run = move |writer: &mut Writer, epoch: u64, wall_us: i64| {
            let result = writer.savepoint(|tx| {
                let mut draft = Draft::default();
                let value = decide(tx, &mut draft).map_err(Failure::Own)?;
                // A change that breaks a rule of the format is refused alone: in the batch it would take others along.
                draft.check().map_err(|error| Failure::Own(E::from(error.into())))?;
                draft.check_entries(tx).map_err(|error| Failure::Own(E::from(error)))?;
                let journalled = draft.apply(tx, epoch, wall_us)?;
                Ok((value, journalled))
            });
            match result {
                Ok((value, journalled)) => {
                    let answer = move |fate: Fate| {
                        let _ = send.send(fate.into_result().map(|()| value).map_err(E::from));
                    };
                    Ran { answer: Box::new(answer), journalled }
                }
                Err(failure) => {
                    let error = match failure {
                        Failure::Own(error) => error,
                        Failure::Catalogue(error) => E::from(Error::from(error)),
                    };
                    Ran { answer: Box::new(move |_| drop(send.send(Err(error)))), journalled: Journalled(Vec::new()) }
                }
            }
        };
        if self.0.door.send(Request { run: Box::new(run) }).is_err() {
            return Err(E::from(Error::Stopping));
        }
        receive.await.unwrap_or_else(|_| Err(E::from(Error::Stopping)))
    }
}

/// What a batch's first step made.
#[derive(Default)]
struct Built {
    answers: Vec<Answer>,
    /// The journal object, unless nothing was journalled.
    object: Option<BuiltObject>,
    /// How kinds of upkeep stand, written along.
    stands: Vec<catalogue::upkeep::KindRow>,
}

pub(crate) struct BuiltObject {
    pub header: JournalHeader,
    pub pieces: Vec<Bytes>,
    /// Kept until the catalogue has them: applied again if its commit fails.
    pub records: Vec<Record>,
    pub payloads: Vec<PayloadAt>,
}

/// Takes batches through the three steps until the door closes.
pub(crate) async fn run(inner: Weak<Inner>, mut waiting: mpsc::UnboundedReceiver<Request>) {
    let mut behind: Option<(BuiltObject, Vec<TargetId>)> = None;
    let mut crowd = 1;
    while let Some(first) = waiting.recv().await {
        let Some(inner) = inner.upgrade() else { return };
        let batch = gather(&inner, first, &mut waiting, crowd).await;
        let taken = batch.len();
        if let Some((object, targets)) = behind.take()
            && let Err(detail) = catch_up(&inner, &object, &targets).await
        {
            behind = Some((object, targets));
            refuse(batch, &inner, &detail).await;
            continue;
        }
        behind = one_batch(&inner, batch).await;
        crowd = taken + waiting.len();
    }
}

/// Takes what waits. While fewer wait than were about in the last round, it waits a moment for the rest: those who were
/// just answered are about to ask again, and without them two half-full batches would follow each other for ever, each
/// with syncs of its own. Whoever comes alone waits for nobody.
async fn gather(
    inner: &Inner,
    first: Request,
    waiting: &mut mpsc::UnboundedReceiver<Request>,
    crowd: usize,
) -> Vec<Request> {
    let mut batch = vec![first];
    let mut limit = None;
    while batch.len() < BATCH_CLOSURES_MAX {
        if let Ok(next) = waiting.try_recv() {
            batch.push(next);
            continue;
        }
        if batch.len() >= crowd {
            break;
        }
        let limit = limit.get_or_insert_with(|| inner.world.timer.sleep(inner.gather_us()));
        match select(std::pin::pin!(waiting.recv()), limit).await {
            Either::Left((Some(next), _)) => batch.push(next),
            Either::Left((None, _)) | Either::Right(_) => break,
        }
    }
    batch
}

impl Inner {
    /// How long a batch gathers: longer where a firm bills each request.
    fn gather_us(&self) -> u64 {
        let is_billed = |id| self.roster.get(id).is_some_and(|driver| driver.abilities().billed_by_request);
        let up = self.fleet.all().into_iter().filter(|live| live.state == model::fleet::TargetState::Up);
        let is_billed = up.map(|live| live.row.id).any(is_billed);
        let ms = if is_billed { self.settings.journal_gather_billed_ms } else { self.settings.journal_gather_ms };
        ms * 1_000
    }
}

/// Runs closures only to take their answers apart: each is told that the catalogue cannot be written.
async fn refuse(batch: Vec<Request>, inner: &Inner, detail: &str) {
    let detail = detail.to_owned();
    let epoch = inner.epoch();
    let wall_us = inner.world.clock.now().wall_us;
    let _ = inner
        .catalogue
        .writer(move |writer| {
            for request in batch {
                let ran = (request.run)(writer, epoch, wall_us);
                (ran.answer)(Fate::Refused { detail: detail.clone() });
            }
        })
        .await;
}

/// One batch from first step to last; what the catalogue still has to take if its commit failed.
async fn one_batch(inner: &Arc<Inner>, batch: Vec<Request>) -> Option<(BuiltObject, Vec<TargetId>)> {
    let built = match first_step(inner, batch).await {
        Ok(built) => built,
        // The writer thread is gone: the requests were dropped with it and their callers read `Stopping`.
        Err(_) => return None,
    };
    let Built { answers, object, stands } = built;
    let Some(object) = object else {
        if answers.is_empty() {
            let _ = inner.catalogue.writer(Writer::rollback).await;
            return None;
        }
        match inner.catalogue.writer(Writer::commit).await {
            Ok(Ok(())) => {
                inner.upkeep.schedule.written(&stands, inner.now_us());
                answer_when_durable(inner, answers);
            }
            Ok(Err(error)) | Err(error) => answer_all(answers, &Fate::Refused { detail: error.to_string() }),
        }
        return None;
    };
    let name = object.header.name();
    let targets = match inner.put_copied(&name, object.header.id, &object.pieces, Put::UntilSafe).await {
        Ok(targets) => targets,
        Err(error) => {
            let _ = inner.catalogue.writer(Writer::rollback).await;
            let fate = match error {
                Error::Unsafe { providers_up, detail } => Fate::Unsafe { providers_up, detail },
                other => Fate::Unsafe {
                    providers_up: inner.fleet.topology(inner.now_us()).healthy_providers().len(),
                    detail: other.to_string(),
                },
            };
            answer_all(answers, &fate);
            return None;
        }
    };
    match last_step(inner, &object, &targets).await {
        Ok(()) => {
            inner.journal_advanced(&object.header);
            inner.upkeep.schedule.written(&stands, inner.now_us());
            answer_when_durable(inner, answers);
            None
        }
        Err(detail) => {
            answer_all(answers, &Fate::Unfinished { detail });
            Some((object, targets))
        }
    }
}

/// Answers once the catalogue's log is synced, which the next batch does not wait for.
fn answer_when_durable(inner: &Arc<Inner>, answers: Vec<Answer>) {
    let catalogue = inner.catalogue.clone();
    inner.world.timer.spawn(Box::pin(async move {
        match catalogue.sync().await {
            Ok(()) => answer_all(answers, &Fate::Done),
            Err(error) => answer_all(answers, &Fate::Unfinished { detail: error.to_string() }),
        }
    }));
}

fn answer_all(answers: Vec<Answer>, fate: &Fate) {
    for answer in answers {
        answer(fate.clone());
    }
}

/// Runs the closures in a new transaction that stays open, and builds the journal object of their records.
async fn first_step(inner: &Arc<Inner>, batch: Vec<Request>) -> Result<Built> {
    let keys = inner.keys.snapshot();
    let header = inner.next_header();
    let mut salt = [0; 32];
    inner.world.entropy.fill(&mut salt);
    let wall_us = inner.world.clock.now().wall_us;
    let late = inner.take_late_copies();
    let service_time = inner.service_time();
    let stands = inner.upkeep.schedule.due(inner.now_us());
    let step = move |writer: &mut Writer| -> Built {
        if let Err(error) = writer.begin() {
            let fate = Fate::Refused { detail: error.to_string() };
            for request in batch {
                ((request.run)(writer, header.epoch, wall_us).answer)(fate.clone());
            }
            return Built::default();
        }
        let mut answers = Vec::with_capacity(batch.len());
        let mut journalled = Vec::new();
        for request in batch {
            let ran = (request.run)(writer, header.epoch, wall_us);
            answers.push(ran.answer);
            journalled.extend(ran.journalled.0);
        }
        if !writer.is_open() {
            // A full or failing disk rolled the whole transaction back under the closures.
            let detail = "its transaction was rolled back".to_owned();
            answer_all(answers, &Fate::Refused { detail });
            return Built::default();
        }
        let housekeeping = writer.savepoint(|tx| {
            catalogue::meta::set_number(tx, meta::SERVICE_TIME, service_time.0)?;
            stands.iter().try_for_each(|row| catalogue::upkeep::set_ended(tx, row))?;
            for (object, target) in &late {
                // The object may have been released meanwhile.
                if catalogue::objects::view(tx, *object)?.is_some() {
                    catalogue::objects::set_copy(tx, *object, &unverified(*target))?;
                }
            }
            Ok::<_, catalogue::Error>(())
        });
        if housekeeping.is_err() {
            // Only local bookkeeping: upkeep finds the copies again by listing.
        }
        let object = if journalled.is_empty() { None } else { Some(build(header, salt, &keys, journalled)) };
        match object {
            Some(Err(error)) => {
                writer.rollback();
                answer_all(answers, &Fate::Refused { detail: error.to_string() });
                Built::default()
            }
            Some(Ok(object)) => Built { answers, object: Some(object), stands },
            None => Built { answers, object: None, stands },
        }
    };
    Ok(inner.catalogue.writer(step).await?)
}

fn build(
    header: JournalHeader,
    salt: [u8; 32],
    keys: &Keys,
    journalled: Vec<(Record, Vec<(SegmentId, Bytes)>)>,
) -> Result<BuiltObject> {
    let mut builder = JournalBuilder::new(&header, salt);
    let mut records = Vec::with_capacity(journalled.len());
    for (record, payloads) in journalled {
        let key = match record.scope {
            Scope::Cluster => RecordKey::Cluster(&keys.cluster),
            Scope::Account(account) => RecordKey::Account(keys.account(account)?),
        };
        let payloads: Vec<_> = payloads.into_iter().map(|(segment, sealed)| (segment, vec![sealed])).collect();
        builder.push(&record, key, &payloads)?;
        records.push(record);
    }
    let (pieces, payloads) = builder.finish();
    Ok(BuiltObject { header, pieces, records, payloads })
}

/// Registers the object and commits the open transaction.
async fn last_step(inner: &Inner, object: &BuiltObject, targets: &[TargetId]) -> std::result::Result<(), String> {
    let registration = Registration::of(object, targets);
    let result = inner
        .catalogue
        .writer(move |writer| {
            writer.savepoint(|tx| registration.write(tx))?;
            writer.commit()
        })
        .await;
    match result {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) | Err(error) => {
            let _ = inner.catalogue.writer(Writer::rollback).await;
            Err(error.to_string())
        }
    }
}

/// Applies a batch again that the providers have and the catalogue could not take.
async fn catch_up(inner: &Inner, object: &BuiltObject, targets: &[TargetId]) -> std::result::Result<(), String> {
    let registration = Registration::of(object, targets);
    let records = object.records.clone();
    let again = move |writer: &mut Writer| -> catalogue::Result<()> {
        writer.begin()?;
        writer.savepoint(|tx| {
            for record in &records {
                replay(tx, record)?;
            }
            registration.write(tx)
        })?;
        writer.commit()
    };
    match inner.catalogue.writer(again).await {
        Ok(Ok(())) => {
            inner.journal_advanced(&object.header);
            Ok(())
        }
        Ok(Err(error)) | Err(error) => {
            let _ = inner.catalogue.writer(Writer::rollback).await;
            Err(error.to_string())
        }
    }
}

/// Where the chain of journal objects stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChainState {
    pub epoch: u64,
    pub seq: u64,
    pub prev: ObjectId,
    /// Raised at each start: the upper half of the stamp.
    pub start: u32,
    /// Raised at each object: the lower half.
    pub attempt: u32,
}
