//! The contract of a store, against a file and against memory.

#![expect(clippy::unwrap_used, reason = "what opens the stores belongs to the tests")]

use std::sync::Arc;

use workflow_runtime::Store;
use workflow_store::SqliteStore;

mod file {
    use super::*;

    async fn open() -> (Arc<dyn Store>, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("runs.db")).await.unwrap();
        (Arc::new(store), directory)
    }

    workflow_runtime::store_contract!(open);
}

mod memory {
    use super::*;

    async fn open() -> (Arc<dyn Store>, ()) {
        (Arc::new(SqliteStore::in_memory().await.unwrap()), ())
    }

    workflow_runtime::store_contract!(open);
}
