use std::rc::Rc;

use workflow_runtime::prelude::*;

struct Flow {
    cache: Rc<u8>,
}

#[workflow]
impl Flow {
    #[step]
    fn end(&self, _: Start) -> Stop<u8> {
        Stop(*self.cache)
    }
}

fn main() {}
