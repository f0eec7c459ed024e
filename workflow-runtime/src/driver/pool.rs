//! Tasks that are used again.
//!
//! A lane of a short run lives for as long as some steps take, and to make a task for it costs as much as one or two of
//! them; where many runs are at work, most tasks end on another worker than the one that made them, and both wait for the
//! allocator. So a task that has done its work stays idle, and the next lane that is wanted becomes its work. For whoever
//! schedules them it makes no difference: an idle task is woken where a new one would be put in line, and has nothing else
//! to do.
//!
//! Each thread has some of them, and what it has beyond that is there for all threads of the runtime.

use std::cell::RefCell;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context as Poller, Poll, Waker};

use tokio::runtime::{Handle, Id};
use tokio_util::sync::ReusableBoxFuture;

/// So many idle tasks go from hand to hand at once, and so many are with each thread.
const BATCH: usize = 16;

/// So many batches are there for all threads of a runtime, which comes to half a megabyte. Beyond that, tasks end.
const MOST_BATCHES: usize = 64;

/// What a task has to do. The memory is used again.
pub(super) type Work = ReusableBoxFuture<'static, ()>;

/// Something that has to be done in a task.
pub(super) trait Job: Send + Sync + 'static {
    /// Puts what is to be done there. Dropped without having been done, it sees to that.
    fn put(self: Arc<Self>, room: &mut Option<Work>);
}

/// Does the job in a task of that runtime.
pub(super) fn spawn<J: Job>(runtime: &Handle, job: Arc<J>) {
    let id = runtime.id();
    let mut job: Arc<dyn Job> = job;
    if let Some(idle) = Local::with(id, Local::take).flatten() {
        match idle.give(job) {
            Ok(()) => return,
            Err(refused) => job = refused,
        }
    }
    let mut work = None;
    job.put(&mut work);
    runtime.spawn(Task { runtime: id, slot: None, work, is_done: false });
}

/// The idle tasks of a runtime, but for those that its threads have.
struct Pool {
    batches: Mutex<Vec<Vec<Idle>>>,
}

/// Of all runtimes on which something was done, as long as a thread remembers it.
static POOLS: Mutex<Vec<(Id, Weak<Pool>)>> = Mutex::new(Vec::new());

/// The idle tasks that a thread has, all of one runtime.
struct Local {
    runtime: Id,
    pool: Arc<Pool>,
    idle: Vec<Idle>,
}

thread_local! {
    static LOCAL: RefCell<Option<Local>> = const { RefCell::new(None) };
}

/// An idle task, to be given something. Dropped, the task ends.
struct Idle(Option<Arc<Slot>>);

/// Where an idle task finds its job.
struct Slot {
    task: Waker,
    given: Mutex<Given>,
}

enum Given {
    Nothing,
    Job(Arc<dyn Job>),
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

impl Pool {
    /// The one of that runtime. When a runtime is gone, another one may get its id. It finds the idle tasks of the first
    /// one then, and those say that they are gone.
    fn of(runtime: Id) -> Arc<Self> {
        let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|(_, pool)| pool.strong_count() > 0);
        let found = pools.iter().find(|(id, _)| *id == runtime).and_then(|(_, pool)| pool.upgrade());
        found.unwrap_or_else(|| {
            let pool = Arc::new(Self { batches: Mutex::default() });
            pools.push((runtime, Arc::downgrade(&pool)));
            pool
        })
    }

    fn batches(&self) -> MutexGuard<'_, Vec<Vec<Idle>>> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Local {
    /// Does that with the idle tasks of this thread, which are those of that runtime from now on. `None` where the thread
    /// is about to end.
    fn with<T>(runtime: Id, act: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let mut of_another = None;
        let done = LOCAL.try_with(|local| {
            let mut local = local.try_borrow_mut().ok()?;
            if local.as_ref().is_none_or(|local| local.runtime != runtime) {
                of_another = local.replace(Self { runtime, pool: Pool::of(runtime), idle: Vec::new() });
            }
            local.as_mut().map(act)
        });
        // Tasks end by that.
        drop(of_another);
        done.ok().flatten()
    }

    fn take(&mut self) -> Option<Idle> {
        if self.idle.is_empty() {
            self.idle = self.pool.batches().pop()?;
        }
        self.idle.pop()
    }

    /// Keeps an idle task, unless there are enough of them.
    fn keep(&mut self, idle: Idle) -> Result<(), Idle> {
        if self.idle.len() >= BATCH {
            let mut batches = self.pool.batches();
            if batches.len() >= MOST_BATCHES {
                return Err(idle);
            }
            batches.push(mem::replace(&mut self.idle, Vec::with_capacity(BATCH)));
        }
        self.idle.push(idle);
        Ok(())
    }
}

impl Idle {
    /// Gives it that job.
    ///
    /// # Errors
    /// The task is gone, with its runtime.
    fn give(mut self, job: Arc<dyn Job>) -> Result<(), Arc<dyn Job>> {
        let Some(slot) = self.0.take() else { return Err(job) };
        {
            let mut given = slot.given();
            if matches!(*given, Given::NoMore) {
                return Err(job);
            }
            *given = Given::Job(job);
        }
        slot.task.wake_by_ref();
        Ok(())
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.close();
            slot.task.wake_by_ref();
        }
    }
}

impl Slot {
    fn given(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let left = mem::replace(&mut *self.given(), Given::NoMore);
        if let Given::Job(job) = left {
            let mut work = None;
            job.put(&mut work);
            drop(work);
        }
    }
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<()> {
        let Self { runtime, slot, work, is_done } = &mut *self;
        if *is_done {
            let given = slot.as_ref().map(|slot| mem::replace(&mut *slot.given(), Given::Nothing));
            match given {
                Some(Given::Job(job)) => job.put(work),
                Some(Given::Nothing) => return Poll::Pending,
                Some(Given::NoMore) | None => return Poll::Ready(()),
            }
            *is_done = false;
        }
        if work.as_mut().is_some_and(|work| work.poll(poller).is_pending()) {
            return Poll::Pending;
        }
        *is_done = true;
        let new = || Arc::new(Slot { task: poller.waker().clone(), given: Mutex::new(Given::Nothing) });
        let idle = Idle(Some(Arc::clone(slot.get_or_insert_with(new))));
        // That is the last thing: whoever starts something on this thread from now on may find this task.
        match Local::with(*runtime, |local| local.keep(idle)) {
            Some(Ok(())) => Poll::Pending,
            Some(Err(_)) | None => Poll::Ready(()),
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(slot) = &self.slot {
            slot.close();
        }
    }
}
