//! `Asker` alone asks `Text`; for the others there is nothing that they could mean.

use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn begin(&self, _: Start, person: Asker, notes: Inbox) -> Stop {
        drop((person, notes));
        Stop(())
    }

    #[step]
    async fn again(&self, _: Signal, lines: Emitter) {
        drop(lines);
    }
}

fn main() {}
