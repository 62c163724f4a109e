//! Resumable uploads: begun, appended to as often as it takes, finished by one small commit.
//!
//! The offset counts safe bytes only and never goes back. The last append finishes; if its answer was lost, or the
//! service stopped in between, asking for the offset finishes too. The commit that makes the version ends the upload in
//! the same transaction and requires it to be unexpired there, so that an upload becomes one version or none.

use bytes::Bytes;
use catalogue::uploads::{self, Done, UploadRow};
use futures_util::Stream;
use model::{
    Change, Scope,
    id::{AccountId, UploadId},
    outgoing::EventKind,
    share::ShareRow,
};
use store::UploadSpec;

use crate::{
    Service,
    error::{Error, Result},
    files::{Made, Put, add_version, vacant},
    hooks::{self, Happened},
    limits, media,
    paths::Path,
    places::{Place, Top},
    quick,
    tree::{self, Stamp},
};

/// Files on their way through one link at a time.
const OPEN_BY_LINK_MAX: u64 = 1_000;
/// Uploads of an account at a time that have not said how long they will be.
const DEFERRED_MAX: u64 = 16;
/// The longest upload: what SQLite and JSON both keep exactly.
const LENGTH_MAX: u64 = 1 << 53;
/// The longest words of the protocol that are kept with an upload.
const NOTE_BYTES_MAX: usize = 16 << 10;
/// Names in the path of a file that comes by a link.
const LINK_DEPTH_MAX: usize = 32;

/// What an upload begins with.
#[derive(Clone, Debug, Default)]
pub struct Begin {
    /// Where the file is to be.
    pub path: Path,
    /// Plaintext bytes in all; `None`: said later, when the last of them is sent.
    pub length: Option<u64>,
    /// Modification time in microseconds since 1970; else the time of the finish.
    pub modified_us: Option<i64>,
    /// Media type; else a guess from the name.
    pub media_type: Option<String>,
    /// Words of the protocol that are given back as sent: one line.
    pub note: String,
    /// It is a part of a file, which has no place of its own: [`Service::join_uploads`] makes the file.
    pub partial: bool,
}

/// How far an upload is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Its id.
    pub id: UploadId,
    /// Plaintext bytes that are safe.
    pub offset: u64,
    /// Plaintext bytes in all, once that is known.
    pub length: Option<u64>,
    /// When it ends unless something comes.
    pub expires_us: i64,
    /// Words of the protocol, as sent.
    pub note: String,
    /// Whether it is a part of a file.
    pub partial: bool,
    /// The version that it became, if it is finished now.
    pub made: Option<Made>,
}

impl Progress {
    /// Of an upload that has become a version.
    pub(crate) fn done(id: UploadId, done: Done) -> Self {
        Self {
            id,
            offset: done.length,
            length: Some(done.length),
            expires_us: done.expires_us,
            note: String::new(),
            partial: false,
            made: Some(Made { version: done.version, entry: done.entry, created: false, sha256: None }),
        }
    }
}

impl Service {
    /// Begins an upload. One of no bytes is finished at once.
    ///
    /// # Errors
    /// Refused for a bad name or media type; Conflict where a folder or a file is in the way.
    pub async fn begin_upload(&self, place: impl Into<Place>, begin: Begin) -> Result<Progress> {
        let place = place.into();
        if begin.partial && !place.may_join() {
            return Err(Error::NoJoining);
        }
        if let Some(ticket) = place.ticket() {
            return self.begun_quick(&place, ticket, begin.length).await;
        }
        if !begin.partial {
            begin.path.split()?;
        }
        if begin.media_type.as_deref().is_some_and(|text| !media::is_media_type(text)) {
            return Err(Error::MediaType);
        }
        self.check_begin(&place, &begin)?;
        let (account, path) = (place.account(), begin.path.clone());
        let (length, now, asked) = (begin.length.unwrap_or(0), self.store.service_time(), place.clone());
        let (is_deferred, is_partial) = (begin.length.is_none(), begin.partial);
        self.look(move |tx| {
            let (top, link) = asked.takes(tx)?;
            if let Some(link) = link {
                room_for_one(&link, uploads::open_by(tx, account, &asked.name(), now)?)?;
            }
            limits::admit_file(tx, account, length)?;
            limits::admit(tx, account, length.saturating_add(uploads::open_bytes(tx, account, &asked.name(), now)?))
                .map_err(|error| asked.told(error))?;
            if is_deferred && uploads::open_without_length(tx, account, now)? >= DEFERRED_MAX {
                return Err(Error::RequestBusy);
            }
            // What comes by a link gets a name of its own.
            if asked.code().is_some() || is_partial { Ok(()) } else { may_be_put(tx, &top, &path) }
        })
        .await?;
        let spec = UploadSpec {
            path: begin.path.names().to_vec(),
            length: begin.length,
            metadata: Facts::of(&begin).write(),
            way: place.name(),
        };
        let row = self.store.begin_upload(account, spec).await?;
        // Another may have begun at the same moment: what is open must fit together, or bytes would lie at the firms that no
        // quota counts.
        let way = place.name();
        let fits = self.look(move |tx| limits::admit(tx, account, uploads::open_bytes(tx, account, &way, now)?)).await;
        if let Err(full) = fits {
            self.store.drop_upload(account, row.id).await?;
            return Err(place.told(full));
        }
        self.settle(&place, row).await
    }

