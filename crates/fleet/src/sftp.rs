//! The driver for a folder at a server that is reached over SSH: rented machines, storage boxes, a friend's computer.
//!
//! ```text
//! <root>/holdfast-target      the marker
//! <root>/<name of object>     slashes in the name are folders
//! <root>/tmp/<n>-<process>    half-written files, swept before the first write of a new process
//! <root>/aside/<name>-<n>     bad objects, for a person to look at
//! ```
//!
//! The operator makes the root; a missing one is down. One process at a time writes to it.
//!
//! **Durable** is what the server can be made to do. A file is synced before it gets its name where `fsync@openssh.com` is
//! offered. The name itself is synced too where the server opens a folder like a file, as OpenSSH on Linux does: tried once
//! per connection, and promised by `abilities` (`durable_rename`) only then. A server without either answers from memory, and
//! a power cut there may take what it said was written.
//!
//! **The marker** is checked before the first change of each connection: until then nothing is made, not even `tmp/`. Later
//! changes read it anew beside their first requests, which costs no further round trip, and are refused before an object
//! gets its name or loses it; what such a change may leave under a foreign marker is, for a moment, a file in `tmp/`.
//!
//! **Links** are not followed: every folder above a name is looked at beside the request itself. What this cannot see is a
//! pipe in an object's place, which hangs the server's own SFTP until the request is given up.
//!
//! - `settings` is what is known of a server, `line` the way to it, `connection` one SSH connection (host key, login,
//!   channels), `session` one SFTP channel with many requests under way, `wire` its bytes.
//! - `place` does the checks and says what a refusal means, `folders` looks and makes on the way to a name, `trial` finds how
//!   the server names files, `incoming` is a file on its way in, `reading` a range on its way out, `listing` the sorted walk.

mod connection;
mod folders;
mod incoming;
mod line;
mod listing;
mod place;
mod reading;
mod session;
mod settings;
mod trial;
mod wire;

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use model::world::Timer;

pub use self::settings::{BadSetting, HostKey, SftpAddress, SftpLogin, SftpTimes};
use self::{
    connection::{Called, Connection},
    folders::Look,
    incoming::Incoming,
    line::Line,
    listing::Walk,
    place::{ASIDE, Lies, MARKER, Place, TMP},
    trial::Moved,
    wire::{Request, Status},
};
use crate::{
    lock, marker,
    target::{Abilities, DeleteTicket, ObjectName, ObjectWriter, Page, Probe, Result, Target, folders_above},
};

/// A folder at an SFTP server as a target.
pub struct Sftp {
    place: Arc<Place>,
}

impl Sftp {
    /// Names the server and the folder. Nothing is connected to before the first use; a connection that breaks is made anew
    /// by the next call.
    pub fn new(
        address: SftpAddress,
        login: SftpLogin,
        host_key: HostKey,
        times: SftpTimes,
        timer: Arc<dyn Timer>,
    ) -> Self {
        let called = Called { address, login: login.0, host_key, times, timer };
        Self { place: Arc::new(Place::new(Line::new(called))) }
    }

    /// Removes half-written files of an earlier process and returns how many; the first write does the same by itself.
    ///
    /// # Errors
    /// [`Error::Down`](crate::Error::Down) as for every change, [`Error::Io`](crate::Error::Io).
    pub async fn sweep_tmp(&self) -> Result<u64> {
        let connection = self.place.connection().await?;
        let session = connection.names();
        self.place.check_change(session).await?;
        Look::at(&self.place, session, TMP).made(&self.place, &connection, session).await?;
        self.place.sweep_once(session).await
    }

    /// The connection, ready for a change, and the marker checked on it at least once.
    async fn connection_for_change(&self) -> Result<Arc<Connection>> {
        let connection = self.place.connection().await?;
        self.place.ready(&connection).await?;
        Ok(connection)
    }
}

