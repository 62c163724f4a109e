//! Where a catalogue's closures run: on threads of its own, or on the caller's.

use crate::{
    connection::{Role, make_file, open_file, open_memory},
    error::{Error, Result},
    log::Log,
    migrations::migrate,
    tx::Tx,
    writer::Writer,
};
use rusqlite::{Connection, MAIN_DB};
use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, mpsc},
    thread::{self, JoinHandle, available_parallelism},
};
use tokio::sync::oneshot;

/// The catalogue. Clones are the same catalogue; the last one to go closes it.
#[derive(Clone)]
pub struct Catalogue {
    engine: Arc<Engine>,
}

enum Engine {
    Threads(Threads),
    Inline(Box<Mutex<Inline>>),
}

impl Catalogue {
    /// Opens the database file `path` (by custom called [`crate::FILE_NAME`]), makes it if it is missing, and brings its
    /// schema up to date. Its log lies beside it as `…-wal` and `…-shm`.
    ///
    /// # Errors
    /// Retry if the file cannot be opened, Refused if a newer program wrote it, Damaged if it is not ours.
    pub fn open(path: &Path) -> Result<Self> {
        make_file(path)?;
        let mut conn = open_file(path, Role::Writer)?;
        migrate(&mut conn, Some(path))?;
        let writer = Writer::new(conn, Some(path.to_path_buf()));
        let readers = available_parallelism().map_or(2, std::num::NonZero::get).clamp(2, 4);
        let readers = (0..readers).map(|_| open_file(path, Role::Reader)).collect::<Result<Vec<_>>>()?;
        Ok(Self { engine: Arc::new(Engine::Threads(Threads::start(writer, readers, path)?)) })
    }

    /// Opens an empty database in memory. Everything runs on the thread that polls, at the first poll.
    ///
    /// # Errors
    /// Bug, if this program's schema is wrong.
    pub fn open_inline_memory() -> Result<Self> {
        // The schema takes a hundred statements, and played worlds begin with it by the thousand: it is made once, and copied.
        static FRESH: OnceLock<Vec<u8>> = OnceLock::new();
        let fresh = match FRESH.get() {
            Some(fresh) => fresh,
            None => {
                let mut conn = open_memory(None, Role::Writer)?;
                migrate(&mut conn, None)?;
                let image = conn.serialize(MAIN_DB)?.to_vec();
                FRESH.get_or_init(|| image)
            }
        };
        Self::inline_from_image(fresh)
    }

    /// Opens a database in memory with the content of an image, as after a crash.
    ///
    /// # Errors
    /// Damaged if the image is none.
    pub fn inline_from_image(image: &[u8]) -> Result<Self> {
        let mut conn = open_memory(Some(image), Role::Writer)?;
        migrate(&mut conn, None)?;
        Ok(Self::inline(conn))
    }

    /// The committed content of a catalogue in memory; nothing of an open transaction.
    ///
    /// # Errors
    /// Refused for a catalogue in a file.
    pub fn image(&self) -> Result<Vec<u8>> {
        match &*self.engine {
            Engine::Inline(inline) => Ok(lock(inline).writer.connection().serialize(MAIN_DB)?.to_vec()),
            Engine::Threads(_) => Err(Error::NoImage),
        }
    }

