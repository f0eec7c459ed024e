//! What every [`Store`] must do, as tests.
//!
//! Each function here is one test. It takes an empty store, and panics where the store does something else than it must.
//! [`store_contract!`](crate::store_contract) makes a test of each of them. They are here, behind the feature
//! `testing`, because whoever writes a store depends on this crate and on no other store.
//!
//! They know nothing of time: no test waits, except for what the store itself takes to answer.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests, which other crates run")]

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Append, Claim, Claimed, Created, Cursor, Due, Filter, Fork, History, Interest, Json, Lease, MessageId,
    NewMessage, NewRun, OpenQuestion, Order, Put, Record, Refusal, Renewed, Retention, RunDetails, RunStatus,
    Store, StoreError, StoredEvent, StoredRun, Taken, Verdict,
};
use crate::engine::Time;
use crate::event::RequestId;
use crate::handle::RunId;

/// Runs every test of the [contract](crate::store::contract) against a store.
///
/// It takes an async function that opens an empty store, and gives back the store, as `Arc<dyn Store>`, together with
/// whatever must be kept until the test is over. It expands to `#[tokio::test]` functions, so it stands in a module of
/// its own:
///
/// ```
/// mod memory {
/// #   use std::sync::Arc;
/// #   use workflow_runtime::Store;
///     async fn open() -> (Arc<dyn Store>, ()) {
///         // (Arc::new(MyStore::in_memory()), ())
/// #       unreachable!()
///     }
///     workflow_runtime::store_contract!(open);
/// }
/// ```
#[macro_export]
macro_rules! store_contract {
    ($open:path) => {
        $crate::store_contract! { $open:
            a_run_is_created_once,
            a_run_may_be_created_with_its_owner,
            a_graph_is_kept_once,
            json_and_names_are_kept_to_the_letter,
            a_claim_gives_what_is_needed_to_go_on,
            a_claim_begins_at_the_snapshot,
            a_run_has_one_owner,
            of_many_claims_at_once_one_wins,
            an_owner_that_comes_back_late_keeps_what_nobody_has_claimed,
            whoever_lost_a_run_cannot_append_to_it,
            what_is_due_is_claimed,
            what_is_due_first_is_claimed_first,
            what_a_dead_owner_was_at_work_on_is_due,
            nobody_takes_from_himself_what_is_due,
            the_next_time_is_known,
            renewing_tells_what_was_lost,
            a_lease_is_never_shortened,
            what_is_given_back_can_be_claimed,
            an_owner_can_leave,
            an_append_is_stored_as_a_whole,
            an_append_that_is_refused_changes_nothing,
            each_item_of_a_batch_is_by_itself,
            a_key_is_recorded_once,
            an_end_can_be_taken_back,
            open_questions_are_listed,
            a_message_is_put_and_decided_about,
            the_same_key_is_the_same_message,
            an_owner_sees_the_messages_of_its_runs,
            records_and_events_come_in_pages,
            runs_are_listed_in_pages,
            runs_are_found,
            a_deleted_run_is_gone,
            completed_runs_are_kept_as_told,
            runs_that_can_go_on_are_kept,
            a_fork_shares_nothing,
            changes_are_told,
        }
    };
    ($open:path: $($case:ident,)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                let (store, _kept) = $open().await;
                $crate::store::contract::$case(store).await;
            }
        )*
    };
}

