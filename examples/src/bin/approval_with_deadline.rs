//! A question that nobody answers in time goes to somebody else.
//!
//! ```text
//! cargo run --bin approval_with_deadline
//! echo yes | cargo run --bin approval_with_deadline
//! cargo run --bin approval_with_deadline -- --patience 1
//! ```

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use workflow_examples::{CtrlC, INTERRUPTED, Lines, chain};
use workflow_runtime::prelude::*;

/// Asks for an approval; a question that nobody answers in time goes one desk further.
#[derive(Parser)]
struct Args {
    /// How many seconds each desk has
    #[arg(long, default_value = "10", value_parser = seconds)]
    patience: Duration,
}

fn seconds(text: &str) -> Result<Duration, Box<dyn Error + Send + Sync>> {
    Ok(Duration::try_from_secs_f64(text.parse()?)?)
}

#[prompt(response = String, validate = is_yes_or_no)]
struct Approve {
    desk: String,
    cents: u32,
}

fn is_yes_or_no(_: &Approve, answer: &str) -> Result<(), String> {
    if matches!(answer.trim(), "yes" | "no") { Ok(()) } else { Err("please answer yes or no".to_owned()) }
}

#[data]
enum Verdict {
    Approved { by: String },
    Rejected { by: String },
    Nobody,
}

/// Who is asked, one after the other.
const DESKS: [&str; 3] = ["clerk", "manager", "director"];

struct Approval {
    patience: Duration,
}

impl Approval {
    fn question(&self, desk: &str, cents: u32) -> InputRequired<Approve> {
        InputRequired::new(Approve { desk: desk.to_owned(), cents }).expires_in(self.patience)
    }
}

#[workflow]
impl Approval {
    #[step]
    fn ask(&self, Start(cents): Start<u32>) -> InputRequired<Approve> {
        self.question(DESKS[0], cents)
    }

    /// The time of a question is saved with the run, so it also passes while no process holds it.
    #[step]
    fn escalate(
        &self,
        Expired { prompt, .. }: Expired<Approve>,
    ) -> OneOf<InputRequired<Approve>, Stop<Verdict>> {
        let after = DESKS.iter().skip_while(|desk| **desk != prompt.desk).nth(1);
        match after {
            Some(desk) => OneOf::new(self.question(desk, prompt.cents)),
            None => OneOf::new(Stop(Verdict::Nobody)),
        }
    }

    #[step]
    fn decide(&self, answer: HumanResponse<Approve>) -> Stop<Verdict> {
        let by = answer.prompt.desk;
        Stop(if answer.response.trim() == "yes" {
            Verdict::Approved { by }
        } else {
            Verdict::Rejected { by }
        })
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Args { patience } = Args::parse();
    let (mut person, mut ctrl_c) = (Lines::stdin(), CtrlC::listen());
    let (mut anybody_there, mut interrupted) = (true, false);

    let run = Approval { patience }.run(99_00);
    let mut events = run.events();
    let mut open: Option<Ask<Approve>> = None;
    loop {
        tokio::select! {
            biased;
            event = events.next() => {
                let Some(event) = event else { break };
                let event = event?;
                if let Some(ask) = event.ask::<Approve>() {
                    let Approve { desk, cents } = &ask.prompt;
                    println!("To the {desk}: shall we spend {cents} cents? (yes or no, within {patience:?})");
                    open = Some(ask);
                } else if let RunEventKind::InputExpired { .. } = event.kind {
                    println!("The {} did not answer in time.", open.take().map(|ask| ask.prompt.desk).unwrap_or_default());
                }
            }
            () = ctrl_c.pressed() => {
                interrupted = true;
                run.cancel("interrupted").await;
            }
            // What is typed between two questions waits for the second one.
            line = person.next(), if anybody_there && open.is_some() => match (line, &open) {
                (Some(line), Some(ask)) => {
                    if let Err(refused) = run.respond(ask, line).await {
                        println!("{}", chain(&refused));
                    }
                }
                // The questions expire, one after the other.
                _ => anybody_there = false,
            },
        }
    }

    match run.await {
        Ok(Verdict::Approved { by }) => println!("Approved by the {by}."),
        Ok(Verdict::Rejected { by }) => println!("Rejected by the {by}."),
        Ok(Verdict::Nobody) => {
            eprintln!("Nobody has decided.");
            return Ok(ExitCode::FAILURE);
        }
        Err(RunError::Cancelled { reason, .. }) => eprintln!("Nothing was decided: {reason}."),
        Err(error) => return Err(error.into()),
    }
    Ok(if interrupted { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS })
}
