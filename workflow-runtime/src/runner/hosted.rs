//! Runs and workflows without their types, for a host of many.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use workflow_graph::Graph;

use super::commit::{Letter, NotStored};
use super::error::LoadError;
use crate::driver::{Host, KeptAt};
use crate::engine::{Refused, Status, Tick, Time};
use crate::event::RequestId;
use crate::forms::Stored;
use crate::handle::{RunId, RunOptions};
use crate::journal::{self, Replayed};
use crate::snapshot::ResumeError;
use crate::store::{Claimed, Json, Message, Store};
use crate::workflow::{Events as _, Shared, Workflow};

/// What a message says. It is the body of a message in an inbox.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    Answer { request: RequestId, response: Json },
    Signal { signal: String, value: Json },
    Cancel { reason: String },
    Suspend,
}

impl Said {
    /// The kind of message, as the store lists it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Answer { .. } => "answer",
            Self::Signal { .. } => "signal",
            Self::Cancel { .. } => "cancel",
            Self::Suspend => "suspend",
        }
    }
}

/// A run in this process.
pub(crate) trait Hosted: Send + Sync {
    /// Takes a message, unless it was taken before, or the run was given back and the message is for somebody else.
    fn take(self: Arc<Self>, message: Message);
    /// Decides about a message that comes too late.
    fn refuse(self: Arc<Self>, message: Message, reason: &str);
    fn give_back_if_idle(&self);
    /// The inbox is about to be read.
    fn forget_decided(&self);
    /// Lets no step start, waits until nothing is at work or the time is over, and puts the run down.
    fn leave_behind(self: Arc<Self>, grace: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
    fn throw_away(self: Arc<Self>, why: &NotStored);
    /// Does at once what a message would say, in a runner without a store.
    fn say(self: Arc<Self>, said: Said) -> Result<(), String>;
    /// At which it was claimed, while it is held.
    fn epoch(&self) -> Option<u64>;
    /// Whether it goes on here no more.
    fn is_over(&self) -> bool;
    /// Whether nothing of it is left to do here.
    fn is_gone(&self) -> bool;
    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<W: Workflow> Hosted for Host<W> {
    fn take(self: Arc<Self>, message: Message) {
        if self.is_given_back() || self.has_decided(message.id) {
            return;
        }
        let letter = Letter { message: message.id, key: message.key };
        let said = serde_json::from_str(message.body.get());
        let tick = said.map_err(|error| error.to_string()).and_then(|said| self.tick_of(said));
        self.take_letter(letter, tick);
    }

    fn refuse(self: Arc<Self>, message: Message, reason: &str) {
        self.take_letter(Letter { message: message.id, key: message.key }, Err(reason.to_owned()));
    }

    fn give_back_if_idle(&self) {
        Host::give_back_if_idle(self);
    }

    fn forget_decided(&self) {
        Host::forget_decided(self);
    }

    fn leave_behind(self: Arc<Self>, grace: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let _held = self.hold();
            // It does not matter which of the two it was.
            let _ = tokio::time::timeout(grace, self.quiet()).await;
            Host::leave_behind(&self);
            // What could not be stored is not there when somebody takes the run up; it is run again.
            let _ = self.settled().await;
        })
    }

    fn throw_away(self: Arc<Self>, why: &NotStored) {
        Host::throw_away(&self, why);
    }

    fn say(self: Arc<Self>, said: Said) -> Result<(), String> {
        let tick = self.tick_of(said)?;
        self.tick(tick).map_err(|refused| refused.to_string())
    }

    fn epoch(&self) -> Option<u64> {
        Host::epoch(self)
    }

    fn is_over(&self) -> bool {
        Host::is_over(self) || self.is_given_back()
    }

    fn is_gone(&self) -> bool {
        Host::is_gone(self)
    }

    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<W: Workflow> Host<W> {
    /// What a message means, or why it means nothing.
    fn tick_of(&self, said: Said) -> Result<Tick<W::Event>, String> {
        match said {
            Said::Answer { request, response } => {
                let asked =
                    self.look(|engine, _| engine.state().request(request).map(|open| open.prompt.clone()));
                let asked = asked.ok_or_else(|| Refused::NotOpen { request }.to_string())?;
                let response =
                    W::answer_json(&asked, request, &response).map_err(|reason| reason.to_string())?;
                Ok(Tick::Answered { request, response })
            }
            Said::Signal { signal, value } => {
                let found = W::GRAPH.event_named(&format!("Signal<{signal}>"));
                let event = found.filter(|event| W::GRAPH.takes_signal(*event));
                let event = event.ok_or_else(|| Refused::NotASignal { event: signal.clone() }.to_string())?;
                let event = W::Event::decode(event, &value).map_err(|error| error.to_string())?;
                Ok(Tick::Signal { event })
            }
            Said::Cancel { reason } => Ok(Tick::Cancelled { reason }),
            Said::Suspend => Ok(Tick::Suspended),
        }
    }
}

/// A workflow that a runner hosts.
pub(crate) trait Kind: Send + Sync {
    fn graph(&self) -> &'static Graph;
    /// Takes up a run.
    fn load(
        &self,
        claimed: &Claimed,
        replayed: Replayed,
        options: RunOptions,
        kept: KeptAt,
        gate: Option<Arc<Semaphore>>,
    ) -> Result<Arc<dyn Hosted>, LoadError>;
    fn any(&self) -> &(dyn Any + Send + Sync);
}

/// A workflow with its type.
pub(crate) struct Typed<W: Workflow>(pub(crate) Shared<W>);

impl<W: Workflow> Kind for Typed<W> {
    fn graph(&self) -> &'static Graph {
        W::GRAPH
    }