/// A run is created unless there is one of its id; the answer says whether that had the same input.
pub async fn a_run_is_created_once(store: Arc<dyn Store>) {
    let unknown = store.create(new_run("a")).await;
    assert!(matches!(unknown, Err(StoreError::NoSuchGraph { fingerprint }) if fingerprint == "g1"));
    assert!(store.show(&id("a")).await.unwrap().is_none());

    graphs(&*store).await;
    assert!(matches!(store.create(new_run("a")).await.unwrap(), Created::New { epoch: 0 }));
    let again = store.create(NewRun { at: Time(99), ..new_run("a") }).await.unwrap();
    let Created::Exists { same_input: true, run } = again else { panic!("{again:?}") };
    assert_eq!(*run, show(&*store, "a").await.run);
    assert_eq!(run.created_at, Time(10));
    let other = store.create(NewRun { input_key: "other".to_owned(), ..new_run("a") }).await.unwrap();
    assert!(matches!(other, Created::Exists { same_input: false, .. }));
    let other = store.create(NewRun { workflow: "Other".to_owned(), ..new_run("a") }).await.unwrap();
    assert!(matches!(other, Created::Exists { same_input: false, .. }));

    let RunDetails { run, input, outcome } = show(&*store, "a").await;
    assert_eq!(input.get(), r#"{"of": "a"}"#);
    assert!(outcome.is_none());
    let expected = StoredRun {
        run: id("a"),
        workflow: "Flow".to_owned(),
        fingerprint: "g1".to_owned(),
        status: RunStatus::New,
        created_at: Time(10),
        updated_at: Time(10),
        ended_at: None,
        position: 0,
        last_event: 0,
        forked_from: None,
        epoch: 0,
        lease: None,
        due: Due::Now,
        messages: 0,
        questions: Vec::new(),
        tags: BTreeMap::from([("run".to_owned(), "a".to_owned())]),
    };
    assert_eq!(run, expected);
}

/// A run that is created with a lease belongs to that owner; one that exists is left to whom it belongs.
pub async fn a_run_may_be_created_with_its_owner(store: Arc<dyn Store>) {
    graphs(&*store).await;
    let with = |owner| NewRun { lease: Some(lease(owner, 100)), ..new_run("a") };
    assert!(matches!(store.create(with("one")).await.unwrap(), Created::New { epoch: 1 }));
    let again = store.create(with("other")).await.unwrap();
    let Created::Exists { same_input: true, run } = again else { panic!("{again:?}") };
    assert_eq!((run.epoch, run.lease), (1, Some(lease("one", 100))));
    stored(&*store, Append { records: vec![record(1)], ..Append::new(id("a"), 1, 0, Time(20)) }).await;
    assert!(due(&*store, 10, "other", 20).await.is_empty());
}

/// A graph is kept under its fingerprint, and the first one stays.
pub async fn a_graph_is_kept_once(store: Arc<dyn Store>) {
    assert!(store.graph("g1").await.unwrap().is_none());
    store.put_graph("g1", json("[1]")).await.unwrap();
    store.put_graph("g1", json("[2]")).await.unwrap();
    assert_eq!(store.graph("g1").await.unwrap().unwrap().get(), "[1]");
    assert!(store.graph("g2").await.unwrap().is_none());
}

/// JSON keeps its spaces and the order of its keys; names may be any text.
pub async fn json_and_names_are_kept_to_the_letter(store: Arc<dyn Store>) {
    let text = "{ \"b\" : 1.0e2,\n\t\"a\": [ null, \"\\u0000 \u{1f980} '--\" ] }";
    let name = "it's \"so\"; \u{1f980} %_\\ --";
    store.put_graph(name, json(text)).await.unwrap();
    assert_eq!(store.graph(name).await.unwrap().unwrap().get(), text);
    let new = NewRun {
        workflow: name.to_owned(),
        fingerprint: name.to_owned(),
        input: json(text),
        input_key: name.to_owned(),
        tags: BTreeMap::from([(name.to_owned(), name.to_owned())]),
        lease: Some(lease(name, 100)),
        ..new_run(name)
    };
    store.create(new).await.unwrap();
    let append = Append {
        records: vec![Record { key: Some(name.to_owned()), body: json(text), ..record(1) }],
        ..Append::new(id(name), 1, 0, Time(20))
    };
    stored(&*store, append).await;
    let filter = Filter {
        workflow: Some(name.to_owned()),
        prefix: Some("it's \"".to_owned()),
        tag: Some((name.to_owned(), name.to_owned())),
        ..Filter::default()
    };
    assert_eq!(listed(&*store, &filter).await, [name]);
    assert_eq!(show(&*store, name).await.input.get(), text);
    let records = store.records(&id(name), 0, 9).await.unwrap();
    assert_eq!((records[0].key.as_deref(), records[0].body.get()), (Some(name), text));
}

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

/// Everything about one commit of one run.
pub async fn an_append_is_stored_as_a_whole(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    claim(&*store, "a", "one", 20).await;
    let append = Append {
        records: vec![record(1), Record { key: Some("key".to_owned()), ..record(2) }],
        events: vec![event(1), event(2), event(5)],
        status: Some(RunStatus::Waiting),
        outcome: Some(json("\"so far\"")),
        due: Some(Due::Idle { wake: Some(Time(90)) }),
        asked: vec![question(7, 30)],
        ..Append::new(id("a"), 1, 0, Time(30))
    };
    stored(&*store, append).await;
    let RunDetails { run, outcome, .. } = show(&*store, "a").await;
    let expected = StoredRun {
        status: RunStatus::Waiting,
        updated_at: Time(30),
        position: 2,
        last_event: 5,
        due: Due::Idle { wake: Some(Time(90)) },
        questions: vec![question(7, 30)],
        ..run.clone()
    };
    assert_eq!(run, expected);
    assert_eq!(outcome.unwrap().get(), "\"so far\"");
    let records = store.records(&id("a"), 0, 10).await.unwrap();
    assert_eq!(records[0].at, Time(101));
    assert_eq!(records[0].body.get(), "\"record 1\"");
    assert_eq!(records[1].key.as_deref(), Some("key"));
    let events = store.events(&id("a"), 0, 10).await.unwrap();
    assert_eq!(numbers(&events), [1, 2, 5]);
    assert_eq!((events[2].tick, events[2].at, events[2].body.get()), (50, Time(105), "\"event 5\""));

    // What is not mentioned stays as it is.
    stored(&*store, Append::new(id("a"), 1, 2, Time(31))).await;
    let after = show(&*store, "a").await;
    assert_eq!(after.run, StoredRun { updated_at: Time(31), ..expected });
    assert_eq!(after.outcome.unwrap().get(), "\"so far\"");
}

/// Each reason to refuse an append is told, and nothing of it is stored.
pub async fn an_append_that_is_refused_changes_nothing(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    create(&*store, "b").await;
    claim(&*store, "a", "one", 20).await;
    let keyed = |position, key: &str| Record { key: Some(key.to_owned()), ..record(position) };
    let first = Append {
        records: vec![keyed(1, "k")],
        events: vec![event(3)],
        ..Append::new(id("a"), 1, 0, Time(21))
    };
    stored(&*store, first).await;
    let of_b = put(&*store, "b", None).await;
    let waits = put(&*store, "a", None).await;
    let before = show(&*store, "a").await.run;

    // Each of them would change everything, were it not for one mistake.
    let good = Append {
        records: vec![record(2), record(3)],
        events: vec![event(4)],
        snapshot: Some(json("0")),
        taken: vec![Taken { message: waits, verdict: Verdict::Accepted }],
        status: Some(RunStatus::Failed),
        outcome: Some(json("0")),
        due: Some(Due::Aside),
        asked: vec![question(1, 22)],
        release: true,
        ..Append::new(id("a"), 1, 1, Time(22))
    };
    let run = id("a");
    let accepted = |message| Taken { message, verdict: Verdict::Accepted };
    let position = |given, next| Refusal::WrongPosition { run: id("a"), given, next };
    let number = |given, last| Refusal::WrongNumber { run: id("a"), given, last };
    let duplicate = |key: &str, position| Refusal::Duplicate { run: id("a"), key: key.to_owned(), position };
    let graph = |fingerprint: &str| Record { fingerprint: Some(fingerprint.to_owned()), ..record(3) };
    for (append, refusal) in [
        (Append { run: id("none"), ..good.clone() }, Refusal::NoSuchRun { run: id("none") }),
        (
            Append { epoch: 0, ..good.clone() },
            Refusal::Lost { run: run.clone(), epoch: 0, current: 1, owner: Some("one".to_owned()) },
        ),
        (Append { after: 0, ..good.clone() }, position(1, 2)),
        (Append { after: 2, ..good.clone() }, position(3, 2)),
        (Append { records: vec![record(3)], ..good.clone() }, position(3, 2)),
        (Append { records: vec![record(2), record(2)], ..good.clone() }, position(2, 3)),
        (Append { records: vec![record(2), record(4)], ..good.clone() }, position(4, 3)),
        (Append { events: vec![event(3)], ..good.clone() }, number(3, 3)),
        (Append { events: vec![event(5), event(5)], ..good.clone() }, number(5, 5)),
        (Append { records: vec![record(2), keyed(3, "k")], ..good.clone() }, duplicate("k", 1)),
        (Append { records: vec![keyed(2, "n"), keyed(3, "n")], ..good.clone() }, duplicate("n", 2)),
        (
            Append { records: vec![record(2), graph("none")], ..good.clone() },
            Refusal::NoSuchGraph { run: run.clone(), fingerprint: "none".to_owned() },
        ),
        (
            Append { taken: vec![accepted(waits), accepted(of_b)], ..good.clone() },
            Refusal::NotInInbox { run: run.clone(), message: of_b },
        ),
        (
            Append { taken: vec![accepted(waits), accepted(waits)], ..good.clone() },
            Refusal::NotInInbox { run: run.clone(), message: waits },
        ),
    ] {
        assert_eq!(refused(&*store, append).await, refusal);
        assert_eq!(show(&*store, "a").await.run, before);
    }
    assert!(show(&*store, "a").await.outcome.is_none());
    assert_eq!(positions(&store.records(&run, 0, 10).await.unwrap()), [1]);
    assert_eq!(numbers(&store.events(&run, 0, 10).await.unwrap()), [3]);
    assert!(matches!(store.verdict(&run, waits).await.unwrap(), Verdict::Pending));

    stored(&*store, good.clone()).await;
    // A verdict is given once.
    let epoch = claim(&*store, "a", "one", 23).await.run.epoch;
    let again = Append { taken: good.taken, ..Append::new(id("a"), epoch, 3, Time(24)) };
    assert_eq!(refused(&*store, again).await, Refusal::NotInInbox { run, message: waits });
}

/// What is refused does not keep the rest of a batch from being stored, and later items see earlier ones.
pub async fn each_item_of_a_batch_is_by_itself(store: Arc<dyn Store>) {
    for run in ["a", "b", "c"] {
        create(&*store, run).await;
        claim(&*store, run, "one", 20).await;
    }
    let one =
        |run, after| Append { records: vec![record(after + 1)], ..Append::new(id(run), 1, after, Time(21)) };
    let batch = vec![one("a", 0), one("b", 5), one("none", 0), one("a", 1), one("a", 1), one("c", 0)];
    let answers = store.append(batch).await.unwrap();
    let stored: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(stored, [true, false, false, true, false, true]);
    for (run, position) in [("a", 2), ("b", 0), ("c", 1)] {
        assert_eq!(show(&*store, run).await.run.position, position);
    }
    assert!(store.append(Vec::new()).await.unwrap().is_empty());
}

/// The key of a record is refused the second time, in that run.
pub async fn a_key_is_recorded_once(store: Arc<dyn Store>) {
    for run in ["a", "b"] {
        create(&*store, run).await;
        claim(&*store, run, "one", 20).await;
        let keyed = Record { key: Some("k".to_owned()), ..record(1) };
        stored(&*store, Append { records: vec![keyed], ..Append::new(id(run), 1, 0, Time(21)) }).await;
    }
    let again = Record { key: Some("k".to_owned()), ..record(2) };
    let again = Append { records: vec![again], ..Append::new(id("a"), 1, 1, Time(22)) };
    let duplicate = Refusal::Duplicate { run: id("a"), key: "k".to_owned(), position: 1 };
    assert_eq!(refused(&*store, again).await, duplicate);
}

/// Status and outcome change together, and the end of a run that goes on is forgotten.
pub async fn an_end_can_be_taken_back(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    claim(&*store, "a", "one", 20).await;
    let change = |status, outcome: Option<&str>, at| Append {
        status: Some(status),
        outcome: outcome.map(json),
        ..Append::new(id("a"), 1, 0, Time(at))
    };
    let shown = async || {
        let RunDetails { run, outcome, .. } = show(&*store, "a").await;
        (run.status, run.ended_at.map(|at| at.0), outcome.map(|outcome| outcome.get().to_owned()))
    };
    for status in RunStatus::ALL {
        stored(&*store, change(status, Some("1"), 30)).await;
        let ended_at = status.is_end().then_some(30);
        assert_eq!(shown().await, (status, ended_at, Some("1".to_owned())));
        stored(&*store, change(RunStatus::Running, None, 40)).await;
        assert_eq!(shown().await, (RunStatus::Running, None, None));
    }
}

/// Questions are there from when they are asked until they are closed, and runs are found by how long they wait.
pub async fn open_questions_are_listed(store: Arc<dyn Store>) {
    for run in ["a", "b", "c"] {
        create(&*store, run).await;
        claim(&*store, run, "one", 20).await;
    }
    let asked = |run, asked, at| Append { asked, ..Append::new(id(run), 1, 0, Time(at)) };
    let expires = OpenQuestion { expires_at: Some(Time(99)), ..question(2, 40) };
    stored(&*store, asked("a", vec![question(9, 30), expires.clone()], 40)).await;
    stored(&*store, asked("b", vec![question(1, 35)], 40)).await;
    assert_eq!(show(&*store, "a").await.run.questions, [expires.clone(), question(9, 30)]);
    let waiting = async |since| {
        listed(&*store, &Filter { waiting_since: Some(Time(since)), ..Filter::default() }).await
    };
    assert!(waiting(29).await.is_empty());
    assert_eq!(waiting(30).await, ["a"]);
    assert_eq!(waiting(35).await, ["a", "b"]);

    // A question that is asked again takes the place of the one before.
    let other = OpenQuestion { step: "other".to_owned(), ..question(2, 33) };
    let change = Append {
        asked: vec![other.clone()],
        closed: vec![RequestId(9), RequestId(1)],
        ..Append::new(id("a"), 1, 0, Time(41))
    };
    stored(&*store, change).await;
    assert_eq!(show(&*store, "a").await.run.questions, [other]);
    assert_eq!(waiting(33).await, ["a"]);
    assert!(waiting(32).await.is_empty());
    let close = Append { closed: vec![RequestId(2)], ..Append::new(id("a"), 1, 0, Time(42)) };
    stored(&*store, close).await;
    assert_eq!(waiting(99).await, ["b"]);
}

/// Whoever puts a message learns what became of it.
pub async fn a_message_is_put_and_decided_about(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    let (yes, no, later) =
        (put(&*store, "a", None).await, put(&*store, "a", None).await, put(&*store, "a", None).await);
    assert!(yes < no && no < later);
    claim(&*store, "a", "one", 20).await;
    assert_eq!(show(&*store, "a").await.run.messages, 3);
    let refused = Verdict::Refused { reason: json("{\"why\":1}") };
    let taken = vec![
        Taken { message: yes, verdict: Verdict::Accepted },
        Taken { message: no, verdict: refused },
        Taken { message: later, verdict: Verdict::Pending },
    ];
    stored(&*store, Append { taken, ..Append::new(id("a"), 1, 0, Time(30)) }).await;
    assert_eq!(show(&*store, "a").await.run.messages, 1);
    assert!(matches!(store.verdict(&id("a"), yes).await.unwrap(), Verdict::Accepted));
    match store.verdict(&id("a"), no).await.unwrap() {
        Verdict::Refused { reason } => assert_eq!(reason.get(), "{\"why\":1}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(store.verdict(&id("a"), later).await.unwrap(), Verdict::Pending));

    create(&*store, "b").await;
    for (run, message) in [("b", yes), ("a", MessageId(u64::MAX))] {
        let unknown = store.verdict(&id(run), message).await;
        assert!(matches!(unknown, Err(StoreError::NoSuchMessage { .. })), "{unknown:?}");
    }
    assert!(matches!(store.verdict(&id("c"), yes).await, Err(StoreError::NoSuchRun { .. })));
    let nobody = store.put(message("c", None)).await;
    assert!(matches!(nobody, Err(StoreError::NoSuchRun { run }) if run == id("c")));
}

/// However often a message is put, it is one, and the answer is what became of it.
pub async fn the_same_key_is_the_same_message(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    create(&*store, "b").await;
    let first = put(&*store, "a", Some("k")).await;
    match store.put(message("a", Some("k"))).await.unwrap() {
        Put::Known { message, verdict: Verdict::Pending } => assert_eq!(message, first),
        other => panic!("{other:?}"),
    }
    assert_ne!(put(&*store, "b", Some("k")).await, first);
    assert_ne!(put(&*store, "a", None).await, put(&*store, "a", None).await);
    assert_eq!(show(&*store, "a").await.run.messages, 3);

    claim(&*store, "a", "one", 20).await;
    let append = Append {
        records: vec![Record { key: Some("direct".to_owned()), ..record(1) }],
        taken: vec![Taken { message: first, verdict: Verdict::Refused { reason: json("0") } }],
        ..Append::new(id("a"), 1, 0, Time(30))
    };
    stored(&*store, append).await;
    match store.put(message("a", Some("k"))).await.unwrap() {
        Put::Known { message, verdict: Verdict::Refused { .. } } => assert_eq!(message, first),
        other => panic!("{other:?}"),
    }
    // What came another way than through the inbox has happened all the same.
    match store.put(message("a", Some("direct"))).await.unwrap() {
        Put::Recorded { position } => assert_eq!(position, 1),
        other => panic!("{other:?}"),
    }
    assert_eq!(show(&*store, "a").await.run.messages, 2);
}

/// The messages of all runs of an owner, oldest first, until they have a verdict.
pub async fn an_owner_sees_the_messages_of_its_runs(store: Arc<dyn Store>) {
    for (run, owner) in [("a", "one"), ("b", "one"), ("c", "two")] {
        create(&*store, run).await;
        claim(&*store, run, owner, 20).await;
    }
    let mut put_in = Vec::new();
    for run in ["b", "c", "a", "b"] {
        put_in.push(put(&*store, run, None).await);
    }
    let seen = async |limit| {
        let inbox = store.inbox("one", limit).await.unwrap();
        inbox.into_iter().map(|message| (message.run.to_string(), message.id)).collect::<Vec<_>>()
    };
    let (b, a) = ("b".to_owned(), "a".to_owned());
    let all = [(b.clone(), put_in[0]), (a, put_in[2]), (b, put_in[3])];
    assert_eq!(seen(10).await, all);
    assert_eq!(seen(10).await, all);
    assert_eq!(seen(2).await, all[..2]);
    let taken = vec![Taken { message: put_in[0], verdict: Verdict::Accepted }];
    stored(&*store, Append { taken, ..Append::new(id("b"), 1, 0, Time(30)) }).await;
    assert_eq!(seen(10).await, all[1..]);
    assert!(store.inbox("nobody", 10).await.unwrap().is_empty());
}

/// Pages go on where the one before ended.
pub async fn records_and_events_come_in_pages(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    create(&*store, "b").await;
    for run in ["a", "b"] {
        claim(&*store, run, "one", 20).await;
        let append = Append {
            records: (1..=5).map(record).collect(),
            events: [2, 4, 6, 8].map(event).into(),
            ..Append::new(id(run), 1, 0, Time(30))
        };
        stored(&*store, append).await;
    }
    let records = async |after, limit| positions(&store.records(&id("a"), after, limit).await.unwrap());
    assert_eq!(records(0, 2).await, [1, 2]);
    assert_eq!(records(2, 2).await, [3, 4]);
    assert_eq!(records(4, 2).await, [5]);
    assert!(records(5, 2).await.is_empty());
    assert!(records(u64::MAX, 2).await.is_empty());
    assert!(records(0, 0).await.is_empty());
    assert_eq!(records(3, usize::MAX).await, [4, 5]);
    let events = async |after, limit| numbers(&store.events(&id("a"), after, limit).await.unwrap());
    assert_eq!(events(0, 3).await, [2, 4, 6]);
    assert_eq!(events(3, usize::MAX).await, [4, 6, 8]);
    assert!(events(8, 1).await.is_empty());
    assert!(events(u64::MAX, 1).await.is_empty());
    assert!(matches!(store.records(&id("c"), 0, 1).await, Err(StoreError::NoSuchRun { .. })));
    assert!(matches!(store.events(&id("c"), 0, 1).await, Err(StoreError::NoSuchRun { .. })));
}

/// Pages cover every run once, in either order, while others come and go.
pub async fn runs_are_listed_in_pages(store: Arc<dyn Store>) {
    graphs(&*store).await;
    let mut all = Vec::new();
    for n in 0..10_u64 {
        // Several are created at the same time.
        let run = format!("run {n}");
        store.create(NewRun { at: Time(n / 3), ..new_run(&run) }).await.unwrap();
        all.push(run);
    }
    for limit in [1, 3, 10, 100, usize::MAX] {
        let mut reversed = all.clone();
        reversed.reverse();
        for (order, expected) in [(Order::OldestFirst, &all), (Order::NewestFirst, &reversed)] {
            let filter = Filter { order, ..Filter::default() };
            assert_eq!(pages(&*store, &filter, limit).await, *expected);
        }
    }

    let filter = Filter::default();
    let first = store.list(&filter, None, 4).await.unwrap();
    let next = first.next.unwrap();
    store.create(NewRun { at: Time(0), ..new_run("late") }).await.unwrap();
    // Also the one where the page ended.
    for run in &all[2..5] {
        assert!(store.delete(&id(run)).await.unwrap());
    }
    let next = store.list(&filter, Some(&Cursor::new(next.as_str())), 2).await.unwrap();
    assert_eq!(next.runs.iter().map(|run| run.run.to_string()).collect::<Vec<_>>(), all[5..7]);

    for text in ["", "x", "1", "1.x", "1.2.3"] {
        let bad = store.list(&filter, Some(&Cursor::new(text)), 2).await;
        assert!(matches!(bad, Err(StoreError::BadCursor { cursor }) if cursor == text));
    }
}

/// Each part of a filter, and all of them together.
pub async fn runs_are_found(store: Arc<dyn Store>) {
    graphs(&*store).await;
    for (n, (run, workflow, status)) in [
        ("order-1", "Flow", RunStatus::Completed),
        ("order-2", "Flow", RunStatus::Failed),
        ("order-10", "Other", RunStatus::Completed),
        ("Order-1", "Other", RunStatus::Waiting),
        ("order", "Flow", RunStatus::Blocked),
    ]
    .into_iter()
    .enumerate()
    {
        let at = Time(n as u64);
        let new = NewRun { workflow: workflow.to_owned(), at, lease: Some(lease("one", 99)), ..new_run(run) };
        store.create(new).await.unwrap();
        stored(&*store, Append { status: Some(status), ..Append::new(id(run), 1, 0, at) }).await;
    }
    let all = Filter::default();
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (all.clone(), &["order-1", "order-2", "order-10", "Order-1", "order"][..]),
        (Filter { workflow: text("Flow"), ..all.clone() }, &["order-1", "order-2", "order"]),
        (Filter { workflow: text("flow"), ..all.clone() }, &[]),
        (Filter { statuses: vec![RunStatus::Completed], ..all.clone() }, &["order-1", "order-10"]),
        (
            Filter { statuses: vec![RunStatus::Waiting, RunStatus::Failed], ..all.clone() },
            &["order-2", "Order-1"],
        ),
        (Filter { prefix: text("order-1"), ..all.clone() }, &["order-1", "order-10"]),
        (Filter { prefix: text("order-"), ..all.clone() }, &["order-1", "order-2", "order-10"]),
        (Filter { prefix: text("order_"), ..all.clone() }, &[]),
        (Filter { prefix: text("%"), ..all.clone() }, &[]),
        (Filter { prefix: text(""), statuses: vec![RunStatus::Blocked], ..all.clone() }, &["order"]),
        (
            Filter { created_from: Some(Time(1)), created_before: Some(Time(3)), ..all.clone() },
            &["order-2", "order-10"],
        ),
        (Filter { tag: Some(("run".to_owned(), "order-2".to_owned())), ..all.clone() }, &["order-2"]),
        (Filter { tag: Some(("run".to_owned(), "other".to_owned())), ..all.clone() }, &[]),
        (
            Filter {
                workflow: text("Other"),
                statuses: vec![RunStatus::Completed, RunStatus::Waiting],
                prefix: text("order-1"),
                created_from: Some(Time(2)),
                created_before: Some(Time(99)),
                tag: Some(("run".to_owned(), "order-10".to_owned())),
                ..all
            },
            &["order-10"],
        ),
    ] {
        assert_eq!(listed(&*store, &filter).await, expected, "{filter:?}");
        assert_eq!(pages(&*store, &filter, 1).await, expected, "{filter:?}");
    }
}

/// Nothing of a deleted run is left, and its id can be used again.
pub async fn a_deleted_run_is_gone(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    claim(&*store, "a", "one", 20).await;
    let append = Append {
        records: vec![Record { key: Some("k".to_owned()), ..record(1) }],
        events: vec![event(1)],
        snapshot: Some(json("0")),
        status: Some(RunStatus::Completed),
        outcome: Some(json("0")),
        asked: vec![question(1, 20)],
        ..Append::new(id("a"), 1, 0, Time(20))
    };
    stored(&*store, append.clone()).await;
    put(&*store, "a", Some("m")).await;
    assert!(store.delete(&id("a")).await.unwrap());
    assert!(!store.delete(&id("a")).await.unwrap());
    assert!(store.show(&id("a")).await.unwrap().is_none());
    assert!(listed(&*store, &Filter::default()).await.is_empty());
    assert_eq!(refused(&*store, append).await, Refusal::NoSuchRun { run: id("a") });
    assert!(store.inbox("one", 10).await.unwrap().is_empty());

    create(&*store, "a").await;
    let details = show(&*store, "a").await;
    assert!(details.outcome.is_none() && details.run.questions.is_empty());
    let history = claim(&*store, "a", "one", 20).await.history.unwrap();
    assert!(history.snapshot.is_none() && history.tail.is_empty() && history.inbox.is_empty());
    assert!(store.events(&id("a"), 0, 10).await.unwrap().is_empty());
    put(&*store, "a", Some("m")).await;
}

/// The last ones of each workflow are kept, and those that ended lately.
pub async fn completed_runs_are_kept_as_told(store: Arc<dyn Store>) {
    graphs(&*store).await;
    let fill = async || {
        for (workflow, letter) in [("Flow", "f"), ("Other", "o")] {
            for n in 1..=5 {
                // Those that were created first end last.
                let run = format!("{letter}{n}");
                ended(&*store, &run, workflow, RunStatus::Completed, 20 - n).await;
            }
        }
    };
    let left = async || listed(&*store, &Filter::default()).await;
    fill().await;
    assert_eq!(store.retain(&Retention::keep_last(5)).await.unwrap(), 0);
    assert_eq!(store.retain(&Retention::keep_last(2)).await.unwrap(), 6);
    assert_eq!(left().await, ["f1", "f2", "o1", "o2"]);
    assert_eq!(store.retain(&Retention::ended_from(Time(19))).await.unwrap(), 2);
    assert_eq!(left().await, ["f1", "o1"]);

    let all = Retention { workflow: Some("Flow".to_owned()), ..Retention::keep_last(0) };
    assert_eq!(store.retain(&all).await.unwrap(), 1);
    assert_eq!(left().await, ["o1"]);
    assert_eq!(store.retain(&Retention::keep_last(0)).await.unwrap(), 1);

    fill().await;
    // Either rule keeps: the last two, and those since 17, which are three.
    let either = Retention { ended_from: Some(Time(17)), ..Retention::keep_last(2) };
    assert_eq!(store.retain(&Retention { most: 3, ..either.clone() }).await.unwrap(), 3);
    assert_eq!(store.retain(&either).await.unwrap(), 1);
    assert_eq!(left().await, ["f1", "f2", "f3", "o1", "o2", "o3"]);
    let either = Retention { ended_from: Some(Time(19)), ..Retention::keep_last(2) };
    assert_eq!(store.retain(&either).await.unwrap(), 2);
    // The oldest go first.
    assert_eq!(store.retain(&Retention { most: 1, ..Retention::keep_last(0) }).await.unwrap(), 1);
    assert_eq!(left().await, ["f1", "o1", "o2"]);
}

/// Only completed runs are deleted, unless the others that have ended are meant as well; never one that has not.
pub async fn runs_that_can_go_on_are_kept(store: Arc<dyn Store>) {
    graphs(&*store).await;
    for status in RunStatus::ALL {
        ended(&*store, status.name(), "Flow", status, 20).await;
    }
    // Somebody goes on with this one.
    ended(&*store, "resumed", "Flow", RunStatus::Failed, 20).await;
    claim(&*store, "resumed", "one", 21).await;
    let left = async || listed(&*store, &Filter::default()).await.len();
    assert_eq!(store.retain(&Retention::keep_last(0)).await.unwrap(), 1);
    assert!(store.show(&id("completed")).await.unwrap().is_none());
    assert_eq!(left().await, 9);
    assert_eq!(store.retain(&Retention { resumable: true, ..Retention::keep_last(0) }).await.unwrap(), 4);
    let mut kept = listed(&*store, &Filter::default()).await;
    kept.sort();
    assert_eq!(kept, ["blocked", "new", "resumed", "running", "waiting"]);
}

/// A fork has what happened up to a position, and goes its own way.
pub async fn a_fork_shares_nothing(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    claim(&*store, "a", "one", 20).await;
    let change = |position| Record { fingerprint: Some("g2".to_owned()), ..record(position) };
    let first = Append {
        records: vec![Record { key: Some("k".to_owned()), ..record(1) }, record(2)],
        events: vec![event(1), event(2), event(3)],
        snapshot: Some(json("\"after 2\"")),
        ..Append::new(id("a"), 1, 0, Time(21))
    };
    let second = Append {
        records: vec![record(3), change(4), record(5)],
        events: vec![event(4)],
        status: Some(RunStatus::Completed),
        outcome: Some(json("0")),
        asked: vec![question(1, 22)],
        due: Some(Due::Aside),
        ..Append::new(id("a"), 1, 2, Time(22))
    };
    stored(&*store, first).await;
    stored(&*store, second).await;
    put(&*store, "a", None).await;
    let before = show(&*store, "a").await.run;

    let fork = |run: &str, position, events| Fork {
        from: id("a"),
        position,
        events,
        run: id(run),
        at: Time(40),
        due: Due::Now,
    };
    for (position, events, snapshot, fingerprint, copied) in [
        (0, 0, false, "g1", vec![]),
        (1, 2, false, "g1", vec![1, 2]),
        (3, 3, true, "g1", vec![1, 2, 3]),
        (5, u64::MAX, true, "g2", vec![1, 2, 3, 4]),
    ] {
        let run = format!("fork {position}");
        store.fork_after(fork(&run, position, events)).await.unwrap();
        let RunDetails { run: stored, input, outcome } = show(&*store, &run).await;
        let expected = StoredRun {
            run: id(&run),
            fingerprint: fingerprint.to_owned(),
            status: if position == 0 { RunStatus::New } else { RunStatus::Running },
            created_at: Time(40),
            updated_at: Time(40),
            ended_at: None,
            position,
            last_event: copied.last().copied().unwrap_or(0),
            forked_from: Some((id("a"), position)),
            epoch: 0,
            lease: None,
            due: Due::Now,
            messages: 0,
            questions: Vec::new(),
            ..before.clone()
        };
        assert_eq!(stored, expected);
        assert_eq!(input.get(), r#"{"of": "a"}"#);
        assert!(outcome.is_none());
        assert_eq!(numbers(&store.events(&id(&run), 0, 10).await.unwrap()), copied);
        let records = store.records(&id(&run), 0, 10).await.unwrap();
        assert_eq!(positions(&records), (1..=position).collect::<Vec<_>>());
        assert_eq!(records.first().and_then(|record| record.key.as_deref()), (position > 0).then_some("k"));
        let history = claim(&*store, &run, "two", 50).await.history.unwrap();
        assert_eq!(history.snapshot.is_some(), snapshot);
        // Neither snapshot was taken after the change.
        assert_eq!(history.fingerprint, "g1");
        assert!(history.inbox.is_empty());
    }

    // What happens in one does not happen in the other.
    let append = Append { records: vec![record(2)], ..Append::new(id("fork 1"), 1, 1, Time(51)) };
    stored(&*store, append).await;
    assert_eq!(show(&*store, "a").await.run, before);
    assert!(store.delete(&id("a")).await.unwrap());
    assert_eq!(positions(&store.records(&id("fork 5"), 0, 10).await.unwrap()), [1, 2, 3, 4, 5]);

    assert!(matches!(store.fork_after(fork("b", 0, 0)).await, Err(StoreError::NoSuchRun { .. })));
    let fork = |run: &str, position| Fork { from: id("fork 1"), ..fork(run, position, 0) };
    let taken = store.fork_after(fork("fork 0", 1)).await;
    assert!(matches!(taken, Err(StoreError::RunExists { run }) if run == id("fork 0")));
    let beyond = store.fork_after(fork("b", 3)).await;
    assert!(matches!(beyond, Err(StoreError::NoSuchPosition { position: 3, last: 2, .. })));
}

/// Whoever watches is woken by what concerns him; what happened before it was watched is not told.
pub async fn changes_are_told(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    let mut one = store.watch(Interest::Run(id("a")));
    let mut work = store.watch(Interest::Work);
    let mut anything = store.watch(Interest::Anything);

    claim(&*store, "a", "one", 20).await;
    one.changed().await.unwrap();
    stored(&*store, Append { records: vec![record(1)], ..Append::new(id("a"), 1, 0, Time(21)) }).await;
    one.changed().await.unwrap();
    anything.changed().await.unwrap();

    let message = put(&*store, "a", None).await;
    one.changed().await.unwrap();
    work.changed().await.unwrap();
    let taken = vec![Taken { message, verdict: Verdict::Accepted }];
    stored(&*store, Append { taken, release: true, ..Append::new(id("a"), 1, 1, Time(22)) }).await;
    one.changed().await.unwrap();
    work.changed().await.unwrap();
    create(&*store, "b").await;
    work.changed().await.unwrap();
    claim(&*store, "b", "one", 30).await;
    assert_eq!(store.leave("one").await.unwrap(), 1);
    work.changed().await.unwrap();
    assert!(store.delete(&id("a")).await.unwrap());
    one.changed().await.unwrap();
}

// What the tests are made of.

fn id(run: &str) -> RunId {
    RunId::from(run)
}

fn json(text: &str) -> Json {
    serde_json::value::RawValue::from_string(text.to_owned()).unwrap()
}

fn lease(owner: &str, until: u64) -> Lease {
    Lease { owner: owner.to_owned(), until: Time(until) }
}

fn new_run(run: &str) -> NewRun {
    NewRun {
        run: id(run),
        workflow: "Flow".to_owned(),
        fingerprint: "g1".to_owned(),
        input: json(&format!(r#"{{"of": {run:?}}}"#)),
        input_key: run.to_owned(),
        at: Time(10),
        due: Due::Now,
        tags: BTreeMap::from([("run".to_owned(), run.to_owned())]),
        lease: None,
    }
}

fn record(position: u64) -> Record {
    let body = json(&format!("\"record {position}\""));
    Record { position, at: Time(100 + position), key: None, fingerprint: None, body }
}

fn event(number: u64) -> StoredEvent {
    let body = json(&format!("\"event {number}\""));
    StoredEvent { number, tick: number * 10, at: Time(100 + number), body }
}

fn question(request: u64, asked_at: u64) -> OpenQuestion {
    OpenQuestion {
        request: RequestId(request),
        step: "ask".to_owned(),
        prompt: json("{\"may\": \"I\"}"),
        asked_at: Time(asked_at),
        expires_at: None,
    }
}

fn message(run: &str, key: Option<&str>) -> NewMessage {
    NewMessage {
        run: id(run),
        kind: "signal".to_owned(),
        key: key.map(str::to_owned),
        at: Time(15),
        body: json("\"hello\""),
    }
}

async fn graphs(store: &dyn Store) {
    for fingerprint in ["g1", "g2"] {
        store.put_graph(fingerprint, json("\"graph\"")).await.unwrap();
    }
}

async fn create(store: &dyn Store, run: &str) {
    graphs(store).await;
    let created = store.create(new_run(run)).await.unwrap();
    assert!(matches!(created, Created::New { epoch: 0 }), "{created:?}");
}

/// Claims a run for 100 ms.
async fn claim(store: &dyn Store, run: &str, owner: &str, now: u64) -> Claimed {
    match store.claim(&id(run), lease(owner, now + 100), Time(now)).await.unwrap() {
        Claim::Claimed(claimed) => *claimed,
        Claim::Held(lease) => panic!("{run} is held: {lease:?}"),
    }
}

/// Claims what is due in `Flow`.
async fn due(store: &dyn Store, most: usize, owner: &str, now: u64) -> Vec<String> {
    names(&store.claim_due(&["Flow"], most, lease(owner, now + 100), Time(now)).await.unwrap())
}

async fn stored(store: &dyn Store, append: Append) {
    assert_eq!(store.append(vec![append]).await.unwrap(), [Ok(())]);
}

async fn refused(store: &dyn Store, append: Append) -> Refusal {
    store.append(vec![append]).await.unwrap().remove(0).unwrap_err()
}

async fn put(store: &dyn Store, run: &str, key: Option<&str>) -> MessageId {
    match store.put(message(run, key)).await.unwrap() {
        Put::New { message } => message,
        other => panic!("{other:?}"),
    }
}

/// A run that nobody owns and that has come so far at a time.
async fn ended(store: &dyn Store, run: &str, workflow: &str, status: RunStatus, at: u64) {
    let new = NewRun { workflow: workflow.to_owned(), lease: Some(lease("one", 100)), ..new_run(run) };
    store.create(new).await.unwrap();
    let end = Append { status: Some(status), release: true, ..Append::new(id(run), 1, 0, Time(at)) };
    stored(store, end).await;
}

async fn show(store: &dyn Store, run: &str) -> RunDetails {
    store.show(&id(run)).await.unwrap().unwrap()
}

async fn listed(store: &dyn Store, filter: &Filter) -> Vec<String> {
    pages(store, filter, 1_000).await
}

async fn pages(store: &dyn Store, filter: &Filter, limit: usize) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = None;
    loop {
        let page = store.list(filter, next.as_ref(), limit).await.unwrap();
        assert!(page.runs.len() <= limit);
        names.extend(page.runs.into_iter().map(|run| run.run.to_string()));
        match page.next {
            Some(cursor) => next = Some(cursor),
            None => return names,
        }
    }
}

fn names(claimed: &[Claimed]) -> Vec<String> {
    claimed.iter().map(|claimed| claimed.run.run.to_string()).collect()
}

fn positions(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.position).collect()
}

fn numbers(events: &[StoredEvent]) -> Vec<u64> {
    events.iter().map(|event| event.number).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_test_is_left_out() {
        let source = include_str!("contract.rs");
        let listed = |name: &str| source.lines().any(|line| line.trim() == format!("{name},"));
        let tests: Vec<_> = source
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split_once('('))
            .map(|(name, _)| name)
            .collect();
        assert!(tests.len() > 30);
        let left_out: Vec<_> = tests.into_iter().filter(|name| !listed(name)).collect();
        assert!(left_out.is_empty(), "{left_out:?}");
    }
}
