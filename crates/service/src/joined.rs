//! One file of several uploads, which came side by side.
//!
//! A part is an upload that becomes no file. Each has a key of its own, and the hash of a whole cannot be had from those of its
//! parts: so to join them is to read them back and to take them in once more, as one. It takes as long as that takes, and the
//! parts stay until the whole is a file. Whoever asks again because a firm was away begins it anew; while it goes on, is asked to
//! come again; and once it is done, is told so for as long as a part would have waited.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError},
};

use catalogue::{
    Tx,
    uploads::{self, UploadRow},
};
use futures_util::TryStreamExt;
use model::{
    entry::Version,
    id::{EntryId, UploadId, VersionId},
};
use store::UploadSpec;

use crate::{
    Service,
    error::{Error, Result},
    limits, media,
    places::Place,
    uploads::{Begin, Facts, Progress, may_be_put},
};

/// The most parts of one file.
const PARTS_MAX: usize = 1_000;

/// The parts that are being joined now, and the wholes that are being made of them.
#[derive(Clone, Default)]
pub(crate) struct Joining(Arc<std::sync::Mutex<HashSet<UploadId>>>);

/// Takes them off the list when it goes.
struct Joins {
    list: Joining,
    uploads: Vec<UploadId>,
}

impl Joining {
    /// Puts uploads on the list.
    fn begin(&self, uploads: &[UploadId]) -> Result<Joins> {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if uploads.iter().any(|upload| list.contains(upload)) {
            return Err(Error::Joining);
        }
        list.extend(uploads);
        Ok(Joins { list: self.clone(), uploads: uploads.to_vec() })
    }

    fn is_made(&self, upload: UploadId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&upload)
    }
}

impl Drop for Joins {
    fn drop(&mut self) {
        let mut list = self.list.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|upload| !self.uploads.contains(upload));
    }
}

/// Under which way it is noted what a part has become: as an upload of its own it is gone.
fn joined_way(way: &str) -> String {
    format!("joined {way}")
}

impl Service {
    /// Joins uploads that are parts, in this order, to one file; they end with it.
    ///
    /// # Errors
    /// [`Error::NoJoining`] for whoever has no account; Missing where one of them is no part of the caller's; Conflict where one
    /// has not come in full; those of [`Service::begin_upload`].
    pub async fn join_uploads(&self, place: impl Into<Place>, begin: Begin, parts: Vec<UploadId>) -> Result<Progress> {
        let place = place.into();
        let different: HashSet<UploadId> = parts.iter().copied().collect();
        if !place.may_join() || parts.is_empty() || parts.len() > PARTS_MAX || different.len() < parts.len() {
            return Err(Error::NoJoining);
        }
        if let Some(done) = self.joined_before(&place, &parts).await? {
            return Ok(done);
        }
        let _joining = self.joining.begin(&parts)?;
        begin.path.split()?;
        if begin.media_type.as_deref().is_some_and(|text| !media::is_media_type(text)) {
            return Err(Error::MediaType);
        }
        let rows = self.parts(&place, &parts).await?;
        self.drop_half_made(&place).await?;
        let length = rows.iter().fold(0_u64, |sum, row| sum.saturating_add(row.offset));
        let begin = Begin { length: Some(length), ..begin };
        self.check_begin(&place, &begin)?;
        self.has_room(&place, &begin, length).await?;
        let spec = UploadSpec {
            path: begin.path.names().to_vec(),
            length: begin.length,
            metadata: Facts { whole: true, ..Facts::of(&begin) }.write(),
            way: place.name(),
        };
        let account = place.account();
        let whole = self.store.begin_upload(account, spec).await?;
        let _making = self.joining.begin(&[whole.id])?;
        let made = match self.fill(&whole, &rows).await {
            Ok(()) => self.upload(place, whole.id).await,
            Err(error) => Err(error),
        };
        if made.is_err() {
            self.store.drop_upload(account, whole.id).await?;
        }
        let progress = made?;
        // The file is there, whatever comes of this: what is left of its parts goes when their time is over.
        self.end_parts(rows, &progress).await.unwrap_or_default();
        Ok(progress)
    }

