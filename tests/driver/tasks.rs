//! In which of tokio's tasks steps are done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task;
use workflow_runtime::RunError;
use workflow_runtime::prelude::*;

/// So many idle tasks stay with what one thread starts.
const MOST_IDLE: usize = 16;

/// Tells where it is done.
struct Where;

#[workflow]
impl Where {
    #[step]
    async fn here(&self, _: Start) -> Stop<(String, String)> {
        Stop((Handle::current().id().to_string(), task::id().to_string()))
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// So many runs at once, to their ends.
fn burst(runtime: &Runtime, runs: usize) {
    runtime.block_on(async {
        let runs: Vec<_> = (0..runs).map(|_| Where.run(())).collect();
        for run in runs {
            run.await.unwrap();
        }
    });
}

/// Lets the other tasks have so many turns.
async fn turns(turns: usize) {
    for _ in 0..turns {
        task::yield_now().await;
    }
}

fn on_a_thread<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::spawn(act).join().unwrap()
}

fn alive(runtime: &Runtime) -> usize {
    runtime.metrics().num_alive_tasks()
}

#[test]
fn one_run_after_the_other_shares_a_task() {
    let runtime = runtime();
    runtime.block_on(async {
        let (_, first) = Where.run(()).await.unwrap();
        for _ in 0..100 {
            assert_eq!(Where.run(()).await.unwrap().1, first);
        }
    });
    assert_eq!(alive(&runtime), 1);
}

#[test]
fn a_burst_shares_some_tasks() {
    let runtime = runtime();
    for _ in 0..3 {
        burst(&runtime, 5_000);
        assert!(alive(&runtime) <= MOST_IDLE, "{}", alive(&runtime));
    }
}

/// Works for ever, so that its lane gives way again and again.
struct Endless {
    steps: Arc<AtomicU64>,
}

#[event]
struct Again;

#[workflow]
impl Endless {
    #[step]
    async fn begin(&self, _: Start) -> Again {
        Again
    }

    #[step]
    async fn again(&self, _: Again) -> OneOf<Again, Stop> {
        self.steps.fetch_add(1, Ordering::Relaxed);
        OneOf::new(Again)
    }
}

#[test]
fn runs_that_go_on_share_no_task_and_leave_few_behind() {
    let runtime = runtime();
    runtime.block_on(async {
        let steps: Vec<_> = (0..50).map(|_| Arc::new(AtomicU64::new(0))).collect();
        let runs: Vec<_> = steps.iter().map(|steps| Endless { steps: Arc::clone(steps) }.run(())).collect();
        turns(20).await;
        // None of them keeps the others from their turns.
        assert!(steps.iter().all(|steps| steps.load(Ordering::Relaxed) > 0), "{steps:?}");
        assert!(Handle::current().metrics().num_alive_tasks() >= 50);
        for run in &runs {
            run.cancel("enough").await;
        }
        for run in runs {
            assert!(run.await.is_err());
        }
        turns(50).await;
    });
    assert!(alive(&runtime) <= MOST_IDLE, "{}", alive(&runtime));
}

/// Its first run blocks the thread until the last one has come.
struct Blocks {
    last: u32,
    has_come: Mutex<mpsc::Receiver<()>>,
    comes: mpsc::Sender<()>,
}

impl Blocks {
    fn until(last: u32) -> Arc<Self> {
        let (comes, has_come) = mpsc::channel();
        Arc::new(Self { last, has_come: Mutex::new(has_come), comes })
    }
}

#[workflow]
impl Blocks {
    #[step]
    async fn only(&self, Start(n): Start<u32>) -> Stop {
        if n == self.last {
            self.comes.send(()).unwrap();
        } else if n == 0 {
            self.has_come.lock().unwrap().recv_timeout(Duration::from_secs(60)).unwrap();
        }
        Stop(())
    }
}

#[test]
fn nobody_waits_behind_a_step_that_blocks_its_thread() {
    for workers in [2, 3] {
        for runs in [2, 3, 4, 10, 100, 1_000] {
            let runtime = Builder::new_multi_thread().worker_threads(workers).build().unwrap();
            let inside = runtime.spawn(async move {
                let flow = Blocks::until(runs - 1);
                let runs: Vec<_> = (0..runs).map(|n| Arc::clone(&flow).run(n)).collect();
                for run in runs {
                    run.await.unwrap();
                }
            });
            runtime.block_on(inside).unwrap();
        }
    }
}

#[test]
fn runs_go_on_while_who_started_them_blocks_its_thread() {
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let inside = runtime.spawn(async move {
        let flow = Blocks::until(99);
        let runs: Vec<_> = (1..100).map(|n| Arc::clone(&flow).run(n)).collect();
        // Not in a step, but that is the same to the worker.
        flow.has_come.lock().unwrap().recv_timeout(Duration::from_secs(60)).unwrap();
        for run in runs {
            run.await.unwrap();
        }
    });
    runtime.block_on(inside).unwrap();
}

#[test]
fn each_worker_leaves_behind_no_more_than_that() {
    let runtime = Builder::new_multi_thread().worker_threads(3).build().unwrap();
    for _ in 0..10 {
        burst(&runtime, 3_000);
    }
    // Three workers, and this thread.
    assert!(alive(&runtime) <= MOST_IDLE * 4, "{}", alive(&runtime));
}

/// Asks, so that its second step is done by a lane of its own.
struct Asks;

#[prompt(response = bool)]
struct Sure;

#[workflow]
impl Asks {
    #[step]
    async fn ask(&self, _: Start) -> InputRequired<Sure> {
        InputRequired::new(Sure)
    }

