//! Around a question, and beside an event whose name is near.

use workflow_runtime::prelude::*;

#[event]
struct Chapter;

#[event]
struct Chapters;

#[prompt(response = bool)]
struct Sure;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> OneOf<InputRequired<Sure>, Chapter> {
        OneOf::new(Chapter)
    }

    fn sure(&self, _: HumanResponse<Sure>) -> Stop {
        Stop(())
    }

    fn write(&self, _: Chapter) -> Chapters {
        Chapters
    }

    #[step]
    fn all(&self, _: Chapters) -> Stop {
        Stop(())
    }
}

fn main() {}
