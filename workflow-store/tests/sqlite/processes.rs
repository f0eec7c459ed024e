//! Several stores on one file, as several processes have.

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::store::{Interest, Put, Renewed, Taken, Verdict};

use super::*;

async fn two(place: &Place) -> [Arc<SqliteStore>; 2] {
    let open = async || {
        let options = SqliteOptions::new().poll(Duration::from_millis(2));
        Arc::new(options.open(place.path()).await.unwrap())
    };
    [open().await, open().await]
}

#[tokio::test]
async fn a_lost_lease_is_noticed_before_it_does_harm() {
    let place = Place::new();
    let [one, other] = two(&place).await;
    create(&*one, "a", None).await;
    assert_eq!(claim(&*one, "a", "one", 10).await.run.epoch, 1);
    stored(&*one, one_record("a", 1, 1, "one")).await;

    // While the first is away, the other goes on.
    let claimed = claim(&*other, "a", "other", 500).await;
    assert_eq!((claimed.run.epoch, claimed.run.position), (2, 1));
    assert_eq!(claimed.history.unwrap().tail.len(), 1);

    let lost = Refusal::Lost { run: id("a"), epoch: 1, current: 2, owner: Some("other".to_owned()) };
    assert_eq!(append(&*one, one_record("a", 1, 2, "one")).await.unwrap(), Err(lost));
    stored(&*other, one_record("a", 2, 2, "other")).await;
    let renewed = one.renew(lease("one", 900), &[(id("a"), 1)]).await.unwrap();
    assert_eq!(renewed, Renewed { lost: vec![id("a")], unlisted: Vec::new() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_they_compete_a_run_has_one_history() {
    const RECORDS: u64 = 60;

    let place = Place::new();
    let stores = two(&place).await;
    let runs = ["a", "b", "c"];
    for run in runs {
        create(&*stores[0], run, None).await;
    }
    let working = (0..6).map(|n: usize| {
        let store = Arc::clone(&stores[n % 2]);
        tokio::spawn(async move {
            let (run, owner) = (runs[n % 3], format!("owner {n}"));
            let mut acknowledged = Vec::new();
            loop {
                // Each claim finds the lease of the other lapsed.
                let lease = lease(&owner, 0);
                let Claim::Claimed(claimed) = store.claim(&id(run), lease, Time(1)).await.unwrap() else {
                    unreachable!("all leases have lapsed");
                };
                let epoch = claimed.run.epoch;
                for position in claimed.run.position + 1.. {
                    if position > RECORDS {
                        return (run, acknowledged);
                    }
                    match append(&*store, one_record(run, epoch, position, &epoch.to_string())).await.unwrap()
                    {
                        Ok(()) => acknowledged.push((position, epoch)),
                        Err(Refusal::Lost { .. }) => break,
                        Err(refusal) => panic!("{refusal}"),
                    }
                }
            }
        })
    });
    let mut acknowledged = BTreeMap::<_, Vec<_>>::new();
    for work in working.collect::<Vec<_>>() {
        let (run, mut its) = work.await.unwrap();
        acknowledged.entry(run).or_default().append(&mut its);
    }
    for run in runs {
        let records = stores[1].records(&id(run), 0, usize::MAX).await.unwrap();
        let kept: Vec<(u64, u64)> = records
            .iter()
            .map(|record| (record.position, serde_json::from_str::<String>(record.body.get()).unwrap()))
            .map(|(position, epoch)| (position, epoch.parse().unwrap()))
            .collect();
        // Each record was acknowledged to one of them, each acknowledged record is there, and no older epoch comes
        // after a newer one.
        let its = acknowledged.get_mut(run).unwrap();
        its.sort_unstable();
        assert_eq!(kept, *its);
        assert_eq!(kept.len(), RECORDS as usize);
        assert!(kept.is_sorted_by_key(|(_, epoch)| *epoch));
    }
}

#[tokio::test]
async fn a_message_finds_its_way_and_its_verdict_comes_back() {
    let place = Place::new();
    let [owner, other] = two(&place).await;
    create(&*owner, "a", Some("one")).await;
    let mut work = owner.watch(Interest::Work);
    let mut answered = other.watch(Interest::Run(id("a")));

    let Put::New { message } = other.put(message("a")).await.unwrap() else { panic!("it is new") };
    let inbox = loop {
        work.changed().await.unwrap();
        let inbox = owner.inbox("one", 10).await.unwrap();
        if !inbox.is_empty() {
            break inbox;
        }
    };
    assert_eq!(inbox[0].id, message);
    let taken = vec![Taken { message, verdict: Verdict::Accepted }];
    stored(&*owner, Append { taken, ..Append::new(id("a"), 1, 0, Time(2)) }).await;
    while let Verdict::Pending = other.verdict(&id("a"), message).await.unwrap() {
        answered.changed().await.unwrap();
    }
}

#[tokio::test]
async fn whoever_writes_is_waited_for_only_so_long() {
    let place = Place::new();
    let store = SqliteOptions::new().busy_timeout(Duration::ZERO).open(place.path()).await.unwrap();
    create(&store, "a", Some("one")).await;
    let raw = place.raw();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    let busy = append(&store, one_record("a", 1, 1, "now")).await;
    assert!(matches!(busy, Err(StoreError::Busy { .. })), "{busy:?}");
    // Reading goes on.
    assert!(positions(&store, "a").await.is_empty());
    raw.execute_batch("ROLLBACK").unwrap();
    stored(&store, one_record("a", 1, 1, "later")).await;
}
