//! Which files are opened, and as what.

use std::error::Error;

use super::*;

const APPLICATION: u32 = 0x7766_7374;

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let place = Place::new();
    for content in ["no database at all, but long enough to be read as one\n".repeat(40), "short".to_owned()]
    {
        std::fs::write(place.path(), &content).unwrap();
        match refused(&place.path()).await {
            StoreError::NotAStore { place: named, source: Some(_) } => {
                assert_eq!(named, place.path().display().to_string());
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(std::fs::read(place.path()).unwrap(), content.as_bytes());
    }
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    for sql in [
        "CREATE TABLE theirs (x)",
        "PRAGMA application_id = 7",
        "PRAGMA user_version = 1",
        "CREATE TABLE runs (x); PRAGMA application_id = 7; PRAGMA user_version = 1",
    ] {
        let place = Place::new();
        place.raw().execute_batch(sql).unwrap();
        let before = std::fs::read(place.path()).unwrap();
        let error = refused(&place.path()).await;
        assert!(matches!(error, StoreError::NotAStore { source: None, .. }), "{sql}: {error:?}");
        assert_eq!(std::fs::read(place.path()).unwrap(), before);
        let files = std::fs::read_dir(place.directory.path()).unwrap().count();
        assert_eq!(files, 1, "{sql}");
    }
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let place = Place::new();
    std::fs::write(place.path(), "").unwrap();
    let store = place.open().await;
    works(&store).await;
    let raw = place.raw();
    let number = |pragma| raw.pragma_query_value(None, pragma, |row| row.get::<_, u32>(0)).unwrap();
    assert_eq!((number("application_id"), number("user_version")), (APPLICATION, 1));
    let mode: String = raw.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let place = Place::new();
    place.open().await.close().await.unwrap();
    place.raw().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(refused(&place.path()).await, StoreError::NewerSchema { found: 99, known: 1 }));
}

#[tokio::test]
async fn a_file_of_an_older_version_is_upgraded_unless_told_otherwise() {
    let place = Place::new();
    place.raw().pragma_update(None, "application_id", APPLICATION).unwrap();
    let error = SqliteOptions::new().upgrade(false).open(place.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::OlderSchema { found: 0, known: 1 }), "{error:?}");
    works(&place.open().await).await;
    SqliteOptions::new().upgrade(false).open(place.path()).await.unwrap();
}

#[tokio::test]
async fn an_upgrade_by_somebody_else_stops_those_that_do_not_know_it() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a", Some("one")).await;
    place.raw().pragma_update(None, "user_version", 99).unwrap();
    let error = append(&store, one_record("a", 1, 1, "late")).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 99, known: 1 }), "{error:?}");
    assert!(positions(&store, "a").await.is_empty());
}

#[tokio::test]
async fn where_no_file_can_be_created_that_is_said() {
    let place = Place::new();
    let mut places = vec![place.directory.path().to_owned(), place.directory.path().join("none/runs.db")];
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;

        let read_only = place.directory.path().join("read-only");
        std::fs::create_dir(&read_only).unwrap();
        std::fs::set_permissions(&read_only, std::fs::Permissions::from_mode(0o555)).unwrap();
        // For some users, everything can be written to.
        if std::fs::write(read_only.join("probe"), "").is_err() {
            places.push(read_only.join("runs.db"));
        }
    }
    if cfg!(target_os = "linux") {
        places.push("/proc/runs.db".into());
    }
    for path in places {
        let error = refused(&path).await;
        assert!(matches!(error, StoreError::Io { .. }), "{path:?}: {error:?}");
        assert!(error.source().is_some());
    }
}

#[tokio::test]
async fn a_name_is_only_a_name() {
    let place = Place::new();
    for name in ["file:memory?mode=memory", "with space & ?#%41.db", ":memory:"] {
        let path = place.directory.path().join(name);
        let store = SqliteStore::open(&path).await.unwrap();
        works(&store).await;
        assert!(path.exists(), "{name}");
    }
}

#[tokio::test]
async fn many_may_open_a_new_file_at_once() {
    let place = Place::new();
    let opening: Vec<_> = (0..8)
        .map(|_| {
            let path = place.path();
            tokio::spawn(async move { SqliteStore::open(path).await })
        })
        .collect();
    for opened in opening {
        works(&opened.await.unwrap().unwrap()).await;
    }
}

#[tokio::test]
async fn a_store_in_memory_is_its_owners_alone() {
    let (one, other) = (SqliteStore::in_memory().await.unwrap(), SqliteStore::in_memory().await.unwrap());
    create(&one, "a", None).await;
    assert!(one.show(&id("a")).await.unwrap().is_some());
    assert!(other.show(&id("a")).await.unwrap().is_none());
}
