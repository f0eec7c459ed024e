//! A store that fails, is slow, or gives the run to somebody else: what could not be stored is told to who waits for it,
//! was never shown, and the run goes on from what is stored.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::Notify;
use workflow_runtime::prelude::*;
use workflow_runtime::store::{Claim, Due, Fork, Interest, Lease, RunStatus, Store, StoreError};
use workflow_runtime::{NotStored, RequestId, RespondError, Runner, RunnerError, Time};
use workflow_store::SqliteStore;

use crate::between::{Asked, Between, Hooks, Waiting};
use crate::flows::{Sum, Sure, hosting, soon};

/// What goes wrong, and when.
#[derive(Debug, Default)]
struct Trouble {
    /// How often the store was asked to append.
    appends: u64,
    /// Which time it fails, and how.
    fails: Option<(u64, Fault)>,
    /// Whether it has failed.
    failed: bool,
    /// What is stopped when it is asked next, before or after it is done.
    stops: VecDeque<(Point, Arc<Halt>)>,
    /// Everything takes a while, and fails now and then: one time in so many.
    dice: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Busy,
    Full,
    Io,
    /// It is stored, and nobody can tell.
    IoAfterwards,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    Before(Kind),
    After(Kind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Append,
    Claim,
    ClaimDue,
    Inbox,
}

/// A call that was stopped.
#[derive(Debug, Default)]
pub struct Halt {
    pub reached: Notify,
    pub goes_on: Notify,
    fails: Mutex<Option<StoreError>>,
}

#[derive(Debug, Default)]
pub struct Faults(Mutex<Trouble>);

pub fn made_up() -> Arc<io::Error> {
    Arc::new(io::Error::other("made up"))
}

impl Halt {
    /// Lets the call go on, and fail.
    pub fn fail(&self, error: StoreError) {
        *self.fails.lock().unwrap() = Some(error);
        self.goes_on.notify_one();
    }
}

impl Fault {
    fn error(self) -> StoreError {
        match self {
            Self::Busy => StoreError::Busy { source: made_up() },
            Self::Full => StoreError::Full { source: made_up() },
            Self::Io | Self::IoAfterwards => StoreError::Io { source: made_up() },
        }
    }

    fn is(self, error: &StoreError) -> bool {
        match self {
            Self::Busy => matches!(error, StoreError::Busy { .. }),
            Self::Full => matches!(error, StoreError::Full { .. }),
            Self::Io | Self::IoAfterwards => matches!(error, StoreError::Io { .. }),
        }
    }
}

fn kind(asked: Asked) -> Option<Kind> {
    Some(match asked {
        Asked::Append(_) => Kind::Append,
        Asked::Claim => Kind::Claim,
        Asked::ClaimDue => Kind::ClaimDue,
        Asked::Inbox => Kind::Inbox,
        _ => return None,
    })
}

impl Faults {
    pub fn fail(&self, at: u64, fault: Fault) {
        self.0.lock().unwrap().fails = Some((at, fault));
    }

    /// Stops the next call of that kind there.
    pub fn stop(&self, point: Point) -> Arc<Halt> {
        let stop = Arc::new(Halt::default());
        self.0.lock().unwrap().stops.push_back((point, Arc::clone(&stop)));
        stop
    }

    pub fn failed(&self) -> bool {
        self.0.lock().unwrap().failed
    }

    fn stopped(&self, point: Option<Point>) -> Option<Arc<Halt>> {
        let mut trouble = self.0.lock().unwrap();
        let at = trouble.stops.iter().position(|(stop, _)| Some(*stop) == point)?;
        trouble.stops.remove(at).map(|(_, stop)| stop)
    }

