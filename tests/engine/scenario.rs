//! Drives an engine by hand, and checks at every tick what must hold at any moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use workflow_runtime::engine::{
    Command, Emitted, Ending, Engine, Input, InvocationState, Invoke, Json, Note, NoteKey, NoteKind, Noted,
    Notice, Part, Payload, Refused, ScopeId, State, Status, Tick, Time, Verdict,
};
use workflow_runtime::graph::{Alternative, EventId, Graph, PointId, Tool};
use workflow_runtime::journal::{self, Limits};
use workflow_runtime::{Events, RequestId, RunId, Snapshot, StepError};

use crate::journals::Journal;

/// An event with a text in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    pub event: EventId,
    pub text: String,
    /// The question that it was, if nobody has answered it.
    pub expired: Option<RequestId>,
    /// What was asked, if it is the answer by default.
    pub asked: Option<String>,
}

/// The JSON forms of `InputRequired`, `Expired` and `HumanResponse`, which the raw form of an event relies on.
#[derive(Serialize, Deserialize)]
struct Question {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<RequestId>,
    prompt: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response: Option<String>,
}

impl Value {
    pub fn new(event: EventId, text: impl Into<String>) -> Self {
        Self { event, text: text.into(), expired: None, asked: None }
    }

    /// `.. else yes` is answered `yes` if by nobody else.
    fn default_answer(&self) -> Option<String> {
        self.text.split_once(" else ").map(|(_, answer)| answer.to_owned())
    }
}

impl Payload for Value {
    fn event(&self) -> EventId {
        self.event
    }

    fn expired(&self, request: RequestId, event: EventId) -> Option<Self> {
        Some(Self { expired: Some(request), ..Self::new(event, &*self.text) })
    }

    fn unanswered(&self, request: RequestId, event: EventId) -> Option<Self> {
        let answer = Self::new(event, self.default_answer()?);
        Some(Self { expired: Some(request), asked: Some(self.text.clone()), ..answer })
    }

    /// `in 5 ..` stays open for five minutes.
    fn expires_in(&self) -> Option<u64> {
        let minutes: u64 = self.text.strip_prefix("in ")?.split_once(' ')?.0.parse().ok()?;
        Some(minutes * 60_000)
    }
}

impl Events for Value {
    fn encode(&self) -> Result<Box<RawValue>, serde_json::Error> {
        let (request, text, default) = (self.expired, self.text.clone(), self.default_answer());
        let none = Question { request, prompt: text, expires_in: None, default: None, response: None };
        let question = match (request, self.expires_in(), &self.asked) {
            (None, None, _) => return serde_json::value::to_raw_value(&self.text),
            (None, expires_in, _) => Question { expires_in, default, ..none },
            (Some(_), _, None) => none,
            (Some(_), _, Some(asked)) => {
                Question { prompt: asked.clone(), response: Some(self.text.clone()), ..none }
            }
        };
        serde_json::value::to_raw_value(&question)
    }

    fn decode(event: EventId, json: &RawValue) -> Result<Self, serde_json::Error> {
        Ok(match serde_json::from_str::<Question>(json.get()) {
            Ok(Question { request, prompt, response: Some(response), .. }) => {
                Self { event, text: response, expired: request, asked: Some(prompt) }
            }
            Ok(Question { request, prompt, .. }) => {
                Self { event, text: prompt, expired: request, asked: None }
            }
            Err(_) => Self::new(event, serde_json::from_str::<String>(json.get())?),
        })
    }
}

/// A run of a graph, by hand.
pub struct Scenario {
    pub graph: Arc<Graph>,
    pub engine: Engine<Value>,
    /// The same run, saved and read back after the latest tick. It must go on exactly as the original does.
    copy: Option<Engine<Value>>,
    /// What a store would have of the run.
    pub journal: Journal,
    /// What the driver would be running, in the order in which it was started.
    running: Vec<Invoke<Value>>,
    /// What was published since it was last looked at.
    notices: Vec<Notice<Value>>,
    pub ending: Option<Ending<Value>>,
    pub aborted: Vec<String>,
    /// The calls that were woken, as `step(input) name`.
    pub woken: Vec<String>,
    minutes: u64,
}

