//! What runs wait for, and who waits for them: steps that ask, readers of the stream, senders that come too late.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::Notify;
use workflow_runtime::prelude::*;
use workflow_runtime::store::{Claim, Interest, Lease, RunStatus, Store, StoreError};
use workflow_runtime::{RequestId, Runner, RunnerError, Time};
use workflow_store::SqliteStore;

use crate::faults::{Fault, Kind, Point, faulty, made_up};
use crate::flows::{Log, Sum, Sure, hosting, soon};

/// So long that nothing in these tests is due to it.
const LONG: Duration = Duration::from_secs(3_600);

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

async fn memory() -> Arc<dyn Store> {
    Arc::new(SqliteStore::in_memory().await.unwrap())
}

/// Asks for two names. Knocking wakes the step while it waits for the first one.
#[derive(Clone, Debug, Default)]
struct Talk {
    log: Log,
    knock: Arc<Notify>,
}

#[workflow(progress = u32)]
impl Talk {
    #[step]
    async fn talk(
        &self,
        Start(hears_knocks): Start<bool>,
        person: Asker,
        ctx: &Context<Self>,
    ) -> Result<Stop<String>, AskError> {
        self.log.add("talk");
        let mut asking = person.text("first?");
        let mut knocks = 0;
        let first = loop {
            tokio::select! {
                biased;
                first = &mut asking => break first?,
                () = self.knock.notified(), if hears_knocks => {
                    knocks += 1;
                    ctx.publish(knocks);
                    self.log.add("knocked");
                }
            }
        };
        self.log.add("heard");
        Ok(Stop(format!("{first} and {}", person.text("second?").await?)))
    }
}

async fn talking(flow: &Talk, store: Arc<dyn Store>, evicts: bool) -> Runner {
    let runner = Runner::builder().workflow(flow.clone()).store(store).lease(LONG);
    runner.evict_waiting_steps(evicts).start().await.unwrap()
}