    fn load(
        &self,
        claimed: &Claimed,
        replayed: Replayed,
        options: RunOptions,
        kept: KeptAt,
        gate: Option<Arc<Semaphore>>,
    ) -> Result<Arc<dyn Hosted>, LoadError> {
        let workflow = self.0.clone();
        let run = claimed.run.run.clone();
        if replayed.status == Status::Completed {
            return Err(ResumeError::Completed { run }.into());
        }
        let host = match replayed.snapshot {
            None => {
                // It was created, and nothing of it was stored since.
                let history = claimed.history.as_ref().map_err(|error| LoadError::Store(error.clone()))?;
                let input = input::<W>(&run, &history.input)?;
                Host::start_kept(workflow, input, options, kept, gate)
            }
            Some(snapshot) => {
                let restored = snapshot.restore(W::GRAPH)?;
                let state = restored.state::<W::State>()?;
                Host::resume_kept(workflow, restored, state, kept, gate)
            }
        };
        // Nobody holds it yet.
        host.drop_handle();
        Ok(host)
    }

    fn any(&self) -> &(dyn Any + Send + Sync) {
        &self.0
    }
}

fn input<W: Workflow>(run: &RunId, json: &Json) -> Result<W::Input, LoadError> {
    W::Input::load(&mut serde_json::Deserializer::from_str(json.get()))
        .map_err(|source| LoadError::Input { run: run.clone(), source: Arc::new(source) })
}

/// Brings a stored run to where its records end.
pub(super) async fn replay(store: &dyn Store, claimed: &Claimed) -> Result<Replayed, LoadError> {
    let history = claimed.history.as_ref().map_err(|error| LoadError::Store(error.clone()))?;
    let mut graphs = BTreeMap::new();
    for fingerprint in journal::fingerprints(history) {
        if let Some(json) = store.graph(fingerprint).await.map_err(LoadError::Store)? {
            let graph = journal::read_graph(fingerprint, &json).map_err(LoadError::Graph)?;
            graphs.insert(fingerprint.to_owned(), Arc::new(graph));
        }
    }
    let graph_of = |fingerprint: &str| graphs.get(fingerprint).cloned();
    journal::load(history, &claimed.run.run, claimed.run.last_event + 1, &graph_of).map_err(LoadError::Replay)
}

impl From<ResumeError> for LoadError {
    fn from(error: ResumeError) -> Self {
        Self::Resume(error)
    }
}

/// The options of a run as tags of its row: they are needed only if nothing of the run but its row is stored.
pub(super) mod options {
    use std::collections::BTreeMap;
    use std::time::{Duration, UNIX_EPOCH};

    use super::{RunOptions, Time};

    const DEADLINE: &str = "workflow.deadline";
    const TIMEOUT: &str = "workflow.timeout";

    pub(in crate::runner) fn to_tags(
        deadline: Option<Time>,
        timeout: Option<Duration>,
    ) -> BTreeMap<String, String> {
        let deadline = deadline.map(|at| (DEADLINE.to_owned(), at.0.to_string()));
        let timeout = timeout.map(|it| (TIMEOUT.to_owned(), it.as_millis().to_string()));
        deadline.into_iter().chain(timeout).collect()
    }

    pub(in crate::runner) fn from_tags(tags: &BTreeMap<String, String>) -> RunOptions {
        let number = |key| tags.get(key).and_then(|text| text.parse::<u64>().ok()).map(Duration::from_millis);
        let mut options = RunOptions::default();
        if let Some(timeout) = number(TIMEOUT) {
            options = options.timeout(timeout);
        }
        if let Some(deadline) = number(DEADLINE).and_then(|since| UNIX_EPOCH.checked_add(since)) {
            options = options.deadline(deadline);
        }
        options
    }
}
