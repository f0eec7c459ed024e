//! Graphs that nobody would write: whatever they hold, looking at them never panics.
//!
//! Deterministic: the same seeds on every machine.

use workflow_graph::build::{AlternativeDecl, Builder, ReturnsDecl, StepDecl, ToolDecl};
use workflow_graph::levels::Levels;
use workflow_graph::{
    Alternative, Catches, Event, EventId, Graph, Origin, Param, ParamForm, Place, Point, PointId, Returns,
    Role, Skip, Slot, Step, StepId, StepOptions, Tool,
};

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: u64) -> u16 {
        (self.next() % most) as u16
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next() % n == 0
    }

    fn list<T>(&mut self, most: u64, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }
}

/// Well-formed as a value, with any mistake an author could make.
fn authored(dice: &mut Dice) -> Graph {
    let mut builder = Builder::new("Random");
    let mut events = vec![builder.start("A"), builder.stop("A"), builder.signal("A"), builder.prompt("Q")];
    events.extend([builder.response("Q"), builder.expired("Q")]);
    for n in 0..2 + dice.below(6) {
        events.push(builder.event(&format!("E{n}")));
    }
    if dice.one_in(8) {
        events.extend([builder.start("B"), builder.stop("B")]);
    }
    let steps = 1 + dice.below(8);
    let event = |dice: &mut Dice| events[usize::from(dice.below(events.len() as u64))];
    for n in 0..steps {
        let mut step = StepDecl::new(format!("s{n}"));
        step.params = dice.list(3, |dice| {
            let form = match dice.below(8) {
                0 | 1 => ParamForm::Gather { failures: dice.one_in(2) },
                2 => ParamForm::Failed,
                _ => ParamForm::One,
            };
            Param::new(form, dice.list(2, event))
        });
        step.tools = dice.list(1, |dice| match dice.below(3) {
            0 => ToolDecl::Emitter(dice.list(2, event)),
            1 => ToolDecl::Asker(event(dice)),
            _ => ToolDecl::Inbox(event(dice)),
        });
        step.returns = ReturnsDecl {
            fallible: dice.one_in(2),
            optional: dice.one_in(4),
            alternatives: dice.list(3, |dice| match dice.one_in(3) {
                true => AlternativeDecl::Many(dice.list(2, event)),
                false => AlternativeDecl::One(event(dice)),
            }),
        };
        step.options = options(dice, u64::from(steps));
        builder.step(step);
    }
    builder.build()
}

/// As it could come over the wire: numbers lead anywhere.
fn foreign(dice: &mut Dice) -> Graph {
    let event = |dice: &mut Dice| EventId(dice.below(9));
    let point = |dice: &mut Dice| PointId(dice.below(5));
    let slot = |dice: &mut Dice| Slot { step: StepId(dice.below(7)), param: dice.below(4) };
    let names = ["Start", "Stop<A>", "E", "InputRequired<Q>", "HumanResponse<Q>", "Expired<", "", "\"<&>`\n"];
    let name = |dice: &mut Dice| names[usize::from(dice.below(names.len() as u64))];
    Graph {
        name: name(dice).into(),
        docs: "".into(),
        events: dice
            .list(8, |dice| Event {
                name: name(dice).into(),
                role: match dice.below(7) {
                    0 => Role::Start,
                    1 => Role::Event,
                    2 => Role::Prompt { response: Some(event(dice)), expired: Some(event(dice)) },
                    3 => Role::Response { prompt: Some(event(dice)) },
                    4 => Role::Expired { prompt: Some(event(dice)) },
                    5 => Role::Signal,
                    _ => Role::Stop,
                },
                accepted_by: dice.list(3, slot).into(),
            })
            .into(),
        steps: dice
            .list(6, |dice| Step {
                name: name(dice).into(),
                docs: "".into(),
                was: None,
                params: dice.list(3, |dice| Param::new(ParamForm::One, dice.list(9, event))).into(),
                tools: dice
                    .list(2, |dice| match dice.below(3) {
                        0 => Tool::Emitter(point(dice)),
                        1 => Tool::Asker(event(dice)),
                        _ => Tool::Inbox(event(dice)),
                    })
                    .into(),
                returns: Returns {
                    fallible: true,
                    optional: dice.one_in(2),
                    alternatives: dice
                        .list(3, |dice| match dice.one_in(2) {
                            true => Alternative::Many(point(dice)),
                            false => Alternative::One(event(dice)),
                        })
                        .into(),
                },
                options: options(dice, 7),
            })
            .into(),
        points: dice
            .list(4, |dice| Point {
                step: StepId(dice.below(7)),
                origin: match dice.one_in(2) {
                    true => Origin::Emitter(dice.below(3)),
                    false => Origin::Returned(dice.below(3)),
                },
                items: dice.list(3, event).into(),
                gathers: dice.list(3, slot).into(),
            })
            .into(),
    }
}

