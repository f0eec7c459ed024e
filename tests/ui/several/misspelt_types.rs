//! A name that is not there is reported where it is written, and not for each item of the expansion that mentions it.

use workflow_runtime::prelude::*;

#[event]
struct Chapter {
    pages: Vec<Pgae>,
    cover: Option<Box<Pictrue>>,
}

#[data]
enum Verdict {
    Yes,
    No(Vec<Reasno>),
}

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start<Vec<Boko>>) -> Result<Vec<Chpater>, Faliure> {
        Ok(Vec::new())
    }

    #[step]
    async fn gathered(&self, chapters: Vec<Chpater>, lines: Emitter<Lnie>, person: Asker<Sruely>) -> Stop<Reprot> {
        drop((chapters, lines, person));
        Stop(todo!())
    }

    #[step]
    fn line(&self, _: OneOf<&Lnie, Signal<Hrury>>) {}
}

fn main() {}