impl Scenario {
    /// Starts a run with an input of that text.
    pub fn start(graph: Graph, input: &str) -> Self {
        Self::start_limited(graph, input, Limits::default())
    }

    /// Starts a run that may take so long.
    pub fn start_limited(graph: Graph, input: &str, limits: Limits) -> Self {
        let engine = Engine::new(Arc::new(graph)).with_limits(limits.deadline, limits.timeout);
        let journal = Journal::new(engine.graph(), limits);
        let mut run = Self::of(engine, journal);
        let input = run.value(&format!("Start={input}"));
        run.tick(Tick::Started { input }).unwrap();
        run
    }

    fn of(engine: Engine<Value>, journal: Journal) -> Self {
        Self {
            graph: Arc::new(engine.graph().clone()),
            engine,
            copy: None,
            journal,
            running: Vec::new(),
            notices: Vec::new(),
            ending: None,
            aborted: Vec::new(),
            woken: Vec::new(),
            minutes: 0,
        }
    }

    /// Saves the run, and takes it up again as another process would, under a graph that may have changed.
    pub fn resumed_under(&self, graph: Graph) -> Self {
        let snapshot = Snapshot::from_json(&self.snapshot().to_json()).unwrap();
        let mut run = Self::of(snapshot.restore(Arc::new(graph)).unwrap().engine, self.journal.copy());
        run.minutes = self.minutes;
        run.tick(Tick::Resumed).unwrap();
        run
    }

    /// A run as a snapshot has it, at that minute, before anybody takes it up.
    pub fn read(snapshot: &Snapshot, graph: Graph, minutes: u64) -> Self {
        let journal = Journal::off(&graph);
        Self { minutes, ..Self::of(snapshot.restore(Arc::new(graph)).unwrap().engine, journal) }
    }

    pub fn resumed(&self) -> Self {
        self.resumed_under((*self.graph).clone())
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot::take(&RunId::from("run"), &self.engine, 1).unwrap()
    }

    /// The steps that run, as `step(input)`, in the order in which they were started.
    pub fn running(&self) -> Vec<String> {
        self.running.iter().map(|invoke| self.label(invoke)).collect()
    }

    /// Ends the step of that label by emitting `events`, each `Name=text`.
    ///
    /// Several events, or a `Vec` in the step's signature, are a fan-out.
    pub fn finish(&mut self, label: &str, events: &[&str]) -> &mut Self {
        let invoke = self.take_running(label);
        let values: Vec<_> = events.iter().map(|event| self.value(event)).collect();
        let emitted = self.emitted(&invoke, values);
        let (invocation, attempt) = (invoke.invocation, invoke.attempt);
        self.tick(Tick::Finished { invocation, attempt, emitted }).unwrap();
        self
    }

    /// As one event if the step returns it so, else as a fan-out.
    fn emitted(&self, invoke: &Invoke<Value>, mut values: Vec<Value>) -> Emitted<Value> {
        let returns = &self.graph.step(invoke.step).unwrap().returns;
        let single = |value: &Value| returns.alternatives.contains(&Alternative::One(value.event));
        let point = returns.alternatives.iter().find_map(|alternative| match alternative {
            Alternative::Many(point) => Some(*point),
            Alternative::One(_) => None,
        });
        match (values.pop(), point) {
            (Some(value), point) if values.is_empty() && (point.is_none() || single(&value)) => {
                Emitted::One(value)
            }
            (None, None) => Emitted::None,
            (last, point) => {
                values.extend(last);
                Emitted::Many(point.unwrap_or(PointId(u16::MAX)), values)
            }
        }
    }

    /// Sends an event, `Name=text`, from the step of that label, as the n-th of this attempt.
    pub fn send(&mut self, label: &str, place: u32, event: &str) -> &mut Self {
        let tick = self.sent(label, place, event);
        self.tick(tick).unwrap();
        self
    }

    /// The tick of an event that the step of that label sends.
    pub fn sent(&self, label: &str, place: u32, event: &str) -> Tick<Value> {
        let invoke = self.step_of(label);
        let tools = &self.graph.step(invoke.step).unwrap().tools;
        let point = tools.iter().find_map(|tool| match tool {
            Tool::Emitter(point) => Some(*point),
            _ => None,
        });
        let (invocation, attempt, point) = (invoke.invocation, invoke.attempt, point.unwrap());
        Tick::Sent { invocation, attempt, point, place, event: self.value(event) }
    }

