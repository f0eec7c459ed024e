//! What SQLite does by itself.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use workflow_benches::time::now;
use workflow_store::Synchronous;

/// A record, as long as one of a small step.
const RECORD: &str =
    r#"{"finished":{"invocation":1234,"attempt":1,"emitted":{"one":["Ping",1234]}},"last_id":1235}"#;
/// An event, as long as one of a small step.
const EVENT: &str = r#"{"type":"step_finished","step":"ping","invocation":1234,"emitted":{"Ping":1}}"#;

pub(crate) struct Bare {
    db: Connection,
    next: i64,
}

impl Bare {
    pub(crate) fn open(path: &Path, synchronous: Synchronous) -> Self {
        let db = Connection::open(path).unwrap();
        let mode: String = db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
        let synchronous = if synchronous == Synchronous::Full { "FULL" } else { "NORMAL" };
        db.pragma_update(None, "synchronous", synchronous).unwrap();
        db.execute_batch(
            "CREATE TABLE runs (seq INTEGER PRIMARY KEY, position INTEGER, last_event INTEGER, updated_at INTEGER);
             CREATE TABLE records (run INTEGER, position INTEGER, at INTEGER, body TEXT, PRIMARY KEY (run, position))
                 WITHOUT ROWID;
             CREATE TABLE events (run INTEGER, number INTEGER, at INTEGER, body TEXT, PRIMARY KEY (run, number))
                 WITHOUT ROWID;
             INSERT INTO runs VALUES (1, 0, 0, 0);",
        )
        .unwrap();
        Self { db, next: 1 }
    }

    /// So many rows, in transactions of so many.
    pub(crate) fn insert(&mut self, rows: u32, at_once: u32) -> Duration {
        let began = now();
        for _ in 0..rows / at_once {
            self.transaction(|bare| (0..at_once).for_each(|_| bare.record()));
        }
        began.elapsed()
    }

    /// The rows of so many steps, each in a transaction of its own: a record, two events, and where the run stands.
    pub(crate) fn steps(&mut self, steps: u32) -> Duration {
        let began = now();
        for _ in 0..steps {
            self.transaction(|bare| {
                bare.record();
                let at = bare.next;
                let mut event = bare.db.prepare_cached("INSERT INTO events VALUES (1, ?1, ?2, ?3)").unwrap();
                event.execute((at * 2, at, EVENT)).unwrap();
                event.execute((at * 2 + 1, at, EVENT)).unwrap();
                let update = "UPDATE runs SET position = ?1, last_event = ?2, updated_at = ?1 WHERE seq = 1";
                bare.db.prepare_cached(update).unwrap().execute((at, at * 2)).unwrap();
            });
        }
        began.elapsed()
    }

    fn record(&mut self) {
        self.next += 1;
        let mut insert = self.db.prepare_cached("INSERT INTO records VALUES (1, ?1, ?2, ?3)").unwrap();
        insert.execute((self.next, self.next, RECORD)).unwrap();
    }

    fn transaction(&mut self, work: impl FnOnce(&mut Self)) {
        self.statement("BEGIN IMMEDIATE");
        work(self);
        self.statement("COMMIT");
    }

    fn statement(&self, sql: &str) {
        self.db.prepare_cached(sql).unwrap().execute([]).unwrap();
    }
}
