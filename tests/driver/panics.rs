//! Panics of the author's code outside steps: nothing hangs, and the process goes on.

use workflow_runtime::SnapshotError;
use workflow_runtime::prelude::*;

#[event]
struct Fragile {
    n: u32,
}

/// Panics when it is cloned, or dropped, if its number says so.
#[event]
struct Sour {
    #[serde(default)]
    bomb: Bomb,
}

#[derive(Default)]
struct Bomb {
    on_clone: bool,
    on_drop: bool,
}

impl Clone for Bomb {
    fn clone(&self) -> Self {
        assert!(!self.on_clone, "cloned");
        Self { on_clone: self.on_clone, on_drop: self.on_drop }
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.on_drop || std::thread::panicking(), "dropped");
    }
}

impl workflow_runtime::__private::serde::Serialize for Bomb {
    fn serialize<S: workflow_runtime::__private::serde::Serializer>(
        &self,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> workflow_runtime::__private::serde::Deserialize<'de> for Bomb {
    fn deserialize<D: workflow_runtime::__private::serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self::default())
    }
}

struct Careless;

#[workflow]
impl Careless {
    #[step]
    async fn begin(&self, Start(on_clone): Start<bool>) -> Sour {
        Sour { bomb: Bomb { on_clone, on_drop: !on_clone } }
    }

    #[step]
    async fn by_ref(&self, _: &Sour) -> Fragile {
        tokio::task::yield_now().await;
        Fragile { n: 1 }
    }

    #[step]
    async fn by_value(&self, sour: Sour) -> Option<Fragile> {
        std::mem::forget(sour);
        None
    }

    #[step]
    async fn end(&self, fragile: Fragile) -> Stop<u32> {
        tokio::task::yield_now().await;
        Stop(fragile.n)
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_panics_when_it_is_cloned_or_dropped_ends_the_run_and_nothing_hangs() {
    for on_clone in [true, false] {
        let run = Careless.run(on_clone);
        let error =
            tokio::time::timeout(std::time::Duration::from_secs(60), &run).await.expect("no run hangs");
        let error = error.unwrap_err();
        assert!(matches!(error, RunError::Broken { .. } | RunError::Failed { .. }), "{error:?}");
        let mut events = run.events();
        let mut last = None;
        while let Some(event) = events.next().await {
            last = event.ok();
        }
        assert!(last.is_some_and(|event| event.is_terminal()));
        if let RunError::Broken { .. } = error {
            assert!(matches!(run.snapshot(), Err(SnapshotError::Broken { .. })));
        }
    }
}

struct BadOutput;

#[data]
struct Verdict {
    bomb: Bomb,
}

#[workflow]
impl BadOutput {
    #[step]
    fn end(&self, _: Start) -> Stop<Verdict> {
        Stop(Verdict { bomb: Bomb { on_clone: true, on_drop: false } })
    }
}

#[tokio::test(start_paused = true)]
async fn an_output_that_panics_when_it_is_cloned_is_an_error_to_each_who_asks() {
    let run = BadOutput.run(());
    let mut events = run.events();
    for _ in 0..2 {
        let error = (&run).await.err().expect("no output");
        assert!(matches!(&error, RunError::Broken { message, .. } if message == "cloned"), "{error:?}");
    }
    let mut last = None;
    while let Some(event) = events.next().await {
        last = event.ok();
    }
    let last = last.expect("a terminal event").kind;
    assert!(matches!(&last, RunEventKind::Failed { error: RunError::Broken { .. } }), "{last:?}");
}

/// Starts a run when its thread has ended with everything else of its own, and nobody has asked for its id.
struct LastOfAll(std::sync::mpsc::Sender<bool>, tokio::runtime::Handle);

impl Drop for LastOfAll {
    fn drop(&mut self) {
        let _guard = self.1.enter();
        let id = Hears.run(()).id().to_string();
        let _ = self.0.send(id.len() == 32);
    }
}

#[tokio::test]
async fn a_run_has_an_id_also_where_its_thread_ends() {
    thread_local! {
        static LAST: std::cell::RefCell<Option<LastOfAll>> = const { std::cell::RefCell::new(None) };
    }
    let (told, hears) = std::sync::mpsc::channel();
    let runtime = tokio::runtime::Handle::current();
    let thread = std::thread::spawn(move || {
        let _guard = runtime.enter();
        LAST.with_borrow_mut(|last| *last = Some(LastOfAll(told, runtime.clone())));
        // What is made first goes last: the random bits that this thread has left are gone by then.
        let _ = Hears.run(()).id();
    });
    tokio::task::spawn_blocking(move || thread.join()).await.unwrap().unwrap();
    assert!(hears.recv().unwrap());
}

struct Hears;

#[workflow]
impl Hears {
    #[step]
    fn end(&self, _: Start) -> Stop<u32> {
        Stop(7)
    }

    #[step]
    fn hear(&self, _: &Signal<Sour>) {}
}

#[tokio::test(start_paused = true)]
async fn what_a_run_has_come_to_stays_so_whatever_is_sent_to_it() {
    let run = Hears.run(());
    assert_eq!((&run).await, Ok(7));
    let _ = run.send(Sour { bomb: Bomb { on_clone: false, on_drop: true } }).await;
    assert_eq!((&run).await, Ok(7));
}
