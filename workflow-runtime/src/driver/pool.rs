//! The tasks in which lanes are at work.
//!
//! A lane of a short run lives for as long as some steps take, and to make a task for it, wake that and see it end costs as
//! much as one or two of them. So a task does one lane after the other, as long as there are some, and is idle then, until it
//! is called for the next one.
//!
//! Each thread that starts something has a queue of its own for each runtime, and tasks that take from it. A job that finds
//! two of them called already waits in the queue for whoever comes first. Nobody waits behind a job that blocks its thread:
//! where two jobs wait, two tasks are called, by who adds to the queue and by who takes from it. (Two, because a worker keeps
//! the task that it has woken last where no other worker can take it from. Who adds may be at work for a long time, so that
//! one is stuck there; who takes goes to the end of the line itself after it has called one. A single job is in the same place
//! as a task of tokio's that is spawned by who blocks its thread then.)

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Poller, Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::task::coop::has_budget_remaining;
use tokio::time::Instant;
use tokio_util::sync::ReusableBoxFuture;

use super::lane::{LOOKS_AROUND_AFTER, POLLS_UNTIL_IT_LOOKS};

/// So many tasks are called while jobs wait.
const CALLED: usize = 2;

/// So many idle tasks stay with a queue. Beyond that, a task that finds nothing to do ends.
const MOST_IDLE: usize = 16;

/// A task gives way to other tasks of its worker when it has worked for so long ..
const LONGEST_TURN: Duration = Duration::from_micros(200);
/// .. and after so many jobs, so that it does where a clock stands still.
const MOST_JOBS: u32 = 128;

/// On so many runtimes a thread starts things by turns without losing the tasks of the others.
const MOST_RUNTIMES: usize = 4;

/// Where the queue has had many jobs at once, it gives that memory back when they are done.
const MOST_ROOM_KEPT: usize = 4_096;

/// What a task has to do. The memory is used again.
pub(super) type Work = ReusableBoxFuture<'static, Worked>;

/// When somebody was at work last.
pub(super) struct Worked {
    pub(super) began: Instant,
    pub(super) ended: Instant,
}

/// Something that has to be done in a task.
pub(super) trait Job: Send + Sync + 'static {
    /// Puts the work there. Whoever has a job calls this once: it is the work that knows, when it is dropped, that it was
    /// not done.
    fn put(self: Arc<Self>, room: &mut Option<Work>);
}

/// Does the job in a task of that runtime.
pub(super) fn spawn<J: Job>(runtime: &Handle, job: Arc<J>) {
    let mut job: Arc<dyn Job> = job;
    loop {
        match Homes::add(runtime.id(), job) {
            Ok(None) => return,
            Ok(Some(task)) => return task.comes(runtime),
            Err(refused) => job = refused,
        }
        Homes::forget(runtime.id());
    }
}

/// What one thread has started on one runtime, and the tasks that do it.
#[derive(Default)]
struct Pool(Mutex<State>);

#[derive(Default)]
struct State {
    /// Nobody has begun with them yet.
    jobs: VecDeque<Arc<dyn Job>>,
    /// How many tasks were called and have not come yet. While jobs wait, as many as there are jobs, or [`CALLED`].
    called: usize,
    idle: Vec<Idle>,
    /// How many tasks there have been.
    made: u64,
    /// Tasks do not stay idle: the thread has no use for them any more.
    is_left: bool,
    /// The runtime has dropped a task, because it shuts down, so it drops them all.
    is_gone: bool,
}

/// How to wake an idle task. It goes with the task: a waker keeps the runtime in memory.
struct Idle {
    task: u64,
    waker: Waker,
}

/// A task that is called.
enum Called {
    Idle(Waker),
    /// One that is still to be made, of that number.
    New(Arc<Pool>, u64),
}

impl Called {
    fn comes(self, runtime: &Handle) {
        match self {
            Self::Idle(waker) => waker.wake(),
            Self::New(pool, number) => drop(runtime.spawn(Task::called(pool, number))),
        }
    }
}

thread_local! {
    static HOMES: RefCell<Homes> = const { RefCell::new(Homes(Vec::new())) };
}

/// The pools of a thread, the one that was used last first.
struct Homes(Vec<(Id, Arc<Pool>)>);

