//! Whom a run belongs to, and which ones are due.

use std::sync::Arc;

use super::made::{
    claim, create, due, graphs, id, json, lease, names, new_run, positions, put, record, refused, show,
    stored,
};
use crate::engine::Time;
use crate::store::{
    Append, Claim, Due, History, NewRun, Record, Refusal, Renewed, Store, StoreError, Taken, Verdict,
};

/// A claim gives the input, every record and the messages without a verdict.
pub async fn a_claim_gives_what_is_needed_to_go_on(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    let claimed = claim(&*store, "a", "one", 20).await;
    assert_eq!((claimed.run.epoch, &claimed.run.lease), (1, &Some(lease("one", 120))));
    let History { input, fingerprint, snapshot, tail, inbox } = claimed.history.unwrap();
    assert_eq!((input.get(), &*fingerprint), (r#"{"of": "a"}"#, "g1"));
    assert!(snapshot.is_none() && tail.is_empty() && inbox.is_empty());

    let first = put(&*store, "a", None).await;
    let second = put(&*store, "a", None).await;
    let change = Record { fingerprint: Some("g2".to_owned()), ..record(2) };
    let append = Append {
        records: vec![record(1), change],
        taken: vec![Taken { message: first, verdict: Verdict::Accepted }],
        release: true,
        ..Append::new(id("a"), 1, 0, Time(30))
    };
    stored(&*store, append).await;

    let claimed = claim(&*store, "a", "two", 40).await;
    assert_eq!((claimed.run.epoch, claimed.run.position), (2, 2));
    assert_eq!((claimed.run.messages, &*claimed.run.fingerprint), (1, "g2"));
    let History { fingerprint, tail, inbox, .. } = claimed.history.unwrap();
    // The tail begins under the first graph and says where that changes.
    assert_eq!(fingerprint, "g1");
    assert_eq!(positions(&tail), [1, 2]);
    assert_eq!(tail[0].fingerprint, None);
    assert_eq!(tail[1].fingerprint.as_deref(), Some("g2"));
    assert_eq!(inbox.iter().map(|message| message.id).collect::<Vec<_>>(), [second]);
    assert_eq!((&inbox[0].run, &*inbox[0].kind, inbox[0].body.get()), (&id("a"), "signal", "\"hello\""));

    let nobody = store.claim(&id("b"), lease("one", 100), Time(40)).await;
    assert!(matches!(nobody, Err(StoreError::NoSuchRun { run }) if run == id("b")));
}

/// With a snapshot, a claim gives the records after it only, and the graph at it; those before it are still there.
pub async fn a_claim_begins_at_the_snapshot(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    let epoch = claim(&*store, "a", "one", 20).await.run.epoch;
    let at = |after, at| Append::new(id("a"), epoch, after, Time(at));
    let first = Append { records: vec![record(1)], snapshot: Some(json("\"after 1\"")), ..at(0, 21) };
    let change = Record { fingerprint: Some("g2".to_owned()), ..record(2) };
    let second = Append { records: vec![change], ..at(1, 22) };
    let only_snapshot = Append { snapshot: Some(json("\"after 2\"")), ..at(2, 23) };
    let third = Append { records: vec![record(3)], ..at(2, 24) };
    for (append, snapshot, fingerprint, tail) in [
        (first, ("\"after 1\"", 1, 21), "g1", vec![]),
        (second, ("\"after 1\"", 1, 21), "g1", vec![2]),
        (only_snapshot, ("\"after 2\"", 2, 23), "g2", vec![]),
        (third, ("\"after 2\"", 2, 23), "g2", vec![3]),
    ] {
        // The same owner claims anew, so the epoch moves on.
        let epoch = show(&*store, "a").await.run.epoch;
        stored(&*store, Append { epoch, ..append }).await;
        let history = claim(&*store, "a", "one", 30).await.history.unwrap();
        let saved = history.snapshot.unwrap();
        assert_eq!((saved.body.get(), saved.position, saved.at.0), snapshot);
        assert_eq!(history.fingerprint, fingerprint);
        assert_eq!(positions(&history.tail), tail);
    }
    assert_eq!(positions(&store.records(&id("a"), 0, 10).await.unwrap()), [1, 2, 3]);
}

/// While a lease holds, nobody else gets the run; its owner may claim it anew.
pub async fn a_run_has_one_owner(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    claim(&*store, "a", "one", 20).await;
    match store.claim(&id("a"), lease("two", 300), Time(119)).await.unwrap() {
        Claim::Held(holder) => assert_eq!(holder, lease("one", 120)),
        Claim::Claimed(claimed) => panic!("{claimed:?}"),
    }
    assert_eq!(claim(&*store, "a", "one", 30).await.run.epoch, 2);
    // The lease has been extended by that.
    assert!(matches!(store.claim(&id("a"), lease("two", 300), Time(129)).await.unwrap(), Claim::Held(_)));
    let claimed = claim(&*store, "a", "two", 130).await;
    assert_eq!((claimed.run.epoch, claimed.run.lease), (3, Some(lease("two", 230))));
}

/// However many claim a run at the same moment, one of them gets it.
pub async fn of_many_claims_at_once_one_wins(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    let claims: Vec<_> = (0..20)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let lease = lease(&format!("owner {n}"), 100);
                if n % 2 == 0 {
                    matches!(store.claim(&id("a"), lease, Time(20)).await.unwrap(), Claim::Claimed(_))
                } else {
                    store.claim_due(&["Flow"], 1, lease, Time(20)).await.unwrap().len() == 1
                }
            })
        })
        .collect();
    let mut won = 0;
    for claim in claims {
        won += u32::from(claim.await.unwrap());
    }
    assert_eq!(won, 1);
    assert_eq!(show(&*store, "a").await.run.epoch, 1);
}

