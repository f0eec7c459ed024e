//! `durable_orders`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use workflow_runtime::journal::{AttemptResult, inspect};
use workflow_runtime::store::{Due, Filter, NewRun, RunStatus, Store};
use workflow_runtime::{RunId, Time};
use workflow_store::SqliteStore;

use crate::process::{Ended, Running, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_durable_orders");

/// What five undisturbed orders come to. Order 2 waits for a person, and is approved.
const OUTCOMES: [&str; 5] = [
    r#"{"Shipped":{"pieces":3,"cents":30700}}"#,
    r#"{"Shipped":{"pieces":6,"cents":172400}}"#,
    r#"{"Shipped":{"pieces":4,"cents":79600}}"#,
    r#"{"Shipped":{"pieces":1,"cents":21900}}"#,
    r#"{"Shipped":{"pieces":4,"cents":43600}}"#,
];

fn durable_orders(dir: &TempDir, args: &[&str]) -> Ended {
    run(dir.path(), PROGRAM, args, "")
}

/// Serves five orders until only people are waited for.
fn serve(dir: &TempDir) -> Ended {
    let args = ["serve", "orders.db", "--orders", "5", "--until-idle", "--pace", "0", "--lease", "1"];
    durable_orders(dir, &args)
}

/// A directory in which five orders were served.
fn served() -> TempDir {
    let dir = TempDir::new().unwrap();
    let ended = serve(&dir);
    assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{ended:?}");
    dir
}

fn start(dir: &TempDir, more: &[&str]) -> Running {
    let args = ["serve", "orders.db", "--orders", "5", "--pace", "50", "--lease", "1"];
    Running::start(dir.path(), PROGRAM, &[&args[..], more].concat())
}

/// The lines of the steps, each with the key of its step before it.
fn effects(dir: &TempDir) -> Vec<(String, String)> {
    let log = fs::read_to_string(dir.path().join("orders.db.log")).unwrap();
    log.lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(key, what)| (key.into(), what.into()))
        .collect()
}

/// No step has left two lines. What was done to each order, in no order.
#[track_caller]
fn done_once(dir: &TempDir) -> BTreeSet<(String, String)> {
    let mut keys = BTreeSet::new();
    let done = effects(dir).into_iter().map(|(key, what)| {
        assert!(keys.insert(key.clone()), "{key} was done twice");
        (order_of(&key), what)
    });
    done.collect()
}

fn order_of(key: &str) -> String {
    key.split_once('/').unwrap().0.to_owned()
}

fn with_store<T>(dir: &TempDir, look: impl AsyncFnOnce(&SqliteStore) -> T) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = SqliteStore::open(dir.path().join("orders.db")).await.unwrap();
        let seen = look(&store).await;
        store.close().await.unwrap();
        seen
    })
}

/// The keys of the steps that have finished, as the store has it.
fn finished(dir: &TempDir) -> BTreeSet<String> {
    with_store(dir, async |store| {
        let mut finished = BTreeSet::new();
        for stored in store.list(&Filter::default(), None, 100).await.unwrap().runs {
            for step in inspect(store, &stored.run).await.unwrap().steps {
                if step.attempts.iter().any(|it| matches!(it.result, AttemptResult::Finished { .. })) {
                    finished.insert(format!("{}/{}", stored.run, step.invocation));
                }
            }
        }
        finished
    })
}

fn outcomes(dir: &TempDir) -> BTreeMap<String, String> {
    with_store(dir, async |store| {
        let mut outcomes = BTreeMap::new();
        for stored in store.list(&Filter::default(), None, 100).await.unwrap().runs {
            if let Some(outcome) = store.show(&stored.run).await.unwrap().unwrap().outcome {
                outcomes.insert(stored.run.to_string(), outcome.get().to_owned());
            }
        }
        outcomes
    })
}

fn expected_outcomes() -> BTreeMap<String, String> {
    (1..).zip(OUTCOMES).map(|(number, outcome)| (format!("order-{number}"), outcome.to_owned())).collect()
}

/// The number of the one open question of an order.
#[track_caller]
fn question(dir: &TempDir, order: &str) -> String {
    let shown = durable_orders(dir, &["show", "orders.db", order]).out;
    let (_, open) = shown.split_once("Open questions:\n").unwrap_or_else(|| panic!("no question in {shown}"));
    open.split_whitespace().next().unwrap().to_owned()
}

