//! Where the steps do not say what the input and the output are, nothing is said where they are used.

use workflow_runtime::prelude::*;

#[event]
struct Draft;

struct NoEnds;

#[workflow]
impl NoEnds {
    #[step]
    fn revise(&self, draft: Draft) -> Option<Draft> {
        Some(draft)
    }
}

struct TwoOfEach;

#[workflow]
impl TwoOfEach {
    #[step]
    fn small(&self, Start(pages): Start<u8>) -> Stop<u8> {
        Stop(pages)
    }

    #[step]
    fn large(&self, Start(pages): Start<u16>) -> Stop<u16> {
        Stop(pages)
    }
}

async fn run() -> Result<u16, RunError> {
    let draft: u16 = NoEnds.run("a draft").await?;
    let pages: u16 = TwoOfEach.run(300_u16).await?;
    Ok(draft + pages)
}

fn main() {
    drop(run());
}
