//! What runs cost, counted and not timed: events that the engine copies or looks at, and commands that it gives.
//!
//! A run of ten times as many elements must cost ten times as much, element for element. The counts are exact, so
//! that nothing depends on the machine.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use workflow_runtime::StepError;
use workflow_runtime::engine::{
    Command, Emitted, Ending, Engine, Input, InvocationId, Invoke, Part, Payload, Tick, Time, Verdict,
};
use workflow_runtime::graph::{Alternative, EventId, Graph, PointId};

use crate::graphs::graph;

thread_local! {
    static COPIES: Cell<u64> = const { Cell::new(0) };
    static LOOKS: Cell<u64> = const { Cell::new(0) };
}

/// An event that counts what is done to it.
#[derive(Debug, PartialEq, Eq)]
struct Counted(EventId, u32);

impl Clone for Counted {
    fn clone(&self) -> Self {
        COPIES.set(COPIES.get() + 1);
        Self(self.0, self.1)
    }
}

impl Payload for Counted {
    fn event(&self) -> EventId {
        LOOKS.set(LOOKS.get() + 1);
        self.0
    }
}

#[derive(Clone, Copy, Debug)]
struct Cost {
    copies: u64,
    looks: u64,
    commands: u64,
    /// Of the ticks that neither fan out nor gather nor cancel a whole scope, the most expensive one.
    most_of_a_small_tick: u64,
}

impl Cost {
    fn sum(self) -> u64 {
        self.copies + self.looks + self.commands
    }
}

/// What a step does in a run of `n` elements; it may fail.
type Act = fn(&Work<'_>, &Invoke<Counted>) -> Option<Emitted<Counted>>;

struct Work<'a> {
    graph: &'a Graph,
    n: u32,
}

impl Work<'_> {
    fn one(&self, name: &str, value: u32) -> Option<Emitted<Counted>> {
        Some(Emitted::One(Counted(self.event(name), value)))
    }

    fn many(&self, invoke: &Invoke<Counted>, name: &str, count: u32) -> Option<Emitted<Counted>> {
        let returns = &self.graph.step(invoke.step).unwrap().returns;
        let point = returns.alternatives.iter().find_map(|it| match it {
            Alternative::Many(point) => Some(*point),
            Alternative::One(_) => None,
        });
        let event = self.event(name);
        let values = (0..count).map(|value| Counted(event, value)).collect();
        Some(Emitted::Many(point.unwrap_or(PointId(0)), values))
    }

    fn event(&self, name: &str) -> EventId {
        self.graph.event_named(name).unwrap()
    }
}

fn value(input: &Input<Counted>) -> u32 {
    match input {
        Input::One(value) => value.1,
        Input::Parts(parts) => {
            parts.iter().map(|part| if let Part::One(one) = part { one.1 } else { 0 }).sum()
        }
    }
}

/// Drives a run to its end, the step that was started last first if so wished.
fn drive(steps: &str, n: u32, newest_first: bool, act: Act) -> Cost {
    let graph = Arc::new(graph(steps));
    assert_eq!(graph.check(), []);
    let work = Work { graph: &graph, n };
    let mut engine: Engine<Counted> = Engine::new(Arc::clone(&graph));
    let (mut order, mut running) = (VecDeque::new(), BTreeMap::<InvocationId, Invoke<Counted>>::new());
    let mut out = Vec::new();
    let mut cost = Cost { copies: 0, looks: 0, commands: 0, most_of_a_small_tick: 0 };
    let mut tick = Tick::Started { input: Counted(work.event("Start"), 0) };
    loop {
        COPIES.set(0);
        LOOKS.set(0);
        engine.handle(Time(0), tick, &mut out).unwrap();
        let (copies, looks, commands) = (COPIES.get(), LOOKS.get(), out.len() as u64);
        cost.copies += copies;
        cost.looks += looks;
        cost.commands += commands;
        let all = copies + looks + commands;
        if all < u64::from(n) / 2 {
            cost.most_of_a_small_tick = cost.most_of_a_small_tick.max(all);
        }
        for command in out.drain(..) {
            match command {
                Command::Run(invoke) => {
                    order.push_back(invoke.invocation);
                    running.insert(invoke.invocation, invoke);
                }
                Command::Abort { invocation } => {
                    running.remove(&invocation).unwrap();
                }
                Command::Publish(_) | Command::Wake { .. } => {}
                Command::Finish(Ending::Completed { .. }) => return cost,
                Command::Finish(other) => panic!("{other:?}"),
            }
        }
        let invoke = loop {
            let next = if newest_first { order.pop_back() } else { order.pop_front() };
            let next = next.expect("a run that has not ended has something that runs");
            if let Some(invoke) = running.remove(&next) {
                break invoke;
            }
        };
        let Invoke { invocation, attempt, .. } = invoke;
        tick = match act(&work, &invoke) {
            Some(emitted) => Tick::Finished { invocation, attempt, emitted },
            None => {
                let (error, verdict) = (StepError::new("no"), Verdict::Final);
                Tick::Failed { invocation, attempt, error, verdict }
            }
        };
    }
}