#[async_trait]
impl Target for Sftp {
    fn address(&self) -> &str {
        &self.place.address
    }

    /// What is known by now: free space from the first connection on, the rest from the first change on. Until then it is
    /// promised nothing.
    fn abilities(&self) -> Abilities {
        self.place.abilities()
    }

    async fn probe(&self) -> Result<Probe> {
        let connection = self.place.connection().await?;
        let session = connection.names();
        let (marker, space) = tokio::join!(self.place.marker(session), self.place.space(session));
        Ok(Probe { marker: marker?, free_bytes: space.map(|space| space.free_bytes) })
    }

    fn expect_marker(&self, marker: Option<Bytes>) {
        self.place.expect(marker);
    }

    async fn write_marker(&self, present: Option<&Bytes>, marker: Bytes) -> Result<()> {
        let place = &self.place;
        let connection = place.connection().await?;
        let session = connection.names();
        let _turn = place.marking.lock().await;
        let found = place.marker(session).await?;
        let empty = found.is_some() || Walk::new(place, session, "", None, 1).run().await?.objects.is_empty();
        marker::permits_replacing(&place.address, present, found.as_ref(), empty)?;
        Look::at(place, session, TMP).made(place, &connection, session).await?;
        let mut incoming = Incoming::begin(place, &connection).await?;
        incoming.append(marker.clone()).await?;
        incoming.publish_marker(found.is_some()).await?;
        place.expect(Some(marker));
        Ok(())
    }

    async fn create(&self, name: &ObjectName, _bytes_hint: u64) -> Result<Box<dyn ObjectWriter>> {
        let place = &self.place;
        let connection = self.connection_for_change().await?;
        let session = connection.names();
        let (checked, lies, incoming) = tokio::join!(
            place.check_change(session),
            Look::at(place, session, name.as_str()).found(place, session),
            Incoming::begin(place, &connection),
        );
        checked?;
        // Told early, before the bytes are sent; the rename decides.
        match lies? {
            Lies::Nothing => {}
            Lies::Object(_) => return Err(place.exists(name)),
            Lies::Other(what) => return Err(place.not_an_object(name.as_str(), what)),
        }
        Ok(Box::new(SftpWriter { place: Arc::clone(place), name: name.clone(), incoming: Some(incoming?) }))
    }

    async fn put(&self, name: &ObjectName, pieces: &[Bytes]) -> Result<()> {
        let connection = self.connection_for_change().await?;
        let mut incoming = Incoming::begin(&self.place, &connection).await?;
        for piece in pieces {
            incoming.append(piece.clone()).await?;
        }
        incoming.publish(name).await
    }

    async fn read(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
        reading::read(&self.place, name, range).await
    }

    async fn stat(&self, name: &ObjectName) -> Result<Option<u64>> {
        let place = &self.place;
        let connection = place.connection().await?;
        let session = connection.names();
        match Look::at(place, session, name.as_str()).found(place, session).await? {
            Lies::Object(bytes) => Ok(Some(bytes)),
            Lies::Nothing => place.check_absence(session).await.map(|()| None),
            Lies::Other(what) => Err(place.not_an_object(name.as_str(), what)),
        }
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectName>, limit: usize) -> Result<Page> {
        let place = &self.place;
        let connection = place.connection().await?;
        let session = connection.names();
        let walk = Walk::new(place, session, prefix, after.map(ObjectName::as_str), limit);
        let (believed, page) = tokio::join!(place.check_absence(session), walk.run());
        believed.and(page)
    }

    /// Moves whatever lies under the name, a link or a device too, but never a folder: others' objects may be in it.
    async fn occupant(&self) -> Result<Option<String>> {
        let connection = self.place.connection().await?;
        Walk::new(&self.place, connection.names(), "", None, 1).occupant().await
    }