impl Homes {
    /// Adds a job to this thread's pool for a runtime, and calls a task for it, if it needs one.
    ///
    /// # Errors
    /// As [`Pool::add`].
    fn add(runtime: Id, job: Arc<dyn Job>) -> Result<Option<Called>, Arc<dyn Job>> {
        let mut job = Some(job);
        let added = HOMES.try_with(|homes| {
            let mut homes = homes.try_borrow_mut().ok()?;
            let left = homes.bring_forward(runtime);
            let (_, pool) = homes.0.first()?;
            Some((pool.add(job.take()?), left))
        });
        match (added.ok().flatten(), job) {
            (Some((added, left)), _) => {
                left.into_iter().for_each(|pool| pool.leave());
                added
            }
            // The thread is about to end.
            (None, Some(job)) => {
                Arc::new(Pool(Mutex::new(State { is_left: true, ..State::default() }))).add(job)
            }
            (None, None) => Ok(None),
        }
    }

    /// Puts the pool of a runtime first. The one that has to make room for it.
    #[inline]
    fn bring_forward(&mut self, runtime: Id) -> Option<Arc<Pool>> {
        if self.0.first().is_some_and(|(id, _)| *id == runtime) {
            return None;
        }
        self.bring_to_front(runtime)
    }

    #[inline(never)]
    fn bring_to_front(&mut self, runtime: Id) -> Option<Arc<Pool>> {
        match self.0.iter().position(|(id, _)| *id == runtime) {
            Some(place) => self.0.swap(0, place),
            None => self.0.insert(0, (runtime, Arc::default())),
        }
        if self.0.len() > MOST_RUNTIMES { self.0.pop().map(|(_, pool)| pool) } else { None }
    }

    /// The thread does not use its pool for that runtime any more.
    fn forget(runtime: Id) {
        let forgotten = HOMES.try_with(|homes| {
            let homes = &mut homes.try_borrow_mut().ok()?.0;
            let place = homes.iter().position(|(id, _)| *id == runtime)?;
            Some(homes.remove(place))
        });
        forgotten.ok().flatten().into_iter().for_each(|(_, pool)| pool.leave());
    }
}

impl Drop for Homes {
    fn drop(&mut self) {
        self.0.iter().for_each(|(_, pool)| pool.leave());
    }
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job, and calls a task for it, if it needs one.
    ///
    /// # Errors
    /// The runtime is gone, or another one that had its id.
    #[inline]
    fn add(self: &Arc<Self>, job: Arc<dyn Job>) -> Result<Option<Called>, Arc<dyn Job>> {
        let mut state = self.state();
        if state.is_gone {
            return Err(job);
        }
        state.jobs.push_back(job);
        Ok(state.call(self))
    }

    /// The thread has no use for it any more: tasks that are idle end, and so do those that find nothing to do.
    fn leave(&self) {
        let mut state = self.state();
        state.is_left = true;
        let idle = mem::take(&mut state.idle);
        state.called += idle.len();
        drop(state);
        idle.into_iter().for_each(|idle| idle.waker.wake());
    }
}

impl State {
    /// Calls a task, if jobs wait and too few were called.
    #[inline]
    fn call(&mut self, pool: &Arc<Pool>) -> Option<Called> {
        if self.jobs.is_empty() || self.called >= CALLED {
            return None;
        }
        self.called += 1;
        Some(match self.idle.pop() {
            Some(idle) => Called::Idle(idle.waker),
            None => {
                self.made += 1;
                Called::New(Arc::clone(pool), self.made)
            }
        })
    }

    fn take(&mut self) -> Option<Arc<dyn Job>> {
        let job = self.jobs.pop_front();
        if self.jobs.is_empty() && self.jobs.capacity() > MOST_ROOM_KEPT {
            self.jobs = VecDeque::new();
        }
        job
    }

    /// Takes a task out of those that are idle.
    fn remove(&mut self, task: u64) -> Option<Idle> {
        let place = self.idle.iter().position(|idle| idle.task == task)?;
        Some(self.idle.swap_remove(place))
    }
}

/// A task that does one job after the other.
struct Task {
    pool: Arc<Pool>,
    number: u64,
    stage: Stage,
    work: Option<Work>,
    /// Since when it is at work, without that its worker has looked at its timers, and at what came from elsewhere.
    busy_since: Option<Instant>,
    /// So many times it gives way without doing anything, for that.
    gives_way: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// It was called, and has not come yet.
    Called,
    /// It is at the work that is there.
    AtWork,
    /// It has finished that.
    BetweenJobs,
    /// It is idle, or was called since.
    Idle,
    Over,
}

/// What a task does next.
enum Next {
    Job(Arc<dyn Job>, Option<Called>),
    GiveWay,
    Rest(Stage),
}

impl Task {
    fn called(pool: Arc<Pool>, number: u64) -> Self {
        Self { pool, number, stage: Stage::Called, work: None, busy_since: None, gives_way: 0 }
    }

