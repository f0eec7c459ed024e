//! The first error is ours, and names the type at fault. What follows is said by serde's derives, to which nobody can
//! tell that it has been said.

use workflow_runtime::prelude::*;

struct Address;

#[event]
struct Order {
    id: u64,
    addresses: Vec<Address>,
}

fn main() {}
