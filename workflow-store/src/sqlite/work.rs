//! The threads that do the work, so that async threads never wait for a disk.
//!
//! One thread writes. It takes whatever requests have queued up while it was busy, and stores them in one transaction:
//! the more there is to do, the less each request pays for the disk. A few others read.

use std::cmp::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;
use workflow_runtime::store::{Change, Notices, StoreError};

use super::failure::{Failure, Outcome};
use super::open::{SCHEMA, schema};

/// How many requests share a transaction at most. What comes later waits for the next one.
const MOST: usize = 256;

/// A transaction that others may share.
pub(crate) struct Write<'a> {
    pub(crate) db: &'a Connection,
    /// What is told once it is committed.
    pub(crate) changes: &'a mut Vec<Change>,
}

impl Write<'_> {
    pub(crate) fn tell(&mut self, change: Change) {
        self.changes.push(change);
    }
}

/// Something to be written. It can be done again if the transaction that it shared was rolled back.
pub(crate) trait Job: Send {
    fn work(&mut self, write: &mut Write<'_>) -> Result<(), StoreError>;
    /// Tells who asked for it.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// Something to be read.
pub(crate) type Read = Box<dyn FnOnce(&Connection) + Send>;

/// What the writing thread is asked for.
pub(crate) enum Request {
    Write(Box<dyn Job>),
    /// Of a store in memory, which has one connection only.
    Read(Read),
}

struct Asked<T, F> {
    work: F,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

/// The answer to a request.
pub(crate) type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

pub(crate) fn job<T, F>(work: F) -> (Box<dyn Job>, Answer<T>)
where
    T: Send + 'static,
    F: FnMut(&mut Write<'_>) -> Outcome<T> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Asked { work, result: None, reply }), answer)
}

impl<T: Send, F: FnMut(&mut Write<'_>) -> Outcome<T> + Send> Job for Asked<T, F> {
    fn work(&mut self, write: &mut Write<'_>) -> Result<(), StoreError> {
        let result = (self.work)(write).map_err(StoreError::from);
        match result {
            Err(error) if !is_refusal(&error) => Err(error),
            result => {
                self.result = Some(result);
                Ok(())
            }
        }
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { result, reply, .. } = *self;
        let answer = committed.and_then(|()| result.unwrap_or(Err(StoreError::Closed)));
        // Nobody may be waiting any more.
        drop(reply.send(answer));
    }
}

/// Whether a request asked for what cannot be. Requests find that out before they write anything, so it does not concern
/// those with whom they share a transaction.
fn is_refusal(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::NoSuchRun { .. }
            | StoreError::RunExists { .. }
            | StoreError::NoSuchPosition { .. }
            | StoreError::NoSuchGraph { .. }
    )
}

pub(crate) fn read<T, F>(work: F) -> (Read, Answer<T>)
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Outcome<T> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let read = move |db: &Connection| {
        if !reply.is_closed() {
            drop(reply.send(consistent(db, work).map_err(StoreError::from)));
        }
    };
    (Box::new(read), answer)
}

/// Everything that one request reads is of the same moment.
fn consistent<T>(db: &Connection, work: impl FnOnce(&Connection) -> Outcome<T>) -> Outcome<T> {
    let moment = db.unchecked_transaction()?;
    let result = work(&moment)?;
    moment.commit()?;
    Ok(result)
}

/// Reads until nobody can ask any more.
pub(crate) fn read_all(db: &Connection, requests: &Mutex<Receiver<Read>>) {
    loop {
        let next = requests.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(read) => read(db),
            Err(_) => return,
        }
    }
}

/// The thread that writes.
pub(crate) struct Writer {
    pub(crate) db: Connection,
    pub(crate) notices: Notices,
    /// How often to look for what other processes have changed; `None` where there can be none.
    pub(crate) poll: Option<Duration>,
}

impl Writer {
    /// Works until nobody can ask any more and everything that was asked for is done.
    #[expect(clippy::disallowed_methods, reason = "how often to look at a file is no time that anybody sees")]
    pub(crate) fn work_all(&self, requests: &Receiver<Request>) {
        let mut version = self.data_version();
        let mut looked = Instant::now();
        loop {
            let next = match self.poll {
                Some(poll) => requests.recv_timeout(poll.saturating_sub(looked.elapsed())),
                None => requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(request) => self.take(request, requests),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.poll.is_some_and(|poll| looked.elapsed() >= poll) {
                looked = Instant::now();
                let now = self.data_version();
                // If it cannot be read, somebody who waits had better look for himself.
                if now.is_none() || now != version {
                    self.notices.tell(&Change::Unknown);
                }
                version = now;
            }
        }
    }

    /// A number that changes when another connection commits.
    fn data_version(&self) -> Option<i64> {
        let mut version = self.db.prepare_cached("PRAGMA data_version").ok()?;
        version.query_row([], |row| row.get(0)).ok()
    }

    fn take(&self, first: Request, requests: &Receiver<Request>) {
        let mut jobs = Vec::new();
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::Write(job) => jobs.push(job),
                Request::Read(read) => {
                    self.store(std::mem::take(&mut jobs));
                    read(&self.db);
                }
            }
            next = if jobs.len() < MOST { requests.try_recv().ok() } else { None };
        }
        self.store(jobs);
    }

    fn store(&self, mut jobs: Vec<Box<dyn Job>>) {
        if jobs.is_empty() {
            return;
        }
        // Where the transaction did not even begin, it would not for one of them alone.
        let begun = self.begin();
        let alone = begun.is_err() || jobs.len() == 1;
        match begun.and_then(|()| self.transaction(&mut jobs)) {
            Ok(changes) => {
                // Who is told finds what he is told of, and who has the answer does not learn of it afterwards.
                changes.iter().for_each(|change| self.notices.tell(change));
                jobs.into_iter().for_each(|job| job.answer(Ok(())));
            }
            Err(error) if alone => jobs.into_iter().for_each(|job| job.answer(Err(error.clone()))),
            // It may be the fault of one of them: by themselves, each gets the answer that is its own.
            Err(_) => jobs.into_iter().for_each(|job| self.store(vec![job])),
        }
    }

    fn begin(&self) -> Result<(), StoreError> {
        self.statement("BEGIN IMMEDIATE")
    }

    fn transaction(&self, jobs: &mut [Box<dyn Job>]) -> Result<Vec<Change>, StoreError> {
        let mut changes = Vec::new();
        let result = self.this_schema().and_then(|()| {
            let mut write = Write { db: &self.db, changes: &mut changes };
            jobs.iter_mut().try_for_each(|job| job.work(&mut write))?;
            self.statement("COMMIT")
        });
        // Some failures have ended the transaction already.
        if result.is_err() && !self.db.is_autocommit() {
            // If even this fails, so does the next `BEGIN`, and whoever asked for that learns of it.
            self.statement("ROLLBACK").ok();
        }
        result.map(|()| changes)
    }

    /// Another process may have upgraded the store meanwhile.
    fn this_schema(&self) -> Result<(), StoreError> {
        let found = schema(&self.db)?;
        match found.cmp(&SCHEMA) {
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(StoreError::NewerSchema { found, known: SCHEMA }),
            Ordering::Less => Err(StoreError::OlderSchema { found, known: SCHEMA }),
        }
    }

    fn statement(&self, sql: &str) -> Result<(), StoreError> {
        let run = || -> Outcome<()> {
            self.db.prepare_cached(sql)?.execute([])?;
            Ok(())
        };
        run().map_err(|failure: Failure| failure.into())
    }
}
