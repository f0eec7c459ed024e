//! What readers are promised.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as Poller, Poll, Wake, Waker};

use futures_core::Stream as _;
use workflow_graph::{EventId, PointId, StepId};

use super::*;
use crate::prelude::*;
use crate::workflow::Events as _;

/// Publishes what it likes; only its types are used here.
struct Counts;

#[workflow(crate = crate, progress = u64)]
impl Counts {
    #[step]
    fn ask(&self, _: &Start) -> InputRequired {
        InputRequired::text("enough?")
    }

    #[step]
    fn end(&self, _: HumanResponse) -> Stop {
        Stop(())
    }
}

/// Publishes nothing.
struct Silent;

#[workflow(crate = crate)]
impl Silent {
    #[step]
    fn end(&self, _: Start) -> Stop {
        Stop(())
    }
}

const MOMENT: Time = Time(5);

fn run() -> RunId {
    RunId::from("run")
}

/// Keeps a stream, as a run does.
struct Kept(Mutex<Stream<Counts>>);

impl Keeper<Counts> for Kept {
    fn look_at_stream(&self, look: &mut dyn FnMut(&mut Stream<Counts>)) {
        look(&mut self.0.lock().unwrap());
    }

    fn read_stream(&self, read: &mut dyn FnMut(&mut Stream<Counts>)) {
        self.look_at_stream(read);
    }
}

fn in_memory() -> Arc<Kept> {
    Arc::new(Kept(Mutex::new(Stream::starting_at(1))))
}

fn in_a_store() -> Arc<Kept> {
    Arc::new(Kept(Mutex::new(Stream::stored_from(1))))
}

impl Kept {
    fn reader(self: &Arc<Self>) -> RunEvents<Counts> {
        self.reader_after(0)
    }

    fn reader_after(self: &Arc<Self>, number: u64) -> RunEvents<Counts> {
        RunEvents::new(Arc::<Self>::clone(self), number, None)
    }

    /// Changes the stream, and wakes its readers.
    fn change<T>(&self, change: impl FnOnce(&mut Stream<Counts>) -> T) -> T {
        let mut stream = self.0.lock().unwrap();
        let changed = change(&mut stream);
        let readers = stream.take_readers();
        drop(stream);
        readers.into_iter().flatten().for_each(Waker::wake);
        changed
    }

    fn count(&self, values: std::ops::Range<u64>) {
        values.for_each(|value| {
            self.change(|stream| stream.publish(MOMENT, StepId(0), InvocationId(1), 1, value));
        });
    }

    /// One tick, in which a step starts and finishes.
    fn step(&self, tick: u64) {
        self.change(|stream| {
            let invocation = InvocationId(tick);
            stream.begin(tick, MOMENT);
            stream.started(StepId(0), invocation, 1);
            stream.tell(Notice::StepFinished { invocation, step: StepId(0), emitted: Counted::None }, run);
        });
    }

    fn ask(&self, tick: u64, id: u64) {
        let json = serde_json::value::to_raw_value(&InputRequired::text("enough?")).unwrap();
        let event = Counts::GRAPH.event_named("InputRequired<Text>").unwrap();
        let prompt = <Counts as Workflow>::Event::decode(event, &json).unwrap();
        let (request, step, asked_at) = (RequestId(id), StepId(0), MOMENT);
        let asked = Notice::InputRequired { request, step, prompt, asked_at, expires_at: None };
        self.change(|stream| {
            stream.begin(tick, MOMENT);
            stream.tell(asked, run);
        });
    }

    fn end(&self) {
        self.change(|stream| stream.push(RunEventKind::Completed { output: () }));
    }

    fn show(&self, up_to: u64) {
        self.change(|stream| stream.show(up_to));
    }
}

/// What a reader is given now.
fn next<W: Workflow>(reader: &mut RunEvents<W>, waker: &Waker) -> Option<RunEvent<W>> {
    match pin!(reader).poll_next(&mut Poller::from_waker(waker)) {
        Poll::Ready(event) => event.map(Result::unwrap),
        Poll::Pending => None,
    }
}

fn read(reader: &mut RunEvents<Counts>) -> Vec<RunEvent<Counts>> {
    std::iter::from_fn(|| next(reader, Waker::noop())).collect()
}

fn numbers(events: &[RunEvent<Counts>]) -> Vec<u64> {
    events.iter().map(|event| event.number).collect()
}

