use workflow_runtime::prelude::*;

#[workflow]
struct Flow;

fn main() {}
