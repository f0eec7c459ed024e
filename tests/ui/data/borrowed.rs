use workflow_runtime::prelude::*;

#[event]
struct Line<'a> {
    text: &'a str,
}

#[data]
union Either {
    number: u32,
    letter: char,
}

fn main() {}
