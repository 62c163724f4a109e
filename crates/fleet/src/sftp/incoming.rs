//! A file on its way in: written under `tmp/`, many pieces under way at once, and named only when it is whole and durable.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    connection::Connection,
    folders::{self, Look},
    place::{self, MARKER, Place},
    session::{Asked, Opened, Refusal, Session},
    trial::Moved,
    wire::{Request, Status},
};
use crate::target::{ObjectName, Result};

/// Bytes of one writer that the server has not confirmed yet: 40 MB/s at 50 ms, and what OpenSSH lets a channel send ahead.
pub(super) const WINDOW_BYTES: usize = 2 << 20;

/// A half-written file. Dropping it removes it.
pub(super) struct Incoming {
    place: Arc<Place>,
    connection: Arc<Connection>,
    session: Arc<Session>,
    // Closed before the name is removed: fields drop in this order.
    file: Option<Opened>,
    name: TmpName,
    _turn: OwnedSemaphorePermit,
    written_bytes: u64,
    unconfirmed: VecDeque<(usize, Asked)>,
    unconfirmed_bytes: usize,
}

/// A name under `tmp/` that is removed when it is dropped, unless it moved away.
struct TmpName {
    place: Arc<Place>,
    session: Arc<Session>,
    name: String,
    moved: bool,
}

impl TmpName {
    fn keep(mut self) {
        self.moved = true;
    }
}

impl Drop for TmpName {
    fn drop(&mut self) {
        if self.moved {
            return;
        }
        if self.session.is_over() {
            self.place.leave(std::mem::take(&mut self.name));
        } else {
            // What a connection that breaks now leaves is swept at the next start.
            self.session.tell(Request::remove(&self.place.path(&self.name)));
        }
    }
}

impl Incoming {
    /// Starts a file. One round trip.
    pub(super) async fn begin(place: &Arc<Place>, connection: &Arc<Connection>) -> Result<Self> {
        let session = Arc::clone(connection.writer());
        place.clear_leftovers(&session);
        let turn = Arc::clone(&session.writers).acquire_owned().await.expect("nobody closes this semaphore");
        let mut made_tmp = false;
        let (file, name) = loop {
            let name = place.tmp_name();
            let path = place.path(&name);
            let name = TmpName { place: Arc::clone(place), session: Arc::clone(&session), name, moved: false };
            match session.ask(Request::create(&path)).opened().await {
                Ok(file) => break (file, name),
                Err(refusal) if refusal.is(Status::NO_SUCH_FILE) && !made_tmp => {
                    made_tmp = true;
                    // Perhaps the whole root is gone.
                    place.check_change(connection.names()).await?;
                    Look::at(place, &session, place::TMP).made(place, connection, &session).await?;
                }
                Err(refusal @ Refusal::Status(_)) => {
                    // Another process may have taken this name.
                    let taken = session.ask(Request::lstat(&path)).attributes().await.is_ok();
                    if !taken {
                        return Err(place.failed(&session, "create", refusal).await);
                    }
                    // It is theirs, and stays.
                    name.keep();
                }
                Err(broken) => return Err(place.failed(&session, "create", broken).await),
            }
        };
        Ok(Self {
            place: Arc::clone(place),
            connection: Arc::clone(connection),
            session,
            file: Some(file),
            name,
            _turn: turn,
            written_bytes: 0,
            unconfirmed: VecDeque::new(),
            unconfirmed_bytes: 0,
        })
    }

