//! How things are done at one server, found by trying before the first change of each connection: whether a rename refuses
//! a name that is taken, and whether a folder can be synced. What a server is called tells neither.

use super::{
    connection::Connection,
    folders::{self, Look},
    place::{Place, TMP},
    session::{Answer, Refusal, Session},
    wire::{Request, Status},
};
use crate::target::Result;

/// Names of leftovers that are read at most; a server may list for ever.
const LEFTOVERS_MAX: usize = 1 << 16;

/// How a file gets its name without taking the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Publish {
    /// The server refuses to rename to a name that is taken, as OpenSSH does.
    Rename,
    /// It would replace, but refuses to link: a second name, then the first one goes.
    Link,
    /// It refuses nothing, so the driver looks first.
    Look,
}

/// What the trial found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    pub(super) publish: Publish,
    pub(super) folder_sync: bool,
}

/// How [`Place::move_new`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    Done,
    /// The new name is taken.
    Taken,
    /// The file is gone, or the folder of the new name is.
    Gone,
}

impl Place {
    /// Finds out how things are done on this connection, once. The marker is checked first: where it is not the expected one
    /// nothing is made and nothing is tried.
    pub(super) async fn ready(&self, connection: &Connection) -> Result<Ways> {
        let prepare = || async {
            let session = connection.names();
            self.check_change(session).await?;
            Look::at(self, session, TMP).made(self, connection, session).await?;
            self.sweep_once(session).await?;
            let ways = Ways {
                publish: self.try_publish(session).await?,
                folder_sync: session.extensions.fsync && folders::sync(self, session, "").await.is_ok(),
            };
            self.learn(ways);
            Ok(ways)
        };
        connection.ways.get_or_try_init(prepare).await.copied()
    }

    /// Removes what an earlier life left in `tmp/`, once and before the first file of this one is made. Returns how many.
    pub(super) async fn sweep_once(&self, session: &Session) -> Result<u64> {
        let mut swept = self.swept.lock().await;
        if *swept {
            return Ok(0);
        }
        let removed = match self.sweep(session).await {
            Ok(removed) => removed,
            Err(refusal) => return Err(self.failed(session, "sweep tmp", refusal).await),
        };
        *swept = true;
        Ok(removed)
    }

    async fn sweep(&self, session: &Session) -> Answer<u64> {
        let folder = session.ask(Request::open_folder(&self.path(TMP))).opened().await?;
        let mut names = Vec::new();
        loop {
            match session.ask(Request::read_folder(folder.handle())).names().await {
                Ok(entries) if !entries.is_empty() && names.len() < LEFTOVERS_MAX => names.extend(entries),
                Ok(_) => break,
                Err(refusal) if refusal.is(Status::EOF) => break,
                Err(refusal) => return Err(refusal),
            }
        }
        let ours = names.iter().filter_map(|entry| std::str::from_utf8(&entry.name).ok());
        let ours = ours.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'));
        let removals: Vec<_> =
            ours.map(|name| session.ask(Request::remove(&self.path(&format!("{TMP}/{name}"))))).collect();
        let mut removed = 0;
        for removal in removals {
            match removal.done().await {
                Ok(()) => removed += 1,
                // A folder, or another's: left for a person to look at.
                Err(Refusal::Status(_)) => {}
                Err(broken) => return Err(broken),
            }
        }
        Ok(removed)
    }

    /// Tries with empty files in `tmp/` which way of naming refuses a name that is taken.
    async fn try_publish(&self, session: &Session) -> Result<Publish> {
        let [taken, new, free] = std::array::from_fn(|_| self.path(&self.tmp_name()));
        let tried = async {
            touch(session, &taken).await?;
            touch(session, &new).await?;
            if refused(session.ask(Request::rename(&new, &taken)).done().await)? {
                // Refused because it is taken, and not for another reason: to a free name it works.
                session.ask(Request::rename(&new, &free)).done().await?;
                return Ok(Publish::Rename);
            }
            if !session.extensions.hardlink {
                return Ok(Publish::Look);
            }
            touch(session, &new).await?;
            let refuses = refused(session.ask(Request::hardlink(&new, &taken)).done().await)?;
            let links = !refused(session.ask(Request::hardlink(&new, &free)).done().await)?;
            Ok(if refuses && links { Publish::Link } else { Publish::Look })
        };
        let tried: Answer<Publish> = tried.await;
        for name in [&taken, &new, &free] {
            session.tell(Request::remove(name));
        }
        match tried {
            Ok(publish) => Ok(publish),
            Err(refusal) => Err(self.failed(session, "create", refusal).await),
        }
    }

    /// Moves a file to a name that must be free. Both are names below the root.
    pub(super) async fn move_new(
        &self,
        connection: &Connection,
        session: &Session,
        from: &str,
        to: &str,
    ) -> Result<Moved> {
        let (from_path, to_path) = (self.path(from), self.path(to));
        let publish = self.ready(connection).await?.publish;
        let answer = match publish {
            Publish::Rename => session.ask(Request::rename(&from_path, &to_path)).done().await,
            Publish::Link => {
                let linked = session.ask(Request::hardlink(&from_path, &to_path)).done().await;
                if linked.is_ok() {
                    // The object is there; a first name that stays is swept with the other leftovers.
                    let _ = session.ask(Request::remove(&from_path)).done().await;
                }
                linked
            }
            Publish::Look => {
                let _turn = self.turn(to).await;
                if self.is_taken(session, &to_path).await? {
                    return Ok(Moved::Taken);
                }
                session.ask(Request::rename(&from_path, &to_path)).done().await
            }
        };
        match answer {
            Ok(()) => Ok(Moved::Done),
            Err(refusal) if refusal.is(Status::NO_SUCH_FILE) => Ok(Moved::Gone),
            // Version 3 has no code for a name that is taken.
            Err(refusal @ Refusal::Status(_)) if self.is_taken(session, &to_path).await? => {
                drop(refusal);
                Ok(Moved::Taken)
            }
            Err(refusal) => Err(self.failed(session, "rename", refusal).await),
        }
    }

    async fn is_taken(&self, session: &Session, path: &str) -> Result<bool> {
        match session.ask(Request::lstat(path)).attributes().await {
            Ok(_) => Ok(true),
            Err(refusal) if refusal.is(Status::NO_SUCH_FILE) => Ok(false),
            Err(refusal) => Err(self.failed(session, "stat", refusal).await),
        }
    }
}

/// Makes an empty file.
async fn touch(session: &Session, path: &str) -> Answer<()> {
    let opened = session.ask(Request::create(path)).opened().await?;
    opened.close(session).done().await
}

/// Whether the server said no, as opposed to falling silent.
fn refused(answer: Answer<()>) -> Answer<bool> {
    match answer {
        Ok(()) => Ok(false),
        Err(Refusal::Status(_)) => Ok(true),
        Err(broken) => Err(broken),
    }
}
