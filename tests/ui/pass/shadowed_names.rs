//! What an author's own items are called does not matter to the expansion.

#![allow(dead_code, non_camel_case_types, non_upper_case_globals, unused_macros)]

mod core {}
mod std {}
mod serde {}
mod alloc {}

struct Send;
struct Sync;
struct Box;
struct Arc;
struct Clone;
struct Iterator;
struct Workflow;
struct Payload;
struct Emitted;
struct Input;
struct Default;
struct Never;
struct Of;
struct bool;
struct u16;
struct str;
const context: u8 = 0;
const input: u8 = 0;
const event: u8 = 0;
const json: u8 = 0;
static list: u8 = 0;

macro_rules! Ok {
    () => {};
}
macro_rules! vec {
    () => {};
}

mod events {
    use workflow_runtime::{data, event, prompt};

    #[event]
    pub struct Event(pub ::std::primitive::u8);
    #[event]
    pub struct String;
    #[data]
    pub enum Choice {
        Some,
        None,
        Ok(::std::primitive::u8),
        Err,
    }
    #[prompt(response = Choice)]
    pub struct Prompt;
}

use events::{Choice, Event, Prompt, String};
use workflow_runtime::{HumanResponse, InputRequired, OneOf, Start, Stop, step, workflow};

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn begin(&self, _: Start) -> OneOf<Event, String> {
        OneOf::new(Event(1))
    }

    #[step]
    fn ask(&self, ev: OneOf<&Event, &String>) -> Result<Option<InputRequired<Prompt>>, ::std::string::String> {
        match ev {
            OneOf::A(Event(_)) => ::std::result::Result::Ok(Option::Some(InputRequired::new(Prompt))),
            OneOf::B(String) => ::std::result::Result::Ok(Option::None),
        }
    }

    #[step]
    async fn decide(&self, answer: HumanResponse<Prompt>) -> Vec<Event> {
        match answer.response {
            Choice::Ok(number) => ::std::vec![Event(number)],
            Choice::Some | Choice::None | Choice::Err => Vec::new(),
        }
    }

    #[step(skip(outside))]
    fn end(&self, all: Vec<&Event>) -> Stop {
        drop(all);
        Stop(())
    }
}

fn main() {}