    async fn set_aside(&self, name: &ObjectName) -> Result<()> {
        let place = &self.place;
        let connection = self.connection_for_change().await?;
        let session = connection.names();
        let look = Look::at(place, session, name.as_str());
        let (checked, lies) = tokio::join!(place.check_change(session), look.found(place, session));
        checked?;
        match lies? {
            Lies::Nothing => return Err(place.missing(name)),
            Lies::Other("a folder") => return Err(place.not_an_object(name.as_str(), "a folder")),
            Lies::Object(_) | Lies::Other(_) => {}
        }
        let (folder, leaf) = place::split(name.as_str());
        let aside = if folder.is_empty() { ASIDE.to_owned() } else { format!("{ASIDE}/{folder}") };
        Look::at(place, session, &aside).made(place, &connection, session).await?;
        let mut n = 0_u64;
        loop {
            match place.move_new(&connection, session, name.as_str(), &format!("{aside}/{leaf}-{n}")).await? {
                Moved::Done => break,
                Moved::Taken => n += 1,
                Moved::Gone => return Err(place.missing(name)),
            }
        }
        if place.ready(&connection).await?.folder_sync {
            // The new name first: a power cut may show the object twice, never not at all.
            folders::sync(place, session, &aside).await?;
            folders::sync(place, session, folder).await?;
        }
        Ok(())
    }

    /// Removes without a sync: an object that a power cut brings back is one that no record wants, and is reclaimed again.
    async fn delete(&self, ticket: &DeleteTicket) -> Result<()> {
        let (place, name) = (&self.place, ticket.name.as_str());
        let connection = self.connection_for_change().await?;
        let session = connection.names();
        let look = Look::at(place, session, name);
        let (checked, lies) = tokio::join!(place.check_change(session), look.found(place, session));
        checked?;
        match lies? {
            Lies::Object(_) => {}
            Lies::Nothing => return Ok(()),
            Lies::Other(what) => return Err(place.not_an_object(name, what)),
        }
        match session.ask(Request::remove(&place.path(name))).done().await {
            Ok(()) => Ok(()),
            Err(refusal) if refusal.is(Status::NO_SUCH_FILE) => Ok(()),
            Err(refusal) => Err(place.failed(session, "delete", refusal).await),
        }
    }

    /// Folders go if the server finds them empty; the marker goes last, so that whoever is cut off may do it again.
    async fn leave(&self, marker: &Bytes, names: &[ObjectName]) -> Result<()> {
        let place = &self.place;
        let connection = self.connection_for_change().await?;
        let session = connection.names();
        let _turn = place.marking.lock().await;
        let first = Walk::new(place, session, "", None, 1).run().await?;
        let found = place.marker(session).await?;
        marker::permits_leaving(&place.address, marker, found.as_ref(), first.objects.first())?;
        lock(&place.durable).clear();
        place.clear_leftovers(session);
        for folder in folders_above(names) {
            let lies = Look::at(place, session, &folder).found(place, session).await?;
            // Version 3 says "failure" of a folder that is not empty, as of much else.
            if lies == Lies::Other("a folder") {
                let _ = session.ask(Request::remove_folder(&place.path(&folder))).done().await;
            }
        }
        place.expect(None);
        match session.ask(Request::remove(&place.path(MARKER))).done().await {
            Ok(()) => Ok(()),
            Err(refusal) => Err(place.failed(session, "leave", refusal).await),
        }
    }
}

struct SftpWriter {
    place: Arc<Place>,
    name: ObjectName,
    /// `None` after an error: the file is removed and nothing more is taken.
    incoming: Option<Incoming>,
}

impl SftpWriter {
    fn take(&mut self) -> Result<Incoming> {
        // An earlier call failed or was dropped halfway.
        self.incoming.take().ok_or_else(|| self.place.abandoned())
    }
}

#[async_trait]
impl ObjectWriter for SftpWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let mut incoming = self.take()?;
        incoming.append(bytes).await?;
        self.incoming = Some(incoming);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<()> {
        self.take()?.publish(&self.name).await
    }
}
