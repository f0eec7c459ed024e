//! The workflow of an order, and what its steps do to the world.
//!
//! ```text
//! Start ── unpack ── Item × n ── reserve ── Reserved × n ── add_up ─┬─────────────────────┬─ Approved ── ship ── Stop
//!                                                                   └ a person ── decide ─┴─ Stop
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use workflow_runtime::prelude::*;

/// What an order costs for which a person is asked, in cents.
const LARGE: u64 = 100_000;

/// Names, and cents for a piece.
const CATALOGUE: [(&str, u64); 5] =
    [("lamp", 4_900), ("chair", 12_900), ("shelf", 8_900), ("table", 39_900), ("rug", 21_900)];

#[data]
pub(crate) struct Order {
    number: u32,
    items: Vec<Item>,
}

impl Order {
    /// The order of a number: always the same, so that it can be started again and again and is one order.
    pub(crate) fn numbered(number: u32) -> Self {
        let at = number as usize;
        let item = |place: usize| {
            let (name, cents) = CATALOGUE[(at + place) % CATALOGUE.len()];
            Item { name: name.to_owned(), count: 1 + (at * place % 3) as u32, cents }
        };
        Self { number, items: (0..=at % 4).map(item).collect() }
    }

    pub(crate) fn id(number: u32) -> RunId {
        RunId::from(format!("order-{number}"))
    }
}

#[event]
pub(crate) struct Item {
    name: String,
    count: u32,
    /// Of one piece.
    cents: u64,
}

#[event]
struct Reserved {
    name: String,
    cents: u64,
}

#[event]
struct Approved {
    cents: u64,
}

/// Shall this large order be shipped?
#[prompt(response = Decision, validate = a_rejection_has_a_reason)]
pub(crate) struct ApproveOrder {
    items: Vec<String>,
    cents: u64,
}

#[data]
pub(crate) enum Decision {
    Approve,
    Reject { reason: String },
}

fn a_rejection_has_a_reason(_: &ApproveOrder, decision: &Decision) -> Result<(), &'static str> {
    match decision {
        Decision::Reject { reason } if reason.trim().is_empty() => {
            Err("a rejection needs a reason: no REASON")
        }
        _ => Ok(()),
    }
}

#[data]
pub(crate) enum Outcome {
    Shipped { pieces: u32, cents: u64 },
    Rejected { reason: String },
}

/// What was reserved so far.
#[data]
#[derive(Default)]
pub(crate) struct Shelf {
    pieces: u32,
}

pub(crate) struct Orders {
    pub(crate) effects: Effects,
    /// How long a step takes.
    pub(crate) pace: Duration,
}

#[workflow(state = Shelf)]
impl Orders {
    /// Every item goes its own way from here.
    #[step]
    async fn unpack(&self, Start(order): Start<Order>, ctx: &Context<Self>) -> io::Result<Vec<Item>> {
        self.work(ctx, &format!("order {} of {} items", order.number, order.items.len())).await?;
        Ok(order.items)
    }

    /// The warehouse does not always answer.
    #[step(retry = Retry::exponential("20ms").attempts(4))]
    async fn reserve(&self, item: Item, ctx: &Context<Self>) -> Result<Reserved, StepError> {
        if ctx.attempt() <= refusals(ctx.run_id(), &item.name) {
            return Err(StepError::new(format!("the warehouse does not answer about the {}", item.name)));
        }
        let Item { name, count, cents } = item;
        self.work(ctx, &format!("{count} {name}")).await?;
        ctx.update(move |shelf| shelf.pieces += count);
        Ok(Reserved { name: format!("{count} {name}"), cents: cents * u64::from(count) })
    }

    /// Small orders go through; large ones need a person.
    #[step]
    async fn add_up(
        &self,
        all: Vec<Reserved>,
        ctx: &Context<Self>,
    ) -> io::Result<OneOf<Approved, InputRequired<ApproveOrder>>> {
        let cents = all.iter().map(|reserved| reserved.cents).sum();
        self.work(ctx, &format!("{cents} cents")).await?;
        Ok(if cents < LARGE {
            OneOf::new(Approved { cents })
        } else {
            let items = all.into_iter().map(|reserved| reserved.name).collect();
            OneOf::new(InputRequired::new(ApproveOrder { items, cents }))
        })
    }

    #[step]
    async fn decide(
        &self,
        answer: HumanResponse<ApproveOrder>,
        ctx: &Context<Self>,
    ) -> io::Result<OneOf<Approved, Stop<Outcome>>> {
        let HumanResponse { prompt, response, .. } = answer;
        Ok(match response {
            Decision::Approve => {
                self.work(ctx, "approved").await?;
                OneOf::new(Approved { cents: prompt.cents })
            }
            Decision::Reject { reason } => {
                self.work(ctx, "rejected").await?;
                OneOf::new(Stop(Outcome::Rejected { reason }))
            }
        })
    }

    #[step]
    async fn ship(&self, Approved { cents }: Approved, ctx: &Context<Self>) -> io::Result<Stop<Outcome>> {
        let pieces = ctx.state().pieces;
        self.work(ctx, &format!("{pieces} pieces")).await?;
        Ok(Stop(Outcome::Shipped { pieces, cents }))
    }
}

impl Orders {
    async fn work(&self, ctx: &Context<Self>, what: &str) -> io::Result<()> {
        tokio::time::sleep(self.pace).await;
        self.effects.write(&ctx.idempotency_key(), ctx.step(), what)
    }
}

/// How often the warehouse does not answer about an item of an order: the same in every process.
fn refusals(run: &RunId, item: &str) -> u32 {
    let letters = run.as_str().bytes().chain(item.bytes());
    // FNV-1a
    let hash =
        letters.fold(0x811c_9dc5_u32, |hash, letter| (hash ^ u32::from(letter)).wrapping_mul(0x0100_0193));
    (hash >> 8) % 3
}

/// What the steps do to the world: one line in a file each, which begins with the key of the step.
///
/// A process that is killed between a line and the commit of its step leaves the line behind, and the step runs again:
/// the second line has the same key. That is how a payment service, say, would tell the two from two payments.
pub(crate) struct Effects(File);

impl Effects {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path).map(Self)
    }

    fn write(&self, key: &str, step: &str, what: &str) -> io::Result<()> {
        // In one write, so that lines of several processes do not mix.
        (&self.0).write_all(format!("{key} {step} {what}\n").as_bytes())
    }
}
