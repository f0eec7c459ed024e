//! What it costs to build a program with a workflow.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use workflow_benches::Size;
use workflow_benches::table::Table;
use workflow_benches::time::{median, now, show};

use crate::Bench;

/// A crate with nothing but a workflow: from nothing, and when its dependencies are there. Not looked at by a test, which
/// would take as long.
pub(crate) fn building(bench: &mut Bench) {
    if bench.size == Size::Test {
        return;
    }
    let author = Author::new();
    let mut table =
        Table::new(&["`cargo check` of a crate with one workflow", "time", "expanded", "each step"]);
    author.write(1);
    let (cold, output) = author.check();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let built = told
        .lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with("Compiling") || line.starts_with("Checking"));
    table.row(&[
        &format!("of 1 step, from nothing: {} crates", built.count()),
        &show(cold.as_secs_f64()),
        "",
        "",
    ]);
    for steps in [1, 10, 50] {
        author.write(steps);
        let times = (0..5).map(|_| {
            author.touch();
            author.check().0.as_secs_f64()
        });
        let time = median(times.collect());
        let lines = author.expanded_lines();
        table.row(&[
            &format!("of {steps} steps, dependencies built"),
            &show(time),
            &lines.map_or_else(String::new, |lines| format!("{lines} lines")),
            &lines.map_or_else(String::new, |lines| format!("{} lines", lines / steps)),
        ]);
    }
    table.print("Building");
}

/// A crate in a directory of its own, with a target directory of its own.
struct Author {
    directory: tempfile::TempDir,
}

impl Author {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = format!(
            "[package]\nname = \"author\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             workflow-runtime = {{ path = {:?} }}\n\n[workspace]\n",
            root.join("workflow-runtime")
        );
        fs::create_dir(directory.path().join("src")).unwrap();
        fs::write(directory.path().join("Cargo.toml"), manifest).unwrap();
        // The versions that are measured everywhere else, too; and nothing has to be fetched.
        fs::copy(root.join("Cargo.lock"), directory.path().join("Cargo.lock")).unwrap();
        Self { directory }
    }

    fn source(&self) -> PathBuf {
        self.directory.path().join("src/lib.rs")
    }

    /// A chain of so many steps, with an event between each two.
    fn write(&self, steps: usize) {
        let mut source = "use workflow_runtime::prelude::*;\n".to_owned();
        for event in 1..steps {
            writeln!(source, "#[event] pub struct E{event}(pub u64);").unwrap();
        }
        source += "pub struct Chain;\n#[workflow]\nimpl Chain {\n";
        for step in 0..steps {
            let takes =
                if step == 0 { "Start(n): Start<u64>".to_owned() } else { format!("E{step}(n): E{step}") };
            let next = step + 1;
            let gives = if next == steps { "Stop<u64>".to_owned() } else { format!("E{next}") };
            let value = if next == steps { "Stop(n)".to_owned() } else { format!("E{next}(n + 1)") };
            writeln!(source, "    #[step] async fn s{step}(&self, {takes}) -> {gives} {{ {value} }}")
                .unwrap();
        }
        source += "}\n";
        fs::write(self.source(), source).unwrap();
    }

    /// Has the crate checked anew, and nothing else.
    fn touch(&self) {
        let source = fs::read_to_string(self.source()).unwrap();
        fs::write(self.source(), source + "\n").unwrap();
    }

    fn cargo(&self, args: &[&str]) -> Command {
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
        cargo.args(args).arg("--offline").current_dir(self.directory.path()).stdin(Stdio::null());
        cargo.env("CARGO_TARGET_DIR", self.directory.path().join("target")).env("CARGO_INCREMENTAL", "0");
        cargo
    }

    fn check(&self) -> (Duration, Output) {
        let began = now();
        let output = self.cargo(&["check"]).output().unwrap();
        let took = began.elapsed();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (took, output)
    }

    /// How long the source is when all macros are expanded, those of the events and of serde, too. Compilers that do not
    /// tell are not asked again.
    fn expanded_lines(&self) -> Option<usize> {
        let expanded = self
            .cargo(&["rustc", "--profile", "check"])
            .args(["--", "-Zunpretty=expanded"])
            .env("RUSTC_BOOTSTRAP", "1")
            .output()
            .ok()?;
        expanded.status.success().then(|| String::from_utf8_lossy(&expanded.stdout).lines().count())
    }
}
