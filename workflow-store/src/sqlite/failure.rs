//! What SQLite reports, in the words of [`StoreError`].

use std::sync::Arc;

use rusqlite::ffi::ErrorCode;
use workflow_runtime::store::{Corrupt, Source, StoreError};

/// Lets `?` take what SQLite reports and what the store itself finds. It becomes a [`StoreError`] where the work was
/// begun.
#[derive(Debug)]
pub(crate) enum Failure {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

pub(crate) type Outcome<T> = Result<T, Failure>;

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error,
            Failure::Sqlite(error) => reported(error),
        }
    }
}

fn reported(error: rusqlite::Error) -> StoreError {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, QueryReturnedNoRows, Utf8Error,
    };

    let code = error.sqlite_error_code();
    let unreadable = matches!(
        error,
        FromSqlConversionFailure(..)
            | IntegralValueOutOfRange(..)
            | InvalidColumnType(..)
            | QueryReturnedNoRows
            | Utf8Error(..)
    );
    let source: Source = Arc::new(error);
    match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { source },
        Some(ErrorCode::DiskFull) => StoreError::Full { source },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly { source },
        Some(ErrorCode::NotADatabase) => {
            StoreError::NotAStore { place: "the file".to_owned(), source: Some(source) }
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            StoreError::Corrupt { corrupt: Corrupt::new("a page of the file"), source: Some(source) }
        }
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => StoreError::Io { source },
        None if unreadable => StoreError::Corrupt { corrupt: Corrupt::new("a column"), source: Some(source) },
        _ => StoreError::Other { source },
    }
}
