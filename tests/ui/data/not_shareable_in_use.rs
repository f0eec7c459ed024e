//! What the definition has been told is not told again where the type is used.

use std::cell::Cell;

use workflow_runtime::prelude::*;

#[prompt(response = Answer)]
struct Ask {
    tries: Cell<u8>,
}

#[data]
struct Answer {
    seconds: Cell<u32>,
}

#[event]
enum Draft<T> {
    Short(Vec<T>),
    Long { pages: Vec<T>, read: Cell<bool> },
}

#[event]
struct Hurry(Cell<u16>);

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Vec<OneOf<Draft<u8>, InputRequired<Ask>>> {
        Vec::new()
    }

    #[step]
    async fn answered(&self, answer: HumanResponse<Ask>, person: Asker<Ask>) -> Draft<u8> {
        drop((answer, person));
        Draft::Short(Vec::new())
    }

    #[step]
    fn gathered(&self, drafts: Vec<Draft<u8>>) -> Stop<Hurry> {
        drop(drafts);
        Stop(Hurry(Cell::new(1)))
    }

    #[step]
    fn hurry(&self, _: &Signal<Hurry>) {}
}

async fn run() {
    let run = Flow.run(());
    let ask = run.pending().one::<Ask>().unwrap();
    run.respond(&ask, Answer { seconds: Cell::new(1) }).await.unwrap();
    run.send(Hurry(Cell::new(1))).await.unwrap();
    let Hurry(when) = run.await.unwrap();
    when.set(2);
}

fn main() {
    drop(run());
}
