//! Who starts the processes, and kills them.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::child::{Dies, ORDERS, Orders, Runs, TEST};

/// How long a process may take, before it is taken to hang.
const LIMIT: Duration = Duration::from_secs(60);

/// One file, and the processes that have worked on it.
pub struct Arena {
    directory: Option<tempfile::TempDir>,
    pub runs: Runs,
    alone: bool,
    lease: Duration,
    processes: u32,
    dead: Vec<u32>,
    pub kills: u32,
    /// What to say where something does not hold.
    pub name: String,
}

impl Arena {
    /// For processes of which there is only one at a time, and whose end is known to the next.
    pub fn alone(name: impl Into<String>, runs: Runs) -> Self {
        Self::new(name.into(), runs, true, Duration::from_secs(30))
    }

    /// For several processes at once, which find out by themselves when one of them is dead.
    pub fn shared(name: impl Into<String>, runs: Runs, lease: Duration) -> Self {
        Self::new(name.into(), runs, false, lease)
    }

    fn new(name: String, runs: Runs, alone: bool, lease: Duration) -> Self {
        let directory = Some(tempfile::tempdir().unwrap());
        Self { directory, runs, alone, lease, processes: 0, dead: Vec::new(), kills: 0, name }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.as_ref().map(|directory| directory.path().join(name)).unwrap_or_default()
    }

    pub fn file(&self) -> PathBuf {
        self.path("runs.db")
    }

    pub fn log(&self) -> PathBuf {
        self.path("log")
    }

    pub fn is_alone(&self) -> bool {
        self.alone
    }

    pub fn start(&mut self, dies: Option<Dies>) -> Process {
        self.processes += 1;
        let orders = Orders {
            file: self.file(),
            log: self.log(),
            process: self.processes,
            // Also those of before: who was told of them may have died before it could do something about it.
            dead: if self.alone { self.dead.clone() } else { Vec::new() },
            alone: self.alone,
            lease: self.lease,
            runs: self.runs,
            dies,
        };
        let said = self.path(&format!("said-{}", orders.process));
        let output = std::fs::File::create(&said).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", TEST, "--nocapture", "--test-threads=1"]);
        command.env(ORDERS, serde_json::to_string(&orders).unwrap());
        command.env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        Process { child: command.spawn().unwrap(), process: orders.process, said }
    }

    /// Kills the process unless it has ended, and says whether it lived.
    pub fn kill(&mut self, mut process: Process) -> bool {
        // It may have ended by itself.
        process.child.kill().unwrap();
        let status = process.child.wait().unwrap();
        self.ended(&process, status)
    }

    /// Waits until a process ends by itself, and says whether it died.
    pub fn wait(&mut self, mut process: Process) -> bool {
        let mut waited = Duration::ZERO;
        let status = loop {
            if let Some(status) = process.child.try_wait().unwrap() {
                break status;
            }
            let step = Duration::from_millis(2);
            std::thread::sleep(step);
            waited += step;
            if waited > LIMIT {
                process.child.kill().unwrap();
                process.child.wait().unwrap();
                self.fails(&format!("process {} hangs: {}", process.process, process.said()));
            }
        };
        self.ended(&process, status)
    }

    fn ended(&mut self, process: &Process, status: ExitStatus) -> bool {
        const KILLED: i32 = 9;
        const ABORTED: i32 = 6;
        self.dead.push(process.process);
        let died = matches!(status.signal(), Some(KILLED | ABORTED));
        if !died && !status.success() {
            self.fails(&format!("process {} ended with {status}: {}", process.process, process.said()));
        }
        self.kills += u32::from(died);
        died
    }

    /// Keeps everything, for somebody to look at.
    pub fn fails(&mut self, why: &str) -> ! {
        let kept = self.directory.take().map(tempfile::TempDir::keep);
        panic!("{}: {why}\nsee {}", self.name, kept.as_deref().unwrap_or(Path::new("?")).display());
    }
}

pub struct Process {
    child: Child,
    process: u32,
    said: PathBuf,
}

impl Process {
    fn said(&self) -> String {
        let text = std::fs::read_to_string(&self.said).unwrap_or_default();
        text.lines().filter(|line| !line.is_empty()).take(20).collect::<Vec<_>>().join("\n")
    }
}

/// Numbers that look random, and are the same for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    /// A time between two, of which short ones are as likely as long ones ten times as wide.
    pub fn time(&mut self, from_millis: u64, to_millis: u64) -> Duration {
        let spread = self.below(to_millis - from_millis) + 1;
        Duration::from_micros(from_millis * 1_000 + self.below(spread * 1_000))
    }
}