/// A lease that has lapsed takes nothing from its owner as long as nobody claims it.
pub async fn an_owner_that_comes_back_late_keeps_what_nobody_has_claimed(store: Arc<dyn Store>) {
    for run in ["a", "b"] {
        create(&*store, run).await;
        claim(&*store, run, "one", 20).await;
    }
    claim(&*store, "b", "two", 500).await;
    stored(&*store, Append { records: vec![record(1)], ..Append::new(id("a"), 1, 0, Time(510)) }).await;
    let held = [(id("a"), 1), (id("b"), 1)];
    let renewed = store.renew(lease("one", 600), &held).await.unwrap();
    assert_eq!(renewed, Renewed { lost: vec![id("b")], unlisted: Vec::new() });
    assert!(matches!(store.claim(&id("a"), lease("two", 700), Time(520)).await.unwrap(), Claim::Held(_)));
}

/// The epoch decides, whatever the position is.
pub async fn whoever_lost_a_run_cannot_append_to_it(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    claim(&*store, "a", "one", 20).await;
    claim(&*store, "a", "two", 200).await;
    let late = Append { records: vec![record(1)], ..Append::new(id("a"), 1, 0, Time(210)) };
    let lost = Refusal::Lost { run: id("a"), epoch: 1, current: 2, owner: Some("two".to_owned()) };
    assert_eq!(refused(&*store, late.clone()).await, lost);
    assert!(!store.release(&id("a"), 1, None).await.unwrap());
    // An epoch that nobody was given is none either.
    assert!(matches!(refused(&*store, Append { epoch: 3, ..late.clone() }).await, Refusal::Lost { .. }));
    stored(&*store, Append { epoch: 2, ..late.clone() }).await;
    // What was given back belongs to nobody, also at its last epoch.
    assert!(store.release(&id("a"), 2, None).await.unwrap());
    let lost = Refusal::Lost { run: id("a"), epoch: 2, current: 2, owner: None };
    assert_eq!(refused(&*store, Append { epoch: 2, after: 1, ..late }).await, lost);
}