    #[step]
    async fn answered(&self, answer: HumanResponse<Sure>) -> Stop<bool> {
        Stop(answer.response)
    }
}

#[test]
fn a_run_that_waits_has_no_task() {
    let runtime = runtime();
    let runs = runtime.block_on(async {
        let runs: Vec<_> = (0..20).map(|_| Asks.run(())).collect();
        task::yield_now().await;
        assert!(runs.iter().all(Run::is_waiting));
        // Their tasks are idle, and do what comes now.
        let (_, task) = Where.run(()).await.unwrap();
        assert_eq!(Where.run(()).await.unwrap().1, task);
        for run in &runs {
            let ask = run.pending().one::<Sure>().unwrap();
            run.respond(&ask, true).await.unwrap();
        }
        runs
    });
    let tasks = alive(&runtime);
    assert!(tasks < 20, "{tasks}");
    for run in runs {
        assert!(runtime.block_on(run.into_future()).unwrap());
    }
    assert_eq!(alive(&runtime), tasks);
}

#[test]
fn each_runtime_of_a_thread_does_its_own() {
    let runtimes = [runtime(), runtime()];
    for _ in 0..3 {
        for runtime in &runtimes {
            for _ in 0..2 {
                let (id, _) = runtime.block_on(async { Where.run(()).await.unwrap() });
                assert_eq!(id, runtime.handle().id().to_string());
            }
        }
    }
    assert_eq!(runtimes.each_ref().map(alive), [1, 1]);
}

#[test]
fn a_thread_that_has_gone_to_other_runtimes_leaves_nothing_with_the_first() {
    let runtimes: Vec<_> = (0..5).map(|_| runtime()).collect();
    for runtime in &runtimes {
        burst(runtime, 1);
    }
    // Its task ends when it is driven.
    runtimes[0].block_on(task::yield_now());
    assert_eq!(runtimes.iter().map(alive).collect::<Vec<_>>(), [0, 1, 1, 1, 1]);
}

#[test]
fn what_an_idle_task_was_given_is_put_down_with_its_runtime() {
    let first = runtime();
    let run = first.block_on(async {
        Where.run(()).await.unwrap();
        Where.run(())
    });
    assert_eq!(alive(&first), 1, "it was given to the task that was there");
    drop(first);
    let second = runtime();
    let outcome = second.block_on(run.into_future());
    assert!(matches!(outcome, Err(RunError::Suspended { .. })), "{outcome:?}");
    assert!(second.block_on(async { Where.run(()).await }).is_ok());
}

#[test]
fn what_is_started_on_a_runtime_that_is_gone_is_put_down() {
    let first = runtime();
    let handle = first.handle().clone();
    first.block_on(async { Where.run(()).await.unwrap() });
    drop(first);
    let _entered = handle.enter();
    let run = Where.run(());
    drop(handle);
    let outcome = runtime().block_on(run.into_future());
    assert!(matches!(outcome, Err(RunError::Suspended { .. })), "{outcome:?}");
}

#[test]
fn a_thread_that_only_starts_runs_leaves_nothing_behind() {
    let runtime = runtime();
    let handle = runtime.handle().clone();
    let run = on_a_thread(move || {
        let _entered = handle.enter();
        Where.run(())
    });
    assert!(runtime.block_on(run.into_future()).is_ok());
    runtime.block_on(turns(1));
    assert_eq!(alive(&runtime), 0);
}

#[test]
fn idle_tasks_of_a_thread_end_with_it() {
    let runtime = Arc::new(runtime());
    let driven = Arc::clone(&runtime);
    on_a_thread(move || burst(&driven, 100));
    runtime.block_on(turns(1));
    assert_eq!(alive(&runtime), 0);
}

#[test]
fn what_a_run_holds_goes_with_it_and_not_with_its_task() {
    struct Holds(#[expect(dead_code, reason = "it is held")] Arc<()>);

    #[workflow]
    impl Holds {
        #[step]
        async fn only(&self, _: Start) -> Stop {
            Stop(())
        }
    }

    let runtime = runtime();
    let held = Arc::new(());
    runtime.block_on(async { Holds(Arc::clone(&held)).run(()).await.unwrap() });
    assert_eq!((alive(&runtime), Arc::strong_count(&held)), (1, 1));
}

/// Panics when it goes, unless somebody panics already.
struct Explodes;

impl Drop for Explodes {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "as it goes");
    }
}