    /// Ends parts, and notes of which version they are.
    async fn end_parts(&self, rows: Vec<UploadRow>, whole: &Progress) -> Result<()> {
        for row in &rows {
            self.store.drop_upload(row.account, row.id).await?;
        }
        let Some((made, length)) = whole.made.zip(whole.length) else { return Ok(()) };
        let note = move |tx: &mut Tx<'_>, _: &mut store::Draft| {
            rows.into_iter().try_for_each(|row| {
                let row = UploadRow { way: joined_way(&row.way), offset: length, ..row };
                Ok::<(), Error>(uploads::done(tx, &row, made.version, made.entry)?)
            })
        };
        self.store.commit(note).await
    }

    /// What parts have become that were joined before.
    async fn joined_before(&self, place: &Place, parts: &[UploadId]) -> Result<Option<Progress>> {
        let Some(first) = parts.first().copied() else { return Ok(None) };
        let all = parts.to_vec();
        let (at, account, way) = (self.store.service_time(), place.account(), joined_way(&place.name()));
        let done = self
            .store
            .read(move |tx| {
                all.iter().map(|part| uploads::get_done(tx, account, *part)).collect::<catalogue::Result<Vec<_>>>()
            })
            .await?;
        let mut done = done.into_iter().map(|done| done.filter(|done| done.way == way && done.expires >= at));
        let Some(Some(one)) = done.next() else { return Ok(None) };
        let same = done.all(|other| other.is_some_and(|other| other.version == one.version));
        Ok(same.then(|| Progress::done(first, one)))
    }

    /// Drops wholes whose making the service did not live to see: they would take room for days.
    async fn drop_half_made(&self, place: &Place) -> Result<()> {
        let account = place.account();
        let rows = self.store.read(move |tx| uploads::of_account(tx, account)).await?;
        for row in rows.into_iter().filter(|row| Facts::read(&row.metadata).whole) {
            if !self.joining.is_made(row.id) {
                self.store.drop_upload(account, row.id).await?;
            }
        }
        Ok(())
    }

    /// The rows of parts that have come in full.
    async fn parts(&self, place: &Place, parts: &[UploadId]) -> Result<Vec<UploadRow>> {
        let mut rows = Vec::with_capacity(parts.len());
        for part in parts {
            let row = self.own_upload(place, *part).await?;
            if !Facts::read(&row.metadata).partial {
                return Err(Error::NoUpload { upload: *part });
            }
            if row.length != Some(row.offset) {
                let expected = row.length.unwrap_or(row.offset.saturating_add(1));
                return Err(store::Error::UploadOffset { expected, got: row.offset }.into());
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// Whether the whole fits, for which the parts make room.
    async fn has_room(&self, place: &Place, begin: &Begin, parts: u64) -> Result<()> {
        let (account, now) = (place.account(), self.store.service_time());
        let (asked, path, length) = (place.clone(), begin.path.clone(), begin.length.unwrap_or(0));
        self.look(move |tx| {
            let (top, _) = asked.takes(tx)?;
            limits::admit_file(tx, account, length)?;
            let open = uploads::open_bytes(tx, account, &asked.name(), now)?.saturating_sub(parts);
            limits::admit(tx, account, length.saturating_add(open)).map_err(|error| asked.told(error))?;
            may_be_put(tx, &top, &path)
        })
        .await
    }

    /// Takes the parts' bytes in once more.
    async fn fill(&self, whole: &UploadRow, parts: &[UploadRow]) -> Result<()> {
        let mut at = 0;
        for part in parts.iter().filter(|part| part.offset > 0) {
            let received = self.store.finish_upload(part.account, part.id).await?;
            let version = Version {
                id: VersionId::default(),
                entry: EntryId::default(),
                size: received.size,
                modified_us: 0,
                made_us: 0,
                media_type: String::new(),
                blake3: received.blake3,
                crc32: received.crc32,
                sha256: None,
                key: received.key,
                content: received.content,
                replaced: None,
            };
            let reading = self.store.open_version(part.account, version, 0..received.size).await?;
            // A body that breaks keeps what came, and does not say why.
            let broken = Arc::new(std::sync::Mutex::new(None));
            let told = Arc::clone(&broken);
            let body = reading.map_err(move |error| {
                *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                std::io::Error::other("a part of the file cannot be read")
            });
            let reached = self.store.append(whole.account, whole.id, at, body).await?;
            if let Some(error) = broken.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return Err(error.into());
            }
            at = reached;
        }
        Ok(())
    }
}