    /// Ends the step of that label with a failure that is not retried.
    pub fn fail(&mut self, label: &str, why: &str) -> &mut Self {
        self.failed(label, why, Verdict::Final)
    }

    /// Ends the step of that label with a failure that is retried after so many minutes.
    pub fn retry(&mut self, label: &str, why: &str, minutes: u64) -> &mut Self {
        self.failed(label, why, Verdict::Retry { after: minutes * 60_000 })
    }

    fn failed(&mut self, label: &str, why: &str, verdict: Verdict) -> &mut Self {
        let invoke = self.take_running(label);
        let (invocation, attempt) = (invoke.invocation, invoke.attempt);
        self.tick(Tick::Failed { invocation, attempt, error: StepError::new(why), verdict }).unwrap();
        self
    }

    /// Lets time pass.
    pub fn advance(&mut self, minutes: u64) -> &mut Self {
        self.minutes += minutes;
        self.tick(Tick::Time).unwrap();
        self
    }

    /// Sends a signal from outside.
    pub fn signal(&mut self, event: &str) -> &mut Self {
        let event = self.value(event);
        self.tick(Tick::Signal { event }).unwrap();
        self
    }

    /// Lets the step of that label call something, by the name of the call: `memo x=1`, `sleep 5`, `ask Ok=sure?` or
    /// `next Go`. Gives what stands in its notes then.
    pub fn call(&mut self, label: &str, call: &str) -> String {
        let (key, note) = self.note(call);
        let invoke = self.step_of(label);
        let (invocation, attempt) = (invoke.invocation, invoke.attempt);
        if self.noted(label, &key).is_none() {
            self.tick(Tick::Noted { invocation, attempt, key: key.clone(), note }).unwrap();
        }
        self.noted(label, &key).unwrap()
    }

    /// Lets the step of that label drop a call that waits.
    pub fn give_up(&mut self, label: &str, call: &str) -> &mut Self {
        let (key, _) = self.note(call);
        let invoke = self.step_of(label);
        let (invocation, attempt) = (invoke.invocation, invoke.attempt);
        self.tick(Tick::Withdrawn { invocation, attempt, key }).unwrap();
        self
    }

    /// What a call of a running step has come to.
    pub fn noted(&self, label: &str, key: &NoteKey) -> Option<String> {
        let invocation = self.engine.state().invocation(self.step_of(label).invocation).unwrap();
        invocation.notes().find(|(found, _)| *found == key).map(|(_, noted)| match noted {
            Noted::Memo(Json(value)) => value.get().to_owned(),
            Noted::Sleeping(until) => format!("until {}", until.0 / 60_000),
            Noted::Asked(_) => "asked".to_owned(),
            Noted::Answered(answer) => answer.text.clone(),
            Noted::Expired(_) => "expired".to_owned(),
            Noted::Waiting(_) => "waiting".to_owned(),
            Noted::Received(signal) => signal.text.clone(),
            Noted::Withdrawn => "withdrawn".to_owned(),
        })
    }

    pub fn note(&self, call: &str) -> (NoteKey, Note<Value>) {
        let (kind, rest) = call.split_once(' ').unwrap();
        let (kind, note) = match kind {
            "memo" => {
                let json = rest.split_once('=').unwrap().1.to_owned();
                (NoteKind::Memo, Note::Memo(Json(RawValue::from_string(json).unwrap())))
            }
            "sleep" => (NoteKind::Sleep, Note::Sleep(rest.parse::<u64>().unwrap() * 60_000)),
            "ask" => {
                let (prompt, text) = rest.split_once('=').unwrap();
                let question = self.value(&format!("InputRequired<{prompt}>={text}"));
                (NoteKind::Ask, Note::Ask(question))
            }
            "next" => {
                let signal = rest.split_once(' ').map_or(rest, |(signal, _)| signal);
                let event = self.graph.event_named(&format!("Signal<{signal}>")).unwrap();
                (NoteKind::Receive, Note::Receive(event))
            }
            other => panic!("no call `{other}`"),
        };
        let name = rest.split_once('=').filter(|_| kind == NoteKind::Memo).map_or(rest, |(name, _)| name);
        (NoteKey { kind, name: name.into(), count: 0 }, note)
    }