#[test]
fn a_reader_that_is_behind_gets_everything_in_order_and_once() {
    let stream = in_memory();
    let mut reader = stream.reader();
    let mut seen = Vec::new();
    for round in 0..30 {
        stream.count(10 * round..10 * round + 10);
        // It takes fewer than there are, so that some always wait for it.
        seen.extend((0..7).filter_map(|_| next(&mut reader, Waker::noop())));
    }
    stream.end();
    seen.extend(read(&mut reader));
    assert!(numbers(&seen).into_iter().eq(1..=301));
    let values = seen.iter().filter_map(|event| match event.kind {
        RunEventKind::Progress { value, .. } => Some(value),
        _ => None,
    });
    assert!(values.eq(0..300));
    assert_eq!(seen.iter().filter(|event| event.is_terminal()).count(), 1);
    assert!(next(&mut reader, Waker::noop()).is_none(), "nothing comes after the end");
}

#[test]
fn what_a_reader_has_taken_is_not_missed_and_the_rest_is() {
    let stream = in_memory();
    stream.ask(1, 7);
    stream.count(0..100);
    let mut reader = stream.reader();
    assert_eq!(next(&mut reader, Waker::noop()).unwrap().number, 1);
    let (taken, kept) = (reader.after, EVENTS_KEPT as u64);
    stream.count(100..2_000);
    let oldest = 2_001 - kept + 1;

    let rest = read(&mut reader);
    let (before, rest) = rest.split_at(taken as usize - 1);
    assert!(numbers(before).into_iter().eq(2..=taken));
    let [missed, asked, rest @ ..] = rest else { panic!("{rest:?}") };
    let RunEventKind::Missed { count } = missed.kind else { panic!("{missed:?}") };
    assert_eq!((missed.number, count), (oldest - 1, oldest - 1 - taken));
    assert_eq!((asked.number, asked.ask::<Text>().unwrap().id), (1, RequestId(7)));
    assert!(numbers(rest).into_iter().eq(oldest..=2_001));
}

#[test]
fn a_reader_that_waits_or_has_read_everything_holds_nothing() {
    let stream = in_memory();
    stream.count(0..200);
    let mut reader = stream.reader();
    assert!(next(&mut reader, Waker::noop()).is_some());
    assert!(!reader.taken.is_empty() && reader.taken.len() < 64);
    read(&mut reader);
    assert_eq!(reader.taken.capacity(), 0);
    stream.count(200..210);
    stream.end();
    assert_eq!(read(&mut reader).len(), 11);
    assert_eq!(reader.taken.capacity(), 0);
}

#[test]
fn a_reader_that_has_read_the_end_keeps_nothing_of_the_run() {
    let stream = in_memory();
    let mut reader = stream.reader();
    stream.count(0..3);
    stream.end();
    assert!(next(&mut reader, Waker::noop()).is_some());
    assert_eq!(Arc::strong_count(&stream), 2);
    assert_eq!(read(&mut reader).len(), 3);
    assert_eq!(Arc::strong_count(&stream), 1);
    assert!(next(&mut reader, Waker::noop()).is_none());
}

#[test]
fn an_event_that_comes_alone_is_not_put_aside() {
    let stream = in_memory();
    let mut reader = stream.reader();
    for value in 0..10 {
        stream.count(value..value + 1);
        assert!(next(&mut reader, Waker::noop()).is_some());
        assert_eq!(reader.taken.capacity(), 0);
    }
}

#[test]
fn a_reader_may_begin_after_every_number_there_is() {
    let stream = in_memory();
    let mut reader = stream.reader_after(u64::MAX);
    stream.step(1);
    assert!(next(&mut reader, Waker::noop()).is_none());
    stream.end();
    assert!(numbers(&read(&mut reader)).into_iter().eq([3]));
}

/// Counts how often it is woken.
#[derive(Default)]
struct Bell {
    rung: AtomicUsize,
}

