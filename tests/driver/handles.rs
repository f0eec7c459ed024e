//! What a handle does, and what dropping it does.

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::prelude::*;

use crate::flows::{Counter, Shop, Split};

#[tokio::test(start_paused = true)]
async fn a_run_starts_when_it_is_made_and_not_when_it_is_awaited() {
    let shop = Shop::default();
    let run = shop.clone().run("abc".to_owned());
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(shop.priced.value(), 1);
    run.cancel("test").await;
}

#[tokio::test(start_paused = true)]
async fn many_runs_share_one_workflow() {
    let shop = Arc::new(Split);
    let runs: Vec<_> = (0..10).map(|n| Arc::clone(&shop).run(n)).collect();
    for (n, run) in (0..).zip(runs) {
        assert_eq!(run.await, Ok((0..n).sum()));
    }
}

#[tokio::test(start_paused = true)]
async fn every_clone_of_a_handle_gives_the_output() {
    let run = Split.run(4);
    let (first, second) = tokio::join!(async { (&run).await }, run.clone().into_future());
    assert_eq!((first, second, run.await), (Ok(6), Ok(6), Ok(6)));
}

#[event]
struct Later;

struct Slow {
    finished: Counter,
}

#[workflow]
impl Slow {
    #[step]
    async fn begin(&self, _: Start) -> Later {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Later
    }

    #[step]
    async fn end(&self, _: Later) -> Stop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.finished.count();
        Stop(())
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_the_handle_lets_the_run_go_on() {
    let finished = Counter::default();
    let run = Slow { finished: finished.clone() }.run(());
    let mut events = run.events();
    drop(run);
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event.unwrap());
    }
    assert!(matches!(last.unwrap().kind, RunEventKind::Completed { .. }));
    assert_eq!(finished.value(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_for_an_answer_is_freed_with_its_last_handle_and_its_readers_are_told() {
    let (run, _) = Shop::default().asking().await;
    let mut events = run.events_after(5);
    let other = run.clone();
    drop(run);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(other.pending().len(), 1, "another handle keeps it");
    drop(other);
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event.unwrap());
    }
    assert!(matches!(last.unwrap().kind, RunEventKind::Cancelled { .. }));
}

#[tokio::test(start_paused = true)]
async fn runs_have_ids_of_their_own() {
    let (one, other) = (Split.run(0), Split.run(0));
    assert_ne!(one.id(), other.id());
    assert_eq!(one.id().as_str().len(), 32);
}

#[event]
struct Key(String);

struct Keys;

#[workflow]
impl Keys {
    #[step]
    fn first(&self, _: Start, ctx: &Context<Self>) -> Vec<Key> {
        assert_eq!((ctx.step(), ctx.attempt(), ctx.depth()), ("first", 1, 0));
        vec![Key(ctx.idempotency_key()), Key(ctx.idempotency_key())]
    }

    #[step]
    fn second(&self, key: Key, ctx: &Context<Self>) -> Seen {
        assert_eq!(ctx.depth(), 1);
        Seen(vec![key.0, ctx.idempotency_key()])
    }

    #[step]
    fn all(&self, seen: Vec<Seen>) -> Stop<Vec<String>> {
        Stop(seen.into_iter().flat_map(|seen| seen.0).collect())
    }
}

#[event]
struct Seen(Vec<String>);

#[tokio::test(start_paused = true)]
async fn an_idempotency_key_belongs_to_one_invocation_of_one_run() {
    let run = Keys.run(());
    let id = run.id().to_string();
    let keys = run.await.unwrap();
    assert!(keys.iter().all(|key| key.starts_with(&id)));
    assert_eq!(keys[0], keys[2], "the same within one invocation");
    assert_ne!(keys[1], keys[3], "different for each");
}