    /// Answers the open question of that text with `Name=text`.
    pub fn answer(&mut self, question: &str, response: &str) -> &mut Self {
        let request = self.request(question);
        let response = self.value(response);
        self.tick(Tick::Answered { request, response }).unwrap();
        self
    }

    pub fn request(&self, question: &str) -> RequestId {
        let mut open = self.engine.state().requests();
        let found = open.find(|(_, request)| request.prompt.text == question);
        found.unwrap_or_else(|| panic!("no question `{question}` is open: {:?}", self.questions())).0
    }

    pub fn questions(&self) -> Vec<String> {
        self.engine.state().requests().map(|(_, request)| request.prompt.text.clone()).collect()
    }

    /// What was published since the last call, without what steps do when all goes well.
    pub fn told(&mut self) -> Vec<Notice<Value>> {
        let quiet =
            |notice: &Notice<_>| matches!(notice, Notice::StepSent { .. } | Notice::StepFinished { .. });
        std::mem::take(&mut self.notices).into_iter().filter(|notice| !quiet(notice)).collect()
    }

    /// The text of the output.
    pub fn output(&self) -> &str {
        match &self.ending {
            Some(Ending::Completed { output }) => &output.text,
            other => panic!("the run has no output: {other:?}, running {:?}", self.running()),
        }
    }

    pub fn status(&self) -> &Status {
        self.engine.state().status()
    }

    /// `Name=text` as a value; the start event by `Start`.
    pub fn value(&self, event: &str) -> Value {
        let (name, text) = event.split_once('=').unwrap_or((event, ""));
        let found = self.graph.event_named(name);
        let event = found.unwrap_or_else(|| panic!("no event `{name}`"));
        Value::new(event, text)
    }

    pub fn step_of(&self, label: &str) -> Invoke<Value> {
        let found = self.running.iter().find(|invoke| self.label(invoke) == label);
        found.unwrap_or_else(|| panic!("`{label}` does not run: {:?}", self.running())).clone()
    }

    fn take_running(&mut self, label: &str) -> Invoke<Value> {
        let invoke = self.step_of(label);
        self.running.retain(|other| other.invocation != invoke.invocation);
        invoke
    }

    fn label(&self, invoke: &Invoke<Value>) -> String {
        let step = &self.graph.step(invoke.step).unwrap().name;
        let input = match &invoke.input {
            Input::One(value) => value.text.clone(),
            Input::Parts(parts) => parts.iter().map(part_label).collect::<Vec<_>>().join(", "),
        };
        format!("{step}({input})")
    }

    /// Handles a tick and checks what must hold after every one.
    pub fn tick(&mut self, tick: Tick<Value>) -> Result<(), Refused> {
        let mut commands = Vec::new();
        let before = self.engine.state().clone();
        let now = Time(self.minutes * 60_000);
        let body = journal::body(&self.graph, &tick).unwrap();
        if let Some(mut copy) = self.copy.take() {
            let mut of_copy = Vec::new();
            let handled = copy.handle(now, tick.clone(), &mut of_copy);
            assert_eq!(handled, self.engine.handle(now, tick, &mut commands));
            assert_eq!(of_copy, commands, "the copy does as the original does");
            self.journal.add(&self.graph, now, body, &before, &self.engine, handled.is_ok());
            return self.follow(before, handled, commands);
        }
        let handled = self.engine.handle(now, tick, &mut commands);
        self.journal.add(&self.graph, now, body, &before, &self.engine, handled.is_ok());
        self.follow(before, handled, commands)
    }

