use workflow_runtime::prelude::*;

#[event]
fn priced() {}

#[data]
trait Saved {}

#[prompt(response = bool)]
union Sure {
    yes: u8,
}

fn main() {}
