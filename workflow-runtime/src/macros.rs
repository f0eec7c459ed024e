//! The macros, with their documentation: the crate that defines them cannot show examples that compile.

/// Makes an `impl` block a workflow: its [`#[step]`](macro@step) methods are the steps, and their signatures the
/// graph.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// struct Greet;
///
/// #[event]
/// struct Name(String);
///
/// #[workflow]
/// impl Greet {
///     #[step]
///     fn ask(&self, _: Start) -> InputRequired {
///         InputRequired::text("What is your name?")
///     }
///
///     #[step]
///     fn read(&self, answer: HumanResponse) -> Name {
///         Name(answer.response)
///     }
///
///     #[step]
///     async fn greet(&self, Name(name): Name) -> Stop<String> {
///         Stop(format!("Hello, {name}!"))
///     }
/// }
///
/// assert_eq!(Greet::GRAPH.steps.len(), 3);
/// ```
///
/// # What a signature says
/// Parameters, in any order and under any pattern:
///
/// | form | meaning |
/// |---|---|
/// | `&self` | the workflow value, shared by all runs |
/// | `ctx: &Context<Self>` | the run, see [`Context`](crate::Context) |
/// | `Start<I>` | the run's input; `Start` alone is `Start<()>` |
/// | `T`, `&T` | an event; by reference it is neither cloned nor needs `Clone` |
/// | `OneOf<A, B>`, `OneOf<&A, &B>` | either |
/// | `HumanResponse<Q>` | the answer to an `InputRequired<Q>`; alone it is about [`Text`](crate::Text) |
/// | `Expired<Q>` | nobody answered in time; where no step takes it, that is a failure of the step that asked |
/// | `Signal<T>` | a `T` that is sent from outside, see [`Run::send`](crate::Run::send); kept where the rest of a join is missing |
/// | `a: A, b: B` | a join: one of each, from the same branch |
/// | `Vec<T>`, `Vec<&T>`, `Vec<OneOf<..>>` | a gather: all of a fan-out, in its order |
/// | `Vec<Result<T, StepFailed>>` | a gather that takes what failed in its fan-out, too |
/// | `StepFailed`, `StepFailed<T>` | an error handler; with `T` it gets what the failed step was given, see [`#[step]`](macro@step) |
/// | `out: Emitter<T>` | sends events while the step runs, see [`Emitter`](crate::Emitter) |
/// | `person: Asker<Q>` | asks while the step runs, and gets the answers itself, see [`Asker`](crate::Asker); alone it asks [`Text`](crate::Text) |
/// | `inbox: Inbox<T>` | takes signals while the step runs, see [`Inbox`](crate::Inbox) |
///
/// The last three are capabilities: they belong to the step, which takes them by value, beside its events and in any
/// number, and is an `async fn`. An answer to an `Asker<Q>` never goes to a step that takes `HumanResponse<Q>`; that one
/// needs an `InputRequired<Q>`. A type of signal is taken by steps (`Signal<T>`) or by inboxes, not by both.
///
/// Returns, each also inside a `Result`:
///
/// | form | meaning |
/// |---|---|
/// | `T` | emits one `T` |
/// | `OneOf<A, B>` | emits one of them, see [`OneOf::new`](crate::OneOf::new) |
/// | `Option<..>` | may emit nothing: the branch ends |
/// | `Vec<T>`, `Vec<OneOf<..>>` | fans out: each element opens a branch |
/// | `()` | emits nothing |
/// | `InputRequired<Q>` | asks a person |
/// | `Stop<O>` | ends the run with `O`; `Stop` alone is `Stop<()>` |
///
/// The names above are read by the last segment of their path, whatever leads there, so they cannot name types
/// of your own in the signature of a step. An event is called by its last segment and type arguments, and that
/// name stands in saved runs and diagrams.
///
/// # Options
/// | option | meaning |
/// |---|---|
/// | `name = "checkout"` | what the workflow is called in saved runs; else the name of the type |
/// | `state = S` | what the steps of a run share, see [`Context::state`](crate::Context::state) and [`Context::update`](crate::Context::update) |
/// | `progress = P` | what steps publish while they work |
/// | `prompts = Questions` | the name of the generated enum of questions; else the type's name and `Prompt` |
/// | `register = path` | the function that builds the workflow, for programs that host many |
/// | `crate = path` | where this crate is, if not at `::workflow_runtime` |
///
/// # What is generated
/// The block itself without our attributes; an enum of the questions, if there are any; and an implementation of
/// [`Workflow`](trait@crate::Workflow) with an enum of the events, whose documentation shows the graph.
pub use workflow_macros::workflow;

