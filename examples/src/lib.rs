//! What the examples share: reading lines from a person without blocking the run.

use std::io::{self, BufRead, Write};

use tokio::sync::mpsc;

/// What a person did at the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// Entered a line; it stands here without its end.
    Line(String),
    /// Closed standard input (Ctrl-D, or the end of a pipe).
    End,
    /// Pressed Ctrl-C.
    Interrupt,
}

/// The lines of standard input, typed or piped.
///
/// They are read on a thread of their own, which does not keep the program from ending.
#[derive(Debug)]
pub struct Lines {
    lines: mpsc::Receiver<String>,
}

impl Lines {
    /// Starts to read standard input.
    #[must_use]
    pub fn stdin() -> Self {
        let (sender, lines) = mpsc::channel(1);
        std::thread::spawn(move || {
            for line in io::stdin().lock().lines().map_while(Result::ok) {
                if sender.blocking_send(line).is_err() {
                    break;
                }
            }
        });
        Self { lines }
    }

    /// Shows a question and waits for a line.
    pub async fn ask(&mut self, question: &str) -> Typed {
        print!("{question}");
        // A closed standard output shows itself soon enough; there is nobody to ask any more.
        let _ = io::stdout().flush();
        tokio::select! {
            line = self.lines.recv() => line.map_or(Typed::End, Typed::Line),
            _ = tokio::signal::ctrl_c() => Typed::Interrupt,
        }
    }
}

/// The exit code of a program that a person ended with Ctrl-C.
pub const INTERRUPTED: u8 = 130;
