//! The workflows of the processes that are killed. What comes of each does not depend on when anything happens.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use workflow_runtime::prelude::*;

use super::log::{Line, Log};

/// What the steps of a run have done, as it is committed: each of them once.
#[data]
#[derive(Debug, Default)]
pub struct Tally {
    pub steps: u32,
    pub sum: u64,
    pub seen: BTreeSet<u32>,
}

impl Tally {
    fn add(&mut self, n: u32) {
        self.steps += 1;
        self.sum += u64::from(n);
        self.seen.insert(n);
    }

    fn text(&self) -> String {
        format!("{} {} {:?}", self.steps, self.sum, self.seen)
    }
}

fn ms(millis: u32) -> Duration {
    Duration::from_millis(u64::from(millis))
}

#[prompt(response = bool)]
#[derive(Debug)]
pub struct Sure {
    pub total: u32,
}

/// Nobody answers this one.
#[prompt(response = bool)]
#[derive(Debug)]
pub struct Late;

// ---- fan-out, retries with delays, a gather, state, a question of the graph ----

#[event]
pub struct Task(u32);

#[event]
pub struct Done(u32);

#[event]
pub struct Added(u32);

#[derive(Clone)]
pub struct Mixed(pub Log);

#[workflow(state = Tally)]
impl Mixed {
    #[step]
    fn split(&self, Start(n): Start<u32>, ctx: &Context<Self>) -> Vec<Task> {
        ctx.update(|tally| tally.steps += 1);
        self.0.effect(ctx);
        (0..n).map(Task).collect()
    }

    #[step(retry = Retry::fixed("6ms").attempts(4))]
    async fn work(&self, Task(n): Task, ctx: &Context<Self>) -> Result<Done, StepError> {
        ctx.update(move |tally| tally.add(n));
        tokio::time::sleep(ms(n % 4)).await;
        if ctx.attempt() <= n % 3 {
            return Err(StepError::new("not yet"));
        }
        self.0.effect(ctx);
        Ok(Done(n))
    }

    #[step]
    fn add(&self, all: Vec<Done>, ctx: &Context<Self>) -> Added {
        ctx.update(|tally| tally.steps += 1);
        self.0.effect(ctx);
        Added(all.iter().map(|done| done.0).sum())
    }

    #[step]
    fn ask(&self, Added(total): Added, ctx: &Context<Self>) -> InputRequired<Sure> {
        ctx.update(|tally| tally.steps += 1);
        self.0.effect(ctx);
        InputRequired::new(Sure { total })
    }

    #[step]
    async fn end(&self, answer: HumanResponse<Sure>, ctx: &Context<Self>) -> Stop<String> {
        tokio::time::sleep(ms(3)).await;
        self.0.effect(ctx);
        Stop(format!("{} {} {}", answer.prompt.total, answer.response, ctx.state().text()))
    }
}

// ---- questions inside of steps, with a memo and a sleep before them ----

#[event]
pub struct Item(u32);

#[event]
pub struct Said {
    item: u32,
    first: bool,
    second: bool,
    /// What the memo holds: another number each time that it is made.
    charge: u64,
}

#[derive(Clone)]
pub struct Talk(pub Log);

static CHARGES: AtomicU64 = AtomicU64::new(0);

#[workflow(state = Tally)]
impl Talk {
    #[step]
    fn split(&self, Start(n): Start<u32>, ctx: &Context<Self>) -> Vec<Item> {
        self.0.effect(ctx);
        (0..n).map(Item).collect()
    }

    #[step]
    async fn talk(
        &self,
        Item(item): Item,
        ctx: &Context<Self>,
        person: Asker<Sure>,
    ) -> Result<Said, StepError> {
        ctx.update(move |tally| tally.add(item));
        let charge = ctx
            .memo("charge", || async {
                tokio::time::sleep(ms(2)).await;
                let value = u64::from(self.0.process) << 32 | CHARGES.fetch_add(1, Ordering::Relaxed);
                let (run, invocation) = (ctx.run_id().to_string(), ctx.invocation().0);
                self.0.add(Line::Memo { run, invocation, value });
                value
            })
            .await?;
        ctx.sleep(ms(5)).await;
        let first = person.ask(Sure { total: item }).await?;
        tokio::time::sleep(ms(2)).await;
        let second = person.ask(Sure { total: item + 101 }).await?;
        self.0.effect(ctx);
        Ok(Said { item, first, second, charge })
    }

