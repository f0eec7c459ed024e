//! The host of many runs: [`Runner`].
//!
//! With a store, runs outlive the process. Nothing that happens in a run is shown, and no step is started, before it is
//! stored; killing the process at any instant loses nothing that was acknowledged, and repeats only steps that had not
//! finished. A run that only waits for somebody leaves memory, and comes back on its answer.
//!
//! `builder` sets a runner up, `inner` is what its handles share, and `hosted` a run whose workflow is known by name only.
//! `commit` brings what happens to the store, and `work` takes up what the store has for this runner.

mod builder;
mod commit;
mod error;
mod hosted;
mod inner;
mod work;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::task::JoinHandle;

use crate::driver::{Host, Standing};
use crate::event::RequestId;
use crate::forms::Stored as _;
use crate::handle::{Run, RunId, RunOptions};
use crate::store::{
    Claim, Created, Due, Fork, Interest, Lease, NewMessage, Put, RunDetails, RunStatus, Store, StoreError,
    Verdict,
};
use crate::workflow::{Shared, Workflow};

pub use builder::RunnerBuilder;
pub use commit::NotStored;
pub(crate) use commit::{Commit, Commits, Committed, Letter, json_text};
pub use error::{LoadError, RunnerError};

use hosted::Said;
pub(crate) use hosted::{Kind, Typed};
use inner::Inner;

/// Hosts runs of many workflows: starts them, keeps them in a [`Store`], and takes up what was left behind.
///
/// A runner that hosts no workflow is a client of its store: it can answer, send, cancel, fork and show, and whoever
/// hosts the runs acts upon it.
///
/// Without a store, a runner keeps what each run came to for as long as it lives, so that starting the same run again
/// gives the same output.
///
/// Clones are handles of the same runner. Dropping the last one does not stop it; [`shutdown`](Self::shutdown) does.
///
/// # Cancel safety
/// A future of any method may be dropped: what it has put into the store by then stays there, and takes effect. Answers,
/// signals, cancellations and suspensions are messages to the run, in its inbox; the method waits for the verdict of
/// whoever has the run, which takes for as long as no process does. Put a `tokio::time::timeout` around it to wait no
/// longer; with a key, what was said can be said again to learn the verdict.
///
/// # Examples
/// Without a store, a runner is a place for runs that share a limit:
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::Runner;
///
/// struct Double;
///
/// #[workflow]
/// impl Double {
///     #[step]
///     async fn double(&self, Start(n): Start<u32>) -> Stop<u32> {
///         Stop(n * 2)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runner = Runner::builder().workflow(Double).limit(8).start().await?;
/// let run = runner.start::<Double>("twice-21", 21).await?;
/// let same = runner.start::<Double>("twice-21", 21).await?;
/// assert_eq!(run.id(), same.id());
/// assert_eq!(run.await?, 42);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Runner {
    inner: Arc<Inner>,
}

/// How long to wait for a run that is on its way back to the store, before looking again.
const ON_ITS_WAY: Duration = Duration::from_millis(50);

impl Runner {
    /// A runner that hosts nothing yet.
    #[must_use]
    pub fn builder() -> RunnerBuilder {
        RunnerBuilder::new()
    }

    /// Starts a run, or gives the one of that id that was started before with the same input. If that has its output, the
    /// handle gives it.
    ///
    /// When this returns, the run is stored, and goes on whether or not the handle is kept.
    ///
    /// # Errors
    /// There is a run of that id with another input or of another workflow, it has ended without an output (see
    /// [`resume`](Self::resume)), or another process has it; or the store fails.
    pub async fn start<W: Workflow>(
        &self,
        id: impl Into<RunId>,
        input: W::Input,
    ) -> Result<Run<W>, RunnerError> {
        self.start_with(input, RunOptions::default().id(id)).await
    }

