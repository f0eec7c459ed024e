//! What readers of a stream see.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as Poller, Wake, Waker};
use std::time::Duration;

use workflow_runtime::EVENTS_KEPT;
use workflow_runtime::prelude::*;

use crate::flows::Shop;

async fn read<W: Workflow>(mut events: workflow_runtime::RunEvents<W>) -> Vec<RunEvent<W>> {
    let mut read = Vec::new();
    while let Some(event) = events.next().await {
        read.push(event.unwrap());
    }
    read
}

#[tokio::test(start_paused = true)]
async fn events_come_in_the_order_in_which_things_happened() {
    let (run, ask) = Shop::default().asking().await;
    run.respond(&ask, 1).await.unwrap();
    let told: Vec<_> = read(run.events())
        .await
        .iter()
        .map(|event| {
            let json = serde_json::to_value(event).unwrap();
            let step = json.get("step").map_or("", |step| step.as_str().unwrap());
            format!("{} {step}", json["type"].as_str().unwrap()).trim_end().to_owned()
        })
        .collect();
    let expected = [
        "step_started price",
        "step_finished price",
        "step_started ask",
        "step_finished ask",
        "input_required ask",
        "input_received",
        "step_started total",
        "step_finished total",
        "completed",
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn numbers_count_from_one_and_ticks_never_go_back() {
    let (run, ask) = Shop::default().asking().await;
    run.respond(&ask, 1).await.unwrap();
    let events = read(run.events()).await;
    assert!(events.iter().zip(1..).all(|(event, number)| event.number == number));
    assert!(events.is_sorted_by_key(|event| event.tick));
    assert!(events.is_sorted_by_key(|event| event.at));
}

#[tokio::test(start_paused = true)]
async fn every_reader_sees_everything_from_where_it_begins() {
    let (run, ask) = Shop::default().asking().await;
    let early = run.events();
    run.respond(&ask, 1).await.unwrap();
    (&run).await.unwrap();
    let numbers = |events: Vec<RunEvent<Shop>>| events.iter().map(|event| event.number).collect::<Vec<_>>();
    assert_eq!(numbers(read(early).await), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(numbers(read(run.events()).await), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(numbers(read(run.events_after(7)).await), [8, 9]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_past_the_end_still_gets_the_terminal_event() {
    let (run, ask) = Shop::default().asking().await;
    run.respond(&ask, 1).await.unwrap();
    (&run).await.unwrap();
    let events = read(run.events_after(1_000)).await;
    assert!(matches!(events[..], [RunEvent { kind: RunEventKind::Completed { .. }, .. }]));
}

#[tokio::test(start_paused = true)]
async fn a_resumed_run_tells_its_open_questions_first() {
    let (run, _) = Shop::default().asking().await;
    let run = Shop::default().resume(run.suspend().await.unwrap()).unwrap();
    assert!(run.events().next().await.unwrap().unwrap().ask::<crate::flows::HowMany>().is_some());
    run.cancel("test").await;
}

#[tokio::test(start_paused = true)]
async fn the_wire_form_names_the_question_and_its_prompt() {
    let (run, ask) = Shop::default().asking().await;
    let events = run.events_after(4).next().await.unwrap().unwrap();
    let json = serde_json::to_value(&events).unwrap();
    assert_eq!(json["type"], "input_required");
    assert_eq!(json["id"], ask.id.0);
    assert_eq!(json["prompt"], serde_json::json!({ "HowMany": { "what": "3" } }));
    run.cancel("test").await;
}

#[event]
struct Count;

/// Publishes more than a stream keeps, and then waits for a person.
struct Noisy;

#[workflow(progress = u64)]
impl Noisy {
    #[step]
    fn ask(&self, _: &Start) -> InputRequired {
        InputRequired::text("enough?")
    }

    #[step]
    async fn count(&self, _: &Start, ctx: &Context<Self>) -> Option<Count> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        (0..3 * EVENTS_KEPT as u64).for_each(|n| ctx.publish(n));
        None
    }

    #[step]
    fn never(&self, _: Count) {}

    #[step]
    fn end(&self, _: HumanResponse) -> Stop {
        Stop(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_falls_behind_is_told_how_much_it_missed_and_every_open_question() {
    let run = Noisy.run(());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut events = run.events();
    let RunEventKind::Missed { count } = events.next().await.unwrap().unwrap().kind else { panic!() };
    let ask = events.next().await.unwrap().unwrap().ask::<Text>().expect("the question that was missed");
    let oldest = events.next().await.unwrap().unwrap();
    assert_eq!(oldest.number, count + 1);
    run.respond(&ask, "yes".to_owned()).await.unwrap();
    let rest = read(events).await;
    assert!(rest.iter().zip(oldest.number + 1..).all(|(event, number)| event.number == number));
    assert!(rest.last().unwrap().is_terminal());
}

/// Publishes once, and waits for ever.
struct Quiet;

#[workflow(progress = String)]
impl Quiet {
    #[step]
    async fn wait(&self, _: Start, ctx: &Context<Self>) -> Stop {
        ctx.publish("halfway".to_owned());
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn progress_is_seen_while_the_step_works() {
    let run = Quiet.run(());
    let mut events = run.events_after(1);
    let event = events.next().await.unwrap().unwrap();
    let RunEventKind::Progress { step, value, attempt, .. } = event.kind else { panic!("{event:?}") };
    assert_eq!((step, &*value, attempt), ("wait", "halfway", 1));
    run.cancel("test").await;
}

/// Looks at the run when it is woken, which it cannot while the run is at something.
struct LooksAtOnce {
    run: Arc<Run<Shop>>,
    looked: AtomicUsize,
}

impl Wake for LooksAtOnce {
    fn wake(self: Arc<Self>) {
        let (run, (done, looked)) = (Arc::clone(&self.run), std::sync::mpsc::channel());
        std::thread::spawn(move || done.send(run.pending()));
        let looked = looked.recv_timeout(Duration::from_secs(10)).is_ok();
        self.looked.fetch_add(usize::from(looked), Ordering::SeqCst);
    }
}

#[tokio::test]
async fn readers_are_woken_when_the_run_can_be_looked_at_again() {
    let (run, ask) = Shop::default().asking().await;
    let run = Arc::new(run);
    let looks = Arc::new(LooksAtOnce { run: Arc::clone(&run), looked: AtomicUsize::new(0) });
    let waker = Waker::from(Arc::clone(&looks));
    let mut poller = Poller::from_waker(&waker);
    let mut readers = [run.events(), run.events()];
    for reader in &mut readers {
        while pin!(reader.next()).poll(&mut poller).is_ready() {}
    }
    run.respond(&ask, 1).await.unwrap();
    assert_eq!(looks.looked.load(Ordering::SeqCst), 2);
}
