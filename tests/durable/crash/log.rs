//! What processes write down beside the store, for the test to compare.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use workflow_runtime::Context;
use workflow_runtime::prelude::Workflow;

/// One line. All but `Claimed` and `Memo` are written after what they tell of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The process has the run, at that epoch, and the run had come to that position. Nothing of it was begun yet.
    Claimed { run: String, epoch: u64, position: u64 },
    /// A step has done what it does, and returns now.
    Effect { run: String, invocation: u64, step: String, attempt: u32 },
    /// A memo has done its work, and is to be recorded.
    Memo { run: String, invocation: u64, value: u64 },
    /// A reader of the run's stream was shown this.
    Saw { run: String, number: u64, event: serde_json::Value },
    /// A message with that key was acknowledged.
    Told { run: String, key: String },
    /// Whoever waited for the run was given this output; nothing for an end without one.
    Ended { run: String, output: Option<serde_json::Value> },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    pub process: u32,
    pub line: Line,
}

/// A file that is only appended to, one line at a time, by any number of processes.
#[derive(Clone, Debug)]
pub struct Log {
    file: Arc<File>,
    pub process: u32,
}

impl Log {
    pub fn open(path: &Path, process: u32) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        Self { file: Arc::new(file), process }
    }

    pub fn add(&self, line: Line) {
        let entry = serde_json::to_string(&Entry { process: self.process, line }).unwrap();
        // A process that is killed leaves half a line now and then, which the next one must not go on with.
        let text = format!("\n{entry}\n");
        // One call, so that lines of several processes do not mix.
        assert_eq!((&*self.file).write(text.as_bytes()).unwrap(), text.len());
    }

    /// A step is through with what it does outside.
    pub fn effect<W: Workflow>(&self, ctx: &Context<W>) {
        self.add(Line::Effect {
            run: ctx.run_id().to_string(),
            invocation: ctx.invocation().0,
            step: ctx.step().to_owned(),
            attempt: ctx.attempt(),
        });
    }

    pub fn read(path: &Path) -> Vec<Entry> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let entry = |line| match serde_json::from_str(line) {
            Ok(entry) => Some(entry),
            // What it tells of came before, and what it had led to did not come any more.
            Err(error) if error.is_eof() => None,
            Err(error) => panic!("{line}: {error}"),
        };
        text.lines().filter(|line| !line.is_empty()).filter_map(entry).collect()
    }
}