    /// As [`start`](Self::start), with limits to the time of the run. Without an id it gets a random one.
    ///
    /// # Errors
    /// As `start`.
    pub async fn start_with<W: Workflow>(
        &self,
        input: W::Input,
        options: RunOptions,
    ) -> Result<Run<W>, RunnerError> {
        let workflow = self.inner.workflow::<W>()?;
        let run = options.id.clone().unwrap_or_else(RunId::random);
        let options = RunOptions { id: Some(run.clone()), ..options };
        let json = crate::driver::stored_json(&input)
            .map_err(|source| RunnerError::Input { run: run.clone(), source: Arc::new(source) })?;
        let Some(kept) = &self.inner.kept else {
            return self.inner.start_in_memory(workflow, input, &json, options);
        };
        let taking = self.inner.taking.read().await;
        self.inner.goes_on()?;
        let lease = Some(self.inner.lease(kept));
        match kept.store.create(self.inner.new_run::<W>(&run, json, &options, lease)).await? {
            Created::New { epoch } => {
                let place = self.inner.kept_at(kept, epoch, Standing::default());
                let host = Host::start_kept(workflow, input, options, place, self.inner.limit.clone());
                let handle = Run::first(Arc::clone(&host));
                self.inner.add(&run, host.clone());
                drop(taking);
                host.settled().await.map_err(RunnerError::NotStored)?;
                Ok(handle)
            }
            Created::Exists { same_input: false, .. } => Err(RunnerError::OtherInput { run }),
            Created::Exists { .. } => {
                drop(taking);
                self.attach(run).await
            }
        }
    }

    /// Puts a run into the store, to be started by whichever runner on it comes first; this one, if nobody else does.
    /// `false` if it is there already, with the same input, however it stands.
    ///
    /// Choose it over [`start`](Self::start) where nobody wants the handle: it costs one commit, and does not mind who has
    /// the run.
    ///
    /// # Errors
    /// There is a run of that id with another input or of another workflow, or there is no store or it fails.
    pub async fn submit<W: Workflow>(
        &self,
        id: impl Into<RunId>,
        input: W::Input,
    ) -> Result<bool, RunnerError> {
        self.inner.workflow::<W>()?;
        let (run, kept) = (id.into(), self.inner.kept.as_ref().ok_or(RunnerError::NoStore)?);
        let json = crate::driver::stored_json(&input)
            .map_err(|source| RunnerError::Input { run: run.clone(), source: Arc::new(source) })?;
        let new = self.inner.new_run::<W>(&run, json, &RunOptions::default(), None);
        match kept.store.create(new).await? {
            Created::New { .. } => Ok(true),
            Created::Exists { same_input: true, .. } => Ok(false),
            Created::Exists { .. } => Err(RunnerError::OtherInput { run }),
        }
    }

    /// A handle of a run that is here, that nobody has and this runner can take up, or that has its output.
    ///
    /// # Errors
    /// There is no such run of this workflow, it has ended without an output (see [`resume`](Self::resume)), another
    /// process has it, or it cannot be taken up.
    pub async fn attach<W: Workflow>(&self, id: impl Into<RunId>) -> Result<Run<W>, RunnerError> {
        let run = id.into();
        let workflow = self.inner.workflow::<W>()?;
        loop {
            // Watches before it looks, so that nothing is missed in between.
            let mut watch = self.inner.kept.as_ref().map(|kept| kept.store.watch(Interest::Run(run.clone())));
            let Some(found) = self.inner.find(&run) else {
                if let Some(completed) = self.completed::<W>(&workflow, &run).await? {
                    return Ok(completed);
                }
                match self.take_up(&run, false).await {
                    // It has got its output between the two looks.
                    Err(RunnerError::NotRunning { status: RunStatus::Completed, .. }) | Ok(()) => continue,
                    Err(error) => return Err(error),
                }
            };
            let host = found.any().downcast::<Host<W>>();
            let host = host.map_err(|_| RunnerError::OtherInput { run: run.clone() })?;
            if host.attach() {
                let run = Run::first(Arc::clone(&host));
                // So that what is open is shown. If it could not be stored, the run says so.
                let _ = host.settled().await;
                return Ok(run);
            }
            // It is on its way back to the store.
            if let Some(watch) = &mut watch {
                let _ = tokio::time::timeout(ON_ITS_WAY, watch.changed()).await;
            }
            self.inner.forget_what_is_over();
        }
    }

