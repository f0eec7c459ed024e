//! A capability stands alone, in the parameters.

use workflow_runtime::prelude::*;

#[prompt(response = bool)]
struct Sure;

#[event]
struct Note;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn several(&self, _: Start, people: Vec<Asker<Sure>>, notes: Option<Inbox<Note>>) -> Stop {
        drop((people, notes));
        Stop(())
    }

    #[step]
    async fn either(&self, _: OneOf<Note, Asker<Sure>>) {}

    #[step]
    async fn together(&self, _: Note, _: (Asker<Sure>, Inbox<Note>)) {}

    #[step]
    async fn given(&self, _: &Note) -> Asker<Sure> {
        todo!()
    }

    #[step]
    async fn listed(&self, _: &Note) -> Vec<Inbox<Note>> {
        todo!()
    }
}

fn main() {}
