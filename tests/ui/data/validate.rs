use workflow_runtime::prelude::*;

#[prompt(response = bool, validate = long_enough)]
struct Sure;

fn long_enough(_: &Sure, answer: &str) -> Result<(), String> {
    drop(answer);
    Ok(())
}

#[prompt(response = "bool", validate = checks::no_verdict)]
struct Certain;

#[prompt(response = bool, validate = checks::no_verdict)]
struct Safe;

mod checks {
    pub fn no_verdict(_: &super::Safe, answer: &bool) -> bool {
        *answer
    }
}

fn main() {}