/// Marks a method of a [`#[workflow]`](macro@workflow) as a step.
///
/// The method stays an ordinary one, to be called in tests.
///
/// # Options
/// | option | meaning |
/// |---|---|
/// | `retry = Retry::fixed("1s")` | runs the step again when it fails: any constant [`Retry`](crate::Retry) |
/// | `timeout = "30s"` | an attempt that takes longer fails; for an `async fn`. The time stands while a question or an inbox of the step waits |
/// | `catches(fetch, parse)` | the steps whose failures this error handler takes; else those that no other one names |
/// | `max_recoveries = 3` | how often an error handler runs on the way of one event; 1 if not said |
/// | `blocking` | for a `fn` that computes for long or blocks its thread: it runs where that holds nobody up. It cannot be stopped; [`Context::is_cancelled`](crate::Context::is_cancelled) tells it to return early |
/// | `workers = 4` | runs at most so many at once within a run |
/// | `take = 1` | a gather fires on so many arrivals, and the rest of its fan-out is cancelled |
/// | `cancel_rest = false` | .. is not |
/// | `was = "old_name"` | what the step was called when older runs were saved |
/// | `skip(dead_end)` | turns rules off for this step: `reachability`, `dead_end`, `outside`, `join` |
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[event]
/// struct Page(u32);
///
/// #[event]
/// struct Words(usize);
///
/// struct Count;
///
/// #[workflow]
/// impl Count {
///     #[step]
///     fn split(&self, Start(pages): Start<u32>) -> Vec<Page> {
///         (0..pages).map(Page).collect()
///     }
///
///     #[step(workers = 4)]
///     async fn read(&self, Page(number): Page) -> Result<Words, std::num::TryFromIntError> {
///         Ok(Words(usize::try_from(number)? * 100))
///     }
///
///     #[step]
///     fn sum(&self, all: Vec<&Words>) -> Stop<usize> {
///         Stop(all.iter().map(|words| words.0).sum())
///     }
/// }
///
/// assert_eq!(Count.sum(vec![&Words(1), &Words(2)]), Stop(3));
/// ```
///
/// A step that fails is run again as its policy says. Then its error handler takes over, if there is one: the handler
/// stands where the step stood, and sends the work on in another way.
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[event]
/// struct Fetch {
///     url: String,
/// }
///
/// #[event]
/// struct Page(String);
///
/// struct Reader;
///
/// #[workflow]
/// impl Reader {
///     #[step]
///     fn begin(&self, Start(url): Start<String>) -> Fetch {
///         Fetch { url }
///     }
///
///     #[step(retry = Retry::exponential("200ms").attempts(3), timeout = "10s")]
///     async fn fetch(&self, fetch: &Fetch, ctx: &Context<Self>) -> Result<Page, String> {
///         Err(format!("attempt {} at {} failed", ctx.attempt(), fetch.url))
///     }
///
///     /// The old copy is better than none.
///     #[step(catches(fetch))]
///     fn look_into_the_archive(&self, failed: StepFailed<Fetch>) -> Page {
///         Page(format!("{} as it was ({})", failed.input.url, failed.error))
///     }
///
///     #[step]
///     fn read(&self, Page(text): Page) -> Stop<String> {
///         Stop(text)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), RunError> {
/// let page = Reader.run("example.org".to_owned()).await?;
/// assert_eq!(page, "example.org as it was (attempt 3 at example.org failed)");
/// # Ok(())
/// # }
/// ```
///
/// A step can wait in the middle of its work. While the process lives it just waits. Where it is run again, because it
/// failed afterwards or because the run was resumed, it begins at its input, and each question, signal, sleep and memo is
/// what it was before. A call is found by its name, where one is given, else by what it asks or waits for and
/// how often this attempt has called just that before. What it has found is kept until the step has finished.
/// ```
/// use std::time::Duration;
/// use workflow_runtime::prelude::*;
///
/// #[prompt(response = bool)]
/// struct Agree {
///     price: u32,
/// }
///
/// /// Somebody offers another price.
/// #[data]
/// struct Bid(u32);
///
/// struct Sale;
///
/// #[workflow]
/// impl Sale {
///     #[step(retry = Retry::fixed("10s"))]
///     async fn sell(
///         &self,
///         Start(price): Start<u32>,
///         buyer: Asker<Agree>,
///         bids: Inbox<Bid>,
///         ctx: &Context<Self>,
///     ) -> Result<Stop<u32>, StepError> {
///         let Bid(bid) = bids.next().await;
///         let price = price.max(bid);
///         if !buyer.ask(Agree { price }).expires_in(Duration::from_secs(86_400)).await? {
///             return Ok(Stop(0));
///         }
///         let paid = ctx.memo("payment", || async move { price }).await?;
///         if ctx.attempt() == 1 {
///             return Err(StepError::new("the parcel is lost")); // the second attempt asks nobody and takes no money
///         }
///         ctx.sleep(Duration::from_secs(3_600)).await;
///         Ok(Stop(paid))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let run = Sale.run(10);
/// run.send(Bid(12)).await?;
/// let mut asked = 0;
/// let mut events = run.events();
/// while let Some(event) = events.next().await {
///     if let Some(ask) = event?.ask::<Agree>() {
///         asked += 1;
///         run.respond(&ask, true).await?;
///     }
/// }
/// assert_eq!((run.await?, asked), (12, 1));
/// # Ok(())
/// # }
/// ```
///
/// Questions that expire, and signals:
/// ```
/// use std::time::Duration;
/// use workflow_runtime::prelude::*;
///
/// /// What somebody outside may send at any moment.
/// #[data]
/// struct Withdraw {
///     reason: String,
/// }
///
/// struct Offer;
///
/// #[workflow]
/// impl Offer {
///     #[step]
///     fn ask(&self, _: Start) -> InputRequired {
///         InputRequired::text("Will you take it?").expires_in(Duration::from_secs(86_400))
///     }
///
///     #[step]
///     fn taken(&self, answer: HumanResponse) -> Stop<String> {
///         Stop(answer.response)
///     }
///
///     #[step]
///     fn too_late(&self, expired: Expired) -> Stop<String> {
///         Stop(format!("no answer to `{}`", expired.prompt.message))
///     }
///
///     #[step]
///     fn withdrawn(&self, Signal(withdraw): Signal<Withdraw>) -> Stop<String> {
///         Stop(format!("withdrawn: {}", withdraw.reason))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let run = Offer.run(());
/// run.send(Withdraw { reason: "sold".to_owned() }).await?;
/// assert_eq!(run.await?, "withdrawn: sold");
///
/// assert_eq!(Offer.run(()).await?, "no answer to `Will you take it?`"); // a day later
/// # Ok(())
/// # }
/// ```
pub use workflow_macros::step;