    /// How far an upload is; if all of it is there but not yet a file, it is finished first. One that was finished is known for as
    /// long as it would have waited.
    ///
    /// # Errors
    /// Missing if it is unknown or expired.
    pub async fn upload(&self, place: impl Into<Place>, id: UploadId) -> Result<Progress> {
        let place = place.into();
        match self.own_upload(&place, id).await {
            Ok(row) => self.settle(&place, row).await,
            // Its last answer may have been lost: who asks again is told, and need not send all of it once more.
            Err(missing @ Error::NoUpload { .. }) => self.done(&place, id).await?.ok_or(missing),
            Err(error) => Err(error),
        }
    }

    /// What an upload has become that was finished not long ago, by this very way.
    async fn done(&self, place: &Place, id: UploadId) -> Result<Option<Progress>> {
        let (at, account, way) = (self.store.service_time(), place.account(), place.name());
        let done = self.store.read(move |tx| uploads::get_done(tx, account, id)).await?;
        let done = done.filter(|done| done.way == way && done.expires >= at);
        Ok(done.map(|done| Progress::done(id, done)))
    }

    /// Forgets of which uploads nobody will ask any more.
    pub(crate) async fn forget_done(&self) -> Result<()> {
        let now = self.store.service_time();
        if self.store.read(move |tx| uploads::is_any_done_before(tx, now)).await? {
            self.store.commit(move |tx, _| Ok::<_, Error>(uploads::forget_done(tx, now)?)).await?;
        }
        Ok(())
    }