fn answer(dir: &TempDir, order: &str, request: &str, answer: &[&str]) -> Ended {
    durable_orders(dir, &[&["answer", "orders.db", order, request], answer].concat())
}

/// It ended with an error that says all of this, in one line, and nothing else.
#[track_caller]
fn assert_error(ended: &Ended, said: &[&str]) {
    assert_eq!((ended.code, &*ended.out), (Some(1), ""), "{ended:?}");
    assert!(ended.err.starts_with("error: ") && ended.err.trim_end().lines().count() == 1, "{ended:?}");
    for said in said {
        assert!(ended.err.contains(said), "{said} is missing in {ended:?}");
    }
}

#[test]
fn it_works_until_only_people_are_waited_for() {
    let dir = TempDir::new().unwrap();
    let ended = serve(&dir);
    assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{ended:?}");
    assert!(ended.out.starts_with("Serving orders.db: 0 completed, 0 waiting for a person.\n"), "{ended:?}");
    assert!(
        ended.out.ends_with("Nothing is left to do: 4 completed, 1 waiting for a person.\n"),
        "{ended:?}"
    );
    for line in [
        "order-1: unpack #1 has finished: 2 Item\n",
        "runs again, attempt 1 has failed: the warehouse does not answer about the chair\n",
        "waits for a person: {\"ApproveOrder\":{",
        "order-4: completed: {\"Shipped\":{",
    ] {
        assert!(ended.out.contains(line), "{line} is missing in {ended:?}");
    }
    assert!(!ended.out.contains('\u{1b}'), "no colours");
    done_once(&dir);
}

#[test]
fn what_was_served_is_not_served_again() {
    let dir = served();
    let before = effects(&dir);
    let again = serve(&dir);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(
        again.out,
        "Serving orders.db: 4 completed, 1 waiting for a person.\n\
         Nothing is left to do: 4 completed, 1 waiting for a person.\n"
    );
    assert_eq!(effects(&dir), before);
}

#[test]
fn orders_are_listed_as_they_stand() {
    let dir = served();
    let all = durable_orders(&dir, &["list", "orders.db"]);
    assert_eq!((all.code, &*all.err), (Some(0), ""), "{all:?}");
    let lines: Vec<_> = all.out.lines().collect();
    assert_eq!(
        lines[0].split("  ").filter(|it| !it.is_empty()).map(str::trim).collect::<Vec<_>>(),
        ["ID", "WORKFLOW", "STATUS", "WAITING FOR", "SINCE", "UPDATED"]
    );
    let ids: Vec<_> = lines[1..].iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(ids, ["order-1", "order-2", "order-3", "order-4", "order-5"], "the oldest first");

    let listed = |args: &[&str]| {
        let ended = durable_orders(&dir, &[&["list", "orders.db"], args].concat());
        assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{ended:?}");
        ended.out.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let waiting = listed(&["--status", "waiting"]);
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    let request = question(&dir, "order-2");
    assert!(waiting[0].starts_with("order-2  Orders    waiting"), "{waiting:?}");
    assert!(waiting[0].contains(&format!("answer {request} to add_up  20")), "since when: {waiting:?}");
    assert_eq!(listed(&["--status", "completed"]).len(), 4);
    assert_eq!(listed(&["--status", "failed"]).len(), 0);
    assert_eq!(listed(&["--workflow", "Orders"]).len(), 5);
    assert_eq!(listed(&["--workflow", "Invoices", "--status", "completed"]).len(), 0);
}

#[test]
fn a_long_list_is_read_page_by_page() {
    let dir = TempDir::new().unwrap();
    with_store(&dir, async |store| {
        let json = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).unwrap();
        store.put_graph("a graph", json("{}")).await.unwrap();
        for number in 0..250 {
            let run = RunId::from(format!("letter-{number}"));
            let new = NewRun {
                run,
                workflow: "Letters".to_owned(),
                fingerprint: "a graph".to_owned(),
                input: json("1"),
                input_key: "1".to_owned(),
                at: Time(1_000),
                due: Due::Now,
                tags: BTreeMap::new(),
                lease: None,
            };
            store.create(new).await.unwrap();
        }
    });
    let ended = durable_orders(&dir, &["list", "orders.db"]);
    let listed: Vec<_> = ended.out.lines().skip(1).map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(listed, (0..250).map(|number| format!("letter-{number}")).collect::<Vec<_>>());
    let other = serve(&dir);
    assert!(other.out.ends_with("4 completed, 1 waiting for a person.\n"), "not its workflow: {other:?}");
}