/// Makes a type an [`Event`](trait@crate::Event): [`#[data]`](macro@data), and the marker.
///
/// Takes `crate = path`. A type with a `Clone` or serde derive of its own keeps it, if that stands below this
/// attribute; `#[serde(..)]` attributes work as ever.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[event]
/// #[derive(Debug, PartialEq)]
/// struct Priced {
///     id: u64,
///     #[serde(default)]
///     cents: u64,
/// }
/// ```
pub use workflow_macros::event;

/// Makes a type a [`Prompt`](trait@crate::Prompt): [`#[data]`](macro@data), and the trait.
///
/// | option | meaning |
/// |---|---|
/// | `response = R` | what an answer is made of |
/// | `validate = path` | `fn(&Self, &R) -> Result<(), impl Display>`: refuses answers that make no sense |
/// | `crate = path` | where this crate is, if not at `::workflow_runtime` |
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[prompt(response = Decision)]
/// struct ApproveOrder {
///     id: u64,
///     total: u64,
/// }
///
/// #[data]
/// enum Decision {
///     Approve,
///     Reject { reason: String },
/// }
/// ```
pub use workflow_macros::prompt;

/// Makes a type one that can be saved with a run: `Clone`, and serde's `Serialize` and `Deserialize`, through
/// this crate. For inputs, outputs, responses, progress, and what stands in them.
///
/// Takes `crate = path`.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[data]
/// struct Order {
///     id: u64,
///     items: Vec<String>,
/// }
/// ```
pub use workflow_macros::data;

/// The marker of [`#[event]`](macro@event) alone, for a type with serde derives of its own.
///
/// Where this crate has another name: `#[event(crate = path)]` below the derive.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[derive(Clone, serde::Serialize, serde::Deserialize, Event)]
/// #[serde(rename_all = "camelCase")]
/// struct Priced {
///     total_cents: u64,
/// }
/// ```
pub use workflow_macros::Event;

/// The trait of [`#[prompt]`](macro@prompt) alone, for a type with serde derives of its own.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[derive(Clone, serde::Serialize, serde::Deserialize, Prompt)]
/// #[prompt(response = bool)]
/// #[serde(rename_all = "camelCase")]
/// struct Confirm {
///     dry_run: bool,
/// }
/// ```
pub use workflow_macros::Prompt;
