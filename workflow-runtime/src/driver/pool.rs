//! Tasks that are used again.
//!
//! A lane of a short run lives for as long as some steps take, and to make a task for it costs as much as one or two of
//! them; where many runs are at work, most tasks end on another worker than the one that made them, and both wait for the
//! allocator. So a task that has done its work stays idle, and the next lane that is wanted becomes its work. It is woken
//! where a new task would be put in line, and has nothing else to do.
//!
//! Who keeps them is as in Bonwick and Adams, "Magazines and Vmem" (USENIX 2001): each thread that does such work has two
//! magazines of idle tasks, and full and empty ones are exchanged with those of the runtime.

use std::cell::RefCell;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context as Poller, Poll, Waker};

use tokio::runtime::{Handle, Id};
use tokio_util::sync::ReusableBoxFuture;

/// So many idle tasks are in a magazine.
const MAGAZINE: usize = 16;

/// So many full magazines has a runtime, beside the two of each thread. The tasks in them take half a megabyte. Beyond
/// that, a task that is done ends.
const MOST_FULL: usize = 64;

/// What a task has to do. The memory is used again.
pub(super) type Work = ReusableBoxFuture<'static, ()>;

/// Something that has to be done in a task.
pub(super) trait Job: Send + Sync + 'static {
    /// Puts the work there. Whoever has a job calls this once: it is the work that knows, when it is dropped, that it was
    /// not done.
    fn put(self: Arc<Self>, room: &mut Option<Work>);
}

/// Does the job in a task of that runtime.
pub(super) fn spawn<J: Job>(runtime: &Handle, job: Arc<J>) {
    let id = runtime.id();
    let mut job: Arc<dyn Job> = job;
    if let Some(idle) = Idle::of(id) {
        match idle.give(job) {
            Ok(()) => return,
            Err(refused) => job = refused,
        }
    }
    let mut work = None;
    job.put(&mut work);
    runtime.spawn(Task { runtime: id, slot: None, work, is_done: false });
}

type Magazine = Vec<Idle>;

/// What is there for all threads of a runtime.
#[derive(Default)]
struct Depot {
    magazines: Mutex<Magazines>,
    /// How many of them are full. Looked at first, since all threads meet at the lock.
    full: AtomicUsize,
}

#[derive(Default)]
struct Magazines {
    full: Vec<Magazine>,
    empty: Vec<Magazine>,
}

/// Of all runtimes on which something was done, as long as a thread remembers it.
static DEPOTS: Mutex<Vec<(Id, Weak<Depot>)>> = Mutex::new(Vec::new());

/// What a thread has that does the work of a runtime, or starts it.
struct Local {
    runtime: Id,
    depot: Arc<Depot>,
    /// A thread that only starts work gets no idle tasks back, and has none of its own.
    works: bool,
    loaded: Magazine,
    /// Full or empty.
    other: Magazine,
}

thread_local! {
    static LOCAL: RefCell<Option<Local>> = const { RefCell::new(None) };
}

/// An idle task, to be given something. Dropped, the task ends.
struct Idle(Option<Arc<Slot>>);

/// Where an idle task finds its job.
struct Slot(Mutex<State>);

enum State {
    /// Nothing was given, and that wakes the task. So it is also while the task is at work, when nobody has it to give it
    /// anything. It goes with the task: a waker keeps the runtime in memory.
    Idle(Waker),
    Given(Arc<dyn Job>),
    /// The task has ended, or is to end.
    NoMore,
}

/// A task that becomes idle when it has done its work.
struct Task {
    runtime: Id,
    /// Made when it becomes idle for the first time.
    slot: Option<Arc<Slot>>,
    work: Option<Work>,
    is_done: bool,
}

impl Depot {
    /// The one of that runtime, if there is one. When a runtime is gone, another one may get its id. It finds idle tasks of
    /// the first one then, and those say that they are gone.
    fn find(depots: &[(Id, Weak<Self>)], runtime: Id) -> Option<Arc<Self>> {
        depots.iter().filter(|(id, _)| *id == runtime).find_map(|(_, depot)| depot.upgrade())
    }

    /// The one of that runtime, which is made if there is none.
    fn of(runtime: Id) -> Arc<Self> {
        let mut depots = DEPOTS.lock().unwrap_or_else(PoisonError::into_inner);
        depots.retain(|(_, depot)| depot.strong_count() > 0);
        Self::find(&depots, runtime).unwrap_or_else(|| {
            let depot = Arc::default();
            depots.push((runtime, Arc::downgrade(&depot)));
            depot
        })
    }

    fn magazines(&self) -> MutexGuard<'_, Magazines> {
        self.magazines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One idle task, for a thread that does no work of this runtime.
    fn take_one(&self) -> Option<Idle> {
        if self.full.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut magazines = self.magazines();
        let idle = magazines.full.last_mut()?.pop();
        if magazines.full.last().is_some_and(Vec::is_empty) {
            let empty = magazines.full.pop();
            magazines.empty.extend(empty);
            self.full.store(magazines.full.len(), Ordering::Relaxed);
        }
        idle
    }

    /// Takes an empty magazine for a full one, if there is one.
    fn load(&self, empty: &mut Magazine) {
        if self.full.load(Ordering::Relaxed) > 0 {
            let mut magazines = self.magazines();
            if let Some(full) = magazines.full.pop() {
                self.full.store(magazines.full.len(), Ordering::Relaxed);
                magazines.empty.push(mem::replace(empty, full));
            }
        }
    }

