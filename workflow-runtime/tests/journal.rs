//! The raw form of a run does what the run of its own types does.

#![allow(clippy::unwrap_used, reason = "that is how a test fails")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use workflow_runtime::engine::{Command, Emitted, Engine, Invoke, Note, NoteKey, NoteKind, Tick};
use workflow_runtime::journal::{self, Limits};
use workflow_runtime::prelude::*;
use workflow_runtime::store::{History, Record};
use workflow_runtime::{Events, Status, Time, Workflow};

#[prompt(response = bool)]
struct Approve {
    total: u64,
}

#[prompt(response = String)]
struct Name;

#[data]
struct Order {
    id: u64,
}

#[event]
struct Named(String);

struct Orders;

#[workflow]
impl Orders {
    #[step]
    fn ask(&self, Start(order): Start<Order>) -> InputRequired<Approve> {
        InputRequired::new(Approve { total: order.id }).expires_in(Duration::from_secs(5))
    }

    #[step]
    fn yes(&self, answer: HumanResponse<Approve>) -> Stop<u64> {
        Stop(answer.prompt.total)
    }

    #[step]
    async fn late(&self, _: Expired<Approve>, name: Asker<Name>) -> Result<Named, StepError> {
        Ok(Named(name.ask(Name).await?))
    }

    #[step]
    fn end(&self, named: Named) -> Stop<u64> {
        Stop(named.0.len() as u64)
    }
}

type Value = <Orders as Workflow>::Event;

/// An engine of the workflow's own events, and the records of its ticks.
struct Run {
    engine: Engine<Value>,
    running: Vec<Invoke<Value>>,
    records: Vec<Record>,
}

impl Run {
    fn tick(&mut self, at: u64, tick: Tick<Value>) {
        let at = Time(at);
        let body = journal::body(Orders::GRAPH, &tick).unwrap().with_limits(LIMITS);
        let mut commands = Vec::new();
        self.engine.handle(at, tick, &mut commands).unwrap();
        self.running.extend(commands.into_iter().filter_map(|command| match command {
            Command::Run(invoke) => Some(invoke),
            _ => None,
        }));
        let body = journal::record(body, self.engine.state().last_id(), None);
        let position = self.records.len() as u64 + 1;
        self.records.push(Record { position, at, key: None, fingerprint: None, body });
    }

    fn finish(&mut self, at: u64, event: Value) {
        let Invoke { invocation, attempt, .. } = self.running.pop().unwrap();
        self.tick(at, Tick::Finished { invocation, attempt, emitted: Emitted::One(event) });
    }

    /// What a store would have of it, replayed.
    fn replayed(&self) -> journal::Replayed {
        let name = journal::fingerprint(Orders::GRAPH);
        let graph = Arc::new(journal::read_graph(&name, &journal::graph_json(Orders::GRAPH)).unwrap());
        let (fingerprint, tail, inbox) = (name, self.records.clone(), Vec::new());
        let history = History { input: json("0"), fingerprint, snapshot: None, tail, inbox };
        journal::load(&history, &"run".into(), 1, &|_| Some(graph.clone())).unwrap()
    }
}

const LIMITS: Limits = Limits { deadline: Some(Time(90_000)), timeout: Some(60_000) };

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn event(name: &str, text: &str) -> Value {
    Value::decode(Orders::GRAPH.event_named(name).unwrap(), &json(text)).unwrap()
}

#[test]
fn it_is_the_same_run_tick_by_tick() {
    let engine = Engine::new(Orders::GRAPH).with_limits(LIMITS.deadline, LIMITS.timeout);
    let mut run = Run { engine, running: Vec::new(), records: Vec::new() };
    let compare = |run: &Run| {
        let own = Snapshot::take(&"run".into(), &run.engine, 1).unwrap().to_json();
        let raw = run.replayed().snapshot.unwrap();
        assert_eq!(raw.to_json(), own);
        // And it can be taken up by the workflow.
        let read = raw.restore::<Value>(Orders::GRAPH).unwrap();
        assert_eq!(Snapshot::take(&"run".into(), &read.engine, 1).unwrap().to_json(), own);
    };
    run.tick(1_000, Tick::Started { input: Orders::start(Order { id: 7 }) });
    compare(&run);
    run.finish(2_000, event("InputRequired<Approve>", r#"{"prompt":{"total":7},"expires_in":5000}"#));
    compare(&run);
    assert_eq!(run.engine.next_due(), Some(Time(7_000)));
    run.tick(7_000, Tick::Time);
    compare(&run);
    let Invoke { invocation, attempt, .. } = *run.running.last().unwrap();
    let key = NoteKey { kind: NoteKind::Ask, name: "null".into(), count: 0 };
    let ask = event("InputRequired<Name>", r#"{"prompt":null}"#);
    run.tick(8_000, Tick::Noted { invocation, attempt, key, note: Note::Ask(ask) });
    compare(&run);
    let request = run.engine.state().requests().next().unwrap().0;
    let text = format!(r#"{{"request":{},"prompt":null,"response":"Eve"}}"#, request.0);
    run.tick(9_000, Tick::Answered { request, response: event("HumanResponse<Name>", &text) });
    compare(&run);
    run.finish(10_000, event("Named", r#""Eve""#));
    compare(&run);
    run.finish(11_000, event("Stop<u64>", "3"));
    let replayed = run.replayed();
    assert_eq!(replayed.status, Status::Completed);
    assert_eq!(replayed.output.unwrap().0.get(), "3");
}