    /// Does what the engine commands, and checks what must hold afterwards.
    fn follow(
        &mut self,
        before: State<Value>,
        handled: Result<(), Refused>,
        commands: Vec<Command<Value>>,
    ) -> Result<(), Refused> {
        let nothing_was_due = before.now().0 == self.minutes * 60_000;
        if handled.is_err() && nothing_was_due {
            assert!(commands.is_empty(), "a refused tick gives commands: {commands:?}");
            assert_eq!(*self.engine.state(), before, "a refused tick changes nothing");
            return handled;
        }
        let mut ended = false;
        for command in commands {
            assert!(!ended, "nothing follows the end: {command:?}");
            match command {
                Command::Run(invoke) => {
                    let twice = self.running.iter().any(|other| other.invocation == invoke.invocation);
                    assert!(!twice, "{} was started twice", self.label(&invoke));
                    self.running.push(invoke);
                }
                Command::Abort { invocation } => {
                    let found = self.running.iter().position(|other| other.invocation == invocation);
                    let aborted = self.running.remove(found.expect("what is aborted runs"));
                    self.aborted.push(self.label(&aborted));
                }
                Command::Wake { invocation, key } => {
                    let woken = self.running.iter().find(|other| other.invocation == invocation);
                    let label = self.label(woken.expect("what is woken runs"));
                    self.woken.push(format!("{label} {}", key.name));
                }
                Command::Publish(notice) => self.notices.push(notice),
                Command::Finish(ending) => {
                    if let Ending::Completed { output } = &ending {
                        self.journal.set_output(output);
                    }
                    self.ending = Some(ending);
                    ended = true;
                }
            }
        }
        self.check();
        Ok(())
    }

    /// What holds at any moment.
    fn check(&mut self) {
        let state = self.engine.state();
        let marked = |(id, invocation): (_, &workflow_runtime::engine::Invocation<Value>)| {
            (invocation.state == InvocationState::Running).then_some(id)
        };
        let running: Vec<_> = state.invocations().filter_map(marked).collect();
        let mut started: Vec<_> = self.running.iter().map(|invoke| invoke.invocation).collect();
        started.sort();
        assert_eq!(running, started, "the driver runs what the engine says is running");

        let mut busy = BTreeMap::new();
        for invoke in &self.running {
            *busy.entry(invoke.step).or_insert(0) += 1;
        }
        for (step, busy) in busy {
            let limit = self.graph.step(step).unwrap().options.workers.unwrap_or(u32::MAX);
            assert!(busy <= limit, "{busy} workers are busy where {limit} are allowed");
        }

        for (id, request) in state.requests().filter(|(_, request)| request.is_inside()) {
            let asks = |it: &workflow_runtime::engine::Invocation<Value>| {
                it.step == request.step && it.notes().any(|(_, noted)| *noted == Noted::Asked(id))
            };
            assert!(state.invocations().any(|(_, it)| asks(it)), "nobody waits for {id:?}");
        }

        let open: Vec<_> = state.scopes().map(|(id, _)| id).collect();
        for (id, scope) in state.scopes() {
            assert_eq!(scope.parent.is_none(), id == ScopeId::ROOT);
            assert!(
                scope.parent.is_none_or(|parent| open.contains(&parent.scope)),
                "{id:?} has lost its parent"
            );
        }
        let branches =
            state.invocations().map(|(_, it)| it.branch).chain(state.requests().map(|(_, it)| it.branch));
        for branch in branches {
            assert!(open.contains(&branch.scope), "something lives in {:?}, which is closed", branch.scope);
        }

        // Reading recounts which scope is kept open by what, so equal states mean that the counts were right.
        if *state.status() != Status::Completed {
            let json = self.snapshot().to_json();
            let read = Snapshot::from_json(&json).unwrap();
            let copy = read
                .restore::<Value>(Arc::clone(&self.graph))
                .unwrap_or_else(|error| panic!("{error}\n{json}"));
            assert_eq!(Snapshot::take(&RunId::from("run"), &copy.engine, 1).unwrap().to_json(), json);
            self.copy = Some(copy.engine);
        }
    }
}

fn part_label(part: &Part<Value>) -> String {
    match part {
        Part::One(value) => value.text.clone(),
        Part::Failed(failure, _) => format!("!{} {}", failure.step, failure.error),
        Part::All(members) => {
            let texts = members.iter().map(|member| match member {
                Ok(value) => value.text.clone(),
                Err(failure) => format!("!{}", failure.error),
            });
            format!("[{}]", texts.collect::<Vec<_>>().join(" "))
        }
    }
}
