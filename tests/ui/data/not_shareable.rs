use std::rc::Rc;

use workflow_runtime::prelude::*;

#[derive(Clone, Event)]
struct Shared(Rc<u8>);

fn main() {}