    /// A run that has its output, as a handle that gives it.
    async fn completed<W: Workflow>(
        &self,
        workflow: &Shared<W>,
        run: &RunId,
    ) -> Result<Option<Run<W>>, RunnerError> {
        let Some(kept) = &self.inner.kept else { return Ok(None) };
        let found = kept.store.show(run).await?.ok_or_else(|| RunnerError::NoSuchRun { run: run.clone() })?;
        if found.run.workflow != W::GRAPH.name {
            return Err(RunnerError::OtherInput { run: run.clone() });
        }
        let json = match (found.run.status, found.outcome) {
            (RunStatus::Completed, Some(json)) => json,
            (status @ RunStatus::Completed, None) => {
                return Err(RunnerError::NotRunning { run: run.clone(), status });
            }
            _ => return Ok(None),
        };
        let output = W::Output::load(&mut serde_json::Deserializer::from_str(json.get()))
            .map_err(|source| RunnerError::Output { run: run.clone(), source: Arc::new(source) })?;
        let host = Host::completed(workflow.clone(), run.clone(), output, found.run.last_event.max(1));
        Ok(Some(Run::first(host)))
    }

    /// Goes on with a run that was suspended, cancelled, or has failed: the failed step is run again.
    ///
    /// # Errors
    /// There is no such run, it has its output, another process has it, it cannot be taken up, or there is no store.
    pub async fn resume(&self, id: impl Into<RunId>) -> Result<(), RunnerError> {
        self.inner.kept.as_ref().ok_or(RunnerError::NoStore)?;
        self.take_up(&id.into(), true).await
    }

    /// Answers a question of any run of the store, whoever has it. Returns when the run has taken the answer and that is
    /// stored.
    ///
    /// With a key, saying the same again does nothing again, however often and from wherever. A key belongs to one thing
    /// that is said to one run, be it an answer or a signal: whatever else is said under it counts as the first, and so has
    /// its verdict. A run that has ended or is [blocked](RunStatus::Blocked) keeps what was said with a key, for when
    /// somebody resumes it.
    ///
    /// # Errors
    /// There is no such run, or it refuses the answer: nothing has changed then. The run does not go on: what was said with
    /// a key is kept nevertheless, as above. The runner was shut down meanwhile: what was said stays in the inbox. Or the
    /// store fails.
    pub async fn respond_json(
        &self,
        id: impl Into<RunId>,
        request: RequestId,
        response: &RawValue,
        key: Option<&str>,
    ) -> Result<(), RunnerError> {
        self.say(id.into(), Said::Answer { request, response: response.to_owned() }, key).await
    }

    /// Sends a signal to any run of the store, by its name: `send_json("run", "Pay", ..)` for a `Signal<Pay>`.
    ///
    /// A key is what it is to [`respond_json`](Self::respond_json).
    ///
    /// # Errors
    /// As `respond_json`.
    pub async fn send_json(
        &self,
        id: impl Into<RunId>,
        signal: &str,
        value: &RawValue,
        key: Option<&str>,
    ) -> Result<(), RunnerError> {
        self.say(id.into(), Said::Signal { signal: signal.to_owned(), value: value.to_owned() }, key).await
    }

    /// Cancels any run of the store, whoever has it. Returns when that is stored.
    ///
    /// # Errors
    /// There is no such run, or it has ended; the runner was shut down, or the store fails.
    pub async fn cancel(&self, id: impl Into<RunId>, reason: impl Into<String>) -> Result<(), RunnerError> {
        self.say(id.into(), Said::Cancel { reason: reason.into() }, None).await
    }

    /// Puts any run of the store down, whoever has it. Returns when that is stored. [`resume`](Self::resume) goes on with it.
    ///
    /// # Errors
    /// There is no such run, or it has ended; the runner was shut down, or the store fails.
    pub async fn suspend(&self, id: impl Into<RunId>) -> Result<(), RunnerError> {
        self.say(id.into(), Said::Suspend, None).await
    }