    #[step]
    fn end(&self, all: Vec<Said>, ctx: &Context<Self>) -> Stop<String> {
        self.0.effect(ctx);
        let said: Vec<_> = all.iter().map(|said| (said.item, said.first, said.second)).collect();
        Stop(format!("{said:?} {}", ctx.state().text()))
    }
}

// ---- an emitter, steps in threads that block, a limit of workers, a handler of failures ----

#[event]
pub struct Chunk(u32);

#[event]
pub struct Crunched(u32);

#[derive(Clone)]
pub struct Pipe(pub Log);

#[workflow(state = Tally)]
impl Pipe {
    #[step]
    async fn read(&self, Start(n): Start<u32>, ctx: &Context<Self>, mut out: Emitter<Chunk>) {
        for chunk in 0..n {
            out.send(Chunk(chunk)).await;
            tokio::time::sleep(ms(1)).await;
        }
        self.0.effect(ctx);
    }

    #[step(workers = 2, blocking)]
    fn crunch(&self, Chunk(n): Chunk, ctx: &Context<Self>) -> Result<Crunched, StepError> {
        ctx.update(move |tally| tally.add(n));
        std::thread::sleep(ms(2));
        if n % 4 == 2 {
            return Err(StepError::new("too hard"));
        }
        self.0.effect(ctx);
        Ok(Crunched(n))
    }

    #[step(catches(crunch))]
    fn patch(&self, failed: StepFailed<Chunk>, ctx: &Context<Self>) -> Crunched {
        let Chunk(n) = failed.input;
        ctx.update(move |tally| tally.add(n + 1_000));
        self.0.effect(ctx);
        Crunched(n + 1_000)
    }

    #[step]
    fn end(&self, all: Vec<Crunched>, ctx: &Context<Self>) -> Stop<String> {
        self.0.effect(ctx);
        let all: Vec<_> = all.iter().map(|it| it.0).collect();
        Stop(format!("{all:?} {}", ctx.state().text()))
    }
}

// ---- signals, an inbox, a join, a question that expires ----

#[data]
pub struct Letter(u32);

#[data]
pub struct Pay(u32);

#[event]
pub struct Collected(Vec<u32>);

#[event]
pub struct Paid(u32);

#[derive(Clone)]
pub struct Post(pub Log);

#[workflow(state = Tally)]
impl Post {
    #[step]
    async fn collect(&self, Start(n): Start<u32>, ctx: &Context<Self>, letters: Inbox<Letter>) -> Collected {
        let mut all = Vec::new();
        for _ in 0..n {
            all.push(letters.next().await.0);
            tokio::time::sleep(ms(1)).await;
        }
        let count = n;
        ctx.update(move |tally| tally.add(count));
        self.0.effect(ctx);
        Collected(all)
    }

    #[step]
    fn paid(&self, Signal(Pay(cents)): Signal<Pay>, ctx: &Context<Self>) -> Paid {
        ctx.update(move |tally| tally.add(cents));
        self.0.effect(ctx);
        Paid(cents)
    }

    #[step]
    fn close(&self, all: Collected, paid: Paid, ctx: &Context<Self>) -> InputRequired<Late> {
        let sum: u32 = all.0.iter().sum();
        ctx.update(move |tally| tally.add(sum + paid.0));
        self.0.effect(ctx);
        InputRequired::new(Late).expires_in(ms(30))
    }

    #[step]
    fn thank(&self, _answer: HumanResponse<Late>) -> Stop<String> {
        Stop("nobody answers that".to_owned())
    }

    #[step]
    fn end(&self, _late: Expired<Late>, ctx: &Context<Self>) -> Stop<String> {
        self.0.effect(ctx);
        Stop(ctx.state().text())
    }
}

// ---- runs that end without an output ----

#[derive(Clone)]
pub struct Ends;

#[workflow(state = Tally)]
impl Ends {
    /// Fails for good with 0; is never through with anything else.
    #[step(retry = Retry::fixed("4ms").attempts(3))]
    async fn go(&self, Start(how): Start<u32>, ctx: &Context<Self>) -> Result<Stop<u32>, StepError> {
        ctx.update(|tally| tally.steps += 1);
        if how == 0 {
            return Err(StepError::new("never"));
        }
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        Ok(Stop(how))
    }
}
