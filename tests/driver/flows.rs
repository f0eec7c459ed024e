//! Workflows that the tests share.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use workflow_runtime::prelude::*;

/// Counts calls, over clones.
#[derive(Clone, Default)]
pub struct Counter(Arc<AtomicU32>);

impl Counter {
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub fn value(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

/// What happened, in order, over clones.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Adds a line when the guard is dropped.
    pub fn on_drop(&self, line: &str) -> impl Drop + Send + use<> {
        struct Guard(Log, String);
        impl Drop for Guard {
            fn drop(&mut self) {
                self.0.add(self.1.clone());
            }
        }
        Guard(self.clone(), line.to_owned())
    }
}

#[prompt(response = u32, validate = not_zero)]
#[derive(Debug)]
pub struct HowMany {
    pub what: String,
}

fn not_zero(_: &HowMany, answer: &u32) -> Result<(), String> {
    if *answer == 0 { Err("zero is not enough".to_owned()) } else { Ok(()) }
}

#[event]
pub struct Priced {
    pub cents: u32,
}

/// Looks a price up, asks how many, and multiplies.
#[derive(Clone, Default)]
pub struct Shop {
    pub priced: Counter,
}

#[workflow]
impl Shop {
    #[step]
    async fn price(&self, Start(what): Start<String>) -> Priced {
        self.priced.count();
        Priced { cents: u32::try_from(what.len()).unwrap() }
    }

    #[step]
    fn ask(&self, priced: Priced) -> InputRequired<HowMany> {
        InputRequired::new(HowMany { what: priced.cents.to_string() })
    }

    #[step]
    async fn total(&self, answer: HumanResponse<HowMany>) -> Stop<u32> {
        Stop(answer.prompt.what.parse::<u32>().unwrap() * answer.response)
    }
}

impl Shop {
    /// A run that has reached its question.
    pub async fn asking(&self) -> (Run<Shop>, Ask<HowMany>) {
        let run = self.clone().run("abc".to_owned());
        let mut events = run.events();
        while let Some(event) = events.next().await {
            if let Some(ask) = event.unwrap().ask::<HowMany>() {
                return (run, ask);
            }
        }
        panic!("the run ended without a question");
    }
}

#[event]
pub struct Task {
    pub n: u64,
}

#[event]
pub struct Done {
    pub n: u64,
}

/// Splits into tasks, works on each for as many milliseconds as its number says, and adds up.
pub struct Split;

#[workflow]
impl Split {
    #[step]
    fn split(&self, Start(n): Start<u64>) -> Vec<Task> {
        (0..n).map(|n| Task { n }).collect()
    }

    #[step]
    async fn work(&self, task: Task) -> Done {
        tokio::time::sleep(Duration::from_millis(task.n)).await;
        Done { n: task.n }
    }

    #[step]
    fn sum(&self, all: Vec<Done>) -> Stop<u64> {
        assert!(all.is_sorted_by_key(|done| done.n), "in fan-out order");
        Stop(all.iter().map(|done| done.n).sum())
    }
}

#[event]
pub struct Go;

/// One step stops at once while another one still works.
pub struct Race {
    pub log: Log,
}

#[workflow]
impl Race {
    #[step]
    fn start(&self, _: Start) -> Go {
        Go
    }

    #[step]
    async fn slow(&self, _: &Go) {
        let _guard = self.log.on_drop("slow is gone");
        std::future::pending::<()>().await;
    }

    #[step]
    async fn fast(&self, _: &Go) -> Stop<String> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Stop("fast".to_owned())
    }
}
