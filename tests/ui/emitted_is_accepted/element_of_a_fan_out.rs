use workflow_runtime::prelude::*;

#[event]
struct Page;

#[event]
struct Image;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Vec<OneOf<Page, Image>> {
        vec![]
    }

    #[step]
    fn read(&self, _: Page) -> Option<Stop> {
        None
    }
}

fn main() {}
