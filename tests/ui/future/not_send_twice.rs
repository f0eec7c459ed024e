//! Each step is named, also where they hold the same type.

use std::rc::Rc;

use workflow_runtime::prelude::*;

#[event]
struct Draft;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn begin(&self, _: Start) -> Draft {
        let held = Rc::new(());
        self.pause().await;
        drop(held);
        Draft
    }

    #[step]
    async fn end(&self, draft: Draft) -> Stop {
        let held = Rc::new(());
        self.pause().await;
        drop((held, draft));
        Stop(())
    }

    async fn pause(&self) {}
}

fn main() {}