    /// Works at what is there, until it is done. When that was, if it has come to an end.
    fn work(&mut self, poller: &mut Poller<'_>) -> Poll<Option<Worked>> {
        let (Stage::AtWork, Some(work)) = (self.stage, &mut self.work) else { return Poll::Ready(None) };
        // Steps have their own net. What else is the author's, or somebody's who waits, is no reason to put down the jobs
        // of others.
        let worked = match catch_unwind(AssertUnwindSafe(|| work.poll(poller))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(worked)) => Some(worked),
            Err(_) => {
                self.drop_work();
                None
            }
        };
        self.stage = Stage::BetweenJobs;
        Poll::Ready(worked)
    }

    fn drop_work(&mut self) {
        let work = self.work.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(work)));
    }

    /// What is next, if it `may_take` what waits, which is asked only where something does.
    fn next(&mut self, poller: &Poller<'_>, may_take: impl FnOnce() -> bool) -> Next {
        let mut state = self.pool.state();
        match self.stage {
            // Woken by somebody else.
            Stage::Idle if state.idle.iter().any(|idle| idle.task == self.number) => {
                return Next::Rest(Stage::Idle);
            }
            Stage::Called | Stage::Idle => {
                state.called -= 1;
                self.stage = Stage::BetweenJobs;
            }
            Stage::AtWork | Stage::BetweenJobs | Stage::Over => {}
        }
        if !state.jobs.is_empty() && !may_take() {
            return Next::GiveWay;
        }
        match state.take() {
            Some(job) => Next::Job(job, state.call(&self.pool)),
            None if state.is_left || state.is_gone || state.idle.len() >= MOST_IDLE => {
                Next::Rest(Stage::Over)
            }
            None => {
                state.idle.push(Idle { task: self.number, waker: poller.waker().clone() });
                Next::Rest(Stage::Idle)
            }
        }
    }

    /// As lanes do, sees to it that its worker looks around, if it is time for that.
    fn looks_around(&mut self, now: Instant) {
        if self.busy_since.is_some_and(|since| now.saturating_duration_since(since) >= LOOKS_AROUND_AFTER) {
            self.busy_since = None;
            self.gives_way = POLLS_UNTIL_IT_LOOKS - 1;
        }
    }
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<()> {
        let task = &mut *self;
        let (mut began, mut jobs) = (None, 0);
        let gives_way = |poller: &Poller<'_>| {
            poller.waker().wake_by_ref();
            Poll::Pending
        };
        if task.gives_way > 0 {
            task.gives_way -= 1;
            return gives_way(poller);
        }
        loop {
            let worked = std::task::ready!(task.work(poller));
            if let Some(worked) = &worked {
                jobs += 1;
                began.get_or_insert(worked.began);
                task.busy_since.get_or_insert(worked.began);
            }
            let ended = worked.map(|worked| worked.ended);
            let may_take = || {
                let worked_for =
                    ended.zip(began).map(|(ended, began)| ended.saturating_duration_since(began));
                jobs < MOST_JOBS && worked_for.is_none_or(|it| it < LONGEST_TURN) && has_budget_remaining()
            };
            match task.next(poller, may_take) {
                Next::Job(job, called) => {
                    job.put(&mut task.work);
                    task.stage = Stage::AtWork;
                    let Some(other) = called else { continue };
                    other.comes(&Handle::current());
                    return gives_way(poller);
                }
                Next::GiveWay => {
                    ended.into_iter().for_each(|ended| task.looks_around(ended));
                    return gives_way(poller);
                }
                Next::Rest(stage) => {
                    (task.stage, task.busy_since) = (stage, None);
                    return if stage == Stage::Over { Poll::Ready(()) } else { Poll::Pending };
                }
            }
        }
    }
}

/// A task that is dropped before it is over was dropped by a runtime that shuts down, perhaps within whoever has just called
/// it.
impl Drop for Task {
    fn drop(&mut self) {
        if self.stage == Stage::Over {
            return;
        }
        let mut state = self.pool.state();
        state.is_gone = true;
        let idle = state.remove(self.number);
        let was_called = self.stage == Stage::Called || self.stage == Stage::Idle && idle.is_none();
        state.called -= usize::from(was_called);
        let jobs = mem::take(&mut state.jobs);
        drop(state);
        drop(idle);
        self.drop_work();
        for job in jobs {
            // What goes with it may be the author's. None of them takes the others with it.
            let put_down = || {
                let mut work = None;
                job.put(&mut work);
                drop(work);
            };
            let _ = catch_unwind(AssertUnwindSafe(put_down));
        }
    }
}