/// Each further element costs the same, and no tick in between costs more because there are more elements.
fn is_linear(sizes: &[u32], steps: &str, newest_first: bool, act: Act) {
    let mut fewer: Option<f64> = None;
    for n in sizes {
        let cost = drive(steps, *n, newest_first, act);
        let each = cost.sum() as f64 / f64::from(*n);
        println!("{n:>7} elements: {cost:?}, {each} each");
        // Before the next size, which would take for ever if this one does not hold.
        assert!(cost.most_of_a_small_tick <= 40, "a tick costs more the more elements there are: {cost:?}");
        assert!(each <= fewer.unwrap_or(each) * 1.02, "an element costs {each} and not {fewer:?}: {cost:?}");
        fewer = Some(each);
    }
}

const FAN_OUT: &str = "split: Start -> Vec(Task)\n work: Task -> Done\n all: Vec(Done) -> Stop";

fn fan_out(work: &Work<'_>, invoke: &Invoke<Counted>) -> Option<Emitted<Counted>> {
    match invoke.step.0 {
        0 => work.many(invoke, "Task", work.n),
        1 => work.one("Done", value(&invoke.input)),
        _ => work.one("Stop", 0),
    }
}

#[test]
fn a_fan_out_costs_the_same_for_each_of_a_hundred_thousand_elements() {
    is_linear(&[1_000, 10_000, 100_000], FAN_OUT, false, fan_out);
    is_linear(&[1_000, 10_000, 100_000], FAN_OUT, true, fan_out);
}

#[test]
fn a_fan_out_with_few_workers_costs_the_same_for_each_of_a_hundred_thousand_elements() {
    let steps = FAN_OUT.replace("work:", "work[workers=4]:");
    is_linear(&[1_000, 10_000, 100_000], &steps, false, fan_out);
    is_linear(&[1_000, 10_000, 100_000], &steps, true, fan_out);
}

#[test]
fn sending_costs_the_same_for_each_of_many_elements_that_are_joined_by_two() {
    let steps = "
        split: Start -> Vec(Task)
        left: Task -> L
        right[workers=4]: Task -> R
        both: L & R -> Done
        all: Vec(Done) -> Stop";
    is_linear(&[1_000, 10_000], steps, false, |work, invoke| match invoke.step.0 {
        0 => work.many(invoke, "Task", work.n),
        1 => work.one("L", value(&invoke.input)),
        2 => work.one("R", value(&invoke.input)),
        3 => work.one("Done", 0),
        _ => work.one("Stop", 0),
    });
}

/// Each of `n` fan-outs in a fan-out is cancelled when its first element is there.
#[test]
fn cancelling_many_inner_fan_outs_one_by_one_costs_the_same_for_each() {
    let steps = "
        groups: Start -> Vec(Group)
        open: Group -> Vec(Task)
        work[workers=7]: Task -> Done
        first[take=1]: Vec(Done) -> Sum
        all: Vec(Sum) -> Stop";
    for newest_first in [false, true] {
        is_linear(&[1_000, 10_000], steps, newest_first, |work, invoke| match invoke.step.0 {
            0 => work.many(invoke, "Group", work.n),
            1 => work.many(invoke, "Task", 5),
            2 => work.one("Done", 0),
            3 => work.one("Sum", 0),
            _ => work.one("Stop", 0),
        });
    }
}

/// One of `n` fan-outs in a fan-out is done, and that cancels all others with what is in them.
#[test]
fn cancelling_many_inner_fan_outs_at_once_costs_the_same_for_each() {
    let steps = "
        groups: Start -> Vec(Group)
        open: Group -> Vec(Task)
        work: Task -> Done
        sum: Vec(Done) -> Sum
        first[take=1]: Vec(Sum) -> Stop";
    is_linear(&[1_000, 10_000], steps, false, |work, invoke| match invoke.step.0 {
        0 => work.many(invoke, "Group", work.n),
        1 => work.many(invoke, "Task", 3),
        2 => work.one("Done", 0),
        3 => work.one("Sum", 0),
        _ => work.one("Stop", 0),
    });
}

/// In each of `n` fan-outs in a fan-out something fails, which cancels that one and is taken around it.
#[test]
fn many_inner_fan_outs_that_fail_cost_the_same_for_each() {
    let steps = "
        groups: Start -> Vec(Group)
        open: Group -> Vec(Task)
        work[workers=7]: Task -> Done
        sum: Vec(Done) -> Sum
        all: results Sum -> Stop";
    for newest_first in [false, true] {
        is_linear(&[1_000, 10_000], steps, newest_first, |work, invoke| match invoke.step.0 {
            0 => work.many(invoke, "Group", work.n),
            1 => work.many(invoke, "Task", 5),
            2 => None,
            3 => work.one("Sum", 0),
            _ => work.one("Stop", 0),
        });
    }
}

/// As many rounds of a loop as that, each with a fan-out of its own.
#[test]
fn what_has_happened_costs_nothing() {
    let steps = "
        round: Start | Again -> Vec(Task)
        work: Task -> Done
        all: Vec(Done) -> Turn
        turn: Turn -> Again | Stop";
    thread_local! { static ROUNDS: Cell<u32> = const { Cell::new(0) } }
    ROUNDS.set(0);
    is_linear(&[1_000, 10_000], steps, false, |work, invoke| match invoke.step.0 {
        0 => work.many(invoke, "Task", 2),
        1 => work.one("Done", 0),
        2 => work.one("Turn", 0),
        _ => {
            ROUNDS.set(ROUNDS.get() + 1);
            if ROUNDS.get() < work.n {
                return work.one("Again", 0);
            }
            ROUNDS.set(0);
            work.one("Stop", 0)
        }
    });
}
