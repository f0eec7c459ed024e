use workflow_runtime::prelude::*;

#[prompt]
struct Sure;

#[prompt(respons = bool)]
struct Certain;

#[derive(Clone, Prompt)]
struct Ready;

fn main() {}
