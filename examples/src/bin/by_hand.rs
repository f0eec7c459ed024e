//! The workflow of `human_in_the_loop` without the macro: everything that `#[workflow]` writes for you.
//!
//! There is no magic in it: an enum of what crosses a step boundary, a table of what each step accepts and
//! emits, and a `match` from step to method. The runtime does the rest, and is the same for both.
//!
//! ```text
//! echo 42 | cargo run --bin by_hand
//! ```

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use serde_json::value::{RawValue, to_raw_value};
use workflow_examples::{Lines, Typed};
use workflow_runtime::engine::{Emitted, Input, Payload};
use workflow_runtime::graph::{
    self, Alternative, EventId, Param, ParamForm, Returns, Role, Slot, StepId, StepOptions,
};
use workflow_runtime::prelude::*;
use workflow_runtime::{AnswerError, Events, RequestId, Room, Shared, StepCall};

struct AskForNumber;

/// The steps are methods as they are with the macro.
impl AskForNumber {
    fn ask(&self) -> InputRequired {
        InputRequired::text("Enter a number: ")
    }

    fn check(&self, answer: HumanResponse) -> OneOf<Stop<f64>, InputRequired> {
        match answer.response.trim().parse() {
            Ok(number) => OneOf::new(Stop(number)),
            Err(_) => OneOf::new(InputRequired::text("That is not a number. Enter a number: ")),
        }
    }
}

// The numbers of the events, and of the steps: their positions in the graph.
const START: EventId = EventId(0);
const QUESTION: EventId = EventId(1);
const ANSWER: EventId = EventId(2);
const STOP: EventId = EventId(3);
const ASK: StepId = StepId(0);
const CHECK: StepId = StepId(1);

/// The graph: `Start` goes to `ask`, which asks; the answer goes to `check`, which stops or asks again.
const GRAPH: &Graph = &Graph {
    name: Cow::Borrowed("AskForNumber"),
    docs: Cow::Borrowed(""),
    events: Cow::Borrowed(EVENTS),
    steps: Cow::Borrowed(STEPS),
    points: Cow::Borrowed(&[]),
};

const EVENTS: &[graph::Event] = &[
    graph::Event {
        name: Cow::Borrowed("Start"),
        role: Role::Start,
        accepted_by: Cow::Borrowed(&[Slot { step: ASK, param: 0 }]),
    },
    graph::Event {
        name: Cow::Borrowed("InputRequired<Text>"),
        role: Role::Prompt { response: Some(ANSWER), expired: None },
        accepted_by: Cow::Borrowed(&[]),
    },
    graph::Event {
        name: Cow::Borrowed("HumanResponse<Text>"),
        role: Role::Response { prompt: Some(QUESTION) },
        accepted_by: Cow::Borrowed(&[Slot { step: CHECK, param: 0 }]),
    },
    graph::Event { name: Cow::Borrowed("Stop<f64>"), role: Role::Stop, accepted_by: Cow::Borrowed(&[]) },
];

const STEPS: &[graph::Step] = &[
    graph::Step {
        name: Cow::Borrowed("ask"),
        docs: Cow::Borrowed(""),
        was: None,
        params: Cow::Borrowed(TAKES_START),
        tools: Cow::Borrowed(&[]),
        returns: Returns {
            fallible: false,
            optional: false,
            alternatives: Cow::Borrowed(&[Alternative::One(QUESTION)]),
        },
        options: StepOptions::NONE,
    },
    graph::Step {
        name: Cow::Borrowed("check"),
        docs: Cow::Borrowed("Takes the answer, or asks again."),
        was: None,
        params: Cow::Borrowed(TAKES_ANSWER),
        tools: Cow::Borrowed(&[]),
        returns: Returns {
            fallible: false,
            optional: false,
            alternatives: Cow::Borrowed(&[Alternative::One(STOP), Alternative::One(QUESTION)]),
        },
        options: StepOptions::NONE,
    },
];

const TAKES_START: &[Param] = &[Param { events: Cow::Borrowed(&[START]), form: ParamForm::One }];
const TAKES_ANSWER: &[Param] = &[Param { events: Cow::Borrowed(&[ANSWER]), form: ParamForm::One }];

