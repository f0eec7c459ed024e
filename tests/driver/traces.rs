//! What one run's way looks like, drawn over its graph.

use std::time::Duration;

use serde_json::json;
use workflow_runtime::prelude::*;
use workflow_runtime::{EVENTS_KEPT, RunEvents, Trace};

use crate::flows::{Done, Log, Race, Shop, Split, Task};

/// Lets everything happen that needs no time.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Whether the mermaid drawing has this line.
#[track_caller]
fn shows(trace: &Trace, line: &str) {
    let drawing = trace.to_mermaid();
    assert!(drawing.lines().any(|drawn| drawn.trim() == line), "no line `{line}` in\n{drawing}");
}

#[event]
struct Parsed;

#[event]
struct Stored;

/// Three steps in a row, and a way that is not taken.
struct Chain;

#[workflow]
impl Chain {
    #[step]
    fn parse(&self, _: Start) -> OneOf<Parsed, Stop> {
        OneOf::new(Parsed)
    }

    #[step]
    async fn store(&self, _: Parsed) -> Option<Stored> {
        Some(Stored)
    }

    #[step]
    fn end(&self, _: Stored) -> Stop {
        Stop(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_chain_is_drawn_with_its_counts() {
    let run = Chain.run(());
    (&run).await.unwrap();
    let trace = Trace::of(&run);
    let text = "\
Chain: completed
parse  ×1  Start   → Parsed ×1 | Stop
store  ×1  Parsed  → Stored ×1 | nothing
end    ×1  Stored  → Stop ×1
";
    assert_eq!(trace.to_text(), text);
    let mermaid = r#"---
title: "Chain: completed"
---
flowchart TD
    e0(["Start"])
    e2((("Stop")))
    s0["parse ×1"]
    s1["store ×1"]
    s2["end ×1"]
    e0 -->|"×1"| s0
    s0 -->|"Parsed ×1"| s1
    s0 --> e2
    s1 -->|"Stored ×1"| s2
    s2 -->|"×1"| e2
    linkStyle 2 opacity:0.4,color:#999
"#;
    assert_eq!(trace.to_mermaid(), mermaid);
    let dot = r#"digraph "Chain" {
    label="Chain: completed";
    labelloc=t;
    e0 [label="Start", shape=oval];
    e2 [label="Stop", shape=doublecircle];
    s0 [label="parse ×1", shape=box];
    s1 [label="store ×1", shape=box];
    s2 [label="end ×1", shape=box];
    e0 -> s0 [label="×1"];
    s0 -> s1 [label="Parsed ×1"];
    s0 -> e2 [color=gray, fontcolor=gray];
    s1 -> s2 [label="Stored ×1"];
    s2 -> e2 [label="×1"];
}
"#;
    assert_eq!(trace.to_dot(), dot);
}

/// Works on every task but one.
struct OneFails;

#[workflow]
impl OneFails {
    #[step]
    fn split(&self, _: Start) -> Vec<Task> {
        (0..4).map(|n| Task { n }).collect()
    }

    #[step]
    async fn work(&self, task: Task) -> Result<Done, String> {
        tokio::time::sleep(Duration::from_secs(task.n)).await;
        if task.n == 2 { Err("no".to_owned()) } else { Ok(Done { n: task.n }) }
    }

    #[step]
    fn sum(&self, all: Vec<Done>) -> Stop<usize> {
        Stop(all.len())
    }
}

#[tokio::test(start_paused = true)]
async fn a_fan_out_in_which_one_failed_shows_how_far_it_came() {
    let run = OneFails.run(());
    (&run).await.unwrap_err();
    let trace = Trace::of(&run);
    let text = "\
OneFails: failed in `work`
split  ×1                          Start     → each Task ×4
work   ×4, 1 failed, 1 unfinished  Task      → Done ×2
sum    ×0                          all Done  → Stop<usize>
";
    assert_eq!(trace.to_text(), text);
    let mermaid = r##"---
title: "OneFails: failed in `work`"
---
flowchart TD
    e0(["Start"])
    e3((("Stop#lt;usize#gt;")))
    s0["split ×1"]
    s1["work ×4, 1 failed, 1 unfinished"]
    s2[["sum ×0"]]
    e0 -->|"×1"| s0
    s0 ==>|"each Task ×4"| s1
    s1 -->|"all Done ×2"| s2
    s2 --> e3
    classDef faint opacity:0.5,stroke-dasharray:4 4
    class e3,s2 faint
    linkStyle 3 opacity:0.4,color:#999
    classDef alert stroke:#c00,stroke-width:3px
    class s1 alert
"##;
    assert_eq!(trace.to_mermaid(), mermaid);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_goes_on_after_a_failure_counts_the_second_start() {
    let run = OneFails.run(());
    (&run).await.unwrap_err();
    let mut trace = Trace::of(&run);
    let run = OneFails.resume(run.snapshot().unwrap()).unwrap();
    (&run).await.unwrap_err();
    let mut events = run.events();
    while let Some(event) = events.next().await {
        trace.add(&event.unwrap());
    }
    assert_eq!(trace.missed(), 0, "the two streams follow one another");
    shows(&trace, r#"s1["work ×5, 1 started again, 2 failed, 1 unfinished"]"#);
    shows(&trace, r#"s0["split ×1"]"#);
}

#[event]
struct Draft {
    round: u32,
}

/// Draws three rounds.
struct Loop;

#[workflow]
impl Loop {
    #[step]
    fn begin(&self, _: Start) -> Draft {
        Draft { round: 1 }
    }

    #[step]
    fn split(&self, draft: Draft) -> Vec<Task> {
        (0..u64::from(draft.round)).map(|_| Task { n: u64::from(draft.round) }).collect()
    }

    #[step]
    fn work(&self, task: Task) -> Done {
        Done { n: task.n }
    }

    #[step]
    fn review(&self, all: Vec<Done>) -> OneOf<Draft, Stop<usize>> {
        if all.len() < 3 {
            OneOf::new(Draft { round: all.len() as u32 + 1 })
        } else {
            OneOf::new(Stop(all.len()))
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_ran_three_times_is_counted_three_times() {
    let run = Loop.run(());
    assert_eq!((&run).await, Ok(3));
    let text = "\
Loop: completed
begin   ×1  Start     → Draft ×1
split   ×3  Draft     → each Task ×6
work    ×6  Task      → Done ×6
review  ×3  all Done  → Draft ×2 | Stop<usize> ×1
";
    assert_eq!(Trace::of(&run).to_text(), text);
}

#[tokio::test(start_paused = true)]
async fn a_question_shows_whether_it_is_open_or_answered() {
    let (run, ask) = Shop::default().asking().await;
    let text = "\
Shop: not ended
price  ×1  Start<String>           → Priced ×1
ask    ×1  Priced                  → asks HowMany ×1
total  ×0  HumanResponse<HowMany>  → Stop<u32>
HowMany ×1: 1 open
";
    assert_eq!(Trace::of(&run).to_text(), text);
    run.respond(&ask, 2).await.unwrap();
    (&run).await.unwrap();
    let trace = Trace::of(&run);
    let text = "\
Shop: completed
price  ×1  Start<String>           → Priced ×1
ask    ×1  Priced                  → asks HowMany ×1
total  ×1  HumanResponse<HowMany>  → Stop<u32> ×1
HowMany ×1: 1 answered
";
    assert_eq!(trace.to_text(), text);
    let prompt = Shop::GRAPH.event_named("InputRequired<HowMany>").unwrap().0;
    shows(&trace, &format!("s1 -->|\"asks ×1\"| e{prompt}"));
    shows(&trace, &format!("e{prompt} -->|\"answer ×1\"| s2"));
}

#[prompt(response = bool)]
struct Sure;

#[event]
struct Heard;

/// Asks several questions of two kinds, and is content with the first answer.
struct Panel;

#[workflow]
impl Panel {
    #[step]
    fn ask(&self, _: Start) -> Vec<OneOf<InputRequired, InputRequired<Sure>>> {
        vec![
            OneOf::new(InputRequired::text("why?")),
            OneOf::new(InputRequired::new(Sure)),
            OneOf::new(InputRequired::new(Sure)),
        ]
    }

    #[step]
    fn text(&self, _: HumanResponse) -> Heard {
        Heard
    }

    #[step]
    fn sure(&self, _: HumanResponse<Sure>) -> Heard {
        Heard
    }

    #[step(take = 1)]
    fn first(&self, _: Vec<Heard>) -> Stop {
        Stop(())
    }
}

#[tokio::test(start_paused = true)]
async fn questions_of_two_kinds_are_told_apart_and_withdrawn_ones_are_said() {
    let run = Panel.run(());
    settle().await;
    let sure = run.pending().all::<Sure>().remove(0);
    run.respond(&sure, true).await.unwrap();
    (&run).await.unwrap();
    let text = "\
Panel: completed
ask    ×1  Start                → each (InputRequired<Text> ×1 | InputRequired<Sure> ×2)
text   ×0  HumanResponse<Text>  → Heard
sure   ×1  HumanResponse<Sure>  → Heard ×1
first  ×1  first 1 Heard        → Stop ×1
Text ×1: 1 withdrawn
Sure ×2: 1 answered, 1 withdrawn
";
    assert_eq!(Trace::of(&run).to_text(), text);
}

#[tokio::test(start_paused = true)]
async fn a_question_that_stays_open_over_a_restart_is_asked_once() {
    let (run, ask) = Shop::default().asking().await;
    let snapshot = run.suspend().await.unwrap();
    let mut trace = Trace::of(&run);
    assert!(trace.to_text().starts_with("Shop: suspended\n"));
    let run = Shop::default().resume(snapshot).unwrap();
    run.respond(&ask, 2).await.unwrap();
    (&run).await.unwrap();
    let alone = Trace::of(&run);
    let mut events = run.events();
    while let Some(event) = events.next().await {
        trace.add(&event.unwrap());
    }
    assert!(trace.to_text().ends_with("HowMany ×1: 1 answered\n"), "{trace:?}");
    let text = "\
Shop: completed; 6 events were missed, so counts are lower bounds
price  ≥0  Start<String>           → Priced
ask    ≥0  Priced                  → asks HowMany
total  ≥1  HumanResponse<HowMany>  → Stop<u32> ≥1
HowMany ≥1: 1 answered
";
    assert_eq!(alone.to_text(), text, "the new stream alone does not know what was before");
}

#[tokio::test(start_paused = true)]
async fn a_long_run_says_how_much_of_it_was_missed() {
    let run = Split.run(2_000);
    (&run).await.unwrap();
    let trace = Trace::of(&run);
    // Start and finish of 2,002 steps, and the terminal event.
    let missed = 2 * 2_002 + 1 - EVENTS_KEPT as u64;
    assert_eq!(trace.missed(), missed);
    let caption = format!("Split: completed; {missed} events were missed, so counts are lower bounds");
    assert_eq!(trace.to_text().lines().next().unwrap(), caption);
    shows(&trace, &format!("title: \"{caption}\""));
    shows(&trace, r#"s0["split ≥0"]"#);
    shows(&trace, r#"s2[["sum ≥1"]]"#);
    shows(&trace, r#"s1 -->|"all Done ≥1021"| s2"#);
}

/// Takes a second for each turn.
struct Clock;

#[workflow]
impl Clock {
    #[step]
    fn begin(&self, Start(n): Start<u64>) -> Task {
        Task { n }
    }

    #[step]
    async fn turn(&self, task: Task) -> OneOf<Task, Stop> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if task.n > 1 { OneOf::new(Task { n: task.n - 1 }) } else { OneOf::new(Stop(())) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_keeps_up_misses_nothing_however_long_the_run_is() {
    let run = Clock.run(2_000);
    let mut trace = Trace::new(Clock::GRAPH);
    let mut events = run.events();
    while let Some(event) = events.next().await {
        let event = event.unwrap();
        trace.add(&event);
        // A second reader of the same events changes nothing.
        trace.add(&event);
    }
    assert_eq!(trace.missed(), 0);
    let text = "\
Clock: completed
begin  ×1     Start<u64>  → Task ×1
turn   ×2000  Task        → Task ×1999 | Stop ×1
";
    assert_eq!(trace.to_text(), text);
    assert!(Trace::of(&run).missed() > 0);
}

#[tokio::test(start_paused = true)]
async fn what_lost_a_race_is_unfinished() {
    let run = Race { log: Log::default() }.run(());
    (&run).await.unwrap();
    let text = "\
Race: completed
start  ×1                Start  → Go ×1
slow   ×1, 1 unfinished  Go     → nothing
fast   ×1                Go     → Stop<String> ×1
";
    assert_eq!(Trace::of(&run).to_text(), text);
}

#[event]
struct Odd;

#[event]
struct Even;

/// Sends what it counts, until somebody has seen enough.
struct Sender;

#[workflow]
impl Sender {
    #[step]
    async fn count(&self, Start(n): Start<u32>, mut out: Emitter<OneOf<Odd, Even>>) {
        for n in 1..=n {
            out.send(if n % 2 == 1 { OneOf::new(Odd) } else { OneOf::new(Even) }).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    #[step]
    fn odd(&self, _: Odd) {}

    #[step(take = 2)]
    fn enough(&self, _: Vec<Even>) -> Stop {
        Stop(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_emitter_sent_is_counted_though_its_step_never_finished() {
    let run = Sender.run(100);
    (&run).await.unwrap();
    let text = "\
Sender: completed
count   ×1, 1 unfinished  Start<u32>    → nothing, sends each (Odd ×2 | Even ×2)
odd     ×2                Odd           → nothing ×2
enough  ×1                first 2 Even  → Stop ×1
";
    assert_eq!(Trace::of(&run).to_text(), text);
}

async fn wire<W: Workflow>(mut events: RunEvents<W>, kind: &str) -> Vec<serde_json::Value> {
    let mut found = Vec::new();
    while let Some(event) = events.next().await {
        let json = serde_json::to_value(event.unwrap()).unwrap();
        if json["type"] == kind {
            found.push(json);
        }
    }
    found
}

#[tokio::test(start_paused = true)]
async fn the_wire_form_says_by_name_what_a_step_emitted() {
    let run = Chain.run(());
    let told = wire(run.events(), "step_finished").await;
    let emitted: Vec<_> =
        told.iter().map(|event| (event["step"].clone(), event["emitted"].clone())).collect();
    let expected = [
        (json!("parse"), json!({ "Parsed": 1 })),
        (json!("store"), json!({ "Stored": 1 })),
        (json!("end"), json!({ "Stop": 1 })),
    ];
    assert_eq!(emitted, expected);

    let empty = wire(Split.run(0).events(), "step_finished").await;
    assert_eq!(empty[0]["emitted"], json!({ "Task": 0 }), "a fan-out without elements is not nothing");

    let sent = wire(Sender.run(1).events(), "step_sent").await;
    assert_eq!((&sent[0]["step"], &sent[0]["event"]), (&json!("count"), &json!("Odd")));
    let nothing = wire(Sender.run(4).events(), "step_finished").await;
    assert_eq!(nothing[0]["emitted"], json!({}));
}
