//! What is particular to a store in a file: other processes, other files, and what goes wrong with disks.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "that is how a test fails")]

mod closing;
mod crashes;
mod damage;
mod files;
mod full;
mod processes;
mod sharing;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;
use workflow_runtime::store::{
    Append, Claim, Claimed, Due, Filter, Json, Lease, NewMessage, NewRun, Record, Refusal, Store, StoreError,
};
use workflow_runtime::{RunId, Time};
use workflow_store::{SqliteOptions, SqliteStore};

/// A place for a file that is not there yet.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("runs.db")
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.path()).await.unwrap()
    }

    /// The file as another program sees it.
    fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).unwrap()
    }

    /// How many transactions are in the write-ahead log: each ends with a frame that says how large the file is.
    fn transactions(&self) -> usize {
        const HEADER: usize = 32;
        const FRAME: usize = 24;

        let log = std::fs::read(self.directory.path().join("runs.db-wal")).unwrap();
        let page = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize;
        log[HEADER..].chunks_exact(FRAME + page).filter(|frame| frame[4..8] != [0; 4]).count()
    }
}

fn id(run: &str) -> RunId {
    RunId::from(run)
}

fn json(text: &str) -> Json {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn lease(owner: &str, until: u64) -> Lease {
    Lease { owner: owner.to_owned(), until: Time(until) }
}

fn record(position: u64, body: &str) -> Record {
    Record { position, at: Time(1), key: None, fingerprint: None, body: json(&format!("{body:?}")) }
}

fn message(run: &str) -> NewMessage {
    NewMessage { run: id(run), kind: "signal".to_owned(), key: None, at: Time(1), body: json("0") }
}

fn one_record(run: &str, epoch: u64, position: u64, body: &str) -> Append {
    Append { records: vec![record(position, body)], ..Append::new(id(run), epoch, position - 1, Time(1)) }
}

async fn create(store: &dyn Store, run: &str, owner: Option<&str>) {
    store.put_graph("g", json("0")).await.unwrap();
    let new = NewRun {
        run: id(run),
        workflow: "Flow".to_owned(),
        fingerprint: "g".to_owned(),
        input: json("0"),
        input_key: String::new(),
        at: Time(1),
        due: Due::Now,
        tags: BTreeMap::new(),
        lease: owner.map(|owner| lease(owner, 100)),
    };
    store.create(new).await.unwrap();
}

async fn append(store: &dyn Store, append: Append) -> Result<Result<(), Refusal>, StoreError> {
    store.append(vec![append]).await.map(|mut answers| answers.remove(0))
}

async fn stored(store: &dyn Store, one: Append) {
    append(store, one).await.unwrap().unwrap();
}

async fn claim(store: &dyn Store, run: &str, owner: &str, now: u64) -> Claimed {
    match store.claim(&id(run), lease(owner, now + 100), Time(now)).await.unwrap() {
        Claim::Claimed(claimed) => *claimed,
        Claim::Held(lease) => panic!("{run} is held: {lease:?}"),
    }
}

async fn positions(store: &dyn Store, run: &str) -> Vec<u64> {
    let records = store.records(&id(run), 0, usize::MAX).await.unwrap();
    records.iter().map(|record| record.position).collect()
}

/// What a store does first of all.
async fn works(store: &dyn Store) {
    create(store, "works", None).await;
    assert!(store.delete(&id("works")).await.unwrap());
    store.list(&Filter::default(), None, 1).await.unwrap();
}

async fn refused(path: &Path) -> StoreError {
    SqliteOptions::new().open(path).await.unwrap_err()
}