    /// Says how long an upload will be that began without a length, and nothing where none is said.
    ///
    /// # Errors
    /// Missing as in [`Service::append`]; Refused where it has another length; [`Error::Quota`].
    pub async fn set_upload_length(&self, place: impl Into<Place>, id: UploadId, length: Option<u64>) -> Result<()> {
        let (place, Some(length)) = (place.into(), length) else { return Ok(()) };
        let (row, account, now) = (self.own_upload(&place, id).await?, place.account(), self.store.service_time());
        check_length(Some(length))?;
        if row.length.is_none() {
            let (more, way) = (length.saturating_sub(row.offset), place.name());
            let fits = move |tx: &catalogue::Tx<'_>| {
                limits::admit_file(tx, account, length)?;
                limits::admit(tx, account, more.saturating_add(uploads::open_bytes(tx, account, &way, now)?))
            };
            self.look(fits).await.map_err(|error| place.told(error))?;
        }
        Ok(self.store.set_upload_length(account, id, length).await?)
    }

    /// Appends `body`, which goes on at `offset`; the last byte finishes the upload. `announced`: the body's length, if
    /// it is known.
    ///
    /// # Errors
    /// Conflict if the upload does not stand at `offset` or another request takes it over; Refused if it would grow too
    /// long. What came until a broken body broke stays.
    pub async fn append<S>(
        &self,
        place: impl Into<Place>,
        id: UploadId,
        offset: u64,
        body: S,
        announced: Option<u64>,
    ) -> Result<Progress>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
    {
        let place = place.into();
        let row = self.own_upload(&place, id).await?;
        let end = offset.saturating_add(announced.unwrap_or(0));
        if offset != row.offset {
            return Err(store::Error::UploadOffset { expected: row.offset, got: offset }.into());
        }
        if let Some(length) = row.length.filter(|length| end > *length) {
            return Err(Error::UploadTooLong { length, got: end });
        }
        if announced != Some(0) {
            self.append_within(&place, &row, body).await?;
        }
        let row = self.own_upload(&place, id).await?;
        self.settle(&place, row).await
    }

    /// Appends as far as it fits: nobody has said how long an upload without a length will be.
    async fn append_within<S>(&self, place: &Place, row: &UploadRow, body: S) -> Result<()>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
    {
        let (account, now, id) = (place.account(), self.store.service_time(), row.id);
        if row.length.is_some() {
            self.store.append(account, id, row.offset, body).await?;
            return Ok(());
        }
        let (way, had) = (place.name(), row.offset);
        let taker = self.arriving.begin(account, id, had);
        let stand = taker.stand();
        let reached = stand.reached.clone();
        let room = move |tx: &catalogue::Tx<'_>| {
            // What came of those that are under way, and is not safe yet.
            let mut open = uploads::open_bytes(tx, account, &way, now)?;
            for (upload, reached) in reached {
                let safe = uploads::get(tx, account, upload)?.map_or(reached, |row| row.offset);
                open = open.saturating_add(reached.saturating_sub(safe));
            }
            limits::Room::of(tx, account, had, open)
        };
        let room = self.look(room).await?;
        taker.may_take(room.space, &stand);
        let (body, cut) = limits::cut_where(body, room, move |bytes| taker.take(bytes));
        self.store.append(account, id, row.offset, body).await?;
        // What fitted stays; the rest would not.
        self.whole(place, &cut).await
    }

    /// An upload that was begun by this very way.
    pub(crate) async fn own_upload(&self, place: &Place, id: UploadId) -> Result<UploadRow> {
        let (at, account, way) = (self.store.service_time(), place.account(), place.name());
        let row = self.store.read(move |tx| uploads::get(tx, account, id)).await?;
        let row = row.filter(|row| row.way == way).ok_or(Error::NoUpload { upload: id })?;
        if row.expires < at { Err(Error::UploadExpired { upload: id }) } else { Ok(row) }
    }

    /// Where an upload stands; finishes it if it is complete.
    pub(crate) async fn settle(&self, place: &Place, row: UploadRow) -> Result<Progress> {
        let facts = Facts::read(&row.metadata);
        let length = row.length;
        let made = match length == Some(row.offset) && !facts.partial {
            true => Some(self.finish_upload(place, &row, &facts).await?),
            false => None,
        };
        let (offset, expires_us) = (row.offset, row.expires_us);
        Ok(Progress { id: row.id, offset, length, expires_us, note: facts.note, partial: facts.partial, made })
    }

    async fn finish_upload(&self, place: &Place, row: &UploadRow, facts: &Facts) -> Result<Made> {
        let (id, account, place) = (row.id, place.account(), place.clone());
        let path = Path::from_text(&row.path)?;
        let put = Put { modified_us: facts.modified_us, media_type: facts.media_type.clone(), ..Put::default() };
        let received = self.store.finish_upload(account, id).await?;
        let size = received.size;
        let stamp = Stamp::of(&self.store);
        self.store
            .commit(move |tx, draft| {
                let row = uploads::get(tx, account, id)?.ok_or(Error::NoUpload { upload: id })?;
                if row.expires < stamp.at {
                    return Err(Error::UploadExpired { upload: id });
                }
                let (top, link) = place.takes(tx)?;
                let path = match &link {
                    Some(_) => vacant(tx, &top, &path, &stamp)?,
                    None => path,
                };
                let made =
                    add_version(tx, draft, &top, &path, &put, received, &stamp).map_err(|error| place.told(error))?;
                if let Some(link) = link {
                    let what = Happened {
                        kind: EventKind::RequestReceived,
                        path: hooks::path_in(tx, &top, &path)?,
                        size: Some(size),
                        entry: None,
                        version: Some(made.version),
                        share: Some(link.id),
                    };
                    hooks::happened(tx, stamp.store.entropy(), account, stamp.wall_us, &what)?;
                    let downloads = link.downloads.saturating_add(1);
                    draft.change(Scope::Account(account), Change::Share(ShareRow { downloads, ..link }));
                }
                if let Some(ticket) = place.ticket() {
                    quick::show(draft, account, ticket, made.entry, stamp.wall_us);
                }
                draft.end_upload(tx, account, id)?;
                uploads::done(tx, &row, made.version, made.entry)?;
                Ok(made)
            })
            .await
    }
}

impl Service {
    /// Gives an upload up; what came of it is thrown away.
    ///
    /// # Errors
    /// Missing if the caller has no such upload.
    pub async fn end_upload(&self, place: impl Into<Place>, id: UploadId) -> Result<()> {
        let place = place.into();
        let (account, way) = (place.account(), place.name());
        let row = self.store.upload(account, id).await?;
        row.filter(|row| row.way == way).ok_or(Error::NoUpload { upload: id })?;
        Ok(self.store.drop_upload(account, id).await?)
    }
}

/// Refuses lengths that no number here can hold.
fn check_length(length: Option<u64>) -> Result<()> {
    match length {
        Some(length) if length > LENGTH_MAX => Err(Error::UploadTooLong { length: LENGTH_MAX, got: length }),
        _ => Ok(()),
    }
}