    /// Runs `f` in one read transaction: it sees one committed state, whatever is written meanwhile. Dropping the future
    /// before the work has begun cancels it.
    ///
    /// # Errors
    /// What `f` returns; Retry once the catalogue is closed.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match &*self.engine {
            Engine::Inline(inline) => lock(inline).read(f),
            Engine::Threads(threads) => {
                let (answer, answered) = oneshot::channel();
                threads.reads.put(Box::new(move |conn| {
                    if !answer.is_closed() {
                        let _ = answer.send(read(conn, "COMMIT", f));
                    }
                }))?;
                answered.await.map_err(|_| Error::Panicked)?
            }
        }
    }

    /// Runs `f` with the writer. One at a time, in the order of the calls; work that was sent runs even if the future is
    /// dropped.
    ///
    /// # Errors
    /// Retry once the catalogue is closed; Bug if `f` panicked (its transaction is rolled back).
    pub async fn writer<T: Send + 'static>(&self, f: impl FnOnce(&mut Writer) -> T + Send + 'static) -> Result<T> {
        match &*self.engine {
            Engine::Inline(inline) => Ok(f(&mut lock(inline).writer)),
            Engine::Threads(threads) => {
                let (answer, answered) = oneshot::channel();
                threads.writes.put(Box::new(move |writer| {
                    let _ = answer.send(f(writer));
                }))?;
                answered.await.map_err(|_| Error::Panicked)
            }
        }
    }

    /// Makes everything durable that was committed before this call. Many may wait at once: one sync serves them all.
    ///
    /// # Errors
    /// Retry if the disk failed: what was committed is still seen, but a power cut may take it; later commits and syncs
    /// may succeed without a restart. Retry once the catalogue is closed.
    pub async fn sync(&self) -> Result<()> {
        match &*self.engine {
            Engine::Inline(_) => Ok(()),
            Engine::Threads(threads) => {
                let (answer, answered) = oneshot::channel();
                threads.syncs.put(answer)?;
                answered.await.map_err(|_| Error::Panicked)?
            }
        }
    }

    fn inline(conn: Connection) -> Self {
        let inline = Inline { writer: Writer::new(conn, None), committed: None };
        Self { engine: Arc::new(Engine::Inline(Box::new(Mutex::new(inline)))) }
    }
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Catalogue")
    }
}

/// Runs `f` in a read transaction on `conn` and ends it by `end`: COMMIT on a connection that can only read, because
/// ROLLBACK would also empty its cache of pages; ROLLBACK where nothing else keeps `f` from changing something.
fn read<T>(conn: &Connection, end: &str, f: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    conn.prepare_cached("BEGIN")?.execute([])?;
    let result = f(&mut Tx::new(conn));
    if !conn.is_autocommit() {
        conn.prepare_cached(end)?.execute([])?;
    }
    result
}

/// A catalogue in memory, on the caller's thread.
struct Inline {
    writer: Writer,
    /// A reader of what was committed, with the number of commits in it; needed while a transaction is open.
    committed: Option<(u64, Connection)>,
}

impl Inline {
    fn read<T>(&mut self, f: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        if !self.writer.is_open() {
            return read(self.writer.connection(), "ROLLBACK", f);
        }
        let commits = self.writer.commits();
        let conn = match self.committed.take() {
            Some((of, conn)) if of == commits => conn,
            _ => open_memory(Some(&self.writer.connection().serialize(MAIN_DB)?), Role::Reader)?,
        };
        let result = read(&conn, "COMMIT", f);
        self.committed = Some((commits, conn));
        result
    }
}

/// Locks, also after a panic: what is behind our locks is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type ReadJob = Box<dyn FnOnce(&mut Connection) + Send>;
type WriteJob = Box<dyn FnOnce(&mut Writer) + Send>;
type SyncJob = oneshot::Sender<Result<()>>;

/// A catalogue in a file: one thread that writes, one that syncs, a few that read.
struct Threads {
    reads: Arc<Queue<ReadJob>>,
    writes: Arc<Queue<WriteJob>>,
    syncs: Arc<Queue<SyncJob>>,
    readers: Vec<JoinHandle<()>>,
    syncer: Option<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
}

