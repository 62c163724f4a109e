//! Folders on the way to a name: looked at without following links, made, and made durable.
//!
//! SFTP names a path whole and follows links in it, so every folder above a name is looked at too (`lstat`), all in one
//! flight with the request that they belong to. Between look and use a link can still be put there: by the firm, which holds
//! the bytes anyway, and not from outside.

use super::{
    connection::Connection,
    place::{Lies, Place, split},
    session::{Answer, Asked, Opened, Session},
    wire::{Kind, Request, Status},
};
use crate::{lock, target::Result};

/// Folders that are remembered as durable; shards spread over some hundred.
const DURABLE_FOLDERS_MAX: usize = 1 << 16;

/// A look at a name and at every folder above it, under way.
pub(super) struct Look {
    levels: Vec<(String, Asked)>,
}

impl Look {
    /// Asks what lies at `name`. One round trip.
    pub(super) fn at(place: &Place, session: &Session, name: &str) -> Self {
        let ends = name.match_indices('/').map(|(end, _)| end).chain(std::iter::once(name.len()));
        let level = |end| {
            let name = &name[..end];
            (name.to_owned(), session.ask(Request::lstat(&place.path(name))))
        };
        Self { levels: ends.map(level).collect() }
    }

    /// What lies there.
    ///
    /// # Errors
    /// [`NotAnObject`](crate::Error::NotAnObject) where a folder above it is a link.
    pub(super) async fn found(self, place: &Place, session: &Session) -> Result<Lies> {
        let last = self.levels.len() - 1;
        let mut found = Lies::Nothing;
        for (level, (name, asked)) in self.levels.into_iter().enumerate() {
            found = look(place, session, asked).await?;
            match found {
                Lies::Other("a folder") if level < last => {}
                Lies::Other(what) if level < last => return Err(place.not_an_object(&name, what)),
                // Nothing lies below a file or below nothing.
                Lies::Nothing | Lies::Object(_) if level < last => return Ok(Lies::Nothing),
                _ => {}
            }
        }
        Ok(found)
    }

    /// Makes the folder that was looked at, and those above it, where they are missing. On return its name survives a power
    /// cut, if that can be had at this server at all.
    ///
    /// A folder that is found is not yet one that is durable: another writer may have made it a moment ago, or this service
    /// before it crashed. So each is synced into the one above it once per process.
    pub(super) async fn made(self, place: &Place, connection: &Connection, session: &Session) -> Result<()> {
        for (name, asked) in self.levels {
            let mut lies = look(place, session, asked).await?;
            if lies == Lies::Nothing {
                lock(&place.durable).remove(&name);
                let path = place.path(&name);
                let made = session.ask(Request::make_folder(&path)).done().await;
                lies = look(place, session, session.ask(Request::lstat(&path))).await?;
                if let (Err(refusal), Lies::Nothing) = (made, lies) {
                    return Err(place.failed(session, "make a folder", refusal).await);
                }
            }
            match lies {
                Lies::Other("a folder") => {}
                Lies::Other(what) => return Err(place.not_an_object(&name, what)),
                Lies::Object(_) => return Err(place.not_an_object(&name, "not a folder")),
                Lies::Nothing => return Err(place.down("a folder went away as soon as it was made")),
            }
            let syncs = connection.ways.get().is_some_and(|ways| ways.folder_sync);
            if syncs && !lock(&place.durable).contains(&name) {
                sync(place, session, split(&name).0).await?;
                let mut durable = lock(&place.durable);
                if durable.len() >= DURABLE_FOLDERS_MAX {
                    durable.clear();
                }
                durable.insert(name);
            }
        }
        Ok(())
    }
}

/// Waits for a look at one name.
async fn look(place: &Place, session: &Session, asked: Asked) -> Result<Lies> {
    let attributes = match asked.attributes().await {
        Ok(attributes) => attributes,
        Err(refusal) if refusal.is(Status::NO_SUCH_FILE) => return Ok(Lies::Nothing),
        Err(refusal) => return Err(place.failed(session, "stat", refusal).await),
    };
    Ok(match (attributes.kind(), attributes.bytes) {
        (Some(Kind::Folder), _) => Lies::Other("a folder"),
        (Some(Kind::Other(what)), _) => Lies::Other(what),
        (Some(Kind::File) | None, Some(bytes)) => Lies::Object(bytes),
        (Some(Kind::File) | None, None) => Lies::Other("without a length"),
    })
}

/// Makes the names in a folder durable.
///
/// SFTP has no word for this, but where the server opens a folder as if it were a file to read, as OpenSSH on Linux does,
/// `fsync@openssh.com` on it is the `fsync(2)` of a folder.
pub(super) async fn sync(place: &Place, session: &Session, name: &str) -> Result<()> {
    let opening = session.ask(Request::open(&place.path(name)));
    finish_sync(place, session, opening).await
}

/// As [`sync`], of a folder that is being opened.
pub(super) async fn finish_sync(place: &Place, session: &Session, opening: Asked) -> Result<()> {
    let synced = match opening.opened().await {
        Ok(opened) => synced(session, &opened).await,
        Err(refusal) => Err(refusal),
    };
    match synced {
        Ok(()) => Ok(()),
        Err(refusal) => Err(place.failed(session, "sync a folder", refusal).await),
    }
}

async fn synced(session: &Session, opened: &Opened) -> Answer<()> {
    session.ask(Request::fsync(opened.handle())).done().await
}
