//! In which of tokio's tasks steps are done.

use std::sync::mpsc;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task;
use workflow_runtime::RunError;
use workflow_runtime::prelude::*;

/// As many idle tasks may stay on a runtime of one thread.
const MOST_IDLE: usize = 1_100;

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
fn runs_that_are_at_work_at_once_share_none() {
    let runtime = runtime();
    runtime.block_on(async {
        for round in 0..3 {
            let runs: Vec<_> = (0..50).map(|_| Where.run(())).collect();
            let mut tasks = Vec::new();
            for run in runs {
                tasks.push(run.await.unwrap().1);
            }
            tasks.sort();
            tasks.dedup();
            assert_eq!(tasks.len(), 50, "in round {round}");
        }
    });
    assert_eq!(alive(&runtime), 50);
}

#[test]
fn a_burst_does_not_leave_all_its_tasks_behind() {
    let runtime = runtime();
    runtime.block_on(async {
        let runs: Vec<_> = (0..5_000).map(|_| Where.run(())).collect();
        for run in runs {
            run.await.unwrap();
        }
    });
    assert!((1_000..MOST_IDLE).contains(&alive(&runtime)), "{}", alive(&runtime));
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
        // All of them are done by the tasks that the first ones have left.
        assert!(runs.iter().all(Run::is_waiting));
        let (_, task) = Where.run(()).await.unwrap();
        assert_eq!(Where.run(()).await.unwrap().1, task);
        for run in &runs {
            let ask = run.pending().one::<Sure>().unwrap();
            run.respond(&ask, true).await.unwrap();
        }
        runs
    });
    assert_eq!(alive(&runtime), 20);
    for run in runs {
        assert!(runtime.block_on(run.into_future()).unwrap());
    }
    assert_eq!(alive(&runtime), 20);
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
    // The thread belongs to the second one now; a task of the first one ends when that one is driven.
    runtimes[0].block_on(task::yield_now());
    assert_eq!(runtimes.each_ref().map(alive), [0, 1]);
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
fn idle_tasks_of_a_thread_end_with_it() {
    let runtime = runtime();
    runtime.block_on(async {
        let runs: Vec<_> = (0..100).map(|_| Where.run(())).collect();
        for run in runs {
            run.await.unwrap();
        }
    });
    assert_eq!(alive(&runtime), 100);
    let handle = runtime.handle().clone();
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let _entered = handle.enter();
        send.send(Where.run(())).unwrap();
    })
    .join()
    .unwrap();
    let run = receive.recv().unwrap();
    assert!(runtime.block_on(run.into_future()).is_ok());
    runtime.block_on(task::yield_now());
    // The thread had taken some from those that are there for all, for the runs that it would start.
    assert!((80..100).contains(&alive(&runtime)), "{}", alive(&runtime));
}