#[test]
fn an_order_is_shown_with_what_happened_in_it() {
    let dir = served();
    let shown = durable_orders(&dir, &["show", "orders.db", "order-2"]);
    assert_eq!((shown.code, &*shown.err), (Some(0), ""), "{shown:?}");
    for line in [
        "order-2 of Orders: waiting\n",
        "\ninput: {\"number\":2,\"items\":[{\"name\":\"shelf\",\"count\":1,\"cents\":8900},",
        "\noutcome: none yet\n",
        "asked by add_up at 20",
        "{\"ApproveOrder\":{\"items\":[\"1 shelf\",\"3 table\",\"2 rug\"],\"cents\":172400}}\n",
        "  #1 unpack of Start<Order> {",
        "reserve of Item {\"name\":\"shelf\",\"count\":1,\"cents\":8900}\n",
        "      attempt 1 failed: the warehouse does not answer about the shelf\n",
        "      attempt 2 finished: Reserved {\"name\":\"1 shelf\",\"cents\":8900}\n",
        "add_up of [Reserved {\"name\":\"1 shelf\",\"cents\":8900}, Reserved {",
        "\n   1  20",
    ] {
        assert!(shown.out.contains(line), "{line} is missing in {}", shown.out);
    }
    let completed = durable_orders(&dir, &["show", "orders.db", "order-1"]).out;
    assert!(completed.contains(&format!("\noutcome: {}\n", OUTCOMES[0])), "{completed}");
    assert!(!completed.contains("Open questions"), "{completed}");
}

#[test]
fn an_answer_is_taken_while_nobody_serves() {
    let dir = served();
    let request = question(&dir, "order-2");
    let taken = answer(&dir, "order-2", &request, &["yes"]);
    assert_eq!((taken.code, &*taken.out), (Some(0), "order-2 has taken the answer.\n"), "{taken:?}");
    assert!(taken.err.contains("Nobody seems to serve orders.db"), "{taken:?}");
    let ended = serve(&dir);
    assert!(
        ended.out.ends_with("Nothing is left to do: 5 completed, 0 waiting for a person.\n"),
        "{ended:?}"
    );
    assert_eq!(outcomes(&dir), expected_outcomes());
    let done = done_once(&dir);
    assert!(done.contains(&("order-2".to_owned(), "decide approved".to_owned())), "{done:?}");
    let late = answer(&dir, "order-2", &request, &["no", "too", "late"]);
    assert_error(&late, &["run order-2 is not running: it is completed"]);
}

#[test]
fn an_answer_is_taken_by_whoever_serves() {
    let dir = TempDir::new().unwrap();
    let mut serving = start(&dir, &[]);
    serving.shows("waits for a person");
    let request = question(&dir, "order-2");
    let refused = answer(&dir, "order-2", &request, &["no"]);
    assert_error(&refused, &["run order-2 has refused that", "a rejection needs a reason: no REASON"]);
    let taken = answer(&dir, "order-2", &request, &["no", "such", "table"]);
    assert_eq!((taken.code, &*taken.out), (Some(0), "order-2 has taken the answer.\n"), "{taken:?}");
    serving.shows(&format!("order-2: question {request} is answered\n"));
    serving.shows("order-2: completed: {\"Rejected\":{\"reason\":\"such table\"}}\n");
    serving.shows("order-3: completed");
    #[cfg(unix)]
    {
        serving.interrupt();
        let ended = serving.end_by_itself();
        assert_eq!(ended.code, Some(130), "{ended:?}");
        assert_eq!(ended.err, "Stopped. Whoever serves orders.db next goes on.\n");
    }
    done_once(&dir);
}

#[test]
fn a_wrong_answer_is_an_error_and_changes_nothing() {
    let dir = served();
    let request = question(&dir, "order-2");
    let before = effects(&dir);
    assert_error(
        &answer(&dir, "order-2", &request, &["perhaps"]),
        &["`perhaps` is no answer: yes, or no REASON"],
    );
    assert_error(&answer(&dir, "order-2", &request, &["yes", "but"]), &["`yes but` is no answer"]);
    assert_error(&answer(&dir, "order-2", &request, &["no", " "]), &["a rejection needs a reason"]);
    assert_error(&answer(&dir, "order-2", "999", &["yes"]), &["no question 999 is open"]);
    assert_error(
        &answer(&dir, "order-1", &request, &["yes"]),
        &["run order-1 is not running: it is completed"],
    );
    assert_error(&answer(&dir, "order-9", &request, &["yes"]), &["there is no run order-9"]);
    assert_eq!(question(&dir, "order-2"), request, "it is still open");
    assert_eq!(effects(&dir), before);
}

