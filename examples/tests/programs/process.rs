//! Runs a program and talks to it.
//!
//! Tests wait for what the program writes, never for a while.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a program to its end, with this on its standard input.
pub(crate) fn run<A: AsRef<OsStr>>(dir: &Path, program: &str, args: &[A], input: &str) -> Ended {
    let mut running = Running::start(dir, program, args);
    running.types(input);
    running.end()
}

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    out: Output,
    err: Output,
}

impl Running {
    pub(crate) fn start<A: AsRef<OsStr>>(dir: &Path, program: &str, args: &[A]) -> Self {
        let mut child = Command::new(program)
            .args(args)
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = Output::of(child.stdout.take().unwrap());
        let err = Output::of(child.stderr.take().unwrap());
        Self { stdin: child.stdin.take(), child, out, err }
    }

    /// Waits until this stands in its standard output.
    pub(crate) fn shows(&mut self, text: &str) {
        self.out.until(text);
    }

    /// As [`shows`](Self::shows); false if it ended before that.
    pub(crate) fn shows_or_ends(&mut self, text: &str) -> bool {
        self.out.finds(text)
    }

    /// Waits until this stands in its standard error.
    pub(crate) fn tells(&mut self, text: &str) {
        self.err.until(text);
    }

    pub(crate) fn types(&mut self, text: &str) {
        // A program that has enough closes its input.
        let _ = self.stdin.as_mut().unwrap().write_all(text.as_bytes());
    }

    /// Closes its standard input.
    #[cfg(unix)]
    pub(crate) fn hangs_up(&mut self) {
        self.stdin = None;
    }

    /// Presses Ctrl-C.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    /// Ends it as `kill -9` does, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end; its standard input stays open.
    #[cfg(unix)]
    pub(crate) fn end_by_itself(mut self) -> Ended {
        let open = self.stdin.take();
        let ended = self.end();
        drop(open);
        ended
    }

    /// Closes its standard input, and waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        drop(self.stdin.take());
        let (out, err) = (self.out.all(), self.err.all());
        Ended { code: self.child.wait().unwrap().code(), out, err }
    }
}

/// A test that fails leaves no program behind.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Output {
    seen: Vec<u8>,
    chunks: Receiver<Vec<u8>>,
}

impl Output {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let (sender, chunks) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { seen: Vec::new(), chunks }
    }

    fn until(&mut self, text: &str) {
        assert!(self.finds(text), "`{text}` did not appear in:\n{}", self.text());
    }

    /// Waits until this stands in it; false if it ends without.
    fn finds(&mut self, text: &str) -> bool {
        while !self.text().contains(text) {
            // Only a program that hangs takes so long.
            match self.chunks.recv_timeout(Duration::from_secs(60)) {
                Ok(chunk) => self.seen.extend(chunk),
                Err(mpsc::RecvTimeoutError::Disconnected) => return false,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    panic!("`{text}` did not appear in:\n{}", self.text())
                }
            }
        }
        true
    }

    fn all(&mut self) -> String {
        loop {
            match self.chunks.recv_timeout(Duration::from_secs(60)) {
                Ok(chunk) => self.seen.extend(chunk),
                Err(mpsc::RecvTimeoutError::Disconnected) => return self.text(),
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("the program hangs after:\n{}", self.text()),
            }
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }
}
