//! Steps that ask, take signals, sleep and remember while they run.

use std::time::Duration;

use serde_json::value::RawValue;
use tokio::time::Instant;
use workflow_runtime::prelude::*;
use workflow_runtime::{SendError, StepErrorKind};

use crate::flows::{Counter, Log};

fn through_json(snapshot: Snapshot) -> Snapshot {
    serde_json::from_str(&serde_json::to_string(&snapshot).unwrap()).unwrap()
}

/// Lets everything happen that needs no time.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Stops the run, saves it as JSON, and takes it up again, as another process would.
async fn elsewhere<W: Workflow + Clone>(flow: &W, run: Run<W>) -> Run<W> {
    let snapshot = through_json(run.suspend().await.unwrap());
    let run = flow.clone().resume(snapshot).unwrap();
    settle().await;
    run
}

/// Answers the only open question of that text.
async fn answer<W: Workflow + Asks<Text>>(run: &Run<W>, question: &str, answer: &str) {
    let open = run.pending().all::<Text>();
    let ask = open.iter().find(|ask| ask.prompt.message == question);
    run.respond(ask.unwrap_or_else(|| panic!("{question} is not open: {open:?}")), answer.to_owned())
        .await
        .unwrap();
    settle().await;
}

fn open<W: Workflow + Asks<Text>>(run: &Run<W>) -> Vec<String> {
    run.pending().all::<Text>().into_iter().map(|ask| ask.prompt.message).collect()
}

// ---- two waits in one step ----

/// What the steps do on the way is in the log.
#[derive(Clone, Default)]
struct Survey {
    log: Log,
}

#[event]
struct Way(String);

#[workflow]
impl Survey {
    #[step]
    fn begin(&self, Start(way): Start<String>) -> Way {
        Way(way)
    }

    #[step(retry = Retry::fixed("1s").attempts(3))]
    async fn ask(
        &self,
        Way(way): Way,
        person: Asker,
        ctx: &Context<Self>,
    ) -> Result<Stop<String>, StepError> {
        self.log.add(format!("attempt {}", ctx.attempt()));
        let said = match &*way {
            "in turn" => {
                let first = person.text("first?").await?;
                self.log.add("between");
                format!("{first} {}", person.text("second?").await?)
            }
            "joined" => {
                let (first, second) = tokio::join!(person.text("first?"), person.text("second?"));
                format!("{} {}", first?, second?)
            }
            "raced" => tokio::select! {
                first = person.text("first?") => format!("first {}", first?),
                second = person.text("second?") => format!("second {}", second?),
            },
            "in a loop" => {
                let mut said = Vec::new();
                for _ in 0..3 {
                    said.push(person.text("again?").await?);
                }
                said.join(" ")
            }
            "fails once" => {
                let first = person.text("first?").await?;
                let second = person.text("second?");
                let mut second = std::pin::pin!(second);
                tokio::select! {
                    biased;
                    said = &mut second => format!("{first} {}", said?),
                    () = std::future::ready(()), if ctx.attempt() == 1 => return Err(StepError::new("broke")),
                }
            }
            "raced against time" => tokio::select! {
                said = person.text("there?") => said?,
                () = ctx.sleep(Duration::from_secs(60)) => "nobody".to_owned(),
            },
            "raced against a timer" => {
                match tokio::time::timeout(Duration::from_secs(60), person.text("there?")).await {
                    Ok(said) => said?,
                    Err(_) => "nobody".to_owned(),
                }
            }
            "in time" => match person.text("there?").expires_in(Duration::from_secs(60)).await {
                Err(AskError::Expired { .. }) => "nobody".to_owned(),
                said => said?,
            },
            "in time or not at all" => person.text("there?").expires_in(Duration::from_secs(60)).await?,
            other => panic!("no way {other}"),
        };
        Ok(Stop(said))
    }
}

async fn asking(flow: &Survey, way: &str) -> Run<Survey> {
    let run = flow.clone().run(way.to_owned());
    settle().await;
    run
}

