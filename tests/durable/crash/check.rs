//! What must hold of a file and a log when all runs have ended, however often processes were killed.
//!
//! A step that has returned has finished only when that is stored: a process that dies in between has done it in vain,
//! and the next one does it again. So "what has finished is not done again" is said of the journal:
//!
//! - no process does anything for an invocation that had finished when the process was given the run;
//! - no process does it twice, unless it was given the run again in between;
//! - what has finished was done, and has finished once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use serde_json::Value;
use workflow_runtime::store::{Due, Filter, History, Record, RunStatus, Store, StoredEvent, StoredRun};
use workflow_runtime::{RunId, Status, journal};
use workflow_store::SqliteStore;

use super::log::{Entry, Line, Log};
use super::parent::Arena;

/// How each run ended.
pub type Ends = BTreeMap<String, (RunStatus, Option<String>)>;

/// What there was to see.
#[derive(Debug, Default)]
pub struct Seen {
    pub ends: Ends,
    pub kills: u32,
    /// Steps that have finished, and those that were done in vain because the process died before that was stored.
    pub finished: usize,
    pub in_vain: usize,
    /// Events that were seen, and messages that were acknowledged.
    pub shown: usize,
    pub told: usize,
}

impl Seen {
    pub fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.finished += other.finished;
        self.in_vain += other.in_vain;
        self.shown += other.shown;
        self.told += other.told;
    }
}

/// Looks at everything. `undisturbed` is how the runs end if nobody is killed.
pub fn check(arena: &mut Arena, undisturbed: Option<&Ends>) -> Seen {
    let entries = Log::read(&arena.log());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let found = runtime.block_on(async {
        let store = SqliteStore::open(arena.file()).await.map_err(|error| format!("{error:?}"))?;
        let found = look(&store, &entries, arena.is_alone()).await;
        store.close().await.unwrap();
        found
    });
    let mut seen = found.unwrap_or_else(|why| arena.fails(&why));
    if let Some(undisturbed) = undisturbed.filter(|it| **it != seen.ends) {
        arena.fails(&format!("the runs ended as {:#?}\nand undisturbed as {undisturbed:#?}", seen.ends));
    }
    seen.kills = arena.kills;
    seen
}

async fn look(store: &SqliteStore, entries: &[Entry], alone: bool) -> Result<Seen, String> {
    let mut seen = Seen::default();
    let page = store.list(&Filter::default(), None, 1_000).await.map_err(|error| format!("{error:?}"))?;
    for run in &page.runs {
        let id = &run.run;
        let details = store.show(id).await.unwrap().unwrap();
        let records = store.records(id, 0, usize::MAX).await.unwrap();
        let events = store.events(id, 0, usize::MAX).await.unwrap();
        let outcome = details.outcome.as_ref().map(|json| json.get().to_owned());
        is_over(run, alone)?;
        let journal = Journal::read(id, &records)?;
        comes_out_the_same(store, run, details.input.clone(), &records, outcome.as_deref()).await?;
        let entries = entries.iter().filter(|entry| of(&entry.line) == id.as_str());
        effects(&mut seen, &journal, entries.clone(), alone)?;
        acknowledged(&mut seen, &journal, &events, outcome.as_deref(), entries)?;
        stream(id, &events)?;
        seen.ends.insert(id.to_string(), (run.status, outcome));
    }
    Ok(seen)
}

fn of(line: &Line) -> &str {
    match line {
        Line::Claimed { run, .. }
        | Line::Effect { run, .. }
        | Line::Memo { run, .. }
        | Line::Saw { run, .. }
        | Line::Told { run, .. }
        | Line::Ended { run, .. } => run,
    }
}

fn same<T: PartialEq + Debug>(what: impl Fn() -> String, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{}: {found:?}, and not {expected:?}", what())) }
}

fn is_over(run: &StoredRun, alone: bool) -> Result<(), String> {
    let id = &run.run;
    if !run.status.is_end() {
        return Err(format!("{id} is {:?}", run.status));
    }
    if alone {
        // Of two processes, one may have been killed when it had claimed what the other one has just ended.
        same(|| format!("who has {id}"), run.lease.as_ref().map(|lease| lease.owner.clone()), None)?;
    }
    same(|| format!("when {id} is due"), run.due, Due::Aside)?;
    same(|| format!("open questions of {id}"), run.questions.len(), 0)?;
    same(|| format!("messages to {id} that nobody decided about"), run.messages, 0)
}

