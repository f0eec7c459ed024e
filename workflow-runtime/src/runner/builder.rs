//! How a runner is set up.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{RwLock, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::commit::{self, Commits};
use super::error::RunnerError;
use super::hosted::{Kind, Typed};
use super::inner::{Inner, Kept};
use super::{Runner, lock, work};
use crate::driver::Clock;
use crate::engine::Time;
use crate::handle::RunId;
use crate::journal;
use crate::registry::Registration;
use crate::store::Store;
use crate::workflow::Workflow;

/// How a [`Runner`] is set up.
pub struct RunnerBuilder {
    kinds: Vec<Arc<dyn Kind>>,
    store: Option<Arc<dyn Store>>,
    limit: Option<usize>,
    lease: Duration,
    owner: Option<String>,
    evict_waiting_steps: bool,
}

impl RunnerBuilder {
    /// Nothing is set yet.
    pub(super) fn new() -> Self {
        Self {
            kinds: Vec::new(),
            store: None,
            limit: None,
            lease: Duration::from_secs(30),
            owner: None,
            evict_waiting_steps: false,
        }
    }

    /// Hosts a workflow.
    #[must_use]
    pub fn workflow<W: Workflow>(mut self, workflow: impl Into<Arc<W>>) -> Self {
        self.kinds.push(Arc::new(Typed(workflow.into().share())));
        self
    }

    /// Hosts a workflow of the [registry](crate::Registry), as the function builds it that it was registered with.
    #[must_use]
    pub fn registered(mut self, registration: &Registration) -> Self {
        self.kinds.extend(registration.kind());
        self
    }

    /// Keeps the runs in a store, and takes up what it holds of the hosted workflows.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// How many steps may be at work at once, over all runs, at least one; without it there is no limit. Runs take turns, so that a
    /// large fan-out does not keep the others waiting. A step counts from its start to its end, its own waits included.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit.max(1));
        self
    }

    /// How long the runs of this runner are its own without a sign of life; 30 seconds if not said. After that, other
    /// runners on the same store may take them over; so for that long nobody goes on with the runs of a process that was
    /// killed. It is renewed three times as often. The clocks of the processes have to agree that well: one that is ahead
    /// by more takes over what others still work on, whose steps then run twice, though only one of them counts. Whoever knows that a process has ended can say so with
    /// [`Store::leave`].
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// The name under which this runner owns runs; else it is random. Two runners must not have one name, nor should
    /// one that is started again have its old one.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// Lets also those runs leave memory in which a step waits, for an answer to its [`Asker`](crate::Asker) or for a
    /// signal to its [`Inbox`](crate::Inbox); else only those do that wait between steps. When the answer comes, the step
    /// is run again from its input, and finds what its earlier waits and memos returned.
    ///
    /// A step that waits for something else as well, such as a timer of its own, stays.
    #[must_use]
    pub fn evict_waiting_steps(mut self, evict: bool) -> Self {
        self.evict_waiting_steps = evict;
        self
    }

    /// Starts the runner, on the tokio runtime that this is called on.
    ///
    /// # Errors
    /// Two workflows have one name, or the store fails.
    pub async fn start(self) -> Result<Runner, RunnerError> {
        let mut kinds: BTreeMap<&'static str, Arc<dyn Kind>> = BTreeMap::new();
        for kind in self.kinds {
            let name = &*kind.graph().name;
            if kinds.insert(name, kind).is_some() {
                return Err(RunnerError::TwoOfOneName { workflow: name.to_owned() });
            }
        }
        let mut tasks = Vec::new();
        let (mut kept, mut news) = (None, None);
        if let Some(store) = self.store {
            for kind in kinds.values() {
                let graph = kind.graph();
                store.put_graph(&journal::fingerprint(graph), journal::graph_json(graph)).await?;
            }
            let (commits, queue) = Commits::channel();
            let (tell, told) = mpsc::unbounded_channel();
            news = Some(told);
            tasks.push(tokio::spawn(commit::store_all(Arc::clone(&store), queue, tell)));
            let owner = self.owner.unwrap_or_else(|| RunId::random().to_string());
            let Self { lease, evict_waiting_steps, .. } = self;
            kept = Some(Kept { store, commits, owner, lease, evict_waiting_steps });
        }
        let inner = Arc::new(Inner {
            kinds,
            limit: self.limit.map(|limit| Arc::new(Semaphore::new(limit))),
            clock: Clock::not_before(Time(0)),
            hosted: Mutex::default(),
            inputs: Mutex::default(),
            taking: RwLock::default(),
            kept,
            stop: CancellationToken::new(),
            tasks: Mutex::new(tasks),
            caretaker: Mutex::default(),
            trouble: Mutex::default(),
        });
        if let Some(news) = news {
            *lock(&inner.caretaker) = Some(tokio::spawn(work::look_after(Arc::clone(&inner), news)));
        }
        Ok(Runner { inner })
    }
}

impl fmt::Debug for RunnerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workflows: Vec<_> = self.kinds.iter().map(|kind| &*kind.graph().name).collect();
        f.debug_struct("RunnerBuilder").field("workflows", &workflows).finish_non_exhaustive()
    }
}
