//! Saves a run to a file between question and answer, and finishes it in another process.
//!
//! ```text
//! cargo run --bin stop_and_resume -- ask saved.json
//! cargo run --bin stop_and_resume -- answer saved.json Ada
//! ```

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use workflow_examples::chain;
use workflow_runtime::prelude::*;

/// Saves a run to a file between question and answer, and finishes it in another process.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run to the question, save the run to FILE and exit
    Ask {
        /// Where the run is saved
        file: PathBuf,
    },
    /// Take the run up from FILE, answer its question with TEXT and finish it
    Answer {
        /// Where the run was saved
        file: PathBuf,
        /// The answer
        text: String,
    },
}

#[prompt(response = String, validate = is_a_name)]
struct WhatIsYourName {
    table: u32,
}

fn is_a_name(_: &WhatIsYourName, answer: &str) -> Result<(), String> {
    if answer.trim().is_empty() { Err("a name has at least one letter".to_owned()) } else { Ok(()) }
}

/// A table is reserved before anybody is asked. However often the run is saved and taken up again, this
/// happens once.
#[event]
struct Reserved {
    table: u32,
}

struct Restaurant;

#[workflow]
impl Restaurant {
    #[step]
    async fn reserve(&self, Start(guests): Start<u32>) -> Reserved {
        println!("Reserving a table for {guests} ..");
        Reserved { table: guests + 40 }
    }

    #[step]
    fn ask(&self, reserved: Reserved) -> InputRequired<WhatIsYourName> {
        InputRequired::new(WhatIsYourName { table: reserved.table })
    }

    #[step]
    fn confirm(&self, answer: HumanResponse<WhatIsYourName>) -> Stop<String> {
        Stop(format!("Table {} is reserved for {}.", answer.prompt.table, answer.response.trim()))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Ask { file } => ask(&file).await,
        Command::Answer { file, text } => answer(&file, text).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn ask(file: &Path) -> Result<(), Box<dyn Error>> {
    let run = Restaurant.run(2);
    let mut events = run.events();
    while let Some(event) = events.next().await {
        if let Some(ask) = event?.ask::<WhatIsYourName>() {
            println!("Under which name shall table {} be reserved?", ask.prompt.table);
            let snapshot = run.suspend().await?;
            let json = serde_json::to_string_pretty(&snapshot)?;
            fs::write(file, json).map_err(|error| about(file, &error))?;
            println!("The run is saved in {}. Answer with: stop_and_resume answer FILE NAME", file.display());
        }
    }
    Ok(())
}

async fn answer(file: &Path, text: String) -> Result<(), Box<dyn Error>> {
    let json = fs::read_to_string(file).map_err(|error| about(file, &error))?;
    let snapshot = Snapshot::from_json(&json).map_err(|error| about(file, &error))?;
    let run = Restaurant.resume(snapshot)?;
    let ask = run.pending().one::<WhatIsYourName>()?;
    run.respond(&ask, text).await?;
    println!("{}", run.await?);
    Ok(())
}

fn about(file: &Path, error: &dyn Error) -> String {
    format!("{}: {}", file.display(), chain(error))
}