/// Runs are due at once, by their time, by a message, or not at all.
pub async fn what_is_due_is_claimed(store: Arc<dyn Store>) {
    graphs(&*store).await;
    let idle = |wake| Due::Idle { wake };
    for (run, workflow, due) in [
        ("active", "Flow", Due::Now),
        ("later", "Flow", idle(Some(Time(50)))),
        ("waiting", "Flow", idle(None)),
        ("aside", "Flow", Due::Aside),
        ("other", "Other", Due::Now),
    ] {
        let new = NewRun { workflow: workflow.to_owned(), due, ..new_run(run) };
        store.create(new).await.unwrap();
        assert_eq!(show(&*store, run).await.run.due, due);
    }
    assert_eq!(due(&*store, 10, "one", 49).await, ["active"]);
    assert_eq!(due(&*store, 10, "one", 50).await, ["later"]);
    assert!(due(&*store, 10, "one", 50).await.is_empty());
    put(&*store, "waiting", None).await;
    put(&*store, "aside", None).await;
    assert_eq!(due(&*store, 10, "one", 50).await, ["waiting"]);
    // By its id, even one that was put aside is claimed.
    assert_eq!(claim(&*store, "aside", "one", 50).await.run.messages, 1);

    let both = store.claim_due(&["Other", "Flow", "Other", "None"], 10, lease("one", 150), Time(50)).await;
    assert_eq!(names(&both.unwrap()), ["other"]);
    assert!(store.claim_due(&[], 10, lease("one", 150), Time(50)).await.unwrap().is_empty());
}

/// At most as many as asked for; those that are due at once first, then by their times.
pub async fn what_is_due_first_is_claimed_first(store: Arc<dyn Store>) {
    graphs(&*store).await;
    for n in [3, 1, 4, 2, 5] {
        let due = Due::Idle { wake: Some(Time(n)) };
        let workflow = if n % 2 == 0 { "Flow" } else { "Other" }.to_owned();
        store.create(NewRun { workflow, due, ..new_run(&n.to_string()) }).await.unwrap();
    }
    store.create(new_run("now")).await.unwrap();
    let mut order = Vec::new();
    for most in [0, 1, 2, 100] {
        let claimed = store.claim_due(&["Flow", "Other"], most, lease("one", 100), Time(9)).await.unwrap();
        assert!(claimed.len() <= most);
        order.extend(names(&claimed));
    }
    assert_eq!(order, ["now", "1", "2", "3", "4", "5"]);
}

/// When a lease lapses, the runs that have something to do are due; those that wait are due when they would be.
pub async fn what_a_dead_owner_was_at_work_on_is_due(store: Arc<dyn Store>) {
    for (run, due) in [
        ("active", Due::Now),
        ("timer", Due::Idle { wake: Some(Time(300)) }),
        ("message", Due::Idle { wake: None }),
        ("waiting", Due::Idle { wake: None }),
        ("aside", Due::Aside),
    ] {
        create(&*store, run).await;
        let epoch = claim(&*store, run, "dead", 20).await.run.epoch;
        stored(&*store, Append { due: Some(due), ..Append::new(id(run), epoch, 0, Time(21)) }).await;
    }
    put(&*store, "message", None).await;
    assert!(due(&*store, 10, "one", 119).await.is_empty());
    let mut claimed = due(&*store, 10, "one", 120).await;
    claimed.sort();
    assert_eq!(claimed, ["active", "message"]);
    assert_eq!(due(&*store, 10, "one", 300).await, ["timer"]);
    put(&*store, "waiting", None).await;
    assert_eq!(due(&*store, 10, "one", 300).await, ["waiting"]);
    assert_eq!(show(&*store, "active").await.run.epoch, 2);
}

/// An owner whose lease has lapsed is not given its own runs as if they were another's.
pub async fn nobody_takes_from_himself_what_is_due(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    claim(&*store, "a", "one", 20).await;
    assert!(due(&*store, 10, "one", 500).await.is_empty());
    assert_eq!(show(&*store, "a").await.run.epoch, 1);
}

