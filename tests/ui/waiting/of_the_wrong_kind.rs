use workflow_runtime::prelude::*;

#[event]
struct Note;

#[prompt(response = bool)]
struct Sure;

struct Plain;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn begin(&self, _: Start, person: Asker<Note>, notes: Inbox<Plain>, lines: Emitter<Sure>) -> Stop {
        drop((person, notes, lines));
        Stop(())
    }

    #[step]
    async fn line(&self, _: &Sure) {}
}

fn main() {}
