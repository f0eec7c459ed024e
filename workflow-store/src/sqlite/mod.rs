//! Runs in one SQLite file.
//!
//! `open` is about the file, `work` about the threads; `claim`, `append`, `inbox`, `list` and `keep` are what is asked
//! for, as functions on a connection; `row` is how it is written.

mod append;
mod claim;
mod failure;
mod inbox;
mod keep;
mod list;
mod open;
mod row;
#[cfg(test)]
mod tests;
mod work;

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;
use workflow_runtime::store::{
    Append, Claim, Claimed, Created, Cursor, Due, Filter, Fork, Interest, Json, Lease, Message, MessageId,
    NewMessage, NewRun, Notices, Put, Record, Refusal, Renewed, Retention, RunDetails, RunPage, Store,
    StoreError, StoreFuture, StoredEvent, Verdict, Watch,
};
use workflow_runtime::{RunId, Time};

use failure::Outcome;
use open::Place;
use work::{Read, Request, Write, Writer};

/// Keeps runs in one SQLite file, or in memory.
///
/// Several processes may open the same file on the same machine; the file must not lie on a network file system.
/// Beside it, SQLite keeps two more (`-wal`, `-shm`) while it is open.
///
/// All work is done by threads of the store's own. One of them writes, and stores what was asked for while it was busy
/// in one transaction; [`SqliteOptions::readers`] others read, and neither wait for it nor keep it waiting.
///
/// # Closing
/// [`close`](Self::close) waits until everything that was asked for is done. Dropping the store does the same in the
/// background.
///
/// # Other processes
/// Their changes are noticed by looking [now and then](SqliteOptions::poll), own ones at once.
#[derive(Debug)]
pub struct SqliteStore {
    /// `None` once it is closed.
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    writes: Sender<Request>,
    /// `None` for a store in memory, where the one connection reads as well.
    reads: Option<Sender<Read>>,
    notices: Notices,
    /// Ends when the writing thread has.
    done: oneshot::Receiver<()>,
}

/// How a store is opened.
///
/// # Examples
/// ```
/// use workflow_store::{SqliteOptions, Synchronous};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("orders.db");
/// let store = SqliteOptions::new().synchronous(Synchronous::Normal).readers(4).open(path).await?;
/// # store.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a store is opened with them"]
pub struct SqliteOptions {
    synchronous: Synchronous,
    busy_timeout: Duration,
    poll: Duration,
    readers: usize,
    upgrade: bool,
    most_pages: Option<u32>,
}

/// What "stored" means when the machine fails, not only the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// On disk: what was acknowledged survives a power failure. Each transaction waits for the disk. This is the
    /// default, because the effects of a step can be seen outside as soon as it is stored.
    #[default]
    Full,
    /// Handed to the operating system: what was acknowledged survives the end of the process, however it ends. A power
    /// failure may take the last transactions; the file stays sound. Several times as fast where disks are slow.
    Normal,
}

impl SqliteOptions {
    /// The defaults: each transaction on disk, locks of others waited for up to 5 s, changes by others noticed within
    /// 100 ms, two reading threads, older files upgraded.
    pub fn new() -> Self {
        Self {
            synchronous: Synchronous::Full,
            busy_timeout: Duration::from_secs(5),
            poll: Duration::from_millis(100),
            readers: 2,
            upgrade: true,
            most_pages: None,
        }
    }

    /// What "stored" means.
    pub fn synchronous(self, synchronous: Synchronous) -> Self {
        Self { synchronous, ..self }
    }

    /// How long to wait for another process that writes, before that is [`StoreError::Busy`].
    pub fn busy_timeout(self, busy_timeout: Duration) -> Self {
        Self { busy_timeout, ..self }
    }

    /// How often to look for what other processes have changed. It costs a few microseconds each time.
    pub fn poll(self, poll: Duration) -> Self {
        Self { poll, ..self }
    }

    /// How many threads read; at least one does.
    pub fn readers(self, readers: usize) -> Self {
        Self { readers, ..self }
    }

    /// Whether a file of an older version is upgraded, after which older versions cannot open it any more. Otherwise it
    /// is refused as [`StoreError::OlderSchema`].
    pub fn upgrade(self, upgrade: bool) -> Self {
        Self { upgrade, ..self }
    }

    /// How large the file may become, in pages of 4 KiB. Where there is no room for more, that is
    /// [`StoreError::Full`].
    pub fn most_pages(self, pages: u32) -> Self {
        Self { most_pages: Some(pages), ..self }
    }

