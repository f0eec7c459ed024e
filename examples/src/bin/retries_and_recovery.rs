//! A service that fails: its step is run again as a policy says, and then another step takes over.
//!
//! The service is a small server of this program's own, on loopback. It refuses the first calls.
//!
//! ```text
//! cargo run --bin retries_and_recovery                 # the third attempt works
//! cargo run --bin retries_and_recovery -- --outage 9   # longer than the policy is patient
//! ```

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use clap::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use workflow_runtime::prelude::*;

/// Asks a service for a rate that refuses the first calls, and falls back to yesterday's rate.
#[derive(Parser)]
struct Args {
    /// How many calls the service refuses
    #[arg(long, default_value_t = 2)]
    outage: u32,
}

/// Cents per unit.
#[event]
struct Rate {
    cents: u32,
    from: String,
}

#[event]
struct Lookup {
    units: u32,
}

struct Exchange {
    service: SocketAddr,
}

#[workflow]
impl Exchange {
    #[step]
    fn begin(&self, Start(units): Start<u32>) -> Lookup {
        Lookup { units }
    }

    /// The policy is a constant: a slip in it does not compile.
    #[step(retry = Retry::exponential("20ms").attempts(4), timeout = "5s")]
    async fn fetch(&self, _: &Lookup) -> Result<Rate, StepError> {
        let mut answer = String::new();
        TcpStream::connect(self.service).await?.read_to_string(&mut answer).await?;
        let cents = answer.parse().map_err(|_| StepError::new(answer))?;
        Ok(Rate { cents, from: "the service".to_owned() })
    }

    /// Takes over when `fetch` has failed for good, in its place.
    #[step(catches(fetch))]
    fn recall(&self, _: StepFailed<&Lookup>) -> Rate {
        Rate { cents: 108, from: "yesterday".to_owned() }
    }

    #[step]
    fn convert(&self, Lookup { units }: Lookup, rate: Rate) -> Stop<String> {
        Stop(format!("{units} units are {} cents, by the rate of {}.", units * rate.cents, rate.from))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Args { outage } = Args::parse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let service = listener.local_addr()?;
    let served = tokio::spawn(serve(listener, outage));

    let run = Exchange { service }.run(3);
    let mut events = run.events();
    while let Some(event) = events.next().await {
        let event = event?;
        match event.kind {
            RunEventKind::StepRetrying { step, attempt, error, due, .. } => {
                println!("{step}, attempt {attempt}: {error}; again in {} ms", due.0 - event.at.0);
            }
            RunEventKind::StepFailed { step, attempt, error, .. } => {
                println!("{step}, attempt {attempt}: {error}; giving up");
            }
            _ => {}
        }
    }
    served.abort();
    println!("{}", run.await?);
    Ok(())
}

/// Refuses so many calls, and answers from then on.
async fn serve(listener: TcpListener, outage: u32) -> io::Result<()> {
    for call in 0.. {
        let (mut caller, _) = listener.accept().await?;
        let answer = if call < outage { "closed for lunch" } else { "110" };
        caller.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}