    async fn pass(&self, point: Option<Point>) -> Result<(), StoreError> {
        let dice = {
            let mut trouble = self.0.lock().unwrap();
            trouble.dice.as_mut().map(|(state, one_in)| (roll(state), *one_in))
        };
        if let Some((number, one_in)) = dice {
            tokio::time::sleep(Duration::from_micros(number % 1_500)).await;
            if number / 7 % one_in == 0 {
                return Err(if number % 2 == 0 { Fault::Busy } else { Fault::Io }.error());
            }
        }
        let Some(stop) = self.stopped(point) else { return Ok(()) };
        stop.reached.notify_one();
        stop.goes_on.notified().await;
        let fails = stop.fails.lock().unwrap().take();
        fails.map_or(Ok(()), Err)
    }
}

fn roll(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

impl Hooks for Faults {
    fn before(&self, asked: Asked) -> Waiting<'_> {
        Box::pin(async move {
            if let Asked::Append(_) = asked {
                let mut trouble = self.0.lock().unwrap();
                trouble.appends += 1;
                let now = |fault: &Fault| *fault != Fault::IoAfterwards;
                if let Some((_, fault)) =
                    trouble.fails.filter(|(at, fault)| *at == trouble.appends && now(fault))
                {
                    trouble.failed = true;
                    return Err(fault.error());
                }
            }
            self.pass(kind(asked).map(Point::Before)).await
        })
    }

    fn after(&self, asked: Asked) -> Waiting<'_> {
        Box::pin(async move {
            if let Asked::Append(_) = asked {
                let mut trouble = self.0.lock().unwrap();
                let at = trouble.appends;
                if trouble.fails == Some((at, Fault::IoAfterwards)) {
                    trouble.failed = true;
                    return Err(Fault::IoAfterwards.error());
                }
            }
            self.pass(kind(asked).map(Point::After)).await
        })
    }
}

/// A store, and the same one with somebody in between.
pub async fn faulty() -> (Arc<dyn Store>, Arc<Between<Faults>>) {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().await.unwrap());
    let between = Between::new(Arc::clone(&store), Faults::default());
    (store, between)
}

async fn host(flow: &Sum, store: Arc<dyn Store>, owner: &str, lease: Duration) -> Runner {
    hosting(flow, &store).owner(owner).lease(lease).start().await.unwrap()
}

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

async fn asked(run: &Run<Sum>) -> Option<Ask<Sure>> {
    let mut events = run.events();
    while let Some(event) = soon(events.next()).await {
        if let Some(ask) = event.unwrap().ask::<Sure>() {
            return Some(ask);
        }
    }
    None
}

/// The events of a run as they were shown, until it ends.
fn shown(run: &Run<Sum>) -> tokio::task::JoinHandle<BTreeMap<u64, serde_json::Value>> {
    let mut events = run.events();
    tokio::spawn(async move {
        let mut shown = BTreeMap::new();
        while let Some(event) = soon(events.next()).await {
            let event = event.unwrap();
            shown.insert(event.number, serde_json::to_value(&event).unwrap());
        }
        shown
    })
}

/// What was shown is stored, but for the news that something could not be.
async fn is_stored(store: &Arc<dyn Store>, run: &str, shown: BTreeMap<u64, serde_json::Value>) {
    let stored = store.events(&RunId::from(run), 0, 10_000).await.unwrap();
    let stored: BTreeMap<u64, serde_json::Value> =
        stored.iter().map(|it| (it.number, serde_json::from_str(it.body.get()).unwrap())).collect();
    for (number, event) in shown {
        // Whoever comes when a run has its output is told that only.
        let late = event["type"] == "completed" && event["output"] == stored[&number]["output"];
        if !late && event["error"]["type"] != "not_stored" {
            assert_eq!(Some(&event), stored.get(&number), "event {number} was shown");
        }
    }
}

async fn records(store: &Arc<dyn Store>, run: &str) -> Vec<serde_json::Value> {
    let records = store.records(&RunId::from(run), 0, 10_000).await.unwrap();
    records.iter().map(|record| serde_json::from_str(record.body.get()).unwrap()).collect()
}

async fn status(store: &Arc<dyn Store>, run: &str) -> RunStatus {
    store.show(&RunId::from(run)).await.unwrap().unwrap().run.status
}

/// Waits until the store says that of a run.
async fn stands(
    store: &Arc<dyn Store>,
    run: &str,
    what: impl Fn(&workflow_runtime::store::StoredRun) -> bool,
) {
    let run = RunId::from(run);
    let mut watch = store.watch(Interest::Run(run.clone()));
    soon(async {
        while store.show(&run).await.unwrap().is_none_or(|it| !what(&it.run)) {
            watch.changed().await.unwrap();
        }
    })
    .await;
}

