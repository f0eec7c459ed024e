//! Opening a file: whose it is, which schema it has, and how it is written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use workflow_runtime::store::StoreError;

use super::failure::{Failure, Outcome};
use super::{SqliteOptions, Synchronous};

/// Tells our files from those of other programs: "wfst".
pub(crate) const APPLICATION: i32 = 0x7766_7374;

/// Each leads from the schema before to the next; the first one from an empty file to schema 1.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];

/// The schema of this version.
pub(crate) const SCHEMA: u32 = MIGRATIONS.len() as u32;

/// Where a store lies.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    File(PathBuf),
    Memory,
}

impl Place {
    /// A file by its path, whatever that is: SQLite would take some names for something else.
    pub(crate) fn file(path: &Path) -> Self {
        Self::File(if path.is_absolute() { path.to_owned() } else { Path::new(".").join(path) })
    }

    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Memory => "memory".to_owned(),
        }
    }
}

/// The connection that writes, to a store that is ours and of this version.
pub(crate) fn writer(place: &Place, options: &SqliteOptions) -> Outcome<Connection> {
    let mut db = connect(place, options)?;
    // Nothing is changed before it is certain that the file is ours or empty.
    let found = look(&db, place).map_err(|failure| in_place(failure, place))?;
    if found > SCHEMA {
        return Err(StoreError::NewerSchema { found, known: SCHEMA }.into());
    }
    if matches!(place, Place::File(_)) {
        write_ahead(&db, options.busy_timeout)?;
    }
    let synchronous = match options.synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    db.pragma_update(None, "synchronous", synchronous)?;
    // In KiB, as the sign says.
    db.pragma_update(None, "cache_size", -16_384)?;
    if let Some(pages) = options.most_pages {
        db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    if found < SCHEMA {
        upgrade(&mut db, place, options)?;
    }
    Ok(db)
}

/// A connection that only reads. The store is open for writing already, so it is ours.
pub(crate) fn reader(place: &Place, options: &SqliteOptions) -> Outcome<Connection> {
    let db = connect(place, options)?;
    db.pragma_update(None, "query_only", true)?;
    Ok(db)
}

fn connect(place: &Place, options: &SqliteOptions) -> Outcome<Connection> {
    let db = match place {
        Place::Memory => Connection::open_in_memory()?,
        Place::File(path) => {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(path, flags)?
        }
    };
    db.busy_timeout(options.busy_timeout)?;
    db.set_prepared_statement_cache_capacity(128);
    Ok(db)
}

/// As [`whose`], all at one moment: somebody else may be making a store of the file.
fn look(db: &Connection, place: &Place) -> Outcome<u32> {
    let moment = db.unchecked_transaction()?;
    let found = whose(&moment, place)?;
    moment.commit()?;
    Ok(found)
}

/// The schema of a store of ours; 0 for an empty file.
fn whose(db: &Connection, place: &Place) -> Outcome<u32> {
    let application: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let schema = schema(db)?;
    let empty = || -> Outcome<bool> {
        let tables: bool =
            db.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))?;
        Ok(schema == 0 && !tables)
    };
    if application == APPLICATION || (application == 0 && empty()?) {
        Ok(schema)
    } else {
        Err(StoreError::NotAStore { place: place.name(), source: None }.into())
    }
}

/// The schema of a store, without asking whose it is.
pub(crate) fn schema(db: &Connection) -> Outcome<u32> {
    Ok(db.prepare_cached("PRAGMA user_version")?.query_row([], |row| row.get(0))?)
}

/// Says in which file something is wrong.
fn in_place(failure: Failure, place: &Place) -> Failure {
    match StoreError::from(failure) {
        StoreError::NotAStore { source, .. } => StoreError::NotAStore { place: place.name(), source },
        error => error,
    }
    .into()
}

/// Turns the write-ahead log on. Where several open a new file at once, SQLite does not wait for the others here.
fn write_ahead(db: &Connection, patience: Duration) -> Outcome<()> {
    const PAUSE: Duration = Duration::from_millis(5);

    let mut waited = Duration::ZERO;
    loop {
        let mode = db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode.map_err(|error| StoreError::from(Failure::from(error))) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => return Err(StoreError::Other { source: std::sync::Arc::new(NoLog { mode }) }.into()),
            Err(StoreError::Busy { .. }) if waited < patience => {
                std::thread::sleep(PAUSE);
                waited += PAUSE;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The file system cannot do what the write-ahead log needs.
#[derive(Debug, thiserror::Error)]
#[error("the file cannot have a write-ahead log; its journal is `{mode}`")]
struct NoLog {
    mode: String,
}

fn upgrade(db: &mut Connection, place: &Place, options: &SqliteOptions) -> Outcome<()> {
    let upgrade = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Somebody else may have been faster.
    let found = whose(&upgrade, place)?;
    let application: i32 = upgrade.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if found > SCHEMA {
        return Err(StoreError::NewerSchema { found, known: SCHEMA }.into());
    }
    if found < SCHEMA && application == APPLICATION && !options.upgrade {
        return Err(StoreError::OlderSchema { found, known: SCHEMA }.into());
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        upgrade.execute_batch(migration)?;
    }
    upgrade.pragma_update(None, "application_id", APPLICATION)?;
    upgrade.pragma_update(None, "user_version", SCHEMA)?;
    Ok(upgrade.commit()?)
}