    /// Where a run stands, with its input and outcome.
    ///
    /// # Errors
    /// There is no such run, or there is no store or it fails.
    pub async fn show(&self, id: impl Into<RunId>) -> Result<RunDetails, RunnerError> {
        let run = id.into();
        let kept = self.inner.kept.as_ref().ok_or(RunnerError::NoStore)?;
        kept.store.show(&run).await?.ok_or(RunnerError::NoSuchRun { run })
    }

    /// Begins a new run as a copy of another one, as that was after its record of that position. It shares nothing with
    /// it, and goes on from there at once. Its stream begins anew; steps that were running then run again.
    ///
    /// # Errors
    /// There is no such run or position, the run had its output by then, the new id is taken, or there is no store or it
    /// fails.
    pub async fn fork(
        &self,
        from: impl Into<RunId>,
        position: u64,
        id: impl Into<RunId>,
    ) -> Result<(), RunnerError> {
        let kept = self.inner.kept.as_ref().ok_or(RunnerError::NoStore)?;
        let (from, run, at) = (from.into(), id.into(), self.inner.clock.now());
        let of =
            kept.store.show(&from).await?.ok_or_else(|| RunnerError::NoSuchRun { run: from.clone() })?.run;
        if of.status == RunStatus::Completed && position == of.position {
            return Err(RunnerError::NotRunning { run: from, status: of.status });
        }
        Ok(kept.store.fork_after(Fork { from, position, events: 0, run, at, due: Due::Now }).await?)
    }

    /// The store that runs are kept in.
    #[must_use]
    pub fn store(&self) -> Option<&Arc<dyn Store>> {
        self.inner.kept.as_ref().map(|kept| &kept.store)
    }

    /// What went wrong when the runner last looked for work, if that has not gone well since. It goes on trying.
    #[must_use]
    pub fn trouble(&self) -> Option<StoreError> {
        lock(&self.inner.trouble).clone()
    }

    /// How many runs are in memory.
    #[must_use]
    pub fn in_memory(&self) -> usize {
        lock(&self.inner.hosted).len()
    }

    /// Stops: no step starts any more, those at work have `grace` to finish, and every run is left as it is, to be taken
    /// up by whoever comes next. In a runner without a store, runs end as suspended. Whoever waits through this runner for
    /// what a run says to an answer, a signal or the like is told [`RunnerError::Closed`].
    pub async fn shutdown(&self, grace: Duration) {
        self.inner.stop.cancel();
        let caretaker = lock(&self.inner.caretaker).take();
        if let Some(caretaker) = caretaker {
            // What it is taking up just now is left behind with the rest.
            let _ = caretaker.await;
        }
        // So has what others are taking up; and later ones find that it was stopped.
        let taking = self.inner.taking.write().await;
        let hosts: Vec<_> = lock(&self.inner.hosted).drain().map(|(_, host)| host).collect();
        let mut leaving = tokio::task::JoinSet::new();
        for host in hosts {
            leaving.spawn(host.leave_behind(grace));
        }
        drop(taking);
        let left = async { while leaving.join_next().await.is_some() {} };
        match &self.inner.kept {
            None => left.await,
            Some(kept) => tokio::select! {
                () = left => {}
                () = self.inner.renew_for_ever(kept) => {}
            },
        }
        if let Some(kept) = &self.inner.kept {
            // What fails here is found out by whoever takes the runs up, when the lease has lapsed.
            let _ = kept.store.leave(&kept.owner).await;
        }
        let tasks = std::mem::take(&mut *lock(&self.inner.tasks));
        tasks.iter().for_each(JoinHandle::abort);
    }

