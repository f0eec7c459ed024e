//! Asks a person for a number, again and again until it is one.
//!
//! ```text
//! cargo run --bin human_in_the_loop
//! echo 42 | cargo run --bin human_in_the_loop
//! ```

use std::error::Error;
use std::process::ExitCode;

use workflow_examples::{INTERRUPTED, Lines, Typed};
use workflow_runtime::prelude::*;

struct AskForNumber;

#[workflow]
impl AskForNumber {
    #[step]
    fn ask(&self, _: Start) -> InputRequired {
        InputRequired::text("Enter a number: ")
    }

    /// Takes the answer, or asks again.
    #[step]
    fn check(&self, answer: HumanResponse) -> OneOf<Stop<f64>, InputRequired> {
        match answer.response.trim().parse() {
            Ok(number) => OneOf::new(Stop(number)),
            Err(_) => OneOf::new(InputRequired::text("That is not a number. Enter a number: ")),
        }
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut person = Lines::stdin();
    let mut interrupted = false;

    let run = AskForNumber.run(());
    let mut events = run.events();
    while let Some(event) = events.next().await {
        let Some(ask) = event?.ask::<Text>() else { continue };
        match person.ask(&ask.prompt.message).await {
            Typed::Line(line) => run.respond(&ask, line).await?,
            Typed::End => run.cancel("end of input").await,
            Typed::Interrupt => {
                interrupted = true;
                run.cancel("interrupted").await;
            }
        }
    }

    match run.await {
        Ok(number) => println!("You entered {number}."),
        Err(RunError::Cancelled { reason, .. }) => {
            println!();
            eprintln!("No number was entered: {reason}.");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(if interrupted { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS })
}