/// Waits until a step has said that.
async fn says(log: &Log, line: &str, times: usize) {
    soon(async {
        while log.count(line) < times {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// Waits until a question of that text is stored as open, and gives its id.
async fn open(store: &Arc<dyn Store>, run: &str, question: &str) -> RequestId {
    let id = RunId::from(run);
    let mut watch = store.watch(Interest::Run(id.clone()));
    soon(async {
        loop {
            if let Some(found) = store.show(&id).await.unwrap() {
                let open = found.run.questions.iter();
                if let Some(open) = open.clone().find(|open| open.prompt.get().contains(question)) {
                    return open.request;
                }
            }
            watch.changed().await.unwrap();
        }
    })
    .await
}

async fn in_memory(runner: &Runner, count: usize) {
    soon(async {
        while runner.in_memory() != count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

// ---- nothing is seen before it is stored ----

#[tokio::test]
async fn a_step_that_is_woken_by_something_else_does_not_see_an_answer_before_it_is_stored() {
    let flow = Talk::default();
    let (store, between) = faulty().await;
    let runner = talking(&flow, between.clone(), false).await;
    let run = runner.start::<Talk>("talk", true).await.unwrap();
    let first = open(&store, "talk", "first?").await;
    let stop = between.hooks.stop(Point::Before(Kind::Append));
    let responding = {
        let run = run.clone();
        tokio::spawn(async move { run.respond_json(first, &json("\"Ada\"")).await })
    };
    soon(stop.reached.notified()).await;
    flow.knock.notify_one();
    says(&flow.log, "knocked", 1).await;
    assert_eq!(flow.log.count("heard"), 0, "it hears of what may never have been said");
    stop.fail(StoreError::Full { source: made_up() });
    soon(responding).await.unwrap().unwrap_err();
    assert!(matches!(soon(&run).await, Err(RunError::NotStored { .. })));
    drop(run);
    soon(runner.respond_json("talk", first, &json("\"Ada\""), None)).await.unwrap();
    says(&flow.log, "heard", 1).await;
    let second = open(&store, "talk", "second?").await;
    soon(runner.respond_json("talk", second, &json("\"Bob\""), None)).await.unwrap();
    let run = soon(runner.attach::<Talk>("talk")).await.unwrap();
    assert_eq!(soon(run).await.unwrap(), "Ada and Bob");
}

#[tokio::test]
async fn a_question_is_not_shown_before_it_is_stored_and_what_was_published_meanwhile_is_shown_with_it() {
    let flow = Talk::default();
    let (_, between) = faulty().await;
    let runner = talking(&flow, between.clone(), false).await;
    let (run, stop) = {
        let created = between.hooks.stop(Point::Before(Kind::Append));
        let starting = {
            let runner = runner.clone();
            tokio::spawn(async move { runner.start::<Talk>("talk", true).await })
        };
        soon(created.reached.notified()).await;
        let stop = between.hooks.stop(Point::Before(Kind::Append));
        created.goes_on.notify_one();
        (soon(starting).await.unwrap().unwrap(), stop)
    };
    soon(stop.reached.notified()).await;
    flow.knock.notify_one();
    says(&flow.log, "knocked", 1).await;
    assert!(run.pending().is_empty(), "{:?}", run.pending());
    stop.goes_on.notify_one();
    let mut events = run.events();
    let mut told = Vec::new();
    while told.last() != Some(&"progress") {
        told.push(match soon(events.next()).await.unwrap().unwrap().kind {
            RunEventKind::InputRequired(_) => "asked",
            RunEventKind::Progress { value: 1, .. } => "progress",
            _ => continue,
        });
    }
    assert_eq!(told, ["asked", "progress"]);
    assert_eq!(run.pending().len(), 1);
}

// ---- who stays in memory ----

#[tokio::test]
async fn a_run_stays_in_memory_for_who_reads_its_stream() {
    let (flow, store) = (Sum::default(), memory().await);
    let runner = hosting(&flow, &store).lease(LONG).start().await.unwrap();
    let run = runner.start::<Sum>("sum", 3).await.unwrap();
    let mut events = run.events();
    drop(run);
    let ask = loop {
        if let Some(ask) = soon(events.next()).await.unwrap().unwrap().ask::<Sure>() {
            break ask;
        }
    };
    open(&store, "sum", "Sure").await;
    soon(runner.respond_json("sum", ask.id, &json("true"), None)).await.unwrap();
    let mut last = None;
    while let Some(event) = soon(events.next()).await {
        last = Some(event.unwrap().kind);
    }
    assert!(matches!(last, Some(RunEventKind::Completed { .. })), "{last:?}");
    drop(events);
    in_memory(&runner, 0).await;
}

#[tokio::test]
async fn a_run_whose_step_waits_leaves_memory_if_that_is_asked_for() {
    let (flow, store) = (Talk::default(), memory().await);
    let runner = talking(&flow, Arc::clone(&store), true).await;
    drop(runner.start::<Talk>("talk", false).await.unwrap());
    let first = open(&store, "talk", "first?").await;
    in_memory(&runner, 0).await;
    soon(runner.respond_json("talk", first, &json("\"Ada\""), None)).await.unwrap();
    let second = open(&store, "talk", "second?").await;
    in_memory(&runner, 0).await;
    soon(runner.respond_json("talk", second, &json("\"Bob\""), None)).await.unwrap();
    let run = soon(runner.attach::<Talk>("talk")).await.unwrap();
    assert_eq!(soon(run).await.unwrap(), "Ada and Bob");
    assert_eq!(flow.log.lines(), ["talk", "talk", "heard", "talk", "heard"]);
}

#[tokio::test]
async fn a_run_whose_step_waits_stays_in_memory_if_not_or_if_it_waits_for_more() {
    for (evicts, hears_knocks) in [(false, false), (true, true)] {
        let (flow, store) = (Talk::default(), memory().await);
        let runner = talking(&flow, Arc::clone(&store), evicts).await;
        drop(runner.start::<Talk>("talk", hears_knocks).await.unwrap());
        let first = open(&store, "talk", "first?").await;
        assert_eq!(runner.in_memory(), 1);
        soon(runner.respond_json("talk", first, &json("\"Ada\""), None)).await.unwrap();
        says(&flow.log, "heard", 1).await;
        assert_eq!(flow.log.lines(), ["talk", "heard"], "its step was not run again");
    }
}

#[tokio::test]
async fn a_run_that_could_not_be_stored_goes_on_by_itself() {
    for at in 2..6 {
        let flow = Sum::default();
        let (store, between) = faulty().await;
        between.hooks.fail(at, Fault::Busy);
        let faulty: Arc<dyn Store> = between.clone();
        let runner = hosting(&flow, &faulty).lease(LONG).start().await.unwrap();
        drop(runner.start::<Sum>("sum", 3).await.unwrap());
        let asked = open(&store, "sum", "Sure").await;
        assert!(between.hooks.failed());
        soon(runner.respond_json("sum", asked, &json("true"), None)).await.unwrap();
        let run = soon(runner.attach::<Sum>("sum")).await.unwrap();
        assert_eq!(soon(run).await.unwrap(), "3 true 3");
    }
}

#[tokio::test]
async fn a_step_that_waits_is_taken_up_by_the_next_process_because_it_may_wait_for_more() {
    let (flow, store) = (Talk::default(), memory().await);
    let runner = talking(&flow, Arc::clone(&store), false).await;
    drop(runner.start::<Talk>("talk", true).await.unwrap());
    let first = open(&store, "talk", "first?").await;
    let owner = store.show(&RunId::from("talk")).await.unwrap().unwrap().run.lease.unwrap().owner;
    // It goes without having said anything, and somebody says so who has seen it.
    store.leave(&owner).await.unwrap();
    let next = talking(&flow, Arc::clone(&store), false).await;
    says(&flow.log, "talk", 2).await;
    soon(next.respond_json("talk", first, &json("\"Ada\""), None)).await.unwrap();
    says(&flow.log, "heard", 1).await;
}

/// Asks for ever.
#[derive(Clone, Debug, Default)]
struct Diary;

#[workflow]
impl Diary {
    #[step]
    fn open(&self, _: Start) -> InputRequired {
        InputRequired::text("and then?")
    }

    #[step]
    fn write(&self, entry: &HumanResponse) -> OneOf<InputRequired, Stop> {
        if entry.response.is_empty() {
            return OneOf::new(Stop(()));
        }
        OneOf::new(InputRequired::text("and then?"))
    }
}

#[tokio::test]
async fn a_run_whose_processes_die_early_gets_its_snapshots_all_the_same() {
    let store = memory().await;
    let entry = "dear diary ".repeat(500);
    for process in 0..8 {
        let owner = format!("process {process}");
        let runner = Runner::builder().workflow(Diary).store(Arc::clone(&store)).owner(&owner).lease(LONG);
        let runner = runner.start().await.unwrap();
        let run = soon(runner.start::<Diary>("diary", ())).await.unwrap();
        while run.pending().is_empty() {
            tokio::task::yield_now().await;
        }
        let ask = run.pending().one::<Text>().unwrap();
        soon(run.respond(&ask, entry.clone())).await.unwrap();
        // It goes without having said anything, and somebody says so who has seen it.
        store.leave(&owner).await.unwrap();
    }
    let lease = Lease { owner: "the last".to_owned(), until: Time(u64::MAX / 4) };
    let claim = store.claim(&RunId::from("diary"), lease, Time(u64::MAX / 8)).await.unwrap();
    let Claim::Claimed(claimed) = claim else { panic!("{claim:?}") };
    let history = claimed.history.unwrap();
    let tail: usize = history.tail.iter().map(|record| record.body.get().len()).sum();
    assert!(history.snapshot.is_some() && tail < 5 * entry.len(), "{tail} bytes of records are replayed");
}

// ---- who comes too late ----

#[tokio::test]
async fn what_is_said_with_a_key_to_a_run_that_was_put_down_is_kept_until_it_goes_on() {
    let (flow, store) = (Sum::default(), memory().await);
    let runner = hosting(&flow, &store).lease(LONG).start().await.unwrap();
    drop(runner.start::<Sum>("sum", 3).await.unwrap());
    let asked = open(&store, "sum", "Sure").await;
    soon(runner.suspend("sum")).await.unwrap();
    let late = soon(runner.respond_json("sum", asked, &json("true"), Some("late"))).await.unwrap_err();
    assert!(matches!(late, RunnerError::NotRunning { status: RunStatus::Suspended, .. }), "{late:?}");
    soon(runner.resume("sum")).await.unwrap();
    let run = soon(runner.attach::<Sum>("sum")).await.unwrap();
    assert_eq!(soon(run).await.unwrap(), "3 true 3", "with a key, it was kept");
    soon(runner.respond_json("sum", asked, &json("true"), Some("late"))).await.unwrap();
}

#[tokio::test]
async fn what_a_handle_shows_is_there_when_it_is_given() {
    let (flow, store) = (Sum::default(), memory().await);
    let runner = hosting(&flow, &store).lease(LONG).start().await.unwrap();
    drop(runner.start::<Sum>("sum", 3).await.unwrap());
    open(&store, "sum", "Sure").await;
    in_memory(&runner, 0).await;
    let run = soon(runner.attach::<Sum>("sum")).await.unwrap();
    let ask = run.pending().one::<Sure>().unwrap();
    // It is told again, and was asked when it was asked.
    let told = soon(run.events().next()).await.unwrap().unwrap();
    let told = told.ask::<Sure>().unwrap_or_else(|| panic!("{told:?}"));
    assert_eq!((told.id, told.asked_at), (ask.id, ask.asked_at));
}

#[derive(Clone, Debug)]
struct Large;

#[workflow]
impl Large {
    #[step]
    fn same(&self, Start(n): Start<u128>) -> Stop<u128> {
        Stop(n)
    }
}

#[tokio::test]
async fn large_numbers_that_differ_in_their_last_digit_are_different_inputs() {
    let runner = Runner::builder().workflow(Large).store(memory().await).limit(0).start().await.unwrap();
    let large = u128::from(u64::MAX) << 40;
    assert_eq!(soon(runner.start::<Large>("large", large).await.unwrap()).await.unwrap(), large);
    let other = runner.start::<Large>("large", large + 1).await.unwrap_err();
    assert!(matches!(other, RunnerError::OtherInput { .. }), "{other:?}");
}
