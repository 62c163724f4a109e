//! One file of several uploads, which came side by side.
//!
//! A part is an upload that becomes no file. Each has a key of its own, and the hash of a whole cannot be had from those of its
//! parts: so to join them is to read them back and to take them in once more, as one. It takes as long as that takes, and the
//! parts stay until the whole is a file; whoever asks again, because the answer was lost or a firm was away, begins it anew.

use std::sync::{Arc, PoisonError};

use catalogue::uploads::{self, UploadRow};
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

impl Service {
    /// Joins uploads that are parts, in this order, to one file; they end with it.
    ///
    /// # Errors
    /// [`Error::NoJoining`] for whoever has no account; Missing where one of them is no part of the caller's; Conflict where one
    /// has not come in full; those of [`Service::begin_upload`].
    pub async fn join_uploads(&self, place: impl Into<Place>, begin: Begin, parts: Vec<UploadId>) -> Result<Progress> {
        let place = place.into();
        if !place.may_join() || parts.is_empty() || parts.len() > PARTS_MAX {
            return Err(Error::NoJoining);
        }
        begin.path.split()?;
        if begin.media_type.as_deref().is_some_and(|text| !media::is_media_type(text)) {
            return Err(Error::MediaType);
        }
        let rows = self.parts(&place, &parts).await?;
        let length = rows.iter().fold(0_u64, |sum, row| sum.saturating_add(row.offset));
        let begin = Begin { length: Some(length), ..begin };
        self.check_begin(&place, &begin)?;
        self.has_room(&place, &begin, length).await?;
        let spec = UploadSpec {
            path: begin.path.names().to_vec(),
            length: begin.length,
            metadata: Facts::of(&begin).write(),
            way: place.name(),
        };
        let account = place.account();
        let whole = self.store.begin_upload(account, spec).await?;
        let made = match self.fill(&whole, rows).await {
            Ok(()) => self.upload(place, whole.id).await,
            Err(error) => Err(error),
        };
        if made.is_err() {
            self.store.drop_upload(account, whole.id).await?;
        } else {
            for part in parts {
                self.store.drop_upload(account, part).await?;
            }
        }
        made
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
    async fn fill(&self, whole: &UploadRow, parts: Vec<UploadRow>) -> Result<()> {
        let mut at = 0;
        for part in parts.into_iter().filter(|part| part.offset > 0) {
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