impl Bell {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    fn rung(&self) -> usize {
        self.rung.swap(0, Ordering::SeqCst)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_reader_is_woken_once_for_a_tick_and_only_if_it_waits() {
    let stream = in_memory();
    let bell = Bell::new();
    let waker = Waker::from(Arc::clone(&bell));
    let mut readers = [stream.reader(), stream.reader(), stream.reader()];
    for reader in &mut readers {
        assert!(next(reader, &waker).is_none());
    }
    stream.step(1);
    assert_eq!(bell.rung(), 3);
    stream.step(2);
    assert_eq!(bell.rung(), 0, "nobody has waited since");
    let [reader, ..] = &mut readers;
    while next(reader, &waker).is_some() {}
    stream.change(|stream| stream.begin(3, MOMENT));
    assert_eq!(bell.rung(), 0, "there is nothing new");
    stream.count(0..2);
    assert_eq!(bell.rung(), 1);
}

#[test]
fn a_reader_is_woken_for_what_is_stored_and_not_before() {
    let stream = in_a_store();
    let bell = Bell::new();
    let waker = Waker::from(Arc::clone(&bell));
    let mut reader = stream.reader();
    assert!(next(&mut reader, &waker).is_none());
    stream.step(1);
    // Its turn comes after what is not stored yet.
    stream.count(0..1);
    assert_eq!(bell.rung(), 0);
    assert!(next(&mut reader, &waker).is_none());
    stream.show(2);
    assert_eq!(bell.rung(), 1);
    assert_eq!(numbers(&read(&mut reader)), [1, 2, 3]);
    assert!(next(&mut reader, &waker).is_none());
    stream.count(1..2);
    assert_eq!(bell.rung(), 1, "nothing is before it");
}

#[test]
fn what_is_not_stored_is_neither_shown_nor_missed() {
    let stream = in_a_store();
    let mut reader = stream.reader();
    stream.step(1);
    stream.show(2);
    stream.ask(2, 7);
    (3..1_003).for_each(|tick| stream.step(tick));
    // Two events are shown and are not kept any more; the question and what came after it are not stored yet.
    let seen = read(&mut reader);
    assert!(matches!(seen[..], [RunEvent { number: 2, kind: RunEventKind::Missed { count: 2 }, .. }]));
    stream.show(2_003);
    let seen = read(&mut reader);
    let [missed, asked, rest @ ..] = &*seen else { panic!("{seen:?}") };
    assert!(matches!(missed.kind, RunEventKind::Missed { count } if count == rest[0].number - 3));
    assert_eq!(asked.ask::<Text>().unwrap().id, RequestId(7));
    assert!(numbers(rest).into_iter().eq(2_003 - EVENTS_KEPT as u64 + 1..=2_003));
}

#[test]
fn a_stream_that_breaks_off_goes_on_from_what_was_shown() {
    let stream = in_a_store();
    (1..=600).for_each(|tick| stream.step(tick));
    stream.show(1_000);
    let mut reader = stream.reader();
    let first = next(&mut reader, Waker::noop()).unwrap();
    assert!(matches!(first.kind, RunEventKind::Missed { count: 176 }));
    stream.change(|stream| stream.break_off(RunEventKind::Suspended));
    let rest = read(&mut reader);
    assert!(numbers(&rest).into_iter().eq(177..=1_001));
    assert!(rest.last().unwrap().is_terminal());
}

#[test]
fn what_is_kept_small_is_told_as_everything_else() {
    let (invocation, step) = (InvocationId(3), StepId(1));
    let finished = |emitted| Notice::StepFinished { invocation, step, emitted };
    let notices = || {
        [
            Notice::StepSent { invocation, step, event: EventId(1) },
            finished(Counted::None),
            finished(Counted::One(EventId(0))),
            finished(Counted::Many(PointId(0), Box::new([3]))),
            Notice::StepFailed { invocation, attempt: 1, step, error: StepError::new("no") },
            Notice::InputReceived { request: RequestId(2) },
        ]
    };
    let (memory, store) = (in_memory(), in_a_store());
    for stream in [&memory, &store] {
        stream.change(|stream| {
            stream.begin(8, MOMENT);
            notices().into_iter().for_each(|notice| stream.tell(notice, run));
        });
    }
    let json = |event: &RunEvent<Counts>| serde_json::to_string(event).unwrap();
    let told: Vec<_> = (1..)
        .zip(notices())
        .map(|(number, notice)| RunEvent {
            number,
            tick: 8,
            at: MOMENT,
            kind: RunEventKind::told(notice, run).unwrap(),
        })
        .map(|event| json(&event))
        .collect();
    assert_eq!(read(&mut memory.reader()).iter().map(json).collect::<Vec<_>>(), told);
    assert!(store.change(Stream::take_unstored).iter().map(|event| event.body.get()).eq(&told));
}

#[test]
fn what_is_kept_of_a_step_is_small() {
    let (silent, counts) = (size_of::<kept::Kept<Silent>>(), size_of::<kept::Kept<Counts>>());
    assert!(silent <= 32 && counts <= 40, "{silent} {counts}");
}