    async fn take_up(&self, run: &RunId, also_ended: bool) -> Result<(), RunnerError> {
        let Some(kept) = &self.inner.kept else { return Err(RunnerError::NoSuchRun { run: run.clone() }) };
        let _taking = loop {
            let taking = self.inner.taking.write().await;
            self.inner.goes_on()?;
            self.inner.forget_what_is_over();
            match self.inner.find(run) {
                None => break taking,
                // It has come meanwhile, or was here all the time.
                Some(host) if !host.is_over() => return Ok(()),
                // It is on its way back to the store, and is not to be taken from under that.
                Some(_) => {
                    drop(taking);
                    tokio::time::sleep(ON_ITS_WAY).await;
                }
            }
        };
        let now = self.inner.clock.now();
        let details =
            kept.store.show(run).await?.ok_or_else(|| RunnerError::NoSuchRun { run: run.clone() })?;
        let refused =
            |status: RunStatus| if also_ended { status == RunStatus::Completed } else { status.is_end() };
        let not_running = |status| RunnerError::NotRunning { run: run.clone(), status };
        if !self.inner.kinds.contains_key(&*details.run.workflow) {
            return Err(RunnerError::NotHosted { workflow: details.run.workflow });
        }
        if refused(details.run.status) {
            return Err(not_running(details.run.status));
        }
        match kept.store.claim(run, self.inner.lease(kept), now).await? {
            Claim::Claimed(claimed) if refused(claimed.run.status) => {
                // It has ended between the look and the claim.
                kept.store.release(run, claimed.run.epoch, None).await?;
                Err(not_running(claimed.run.status))
            }
            Claim::Claimed(claimed) => self
                .inner
                .load(kept, *claimed)
                .await
                .map_err(|source| RunnerError::Load { run: run.clone(), source }),
            Claim::Held(Lease { owner, .. }) if owner == kept.owner => Ok(()),
            Claim::Held(Lease { owner, .. }) => Err(RunnerError::HeldElsewhere { run: run.clone(), owner }),
        }
    }

    /// Puts a message into the inbox of a run, and waits for the verdict.
    async fn say(&self, run: RunId, said: Said, key: Option<&str>) -> Result<(), RunnerError> {
        self.inner.goes_on()?;
        let Some(kept) = &self.inner.kept else {
            let host = self.inner.find(&run).ok_or_else(|| RunnerError::NoSuchRun { run: run.clone() })?;
            return host.say(said).map_err(|reason| RunnerError::Refused { run, reason });
        };
        let stands =
            kept.store.show(&run).await?.ok_or_else(|| RunnerError::NoSuchRun { run: run.clone() })?;
        let kind = said.kind().to_owned();
        // It is texts and JSON only, so it serialises.
        let body = serde_json::value::to_raw_value(&said)
            .map_err(|source| RunnerError::Input { run: run.clone(), source: Arc::new(source) })?;
        let mut watch = kept.store.watch(Interest::Run(run.clone()));
        let at = self.inner.clock.now();
        let key = key.map(str::to_owned);
        let ended = stands.run.status.is_end() || stands.run.status == RunStatus::Blocked;
        if ended && key.is_none() {
            // Nobody would ever decide about it.
            return Err(RunnerError::NotRunning { run, status: stands.run.status });
        }
        let put = kept.store.put(NewMessage { run: run.clone(), kind, key, at, body }).await?;
        let message = match put {
            Put::New { message } | Put::Known { message, .. } => message,
            Put::Recorded { .. } => return Ok(()),
        };
        loop {
            // Looks where the run stands before it looks for the verdict: the last one is stored with the end.
            let stands =
                kept.store.show(&run).await?.ok_or_else(|| RunnerError::NoSuchRun { run: run.clone() })?;
            match kept.store.verdict(&run, message).await? {
                Verdict::Accepted => return Ok(()),
                Verdict::Refused { reason } => {
                    let reason =
                        serde_json::from_str(reason.get()).unwrap_or_else(|_| reason.get().to_owned());
                    return Err(RunnerError::Refused { run, reason });
                }
                Verdict::Pending => {}
            }
            if stands.run.status.is_end() || stands.run.status == RunStatus::Blocked {
                return Err(RunnerError::NotRunning { run, status: stands.run.status });
            }
            tokio::select! {
                biased;
                // What was said stays said.
                () = self.inner.stop.cancelled() => return Err(RunnerError::Closed),
                changed = watch.changed() => changed?,
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workflows: Vec<_> = self.inner.kinds.keys().collect();
        f.debug_struct("Runner").field("workflows", &workflows).finish_non_exhaustive()
    }
}