/// Everything that crosses a step boundary.
#[derive(Clone)]
enum Event {
    Start(()),
    Question(Text),
    Answer(HumanResponse),
    Stop(f64),
}

impl Payload for Event {
    fn event(&self) -> EventId {
        match self {
            Self::Start(()) => START,
            Self::Question(_) => QUESTION,
            Self::Answer(_) => ANSWER,
            Self::Stop(_) => STOP,
        }
    }
}

impl Events for Event {
    fn encode(&self) -> Result<Box<RawValue>, serde_json::Error> {
        match self {
            Self::Start(()) => to_raw_value(&()),
            Self::Question(prompt) => to_raw_value(prompt),
            Self::Answer(answer) => to_raw_value(answer),
            Self::Stop(number) => to_raw_value(number),
        }
    }

    fn decode(event: EventId, json: &RawValue) -> Result<Self, serde_json::Error> {
        Ok(match event {
            START => Self::Start(serde_json::from_str(json.get())?),
            QUESTION => Self::Question(serde_json::from_str(json.get())?),
            ANSWER => Self::Answer(serde_json::from_str(json.get())?),
            STOP => Self::Stop(serde_json::from_str(json.get())?),
            other => return Err(serde::de::Error::custom(format_args!("there is no event {}", other.0))),
        })
    }
}

impl Asks<Text> for AskForNumber {
    fn pick(prompt: &Text) -> Option<&Text> {
        Some(prompt)
    }

    fn answer(asked: &Event, request: RequestId, response: String) -> Result<Event, AnswerError> {
        match asked {
            Event::Question(prompt) => {
                Ok(Event::Answer(HumanResponse { request, prompt: prompt.clone(), response }))
            }
            _ => Err(AnswerError::OtherPrompt { asked: "nothing".to_owned(), answered: "Text".to_owned() }),
        }
    }
}

impl Workflow for AskForNumber {
    type Input = ();
    type Output = f64;
    type State = ();
    type Progress = ();
    type Prompt = Text;
    type Event = Event;

    const GRAPH: &'static Graph = GRAPH;

    fn start((): ()) -> Event {
        Event::Start(())
    }

    fn output(event: Event) -> Result<f64, Event> {
        match event {
            Event::Stop(number) => Ok(number),
            other => Err(other),
        }
    }

    fn prompt(asked: &Event) -> Option<Text> {
        match asked {
            Event::Question(prompt) => Some(prompt.clone()),
            _ => None,
        }
    }

    fn answer_json(asked: &Event, request: RequestId, response: &RawValue) -> Result<Event, AnswerError> {
        let response = serde_json::from_str(response.get())
            .map_err(|error| AnswerError::WrongType { expected: "String", reason: error.to_string() })?;
        Self::answer(asked, request, response)
    }

    fn share(self: Arc<Self>) -> Shared<Self> {
        Shared::new(self)
    }

    /// Its steps are plain functions, so nothing needs the room for a future.
    fn call(
        step: StepId,
        input: Input<Event>,
        context: Context<Self>,
        _: &mut Room<Event>,
    ) -> StepCall<Event> {
        let workflow = context.workflow();
        let emitted = match (step, input) {
            (ASK, Input::One(Event::Start(()))) => Event::Question(workflow.ask().prompt),
            (CHECK, Input::One(Event::Answer(answer))) => match workflow.check(answer) {
                OneOf::A(Stop(number)) => Event::Stop(number),
                OneOf::B(question) => Event::Question(question.prompt),
            },
            _ => return StepCall::Done(Err(StepError::new("the graph sends a step what it does not take"))),
        };
        StepCall::Done(Ok(Emitted::One(emitted)))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    assert!(GRAPH.check().is_empty(), "the table is checked by the same rules as a signature");
    let mut person = Lines::stdin();
    let run = AskForNumber.run(());
    let mut events = run.events();
    while let Some(event) = events.next().await {
        let Some(ask) = event?.ask::<Text>() else { continue };
        match person.ask(&ask.prompt.message).await {
            Typed::Line(line) => run.respond(&ask, line).await?,
            Typed::End | Typed::Interrupt => run.cancel("nothing was entered").await,
        }
    }
    match run.await {
        Ok(number) => println!("You entered {number}."),
        Err(error) => eprintln!("\n{error}"),
    }
    Ok(())
}
