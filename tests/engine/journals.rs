//! What a store would have of each scenario, replayed in the raw form: at every tick the snapshot before it and the one
//! record after that, and at the end everything from the beginning, and from a snapshot in the middle. Each gives the
//! run as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use workflow_runtime::engine::{Engine, Json, State, Status, Tick, Time};
use workflow_runtime::graph::Graph;
use workflow_runtime::journal::{self, Limits, Replayed, TickBody};
use workflow_runtime::store::{History, Record, SavedSnapshot};
use workflow_runtime::{Events, RunId, Snapshot};

use crate::scenario::Value;

/// The records of a run, with what is needed to replay them.
pub struct Journal {
    pub graphs: BTreeMap<String, Arc<Graph>>,
    /// The graph by which the run started.
    pub first: String,
    /// The graph by which it runs.
    fingerprint: String,
    limits: Limits,
    pub records: Vec<Record>,
    /// The run after each record, and its graph: as JSON, or `None` where it has its output.
    after: Vec<(Option<String>, String)>,
    output: Option<String>,
    /// Nothing is written: what came before is known from a snapshot alone.
    off: bool,
}

impl Journal {
    pub fn new(graph: &Graph, limits: Limits) -> Self {
        let first = journal::fingerprint(graph);
        Self {
            graphs: BTreeMap::new(),
            fingerprint: first.clone(),
            first,
            limits,
            records: Vec::new(),
            after: Vec::new(),
            output: None,
            off: false,
        }
    }

    /// Of a run whose beginning nobody has written down.
    pub fn off(graph: &Graph) -> Self {
        let mut journal = Self::new(graph, Limits::default());
        journal.off = true;
        journal
    }

    pub fn copy(&self) -> Self {
        Self {
            graphs: self.graphs.clone(),
            first: self.first.clone(),
            fingerprint: self.fingerprint.clone(),
            limits: self.limits,
            records: self.records.clone(),
            after: self.after.clone(),
            output: self.output.clone(),
            off: self.off,
        }
    }

    /// Writes the record of a tick as a driver does: that of a tick that was refused only where something was due, and
    /// then as one of time.
    pub fn add(
        &mut self,
        graph: &Graph,
        at: Time,
        body: TickBody,
        before: &State<Value>,
        engine: &Engine<Value>,
        taken: bool,
    ) {
        if self.off || engine.state().ticks() == before.ticks() {
            return;
        }
        let body = if taken { body } else { journal::body::<Value>(graph, &Tick::Time).unwrap() };
        let fingerprint = self.know(graph);
        let changed = (fingerprint != self.fingerprint).then(|| fingerprint.clone());
        self.fingerprint = fingerprint;
        let body = journal::record(body.with_limits(self.limits), engine.state().last_id(), None);
        let position = self.records.len() as u64 + 1;
        self.records.push(Record { position, at, key: None, fingerprint: changed, body });
        let json = (*engine.state().status() != Status::Completed).then(|| snapshot(engine));
        self.after.push((json, self.fingerprint.clone()));
        self.check(position.saturating_sub(1));
    }

    /// A graph goes through the store as JSON.
    pub fn know(&mut self, graph: &Graph) -> String {
        let fingerprint = journal::fingerprint(graph);
        if self.graphs.contains_key(&fingerprint) {
            return fingerprint;
        }
        let stored = journal::graph_json(graph);
        let read = journal::read_graph(&fingerprint, &stored).unwrap();
        assert_eq!(read, *graph);
        self.graphs.insert(fingerprint.clone(), Arc::new(read));
        fingerprint
    }

    pub fn set_output(&mut self, output: &Value) {
        self.output = Some(output.encode().unwrap().get().to_owned());
    }

    /// What a store gives to whoever claims the run, if its snapshot is of that position.
    pub fn history(&self, position: u64) -> History {
        let index = usize::try_from(position).unwrap();
        let (snapshot, fingerprint) = match index.checked_sub(1).map(|before| self.after[before].clone()) {
            Some((json, fingerprint)) => {
                let body = RawValue::from_string(json.unwrap()).unwrap();
                (Some(SavedSnapshot { position, at: Time(0), body }), fingerprint)
            }
            None => (None, self.first.clone()),
        };
        let input = RawValue::from_string("null".to_owned()).unwrap();
        History { input, fingerprint, snapshot, tail: self.records[index..].to_vec(), inbox: Vec::new() }
    }

    pub fn load(&self, history: &History) -> Result<Replayed, journal::ReplayError> {
        journal::load(history, &RunId::from("run"), 1, &|fingerprint| self.graphs.get(fingerprint).cloned())
    }

    /// Replays everything after a position.
    fn check(&self, position: u64) {
        let replayed = self.load(&self.history(position)).unwrap();
        let Some((json, fingerprint)) = self.after.last() else { return };
        assert_eq!(replayed.position, self.records.len() as u64);
        assert_eq!(replayed.fingerprint, *fingerprint);
        assert_eq!(replayed.snapshot.map(|snapshot| snapshot.to_json()), *json, "replayed from {position}");
    }
}

/// The end of a scenario.
impl Drop for Journal {
    fn drop(&mut self) {
        if std::thread::panicking() || self.records.is_empty() {
            return;
        }
        self.check(0);
        self.check(self.records.len() as u64 / 2);
        if let Some(output) = &self.output {
            let replayed = self.load(&self.history(0)).unwrap();
            assert_eq!(replayed.status, Status::Completed);
            let Json(json) = replayed.output.unwrap();
            assert_eq!(json.get(), output);
        }
    }
}

fn snapshot(engine: &Engine<Value>) -> String {
    Snapshot::take(&RunId::from("run"), engine, 1).unwrap().to_json()
}
