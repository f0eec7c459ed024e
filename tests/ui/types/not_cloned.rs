//! With serde's derives written by hand; `#[data]` adds `Clone` as well.

use workflow_runtime::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Order;

#[derive(serde::Serialize, serde::Deserialize)]
struct Poke;

#[derive(serde::Serialize, serde::Deserialize)]
struct Receipt;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start<Order>) -> Stop<Receipt> {
        Stop(Receipt)
    }

    #[step]
    fn poked(&self, _: Signal<Poke>) {}
}

fn main() {}
