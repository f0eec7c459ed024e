//! One step plans a trip: it asks several questions in the middle of its work, and remembers what it has found out.
//!
//! ```text
//! cargo run --bin ask_inside_a_step -- trip.json
//! printf 'Rome\n' | cargo run --bin ask_inside_a_step -- trip.json     # stops after the first answer
//! printf '100\n3\n' | cargo run --bin ask_inside_a_step -- trip.json    # goes on with the second question
//! ```

use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use workflow_examples::{INTERRUPTED, Lines, Typed, chain};
use workflow_runtime::prelude::*;

/// Plans a trip; ended in the middle (Ctrl-C, or the end of its input), it goes on where it was.
#[derive(Parser)]
struct Args {
    /// Where the trip is saved when the program is ended in the middle
    file: PathBuf,
}

#[prompt(response = u32)]
struct HowMany {
    question: String,
}

struct Agency;

#[workflow]
impl Agency {
    /// Reads like a program that asks at a terminal, and survives the end of its process between any two questions.
    #[step]
    async fn plan(
        &self,
        _: Start,
        person: Asker,
        number: Asker<HowMany>,
        ctx: &Context<Self>,
    ) -> Result<Stop<String>, StepError> {
        let place = person.text("Where to? ").await?;
        // The effect happens once, also where the program is ended and taken up again after it.
        let fare = ctx.memo("fare", || look_up(&place)).await?;
        loop {
            let question = format!("A night in {place} is {fare}. What can you spend? ");
            let budget = number.ask(HowMany { question }).await?;
            // Both are open at once: whoever answers chooses the order.
            let (nights, people) = tokio::join!(
                number.ask(HowMany { question: "How many nights? ".to_owned() }),
                number.ask(HowMany { question: "How many people? ".to_owned() }),
            );
            let (nights, people) = (nights?, people?);
            let price = fare.saturating_mul(nights).saturating_mul(people);
            if price <= budget {
                return Ok(Stop(format!("{nights} nights in {place} for {people}: {price}")));
            }
            // The same questions again: asked a second time, they are new ones.
        }
    }
}

async fn look_up(place: &str) -> u32 {
    println!("Looking up what {place} costs ..");
    20 + 3 * u32::try_from(place.len()).unwrap_or(u32::MAX / 10)
}

#[tokio::main]
async fn main() -> ExitCode {
    match trip(&Args::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn trip(Args { file }: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let run = match fs::read_to_string(file) {
        Ok(json) => Agency.resume(Snapshot::from_json(&json)?)?,
        Err(error) if error.kind() == ErrorKind::NotFound => Agency.run(()),
        Err(error) => return Err(format!("{}: {error}", file.display()).into()),
    };
    let mut person = Lines::stdin();
    let mut events = run.events();
    while let Some(event) = events.next().await {
        let event = event?;
        let typed = if let Some(ask) = event.ask::<Text>() {
            let typed = person.ask(&ask.prompt.message).await;
            if let Typed::Line(line) = &typed {
                run.respond(&ask, line.clone()).await?;
            }
            typed
        } else if let Some(ask) = event.ask::<HowMany>() {
            loop {
                match person.ask(&ask.prompt.question).await {
                    Typed::Line(line) => match line.trim().parse() {
                        Ok(number) => break run.respond(&ask, number).await.map(|()| Typed::Line(line))?,
                        Err(_) => println!("Please enter a number."),
                    },
                    other => break other,
                }
            }
        } else {
            continue;
        };
        if let Typed::End | Typed::Interrupt = typed {
            fs::write(file, run.suspend().await?.to_json())
                .map_err(|error| format!("{}: {error}", file.display()))?;
            println!("\nSaved in {}; the same command goes on from here.", file.display());
            let interrupted = typed == Typed::Interrupt;
            return Ok(if interrupted { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS });
        }
    }
    println!("{}", run.await?);
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("{}: {error}", file.display()).into())
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