    /// Opens the store in a file, which is created unless it exists.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`] for a file of another program; [`StoreError::NewerSchema`] and
    /// [`StoreError::OlderSchema`]; [`StoreError::Io`] if it cannot be opened or created.
    ///
    /// # Cancel safety
    /// If the future is dropped, the store is opened and closed in the background.
    pub async fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        self.start(Place::file(path.as_ref())).await
    }

    /// A new store in memory. It is gone when it is closed, and nobody else can see it.
    ///
    /// # Errors
    /// Only if the machine gives no more threads or memory.
    pub async fn in_memory(self) -> Result<SqliteStore, StoreError> {
        self.start(Place::Memory).await
    }

    async fn start(self, place: Place) -> Result<SqliteStore, StoreError> {
        let (opened, answer) = oneshot::channel();
        let (ended, done) = oneshot::channel();
        let (writes, requests) = channel();
        let notices = Notices::new();
        let told = notices.clone();
        thread("workflow-store-write", move || {
            let start = || -> Outcome<_> {
                let db = open::writer(&place, &self)?;
                let (reads, readers) = match place {
                    Place::Memory => (None, Vec::new()),
                    Place::File(_) => {
                        let (reads, readers) = readers(&place, &self)?;
                        (Some(reads), readers)
                    }
                };
                Ok((db, reads, readers))
            };
            match start() {
                Err(failure) => drop(opened.send(Err(StoreError::from(failure)))),
                Ok((db, reads, readers)) => {
                    let poll = reads.is_some().then_some(self.poll);
                    drop(opened.send(Ok(reads)));
                    let writer = Writer { db, notices: told, poll };
                    writer.work_all(&requests);
                    // They end when nobody can ask them any more. A panic of theirs has been told to whoever asked.
                    readers.into_iter().for_each(|reader| drop(reader.join()));
                    // The last connection to close tidies the file up.
                    drop(writer);
                    // Nobody may be waiting.
                    ended.send(()).ok();
                }
            }
        })?;
        let reads = answer.await.unwrap_or(Err(StoreError::Closed))?;
        Ok(SqliteStore { open: Mutex::new(Some(Open { writes, reads, notices, done })) })
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self::new()
    }
}

fn readers(place: &Place, options: &SqliteOptions) -> Outcome<(Sender<Read>, Vec<JoinHandle<()>>)> {
    let (reads, requests) = channel();
    let requests = Arc::new(Mutex::new(requests));
    let mut readers = Vec::new();
    for _ in 0..options.readers.max(1) {
        let db = open::reader(place, options)?;
        let requests = Arc::clone(&requests);
        readers.push(thread("workflow-store-read", move || work::read_all(&db, &requests))?);
    }
    Ok((reads, readers))
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    started.map_err(|error| StoreError::Io { source: Arc::new(error) })
}

impl SqliteStore {
    /// Opens the store in a file with the [default options](SqliteOptions::new). It is created unless it exists.
    ///
    /// # Errors
    /// As [`SqliteOptions::open`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        SqliteOptions::new().open(path).await
    }

    /// A new store in memory.
    ///
    /// # Errors
    /// As [`SqliteOptions::in_memory`].
    pub async fn in_memory() -> Result<Self, StoreError> {
        SqliteOptions::new().in_memory().await
    }

    /// Takes no more requests, and returns when those that were taken are done and the file is closed.
    ///
    /// # Errors
    /// [`StoreError::Closed`] if it was closed before.
    ///
    /// # Cancel safety
    /// It is closed in any case; if the future is dropped, in the background.
    pub async fn close(&self) -> Result<(), StoreError> {
        let Open { done, .. } = self.state().take().ok_or(StoreError::Closed)?;
        done.await.map_err(|_| StoreError::Closed)
    }

    fn state(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Write<'_>) -> Outcome<T> + Send + 'static,
    {
        let (job, answer) = work::job(work);
        let sent = self.state().as_ref().is_some_and(|open| open.writes.send(Request::Write(job)).is_ok());
        if sent { answer.await.unwrap_or(Err(StoreError::Closed)) } else { Err(StoreError::Closed) }
    }

    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    {
        let (read, answer) = work::read(work);
        let sent = self.state().as_ref().is_some_and(|open| match &open.reads {
            Some(reads) => reads.send(read).is_ok(),
            None => open.writes.send(Request::Read(read)).is_ok(),
        });
        if sent { answer.await.unwrap_or(Err(StoreError::Closed)) } else { Err(StoreError::Closed) }
    }

    async fn load(&self, run: workflow_runtime::store::StoredRun) -> Claimed {
        let id = run.run.clone();
        let history = self.read(move |db| claim::history(db, &id)).await;
        Claimed { run, history }
    }
}

