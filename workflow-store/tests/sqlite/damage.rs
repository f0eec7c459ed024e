//! What is stored does not add up.

use std::io::{Seek, SeekFrom, Write};

use workflow_runtime::store::Corrupt;

use super::*;

/// A file with two runs, which an outsider then changes.
async fn damaged(sql: &str) -> (Place, SqliteStore) {
    let place = Place::new();
    let store = place.open().await;
    for run in ["a", "b"] {
        create(&store, run, Some("one")).await;
        for position in 1..=3 {
            stored(&store, one_record(run, 1, position, "good")).await;
        }
    }
    place.raw().execute_batch(sql).unwrap();
    (place, store)
}

fn found(error: StoreError) -> Corrupt {
    match error {
        StoreError::Corrupt { corrupt, .. } => corrupt,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_damaged_record_is_named_and_concerns_its_run_only() {
    let second = "WHERE run = (SELECT seq FROM runs WHERE id = 'a') AND position = 2";
    let (_place, store) = damaged(&format!("UPDATE records SET body = '{{\"half' {second}")).await;
    let error = store.records(&id("a"), 0, 10).await.unwrap_err();
    assert_eq!(error.to_string(), "the store is damaged: record 2 of run a");
    assert_eq!(found(error), Corrupt::new("record").in_run(&id("a")).at(2));
    assert_eq!(store.records(&id("a"), 2, 10).await.unwrap().len(), 1);

    // What is due is claimed, also what cannot be loaded, so that it can be put aside.
    let mut claimed = store.claim_due(&["Flow"], 10, lease("two", 900), Time(500)).await.unwrap();
    claimed.sort_by_key(|claimed| claimed.run.run.clone());
    let [a, b] = claimed.try_into().unwrap();
    assert_eq!(found(a.history.unwrap_err()), Corrupt::new("record").in_run(&id("a")).at(2));
    assert_eq!(b.history.unwrap().tail.len(), 3);
    let aside = Append { due: Some(Due::Aside), release: true, ..Append::new(id("a"), 2, 3, Time(501)) };
    stored(&store, aside).await;
    assert!(store.claim_due(&["Flow"], 10, lease("three", 900), Time(501)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_record_that_is_missing_is_noticed() {
    for (gone, first) in [("position = 2", 2), ("position = 3", 3), ("position <= 2", 1)] {
        let of_a = "run = (SELECT seq FROM runs WHERE id = 'a')";
        let (_place, store) = damaged(&format!("DELETE FROM records WHERE {of_a} AND {gone}")).await;
        let error = claim(&store, "a", "one", 50).await.history.unwrap_err();
        assert_eq!(found(error), Corrupt::new("record").in_run(&id("a")).at(first));
    }
}

#[tokio::test]
async fn other_damage_is_named_as_well() {
    for (sql, what) in [
        ("UPDATE inputs SET body = ''", "the input"),
        ("DELETE FROM inputs", "the input"),
        ("DELETE FROM graphs", "the graph"),
        ("UPDATE runs SET status = 'asleep'", "the status"),
        ("UPDATE runs SET position = -1", "a column"),
    ] {
        let (_place, store) = damaged(sql).await;
        assert_eq!(found(store.show(&id("a")).await.unwrap_err()).what, what, "{sql}");
    }
    let (_place, store) = damaged("UPDATE graphs SET body = 'x'").await;
    assert_eq!(found(store.graph("g").await.unwrap_err()).what, "a graph");
}

#[tokio::test]
async fn pages_that_are_rubbish_are_noticed() {
    let (place, store) = damaged("").await;
    store.close().await.unwrap();
    let length = std::fs::metadata(place.path()).unwrap().len();
    let mut file = std::fs::OpenOptions::new().write(true).open(place.path()).unwrap();
    // The first page says that this is a store, and where its tables are; everything else is lost.
    file.seek(SeekFrom::Start(4_096)).unwrap();
    let rubbish = usize::try_from(length - 4_096).unwrap();
    file.write_all(&vec![0xa5; rubbish]).unwrap();
    file.sync_all().unwrap();
    drop(file);

    let error = match SqliteStore::open(place.path()).await {
        Err(error) => error,
        Ok(store) => store.show(&id("a")).await.unwrap_err(),
    };
    assert_eq!(found(error).what, "a page of the file");
}