/// Fails at the first append, the second and so on, each time in a new store.
async fn fails_at_every_append(fault: Fault) {
    for at in 1.. {
        let flow = Sum::default();
        flow.failures.store(1, std::sync::atomic::Ordering::SeqCst);
        let (store, between) = faulty().await;
        between.hooks.fail(at, fault);
        let runner = host(&flow, between.clone(), "one", Duration::from_secs(30)).await;
        let mut told = 0;
        let is_told = |why: &NotStored| match why {
            NotStored::Store(error) => assert!(fault.is(error), "{error:?}"),
            // What came after it does not fit any more.
            other => panic!("{fault:?} at {at}: {other:?}"),
        };
        let output = loop {
            let run = match soon(runner.start::<Sum>("sum", 3)).await {
                Ok(run) => run,
                Err(RunnerError::NotStored(why)) => {
                    is_told(&why);
                    told += 1;
                    continue;
                }
                Err(error) => panic!("{fault:?} at {at}: {error:?}"),
            };
            let shown = shown(&run);
            if let Some(ask) = asked(&run).await {
                match soon(run.respond(&ask, true)).await {
                    Ok(()) => {}
                    Err(RespondError::NotStored { why, .. }) => {
                        is_told(&why);
                        told += 1;
                    }
                    // The failure came before the answer, or the answer was stored and nobody could tell.
                    Err(RespondError::Ended { .. } | RespondError::NotOpen { .. }) => {}
                    Err(error) => panic!("{fault:?} at {at}: {error:?}"),
                }
            }
            let ended = soon(&run).await;
            is_stored(&store, "sum", soon(shown).await.unwrap()).await;
            match ended {
                Ok(output) => break output,
                Err(RunError::NotStored { why, .. }) => {
                    is_told(&why);
                    told += 1;
                }
                Err(error) => panic!("{fault:?} at {at}: {error:?}"),
            }
        };
        assert_eq!(output, "3 true 3", "{fault:?} at {at}");
        assert_eq!(status(&store, "sum").await, RunStatus::Completed);
        let records = records(&store, "sum").await;
        let count = |kind: &str| records.iter().filter(|it| it["tick"].get(kind).is_some()).count();
        assert_eq!((count("started"), count("finished"), count("answered")), (1, 7, 1), "{fault:?} at {at}");
        soon(runner.shutdown(Duration::ZERO)).await;
        if !between.hooks.failed() {
            // Commits of one moment share an append, so there are not always as many.
            assert!(at > 5, "it was hardly ever asked to append");
            return;
        }
        assert!(told > 0, "{fault:?} at {at} was told to nobody");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_store_is_told_to_who_waits_and_the_run_goes_on_from_what_is_stored() {
    fails_at_every_append(Fault::Busy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_store_is_told_to_who_waits_and_the_run_goes_on_from_what_is_stored() {
    fails_at_every_append(Fault::Full).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_cannot_write_is_told_to_who_waits_and_the_run_goes_on_from_what_is_stored() {
    fails_at_every_append(Fault::Io).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_stored_although_the_store_could_not_tell_counts() {
    fails_at_every_append(Fault::IoAfterwards).await;
}

#[tokio::test]
async fn an_answer_is_seen_by_nobody_before_it_is_stored() {
    let flow = Sum::default();
    let (store, between) = faulty().await;
    let runner = host(&flow, between.clone(), "one", Duration::from_secs(30)).await;
    let run = runner.start::<Sum>("sum", 3).await.unwrap();
    let ask = asked(&run).await.unwrap();
    let shown = shown(&run);
    let stop = between.hooks.stop(Point::Before(Kind::Append));
    let responding = {
        let (run, ask) = (run.clone(), ask.clone());
        tokio::spawn(async move { run.respond(&ask, true).await })
    };
    soon(stop.reached.notified()).await;
    // Everything that could happen now has time to.
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!responding.is_finished());
    assert_eq!(flow.log.count("end"), 0, "no step starts on an answer that is not stored");
    stop.fail(Fault::Full.error());
    let refused = soon(responding).await.unwrap().unwrap_err();
    assert!(
        matches!(&refused, RespondError::NotStored { why: NotStored::Store(StoreError::Full { .. }), .. }),
        "{refused:?}"
    );
    let ended = soon(&run).await.unwrap_err();
    assert!(matches!(&ended, RunError::NotStored { why: NotStored::Store(_), .. }), "{ended:?}");
    let shown = soon(shown).await.unwrap();
    assert!(shown.values().all(|event| event["type"] != "input_received"), "{shown:?}");
    let last = shown.values().last().unwrap();
    assert_eq!((&last["type"], &last["error"]["type"]), (&"failed".into(), &"not_stored".into()));
    is_stored(&store, "sum", shown).await;

    let run = soon(runner.attach::<Sum>("sum")).await.unwrap();
    run.respond(&ask, false).await.unwrap();
    assert_eq!(soon(run).await.unwrap(), "3 false 3");
}

#[tokio::test]
async fn who_waits_for_a_run_learns_that_somebody_else_has_it() {
    let flow = Sum::default();
    let (store, between) = faulty().await;
    let runner = host(&flow, between, "one", Duration::from_millis(60)).await;
    let run = runner.start::<Sum>("sum", 3).await.unwrap();
    let ask = asked(&run).await.unwrap();
    // As if this process had slept for long.
    let later = Lease { owner: "two".to_owned(), until: Time(u64::MAX / 4) };
    let claim = store.claim(run.id(), later, Time(u64::MAX / 8)).await.unwrap();
    assert!(matches!(claim, Claim::Claimed(_)));
    let ended = soon(&run).await.unwrap_err();
    assert!(matches!(&ended, RunError::NotStored { why: NotStored::TakenOver, .. }), "{ended:?}");
    let refused = run.respond(&ask, true).await.unwrap_err();
    assert!(matches!(refused, RespondError::Ended { .. }), "{refused:?}");
    let held = soon(runner.attach::<Sum>("sum")).await.unwrap_err();
    assert!(matches!(&held, RunnerError::HeldElsewhere { owner, .. } if owner == "two"), "{held:?}");
    store.leave("two").await.unwrap();
    let run = soon(runner.attach::<Sum>("sum")).await.unwrap();
    run.respond(&ask, true).await.unwrap();
    assert_eq!(soon(run).await.unwrap(), "3 true 3");
}

#[tokio::test]
async fn who_answers_a_run_that_somebody_else_has_is_told_so() {
    let flow = Sum::default();
    let (store, between) = faulty().await;
    let runner = host(&flow, between, "one", Duration::from_secs(30)).await;
    let run = runner.start::<Sum>("sum", 3).await.unwrap();
    let ask = asked(&run).await.unwrap();
    let later = Lease { owner: "two".to_owned(), until: Time(u64::MAX / 4) };
    store.claim(run.id(), later, Time(u64::MAX / 8)).await.unwrap();
    let refused = soon(run.respond(&ask, true)).await.unwrap_err();
    assert!(matches!(&refused, RespondError::NotStored { why: NotStored::Refused(_), .. }), "{refused:?}");
    assert!(matches!(soon(&run).await, Err(RunError::NotStored { .. })));
    assert_eq!(flow.log.count("end"), 0);
}

#[tokio::test]
async fn a_run_that_ends_while_it_is_claimed_is_not_begun_anew() {
    let flow = Sum::default();
    let (store, between) = faulty().await;
    let one = host(&flow, Arc::clone(&store), "one", Duration::from_secs(30)).await;
    let two = host(&flow, between.clone(), "two", Duration::from_secs(30)).await;
    let run = one.start::<Sum>("sum", 3).await.unwrap();
    let ask = asked(&run).await.unwrap();
    let stop = between.hooks.stop(Point::Before(Kind::Claim));
    let attaching = tokio::spawn(async move { two.attach::<Sum>("sum").await });
    soon(stop.reached.notified()).await;
    run.respond(&ask, true).await.unwrap();
    assert_eq!(soon(run).await.unwrap(), "3 true 3");
    stop.goes_on.notify_one();
    let run = soon(attaching).await.unwrap().unwrap();
    assert_eq!(soon(run).await.unwrap(), "3 true 3");
    assert_eq!(flow.log.count("split"), 1);
    let started =
        records(&store, "sum").await.iter().filter(|it| it["tick"].get("started").is_some()).count();
    assert_eq!(started, 1);
    assert_eq!(store.show(&RunId::from("sum")).await.unwrap().unwrap().run.lease, None);
}

#[tokio::test]
async fn who_attaches_while_the_run_is_on_its_way_gets_the_one_that_comes() {
    let flow = Sum::default();
    let (store, between) = faulty().await;
    let one = host(&flow, Arc::clone(&store), "one", Duration::from_secs(30)).await;
    let ask = asked(&one.start::<Sum>("sum", 3).await.unwrap()).await.unwrap();
    soon(one.shutdown(Duration::ZERO)).await;
    let stop = between.hooks.stop(Point::After(Kind::ClaimDue));
    let two = host(&flow, between.clone(), "two", Duration::from_secs(30)).await;
    soon(stop.reached.notified()).await;
    let attaching = {
        let two = two.clone();
        tokio::spawn(async move { two.attach::<Sum>("sum").await })
    };
    tokio::time::sleep(Duration::from_millis(20)).await;
    stop.goes_on.notify_one();
    let run = soon(attaching).await.unwrap().unwrap();
    let epoch = store.show(run.id()).await.unwrap().unwrap().run.epoch;
    run.respond(&ask, true).await.unwrap();
    assert_eq!(soon(run).await.unwrap(), "3 true 3");
    assert_eq!(epoch, 2, "it was claimed once by each");
}

#[tokio::test]
async fn a_message_that_comes_while_its_run_is_loaded_does_not_wait_for_the_next_look() {
    let flow = Sum::default();
    let (store, between) = faulty().await;
    let runner = host(&flow, between.clone(), "one", Duration::from_secs(60)).await;
    let run = runner.start::<Sum>("sum", 3).await.unwrap();
    let ask = asked(&run).await.unwrap();
    drop(run);
    stands(&store, "sum", |run| run.lease.is_none()).await;
    let stop = between.hooks.stop(Point::After(Kind::Claim));
    let attaching = {
        let runner = runner.clone();
        tokio::spawn(async move { runner.attach::<Sum>("sum").await })
    };
    soon(stop.reached.notified()).await;
    let answering = {
        let runner = runner.clone();
        tokio::spawn(async move { runner.respond_json("sum", ask.id, &json("true"), Some("once")).await })
    };
    // The message is put, and looked for in vain.
    stands(&store, "sum", |run| run.messages == 1).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    stop.goes_on.notify_one();
    let run = soon(attaching).await.unwrap().unwrap();
    soon(answering).await.unwrap().unwrap();
    assert_eq!(soon(run).await.unwrap(), "3 true 3");
}

#[tokio::test]
async fn a_message_that_is_found_twice_is_decided_about_once() {
    let flow = Sum::default();
    let (store, between) = faulty().await;
    let runner = host(&flow, between.clone(), "one", Duration::from_secs(60)).await;
    let run = runner.start::<Sum>("sum", 3).await.unwrap();
    let ask = asked(&run).await.unwrap();
    let stop = between.hooks.stop(Point::After(Kind::Inbox));
    let answering = {
        let runner = runner.clone();
        tokio::spawn(async move { runner.respond_json("sum", ask.id, &json("true"), Some("once")).await })
    };
    // It is brought once now, and once more by whoever has read the inbox before that.
    soon(stop.reached.notified()).await;
    stop.goes_on.notify_one();
    soon(answering).await.unwrap().unwrap();
    assert_eq!(soon(run).await.unwrap(), "3 true 3");
    assert_eq!(store.show(&RunId::from("sum")).await.unwrap().unwrap().run.messages, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_end_as_they_should_in_a_store_that_is_slow_and_fails_now_and_then() {
    for seed in 0..4 {
        let flow = Sum::default();
        let (store, between) = faulty().await;
        between.hooks.0.lock().unwrap().dice = Some((seed, 25));
        let builder =
            || hosting(&flow, &(between.clone() as Arc<dyn Store>)).lease(Duration::from_millis(300));
        let runner = soon(async {
            loop {
                match builder().start().await {
                    Ok(runner) => return runner,
                    Err(error) => assert!(matches!(error, RunnerError::Store(_)), "{error:?}"),
                }
            }
        })
        .await;
        let mut runs = tokio::task::JoinSet::new();
        for n in 0..12_u32 {
            let runner = runner.clone();
            runs.spawn(soon(async move { (n, to_the_end(&runner, &format!("sum-{n}"), n).await) }));
        }
        while let Some(ended) = runs.join_next().await {
            let (n, output) = ended.unwrap();
            assert_eq!(output, format!("{} true {n}", (0..n).sum::<u32>()), "seed {seed}");
        }
        for n in 0..12_u32 {
            let records = records(&store, &format!("sum-{n}")).await;
            let finished: Vec<_> =
                records.iter().filter_map(|it| it["tick"].get("finished")?["invocation"].as_u64()).collect();
            assert_eq!(finished.len(), finished.iter().collect::<std::collections::BTreeSet<_>>().len());
            assert_eq!(finished.len(), n as usize + 4);
        }
        soon(runner.shutdown(Duration::ZERO)).await;
    }
}

/// Does all that a patient caller does.
async fn to_the_end(runner: &Runner, id: &str, n: u32) -> String {
    loop {
        let run = match runner.start::<Sum>(id, n).await {
            Ok(run) => run,
            Err(RunnerError::NotStored(_) | RunnerError::Store(_) | RunnerError::Load { .. }) => continue,
            Err(error) => panic!("{error:?}"),
        };
        if let Some(ask) = asked(&run).await {
            match run.respond(&ask, true).await {
                Ok(()) => {}
                Err(
                    RespondError::NotStored { .. }
                    | RespondError::Ended { .. }
                    | RespondError::NotOpen { .. },
                ) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        match run.await {
            Ok(output) => return output,
            Err(RunError::NotStored { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_fork_at_any_position_goes_on_from_there_and_shares_nothing() {
    let flow = Sum::default();
    let (store, _) = faulty().await;
    let runner = host(&flow, Arc::clone(&store), "one", Duration::from_secs(30)).await;
    let run = runner.start::<Sum>("sum", 3).await.unwrap();
    let ask = asked(&run).await.unwrap();
    runner.respond_json("sum", ask.id, &json("true"), Some("answer")).await.unwrap();
    assert_eq!(soon(run).await.unwrap(), "3 true 3");
    let original = records(&store, "sum").await;
    let last = original.len() as u64;
    for position in 0..last {
        let id = format!("fork-{position}");
        runner.fork("sum", position, id.clone()).await.unwrap();
        let shown = soon(async {
            loop {
                let shown = runner.show(id.clone()).await.unwrap();
                if shown.run.status.is_end() || shown.run.status == RunStatus::Blocked {
                    return shown;
                }
                for question in shown.run.questions {
                    let response = to_raw_value(&false).unwrap();
                    runner
                        .respond_json(id.clone(), question.request, &response, Some("answer"))
                        .await
                        .unwrap();
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        assert_eq!(shown.run.status, RunStatus::Completed, "{position}: {:?}", shown.outcome);
        // An answer that the fork begins with is not given again.
        let answered = original[..position as usize].iter().any(|it| it["tick"].get("answered").is_some());
        assert_eq!(shown.outcome.unwrap().get(), format!("\"3 {answered} 3\""), "{position}");
        assert_eq!(records(&store, &id).await[..position as usize], original[..position as usize]);
    }
    let ended = runner.fork("sum", last, "too-late").await.unwrap_err();
    assert!(matches!(ended, RunnerError::NotRunning { status: RunStatus::Completed, .. }), "{ended:?}");
    let fork = |position, run| Fork {
        from: RunId::from("sum"),
        position,
        events: 0,
        run: RunId::from(run),
        at: Time(1),
        due: Due::Now,
    };
    // The store itself does not know what records say.
    store.fork_after(fork(last, "too-late")).await.unwrap();
    stands(&store, "too-late", |run| run.status == RunStatus::Blocked).await;
    let why = runner.show("too-late").await.unwrap().outcome.unwrap();
    assert!(why.get().contains("has completed"), "{why}");
    assert_eq!(records(&store, "sum").await, original);
    let no_such = store.fork_after(fork(last + 1, "never")).await;
    assert!(matches!(no_such, Err(StoreError::NoSuchPosition { .. })), "{no_such:?}");
}

// ---- coming and going ----

#[event]
struct Next(u32);

#[prompt(response = u32)]
struct More {
    round: u32,
}

/// Asks again and again, and leaves memory in between.
#[derive(Clone)]
struct Rounds;

#[workflow(state = u32)]
impl Rounds {
    #[step]
    fn begin(&self, Start(rounds): Start<u32>) -> Next {
        Next(rounds)
    }

    #[step]
    fn ask(&self, Next(round): Next) -> OneOf<InputRequired<More>, Stopping> {
        if round == 0 { OneOf::new(Stopping) } else { OneOf::new(InputRequired::new(More { round })) }
    }

    #[step]
    fn took(&self, answer: HumanResponse<More>, ctx: &Context<Self>) -> Next {
        let added = answer.response;
        ctx.update(move |sum| *sum += added);
        Next(answer.prompt.round - 1)
    }

    #[step]
    fn end(&self, _: Stopping, ctx: &Context<Self>) -> Stop<u32> {
        Stop(*ctx.state())
    }
}

#[event]
struct Stopping;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_that_leave_memory_are_found_by_messages_and_by_who_looks_at_them() {
    const RUNS: u32 = 24;
    const ROUNDS: u32 = 8;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().await.unwrap());
    let builder = Runner::builder().workflow(Rounds).store(Arc::clone(&store));
    let runner = builder.lease(Duration::from_secs(60)).start().await.unwrap();
    let looks = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..RUNS {
        let id = format!("rounds-{n}");
        drop(runner.start::<Rounds>(id.clone(), ROUNDS).await.unwrap());
        let (here, looks, looked_at) = (runner.clone(), Arc::clone(&looks), id.clone());
        tasks.spawn(async move {
            // Looks at it, and goes again.
            loop {
                match here.attach::<Rounds>(looked_at.clone()).await {
                    Ok(run) if run.is_over() => {
                        break assert_eq!(run.await.unwrap(), (1..=ROUNDS).sum::<u32>());
                    }
                    Ok(_) => drop(looks.fetch_add(1, Ordering::Relaxed)),
                    Err(error) => panic!("{error:?}"),
                }
                tokio::time::sleep(Duration::from_millis(u64::from(n) % 4)).await;
            }
        });
        let here = runner.clone();
        tasks.spawn(async move {
            // Answers what is open, wherever the run is.
            let mut answered = 0;
            while answered < ROUNDS {
                let shown = here.show(id.clone()).await.unwrap();
                let Some(question) = shown.run.questions.first() else {
                    tokio::task::yield_now().await;
                    continue;
                };
                let round = ROUNDS - answered;
                if !question.prompt.get().contains(&format!("\"round\":{round}}}")) {
                    tokio::task::yield_now().await;
                    continue;
                }
                let response = to_raw_value(&round).unwrap();
                let key = format!("round-{round}");
                here.respond_json(id.clone(), question.request, &response, Some(&key)).await.unwrap();
                answered += 1;
            }
        });
    }
    soon(async {
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    })
    .await;
    for n in 0..RUNS {
        let records = records(&store, &format!("rounds-{n}")).await;
        let answered = records.iter().filter(|it| it["tick"].get("answered").is_some()).count();
        assert_eq!(answered, ROUNDS as usize);
    }
    assert!(looks.load(Ordering::Relaxed) > 0);
    soon(async {
        while runner.in_memory() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_outlive_any_number_of_shutdowns() {
    let (flow, store) = (Sum::default(), Arc::new(SqliteStore::in_memory().await.unwrap()) as Arc<dyn Store>);
    flow.failures.store(2, std::sync::atomic::Ordering::SeqCst);
    for n in 0..12_u64 {
        let runner = host(&flow, Arc::clone(&store), &format!("owner-{n}"), Duration::from_secs(60)).await;
        for run in 0..6 {
            match soon(runner.start::<Sum>(format!("sum-{run}"), 5)).await {
                Ok(run) => drop(run),
                Err(error) => panic!("{error:?}"),
            }
        }
        tokio::time::sleep(Duration::from_micros(700 * n)).await;
        soon(runner.shutdown(Duration::from_millis(n % 3))).await;
        for run in 0..6 {
            let shown = store.show(&RunId::from(format!("sum-{run}"))).await.unwrap().unwrap().run;
            assert_eq!(shown.lease, None, "nobody has it any more");
            assert!(matches!(shown.status, RunStatus::Running | RunStatus::Waiting), "{:?}", shown.status);
        }
    }
    let runner = host(&flow, Arc::clone(&store), "last", Duration::from_secs(60)).await;
    for run in 0..6 {
        assert_eq!(soon(to_the_end(&runner, &format!("sum-{run}"), 5)).await, "10 true 5");
    }
}

#[test]
fn a_runtime_that_is_dropped_leaves_its_runs_to_be_taken_up() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("runs.db");
    let flow = Sum::default();
    flow.failures.store(2, std::sync::atomic::Ordering::SeqCst);
    for n in 0..10_u64 {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&file).await.unwrap());
            if n > 0 {
                store.leave(&format!("owner-{}", n - 1)).await.unwrap();
            }
            let runner = host(&flow, store, &format!("owner-{n}"), Duration::from_secs(60)).await;
            for run in 0..6 {
                drop(soon(runner.start::<Sum>(format!("sum-{run}"), 5)).await.unwrap());
            }
            tokio::time::sleep(Duration::from_micros(900 * n)).await;
        });
        drop(runtime);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&file).await.unwrap());
        store.leave("owner-9").await.unwrap();
        for run in 0..6 {
            let shown = store.show(&RunId::from(format!("sum-{run}"))).await.unwrap().unwrap().run;
            assert!(matches!(shown.status, RunStatus::Running | RunStatus::Waiting), "{:?}", shown.status);
        }
        let runner = host(&flow, store, "last", Duration::from_secs(60)).await;
        for run in 0..6 {
            assert_eq!(soon(to_the_end(&runner, &format!("sum-{run}"), 5)).await, "10 true 5");
        }
    });
}

#[tokio::test]
async fn what_is_asked_of_a_run_that_is_not_there_is_refused() {
    let (flow, store) = (Sum::default(), Arc::new(SqliteStore::in_memory().await.unwrap()) as Arc<dyn Store>);
    let runner = host(&flow, store, "one", Duration::from_secs(60)).await;
    let attached = soon(runner.attach::<Sum>("none")).await.unwrap_err();
    assert!(matches!(attached, RunnerError::NoSuchRun { .. }), "{attached:?}");
    let told = soon(runner.respond_json("none", RequestId(1), &json("true"), None)).await.unwrap_err();
    assert!(matches!(told, RunnerError::NoSuchRun { .. }), "{told:?}");
    let resumed = soon(runner.resume("none")).await.unwrap_err();
    assert!(matches!(resumed, RunnerError::NoSuchRun { .. }), "{resumed:?}");
}

/// Takes its time, and does not care to be stopped.
#[derive(Clone)]
struct Slow;

#[workflow]
impl Slow {
    #[step(blocking)]
    fn go(&self, Start(millis): Start<u64>) -> Stop<u64> {
        std::thread::sleep(Duration::from_millis(millis));
        Stop(millis)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_its_grace_is_not_taken_over_meanwhile() {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().await.unwrap());
    let lease = Duration::from_millis(90);
    let builder =
        |owner: &str| Runner::builder().workflow(Slow).store(Arc::clone(&store)).owner(owner).lease(lease);
    let one = builder("one").start().await.unwrap();
    let run = one.start::<Slow>("slow", 500).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let two = builder("two").start().await.unwrap();
    soon(one.shutdown(Duration::from_secs(10))).await;
    assert_eq!(soon(run).await.unwrap(), 500);
    assert_eq!(store.show(&RunId::from("slow")).await.unwrap().unwrap().run.epoch, 1);
    soon(two.shutdown(Duration::ZERO)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_comes_in_once_a_runner_is_shut_down_and_nobody_waits_for_ever() {
    for n in 0..40_u64 {
        let (flow, store) =
            (Sum::default(), Arc::new(SqliteStore::in_memory().await.unwrap()) as Arc<dyn Store>);
        let runner = host(&flow, Arc::clone(&store), "one", Duration::from_secs(60)).await;
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..8_u64 {
            let runner = runner.clone();
            callers.spawn(async move {
                for run in 0.. {
                    match runner.start::<Sum>(format!("sum-{caller}-{run}"), 2).await {
                        Ok(run) => {
                            let ended = run.await;
                            assert!(matches!(ended, Err(RunError::Suspended { .. })), "{ended:?}");
                        }
                        Err(RunnerError::Closed) => return,
                        Err(error) => panic!("{error:?}"),
                    }
                }
            });
        }
        tokio::time::sleep(Duration::from_micros(n * 60)).await;
        soon(runner.shutdown(Duration::ZERO)).await;
        soon(async {
            while let Some(done) = callers.join_next().await {
                done.unwrap();
            }
        })
        .await;
        let page = store.list(&workflow_runtime::store::Filter::default(), None, 1_000).await.unwrap();
        assert!(page.runs.iter().all(|run| run.lease.is_none()), "nothing is left in its hands");
    }
    let runner = Runner::builder().workflow(Sum::default()).start().await.unwrap();
    runner.shutdown(Duration::ZERO).await;
    assert!(matches!(runner.start::<Sum>("sum", 2).await, Err(RunnerError::Closed)));
    assert!(matches!(runner.cancel("sum", "enough").await, Err(RunnerError::Closed)));
}

#[tokio::test]
async fn who_waits_for_a_verdict_is_told_that_the_runner_was_shut_down_and_the_answer_stays() {
    let (flow, store) = (Sum::default(), Arc::new(SqliteStore::in_memory().await.unwrap()) as Arc<dyn Store>);
    let runner = hosting(&flow, &store).start().await.unwrap();
    let run = runner.start::<Sum>("sum", 10).await.unwrap();
    let ask = asked(&run).await.unwrap();
    soon(runner.shutdown(Duration::ZERO)).await;
    // Nobody hosts it.
    let mut news = store.watch(Interest::Run(RunId::from("sum")));
    let client = Runner::builder().store(Arc::clone(&store)).start().await.unwrap();
    let answered = {
        let client = client.clone();
        tokio::spawn(async move { client.respond_json("sum", ask.id, &json("true"), Some("yes")).await })
    };
    soon(news.changed()).await.unwrap();
    assert!(!answered.is_finished());
    soon(client.shutdown(Duration::ZERO)).await;
    assert!(matches!(soon(answered).await.unwrap(), Err(RunnerError::Closed)));
    let next = hosting(&flow, &store).start().await.unwrap();
    let again = soon(next.respond_json("sum", ask.id, &json("true"), Some("yes"))).await;
    assert!(again.is_ok(), "{again:?}");
    assert_eq!(soon(soon(next.attach::<Sum>("sum")).await.unwrap()).await.unwrap(), "45 true 10");
}