impl Store for SqliteStore {
    fn create(&self, run: NewRun) -> StoreFuture<'_, Created> {
        Box::pin(self.write(move |write| keep::create(write, &run)))
    }

    fn put_graph<'a>(&'a self, fingerprint: &'a str, graph: Json) -> StoreFuture<'a, ()> {
        let fingerprint = fingerprint.to_owned();
        Box::pin(self.write(move |write| keep::put_graph(write.db, &fingerprint, &graph)))
    }

    fn graph<'a>(&'a self, fingerprint: &'a str) -> StoreFuture<'a, Option<Json>> {
        let fingerprint = fingerprint.to_owned();
        Box::pin(self.read(move |db| keep::graph(db, &fingerprint)))
    }

    fn claim<'a>(&'a self, run: &'a RunId, lease: Lease, now: Time) -> StoreFuture<'a, Claim> {
        let run = run.clone();
        Box::pin(async move {
            match self.write(move |write| claim::one(write, &run, &lease, now)).await? {
                claim::Won::Run(run) => Ok(Claim::Claimed(Box::new(self.load(*run).await))),
                claim::Won::Held(lease) => Ok(Claim::Held(lease)),
            }
        })
    }

    fn claim_due<'a>(
        &'a self,
        workflows: &'a [&'a str],
        most: usize,
        lease: Lease,
        now: Time,
    ) -> StoreFuture<'a, Vec<Claimed>> {
        let workflows = owned(workflows);
        Box::pin(async move {
            let runs = self.write(move |write| claim::due(write, &workflows, most, &lease, now)).await?;
            let mut claimed = Vec::with_capacity(runs.len());
            for run in runs {
                claimed.push(self.load(run).await);
            }
            Ok(claimed)
        })
    }

    fn next_due<'a>(&'a self, workflows: &'a [&'a str]) -> StoreFuture<'a, Option<Time>> {
        let workflows = owned(workflows);
        Box::pin(self.read(move |db| claim::next_due(db, &workflows)))
    }

    fn renew<'a>(&'a self, lease: Lease, held: &'a [(RunId, u64)]) -> StoreFuture<'a, Renewed> {
        let held = held.to_vec();
        Box::pin(self.write(move |write| claim::renew(write.db, &lease, &held)))
    }

    fn release<'a>(&'a self, run: &'a RunId, epoch: u64, due: Option<Due>) -> StoreFuture<'a, bool> {
        let run = run.clone();
        Box::pin(self.write(move |write| claim::release(write, &run, epoch, due)))
    }

    fn leave<'a>(&'a self, owner: &'a str) -> StoreFuture<'a, u64> {
        let owner = owner.to_owned();
        Box::pin(self.write(move |write| claim::leave(write, &owner)))
    }

    fn append(&self, batch: Vec<Append>) -> StoreFuture<'_, Vec<Result<(), Refusal>>> {
        Box::pin(self.write(move |write| append::batch(write, &batch)))
    }

    fn put(&self, message: NewMessage) -> StoreFuture<'_, Put> {
        Box::pin(self.write(move |write| inbox::put(write, &message)))
    }

    fn verdict<'a>(&'a self, run: &'a RunId, message: MessageId) -> StoreFuture<'a, Verdict> {
        let run = run.clone();
        Box::pin(self.read(move |db| inbox::verdict(db, &run, message)))
    }

    fn inbox<'a>(&'a self, owner: &'a str, limit: usize) -> StoreFuture<'a, Vec<Message>> {
        let owner = owner.to_owned();
        Box::pin(self.read(move |db| inbox::of_owner(db, &owner, limit)))
    }

    fn records<'a>(&'a self, run: &'a RunId, after: u64, limit: usize) -> StoreFuture<'a, Vec<Record>> {
        let run = run.clone();
        Box::pin(self.read(move |db| row::records(db, &run, row::seq(db, &run)?, after, row::limit(limit))))
    }

    fn events<'a>(&'a self, run: &'a RunId, after: u64, limit: usize) -> StoreFuture<'a, Vec<StoredEvent>> {
        let run = run.clone();
        Box::pin(self.read(move |db| list::events(db, &run, after, limit)))
    }

    fn list<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> StoreFuture<'a, RunPage> {
        let (filter, after) = (filter.clone(), after.cloned());
        Box::pin(self.read(move |db| list::page(db, &filter, after.as_ref(), limit)))
    }

    fn show<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Option<RunDetails>> {
        let run = run.clone();
        Box::pin(self.read(move |db| list::show(db, &run)))
    }

    fn delete<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, bool> {
        let run = run.clone();
        Box::pin(self.write(move |write| keep::delete(write, &run)))
    }

    fn retain<'a>(&'a self, retention: &'a Retention) -> StoreFuture<'a, u64> {
        let retention = retention.clone();
        Box::pin(self.write(move |write| keep::retain(write, &retention)))
    }

    fn fork_after(&self, fork: Fork) -> StoreFuture<'_, ()> {
        Box::pin(self.write(move |write| keep::fork(write, &fork)))
    }

    fn watch(&self, interest: Interest) -> Watch {
        // The notices of a store that is closed are gone, and whoever waits for them learns that.
        let open = self.state();
        open.as_ref().map(|open| open.notices.clone()).unwrap_or_default().watch(interest)
    }
}

fn owned(workflows: &[&str]) -> Vec<String> {
    workflows.iter().map(|workflow| (*workflow).to_owned()).collect()
}