#[tokio::test(start_paused = true)]
async fn code_before_a_wait_runs_once_while_the_process_lives() {
    let flow = Survey::default();
    let run = asking(&flow, "in turn").await;
    answer(&run, "first?", "a").await;
    answer(&run, "second?", "b").await;
    assert_eq!(run.await.unwrap(), "a b");
    assert_eq!(flow.log.lines(), ["attempt 1", "between"]);
}

#[tokio::test(start_paused = true)]
async fn waits_in_turn_each_get_their_own_answer_also_elsewhere() {
    let flow = Survey::default();
    let run = asking(&flow, "in turn").await;
    let run = elsewhere(&flow, run).await;
    answer(&run, "first?", "a").await;
    let run = elsewhere(&flow, run).await;
    assert_eq!(open(&run), ["second?"], "nobody is asked the first one again");
    answer(&run, "second?", "b").await;
    assert_eq!(run.await.unwrap(), "a b");
}

#[tokio::test(start_paused = true)]
async fn joined_waits_are_open_at_once_and_each_get_their_own_answer_also_elsewhere() {
    let flow = Survey::default();
    let run = asking(&flow, "joined").await;
    assert_eq!(open(&run), ["first?", "second?"]);
    answer(&run, "second?", "b").await;
    let run = elsewhere(&flow, run).await;
    assert_eq!(open(&run), ["first?"]);
    answer(&run, "first?", "a").await;
    assert_eq!(run.await.unwrap(), "a b");
}

#[tokio::test(start_paused = true)]
async fn of_raced_waits_the_loser_is_withdrawn() {
    let flow = Survey::default();
    let run = asking(&flow, "raced").await;
    let mut events = run.events();
    assert_eq!(open(&run).len(), 2);
    answer(&run, "second?", "b").await;
    assert_eq!(run.await.unwrap(), "second b");
    let mut withdrawn = 0;
    while let Some(event) = events.next().await {
        withdrawn += u32::from(matches!(event.unwrap().kind, RunEventKind::InputWithdrawn { .. }));
    }
    assert_eq!(withdrawn, 1);
}

#[tokio::test(start_paused = true)]
async fn the_same_question_in_a_loop_is_a_new_one_each_time_also_elsewhere() {
    let flow = Survey::default();
    let mut run = asking(&flow, "in a loop").await;
    for said in ["a", "b", "c"] {
        run = elsewhere(&flow, run).await;
        assert_eq!(open(&run), ["again?"]);
        answer(&run, "again?", said).await;
    }
    assert_eq!(run.await.unwrap(), "a b c");
}