    /// Sends bytes, none of them copied, and waits only for as much room as they need.
    pub(super) async fn append(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(self.session.write_bytes));
            while self.unconfirmed_bytes + piece.len() > WINDOW_BYTES {
                self.confirm_one().await?;
            }
            let length = piece.len();
            let file = self.file.as_ref().expect("a file is open until it is settled");
            let asked = self.session.ask(Request::write(file.handle(), self.written_bytes, piece));
            self.written_bytes += length as u64;
            self.unconfirmed_bytes += length;
            self.unconfirmed.push_back((length, asked));
        }
        Ok(())
    }

    async fn confirm_one(&mut self) -> Result<()> {
        let Some((length, asked)) = self.unconfirmed.pop_front() else { return Ok(()) };
        self.unconfirmed_bytes -= length;
        match asked.done().await {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.place.failed(&self.session, "write", refusal).await),
        }
    }

    /// Makes the bytes durable where the server can, and closes the file. One round trip, as requests about one file are
    /// worked through in their order. Source: draft-ietf-secsh-filexfer-02, section 6.1.
    async fn settle(&mut self) -> Result<()> {
        let file = self.file.take().expect("a file is settled once");
        let sync = self.session.extensions.fsync.then(|| self.session.ask(Request::fsync(file.handle())));
        let close = file.close(&self.session);
        while !self.unconfirmed.is_empty() {
            self.confirm_one().await?;
        }
        let synced = match sync {
            Some(sync) => sync.done().await.map_err(|refusal| ("sync", refusal)),
            None => Ok(()),
        };
        let settled = match synced {
            Ok(()) => close.done().await.map_err(|refusal| ("close", refusal)),
            failed => failed,
        };
        match settled {
            Ok(()) => Ok(()),
            Err((verb, refusal)) => Err(self.place.failed(&self.session, verb, refusal).await),
        }
    }

    /// Makes the file durable under its name; never takes the place of anything. Four round trips where all is pipelined.
    pub(super) async fn publish(mut self, name: &ObjectName) -> Result<()> {
        let (place, session) = (Arc::clone(&self.place), Arc::clone(&self.session));
        let connection = Arc::clone(&self.connection);
        let (folder, _) = place::split(name.as_str());
        let look = (!folder.is_empty()).then(|| Look::at(&place, &session, folder));
        // The marker is read beside the sync: it may have changed while the bytes came in.
        let (settled, checked) = tokio::join!(self.settle(), place.check_change(connection.names()));
        checked?;
        settled?;
        if let Some(look) = look {
            look.made(&place, &connection, &session).await?;
        }
        let syncs = place.ready(&connection).await?.folder_sync;
        let opening = syncs.then(|| session.ask(Request::open(&place.path(folder))));
        match place.move_new(&connection, &session, &self.name.name, name.as_str()).await? {
            Moved::Done => self.name.moved = true,
            Moved::Taken => return Err(place.exists(name)),
            Moved::Gone => {
                self.name.moved = true;
                return Err(place.down("the half-written file is gone, so the folder was wiped or replaced meanwhile"));
            }
        }
        if let Some(opening) = opening
            && let Err(error) = folders::finish_sync(&place, &session, opening).await
        {
            session.tell(Request::remove(&place.path(name.as_str())));
            return Err(error);
        }
        Ok(())
    }

    /// Makes the file durable and puts it in the marker's place, in one step where the server can.
    pub(super) async fn publish_marker(mut self, present: bool) -> Result<()> {
        self.settle().await?;
        let (place, session) = (Arc::clone(&self.place), Arc::clone(&self.session));
        let (from, to) = (place.path(&self.name.name), place.path(MARKER));
        let moved = if session.extensions.posix_rename {
            session.ask(Request::posix_rename(&from, &to)).done().await
        } else {
            match session.ask(Request::rename(&from, &to)).done().await {
                Err(Refusal::Status(_)) if present => {
                    // The server cannot replace. Between these two steps the target has no marker and is down.
                    match session.ask(Request::remove(&to)).done().await {
                        Ok(()) => session.ask(Request::rename(&from, &to)).done().await,
                        failed => failed,
                    }
                }
                other => other,
            }
        };
        if let Err(refusal) = moved {
            return Err(place.failed(&session, "rename marker", refusal).await);
        }
        self.name.moved = true;
        if session.extensions.fsync {
            // Where a folder cannot be synced, `abilities` does not promise it.
            let _ = folders::sync(&place, &session, "").await;
        }
        Ok(())
    }
}