/// The first time at which a run that nobody owns is due.
pub async fn the_next_time_is_known(store: Arc<dyn Store>) {
    graphs(&*store).await;
    let next = async || store.next_due(&["Flow", "Other"]).await.unwrap();
    assert_eq!(next().await, None);
    for (run, workflow, due) in [
        ("waiting", "Flow", Due::Idle { wake: None }),
        ("aside", "Flow", Due::Aside),
        ("late", "Flow", Due::Idle { wake: Some(Time(90)) }),
        ("early", "Other", Due::Idle { wake: Some(Time(80)) }),
        ("elsewhere", "Third", Due::Now),
    ] {
        store.create(NewRun { workflow: workflow.to_owned(), due, ..new_run(run) }).await.unwrap();
    }
    assert_eq!(next().await, Some(Time(80)));
    claim(&*store, "early", "one", 20).await;
    assert_eq!(next().await, Some(Time(90)));
    put(&*store, "waiting", None).await;
    assert!(next().await.unwrap() < Time(20));
}

/// Renewing tells which runs are gone, which came back at another epoch, and which were not listed.
pub async fn renewing_tells_what_was_lost(store: Arc<dyn Store>) {
    for run in ["kept", "stolen", "deleted", "anew", "released", "unlisted"] {
        create(&*store, run).await;
        claim(&*store, run, "one", 20).await;
    }
    assert!(store.delete(&id("deleted")).await.unwrap());
    assert!(store.release(&id("released"), 1, None).await.unwrap());
    claim(&*store, "stolen", "two", 300).await;
    claim(&*store, "anew", "one", 310).await;
    let held: Vec<_> = ["kept", "stolen", "deleted", "anew", "released"].map(|run| (id(run), 1)).into();
    let Renewed { mut lost, mut unlisted } = store.renew(lease("one", 500), &held).await.unwrap();
    lost.sort();
    unlisted.sort();
    assert_eq!(lost, ["anew", "deleted", "released", "stolen"].map(id));
    assert_eq!(unlisted, [(id("anew"), 2), (id("unlisted"), 1)]);
    let nothing = store.renew(lease("three", 500), &[]).await.unwrap();
    assert_eq!(nothing, Renewed::default());
}

/// Whichever comes first, the later time counts.
pub async fn a_lease_is_never_shortened(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    claim(&*store, "a", "one", 20).await;
    store.renew(lease("one", 300), &[(id("a"), 1)]).await.unwrap();
    store.renew(lease("one", 200), &[(id("a"), 1)]).await.unwrap();
    assert_eq!(show(&*store, "a").await.run.lease, Some(lease("one", 300)));
    create(&*store, "b").await;
    claim(&*store, "b", "one", 30).await;
    assert_eq!(show(&*store, "a").await.run.lease, Some(lease("one", 300)));
}

/// A run that was given back belongs to nobody, and is due when its owner said.
pub async fn what_is_given_back_can_be_claimed(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    claim(&*store, "a", "one", 20).await;
    assert!(store.release(&id("a"), 1, Some(Due::Idle { wake: Some(Time(70)) })).await.unwrap());
    assert!(!store.release(&id("a"), 1, Some(Due::Now)).await.unwrap());
    let run = show(&*store, "a").await.run;
    assert_eq!((run.lease, run.due), (None, Due::Idle { wake: Some(Time(70)) }));
    assert!(due(&*store, 10, "two", 69).await.is_empty());
    assert_eq!(due(&*store, 10, "two", 70).await, ["a"]);
    assert!(store.release(&id("a"), 2, None).await.unwrap());
    assert_eq!(due(&*store, 10, "two", 70).await, ["a"]);
    assert!(!store.release(&id("b"), 1, None).await.unwrap());
}

/// An owner that leaves gives everything back at once.
pub async fn an_owner_can_leave(store: Arc<dyn Store>) {
    for (run, owner) in [("a", "one"), ("b", "one"), ("c", "two")] {
        create(&*store, run).await;
        claim(&*store, run, owner, 20).await;
    }
    assert_eq!(store.leave("one").await.unwrap(), 2);
    assert_eq!(store.leave("one").await.unwrap(), 0);
    assert!(matches!(
        refused(&*store, Append::new(id("a"), 1, 0, Time(21))).await,
        Refusal::Lost { owner: None, .. }
    ));
    let mut claimed = due(&*store, 10, "three", 21).await;
    claimed.sort();
    assert_eq!(claimed, ["a", "b"]);
}