/// What is recorded of a run.
#[derive(Default)]
struct Journal {
    run: String,
    /// Where each invocation finished, and with what.
    finished: BTreeMap<u64, (u64, Value)>,
    /// Where each memo was recorded, by invocation.
    memos: BTreeMap<u64, (u64, u64)>,
    keys: BTreeSet<String>,
}

impl Journal {
    fn read(id: &RunId, records: &[Record]) -> Result<Self, String> {
        let mut journal = Self { run: id.to_string(), ..Self::default() };
        let (mut answered, mut started) = (BTreeSet::new(), 0);
        for (position, record) in (1..).zip(records) {
            same(|| format!("position in {id}"), record.position, position)?;
            let body: Value = serde_json::from_str(record.body.get()).unwrap();
            let tick = &body["tick"];
            started += u32::from(tick.get("started").is_some());
            if let Some(finished) = tick.get("finished") {
                let invocation = number(&finished["invocation"]);
                let before = journal.finished.insert(invocation, (position, finished["emitted"].clone()));
                if let Some((before, _)) = before {
                    return Err(format!(
                        "invocation {invocation} of {id} finished at {before} and {position}"
                    ));
                }
            }
            if let Some(memo) = tick.get("noted").and_then(|noted| noted["note"].get("memo")) {
                let invocation = number(&tick["noted"]["invocation"]);
                let before = journal.memos.insert(invocation, (position, number(memo)));
                if before.is_some() {
                    return Err(format!("the memo of invocation {invocation} of {id} is recorded twice"));
                }
            }
            if let Some(request) = tick.get("answered").map(|answered| number(&answered["request"])) {
                if !answered.insert(request) {
                    return Err(format!("question {request} of {id} is answered twice"));
                }
            }
            if let Some(key) = &record.key {
                if !journal.keys.insert(key.clone()) {
                    return Err(format!("{key} is in {id} twice"));
                }
            }
        }
        same(|| format!("how often {id} was started"), started, 1)?;
        for (invocation, (_, emitted)) in &journal.finished {
            let said = emitted.get("one").filter(|one| one[0] == "Said");
            if let Some(said) = said {
                let memo = journal.memos.get(invocation).map(|(_, value)| *value);
                same(
                    || format!("memo of invocation {invocation} of {id}"),
                    Some(number(&said[1]["charge"])),
                    memo,
                )?;
            }
        }
        Ok(journal)
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// The records alone, without any snapshot, lead to where the run stands.
async fn comes_out_the_same(
    store: &SqliteStore,
    run: &StoredRun,
    input: workflow_runtime::store::Json,
    records: &[Record],
    outcome: Option<&str>,
) -> Result<(), String> {
    let id = &run.run;
    let started: Value = serde_json::from_str(records[0].body.get()).unwrap();
    let first = started["tick"]["started"]["graph"].as_str().unwrap_or_default().to_owned();
    let mut graphs = BTreeMap::new();
    let later = records.iter().filter_map(|record| record.fingerprint.as_ref());
    for fingerprint in std::iter::once(&first).chain(later) {
        let json = store.graph(fingerprint).await.unwrap().unwrap();
        graphs.insert(fingerprint.clone(), Arc::new(journal::read_graph(fingerprint, &json).unwrap()));
    }
    let history =
        History { input, fingerprint: first, snapshot: None, tail: records.to_vec(), inbox: Vec::new() };
    let graph_of = |fingerprint: &str| graphs.get(fingerprint).cloned();
    let replayed = journal::load(&history, id, run.last_event + 1, &graph_of);
    let replayed = replayed.map_err(|error| format!("{id} cannot be replayed: {error:?}"))?;
    let status = match replayed.status {
        Status::Completed => RunStatus::Completed,
        Status::Failed => RunStatus::Failed,
        Status::TimedOut => RunStatus::TimedOut,
        other => return Err(format!("{id} replays to {other:?}")),
    };
    same(|| format!("status of {id}, replayed"), status, run.status)?;
    let output = replayed.output.as_ref().map(|json| json.0.get());
    let completed = outcome.filter(|_| run.status == RunStatus::Completed);
    same(|| format!("output of {id}, replayed"), output, completed)
}

fn effects<'a>(
    seen: &mut Seen,
    journal: &Journal,
    entries: impl Iterator<Item = &'a Entry>,
    alone: bool,
) -> Result<(), String> {
    let run = &journal.run;
    // Where the run stood whenever a process was given it.
    let mut claims: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    let mut times: BTreeMap<(u32, u64), usize> = BTreeMap::new();
    let mut done = BTreeSet::new();
    let mut count = 0;
    for Entry { process, line } in entries {
        let claimed = claims.entry(*process).or_default();
        let (invocation, finished) = match line {
            Line::Claimed { position, .. } => {
                claimed.push(*position);
                continue;
            }
            Line::Effect { invocation, .. } => {
                count += 1;
                done.insert(*invocation);
                let times = times.entry((*process, *invocation)).or_default();
                *times += 1;
                let most = if alone { 1 } else { claimed.len() };
                if *times > most {
                    return Err(format!(
                        "process {process} did {invocation} of {run} {times} times: {line:?}"
                    ));
                }
                (invocation, journal.finished.get(invocation).map(|(position, _)| *position))
            }
            Line::Memo { invocation, .. } => {
                (invocation, journal.memos.get(invocation).map(|(position, _)| *position))
            }
            _ => continue,
        };
        // A process that had lost the run, and was given it again, may still be busy with what it did before.
        let stood = if alone { claimed.last() } else { claimed.first() };
        let Some(stood) = stood else {
            return Err(format!("process {process} works on {run}, which it was not given: {line:?}"));
        };
        if let Some(finished) = finished.filter(|finished| finished <= stood) {
            return Err(format!(
                "process {process} was given {run} at {stood}, and did {invocation} again, which was through at \
                 {finished}: {line:?}"
            ));
        }
    }
    if let Some(invocation) = journal.finished.keys().find(|invocation| !done.contains(*invocation)) {
        return Err(format!("invocation {invocation} of {run} finished, and was never done"));
    }
    seen.finished += journal.finished.len();
    seen.in_vain += count - journal.finished.len();
    Ok(())
}

/// What somebody was shown or told is stored.
fn acknowledged<'a>(
    seen: &mut Seen,
    journal: &Journal,
    events: &[StoredEvent],
    outcome: Option<&str>,
    entries: impl Iterator<Item = &'a Entry>,
) -> Result<(), String> {
    let run = &journal.run;
    let stored: BTreeMap<u64, Value> =
        events.iter().map(|event| (event.number, serde_json::from_str(event.body.get()).unwrap())).collect();
    let not_stored = |event: &Value| event["error"]["type"] == "not_stored";
    for Entry { process, line } in entries {
        match line {
            Line::Saw { number, event, .. } if event["type"] == "missed" || not_stored(event) => {
                let _ = number;
            }
            Line::Saw { number, event, .. } => {
                seen.shown += 1;
                let stored = stored.get(number);
                // Whoever comes when a run has its output is told that only.
                let late =
                    event["type"] == "completed" && stored.is_some_and(|it| it["output"] == event["output"]);
                if !late {
                    same(|| format!("event {number} of {run}, as {process} saw it"), Some(event), stored)?;
                }
            }
            Line::Told { key, .. } => {
                seen.told += 1;
                if !journal.keys.contains(key) {
                    return Err(format!("{key} was acknowledged by {run}, and is not in it"));
                }
            }
            Line::Ended { output, .. } => {
                let stored = outcome.map(|json| serde_json::from_str::<Value>(json).unwrap());
                if output.is_some() {
                    same(|| format!("output of {run}, as {process} was given it"), output.clone(), stored)?;
                }
            }
            Line::Claimed { .. } | Line::Effect { .. } | Line::Memo { .. } => {}
        }
    }
    Ok(())
}

/// The last event is how the run ended, and no other one is.
fn stream(run: &RunId, events: &[StoredEvent]) -> Result<(), String> {
    let terminal = |event: &StoredEvent| {
        let body: Value = serde_json::from_str(event.body.get()).unwrap();
        ["completed", "failed", "timed_out", "cancelled", "suspended"]
            .iter()
            .any(|kind| body["type"] == *kind)
    };
    let ends: Vec<_> = events.iter().filter(|event| terminal(event)).map(|event| event.number).collect();
    let last = events.last().map(|event| event.number);
    same(|| format!("terminal events of {run}"), ends, last.into_iter().collect())?;
    let numbers: Vec<_> = events.iter().map(|event| event.number).collect();
    same(|| format!("numbers of the events of {run}"), numbers, (1..=last.unwrap_or(0)).collect())
}
