use workflow_runtime::prelude::*;

#[prompt(response = bool, validate = long_enough)]
struct Sure;

fn long_enough(_: &Sure, answer: &str) -> Result<(), String> {
    drop(answer);
    Ok(())
}

fn main() {}