    /// Takes a full magazine for an empty one, if there is room for it.
    fn unload(&self, full: &mut Magazine) {
        if self.full.load(Ordering::Relaxed) < MOST_FULL {
            let mut magazines = self.magazines();
            let empty = magazines.empty.pop().unwrap_or_default();
            magazines.full.push(mem::replace(full, empty));
            self.full.store(magazines.full.len(), Ordering::Relaxed);
        }
    }
}

impl Local {
    fn new(runtime: Id, depot: Arc<Depot>, works: bool) -> Self {
        Self { runtime, depot, works, loaded: Vec::new(), other: Vec::new() }
    }

    fn take(&mut self) -> Option<Idle> {
        if !self.works {
            return self.depot.take_one();
        }
        if self.loaded.is_empty() {
            mem::swap(&mut self.loaded, &mut self.other);
        }
        if self.loaded.is_empty() {
            self.depot.load(&mut self.loaded);
        }
        self.loaded.pop()
    }

    /// Whether there is room for one more, which has done its work on this thread.
    fn makes_room(&mut self) -> bool {
        self.works = true;
        if self.loaded.len() >= MAGAZINE {
            mem::swap(&mut self.loaded, &mut self.other);
        }
        if self.loaded.len() >= MAGAZINE {
            self.depot.unload(&mut self.loaded);
        }
        self.loaded.len() < MAGAZINE
    }

    /// Does that with what this thread has, if it has to do with that runtime.
    fn with<T>(runtime: Id, act: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let act = |local: &RefCell<Option<Self>>| {
            let mut local = local.try_borrow_mut().ok()?;
            local.as_mut().filter(|local| local.runtime == runtime).map(act)
        };
        LOCAL.try_with(act).ok().flatten()
    }

    /// What this thread has from now on, in place of what it had of another runtime.
    fn install(self) {
        let before =
            LOCAL.try_with(|here| here.try_borrow_mut().ok().and_then(|mut here| here.replace(self)));
        // Tasks end by that.
        drop(before);
    }

    /// Whether this thread does work, of whatever runtime.
    fn is_at_work() -> bool {
        let works = |here: &RefCell<Option<Self>>| {
            here.try_borrow().is_ok_and(|here| here.as_ref().is_some_and(|local| local.works))
        };
        LOCAL.try_with(works).unwrap_or(false)
    }
}

impl Idle {
    /// One of that runtime.
    fn of(runtime: Id) -> Option<Self> {
        Local::with(runtime, Local::take).unwrap_or_else(|| {
            let depot = Depot::find(&DEPOTS.lock().unwrap_or_else(PoisonError::into_inner), runtime)?;
            let idle = depot.take_one();
            // Who works for one runtime and now and then starts something on another one keeps what is for the first.
            if !Local::is_at_work() {
                Local::new(runtime, depot, false).install();
            }
            idle
        })
    }

    /// Gives it that job.
    ///
    /// # Errors
    /// The task is gone, with its runtime.
    fn give(mut self, job: Arc<dyn Job>) -> Result<(), Arc<dyn Job>> {
        let Some(slot) = self.0.take() else { return Err(job) };
        let mut state = slot.state();
        match mem::replace(&mut *state, State::NoMore) {
            State::Idle(task) => {
                *state = State::Given(job);
                drop(state);
                task.wake();
                Ok(())
            }
            // Nobody else gives it anything.
            given @ State::Given(_) => {
                *state = given;
                Err(job)
            }
            State::NoMore => Err(job),
        }
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        if let Some(task) = self.0.take().and_then(|slot| slot.close()) {
            task.wake();
        }
    }
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is given any more. What wakes the task, if it is idle.
    fn close(&self) -> Option<Waker> {
        let before = mem::replace(&mut *self.state(), State::NoMore);
        match before {
            State::Idle(task) => Some(task),
            State::Given(job) => {
                let mut work = None;
                job.put(&mut work);
                drop(work);
                None
            }
            State::NoMore => None,
        }
    }
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<()> {
        let Self { runtime, slot, work, is_done } = &mut *self;
        if *is_done {
            let Some(slot) = slot else { return Poll::Ready(()) };
            let mut state = slot.state();
            let job = match &*state {
                State::Idle(_) => return Poll::Pending,
                State::NoMore => return Poll::Ready(()),
                State::Given(_) => mem::replace(&mut *state, State::Idle(poller.waker().clone())),
            };
            drop(state);
            if let State::Given(job) = job {
                job.put(work);
                *is_done = false;
            }
        }
        if work.as_mut().is_some_and(|work| work.poll(poller).is_pending()) {
            return Poll::Pending;
        }
        *is_done = true;
        let has_room = Local::with(*runtime, Local::makes_room).unwrap_or_else(|| {
            Local::new(*runtime, Depot::of(*runtime), true).install();
            true
        });
        if !has_room {
            return Poll::Ready(());
        }
        let new = || Arc::new(Slot(Mutex::new(State::Idle(poller.waker().clone()))));
        let idle = Idle(Some(Arc::clone(slot.get_or_insert_with(new))));
        // That is the last thing: whoever starts something on this thread from now on may find this task.
        match Local::with(*runtime, |local| local.loaded.push(idle)) {
            Some(()) => Poll::Pending,
            // The thread is about to end.
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        drop(self.slot.as_ref().and_then(|slot| slot.close()));
    }
}