impl Threads {
    fn start(writer: Writer, readers: Vec<Connection>, path: &Path) -> Result<Self> {
        let failed = |source| Error::Open { path: path.display().to_string(), source };
        let mut threads = Self {
            reads: Arc::default(),
            writes: Arc::default(),
            syncs: Arc::default(),
            readers: Vec::new(),
            syncer: None,
            writer: None,
        };
        for conn in readers {
            let queue = Arc::clone(&threads.reads);
            let thread = thread::Builder::new().name("catalogue-read".into());
            threads.readers.push(thread.spawn(move || run_reader(conn, &queue)).map_err(failed)?);
        }
        let queue = Arc::clone(&threads.writes);
        let thread = thread::Builder::new().name("catalogue-write".into());
        threads.writer = Some(thread.spawn(move || run_writer(writer, &queue)).map_err(failed)?);
        let (queue, writes, log) = (Arc::clone(&threads.syncs), Arc::clone(&threads.writes), Log::of(path));
        let thread = thread::Builder::new().name("catalogue-sync".into());
        threads.syncer = Some(thread.spawn(move || run_syncer(log, &queue, &writes)).map_err(failed)?);
        Ok(threads)
    }
}

impl Drop for Threads {
    /// Ends the readers first: the writer's last checkpoint needs the log to itself.
    fn drop(&mut self) {
        self.reads.close();
        self.readers.drain(..).for_each(join);
        self.syncs.close();
        self.syncer.take().into_iter().for_each(join);
        self.writes.close();
        self.writer.take().into_iter().for_each(join);
    }
}

/// Waits for a thread, unless it is the one that dropped the last clone of the catalogue.
fn join(thread: JoinHandle<()>) {
    if thread.thread().id() != thread::current().id() {
        let _ = thread.join();
    }
}

fn run_reader(mut conn: Connection, queue: &Queue<ReadJob>) {
    while let Some(job) = queue.take() {
        if catch_unwind(AssertUnwindSafe(|| job(&mut conn))).is_err() && !conn.is_autocommit() {
            let _ = conn.execute_batch("ROLLBACK");
        }
    }
}

fn run_writer(mut writer: Writer, queue: &Queue<WriteJob>) {
    while let Some(job) = queue.take() {
        if catch_unwind(AssertUnwindSafe(|| job(&mut writer))).is_err() {
            writer.rollback();
        }
        writer.idle();
    }
    writer.close();
}

/// Syncs the log for all who wait, again and again.
fn run_syncer(mut log: Log, queue: &Queue<SyncJob>, writes: &Queue<WriteJob>) {
    let rewrite = || {
        let (answer, answered) = mpsc::channel();
        writes.put(Box::new(move |writer| drop(answer.send(writer.write_log_anew()))))?;
        answered.recv().map_err(|_| Error::Closed)?
    };
    while let Some(first) = queue.take() {
        // Whoever joins from here on may have committed after this sync began.
        let others = queue.take_rest();
        let result = log.sync(rewrite);
        for waiting in std::iter::once(first).chain(others) {
            let _ = waiting.send(match &result {
                Ok(()) => Ok(()),
                Err(error) => Err(error.again()),
            });
        }
    }
}

/// Jobs on their way to threads: each job wakes one thread.
struct Queue<J> {
    waiting: Mutex<Waiting<J>>,
    more: Condvar,
}

struct Waiting<J> {
    jobs: VecDeque<J>,
    closed: bool,
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self { waiting: Mutex::new(Waiting { jobs: VecDeque::new(), closed: false }), more: Condvar::new() }
    }
}

impl<J> Queue<J> {
    fn put(&self, job: J) -> Result<()> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Err(Error::Closed);
        }
        waiting.jobs.push_back(job);
        drop(waiting);
        self.more.notify_one();
        Ok(())
    }

    /// The oldest job, as soon as there is one; `None` once the queue is closed and empty.
    fn take(&self) -> Option<J> {
        let mut waiting = lock(&self.waiting);
        loop {
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// All jobs that wait now.
    fn take_rest(&self) -> VecDeque<J> {
        std::mem::take(&mut lock(&self.waiting).jobs)
    }

    fn close(&self) {
        lock(&self.waiting).closed = true;
        self.more.notify_all();
    }
}
