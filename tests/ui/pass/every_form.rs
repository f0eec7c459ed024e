//! Every form of parameter and return, in any order, under any pattern.

use workflow_runtime::prelude::*;

#[data]
struct Order {
    id: u64,
    parts: Vec<u32>,
}

#[event]
struct Priced {
    id: u64,
    total: u32,
}

#[event]
struct Part(u32);

#[event]
struct Spare(u32);

#[event]
struct Checked {
    weight: u32,
}

#[event]
struct Label(String);

#[event]
struct Packed;

/// Taken by reference only, so it needs no `Clone`.
#[derive(serde::Serialize, serde::Deserialize, Event)]
struct Log {
    lines: Vec<String>,
}

#[prompt(response = Decision, validate = reason_is_given)]
struct Approve {
    id: u64,
}

#[data]
enum Decision {
    Yes,
    No { reason: String },
}

fn reason_is_given(_: &Approve, decision: &Decision) -> Result<(), &'static str> {
    match decision {
        Decision::No { reason } if reason.is_empty() => Err("say why"),
        _ => Ok(()),
    }
}

struct Checkout {
    limit: u32,
}

mod alias {
    pub type Result<T> = std::result::Result<T, String>;
}

/// Sells things.
#[workflow(progress = u32, name = "checkout")]
impl Checkout {
    const EACH: u32 = 2;

    fn total(&self, parts: &[u32]) -> u32 {
        parts.iter().sum::<u32>() * Self::EACH
    }

    /// Looks the prices up.
    #[step]
    async fn price(
        &self,
        Start(Order { id, parts }): Start<Order>,
        ctx: &Context<Self>,
    ) -> Result<OneOf<Priced, Vec<Part>>, std::num::TryFromIntError> {
        ctx.publish(u32::try_from(parts.len())?);
        if parts.is_empty() {
            return Ok(OneOf::new(Priced { id, total: 0 }));
        }
        Ok(OneOf::new(parts.into_iter().map(Part).collect::<Vec<_>>()))
    }

    #[step(workers = 2)]
    fn check(&self, Part(number): Part) -> Option<OneOf<Checked, Spare>> {
        match number {
            0 => None,
            1 => Some(OneOf::new(Spare(number))),
            weight => Some(OneOf::new(Checked { weight })),
        }
    }

    #[step(skip(outside))]
    fn gather(ctx: &Context<Self>, all: Vec<OneOf<&Checked, Spare>>) -> alias::Result<Priced> {
        let total = all
            .into_iter()
            .map(|each| match each {
                OneOf::A(checked) => checked.weight,
                OneOf::B(Spare(weight)) => weight,
            })
            .sum();
        if total == 0 { Err(format!("nothing left in {}", ctx.run_id())) } else { Ok(Priced { id: 0, total }) }
    }

    #[step]
    async fn triage(&self, ev: &Priced) -> std::io::Result<OneOf<Stop<u32>, InputRequired<Approve>, Log>> {
        Ok(if ev.total < self.limit {
            OneOf::new(Stop(self.total(&[ev.total])))
        } else if ev.total == self.limit {
            OneOf::new(Log { lines: vec![] })
        } else {
            OneOf::new(InputRequired::new(Approve { id: ev.id }))
        })
    }

    #[step]
    fn decide(&self, HumanResponse { response, .. }: HumanResponse<Approve>) -> Result<OneOf<Label, Packed>, StepError> {
        match response {
            Decision::Yes => Ok(OneOf::new(Packed)),
            Decision::No { reason } => Ok(OneOf::new(Label(reason))),
        }
    }

    #[step]
    async fn log(&self, log: &Log) -> Vec<OneOf<Label, Packed>> {
        log.lines.iter().map(|line| OneOf::new(Label(line.clone()))).collect()
    }

    #[step(skip(join))]
    fn ship(&self, label: Label, _: Packed, log: &Log) -> Stop<u32> {
        Stop(u32::try_from(label.0.len() + log.lines.len()).unwrap_or(0))
    }

    #[step]
    fn either(&self, case: OneOf<Label, Packed>) {
        match case.as_ref() {
            OneOf::A(Label(text)) => drop(text.len()),
            OneOf::B(Packed) => {}
        }
    }

    #[step]
    fn borrowed(&self, case: OneOf<&Label, &Packed>) -> Option<Stop<u32>> {
        match case {
            OneOf::A(Label(text)) => Some(Stop(u32::try_from(text.len()).ok()?)),
            OneOf::B(_) => None,
        }
    }
}

fn main() {
    // Steps stay ordinary methods.
    let flow = Checkout { limit: 3 };
    assert!(matches!(flow.check(Part(0)), None));
    assert!(matches!(flow.check(Part(1)), Some(OneOf::B(Spare(1)))));
    assert_eq!(Checkout::GRAPH.name, "checkout");
    assert_eq!(Checkout::GRAPH.docs, "Sells things.");
    assert_eq!(Checkout::GRAPH.steps[0].docs, "Looks the prices up.");
}
