//! A step chooses where the run goes on, and a run may come back to a step: the Collatz sequence.
//!
//! ```text
//! cargo run --bin branches_and_loops -- 27
//! ```

use clap::Parser;
use workflow_runtime::prelude::*;

/// Follows the Collatz sequence of a number down to 1.
#[derive(Parser)]
struct Args {
    /// Where to begin
    #[arg(default_value_t = 27, value_parser = clap::value_parser!(u64).range(1..1_000_000_000))]
    number: u64,
}

/// A number on the way, and how many steps it took to get there.
#[event]
struct Even {
    number: u64,
    steps: u32,
}

#[event]
struct Odd {
    number: u64,
    steps: u32,
}

#[data]
struct Arrived {
    steps: u32,
}

struct Collatz;

/// Where a number goes.
fn next(number: u64, steps: u32) -> OneOf<Even, Odd, Stop<Arrived>> {
    match number {
        1 => OneOf::new(Stop(Arrived { steps })),
        even if even % 2 == 0 => OneOf::new(Even { number, steps }),
        _ => OneOf::new(Odd { number, steps }),
    }
}

#[workflow]
impl Collatz {
    #[step]
    fn begin(&self, Start(number): Start<u64>) -> OneOf<Even, Odd, Stop<Arrived>> {
        next(number, 0)
    }

    /// One branch of the loop ..
    #[step]
    fn halve(&self, Even { number, steps }: Even) -> OneOf<Even, Odd, Stop<Arrived>> {
        next(number / 2, steps + 1)
    }

    /// .. and the other, which always leads to an even number.
    #[step]
    fn triple(&self, Odd { number, steps }: Odd) -> Even {
        Even { number: number * 3 + 1, steps: steps + 1 }
    }
}

#[tokio::main]
async fn main() -> Result<(), RunError> {
    let number = Args::parse().number;
    let arrived = Collatz.run(number).await?;
    println!("{number} arrives at 1 after {} steps.", arrived.steps);
    Ok(())
}