#[test]
fn killed_at_any_moment_it_goes_on_and_repeats_no_step_that_had_finished() {
    let dir = TempDir::new().unwrap();
    // How many lines there were at each kill, and which steps had finished.
    let mut kills = Vec::new();
    for moment in [
        "Serving",
        "order-1: unpack",
        "order-2: reserve",
        "runs again",
        "add_up",
        "order-5: ",
        "ship",
        "completed",
        "order-3: ",
    ] {
        // Where there is nothing more of the kind, the end is as good a moment as any.
        let mut serving = start(&dir, &["--until-idle"]);
        if !serving.shows_or_ends(moment) {
            continue;
        }
        serving.kill();
        let lines = fs::read_to_string(dir.path().join("orders.db.log")).unwrap_or_default().lines().count();
        kills.push((lines, finished(&dir)));
    }
    assert!(kills.len() >= 3, "there was hardly anything to disturb");
    assert_eq!(serve(&dir).code, Some(0));
    let request = question(&dir, "order-2");
    assert_eq!(answer(&dir, "order-2", &request, &["yes"]).code, Some(0));
    let ended = serve(&dir);
    assert!(
        ended.out.ends_with("Nothing is left to do: 5 completed, 0 waiting for a person.\n"),
        "{ended:?}"
    );
    assert_eq!(outcomes(&dir), expected_outcomes());

    let lines = effects(&dir);
    for (before, finished) in &kills {
        for (key, what) in &lines[*before..] {
            assert!(!finished.contains(key), "{key} had finished, and has done {what} again");
        }
    }
    let undisturbed = served();
    assert_eq!(answer(&undisturbed, "order-2", &question(&undisturbed, "order-2"), &["yes"]).code, Some(0));
    serve(&undisturbed);
    let done: BTreeSet<_> = lines.iter().map(|(key, what)| (order_of(key), what.clone())).collect();
    assert_eq!(done, done_once(&undisturbed), "all of it was done");
}