impl Service {
    /// Refuses what no upload can be, and what a stranger's may not be: of any length, or deep in folders of its own.
    pub(crate) fn check_begin(&self, place: &Place, begin: &Begin) -> Result<()> {
        check_length(begin.length)?;
        if begin.note.len() > NOTE_BYTES_MAX {
            return Err(Error::LongNote);
        }
        if place.code().is_some() {
            let depth = begin.path.names().len();
            if depth > LINK_DEPTH_MAX {
                return Err(crate::paths::BadPath::Deep { got: depth }.into());
            }
            if begin.length.is_none() {
                return Err(Error::LengthNeeded);
            }
        }
        Ok(())
    }

    /// Whether bytes of an upload may come by this way now; asked before a piece is held to be compared.
    ///
    /// # Errors
    /// Whatever ended the place, or the upload.
    pub async fn may_bring(&self, place: &Place, id: Option<UploadId>) -> Result<()> {
        let asked = place.clone();
        self.look(move |tx| asked.takes(tx).map(drop)).await?;
        match id {
            Some(id) => self.own_upload(place, id).await.map(drop),
            None => Ok(()),
        }
    }

    /// Gives up what came by a way that has ended and is not finished: it would take room that nobody sees.
    pub(crate) async fn drop_uploads_by(&self, account: AccountId, way: String) -> Result<()> {
        let rows = self.store.read(move |tx| uploads::of_account(tx, account)).await?;
        for row in rows.into_iter().filter(|row| row.way == way) {
            self.store.drop_upload(account, row.id).await?;
        }
        Ok(())
    }
}

/// Refuses to put a file where a folder is, or below a file.
pub(crate) fn may_be_put(tx: &catalogue::Tx<'_>, top: &Top, path: &Path) -> Result<()> {
    match tree::at(tx, top, path) {
        Ok(found) => crate::files::file(found.row()?, path).map(drop),
        Err(Error::Missing { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether a link takes one file more beside those on their way.
fn room_for_one(link: &ShareRow, open: u64) -> Result<()> {
    match link.downloads_max {
        Some(max) if link.downloads.saturating_add(open) >= max => Err(Error::RequestFull),
        _ if open >= OPEN_BY_LINK_MAX => Err(Error::RequestBusy),
        _ => Ok(()),
    }
}

impl Place {
    /// What is said here of an error: others learn that there is no room, not how much its owner keeps.
    pub(crate) fn told(&self, error: Error) -> Error {
        match error {
            Error::Quota { .. } if !self.is_own() => Error::NoRoomThere,
            other => other,
        }
    }
}

/// What is kept of an upload's beginning, as one text: modification time and media type (`-`: not given) with a space
/// between, then a line with the protocol's words. Of a part, `partial` and a space stand before it, of what
/// is made of parts `whole`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub modified_us: Option<i64>,
    pub media_type: Option<String>,
    pub note: String,
    pub partial: bool,
    pub whole: bool,
}

const PARTIAL: &str = "partial ";
const WHOLE: &str = "whole ";

impl Facts {
    pub fn of(begin: &Begin) -> Self {
        let (media_type, note) = (begin.media_type.clone(), begin.note.clone());
        Self { modified_us: begin.modified_us, media_type, note, partial: begin.partial, whole: false }
    }

    pub fn write(&self) -> String {
        let kind = match (self.partial, self.whole) {
            (true, _) => PARTIAL,
            (false, true) => WHOLE,
            (false, false) => "",
        };
        let modified = self.modified_us.map_or_else(|| "-".to_owned(), |us| us.to_string());
        format!("{kind}{modified} {}\n{}", self.media_type.as_deref().unwrap_or("-"), self.note)
    }

    pub fn read(text: &str) -> Self {
        let (partial, text) = text.strip_prefix(PARTIAL).map_or((false, text), |rest| (true, rest));
        let (whole, text) = text.strip_prefix(WHOLE).map_or((false, text), |rest| (true, rest));
        let (head, note) = text.split_once('\n').unwrap_or((text, ""));
        let (modified, media_type) = head.split_once(' ').unwrap_or(("-", "-"));
        Self {
            modified_us: modified.parse().ok(),
            media_type: (media_type != "-").then(|| media_type.to_owned()),
            note: note.to_owned(),
            partial,
            whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Facts;

    #[test]
    fn facts_come_back() {
        for facts in [
            Facts { modified_us: None, media_type: None, note: String::new(), partial: false, whole: true },
            Facts {
                modified_us: Some(-1),
                media_type: Some("text/html; charset=utf-8".to_owned()),
                note: "a b,c".to_owned(),
                partial: true,
                whole: false,
            },
        ] {
            assert_eq!(Facts::read(&facts.write()), facts);
        }
    }
}
