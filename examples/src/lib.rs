//! What the examples share: reading lines from a person without blocking the run, and telling errors.

use std::error::Error;
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
    ctrl_c: CtrlC,
}

impl Lines {
    /// Starts to read standard input.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn stdin() -> Self {
        let (sender, lines) = mpsc::channel(1);
        std::thread::spawn(move || {
            for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                if sender.blocking_send(line.trim_end_matches('\r').to_owned()).is_err() {
                    break;
                }
            }
        });
        Self { lines, ctrl_c: CtrlC::listen() }
    }

    /// The next line; `None` at the end. Cancel safe.
    pub async fn next(&mut self) -> Option<String> {
        self.lines.recv().await
    }

    /// Shows a question and waits for a line.
    pub async fn ask(&mut self, question: &str) -> Typed {
        print!("{question}");
        // A closed standard output shows itself soon enough; there is nobody to ask any more.
        let _ = io::stdout().flush();
        tokio::select! {
            biased;
            () = self.ctrl_c.pressed() => Typed::Interrupt,
            line = self.lines.recv() => line.map_or(Typed::End, Typed::Line),
        }
    }
}

/// Ctrl-C, from the moment it is listened to; none is lost while the program does something else.
#[derive(Debug)]
pub struct CtrlC {
    presses: Option<Presses>,
}

#[cfg(unix)]
type Presses = tokio::signal::unix::Signal;
#[cfg(windows)]
type Presses = tokio::signal::windows::CtrlC;

impl CtrlC {
    /// Starts to listen. From now on Ctrl-C does not end the program by itself.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn listen() -> Self {
        #[cfg(unix)]
        let presses = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt());
        #[cfg(windows)]
        let presses = tokio::signal::windows::ctrl_c();
        // Where it cannot be listened to, it ends the program, as ever.
        Self { presses: presses.ok() }
    }

    /// Waits until it is pressed. Cancel safe.
    pub async fn pressed(&mut self) {
        let pressed = match &mut self.presses {
            Some(presses) => presses.recv().await,
            None => None,
        };
        if pressed.is_none() {
            std::future::pending().await
        }
    }
}

/// The exit code of a program that a person ended with Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// The message of an error and of everything that caused it.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let links = std::iter::successors(Some(error), |&error| error.source());
    links.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
