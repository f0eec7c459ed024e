//! Works through orders that outlive their process: it can be killed at any moment, and goes on when it is started
//! again. Meanwhile other processes look at the orders, and answer questions about them.
//!
//! ```text
//! cargo run --bin durable_orders -- serve orders.db        # and kill it, and start it again
//! cargo run --bin durable_orders -- list orders.db
//! cargo run --bin durable_orders -- show orders.db order-2
//! cargo run --bin durable_orders -- answer orders.db order-2 10 yes   # `show` says which question is open
//! ```
//!
//! The workflow is in `orders.rs`; `serve.rs` works, `look.rs` looks, `change.rs` answers and forks.

mod change;
mod journal;
mod look;
mod orders;
mod serve;

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use workflow_examples::chain;
use workflow_runtime::store::{RunStatus, StoreError};
use workflow_runtime::{Runner, RunnerBuilder};
use workflow_store::SqliteStore;

use crate::orders::{Effects, Orders};

/// Works through orders that are kept in a file, and outlive their process.
#[derive(Parser)]
#[command(after_help = "\
Kill `serve` at any moment (Ctrl-C, kill -9, the power switch) and start it again: it goes on where it was. No step
that had finished runs again; FILE.log has a line for each, which begins with the step's own key.

Several processes may use one FILE at once, also several that serve: no order is in two hands.

Exit codes: 0 done, 1 an error, 2 a wrong command line, 130 stopped by Ctrl-C.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Work through the orders in FILE, which is created unless it exists
    #[command(after_help = "\
Orders begin with the number 1 and have the ids order-1, order-2 and so on. One that is there already is not
started again. Those that cost 1000.00 or more wait for a person: see `list`, `show` and `answer`.

Ctrl-C lets the steps at work finish, for up to 5 seconds, and leaves the orders to whoever serves next.")]
    Serve(Serve),
    /// List the orders in FILE, the oldest first
    List {
        #[command(flatten)]
        store: Existing,
        /// Only those that stand so
        #[arg(long, value_parser = PossibleValuesParser::new(RunStatus::ALL.map(RunStatus::name)))]
        status: Option<String>,
        /// Only those of this workflow
        #[arg(long)]
        workflow: Option<String>,
    },
    /// Show an order: its input and outcome, its open questions, and what happened in it
    Show {
        #[command(flatten)]
        store: Existing,
        /// The id of the order
        run: String,
    },
    /// Answer a question about an order
    #[command(after_help = "\
Answers:
  yes            approve the order
  no REASON      reject it; a rejection has a reason

Whoever serves FILE takes the answer. If nobody does, this process takes the order up until it has taken the answer, and
leaves the rest to whoever serves next.

An answer that is refused changes nothing: the question stays open.")]
    Answer {
        #[command(flatten)]
        store: Existing,
        /// The id of the order
        run: String,
        /// The number of the question; `show` tells it
        request: u64,
        /// The answer
        #[arg(required = true, num_args = 1.., trailing_var_arg = true)]
        answer: Vec<String>,
        #[command(flatten)]
        work: Work,
    },
    /// Begin a new order as a copy of another one, as that was after a position in its journal
    #[command(after_help = "\
`show` lists the positions. The new order shares nothing with the old one; whoever serves FILE goes on with it from
there. With position 0 it begins anew.")]
    Fork {
        #[command(flatten)]
        store: Existing,
        /// The id of the order
        run: String,
        /// The last position that is copied
        position: u64,
        /// The id of the new order
        new_id: String,
    },
}

#[derive(Args)]
struct Serve {
    /// The orders
    file: PathBuf,
    /// How many orders there are
    #[arg(long, value_name = "N", default_value_t = 10)]
    orders: u32,
    /// End when nothing is left to do but to wait for people
    #[arg(long)]
    until_idle: bool,
    #[command(flatten)]
    work: Work,
}

/// How a process works through orders.
#[derive(Args)]
struct Work {
    /// Let each step take so many milliseconds, to have something to watch or to kill
    #[arg(long, value_name = "MS", default_value_t = 200)]
    pace: u64,
    /// How many seconds after this process was killed others take its orders over
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    lease: u64,
}

impl Work {
    /// A runner of orders.
    fn runner(&self, file: &Path, store: &Arc<SqliteStore>) -> Result<RunnerBuilder, Box<dyn Error>> {
        let log = beside(file);
        let effects = Effects::open(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let orders = Orders { effects, pace: Duration::from_millis(self.pace) };
        let lease = Duration::from_secs(self.lease);
        Ok(Runner::builder().workflow(orders).store(Arc::clone(store) as _).lease(lease).limit(8))
    }
}

/// A file that must be there.
#[derive(Args)]
struct Existing {
    /// The orders
    file: PathBuf,
}

impl Existing {
    async fn open(&self) -> Result<Arc<SqliteStore>, Box<dyn Error>> {
        // The store would create it.
        if !self.file.try_exists().map_err(|error| format!("{}: {error}", self.file.display()))? {
            return Err(format!("{}: there is no such file", self.file.display()).into());
        }
        open(&self.file).await
    }
}

async fn open(file: &Path) -> Result<Arc<SqliteStore>, Box<dyn Error>> {
    match SqliteStore::open(file).await {
        Ok(store) => Ok(Arc::new(store)),
        // It names the file by itself.
        Err(error @ StoreError::NotAStore { .. }) => Err(error.into()),
        Err(error) => Err(format!("{}: {}", file.display(), chain(&error)).into()),
    }
}

/// Where the steps leave their lines.
fn beside(file: &Path) -> PathBuf {
    let mut log = file.as_os_str().to_owned();
    log.push(".log");
    log.into()
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match &Cli::parse().command {
        Command::Serve(serve) => serve::serve(serve).await,
        Command::List { store, status, workflow } => {
            look::list(store, status.as_deref(), workflow.as_deref()).await
        }
        Command::Show { store, run } => look::show(store, run).await,
        Command::Answer { store, run, request, answer, work } => {
            change::answer(store, run, *request, &answer.join(" "), work).await
        }
        Command::Fork { store, run, position, new_id } => change::fork(store, run, *position, new_id).await,
    };
    match done {
        Ok(code) => code,
        Err(error) if reader_has_enough(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", chain(&*error).replace('\n', "; "));
            ExitCode::FAILURE
        }
    }
}

/// Whether nobody reads what is printed any more, as with `| head`.
fn reader_has_enough(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
