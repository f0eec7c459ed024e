//! The desk at which a person sits: shows questions and progress, and hands answers to the run.

use std::collections::BTreeMap;
use std::future::ready;
use std::io::{self, IsTerminal, Write};

use workflow_examples::{CtrlC, Lines};
use workflow_runtime::prelude::*;
use workflow_runtime::{RespondError, StreamError};

use crate::answer::Answer;
use crate::flow::{Approve, ApproveInvoices, Decision};

/// Why the desk was left.
pub(crate) enum Left {
    /// The run is over.
    Done,
    /// Somebody pressed Ctrl-C.
    Interrupted,
    /// There is a question, and nobody to answer it.
    NoAnswers,
}

pub(crate) struct Desk<'a> {
    run: &'a Run<ApproveInvoices>,
    /// Answers to questions that may still come, by number.
    prepared: BTreeMap<u64, Decision>,
    /// Open questions, by number: the line of their invoice.
    open: BTreeMap<u64, Ask<Approve>>,
    lines: Lines,
    /// Whether there may be more lines.
    listening: bool,
    ctrl_c: CtrlC,
    /// How many steps are running. Not known any more once events were missed.
    running: Option<usize>,
    checked: usize,
    /// How many invoices there are; not known to a resumed run.
    invoices: Option<usize>,
    /// Whether the person has seen how things stand.
    up_to_date: bool,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(
        run: &'a Run<ApproveInvoices>,
        prepared: BTreeMap<u64, Decision>,
        ctrl_c: CtrlC,
    ) -> Self {
        Self {
            run,
            prepared,
            open: BTreeMap::new(),
            lines: Lines::stdin(),
            listening: true,
            ctrl_c,
            running: Some(0),
            checked: 0,
            invoices: None,
            up_to_date: false,
        }
    }

    /// Serves the run until it is over, or the person goes.
    pub(crate) async fn serve(&mut self) -> Result<Left, StreamError> {
        let mut events = self.run.events();
        let at_a_terminal = io::stdin().is_terminal();
        loop {
            // What is asked first depends on which check is done first. Piped lines wait until everything has
            // been asked, so that they mean the same every time.
            let waiting = self.running.unwrap_or(0) == 0 && !self.open.is_empty();
            let listens = self.listening && !self.open.is_empty() && (at_a_terminal || waiting);
            tokio::select! {
                biased;
                () = self.ctrl_c.pressed() => return Ok(Left::Interrupted),
                event = events.next() => match event {
                    Some(event) => self.see(event?).await,
                    None => return Ok(Left::Done),
                },
                // From here on there is no event that has not been seen.
                () = ready(()), if waiting && !self.listening => return Ok(Left::NoAnswers),
                () = ready(()), if waiting && !self.up_to_date => self.show_open(at_a_terminal),
                line = self.lines.next(), if listens => match line {
                    Some(line) => self.hear(&line).await,
                    None => self.listening = false,
                },
            }
        }
    }

    /// Answers that no question was asked about.
    pub(crate) fn unused(&self) -> impl Iterator<Item = &u64> {
        self.prepared.keys()
    }

    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }

    async fn see(&mut self, event: RunEvent<ApproveInvoices>) {
        if let Some(ask) = event.ask::<Approve>() {
            self.ask(ask).await;
            return;
        }
        match event.kind {
            RunEventKind::Progress { value, .. } => {
                eprintln!("{} invoices to check, {} rows unreadable", value.invoices, value.broken.len());
                value.broken.iter().for_each(|broken| eprintln!("  {broken}"));
                self.invoices = Some(value.invoices);
            }
            RunEventKind::StepStarted { .. } => self.running = self.running.map(|running| running + 1),
            RunEventKind::StepFinished { step, .. } => {
                self.running = self.running.and_then(|running| running.checked_sub(1));
                if step == "triage" {
                    self.checked += 1;
                    self.show_progress();
                }
            }
            RunEventKind::Missed { .. } => self.running = None,
            _ => {}
        }
    }

    async fn ask(&mut self, ask: Ask<Approve>) {
        let line = ask.prompt.invoice.line;
        if self.open.contains_key(&line) {
            // After events were missed, what is open is told again.
            return;
        }
        self.open.insert(line, ask);
        self.up_to_date = false;
        if let Some(decision) = self.prepared.remove(&line) {
            self.respond(line, decision).await;
        }
        self.open.get(&line).into_iter().for_each(show);
    }

    async fn hear(&mut self, line: &str) {
        self.up_to_date = false;
        if line.trim().is_empty() {
            self.open.values().for_each(show);
            return;
        }
        match line.parse() {
            Ok(Answer { line: Some(line), decision }) => self.respond(line, decision).await,
            Ok(Answer { line: None, decision }) => {
                if let Some(first) = self.open.keys().next() {
                    self.respond(*first, decision).await;
                }
            }
            Err(problem) => eprintln!("{problem}"),
        }
    }

    /// Hands an answer to the run. One that is refused leaves its question open.
    async fn respond(&mut self, line: u64, decision: Decision) {
        let Some(ask) = self.open.get(&line) else {
            eprintln!("There is no open question {line}.");
            return;
        };
        let verdict = match decision {
            Decision::Approve { .. } => "approved",
            Decision::Reject { .. } => "rejected",
        };
        match self.run.respond(ask, decision).await {
            Ok(()) => eprintln!("[{line}] {} {verdict}", ask.prompt.invoice),
            Err(RespondError::Refused { reason, .. }) => {
                eprintln!("[{line}] {reason}");
                return;
            }
            Err(error) => eprintln!("[{line}] {error}"),
        }
        self.open.remove(&line);
    }

    fn show_progress(&self) {
        // Some ten lines in all.
        let every = self.invoices.map_or(10, |invoices| invoices.div_ceil(10));
        if self.checked % every == 0 || self.invoices == Some(self.checked) {
            let of = self.invoices.map_or_else(String::new, |invoices| format!(" of {invoices}"));
            eprintln!("checked {}{of}", self.checked);
        }
    }

    fn show_open(&mut self, at_a_terminal: bool) {
        self.up_to_date = true;
        let shown: Vec<_> = self.open.keys().take(20).map(u64::to_string).collect();
        let more = match self.open.len() - shown.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        eprintln!("Open: {}{more}. Answer with NUMBER yes, or NUMBER no REASON.", shown.join(", "));
        if at_a_terminal {
            eprint!("> ");
            // If it does not appear, the person still sees the line above.
            let _ = io::stderr().flush();
        }
    }
}

fn show(ask: &Ask<Approve>) {
    let Approve { invoice, doubts } = &ask.prompt;
    eprintln!("[{}] {invoice} of {}", invoice.line, invoice.date);
    doubts.iter().for_each(|doubt| eprintln!("       {doubt}"));
}