#[test]
fn another_one_that_serves_takes_over_what_a_killed_one_had() {
    let dir = TempDir::new().unwrap();
    let mut first = start(&dir, &[]);
    first.shows("order-1: unpack");
    let mut second = start(&dir, &["--until-idle"]);
    second.shows("Serving");
    first.kill();
    let ended = second.end();
    assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{ended:?}");
    assert!(
        ended.out.ends_with("Nothing is left to do: 4 completed, 1 waiting for a person.\n"),
        "{ended:?}"
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_lets_steps_finish_so_that_nothing_at_all_is_repeated() {
    let dir = TempDir::new().unwrap();
    for moment in ["order-1: unpack", "reserve", "add_up"] {
        let mut serving = start(&dir, &[]);
        serving.shows(moment);
        serving.interrupt();
        let ended = serving.end_by_itself();
        assert_eq!(ended.code, Some(130), "{ended:?}");
    }
    assert_eq!(serve(&dir).code, Some(0));
    done_once(&dir);
}

/// The position of the last record of an order.
fn last_position(dir: &TempDir, order: &str) -> String {
    let shown = durable_orders(dir, &["show", "orders.db", order]).out;
    shown.lines().last().unwrap().split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_fork_goes_its_own_way() {
    let dir = served();
    let before = effects(&dir);
    let position = last_position(&dir, "order-2");
    let forked = durable_orders(&dir, &["fork", "orders.db", "order-2", &position, "copy"]);
    assert_eq!((forked.code, &*forked.err), (Some(0), ""), "{forked:?}");
    assert_eq!(forked.out, format!("copy begins as order-2 was after position {position}.\n"));
    assert_eq!(serve(&dir).code, Some(0));
    assert_eq!(effects(&dir), before, "what was copied is not done again");
    let shown = durable_orders(&dir, &["show", "orders.db", "copy"]).out;
    assert!(shown.contains(&format!("forked from order-2 after position {position}\n")), "{shown}");

    assert_eq!(answer(&dir, "copy", &question(&dir, "copy"), &["no", "thanks"]).code, Some(0));
    assert_eq!(answer(&dir, "order-2", &question(&dir, "order-2"), &["yes"]).code, Some(0));
    assert_eq!(durable_orders(&dir, &["fork", "orders.db", "order-4", "0", "anew"]).code, Some(0));
    assert_eq!(durable_orders(&dir, &["fork", "orders.db", "order-4", "2", "later"]).code, Some(0));
    assert_eq!(serve(&dir).code, Some(0));
    let mut expected = expected_outcomes();
    expected.insert("copy".to_owned(), r#"{"Rejected":{"reason":"thanks"}}"#.to_owned());
    expected.insert("anew".to_owned(), OUTCOMES[3].to_owned());
    expected.insert("later".to_owned(), OUTCOMES[3].to_owned());
    assert_eq!(outcomes(&dir), expected);
    let done: Vec<_> = effects(&dir).split_off(before.len());
    let of = |order: &str| done.iter().filter(|(key, _)| order_of(key) == order).count();
    assert_eq!((of("copy"), of("anew"), of("later")), (1, 4, 3));
}

#[test]
fn what_cannot_be_forked_is_an_error() {
    let dir = served();
    let fork = |args: &[&str]| durable_orders(&dir, &[&["fork", "orders.db"], args].concat());
    assert_error(&fork(&["order-9", "1", "copy"]), &["there is no run order-9"]);
    assert_error(&fork(&["order-1", "99", "copy"]), &["run order-1 has no position 99"]);
    assert_error(&fork(&["order-1", "2", "order-3"]), &["there is a run order-3 already"]);
    assert_eq!(durable_orders(&dir, &["list", "orders.db"]).out.lines().count(), 6);
}

/// The commands that need a file that is there.
const LOOKS: [&[&str]; 4] = [
    &["list", "orders.db"],
    &["show", "orders.db", "order-1"],
    &["answer", "orders.db", "order-1", "1", "yes"],
    &["fork", "orders.db", "order-1", "1", "copy"],
];

#[test]
fn a_file_that_is_missing_is_an_error_and_stays_missing() {
    let dir = TempDir::new().unwrap();
    for args in LOOKS {
        assert_error(&durable_orders(&dir, args), &["orders.db: there is no such file"]);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    assert_error(&durable_orders(&dir, &["serve", "nowhere/orders.db"]), &["nowhere/orders.db"]);
}

#[test]
fn a_file_that_is_no_store_is_an_error_and_stays_as_it_is() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("orders.db");
    fs::write(&file, "These are not the orders that you are looking for.").unwrap();
    for args in LOOKS.into_iter().chain([&["serve", "orders.db"][..]]) {
        assert_error(&durable_orders(&dir, args), &["orders.db is not a store of runs"]);
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "These are not the orders that you are looking for.");
}

#[test]
fn an_order_that_is_not_there_is_an_error() {
    let dir = served();
    assert_error(&durable_orders(&dir, &["show", "orders.db", "order-9"]), &["there is no run order-9"]);
}

#[test]
fn a_log_that_cannot_be_written_is_an_error_before_anything_happens() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("orders.db.log")).unwrap();
    assert_error(&serve(&dir), &["error: orders.db.log: "]);
    assert_eq!(durable_orders(&dir, &["list", "orders.db"]).out.lines().count(), 1, "no order was started");
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let dir = served();
    let mut list = Command::new(PROGRAM);
    list.args(["list", "orders.db"]).current_dir(dir.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = list.spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), &b""[..]));
}

#[test]
fn it_says_what_it_takes() {
    let dir = TempDir::new().unwrap();
    let help = durable_orders(&dir, &["--help"]).out;
    for word in
        ["serve", "list", "show", "answer", "fork", "Exit codes: 0 done, 1 an error, 2 a wrong command line"]
    {
        assert!(help.contains(word), "{word} is missing in {help}");
    }
    assert!(durable_orders(&dir, &["serve", "--help"]).out.contains("--until-idle"));
    let statuses = durable_orders(&dir, &["list", "--help"]).out;
    for status in RunStatus::ALL {
        assert!(statuses.contains(status.name()), "{statuses}");
    }
    let wrong: [&[&str]; 9] = [
        &[],
        &["work", "orders.db"],
        &["serve"],
        &["serve", "orders.db", "--orders", "many"],
        &["serve", "orders.db", "--lease", "0"],
        &["list", "orders.db", "--status", "bored"],
        &["answer", "orders.db", "order-1", "first", "yes"],
        &["answer", "orders.db", "order-1", "1"],
        &["fork", "orders.db", "order-1", "-1", "copy"],
    ];
    for args in wrong {
        let refused = durable_orders(&dir, args);
        assert_eq!((refused.code, &*refused.out), (Some(2), ""), "{args:?}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
