//! What the handles of a runner share.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;
use tokio::sync::{RwLock, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::commit::{Commits, NotStored, json_text};
use super::error::RunnerError;
use super::hosted::{Hosted, Kind, options};
use super::lock;
use crate::driver::{Clock, Host, KeptAt, Standing, millis};
use crate::engine::Time;
use crate::handle::{Run, RunId, RunOptions};
use crate::journal;
use crate::store::{Due, Json, Lease, NewRun, Store, StoreError};
use crate::workflow::{Shared, Workflow};

pub(super) struct Inner {
    pub(super) kinds: BTreeMap<&'static str, Arc<dyn Kind>>,
    pub(super) limit: Option<Arc<Semaphore>>,
    pub(super) clock: Clock,
    /// The runs in this process.
    pub(super) hosted: Mutex<HashMap<RunId, Arc<dyn Hosted>>>,
    /// What they were started with, in a runner without a store.
    pub(super) inputs: Mutex<HashMap<RunId, String>>,
    /// Shared by those who create, claim and load runs, until these are `hosted`. Who wants that nothing is on its way has
    /// it alone: to claim a run that is perhaps ours already, which would else be here twice; or to give back what the
    /// store says we own and we do not know.
    pub(super) taking: RwLock<()>,
    pub(super) kept: Option<Kept>,
    pub(super) stop: CancellationToken,
    pub(super) tasks: Mutex<Vec<JoinHandle<()>>>,
    /// Looks after the runs in the store.
    pub(super) caretaker: Mutex<Option<JoinHandle<()>>>,
    pub(super) trouble: Mutex<Option<StoreError>>,
}

/// What a runner with a store has.
pub(super) struct Kept {
    pub(super) store: Arc<dyn Store>,
    pub(super) commits: Commits,
    pub(super) owner: String,
    pub(super) lease: Duration,
    pub(super) evict_waiting_steps: bool,
}

impl Inner {
    pub(super) fn workflow<W: Workflow>(&self) -> Result<Shared<W>, RunnerError> {
        if self.stop.is_cancelled() {
            return Err(RunnerError::Closed);
        }
        let found = self.kinds.get(&*W::GRAPH.name).and_then(|kind| kind.any().downcast_ref::<Shared<W>>());
        found.cloned().ok_or_else(|| RunnerError::NotHosted { workflow: W::GRAPH.name.to_string() })
    }

    pub(super) fn find(&self, run: &RunId) -> Option<Arc<dyn Hosted>> {
        lock(&self.hosted).get(run).cloned()
    }

    pub(super) fn add(&self, run: &RunId, host: Arc<dyn Hosted>) {
        let before = lock(&self.hosted).insert(run.clone(), host);
        if let Some(before) = before {
            // It has been somebody else's in between, which this one has not noticed. Nothing if it has ended.
            before.throw_away(&NotStored::TakenOver);
        }
    }

    pub(super) fn lease(&self, kept: &Kept) -> Lease {
        Lease { owner: kept.owner.clone(), until: self.clock.now().plus(millis(kept.lease)) }
    }

    /// Keeps what this runner has its own.
    pub(super) async fn renew_for_ever(&self, kept: &Kept) {
        loop {
            tokio::time::sleep(kept.lease / 3).await;
            // What fails here is lost to whoever comes next, who begins where it is stored.
            let _ = kept.store.renew(self.lease(kept), &[]).await;
        }
    }

    /// Nothing comes in once the runner was told to stop.
    pub(super) fn goes_on(&self) -> Result<(), RunnerError> {
        if self.stop.is_cancelled() { Err(RunnerError::Closed) } else { Ok(()) }
    }

    pub(super) fn kept_at(&self, kept: &Kept, epoch: u64, standing: Standing) -> KeptAt {
        KeptAt {
            commits: kept.commits.clone(),
            epoch,
            standing,
            evict_waiting_steps: kept.evict_waiting_steps,
        }
    }

    pub(super) fn new_run<W: Workflow>(
        &self,
        run: &RunId,
        input: Json,
        options: &RunOptions,
        lease: Option<Lease>,
    ) -> NewRun {
        let since_epoch = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let deadline = options.deadline.map(|at| Time(millis(since_epoch(at))));
        NewRun {
            run: run.clone(),
            workflow: W::GRAPH.name.to_string(),
            fingerprint: journal::fingerprint(W::GRAPH),
            input_key: canonical(&input),
            input,
            at: self.clock.now(),
            due: Due::Now,
            tags: options::to_tags(deadline, options.timeout),
            lease,
        }
    }

    pub(super) fn start_in_memory<W: Workflow>(
        &self,
        workflow: Shared<W>,
        input: W::Input,
        json: &Json,
        options: RunOptions,
    ) -> Result<Run<W>, RunnerError> {
        let run = options.id.clone().unwrap_or_else(RunId::random);
        let mut hosted = lock(&self.hosted);
        self.goes_on()?;
        if let Some(found) = hosted.get(&run) {
            let same = lock(&self.inputs).get(&run).is_some_and(|known| *known == canonical(json));
            let found = Arc::clone(found).any().downcast::<Host<W>>().ok().filter(|_| same);
            return found.map(Run::another).ok_or(RunnerError::OtherInput { run });
        }
        let host = Host::start_limited(workflow, input, options, self.limit.clone());
        // The runner holds it, so that it can be answered by its id.
        let handle = Run::another(Arc::clone(&host));
        lock(&self.inputs).insert(run.clone(), canonical(json));
        hosted.insert(run, host);
        Ok(handle)
    }
}

/// The same text for the same JSON, however it is written: objects by key. Numbers stay as they are, because they may be
/// larger than any type that could hold them.
fn canonical(json: &RawValue) -> String {
    let text = json.get();
    let written = match text.as_bytes().first() {
        Some(b'{') => serde_json::from_str(text).map(|entries: BTreeMap<String, Box<RawValue>>| {
            let entries =
                entries.iter().map(|(key, value)| format!("{}:{}", json_text(key).get(), canonical(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }),
        Some(b'[') => serde_json::from_str(text).map(|items: Vec<Box<RawValue>>| {
            let items = items.iter().map(|item| canonical(item));
            format!("[{}]", items.collect::<Vec<_>>().join(","))
        }),
        Some(b'"') => serde_json::from_str(text).map(|text: String| json_text(&text).get().to_owned()),
        _ => Ok(text.to_owned()),
    };
    written.unwrap_or_else(|_| text.to_owned())
}