fn options(dice: &mut Dice, steps: u64) -> StepOptions {
    StepOptions {
        workers: dice.one_in(4).then_some(u32::from(dice.below(2))),
        take: dice.one_in(6).then_some(1),
        catches: match dice.below(12) {
            0 => Some(Catches::Rest),
            1 => Some(Catches::Steps(dice.list(3, |dice| StepId(dice.below(steps))).into())),
            _ => None,
        },
        skip: Skip {
            reachability: dice.one_in(9),
            dead_end: dice.one_in(9),
            outside: dice.one_in(9),
            join: dice.one_in(9),
        },
        ..StepOptions::NONE
    }
}

fn look_at(graph: &Graph) {
    let found = graph.check();
    assert_eq!(found, graph.check());
    for place in found.iter().flat_map(|it| it.also.iter().map(|(at, _)| *at).chain([it.at])) {
        assert!(exists(graph, place), "{place:?} in {graph:?}");
    }
    for message in found.iter().map(|it| &it.message) {
        assert!(!message.is_empty() && !message.ends_with('.'), "{message}");
    }
    assert_eq!(graph.to_mermaid(), graph.to_mermaid());
    assert_eq!(graph.to_dot(), graph.to_dot());
    assert_eq!(graph.to_text().lines().count(), graph.steps.len());
    assert_eq!(graph.fingerprint(), graph.fingerprint());
    assert_eq!(graph.replay_fingerprint(), graph.replay_fingerprint());
    let levels = Levels::of(graph);
    for step in (0..8).map(StepId) {
        let _ = (graph.handler_of(step), levels.of_step(step));
    }
}

fn exists(graph: &Graph, place: Place) -> bool {
    let Some(step) = place.step() else { return place == Place::Workflow };
    let Some(step) = graph.step(step) else { return false };
    match place {
        Place::Workflow | Place::Step(_) => true,
        Place::Param { param, alternative, .. } => step
            .params
            .get(usize::from(param))
            .is_some_and(|param| alternative == 0 || usize::from(alternative) < param.events.len()),
        Place::Tool { tool, .. } => usize::from(tool) < step.tools.len(),
        Place::Returned { alternative, .. } => usize::from(alternative) < step.returns.alternatives.len(),
        Place::Catches { position, .. } => match (&step.options.catches, position) {
            (_, None) => true,
            (Some(Catches::Steps(steps)), Some(position)) => usize::from(position) < steps.len(),
            _ => false,
        },
        Place::Option { name, .. } => !name.is_empty(),
    }
}

#[test]
fn whatever_an_author_writes_is_looked_at_without_a_panic() {
    for seed in 0..2_000 {
        let graph = authored(&mut Dice(seed));
        let mut again = graph.clone();
        assert_eq!(again.relink(), Ok(()));
        assert_eq!(again, graph);
        look_at(&graph);
    }
}

#[test]
fn whatever_comes_over_the_wire_is_looked_at_without_a_panic() {
    for seed in 0..2_000 {
        let mut graph = foreign(&mut Dice(seed));
        look_at(&graph);
        if graph.relink().is_ok() {
            look_at(&graph);
        }
    }
}