#[workflow]
impl Explodes {
    #[step]
    async fn only(&self, _: Start) -> Stop {
        Stop(())
    }
}

#[test]
fn a_run_that_panics_as_it_goes_takes_no_other_run_with_it() {
    let runtime = runtime();
    runtime.block_on(async {
        // Nobody else holds them, so they go in their task.
        (0..5).for_each(|_| drop(Explodes.run(())));
        let runs: Vec<_> = (0..100).map(|_| Where.run(())).collect();
        for run in runs {
            run.await.unwrap();
        }
    });
    assert!(alive(&runtime) <= MOST_IDLE, "{}", alive(&runtime));
}

#[test]
fn runs_that_panic_as_they_are_put_down_keep_no_other_run_waiting() {
    let first = runtime();
    let runs: Vec<_> = first.block_on(async {
        let run = |_| {
            drop(Explodes.run(()));
            Where.run(())
        };
        (0..5).map(run).collect()
    });
    drop(first);
    let second = runtime();
    for run in runs {
        let outcome = second.block_on(run.into_future());
        assert!(matches!(outcome, Err(RunError::Suspended { .. })), "{outcome:?}");
    }
}

#[test]
fn a_runtime_that_is_gone_is_not_kept_by_its_idle_tasks() {
    let held = Arc::new(());
    let captured = Arc::clone(&held);
    let runtime =
        Builder::new_current_thread().on_thread_park(move || drop(Arc::clone(&captured))).build().unwrap();
    burst(&runtime, 100);
    drop(runtime);
    assert_eq!(Arc::strong_count(&held), 1);
}

/// Runs on several workers, started by some of them and by other threads; half of the runtimes are shut down meanwhile.
#[test]
fn no_run_is_lost_however_its_runtime_ends() {
    const RUNS: usize = 200;
    for round in 0..40 {
        let runtime = Builder::new_multi_thread().worker_threads(1 + round % 4).enable_all().build().unwrap();
        let threads = [(); 2].map(|()| {
            let handle = runtime.handle().clone();
            std::thread::spawn(move || {
                let _entered = handle.enter();
                (0..RUNS).map(|_| Where.run(())).collect::<Vec<_>>()
            })
        });
        let inside = runtime.spawn(async { (0..RUNS).map(|_| Where.run(())).collect::<Vec<_>>() });
        let mut runs = runtime.block_on(inside).unwrap();
        let goes_early = round % 2 == 0;
        if goes_early {
            runtime.shutdown_background();
            runs.extend(threads.into_iter().flat_map(|thread| thread.join().unwrap()));
        } else {
            runs.extend(threads.into_iter().flat_map(|thread| thread.join().unwrap()));
            runtime.block_on(async {
                for run in &runs {
                    assert!(run.await.is_ok());
                }
            });
        }
        let elsewhere = Builder::new_current_thread().build().unwrap();
        elsewhere.block_on(async {
            for run in runs {
                let outcome = run.await;
                let is_put_down = matches!(outcome, Err(RunError::Suspended { .. }));
                assert!(outcome.is_ok() || goes_early && is_put_down, "{outcome:?}");
            }
        });
    }
}
