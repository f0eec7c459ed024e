use workflow_runtime::prelude::*;

#[prompt(response = bool)]
struct Sure;

#[event]
struct Note;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn ask(&self, _: Start, person: &Asker<Sure>) {
        let _ = person;
    }

    #[step]
    async fn read(&self, _: Signal<Sure>, notes: &mut Inbox<Note>, text: &Asker) -> Stop {
        let _ = (notes, text);
        Stop(())
    }

    #[step]
    async fn words(&self, _: StepFailed, words: Inbox<&'static str>) {
        drop(words);
    }
}

fn main() {}
