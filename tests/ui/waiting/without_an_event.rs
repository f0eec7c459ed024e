//! What a step waits for while it runs does not start it.

use workflow_runtime::prelude::*;

#[prompt(response = bool)]
struct Sure;

#[event]
struct Note;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn begin(&self, _: Start) -> Stop {
        Stop(())
    }

    #[step]
    async fn ask(&self, person: Asker<Sure>) {
        drop(person);
    }

    #[step]
    async fn read(&self, ctx: &Context<Self>, notes: Inbox<Note>, lines: Emitter<Note>) {
        drop((ctx, notes, lines));
    }
}

fn main() {}