#[tokio::test(start_paused = true)]
async fn a_person_is_not_asked_again_because_the_step_failed_afterwards() {
    let flow = Survey::default();
    let run = asking(&flow, "fails once").await;
    let question = run.pending().one::<Text>().unwrap();
    answer(&run, "first?", "a").await;
    // The first attempt has asked the second question and failed; nobody wants that withdrawn.
    assert_eq!(open(&run), ["second?"]);
    let second = run.pending().one::<Text>().unwrap();
    assert_ne!(question.id, second.id);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(
        run.pending().one::<Text>().unwrap().id,
        second.id,
        "the second attempt waits for the same question"
    );
    answer(&run, "second?", "b").await;
    assert_eq!(run.await.unwrap(), "a b");
    assert_eq!(flow.log.lines(), ["attempt 1", "attempt 2"]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_between_two_attempts_is_found_by_the_second() {
    let flow = Survey::default();
    let run = asking(&flow, "fails once").await;
    answer(&run, "first?", "a").await;
    answer(&run, "second?", "b").await;
    assert_eq!(run.await.unwrap(), "a b");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_nobody_answers_in_time_is_a_value_to_its_step() {
    let run = asking(&Survey::default(), "in time").await;
    let begun = Instant::now();
    assert_eq!(run.await.unwrap(), "nobody");
    assert_eq!(begun.elapsed().as_secs(), 59);
}

#[tokio::test(start_paused = true)]
async fn a_wait_limit_holds_elsewhere_too() {
    let flow = Survey::default();
    let run = asking(&flow, "in time").await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let run = elsewhere(&flow, run).await;
    let begun = Instant::now();
    assert_eq!(run.await.unwrap(), "nobody");
    assert!((28..=30).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_failed_of_silence_asks_anew_when_it_is_continued() {
    let flow = Survey::default();
    let run = asking(&flow, "in time or not at all").await;
    let RunError::Failed { error, .. } = (&run).await.unwrap_err() else { panic!() };
    assert_eq!(error.kind(), StepErrorKind::Expired);
    assert_eq!(flow.log.lines(), ["attempt 1", "attempt 2", "attempt 3"]);
    let run = elsewhere(&flow, run).await;
    answer(&run, "there?", "here").await;
    assert_eq!(run.await.unwrap(), "here");
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_step_waits_is_cancelled_with_its_last_handle() {
    let run = asking(&Survey::default(), "in turn").await;
    let mut events = run.events();
    drop(run);
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event.unwrap());
    }
    assert!(matches!(last.unwrap().kind, RunEventKind::Cancelled { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_step_does_not_only_wait_goes_on_without_a_handle() {
    for way in ["raced against time", "raced against a timer", "in time"] {
        let run = asking(&Survey::default(), way).await;
        let mut events = run.events();
        drop(run);
        let mut last = None;
        while let Some(event) = events.next().await {
            last = Some(event.unwrap().kind);
        }
        let Some(RunEventKind::Completed { output }) = last else { panic!("{way}: {last:?}") };
        assert_eq!(output, "nobody", "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_begins_to_wait_when_nobody_can_answer_is_cancelled_then() {
    let run = Survey::default().run("in turn".to_owned());
    let mut events = run.events();
    drop(run);
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event.unwrap().kind);
    }
    assert!(matches!(last, Some(RunEventKind::Cancelled { .. })), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_step_waits_says_that_it_waits() {
    let run = asking(&Survey::default(), "in turn").await;
    assert!(run.is_waiting());
    run.cancel("enough").await;
    assert!(!run.is_waiting());
}

// ---- calls that a step lets go of ----

/// Its first attempt leaves its question in a task of its own, which goes on polling it for a while.
struct Escape;

#[workflow]
impl Escape {
    #[step(retry = Retry::fixed("1s"))]
    async fn ask(&self, _: Start, person: Asker, ctx: &Context<Self>) -> Result<Stop<String>, StepError> {
        let asking = person.text("sure?");
        if ctx.attempt() == 1 {
            tokio::spawn(async move {
                let mut asking = asking;
                for _ in 0..10 {
                    let _ = tokio::time::timeout(Duration::from_secs(1), &mut asking).await;
                }
            });
            tokio::time::sleep(Duration::from_millis(500)).await;
            return Err(StepError::new("broke"));
        }
        Ok(Stop(asking.await?))
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_attempt_has_left_in_a_task_does_not_come_between_the_next_one_and_its_answer() {
    // While the task polls the question, and after it has dropped it.
    for after in [5, 60] {
        let run = Escape.run(());
        tokio::time::sleep(Duration::from_secs(after)).await;
        answer(&run, "sure?", "yes").await;
        assert!(run.is_over(), "the second attempt has not heard its answer");
        assert_eq!(run.await.unwrap(), "yes");
    }
}

// ---- in parallel branches ----

struct Each;

#[event]
struct Item(u32);

#[event]
struct Said(String);

#[workflow]
impl Each {
    #[step]
    fn split(&self, Start(n): Start<u32>) -> Vec<Item> {
        (0..n).map(Item).collect()
    }

    #[step]
    async fn ask(&self, item: Item, person: Asker<Sure>) -> Result<Said, AskError> {
        let sure = person.ask(Sure).await?;
        Ok(Said(format!("{} {sure}", item.0)))
    }

    #[step]
    fn all(&self, all: Vec<Said>) -> Stop<Vec<String>> {
        Stop(all.into_iter().map(|said| said.0).collect())
    }
}

#[prompt(response = u32, validate = not_thirteen)]
#[derive(Debug)]
struct Sure;

fn not_thirteen(_: &Sure, n: &u32) -> Result<(), &'static str> {
    if *n == 13 { Err("not that one") } else { Ok(()) }
}

#[tokio::test(start_paused = true)]
async fn the_same_wait_in_parallel_branches_gets_its_own_answer_each() {
    let run = Each.run(3);
    settle().await;
    let snapshot = through_json(run.suspend().await.unwrap());
    let run = Each.resume(snapshot).unwrap();
    settle().await;
    let asks = run.pending().all::<Sure>();
    for (n, ask) in (0..3).zip(&asks).rev() {
        assert!(run.respond(ask, 13).await.is_err(), "`validate` refuses it");
        run.respond(ask, n).await.unwrap();
        assert!(run.respond(ask, n).await.is_err(), "a second answer is an error to whoever sent it");
    }
    assert_eq!(run.await.unwrap(), ["0 0", "1 1", "2 2"]);
}

#[tokio::test(start_paused = true)]
async fn thousands_of_steps_can_wait_at_once() {
    let run = Each.run(5_000);
    settle().await;
    let asks = run.pending().all::<Sure>();
    assert_eq!(asks.len(), 5_000);
    for ask in asks {
        run.respond(&ask, 1).await.unwrap();
    }
    assert_eq!(run.await.unwrap().len(), 5_000);
}

// ---- signals ----

#[derive(Clone, Default)]
struct Table {
    log: Log,
}

#[data]
enum Order {
    Add(u32),
    Pay,
}

#[workflow]
impl Table {
    #[step]
    async fn serve(&self, Start(slow): Start<bool>, orders: Inbox<Order>, ctx: &Context<Self>) -> Stop<u32> {
        if slow {
            ctx.sleep(Duration::from_secs(60)).await;
        }
        let mut bill = 0;
        loop {
            match orders.next().await {
                Order::Add(price) => {
                    self.log.add(price.to_string());
                    bill += price;
                }
                Order::Pay => return Stop(bill),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn signals_that_come_before_the_wait_are_kept_in_order() {
    let flow = Table::default();
    let run = flow.clone().run(true);
    for price in [7, 5] {
        run.send(Order::Add(price)).await.unwrap();
    }
    let run = elsewhere(&flow, run).await;
    run.send(Order::Pay).await.unwrap();
    assert_eq!(run.await.unwrap(), 12);
    assert_eq!(flow.log.lines(), ["7", "5"]);
}

#[tokio::test(start_paused = true)]
async fn a_signal_that_was_taken_is_found_again_elsewhere() {
    let flow = Table::default();
    let run = flow.clone().run(false);
    run.send(Order::Add(7)).await.unwrap();
    settle().await;
    let run = elsewhere(&flow, run).await;
    run.send(Order::Add(5)).await.unwrap();
    run.send(Order::Pay).await.unwrap();
    assert_eq!(run.await.unwrap(), 12);
    assert_eq!(flow.log.lines(), ["7", "7", "5"], "the step has run again from its input");
}

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_signal_in_json_is_as_good_and_a_wrong_one_is_an_error_to_its_sender() {
    let run = Table::default().run(false);
    run.send_json("Order", &json(r#"{"Add":3}"#)).await.unwrap();
    let error = run.send_json("Order", &json("3")).await.unwrap_err();
    assert!(matches!(error, SendError::WrongType { .. }), "{error:?}");
    for unknown in ["Bill", "Start<bool>", "Order>"] {
        let error = run.send_json(unknown, &json("3")).await.unwrap_err();
        assert!(matches!(error, SendError::NoSuchSignal { .. }), "{error:?}");
    }
    run.send_json("Order", &json(r#""Pay""#)).await.unwrap();
    assert_eq!((&run).await.unwrap(), 3);
    assert!(matches!(run.send(Order::Pay).await, Err(SendError::Ended { .. })));
}

/// Two kinds of signals, one after the other.
#[derive(Clone)]
struct Kinds;

#[data]
struct Bell(u32);

#[workflow]
impl Kinds {
    #[step]
    async fn serve(&self, _: Start, orders: Inbox<Order>, bells: Inbox<Bell>) -> Stop<u32> {
        orders.next().await;
        Stop(bells.next().await.0)
    }
}

#[tokio::test(start_paused = true)]
async fn an_inbox_that_is_given_what_it_does_not_take_fails_its_step_and_hangs_nobody() {
    let run = Kinds.run(());
    settle().await;
    // No run saves itself so; the two kinds are changed over in its text.
    let json = run.suspend().await.unwrap().to_json();
    let edited = json.replace(r#","Signal<Order>"]"#, r#","Signal<Bell>"]"#);
    assert_ne!(json, edited);
    let run = Kinds.resume(Snapshot::from_json(&edited).unwrap()).unwrap();
    settle().await;
    run.send(Bell(1)).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), run).await;
    let Err(RunError::Failed { error, .. }) = ended.expect("the run does not end") else { panic!() };
    assert_eq!(error.kind(), StepErrorKind::Misrouted);
    assert_eq!(error.message(), "the signal belongs to another inbox");
}

struct Patience;

#[workflow]
impl Patience {
    #[step]
    async fn wait(&self, _: Start, orders: Inbox<Order>) -> Stop<u32> {
        let mut next = Box::pin(orders.next());
        tokio::select! {
            biased;
            _ = &mut next => return Stop(0),
            () = tokio::time::sleep(Duration::from_secs(10)) => {}
        }
        // Something comes after this, and before the wait is dropped.
        tokio::time::sleep(Duration::from_secs(10)).await;
        drop(next);
        match orders.next().await {
            Order::Add(price) => Stop(price),
            Order::Pay => Stop(1),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_signal_that_came_for_a_wait_which_was_dropped_is_not_lost() {
    let run = Patience.run(());
    tokio::time::sleep(Duration::from_secs(15)).await;
    run.send(Order::Add(7)).await.unwrap();
    assert_eq!(run.await.unwrap(), 7);
}

// ---- time ----

struct Timed;

#[workflow]
impl Timed {
    #[step(timeout = "10s")]
    async fn ask(&self, Start(work): Start<u64>, person: Asker) -> Result<Stop<String>, StepError> {
        tokio::time::sleep(Duration::from_secs(4)).await;
        let said = person.text("sure?").await?;
        tokio::time::sleep(Duration::from_secs(work)).await;
        Ok(Stop(said))
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_step_stands_while_its_question_is_open() {
    for (work, in_time) in [(5, true), (7, false)] {
        let run = Timed.run(work);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        answer(&run, "sure?", "yes").await;
        match run.await {
            Ok(said) => assert!(in_time && said == "yes"),
            Err(RunError::Failed { error, .. }) => {
                assert!(!in_time);
                assert_eq!(error.kind(), StepErrorKind::TimedOut);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_run_stands_while_its_step_waits_and_goes_on_afterwards() {
    for (work, in_time) in [(5, true), (7, false)] {
        let options = workflow_runtime::RunOptions::default().timeout(Duration::from_secs(10));
        let run = Timed.run_with(work, options);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        answer(&run, "sure?", "yes").await;
        assert_eq!(run.await.is_ok(), in_time);
    }
}

// ---- sleeps and memos ----

#[derive(Clone, Default)]
struct Shop {
    looked_up: Counter,
    closed: Counter,
}

#[workflow]
impl Shop {
    #[step(retry = Retry::fixed("1s").attempts(3))]
    async fn buy(&self, Start(way): Start<String>, ctx: &Context<Self>) -> Result<Stop<String>, StepError> {
        let look_up = || async {
            self.looked_up.count();
            self.looked_up.value()
        };
        match &*way {
            "memo" => {
                let price = ctx.memo("price", look_up).await?;
                if ctx.attempt() < 3 {
                    return Err(StepError::new("closed"));
                }
                Ok(Stop(price.to_string()))
            }
            "work that fails" => {
                let stock: u32 = ctx
                    .try_memo("stock", || async {
                        self.closed.count();
                        if self.closed.value() < 3 { Err("closed") } else { Ok(self.closed.value()) }
                    })
                    .await?;
                if ctx.attempt() == 3 { Ok(Stop(stock.to_string())) } else { Err(StepError::new("again")) }
            }
            "one name twice" => {
                ctx.memo("price", look_up).await?;
                ctx.memo("price", look_up).await?;
                Ok(Stop("no".to_owned()))
            }
            "another type" => {
                if ctx.attempt() == 1 {
                    ctx.memo("price", || async { "seven".to_owned() }).await?;
                    return Err(StepError::new("closed"));
                }
                Ok(Stop(ctx.memo("price", look_up).await?.to_string()))
            }
            "sleep" => {
                ctx.sleep(Duration::from_secs(100)).await;
                Ok(Stop("rested".to_owned()))
            }
            other => panic!("no way {other}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_memo_is_computed_once_over_all_attempts() {
    let flow = Shop::default();
    assert_eq!(flow.clone().run("memo".to_owned()).await.unwrap(), "1");
    assert_eq!(flow.looked_up.value(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_memo_is_found_again_elsewhere() {
    let flow = Shop::default();
    let run = flow.clone().run("memo".to_owned());
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let run = elsewhere(&flow, run).await;
    assert_eq!(run.await.unwrap(), "1");
    assert_eq!(flow.looked_up.value(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_remembered() {
    let flow = Shop::default();
    assert_eq!(flow.clone().run("work that fails".to_owned()).await.unwrap(), "3");
    assert_eq!(flow.closed.value(), 3);
}

#[tokio::test(start_paused = true)]
async fn two_memos_of_one_name_are_an_error_that_says_what_to_do() {
    for (way, text) in [
        (
            "one name twice",
            "step `buy` has a memo `price` already in this attempt; put what tells them apart into the name",
        ),
        (
            "another type",
            "the value of memo `price` cannot be read: invalid type: string \"seven\", expected u32 at line 1 column 7",
        ),
    ] {
        let RunError::Failed { error, .. } = Shop::default().run(way.to_owned()).await.unwrap_err() else {
            panic!()
        };
        assert_eq!((error.kind(), error.message()), (StepErrorKind::Misused, text));
    }
}

#[tokio::test(start_paused = true)]
async fn a_sleep_goes_on_elsewhere_for_the_rest_of_it() {
    let flow = Shop::default();
    let begun = Instant::now();
    let run = flow.clone().run("sleep".to_owned());
    tokio::time::sleep(Duration::from_secs(60)).await;
    let run = elsewhere(&flow, run).await;
    run.await.unwrap();
    // The other process has a wall clock of its own, which does not stand still here.
    assert!((99..=101).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

// ---- suspending with patience ----

#[derive(Clone, Default)]
struct Chain {
    log: Log,
}

#[workflow]
impl Chain {
    #[step]
    async fn first(&self, _: Start) -> Item {
        tokio::time::sleep(Duration::from_secs(10)).await;
        self.log.add("first");
        Item(1)
    }

    #[step]
    async fn second(&self, item: Item, person: Asker) -> Result<Stop<u32>, AskError> {
        self.log.add("second");
        person.text("sure?").await?;
        Ok(Stop(item.0))
    }
}

#[tokio::test(start_paused = true)]
async fn suspending_with_patience_lets_what_runs_finish_and_starts_nothing_else() {
    let flow = Chain::default();
    let run = flow.clone().run(());
    settle().await;
    let begun = Instant::now();
    let snapshot = run.suspend_after(Duration::from_secs(60)).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 9, "it ends when the step does");
    assert_eq!(flow.log.lines(), ["first"]);
    let run = flow.clone().resume(through_json(snapshot)).unwrap();
    settle().await;
    answer(&run, "sure?", "yes").await;
    assert_eq!(run.await.unwrap(), 1);
    assert_eq!(flow.log.lines(), ["first", "second"]);
}

#[tokio::test(start_paused = true)]
async fn patience_has_an_end_and_does_not_wait_for_people() {
    let flow = Chain::default();
    let run = flow.clone().run(());
    settle().await;
    run.suspend_after(Duration::from_secs(5)).await.unwrap();
    assert_eq!(flow.log.lines(), [""; 0]);
    let run = flow.clone().run(());
    tokio::time::sleep(Duration::from_secs(20)).await;
    let begun = Instant::now();
    run.suspend_after(Duration::from_secs(60)).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn patience_that_is_given_up_lets_the_run_go_on() {
    let flow = Chain::default();
    let run = flow.clone().run(());
    settle().await;
    let patience = tokio::time::timeout(Duration::from_secs(2), run.suspend_after(Duration::from_secs(60)));
    assert!(patience.await.is_err());
    tokio::time::sleep(Duration::from_secs(20)).await;
    answer(&run, "sure?", "yes").await;
    assert_eq!(run.await.unwrap(), 1);
}

// ---- what one attempt leaves to the next ----

/// Its attempts differ in what they ask under one name.
struct Renamed;

#[workflow]
impl Renamed {
    #[step(retry = Retry::fixed("1s"))]
    async fn ask(
        &self,
        _: Start,
        person: Asker,
        sure: Asker<Sure>,
        ctx: &Context<Self>,
    ) -> Result<Stop<u32>, StepError> {
        if ctx.attempt() == 1 {
            person.text("there?").named("it").await?;
            return Err(StepError::new("broke"));
        }
        Ok(Stop(sure.ask(Sure).named("it").await?))
    }
}

#[tokio::test(start_paused = true)]
async fn one_name_for_two_kinds_of_questions_does_not_mix_up_their_answers() {
    let run = Renamed.run(());
    settle().await;
    answer(&run, "there?", "yes").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    run.respond(&run.pending().one::<Sure>().unwrap(), 7).await.unwrap();
    assert_eq!(run.await.unwrap(), 7);
}

/// Its first attempt leaves a memo behind in a task of its own.
struct Overtaken;

#[workflow]
impl Overtaken {
    #[step(retry = Retry::fixed("1s"))]
    async fn work(&self, _: Start, ctx: &Context<Self>) -> Result<Stop<u32>, StepError> {
        let attempt = ctx.attempt();
        let memo = ctx.memo("number", move || async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            attempt
        });
        if attempt == 1 {
            tokio::spawn(memo);
            return Err(StepError::new("broke"));
        }
        Ok(Stop(memo.await?))
    }
}

#[tokio::test(start_paused = true)]
async fn a_memo_that_an_older_attempt_records_first_counts() {
    assert_eq!(Overtaken.run(()).await.unwrap(), 1);
}

/// Asks the same twice, once under a name.
struct Twice;

#[workflow]
impl Twice {
    #[step(retry = Retry::fixed("1s"))]
    async fn ask(&self, _: Start, person: Asker, ctx: &Context<Self>) -> Result<Stop<String>, StepError> {
        let first = match ctx.attempt() {
            1 => person.text("there?"),
            attempt => person.text(format!("there, for the {attempt}. time?")),
        };
        let first = first.named("first").await?;
        let second = person.text("there?").await?;
        if ctx.attempt() == 1 {
            return Err(StepError::new("broke"));
        }
        Ok(Stop(format!("{first} {second}")))
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_name_does_not_count_among_those_without() {
    let run = Twice.run(());
    settle().await;
    answer(&run, "there?", "a").await;
    answer(&run, "there?", "b").await;
    assert_eq!(run.await.unwrap(), "a b");
}

/// Gives two waits up that have what they waited for.
#[derive(Clone, Default)]
struct Unseen {
    gate: std::sync::Arc<tokio::sync::Notify>,
}

#[workflow]
impl Unseen {
    #[step]
    async fn take(&self, _: Start, numbers: Inbox<u32>) -> Stop<Vec<u32>> {
        tokio::select! {
            biased;
            () = self.gate.notified() => {}
            _ = async { tokio::join!(numbers.next(), numbers.next()) } => {}
        }
        Stop(vec![numbers.next().await, numbers.next().await, numbers.next().await])
    }
}

#[tokio::test(start_paused = true)]
async fn signals_for_calls_that_were_given_up_unseen_keep_their_order() {
    let flow = Unseen::default();
    let run = flow.clone().run(());
    settle().await;
    flow.gate.notify_one();
    for n in 1..=3 {
        run.send(n).await.unwrap();
    }
    assert_eq!(run.await.unwrap(), [1, 2, 3]);
}
