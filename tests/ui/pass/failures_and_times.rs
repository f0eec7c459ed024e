//! Every form and option about what fails and what comes in its time.

use workflow_runtime::prelude::*;

mod policies {
    use workflow_runtime::Retry;

    pub const PATIENT: Retry = Retry::linear("1s").cap("1m").attempts(9).total("1h");
}

/// Taken by reference only, so it needs no `Clone`.
#[derive(serde::Serialize, serde::Deserialize, Event)]
struct Order {
    id: u64,
}

#[event]
struct Part(u64);

#[event]
struct Made(u64);

#[event]
struct Bought(u64);

#[event]
struct Kit;

/// Neither an event nor `Clone`.
#[derive(serde::Serialize, serde::Deserialize)]
struct Hurry {
    by: String,
}

#[data]
struct Stopped;

mod signals {
    pub(crate) use super::Stopped;
}

#[prompt(response = bool)]
struct Approve {
    id: u64,
}

mod prompts {
    pub(crate) use super::Approve;
}

struct Factory<const N: u64>;

const RETRY: Retry = Retry::fixed("1s");
const LIMIT: &str = "1.5m";

fn is_transient(error: &StepError) -> bool {
    error.message() == "busy"
}

#[workflow]
impl<const N: u64> Factory<N> {
    #[step(retry = RETRY, timeout = LIMIT)]
    async fn take(&self, Start(id): Start<u64>) -> Result<Order, std::io::Error> {
        Ok(Order { id })
    }

    #[step(retry = policies::PATIENT.when(is_transient))]
    fn split(&self, order: &Order) -> Vec<Part> {
        (0..order.id).map(Part).collect()
    }

    #[step(retry = Retry::exponential("200ms").full_jitter().on::<std::num::TryFromIntError>(), timeout = "10s")]
    async fn make(&self, Part(part): Part) -> Result<OneOf<Made, Bought>, StepError> {
        u8::try_from(part)?;
        Ok(OneOf::new(Made(part)))
    }

    #[step]
    fn kit(&self, all: Vec<Result<OneOf<&Made, Bought>, StepFailed>>) -> Kit {
        let _ = all.into_iter().filter_map(Result::ok).count();
        Kit
    }

    #[step]
    fn made(&self, all: Vec<Result<Made, StepFailed<()>>>, order: &Order) {
        let _: Result<Vec<Made>, StepFailed> = all.into_iter().collect();
        let _ = order.id;
    }

    #[step(take = 1)]
    fn first(&self, all: Vec<std::result::Result<&Made, workflow_runtime::StepFailed>>) {
        if let [Ok(Made(_)), Err(StepFailed { step, attempts, error, .. })] = all.as_slice() {
            let _ = (step, attempts, error);
        }
    }

    #[step]
    fn ask(&self, _: Kit) -> InputRequired<Approve> {
        InputRequired::new(Approve { id: N }).expires_in(std::time::Duration::from_secs(1))
    }

    #[step]
    fn late(&self, Expired { prompt, .. }: &Expired<prompts::Approve>) -> OneOf<InputRequired<Approve>, Stop<u64>> {
        OneOf::new(Stop(prompt.id))
    }

    #[step]
    fn late_too(&self, _: Expired<Approve>) {}

    #[step]
    fn approved(&self, answer: HumanResponse<Approve>, Signal(hurry): &Signal<Hurry>) -> Result<Stop<u64>, String> {
        if answer.response { Ok(Stop(answer.prompt.id)) } else { Err(hurry.by.clone()) }
    }

    #[step]
    fn stopped(&self, _: OneOf<Signal<signals::Stopped>, &Signal<u64>>) -> Stop<u64> {
        Stop(0)
    }

    #[step(catches(take, approved), max_recoveries = 2, retry = RETRY, timeout = "1s")]
    async fn retake(&self, failed: StepFailed, ctx: &Context<Self>) -> Order {
        Order { id: u64::from(failed.attempts + ctx.attempt()) }
    }

    #[step(catches(split, made))]
    fn known(&self, failed: StepFailed<&Order>) -> Result<Stop<u64>, StepFailed> {
        Ok(Stop(failed.input.id))
    }

    #[step(catches(make))]
    fn buy(&self, StepFailed { input, .. }: workflow_runtime::StepFailed<Part>) -> Bought {
        Bought(input.0)
    }

    #[step]
    fn rest(&self, failed: StepFailed) -> Result<(), workflow_runtime::Final> {
        Err(workflow_runtime::Final::new(failed.error))
    }
}

/// A constant of the workflow is a policy, too.
struct Simple;

#[workflow]
impl Simple {
    const RETRY: Retry = Retry::fixed("1s").when(Self::retries);

    fn retries(_: &StepError) -> bool {
        true
    }

    #[step(retry = Self::RETRY.when(Self::retries))]
    async fn all(&self, _: Start) -> Result<Stop, String> {
        Ok(Stop(()))
    }
}

async fn outside(run: Run<Factory<1>>) -> Result<(), workflow_runtime::SendError> {
    run.send(Hurry { by: "Monday".to_owned() }).await?;
    run.send(Stopped).await?;
    run.send(3_u64).await
}

fn main() {
    let graph = Factory::<1>::GRAPH;
    assert_eq!(graph.steps.len(), 15);
    let policy = |name: &str| Factory::<1>::policy(graph.step_named(name).unwrap());
    assert!(policy("take").retry.is_some());
    assert_eq!(policy("take").timeout.map(|limit| limit.as_secs()), Some(90));
    assert!(policy("split").retry.is_some() && policy("split").timeout.is_none());
    assert!(policy("kit").retry.is_none() && policy("kit").timeout.is_none());
    let _ = outside;
}
